// SPDX-License-Identifier: GPL-2.0
/* What "ip link set PF vf N ..." sets; all of it under rtnl. */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

#include "eswim.h"

void eswim_vf_config_init(struct eswim_vf_config *vf)
{
	memset(vf, 0, sizeof(*vf));
	vf->link_state = IFLA_VF_LINK_STATE_AUTO;
}

static struct eswim_vport *eswim_vf_of(struct net_device *uplink, int vf)
{
	struct eswim_nic *nic = eswim_vport_of(uplink)->nic;

	if (vf < 0 || vf >= nic->n_vfs)
		return NULL;
	return &nic->vports[1 + vf];
}

/* The guest sees its new address at once.  All zeros: the guest's choice. */
int eswim_ndo_set_vf_mac(struct net_device *dev, int vf, u8 *mac)
{
	struct eswim_vport *vport = eswim_vf_of(dev, vf);
	struct net_device *far;

	if (!vport || is_multicast_ether_addr(mac))
		return -EINVAL;
	ether_addr_copy(vport->vf.mac, mac);
	far = rtnl_dereference(vport->far);
	if (far && is_valid_ether_addr(mac)) {
		eth_hw_addr_set(far, mac);
		call_netdevice_notifiers(NETDEV_CHANGEADDR, far);
	}
	return 0;
}

/* A VLAN that the guest doesn't see.  In switchdev mode VLANs are for rules. */
int eswim_ndo_set_vf_vlan(struct net_device *dev, int vf, u16 vlan, u8 qos,
			  __be16 proto)
{
	struct eswim_vport *vport = eswim_vf_of(dev, vf);

	if (!vport || vlan >= VLAN_N_VID || qos > 7)
		return -EINVAL;
	if (proto != htons(ETH_P_8021Q))
		return -EPROTONOSUPPORT;
	if (eswim_is_switchdev(vport->nic) && (vlan || qos))
		return -EOPNOTSUPP;
	WRITE_ONCE(vport->vf.vlan, vlan);
	WRITE_ONCE(vport->vf.qos, qos);
	return 0;
}

int eswim_ndo_set_vf_trust(struct net_device *dev, int vf, bool on)
{
	struct eswim_vport *vport = eswim_vf_of(dev, vf);

	if (!vport)
		return -EINVAL;
	vport->vf.trusted = on;
	return 0;
}

int eswim_ndo_set_vf_spoofchk(struct net_device *dev, int vf, bool on)
{
	struct eswim_vport *vport = eswim_vf_of(dev, vf);

	if (!vport)
		return -EINVAL;
	WRITE_ONCE(vport->vf.spoofchk, on);
	return 0;
}

int eswim_ndo_set_vf_link_state(struct net_device *dev, int vf, int state)
{
	struct eswim_vport *vport = eswim_vf_of(dev, vf);

	if (!vport || state < 0 || state >= __IFLA_VF_LINK_STATE_MAX)
		return -EINVAL;
	vport->vf.link_state = state;
	eswim_carrier_update(vport);
	return 0;
}

int eswim_ndo_get_vf_config(struct net_device *dev, int vf,
			    struct ifla_vf_info *info)
{
	struct eswim_vport *vport = eswim_vf_of(dev, vf);

	if (!vport)
		return -EINVAL;
	info->vf = vf;
	ether_addr_copy(info->mac, vport->vf.mac);
	info->vlan = vport->vf.vlan;
	info->qos = vport->vf.qos;
	info->vlan_proto = htons(ETH_P_8021Q);
	info->trusted = vport->vf.trusted;
	info->spoofchk = vport->vf.spoofchk;
	info->linkstate = vport->vf.link_state;
	return 0;
}
