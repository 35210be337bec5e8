// SPDX-License-Identifier: GPL-2.0
/*
 * What "devlink" shows and sets: the eswitch's mode and the NIC's ports, from
 * which the kernel derives phys_port_name (p0, pf0vf0) and phys_switch_id.
 */

#include "eswim.h"

static int eswim_mode_get(struct devlink *devlink, u16 *mode)
{
	struct eswim_nic *nic = devlink_priv(devlink);

	*mode = nic->mode;
	return 0;
}

static int eswim_mode_set(struct devlink *devlink, u16 mode,
			  struct netlink_ext_ack *extack)
{
	return eswim_nic_set_mode(devlink_priv(devlink), mode, extack);
}

/* Guests needn't put headers where the NIC can see them: it sees all. */
static int eswim_inline_mode_get(struct devlink *devlink, u8 *inline_mode)
{
	*inline_mode = DEVLINK_ESWITCH_INLINE_MODE_NONE;
	return 0;
}

static int eswim_inline_mode_set(struct devlink *devlink, u8 inline_mode,
				 struct netlink_ext_ack *extack)
{
	if (inline_mode == DEVLINK_ESWITCH_INLINE_MODE_NONE)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "The only inline mode is \"none\"");
	return -EOPNOTSUPP;
}

static int eswim_encap_mode_get(struct devlink *devlink,
				enum devlink_eswitch_encap_mode *encap_mode)
{
	*encap_mode = DEVLINK_ESWITCH_ENCAP_MODE_NONE;
	return 0;
}

static int eswim_encap_mode_set(struct devlink *devlink,
				enum devlink_eswitch_encap_mode encap_mode,
				struct netlink_ext_ack *extack)
{
	if (encap_mode == DEVLINK_ESWITCH_ENCAP_MODE_NONE)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "Tunnels are not supported");
	return -EOPNOTSUPP;
}

static int eswim_info_get(struct devlink *devlink,
			  struct devlink_info_req *req,
			  struct netlink_ext_ack *extack)
{
	return eswim_compat_info_driver(req, "eswim");
}

/* The driver starts again: uplink and representors are new devices, the rules
 * are gone.  VFs, mode and the guests' ends stay.
 */
static int eswim_reload_down(struct devlink *devlink, bool netns_change,
			     enum devlink_reload_action action,
			     enum devlink_reload_limit limit,
			     struct netlink_ext_ack *extack)
{
	if (netns_change) {
		NL_SET_ERR_MSG_MOD(extack,
				   "The NIC can't change its network namespace");
		return -EOPNOTSUPP;
	}
	eswim_health_reload(devlink_priv(devlink));
	eswim_nic_down(devlink_priv(devlink));
	return 0;
}

static int eswim_reload_up(struct devlink *devlink,
			   enum devlink_reload_action action,
			   enum devlink_reload_limit limit,
			   u32 *actions_performed,
			   struct netlink_ext_ack *extack)
{
	*actions_performed = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT);
	return eswim_nic_up(devlink_priv(devlink));
}

const struct devlink_ops eswim_devlink_ops = {
	.reload_actions = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT),
	.reload_down = eswim_reload_down,
	.reload_up = eswim_reload_up,
	.eswitch_mode_get = eswim_mode_get,
	.eswitch_mode_set = eswim_mode_set,
	.eswitch_inline_mode_get = eswim_inline_mode_get,
	.eswitch_inline_mode_set = eswim_inline_mode_set,
	.eswitch_encap_mode_get = eswim_encap_mode_get,
	.eswitch_encap_mode_set = eswim_encap_mode_set,
	.info_get = eswim_info_get,
};

/**
 * eswim_devlink_port_add() - Register a vport, before its host's end
 * @vport: The vport; devl_lock is held.
 *
 * Return: 0 or a negative errno.
 */
int eswim_devlink_port_add(struct eswim_vport *vport)
{
	struct devlink_port *port = &vport->devlink_port;
	struct devlink_port_attrs attrs = {};

	memset(port, 0, sizeof(*port));
	attrs.switch_id = vport->nic->switch_id;
	if (eswim_vport_is_wire(vport))
		attrs.flavour = DEVLINK_PORT_FLAVOUR_PHYSICAL;
	devlink_port_attrs_set(port, &attrs);
	if (!eswim_vport_is_wire(vport))
		devlink_port_attrs_pci_vf_set(port, 0, 0, vport->index - 1,
					      false);
	return devl_port_register(priv_to_devlink(vport->nic), port,
				  vport->index);
}

/**
 * eswim_devlink_port_del() - Unregister a vport, after its host's end
 * @vport: The vport; devl_lock is held.
 */
void eswim_devlink_port_del(struct eswim_vport *vport)
{
	devl_port_unregister(&vport->devlink_port);
}
