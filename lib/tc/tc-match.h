/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_MATCH_H
#define TC_MATCH_H 1

/* From a rule's match to TC flower's key attributes.
 *
 * tc_match_encode() walks the rule's fields by their rows in the field table
 * and appends TCA_FLOWER_KEY_* attributes (linux/pkt_cls.h).  It keeps no
 * state.  What flower can't express is refused by name. */

#include <stdint.h>

#include "openvswitch/types.h"

struct offload_refusal;
struct offload_rule;
struct ofpbuf;

/* Constraints that the actions put on the match: a rewrite whose checksums
 * depend on the transport protocol narrows the rule to what the megaflow's
 * first packet was.  Narrowing is always safe: other packets of the megaflow
 * miss and are switched in software. */
struct tc_narrowing {
    bool ip_proto;              /* Match the key's nw_proto exactly. */
    bool not_fragment;          /* Match whole packets only. */
};

/* What else of a message follows from the match. */
struct tc_match {
    ovs_be16 protocol;          /* For tcm_info: ETH_P_*, ETH_P_ALL. */
    uint32_t mask_hash;         /* Equal masks have equal hashes: rules with
                                 * different masks may need different prios. */
    bool widened;               /* Rule matches more than the megaflow: see
                                 * TUN_DF, TUN_CSUM and TUN_KEY in
                                 * offload-field.c. */
};

/* Appends to 'msg', inside of its open TCA_OPTIONS.  Returns 0 or a positive
 * errno with 'refusal' filled in (the caller then drops the message). */
int tc_match_encode(struct ofpbuf *msg, const struct offload_rule *,
                    const struct tc_narrowing *, struct tc_match *,
                    struct offload_refusal *);

#endif /* tc-match.h */
