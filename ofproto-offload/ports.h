/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_PORTS_H
#define OFFLOAD_PORTS_H 1

/* The kernel datapath's ports, told to the engine.
 *
 * Open vSwitch keeps a map from datapath port numbers to netdevs, under a lock
 * that its callers often hold when they call us.  We see what goes into that
 * map and what is taken out (netdev_ports_insert(), netdev_ports_remove()),
 * and never ask it.
 *
 * A port is known from its insertion on, whether offload is enabled or not. It
 * is open once Open vSwitch wants flows of it offloaded.
 *
 * Thread-safe. */

#include "offload-port.h"

struct netdev;
struct offload_port;
struct offload_refusal;

/* Opens the port of 'netdev' for rules.  If that can't be done, the reason is
 * logged and kept, and its flows stay in software. */
void ports_open(const struct netdev *);

/* The port of 'netdev', or NULL.  Good until the caller quiesces. */
struct offload_port *ports_lookup(const struct netdev *);

/* The kind of 'netdev'. */
enum offload_port_kind ports_kind(const struct netdev *);

/* Why a port can't be offloaded, if that is known: stores the reason in
 * '*refusal' and returns true. */
bool ports_refusal(odp_port_t, struct offload_refusal *);
/* A port as Open vSwitch inserted it into the kernel datapath. */
struct ports_entry {
    odp_port_t odp_port;
    const char *name;           /* Of the network device. */
    enum offload_port_kind kind;
    int ifindex;                /* 0 if the device has none. */
    const char *refusal;        /* Why its flows can't be offloaded, or
                                 * NULL. */
};

/* Calls 'cb' for each of them, in no order.  It must not call what is in this
 * file. */
void ports_for_each(void (*cb)(const struct ports_entry *, void *aux),
                    void *aux);

#endif /* ports.h */
