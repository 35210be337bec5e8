/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_REPLY_H
#define TC_REPLY_H 1

/* Reading what the kernel says about filters and actions: counters and
 * identity, nothing else.  Messages are untrusted: every length is checked, a
 * malformed message yields false and harms nobody.  No state.
 *
 * Counters.  The kernel counts at each action, not at the filter, and includes
 * what hardware has counted.  A filter's counters are how often it matched,
 * which is the largest count of its actions: each packet passes the first
 * action, later ones may be jumped over or not reached (a drop, a ct that
 * queued a fragment), and drivers may report on some of the actions only.
 * Where several have counted the same number of packets, the first one's bytes
 * are taken: those are the packets as they matched, not yet encapsulated or
 * with a VLAN pushed.
 *
 * A police action with the index of a meter is shared by all the meter's
 * rules, so its count says nothing about this one.  A terse message doesn't
 * contain the index.  There, and in general, a police action counts for the
 * filter only if it has the filter's cookie, which whoever encodes the actions
 * must not put on a meter. */

#include <stdbool.h>
#include <stdint.h>

#include "offload-backend.h"

struct nlattr;
struct ofpbuf;

/* What a message about a filter (RTM_NEWTFILTER, RTM_DELTFILTER; full or
 * terse) says. */
struct tc_filter {
    int ifindex;                /* Or the magic number of shared blocks. */
    uint32_t block;             /* If that. */
    uint32_t parent;
    uint16_t prio;
    ovs_be16 protocol;
    uint32_t chain;
    uint32_t handle;            /* 0 for the classifier instance itself. */
    bool flower;                /* TCA_KIND is "flower". */
    bool in_hw;
    bool has_cookie;
    ovs_u128 cookie;            /* Of the first action that has one. */
    bool has_counters;
    struct offload_counters counters;
};

/* False if 'msg' isn't about a filter, or is malformed. */
bool tc_filter_parse(const struct ofpbuf *msg, struct tc_filter *);

/* Whether it looks as if an Open vSwitch, ours or the distribution's, had put
 * the filter there: a flower with a 16-byte cookie, and not with a prio that
 * belongs to ingress policing. */
bool tc_filter_is_ovs(const struct tc_filter *);

/* Whether it looks as if we had, in this life or an earlier one: its handle is
 * one that tc_handle() gives, too. */
bool tc_filter_is_ours(const struct tc_filter *);

/* The n'th handle.  The kernel looks for a handle below a prio, and somebody
 * else may use the same prio; ours are from a range that nobody else is likely
 * to choose. */
static inline uint32_t
tc_handle(uint32_t n)
{
    return 0x40000000 | (n & 0x3fffffff);
}

/* What a message about an action of its own (RTM_NEWACTION, RTM_DELACTION, and
 * RTM_GETACTION, which the kernel answers with itself) says of one action. */
struct tc_action_reply {
    bool police;                /* TCA_ACT_KIND is "police". */
    uint32_t index;
    struct offload_counters counters;
    uint64_t drops;
};

/* Parses the actions in 'msg', up to 'max' of them, into 'actions'.  Returns
 * their number, 0 if 'msg' isn't about actions or is malformed. */
size_t tc_action_reply_parse(const struct ofpbuf *msg,
                             struct tc_action_reply actions[], size_t max);

/* Finds an attribute in 'msg', whose attributes follow a 'header_len' bytes
 * long header: first one of type 'path[0]', in it one of type 'path[1]', and
 * so on.  Returns NULL if there is none. */
const struct nlattr *tc_reply_find(const struct ofpbuf *msg, size_t header_len,
                                   const uint16_t path[], size_t n);

/* Errors by which the kernel says that there is no such thing (any more): no
 * device; no qdisc; no chain, prio or filter. */
bool tc_is_gone(int error);

#endif /* tc-reply.h */
