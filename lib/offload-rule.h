/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_RULE_H
#define OFFLOAD_RULE_H 1

/* A megaflow in the form that a NIC can take.
 *
 * Open vSwitch hands a megaflow over as a struct match and netlink actions
 * (OVS_ACTION_ATTR_*).  offload_rule_parse() turns both into a struct
 * offload_rule, once; every backend reads that, none of them parses the
 * megaflow again.
 *
 * A rule is short-lived: it lives on the stack of whoever installs it.  It
 * borrows the netlink actions (tunnel options point into them) and the ports'
 * memory (RCU).  What outlives the installation is kept by flow-table.h.
 *
 * The match is a set of fields, see offload-field.h: bit F of 'fields' is on
 * if the row F of the field table has at least one bit of its mask on in
 * 'match'.  All other bits of the mask are 0: what no row took was refused.
 *
 * The actions are a flat array, see offload-action.h. */

#include <stddef.h>
#include <stdint.h>

#include "bitmap.h"
#include "offload-action.h"
#include "offload-field.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/match.h"
#include "openvswitch/types.h"

struct nlattr;

struct offload_rule {
    ovs_u128 ufid;
    struct offload_port *in_port;
    uint32_t recirc_id;         /* 0 for the first pass of a packet. */

    /* What to match.  Key bits outside of the mask are 0. */
    struct match match;
    unsigned long fields[BITMAP_N_LONGS(OFFLOAD_N_FIELDS)];

    /* The key as it was handed over, with the bits outside of the mask too:
     * the megaflow's first packet, if the caller knew it.  A backend that has
     * to narrow a match narrows it to this packet.  Borrowed. */
    const struct flow *packet;

    /* What to do. */
    struct offload_action actions[OFFLOAD_MAX_ACTIONS];
    size_t n_actions;

    /* What the userspace datapath knows the flow by, in packets that partial
     * offload has marked with it.  Nonzero, or 0: there is none. */
    uint32_t mark;

    /* The actions as they were handed over, borrowed. */
    const struct nlattr *nl_actions;
    size_t nl_actions_len;      /* Bytes. */
};

/* What the datapath that owns the megaflow can do, and what the parser has to
 * ask it. */
struct offload_context {
    enum offload_datapath datapath;
    bool recirc_shared;         /* Chain = recirc_id survives a miss
                                 * (OVS_DP_F_TC_RECIRC_SHARING). */
    bool (*ct_zone_limited)(uint16_t zone);     /* May be NULL. */
};

int offload_rule_parse(struct offload_rule *, const ovs_u128 *ufid,
                       struct offload_port *in_port, const struct match *,
                       const struct nlattr *actions, size_t actions_len,
                       const struct offload_context *,
                       struct offload_refusal *);

/* The recirculation ids to which 'rule' sends packets: at most 'max' of them
 * are stored in 'ids', the number found is returned. */
size_t offload_rule_recirc_ids(const struct offload_rule *,
                               uint32_t ids[], size_t max);

#endif /* offload-rule.h */
