/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PORT_FLOWS_H
#define PORT_FLOWS_H 1

/* The flows of one port, in no order.
 *
 * The shadow table finds a flow by its ufid.  What concerns a port's flows
 * only, a dump or the port's removal, walks through this list instead of the
 * whole table, which may have a thousand other ports' flows.
 *
 * A walk goes from the end to the beginning, without a lock.  One thread's
 * walk meets a flow that is in the list all the time at least once: what
 * leaves the list is replaced by its last flow, which may so be met a second
 * time, but never gets behind the walk.  Flows that come meanwhile may be
 * missed.
 *
 * Several threads may share a walk; then it may miss a flow that is moved
 * while one of them is about to look. */

#include <stdbool.h>
#include <stddef.h>

#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"

struct offload_flow;
struct port_flow_vector;

struct port_flows {
    struct ovs_mutex mutex;     /* Writers take turns. */
    OVSRCU_TYPE(struct port_flow_vector *) vector;
    atomic_uint n_flows;        /* Written with the mutex held. */
};

/* Where a walk is. */
struct port_flows_cursor {
    atomic_int next;
};

void port_flows_init(struct port_flows *);

/* Frees what the list consists of.  It must be out of everybody's sight. */
void port_flows_destroy(struct port_flows *);

/* Each flow is in one list at most, and knows its place ('port_index').  The
 * caller sees to it that no two threads add or remove one flow at a time. */
void port_flows_add(struct port_flows *, struct offload_flow *);
void port_flows_remove(struct port_flows *, struct offload_flow *);

bool port_flows_is_empty(const struct port_flows *);

void port_flows_walk(const struct port_flows *, struct port_flows_cursor *);

/* Returns NULL at the end.  What it returns stays good until the caller's
 * next quiescent state. */
struct offload_flow *port_flows_next(const struct port_flows *,
                                     struct port_flows_cursor *);

#endif /* port-flows.h */
