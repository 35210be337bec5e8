/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_NIC_PORTS_H
#define OFFLOAD_NIC_PORTS_H 1

/* What the kernel says that its network devices are: which of them are ports
 * of a NIC's eswitch, and what is behind them.
 *
 * It is asked by netlink, once for all devices: devlink for ports; rtnetlink
 * for phys_switch_id and, where devlink says nothing (its NICs may belong to
 * another network namespace), phys_port_name, whose form the kernel defines.
 * Nothing is concluded from a device's name.  dpdk-nic-ports.c does the same
 * for DPDK's.
 *
 * Belongs to the thread that read it. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/hmap.h"

enum nic_port_flavour {
    NIC_PORT_NONE,              /* Not an eswitch's, or not known to be. */
    NIC_PORT_UPLINK,            /* A physical port. */
    NIC_PORT_PF,                /* Representors. */
    NIC_PORT_VF,
    NIC_PORT_SF,
    NIC_PORT_OTHER,             /* An eswitch's, of another flavour. */
};

struct nic_port {
    struct hmap_node node;      /* In 'ports', by 'ifindex'. */
    int ifindex;
    int master;                 /* Ifindex of the bond it is a part of, 0. */
    char name[64];
    char link_kind[IFNAMSIZ];   /* "vxlan", "bond" ..., "". */
    char switch_id[65];         /* In hexadecimal; "": none. */
    char port_name[IFNAMSIZ];   /* phys_port_name; "": none. */
    char device[80];            /* devlink's "bus/device"; "": none. */
    enum nic_port_flavour flavour;
    const char *source;         /* Who said so: "devlink", "phys_port_name";
                                 * static, or NULL. */
    int64_t number;             /* Physical port; -1: unknown, as below. */
    int64_t controller, pf, vf, sf;
};

struct nic_ports {
    struct hmap ports;
};

/* Asks the kernel.  Returns 0 or a positive errno, with what could be read;
 * nic_ports_destroy() is to be called in either case. */
int nic_ports_read(struct nic_ports *);
void nic_ports_destroy(struct nic_ports *);

/* NULL if there is no such device. */
const struct nic_port *nic_ports_find(const struct nic_ports *, int ifindex);

/* Has the device's owner switched offload of TC on (ethtool -K NAME
 * hw-tc-offload on)?  Returns 0 or a positive errno, EOPNOTSUPP if the device
 * doesn't know of it. */
int nic_port_tc_offload(const char *name, bool *on);

#endif /* nic-ports.h */
