// SPDX-License-Identifier: GPL-2.0
/*
 * Rules' counters.
 *
 * Reading counters of real hardware takes time, so drivers read them all from
 * time to time and report the last reading: what TC shows lags behind.  Here,
 * too, unless the lag is set to 0 or a rule asks for hw_stats "immediate".
 */

#include "table.h"

void eswim_rule_count(struct eswim_rule *rule, unsigned int bytes,
		      bool dropped)
{
	atomic64_inc(&rule->packets);
	atomic64_add(bytes, &rule->bytes);
	if (dropped)
		atomic64_inc(&rule->drops);
	if (READ_ONCE(rule->last_used) != jiffies)
		WRITE_ONCE(rule->last_used, jiffies);
}

static void eswim_counters_refresh(struct eswim_rule *rule)
{
	rule->shown.packets = atomic64_read(&rule->packets);
	rule->shown.bytes = atomic64_read(&rule->bytes);
	rule->shown.drops = atomic64_read(&rule->drops);
	rule->shown.last_used = READ_ONCE(rule->last_used);
}

static void eswim_counters_work(struct work_struct *work)
{
	struct eswim_nic *nic = container_of(to_delayed_work(work),
					     struct eswim_nic, counters_work);
	struct eswim_rule *rule;

	mutex_lock(&nic->rules_lock);
	list_for_each_entry(rule, &nic->rules, list)
		eswim_counters_refresh(rule);
	eswim_counters_start(nic);
	mutex_unlock(&nic->rules_lock);
}

void eswim_counters_init(struct eswim_nic *nic)
{
	INIT_DELAYED_WORK(&nic->counters_work, eswim_counters_work);
}

/* With rules_lock.  Goes on by itself as long as there are rules. */
void eswim_counters_start(struct eswim_nic *nic)
{
	u32 lag = nic->faults.counter_lag_ms;

	if (lag && !list_empty(&nic->rules))
		schedule_delayed_work(&nic->counters_work,
				      msecs_to_jiffies(lag));
}

static enum flow_action_hw_stats
eswim_counters_type(const struct eswim_nic *nic, const struct eswim_rule *rule)
{
	if (!(rule->hw_stats & FLOW_ACTION_HW_STATS_ANY))
		return FLOW_ACTION_HW_STATS_DISABLED;
	if (!(rule->hw_stats & FLOW_ACTION_HW_STATS_DELAYED))
		return FLOW_ACTION_HW_STATS_IMMEDIATE;
	if (!(rule->hw_stats & FLOW_ACTION_HW_STATS_IMMEDIATE))
		return FLOW_ACTION_HW_STATS_DELAYED;
	return nic->faults.counter_lag_ms ? FLOW_ACTION_HW_STATS_DELAYED :
					    FLOW_ACTION_HW_STATS_IMMEDIATE;
}

/**
 * eswim_counters_read() - What has been counted since the last time
 * @nic: The NIC; rules_lock is held.
 * @rule: The rule.
 * @stats: Where it is added.
 */
void eswim_counters_read(struct eswim_nic *nic, struct eswim_rule *rule,
			 struct flow_stats *stats)
{
	enum flow_action_hw_stats type = eswim_counters_type(nic, rule);

	if (type == FLOW_ACTION_HW_STATS_DISABLED) {
		flow_stats_update(stats, 0, 0, 0, 0, type);
		return;
	}
	if (type == FLOW_ACTION_HW_STATS_IMMEDIATE ||
	    !nic->faults.counter_lag_ms)
		eswim_counters_refresh(rule);
	flow_stats_update(stats, rule->shown.bytes - rule->told.bytes,
			  rule->shown.packets - rule->told.packets,
			  rule->shown.drops - rule->told.drops,
			  rule->shown.last_used, type);
	rule->told = rule->shown;
}
