/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FLOW_MARKS_H
#define FLOW_MARKS_H 1

/* Flows of the userspace datapath, by mark.
 *
 * Open vSwitch's revalidators ask for each flow in each sweep, in much the same
 * order each time.  With 100,000 flows that is one wait for memory after the
 * other.  An array finds a flow with fewer of them than a hash table, and what
 * was asked for after a flow the last time is fetched while the caller is busy
 * with that flow.
 *
 * This is an index that may miss flows, and Open vSwitch gives a mark to
 * another flow while we still have the rule of the one before: who finds a flow
 * looks at its ufid, and goes to the flow table if it is another.
 *
 * Thread-safe.  What is found is good until the caller quiesces. */

#include <stdint.h>

struct offload_flow;

/* From now on, 'mark' finds this flow.  0 is no mark. */
void flow_marks_set(uint32_t mark, struct offload_flow *);

/* 'mark' doesn't find this flow any more.  To be called before it is freed by
 * RCU. */
void flow_marks_clear(uint32_t mark, const struct offload_flow *);

/* Returns a flow, or NULL. */
struct offload_flow *flow_marks_find(uint32_t mark);

#endif /* flow-marks.h */
