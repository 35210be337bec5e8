/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_PEDIT_H
#define TC_PEDIT_H 1

/* Header rewriting: from fields to pedit's 32-bit words, and to the checksums
 * that csum has to make right afterwards.
 *
 * A struct tc_rewrite collects fields that are set one right after the other,
 * so that they share one pedit and one csum action.  It lives on the stack.
 *
 * Which checksums a packet has depends on its transport protocol, and a
 * fragment's can't be computed: a rewrite may narrow the match. */

#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct offload_action;
struct offload_refusal;
struct offload_rule;
struct ofpbuf;
struct tc_narrowing;

/* All words of all headers that have a field. */
#define TC_REWRITE_MAX_WORDS 32

struct tc_rewrite {
    struct tc_rewrite_word {
        uint8_t htype;          /* TCA_PEDIT_KEY_EX_HDR_TYPE_*. */
        uint8_t ofs;            /* Bytes, a multiple of 4. */
        ovs_be32 mask, value;   /* Bits to set, and to what. */
    } words[TC_REWRITE_MAX_WORDS];
    size_t n;
    uint32_t csum;              /* TCA_CSUM_UPDATE_FLAG_*. */
};

/* Adds an OFFLOAD_ACT_SET_FIELD of a rule to '*rewrite', which starts as all
 * zeros.  Returns 0, or a positive errno with the refusal filled in. */
int tc_rewrite_add(struct tc_rewrite *rewrite, const struct offload_rule *,
                   const struct offload_action *, struct tc_narrowing *,
                   struct offload_refusal *);

/* Appends pedit's attributes to 'msg', inside of its open TCA_ACT_OPTIONS.
 * Returns where in 'msg' the action's control is, see tc-action.c. */
size_t tc_rewrite_put(const struct tc_rewrite *, struct ofpbuf *msg);

#endif /* tc-pedit.h */
