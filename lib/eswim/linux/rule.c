// SPDX-License-Identifier: GPL-2.0
/* What TC's classifiers have in common: a rule's addition, end and counters. */

#include <linux/slab.h>
#include <net/pkt_cls.h>

#include "table.h"
#include "tc.h"

/* The actions of a rule that is counted are counted alike. */
static int eswim_hw_stats_parse(const struct flow_action *flow,
				struct eswim_rule *rule,
				struct netlink_ext_ack *extack)
{
	if (!flow_action_has_entries(flow)) {
		rule->counter.hw_stats = FLOW_ACTION_HW_STATS_ANY;
		return 0;
	}
	if (!flow_action_mixed_hw_stats_check(flow, extack))
		return -EOPNOTSUPP;
	rule->counter.hw_stats =
		flow_action_first_entry_get(flow)->hw_stats;
	return 0;
}

static int eswim_rule_parse(struct eswim_block *block,
			    const struct flow_cls_common_offload *common,
			    const struct flow_rule *flow,
			    struct eswim_rule *rule, struct eswim_key *mask)
{
	int ret;

	rule->chain = common->chain_index;
	rule->prio = common->prio;
	ret = eswim_hw_stats_parse(&flow->action, rule, common->extack);
	if (ret)
		return ret;
	ret = eswim_key_parse(block->nic, flow, common->protocol, &rule->key,
			      mask, common->extack);
	if (ret)
		return ret;
	ret = eswim_acts_parse(block->nic, &flow->action, rule->acts,
			       common->extack);
	if (ret < 0)
		return ret;
	rule->n_acts = ret;
	return 0;
}

static int eswim_rule_new(struct eswim_block *block,
			  const struct flow_cls_common_offload *common,
			  const struct flow_rule *flow, unsigned long cookie)
{
	struct eswim_rule *rule;
	struct eswim_key mask;
	int err;

	err = eswim_tc_check(block, common->extack);
	if (!err)
		err = eswim_fault_operation(block->nic, common->extack);
	if (err)
		return err;
	rule = eswim_rule_alloc(flow->action.num_entries);
	if (!rule)
		return -ENOMEM;
	rule->cookie = cookie;
	err = eswim_rule_parse(block, common, flow, rule, &mask);
	if (!err)
		err = eswim_fault_insert(block->nic, common->extack);
	if (!err)
		err = eswim_rule_add(block, rule, &mask);
	if (err)
		eswim_rule_free(block, rule);
	return err;
}

/**
 * eswim_cls_replace() - TC adds a rule
 * @block: Where.
 * @common: Its chain, priority and protocol, and where to say why not.
 * @flow: Its match and actions, TC's.
 * @cookie: What TC will call it.
 *
 * TC replaces a rule by adding one and destroying the other, so that there is
 * no gap; a cookie that is known comes only where TC repeats itself.
 *
 * Return: 0 or a negative errno.
 */
int eswim_cls_replace(struct eswim_block *block,
		      const struct flow_cls_common_offload *common,
		      const struct flow_rule *flow, unsigned long cookie)
{
	struct eswim_nic *nic = block->nic;
	struct eswim_rule *old;
	int err;

	mutex_lock(&nic->rules_lock);
	old = eswim_rule_find(block, cookie);
	if (old)
		eswim_rule_del(block, old);
	err = eswim_rule_new(block, common, flow, cookie);
	mutex_unlock(&nic->rules_lock);
	return err;
}

/**
 * eswim_cls_destroy() - TC takes a rule away
 * @block: From where.
 * @cookie: The rule.
 *
 * Return: 0, or -ENOENT if there is no such rule.
 */
int eswim_cls_destroy(struct eswim_block *block, unsigned long cookie)
{
	struct eswim_nic *nic = block->nic;
	struct eswim_rule *rule;

	mutex_lock(&nic->rules_lock);
	rule = eswim_rule_find(block, cookie);
	if (rule)
		eswim_rule_del(block, rule);
	mutex_unlock(&nic->rules_lock);
	return rule ? 0 : -ENOENT;
}

/**
 * eswim_cls_stats() - TC asks what a rule has counted since the last time
 * @block: Where.
 * @cookie: The rule.
 * @stats: To be added to.
 *
 * Return: 0, or -ENOENT if there is no such rule.
 */
int eswim_cls_stats(struct eswim_block *block, unsigned long cookie,
		    struct flow_stats *stats)
{
	struct eswim_nic *nic = block->nic;
	struct eswim_rule *rule;

	mutex_lock(&nic->rules_lock);
	rule = eswim_rule_find(block, cookie);
	if (rule)
		eswim_counter_read(nic, &rule->counter, stats);
	mutex_unlock(&nic->rules_lock);
	return rule ? 0 : -ENOENT;
}
