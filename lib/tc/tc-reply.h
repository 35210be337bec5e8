/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_REPLY_H
#define TC_REPLY_H 1

/* Reading what the kernel says about a filter: counters and identity, nothing
 * else.  Messages are untrusted: every length is checked, a malformed message
 * yields false and harms nobody.  No state. */

#include <stdbool.h>

#include "offload-backend.h"

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

bool tc_filter_parse(const struct ofpbuf *msg, struct tc_filter *);

#endif /* tc-reply.h */
