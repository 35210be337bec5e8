/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-rule.h"

#include "util.h"

/* Fills in 'rule' from a megaflow.  'match', 'actions' and what 'in_port'
 * points to are borrowed, see offload-rule.h.  Any thread.  Returns 0, or a
 * positive errno with 'refusal' filled in; 'rule' is of no use then. */
int
offload_rule_parse(struct offload_rule *rule, const ovs_u128 *ufid,
                   struct offload_port *in_port, const struct match *match,
                   const struct nlattr *actions, size_t actions_len,
                   const struct offload_context *context,
                   struct offload_refusal *refusal)
{
    int error;

    rule->ufid = *ufid;
    rule->in_port = in_port;
    rule->recirc_id = match->flow.recirc_id;
    rule->mark = 0;
    rule->nl_actions = actions;
    rule->nl_actions_len = actions_len;
    rule->n_actions = 0;

    if (rule->recirc_id && context->datapath == OFFLOAD_DP_NETDEV) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_CHAIN, "recirc_id",
                              NULL, "not in the userspace datapath");
    }
    if (rule->recirc_id && !context->recirc_shared) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_CHAIN, "recirc_id",
                              "use a kernel with NET_TC_SKB_EXT",
                              "the kernel does not hand recirculation ids "
                              "from TC to Open vSwitch");
    }

    error = offload_match_parse(rule, match, refusal);
    return (error || (in_port && in_port->match_only) ? error
            : offload_actions_parse(rule, actions, actions_len, context,
                                    refusal));
}

size_t
offload_rule_recirc_ids(const struct offload_rule *rule,
                        uint32_t ids[], size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < rule->n_actions; i++) {
        if (rule->actions[i].kind == OFFLOAD_ACT_RECIRC) {
            if (n < max) {
                ids[n] = rule->actions[i].recirc.id;
            }
            n++;
        }
    }
    return n;
}
