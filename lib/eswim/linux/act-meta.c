// SPDX-License-Identifier: GPL-2.0
/* What software is told about a packet beside the packet: mark, ptype. */

#include <linux/seq_file.h>

#include "walk.h"

static int eswim_parse_mark(struct eswim_parse *parse,
			    const struct flow_action_entry *entry,
			    struct eswim_act *act)
{
	act->mark = entry->mark;
	return 0;
}

static enum eswim_verdict eswim_run_mark(struct eswim_walk *walk,
					 const struct eswim_act *act)
{
	if (eswim_walk_make_writable(walk, ETH_HLEN)) {
		walk->fate = ESWIM_DROP;
		return ESWIM_FATE;
	}
	walk->skb->mark = act->mark;
	return ESWIM_NEXT;
}

static void eswim_show_mark(struct seq_file *file, const struct eswim_act *act)
{
	seq_printf(file, " %u", act->mark);
}

const struct eswim_act_ops eswim_act_mark = {
	ESWIM_ACT_NAME("mark"),
	.parse = eswim_parse_mark,
	.run = eswim_run_mark,
	.show = eswim_show_mark,
};

/* Whoever gets a packet decides by the MAC address whether it is for him, as
 * with any NIC; "host" is what says so for rules that also run in software.
 */
static int eswim_parse_ptype(struct eswim_parse *parse,
			     const struct flow_action_entry *entry,
			     struct eswim_act *act)
{
	if (entry->ptype != PACKET_HOST) {
		NL_SET_ERR_MSG_MOD(parse->extack,
				   "The only ptype is \"host\"");
		return -EOPNOTSUPP;
	}
	return 1;
}

const struct eswim_act_ops eswim_act_ptype = {
	ESWIM_ACT_NAME("ptype"),
	.parse = eswim_parse_ptype,
};
