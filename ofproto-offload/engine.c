/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "engine.h"

#include <errno.h>
#include <string.h>

#include "coverage.h"
#include "engine-private.h"
#include "flow-spec.h"
#include "flow-table.h"
#include "netlink.h"
#include "occupancy.h"
#include "offload-backend.h"
#include "offload-probes.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "recirc-parents.h"
#include "refusal-log.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(offload_engine);

COVERAGE_DEFINE(offload_put);
COVERAGE_DEFINE(offload_replace);
COVERAGE_DEFINE(offload_delete);
COVERAGE_DEFINE(offload_refuse);
COVERAGE_DEFINE(offload_evict);

static struct vlog_rate_limit refusal_rl = VLOG_RATE_LIMIT_INIT(60, 30);

/* One operation on its way through a batch. */
struct engine_task {
    struct engine_op *op;
    struct offload_flow *flow;      /* Claimed. */
    struct offload_port *port;
    struct offload_op device;       /* What the backend is asked. */
    bool refused;                   /* A put that was refused: 'device' is the
                                     * deletion of the old rule. */
    bool asked;                     /* 'device' was given to the backend. */
    uint32_t ids[RECIRC_MAX_IDS];   /* Where the flow recirculates to. */
    size_t n_ids;
};

/* A place whose children must leave their devices. */
struct engine_stranded {
    odp_port_t in_port;
    uint32_t recirc_id;
};

#define ENGINE_BATCH 64

/* A thread's batch. */
struct engine_batch {
    const struct offload_backend *backend;  /* NULL: nothing asked yet. */
    struct offload_batch *device;
    size_t n;
    struct engine_task tasks[ENGINE_BATCH];

    /* Of the put in preparation: what it parses into, and where it
     * recirculates to. */
    struct offload_rule rule;
    int rule_error;                         /* It can't be parsed. */
    uint32_t ids[RECIRC_MAX_IDS];
    size_t n_ids;

    long long int start, end;               /* Of its work, in usec. */

    struct engine_stranded stranded[ENGINE_BATCH * RECIRC_MAX_IDS];
    size_t n_stranded;
};

DEFINE_PER_THREAD_MALLOCED_DATA(struct engine_batch *, engine_batch);

/* True if the datapath was last seen to share its recirculation ids. */
static atomic_bool recirc_is_shared = ATOMIC_VAR_INIT(false);

/* Refusals. */

static void
note_refusal_at(const struct offload_refusal *refusal,
                const struct refusal_place *place, const ovs_u128 *ufid)
{
    COVERAGE_INC(offload_refuse);
    OFFLOAD_PROBE5(refuse, ufid, place->port,
                   offload_refusal_name(refusal->code), refusal->subject,
                   &refusal->detail[0]);
    refusal_log_note(refusal, place, ufid);
    if (!VLOG_DROP_DBG(&refusal_rl)) {
        struct ds s = DS_EMPTY_INITIALIZER;

        offload_refusal_format(refusal, &s);
        VLOG_DBG("%s: flow ufid:"UUID_FMT" stays in software: %s",
                 place->port ? place->port : "unknown port",
                 UUID_ARGS((const struct uuid *) ufid), ds_cstr(&s));
        ds_destroy(&s);
    }
}

void
engine_note_refusal(const struct offload_refusal *refusal,
                    const struct offload_port *port, const ovs_u128 *ufid)
{
    struct refusal_place place = { port->datapath, port->odp_port,
                                   port->name };

    note_refusal_at(refusal, &place, ufid);
}

int
engine_refuse_orphan(struct offload_refusal *refusal, uint32_t recirc_id)
{
    return offload_refuse(refusal, OFFLOAD_REFUSED_PARENT, "recirc_id",
                          "the stage before it must be offloaded first: "
                          "offload/explain shows it",
                          "recirc_id %#"PRIx32, recirc_id);
}

int
engine_refuse_limit(struct offload_refusal *refusal)
{
    return offload_refuse(refusal, OFFLOAD_REFUSED_FLOW_LIMIT,
                          "other_config:offload-max-flows",
                          "raise other_config:offload-max-flows",
                          "%"PRIu32" flows", engine_max_flows());
}

void
engine_note_words(struct offload_flow *flow, struct offload_port *port,
                  const struct offload_op *op)
{
    flow->has_words = op->refusal.code == OFFLOAD_REFUSED_DRIVER;
    if (flow->has_words) {
        occupancy_note(port, &op->refusal);
        engine_note_refusal(&op->refusal, port, &flow->ufid);
    } else {
        refusal_log_forget(&flow->ufid);
    }
}

/* A flow whose port is unknown, or in no device. */
static int
refuse_port(struct engine_op *op, struct offload_port *port)
{
    struct refusal_place place = { op->datapath, op->in_port,
                                   port ? port->name : NULL };
    int error = offload_refuse(&op->refusal, OFFLOAD_REFUSED_IN_PORT,
                               "in_port", NULL, "port %"PRIu32,
                               odp_to_u32(op->in_port));

    note_refusal_at(&op->refusal, &place, op->ufid);
    offload_port_count(port, op->datapath, OFFLOAD_STAT_OFFERED, 1);
    offload_port_count(port, op->datapath, OFFLOAD_STAT_REFUSED, 1);
    return error;
}

/* The device batch of a thread. */

static struct engine_batch *
batch_get(void)
{
    struct engine_batch *batch = engine_batch_get();

    if (!batch) {
        batch = xzalloc(sizeof *batch);
        engine_batch_set(batch);
    }
    return batch;
}

static struct offload_batch *
device_batch(struct engine_batch *batch, const struct offload_backend *backend)
{
    if (!batch->backend) {
        batch->backend = backend;
        batch->device = backend->batch_begin();
    }
    return batch->device;
}

static void
strand_children(struct engine_batch *batch, odp_port_t in_port,
                const uint32_t ids[], size_t n_ids)
{
    for (size_t i = 0; i < n_ids; i++) {
        ovs_assert(batch->n_stranded < ARRAY_SIZE(batch->stranded));
        batch->stranded[batch->n_stranded++] = (struct engine_stranded) {
            .in_port = in_port, .recirc_id = ids[i],
        };
    }
}

int
engine_reinstall(struct offload_flow *flow)
{
    const struct offload_backend *backend = flow->port->backend;
    struct flow_spec *spec
        = ovsrcu_get(struct flow_spec *, &flow->spec);
    const struct nlattr *actions = flow_spec_actions(spec);
    struct offload_rule *rule = &batch_get()->rule;
    struct offload_batch *device = backend->batch_begin();
    union offload_handle lost = flow->handle;
    struct offload_op op = { .error = 0 };
    struct offload_context context;
    struct match match;
    bool shared;
    int error;

    atomic_read_relaxed(&recirc_is_shared, &shared);
    if (backend->own_thread) {
        op.handle = flow->handle;       /* It keeps books of what is lost. */
    }
    engine_context(&context, flow->datapath, shared);
    flow_spec_match(spec, &match);
    error = offload_rule_parse(rule, &flow->ufid, flow->port, &match,
                               nl_attr_get(actions), nl_attr_get_size(actions),
                               &context, &op.refusal);
    if (!error) {
        rule->mark = flow->mark;
        backend->rule_put(device, flow->port, rule, &op);
        backend->batch_commit(device);
        error = op.error;
    }
    if (!error) {
        if (backend->rule_forget) {
            backend->rule_forget(flow->port, &lost);
        }
        engine_note_words(flow, flow->port, &op);
        flow_table_installed(flow, flow->port, &op.handle, &match,
                             nl_attr_get(actions), nl_attr_get_size(actions),
                             backend->own_thread ? &op.counters : NULL);
    } else if (error != EAGAIN) {
        engine_note_refusal(&op.refusal, flow->port, &flow->ufid);
    }
    return error;
}

/* Takes out of their devices the flows whose parents no longer are all in
 * hardware.  Without any claim held, because it waits for claims. */
static void
evict_children(const struct engine_stranded *place)
{
    struct offload_port *port = offload_port_lookup(place->in_port);
    struct engine_removal removal;
    ovs_u128 ufids[32];
    size_t skip = 0;
    size_t n;

    if (!port || !port->backend) {
        return;                 /* It took its rules with it. */
    }
    engine_removal_init(&removal, port);
    while ((n = recirc_children(place->in_port, place->recirc_id, skip,
                                ufids, ARRAY_SIZE(ufids))) > 0) {
        for (size_t i = 0; i < n; i++) {
            struct offload_flow *flow;

            if (engine_removal_claim(&removal, &ufids[i], &flow)) {
                continue;
            }
            if (flow->state != OFFLOAD_FLOW_INSTALLED || flow->port != port
                || recirc_parents_in_hardware(place->in_port,
                                              place->recirc_id)) {
                skip++;
                flow_table_release(flow);
            } else {
                COVERAGE_INC(offload_evict);
                engine_removal_add(&removal, flow);
            }
        }
        engine_removal_commit(&removal);
        skip += removal.n_failed;
        removal.n_failed = 0;
    }
}

/* Counts what happened to the flow of 'task'. */
static void
count(const struct engine_task *task, enum offload_stat stat)
{
    struct offload_port *port = task->port ? task->port : task->flow->port;

    offload_port_count(port, port ? port->datapath : task->op->datapath, stat,
                       1);
}

/* The rule of the flow of 'task' is in its device no more. */
static void
count_deleted(const struct engine_task *task)
{
    struct offload_port *port = task->flow->port;

    COVERAGE_INC(offload_delete);
    OFFLOAD_PROBE3(delete, &task->flow->ufid, &port->name[0],
                   task->device.counters.hw_packets);
    count(task, OFFLOAD_STAT_DELETED);
    atomic_count_dec(&port->n_rules);
}

/* It has one, after 'usec'. */
static void
count_installed(const struct engine_task *task, bool replaced,
                long long int usec)
{
    if (replaced) {
        COVERAGE_INC(offload_replace);
        OFFLOAD_PROBE3(replace, &task->flow->ufid, &task->port->name[0], usec);
        count(task, OFFLOAD_STAT_REPLACED);
    } else {
        COVERAGE_INC(offload_put);
        OFFLOAD_PROBE3(put, &task->flow->ufid, &task->port->name[0], usec);
        count(task, OFFLOAD_STAT_INSERTED);
        atomic_count_inc(&task->port->n_rules);
    }
    offload_port_count_time(task->port, OFFLOAD_TIME_PUT, usec);
}

/* Putting a flow. */

/* What we have already under another ufid is no flow of its own for Open
 * vSwitch, which will never delete it (operate.c, is_duplicate()). */
static int
refuse_put(struct engine_task *task)
{
    struct engine_op *op = task->op;

    op->has_twin = (op->refusal.code == OFFLOAD_REFUSED_OVERLAP
                    && op->was_unknown
                    && engine_has_twin(task->port, op->match));
    if (op->has_twin) {
        COVERAGE_INC(offload_refuse);
        refusal_log_count_only(op->refusal.code);
    } else {
        engine_note_refusal(&op->refusal, task->port, op->ufid);
    }
    count(task, OFFLOAD_STAT_REFUSED);
    return offload_refusal_errno(&op->refusal);
}

/* Parses the megaflow of 'op' into batch->rule. */
static void
parse_put(struct engine_batch *batch, struct engine_op *op,
          struct offload_port *port)
{
    struct offload_context context;

    batch->n_ids = (op->datapath == OFFLOAD_DP_NETDEV ? 0
                    : recirc_ids_from_actions(op->actions, op->actions_len,
                                              batch->ids));
    if (batch->n_ids > RECIRC_MAX_IDS) {
        batch->n_ids = RECIRC_MAX_IDS;
        batch->rule_error = offload_refuse(
            &op->refusal, OFFLOAD_REFUSED_CHAIN, "recirc", NULL,
            "more than %d recirculation ids", RECIRC_MAX_IDS);
        return;
    }
    engine_context(&context, op->datapath, op->recirc_shared);
    batch->rule_error = offload_rule_parse(&batch->rule, op->ufid, port,
                                           op->match, op->actions,
                                           op->actions_len, &context,
                                           &op->refusal);
    batch->rule.mark = op->mark;
}

/* Most of the flows that can't be offloaded are new, and need no place in the
 * shadow table: nothing is known of them, nobody's parent is among them, and
 * no device is asked.  There may be very many.  Returns true if 'op' is one,
 * which is done with then. */
static bool
refuse_new_flow(const struct engine_batch *batch, struct engine_op *op,
                struct offload_port *port)
{
    if (!batch->rule_error || batch->n_ids || flow_table_lookup(op->ufid)) {
        return false;
    }
    op->was_unknown = true;
    op->error = batch->rule_error;
    engine_note_refusal(&op->refusal, port, op->ufid);
    offload_port_count(port, op->datapath, OFFLOAD_STAT_OFFERED, 1);
    offload_port_count(port, op->datapath, OFFLOAD_STAT_REFUSED, 1);
    return true;
}

/* Links the flow of 'task' to its parents and children.  Flows of the
 * userspace datapath have none: those that recirculate are refused. */
static int
link_rule(struct engine_task *task)
{
    struct engine_op *op = task->op;
    uint32_t recirc_id = op->match->flow.recirc_id;

    if (op->datapath == OFFLOAD_DP_NETDEV) {
        return 0;
    }
    if (recirc_id || task->n_ids || task->flow->recirc) {
        recirc_links_set(task->flow, op->in_port, recirc_id,
                         task->ids, task->n_ids, true);
    }
    if (!recirc_parents_in_hardware(op->in_port, recirc_id)) {
        return engine_refuse_orphan(&op->refusal, recirc_id);
    }
    return 0;
}

/* Takes what parse_put() found, and links the flow to its parents and
 * children. */
static int
prepare_rule(const struct engine_batch *batch, struct engine_task *task)
{
    int error = batch->rule_error;

    task->n_ids = batch->n_ids;
    memcpy(task->ids, batch->ids, batch->n_ids * sizeof *batch->ids);
    if (!error) {
        error = link_rule(task);
    }
    if (error) {
        return error;
    }
    /* New ones are this one and what else is on its way. */
    if (task->flow->state != OFFLOAD_FLOW_INSTALLED && engine_max_flows()
        && (flow_table_count(OFFLOAD_FLOW_INSTALLED)
            + flow_table_count(OFFLOAD_FLOW_NEW) > engine_max_flows())) {
        return engine_refuse_limit(&task->op->refusal);
    }
    return 0;
}

static void
ask_delete(struct engine_batch *batch, struct engine_task *task)
{
    const struct offload_backend *backend = task->flow->port->backend;

    task->device.handle = task->flow->handle;
    task->asked = true;
    backend->rule_del(device_batch(batch, backend), task->flow->port,
                      &task->device);
}

static void
start_put(struct engine_batch *batch, struct engine_task *task)
{
    const struct offload_backend *backend = task->port->backend;
    bool installed = task->flow->state == OFFLOAD_FLOW_INSTALLED;

    count(task, OFFLOAD_STAT_OFFERED);
    if (task->op->datapath == OFFLOAD_DP_SYSTEM) {
        atomic_store_relaxed(&recirc_is_shared, task->op->recirc_shared);
    }
    if (installed && task->flow->port != task->port) {
        /* Can't be: an ufid is a hash of a key that includes the port. */
        task->refused = true;
        offload_refuse(&task->op->refusal, OFFLOAD_REFUSED_IN_PORT,
                       "in_port", NULL, "flow moved between ports");
    } else if (prepare_rule(batch, task)) {
        task->refused = true;
    }

    if (!task->refused) {
        if (installed) {
            task->device.handle = task->flow->handle;
        } else {
            memset(&task->device.handle, 0, sizeof task->device.handle);
        }
        task->asked = true;
        backend->rule_put(device_batch(batch, backend), task->port,
                          &batch->rule, &task->device);
    } else if (installed) {
        /* It does what it no longer should do. */
        ask_delete(batch, task);
    }
}

/* The put failed, and the flow has no rule in its device any more, if it ever
 * had one. */
static void
finish_refused_put(struct engine_batch *batch, struct engine_task *task,
                   bool had_rule)
{
    struct engine_op *op = task->op;
    struct offload_flow *flow = task->flow;

    op->error = refuse_put(task);

    /* If it has a twin, then that is the parent: this one gets no packets, and
     * Open vSwitch, which drops it, will never delete it. */
    bool is_parent = task->n_ids && !op->has_twin;

    op->removed = had_rule || flow->state == OFFLOAD_FLOW_EVICTING;
    if (had_rule) {
        count_deleted(task);
    }
    if (is_parent) {
        flow_table_uninstalled(flow, OFFLOAD_FLOW_REFUSED,
                               had_rule ? &task->device.counters : NULL);
        recirc_links_set(flow, op->in_port, 0, task->ids, task->n_ids, false);
        strand_children(batch, op->in_port, task->ids, task->n_ids);
    } else {
        bool keep = (op->datapath == OFFLOAD_DP_NETDEV
                     && flow->state != OFFLOAD_FLOW_NEW);

        recirc_links_clear(flow);
        flow_table_uninstalled(flow, keep ? OFFLOAD_FLOW_EVICTING
                                          : OFFLOAD_FLOW_DEAD,
                               had_rule ? &task->device.counters : NULL);
    }
}

static void
zero_stats(struct dpif_flow_stats *stats)
{
    if (stats) {
        memset(stats, 0, sizeof *stats);
    }
}

static void
get_stats(const struct offload_flow *flow, struct dpif_flow_stats *stats)
{
    struct offload_flow_stats s;

    flow_table_stats(flow, &s);
    memset(stats, 0, sizeof *stats);
    stats->n_packets = s.counters.hw_packets + s.counters.sw_packets;
    stats->n_bytes = s.counters.hw_bytes + s.counters.sw_bytes;
    stats->used = s.used;
}

/* The device refused a put.  If the old rule is still there, it goes. */
static void
take_device_refusal(struct engine_batch *batch, struct engine_task *task)
{
    count(task, OFFLOAD_STAT_FAILED);
    occupancy_note(task->port, &task->device.refusal);
    task->op->refusal = task->device.refusal;
    task->refused = true;
    if (offload_handle_is_set(&task->device.handle)) {
        const struct offload_backend *backend = task->flow->port->backend;
        struct offload_op del = { .handle = task->device.handle };

        backend->rule_del(batch->device, task->flow->port, &del);
        backend->batch_commit(batch->device);
        task->device.handle = del.handle;
        task->device.counters = del.counters;
    }
}

/* The flow's rule is in its device, but its port was removed meanwhile. */
static void
leave_removed_port(struct engine_task *task)
{
    struct offload_port *port = task->port;
    struct engine_op *op = task->op;

    offload_refuse(&op->refusal, OFFLOAD_REFUSED_IN_PORT, "in_port", NULL,
                   "port %s was removed", port->name);
    op->error = refuse_put(task);
    if (engine_remove_rule(task->flow, OFFLOAD_FLOW_DEAD)) {
        /* It can't stay, because the port doesn't. */
        atomic_count_dec(&port->n_rules);
        recirc_links_clear(task->flow);
        flow_table_uninstalled(task->flow, OFFLOAD_FLOW_DEAD, NULL);
    }
}

static void
finish_accepted_put(struct engine_batch *batch, struct engine_task *task,
                    bool replaced)
{
    struct offload_flow *flow = task->flow;
    struct engine_op *op = task->op;
    bool alive;

    count_installed(task, replaced,
                    batch->end - (op->offered ? op->offered : batch->start));
    flow->datapath = op->datapath;
    flow_table_mark(flow, op->mark);
    flow->partial = task->device.partial;
    engine_note_words(flow, task->port, &task->device);
    flow_table_installed(flow, task->port, &task->device.handle, op->match,
                         op->actions, op->actions_len,
                         task->device.lost ? NULL : &task->device.counters);
    if (op->stats) {
        get_stats(flow, op->stats);
    }

    /* Whoever removes the port may have looked for its flows already. */
    atomic_read(&task->port->alive, &alive);
    if (!alive) {
        leave_removed_port(task);
    }
}

static void
finish_put(struct engine_batch *batch, struct engine_task *task)
{
    struct offload_flow *flow = task->flow;
    bool installed = flow->state == OFFLOAD_FLOW_INSTALLED;

    if (!task->refused && task->device.error) {
        take_device_refusal(batch, task);
    }
    if (!task->refused) {
        finish_accepted_put(batch, task, installed);
    } else if (installed && offload_handle_is_set(&task->device.handle)) {
        /* The old rule can't be deleted either. */
        task->op->error = refuse_put(task);
        flow->condemned = true;
    } else {
        finish_refused_put(batch, task, installed);
    }
}

void
engine_carry(const ovs_u128 *ufid, const struct dpif_flow_stats *stats)
{
    struct offload_flow *flow = flow_table_lookup(ufid);

    if (flow) {
        struct offload_counters counters = {
            .sw_packets = stats->n_packets, .sw_bytes = stats->n_bytes,
        };

        flow_table_carry(flow, &counters, stats->used);
    }
}

/* Deleting a flow. */

static void
start_del(struct engine_batch *batch, struct engine_task *task)
{
    if (task->flow->state == OFFLOAD_FLOW_INSTALLED) {
        ask_delete(batch, task);
    }
}

static void
finish_del(struct engine_task *task)
{
    struct engine_op *op = task->op;
    struct offload_flow *flow = task->flow;

    if (task->asked && task->device.error) {
        op->error = EBUSY;
        flow->condemned = true;
        op->refusal = task->device.refusal;
        count(task, OFFLOAD_STAT_FAILED);
        engine_note_refusal(&op->refusal, flow->port, &flow->ufid);
        return;
    }
    if (task->asked) {
        count_deleted(task);
    } else if (flow->state == OFFLOAD_FLOW_REFUSED) {
        op->error = ENOENT;     /* It is in software. */
    }
    recirc_links_clear(flow);
    flow_table_uninstalled(flow, OFFLOAD_FLOW_DEAD,
                           task->asked ? &task->device.counters : NULL);
    if (!op->error && op->stats) {
        get_stats(flow, op->stats);
    }
}

/* Batches. */

static void
batch_commit(struct engine_batch *batch)
{
    if (batch->backend) {
        batch->backend->batch_commit(batch->device);
        batch->end = time_usec();
    }
    for (size_t i = 0; i < batch->n; i++) {
        struct engine_task *task = &batch->tasks[i];

        if (task->op->type == ENGINE_PUT) {
            finish_put(batch, task);
        } else {
            finish_del(task);
        }
        flow_table_release(task->flow);
    }
    batch->n = 0;
    batch->backend = NULL;

    /* Only now, when no claim is held. */
    for (size_t i = 0; i < batch->n_stranded; i++) {
        evict_children(&batch->stranded[i]);
    }
    batch->n_stranded = 0;
}

/* Claims the flow of 'op'.  Commits the batch first if the flow is in it, or
 * somebody else is at it: whoever waits must hold no claims. */
static int
batch_claim(struct engine_batch *batch, const struct engine_op *op,
            struct offload_flow **flowp)
{
    bool create = op->type == ENGINE_PUT;
    int error = flow_table_try_claim(op->ufid, create, flowp);

    if (error == EBUSY) {
        batch_commit(batch);
        error = flow_table_claim(op->ufid, create, flowp);
    }
    return error;
}

/* Gives the claimed 'flow' a task in 'batch', and commits that if it is full.
 * 'port': of a put; NULL for a deletion. */
static void
batch_start(struct engine_batch *batch, struct engine_op *op,
            struct offload_flow *flow, struct offload_port *port)
{
    struct engine_task *task = &batch->tasks[batch->n++];

    op->was_installed = flow->state == OFFLOAD_FLOW_INSTALLED;
    op->was_unknown = flow->state == OFFLOAD_FLOW_NEW;
    task->op = op;
    task->flow = flow;
    task->port = port;
    task->refused = task->asked = false;
    task->n_ids = 0;
    task->device.error = 0;
    task->device.partial = false;
    if (op->type == ENGINE_PUT) {
        start_put(batch, task);
    } else {
        start_del(batch, task);
    }
    if (batch->n >= ENGINE_BATCH) {
        batch_commit(batch);
    }
}

/* Claims the flow of 'op', with 'batch' ready for the backend that has its
 * rule: a batch goes to one.  Returns 0 or a positive errno. */
static int
batch_claim_for_backend(struct engine_batch *batch, const struct engine_op *op,
                        struct offload_flow **flowp)
{
    struct offload_flow *flow;
    int error = batch_claim(batch, op, flowp);

    while (!error && (flow = *flowp)->state == OFFLOAD_FLOW_INSTALLED
           && batch->backend && batch->backend != flow->port->backend) {
        flow_table_release(flow);
        batch_commit(batch);
        error = batch_claim(batch, op, flowp);
    }
    return error;
}

/* Takes 'op' into 'batch', or is done with it at once. */
static void
batch_add(struct engine_batch *batch, struct engine_op *op)
{
    struct offload_port *port = NULL;
    struct offload_flow *flow;

    op->error = 0;
    op->was_installed = op->was_unknown = op->has_twin = op->removed = false;
    offload_refusal_init(&op->refusal);
    zero_stats(op->stats);

    if (op->type == ENGINE_DEL) {
        refusal_log_forget(op->ufid);
    } else {
        port = offload_port_lookup_in(op->datapath, op->in_port);
        if (!port || !port->backend) {
            op->error = refuse_port(op, port);
            return;
        }
        if (batch->backend && batch->backend != port->backend) {
            batch_commit(batch);
        }
        parse_put(batch, op, port);
        if (refuse_new_flow(batch, op, port)) {
            return;
        }
    }

    op->error = batch_claim_for_backend(batch, op, &flow);
    if (!op->error) {
        batch_start(batch, op, flow, port);
    }
}

void
engine_operate(struct engine_op *ops[], size_t n)
{
    struct engine_batch *batch = batch_get();

    batch->start = time_usec();
    for (size_t i = 0; i < n; i++) {
        batch_add(batch, ops[i]);
    }
    batch_commit(batch);
}
