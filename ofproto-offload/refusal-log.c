/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "refusal-log.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cmap.h"
#include "flow.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(offload_refusals);

/* The life of a reason, which is a place of the pool.
 *
 * LIVE ones are found by who notes a flow.  A RETIRED one isn't any more, but
 * has flows still, or somebody may be about to give it one: he found it before
 * that.  Once RCU says that there is nobody any more, and its last flow is
 * gone, the place is FREE for another reason. */
enum reason_state { REASON_FREE, REASON_LIVE, REASON_RETIRED };

/* What many flows have in common. */
struct reason {
    struct cmap_node node;      /* LIVE: in 'reasons', by reason_hash(). */
    struct ovs_list free_node;  /* FREE: in 'free_reasons'. */
    ATOMIC(enum reason_state) state;
    atomic_bool unfindable;     /* RETIRED: nobody gives it flows any more. */

    /* Constant unless FREE. */
    enum offload_datapath datapath;
    odp_port_t odp_port;
    char port[IFNAMSIZ];
    enum offload_refusal_code code;
    const char *subject;
    uint32_t words;             /* Hash of what the device said, or 0. */
    uint32_t hash;              /* reason_hash(). */

    atomic_count n_flows;
    atomic_uint64_t n_dropped;
    atomic_uint64_t n_refused;

    atomic_uint n_unlogged;     /* Since the last line in the log. */

    /* The main thread's own.  Monotonic msec. */
    long long int next_line;    /* In the log: not before. */
    long long int idle_since;   /* 'n_refused' hasn't changed. */
    uint64_t n_refused_then;

    /* The latest, as far as nobody else was at it. */
    struct ovs_mutex mutex;
    struct offload_refusal latest OVS_GUARDED;
    ovs_u128 latest_ufid OVS_GUARDED;
};

/* What is known of a flow.  Of the refusal only the detail that there is takes
 * memory. */
struct record {
    struct hmap_node node;      /* In its stripe's 'records', by 'ufid'. */
    struct ovs_list age;        /* In its stripe's 'by_age'. */
    ovs_u128 ufid;
    struct reason *reason;
    long long int since, last;
    uint32_t n;
    int error;
    odp_port_t odp_port;        /* Not 'reason''s if that is any port's. */
    enum offload_datapath datapath;
    const char *hint;
    char detail[];
};

#define N_STRIPES 64
BUILD_ASSERT_DECL(REFUSAL_LOG_MAX_FLOWS % N_STRIPES == 0);

static struct stripe {
    struct ovs_mutex mutex;
    struct hmap records OVS_GUARDED;
    struct ovs_list by_age OVS_GUARDED;     /* The oldest first. */
} stripes[N_STRIPES];

static struct reason reasons_pool[REFUSAL_LOG_MAX_REASONS
                                  + OFFLOAD_N_REFUSALS];
static struct cmap reasons = CMAP_INITIALIZER;
static struct ovs_mutex reasons_mutex = OVS_MUTEX_INITIALIZER;
static atomic_count n_reasons;  /* Of the pool's, ever in use. */
static struct ovs_list free_reasons OVS_GUARDED_BY(reasons_mutex)
    = OVS_LIST_INITIALIZER(&free_reasons);
static atomic_count n_records;

/* By code: refused for reasons that were freed, or for none.  The former are
 * the main thread's. */
static uint64_t n_refused_once[OFFLOAD_N_REFUSALS];
static atomic_uint64_t n_uncounted[OFFLOAD_N_REFUSALS];
static atomic_uint64_t n_dropped = ATOMIC_VAR_INIT(0);

static enum reason_state
reason_state(const struct reason *reason)
{
    enum reason_state state;

    atomic_read_explicit(&CONST_CAST(struct reason *, reason)->state, &state,
                         memory_order_acquire);
    return state;
}

/* What was written before is seen by who sees the state. */
static void
reason_set_state(struct reason *reason, enum reason_state state)
{
    atomic_store_explicit(&reason->state, state, memory_order_release);
}

/* Reasons of any port, at the end of the pool, a code each. */
static struct reason *
common_reason(enum offload_refusal_code code)
{
    return &reasons_pool[REFUSAL_LOG_MAX_REASONS + code];
}

static void
init_once(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        for (size_t i = 0; i < N_STRIPES; i++) {
            ovs_mutex_init(&stripes[i].mutex);
            hmap_init(&stripes[i].records);
            ovs_list_init(&stripes[i].by_age);
        }
        for (int code = 0; code < OFFLOAD_N_REFUSALS; code++) {
            struct reason *reason = common_reason(code);

            ovs_mutex_init(&reason->mutex);
            reason->code = code;
            reason->subject = "";
            reason_set_state(reason, REASON_LIVE);
        }
        ovsthread_once_done(&once);
    }
}

static struct stripe *
stripe_of(const ovs_u128 *ufid)
{
    init_once();
    return &stripes[hash_bytes(ufid, sizeof *ufid, 1) % N_STRIPES];
}

/* Reasons. */

/* Numbers aside, a kernel has few things to say.  Returns a hash of them, not
 * 0. */
static uint32_t
hash_text(const char *s)
{
    uint32_t hash = 0;

    for (; *s; s++) {
        if (!isdigit((unsigned char) *s)) {
            hash = hash_add(hash, *s);
        }
    }
    return hash | 1;
}

static uint32_t
refusal_words(const struct offload_refusal *r)
{
    return (r->code == OFFLOAD_REFUSED_DEVICE
            || r->code == OFFLOAD_REFUSED_DRIVER
            ? hash_text(r->detail) ^ (r->error << 1) : 0);
}

static const char *
place_name(const struct refusal_place *place)
{
    return place->port ? place->port : "";
}

static bool
reason_matches(const struct reason *reason, const struct offload_refusal *r,
               const struct refusal_place *place, uint32_t words)
{
    return (reason->code == r->code
            && reason->words == words
            && reason->odp_port == place->odp_port
            && reason->datapath == place->datapath
            && !strcmp(reason->subject, r->subject ? r->subject : "")
            && !strcmp(reason->port, place_name(place)));
}

static uint32_t
reason_hash(const struct offload_refusal *r, const struct refusal_place *place,
            uint32_t words)
{
    uint32_t hash = hash_string(r->subject ? r->subject : "", r->code);

    hash = hash_add(hash, odp_to_u32(place->odp_port));
    hash = hash_add(hash, place->datapath);
    hash = hash_add(hash, words);
    return hash_string(place_name(place), hash);
}

static struct reason *
reason_lookup(uint32_t hash, const struct offload_refusal *r,
              const struct refusal_place *place, uint32_t words)
{
    struct reason *reason;

    CMAP_FOR_EACH_WITH_HASH (reason, node, hash, &reasons) {
        if (reason_matches(reason, r, place, words)) {
            return reason;
        }
    }
    return NULL;
}

/* A place for a reason, all of whose numbers are 0, or NULL. */
static struct reason *
reason_alloc(void)
    OVS_REQUIRES(reasons_mutex)
{
    unsigned int n = atomic_count_get(&n_reasons);
    struct reason *reason;

    if (!ovs_list_is_empty(&free_reasons)) {
        return CONTAINER_OF(ovs_list_pop_front(&free_reasons), struct reason,
                            free_node);
    } else if (n >= REFUSAL_LOG_MAX_REASONS) {
        return NULL;
    }
    reason = &reasons_pool[n];
    ovs_mutex_init(&reason->mutex);
    atomic_count_set(&n_reasons, n + 1);
    return reason;
}

static struct reason *
reason_create(uint32_t hash, const struct offload_refusal *r,
              const struct refusal_place *place, uint32_t words)
    OVS_REQUIRES(reasons_mutex)
{
    struct reason *reason = reason_alloc();

    if (!reason) {
        return common_reason(r->code);
    }
    reason->code = r->code;
    reason->datapath = place->datapath;
    reason->odp_port = place->odp_port;
    ovs_strlcpy(reason->port, place_name(place), sizeof reason->port);
    reason->subject = r->subject ? r->subject : "";
    reason->words = words;
    reason->hash = hash;
    reason_set_state(reason, REASON_LIVE);
    cmap_insert(&reasons, &reason->node, hash);
    return reason;
}

/* A grace period after it was retired. */
static void
reason_unfindable(struct reason *reason)
{
    atomic_store(&reason->unfindable, true);
}

static void
reason_retire(struct reason *reason)
    OVS_REQUIRES(reasons_mutex)
{
    cmap_remove(&reasons, &reason->node, reason->hash);
    reason_set_state(reason, REASON_RETIRED);
    ovsrcu_postpone(reason_unfindable, reason);
}

/* Nobody knows 'reason' any more. */
static void
reason_free(struct reason *reason)
    OVS_REQUIRES(reasons_mutex)
{
    uint64_t n;

    atomic_read_relaxed(&reason->n_refused, &n);
    n_refused_once[reason->code] += n;
    atomic_store_relaxed(&reason->n_refused, 0);
    atomic_store_relaxed(&reason->n_dropped, 0);
    atomic_store_relaxed(&reason->unfindable, false);
    reason->next_line = reason->idle_since = 0;
    reason->n_refused_then = 0;
    reason_set_state(reason, REASON_FREE);
    ovs_list_push_back(&free_reasons, &reason->free_node);
}

static struct reason *
reason_get(const struct offload_refusal *r, const struct refusal_place *place)
{
    uint32_t words = refusal_words(r);
    uint32_t hash = reason_hash(r, place, words);
    struct reason *reason = reason_lookup(hash, r, place, words);

    if (!reason) {
        ovs_mutex_lock(&reasons_mutex);
        reason = reason_lookup(hash, r, place, words);
        if (!reason) {
            reason = reason_create(hash, r, place, words);
        }
        ovs_mutex_unlock(&reasons_mutex);
    }
    return reason;
}

/* Counting takes no lock; of several threads, one may leave an example. */
static void
reason_count(struct reason *reason, const struct offload_refusal *r,
             const ovs_u128 *ufid)
{
    uint64_t old;
    unsigned int n;

    atomic_add_relaxed(&reason->n_refused, 1, &old);
    if (!ovs_mutex_trylock(&reason->mutex)) {
        reason->latest = *r;
        reason->latest_ufid = *ufid;
        ovs_mutex_unlock(&reason->mutex);
    }
    atomic_add_relaxed(&reason->n_unlogged, 1, &n);
}

/* Records. */

static struct record *
record_lookup(struct stripe *stripe, const ovs_u128 *ufid)
    OVS_REQUIRES(stripe->mutex)
{
    struct record *record;

    HMAP_FOR_EACH_WITH_HASH (record, node, hash_bytes(ufid, sizeof *ufid, 0),
                             &stripe->records) {
        if (ovs_u128_equals(record->ufid, *ufid)) {
            return record;
        }
    }
    return NULL;
}

static void
record_remove(struct stripe *stripe, struct record *record)
    OVS_REQUIRES(stripe->mutex)
{
    hmap_remove(&stripe->records, &record->node);
    ovs_list_remove(&record->age);
    atomic_count_dec(&record->reason->n_flows);
    atomic_count_dec(&n_records);
    free(record);
}

static void
drop_oldest(struct stripe *stripe)
    OVS_REQUIRES(stripe->mutex)
{
    struct record *oldest = CONTAINER_OF(ovs_list_front(&stripe->by_age),
                                         struct record, age);
    uint64_t old;

    atomic_add_relaxed(&oldest->reason->n_dropped, 1, &old);
    atomic_add_relaxed(&n_dropped, 1, &old);
    record_remove(stripe, oldest);
}

static void
record_insert(struct stripe *stripe, struct record *record)
    OVS_REQUIRES(stripe->mutex)
{
    if (hmap_count(&stripe->records) >= REFUSAL_LOG_MAX_FLOWS / N_STRIPES) {
        drop_oldest(stripe);
    }
    hmap_insert(&stripe->records, &record->node,
                hash_bytes(&record->ufid, sizeof record->ufid, 0));
    ovs_list_push_back(&stripe->by_age, &record->age);
    atomic_count_inc(&record->reason->n_flows);
    atomic_count_inc(&n_records);
}

static struct record *
record_create(const struct offload_refusal *r, struct reason *reason,
              const struct refusal_place *place, const ovs_u128 *ufid)
{
    size_t size = strlen(r->detail) + 1;
    struct record *record = xmalloc(offsetof(struct record, detail) + size);

    record->ufid = *ufid;
    record->reason = reason;
    record->since = record->last = time_wall_msec();
    record->n = 1;
    record->error = r->error;
    record->odp_port = place->odp_port;
    record->datapath = place->datapath;
    record->hint = r->hint;
    memcpy(record->detail, r->detail, size);
    return record;
}

void
refusal_log_note(const struct offload_refusal *r,
                 const struct refusal_place *place, const ovs_u128 *ufid)
{
    struct stripe *stripe = stripe_of(ufid);
    struct reason *reason = reason_get(r, place);
    struct record *new = record_create(r, reason, place, ufid);
    struct record *old;

    reason_count(reason, r, ufid);
    ovs_mutex_lock(&stripe->mutex);
    old = record_lookup(stripe, ufid);
    if (old) {
        if (old->reason == reason) {
            new->since = old->since;
            new->n = old->n + 1;
        }
        record_remove(stripe, old);
    }
    record_insert(stripe, new);
    ovs_mutex_unlock(&stripe->mutex);
}

void
refusal_log_forget(const ovs_u128 *ufid)
{
    struct stripe *stripe;
    struct record *record;

    if (!atomic_count_get(&n_records)) {
        return;
    }
    stripe = stripe_of(ufid);
    ovs_mutex_lock(&stripe->mutex);
    record = record_lookup(stripe, ufid);
    if (record) {
        record_remove(stripe, record);
    }
    ovs_mutex_unlock(&stripe->mutex);
}

void
refusal_log_forget_port(enum offload_datapath datapath, odp_port_t odp_port)
{
    init_once();
    for (size_t i = 0; i < N_STRIPES; i++) {
        struct stripe *stripe = &stripes[i];
        struct record *record, *next;

        ovs_mutex_lock(&stripe->mutex);
        HMAP_FOR_EACH_SAFE (record, next, node, &stripe->records) {
            if (record->odp_port == odp_port
                && record->datapath == datapath) {
                record_remove(stripe, record);
            }
        }
        ovs_mutex_unlock(&stripe->mutex);
    }

    ovs_mutex_lock(&reasons_mutex);
    for (size_t i = 0; i < atomic_count_get(&n_reasons); i++) {
        struct reason *reason = &reasons_pool[i];

        if (reason_state(reason) == REASON_LIVE
            && reason->odp_port == odp_port && reason->datapath == datapath) {
            atomic_store_relaxed(&reason->n_dropped, 0);
            reason_retire(reason);
        }
    }
    ovs_mutex_unlock(&reasons_mutex);
}

void
refusal_log_count_only(enum offload_refusal_code code)
{
    uint64_t old;

    atomic_add_relaxed(&n_uncounted[code], 1, &old);
}

/* Readers. */

static void
record_copy(const struct record *record, struct refused_flow *flow)
{
    const struct reason *reason = record->reason;

    memset(flow, 0, sizeof *flow);
    flow->ufid = record->ufid;
    flow->datapath = record->datapath;
    flow->odp_port = record->odp_port;
    ovs_strlcpy(flow->port, reason->port, sizeof flow->port);
    flow->refusal.code = reason->code;
    flow->refusal.subject = reason->subject;
    flow->refusal.error = record->error;
    flow->refusal.hint = record->hint;
    ovs_strlcpy(flow->refusal.detail, record->detail,
                sizeof flow->refusal.detail);
    flow->since = record->since;
    flow->last = record->last;
    flow->n = record->n;
}

bool
refusal_log_lookup(const ovs_u128 *ufid, struct refused_flow *flow)
{
    struct stripe *stripe = stripe_of(ufid);
    struct record *record;

    ovs_mutex_lock(&stripe->mutex);
    record = record_lookup(stripe, ufid);
    if (record) {
        record_copy(record, flow);
    }
    ovs_mutex_unlock(&stripe->mutex);
    return record != NULL;
}

uint32_t
refusal_log_count(void)
{
    return atomic_count_get(&n_records);
}

uint64_t
refusal_log_n_dropped(void)
{
    uint64_t n;

    atomic_read_relaxed(&n_dropped, &n);
    return n;
}

size_t
refusal_log_n_reasons(void)
{
    size_t n;

    ovs_mutex_lock(&reasons_mutex);
    n = atomic_count_get(&n_reasons) - ovs_list_size(&free_reasons);
    ovs_mutex_unlock(&reasons_mutex);
    return n;
}

void
refusal_log_for_each_flow(
    void (*cb)(const struct refused_flow *, size_t reason, void *aux),
    void *aux)
{
    init_once();
    for (size_t i = 0; i < N_STRIPES; i++) {
        struct stripe *stripe = &stripes[i];
        struct record *record;

        ovs_mutex_lock(&stripe->mutex);
        HMAP_FOR_EACH (record, node, &stripe->records) {
            struct refused_flow flow;

            record_copy(record, &flow);
            cb(&flow, record->reason - reasons_pool, aux);
        }
        ovs_mutex_unlock(&stripe->mutex);
    }
}

/* Those that aren't FREE, and won't be before the caller, the main thread,
 * frees them. */
static void
for_each_reason(void (*cb)(struct reason *, void *aux), void *aux)
{
    size_t n = atomic_count_get(&n_reasons);

    init_once();
    for (size_t i = 0; i < n; i++) {
        if (reason_state(&reasons_pool[i]) != REASON_FREE) {
            cb(&reasons_pool[i], aux);
        }
    }
    for (int code = 0; code < OFFLOAD_N_REFUSALS; code++) {
        cb(common_reason(code), aux);
    }
}

struct reason_visitor {
    void (*cb)(const struct refusal_reason_stats *, void *aux);
    void *aux;
};

static void
visit_reason(struct reason *reason, void *visitor_)
{
    const struct reason_visitor *visitor = visitor_;
    struct refusal_reason_stats s = {
        .id = reason - reasons_pool,
        .datapath = reason->datapath,
        .odp_port = reason->odp_port,
        .code = reason->code,
        .subject = reason->subject,
        .n_flows = atomic_count_get(&reason->n_flows),
    };

    ovs_strlcpy(s.port, reason->port, sizeof s.port);
    atomic_read_relaxed(&reason->n_dropped, &s.n_dropped);
    atomic_read_relaxed(&reason->n_refused, &s.n_refused);
    if (s.n_flows || s.n_dropped) {
        visitor->cb(&s, visitor->aux);
    }
}

void
refusal_log_for_each_reason(
    void (*cb)(const struct refusal_reason_stats *, void *aux), void *aux)
{
    struct reason_visitor visitor = { cb, aux };

    for_each_reason(visit_reason, &visitor);
}

static void
add_refused(struct reason *reason, void *totals_)
{
    uint64_t *totals = totals_;
    uint64_t n;

    atomic_read_relaxed(&reason->n_refused, &n);
    totals[reason->code] += n;
}

void
refusal_log_totals(uint64_t totals[OFFLOAD_N_REFUSALS])
{
    for (size_t code = 0; code < OFFLOAD_N_REFUSALS; code++) {
        atomic_read_relaxed(&n_uncounted[code], &totals[code]);
        totals[code] += n_refused_once[code];
    }
    for_each_reason(add_refused, totals);
}

/* The log. */

static void
log_reason(struct reason *reason, void *now_)
{
    const long long int *now = now_;
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(600, 100);
    struct offload_refusal latest;
    struct ds s = DS_EMPTY_INITIALIZER;
    unsigned int n, old;
    ovs_u128 ufid;

    atomic_read_relaxed(&reason->n_unlogged, &n);
    if (!n || (*now < reason->next_line
               && reason_state(reason) == REASON_LIVE)) {
        return;
    }
    reason->next_line = *now + REFUSAL_LOG_INTERVAL_MS;
    atomic_sub_relaxed(&reason->n_unlogged, n, &old);

    ovs_mutex_lock(&reason->mutex);
    latest = reason->latest;
    ufid = reason->latest_ufid;
    ovs_mutex_unlock(&reason->mutex);
    offload_refusal_format(&latest, &s);
    VLOG_INFO_RL(&rl, "%u flow%s refused on %s: %s (see offload/explain "
                 "ufid:"UUID_FMT")", n, n == 1 ? "" : "s",
                 reason->port[0] ? reason->port : "some port", ds_cstr(&s),
                 UUID_ARGS((const struct uuid *) &ufid));
    ds_destroy(&s);
}

/* Reasons come and go. */

/* Once the pool is that full, those go that nobody has needed for long. */
#define MANY_REASONS (REFUSAL_LOG_MAX_REASONS * 3 / 4)

/* No flow has it, and there is nothing to be said of it. */
static bool
reason_is_unused(struct reason *reason)
{
    unsigned int n;

    atomic_read_relaxed(&reason->n_unlogged, &n);
    return !n && !atomic_count_get(&reason->n_flows);
}

/* Nobody has been refused for it for long, and of nobody who was isn't it
 * known whether he still is. */
static bool
reason_is_idle(struct reason *reason, long long int now)
{
    uint64_t n, n_unknown;

    atomic_read_relaxed(&reason->n_refused, &n);
    atomic_read_relaxed(&reason->n_dropped, &n_unknown);
    if (n != reason->n_refused_then) {
        reason->n_refused_then = n;
        reason->idle_since = now;
    }
    return !n_unknown && now - reason->idle_since >= REFUSAL_LOG_IDLE_MS;
}

/* The last step, or the first, of a reason that isn't needed. */
static void
recycle(struct reason *reason, bool many, long long int now)
    OVS_REQUIRES(reasons_mutex)
{
    enum reason_state state = reason_state(reason);
    bool unfindable;

    if (state == REASON_LIVE) {
        if (reason_is_idle(reason, now) && many && reason_is_unused(reason)) {
            reason_retire(reason);
        }
    } else if (state == REASON_RETIRED) {
        /* In this order: who still could give it a flow has given it. */
        atomic_read(&reason->unfindable, &unfindable);
        if (unfindable && reason_is_unused(reason)) {
            reason_free(reason);
        }
    }
}

static void
recycle_all(long long int now)
{
    ovs_mutex_lock(&reasons_mutex);
    bool many = cmap_count(&reasons) >= MANY_REASONS;
    for (size_t i = 0; i < atomic_count_get(&n_reasons); i++) {
        recycle(&reasons_pool[i], many, now);
    }
    ovs_mutex_unlock(&reasons_mutex);
}

void
refusal_log_run(long long int now)
{
    static long long int next = 0;

    /* A second is soon enough, and gathers a burst in one line. */
    if (now >= next) {
        next = now + 1000;
        for_each_reason(log_reason, &now);
        recycle_all(now);
    }
}
