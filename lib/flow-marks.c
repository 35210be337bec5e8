/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "flow-marks.h"

#include <stddef.h>

#include "flow-table.h"
#include "openvswitch/compiler.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "util.h"

/* Marks are given out from 1 on.  Those beyond 4 million have no place. */
#define LEAF_BITS 12
#define LEAF_SIZE (1 << LEAF_BITS)
#define N_LEAVES 1024

/* Never freed. */
struct entry {
    ATOMIC(struct offload_flow *) flow;
    ATOMIC(struct entry *) next;    /* Asked for after this one. */
};

static ATOMIC(struct entry *) leaves[N_LEAVES];

/* What this thread asked for last. */
DEFINE_STATIC_PER_THREAD_DATA(struct entry *, last_asked, NULL);

static struct entry *
leaf_create(size_t i)
{
    struct entry *leaf = xcalloc(LEAF_SIZE, sizeof *leaf);
    struct entry *other = NULL;

    if (!atomic_compare_exchange_strong(&leaves[i], &other, leaf)) {
        free(leaf);
        leaf = other;
    }
    return leaf;
}

static struct entry *
entry_get(uint32_t mark, bool create)
{
    size_t i = mark >> LEAF_BITS;
    struct entry *leaf;

    if (!mark || i >= N_LEAVES) {
        return NULL;
    }
    atomic_read_explicit(&leaves[i], &leaf, memory_order_acquire);
    if (!leaf && create) {
        leaf = leaf_create(i);
    }
    return leaf ? &leaf[mark & (LEAF_SIZE - 1)] : NULL;
}

void
flow_marks_set(uint32_t mark, struct offload_flow *flow)
{
    struct entry *entry = entry_get(mark, true);

    if (entry) {
        atomic_store_explicit(&entry->flow, flow, memory_order_release);
    }
}

void
flow_marks_clear(uint32_t mark, const struct offload_flow *flow)
{
    struct entry *entry = entry_get(mark, false);
    struct offload_flow *old = CONST_CAST(struct offload_flow *, flow);

    if (entry) {
        atomic_compare_exchange_strong(&entry->flow, &old, NULL);
    }
}

/* The flow may have been freed: nothing but its address is used. */
static void
prefetch_flow(struct entry *entry)
{
    struct offload_flow *flow;

    atomic_read_relaxed(&entry->flow, &flow);
    if (flow) {
        const char *p = (const char *) flow;

        for (size_t i = 0; i < OFFLOAD_FLOW_HOT; i += CACHE_LINE_SIZE) {
            OVS_PREFETCH(p + i);
        }
        OVS_PREFETCH(p + OFFLOAD_FLOW_HOT - 1);
    }
}

/* 'entry' is asked for, and the one before was 'last'.  Fetches the flow that
 * comes next, and the entry of the one after it, lest we wait for that then. */
static void
follow(struct entry *entry, struct entry *last)
{
    struct entry *next, *second;

    if (last) {
        atomic_read_relaxed(&last->next, &next);
        if (next != entry) {
            atomic_store_relaxed(&last->next, entry);
        }
    }
    atomic_read_relaxed(&entry->next, &next);
    if (next) {
        prefetch_flow(next);
        atomic_read_relaxed(&next->next, &second);
        OVS_PREFETCH(second);
    }
}

struct offload_flow *
flow_marks_find(uint32_t mark)
{
    struct entry *entry = entry_get(mark, false);
    struct entry **last = last_asked_get();
    struct offload_flow *flow;

    if (!entry) {
        return NULL;
    }
    follow(entry, *last);
    *last = entry;
    atomic_read_explicit(&entry->flow, &flow, memory_order_acquire);
    return flow;
}
