/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A packet's way through the rules.
 *
 * Nothing that happens on the way is seen outside before the packet meets its
 * fate: rewriting is done on a copy, mirrored copies and counts are kept back.
 * If a chain has no rule for it, all of that is forgotten, and the packet goes
 * to software as it came.
 */
#ifndef ESWIM_WALK_H
#define ESWIM_WALK_H

#include "action.h"
#include "eswim.h"
#include "key.h"

#define ESWIM_MAX_HOPS	16	/* Chains that a packet may go through. */

struct eswim_rule;

enum eswim_fate {
	ESWIM_DROP,
	ESWIM_TO_SOFTWARE,	/* To the ingress vport's host's end. */
	ESWIM_OUT,		/* Where walk->out says. */
};

struct eswim_walk {
	struct eswim_nic *nic;
	struct eswim_vport *from;
	struct sk_buff *orig;		/* As it came. */
	struct sk_buff *skb;		/* As it is now; @orig until changed. */
	struct sk_buff_head copies;	/* Mirrored so far. */
	struct eswim_key key;
	u32 chain;
	bool classified;		/* Software's rules mustn't see it. */
	enum eswim_fate fate;
	const struct eswim_act *out;
	unsigned int n_hits;
	struct {
		struct eswim_rule *rule;
		unsigned int bytes;
		u8 n_metered;
		bool dropped;
	} hits[ESWIM_MAX_HOPS];
};

/* Makes the first @len bytes of walk->skb, which may change thereby, writable,
 * without harm to walk->orig.  Returns 0 or a negative errno.
 */
int eswim_walk_make_writable(struct eswim_walk *walk, unsigned int len);

/* Takes back all that the walk has done so far, but for what it has hit: the
 * packet is as it arrived.
 */
void eswim_walk_undo(struct eswim_walk *walk);

/* Keeps back a copy of the packet for @act's destination. */
void eswim_walk_mirror(struct eswim_walk *walk, const struct eswim_act *act);

#endif
