/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hardware's rules.
 *
 * A block is TC's: the rules of one or, if shared, several ports.  It has
 * chains; a chain has tables, one for each pair of priority and mask, in order
 * of priority; a table has rules, by their masked key.  The first table that
 * knows a packet decides.
 *
 * A rule is under rules_lock; packets find and count it under RCU.  TC knows
 * it by its cookie until it destroys it, even if the hardware has forgotten it
 * in the meantime: it then has no table.
 */
#ifndef ESWIM_TABLE_H
#define ESWIM_TABLE_H

#include <linux/atomic.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>

#include "action.h"
#include "counter.h"
#include "eswim.h"
#include "key.h"

struct eswim_table;

struct eswim_rule {
	struct rhlist_head node;		/* In its table. */
	struct eswim_key key;
	struct rhash_head cookie_node;		/* In its block. */
	unsigned long cookie;
	struct list_head list;			/* In its NIC. */
	struct eswim_table *table;		/* NULL: forgotten. */
	u32 chain;
	u32 prio;

	struct eswim_counter counter;

	struct rcu_head rcu;
	unsigned int n_acts;
	struct eswim_act acts[];
};

struct eswim_block {
	struct list_head list;			/* In its NIC. */
	struct eswim_nic *nic;
	unsigned int refs;			/* Ports that use it. */
	struct xarray chains;
	struct rhashtable cookies;
	struct rcu_work free_work;
};

int eswim_tables_init(void);
void eswim_tables_exit(void);

void eswim_rules_init(struct eswim_nic *nic);
void eswim_rules_exit(struct eswim_nic *nic);

struct eswim_block *eswim_block_create(struct eswim_nic *nic);
void eswim_block_destroy(struct eswim_block *block);

/* Of packets: the best rule for @key, or NULL. */
struct eswim_rule *eswim_block_lookup(struct eswim_block *block, u32 chain,
				      const struct eswim_key *key);

/* All that follow want rules_lock. */
struct eswim_rule *eswim_rule_alloc(unsigned int n_entries);
void eswim_rule_free(struct eswim_block *block, struct eswim_rule *rule);
int eswim_rule_add(struct eswim_block *block, struct eswim_rule *rule,
		   const struct eswim_key *mask);
void eswim_rule_del(struct eswim_block *block, struct eswim_rule *rule);
struct eswim_rule *eswim_rule_find(struct eswim_block *block,
				   unsigned long cookie);
const struct eswim_key *eswim_rule_mask(const struct eswim_rule *rule);

/* The hardware forgets rules; these take rules_lock themselves. */
void eswim_rules_forget_port(struct eswim_nic *nic, unsigned int vport);
void eswim_rules_forget_all(struct eswim_nic *nic);

#endif
