/* SPDX-License-Identifier: Apache-2.0 */

/* Whole batches, as handlers and revalidators hand them to dpif_operate().
 *
 * Open vSwitch's own code takes a batch apart and offers its operations one by
 * one to the provider (lib/dpif-netlink.c, try_send_to_netdev()), each a round
 * trip to the kernel.  Here the engine gets all of them at once; what it
 * refuses, and what isn't about flows, goes on to Open vSwitch marked so that
 * it isn't offered again.
 *
 * Calls from inside of lib/dpif.c (dpctl's) don't come here, but through
 * struct netdev_flow_api. */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "coverage.h"
#include "dpif-provider.h"
#include "dpif.h"
#include "engine.h"
#include "flow-api.h"
#include "netdev-offload.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "util.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_operate);

OFFLOAD_WRAP(dpif_operate);

COVERAGE_DEFINE(offload_batch);
COVERAGE_DEFINE(offload_batched_op);

/* Operations that are looked at together. */
#define OPERATE_MAX 64

struct operate_batch {
    struct engine_op ops[OPERATE_MAX];
    struct engine_op *opsp[OPERATE_MAX];
    struct dpif_op *dops[OPERATE_MAX];  /* Where each of 'ops' comes from. */
    struct match matches[OPERATE_MAX];
    size_t n;

    /* What is left for Open vSwitch, in the order in which it came, and then
     * deletions of flows that were the kernel datapath's until now. */
    struct dpif_op *rest[2 * OPERATE_MAX];
    size_t n_rest;
    struct dpif_op dels[OPERATE_MAX];
    struct dpif_flow_stats del_stats[OPERATE_MAX];
    size_t n_dels;
};

DEFINE_PER_THREAD_MALLOCED_DATA(struct operate_batch *, operate_batch);

static struct operate_batch *
batch_get(void)
{
    struct operate_batch *batch = operate_batch_get();

    if (!batch) {
        batch = xzalloc(sizeof *batch);
        operate_batch_set(batch);
    }
    batch->n = batch->n_rest = batch->n_dels = 0;
    return batch;
}

/* Is it for us at all?  Offload rebalancing wants to see each operation's
 * error in Open vSwitch's own code. */
static bool
may_batch(const struct dpif *dpif, enum dpif_offload_type offload_type)
{
    return (offload_type == DPIF_OFFLOAD_AUTO
            && netdev_is_flow_api_enabled()
            && !netdev_is_offload_rebalance_policy_enabled()
            && !strcmp(dpif_normalize_type(dpif_type(dpif)), "system"));
}

static bool
translate_put(const struct dpif_flow_put *put, struct engine_op *op,
              struct match *match)
{
    if (!put->ufid || put->flags & DPIF_FP_PROBE
        || parse_key_and_mask_to_match(put->key, put->key_len, put->mask,
                                       put->mask_len, match)) {
        return false;
    }
    op->type = ENGINE_PUT;
    op->ufid = put->ufid;
    op->match = match;
    op->actions = put->actions;
    op->actions_len = put->actions_len;
    op->in_port = match->flow.in_port.odp_port;
    op->recirc_shared = flow_api_recirc_shared();
    op->offered = 0;
    op->stats = put->stats;
    return true;
}

static bool
translate_del(const struct dpif_flow_del *del, struct engine_op *op)
{
    if (!del->ufid) {
        return false;
    }
    op->type = ENGINE_DEL;
    op->ufid = del->ufid;
    op->stats = del->stats;
    return true;
}

/* Adds 'dop' to the engine's operations, if it is one. */
static bool
translate(struct operate_batch *batch, struct dpif_op *dop)
{
    struct engine_op *op = &batch->ops[batch->n];
    bool ok;

    switch (dop->type) {
    case DPIF_OP_FLOW_PUT:
        ok = translate_put(&dop->flow_put, op, &batch->matches[batch->n]);
        break;
    case DPIF_OP_FLOW_DEL:
        ok = translate_del(&dop->flow_del, op);
        break;
    case DPIF_OP_FLOW_GET:
    case DPIF_OP_EXECUTE:
    default:
        ok = false;
        break;
    }
    if (ok) {
        batch->opsp[batch->n] = op;
        batch->dops[batch->n] = dop;
        batch->n++;
    }
    return ok;
}

/* The flow was the kernel datapath's until now: Open vSwitch modifies it. */
static void
delete_from_kernel(struct operate_batch *batch,
                   const struct dpif_flow_put *put)
{
    size_t i = batch->n_dels++;
    struct dpif_op *dop = &batch->dels[i];

    memset(dop, 0, sizeof *dop);
    dop->type = DPIF_OP_FLOW_DEL;
    dop->flow_del.key = put->key;
    dop->flow_del.key_len = put->key_len;
    dop->flow_del.ufid = put->ufid;
    dop->flow_del.pmd_id = put->pmd_id;
    dop->flow_del.stats = &batch->del_stats[i];
    dop->flow_del.terse = true;
}

/* Open vSwitch subtracts what it last saw of a flow from what its deletion
 * returns: the counters must not start again at 0. */
static void
carry_kernel_counters(const struct operate_batch *batch)
{
    for (size_t i = 0; i < batch->n_dels; i++) {
        const struct dpif_op *dop = &batch->dels[i];

        if (!dop->error) {
            engine_carry(dop->flow_del.ufid, dop->flow_del.stats);
        }
    }
}

static bool
finish_del(const struct dpif *dpif, const struct engine_op *op,
           struct dpif_op *dop)
{
    if (op->error) {
        return false;
    }
    log_flow_del_message(dpif, &this_module, &dop->flow_del, 0);
    dop->error = 0;
    return true;
}

/* Several packets of one new megaflow may come up before its rule is in.  Each
 * makes a flow with an ufid of its own, as it is a hash of the packet's whole
 * key, and the same match.  The kernel datapath says EEXIST to all but the
 * first of them, which then is the only one, and so do we. */
static bool
is_duplicate(const struct engine_op *op, const struct dpif_flow_put *put)
{
    return op->has_twin && !(put->flags & DPIF_FP_MODIFY);
}

static bool
finish_put(struct operate_batch *batch, const struct dpif *dpif,
           const struct engine_op *op, struct dpif_op *dop)
{
    struct dpif_flow_put *put = &dop->flow_put;

    if (op->error && !is_duplicate(op, put)) {
        if (op->removed && put->flags & DPIF_FP_MODIFY) {
            /* There is nothing in the kernel datapath to be modified. */
            put->flags &= ~DPIF_FP_MODIFY;
            put->flags |= DPIF_FP_CREATE;
        }
        return false;
    }
    if (!op->error && put->flags & DPIF_FP_MODIFY && !op->was_installed) {
        delete_from_kernel(batch, put);
    }
    dop->error = op->error ? EEXIST : 0;
    log_flow_put_message(dpif, &this_module, put, dop->error);
    return true;
}

/* Takes in the engine's result.  Returns true if 'dop' is done with. */
static bool
finish(struct operate_batch *batch, const struct dpif *dpif,
       const struct engine_op *op, struct dpif_op *dop)
{
    return (op->type == ENGINE_DEL
            ? finish_del(dpif, op, dop)
            : finish_put(batch, dpif, op, dop));
}

/* Of several flows that differ in their ufids only the kernel datapath takes
 * one.  Open vSwitch drops the others, and deletes none of them: so the engine
 * must not go on taking them for parents in software.  No other thread is at
 * these ufids until our caller has seen the errors. */
static void
forget_failed_puts(struct operate_batch *batch)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n; i++) {
        const struct engine_op *op = &batch->ops[i];

        if (op->type == ENGINE_PUT && op->error && op->was_unknown
            && batch->dops[i]->error) {
            const ovs_u128 *ufid = op->ufid;

            batch->ops[n] = (struct engine_op) {
                .type = ENGINE_DEL, .ufid = ufid,
            };
            n++;
        }
    }
    if (n) {
        engine_operate(batch->opsp, n);
    }
}

/* Executes up to OPERATE_MAX operations. */
static void
operate(struct dpif *dpif, struct dpif_op **ops, size_t n_ops)
{
    struct operate_batch *batch = batch_get();
    size_t i, j;

    for (i = 0; i < n_ops; i++) {
        translate(batch, ops[i]);
    }
    if (batch->n) {
        COVERAGE_INC(offload_batch);
        COVERAGE_ADD(offload_batched_op, batch->n);
        engine_operate(batch->opsp, batch->n);
    }

    for (i = j = 0; i < n_ops; i++) {
        if (j >= batch->n || batch->dops[j] != ops[i]
            || !finish(batch, dpif, &batch->ops[j], ops[i])) {
            batch->rest[batch->n_rest++] = ops[i];
        }
        j += j < batch->n && batch->dops[j] == ops[i];
    }
    for (i = 0; i < batch->n_dels; i++) {
        batch->rest[batch->n_rest++] = &batch->dels[i];
    }
    if (batch->n_rest) {
        __real_dpif_operate(dpif, batch->rest, batch->n_rest,
                            DPIF_OFFLOAD_NEVER);
        carry_kernel_counters(batch);
        forget_failed_puts(batch);
    }
}

/* Reading a flow is left to Open vSwitch whole: it asks the provider. */
static bool
has_gets(struct dpif_op **ops, size_t n_ops)
{
    for (size_t i = 0; i < n_ops; i++) {
        if (ops[i]->type == DPIF_OP_FLOW_GET) {
            return true;
        }
    }
    return false;
}

/* Whether recirculation ids are shared with TC is told to flow_put() only, so
 * the very first flow is put by Open vSwitch's own code.  Returns the number
 * of operations up to it. */
static size_t
n_until_put(struct dpif_op **ops, size_t n_ops)
{
    for (size_t i = 0; i < n_ops; i++) {
        if (ops[i]->type == DPIF_OP_FLOW_PUT) {
            return i + 1;
        }
    }
    return n_ops;
}

void
__wrap_dpif_operate(struct dpif *dpif, struct dpif_op **ops, size_t n_ops,
                    enum dpif_offload_type offload_type)
{
    if (!may_batch(dpif, offload_type) || has_gets(ops, n_ops)) {
        __real_dpif_operate(dpif, ops, n_ops, offload_type);
        return;
    }
    if (OVS_UNLIKELY(!flow_api_recirc_known())) {
        size_t n = n_until_put(ops, n_ops);

        __real_dpif_operate(dpif, ops, n, offload_type);
        ops += n;
        n_ops -= n;
        if (n_ops && !flow_api_recirc_known()) {
            /* That put wasn't offered to us, for want of a port. */
            __real_dpif_operate(dpif, ops, n_ops, offload_type);
            return;
        }
    }
    while (n_ops > 0) {
        size_t chunk = MIN(n_ops, OPERATE_MAX);

        operate(dpif, ops, chunk);
        ops += chunk;
        n_ops -= chunk;
    }
}
