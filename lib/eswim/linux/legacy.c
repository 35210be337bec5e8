// SPDX-License-Identifier: GPL-2.0
/*
 * The switch in legacy mode: it knows the MAC address of each VF, sends what
 * it doesn't know out of the wire, or up to the PF if it came from there, and
 * multicast to everybody.  A VF with a VLAN of its own sees only that, and
 * without its tag.
 */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "eswim.h"

/* Consumes @skb; it is dropped if it isn't in the VF's VLAN. */
static void eswim_legacy_to_vf(struct eswim_vport *vport, struct sk_buff *skb)
{
	u16 vlan = READ_ONCE(vport->vf.vlan);

	if (vlan) {
		if (!skb_vlan_tag_present(skb) ||
		    skb_vlan_tag_get_id(skb) != vlan) {
			kfree_skb(skb);
			return;
		}
		__vlan_hwaccel_clear_tag(skb);
	}
	eswim_far_send(vport, skb);
}

static void eswim_legacy_to_uplink(struct eswim_nic *nic, struct sk_buff *skb)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = rcu_dereference(nic->vports[ESWIM_WIRE].host);
	if (dev)
		eswim_deliver(dev, skb);
	else
		kfree_skb(skb);
	rcu_read_unlock();
}

static bool eswim_legacy_is_to(struct eswim_vport *vport,
			       const struct sk_buff *skb)
{
	struct net_device *dev;
	bool is_to;

	rcu_read_lock();
	dev = rcu_dereference(vport->far);
	is_to = dev && ether_addr_equal(eth_hdr(skb)->h_dest, dev->dev_addr);
	rcu_read_unlock();
	return is_to;
}

/* The VF that @skb is addressed to, or NULL. */
static struct eswim_vport *eswim_legacy_find(struct eswim_nic *nic,
					     const struct sk_buff *skb)
{
	unsigned int i, n = READ_ONCE(nic->n_vfs);

	for (i = 1; i <= n; i++) {
		if (eswim_legacy_is_to(&nic->vports[i], skb))
			return &nic->vports[i];
	}
	return NULL;
}

/* A copy to each VF but the one it is from. */
static void eswim_legacy_to_all_vfs(struct eswim_nic *nic, struct sk_buff *skb,
				    const struct eswim_vport *from)
{
	unsigned int i, n = READ_ONCE(nic->n_vfs);
	struct sk_buff *copy;

	for (i = 1; i <= n; i++) {
		if (&nic->vports[i] == from)
			continue;
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy)
			eswim_legacy_to_vf(&nic->vports[i], copy);
	}
}

static void eswim_legacy_from_wire(struct eswim_nic *nic, struct sk_buff *skb)
{
	struct eswim_vport *to = eswim_legacy_find(nic, skb);

	if (to) {
		eswim_legacy_to_vf(to, skb);
		return;
	}
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		eswim_legacy_to_all_vfs(nic, skb, NULL);
	eswim_legacy_to_uplink(nic, skb);
}

static void eswim_legacy_from_vf(struct eswim_vport *vport,
				 struct sk_buff *skb)
{
	u16 vlan = READ_ONCE(vport->vf.vlan);
	struct eswim_nic *nic = vport->nic;
	struct net_device *uplink;
	struct eswim_vport *to;
	struct sk_buff *copy;

	if (vlan) {
		if (skb_vlan_tag_present(skb)) {
			kfree_skb(skb);
			return;
		}
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), vlan |
				       READ_ONCE(vport->vf.qos) <<
				       VLAN_PRIO_SHIFT);
	}
	to = eswim_legacy_find(nic, skb);
	if (to) {
		eswim_legacy_to_vf(to, skb);
		return;
	}
	uplink = rcu_dereference_bh(nic->vports[ESWIM_WIRE].host);
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest)) {
		eswim_legacy_to_all_vfs(nic, skb, vport);
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy)
			eswim_legacy_to_uplink(nic, copy);
	} else if (uplink && ether_addr_equal(eth_hdr(skb)->h_dest,
					      uplink->dev_addr)) {
		eswim_legacy_to_uplink(nic, skb);
		return;
	}
	eswim_far_send(&nic->vports[ESWIM_WIRE], skb);
}

/**
 * eswim_legacy_from_far() - Switch what a guest or the wire has sent
 * @vport: From where.
 * @skb: The packet, consumed.
 */
void eswim_legacy_from_far(struct eswim_vport *vport, struct sk_buff *skb)
{
	if (eswim_vport_is_wire(vport))
		eswim_legacy_from_wire(vport->nic, skb);
	else
		eswim_legacy_from_vf(vport, skb);
}

/**
 * eswim_legacy_from_uplink() - Switch what the host has sent
 * @nic: The NIC.
 * @skb: The packet, consumed.
 */
void eswim_legacy_from_uplink(struct eswim_nic *nic, struct sk_buff *skb)
{
	struct eswim_vport *to;

	to = eswim_legacy_find(nic, skb);
	if (to) {
		eswim_legacy_to_vf(to, skb);
		return;
	}
	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest))
		eswim_legacy_to_all_vfs(nic, skb, NULL);
	eswim_far_send(&nic->vports[ESWIM_WIRE], skb);
}
