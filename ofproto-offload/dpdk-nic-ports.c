/* SPDX-License-Identifier: Apache-2.0 */

/* What DPDK says that its ports are.
 *
 * A port belongs to an eswitch if it has a switch domain.  The number of a
 * representor isn't told by itself, but DPDK finds the port of a number
 * ("DEVICE,representor=vf3"), and says which numbers there may be. */

/* For rte_eth_representor_info_get(). */
#define ALLOW_EXPERIMENTAL_API 1

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dpdk-offload.h"
#include "hash.h"
#include "nic-ports.h"
#include "util.h"

/* Nobody has more. */
#define MAX_REPRESENTORS 4096

static struct nic_port *
find(struct nic_ports *ports, uint16_t id)
{
    return CONST_CAST(struct nic_port *, nic_ports_find(ports, id));
}

static void
read_port(struct nic_ports *ports, uint16_t id)
{
    struct rte_eth_dev_info info;
    struct nic_port *port;
    char name[RTE_ETH_NAME_MAX_LEN];

    if (rte_eth_dev_info_get(id, &info)
        || rte_eth_dev_get_name_by_port(id, name)) {
        return;
    }
    port = xzalloc(sizeof *port);
    port->ifindex = id;
    port->number = port->controller = port->pf = port->vf = port->sf = -1;
    ovs_strlcpy(port->name, name, sizeof port->name);
    ovs_strlcpy(port->device, rte_dev_name(info.device), sizeof port->device);
    if (info.switch_info.domain_id != RTE_ETH_DEV_SWITCH_DOMAIN_ID_INVALID) {
        bool representor = *info.dev_flags & RTE_ETH_DEV_REPRESENTOR;

        snprintf(port->switch_id, sizeof port->switch_id, "%s/%"PRIu16,
                 info.switch_info.name ? info.switch_info.name : "domain",
                 info.switch_info.domain_id);
        port->flavour = representor ? NIC_PORT_OTHER : NIC_PORT_UPLINK;
        port->source = "dpdk";
    }
    hmap_insert(&ports->ports, &port->node, hash_int(id, 0));
}

static void
read_representor(struct nic_ports *ports, const struct nic_port *owner,
                 const struct rte_eth_representor_range *range, uint32_t i)
{
    bool vf = range->type == RTE_ETH_REPRESENTOR_VF;
    uint32_t number = (vf ? range->vf : range->sf) + i;
    struct rte_dev_iterator iterator;
    char devargs[128];
    uint16_t id;

    snprintf(devargs, sizeof devargs, "%s,representor=%s%"PRIu32,
             owner->device, vf ? "vf" : "sf", number);
    RTE_ETH_FOREACH_MATCHING_DEV (id, devargs, &iterator) {
        struct nic_port *port = find(ports, id);

        if (port && port->flavour == NIC_PORT_OTHER) {
            port->flavour = vf ? NIC_PORT_VF : NIC_PORT_SF;
            *(vf ? &port->vf : &port->sf) = number;
            port->pf = range->pf;
            port->controller = range->controller ? range->controller : -1;
        }
    }
}

/* All that the owner of an eswitch may have. */
static void
read_representors(struct nic_ports *ports, const struct nic_port *owner)
{
    struct rte_eth_representor_info *info;
    int n = rte_eth_representor_info_get(owner->ifindex, NULL);

    if (n <= 0) {
        return;
    }
    info = xzalloc(sizeof *info + n * sizeof info->ranges[0]);
    info->nb_ranges_alloc = n;
    if (rte_eth_representor_info_get(owner->ifindex, info) >= 0) {
        for (uint32_t i = 0; i < info->nb_ranges; i++) {
            const struct rte_eth_representor_range *range = &info->ranges[i];
            uint32_t last = MIN(range->id_end - range->id_base,
                                MAX_REPRESENTORS);

            if (range->type == RTE_ETH_REPRESENTOR_VF
                || range->type == RTE_ETH_REPRESENTOR_SF) {
                for (uint32_t j = 0; j <= last; j++) {
                    read_representor(ports, owner, range, j);
                }
            }
        }
    }
    free(info);
}

void
dpdk_nic_ports_read(struct nic_ports *ports)
{
    const struct nic_port *port;
    uint16_t id;

    hmap_init(&ports->ports);
    RTE_ETH_FOREACH_DEV (id) {
        read_port(ports, id);
    }
    HMAP_FOR_EACH (port, node, &ports->ports) {
        if (port->flavour == NIC_PORT_UPLINK) {
            read_representors(ports, port);
        }
    }
}
