// SPDX-License-Identifier: GPL-2.0
/*
 * Rate limits (police).
 *
 * Rules whose police actions have the same index share one meter, as they do
 * in software.
 */

#include <linux/if_vlan.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "walk.h"

/* A token bucket, in which time is the token: a packet costs what it takes at
 * the bucket's rate.
 */
struct eswim_bucket {
	u64 rate;		/* Units a second; 0: no limit. */
	s64 depth;		/* ns */
	s64 tokens;		/* ns */
};

struct eswim_meter {
	struct list_head list;
	unsigned int refs;	/* Under rules_lock, as the list. */
	u32 index;

	spinlock_t lock;	/* Of what follows. */
	u32 mtu;
	u64 last;		/* ns */
	struct eswim_bucket bytes;
	struct eswim_bucket packets;
	enum flow_action_id conform;
	enum flow_action_id exceed;
	struct rcu_head rcu;
};

static void eswim_bucket_set(struct eswim_bucket *bucket, u64 rate, u64 depth)
{
	if (bucket->rate == rate && !rate)
		return;
	bucket->rate = rate;
	bucket->depth = rate ? mul_u64_u64_div_u64(depth, NSEC_PER_SEC, rate) :
			       0;
	bucket->tokens = bucket->depth;
}

static void eswim_bucket_fill(struct eswim_bucket *bucket, u64 ns)
{
	bucket->tokens = min_t(u64, bucket->depth, bucket->tokens + ns);
}

static s64 eswim_bucket_cost(const struct eswim_bucket *bucket, u64 units)
{
	if (!bucket->rate)
		return 0;
	return div64_u64(units * NSEC_PER_SEC, bucket->rate);
}

/* Does a packet of @len bytes conform? */
static bool eswim_meter_take(struct eswim_meter *meter, unsigned int len)
{
	u64 now = ktime_get_ns();
	s64 bytes, packets;
	bool conforms;

	spin_lock_bh(&meter->lock);
	eswim_bucket_fill(&meter->bytes, now - meter->last);
	eswim_bucket_fill(&meter->packets, now - meter->last);
	meter->last = now;
	bytes = eswim_bucket_cost(&meter->bytes, len);
	packets = eswim_bucket_cost(&meter->packets, 1);
	conforms = len <= meter->mtu && bytes <= meter->bytes.tokens &&
		   packets <= meter->packets.tokens;
	if (conforms) {
		meter->bytes.tokens -= bytes;
		meter->packets.tokens -= packets;
	}
	spin_unlock_bh(&meter->lock);
	return conforms;
}

/* --- parsing -------------------------------------------------------------- */

static struct eswim_meter *eswim_meter_find(struct eswim_nic *nic, u32 index)
{
	struct eswim_meter *meter;

	list_for_each_entry(meter, &nic->meters, list) {
		if (meter->index == index)
			return meter;
	}
	return NULL;
}

static struct eswim_meter *eswim_meter_get(struct eswim_nic *nic, u32 index)
{
	struct eswim_meter *meter = eswim_meter_find(nic, index);

	if (!meter) {
		meter = kzalloc(sizeof(*meter), GFP_KERNEL);
		if (!meter)
			return NULL;
		meter->index = index;
		meter->last = ktime_get_ns();
		spin_lock_init(&meter->lock);
		list_add_tail(&meter->list, &nic->meters);
	}
	meter->refs++;
	return meter;
}

static void eswim_release_police(struct eswim_nic *nic, struct eswim_act *act)
{
	struct eswim_meter *meter = act->meter;

	if (--meter->refs)
		return;
	list_del(&meter->list);
	kfree_rcu(meter, rcu);
}

static const char *eswim_police_refusal(const struct flow_action_entry *entry)
{
	if (entry->police.peakrate_bytes_ps || entry->police.avrate)
		return KBUILD_MODNAME ": police without peakrate and avrate only";
	if (entry->police.overhead)
		return KBUILD_MODNAME ": police without overhead only";
	if (entry->police.exceed.act_id != FLOW_ACTION_DROP)
		return KBUILD_MODNAME ": police must drop what exceeds";
	if (entry->police.notexceed.act_id != FLOW_ACTION_PIPE &&
	    entry->police.notexceed.act_id != FLOW_ACTION_ACCEPT)
		return KBUILD_MODNAME ": police must pipe or accept what conforms";
	return NULL;
}

static void eswim_meter_set(struct eswim_meter *meter,
			    const struct flow_action_entry *entry)
{
	spin_lock_bh(&meter->lock);
	meter->mtu = entry->police.mtu ?: U32_MAX;
	meter->conform = entry->police.notexceed.act_id;
	meter->exceed = entry->police.exceed.act_id;
	eswim_bucket_set(&meter->bytes, entry->police.rate_bytes_ps,
			 entry->police.burst);
	eswim_bucket_set(&meter->packets, entry->police.rate_pkt_ps,
			 entry->police.burst_pkt);
	spin_unlock_bh(&meter->lock);
}

static int eswim_parse_police(struct eswim_parse *parse,
			      const struct flow_action_entry *entry,
			      struct eswim_act *act)
{
	const char *why = eswim_police_refusal(entry);

	if (why) {
		if (parse->extack)
			parse->extack->_msg = why;
		return -EOPNOTSUPP;
	}
	act->meter = eswim_meter_get(parse->nic, entry->hw_index);
	if (!act->meter)
		return -ENOMEM;
	eswim_meter_set(act->meter, entry);
	if (entry->police.notexceed.act_id == FLOW_ACTION_ACCEPT)
		parse->ended = true;
	return 0;
}

/* --- packets -------------------------------------------------------------- */

static enum eswim_verdict eswim_run_police(struct eswim_walk *walk,
					   const struct eswim_act *act)
{
	unsigned int len = walk->hits[walk->n_hits - 1].bytes;

	if (!eswim_meter_take(act->meter, len)) {
		walk->hits[walk->n_hits - 1].dropped = true;
		walk->fate = ESWIM_DROP;
		return ESWIM_FATE;
	}
	if (READ_ONCE(act->meter->conform) == FLOW_ACTION_PIPE)
		return ESWIM_NEXT;
	walk->fate = ESWIM_TO_SOFTWARE;
	return ESWIM_FATE;
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
