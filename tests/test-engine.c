/* SPDX-License-Identifier: Apache-2.0 */

/* The engine, above a device that is made up.
 *
 * The device executes nothing; it keeps its rules in an array, counts what it
 * is told to count, and fails where it is told to fail.  Each test compares
 * three views at its end: the device's rules, the shadow table, and what a
 * dump shows. */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow-spec.h"
#include "flow-table.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "ofproto-offload/engine.h"
#include "ofproto-offload/engine-private.h"
#include "ofproto-offload/refusal-log.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "random.h"
#include "shared-bytes.h"
#include "timeval.h"
#include "util.h"

/* The made-up device. */

#define MAX_RULES 4096

struct fake_rule {
    bool used;
    ovs_u128 ufid;
    struct offload_port *port;
    union offload_handle handle;
    struct offload_counters counters;
    size_t n_actions;
};

static pthread_mutex_t device_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct fake_rule rules[MAX_RULES];
static uint32_t last_handle;

/* The 'fail_at'-th operation from now on fails (0: none), with 'fail_error'.
 * If 'fail_late' it has been carried out nevertheless (a put leaves nothing,
 * a replacement takes the old rule out). */
static int fail_at;
static int fail_error;
static bool fail_late;
static bool fail_on;            /* All that come after it fail, too. */
static bool fail_dump;          /* Dumps can't be started. */

static size_t n_reads;          /* Of single rules. */
static size_t n_dumps;
static uint64_t activity;       /* Of all ports. */
static bool in_software;        /* The rules. */
static bool has_words;          /* The driver says why it takes no rule. */
static bool listing_fails;      /* A flush misses a rule, and doesn't know. */

struct fake_request {
    bool put;
    struct offload_port *port;
    struct offload_op *op;
    ovs_u128 ufid;
    size_t n_actions;
};

struct offload_batch {
    struct fake_request requests[128];
    size_t n;
};

static __thread struct offload_batch fake_batch;

static struct fake_rule *
find_rule(const union offload_handle *handle)
{
    for (size_t i = 0; i < MAX_RULES; i++) {
        if (rules[i].used && offload_handle_equals(&rules[i].handle, handle)) {
            return &rules[i];
        }
    }
    return NULL;
}

static struct fake_rule *
find_rule_by_ufid(const ovs_u128 *ufid)
{
    for (size_t i = 0; i < MAX_RULES; i++) {
        if (rules[i].used && ovs_u128_equals(rules[i].ufid, *ufid)) {
            return &rules[i];
        }
    }
    return NULL;
}

static int
fake_port_open(struct offload_port *port OVS_UNUSED,
               struct offload_refusal *refusal OVS_UNUSED)
{
    return 0;
}

static void
fake_port_close(struct offload_port *port)
{
    pthread_mutex_lock(&device_mutex);
    for (size_t i = 0; i < MAX_RULES; i++) {
        if (rules[i].used && rules[i].port == port) {
            rules[i].used = false;
        }
    }
    pthread_mutex_unlock(&device_mutex);
}

static struct offload_batch *
fake_batch_begin(void)
{
    fake_batch.n = 0;
    return &fake_batch;
}

static void
fake_rule_put(struct offload_batch *batch, struct offload_port *port,
              const struct offload_rule *rule, struct offload_op *op)
{
    struct fake_request *r = &batch->requests[batch->n++];

    assert(batch->n <= ARRAY_SIZE(batch->requests));
    *r = (struct fake_request) {
        .put = true, .port = port, .op = op, .ufid = rule->ufid,
        .n_actions = rule->n_actions,
    };
    op->error = 0;
    op->lost = false;
    memset(&op->counters, 0, sizeof op->counters);
    offload_refusal_init(&op->refusal);
}

static void
fake_rule_del(struct offload_batch *batch, struct offload_port *port,
              struct offload_op *op)
{
    struct fake_request *r = &batch->requests[batch->n++];

    assert(batch->n <= ARRAY_SIZE(batch->requests));
    *r = (struct fake_request) { .put = false, .port = port, .op = op };
    op->error = 0;
    op->lost = false;
    memset(&op->counters, 0, sizeof op->counters);
    offload_refusal_init(&op->refusal);
}

static void
take_out(struct fake_rule *rule, struct offload_op *op)
{
    op->counters = rule->counters;
    rule->used = false;
    memset(&op->handle, 0, sizeof op->handle);
}

static void
carry_out_put(const struct fake_request *r)
{
    struct fake_rule *rule = NULL;

    if (offload_handle_is_set(&r->op->handle)) {
        rule = find_rule(&r->op->handle);
        if (rule) {
            r->op->counters = rule->counters;
        } else {
            r->op->lost = true;
        }
    }
    for (size_t i = 0; !rule; i++) {
        assert(i < MAX_RULES);
        if (!rules[i].used) {
            rule = &rules[i];
        }
    }
    memset(rule, 0, sizeof *rule);
    rule->used = true;
    rule->ufid = r->ufid;
    rule->port = r->port;
    rule->n_actions = r->n_actions;
    rule->handle.tc.handle = ++last_handle;
    r->op->handle = rule->handle;
    if (has_words) {
        offload_refuse(&r->op->refusal, OFFLOAD_REFUSED_DRIVER, NULL, NULL,
                       "no");
    }
}

static void
carry_out(const struct fake_request *r)
{
    struct fake_rule *rule;

    if (fail_at && !--fail_at) {
        fail_at = fail_on;
        r->op->error = offload_refuse(&r->op->refusal,
                                      fail_error == EEXIST
                                      ? OFFLOAD_REFUSED_OVERLAP
                                      : OFFLOAD_REFUSED_DEVICE,
                                      "fake", NULL, "%s",
                                      ovs_strerror(fail_error));
        r->op->refusal.error = fail_error;
        rule = find_rule(&r->op->handle);
        if (fail_late && rule) {
            take_out(rule, r->op);
        }
    } else if (r->put) {
        carry_out_put(r);
    } else {
        rule = find_rule(&r->op->handle);
        if (rule) {
            take_out(rule, r->op);
        } else {
            r->op->lost = true;
            memset(&r->op->handle, 0, sizeof r->op->handle);
        }
    }
}

static void
fake_batch_commit(struct offload_batch *batch)
{
    pthread_mutex_lock(&device_mutex);
    for (size_t i = 0; i < batch->n; i++) {
        carry_out(&batch->requests[i]);
    }
    batch->n = 0;
    pthread_mutex_unlock(&device_mutex);
}

struct offload_dump {
    struct offload_port *port;
    size_t pos;
};

static size_t n_flushes;

static int
fake_flush(struct offload_port *port,
           void (*reading)(const struct offload_reading *, void *aux),
           void *aux)
{
    n_flushes++;
    if (fail_at && !--fail_at) {
        fail_at = fail_on;
        return fail_error;
    }
    for (size_t i = 0; i < MAX_RULES; i++) {
        if (rules[i].used && rules[i].port == port) {
            if (listing_fails) {
                listing_fails = false;
                continue;
            }
            struct offload_reading r = {
                .ufid = rules[i].ufid,
                .handle = rules[i].handle,
                .counters = rules[i].counters,
            };

            reading(&r, aux);
            rules[i].used = false;
        }
    }
    return 0;
}

static unsigned int n_forgotten;

static void
fake_rule_forget(struct offload_port *port OVS_UNUSED,
                 const union offload_handle *handle)
{
    assert(!find_rule(handle));
    n_forgotten++;
}

static int
fake_activity(struct offload_port *port OVS_UNUSED, uint64_t *packets)
{
    *packets = activity;
    return 0;
}

static int
fake_dump_start(struct offload_port *port, struct offload_dump **dumpp)
{
    n_dumps++;
    if (fail_dump) {
        return ENOBUFS;
    }
    *dumpp = xzalloc(sizeof **dumpp);
    (*dumpp)->port = port;
    return 0;
}

static size_t
fake_dump_next(struct offload_dump *dump, struct ofpbuf *buf OVS_UNUSED,
               struct offload_reading readings[], size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&device_mutex);
    for (; dump->pos < MAX_RULES && n < max; dump->pos++) {
        const struct fake_rule *rule = &rules[dump->pos];

        if (rule->used && rule->port == dump->port) {
            readings[n].ufid = rule->ufid;
            readings[n].handle = rule->handle;
            readings[n].counters = rule->counters;
            readings[n++].in_hw = !in_software;
        }
    }
    pthread_mutex_unlock(&device_mutex);
    return n;
}

static int
fake_dump_done(struct offload_dump *dump, bool *complete)
{
    *complete = dump->pos >= MAX_RULES;
    free(dump);
    return 0;
}

static int
fake_rule_read(struct offload_port *port OVS_UNUSED,
               const union offload_handle *handle,
               struct offload_counters *counters)
{
    const struct fake_rule *rule;

    pthread_mutex_lock(&device_mutex);
    n_reads++;
    rule = find_rule(handle);
    if (rule) {
        *counters = rule->counters;
    }
    pthread_mutex_unlock(&device_mutex);
    return rule ? 0 : ENOENT;
}

static int
fake_meter_set(uint32_t id OVS_UNUSED,
               const struct ofputil_meter_config *config OVS_UNUSED,
               struct offload_refusal *refusal OVS_UNUSED)
{
    return 0;
}

static int
fake_meter_read(uint32_t id OVS_UNUSED,
                struct ofputil_meter_stats *stats OVS_UNUSED)
{
    return 0;
}

static void
fake_capabilities(struct ds *s)
{
    ds_put_cstr(s, "  anything\n");
}

/* In the place of the real one. */
const struct offload_backend offload_backend_tc = {
    .name = "fake",
    .dp_layer = "tc",
    .port_open = fake_port_open,
    .port_close = fake_port_close,
    .batch_begin = fake_batch_begin,
    .rule_put = fake_rule_put,
    .rule_del = fake_rule_del,
    .batch_commit = fake_batch_commit,
    .flush = fake_flush,
    .rule_forget = fake_rule_forget,
    .activity = fake_activity,
    .dump_start = fake_dump_start,
    .dump_next = fake_dump_next,
    .dump_done = fake_dump_done,
    .rule_read = fake_rule_read,
    .meter_set = fake_meter_set,
    .meter_get = fake_meter_read,
    .meter_del = fake_meter_read,
    .capabilities = fake_capabilities,
};

/* Megaflows. */

#define IN_PORT 1
#define OUT_PORT 2

struct test_flow {
    ovs_u128 ufid;
    struct match match;
    struct ofpbuf actions;
    uint64_t stub[16];
};

static void
flow_init(struct test_flow *f, uint32_t id)
{
    memset(f, 0, sizeof *f);
    f->ufid.u32[0] = id;
    f->ufid.u32[1] = id * 0x9e3779b9;
    f->ufid.u32[3] = 1;
    match_init_catchall(&f->match);
    match_set_in_port(&f->match, 0);
    f->match.flow.in_port.odp_port = u32_to_odp(IN_PORT);
    f->match.wc.masks.in_port.odp_port = u32_to_odp(UINT32_MAX);
    match_set_dl_type(&f->match, htons(ETH_TYPE_IP));
    match_set_nw_dst(&f->match, htonl(0x0a000000 | id));
    match_set_recirc_id(&f->match, 0);
    ofpbuf_use_stub(&f->actions, f->stub, sizeof f->stub);
}

static void
flow_output(struct test_flow *f)
{
    nl_msg_put_u32(&f->actions, OVS_ACTION_ATTR_OUTPUT, OUT_PORT);
}

static void
flow_recirc(struct test_flow *f, uint32_t recirc_id)
{
    nl_msg_put_u32(&f->actions, OVS_ACTION_ATTR_RECIRC, recirc_id);
}

/* An action that no backend can do. */
static void
flow_unoffloadable(struct test_flow *f)
{
    nl_msg_put_u32(&f->actions, OVS_ACTION_ATTR_TRUNC, 64);
}

static void
flow_replace_actions(struct test_flow *f)
{
    ofpbuf_clear(&f->actions);
}

static void
op_init(struct engine_op *op, enum engine_op_type type, struct test_flow *f,
        struct dpif_flow_stats *stats)
{
    memset(op, 0, sizeof *op);
    op->type = type;
    op->ufid = &f->ufid;
    op->match = &f->match;
    op->actions = f->actions.data;
    op->actions_len = f->actions.size;
    op->in_port = u32_to_odp(IN_PORT);
    op->recirc_shared = true;
    op->stats = stats;
}

static int
do_op(enum engine_op_type type, struct test_flow *f,
      struct dpif_flow_stats *stats, bool *removed)
{
    struct engine_op op;
    struct engine_op *ops[] = { &op };

    op_init(&op, type, f, stats);
    engine_operate(ops, 1);
    if (removed) {
        *removed = op.removed;
    }
    return op.error;
}

static int
put(struct test_flow *f)
{
    return do_op(ENGINE_PUT, f, NULL, NULL);
}

static int
del(struct test_flow *f, struct dpif_flow_stats *stats)
{
    return do_op(ENGINE_DEL, f, stats, NULL);
}

static void
device_counts(struct test_flow *f, uint64_t packets)
{
    struct fake_rule *rule = find_rule_by_ufid(&f->ufid);

    assert(rule);
    rule->counters.hw_packets += packets;
    rule->counters.hw_bytes += packets * 100;
}

/* Views. */

static void
make_ports(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;

    assert(!engine_port_add(u32_to_odp(IN_PORT), "in", OFFLOAD_PORT_PLAIN,
                            101, 0));
    assert(!engine_port_add(u32_to_odp(OUT_PORT), "out", OFFLOAD_PORT_PLAIN,
                            102, 0));
    assert(!engine_port_open(101, &refusal));
    assert(!engine_port_open(102, &refusal));
}

static size_t
count_device_rules(void)
{
    size_t n = 0;

    for (size_t i = 0; i < MAX_RULES; i++) {
        n += rules[i].used;
    }
    return n;
}

struct dump_result {
    size_t n_flows;
    size_t n_evicting;          /* In no device any more. */
    size_t n_idle;              /* Reported as idle for ever. */
    uint64_t n_packets;
};

/* Another thread may delete the flow at any time. */
static bool
is_evicting(const ovs_u128 *ufid)
{
    const struct offload_flow *flow = flow_table_lookup(ufid);

    return flow && flow->state == OFFLOAD_FLOW_EVICTING;
}

static struct dump_result
dump__(bool terse)
{
    struct offload_port *port = offload_port_lookup(u32_to_odp(IN_PORT));
    struct dump_result result = { 0, 0, 0, 0 };
    struct engine_dump *d;
    struct ofpbuf buf;

    if (!port || engine_dump_start(port, terse, &d)) {
        return result;          /* The port has been removed. */
    }
    ofpbuf_init(&buf, 0);
    for (;;) {
        struct match match;
        struct engine_flow flow = { .match = &match };

        if (!engine_dump_next(d, &buf, &flow)) {
            break;
        }
        assert(flow.actions);
        assert(match.flow.in_port.odp_port == u32_to_odp(IN_PORT));
        result.n_flows++;
        result.n_evicting += is_evicting(&flow.ufid);
        result.n_idle += flow.stats.used == 1;
        result.n_packets += flow.stats.n_packets;
    }
    assert(!buf.size);
    ofpbuf_uninit(&buf);
    assert(!engine_dump_done(d));
    return result;
}

/* As the revalidators do it. */
static struct dump_result
dump(void)
{
    return dump__(true);
}

/* The device, the shadow table and a dump agree on 'n' flows. */
static void
check_views(size_t n)
{
    struct offload_port *port = offload_port_lookup(u32_to_odp(IN_PORT));
    struct dump_result d = dump();

    ovs_assert(count_device_rules() == n);
    ovs_assert(flow_table_count(OFFLOAD_FLOW_INSTALLED) == n);
    ovs_assert(d.n_flows - d.n_evicting == n);
    ovs_assert(engine_n_flows(port) == n);
    for (size_t i = 0; i < MAX_RULES; i++) {
        if (rules[i].used) {
            struct offload_flow *flow = flow_table_lookup(&rules[i].ufid);

            ovs_assert(flow);
            ovs_assert(flow->state == OFFLOAD_FLOW_INSTALLED);
            ovs_assert(!flow->claimed);
            ovs_assert(offload_handle_equals(&flow->handle,
                                             &rules[i].handle));
        }
    }
}

/* Tests. */

static void
test_basics(void)
{
    struct dpif_flow_stats stats;
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(del(&f, &stats) == ENOENT);
    assert(!put(&f));
    check_views(1);
    device_counts(&f, 7);
    assert(dump().n_packets == 7);
    device_counts(&f, 3);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 10);
    assert(stats.n_bytes == 1000);
    assert(stats.used);
    check_views(0);
    assert(del(&f, &stats) == ENOENT);

    /* A new flow with the same ufid is new. */
    assert(!put(&f));
    assert(dump().n_packets == 0);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 0);
}

static void
test_replace(void)
{
    struct dpif_flow_stats stats;
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    device_counts(&f, 5);
    flow_output(&f);
    assert(!put(&f));
    check_views(1);
    assert(find_rule_by_ufid(&f.ufid)->n_actions == 2);
    assert(dump().n_packets == 5);
    device_counts(&f, 2);
    assert(dump().n_packets == 7);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 7);
}

/* From the kernel datapath to the device. */
static void
test_carry(void)
{
    struct dpif_flow_stats stats = { .n_packets = 100, .n_bytes = 10000,
                                     .used = 5 };
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    engine_carry(&f.ufid, &stats);
    assert(!put(&f));
    engine_carry(&f.ufid, &stats);
    device_counts(&f, 5);
    assert(dump().n_packets == 105);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 105);
    assert(stats.n_bytes == 10500);
}

static void
test_replace_refused(void)
{
    struct test_flow f;
    bool removed;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    flow_replace_actions(&f);
    flow_unoffloadable(&f);
    assert(do_op(ENGINE_PUT, &f, NULL, &removed) == EOPNOTSUPP);
    assert(removed);
    check_views(0);
    assert(del(&f, NULL) == ENOENT);

    /* A put that is refused has removed nothing. */
    assert(do_op(ENGINE_PUT, &f, NULL, &removed) == EOPNOTSUPP);
    assert(!removed);
    check_views(0);
}

/* Fails each operation of a replacement and of a deletion in turn. */
static void
test_faults(void)
{
    for (int late = 0; late < 2; late++) {
        for (int at = 1; at <= 3; at++) {
            struct dpif_flow_stats stats;
            struct test_flow f;
            bool removed;
            int error;

            flow_init(&f, 1);
            flow_output(&f);
            assert(!put(&f));
            device_counts(&f, 9);
            dump();

            fail_at = at;
            fail_error = EIO;
            fail_late = late;
            error = do_op(ENGINE_PUT, &f, NULL, &removed);
            if (at == 1) {
                assert(error == EOPNOTSUPP);
                assert(removed);
                check_views(0);
            } else {
                assert(!error);
                check_views(1);
                error = del(&f, &stats);
                if (at == 2 && !late) {
                    /* OVS will find it idle, and try again. */
                    assert(error == EBUSY);
                    check_views(1);
                    assert(dump().n_idle == 1);
                    assert(!del(&f, &stats));
                    assert(stats.n_packets == 9);
                }
            }
            fail_at = 0;
            fake_port_close(offload_port_lookup(u32_to_odp(IN_PORT)));
            del(&f, &stats);
        }
    }
}

/* In a batch, one operation fails at each position in turn; the others must
 * not notice. */
static void
test_batch(void)
{
    enum { N = 40 };
    static struct test_flow flows[N];
    struct engine_op ops_[N];
    struct engine_op *ops[N];

    for (int at = 1; at <= N; at++) {
        for (int type = ENGINE_PUT; type <= ENGINE_DEL; type++) {
            for (int i = 0; i < N; i++) {
                flow_init(&flows[i], i + 1);
                flow_output(&flows[i]);
                if (type == ENGINE_DEL) {
                    assert(!put(&flows[i]));
                }
                op_init(&ops_[i], type, &flows[i], NULL);
                ops[i] = &ops_[i];
            }
            fail_at = at;
            fail_error = ENOMEM;
            fail_late = false;
            engine_operate(ops, N);
            assert(!fail_at);
            for (int i = 0; i < N; i++) {
                assert(!ops_[i].error == (i != at - 1));
            }
            check_views(type == ENGINE_PUT ? N - 1 : 1);
            for (int i = 0; i < N; i++) {
                del(&flows[i], NULL);
            }
            check_views(0);
        }
    }
}

static void
test_batch_order(void)
{
    struct dpif_flow_stats stats;
    struct engine_op ops_[5];
    struct engine_op *ops[5];
    struct test_flow f, g;

    flow_init(&f, 1);
    flow_output(&f);
    g = f;
    ofpbuf_use_stub(&g.actions, g.stub, sizeof g.stub);
    flow_output(&g);
    flow_output(&g);

    op_init(&ops_[0], ENGINE_PUT, &f, NULL);
    op_init(&ops_[1], ENGINE_DEL, &f, &stats);
    op_init(&ops_[2], ENGINE_DEL, &f, NULL);
    op_init(&ops_[3], ENGINE_PUT, &f, NULL);
    op_init(&ops_[4], ENGINE_PUT, &g, NULL);
    for (int i = 0; i < 5; i++) {
        ops[i] = &ops_[i];
    }
    engine_operate(ops, 5);
    assert(!ops_[0].error);
    assert(!ops_[1].error);
    assert(ops_[2].error == ENOENT);
    assert(!ops_[3].error);
    assert(!ops_[4].error);
    check_views(1);
    assert(find_rule_by_ufid(&f.ufid)->n_actions == 2);
}

static void
test_child_without_parent(void)
{
    struct test_flow parent, child;

    flow_init(&parent, 1);
    flow_recirc(&parent, 5);
    flow_init(&child, 2);
    match_set_recirc_id(&child.match, 5);
    flow_output(&child);

    assert(put(&child) == EOPNOTSUPP);
    assert(!put(&parent));
    assert(!put(&child));
    check_views(2);
}

static void
test_parent_to_software(void)
{
    struct test_flow parent, other, child, grandchild;
    struct dpif_flow_stats stats;

    flow_init(&parent, 1);
    flow_recirc(&parent, 5);
    flow_init(&other, 2);
    flow_recirc(&other, 5);
    flow_init(&child, 3);
    match_set_recirc_id(&child.match, 5);
    flow_recirc(&child, 6);
    flow_init(&grandchild, 4);
    match_set_recirc_id(&grandchild.match, 6);
    flow_output(&grandchild);

    assert(!put(&parent));
    assert(!put(&other));
    assert(!put(&child));
    assert(!put(&grandchild));
    check_views(4);
    device_counts(&child, 11);

    /* One parent in software is enough to take the child out. */
    flow_replace_actions(&other);
    flow_unoffloadable(&other);
    flow_recirc(&other, 5);
    assert(put(&other) == EOPNOTSUPP);
    check_views(2);
    assert(dump().n_evicting == 1);

    /* OVS finds it idle and deletes it, with what it had counted. */
    assert(!del(&child, &stats));
    assert(stats.n_packets == 11);
    assert(dump().n_evicting == 0);

    /* It can't come back as long as that parent is in software. */
    assert(put(&child) == EOPNOTSUPP);
    check_views(1);             /* Its own child went, too. */
    assert(del(&other, &stats) == ENOENT);
    assert(del(&child, &stats) == ENOENT);
    assert(!put(&child));
    check_views(2);
}

/* Several first packets of one megaflow make flows that differ in their ufids
 * only.  Open vSwitch drops all but one, and deletes none of the others. */
static void
test_duplicate_parent(void)
{
    struct test_flow parent, duplicate, child;

    flow_init(&parent, 1);
    flow_recirc(&parent, 5);
    flow_init(&duplicate, 2);
    duplicate.match = parent.match;
    flow_recirc(&duplicate, 5);
    flow_init(&child, 3);
    match_set_recirc_id(&child.match, 5);
    flow_output(&child);

    assert(!put(&parent));
    assert(!put(&child));
    fail_at = 1;
    fail_error = EEXIST;
    fail_late = false;
    assert(put(&duplicate) == EOPNOTSUPP);
    check_views(2);
    assert(!flow_table_count(OFFLOAD_FLOW_REFUSED));

    assert(!del(&child, NULL));
    assert(!put(&child));
}

/* Somebody else's rule has the match of a flow, which then is in software, and
 * so are its children. */
static void
test_foreign_twin(void)
{
    struct test_flow parent, other, child;

    flow_init(&other, 1);
    flow_output(&other);
    flow_init(&parent, 2);
    flow_recirc(&parent, 5);
    flow_init(&child, 3);
    match_set_recirc_id(&child.match, 5);
    flow_output(&child);

    assert(!put(&other));
    fail_at = 1;
    fail_error = EEXIST;
    fail_late = false;
    assert(put(&parent) == EOPNOTSUPP);
    check_views(1);
    assert(flow_table_count(OFFLOAD_FLOW_REFUSED) == 1);
    assert(put(&child) == EOPNOTSUPP);
    check_views(1);
}

/* A revalidator may have read a flow's counters just before it was taken out
 * of its device, and change the flow then. */
static void
test_replace_evicted(void)
{
    struct test_flow parent, child;
    bool removed;

    flow_init(&parent, 1);
    flow_recirc(&parent, 5);
    flow_init(&child, 2);
    match_set_recirc_id(&child.match, 5);
    flow_output(&child);
    assert(!put(&parent));
    assert(!put(&child));

    flow_replace_actions(&parent);
    flow_unoffloadable(&parent);
    flow_recirc(&parent, 5);
    assert(put(&parent) == EOPNOTSUPP);
    check_views(0);
    assert(do_op(ENGINE_PUT, &child, NULL, &removed) == EOPNOTSUPP);
    assert(removed);
}

static void
test_port_removed(void)
{
    struct dpif_flow_stats stats;
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    device_counts(&f, 4);
    engine_port_remove(u32_to_odp(IN_PORT));
    assert(!count_device_rules());
    assert(!flow_table_count(OFFLOAD_FLOW_INSTALLED));
    assert(put(&f) == EOPNOTSUPP);

    /* OVS deletes it only later, and must not see its counters fall. */
    assert(!del(&f, &stats));
    assert(stats.n_packets == 4);
    assert(del(&f, &stats) == ENOENT);

    make_ports();
    assert(!put(&f));
    check_views(1);
}

/* Whatever the device says, no flow may be left that has the port. */
static void
test_port_removed_fault(void)
{
    for (int at = 1; at <= 3; at++) {
        struct offload_port *port;
        struct test_flow flows[3];
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
            flow_init(&flows[i], i + 1);
            flow_output(&flows[i]);
            assert(!put(&flows[i]));
        }
        port = offload_port_lookup(u32_to_odp(IN_PORT));
        fail_at = at;
        fail_on = true;
        fail_error = ENOMEM;
        fail_late = false;
        engine_port_remove(u32_to_odp(IN_PORT));
        fail_at = 0;
        fail_on = false;

        assert(!atomic_count_get(&port->n_rules));
        assert(!flow_table_count(OFFLOAD_FLOW_INSTALLED));
        for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
            n += flow_table_lookup(&flows[i].ufid)->port == NULL;
            assert(!del(&flows[i], NULL));
        }
        assert(n == ARRAY_SIZE(flows));
        make_ports();
    }
}

static void
test_flush(void)
{
    struct offload_port *port = offload_port_lookup(u32_to_odp(IN_PORT));
    struct dpif_flow_stats stats;
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    device_counts(&f, 4);
    assert(!engine_flush(port));
    check_views(0);
    assert(!dump__(false).n_flows);

    /* A revalidator has it deleted, lest it be missed for long. */
    assert(dump().n_idle == 1);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 4);
    assert(!dump().n_flows);
}

#define N_FLUSH 300

/* A large port is flushed at once, with its last counters. */
static void
check_flush_many(bool flush_fails)
{
    struct offload_port *port = offload_port_lookup(u32_to_odp(IN_PORT));
    static struct test_flow flows[N_FLUSH];

    for (uint32_t i = 0; i < N_FLUSH; i++) {
        flow_init(&flows[i], i + 1);
        flow_output(&flows[i]);
        assert(!put(&flows[i]));
    }
    device_counts(&flows[7], 4);
    dump();
    device_counts(&flows[7], 3);
    device_counts(&flows[8], 1);
    n_flushes = 0;
    fail_at = flush_fails;
    fail_on = 0;
    fail_error = EBUSY;
    assert(!engine_flush(port));
    assert(n_flushes == 1);
    check_views(0);
    assert(dump().n_idle == N_FLUSH);
    for (uint32_t i = 0; i < N_FLUSH; i++) {
        struct dpif_flow_stats stats;

        assert(!del(&flows[i], &stats));
        assert(stats.n_packets == (i == 7 ? 7 : i == 8));
    }
    check_views(0);
}

static void
test_flush_many(void)
{
    check_flush_many(false);
}

static void
test_flush_many_fault(void)
{
    check_flush_many(true);
}

/* As the kernel's may, if a chain goes while it lists the filters. */
static void
test_flush_many_unlisted(void)
{
    listing_fails = true;
    check_flush_many(false);
}

/* A large port goes, with its rules. */
static void
test_port_removed_many(void)
{
    static struct test_flow flows[N_FLUSH];

    for (uint32_t i = 0; i < N_FLUSH; i++) {
        flow_init(&flows[i], i + 1);
        flow_output(&flows[i]);
        assert(!put(&flows[i]));
    }
    device_counts(&flows[7], 4);
    engine_port_remove(u32_to_odp(IN_PORT));
    assert(!count_device_rules());
    for (uint32_t i = 0; i < N_FLUSH; i++) {
        struct dpif_flow_stats stats;

        assert(!flow_table_lookup(&flows[i].ufid)->port);
        assert(!del(&flows[i], &stats));
        assert(stats.n_packets == (i == 7 ? 4 : 0));
    }
    make_ports();
    check_views(0);
}

static void
lose(struct test_flow *f)
{
    find_rule_by_ufid(&f->ufid)->used = false;
}

static void
test_lost(void)
{
    struct dpif_flow_stats stats;
    struct test_flow f, g;

    flow_init(&f, 1);
    flow_output(&f);
    flow_init(&g, 2);
    flow_output(&g);
    assert(!put(&f));
    assert(!put(&g));
    device_counts(&f, 6);
    dump();

    lose(&f);
    assert(dump().n_flows == 1);
    n_forgotten = 0;
    engine_dump_run();
    assert(n_forgotten == 1);
    check_views(2);
    device_counts(&f, 1);
    dump();
    assert(!del(&f, &stats));
    assert(stats.n_packets == 7);
}

static void
test_lost_for_good(void)
{
    struct dpif_flow_stats stats;
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    device_counts(&f, 6);
    dump();

    lose(&f);
    dump();
    fail_at = 1;
    fail_error = ENOSPC;
    fail_late = false;
    engine_dump_run();
    check_views(0);
    assert(dump().n_evicting == 1);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 6);
    assert(!dump().n_flows);
}

static bool
is_known_refused(const struct test_flow *f, enum offload_refusal_code code)
{
    struct refused_flow flow;

    return (refusal_log_lookup(&f->ufid, &flow)
            && flow.refusal.code == code);
}

/* What a driver says of a rule that only software executes is known for as
 * long as it is true. */
static void
test_words(void)
{
    struct test_flow f;

    has_words = in_software = true;
    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    assert(is_known_refused(&f, OFFLOAD_REFUSED_DRIVER));
    dump();
    assert(is_known_refused(&f, OFFLOAD_REFUSED_DRIVER));
    has_words = false;
    assert(!put(&f));
    assert(!refusal_log_count());

    /* Put again after it was lost. */
    has_words = true;
    lose(&f);
    dump();
    engine_dump_run();
    assert(is_known_refused(&f, OFFLOAD_REFUSED_DRIVER));

    /* Another device took it. */
    in_software = false;
    dump();
    assert(!refusal_log_count());
    assert(!put(&f));
    assert(is_known_refused(&f, OFFLOAD_REFUSED_DRIVER));
    assert(!del(&f, NULL));
    assert(!refusal_log_count());
}

/* What the table remembers of the flow. */
static void
check_spec(const struct test_flow *f)
{
    struct offload_flow *flow = flow_table_lookup(&f->ufid);
    struct flow_spec *spec = ovsrcu_get(struct flow_spec *, &flow->spec);
    const struct nlattr *actions = flow_spec_actions(spec);
    struct match match;

    flow_spec_match(spec, &match);
    assert(match_equal(&match, &f->match));
    assert(nl_attr_type(actions) == OVS_FLOW_ATTR_ACTIONS);
    assert(nl_attr_get_size(actions) == f->actions.size);
    assert(!memcmp(nl_attr_get(actions), f->actions.data, f->actions.size));
}

static void
test_shared_specs(void)
{
    enum { N = 40 };
    static struct test_flow flows[N];

    for (uint32_t i = 0; i < N; i++) {
        flow_init(&flows[i], i + 1);
        if (i == N - 1) {
            match_set_nw_src(&flows[i].match, htonl(0x0a000001));
        }
        flow_output(&flows[i]);
        assert(!put(&flows[i]));
    }
    /* Two masks, and the actions. */
    assert(shared_bytes_count() == 3);
    for (size_t i = 0; i < N; i++) {
        check_spec(&flows[i]);
    }
    for (size_t i = 1; i < N; i++) {
        assert(!del(&flows[i], NULL));
    }
    ovsrcu_quiesce();
    check_spec(&flows[0]);
    assert(!del(&flows[0], NULL));
    for (int i = 0; shared_bytes_count() && i < 5000; i++) {
        ovsrcu_quiesce();
        usleep(1000);
    }
    assert(!shared_bytes_count());
}

/* Takes and gives back the same few strings as other threads do. */
static void *
share_main(void *aux OVS_UNUSED)
{
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bytes[2] = { i % 3, i % 2 };
        struct shared_bytes *shared = shared_bytes_get(bytes, sizeof bytes);

        assert(shared->len == sizeof bytes);
        assert(!memcmp(shared->data, bytes, sizeof bytes));
        shared_bytes_put(shared);
        if (!(i % 64)) {
            ovsrcu_quiesce();
        }
    }
    return NULL;
}

static void
test_shared_race(void)
{
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        threads[i] = ovs_thread_create("share", share_main, NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        xpthread_join(threads[i], NULL);
    }
    assert(!shared_bytes_count());
}

/* Two dumps of one port, of which each meets each flow, the later one
 * first. */
static void
test_overlapping_dumps(void)
{
    struct offload_port *port = offload_port_lookup(u32_to_odp(IN_PORT));
    struct engine_dump *early, *late;
    struct engine_flow out = { .match = NULL };
    struct test_flow f, g;
    struct ofpbuf buf;

    flow_init(&f, 1);
    flow_output(&f);
    flow_init(&g, 2);
    flow_output(&g);
    assert(!put(&f));
    assert(!put(&g));

    ofpbuf_init(&buf, 0);
    assert(!engine_dump_start(port, true, &early));
    assert(!engine_dump_start(port, true, &late));
    while (engine_dump_next(late, &buf, &out)) {
        continue;
    }
    while (engine_dump_next(early, &buf, &out)) {
        continue;
    }
    assert(!engine_dump_done(early));
    atomic_store_relaxed(&port->suspect, true);
    assert(!engine_dump_done(late));
    n_reads = 0;
    engine_dump_run();
    assert(!n_reads);
    ofpbuf_uninit(&buf);
}

/* A dump that couldn't be started says nothing of any flow. */
static void
test_failed_dump(void)
{
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    fail_dump = true;
    assert(!dump().n_flows);
    n_reads = 0;
    engine_dump_run();
    assert(!n_reads);
}

#define N_QUIET 40

static void
put_many(struct test_flow flows[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        flow_init(&flows[i], i + 1);
        flow_output(&flows[i]);
        assert(!put(&flows[i]));
    }
}

/* Checks that a dump reads the device if 'reads', and finds so many flows and
 * packets. */
static void
check_dump(bool reads, size_t n_flows, uint64_t n_packets)
{
    size_t before = n_dumps;
    struct dump_result d = dump();

    ovs_assert(d.n_flows == n_flows);
    ovs_assert(d.n_packets == n_packets);
    ovs_assert(n_dumps - before == reads);
}

/* Until a port may be taken for idle. */
static void
wait_quiet(void)
{
    xnanosleep(1100 * UINT64_C(1000000));
}

static void
test_quiet_port(void)
{
    static struct test_flow flows[N_QUIET + 1];

    in_software = true;
    put_many(flows, N_QUIET);
    check_dump(true, N_QUIET, 0);
    wait_quiet();
    check_dump(true, N_QUIET, 0);
    check_dump(false, N_QUIET, 0);

    /* Once more after the port had packets, as they may have been on their
     * way. */
    device_counts(&flows[3], 7);
    activity = 7;
    check_dump(true, N_QUIET, 7);
    wait_quiet();
    check_dump(true, N_QUIET, 7);
    check_dump(false, N_QUIET, 7);

    /* What was put, deleted or evicted meanwhile. */
    flow_init(&flows[N_QUIET], N_QUIET + 1);
    flow_output(&flows[N_QUIET]);
    assert(!put(&flows[N_QUIET]));
    check_dump(false, N_QUIET + 1, 7);
    assert(!del(&flows[3], NULL));
    check_dump(false, N_QUIET, 0);
    check_views(N_QUIET);

    /* A person wants to know. */
    device_counts(&flows[4], 2);
    assert(dump__(false).n_packets == 2);
}

/* Few rules are read at once. */
static void
test_quiet_port_few(void)
{
    static struct test_flow flows[5];

    in_software = true;
    put_many(flows, 5);
    for (int i = 0; i < 5; i++) {
        check_dump(true, 5, 0);
        if (!i) {
            wait_quiet();
        }
    }
}

/* A representor may count only what comes up to software. */
static void
test_quiet_port_hardware(void)
{
    static struct test_flow flows[N_QUIET];

    put_many(flows, N_QUIET);
    for (int i = 0; i < 5; i++) {
        check_dump(true, N_QUIET, 0);
        if (!i) {
            wait_quiet();
        }
    }
}

/* What the port says isn't taken for proof for ever. */
static void
test_quiet_port_stale(void)
{
    static const struct engine_config config = { .max_staleness = 0 };
    static struct test_flow flows[N_QUIET];

    in_software = true;
    engine_set_config(&config);
    put_many(flows, N_QUIET);
    for (int i = 0; i < 5; i++) {
        device_counts(&flows[i], 1);
        check_dump(true, N_QUIET, i + 1);
        if (!i) {
            wait_quiet();
        }
    }
}

/* A port that doesn't count what its rules count isn't believed any more. */
static void
test_quiet_port_liar(void)
{
    struct engine_config config = { .max_staleness = 0 };
    static struct test_flow flows[N_QUIET];

    in_software = true;
    engine_set_config(&config);
    put_many(flows, N_QUIET);
    for (int i = 0; i < 20; i++) {
        device_counts(&flows[0], 1);
        check_dump(true, N_QUIET, i + 1);
    }
    config.max_staleness = 60000;
    engine_set_config(&config);
    for (int i = 0; i < 5; i++) {
        check_dump(true, N_QUIET, 20);
        if (!i) {
            wait_quiet();
        }
    }
}

static void
test_counters_backwards(void)
{
    struct dpif_flow_stats stats;
    struct test_flow f;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    device_counts(&f, 10);
    assert(dump().n_packets == 10);
    find_rule_by_ufid(&f.ufid)->counters.hw_packets = 3;
    assert(dump().n_packets == 10);
    assert(!del(&f, &stats));
    assert(stats.n_packets == 10);
}

static void
test_stale_reading(void)
{
    struct offload_flow_stats stats;
    struct offload_reading reading;
    struct offload_flow *flow;
    struct test_flow f;
    uint64_t seq;

    flow_init(&f, 1);
    flow_output(&f);
    assert(!put(&f));
    flow = flow_table_lookup(&f.ufid);
    seq = flow_table_seq();
    memset(&reading, 0, sizeof reading);
    reading.ufid = f.ufid;
    reading.handle = flow->handle;
    reading.counters.sw_packets = 8;
    assert(flow_table_reading(flow, &reading, seq, 1, 1, &stats));

    /* A reading that began before the rule was replaced. */
    device_counts(&f, 8);
    assert(!put(&f));
    reading.handle = flow->handle;
    assert(!flow_table_reading(flow, &reading, seq, 1, 1, &stats));
    assert(dump().n_packets == 8);

    /* Of another rule. */
    reading.handle.tc.handle++;
    assert(!flow_table_reading(flow, &reading, flow_table_seq(), 1, 1,
                               &stats));
}

static void
test_flow_limit(void)
{
    struct engine_config config = { .max_flows = 1 };
    struct test_flow f, g;

    flow_init(&f, 1);
    flow_output(&f);
    flow_init(&g, 2);
    flow_output(&g);
    engine_set_config(&config);
    assert(!put(&f));
    assert(put(&g) == ENOSPC);
    assert(!put(&f));           /* What is there may be changed. */
    check_views(1);
    config.max_flows = 0;
    engine_set_config(&config);
    assert(!put(&g));
    check_views(2);
}

/* Several threads at the same few flows, and a port that comes and goes. */

static atomic_bool stop;

static void *
storm(void *seed_)
{
    uint32_t x = (uintptr_t) seed_;
    bool end;

    do {
        struct dpif_flow_stats stats;
        struct engine_op ops_[8];
        struct test_flow flows[8];
        struct engine_op *ops[8];

        for (int i = 0; i < 8; i++) {
            x = x * 1103515245 + 12345;
            flow_init(&flows[i], 1 + (x >> 16) % 20);
            flow_output(&flows[i]);
            op_init(&ops_[i], x & 0x400 ? ENGINE_PUT : ENGINE_DEL, &flows[i],
                    &stats);
            ops[i] = &ops_[i];
        }
        engine_operate(ops, 8);
        ovsrcu_quiesce();
        atomic_read(&stop, &end);
    } while (!end);
    return NULL;
}

static void *
sweeps(void *aux OVS_UNUSED)
{
    bool end;

    do {
        dump();
        ovsrcu_quiesce();
        atomic_read(&stop, &end);
    } while (!end);
    return NULL;
}

static void
test_threads(void)
{
    pthread_t threads[4];

    atomic_init(&stop, false);
    for (size_t i = 0; i < 3; i++) {
        threads[i] = ovs_thread_create("storm", storm, (void *) (i + 1));
    }
    threads[3] = ovs_thread_create("sweeps", sweeps, NULL);
    for (int i = 0; i < 200; i++) {
        engine_port_remove(u32_to_odp(IN_PORT));
        make_ports();
        for (int j = 0; j < 20; j++) {
            struct test_flow f;

            flow_init(&f, 1 + j);
            flow_output(&f);
            put(&f);
        }
        ovsrcu_quiesce();
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 4; i++) {
        xpthread_join(threads[i], NULL);
    }
    for (uint32_t id = 1; id <= 20; id++) {
        struct test_flow f;

        flow_init(&f, id);
        del(&f, NULL);
    }
    check_views(0);
    assert(!flow_table_count(OFFLOAD_FLOW_EVICTING));
    assert(!flow_table_count(OFFLOAD_FLOW_REFUSED));
}

/* What 'reader' is told of a flow that has counted 'packets'. */
static uint64_t
share(struct flow_readers *readers, uint64_t reader, long long int now,
      uint64_t packets)
{
    uint64_t bytes = packets * 100;

    flow_readers_ask(readers, reader, now, &packets, &bytes);
    assert(bytes == packets * 100);
    return packets;
}

/* Copies of a flow share its counters: their sum is never more than these, and
 * no copy's goes backwards. */
static void
test_shares(void)
{
    const uint64_t a = 1, b = 2, c = 3;
    struct flow_readers readers = { .first = 0 };
    long long int now = 1000;

    assert(share(&readers, a, now, 10) == 10);
    assert(share(&readers, a, now += 500, 20) == 20);
    assert(share(&readers, b, now, 20) == 0);
    assert(share(&readers, b, now += 500, 30) == 0);
    assert(share(&readers, a, now, 30) == 30);

    /* The first asks no more: the next one gets all that came since. */
    now += FLOW_READER_IDLE_MS;
    assert(share(&readers, b, now, 40) == 0);
    assert(share(&readers, b, now += 1, 50) == 20);
    assert(share(&readers, c, now, 60) == 0);

    /* It was only slow. */
    assert(share(&readers, a, now, 60) == 40);
    assert(share(&readers, b, now, 70) == 20);

    /* It is gone, and somebody else has its number. */
    now += FLOW_READER_GONE_MS + 1;
    assert(share(&readers, b, now, 80) == 40);
    assert(share(&readers, a, now, 90) == 0);
    assert(share(&readers, b, now, 90) == 50);
    flow_readers_destroy(&readers);
}

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
    { "shares", test_shares },
    { "basics", test_basics },
    { "replace", test_replace },
    { "carry", test_carry },
    { "replace-refused", test_replace_refused },
    { "faults", test_faults },
    { "batch", test_batch },
    { "batch-order", test_batch_order },
    { "child-without-parent", test_child_without_parent },
    { "parent-to-software", test_parent_to_software },
    { "duplicate-parent", test_duplicate_parent },
    { "foreign-twin", test_foreign_twin },
    { "replace-evicted", test_replace_evicted },
    { "port-removed", test_port_removed },
    { "port-removed-fault", test_port_removed_fault },
    { "flush", test_flush },
    { "flush-many", test_flush_many },
    { "flush-many-fault", test_flush_many_fault },
    { "flush-many-unlisted", test_flush_many_unlisted },
    { "port-removed-many", test_port_removed_many },
    { "lost", test_lost },
    { "words", test_words },
    { "shared-specs", test_shared_specs },
    { "shared-race", test_shared_race },
    { "lost-for-good", test_lost_for_good },
    { "overlapping-dumps", test_overlapping_dumps },
    { "failed-dump", test_failed_dump },
    { "quiet-port", test_quiet_port },
    { "quiet-port-few", test_quiet_port_few },
    { "quiet-port-hardware", test_quiet_port_hardware },
    { "quiet-port-stale", test_quiet_port_stale },
    { "quiet-port-liar", test_quiet_port_liar },
    { "counters-backwards", test_counters_backwards },
    { "stale-reading", test_stale_reading },
    { "flow-limit", test_flow_limit },
    { "threads", test_threads },
};

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    if (argc != 2) {
        ovs_fatal(0, "usage: %s TEST", argv[0]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        if (!strcmp(argv[1], tests[i].name)) {
            engine_init();
            make_ports();
            tests[i].function();
            return 0;
        }
    }
    ovs_fatal(0, "%s: no such test", argv[1]);
}
