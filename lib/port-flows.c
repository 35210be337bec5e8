/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "port-flows.h"

#include <stdlib.h>

#include "flow-table.h"
#include "util.h"

/* So many flows ahead of a walk. */
#define PREFETCH_DISTANCE 4

/* Replaced by a larger one when it is full, never by a smaller one. */
struct port_flow_vector {
    size_t allocated;
    ATOMIC(struct offload_flow *) flows[];
};

void
port_flows_init(struct port_flows *list)
{
    ovs_mutex_init(&list->mutex);
    ovsrcu_init(&list->vector, NULL);
    atomic_init(&list->n_flows, 0);
}

void
port_flows_destroy(struct port_flows *list)
{
    free(ovsrcu_get_protected(struct port_flow_vector *, &list->vector));
    ovs_mutex_destroy(&list->mutex);
}

/* The number of flows, for who holds the mutex. */
static unsigned int
length(const struct port_flows *list)
    OVS_REQUIRES(list->mutex)
{
    unsigned int n;

    atomic_read_relaxed(&CONST_CAST(struct port_flows *, list)->n_flows, &n);
    return n;
}

/* Makes room for one more flow than the 'n' that there are. */
static struct port_flow_vector *
vector_grow(struct port_flows *list, struct port_flow_vector *old, size_t n)
    OVS_REQUIRES(list->mutex)
{
    size_t allocated = old ? 2 * old->allocated : 16;
    struct port_flow_vector *new
        = xzalloc(sizeof *new + allocated * sizeof new->flows[0]);

    new->allocated = allocated;
    for (size_t i = 0; i < n; i++) {
        struct offload_flow *flow;

        atomic_read_relaxed(&old->flows[i], &flow);
        atomic_init(&new->flows[i], flow);
    }
    ovsrcu_set(&list->vector, new);
    if (old) {
        ovsrcu_postpone(free, old);
    }
    return new;
}

static void
vector_put(struct port_flow_vector *vector, size_t i,
           struct offload_flow *flow)
{
    atomic_store_explicit(&vector->flows[i], flow, memory_order_release);
    if (flow) {
        flow->port_index = i;
    }
}

void
port_flows_add(struct port_flows *list, struct offload_flow *flow)
{
    struct port_flow_vector *vector;
    unsigned int n;

    ovs_mutex_lock(&list->mutex);
    n = length(list);
    vector = ovsrcu_get_protected(struct port_flow_vector *, &list->vector);
    if (!vector || n >= vector->allocated) {
        vector = vector_grow(list, vector, n);
    }
    vector_put(vector, n, flow);
    atomic_store(&list->n_flows, n + 1);
    ovs_mutex_unlock(&list->mutex);
}

void
port_flows_remove(struct port_flows *list, struct offload_flow *flow)
{
    struct port_flow_vector *vector;
    struct offload_flow *last;
    unsigned int n;

    ovs_mutex_lock(&list->mutex);
    n = length(list);
    vector = ovsrcu_get_protected(struct port_flow_vector *, &list->vector);
    atomic_read_relaxed(&vector->flows[n - 1], &last);
    /* First to its new place: a walk may meet it twice, but must not miss
     * it. */
    vector_put(vector, flow->port_index, last);
    vector_put(vector, n - 1, NULL);
    atomic_store(&list->n_flows, n - 1);
    ovs_mutex_unlock(&list->mutex);
}

static unsigned int
count(const struct port_flows *list)
{
    unsigned int n;

    /* In one order with 'alive' of struct offload_port: of who adds a flow and
     * who removes the port, at least one sees the other. */
    atomic_read(&CONST_CAST(struct port_flows *, list)->n_flows, &n);
    return n;
}

bool
port_flows_is_empty(const struct port_flows *list)
{
    return !count(list);
}

void
port_flows_walk(const struct port_flows *list,
                struct port_flows_cursor *cursor)
{
    atomic_init(&cursor->next, count(list));
}

/* Fetches a flow that a walk will soon get to: in a large table none is in the
 * processor's cache, and waiting for each costs more than all else. */
static void
prefetch_flow(struct port_flow_vector *vector, int i)
{
    struct offload_flow *flow;

    if (i >= 0) {
        atomic_read_relaxed(&vector->flows[i], &flow);
        for (size_t j = 0; j < sizeof *flow; j += CACHE_LINE_SIZE) {
            OVS_PREFETCH((const char *) flow + j);
        }
    }
}

struct offload_flow *
port_flows_next(const struct port_flows *list,
                struct port_flows_cursor *cursor)
{
    struct port_flow_vector *vector
        = ovsrcu_get(struct port_flow_vector *, &list->vector);
    struct offload_flow *flow = NULL;
    int i = 0;

    while (!flow) {
        atomic_read_relaxed(&cursor->next, &i);
        if (i <= 0) {
            return NULL;
        }
        atomic_sub(&cursor->next, 1, &i);
        if (i <= 0) {
            return NULL;
        }
        atomic_read_explicit(&vector->flows[i - 1], &flow,
                             memory_order_acquire);
    }
    prefetch_flow(vector, i - 1 - PREFETCH_DISTANCE);
    return flow;
}
