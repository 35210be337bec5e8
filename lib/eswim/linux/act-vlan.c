// SPDX-License-Identifier: GPL-2.0
/* VLAN tags: push, pop, modify. */

#include <linux/if_vlan.h>
#include <linux/seq_file.h>

#include "walk.h"

/* A packet that can't be changed, for want of memory, is lost. */
static enum eswim_verdict eswim_vlan_done(struct eswim_walk *walk, int err)
{
	if (err) {
		walk->fate = ESWIM_DROP;
		return ESWIM_FATE;
	}
	eswim_skb_set_headers(walk->skb);
	return ESWIM_NEXT;
}

static int eswim_parse_vlan(struct eswim_parse *parse,
			    const struct flow_action_entry *entry,
			    struct eswim_act *act)
{
	if (!eth_type_vlan(entry->vlan.proto)) {
		NL_SET_ERR_MSG_MOD(parse->extack, "Not a VLAN's protocol");
		return -EOPNOTSUPP;
	}
	act->vlan.proto = entry->vlan.proto;
	act->vlan.vid = entry->vlan.vid;
	act->vlan.prio = entry->vlan.prio;
	return 0;
}

static void eswim_show_vlan(struct seq_file *file, const struct eswim_act *act)
{
	seq_printf(file, " %04x vid %u prio %u", ntohs(act->vlan.proto),
		   act->vlan.vid, act->vlan.prio);
}

/* --- push ----------------------------------------------------------------- */

static int eswim_parse_vlan_push(struct eswim_parse *parse,
				 const struct flow_action_entry *entry,
				 struct eswim_act *act)
{
	parse->once = true;
	return eswim_parse_vlan(parse, entry, act);
}

static enum eswim_verdict eswim_run_vlan_push(struct eswim_walk *walk,
					      const struct eswim_act *act)
{
	u16 tci = act->vlan.vid | act->vlan.prio << VLAN_PRIO_SHIFT;
	int err;

	err = eswim_walk_make_writable(walk, ETH_HLEN);
	if (!err)
		err = skb_vlan_push(walk->skb, act->vlan.proto, tci);
	return eswim_vlan_done(walk, err);
}

const struct eswim_act_ops eswim_act_vlan_push = {
	ESWIM_ACT_NAME("vlan_push"),
	.parse = eswim_parse_vlan_push,
	.run = eswim_run_vlan_push,
	.show = eswim_show_vlan,
};

/* --- pop ------------------------------------------------------------------ */

static int eswim_parse_vlan_pop(struct eswim_parse *parse,
				const struct flow_action_entry *entry,
				struct eswim_act *act)
{
	parse->once = true;
	return 0;
}

static enum eswim_verdict eswim_run_vlan_pop(struct eswim_walk *walk,
					     const struct eswim_act *act)
{
	int err;

	err = eswim_walk_make_writable(walk, ETH_HLEN);
	if (!err)
		err = skb_vlan_pop(walk->skb);
	return eswim_vlan_done(walk, err);
}

const struct eswim_act_ops eswim_act_vlan_pop = {
	ESWIM_ACT_NAME("vlan_pop"),
	.parse = eswim_parse_vlan_pop,
	.run = eswim_run_vlan_pop,
};

/* --- modify --------------------------------------------------------------- */

/* TC doesn't tell "priority 0" from no priority, and the latter, which leaves
 * the tag's as it is, is what people write.
 */
static u16 eswim_vlan_modified(const struct eswim_act *act, u16 tci)
{
	u16 prio = act->vlan.prio ? act->vlan.prio << VLAN_PRIO_SHIFT :
				    tci & VLAN_PRIO_MASK;

	return act->vlan.vid | prio | (tci & VLAN_CFI_MASK);
}

/* A packet without a tag stays so, as in software. */
static enum eswim_verdict eswim_run_vlan_mangle(struct eswim_walk *walk,
						const struct eswim_act *act)
{
	struct sk_buff *skb;
	int err;

	if (!skb_vlan_tag_present(walk->skb))
		return ESWIM_NEXT;
	err = eswim_walk_make_writable(walk, ETH_HLEN);
	if (err)
		return eswim_vlan_done(walk, err);
	skb = walk->skb;
	__vlan_hwaccel_put_tag(skb, act->vlan.proto,
			       eswim_vlan_modified(act, skb->vlan_tci));
	return ESWIM_NEXT;
}

const struct eswim_act_ops eswim_act_vlan_mangle = {
	ESWIM_ACT_NAME("vlan_mangle"),
	.parse = eswim_parse_vlan,
	.run = eswim_run_vlan_mangle,
	.show = eswim_show_vlan,
};
