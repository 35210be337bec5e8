// SPDX-License-Identifier: GPL-2.0
/*
 * Actions that TC has apart from rules ("tc actions add"), for rules to share
 * by their index.  The hardware has something of its own for police only: a
 * meter, with a counter of what all rules together have sent through it.
 *
 * TC doesn't ask a device, as there is none, but all drivers; it counts those
 * that have taken the action, and tells them when it goes.  A NIC is among
 * those that are asked while it is in switchdev mode.
 */

#include "action.h"
#include "eswim.h"
#include "meter.h"

static int eswim_shared_check(struct eswim_nic *nic,
			      struct flow_offload_action *f)
{
	const char *why;

	if (f->id != FLOW_ACTION_POLICE)
		return eswim_refuse(f->extack, KBUILD_MODNAME
			": Of actions apart from rules, only police is in hardware");
	if (eswim_act_is_refused(nic, f->id))
		return eswim_refuse(f->extack, eswim_act_police.refused);
	why = eswim_meter_refusal(&f->action.entries[0]);
	if (why)
		return eswim_refuse(f->extack, why);
	return eswim_fault_operation(nic, f->extack);
}

/* TC's own action isn't in hardware any more; rules may go on to use it. */
static void eswim_shared_forget(struct eswim_meter *meter)
{
	meter->is_shared = false;
	eswim_meter_put(meter);
}

static struct eswim_meter *eswim_shared_find(struct eswim_nic *nic,
					     const struct flow_offload_action *f)
{
	struct eswim_meter *meter = NULL;

	if (f->id == FLOW_ACTION_POLICE)
		meter = eswim_meter_find(nic, f->index);
	return meter && meter->is_shared ? meter : NULL;
}

/* New, or changed.  What is changed to something that hardware can't do is out
 * of hardware as far as TC is concerned, which won't say so when it goes.
 */
static int eswim_shared_replace(struct eswim_nic *nic,
				struct flow_offload_action *f)
{
	const struct flow_action_entry *entry = &f->action.entries[0];
	struct eswim_meter *meter = eswim_shared_find(nic, f);
	int err = eswim_shared_check(nic, f);

	if (err) {
		if (meter)
			eswim_shared_forget(meter);
		return err;
	}
	if (meter) {
		eswim_meter_set(meter, entry);
		return 0;
	}
	meter = eswim_meter_get(nic, f->index, entry);
	if (!meter)
		return -ENOMEM;
	meter->is_shared = true;
	return 0;
}

static int eswim_shared_destroy(struct eswim_nic *nic,
				struct flow_offload_action *f)
{
	struct eswim_meter *meter = eswim_shared_find(nic, f);

	if (!meter)
		return -ENOENT;
	eswim_shared_forget(meter);
	return 0;
}

static int eswim_shared_stats(struct eswim_nic *nic,
			      struct flow_offload_action *f)
{
	struct eswim_meter *meter = eswim_shared_find(nic, f);

	if (!meter)
		return -ENOENT;
	eswim_counter_read(nic, &meter->counter, &f->stats);
	return 0;
}

static int eswim_shared_command(struct eswim_nic *nic,
				struct flow_offload_action *f)
{
	switch (f->command) {
	case FLOW_ACT_REPLACE:
		return eswim_shared_replace(nic, f);
	case FLOW_ACT_DESTROY:
		return eswim_shared_destroy(nic, f);
	case FLOW_ACT_STATS:
		return eswim_shared_stats(nic, f);
	default:
		return -EOPNOTSUPP;
	}
}

/* What is asked of all drivers.  With a device, it is about a tunnel's rules. */
static int eswim_shared_cb(struct net_device *dev, struct Qdisc *sch,
			   void *cb_priv, enum tc_setup_type type,
			   void *type_data, void *data,
			   void (*cleanup)(struct flow_block_cb *block_cb))
{
	struct eswim_nic *nic = cb_priv;
	int err;

	if (dev || type != TC_SETUP_ACT)
		return -EOPNOTSUPP;
	mutex_lock(&nic->rules_lock);
	err = eswim_shared_command(nic, data);
	mutex_unlock(&nic->rules_lock);
	return err;
}

/**
 * eswim_shared_add() - Be asked by TC; it begins with what there is already
 * @nic: The NIC; rules_lock isn't held.
 *
 * Return: 0 or a negative errno.
 */
int eswim_shared_add(struct eswim_nic *nic)
{
	return flow_indr_dev_register(eswim_shared_cb, nic);
}

/**
 * eswim_shared_del() - Be asked no more; TC takes away what it has shared
 * @nic: The NIC, whose rules are gone or forgotten; rules_lock isn't held.
 */
void eswim_shared_del(struct eswim_nic *nic)
{
	flow_indr_dev_unregister(eswim_shared_cb, nic, NULL);
}
