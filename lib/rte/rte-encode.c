/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "rte/rte-encode.h"

#include <errno.h>
#include <string.h>

#include "flow.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "util.h"

struct rte_port *rte_port_default;

void *
rte_encoding_alloc(struct rte_encoding *enc, size_t size)
{
    size_t need = ROUND_UP(size, 8);
    void *p = &enc->arena[enc->used];

    if (need > sizeof enc->arena - enc->used) {
        return NULL;
    }
    enc->used += need;
    return memset(p, 0, need);
}

uint32_t
rte_tunnel_group(const struct offload_port *port)
{
    return 1 + odp_to_u32(port->odp_port);
}

/* The DPDK port that 'rule' belongs to.  Packets of a tunnel may come in at
 * any port, and which ones did isn't known: rules of a tunnel port are put
 * where they lead to, as nothing leads from one NIC to another. */
static const struct rte_port *
find_port(const struct offload_rule *rule)
{
    if (!offload_port_kind_is_tunnel(rule->in_port->kind)) {
        return rte_port_from_aux(rule->in_port->aux);
    }
    for (size_t i = 0; i < rule->n_actions; i++) {
        const struct offload_action *action = &rule->actions[i];

        if (action->kind == OFFLOAD_ACT_OUTPUT) {
            return rte_port_from_aux(action->output.port->aux);
        }
    }
    return rte_port_default;
}

/* From "priority 0" on, the lower the better: megaflows don't overlap, so it
 * doesn't matter which is which. */
static void
encode_attr(const struct offload_rule *rule, uint32_t priority,
            struct rte_encoding *enc)
{
    memset(&enc->attr, 0, sizeof enc->attr);
    enc->attr.priority = priority;
    if (enc->partial) {
        enc->attr.ingress = 1;
    } else {
        enc->attr.transfer = 1;
        if (offload_port_kind_is_tunnel(rule->in_port->kind)) {
            enc->attr.group = rte_tunnel_group(rule->in_port);
        }
    }
}

int
rte_encode(const struct offload_rule *rule, uint32_t priority,
           uint16_t n_queues, struct rte_encoding *enc,
           struct offload_refusal *refusal)
{
    const struct rte_port *port = find_port(rule);
    int error;

    enc->n_items = enc->n_actions = enc->used = 0;
    enc->counts = false;
    if (!port) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_OUT_PORT,
                              rule->in_port->name, NULL,
                              "no device whose switch could do it");
    }
    enc->owner = port->owner;
    enc->partial = !port->transfer;
    if (enc->partial
        && offload_port_kind_is_tunnel(rule->in_port->kind)) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "in_port",
                              NULL, "%s: a device that only marks packets "
                              "can't do tunnels", rule->in_port->name);
    }

    encode_attr(rule, priority, enc);
    error = rte_match_encode(rule, port, enc, refusal);
    return (error ? error
            : rte_actions_encode(rule, n_queues, enc, refusal));
}
