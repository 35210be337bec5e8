/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this driver builds for: 6.1 to 6.12.
 * A caller sees one kernel; nothing else in this folder asks for a version.
 */
#ifndef ESWIM_COMPAT_H
#define ESWIM_COMPAT_H

#include <linux/device.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/devlink.h>

/* 6.2: a network device is told of its devlink port once, in advance. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
static inline void eswim_compat_set_port(struct net_device *dev,
					 struct devlink_port *port)
{
	SET_NETDEV_DEVLINK_PORT(dev, port);
}

static inline void eswim_compat_port_up(struct devlink_port *port,
					struct net_device *dev)
{
}

static inline void eswim_compat_port_down(struct devlink_port *port)
{
}

#define ESWIM_NDO_GET_DEVLINK_PORT(function)
#else
static inline void eswim_compat_set_port(struct net_device *dev,
					 struct devlink_port *port)
{
}

static inline void eswim_compat_port_up(struct devlink_port *port,
					struct net_device *dev)
{
	devlink_port_type_eth_set(port, dev);
}

static inline void eswim_compat_port_down(struct devlink_port *port)
{
	devlink_port_type_clear(port);
}

#define ESWIM_NDO_GET_DEVLINK_PORT(function)	\
	.ndo_get_devlink_port = (function),
#endif

/* 6.2: the core fills in the driver's name. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
static inline int eswim_compat_info_driver(struct devlink_info_req *req,
					   const char *name)
{
	return 0;
}
#else
static inline int eswim_compat_info_driver(struct devlink_info_req *req,
					   const char *name)
{
	return devlink_info_driver_name_put(req, name);
}
#endif

/* 6.4: who has the operations for "devlink dev reload" has it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
static inline void eswim_compat_allow_reload(struct devlink *devlink)
{
}
#else
static inline void eswim_compat_allow_reload(struct devlink *devlink)
{
	devlink_set_features(devlink, DEVLINK_F_RELOAD);
}
#endif

/* TC at ingress leaves a packet alone; without CONFIG_NET_CLS_ACT there is no
 * TC there.
 */
static inline void eswim_compat_skip_classify(struct sk_buff *skb)
{
#ifdef CONFIG_NET_CLS_ACT
	skb->tc_skip_classify = 1;
#endif
}

/* 6.4: attributes of a bus are told of a constant bus. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define ESWIM_CONST_BUS const
#else
#define ESWIM_CONST_BUS
#endif

#endif
