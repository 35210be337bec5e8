/* SPDX-License-Identifier: Apache-2.0 */

/* Taking rules out of their device, without Open vSwitch having asked for it:
 * one, some, or all of a port's.  The flows become EVICTING, with their last
 * counters. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "engine-private.h"
#include "flow-table.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-probes.h"
#include "recirc-parents.h"
#include "util.h"

/* A port with fewer rules has them deleted one by one, in batches, which says
 * to the packet what each had counted. */
#define FLUSH_MIN_RULES 256

/* The flow's rule isn't in its device any more. */
static void
note_removed(struct offload_flow *flow, enum offload_flow_state state,
             const struct offload_counters *counters)
{
    OFFLOAD_PROBE2(evict, &flow->ufid, &flow->port->name[0]);
    offload_port_count(flow->port, flow->port->datapath, OFFLOAD_STAT_EVICTED,
                       1);
    atomic_count_dec(&flow->port->n_rules);
    flow_table_uninstalled(flow, state, counters);
}

/* One. */

int
engine_remove_rule(struct offload_flow *flow, enum offload_flow_state state)
{
    const struct offload_backend *backend = flow->port->backend;
    struct offload_batch *device = backend->batch_begin();
    struct offload_op op = { .handle = flow->handle };

    backend->rule_del(device, flow->port, &op);
    backend->batch_commit(device);
    if (op.error) {
        return op.error;
    }
    note_removed(flow, state, &op.counters);
    recirc_links_clear(flow);
    return 0;
}

/* Some. */

void
engine_removal_init(struct engine_removal *removal, struct offload_port *port)
{
    removal->port = port;
    removal->n = removal->n_failed = 0;
    removal->force = removal->detach = false;
}

void
engine_removal_add(struct engine_removal *removal, struct offload_flow *flow)
{
    removal->flows[removal->n++] = flow;
    if (removal->n == ARRAY_SIZE(removal->flows)) {
        engine_removal_commit(removal);
    }
}

static void
finish_removal(struct engine_removal *removal, struct offload_flow *flow,
               const struct offload_op *op)
{
    if (flow->state == OFFLOAD_FLOW_INSTALLED) {
        if (!op->error || removal->force) {
            note_removed(flow, OFFLOAD_FLOW_EVICTING, &op->counters);
            recirc_links_clear(flow);
        } else {
            removal->n_failed++;
        }
    }
    if (removal->detach && flow->state != OFFLOAD_FLOW_INSTALLED) {
        flow_table_detach(flow);
    }
    flow_table_release(flow);
}

void
engine_removal_commit(struct engine_removal *removal)
{
    const struct offload_backend *backend = removal->port->backend;
    struct offload_batch *batch;

    if (!removal->n) {
        return;
    }
    batch = backend->batch_begin();
    for (size_t i = 0; i < removal->n; i++) {
        if (removal->flows[i]->state == OFFLOAD_FLOW_INSTALLED) {
            removal->ops[i].handle = removal->flows[i]->handle;
            backend->rule_del(batch, removal->port, &removal->ops[i]);
        }
    }
    backend->batch_commit(batch);

    for (size_t i = 0; i < removal->n; i++) {
        finish_removal(removal, removal->flows[i], &removal->ops[i]);
    }
    removal->n = 0;
}

int
engine_removal_claim(struct engine_removal *removal, const ovs_u128 *ufid,
                     struct offload_flow **flowp)
{
    int error = flow_table_try_claim(ufid, false, flowp);

    if (error == EBUSY) {
        /* Who waits must hold no claims. */
        engine_removal_commit(removal);
        error = flow_table_claim(ufid, false, flowp);
    }
    return error;
}

/* All. */

/* A port's flows, claimed, but for those that somebody else was at. */
struct flushing {
    struct offload_port *port;
    struct offload_flow **flows;
    size_t n, allocated;
};

static void
claim_flows(struct flushing *flushing)
{
    struct port_flows_cursor cursor;
    struct offload_flow *flow, *claimed;

    port_flows_walk(&flushing->port->flows, &cursor);
    while ((flow = port_flows_next(&flushing->port->flows, &cursor))) {
        if (flow_table_try_claim(&flow->ufid, false, &claimed)) {
            continue;
        }
        if (claimed->port != flushing->port
            || claimed->state != OFFLOAD_FLOW_INSTALLED) {
            flow_table_release(claimed);
            continue;
        }
        if (flushing->n >= flushing->allocated) {
            flushing->flows = x2nrealloc(flushing->flows, &flushing->allocated,
                                         sizeof *flushing->flows);
        }
        claimed->flush = OFFLOAD_FLUSH_CLAIMED;
        flushing->flows[flushing->n++] = claimed;
    }
}

static void
take_last_reading(const struct offload_reading *reading, void *port)
{
    struct offload_flow *flow = flow_table_lookup(&reading->ufid);

    if (flow && flow->port == port) {
        flow_table_last_reading(flow, reading);
    }
}

/* Deletes the port's rules at once, but for those that a listing left out, as
 * the kernel's may.  What is put meanwhile may be deleted as well, which shows
 * in the next dump, and is made good for then. */
static void
flush_device(struct offload_port *port, bool detach)
{
    struct flushing flushing = { .port = port };
    bool flushed;

    claim_flows(&flushing);
    flushed = !port->backend->flush(port, take_last_reading, port);
    for (size_t i = 0; i < flushing.n; i++) {
        struct offload_flow *flow = flushing.flows[i];

        bool gone = flushed && flow->flush == OFFLOAD_FLUSH_SEEN;

        flow->flush = OFFLOAD_FLUSH_NOT;
        if (gone) {
            port->backend->rule_forget(port, &flow->handle);
            note_removed(flow, OFFLOAD_FLOW_EVICTING, NULL);
            recirc_links_clear(flow);
            if (detach) {
                flow_table_detach(flow);
            }
        }
        flow_table_release(flow);
    }
    free(flushing.flows);
}

void
engine_remove_all(struct offload_port *port, bool force, bool detach)
{
    struct engine_removal removal;
    struct port_flows_cursor cursor;
    struct offload_flow *flow, *claimed;

    if (!force && port->backend->flush
        && atomic_count_get(&port->n_rules) >= FLUSH_MIN_RULES) {
        flush_device(port, detach);
    }

    /* What is left. */
    engine_removal_init(&removal, port);
    removal.force = force;
    removal.detach = detach;
    port_flows_walk(&port->flows, &cursor);
    while ((flow = port_flows_next(&port->flows, &cursor))) {
        if (engine_removal_claim(&removal, &flow->ufid, &claimed)) {
            continue;
        }
        if (claimed->port == port) {
            engine_removal_add(&removal, claimed);
        } else {
            flow_table_release(claimed);
        }
    }
    engine_removal_commit(&removal);
}
