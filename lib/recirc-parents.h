/* SPDX-License-Identifier: Apache-2.0 */

#ifndef RECIRC_PARENTS_H
#define RECIRC_PARENTS_H 1

/* Which flows lead to which, through recirculation.
 *
 * A flow with a recirc action, on some input port, is a parent of all flows
 * that match that port and recirculation id.  A child may be in hardware only
 * if at least one of its parents is there and none is in software: a packet
 * that a parent recirculates in the kernel datapath looks for the child there
 * only, doesn't find it, and goes up to the daemon, one by one, for ever,
 * because the daemon thinks that the child is installed.
 *
 * A flow's links are made with recirc_links_set() when it is put and dropped
 * with recirc_links_clear(); both need the flow's claim (flow-table.h).  A
 * child is linked before its parents are asked for, and a parent is counted
 * before its children are listed, so that of two flows that change at the same
 * time at least one sees the other.
 *
 * Thread-safe.  The locks inside are held for hash lookups only, and are
 * shared by flows that do recirculate. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct nlattr;
struct offload_flow;

/* Recirculation ids that one flow can lead to; more aren't offloaded. */
#define RECIRC_MAX_IDS 8

/* Stores the recirculation ids in 'actions' (OVS_ACTION_ATTR_*, untrusted),
 * nested actions included, without duplicates.  Returns their number, or
 * RECIRC_MAX_IDS + 1 if there are more than RECIRC_MAX_IDS. */
size_t recirc_ids_from_actions(const struct nlattr *actions, size_t len,
                               uint32_t ids[RECIRC_MAX_IDS]);

/* Replaces the links of 'flow': it is a child if 'recirc_id' isn't 0, and a
 * parent, in hardware or not, of the flows of 'ids'. */
void recirc_links_set(struct offload_flow *flow, odp_port_t in_port,
                      uint32_t recirc_id, const uint32_t ids[], size_t n_ids,
                      bool in_hardware);
void recirc_links_clear(struct offload_flow *);

/* True if the flow is no child, or all of its parents, and at least one, are
 * in hardware. */
bool recirc_parents_in_hardware(odp_port_t in_port, uint32_t recirc_id);

/* Stores the ufids of up to 'max' children of (in_port, recirc_id), skipping
 * the first 'skip', and returns their number. */
size_t recirc_children(odp_port_t in_port, uint32_t recirc_id, size_t skip,
                       ovs_u128 ufids[], size_t max);

#endif /* recirc-parents.h */
