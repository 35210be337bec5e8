/* SPDX-License-Identifier: Apache-2.0 */

/* Reading counters: one flow, all flows of a port; and what is found out that
 * way: rules that their device has lost. */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "coverage.h"
#include "engine.h"
#include "engine-private.h"
#include "flow-spec.h"
#include "flow-table.h"
#include "packets.h"
#include "netlink.h"
#include "odp-util.h"
#include "offload-backend.h"
#include "offload-probes.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "refusal-log.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(offload_dump);

COVERAGE_DEFINE(offload_activity_wrong);
COVERAGE_DEFINE(offload_dump);
COVERAGE_DEFINE(offload_dump_quiet);
COVERAGE_DEFINE(offload_reinstall);
COVERAGE_DEFINE(offload_foreign_rule);
COVERAGE_DEFINE(offload_sweep);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 10);

/* How often lost rules are looked for, and how long at a time: it is the main
 * thread that does it, and a device may lose all of its rules.  In msec. */
#define RESTORE_INTERVAL_MS 1000
#define RESTORE_MAX_MS 50

/* A time of last use at which OVS deletes a flow, msec. */
#define IDLE_FOR_EVER 1

/* What ports with fewer rules have counted is read without asking first
 * whether it may be anything. */
#define ASK_MIN_RULES 32

/* So often a port's rules may have counted while the port hadn't, before it is
 * believed no more: a packet may be on its way from one to the other. */
#define MAX_WRONG 3

/* For so long, in msec, its number must have been the same. */
#define MIN_QUIET_MS 1000

struct engine_dump {
    struct offload_port *port;
    const struct offload_backend *backend;
    bool terse;
    struct offload_dump *device;    /* NULL: there are no rules, or they can't
                                     * have counted since they were read. */
    bool failed;                    /* It couldn't be started. */
    bool quiet;                     /* They can't have counted. */
    uint64_t activity;              /* At the start. */
    bool has_activity;
    uint64_t seq;                   /* flow_table_seq() at the start. */
    uint64_t id;
    atomic_count n_seen;
    atomic_count n_grown;
    atomic_count n_in_hw;
    ATOMIC(long long int) now;      /* About, in msec. */
    ATOMIC(long long int) began;    /* When the first reading was asked for, */
    ATOMIC(long long int) ended;    /* and when there were no more, in usec. */

    struct port_flows_cursor known;     /* If 'quiet'. */
    struct port_flows_cursor evicting;  /* Then: what OVS should delete. */
};

/* Fills in 'out' from 'flow' and 'stats'. */
static void
flow_to_output(const struct offload_flow *flow,
               const struct offload_flow_stats *stats, struct engine_flow *out)
{
    struct flow_spec *spec
        = ovsrcu_get(struct flow_spec *, &flow->spec);
    const struct offload_port *port = flow->port;

    memset(&out->stats, 0, sizeof out->stats);
    out->stats.n_packets = (stats->counters.hw_packets
                            + stats->counters.sw_packets);
    out->stats.n_bytes = stats->counters.hw_bytes + stats->counters.sw_bytes;
    out->stats.used = flow->condemned ? IDLE_FOR_EVER : stats->used;

    out->ufid = flow->ufid;
    out->in_port = port ? port->odp_port : ODPP_NONE;
    out->attrs.offloaded = flow->in_hw;
    out->attrs.dp_layer = (port && port->backend
                           ? port->backend->dp_layer : "ovs");
    out->attrs.dp_extra_info = NULL;
    out->actions = NULL;
    if (out->match && spec) {
        flow_spec_match(spec, out->match);
        if (out->match->flow.packet_type == htonl(PT_ETH)) {
            /* A matter of course, which the kernel datapath's flows don't
             * show either. */
            out->match->wc.masks.packet_type = 0;
        }
        out->actions = flow_spec_actions(spec);
    }
}

/* For how long, in msec, may a port of the userspace datapath not have been
 * looked at, if all is well? */
#define MAX_UNREAD_MS 2000

/* For how long a port's counters haven't been read: a flow of it may have had
 * packets since.  A flow's last packet is told to be so much later, lest Open
 * vSwitch delete one that has just woken up. */
static long long int
unread_ms(const struct offload_port *port, long long int now)
{
    long long int read = 0;

    if (port) {
        atomic_read_relaxed(&CONST_CAST(struct offload_port *, port)
                            ->statistics.read, &read);
    }
    return read && now > read ? MIN(now - read, MAX_UNREAD_MS) : 0;
}

/* The userspace datapath adds what is in 'out' to what its software has
 * counted, and asks for flows in software, too.  Counters are as they were
 * last read. */
static int
get_netdev(struct offload_flow *flow, struct engine_flow *out)
{
    struct offload_flow_stats stats;
    long long int now = time_msec();

    if (flow->state != OFFLOAD_FLOW_INSTALLED
        && flow->state != OFFLOAD_FLOW_EVICTING) {
        return ENOENT;
    }
    if (out->reader) {
        flow_table_share(flow, out->reader, now, &stats);
    } else {
        flow_table_stats(flow, &stats);
    }
    flow_to_output(flow, &stats, out);
    out->stats.used = MAX(stats.used, out->sw_used);
    if (out->stats.used && flow->state == OFFLOAD_FLOW_INSTALLED
        && !flow->partial) {
        out->stats.used = MIN(out->stats.used + unread_ms(flow->port, now),
                              MAX(out->stats.used, now));
    }
    out->attrs.offloaded = flow->state == OFFLOAD_FLOW_INSTALLED;
    if (flow->partial || !out->attrs.offloaded) {
        out->attrs.dp_layer = "ovs";
    }
    return 0;
}

int
engine_get(const ovs_u128 *ufid, struct engine_flow *out)
{
    struct offload_flow *flow = flow_table_lookup_marked(ufid, out->mark);
    struct offload_flow_stats stats;
    struct offload_reading reading;
    struct offload_port *port;
    uint64_t seq;

    if (!flow) {
        return ENOENT;
    }
    if (flow->datapath == OFFLOAD_DP_NETDEV) {
        return get_netdev(flow, out);
    }
    seq = flow_table_seq();
    port = flow->port;
    if (!port || flow->state != OFFLOAD_FLOW_INSTALLED) {
        return ENOENT;
    }

    reading.handle = flow->handle;
    reading.in_hw = flow->in_hw;
    if (!port->backend->rule_read(port, &reading.handle,
                                  &reading.counters)) {
        flow_table_reading(flow, &reading, seq, flow->seen, time_msec(),
                           &stats);
    } else {
        flow_table_stats(flow, &stats);
    }
    flow_to_output(flow, &stats, out);
    return 0;
}

/* Can the port's rules have counted since the last dump?  Most ports of most
 * hosts are idle at any time, and asking the port costs one request, however
 * many rules there are.
 *
 * A packet that the port has counted may not have got to its rule yet when the
 * dump reads that, hence it takes two dumps that began with the same number,
 * and some time.  The port's word isn't taken for long, lest a device that
 * counts otherwise than we believe cost a live flow its life, and not at all
 * where rules are in hardware: many drivers' representors count only the
 * packets that come up to software. */
static bool
port_is_quiet(struct engine_dump *dump)
{
    struct offload_port_activity *activity = &dump->port->activity;
    bool quiet;

    if (!dump->has_activity) {
        return false;
    }
    ovs_mutex_lock(&activity->mutex);
    quiet = (activity->n_same >= 2
             && activity->packets == dump->activity
             && activity->n_wrong < MAX_WRONG
             && !activity->hardware
             && time_msec() >= activity->since + MIN_QUIET_MS
             && time_msec() < activity->until);
    ovs_mutex_unlock(&activity->mutex);
    return quiet;
}

/* Have rules counted although the port hasn't, for longer than it takes?  It
 * may have had its first packets while they were being read. */
static bool
port_was_wrong(struct engine_dump *dump)
{
    struct offload_port_activity *activity = &dump->port->activity;
    uint64_t packets;
    bool wrong;

    if (!dump->has_activity || !atomic_count_get(&dump->n_grown)) {
        return false;
    }
    ovs_mutex_lock(&activity->mutex);
    wrong = activity->n_same >= 2 && activity->packets == dump->activity;
    ovs_mutex_unlock(&activity->mutex);
    return (wrong
            && !dump->backend->activity(dump->port, &packets)
            && packets == dump->activity);
}

/* After a complete dump. */
static void
note_activity(struct engine_dump *dump)
{
    struct offload_port_activity *activity = &dump->port->activity;
    bool wrong = port_was_wrong(dump);
    long long int now = time_msec();

    ovs_mutex_lock(&activity->mutex);
    if (wrong) {
        COVERAGE_INC(offload_activity_wrong);
        activity->n_wrong++;
    }
    if (!dump->has_activity) {
        activity->n_same = 0;
    } else if (wrong || !activity->n_same
               || activity->packets != dump->activity) {
        activity->packets = dump->activity;
        activity->n_same = 1;
        activity->since = now;
    } else {
        activity->n_same++;
    }
    activity->hardware = atomic_count_get(&dump->n_in_hw) > 0;
    activity->until = now + engine_max_staleness();
    ovs_mutex_unlock(&activity->mutex);
}

static void
start_device(struct engine_dump *dump)
{
    struct offload_port *port = dump->port;
    unsigned int n_rules = atomic_count_get(&port->n_rules);
    int error;

    if (!n_rules) {
        /* Thousands of ports may have none. */
        return;
    }
    if (dump->terse && n_rules >= ASK_MIN_RULES && dump->backend->activity) {
        dump->has_activity = !dump->backend->activity(port, &dump->activity);
    }
    if (port_is_quiet(dump)) {
        COVERAGE_INC(offload_dump_quiet);
        dump->quiet = true;
        port_flows_walk(&port->flows, &dump->known);
        return;
    }
    error = dump->backend->dump_start(port, &dump->device);
    if (error) {
        if (error != EAGAIN) {
            VLOG_INFO_RL(&rl, "%s: counters can't be read: %s", port->name,
                         ovs_strerror(error));
        }
        dump->device = NULL;
        dump->failed = true;
    }
}

int
engine_dump_start(struct offload_port *port, bool terse,
                  struct engine_dump **dumpp)
{
    struct engine_dump *dump;

    if (!port->backend) {
        return EOPNOTSUPP;
    }
    if (!offload_port_try_ref(port)) {
        return ENODEV;
    }
    COVERAGE_INC(offload_dump);
    dump = xzalloc(sizeof *dump);
    dump->port = port;
    dump->backend = port->backend;
    dump->terse = terse;
    dump->seq = flow_table_seq();
    dump->id = flow_table_next_dump();
    port_flows_walk(&port->flows, &dump->evicting);
    start_device(dump);
    *dumpp = dump;
    return 0;
}

/* Takes in what the device said of one of its rules.  Returns its flow and
 * what is known of it, or NULL if it isn't one that OVS should see. */
static struct offload_flow *
take_reading(struct engine_dump *dump, const struct offload_reading *reading,
             long long int now, struct offload_flow_stats *stats)
{
    struct offload_flow *flow = flow_table_lookup(&reading->ufid);

    if (!flow || flow->port != dump->port) {
        COVERAGE_INC(offload_foreign_rule);
        return NULL;
    }
    if (flow_table_reading(flow, reading, dump->seq, dump->id, now, stats)) {
        atomic_count_inc(&dump->n_seen);
    }
    if (stats->grew) {
        atomic_count_inc(&dump->n_grown);
    }
    if (reading->in_hw) {
        atomic_count_inc(&dump->n_in_hw);
        if (flow->has_words) {
            /* Of a bond's NICs, another one took it. */
            refusal_log_forget(&flow->ufid);
        }
    }
    return flow->state == OFFLOAD_FLOW_INSTALLED ? flow : NULL;
}

/* The port's next flow in 'state', of those that 'cursor' has still to
 * visit. */
static struct offload_flow *
next_in_state(const struct engine_dump *dump, struct port_flows_cursor *cursor,
              enum offload_flow_state state)
{
    struct offload_flow *flow;

    do {
        flow = port_flows_next(&dump->port->flows, cursor);
    } while (flow && flow->state != state);
    return flow;
}

static void
note_receive(struct engine_dump *dump)
{
    long long int now = time_usec();
    long long int none = 0;

    atomic_compare_exchange_strong(&dump->began, &none, now);
    atomic_store_relaxed(&dump->now, now / 1000);
}

/* The next flow that the device dumps. */
static bool
next_from_device(struct engine_dump *dump, struct ofpbuf *buf,
                 struct engine_flow *out)
{
    struct offload_flow_stats stats;
    struct offload_reading reading;
    struct offload_flow *flow;
    long long int now;

    if (!buf->size) {
        /* Once a receive: a system call where the kernel has no vDSO. */
        note_receive(dump);
    }
    atomic_read_relaxed(&dump->now, &now);

    while (dump->backend->dump_next(dump->device, buf, &reading, 1)) {
        flow = take_reading(dump, &reading, now, &stats);
        if (flow) {
            flow_to_output(flow, &stats, out);
            return true;
        }
    }
    atomic_store_relaxed(&dump->ended, time_usec());
    return false;
}

bool
engine_dump_next(struct engine_dump *dump, struct ofpbuf *buf,
                 struct engine_flow *out)
{
    struct offload_flow_stats stats;
    struct offload_flow *flow;

    if (dump->device && next_from_device(dump, buf, out)) {
        return true;
    }
    ofpbuf_clear(buf);

    if (dump->quiet) {
        flow = next_in_state(dump, &dump->known, OFFLOAD_FLOW_INSTALLED);
        if (flow) {
            flow_table_stats(flow, &stats);
            flow_to_output(flow, &stats, out);
            return true;
        }
    }

    /* Not for people: these are in no datapath any more. */
    flow = (dump->terse && flow_table_count(OFFLOAD_FLOW_EVICTING)
            ? next_in_state(dump, &dump->evicting, OFFLOAD_FLOW_EVICTING)
            : NULL);
    if (flow) {
        flow_table_stats(flow, &stats);
        flow_to_output(flow, &stats, out);
        out->stats.used = IDLE_FOR_EVER;
        out->attrs.dp_layer = "ovs";
        return true;
    }
    return false;
}

/* A dump that tells how old the port's counters are.  People's don't: one of
 * them may be without an end. */
static void
count_sweep(struct engine_dump *dump)
{
    struct offload_port *port = dump->port;
    struct offload_statistics *stats = &port->statistics;
    long long int began, ended;

    atomic_store_relaxed(&stats->read, time_msec());
    if (dump->quiet) {
        offload_port_count(port, port->datapath, OFFLOAD_STAT_QUIET_SWEEPS, 1);
    } else if (dump->device) {
        atomic_read_relaxed(&dump->began, &began);
        atomic_read_relaxed(&dump->ended, &ended);
        COVERAGE_INC(offload_sweep);
        OFFLOAD_PROBE4(sweep, &port->name[0], atomic_count_get(&dump->n_seen),
                       atomic_count_get(&dump->n_grown), ended - began);
        offload_port_count(port, port->datapath, OFFLOAD_STAT_SWEEPS, 1);
        offload_port_count_time(port, OFFLOAD_TIME_SWEEP, ended - began);
        atomic_store_relaxed(&stats->last_sweep, ended - began);
    }
}

int
engine_dump_done(struct engine_dump *dump)
{
    bool complete = !dump->failed && !dump->quiet;
    int error = 0;

    if (dump->device) {
        error = dump->backend->dump_done(dump->device, &complete);
    }
    if (complete && !error) {
        atomic_store_relaxed(&dump->port->dump_seq, dump->seq);
        atomic_store_relaxed(&dump->port->dump_id, dump->id);
        if (atomic_count_get(&dump->n_seen)
            < atomic_count_get(&dump->port->n_rules)) {
            atomic_store_relaxed(&dump->port->suspect, true);
        }
        if (dump->terse) {
            note_activity(dump);
        }
    }
    if (!error && (dump->terse || dump->backend->own_thread)
        && (complete || dump->quiet)) {
        count_sweep(dump);
    }
    offload_port_unref(dump->port);
    free(dump);
    return error;
}

/* Lost rules. */

/* True if the last complete dump of the flow's port should have had it, but
 * hadn't.  The port pointer may change under us; whoever acts on the answer
 * asks again with the flow claimed. */
static bool
flow_is_missing(const struct offload_flow *flow)
{
    struct offload_port *port;
    uint64_t dump_seq;
    uint64_t dump_id;
    bool suspect;

    if (flow->state != OFFLOAD_FLOW_INSTALLED) {
        return false;           /* Its port may have been freed. */
    }
    atomic_thread_fence(memory_order_acquire);
    port = flow->port;
    if (!port) {
        return false;
    }
    atomic_read_relaxed(&port->suspect, &suspect);
    atomic_read_relaxed(&port->dump_seq, &dump_seq);
    atomic_read_relaxed(&port->dump_id, &dump_id);
    return suspect && flow->seq <= dump_seq && flow->seen < dump_id;
}

/* Puts the rule of a claimed flow into its device again, if it isn't there;
 * gives it back to OVS if that fails. */
static void
restore_flow(struct offload_flow *flow)
{
    struct offload_counters counters;
    int error;

    if (!flow_is_missing(flow)
        || flow->port->backend->rule_read(flow->port, &flow->handle,
                                          &counters) != ENOENT) {
        return;
    }
    error = engine_reinstall(flow);
    if (error == EAGAIN) {
        return;                 /* Its device isn't back yet. */
    }
    COVERAGE_INC(offload_reinstall);
    OFFLOAD_PROBE2(restore, &flow->ufid, &flow->port->name[0]);
    offload_port_count(flow->port, flow->datapath, OFFLOAD_STAT_RESTORED, 1);
    VLOG_INFO_RL(&rl, "%s: device has lost a rule, which is installed again",
                 flow->port->name);
    if (error) {
        engine_remove_rule(flow, OFFLOAD_FLOW_EVICTING);
    }
}

/* The ports whose flows are looked for, and what is found out. */
struct suspicion {
    enum offload_datapath datapath;
    bool clear, any;
};

static void
suspect_port(struct offload_port *port, void *s_)
{
    struct suspicion *s = s_;
    bool suspect;

    atomic_read_relaxed(&port->suspect, &suspect);
    if (suspect && port->datapath == s->datapath) {
        s->any = true;
        if (s->clear) {
            atomic_store_relaxed(&port->suspect, false);
        }
    }
}

static bool
any_suspect(enum offload_datapath datapath)
{
    struct suspicion s = { .datapath = datapath };

    offload_port_for_each(suspect_port, &s);
    return s.any;
}

static void
clear_suspicion(enum offload_datapath datapath)
{
    struct suspicion s = { .datapath = datapath, .clear = true };

    offload_port_for_each(suspect_port, &s);
}

/* Restores missing flows of 'datapath' from '*pos' on.  Returns true at the
 * end, false if it is 'end', msec. */
static bool
restore_flows(enum offload_datapath datapath, struct cmap_position *pos,
              long long int end)
{
    struct offload_flow *flow;

    while ((flow = flow_table_next(pos))) {
        struct offload_flow *claimed;

        if (flow->datapath == datapath && flow_is_missing(flow)
            && !flow_table_try_claim(&flow->ufid, false, &claimed)) {
            restore_flow(claimed);
            flow_table_release(claimed);
            if (time_msec() >= end) {
                return false;
            }
        }
    }
    return true;
}

void
engine_dump_run(void)
{
    static long long int next = LLONG_MIN;
    static struct cmap_position pos;
    bool any;

    if (time_msec() < next) {
        return;
    }
    any = any_suspect(OFFLOAD_DP_SYSTEM);
    if (any && !restore_flows(OFFLOAD_DP_SYSTEM, &pos,
                              time_msec() + RESTORE_MAX_MS)) {
        poll_immediate_wake();
        return;
    }
    if (any) {
        clear_suspicion(OFFLOAD_DP_SYSTEM);
    }
    memset(&pos, 0, sizeof pos);
    next = time_msec() + RESTORE_INTERVAL_MS;
}

/* The userspace datapath's: a thread of ours has the time. */

struct port_list {
    struct offload_port **ports;
    size_t n, allocated;
};

static void
collect_port(struct offload_port *port, void *list_)
{
    struct port_list *list = list_;

    if (port->datapath == OFFLOAD_DP_NETDEV && port->backend
        && offload_port_try_ref(port)) {
        if (list->n >= list->allocated) {
            list->ports = x2nrealloc(list->ports, &list->allocated,
                                     sizeof *list->ports);
        }
        list->ports[list->n++] = port;
    }
}

/* A port on which nothing has happened for IDLE_READINGS in a row, and whose
 * rules are the same, is read once instead of 1 + MAX_SKIPPED times.  Its
 * rules' counters are that much later, once, when packets come again; that is
 * still much less than the time after which Open vSwitch takes a flow for
 * idle. */
#define IDLE_READINGS 8
#define MAX_SKIPPED 3

static bool
may_skip(struct offload_port *port)
{
    struct offload_port_reading *reading = &port->reading;
    uint64_t seq = flow_table_seq();

    if (reading->n_idle >= IDLE_READINGS && reading->seq == seq
        && reading->n_skipped < MAX_SKIPPED) {
        reading->n_skipped++;
        return true;
    }
    reading->n_skipped = 0;
    reading->seq = seq;
    return false;
}

static void
refresh_port(struct offload_port *port, struct ofpbuf *buf)
{
    struct offload_port_reading *reading = &port->reading;
    struct engine_flow flow = { .match = NULL };
    struct engine_dump *dump;

    if (may_skip(port)) {
        COVERAGE_INC(offload_dump_quiet);
        return;
    }
    if (!engine_dump_start(port, false, &dump)) {
        while (engine_dump_next(dump, buf, &flow)) {
            continue;
        }
        if (dump->failed || atomic_count_get(&dump->n_grown)) {
            reading->n_idle = 0;
        } else {
            reading->n_idle++;
        }
        engine_dump_done(dump);
    }
}

void
engine_refresh(void)
{
    struct cmap_position pos = { 0, 0, 0 };
    struct port_list list = { .n = 0 };
    struct ofpbuf buf;

    ofpbuf_init(&buf, 0);
    offload_port_for_each(collect_port, &list);
    for (size_t i = 0; i < list.n; i++) {
        refresh_port(list.ports[i], &buf);
        offload_port_unref(list.ports[i]);
    }
    free(list.ports);
    ofpbuf_uninit(&buf);

    if (any_suspect(OFFLOAD_DP_NETDEV)) {
        restore_flows(OFFLOAD_DP_NETDEV, &pos, LLONG_MAX);
        clear_suspicion(OFFLOAD_DP_NETDEV);
    }
}
