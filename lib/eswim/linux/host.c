// SPDX-License-Identifier: GPL-2.0
/*
 * The host's ends of vports: the uplink and the representors.  TC's rules are
 * put here, and what the rules don't cover arrives here.
 */

#include <linux/etherdevice.h>

#include "eswim.h"

/* What software sends goes around the rules. */
static netdev_tx_t eswim_host_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct eswim_vport *vport = eswim_vport_of(dev);
	unsigned int len = skb->len;

	skb = eswim_enter(skb);
	if (!skb) {
		DEV_STATS_INC(dev, tx_errors);
		return NETDEV_TX_OK;
	}
	dev_sw_netstats_tx_add(dev, 1, len);
	if (eswim_is_switchdev(vport->nic))
		eswim_far_send(vport, skb);
	else
		eswim_legacy_from_uplink(vport->nic, skb);
	return NETDEV_TX_OK;
}

static __maybe_unused struct devlink_port *
eswim_ndo_get_devlink_port(struct net_device *dev)
{
	return &eswim_vport_of(dev)->devlink_port;
}

/* The rules would stay in hardware behind the user's back. */
static int eswim_ndo_set_features(struct net_device *dev,
				  netdev_features_t features)
{
	if (features & NETIF_F_HW_TC || !(dev->features & NETIF_F_HW_TC))
		return 0;
	if (!eswim_tc_in_use(eswim_vport_of(dev)))
		return 0;
	netdev_err(dev, "TC rules are offloaded: can't turn hw-tc-offload off\n");
	return -EBUSY;
}

/* What hardware switches never gets here: software has seen all of it. */
static bool eswim_ndo_has_offload_stats(const struct net_device *dev,
					int attr_id)
{
	return attr_id == IFLA_OFFLOAD_XSTATS_CPU_HIT;
}

static int eswim_ndo_get_offload_stats(int attr_id,
				       const struct net_device *dev,
				       void *stats)
{
	if (attr_id != IFLA_OFFLOAD_XSTATS_CPU_HIT)
		return -EINVAL;
	dev_get_tstats64((struct net_device *)dev, stats);
	return 0;
}

#define ESWIM_HOST_OPS							\
	.ndo_init = eswim_ndo_init,					\
	.ndo_uninit = eswim_ndo_uninit,					\
	.ndo_open = eswim_ndo_open,					\
	.ndo_stop = eswim_ndo_stop,					\
	.ndo_start_xmit = eswim_host_xmit,				\
	.ndo_get_stats64 = dev_get_tstats64,				\
	.ndo_has_offload_stats = eswim_ndo_has_offload_stats,		\
	.ndo_get_offload_stats = eswim_ndo_get_offload_stats,		\
	.ndo_set_mac_address = eth_mac_addr,				\
	.ndo_validate_addr = eth_validate_addr,				\
	ESWIM_NDO_GET_DEVLINK_PORT(eswim_ndo_get_devlink_port)		\
	.ndo_set_features = eswim_ndo_set_features,			\
	.ndo_setup_tc = eswim_ndo_setup_tc

static const struct net_device_ops eswim_rep_ops = {
	ESWIM_HOST_OPS,
};

static const struct net_device_ops eswim_uplink_ops = {
	ESWIM_HOST_OPS,
	.ndo_set_vf_mac = eswim_ndo_set_vf_mac,
	.ndo_set_vf_vlan = eswim_ndo_set_vf_vlan,
	.ndo_set_vf_trust = eswim_ndo_set_vf_trust,
	.ndo_set_vf_spoofchk = eswim_ndo_set_vf_spoofchk,
	.ndo_set_vf_link_state = eswim_ndo_set_vf_link_state,
	.ndo_get_vf_config = eswim_ndo_get_vf_config,
};

/**
 * eswim_host_create() - Make the uplink or a representor
 * @vport: The vport, whose devlink port is registered.
 *
 * Return: 0 or a negative errno.
 */
int eswim_host_create(struct eswim_vport *vport)
{
	struct net_device *dev;

	dev = eswim_netdev_create(vport, false, "eth%d",
				  eswim_vport_is_wire(vport) ?
				  &eswim_uplink_ops : &eswim_rep_ops,
				  vport->nic->dev);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	eswim_compat_port_up(&vport->devlink_port, dev);
	return 0;
}

void eswim_host_destroy(struct eswim_vport *vport)
{
	eswim_compat_port_down(&vport->devlink_port);
	eswim_netdev_destroy(vport, false);
}

/**
 * eswim_host_vport() - Which vport's host's end is a network device?
 * @dev: Any network device.
 *
 * Return: The vport, or NULL if @dev isn't of this driver.
 */
struct eswim_vport *eswim_host_vport(const struct net_device *dev)
{
	if (dev->netdev_ops != &eswim_rep_ops &&
	    dev->netdev_ops != &eswim_uplink_ops)
		return NULL;
	return eswim_vport_of(dev);
}
