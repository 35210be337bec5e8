// SPDX-License-Identifier: GPL-2.0
/* The datapath in switchdev mode; see walk.h. */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "table.h"
#include "walk.h"

struct eswim_copy {
	u16 vport;
	bool to_host;
};

static struct eswim_copy *eswim_copy_of(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct eswim_copy) > sizeof(skb->cb));
	return (struct eswim_copy *)skb->cb;
}

static void eswim_send(struct eswim_nic *nic, struct sk_buff *skb,
		       unsigned int index, bool to_host)
{
	struct eswim_vport *vport = &nic->vports[index];
	struct net_device *dev;

	if (!to_host) {
		eswim_far_send(vport, skb);
		return;
	}
	dev = rcu_dereference(vport->host);
	if (dev)
		eswim_deliver(dev, skb);
	else
		kfree_skb(skb);
}

int eswim_walk_make_writable(struct eswim_walk *walk, unsigned int len)
{
	struct sk_buff *copy;

	if (walk->skb == walk->orig) {
		copy = skb_clone(walk->orig, GFP_ATOMIC);
		if (!copy)
			return -ENOMEM;
		walk->skb = copy;
	}
	return skb_ensure_writable(walk->skb, len);
}

void eswim_walk_mirror(struct eswim_walk *walk, const struct eswim_act *act)
{
	struct sk_buff *copy = skb_clone(walk->skb, GFP_ATOMIC);

	if (!copy)
		return;
	eswim_copy_of(copy)->vport = act->out.vport;
	eswim_copy_of(copy)->to_host = act->out.to_host;
	__skb_queue_tail(&walk->copies, copy);
}

static void eswim_walk_commit(struct eswim_walk *walk)
{
	struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < walk->n_hits; i++) {
		eswim_counter_add(&walk->hits[i].rule->counter,
				  walk->hits[i].bytes, walk->hits[i].dropped);
		eswim_acts_count(walk->hits[i].rule->acts,
				 walk->hits[i].n_metered, walk->hits[i].bytes,
				 walk->hits[i].dropped);
	}
	while ((skb = __skb_dequeue(&walk->copies)))
		eswim_send(walk->nic, skb, eswim_copy_of(skb)->vport,
			   eswim_copy_of(skb)->to_host);
	if (walk->skb != walk->orig)
		consume_skb(walk->orig);
	switch (walk->fate) {
	case ESWIM_DROP:
		eswim_stat_add(walk->from, ESWIM_STAT_RX_DROPS, 1);
		kfree_skb(walk->skb);
		break;
	case ESWIM_TO_SOFTWARE:
		if (walk->classified)
			eswim_compat_skip_classify(walk->skb);
		eswim_send(walk->nic, walk->skb, walk->from->index, true);
		break;
	case ESWIM_OUT:
		eswim_send(walk->nic, walk->skb, walk->out->out.vport,
			   walk->out->out.to_host);
		break;
	}
}

void eswim_walk_undo(struct eswim_walk *walk)
{
	unsigned int i;

	for (i = 0; i < walk->n_hits; i++) {
		eswim_acts_refund(walk->hits[i].rule->acts,
				  walk->hits[i].n_metered,
				  walk->hits[i].bytes);
		walk->hits[i].n_metered = 0;
	}
	__skb_queue_purge(&walk->copies);
	if (walk->skb != walk->orig)
		consume_skb(walk->skb);
	walk->skb = walk->orig;
}

static void eswim_walk_forget(struct eswim_walk *walk)
{
	eswim_stat_add(walk->from, ESWIM_STAT_RX_MISSES, 1);
	eswim_walk_undo(walk);
	eswim_send(walk->nic, walk->orig, walk->from->index, true);
}

static enum eswim_verdict eswim_walk_rule(struct eswim_walk *walk,
					  struct eswim_rule *rule)
{
	enum eswim_verdict verdict = ESWIM_NEXT;
	unsigned int i;

	walk->hits[walk->n_hits].rule = rule;
	walk->hits[walk->n_hits].bytes = eswim_frame_len(walk->skb);
	walk->hits[walk->n_hits].n_metered = 0;
	walk->hits[walk->n_hits].dropped = false;
	walk->n_hits++;
	for (i = 0; i < rule->n_acts && verdict == ESWIM_NEXT; i++)
		verdict = rule->acts[i].ops->run(walk, &rule->acts[i]);
	return verdict;
}

/* Returns true if the packet has met its fate. */
static bool eswim_walk_chains(struct eswim_walk *walk,
			      struct eswim_block *block, int ingress_ifindex)
{
	struct eswim_rule *rule;

	while (walk->n_hits < ESWIM_MAX_HOPS) {
		eswim_key_dissect(&walk->key, walk->skb, ingress_ifindex);
		rule = eswim_block_lookup(block, walk->chain, &walk->key);
		if (!rule)
			return false;
		switch (eswim_walk_rule(walk, rule)) {
		case ESWIM_FATE:
			return true;
		case ESWIM_GOTO:
			continue;
		case ESWIM_NEXT:
			break;
		}
		/* Each rule ends with what decides. */
		WARN_ON_ONCE(1);
		return false;
	}
	return false;
}

/**
 * eswim_walk() - Switch what a guest or the wire has sent
 * @vport: From where.
 * @skb: The packet, as eswim_enter() leaves it; consumed.
 *
 * Context: BH disabled.
 */
void eswim_walk(struct eswim_vport *vport, struct sk_buff *skb)
{
	struct eswim_walk walk = {
		.nic = vport->nic,
		.from = vport,
		.orig = skb,
		.skb = skb,
	};
	struct eswim_block *block;
	struct net_device *host;

	__skb_queue_head_init(&walk.copies);
	rcu_read_lock();
	block = rcu_dereference(vport->block);
	host = rcu_dereference(vport->host);
	if (block && eswim_walk_chains(&walk, block, host ? host->ifindex : 0))
		eswim_walk_commit(&walk);
	else
		eswim_walk_forget(&walk);
	rcu_read_unlock();
}
