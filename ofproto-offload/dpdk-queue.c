/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "dpdk-offload.h"
#include "engine.h"
#include "flow-spec.h"
#include "hash.h"
#include "netlink.h"
#include "offload-port.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/match.h"
#include "openvswitch/thread.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "rte/rte-rules.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(offload_queued);
COVERAGE_DEFINE(offload_retried);

/* How often counters are read, in msec: about as often as NICs refresh
 * theirs. */
#define READ_INTERVAL_MS 500

/* Operations that go to the engine together. */
#define QUEUE_BATCH 64

/* So many items are kept for the next operations, lest one thread allocate
 * what another frees. */
#define MAX_SPARE 256

/* Longer actions than so many bytes are allocated. */
#define INLINE_ACTIONS 256

struct item {
    struct ovs_list node;       /* In 'queue' or 'spare'. */
    enum engine_op_type type;
    ovs_u128 ufid;
    bool *done;                 /* To be set at the end, or NULL. */

    /* ENGINE_PUT. */
    struct offload_port *in_port;   /* A reference. */
    struct match match;
    uint32_t mark;
    long long int offered;      /* In usec. */
    struct nlattr *actions;     /* 'inline_actions', or allocated. */
    size_t actions_len;         /* Bytes. */
    uint64_t inline_actions[INLINE_ACTIONS / sizeof(uint64_t)];
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list queue OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&queue);
static struct ovs_list spare OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&spare);
static size_t n_spare OVS_GUARDED_BY(mutex);
static atomic_count n_queued = ATOMIC_COUNT_INIT(0);
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static bool retry OVS_GUARDED_BY(mutex);    /* Something has come. */

/* A flow that was refused because its device was stopped, or an output port
 * unknown, which a new port is for a moment.  It is offered again when a port
 * comes or starts, until the flow is put again or deleted.  Of the worker. */
struct waiting {
    struct hmap_node node;      /* In 'waiting', by 'ufid'. */
    ovs_u128 ufid;
    struct offload_port *in_port;   /* A reference. */
    uint32_t mark;
    struct flow_spec *spec;
};
static struct hmap waiting = HMAP_INITIALIZER(&waiting);

static struct item *
item_create(enum engine_op_type type, const ovs_u128 *ufid)
{
    struct item *item = NULL;

    ovs_mutex_lock(&mutex);
    if (n_spare) {
        item = CONTAINER_OF(ovs_list_pop_front(&spare), struct item, node);
        n_spare--;
    }
    ovs_mutex_unlock(&mutex);

    if (!item) {
        item = xmalloc(sizeof *item);
    }
    item->type = type;
    item->ufid = *ufid;
    item->done = NULL;
    return item;
}

/* Gives back what the items refer to, and the items. */
static void
items_destroy(struct item *items[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct item *item = items[i];

        if (item->type == ENGINE_PUT) {
            offload_port_unref(item->in_port);
            if (item->actions
                != ALIGNED_CAST(struct nlattr *, item->inline_actions)) {
                free(item->actions);
            }
        }
    }

    ovs_mutex_lock(&mutex);
    while (n && n_spare < MAX_SPARE) {
        ovs_list_push_front(&spare, &items[--n]->node);
        n_spare++;
    }
    ovs_mutex_unlock(&mutex);

    while (n) {
        free(items[--n]);
    }
}

/* The worker isn't told of each item, but of a batch, or of its end. */
static void
enqueue(struct item *item, bool wait)
{
    bool done = false;
    unsigned int n;

    COVERAGE_INC(offload_queued);
    if (wait) {
        item->done = &done;
    }
    ovs_mutex_lock(&mutex);
    ovs_list_push_back(&queue, &item->node);
    n = atomic_count_inc(&n_queued) + 1;
    if (wait || !(n % QUEUE_BATCH)) {
        xpthread_cond_signal(&came);
    }
    while (wait && !done) {
        ovs_mutex_cond_wait(&finished, &mutex);
    }
    ovs_mutex_unlock(&mutex);
}

/* Takes over the caller's reference of 'in_port'.  'match' is left to him. */
static struct item *
put_create(struct offload_port *in_port, const ovs_u128 *ufid,
           const struct nlattr *actions, size_t actions_len, uint32_t mark)
{
    struct item *item = item_create(ENGINE_PUT, ufid);

    item->in_port = in_port;
    item->mark = mark;
    item->offered = time_usec();
    item->actions_len = actions_len;
    item->actions = (actions_len > INLINE_ACTIONS ? xmalloc(actions_len)
                     : ALIGNED_CAST(struct nlattr *, item->inline_actions));
    if (actions_len) {
        memcpy(item->actions, actions, actions_len);
    }
    return item;
}

void
dpdk_queue_put(struct offload_port *in_port, const ovs_u128 *ufid,
               const struct match *match, const struct nlattr *actions,
               size_t actions_len, uint32_t mark)
{
    struct item *item;

    if (!offload_port_try_ref(in_port)) {
        return;                 /* Removed meanwhile. */
    }
    item = put_create(in_port, ufid, actions, actions_len, mark);
    item->match.flow = match->flow;
    item->match.wc = match->wc;
    item->match.tun_md.valid = false;   /* See flow-spec.h. */
    enqueue(item, false);
}

void
dpdk_queue_del(const ovs_u128 *ufid, bool wait)
{
    enqueue(item_create(ENGINE_DEL, ufid), wait);
}

void
dpdk_queue_end_of_batch(void)
{
    ovs_mutex_lock(&mutex);
    if (!ovs_list_is_empty(&queue)) {
        xpthread_cond_signal(&came);
    }
    ovs_mutex_unlock(&mutex);
}

void
dpdk_queue_retry(void)
{
    ovs_mutex_lock(&mutex);
    retry = true;
    xpthread_cond_signal(&came);
    ovs_mutex_unlock(&mutex);
}

unsigned int
dpdk_queue_length(void)
{
    return atomic_count_get(&n_queued);
}

/* Waits for work and takes up to 'max' items.  Sets '*again' if those that
 * wait are to be offered again, before the others.  The thread is quiescent
 * meanwhile. */
static size_t
dequeue(struct item *items[], size_t max, bool *again)
{
    size_t n = 0;

    ovsrcu_quiesce_start();
    ovs_mutex_lock(&mutex);
    while (ovs_list_is_empty(&queue) && !retry) {
        ovs_mutex_cond_wait(&came, &mutex);
    }
    *again = retry;
    retry = false;
    while (n < max && !ovs_list_is_empty(&queue)) {
        items[n++] = CONTAINER_OF(ovs_list_pop_front(&queue), struct item,
                                  node);
        atomic_count_dec(&n_queued);
    }
    ovs_mutex_unlock(&mutex);
    ovsrcu_quiesce_end();
    return n;
}

/* Its port may have been removed, and its number be another one's. */
static bool
is_stale(const struct item *item)
{
    return (item->type == ENGINE_PUT
            && offload_port_lookup_in(OFFLOAD_DP_NETDEV,
                                      item->in_port->odp_port)
               != item->in_port);
}

static void
item_to_op(const struct item *item, struct engine_op *op)
{
    *op = (struct engine_op) {
        .type = item->type,
        .ufid = &item->ufid,
        .datapath = OFFLOAD_DP_NETDEV,
    };
    if (item->type == ENGINE_PUT) {
        op->match = &item->match;
        op->actions = item->actions;
        op->actions_len = item->actions_len;
        op->in_port = item->in_port->odp_port;
        op->mark = item->mark;
        op->offered = item->offered;
    }
}

static struct waiting *
waiting_find(const ovs_u128 *ufid)
{
    struct waiting *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, hash_bytes(ufid, sizeof *ufid, 0),
                             &waiting) {
        if (ovs_u128_equals(w->ufid, *ufid)) {
            return w;
        }
    }
    return NULL;
}

static void
waiting_remove(struct waiting *w)
{
    hmap_remove(&waiting, &w->node);
    offload_port_unref(w->in_port);
    flow_spec_free(w->spec);
    free(w);
}

static void
waiting_add(const struct item *item)
{
    struct waiting *w;

    if (!offload_port_try_ref(item->in_port)) {
        return;
    }
    w = xmalloc(sizeof *w);
    w->ufid = item->ufid;
    w->in_port = item->in_port;
    w->mark = item->mark;
    w->spec = flow_spec_create(&item->match, item->actions,
                               item->actions_len);
    hmap_insert(&waiting, &w->node,
                hash_bytes(&w->ufid, sizeof w->ufid, 0));
}

/* Might it be otherwise when another port has come? */
static bool
is_worth_waiting(const struct engine_op *op)
{
    return (op->type == ENGINE_PUT && op->error
            && (op->refusal.code == OFFLOAD_REFUSED_STOPPED
                || op->refusal.code == OFFLOAD_REFUSED_OUT_PORT));
}

/* After an operation. */
static void
update_waiting(const struct item *item, const struct engine_op *op)
{
    struct waiting *w = (hmap_is_empty(&waiting) ? NULL
                         : waiting_find(&item->ufid));

    if (w) {
        waiting_remove(w);
    }
    if (is_worth_waiting(op)) {
        waiting_add(item);
    }
}

static void
work(struct item *items[], size_t n)
{
    struct engine_op ops[QUEUE_BATCH];
    struct engine_op *opsp[QUEUE_BATCH];
    const struct item *op_items[QUEUE_BATCH];
    size_t n_ops = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_stale(items[i])) {
            item_to_op(items[i], &ops[n_ops]);
            opsp[n_ops] = &ops[n_ops];
            op_items[n_ops] = items[i];
            n_ops++;
        }
    }
    engine_operate(opsp, n_ops);
    for (size_t i = 0; i < n_ops; i++) {
        update_waiting(op_items[i], &ops[i]);
    }
}

static void
finish(struct item *items[], size_t n)
{
    ovs_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++) {
        if (items[i]->done) {
            *items[i]->done = true;
            xpthread_cond_broadcast(&finished);
        }
    }
    ovs_mutex_unlock(&mutex);
    items_destroy(items, n);
}

static struct item *
item_from_waiting(const struct waiting *w)
{
    const struct nlattr *actions = flow_spec_actions(w->spec);
    struct item *item;

    if (!offload_port_try_ref(w->in_port)) {
        return NULL;
    }
    item = put_create(w->in_port, &w->ufid, nl_attr_get(actions),
                      nl_attr_get_size(actions), w->mark);
    flow_spec_match(w->spec, &item->match);
    return item;
}

/* Offers each flow that waits once more: some may go on waiting, for another
 * device. */
static void
work_waiting(void)
{
    struct hmap all = HMAP_INITIALIZER(&all);
    struct waiting *w, *next;

    hmap_swap(&all, &waiting);
    HMAP_FOR_EACH_SAFE (w, next, node, &all) {
        struct item *item = item_from_waiting(w);

        hmap_remove(&all, &w->node);
        hmap_insert(&waiting, &w->node,
                    hash_bytes(&w->ufid, sizeof w->ufid, 0));
        if (item) {
            COVERAGE_INC(offload_retried);
            work(&item, 1);
            finish(&item, 1);
        } else {
            waiting_remove(w);
        }
        ovsrcu_quiesce();
    }
    hmap_destroy(&all);
}

static void *
worker_main(void *aux OVS_UNUSED)
{
    for (;;) {
        struct item *items[QUEUE_BATCH];
        bool again;
        size_t n = dequeue(items, QUEUE_BATCH, &again);

        if (again) {
            work_waiting();
        }
        work(items, n);
        finish(items, n);
        coverage_try_clear();
    }
    return NULL;
}

static void *
reader_main(void *aux OVS_UNUSED)
{
    for (;;) {
        engine_refresh();
        rte_devices_tidy();
        coverage_try_clear();
        xnanosleep(READ_INTERVAL_MS * UINT64_C(1000000));
    }
    return NULL;
}

void
dpdk_queue_start(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        ovs_thread_create("fast_rules", worker_main, NULL);
        ovs_thread_create("fast_count", reader_main, NULL);
        ovsthread_once_done(&once);
    }
}
