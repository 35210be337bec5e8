/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FLOW_SPEC_H
#define FLOW_SPEC_H 1

/* What an offloaded flow is to do, as Open vSwitch handed it over.
 *
 * There are as many of these as there are offloaded flows, so they are small:
 * of the match, only the fields that the mask has; the mask itself and the
 * actions are shared by all flows that have the same ones.
 *
 * A flow_spec is immutable, and is freed by RCU (flow_spec_free() at once,
 * for ovsrcu_postpone()). */

#include <stdbool.h>
#include <stddef.h>

#include "flow.h"

struct match;
struct nlattr;
struct shared_bytes;

struct flow_spec {
    struct shared_bytes *mask;      /* A struct miniflow. */
    struct shared_bytes *actions;   /* OVS_FLOW_ATTR_ACTIONS, nested. */
    struct miniflow flow;           /* With the mask's fields only. */
};

/* Copies 'match' and the 'actions_len' bytes of actions.  What Open vSwitch
 * keeps beside a match of OpenFlow's ('tun_md') a datapath flow doesn't
 * have. */
struct flow_spec *flow_spec_create(const struct match *match,
                                   const struct nlattr *actions,
                                   size_t actions_len);
void flow_spec_free(struct flow_spec *);

void flow_spec_match(const struct flow_spec *, struct match *);

/* Do packets that match one match the other, and the reverse? */
bool flow_spec_is_twin(const struct flow_spec *, const struct flow_spec *);

/* The whole attribute, nested.  As long as the flow_spec lives. */
const struct nlattr *flow_spec_actions(const struct flow_spec *);

#endif /* flow-spec.h */
