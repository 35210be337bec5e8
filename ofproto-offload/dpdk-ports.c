/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "dpdk-offload.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

#include "engine.h"
#include "netdev-dpdk.h"
#include "netdev-offload.h"
#include "netdev-provider.h"
#include "netdev-vport.h"
#include "netdev.h"
#include "offload-port.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "ports.h"
#include "rte/rte-rules.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_dpdk_ports);

OFFLOAD_WRAP(rte_eth_dev_reset);
OFFLOAD_WRAP(rte_eth_dev_start);
OFFLOAD_WRAP(rte_eth_dev_stop);

bool
dpdk_serves(const struct netdev *netdev)
{
    const char *dpif_type = netdev_get_dpif_type(netdev);

    return dpif_type && !strcmp(dpif_type, "netdev");
}

/* The DPDK port of 'netdev', or OFFLOAD_NO_DPDK. */
static uint16_t
dpdk_id(struct netdev *netdev)
{
    int id;

    if (netdev_vport_is_vport_class(netdev_get_class(netdev))
        || !netdev_dpdk_flow_api_supported(netdev)) {
        return OFFLOAD_NO_DPDK;
    }
    id = netdev_dpdk_get_port_id(netdev);
    return id >= 0 && rte_eth_dev_is_valid_port(id) ? id : OFFLOAD_NO_DPDK;
}

/* Tunnels that carry more, or other things, than Ethernet frames with an id
 * stay in software. */
static enum offload_port_kind
port_kind(const struct netdev *netdev, ovs_be16 *tp_dst)
{
    enum offload_port_kind kind = ports_kind(netdev);
    const struct netdev_tunnel_config *cfg;

    *tp_dst = htons(0);
    cfg = (offload_port_kind_is_tunnel(kind)
           ? netdev_get_tunnel_config(netdev) : NULL);
    if (cfg) {
        *tp_dst = cfg->dst_port;
        if (cfg->exts || cfg->pt_mode == NETDEV_PT_LEGACY_L3
            || cfg->pt_mode == NETDEV_PT_AWARE) {
            kind = OFFLOAD_PORT_OTHER_TUNNEL;
        }
    }
    return kind;
}

static bool
is_assigned(const struct netdev *netdev)
{
    return ovsrcu_get(const struct netdev_flow_api *, &netdev->flow_api)
           == &dpdk_flow_api;
}

void
dpdk_ports_add(struct netdev *netdev, odp_port_t odp_port)
{
    enum offload_port_kind kind;
    ovs_be16 tp_dst;

    if (dpdk_serves(netdev)) {
        kind = port_kind(netdev, &tp_dst);
        engine_port_add_netdev(odp_port, netdev_get_name(netdev), kind,
                               dpdk_id(netdev), tp_dst);
        if (is_assigned(netdev)) {
            /* It was a port before: Open vSwitch won't open it again. */
            dpdk_ports_open(netdev);
        }
    }
}

void
dpdk_ports_remove(odp_port_t odp_port)
{
    engine_port_remove_netdev(odp_port);
}

/* A port by what Open vSwitch's netdev is. */
struct wanted {
    const char *name;
    struct offload_port *port;
};

static void
find_port(struct offload_port *port, void *wanted_)
{
    struct wanted *wanted = wanted_;

    if (port->datapath == OFFLOAD_DP_NETDEV
        && !strncmp(port->name, wanted->name, sizeof port->name - 1)) {
        wanted->port = port;
    }
}

struct offload_port *
dpdk_ports_lookup(const struct netdev *netdev)
{
    struct wanted wanted = { .name = netdev_get_name(netdev) };

    if (dpdk_serves(netdev)) {
        offload_port_for_each(find_port, &wanted);
    }
    return wanted.port;
}

int
dpdk_ports_open(const struct netdev *netdev)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct offload_port *port = dpdk_ports_lookup(netdev);
    struct ds s = DS_EMPTY_INITIALIZER;
    int error;

    if (!port) {
        return EOPNOTSUPP;
    }
    error = engine_port_open_netdev(port->odp_port, &refusal);
    if (error) {
        offload_refusal_format(&refusal, &s);
        VLOG_DBG("%s: flows can't be offloaded: %s", netdev_get_name(netdev),
                 ds_cstr(&s));
        ds_destroy(&s);
        return error;
    }
    dpdk_queue_start();
    dpdk_queue_retry();
    return 0;
}

/* Devices.
 *
 * Open vSwitch stops a device to configure it anew, and doesn't take its rules
 * out before.  It holds the netdev's mutex then: no function of netdev-dpdk is
 * called here. */

int
__wrap_rte_eth_dev_start(uint16_t id)
{
    int error = __real_rte_eth_dev_start(id);

    if (!error) {
        rte_device_started(id);
        dpdk_queue_retry();
    }
    return error;
}

int
__wrap_rte_eth_dev_stop(uint16_t id)
{
    rte_device_stopping(id);
    return __real_rte_eth_dev_stop(id);
}

int
__wrap_rte_eth_dev_reset(uint16_t id)
{
    rte_device_stopping(id);
    return __real_rte_eth_dev_reset(id);
}
