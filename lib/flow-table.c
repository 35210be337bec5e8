/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "flow-table.h"

#include <errno.h>
#include <string.h>

#include "flow-marks.h"
#include "flow-spec.h"
#include "offload-port.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

/* Locks are shared by the flows whose ufids hash alike.  They are held for a
 * few instructions, never across a system call.
 *
 * They are plain POSIX mutexes, because ovs_mutex_cond_wait() quiesces: our
 * callers hold pointers protected by RCU. */
#define N_STRIPES 256

struct stripe {
    pthread_mutex_t mutex;      /* Protects claims and counters. */
    pthread_cond_t released;    /* A claim was given back. */
};

static struct stripe stripes[N_STRIPES];

/* Insertions and removals, which are rare beside lookups and readings. */
static struct ovs_mutex table_mutex = OVS_MUTEX_INITIALIZER;
static struct cmap table = CMAP_INITIALIZER;

static atomic_uint64_t last_seq = ATOMIC_VAR_INIT(1);
static atomic_uint64_t last_dump = ATOMIC_VAR_INIT(0);
static atomic_count state_counts[OFFLOAD_FLOW_DEAD + 1];

static void
flow_table_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        for (size_t i = 0; i < N_STRIPES; i++) {
            pthread_mutex_init(&stripes[i].mutex, NULL);
            xpthread_cond_init(&stripes[i].released, NULL);
        }
        ovsthread_once_done(&once);
    }
}

static uint32_t
ufid_hash(const ovs_u128 *ufid)
{
    /* OVS's ufids are hashes already. */
    return ufid->u32[0];
}

static struct stripe *
stripe_of(const ovs_u128 *ufid)
{
    flow_table_init();
    return &stripes[ufid->u32[1] % N_STRIPES];
}

static void
set_state(struct offload_flow *flow, enum offload_flow_state state)
{
    atomic_count_dec(&state_counts[flow->state]);
    atomic_count_inc(&state_counts[state]);
    flow->state = state;
}

struct offload_flow *
flow_table_lookup(const ovs_u128 *ufid)
{
    struct offload_flow *flow;

    CMAP_FOR_EACH_WITH_HASH (flow, node, ufid_hash(ufid), &table) {
        if (ovs_u128_equals(flow->ufid, *ufid)) {
            return flow;
        }
    }
    return NULL;
}

struct offload_flow *
flow_table_lookup_marked(const ovs_u128 *ufid, uint32_t mark)
{
    struct offload_flow *flow = flow_marks_find(mark);

    return (flow && ovs_u128_equals(flow->ufid, *ufid)
            ? flow : flow_table_lookup(ufid));
}

void
flow_table_mark(struct offload_flow *flow, uint32_t mark)
{
    if (flow->mark != mark) {
        flow_marks_clear(flow->mark, flow);
        flow->mark = mark;
    }
    flow_marks_set(mark, flow);
}

static struct offload_flow *
flow_create(const ovs_u128 *ufid)
{
    struct offload_flow *flow = xzalloc(sizeof *flow);

    flow->ufid = *ufid;
    flow->state = OFFLOAD_FLOW_NEW;
    atomic_count_inc(&state_counts[OFFLOAD_FLOW_NEW]);
    ovsrcu_init(&flow->spec, NULL);

    ovs_mutex_lock(&table_mutex);
    cmap_insert(&table, &flow->node, ufid_hash(ufid));
    ovs_mutex_unlock(&table_mutex);
    return flow;
}

/* With the stripe's mutex held, so that two threads can't both create a flow
 * with one ufid. */
static int
claim__(const ovs_u128 *ufid, bool create, bool wait, struct stripe *stripe,
        struct offload_flow **flowp)
{
    for (;;) {
        struct offload_flow *flow = flow_table_lookup(ufid);

        if (!flow) {
            if (!create) {
                return ENOENT;
            }
            flow = flow_create(ufid);
        } else if (flow->claimed) {
            if (!wait) {
                return EBUSY;
            }
            /* The flow may be freed while we wait: look it up again. */
            pthread_cond_wait(&stripe->released, &stripe->mutex);
            continue;
        }
        flow->claimed = true;
        *flowp = flow;
        return 0;
    }
}

int
flow_table_try_claim(const ovs_u128 *ufid, bool create,
                     struct offload_flow **flowp)
{
    struct stripe *stripe = stripe_of(ufid);
    int error;

    pthread_mutex_lock(&stripe->mutex);
    error = claim__(ufid, create, false, stripe, flowp);
    pthread_mutex_unlock(&stripe->mutex);
    return error;
}

int
flow_table_claim(const ovs_u128 *ufid, bool create,
                 struct offload_flow **flowp)
{
    struct stripe *stripe = stripe_of(ufid);
    int error;

    pthread_mutex_lock(&stripe->mutex);
    error = claim__(ufid, create, true, stripe, flowp);
    pthread_mutex_unlock(&stripe->mutex);
    return error;
}

static void
flow_free(struct offload_flow *flow)
{
    flow_spec_free(ovsrcu_get_protected(struct flow_spec *, &flow->spec));
    flow_readers_destroy(&flow->readers);
    free(flow);
}

void
flow_table_release(struct offload_flow *flow)
{
    struct stripe *stripe = stripe_of(&flow->ufid);
    bool dead;

    dead = (flow->state == OFFLOAD_FLOW_NEW
            || flow->state == OFFLOAD_FLOW_DEAD);
    if (dead) {
        flow_table_detach(flow);
        flow_marks_clear(flow->mark, flow);
    }
    pthread_mutex_lock(&stripe->mutex);
    if (dead) {
        set_state(flow, OFFLOAD_FLOW_DEAD);
        atomic_count_dec(&state_counts[OFFLOAD_FLOW_DEAD]);
        ovs_mutex_lock(&table_mutex);
        cmap_remove(&table, &flow->node, ufid_hash(&flow->ufid));
        ovs_mutex_unlock(&table_mutex);
    }
    flow->claimed = false;
    xpthread_cond_broadcast(&stripe->released);
    pthread_mutex_unlock(&stripe->mutex);

    if (dead) {
        ovsrcu_postpone(flow_free, flow);
    }
}

static void
counters_add(struct offload_counters *sum, const struct offload_counters *c)
{
    sum->hw_packets += c->hw_packets;
    sum->hw_bytes += c->hw_bytes;
    sum->sw_packets += c->sw_packets;
    sum->sw_bytes += c->sw_bytes;
}

static uint64_t
counters_packets(const struct offload_counters *c)
{
    return c->hw_packets + c->sw_packets;
}

static uint64_t
counters_bytes(const struct offload_counters *c)
{
    return c->hw_bytes + c->sw_bytes;
}

/* The flow's rule, which had counted 'flow->last', has now counted 'now',
 * whose sums are no less; one of its parts may be. */
static void
credit_port(const struct offload_flow *flow,
            const struct offload_counters *now)
{
    const struct offload_counters *last = &flow->last;
    const struct {
        enum offload_stat stat;
        uint64_t last, now;
    } parts[] = {
        { OFFLOAD_STAT_HW_PACKETS, last->hw_packets, now->hw_packets },
        { OFFLOAD_STAT_HW_BYTES, last->hw_bytes, now->hw_bytes },
        { OFFLOAD_STAT_SW_PACKETS, last->sw_packets, now->sw_packets },
        { OFFLOAD_STAT_SW_BYTES, last->sw_bytes, now->sw_bytes },
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i].now > parts[i].last) {
            offload_port_count(flow->port, flow->datapath, parts[i].stat,
                               parts[i].now - parts[i].last);
        }
    }
}

/* The rule that counted 'flow->last' has gone: 'carry' is what it had counted
 * at its end, or NULL if only the last reading is known. */
static void
carry_over(struct offload_flow *flow, const struct offload_counters *carry)
{
    const struct offload_counters *end = &flow->last;

    /* The end can't be less than what was read before, unless the device lost
     * the rule and somebody made it again. */
    if (carry && counters_packets(carry) >= counters_packets(&flow->last)
        && counters_bytes(carry) >= counters_bytes(&flow->last)) {
        if (counters_packets(carry) > counters_packets(&flow->last)) {
            flow->used = time_msec();
        }
        credit_port(flow, carry);
        end = carry;
    }
    counters_add(&flow->base, end);
    memset(&flow->last, 0, sizeof flow->last);
}

static uint64_t
next_seq(void)
{
    uint64_t seq;

    atomic_add(&last_seq, UINT64_C(1), &seq);
    return seq + 1;
}

static void
attach(struct offload_flow *flow, struct offload_port *port)
{
    if (flow->port != port) {
        flow_table_detach(flow);
        flow->port = port;
        port_flows_add(&port->flows, flow);
    }
}

void
flow_table_detach(struct offload_flow *flow)
{
    if (flow->port) {
        port_flows_remove(&flow->port->flows, flow);
        flow->port = NULL;
    }
}

void
flow_table_installed(struct offload_flow *flow, struct offload_port *port,
                     const union offload_handle *handle,
                     const struct match *match, const struct nlattr *actions,
                     size_t actions_len, const struct offload_counters *carry)
{
    struct flow_spec *spec = flow_spec_create(match, actions, actions_len);
    struct flow_spec *old
        = ovsrcu_get_protected(struct flow_spec *, &flow->spec);
    struct stripe *stripe = stripe_of(&flow->ufid);

    pthread_mutex_lock(&stripe->mutex);
    ovsrcu_set(&flow->spec, spec);
    if (flow->state == OFFLOAD_FLOW_INSTALLED) {
        carry_over(flow, carry);
    } else {
        flow->created = time_msec();
    }
    flow->condemned = false;
    flow->handle = *handle;
    flow->seq = next_seq();
    attach(flow, port);
    set_state(flow, OFFLOAD_FLOW_INSTALLED);
    pthread_mutex_unlock(&stripe->mutex);

    if (old) {
        ovsrcu_postpone(flow_spec_free, old);
    }
}

void
flow_table_uninstalled(struct offload_flow *flow,
                       enum offload_flow_state state,
                       const struct offload_counters *carry)
{
    struct stripe *stripe = stripe_of(&flow->ufid);

    pthread_mutex_lock(&stripe->mutex);
    if (flow->state == OFFLOAD_FLOW_INSTALLED) {
        carry_over(flow, carry);
    }
    memset(&flow->handle, 0, sizeof flow->handle);
    flow->in_hw = flow->condemned = false;
    flow->seq = next_seq();
    if (state == OFFLOAD_FLOW_EVICTING && flow->state != state) {
        flow->evicted = time_msec();
    }
    set_state(flow, state);
    pthread_mutex_unlock(&stripe->mutex);
}

void
flow_table_carry(struct offload_flow *flow, const struct offload_counters *c,
                 long long int used)
{
    struct stripe *stripe = stripe_of(&flow->ufid);

    pthread_mutex_lock(&stripe->mutex);
    counters_add(&flow->base, c);
    flow->used = MAX(flow->used, used);
    pthread_mutex_unlock(&stripe->mutex);
}

static void
get_stats(const struct offload_flow *flow, struct offload_flow_stats *stats)
{
    stats->counters = flow->base;
    counters_add(&stats->counters, &flow->last);
    stats->used = flow->used;
    stats->grew = false;
}

/* Returns true if the counters have grown. */
static bool
take_counters(struct offload_flow *flow,
              const struct offload_reading *reading, long long int now)
{
    if (counters_packets(&reading->counters) > counters_packets(&flow->last)
        && counters_bytes(&reading->counters) >= counters_bytes(&flow->last)) {
        credit_port(flow, &reading->counters);
        flow->last = reading->counters;
        flow->used = now;
        return true;
    }
    return false;
}

bool
flow_table_reading(struct offload_flow *flow,
                   const struct offload_reading *reading, uint64_t seq,
                   uint64_t dump, long long int now,
                   struct offload_flow_stats *stats)
{
    struct stripe *stripe = stripe_of(&flow->ufid);
    bool grew = false;
    bool ok;

    pthread_mutex_lock(&stripe->mutex);
    ok = (!flow->claimed
          && flow->state == OFFLOAD_FLOW_INSTALLED
          && flow->seq <= seq
          && offload_handle_equals(&flow->handle, &reading->handle));
    if (ok) {
        if (dump > flow->seen) {
            /* Dumps of one port may overlap. */
            flow->seen = dump;
        }
        flow->read = now;
        flow->in_hw = reading->in_hw;
        grew = take_counters(flow, reading, now);
    }
    get_stats(flow, stats);
    stats->grew = grew;
    pthread_mutex_unlock(&stripe->mutex);
    return ok;
}

void
flow_table_last_reading(struct offload_flow *flow,
                        const struct offload_reading *reading)
{
    struct stripe *stripe = stripe_of(&flow->ufid);

    pthread_mutex_lock(&stripe->mutex);
    if (flow->flush != OFFLOAD_FLUSH_NOT
        && flow->state == OFFLOAD_FLOW_INSTALLED
        && offload_handle_equals(&flow->handle, &reading->handle)) {
        take_counters(flow, reading, time_msec());
        flow->flush = OFFLOAD_FLUSH_SEEN;
    }
    pthread_mutex_unlock(&stripe->mutex);
}

void
flow_table_stats(const struct offload_flow *flow,
                 struct offload_flow_stats *stats)
{
    struct stripe *stripe = stripe_of(&flow->ufid);

    pthread_mutex_lock(&stripe->mutex);
    get_stats(flow, stats);
    pthread_mutex_unlock(&stripe->mutex);
}

void
flow_table_share(struct offload_flow *flow, uint64_t reader,
                 long long int now, struct offload_flow_stats *stats)
{
    struct stripe *stripe = stripe_of(&flow->ufid);
    uint64_t packets, bytes;

    pthread_mutex_lock(&stripe->mutex);
    get_stats(flow, stats);
    packets = counters_packets(&stats->counters);
    bytes = counters_bytes(&stats->counters);
    flow_readers_ask(&flow->readers, reader, now, &packets, &bytes);
    pthread_mutex_unlock(&stripe->mutex);

    stats->counters = (struct offload_counters) { .hw_packets = packets,
                                                  .hw_bytes = bytes };
}

uint64_t
flow_table_seq(void)
{
    uint64_t seq;

    atomic_read(&last_seq, &seq);
    return seq;
}

uint64_t
flow_table_next_dump(void)
{
    uint64_t dump;

    atomic_add(&last_dump, UINT64_C(1), &dump);
    return dump + 1;
}

uint32_t
flow_table_count(enum offload_flow_state state)
{
    return atomic_count_get(&state_counts[state]);
}

struct offload_flow *
flow_table_next(struct cmap_position *pos)
{
    struct cmap_node *node = cmap_next_position(&table, pos);

    return node ? CONTAINER_OF(node, struct offload_flow, node) : NULL;
}

void
flow_table_expire(long long int before)
{
    struct offload_flow *flow;

    if (!flow_table_count(OFFLOAD_FLOW_EVICTING)) {
        return;
    }
    CMAP_FOR_EACH (flow, node, &table) {
        struct offload_flow *claimed;

        if (flow->state == OFFLOAD_FLOW_EVICTING
            && !flow_table_try_claim(&flow->ufid, false, &claimed)) {
            if (claimed->state == OFFLOAD_FLOW_EVICTING
                && (claimed->datapath != OFFLOAD_DP_NETDEV || !claimed->port)
                && claimed->evicted < before) {
                flow_table_uninstalled(claimed, OFFLOAD_FLOW_DEAD, NULL);
            }
            flow_table_release(claimed);
        }
    }
}
