/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eswim: an SR-IOV NIC with an embedded switch, in software.
 *
 * A NIC has vports.  Vport 0 is the wire, vport 1 + n is VF n.  Each vport
 * has two ends, which are network devices:
 *
 *	far end			the host's end
 *	-------			--------------
 *	wire0			uplink (PF, p0)
 *	VF 0's guest end	representor pf0vf0
 *	VF 1's guest end	representor pf0vf1
 *
 * What is sent into a far end enters the embedded switch.  In switchdev mode
 * it walks the rules that TC has put on the host's end ("walk.c"); what finds
 * no rule comes out of the host's end, as it arrived, for software to handle.
 * What software sends into the host's end comes out of the far end.  In legacy
 * mode there are no representors and the switch goes by VLAN and MAC address
 * ("legacy.c").
 *
 * Lives: a NIC is a device on the "eswim" bus; struct eswim_nic lives from
 * probe to remove, and its vports with it.  The wire lives as long as the NIC,
 * a VF's guest end as long as the VF device is bound to this driver.  The
 * host's ends are made anew by "devlink dev reload"; but for that, the uplink
 * lives as long as the NIC, a representor as long as the VF is there and the
 * mode is switchdev.
 *
 * Locks, outermost first:
 *
 *	device_lock(PF)		number of VFs
 *	devl_lock		mode, host's ends, devlink ports
 *	rtnl			network devices, VF configuration
 *	nic->rules_lock		rules, blocks, meters, faults
 *
 * Packets take none of them: they are under RCU.
 */
#ifndef ESWIM_H
#define ESWIM_H

#include <linux/device.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/devlink.h>

#include "compat.h"
#include "fault.h"

#define ESWIM_MAX_VFS	64
#define ESWIM_N_VPORTS	(1 + ESWIM_MAX_VFS)
#define ESWIM_WIRE	0

struct eswim_block;
struct eswim_nic;

/* What "ip link set PF vf N ..." has set; under rtnl, read by packets. */
struct eswim_vf_config {
	u8 mac[ETH_ALEN];
	u16 vlan;
	u8 qos;
	bool trusted;
	bool spoofchk;
	int link_state;
};

/* What "ethtool -S" counts at a vport; the names are in ethtool.c. */
enum eswim_stat {
	ESWIM_STAT_RX_PACKETS,		/* Into the switch, from the far end. */
	ESWIM_STAT_RX_BYTES,
	ESWIM_STAT_RX_MISSES,		/* Of these: no rule, to software. */
	ESWIM_STAT_RX_DROPS,		/* Of these: dropped by a rule. */
	ESWIM_STAT_TX_PACKETS,		/* Out of the switch, to the far end. */
	ESWIM_STAT_TX_BYTES,
	ESWIM_N_STATS
};

struct eswim_vport {
	struct eswim_nic *nic;
	unsigned int index;
	atomic64_t stats[ESWIM_N_STATS];
	struct net_device __rcu *host;
	struct net_device __rcu *far;
	struct eswim_block __rcu *block;	/* TC's, on the host's end. */
	struct eswim_vf_config vf;
	struct devlink_port devlink_port;
};

/* Private data of every network device of ours. */
struct eswim_end {
	struct eswim_vport *vport;
	bool is_far;
};

struct eswim_nic {
	struct device *dev;
	unsigned int id;
	struct netdev_phys_item_id switch_id;
	u16 mode;				/* DEVLINK_ESWITCH_MODE_*. */
	bool is_up;				/* Are there host's ends? */
	unsigned int n_vfs;
	struct eswim_vport vports[ESWIM_N_VPORTS];

	struct mutex rules_lock;		/* Of what follows. */
	struct list_head blocks;
	struct list_head rules;
	struct list_head meters;
	unsigned int n_rules;
	struct eswim_faults faults;
	struct delayed_work counters_work;

	struct devlink_health_reporter *reporter;
	struct dentry *debugfs;
};

/* A device of the bus: a NIC (physical function) or a VF of one. */
struct eswim_bus_dev {
	struct device dev;
	struct list_head list;
	struct eswim_nic *nic;			/* Set while bound. */
	struct eswim_bus_dev *pf;		/* Of a VF. */
	unsigned int id;			/* Of the NIC, or of the VF. */
	unsigned int n_vfs;
	struct eswim_bus_dev *vfs[ESWIM_MAX_VFS];
};

static inline struct eswim_bus_dev *to_eswim_bus_dev(struct device *dev)
{
	return container_of(dev, struct eswim_bus_dev, dev);
}

static inline struct eswim_vport *eswim_vport_of(const struct net_device *dev)
{
	return ((struct eswim_end *)netdev_priv(dev))->vport;
}

static inline bool eswim_vport_is_wire(const struct eswim_vport *vport)
{
	return vport->index == ESWIM_WIRE;
}

/* Of a packet in the switch: its outermost tag is beside it. */
static inline unsigned int eswim_frame_len(const struct sk_buff *skb)
{
	return skb->len + (skb_vlan_tag_present(skb) ? VLAN_HLEN : 0);
}

static inline void eswim_stat_add(struct eswim_vport *vport,
				  enum eswim_stat stat, unsigned int n)
{
	atomic64_add(n, &vport->stats[stat]);
}

/* Says why, with a message that isn't known when compiling. */
static inline int eswim_refuse(struct netlink_ext_ack *extack, const char *why)
{
	if (extack)
		extack->_msg = why;
	return -EOPNOTSUPP;
}

static inline bool eswim_is_switchdev(const struct eswim_nic *nic)
{
	return READ_ONCE(nic->mode) == DEVLINK_ESWITCH_MODE_SWITCHDEV;
}

/* bus.c */
int eswim_bus_init(unsigned int n_nics);
void eswim_bus_exit(void);

/* nic.c */
struct eswim_nic *eswim_nic_create(struct device *dev, unsigned int id);
void eswim_nic_destroy(struct eswim_nic *nic);
int eswim_nic_set_vfs(struct eswim_nic *nic, unsigned int n_vfs,
		      struct netlink_ext_ack *extack);
int eswim_nic_set_mode(struct eswim_nic *nic, u16 mode,
		       struct netlink_ext_ack *extack);
int eswim_nic_up(struct eswim_nic *nic);
void eswim_nic_down(struct eswim_nic *nic);

/* devlink.c */
extern const struct devlink_ops eswim_devlink_ops;
int eswim_devlink_port_add(struct eswim_vport *vport);
void eswim_devlink_port_del(struct eswim_vport *vport);

/* health.c */
int eswim_health_add(struct eswim_nic *nic);
void eswim_health_del(struct eswim_nic *nic);
void eswim_health_reload(struct eswim_nic *nic);
void eswim_health_fail(struct eswim_nic *nic);

/* netdev.c: what both ends share. */
struct net_device *
eswim_netdev_create(struct eswim_vport *vport, bool is_far, const char *name,
		    const struct net_device_ops *ops, struct device *parent);
void eswim_netdev_destroy(struct eswim_vport *vport, bool is_far);
void eswim_carrier_update(struct eswim_vport *vport);
struct sk_buff *eswim_enter(struct sk_buff *skb);
void eswim_skb_set_headers(struct sk_buff *skb);
void eswim_deliver(struct net_device *dev, struct sk_buff *skb);
int eswim_ndo_init(struct net_device *dev);
void eswim_ndo_uninit(struct net_device *dev);
int eswim_ndo_open(struct net_device *dev);
int eswim_ndo_stop(struct net_device *dev);

/* host.c: uplink and representors. */
int eswim_host_create(struct eswim_vport *vport);
void eswim_host_destroy(struct eswim_vport *vport);
struct eswim_vport *eswim_host_vport(const struct net_device *dev);

/* far.c: wire and guest ends. */
int eswim_far_create(struct eswim_vport *vport, struct device *parent);
void eswim_far_destroy(struct eswim_vport *vport);
void eswim_far_send(struct eswim_vport *vport, struct sk_buff *skb);

/* vf.c: "ip link set PF vf N ...". */
void eswim_vf_config_init(struct eswim_vf_config *vf);
int eswim_ndo_set_vf_mac(struct net_device *dev, int vf, u8 *mac);
int eswim_ndo_set_vf_vlan(struct net_device *dev, int vf, u16 vlan, u8 qos,
			  __be16 proto);
int eswim_ndo_set_vf_trust(struct net_device *dev, int vf, bool on);
int eswim_ndo_set_vf_spoofchk(struct net_device *dev, int vf, bool on);
int eswim_ndo_set_vf_link_state(struct net_device *dev, int vf, int state);
int eswim_ndo_get_vf_config(struct net_device *dev, int vf,
			    struct ifla_vf_info *info);

/* ethtool.c */
extern const struct ethtool_ops eswim_ethtool_ops;

/* legacy.c, walk.c: the embedded switch; both consume the packet. */
void eswim_legacy_from_far(struct eswim_vport *vport, struct sk_buff *skb);
void eswim_legacy_from_uplink(struct eswim_nic *nic, struct sk_buff *skb);
void eswim_walk(struct eswim_vport *vport, struct sk_buff *skb);

/* tc.c */
int eswim_ndo_setup_tc(struct net_device *dev, enum tc_setup_type type,
		       void *type_data);
bool eswim_tc_in_use(struct eswim_vport *vport);

/* shared.c: actions that TC has apart from rules. */
int eswim_shared_add(struct eswim_nic *nic);
void eswim_shared_del(struct eswim_nic *nic);

/* debugfs.c */
void eswim_debugfs_init(void);
void eswim_debugfs_exit(void);
void eswim_debugfs_add(struct eswim_nic *nic);
void eswim_debugfs_del(struct eswim_nic *nic);

#endif
