// SPDX-License-Identifier: GPL-2.0
/* THE table of action kinds, and the parser of a rule's list of them. */

#include <linux/seq_file.h>

#include "action.h"
#include "eswim.h"
#include "meter.h"

static const struct eswim_act_ops *const eswim_acts[NUM_FLOW_ACTIONS] = {
	[FLOW_ACTION_ACCEPT] = &eswim_act_accept,
	[FLOW_ACTION_DROP] = &eswim_act_drop,
	[FLOW_ACTION_TRAP] = &eswim_act_trap,
	[FLOW_ACTION_GOTO] = &eswim_act_goto,
	[FLOW_ACTION_REDIRECT] = &eswim_act_redirect,
	[FLOW_ACTION_MIRRED] = &eswim_act_mirror,
	[FLOW_ACTION_REDIRECT_INGRESS] = &eswim_act_redirect_ingress,
	[FLOW_ACTION_MIRRED_INGRESS] = &eswim_act_mirror_ingress,
	[FLOW_ACTION_VLAN_PUSH] = &eswim_act_vlan_push,
	[FLOW_ACTION_VLAN_POP] = &eswim_act_vlan_pop,
	[FLOW_ACTION_VLAN_MANGLE] = &eswim_act_vlan_mangle,
	[FLOW_ACTION_MANGLE] = &eswim_act_mangle,
	[FLOW_ACTION_ADD] = &eswim_act_add,
	[FLOW_ACTION_CSUM] = &eswim_act_csum,
	[FLOW_ACTION_MARK] = &eswim_act_mark,
	[FLOW_ACTION_PTYPE] = &eswim_act_ptype,
	[FLOW_ACTION_POLICE] = &eswim_act_police,
};

/* What the hardware can't do, by the names that users know. */
static const char *const eswim_acts_missing[NUM_FLOW_ACTIONS] = {
#define ESWIM_NO_ACT(ID, NAME) \
	[FLOW_ACTION_##ID] = KBUILD_MODNAME ": No action " NAME
	ESWIM_NO_ACT(TUNNEL_ENCAP, "tunnel_key set"),
	ESWIM_NO_ACT(TUNNEL_DECAP, "tunnel_key unset"),
	ESWIM_NO_ACT(PRIORITY, "skbedit priority"),
	ESWIM_NO_ACT(QUEUE, "skbedit queue_mapping"),
	ESWIM_NO_ACT(SAMPLE, "sample"),
	ESWIM_NO_ACT(CT, "ct"),
	ESWIM_NO_ACT(MPLS_PUSH, "mpls push"),
	ESWIM_NO_ACT(MPLS_POP, "mpls pop"),
	ESWIM_NO_ACT(MPLS_MANGLE, "mpls modify"),
	ESWIM_NO_ACT(GATE, "gate"),
	ESWIM_NO_ACT(PPPOE_PUSH, "pppoe push"),
	ESWIM_NO_ACT(VLAN_PUSH_ETH, "vlan push_eth"),
	ESWIM_NO_ACT(VLAN_POP_ETH, "vlan pop_eth"),
#undef ESWIM_NO_ACT
};

const char *eswim_act_name(unsigned int row)
{
	if (row >= NUM_FLOW_ACTIONS)
		return NULL;
	return eswim_acts[row] ? eswim_acts[row]->name : "";
}

bool eswim_act_is_refused(const struct eswim_nic *nic, enum flow_action_id id)
{
	return nic->faults.refused_acts & BIT_ULL(id);
}

static int eswim_act_parse(struct eswim_parse *parse,
			   const struct flow_action_entry *entry,
			   struct eswim_act *act)
{
	const char *missing = NULL;

	if (parse->ended)
		return eswim_refuse(parse->extack, KBUILD_MODNAME
			": An action follows the one that ends the rule");
	if (entry->id < NUM_FLOW_ACTIONS) {
		act->ops = eswim_acts[entry->id];
		missing = eswim_acts_missing[entry->id];
	}
	if (!act->ops)
		return eswim_refuse(parse->extack, missing ?: KBUILD_MODNAME
				    ": No such action");
	if (eswim_act_is_refused(parse->nic, entry->id))
		return eswim_refuse(parse->extack, act->ops->refused);
	return act->ops->parse(parse, entry, act);
}

static u32 eswim_acts_csums(const struct flow_action *flow)
{
	const struct flow_action_entry *entry;
	u32 csums = 0;
	int i;

	flow_action_for_each(i, entry, flow) {
		if (entry->id == FLOW_ACTION_CSUM)
			csums |= entry->csum_flags;
	}
	return csums;
}

static bool eswim_acts_rewrite(const struct flow_action *flow)
{
	const struct flow_action_entry *entry;
	int i;

	flow_action_for_each(i, entry, flow) {
		if (entry->id == FLOW_ACTION_MANGLE ||
		    entry->id == FLOW_ACTION_ADD)
			return true;
	}
	return false;
}

int eswim_acts_parse(struct eswim_nic *nic, const struct flow_action *flow,
		     struct eswim_act *acts, struct netlink_ext_ack *extack)
{
	struct eswim_parse parse = {
		.nic = nic,
		.extack = extack,
		.csums = eswim_acts_csums(flow),
		.rewrites = eswim_acts_rewrite(flow),
	};
	const struct flow_action_entry *entry;
	unsigned int n = 0;
	int i, ret;

	flow_action_for_each(i, entry, flow) {
		memset(&acts[n], 0, sizeof(acts[n]));
		ret = eswim_act_parse(&parse, entry, &acts[n]);
		if (ret < 0)
			goto err;
		n += !ret;
	}
	/* As in software, a rule that doesn't say lets packets pass.  So does a
	 * police that is changed, and no longer says.
	 */
	if (!parse.ended || acts[n - 1].ops == &eswim_act_police) {
		memset(&acts[n], 0, sizeof(acts[n]));
		acts[n++].ops = &eswim_act_accept;
	}
	return n;
err:
	eswim_acts_release(nic, acts, n);
	return ret;
}

void eswim_acts_release(struct eswim_nic *nic, struct eswim_act *acts,
			unsigned int n)
{
	while (n--) {
		if (acts[n].ops->release)
			acts[n].ops->release(nic, &acts[n]);
	}
}

void eswim_acts_show(struct seq_file *file, const struct eswim_act *acts,
		     unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		seq_printf(file, " %s", acts[i].ops->name);
		if (acts[i].ops->show)
			acts[i].ops->show(file, &acts[i]);
	}
}

void eswim_acts_count(const struct eswim_act *acts, unsigned int n_metered,
		      unsigned int bytes, bool dropped)
{
	for (; n_metered; acts++) {
		if (acts->ops != &eswim_act_police)
			continue;
		n_metered--;
		eswim_counter_add(&acts->meter->counter, bytes,
				  dropped && !n_metered);
	}
}

void eswim_acts_refund(const struct eswim_act *acts, unsigned int n_metered,
		       unsigned int bytes)
{
	for (; n_metered; acts++) {
		if (acts->ops != &eswim_act_police)
			continue;
		n_metered--;
		eswim_meter_give(acts->meter, bytes);
	}
}

static bool eswim_act_is_output(const struct eswim_act *act)
{
	return act->ops == &eswim_act_redirect ||
	       act->ops == &eswim_act_mirror ||
	       act->ops == &eswim_act_redirect_ingress ||
	       act->ops == &eswim_act_mirror_ingress;
}

bool eswim_acts_use_vport(const struct eswim_act *acts, unsigned int n,
			  unsigned int vport)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (eswim_act_is_output(&acts[i]) && acts[i].out.vport == vport)
			return true;
	}
	return false;
}
