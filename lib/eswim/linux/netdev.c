// SPDX-License-Identifier: GPL-2.0
/* What all network devices of a NIC have in common. */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "eswim.h"

#define ESWIM_MAX_MTU	9216

int eswim_ndo_init(struct net_device *dev)
{
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
}

void eswim_ndo_uninit(struct net_device *dev)
{
	free_percpu(dev->tstats);
}

int eswim_ndo_open(struct net_device *dev)
{
	eswim_carrier_update(eswim_vport_of(dev));
	return 0;
}

int eswim_ndo_stop(struct net_device *dev)
{
	netif_carrier_off(dev);
	eswim_carrier_update(eswim_vport_of(dev));
	return 0;
}

/* IFF_UP changes only after ndo_open and ndo_stop. */
static bool eswim_is_up(const struct net_device *dev)
{
	return dev && netif_running(dev);
}

static void eswim_carrier_set(struct net_device *dev, bool on)
{
	if (!dev)
		return;
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

/* Is the link between the two ends of @vport up?  In legacy mode a VF has no
 * other end that one could set up.
 */
static bool eswim_link_is_up(struct eswim_vport *vport,
			     struct net_device *host, struct net_device *far)
{
	switch (vport->vf.link_state) {
	case IFLA_VF_LINK_STATE_ENABLE:
		return true;
	case IFLA_VF_LINK_STATE_DISABLE:
		return false;
	default:
		return eswim_is_up(far) && (!host || eswim_is_up(host));
	}
}

/**
 * eswim_carrier_update() - Make the carrier of both ends what it should be
 * @vport: The vport, one end of which, or whose VF, has changed; under rtnl.
 */
void eswim_carrier_update(struct eswim_vport *vport)
{
	struct net_device *host = rtnl_dereference(vport->host);
	struct net_device *far = rtnl_dereference(vport->far);
	bool up = eswim_link_is_up(vport, host, far);

	eswim_carrier_set(host, up);
	eswim_carrier_set(far, up);
}

/* Where headers are: the network header follows the MAC header, even if it is
 * that of a second VLAN tag.
 */
void eswim_skb_set_headers(struct sk_buff *skb)
{
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb_reset_mac_len(skb);
}

/* As eth_type_trans(): there is no type, but a length. */
static __be16 eswim_llc_proto(const struct sk_buff *skb)
{
	__be16 buf, *dsap_ssap;

	dsap_ssap = skb_header_pointer(skb, ETH_HLEN, sizeof(buf), &buf);
	return htons(dsap_ssap && *dsap_ssap == htons(0xffff) ?
		     ETH_P_802_3 : ETH_P_802_2);
}

/**
 * eswim_enter() - A packet enters the switch
 * @skb: The packet, from its MAC header on; consumed.
 *
 * Return: The packet in the form in which all of the switch sees it: data at
 * the MAC header, the outermost VLAN tag beside the packet and not in it,
 * checksums whole, and without a mark, which no wire carries.  NULL if it was
 * no packet.
 */
struct sk_buff *eswim_enter(struct sk_buff *skb)
{
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN))) {
		kfree_skb(skb);
		return NULL;
	}
	skb->ip_summed = CHECKSUM_NONE;
	skb->mark = 0;
	eswim_skb_set_headers(skb);
	skb->protocol = eth_hdr(skb)->h_proto;
	if (!eth_proto_is_802_3(skb->protocol))
		skb->protocol = eswim_llc_proto(skb);
	if (eth_type_vlan(skb->protocol) && !skb_vlan_tag_present(skb)) {
		__skb_pull(skb, ETH_HLEN);
		skb = skb_vlan_untag(skb);
		if (unlikely(!skb))
			return NULL;
		skb_push(skb, ETH_HLEN);
		eswim_skb_set_headers(skb);
	}
	return skb;
}

/**
 * eswim_deliver() - A packet comes out of one of a NIC's network devices
 * @dev: The network device.
 * @skb: The packet, from its MAC header on; consumed.
 *
 * What the device can't take (it is down, or the packet too long) is dropped
 * and counted.
 */
void eswim_deliver(struct net_device *dev, struct sk_buff *skb)
{
	unsigned int len = skb->len;
	u32 mark = skb->mark;

	if (!netif_carrier_ok(dev)) {
		dev_core_stats_rx_dropped_inc(dev);
		kfree_skb(skb);
		return;
	}
	if (__dev_forward_skb(dev, skb) != NET_RX_SUCCESS)
		return;
	skb->mark = mark;
	if (netif_rx(skb) == NET_RX_SUCCESS)
		dev_sw_netstats_rx_add(dev, len);
}

/* No offloads: what enters the switch is what would be on the wire. */
static void eswim_netdev_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ESWIM_MAX_MTU;
	/* Packets are switched in the sender's context, which for netconsole
	 * would be one with interrupts off.
	 */
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE |
			   IFF_DISABLE_NETPOLL;
	/* What is sent here is received elsewhere: it must be ours alone. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->ethtool_ops = &eswim_ethtool_ops;
}

static struct net_device __rcu **eswim_end_slot(struct eswim_vport *vport,
						bool is_far)
{
	return is_far ? &vport->far : &vport->host;
}

/**
 * eswim_netdev_create() - Make and register one end of a vport
 * @vport: The vport.
 * @is_far: Its far end?
 * @name: Name or pattern.
 * @ops: Operations.
 * @parent: Device in sysfs, or NULL.
 *
 * Return: The network device or an error pointer.
 */
struct net_device *
eswim_netdev_create(struct eswim_vport *vport, bool is_far, const char *name,
		    const struct net_device_ops *ops, struct device *parent)
{
	struct net_device *dev;
	struct eswim_end *end;
	int err;

	dev = alloc_netdev(sizeof(*end), name, NET_NAME_ENUM,
			   eswim_netdev_setup);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	end = netdev_priv(dev);
	end->vport = vport;
	end->is_far = is_far;
	dev->netdev_ops = ops;
	if (parent)
		SET_NETDEV_DEV(dev, parent);
	if (is_far && is_valid_ether_addr(vport->vf.mac))
		eth_hw_addr_set(dev, vport->vf.mac);
	else
		eth_hw_addr_random(dev);
	if (!is_far) {
		dev->hw_features |= NETIF_F_HW_TC;
		eswim_compat_set_port(dev, &vport->devlink_port);
	}
	netif_carrier_off(dev);

	rtnl_lock();
	err = register_netdevice(dev);
	if (!err) {
		rcu_assign_pointer(*eswim_end_slot(vport, is_far), dev);
		eswim_carrier_update(vport);
	}
	rtnl_unlock();
	if (err) {
		free_netdev(dev);
		return ERR_PTR(err);
	}
	return dev;
}

/**
 * eswim_netdev_destroy() - Undo eswim_netdev_create()
 * @vport: The vport.
 * @is_far: Its far end?
 */
void eswim_netdev_destroy(struct eswim_vport *vport, bool is_far)
{
	struct net_device __rcu **slot = eswim_end_slot(vport, is_far);
	struct net_device *dev;

	rtnl_lock();
	dev = rtnl_dereference(*slot);
	RCU_INIT_POINTER(*slot, NULL);
	/* Waits for the packets that have found it there. */
	unregister_netdevice(dev);
	eswim_carrier_update(vport);
	rtnl_unlock();
	free_netdev(dev);
}
