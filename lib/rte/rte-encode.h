/* SPDX-License-Identifier: Apache-2.0 */

#ifndef RTE_ENCODE_H
#define RTE_ENCODE_H 1

/* From a struct offload_rule to what rte_flow_create() takes: attributes,
 * items and actions.
 *
 * An encoding is one block of memory: items and actions point into it, and to
 * the rule's own memory, so it can be used as long as both are there, and it
 * must not be moved.  Nothing is allocated.  It doesn't ask the device: all
 * that matters of devices is in struct rte_port.
 *
 * Three kinds of rules come out:
 *
 *   - transfer rules of group 0: match packets that enter the NIC at a port,
 *     and say all that is to be done to them.  A "tnl_pop" only leads to the
 *     tunnel port's group, so that a packet without a rule there is still as
 *     it arrived.  Packets are not counted on the way there: those that don't
 *     get through would be counted twice.
 *   - transfer rules of a tunnel port's group: match outer and inner headers,
 *     take the outer ones off, count, and say what is to be done;
 *   - ingress rules, where a device takes no transfer rules: packets get the
 *     flow's mark and go to software, which needn't look for the flow.
 *
 * Thread-safe: nothing is shared. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_flow.h>

#include "offload-action.h"
#include "offload-field.h"
#include "offload-refusal.h"

struct ds;
struct offload_port;
struct offload_rule;

/* What a port of DPDK is to us.  In offload_port's 'aux'. */
struct rte_port {
    uint16_t id;                /* Of DPDK. */
    uint16_t owner;             /* Port that rules are created on: the transfer
                                 * proxy, or 'id'. */
    uint16_t domain;            /* Ports between which transfer rules can
                                 * switch have the same. */
    bool transfer;              /* Else, only marks can be had. */
    bool represented;           /* REPRESENTED_PORT items and actions, else
                                 * PORT_ID. */
};

/* For tunnel ports' rules that have no output: drop where packets come in. */
extern struct rte_port *rte_port_default;

#define RTE_MAX_ITEMS (OFFLOAD_N_RTE_ITEMS + 16)
#define RTE_MAX_ACTIONS 128
#define RTE_MAX_GENEVE_OPTS 8
#define RTE_ARENA_SIZE 8192
#define RTE_MAX_QUEUES 256

/* The spec, last or mask of an item: the header on the wire, and what the item
 * says of it beyond its bytes. */
union rte_spec {
    uint8_t bytes[48];
    struct rte_flow_item_eth eth;
    struct rte_flow_item_vlan vlan;
    struct rte_flow_item_ipv4 ipv4;
    struct rte_flow_item_ipv6 ipv6;
    struct rte_flow_item_ipv6_frag_ext ipv6_frag;
    struct rte_flow_item_udp udp;
    struct rte_flow_item_arp_eth_ipv4 arp;
    struct rte_flow_item_vxlan vxlan;
    struct rte_flow_item_geneve geneve;
    struct rte_flow_item_gre gre;
};

struct rte_header {
    bool present;
    bool ranged;                /* 'last' counts. */
    union rte_spec spec, last, mask;
};

struct rte_encoding {
    uint16_t owner;             /* DPDK port to create it on. */
    bool partial;               /* Software does the actions, and counts. */
    bool counts;
    struct rte_flow_attr attr;

    struct rte_flow_item items[RTE_MAX_ITEMS];
    size_t n_items;
    struct rte_header headers[OFFLOAD_N_RTE_ITEMS];

    struct rte_flow_action actions[RTE_MAX_ACTIONS];
    size_t n_actions;

    size_t used;                /* Of 'arena', bytes. */
    union {
        uint8_t arena[RTE_ARENA_SIZE];
        uint64_t align;
    };
};

/* Encodes 'rule'.  'priority' is 0 or 1, to tell a rule from the one that it
 * replaces.  'n_queues' is the number of the input port's receive queues, for
 * partial offload.  Returns 0, or a positive errno with the refusal filled
 * in. */
int rte_encode(const struct offload_rule *, uint32_t priority,
               uint16_t n_queues, struct rte_encoding *,
               struct offload_refusal *);

/* What there is an action for: the rows of the tables say the same, to those
 * who are built without DPDK. */
bool rte_can_set(enum offload_field_id);
bool rte_can_do(enum offload_action_kind);

/* For rte-encode's own files. */
int rte_match_encode(const struct offload_rule *, const struct rte_port *in,
                     struct rte_encoding *, struct offload_refusal *);
int rte_actions_encode(const struct offload_rule *, uint16_t n_queues,
                       struct rte_encoding *, struct offload_refusal *);

/* The group that has a tunnel port's rules. */
uint32_t rte_tunnel_group(const struct offload_port *);

/* 'size' bytes of the arena, zeros, aligned for anything; NULL if it is
 * full. */
void *rte_encoding_alloc(struct rte_encoding *, size_t size);

/* Size of the outer headers of a tunnel port's rule, in bytes. */
size_t rte_outer_size(const struct rte_encoding *,
                      const struct offload_rule *);

static inline struct rte_port *
rte_port_from_aux(void *aux)
{
    return aux;
}

#endif /* rte-encode.h */
