/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_TRACE_H
#define OFFLOAD_TRACE_H 1

/* Which megaflows a packet would make: Open vSwitch's translation without its
 * side effects, followed through recirculation.  Nothing is installed, learnt
 * or sent.
 *
 * After connection tracking, the packet is taken for the first of a new
 * connection, as by ofproto/trace. */

#include <stddef.h>

#include "datapath.h"
#include "odp-util.h"

struct dp_packet;
struct flow;

#define TRACE_MAX_STAGES 16

struct trace_stage {
    struct datapath_flow flow;  /* The megaflow; its ufid is 0. */
    enum slow_path_reason slow; /* The daemon handles each packet. */
    const char *error;          /* Translation failed, so packets are
                                 * dropped; or NULL. */
};

/* Traces 'flow', whose input port is the datapath's; 'packet' may be NULL.
 * Stores at most TRACE_MAX_STAGES stages, which the caller frees with
 * trace_destroy(), and returns their number.  If there is none, '*error' says
 * why, and must be freed. */
size_t trace_flow(const struct datapath *, const struct flow *,
                  const struct dp_packet *, struct trace_stage[],
                  char **error);
void trace_destroy(struct trace_stage[], size_t n);

#endif /* trace.h */
