/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_PORT_H
#define TC_PORT_H 1

/* A port's place in traffic control: its qdisc, or its shared block.
 *
 * Plain ports and tunnels use the "ingress" qdisc, or the bond's shared block
 * on it.  Internal ports, whose packets come from the host's stack, are
 * matched on their egress and need "clsact".  A qdisc that was there before is
 * kept; one that we made is deleted at close if no filter of anybody else's is
 * left on it.
 *
 * tc_port_open() stores a struct tc_port in port->aux, tc_port_close() frees
 * it by RCU. */

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

struct offload_port;
struct offload_refusal;

struct tc_port {
    uint32_t parent;            /* For tcm_parent. */
    uint32_t block;             /* Shared block, or 0. */
    bool own_qdisc;             /* We made it. */
};

int tc_port_open(struct offload_port *, struct offload_refusal *);
void tc_port_close(struct offload_port *);

/* Fills in tcm_family, tcm_ifindex and tcm_parent (or the block). */
void tc_port_address(const struct offload_port *, struct tcmsg *);

/* Deletes all our filters on the port (recognised by tc_filter_is_ours()). */
int tc_port_flush(struct offload_port *);

#endif /* tc-port.h */
