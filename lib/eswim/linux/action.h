/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What rules do to packets.
 *
 * An action kind is a row of the table in action.c: a parser, which runs when
 * TC adds a rule, and a function that runs for each packet.  Kinds are in
 * act-*.c, a family a file.
 */
#ifndef ESWIM_ACTION_H
#define ESWIM_ACTION_H

#include <net/flow_offload.h>

struct eswim_meter;
struct eswim_nic;
struct eswim_walk;
struct netlink_ext_ack;
struct seq_file;

/* What becomes of the walk after an action. */
enum eswim_verdict {
	ESWIM_NEXT,		/* Goes on to the next action. */
	ESWIM_GOTO,		/* Goes on in walk->chain. */
	ESWIM_FATE,		/* Ends: walk->fate says how. */
};

struct eswim_act_ops;

struct eswim_act {
	const struct eswim_act_ops *ops;
	union {
		struct {			/* redirect, mirror */
			u16 vport;
			bool to_host;
		} out;
		u32 chain;			/* goto */
		struct {			/* vlan */
			__be16 proto;
			u16 vid;
			u8 prio;
		} vlan;
		struct {			/* mangle, add */
			u8 base;		/* FLOW_ACT_MANGLE_HDR_TYPE_* */
			bool add;
			u16 offset;
			u32 keep;		/* Bits that stay. */
			u32 value;
			u32 csums;		/* TCA_CSUM_UPDATE_FLAG_*. */
		} mangle;
		u32 mark;
		u16 ptype;
		struct eswim_meter *meter;	/* police */
	};
};

/* What a rule's parser knows so far. */
struct eswim_parse {
	struct eswim_nic *nic;
	struct netlink_ext_ack *extack;
	u32 csums;		/* What csum actions of the rule repair. */
	bool once;		/* Something that can't be done again. */
	bool ended;		/* It has met its fate. */
	bool rewrites;		/* Is there a pedit? */
};

struct eswim_act_ops {
	const char *name;
	const char *refused;
	/* Returns 0, 1 if there is nothing to do for packets, or a negative
	 * errno with the reason in parse->extack.
	 */
	int (*parse)(struct eswim_parse *parse,
		     const struct flow_action_entry *entry,
		     struct eswim_act *act);
	enum eswim_verdict (*run)(struct eswim_walk *walk,
				  const struct eswim_act *act);
	void (*release)(struct eswim_nic *nic, struct eswim_act *act);
	void (*show)(struct seq_file *file, const struct eswim_act *act);
};

#define ESWIM_ACT_NAME(NAME)						\
	.name = NAME,							\
	.refused = KBUILD_MODNAME ": Action " NAME " is refused"

extern const struct eswim_act_ops eswim_act_accept;
extern const struct eswim_act_ops eswim_act_drop;
extern const struct eswim_act_ops eswim_act_trap;
extern const struct eswim_act_ops eswim_act_goto;
extern const struct eswim_act_ops eswim_act_redirect;
extern const struct eswim_act_ops eswim_act_mirror;
extern const struct eswim_act_ops eswim_act_redirect_ingress;
extern const struct eswim_act_ops eswim_act_mirror_ingress;
extern const struct eswim_act_ops eswim_act_vlan_push;
extern const struct eswim_act_ops eswim_act_vlan_pop;
extern const struct eswim_act_ops eswim_act_vlan_mangle;
extern const struct eswim_act_ops eswim_act_mangle;
extern const struct eswim_act_ops eswim_act_add;
extern const struct eswim_act_ops eswim_act_csum;
extern const struct eswim_act_ops eswim_act_mark;
extern const struct eswim_act_ops eswim_act_ptype;
extern const struct eswim_act_ops eswim_act_police;

/* Parses @flow's entries into @acts, which has room for one more than those.
 * Returns how many there are, or a negative errno with the reason in @extack.
 */
int eswim_acts_parse(struct eswim_nic *nic, const struct flow_action *flow,
		     struct eswim_act *acts, struct netlink_ext_ack *extack);
void eswim_acts_release(struct eswim_nic *nic, struct eswim_act *acts,
			unsigned int n);
void eswim_acts_show(struct seq_file *file, const struct eswim_act *acts,
		     unsigned int n);

/* Counts what a packet of @bytes has done to the first @n_metered of the meters
 * among @acts: conformed, but for the last of them if it was @dropped.
 */
void eswim_acts_count(const struct eswim_act *acts, unsigned int n_metered,
		      unsigned int bytes, bool dropped);

/* Is @id refused on demand (debugfs)? */
bool eswim_act_is_refused(const struct eswim_nic *nic, enum flow_action_id id);

/* Does one of @acts send packets to @vport? */
/* Gives back to these meters what the packet has taken. */
void eswim_acts_refund(const struct eswim_act *acts, unsigned int n_metered,
		       unsigned int bytes);

bool eswim_acts_use_vport(const struct eswim_act *acts, unsigned int n,
			  unsigned int vport);

/* Names of the table's rows, for debugfs; NULL beyond the last. */
const char *eswim_act_name(unsigned int row);

#endif
