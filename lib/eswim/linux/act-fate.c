// SPDX-License-Identifier: GPL-2.0
/* Where a packet goes: accept, drop, trap, goto, redirect, and mirror. */

#include <linux/seq_file.h>

#include "table.h"
#include "walk.h"

/* --- drop ----------------------------------------------------------------- */

static int eswim_parse_end(struct eswim_parse *parse,
			   const struct flow_action_entry *entry,
			   struct eswim_act *act)
{
	parse->ended = true;
	return 0;
}

static enum eswim_verdict eswim_run_drop(struct eswim_walk *walk,
					 const struct eswim_act *act)
{
	walk->fate = ESWIM_DROP;
	return ESWIM_FATE;
}

const struct eswim_act_ops eswim_act_drop = {
	ESWIM_ACT_NAME("drop"),
	.parse = eswim_parse_end,
	.run = eswim_run_drop,
};

/* --- accept, trap: to software -------------------------------------------- */

/* Software, where the packet goes next, may have the same rule, and would
 * execute and count it again.  The packet has had its verdict: TC has to leave
 * it alone.
 */
static enum eswim_verdict eswim_run_accept(struct eswim_walk *walk,
					   const struct eswim_act *act)
{
	walk->fate = ESWIM_TO_SOFTWARE;
	walk->classified = true;
	return ESWIM_FATE;
}

/* Who has a packet trapped wants software's rules to see it, as it arrived:
 * they do from the beginning what other rules of the hardware have done.
 */
static int eswim_parse_trap(struct eswim_parse *parse,
			    const struct flow_action_entry *entry,
			    struct eswim_act *act)
{
	if (parse->once) {
		NL_SET_ERR_MSG_MOD(parse->extack,
				   "Software would do to a trapped packet what hardware has done");
		return -EOPNOTSUPP;
	}
	parse->ended = true;
	return 0;
}

static enum eswim_verdict eswim_run_trap(struct eswim_walk *walk,
					 const struct eswim_act *act)
{
	eswim_walk_undo(walk);
	walk->fate = ESWIM_TO_SOFTWARE;
	return ESWIM_FATE;
}

const struct eswim_act_ops eswim_act_accept = {
	ESWIM_ACT_NAME("accept"),
	.parse = eswim_parse_end,
	.run = eswim_run_accept,
};

const struct eswim_act_ops eswim_act_trap = {
	ESWIM_ACT_NAME("trap"),
	.parse = eswim_parse_trap,
	.run = eswim_run_trap,
};

/* --- goto ----------------------------------------------------------------- */

static int eswim_parse_goto(struct eswim_parse *parse,
			    const struct flow_action_entry *entry,
			    struct eswim_act *act)
{
	act->chain = entry->chain_index;
	parse->ended = true;
	return 0;
}

static enum eswim_verdict eswim_run_goto(struct eswim_walk *walk,
					 const struct eswim_act *act)
{
	walk->chain = act->chain;
	return ESWIM_GOTO;
}

static void eswim_show_goto(struct seq_file *file, const struct eswim_act *act)
{
	seq_printf(file, " %u", act->chain);
}

const struct eswim_act_ops eswim_act_goto = {
	ESWIM_ACT_NAME("goto"),
	.parse = eswim_parse_goto,
	.run = eswim_run_goto,
	.show = eswim_show_goto,
};

/* --- redirect, mirror ----------------------------------------------------- */

static int eswim_parse_output(struct eswim_parse *parse,
			      const struct flow_action_entry *entry,
			      struct eswim_act *act)
{
	struct eswim_vport *vport = NULL;

	if (entry->dev)
		vport = eswim_host_vport(entry->dev);
	if (!vport || vport->nic != parse->nic) {
		NL_SET_ERR_MSG_MOD(parse->extack,
				   "The output device isn't a port of this NIC");
		return -EOPNOTSUPP;
	}
	act->out.vport = vport->index;
	return 0;
}

static int eswim_parse_mirror(struct eswim_parse *parse,
			      const struct flow_action_entry *entry,
			      struct eswim_act *act)
{
	parse->once = true;
	return eswim_parse_output(parse, entry, act);
}

/* To "egress of a representor" is to its guest. */
static int eswim_parse_redirect(struct eswim_parse *parse,
				const struct flow_action_entry *entry,
				struct eswim_act *act)
{
	parse->ended = true;
	return eswim_parse_output(parse, entry, act);
}

/* To "ingress of a representor" is to software, as if its guest had sent it. */
static int eswim_parse_redirect_ingress(struct eswim_parse *parse,
					const struct flow_action_entry *entry,
					struct eswim_act *act)
{
	act->out.to_host = true;
	return eswim_parse_redirect(parse, entry, act);
}

static int eswim_parse_mirror_ingress(struct eswim_parse *parse,
				      const struct flow_action_entry *entry,
				      struct eswim_act *act)
{
	act->out.to_host = true;
	return eswim_parse_mirror(parse, entry, act);
}

static enum eswim_verdict eswim_run_redirect(struct eswim_walk *walk,
					     const struct eswim_act *act)
{
	walk->fate = ESWIM_OUT;
	walk->out = act;
	return ESWIM_FATE;
}

static enum eswim_verdict eswim_run_mirror(struct eswim_walk *walk,
					   const struct eswim_act *act)
{
	eswim_walk_mirror(walk, act);
	return ESWIM_NEXT;
}

static void eswim_show_output(struct seq_file *file,
			      const struct eswim_act *act)
{
	if (act->out.vport == ESWIM_WIRE)
		seq_puts(file, " p0");
	else
		seq_printf(file, " pf0vf%u", act->out.vport - 1);
}

const struct eswim_act_ops eswim_act_redirect = {
	ESWIM_ACT_NAME("redirect"),
	.parse = eswim_parse_redirect,
	.run = eswim_run_redirect,
	.show = eswim_show_output,
};

const struct eswim_act_ops eswim_act_redirect_ingress = {
	ESWIM_ACT_NAME("redirect_ingress"),
	.parse = eswim_parse_redirect_ingress,
	.run = eswim_run_redirect,
	.show = eswim_show_output,
};

const struct eswim_act_ops eswim_act_mirror = {
	ESWIM_ACT_NAME("mirror"),
	.parse = eswim_parse_mirror,
	.run = eswim_run_mirror,
	.show = eswim_show_output,
};

const struct eswim_act_ops eswim_act_mirror_ingress = {
	ESWIM_ACT_NAME("mirror_ingress"),
	.parse = eswim_parse_mirror_ingress,
	.run = eswim_run_mirror,
	.show = eswim_show_output,
};
