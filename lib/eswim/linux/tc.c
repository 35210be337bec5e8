// SPDX-License-Identifier: GPL-2.0
/*
 * How TC finds the hardware: blocks of rules come and go with the ingress
 * qdisc of uplink and representors, rules with flower and matchall.
 */

#include <net/pkt_cls.h>

#include "table.h"
#include "tc.h"

static LIST_HEAD(eswim_block_cbs);

static bool eswim_block_can_offload(struct eswim_block *block)
{
	struct eswim_nic *nic = block->nic;
	struct eswim_vport *vport;
	struct net_device *dev;
	bool can = true;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < ESWIM_N_VPORTS; i++) {
		vport = &nic->vports[i];
		dev = rcu_dereference(vport->host);
		if (rcu_access_pointer(vport->block) == block && dev)
			can &= tc_can_offload(dev);
	}
	rcu_read_unlock();
	return can;
}

/**
 * eswim_tc_check() - Does hardware take rules in a block now?
 * @block: The block; rules_lock is held.
 * @extack: Where the reason is put.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int eswim_tc_check(struct eswim_block *block, struct netlink_ext_ack *extack)
{
	if (!eswim_is_switchdev(block->nic)) {
		NL_SET_ERR_MSG_MOD(extack, "The eswitch is in legacy mode");
		return -EOPNOTSUPP;
	}
	if (!eswim_block_can_offload(block)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "hw-tc-offload is off on a port of the block");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int eswim_block_cb(enum tc_setup_type type, void *type_data,
			  void *cb_priv)
{
	switch (type) {
	case TC_SETUP_CLSFLOWER:
		return eswim_flower(cb_priv, type_data);
	case TC_SETUP_CLSMATCHALL:
		return eswim_matchall(cb_priv, type_data);
	default:
		return -EOPNOTSUPP;
	}
}

/* Under rtnl.  A port may still have the block: if TC fails to offload the
 * rules that the block has already, it takes back the bind without a word.
 */
static void eswim_block_release(void *cb_priv)
{
	struct eswim_block *block = cb_priv;
	struct eswim_nic *nic = block->nic;
	unsigned int i;

	for (i = 0; i < ESWIM_N_VPORTS; i++) {
		if (rcu_access_pointer(nic->vports[i].block) == block)
			RCU_INIT_POINTER(nic->vports[i].block, NULL);
	}
	mutex_lock(&nic->rules_lock);
	eswim_block_destroy(block);
	mutex_unlock(&nic->rules_lock);
}

static struct flow_block_cb *eswim_block_cb_create(struct eswim_nic *nic,
						   struct flow_block_offload *f)
{
	struct flow_block_cb *block_cb;
	struct eswim_block *block;

	mutex_lock(&nic->rules_lock);
	block = eswim_block_create(nic);
	mutex_unlock(&nic->rules_lock);
	if (!block)
		return ERR_PTR(-ENOMEM);
	block_cb = flow_block_cb_alloc(eswim_block_cb, nic, block,
				       eswim_block_release);
	if (IS_ERR(block_cb)) {
		eswim_block_release(block);
		return block_cb;
	}
	flow_block_cb_add(block_cb, f);
	list_add_tail(&block_cb->driver_list, &eswim_block_cbs);
	return block_cb;
}

/* Ports of a NIC that share a block of TC's share ours: rules are kept once. */
static int eswim_block_bind(struct eswim_vport *vport,
			    struct flow_block_offload *f)
{
	struct flow_block_cb *block_cb;

	if (rcu_access_pointer(vport->block))
		return -EBUSY;
	block_cb = flow_block_cb_lookup(f->block, eswim_block_cb, vport->nic);
	if (!block_cb)
		block_cb = eswim_block_cb_create(vport->nic, f);
	if (IS_ERR(block_cb))
		return PTR_ERR(block_cb);
	flow_block_cb_incref(block_cb);
	rcu_assign_pointer(vport->block, flow_block_cb_priv(block_cb));
	return 0;
}

static int eswim_block_unbind(struct eswim_vport *vport,
			      struct flow_block_offload *f)
{
	struct flow_block_cb *block_cb;

	block_cb = flow_block_cb_lookup(f->block, eswim_block_cb, vport->nic);
	if (!block_cb)
		return -ENOENT;
	RCU_INIT_POINTER(vport->block, NULL);
	if (flow_block_cb_decref(block_cb))
		return 0;
	flow_block_cb_remove(block_cb, f);
	list_del(&block_cb->driver_list);
	return 0;
}

static int eswim_setup_block(struct eswim_vport *vport,
			     struct flow_block_offload *f)
{
	/* Without a word: each clsact qdisc has an egress block, too. */
	if (f->binder_type != FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS)
		return -EOPNOTSUPP;
	f->driver_block_list = &eswim_block_cbs;
	f->unlocked_driver_cb = true;
	switch (f->command) {
	case FLOW_BLOCK_BIND:
		return eswim_block_bind(vport, f);
	case FLOW_BLOCK_UNBIND:
		return eswim_block_unbind(vport, f);
	default:
		return -EOPNOTSUPP;
	}
}

int eswim_ndo_setup_tc(struct net_device *dev, enum tc_setup_type type,
		       void *type_data)
{
	switch (type) {
	case TC_SETUP_BLOCK:
		return eswim_setup_block(eswim_vport_of(dev), type_data);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * eswim_tc_in_use() - Are there rules on a vport?
 * @vport: The vport; under rtnl.
 *
 * Return: true if there are.
 */
bool eswim_tc_in_use(struct eswim_vport *vport)
{
	struct eswim_block *block = rtnl_dereference(vport->block);

	return block && atomic_read(&block->cookies.nelems);
}
