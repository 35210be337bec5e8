// SPDX-License-Identifier: GPL-2.0
/* Meters; see meter.h. */

#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "eswim.h"
#include "meter.h"

/* --- token buckets -------------------------------------------------------- */

/* Full, but for one that stays as it was: rules come and go. */
static void eswim_bucket_set(struct eswim_bucket *bucket, u64 rate, u64 depth)
{
	s64 ns = rate ? mul_u64_u64_div_u64(depth, NSEC_PER_SEC, rate) : 0;

	if (bucket->rate == rate && bucket->depth == ns)
		return;
	bucket->rate = rate;
	bucket->depth = ns;
	bucket->tokens = ns;
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

bool eswim_meter_take(struct eswim_meter *meter, unsigned int len)
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

static void eswim_bucket_give(struct eswim_bucket *bucket, u64 units)
{
	eswim_bucket_fill(bucket, eswim_bucket_cost(bucket, units));
}

void eswim_meter_give(struct eswim_meter *meter, unsigned int len)
{
	spin_lock_bh(&meter->lock);
	eswim_bucket_give(&meter->bytes, len);
	eswim_bucket_give(&meter->packets, 1);
	spin_unlock_bh(&meter->lock);
}

/* --- meters --------------------------------------------------------------- */

const char *eswim_meter_refusal(const struct flow_action_entry *entry)
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

struct eswim_meter *eswim_meter_find(struct eswim_nic *nic, u32 index)
{
	struct eswim_meter *meter;

	lockdep_assert_held(&nic->rules_lock);
	list_for_each_entry(meter, &nic->meters, list) {
		if (meter->index == index)
			return meter;
	}
	return NULL;
}

static struct eswim_meter *eswim_meter_create(struct eswim_nic *nic, u32 index)
{
	struct eswim_meter *meter = kzalloc(sizeof(*meter), GFP_KERNEL);

	if (!meter)
		return NULL;
	meter->index = index;
	meter->last = ktime_get_ns();
	spin_lock_init(&meter->lock);
	eswim_counter_init(&meter->counter);
	list_add_tail(&meter->list, &nic->meters);
	eswim_counters_start(nic);
	return meter;
}

struct eswim_meter *eswim_meter_get(struct eswim_nic *nic, u32 index,
				    const struct flow_action_entry *entry)
{
	struct eswim_meter *meter = eswim_meter_find(nic, index) ?:
				    eswim_meter_create(nic, index);

	if (!meter)
		return NULL;
	meter->n_users++;
	eswim_meter_set(meter, entry);
	return meter;
}

void eswim_meter_put(struct eswim_meter *meter)
{
	if (--meter->n_users)
		return;
	list_del(&meter->list);
	kfree_rcu(meter, rcu);
}

void eswim_meter_set(struct eswim_meter *meter,
		     const struct flow_action_entry *entry)
{
	meter->counter.hw_stats = entry->hw_stats;
	WRITE_ONCE(meter->conform, entry->police.notexceed.act_id);
	spin_lock_bh(&meter->lock);
	meter->mtu = entry->police.mtu ?: U32_MAX;
	eswim_bucket_set(&meter->bytes, entry->police.rate_bytes_ps,
			 entry->police.burst);
	eswim_bucket_set(&meter->packets, entry->police.rate_pkt_ps,
			 entry->police.burst_pkt);
	spin_unlock_bh(&meter->lock);
}

void eswim_meter_show(struct seq_file *file, struct eswim_meter *meter)
{
	const struct eswim_counter *counter = &meter->counter;

	seq_printf(file, "index %u rate %llu pkts_rate %llu %srules %u",
		   meter->index, meter->bytes.rate, meter->packets.rate,
		   meter->is_shared ? "shared " : "",
		   meter->n_users - meter->is_shared);
	seq_printf(file, " packets %lld bytes %lld drops %lld\n",
		   atomic64_read(&counter->packets),
		   atomic64_read(&counter->bytes),
		   atomic64_read(&counter->drops));
}
