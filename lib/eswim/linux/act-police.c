// SPDX-License-Identifier: GPL-2.0
/* Rate limits (police): rules' side of meters. */

#include <linux/if_vlan.h>
#include <linux/seq_file.h>

#include "meter.h"
#include "walk.h"

static int eswim_parse_police(struct eswim_parse *parse,
			      const struct flow_action_entry *entry,
			      struct eswim_act *act)
{
	const char *why = eswim_meter_refusal(entry);

	if (why)
		return eswim_refuse(parse->extack, why);
	act->meter = eswim_meter_get(parse->nic, entry->hw_index, entry);
	if (!act->meter)
		return -ENOMEM;
	parse->once = true;
	if (entry->police.notexceed.act_id == FLOW_ACTION_ACCEPT)
		parse->ended = true;
	return 0;
}

static void eswim_release_police(struct eswim_nic *nic, struct eswim_act *act)
{
	eswim_meter_put(act->meter);
}

static enum eswim_verdict eswim_run_police(struct eswim_walk *walk,
					   const struct eswim_act *act)
{
	unsigned int hit = walk->n_hits - 1;

	walk->hits[hit].n_metered++;
	if (!eswim_meter_take(act->meter, walk->hits[hit].bytes)) {
		walk->hits[hit].dropped = true;
		walk->fate = ESWIM_DROP;
		return ESWIM_FATE;
	}
	if (READ_ONCE(act->meter->conform) == FLOW_ACTION_PIPE)
		return ESWIM_NEXT;
	return eswim_act_accept.run(walk, act);
}

static void eswim_show_police(struct seq_file *file,
			      const struct eswim_act *act)
{
	seq_printf(file, " index %u", act->meter->index);
}

const struct eswim_act_ops eswim_act_police = {
	ESWIM_ACT_NAME("police"),
	.parse = eswim_parse_police,
	.run = eswim_run_police,
	.release = eswim_release_police,
	.show = eswim_show_police,
};
