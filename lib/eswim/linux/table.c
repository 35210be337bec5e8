// SPDX-License-Identifier: GPL-2.0
/* The hardware's rules; see table.h. */

#include <linux/jhash.h>
#include <linux/slab.h>

#include "table.h"

struct eswim_chain {
	struct eswim_block *block;
	u32 index;
	struct list_head tables;
	struct rcu_head rcu;
};

struct eswim_table {
	struct list_head list;			/* In its chain, by prio. */
	struct eswim_chain *chain;
	u32 prio;
	struct eswim_key mask;
	struct rhltable rules;
	unsigned int n_rules;
	struct rcu_work free_work;
};

static struct workqueue_struct *eswim_free_wq;

static const struct rhashtable_params eswim_rules_params = {
	.head_offset = offsetof(struct eswim_rule, node),
	.key_offset = offsetof(struct eswim_rule, key),
	.key_len = sizeof(struct eswim_key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params eswim_cookies_params = {
	.head_offset = offsetof(struct eswim_rule, cookie_node),
	.key_offset = offsetof(struct eswim_rule, cookie),
	.key_len = sizeof_field(struct eswim_rule, cookie),
	.automatic_shrinking = true,
};

int eswim_tables_init(void)
{
	eswim_keys_init();
	eswim_free_wq = alloc_workqueue("eswim_free", 0, 0);
	return eswim_free_wq ? 0 : -ENOMEM;
}

void eswim_tables_exit(void)
{
	rcu_barrier();
	destroy_workqueue(eswim_free_wq);
}

/* --- tables and chains ---------------------------------------------------- */

static void eswim_table_free(struct work_struct *work)
{
	struct eswim_table *table = container_of(to_rcu_work(work),
						 struct eswim_table, free_work);

	rhltable_destroy(&table->rules);
	kfree(table);
}

static struct eswim_table *eswim_table_create(struct eswim_chain *chain,
					      u32 prio,
					      const struct eswim_key *mask)
{
	struct eswim_table *table;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return NULL;
	table->chain = chain;
	table->prio = prio;
	table->mask = *mask;
	INIT_RCU_WORK(&table->free_work, eswim_table_free);
	if (rhltable_init(&table->rules, &eswim_rules_params)) {
		kfree(table);
		return NULL;
	}
	return table;
}

static struct eswim_chain *eswim_chain_get(struct eswim_block *block,
					   u32 index)
{
	struct eswim_chain *chain = xa_load(&block->chains, index);

	if (chain)
		return chain;
	chain = kzalloc(sizeof(*chain), GFP_KERNEL);
	if (!chain)
		return NULL;
	chain->block = block;
	chain->index = index;
	INIT_LIST_HEAD(&chain->tables);
	if (xa_err(xa_store(&block->chains, index, chain, GFP_KERNEL))) {
		kfree(chain);
		return NULL;
	}
	return chain;
}

/* Chains without tables go: TC's users may never use a number twice. */
static void eswim_chain_put(struct eswim_chain *chain)
{
	if (!list_empty(&chain->tables))
		return;
	xa_erase(&chain->block->chains, chain->index);
	kfree_rcu(chain, rcu);
}

/* Tables of the same priority stay in the order in which they came, as
 * flower's masks do.
 */
static struct eswim_table *eswim_table_get(struct eswim_chain *chain, u32 prio,
					   const struct eswim_key *mask)
{
	struct list_head *before = &chain->tables;
	struct eswim_table *table;

	list_for_each_entry(table, &chain->tables, list) {
		if (table->prio == prio &&
		    !memcmp(&table->mask, mask, sizeof(*mask)))
			return table;
		if (table->prio > prio) {
			before = &table->list;
			break;
		}
	}
	table = eswim_table_create(chain, prio, mask);
	if (table)
		list_add_tail_rcu(&table->list, before);
	return table;
}

static void eswim_table_put(struct eswim_table *table)
{
	if (table->n_rules)
		return;
	list_del_rcu(&table->list);
	eswim_chain_put(table->chain);
	queue_rcu_work(eswim_free_wq, &table->free_work);
}

/* --- blocks --------------------------------------------------------------- */

static void eswim_block_free(struct work_struct *work)
{
	struct eswim_block *block = container_of(to_rcu_work(work),
						 struct eswim_block, free_work);

	xa_destroy(&block->chains);
	rhashtable_destroy(&block->cookies);
	kfree(block);
}

/**
 * eswim_block_create() - Make a block without rules
 * @nic: The NIC; rules_lock is held.
 *
 * Return: The block or NULL.
 */
struct eswim_block *eswim_block_create(struct eswim_nic *nic)
{
	struct eswim_block *block;

	lockdep_assert_held(&nic->rules_lock);
	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return NULL;
	if (rhashtable_init(&block->cookies, &eswim_cookies_params)) {
		kfree(block);
		return NULL;
	}
	block->nic = nic;
	xa_init(&block->chains);
	INIT_RCU_WORK(&block->free_work, eswim_block_free);
	list_add_tail(&block->list, &nic->blocks);
	return block;
}

/* TC has destroyed its rules before. */
void eswim_block_destroy(struct eswim_block *block)
{
	lockdep_assert_held(&block->nic->rules_lock);
	WARN_ON(atomic_read(&block->cookies.nelems));
	list_del(&block->list);
	queue_rcu_work(eswim_free_wq, &block->free_work);
}

struct eswim_rule *eswim_block_lookup(struct eswim_block *block, u32 index,
				      const struct eswim_key *key)
{
	struct eswim_chain *chain = xa_load(&block->chains, index);
	struct rhlist_head *found;
	struct eswim_table *table;
	struct eswim_key masked;

	if (!chain)
		return NULL;
	list_for_each_entry_rcu(table, &chain->tables, list) {
		eswim_key_apply_mask(&masked, key, &table->mask);
		found = rhltable_lookup(&table->rules, &masked,
					eswim_rules_params);
		if (found)
			return container_of(found, struct eswim_rule, node);
	}
	return NULL;
}

/* --- rules ---------------------------------------------------------------- */

/* Room for an action more than TC has: see eswim_acts_parse(). */
struct eswim_rule *eswim_rule_alloc(unsigned int n_entries)
{
	struct eswim_rule *rule;

	rule = kzalloc(struct_size(rule, acts, n_entries + 1), GFP_KERNEL);
	if (rule)
		eswim_counter_init(&rule->counter);
	return rule;
}

void eswim_rule_free(struct eswim_block *block, struct eswim_rule *rule)
{
	eswim_acts_release(block->nic, rule->acts, rule->n_acts);
	kfree_rcu(rule, rcu);
}

static int eswim_rule_insert(struct eswim_block *block,
			     struct eswim_rule *rule,
			     const struct eswim_key *mask)
{
	struct eswim_table *table;
	struct eswim_chain *chain;
	int err;

	chain = eswim_chain_get(block, rule->chain);
	if (!chain)
		return -ENOMEM;
	table = eswim_table_get(chain, rule->prio, mask);
	if (!table) {
		eswim_chain_put(chain);
		return -ENOMEM;
	}
	/* Of two rules with the same key packets find the newer: TC replaces a
	 * rule by adding the new one first.
	 */
	err = rhltable_insert(&table->rules, &rule->node, eswim_rules_params);
	if (err) {
		eswim_table_put(table);
		return err;
	}
	table->n_rules++;
	rule->table = table;
	block->nic->n_rules++;
	return 0;
}

/* The hardware forgets @rule. */
static void eswim_rule_forget(struct eswim_nic *nic, struct eswim_rule *rule)
{
	struct eswim_table *table = rule->table;

	if (!table)
		return;
	rhltable_remove(&table->rules, &rule->node, eswim_rules_params);
	rule->table = NULL;
	table->n_rules--;
	nic->n_rules--;
	eswim_table_put(table);
}

/**
 * eswim_rule_add() - Put a rule into hardware
 * @block: Its block; rules_lock is held.
 * @rule: The rule with its key, chain, priority, cookie and actions.
 * @mask: The mask of its key.
 *
 * Return: 0 or a negative errno; @rule is then still the caller's.
 */
int eswim_rule_add(struct eswim_block *block, struct eswim_rule *rule,
		   const struct eswim_key *mask)
{
	int err;

	lockdep_assert_held(&block->nic->rules_lock);
	err = rhashtable_lookup_insert_fast(&block->cookies,
					    &rule->cookie_node,
					    eswim_cookies_params);
	if (err)
		return err;
	err = eswim_rule_insert(block, rule, mask);
	if (err) {
		rhashtable_remove_fast(&block->cookies, &rule->cookie_node,
				       eswim_cookies_params);
		return err;
	}
	list_add_tail(&rule->list, &block->nic->rules);
	eswim_counters_start(block->nic);
	return 0;
}

/**
 * eswim_rule_del() - Take a rule out of hardware, and free it
 * @block: Its block; rules_lock is held.
 * @rule: The rule.
 */
void eswim_rule_del(struct eswim_block *block, struct eswim_rule *rule)
{
	lockdep_assert_held(&block->nic->rules_lock);
	eswim_rule_forget(block->nic, rule);
	list_del(&rule->list);
	rhashtable_remove_fast(&block->cookies, &rule->cookie_node,
			       eswim_cookies_params);
	eswim_rule_free(block, rule);
}

struct eswim_rule *eswim_rule_find(struct eswim_block *block,
				   unsigned long cookie)
{
	return rhashtable_lookup_fast(&block->cookies, &cookie,
				      eswim_cookies_params);
}

/* The mask of a rule that isn't forgotten. */
const struct eswim_key *eswim_rule_mask(const struct eswim_rule *rule)
{
	return &rule->table->mask;
}

void eswim_rules_init(struct eswim_nic *nic)
{
	mutex_init(&nic->rules_lock);
	INIT_LIST_HEAD(&nic->blocks);
	INIT_LIST_HEAD(&nic->rules);
	INIT_LIST_HEAD(&nic->meters);
	eswim_counters_init(nic);
}

void eswim_rules_exit(struct eswim_nic *nic)
{
	cancel_delayed_work_sync(&nic->counters_work);
	WARN_ON(!list_empty(&nic->rules) || !list_empty(&nic->blocks) ||
		!list_empty(&nic->meters));
	mutex_destroy(&nic->rules_lock);
}

void eswim_rules_forget_port(struct eswim_nic *nic, unsigned int vport)
{
	struct eswim_rule *rule;

	mutex_lock(&nic->rules_lock);
	list_for_each_entry(rule, &nic->rules, list) {
		if (eswim_acts_use_vport(rule->acts, rule->n_acts, vport))
			eswim_rule_forget(nic, rule);
	}
	mutex_unlock(&nic->rules_lock);
}

void eswim_rules_forget_all(struct eswim_nic *nic)
{
	struct eswim_rule *rule;

	mutex_lock(&nic->rules_lock);
	list_for_each_entry(rule, &nic->rules, list)
		eswim_rule_forget(nic, rule);
	mutex_unlock(&nic->rules_lock);
}
