/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-action.h"

#include <errno.h>
#include <string.h>

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-action-parse.h"
#include "offload-port.h"
#include "packets.h"
#include "util.h"

/* What all parsers need. */

int
offload_parser_malformed(struct offload_parser *p, const char *subject,
                         const char *detail)
{
    return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION_MALFORMED,
                          subject, NULL, "%s", detail);
}

int
offload_parser_refuse_order(struct offload_parser *p, const char *subject,
                            const char *detail)
{
    return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                          subject, NULL, "%s", detail);
}

int
offload_parser_add(struct offload_parser *p, enum offload_action_kind kind,
                   struct offload_action **ap)
{
    struct offload_rule *rule = p->rule;

    if (rule->n_actions >= OFFLOAD_MAX_ACTIONS) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_TOO_MANY_ACTIONS,
                              "actions", NULL, "more than %d",
                              OFFLOAD_MAX_ACTIONS);
    }
    *ap = &rule->actions[rule->n_actions++];
    memset(*ap, 0, sizeof **ap);
    (*ap)->kind = kind;
    return 0;
}

static int
parse_attr(struct offload_parser *p, const struct nlattr *nla,
           const struct offload_attr *row, struct offload_action *action)
{
    void *member = (char *) action + row->ofs;
    size_t len = nl_attr_get_size(nla);

    if (len < row->min_len || len > row->max_len) {
        return offload_parser_malformed(p, row->name, "wrong length");
    }
    switch (row->use) {
    case OFFLOAD_ATTR_COPY:
        memcpy(member, nl_attr_get(nla), row->max_len);
        return 0;
    case OFFLOAD_ATTR_FLAG:
        *(bool *) member = true;
        return 0;
    case OFFLOAD_ATTR_PARSE:
        return row->parse(p, nla, action);
    case OFFLOAD_ATTR_IGNORED:
        return 0;
    case OFFLOAD_ATTR_REFUSED:
    case OFFLOAD_ATTR_UNKNOWN:
    default:
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION, row->name,
                              row->hint, "%s", "");
    }
}

int
offload_parse_nested(struct offload_parser *p, const char *subject,
                     const struct nlattr *nla,
                     const struct offload_attr rows[], size_t n_rows,
                     struct offload_action *action)
{
    const struct nlattr *a;
    uint64_t seen = 0;
    size_t left;

    NL_NESTED_FOR_EACH (a, left, nla) {
        uint16_t type = nl_attr_type(a);
        int error;

        if (type >= MIN(n_rows, 64)
            || rows[type].use == OFFLOAD_ATTR_UNKNOWN) {
            return offload_refuse(p->refusal,
                                  OFFLOAD_REFUSED_ACTION_MALFORMED, subject,
                                  NULL, "unknown attribute %"PRIu16, type);
        }
        if (seen & (UINT64_C(1) << type)) {
            return offload_parser_malformed(p, rows[type].name, "twice");
        }
        seen |= UINT64_C(1) << type;

        error = parse_attr(p, a, &rows[type], action);
        if (error) {
            return error;
        }
    }
    return left ? offload_parser_malformed(p, subject, "truncated") : 0;
}

/* Ports. */

static int
parse_output(struct offload_parser *p, const struct nlattr *nla)
{
    odp_port_t number = nl_attr_get_odp_port(nla);
    struct offload_port *port
        = offload_port_lookup_in(p->context->datapath, number);
    struct offload_action *action;
    int error;

    if (!port) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_OUT_PORT, "output",
                              NULL, "no port %"PRIu32" is known",
                              odp_to_u32(number));
    }
    if (port->kind == OFFLOAD_PORT_OTHER_TUNNEL) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_OUT_PORT, "output",
                              NULL, "%s is a tunnel of a kind that can't be "
                              "offloaded", port->name);
    }
    error = offload_parser_add(p, OFFLOAD_ACT_OUTPUT, &action);
    if (!error) {
        action->output.port = port;
    }
    return error;
}

/* Nothing has to be done: a list of actions that ends without an output has
 * dropped the packet, or this copy of it. */
static int
parse_drop(struct offload_parser *p, const struct nlattr *nla OVS_UNUSED)
{
    if (!p->last_in_list) {
        return offload_parser_refuse_order(p, "drop", "not the last action");
    }
    return 0;
}

static int
parse_recirc(struct offload_parser *p, const struct nlattr *nla)
{
    uint32_t id = nl_attr_get_u32(nla);
    struct offload_action *action;
    int error;

    if (!id) {
        return offload_parser_malformed(p, "recirc", "id is zero");
    }
    if (!p->last) {
        return offload_parser_refuse_order(p, "recirc",
                                           "not the last action");
    }
    if (p->context->datapath == OFFLOAD_DP_NETDEV) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_CHAIN, "recirc",
                              NULL, "not in the userspace datapath");
    }
    if (!p->context->recirc_shared) {
        return offload_refuse(
            p->refusal, OFFLOAD_REFUSED_CHAIN, "recirc",
            "a kernel built with CONFIG_NET_TC_SKB_EXT",
            "a packet that misses in chain %"PRIu32" would be switched by "
            "software from the start", id);
    }
    error = offload_parser_add(p, OFFLOAD_ACT_RECIRC, &action);
    if (!error) {
        action->recirc.id = id;
    }
    return error;
}

static int
parse_meter(struct offload_parser *p, const struct nlattr *nla)
{
    struct offload_action *action;
    int error;

    if (p->copied) {
        return offload_parser_refuse_order(
            p, "meter", "in a branch with actions after it");
    }
    error = offload_parser_add(p, OFFLOAD_ACT_METER, &action);
    if (!error) {
        action->meter.id = nl_attr_get_u32(nla);
    }
    return error;
}

/* VLAN and MPLS. */

static int
refuse_if_copied(struct offload_parser *p, const char *subject)
{
    return (p->copied
            ? offload_parser_refuse_order(
                p, subject, "in a branch with actions after it, which must "
                "see the packet as it was")
            : 0);
}

static int
parse_push_vlan(struct offload_parser *p, const struct nlattr *nla)
{
    struct ovs_action_push_vlan vlan;
    struct offload_action *action;
    int error;

    memcpy(&vlan, nl_attr_get(nla), sizeof vlan);
    if (!eth_type_vlan(vlan.vlan_tpid)) {
        return offload_parser_malformed(p, "push_vlan", "not a VLAN's TPID");
    }
    if (!(vlan.vlan_tci & htons(VLAN_CFI))) {
        return offload_parser_malformed(p, "push_vlan",
                                        "the TCI says that there is no tag");
    }
    error = refuse_if_copied(p, "push_vlan");
    if (!error) {
        error = offload_parser_add(p, OFFLOAD_ACT_PUSH_VLAN, &action);
    }
    if (!error) {
        action->push_vlan.tpid = vlan.vlan_tpid;
        action->push_vlan.vid = vlan_tci_to_vid(vlan.vlan_tci);
        action->push_vlan.pcp = vlan_tci_to_pcp(vlan.vlan_tci);
        p->packet.n_vlans++;
    }
    return error;
}

static int
parse_pop_vlan(struct offload_parser *p, const struct nlattr *nla OVS_UNUSED)
{
    struct offload_action *action;
    int error = refuse_if_copied(p, "pop_vlan");

    if (!error) {
        error = offload_parser_add(p, OFFLOAD_ACT_POP_VLAN, &action);
        p->packet.n_vlans = MAX(p->packet.n_vlans - 1, 0);
    }
    return error;
}

/* True if Open vSwitch's datapath would push a label in front of this. */
static bool
can_push_mpls(const struct offload_packet *packet)
{
    ovs_be16 type = packet->eth_type;

    return (!packet->n_vlans
            && (type == htons(ETH_TYPE_IP) || type == htons(ETH_TYPE_IPV6)
                || type == htons(ETH_TYPE_ARP)
                || type == htons(ETH_TYPE_RARP) || eth_type_mpls(type)));
}

static int
parse_push_mpls(struct offload_parser *p, const struct nlattr *nla)
{
    struct ovs_action_push_mpls mpls;
    struct offload_action *action;
    int error;

    memcpy(&mpls, nl_attr_get(nla), sizeof mpls);
    if (!eth_type_mpls(mpls.mpls_ethertype)) {
        return offload_parser_malformed(p, "push_mpls",
                                        "not an MPLS Ethernet type");
    }
    if (!can_push_mpls(&p->packet)) {
        return offload_parser_refuse_order(
            p, "push_mpls", "on a packet that has a VLAN tag, or is neither "
            "IP nor ARP nor MPLS");
    }
    error = refuse_if_copied(p, "push_mpls");
    if (!error) {
        error = offload_parser_add(p, OFFLOAD_ACT_PUSH_MPLS, &action);
    }
    if (!error) {
        action->mpls.ethertype = mpls.mpls_ethertype;
        action->mpls.lse = mpls.mpls_lse;
        action->mpls.lse_mask = OVS_BE32_MAX;
        p->packet.eth_type = mpls.mpls_ethertype;
        p->packet.n_mpls++;
    }
    return error;
}

/* What is under the last label isn't known until the packet is looked at
 * again: nothing there can be touched, as in Open vSwitch's datapath. */
static int
parse_pop_mpls(struct offload_parser *p, const struct nlattr *nla)
{
    ovs_be16 ethertype = nl_attr_get_be16(nla);
    struct offload_action *action;
    int error;

    if (!eth_type_mpls(p->packet.eth_type) || p->packet.n_vlans) {
        return offload_parser_refuse_order(
            p, "pop_mpls", "on a packet that has a VLAN tag or isn't MPLS");
    }
    if (ntohs(ethertype) < ETH_TYPE_MIN || ethertype == htons(ETH_TYPE_TEB)) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              "pop_mpls", NULL, "eth_type=0x%04"PRIx16,
                              ntohs(ethertype));
    }
    error = refuse_if_copied(p, "pop_mpls");
    if (!error) {
        error = offload_parser_add(p, OFFLOAD_ACT_POP_MPLS, &action);
    }
    if (!error) {
        action->mpls.ethertype = ethertype;
        p->packet.n_mpls--;
        p->packet.eth_type = (eth_type_mpls(ethertype) && p->packet.n_mpls > 0
                              ? ethertype : htons(0));
    }
    return error;
}

/* check_pkt_len. */

struct branches {
    const struct nlattr *greater, *less_equal;
    bool has_len;
    uint16_t len;
};

static int
find_branches(struct offload_parser *p, const struct nlattr *nla,
              struct branches *b)
{
    const struct nlattr *a;
    size_t left;

    memset(b, 0, sizeof *b);
    NL_NESTED_FOR_EACH (a, left, nla) {
        switch (nl_attr_type(a)) {
        case OVS_CHECK_PKT_LEN_ATTR_PKT_LEN:
            if (nl_attr_get_size(a) != sizeof b->len) {
                return offload_parser_malformed(p, "check_pkt_len(size)",
                                                "wrong length");
            }
            memcpy(&b->len, nl_attr_get(a), sizeof b->len);
            b->has_len = true;
            break;
        case OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER:
            b->greater = a;
            break;
        case OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL:
            b->less_equal = a;
            break;
        default:
            return offload_parser_malformed(p, "check_pkt_len",
                                            "unknown attribute");
        }
    }
    if (left || !b->has_len || !b->greater || !b->less_equal) {
        return offload_parser_malformed(p, "check_pkt_len", "incomplete");
    }
    return 0;
}

/* Parses a branch and returns in '*n' how many actions it has become.  If
 * 'undo', leaves the packet as it found it. */
static int
parse_branch(struct offload_parser *p, const struct nlattr *branch,
             bool more, bool undo, uint8_t *n)
{
    size_t start = p->rule->n_actions;
    int error = offload_parse_list(p, nl_attr_get(branch),
                                   nl_attr_get_size(branch), more);

    if (!error && undo) {
        error = offload_parser_undo_sets(p, start);
    }
    *n = p->rule->n_actions - start;
    return error;
}

/* A branch runs on a copy if anything comes after it.  To undo it is enough
 * for the outermost of the branches that end in the same place. */
static int
parse_check_pkt_len(struct offload_parser *p, const struct nlattr *nla)
{
    const struct offload_packet packet = p->packet;
    const bool undo = !p->last_in_list;
    const bool copied = p->copied;
    const bool more = !p->last;
    struct offload_action *action;
    struct branches b;
    int error;

    error = find_branches(p, nla, &b);
    if (!error) {
        error = offload_parser_add(p, OFFLOAD_ACT_CHECK_PKT_LEN, &action);
    }
    if (error) {
        return error;
    }
    action->check_pkt_len.len = b.len;

    p->copied = more;
    error = parse_branch(p, b.greater, more, undo,
                         &action->check_pkt_len.n_greater);
    if (!error) {
        p->packet = packet;
        error = parse_branch(p, b.less_equal, more, undo,
                             &action->check_pkt_len.n_less_equal);
    }
    p->copied = copied;
    p->packet = packet;
    return error;
}

/* The table. */

#define BYTES(N) .min_len = N, .max_len = N
#define NESTED .min_len = 0, .max_len = UINT16_MAX

static const struct offload_action_row rows[__OVS_ACTION_ATTR_MAX] = {
    [OVS_ACTION_ATTR_OUTPUT] = {
        "output", BYTES(sizeof(uint32_t)), parse_output,
        "several outputs are mirrored; internal ports, bonds, tunnels",
        .rte = true, .rte_note = "ports of the same NIC" },
    [OVS_ACTION_ATTR_USERSPACE] = {
        "userspace", NESTED, NULL, "sFlow, IPFIX, controller",
        .called = offload_userspace_called },
    [OVS_ACTION_ATTR_SET] = {
        "set", NESTED, offload_parse_set, NULL,
        .rte = true, .rte_note = "not mpls, not tunnel" },
    [OVS_ACTION_ATTR_PUSH_VLAN] = {
        "push_vlan", BYTES(sizeof(struct ovs_action_push_vlan)),
        parse_push_vlan, "802.1Q and 802.1ad", .rte = true },
    [OVS_ACTION_ATTR_POP_VLAN] = {
        "pop_vlan", BYTES(0), parse_pop_vlan, NULL, .rte = true },
    [OVS_ACTION_ATTR_SAMPLE] = {
        "sample", NESTED, NULL, NULL, .called = offload_sample_called },
    [OVS_ACTION_ATTR_RECIRC] = {
        "recirc", BYTES(sizeof(uint32_t)), parse_recirc,
        "as the last action; ids below 2^28" },
    [OVS_ACTION_ATTR_HASH] = { "hash", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_PUSH_MPLS] = {
        "push_mpls", BYTES(sizeof(struct ovs_action_push_mpls)),
        parse_push_mpls, NULL },
    [OVS_ACTION_ATTR_POP_MPLS] = {
        "pop_mpls", BYTES(sizeof(ovs_be16)), parse_pop_mpls, NULL },
    [OVS_ACTION_ATTR_SET_MASKED] = {
        "set", NESTED, offload_parse_set_masked, NULL,
        .rte = true, .rte_note = "not mpls, not tunnel" },
    [OVS_ACTION_ATTR_CT] = {
        "ct", NESTED, offload_parse_ct,
        "commit, force, zone, mark, label, nat with ranges; no fragments of "
        "IPv6" },
    [OVS_ACTION_ATTR_TRUNC] = { "trunc", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_PUSH_ETH] = { "push_eth", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_POP_ETH] = { "pop_eth", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_CT_CLEAR] = {
        "ct_clear", BYTES(0), offload_parse_ct_clear, NULL },
    [OVS_ACTION_ATTR_PUSH_NSH] = { "push_nsh", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_POP_NSH] = { "pop_nsh", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_METER] = {
        "meter", BYTES(sizeof(uint32_t)), parse_meter, "one drop band" },
    [OVS_ACTION_ATTR_CLONE] = {
        "clone", NESTED, offload_parse_clone, NULL, .netdev_only = true,
        .rte = true, .rte_note = "one output" },
    [OVS_ACTION_ATTR_CHECK_PKT_LEN] = {
        "check_pkt_len", NESTED, parse_check_pkt_len,
        "if actions follow: outputs and rewrites of matched fields in the "
        "branches" },
    [OVS_ACTION_ATTR_ADD_MPLS] = { "add_mpls", NESTED, NULL, NULL },
    [OVS_ACTION_ATTR_TUNNEL_PUSH] = {
        "tnl_push", offsetof(struct ovs_action_push_tnl, header),
        sizeof(struct ovs_action_push_tnl), offload_parse_tunnel_push,
        "userspace datapath", .netdev_only = true,
        .rte = true, .rte_note = "VXLAN, Geneve, GRE" },
    [OVS_ACTION_ATTR_TUNNEL_POP] = {
        "tnl_pop", BYTES(sizeof(uint32_t)), offload_parse_tunnel_pop,
        "userspace datapath", .netdev_only = true, .rte = true },
    [OVS_ACTION_ATTR_DROP] = {
        "drop", BYTES(sizeof(uint32_t)), parse_drop, NULL, .rte = true },
    [OVS_ACTION_ATTR_LB_OUTPUT] = {
        "lb_output", NESTED, NULL, "userspace datapath" },
};

size_t
offload_action_rows(const struct offload_action_row **rowsp)
{
    *rowsp = rows;
    return ARRAY_SIZE(rows);
}

static int
refuse_row(struct offload_parser *p, const struct offload_action_row *row,
           const struct nlattr *nla)
{
    const char *detail = "";
    const char *name = row->called ? row->called(nla, &detail) : row->name;

    return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION, name, NULL, "%s",
                          detail);
}

static int
parse_one(struct offload_parser *p, const struct nlattr *nla)
{
    const struct offload_action_row *row;
    uint16_t type = nl_attr_type(nla);
    size_t len = nl_attr_get_size(nla);

    if (type >= ARRAY_SIZE(rows) || !rows[type].name) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION, "action",
                              NULL, "unknown action %"PRIu16, type);
    }
    row = &rows[type];
    if (!row->parse || (row->netdev_only
                        && p->context->datapath != OFFLOAD_DP_NETDEV)) {
        return refuse_row(p, row, nla);
    }
    if (len < row->min_len || len > row->max_len) {
        return offload_parser_malformed(p, row->name, "wrong length");
    }
    return row->parse(p, nla);
}

int
offload_parse_list(struct offload_parser *p, const struct nlattr *actions,
                   size_t len, bool more)
{
    const struct nlattr *nla;
    size_t left;

    NL_ATTR_FOR_EACH (nla, left, actions, len) {
        int error;

        p->last_in_list = nl_attr_len_pad(nla, left) >= left;
        p->last = p->last_in_list && !more;
        error = parse_one(p, nla);
        if (error) {
            return error;
        }
    }
    return left ? offload_parser_malformed(p, "actions", "truncated") : 0;
}

/* The Ethernet type is the one behind the VLAN tags, as in struct flow. */
static struct offload_packet
packet_from_match(const struct match *match)
{
    const struct flow *flow = &match->flow;
    struct offload_packet packet = {
        .eth_type = (match->wc.masks.dl_type == OVS_BE16_MAX
                     ? flow->dl_type : htons(0)),
        .n_vlans = flow_count_vlan_headers(flow),
    };

    if (eth_type_mpls(packet.eth_type)) {
        packet.n_mpls = flow_count_mpls_labels(flow, NULL);
    }
    return packet;
}

int
offload_actions_parse(struct offload_rule *rule, const struct nlattr *actions,
                      size_t len, const struct offload_context *context,
                      struct offload_refusal *refusal)
{
    struct offload_parser p = {
        .rule = rule,
        .context = context,
        .refusal = refusal,
        .packet = packet_from_match(&rule->match),
    };

    rule->n_actions = 0;
    return offload_parse_list(&p, actions, len, false);
}

enum offload_action_kind
offload_action_kind_of(int type)
{
    static const struct {
        int type;
        enum offload_action_kind kind;
    } kinds[] = {
        { OVS_ACTION_ATTR_OUTPUT, OFFLOAD_ACT_OUTPUT },
        { OVS_ACTION_ATTR_SET, OFFLOAD_ACT_SET_FIELD },
        { OVS_ACTION_ATTR_SET_MASKED, OFFLOAD_ACT_SET_FIELD },
        { OVS_ACTION_ATTR_PUSH_VLAN, OFFLOAD_ACT_PUSH_VLAN },
        { OVS_ACTION_ATTR_POP_VLAN, OFFLOAD_ACT_POP_VLAN },
        { OVS_ACTION_ATTR_PUSH_MPLS, OFFLOAD_ACT_PUSH_MPLS },
        { OVS_ACTION_ATTR_POP_MPLS, OFFLOAD_ACT_POP_MPLS },
        { OVS_ACTION_ATTR_CT, OFFLOAD_ACT_CT },
        { OVS_ACTION_ATTR_CT_CLEAR, OFFLOAD_ACT_CT_CLEAR },
        { OVS_ACTION_ATTR_RECIRC, OFFLOAD_ACT_RECIRC },
        { OVS_ACTION_ATTR_METER, OFFLOAD_ACT_METER },
        { OVS_ACTION_ATTR_CHECK_PKT_LEN, OFFLOAD_ACT_CHECK_PKT_LEN },
        { OVS_ACTION_ATTR_CLONE, OFFLOAD_ACT_CLONE },
        { OVS_ACTION_ATTR_TUNNEL_PUSH, OFFLOAD_ACT_TUNNEL_PUSH },
        { OVS_ACTION_ATTR_TUNNEL_POP, OFFLOAD_ACT_TUNNEL_POP },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].type == type) {
            return kinds[i].kind;
        }
    }
    return OFFLOAD_N_ACTIONS;
}
