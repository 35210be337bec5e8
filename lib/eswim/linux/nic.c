// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC: its making and unmaking, and the two things that change what it
 * consists of, the number of VFs and the mode of the eswitch.
 */

#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "eswim.h"
#include "table.h"

static void eswim_vports_init(struct eswim_nic *nic)
{
	unsigned int i;

	for (i = 0; i < ESWIM_N_VPORTS; i++) {
		nic->vports[i].nic = nic;
		nic->vports[i].index = i;
		eswim_vf_config_init(&nic->vports[i].vf);
	}
}

static void eswim_nic_init(struct eswim_nic *nic, struct device *dev,
			   unsigned int id)
{
	nic->dev = dev;
	nic->id = id;
	nic->mode = DEVLINK_ESWITCH_MODE_LEGACY;
	nic->switch_id.id_len = 8;
	get_random_bytes(nic->switch_id.id, nic->switch_id.id_len);
	eswim_vports_init(nic);
	eswim_rules_init(nic);
	eswim_faults_init(&nic->faults);
}

/* With devl_lock.  The uplink's or a representor. */
static int eswim_port_create(struct eswim_vport *vport)
{
	int err;

	err = eswim_devlink_port_add(vport);
	if (err)
		return err;
	err = eswim_host_create(vport);
	if (err)
		eswim_devlink_port_del(vport);
	return err;
}

/* Rules that send packets to a VF must not outlive it: another VF may get its
 * number.
 */
static void eswim_port_destroy(struct eswim_vport *vport)
{
	eswim_host_destroy(vport);
	eswim_devlink_port_del(vport);
	eswim_rules_forget_port(vport->nic, vport->index);
}

static void eswim_reps_destroy(struct eswim_nic *nic, unsigned int n)
{
	while (n)
		eswim_port_destroy(&nic->vports[n--]);
}

static int eswim_reps_create(struct eswim_nic *nic, unsigned int n)
{
	unsigned int i;
	int err;

	for (i = 1; i <= n; i++) {
		err = eswim_port_create(&nic->vports[i]);
		if (err) {
			eswim_reps_destroy(nic, i - 1);
			return err;
		}
	}
	return 0;
}

/**
 * eswim_nic_up() - Make the uplink, and in switchdev mode the representors
 * @nic: The NIC, with devl_lock held.
 *
 * Return: 0 or a negative errno; then there is none of them.
 */
int eswim_nic_up(struct eswim_nic *nic)
{
	int err;

	err = eswim_port_create(&nic->vports[ESWIM_WIRE]);
	if (err)
		return err;
	if (eswim_is_switchdev(nic)) {
		err = eswim_reps_create(nic, nic->n_vfs);
		if (err) {
			eswim_port_destroy(&nic->vports[ESWIM_WIRE]);
			return err;
		}
	}
	nic->is_up = true;
	return 0;
}

/**
 * eswim_nic_down() - Undo eswim_nic_up()
 * @nic: The NIC, with devl_lock held; it may be down.
 *
 * A firmware that has failed is running again after that.
 */
void eswim_nic_down(struct eswim_nic *nic)
{
	if (!nic->is_up)
		return;
	nic->is_up = false;
	if (eswim_is_switchdev(nic))
		eswim_reps_destroy(nic, nic->n_vfs);
	eswim_port_destroy(&nic->vports[ESWIM_WIRE]);
	eswim_fault_recover(nic);
}

/**
 * eswim_nic_set_vfs() - Tell the eswitch how many VFs there are
 * @nic: The NIC.
 * @n_vfs: Number of VFs; either this or the present number is 0.
 * @extack: Where a failure is explained, or NULL.
 *
 * The VFs' devices are the bus's to add, after, and to take away, before.
 *
 * Return: 0 or a negative errno.
 */
int eswim_nic_set_vfs(struct eswim_nic *nic, unsigned int n_vfs,
		      struct netlink_ext_ack *extack)
{
	struct devlink *devlink = priv_to_devlink(nic);
	unsigned int i;
	int err = 0;

	devl_lock(devlink);
	if (eswim_is_switchdev(nic) && nic->is_up) {
		if (n_vfs)
			err = eswim_reps_create(nic, n_vfs);
		else
			eswim_reps_destroy(nic, nic->n_vfs);
	}
	if (!err) {
		rtnl_lock();
		for (i = 1; i <= n_vfs; i++)
			eswim_vf_config_init(&nic->vports[i].vf);
		WRITE_ONCE(nic->n_vfs, n_vfs);
		rtnl_unlock();
	}
	devl_unlock(devlink);
	return err;
}

/* The representors' rules go with them; the uplink, and its rules, stay. */
static int eswim_nic_to_legacy(struct eswim_nic *nic,
			       struct netlink_ext_ack *extack)
{
	bool in_use;

	rtnl_lock();
	mutex_lock(&nic->rules_lock);
	in_use = eswim_tc_in_use(&nic->vports[ESWIM_WIRE]);
	if (!in_use)
		WRITE_ONCE(nic->mode, DEVLINK_ESWITCH_MODE_LEGACY);
	mutex_unlock(&nic->rules_lock);
	rtnl_unlock();
	if (in_use) {
		NL_SET_ERR_MSG_MOD(extack,
				   "The uplink has rules in hardware");
		return -EBUSY;
	}
	eswim_reps_destroy(nic, nic->n_vfs);
	eswim_rules_forget_all(nic);
	eswim_shared_del(nic);
	return 0;
}

static int eswim_nic_to_switchdev(struct eswim_nic *nic,
				  struct netlink_ext_ack *extack)
{
	int err;

	err = eswim_reps_create(nic, nic->n_vfs);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "Can't make the representors");
		return err;
	}
	err = eswim_shared_add(nic);
	if (err) {
		eswim_reps_destroy(nic, nic->n_vfs);
		return err;
	}
	WRITE_ONCE(nic->mode, DEVLINK_ESWITCH_MODE_SWITCHDEV);
	return 0;
}

/**
 * eswim_nic_set_mode() - From legacy to switchdev mode, or back
 * @nic: The NIC, with devl_lock held.
 * @mode: DEVLINK_ESWITCH_MODE_*.
 * @extack: Where a failure is explained, or NULL.
 *
 * Return: 0 or a negative errno.
 */
int eswim_nic_set_mode(struct eswim_nic *nic, u16 mode,
		       struct netlink_ext_ack *extack)
{
	if (mode == nic->mode)
		return 0;
	if (!nic->is_up) {
		NL_SET_ERR_MSG_MOD(extack, "The NIC needs to be reloaded");
		return -ENODEV;
	}
	switch (mode) {
	case DEVLINK_ESWITCH_MODE_LEGACY:
		return eswim_nic_to_legacy(nic, extack);
	case DEVLINK_ESWITCH_MODE_SWITCHDEV:
		return eswim_nic_to_switchdev(nic, extack);
	default:
		NL_SET_ERR_MSG_MOD(extack, "No such eswitch mode");
		return -EOPNOTSUPP;
	}
}

/**
 * eswim_nic_create() - Make a NIC, in legacy mode and without VFs
 * @dev: Its device on the bus.
 * @id: Its number.
 *
 * Return: The NIC or an error pointer.
 */
struct eswim_nic *eswim_nic_create(struct device *dev, unsigned int id)
{
	struct devlink *devlink;
	struct eswim_nic *nic;
	int err;

	devlink = devlink_alloc(&eswim_devlink_ops, sizeof(*nic), dev);
	if (!devlink)
		return ERR_PTR(-ENOMEM);
	nic = devlink_priv(devlink);
	eswim_nic_init(nic, dev, id);

	eswim_compat_allow_reload(devlink);
	err = eswim_health_add(nic);
	if (err)
		goto err_free;
	err = eswim_far_create(&nic->vports[ESWIM_WIRE], NULL);
	if (err)
		goto err_health;
	devl_lock(devlink);
	err = eswim_nic_up(nic);
	devl_unlock(devlink);
	if (err)
		goto err_far;
	devlink_register(devlink);
	eswim_debugfs_add(nic);
	return nic;

err_far:
	eswim_far_destroy(&nic->vports[ESWIM_WIRE]);
err_health:
	eswim_health_del(nic);
err_free:
	devlink_free(devlink);
	return ERR_PTR(err);
}

/**
 * eswim_nic_destroy() - Take a NIC away
 * @nic: The NIC; it has no VFs any more.
 */
void eswim_nic_destroy(struct eswim_nic *nic)
{
	struct devlink *devlink = priv_to_devlink(nic);

	eswim_debugfs_del(nic);
	devlink_unregister(devlink);
	eswim_far_destroy(&nic->vports[ESWIM_WIRE]);
	devl_lock(devlink);
	eswim_nic_down(nic);
	if (eswim_is_switchdev(nic))
		eswim_shared_del(nic);
	devl_unlock(devlink);
	eswim_rules_exit(nic);
	eswim_health_del(nic);
	devlink_free(devlink);
}
