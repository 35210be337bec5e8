/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_PORT_H
#define TC_PORT_H 1

/* A port's place in traffic control: its qdisc, or its shared block.
 *
 * Plain ports and tunnels use the "ingress" qdisc, or the bond's shared block
 * on it.  Internal ports, whose packets come from the host's stack, are
 * matched on their egress and need "clsact".
 *
 * A qdisc that was there before is kept if it will do, be it ingress or clsact
 * (it may have somebody's filters on it, such as Open vSwitch's own ingress
 * policing).  One that won't do (an ingress without egress, another block) is
 * replaced if nobody else has filters on it; else the port is refused.  A
 * qdisc that we made, or an earlier daemon whose filters were on it, is
 * deleted at close if no filter of anybody else's is left on it.
 *
 * Open vSwitch's ingress policing (lib/netdev-linux.c) deletes and re-creates
 * the "ingress" qdisc, and with it all our filters, if it is configured while
 * hw-offload is off; once hw-offload has been switched on, which is for good,
 * it only adds and deletes a filter with prio 1.
 *
 * tc_port_open() stores a struct tc_port in port->aux, tc_port_close() frees
 * it by RCU. */

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-backend.h"
#include "ovs-atomic.h"

struct offload_port;
struct offload_refusal;
struct tc_dump;

struct tc_port {
    uint32_t parent;            /* For tcm_parent. */
    uint32_t block;             /* Shared block, or 0. */
    atomic_bool own_qdisc;      /* We made it, or an earlier daemon. */
    ATOMIC(long long int) next_repair;      /* Not before, msec. */
    struct offload_received before;     /* When it was opened, or zeros. */
};

/* Also probes the kernel's capabilities and deletes an earlier daemon's
 * meters, the first time, and an earlier daemon's filters on the port. */
int tc_port_open(struct offload_port *, struct offload_refusal *);
void tc_port_close(struct offload_port *);

/* Sees to it that the port has its qdisc, for when the kernel refuses a rule
 * as if it weren't there: somebody may have deleted it, and all rules with it.
 * Returns 0 or a positive errno. */
int tc_port_repair(struct offload_port *);

/* Fills in tcm_family, tcm_ifindex and tcm_parent (or the block). */
void tc_port_address(const struct offload_port *, struct tcmsg *);

/* Begins a dump of all filters on the port, as terse as the kernel can.
 * Returns 0 or a positive errno; then there is no dump. */
int tc_port_dump_start(const struct offload_port *, struct tc_dump **);

/* Deletes all our filters on the port (recognised by tc_filter_is_ours()),
 * whole prios at once where nobody else has any, having shown each to the
 * observer, if there is one.  Returns 0, also if the device has gone, or a
 * positive errno. */
struct tc_filter;
struct tc_observer {
    void (*look)(const struct tc_filter *, void *aux);
    void *aux;
};
int tc_port_flush(struct offload_port *, const struct tc_observer *);

/* The same for whatever 'tcm' addresses, and for what 'is_ours' says is ours:
 * tc_filter_is_ours() or, of what an earlier daemon has left,
 * tc_filter_is_ovs().  Stores in '*flushed' (if not NULL) how many filters
 * were there. */
typedef bool tc_filter_predicate(const struct tc_filter *);
struct tc_flushed {
    size_t n_ours;              /* Now deleted. */
    size_t n_foreign;
};
int tc_flush(const struct tcmsg *tcm, tc_filter_predicate *is_ours,
             struct tc_flushed *);

#endif /* tc-port.h */
