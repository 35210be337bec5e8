// SPDX-License-Identifier: GPL-2.0
/* Counters; see counter.h. */

#include "counter.h"
#include "meter.h"
#include "table.h"

void eswim_counter_init(struct eswim_counter *counter)
{
	counter->last_used = jiffies;
	counter->shown.last_used = jiffies;
	counter->hw_stats = FLOW_ACTION_HW_STATS_ANY;
}

void eswim_counter_add(struct eswim_counter *counter, unsigned int bytes,
		       bool dropped)
{
	atomic64_inc(&counter->packets);
	atomic64_add(bytes, &counter->bytes);
	if (dropped)
		atomic64_inc(&counter->drops);
	if (READ_ONCE(counter->last_used) != jiffies)
		WRITE_ONCE(counter->last_used, jiffies);
}

static void eswim_counter_refresh(struct eswim_counter *counter)
{
	counter->shown.packets = atomic64_read(&counter->packets);
	counter->shown.bytes = atomic64_read(&counter->bytes);
	counter->shown.drops = atomic64_read(&counter->drops);
	counter->shown.last_used = READ_ONCE(counter->last_used);
}

static void eswim_counters_work(struct work_struct *work)
{
	struct eswim_nic *nic = container_of(to_delayed_work(work),
					     struct eswim_nic, counters_work);
	struct eswim_meter *meter;
	struct eswim_rule *rule;

	mutex_lock(&nic->rules_lock);
	list_for_each_entry(rule, &nic->rules, list)
		eswim_counter_refresh(&rule->counter);
	list_for_each_entry(meter, &nic->meters, list)
		eswim_counter_refresh(&meter->counter);
	eswim_counters_start(nic);
	mutex_unlock(&nic->rules_lock);
}

void eswim_counters_init(struct eswim_nic *nic)
{
	INIT_DELAYED_WORK(&nic->counters_work, eswim_counters_work);
}

/* Goes on by itself as long as there is something to count. */
void eswim_counters_start(struct eswim_nic *nic)
{
	u32 lag = nic->faults.counter_lag_ms;

	if (lag && !(list_empty(&nic->rules) && list_empty(&nic->meters)))
		schedule_delayed_work(&nic->counters_work,
				      msecs_to_jiffies(lag));
}

static enum flow_action_hw_stats
eswim_counter_type(const struct eswim_nic *nic,
		   const struct eswim_counter *counter)
{
	if (!(counter->hw_stats & FLOW_ACTION_HW_STATS_ANY))
		return FLOW_ACTION_HW_STATS_DISABLED;
	if (!(counter->hw_stats & FLOW_ACTION_HW_STATS_DELAYED))
		return FLOW_ACTION_HW_STATS_IMMEDIATE;
	if (!(counter->hw_stats & FLOW_ACTION_HW_STATS_IMMEDIATE))
		return FLOW_ACTION_HW_STATS_DELAYED;
	return nic->faults.counter_lag_ms ? FLOW_ACTION_HW_STATS_DELAYED :
					    FLOW_ACTION_HW_STATS_IMMEDIATE;
}

/**
 * eswim_counter_read() - What has been counted since the last time
 * @nic: The NIC; rules_lock is held.
 * @counter: The counter.
 * @stats: Where it is added.
 */
void eswim_counter_read(struct eswim_nic *nic, struct eswim_counter *counter,
			struct flow_stats *stats)
{
	enum flow_action_hw_stats type = eswim_counter_type(nic, counter);

	if (type == FLOW_ACTION_HW_STATS_DISABLED) {
		flow_stats_update(stats, 0, 0, 0, 0, type);
		return;
	}
	if (type == FLOW_ACTION_HW_STATS_IMMEDIATE ||
	    !nic->faults.counter_lag_ms)
		eswim_counter_refresh(counter);
	flow_stats_update(stats, counter->shown.bytes - counter->told.bytes,
			  counter->shown.packets - counter->told.packets,
			  counter->shown.drops - counter->told.drops,
			  counter->shown.last_used, type);
	counter->told = counter->shown;
}
