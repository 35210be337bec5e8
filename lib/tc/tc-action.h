/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_ACTION_H
#define TC_ACTION_H 1

/* From a rule's actions to TC actions.
 *
 * tc_actions_encode() walks the rule's actions and calls, for each, the
 * encoder of its kind from a table.  One of ours may become several TC
 * actions (tunnel release before the first output, pedit and csum, skbedit
 * before a redirect to an internal port); jumps of check_pkt_len are computed
 * over what really was encoded.  The kernel takes TCA_ACT_MAX_PRIO (32)
 * actions a filter and silently drops the rest, so more are refused. */

struct offload_refusal;
struct offload_rule;
struct ofpbuf;
struct tc_narrowing;

/* Appends TCA_FLOWER_ACT to 'msg', inside of its open TCA_OPTIONS, with the
 * rule's ufid as cookie of the first action.  Sets in '*narrowing' what the
 * match must be narrowed to (call it before tc_match_encode()).  Returns 0 or
 * a positive errno with 'refusal' filled in. */
int tc_actions_encode(struct ofpbuf *msg, const struct offload_rule *,
                      struct tc_narrowing *, struct offload_refusal *);

#endif /* tc-action.h */
