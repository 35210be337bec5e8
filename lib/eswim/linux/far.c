// SPDX-License-Identifier: GPL-2.0
/*
 * The far ends of vports: the wire, and what guests get.  What they send
 * enters the embedded switch.
 */

#include <linux/etherdevice.h>

#include "eswim.h"

static bool eswim_is_spoofed(struct eswim_vport *vport,
			     const struct net_device *dev,
			     const struct sk_buff *skb)
{
	return READ_ONCE(vport->vf.spoofchk) &&
	       !ether_addr_equal(eth_hdr(skb)->h_source, dev->dev_addr);
}

static netdev_tx_t eswim_far_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct eswim_vport *vport = eswim_vport_of(dev);
	unsigned int len = skb->len;

	skb = eswim_enter(skb);
	if (!skb) {
		DEV_STATS_INC(dev, tx_errors);
		return NETDEV_TX_OK;
	}
	if (!netif_carrier_ok(dev) || eswim_is_spoofed(vport, dev, skb)) {
		DEV_STATS_INC(dev, tx_dropped);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	dev_sw_netstats_tx_add(dev, 1, len);
	eswim_stat_add(vport, ESWIM_STAT_RX_PACKETS, 1);
	eswim_stat_add(vport, ESWIM_STAT_RX_BYTES, eswim_frame_len(skb));
	if (eswim_is_switchdev(vport->nic))
		eswim_walk(vport, skb);
	else
		eswim_legacy_from_far(vport, skb);
	return NETDEV_TX_OK;
}

/* Who isn't trusted keeps the address that the host has given. */
static int eswim_far_set_mac_address(struct net_device *dev, void *address)
{
	struct eswim_vport *vport = eswim_vport_of(dev);

	if (is_valid_ether_addr(vport->vf.mac) && !vport->vf.trusted)
		return -EPERM;
	return eth_mac_addr(dev, address);
}

static const struct net_device_ops eswim_far_ops = {
	.ndo_init = eswim_ndo_init,
	.ndo_uninit = eswim_ndo_uninit,
	.ndo_open = eswim_ndo_open,
	.ndo_stop = eswim_ndo_stop,
	.ndo_start_xmit = eswim_far_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
	.ndo_set_mac_address = eswim_far_set_mac_address,
	.ndo_validate_addr = eth_validate_addr,
};

/**
 * eswim_far_create() - Make the wire's end or a guest's
 * @vport: The vport.
 * @parent: The VF's device, or NULL.
 *
 * Return: 0 or a negative errno.
 */
int eswim_far_create(struct eswim_vport *vport, struct device *parent)
{
	struct net_device *dev;
	char name[IFNAMSIZ];

	if (eswim_vport_is_wire(vport))
		snprintf(name, sizeof(name), "wire%u", vport->nic->id);
	else
		strscpy(name, "eth%d", sizeof(name));
	dev = eswim_netdev_create(vport, true, name, &eswim_far_ops, parent);
	return PTR_ERR_OR_ZERO(dev);
}

void eswim_far_destroy(struct eswim_vport *vport)
{
	eswim_netdev_destroy(vport, true);
}

/**
 * eswim_far_send() - A packet comes out of the switch
 * @vport: Where; it may have no far end at the moment.
 * @skb: The packet, consumed.
 */
void eswim_far_send(struct eswim_vport *vport, struct sk_buff *skb)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = rcu_dereference(vport->far);
	if (dev) {
		eswim_stat_add(vport, ESWIM_STAT_TX_PACKETS, 1);
		eswim_stat_add(vport, ESWIM_STAT_TX_BYTES,
			       eswim_frame_len(skb));
		skb->mark = 0;
		eswim_deliver(dev, skb);
	} else {
		kfree_skb(skb);
	}
	rcu_read_unlock();
}
