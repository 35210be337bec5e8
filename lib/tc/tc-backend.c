/* SPDX-License-Identifier: Apache-2.0 */

/* The TC flower backend: rules as filters of the kernel's traffic control.
 *
 * We choose a filter's handle ourselves, so an addition needs no echo.  A
 * replacement goes to the same handle and leaves no gap.  The answer to a
 * deletion carries the last counters.  See net/sched/cls_api.c and
 * net/sched/cls_flower.c of Linux for what the kernel makes of it. */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "coverage.h"
#include "netlink.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "tc/tc-action.h"
#include "tc/tc-activity.h"
#include "tc/tc-caps.h"
#include "tc/tc-match.h"
#include "tc/tc-netlink.h"
#include "tc/tc-police.h"
#include "tc/tc-port.h"
#include "tc/tc-prio.h"
#include "tc/tc-reply.h"
#include "tc/tc-support.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tc_backend);

COVERAGE_DEFINE(tc_rule_added);
COVERAGE_DEFINE(tc_rule_replaced);
COVERAGE_DEFINE(tc_rule_deleted);
COVERAGE_DEFINE(tc_rule_lost);
COVERAGE_DEFINE(tc_rule_failed);
COVERAGE_DEFINE(tc_answer_unknown);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

/* What is to become of a rule that is on its way to the kernel. */
enum tc_transit_kind {
    TRANSIT_NONE,               /* Refused while it was encoded. */
    TRANSIT_ADD,
    TRANSIT_REPLACE,            /* At the same handle. */
    TRANSIT_MOVE,               /* Add at a new one, then delete the old: the
                                 * mask changed, which the kernel refuses to
                                 * do in place. */
    TRANSIT_DELETE,
};

struct tc_transit {
    enum tc_transit_kind kind;
    struct offload_port *port;
    struct offload_op *op;
    union offload_handle handle;    /* Where it goes, or is. */

    struct tc_reply reply;      /* Of the addition, replacement, deletion. */
    struct tc_reply read;       /* Of reading the counters before. */
    uint32_t echo_handle;       /* Counters are wanted of this filter. */
    bool has_counters;
    struct offload_counters counters;
};

/* A transit takes up to two requests; a full pipeline runs by itself. */
#define TC_BATCH_MAX TC_PIPELINE_MAX

struct offload_batch {
    struct tc_pipeline *pipeline;
    size_t n;
    struct tc_transit transits[TC_BATCH_MAX];
};

DEFINE_PER_THREAD_MALLOCED_DATA(struct offload_batch *, tc_batch);

static uint32_t
next_handle(void)
{
    static atomic_count last = ATOMIC_COUNT_INIT(0);

    return tc_handle(atomic_count_inc(&last));
}

/* Requests. */

static void
take_echo(struct tc_reply *reply, const struct ofpbuf *msg)
{
    struct tc_transit *transit = reply->aux;
    struct tc_filter filter;

    if (tc_filter_parse(msg, &filter)
        && filter.handle == transit->echo_handle && filter.has_counters) {
        transit->counters = filter.counters;
        transit->has_counters = true;
    }
}

static void
put_tcmsg(struct tc_pipeline *pipeline, const struct offload_port *port,
          const union offload_handle *handle)
{
    struct tcmsg *tcm = tc_request_tcmsg(pipeline);

    tc_port_address(port, tcm);
    tcm->tcm_handle = handle->tc.handle;
    tcm->tcm_info = TC_H_MAKE((uint32_t) handle->tc.prio << 16,
                              (OVS_FORCE uint16_t) handle->tc.protocol);
}

/* With the kind in the request, the kernel need not take the RTNL lock to
 * find out whether the classifier does without it. */
static void
put_kind_and_chain(struct ofpbuf *msg, uint32_t chain)
{
    nl_msg_put_string(msg, TCA_KIND, "flower");
    if (chain) {
        nl_msg_put_u32(msg, TCA_CHAIN, chain);
    }
}

/* A request without options about the filter 'handle', whose counters are
 * wanted. */
static void
request_filter(struct tc_pipeline *pipeline, int type, unsigned int flags,
               struct tc_transit *transit, const union offload_handle *handle,
               struct tc_reply *reply)
{
    struct ofpbuf *msg;

    memset(reply, 0, sizeof *reply);
    reply->echo = take_echo;
    reply->aux = transit;
    transit->echo_handle = handle->tc.handle;

    msg = tc_request_begin(pipeline, type, flags, reply);
    put_kind_and_chain(msg, handle->tc.chain);
    put_tcmsg(pipeline, transit->port, handle);
    tc_request_end(pipeline);
}

static void
request_delete(struct tc_pipeline *pipeline, struct tc_transit *transit,
               const union offload_handle *handle)
{
    request_filter(pipeline, RTM_DELTFILTER, NLM_F_ECHO, transit, handle,
                   &transit->reply);
}

/* By TCA_CLS_FLAGS_VERBOSE the kernel hands over what a driver says that
 * doesn't take a rule, also if that is no error because TC executes it.  It is
 * as old as prios with several masks (Linux 4.18); older kernels refuse flags
 * that they don't know. */
static uint32_t
flower_flags(void)
{
    switch (tc_offload_mode) {
    case TC_MODE_HW_ONLY:
        return TCA_CLS_FLAGS_SKIP_SW;
    case TC_MODE_SW_ONLY:
        return TCA_CLS_FLAGS_SKIP_HW;
    case TC_MODE_BOTH:
    default:
        return tc_caps.multi_mask ? TCA_CLS_FLAGS_VERBOSE : 0;
    }
}

/* Appends TCA_OPTIONS for 'rule'.  The actions come first: a rewrite may
 * narrow the match. */
static int
put_options(struct ofpbuf *msg, const struct offload_rule *rule,
            struct tc_match *match, struct offload_refusal *refusal)
{
    struct tc_narrowing narrowing = { false, false };
    size_t options = nl_msg_start_nested(msg, TCA_OPTIONS);
    int error;

    error = tc_actions_encode(msg, rule, &narrowing, refusal);
    if (!error) {
        error = tc_match_encode(msg, rule, &narrowing, match, refusal);
    }
    if (!error) {
        nl_msg_put_u32(msg, TCA_FLOWER_FLAGS, flower_flags());
        nl_msg_end_nested(msg, options);
    }
    return error;
}

/* Sets transit->kind and transit->handle for a rule with 'match', given where
 * it is now, if anywhere.  Takes a prio for a rule at a new handle. */
static int
choose_handle(struct tc_transit *transit, const struct offload_rule *rule,
              const struct tc_match *match, struct offload_refusal *refusal)
{
    const union offload_handle *old = &transit->op->handle;
    union offload_handle *new = &transit->handle;

    if (offload_handle_is_set(old)
        && old->tc.mask_hash == match->mask_hash
        && old->tc.protocol == match->protocol
        && old->tc.chain == rule->recirc_id) {
        *new = *old;
        transit->kind = TRANSIT_REPLACE;
        return 0;
    }

    new->tc.prio = tc_prio_get(match->protocol, match->mask_hash);
    if (!new->tc.prio) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_PRIO_EXHAUSTED,
                              "tc prio", NULL, "protocol 0x%04x",
                              ntohs(match->protocol));
    }
    new->tc.handle = next_handle();
    new->tc.chain = rule->recirc_id;
    new->tc.protocol = match->protocol;
    new->tc.mask_hash = match->mask_hash;
    transit->kind = offload_handle_is_set(old) ? TRANSIT_MOVE : TRANSIT_ADD;
    return 0;
}

/* Encodes 'rule' as a request that puts it where it belongs. */
static int
request_rule(struct tc_pipeline *pipeline, struct tc_transit *transit,
             const struct offload_rule *rule, struct offload_refusal *refusal)
{
    struct tc_match match;
    struct ofpbuf *msg;
    int error;

    memset(&transit->reply, 0, sizeof transit->reply);
    msg = tc_request_begin(pipeline, RTM_NEWTFILTER, NLM_F_CREATE,
                           &transit->reply);
    put_kind_and_chain(msg, rule->recirc_id);
    error = put_options(msg, rule, &match, refusal);
    if (!error) {
        error = choose_handle(transit, rule, &match, refusal);
    }
    if (error) {
        tc_request_cancel(pipeline);
        return error;
    }
    if (transit->kind != TRANSIT_REPLACE) {
        /* It must not take the place of somebody else's. */
        tc_request_set_flags(pipeline, NLM_F_EXCL);
    }
    put_tcmsg(pipeline, transit->port, &transit->handle);
    tc_request_end(pipeline);
    return 0;
}

/* Reading one filter. */

/* Asks the kernel for a filter.  Returns 0 with its counters in 'transit',
 * ENOENT if there is none, or another positive errno.  The pipeline must be
 * empty. */
static int
read_filter(struct tc_pipeline *pipeline, struct tc_transit *transit,
            const union offload_handle *handle)
{
    transit->has_counters = false;
    request_filter(pipeline, RTM_GETTFILTER, 0, transit, handle,
                   &transit->read);
    tc_pipeline_run(pipeline);
    return (transit->read.unknown ? EIO
            : transit->read.error ? transit->read.error
            : transit->has_counters ? 0 : EIO);
}

/* Results. */

/* Turns an error of the kernel into a refusal. */
static int
refuse_by_kernel(struct tc_transit *transit, int error)
{
    enum offload_refusal_code code = (error == ENOSPC
                                      ? OFFLOAD_REFUSED_TABLE_FULL
                                      : error == EEXIST
                                      ? OFFLOAD_REFUSED_OVERLAP
                                      : error == EOPNOTSUPP
                                      ? OFFLOAD_REFUSED_CAPABILITY
                                      : OFFLOAD_REFUSED_DEVICE);
    struct offload_refusal *refusal = &transit->op->refusal;
    const char *extack = transit->reply.extack;

    COVERAGE_INC(tc_rule_failed);
    offload_refuse(refusal, code, "tc flower", NULL, "%s", extack);
    refusal->error = error;
    return offload_refusal_errno(refusal);
}

/* The kernel took the rule.  If it says something nevertheless, it is why a
 * driver didn't. */
static void
take_words(struct tc_transit *transit)
{
    if (transit->reply.extack[0]) {
        offload_refuse(&transit->op->refusal, OFFLOAD_REFUSED_DRIVER, NULL,
                       NULL, "%s", transit->reply.extack);
    }
}

static void
take_counters(struct tc_transit *transit)
{
    if (transit->has_counters) {
        transit->op->counters = transit->counters;
    }
}

/* The rule wasn't taken because something is missing: perhaps somebody has
 * deleted the qdisc.  Makes it again, for the rules to come.  Once a second at
 * most, as a rule that is no good is refused with the same error. */
static void
repair_port(struct offload_port *port)
{
    struct tc_port *tc_port = port->aux;
    long long int next;
    bool alive;

    /* Not for a port that was removed meanwhile, with its qdisc. */
    atomic_read(&port->alive, &alive);
    atomic_read_relaxed(&tc_port->next_repair, &next);
    if (alive && time_msec() >= next) {
        atomic_store_relaxed(&tc_port->next_repair, time_msec() + 1000);
        tc_port_repair(port);
    }
}

static void
settle_add(struct tc_pipeline *pipeline, struct tc_transit *transit)
{
    struct offload_op *op = transit->op;
    int error = transit->reply.error;

    if (transit->reply.unknown) {
        COVERAGE_INC(tc_answer_unknown);
        error = read_filter(pipeline, transit, &transit->handle);
        if (tc_is_gone(error)) {
            error = EIO;
        }
    }
    if (error) {
        tc_prio_put(transit->handle.tc.prio);
        memset(&op->handle, 0, sizeof op->handle);
        op->error = refuse_by_kernel(transit, error);
        if (tc_is_gone(error)) {
            repair_port(transit->port);
        }
    } else {
        COVERAGE_INC(tc_rule_added);
        op->handle = transit->handle;
        take_words(transit);
    }
}

/* Deletes 'handle' and stores in 'op' what became of it.  The request has
 * been answered, in transit->reply. */
static void
settle_delete(struct tc_pipeline *pipeline, struct tc_transit *transit,
              const union offload_handle *handle)
{
    struct offload_op *op = transit->op;
    int error = transit->reply.error;

    for (int i = 0; transit->reply.unknown && i < 3; i++) {
        COVERAGE_INC(tc_answer_unknown);
        error = read_filter(pipeline, transit, handle);
        if (error) {
            break;
        }
        request_delete(pipeline, transit, handle);
        tc_pipeline_run(pipeline);
        error = transit->reply.error;
    }

    take_counters(transit);
    if (!error || tc_is_gone(error)) {
        op->lost = error != 0;
        if (op->lost) {
            COVERAGE_INC(tc_rule_lost);
        } else {
            COVERAGE_INC(tc_rule_deleted);
        }
        tc_prio_put(handle->tc.prio);
        memset(&op->handle, 0, sizeof op->handle);
    } else {
        op->error = refuse_by_kernel(transit, error);
    }
}

static void
settle_replace(struct tc_pipeline *pipeline, struct tc_transit *transit)
{
    struct offload_op *op = transit->op;

    take_counters(transit);
    if (transit->reply.unknown) {
        /* It does what it did, or what it should do: nobody knows.  Take it
         * out, then it is known. */
        union offload_handle handle = op->handle;
        int error;

        COVERAGE_INC(tc_answer_unknown);
        error = refuse_by_kernel(transit, EIO);
        request_delete(pipeline, transit, &handle);
        tc_pipeline_run(pipeline);
        settle_delete(pipeline, transit, &handle);
        op->error = error;
    } else if (transit->reply.error) {
        op->error = refuse_by_kernel(transit, transit->reply.error);
    } else {
        COVERAGE_INC(tc_rule_replaced);
        op->handle = transit->handle;
        take_words(transit);
    }
}

/* Deletes the rule that was added.  What is known of the operation stays. */
static void
undo_add(struct tc_pipeline *pipeline, struct tc_transit *transit)
{
    struct offload_op *op = transit->op;
    struct offload_op known = *op;

    op->error = 0;
    request_delete(pipeline, transit, &transit->handle);
    tc_pipeline_run(pipeline);
    settle_delete(pipeline, transit, &transit->handle);
    if (op->error) {
        /* Its prio isn't given back: it isn't free. */
        VLOG_WARN_RL(&rl, "%s: rule with handle 0x%x can't be deleted, and "
                     "stays until the port is removed: %s",
                     transit->port->name, transit->handle.tc.handle,
                     op->refusal.detail);
    }
    *op = known;
}

static void
settle_move(struct tc_pipeline *pipeline, struct tc_transit *transit)
{
    struct offload_op *op = transit->op;
    union offload_handle old = op->handle;

    settle_add(pipeline, transit);
    if (op->error) {
        op->handle = old;
        return;
    }

    transit->has_counters = false;      /* Whatever was read of the new one. */
    request_delete(pipeline, transit, &old);
    tc_pipeline_run(pipeline);
    settle_delete(pipeline, transit, &old);
    if (op->error) {
        /* The old rule can't be got rid of: then it is the one that counts,
         * so that it isn't forgotten. */
        undo_add(pipeline, transit);
        op->handle = old;
    } else {
        COVERAGE_INC(tc_rule_replaced);
        op->handle = transit->handle;
        op->lost = false;
    }
}

static void
settle(struct tc_pipeline *pipeline, struct tc_transit *transit)
{
    switch (transit->kind) {
    case TRANSIT_NONE:
        break;
    case TRANSIT_ADD:
        settle_add(pipeline, transit);
        break;
    case TRANSIT_REPLACE:
        settle_replace(pipeline, transit);
        break;
    case TRANSIT_MOVE:
        settle_move(pipeline, transit);
        break;
    case TRANSIT_DELETE:
        settle_delete(pipeline, transit, &transit->handle);
        break;
    }
}

/* Batches. */

static struct offload_batch *
tc_batch_begin(void)
{
    struct offload_batch *batch = tc_batch_get();

    if (!batch) {
        batch = xzalloc(sizeof *batch);
        tc_batch_set(batch);
    }
    batch->pipeline = tc_pipeline_get();
    batch->n = 0;
    return batch;
}

static void
tc_batch_commit(struct offload_batch *batch)
{
    tc_pipeline_run(batch->pipeline);
    for (size_t i = 0; i < batch->n; i++) {
        settle(batch->pipeline, &batch->transits[i]);
    }
    batch->n = 0;
}

static struct tc_transit *
transit_begin(struct offload_batch *batch, struct offload_port *port,
              struct offload_op *op)
{
    struct tc_transit *transit;

    if (batch->n >= TC_BATCH_MAX) {
        tc_batch_commit(batch);
    }
    transit = &batch->transits[batch->n++];
    transit->kind = TRANSIT_NONE;
    transit->port = port;
    transit->op = op;
    transit->has_counters = false;
    memset(&transit->handle, 0, sizeof transit->handle);

    op->error = 0;
    op->lost = false;
    memset(&op->counters, 0, sizeof op->counters);
    offload_refusal_init(&op->refusal);
    return transit;
}

static void
tc_rule_put(struct offload_batch *batch, struct offload_port *port,
            const struct offload_rule *rule, struct offload_op *op)
{
    struct tc_transit *transit = transit_begin(batch, port, op);

    if (offload_handle_is_set(&op->handle)) {
        /* The new rule counts from zero: read the old one's counters first.
         * What it counts between the two requests is lost. */
        request_filter(batch->pipeline, RTM_GETTFILTER, 0, transit,
                       &op->handle, &transit->read);
    }
    op->error = request_rule(batch->pipeline, transit, rule, &op->refusal);
}

static void
tc_rule_del(struct offload_batch *batch, struct offload_port *port,
            struct offload_op *op)
{
    struct tc_transit *transit = transit_begin(batch, port, op);

    transit->kind = TRANSIT_DELETE;
    transit->handle = op->handle;
    request_delete(batch->pipeline, transit, &transit->handle);
}

/* Dumps. */

static int
tc_backend_dump_start(struct offload_port *port, struct offload_dump **dumpp)
{
    struct tc_dump *dump;
    int error = tc_port_dump_start(port, &dump);

    *dumpp = error ? NULL : (struct offload_dump *) dump;
    return error;
}

/* False if 'filter' isn't a rule of ours. */
static bool
reading_from_filter(const struct tc_filter *filter, struct offload_reading *r)
{
    if (!filter->flower || !filter->handle || !filter->has_cookie
        || !filter->has_counters) {
        return false;
    }
    r->ufid = filter->cookie;
    r->handle.tc.handle = filter->handle;
    r->handle.tc.chain = filter->chain;
    r->handle.tc.prio = filter->prio;
    r->handle.tc.protocol = filter->protocol;
    r->handle.tc.mask_hash = 0;
    r->counters = filter->counters;
    r->in_hw = filter->in_hw;
    return true;
}

static size_t
tc_backend_dump_next(struct offload_dump *dump_, struct ofpbuf *buf,
                     struct offload_reading readings[], size_t max)
{
    struct tc_dump *dump = (struct tc_dump *) dump_;
    struct tc_filter filter;
    struct ofpbuf msg;
    size_t n = 0;

    while (n < max) {
        if (!tc_dump_msg(buf, &msg)) {
            if (n || !tc_dump_next(dump, buf)) {
                break;
            }
        } else if (tc_filter_parse(&msg, &filter)) {
            n += reading_from_filter(&filter, &readings[n]);
        }
    }
    return n;
}

static int
tc_backend_dump_done(struct offload_dump *dump, bool *complete)
{
    return tc_dump_done((struct tc_dump *) dump, complete);
}

/* Flush. */

struct last_readings {
    void (*reading)(const struct offload_reading *, void *aux);
    void *aux;
};

static void
pass_reading(const struct tc_filter *filter, void *last_)
{
    const struct last_readings *last = last_;
    struct offload_reading reading;

    if (reading_from_filter(filter, &reading)) {
        last->reading(&reading, last->aux);
    }
}

static int
tc_backend_flush(struct offload_port *port,
                 void (*reading)(const struct offload_reading *, void *aux),
                 void *aux)
{
    struct last_readings last = { reading, aux };
    struct tc_observer observer = { pass_reading, &last };

    return tc_port_flush(port, &observer);
}

static void
tc_rule_forget(struct offload_port *port OVS_UNUSED,
               const union offload_handle *handle)
{
    COVERAGE_INC(tc_rule_deleted);
    tc_prio_put(handle->tc.prio);
}

static int
tc_rule_read(struct offload_port *port, const union offload_handle *handle,
             struct offload_counters *counters)
{
    struct tc_transit transit;
    int error;

    memset(&transit, 0, sizeof transit);
    transit.port = port;
    error = read_filter(tc_pipeline_aside(), &transit, handle);
    if (!error) {
        *counters = transit.counters;
    }
    return tc_is_gone(error) ? ENOENT : error;
}

/* For people. */

static int
tc_rule_check(struct offload_port *port OVS_UNUSED,
              const struct offload_rule *rule,
              struct offload_refusal *refusal)
{
    struct tc_match match;
    struct ofpbuf msg;
    int error;

    ofpbuf_init(&msg, 0);
    error = put_options(&msg, rule, &match, refusal);
    ofpbuf_uninit(&msg);
    return error;
}

static void
tc_handle_format(const union offload_handle *handle, struct ds *s)
{
    ds_put_format(s, "tc chain %"PRIu32" pref %"PRIu16" handle 0x%"PRIx32
                  " protocol 0x%04"PRIx16, handle->tc.chain, handle->tc.prio,
                  handle->tc.handle, ntohs(handle->tc.protocol));
}

const struct offload_backend offload_backend_tc = {
    .name = "tc",
    .dp_layer = "tc",
    .port_open = tc_port_open,
    .port_close = tc_port_close,
    .batch_begin = tc_batch_begin,
    .rule_put = tc_rule_put,
    .rule_del = tc_rule_del,
    .batch_commit = tc_batch_commit,
    .flush = tc_backend_flush,
    .rule_forget = tc_rule_forget,
    .activity = tc_activity,
    .received = tc_received,
    .dump_start = tc_backend_dump_start,
    .dump_next = tc_backend_dump_next,
    .dump_done = tc_backend_dump_done,
    .rule_read = tc_rule_read,
    .meter_set = tc_police_set,
    .meter_get = tc_police_get,
    .meter_del = tc_police_del,
    .capabilities = tc_caps_format,
    .rule_check = tc_rule_check,
    .handle_format = tc_handle_format,
    .match_support = tc_match_support,
    .action_support = tc_action_support,
};
