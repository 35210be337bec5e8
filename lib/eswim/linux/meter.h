/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Meters: what police actions measure by.
 *
 * TC knows a police action by its index.  All rules that have it use the same
 * meter, which lives as long as one of them, or as TC's own action does if TC
 * has made one apart from rules (shared.c).  TC doesn't say in which network
 * namespace an index is: where two namespaces, each with ports of one NIC, use
 * the same index, chosen by hand or by TC, their rules share a meter.
 *
 * Under rules_lock, all of it; packets use a meter under RCU.
 */
#ifndef ESWIM_METER_H
#define ESWIM_METER_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <net/flow_offload.h>

#include "counter.h"

struct eswim_nic;
struct seq_file;

/* A token bucket, in which time is the token: a packet costs what it takes at
 * the bucket's rate.
 */
struct eswim_bucket {
	u64 rate;		/* Units a second; 0: no limit. */
	s64 depth;		/* ns */
	s64 tokens;		/* ns */
};

struct eswim_meter {
	struct list_head list;	/* In its NIC. */
	unsigned int n_users;	/* Actions of rules, and TC's own. */
	bool is_shared;		/* Is there TC's own? */
	u32 index;
	enum flow_action_id conform;
	struct eswim_counter counter;

	spinlock_t lock;	/* Of what follows. */
	u32 mtu;
	u64 last;		/* ns */
	struct eswim_bucket bytes;
	struct eswim_bucket packets;
	struct rcu_head rcu;
};

/* Why hardware can't do what @entry, a police action, says; NULL if it can. */
const char *eswim_meter_refusal(const struct flow_action_entry *entry);

/* The meter with that index; NULL if there is none. */
struct eswim_meter *eswim_meter_find(struct eswim_nic *nic, u32 index);

/* The same, made if need be, with one more user, and with @entry's limits.
 * NULL if there is no memory.
 */
struct eswim_meter *eswim_meter_get(struct eswim_nic *nic, u32 index,
				    const struct flow_action_entry *entry);
void eswim_meter_put(struct eswim_meter *meter);

void eswim_meter_set(struct eswim_meter *meter,
		     const struct flow_action_entry *entry);

/* Of packets: does one of @len bytes conform?  It isn't counted yet. */
bool eswim_meter_take(struct eswim_meter *meter, unsigned int len);

/* Takes that back: the packet, which conformed, met no fate. */
void eswim_meter_give(struct eswim_meter *meter, unsigned int len);

void eswim_meter_show(struct seq_file *file, struct eswim_meter *meter);

#endif
