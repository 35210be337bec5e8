/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-action-parse.h"

#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "offload-field.h"
#include "packets.h"
#include "util.h"

/* Rewriting of header fields: OVS_ACTION_ATTR_SET and _SET_MASKED.
 *
 * Each nests one OVS_KEY_ATTR_* with the new header, the latter followed by a
 * mask of the same size.  A row of the table below says where in it the rows
 * of the field table lie; what isn't there can't be set by anybody.  Whether
 * a field can be set by a backend is the backend's to say. */

struct member {
    enum offload_field_id field;
    uint16_t ofs, size;         /* Bytes, in the key. */
    bool read_only;             /* Must not change. */
    uint32_t bits;              /* Of a 32-bit integer, that is shorter:
                                 * the bits that exist.  Host byte order. */
};

struct set_key {
    const char *name;
    uint16_t size;              /* Bytes.  0: can't be set, by name. */
    enum offload_prereq prereq;
    struct member members[7];
};

#define MEMBER(FIELD, STRUCT, NAME)                             \
    { .field = OFFLOAD_FIELD_##FIELD,                           \
      .ofs = offsetof(struct STRUCT, NAME),                     \
      .size = sizeof ((struct STRUCT *) NULL)->NAME }
#define READ_ONLY(FIELD, STRUCT, NAME)                          \
    { .field = OFFLOAD_FIELD_##FIELD,                           \
      .ofs = offsetof(struct STRUCT, NAME),                     \
      .size = sizeof ((struct STRUCT *) NULL)->NAME,            \
      .read_only = true }

static const struct set_key keys[__OVS_KEY_ATTR_MAX] = {
    [OVS_KEY_ATTR_ETHERNET] = {
        "set(eth)", sizeof(struct ovs_key_ethernet), OFFLOAD_PRE_ETHERNET,
        { MEMBER(ETH_SRC, ovs_key_ethernet, eth_src),
          MEMBER(ETH_DST, ovs_key_ethernet, eth_dst) } },
    [OVS_KEY_ATTR_IPV4] = {
        "set(ipv4)", sizeof(struct ovs_key_ipv4), OFFLOAD_PRE_IPV4,
        { MEMBER(IPV4_SRC, ovs_key_ipv4, ipv4_src),
          MEMBER(IPV4_DST, ovs_key_ipv4, ipv4_dst),
          MEMBER(IP_TOS, ovs_key_ipv4, ipv4_tos),
          MEMBER(IP_TTL, ovs_key_ipv4, ipv4_ttl),
          READ_ONLY(IP_PROTO, ovs_key_ipv4, ipv4_proto),
          READ_ONLY(IP_FRAG, ovs_key_ipv4, ipv4_frag) } },
    [OVS_KEY_ATTR_IPV6] = {
        "set(ipv6)", sizeof(struct ovs_key_ipv6), OFFLOAD_PRE_IPV6,
        { MEMBER(IPV6_SRC, ovs_key_ipv6, ipv6_src),
          MEMBER(IPV6_DST, ovs_key_ipv6, ipv6_dst),
          { .field = OFFLOAD_FIELD_IPV6_LABEL, .size = 4,
            .ofs = offsetof(struct ovs_key_ipv6, ipv6_label),
            .bits = IPV6_LABEL_MASK },
          MEMBER(IPV6_TCLASS, ovs_key_ipv6, ipv6_tclass),
          MEMBER(IPV6_HLIMIT, ovs_key_ipv6, ipv6_hlimit),
          READ_ONLY(IP_PROTO, ovs_key_ipv6, ipv6_proto),
          READ_ONLY(IP_FRAG, ovs_key_ipv6, ipv6_frag) } },
    [OVS_KEY_ATTR_TCP] = {
        "set(tcp)", sizeof(struct ovs_key_tcp), OFFLOAD_PRE_TCP,
        { MEMBER(TCP_SRC, ovs_key_tcp, tcp_src),
          MEMBER(TCP_DST, ovs_key_tcp, tcp_dst) } },
    [OVS_KEY_ATTR_UDP] = {
        "set(udp)", sizeof(struct ovs_key_udp), OFFLOAD_PRE_UDP,
        { MEMBER(UDP_SRC, ovs_key_udp, udp_src),
          MEMBER(UDP_DST, ovs_key_udp, udp_dst) } },
    [OVS_KEY_ATTR_SCTP] = {
        "set(sctp)", sizeof(struct ovs_key_sctp), OFFLOAD_PRE_SCTP,
        { MEMBER(SCTP_SRC, ovs_key_sctp, sctp_src),
          MEMBER(SCTP_DST, ovs_key_sctp, sctp_dst) } },
    [OVS_KEY_ATTR_MPLS] = {
        "set(mpls)", sizeof(struct ovs_key_mpls), OFFLOAD_PRE_MPLS, { { 0 } }
    },

    [OVS_KEY_ATTR_ENCAP] = { .name = "set(encap)" },
    [OVS_KEY_ATTR_PRIORITY] = { .name = "set(skb_priority)" },
    [OVS_KEY_ATTR_IN_PORT] = { .name = "set(in_port)" },
    [OVS_KEY_ATTR_VLAN] = { .name = "set(vlan)" },
    [OVS_KEY_ATTR_ETHERTYPE] = { .name = "set(eth_type)" },
    [OVS_KEY_ATTR_ICMP] = { .name = "set(icmp)" },
    [OVS_KEY_ATTR_ICMPV6] = { .name = "set(icmpv6)" },
    [OVS_KEY_ATTR_ARP] = { .name = "set(arp)" },
    [OVS_KEY_ATTR_ND] = { .name = "set(nd)" },
    [OVS_KEY_ATTR_SKB_MARK] = { .name = "set(skb_mark)" },
    [OVS_KEY_ATTR_TUNNEL] = { .name = "set(tunnel) with a mask" },
    [OVS_KEY_ATTR_TCP_FLAGS] = { .name = "set(tcp_flags)" },
    [OVS_KEY_ATTR_DP_HASH] = { .name = "set(dp_hash)" },
    [OVS_KEY_ATTR_RECIRC_ID] = { .name = "set(recirc_id)" },
    [OVS_KEY_ATTR_CT_STATE] = { .name = "set(ct_state)" },
    [OVS_KEY_ATTR_CT_ZONE] = { .name = "set(ct_zone)" },
    [OVS_KEY_ATTR_CT_MARK] = { .name = "set(ct_mark)" },
    [OVS_KEY_ATTR_CT_LABELS] = { .name = "set(ct_label)" },
    [OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4] = { .name = "set(ct_tuple4)" },
    [OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6] = { .name = "set(ct_tuple6)" },
    [OVS_KEY_ATTR_NSH] = { .name = "set(nsh)" },
    [OVS_KEY_ATTR_PACKET_TYPE] = { .name = "set(packet_type)" },
    [OVS_KEY_ATTR_ND_EXTENSIONS] = { .name = "set(nd_ext)" },
};

/* The header must be there at this point: the megaflow says so, and no action
 * before has put something else in its place. */
static bool
has_header(const struct offload_parser *p, enum offload_prereq prereq)
{
    const struct match *match = &p->rule->match;

    switch (prereq) {
    case OFFLOAD_PRE_ETHERNET:
        return true;
    case OFFLOAD_PRE_MPLS:
        return eth_type_mpls(p->packet.eth_type);
    case OFFLOAD_PRE_NONE: case OFFLOAD_PRE_TUNNEL: case OFFLOAD_PRE_ARP:
    case OFFLOAD_PRE_IP: case OFFLOAD_PRE_IPV4: case OFFLOAD_PRE_IPV6:
    case OFFLOAD_PRE_TCP: case OFFLOAD_PRE_UDP: case OFFLOAD_PRE_SCTP:
    case OFFLOAD_PRE_ICMP: case OFFLOAD_PRE_ICMPV6: case OFFLOAD_PRE_ND:
    case OFFLOAD_PRE_IGMP: case OFFLOAD_PRE_NSH:
    default:
        return (p->packet.eth_type == match->flow.dl_type
                && offload_prereq_holds(prereq, &match->flow)
                && offload_prereq_is_exact(prereq, &match->wc.masks));
    }
}

/* Fields. */

static int
set_field(struct offload_parser *p, enum offload_field_id field,
          const uint8_t *value, const uint8_t *mask, size_t size)
{
    struct offload_action *action;
    int error = offload_parser_add(p, OFFLOAD_ACT_SET_FIELD, &action);

    if (error) {
        return error;
    }
    action->set_field.field = field;
    for (size_t i = 0; i < size; i++) {
        action->set_field.value[i] = value[i] & mask[i];
        action->set_field.mask[i] = mask[i];
    }
    return 0;
}

/* A header without a mask comes with what can't be changed, too. */
static bool
is_unchanged(const struct offload_parser *p, const struct member *member,
             const uint8_t *value)
{
    const struct match *match = &p->rule->match;

    if (member->field == OFFLOAD_FIELD_IP_FRAG) {
        static const uint8_t frags[] = {
            [OVS_FRAG_TYPE_NONE] = 0,
            [OVS_FRAG_TYPE_FIRST] = FLOW_NW_FRAG_ANY,
            [OVS_FRAG_TYPE_LATER] = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER,
        };
        return (*value < ARRAY_SIZE(frags)
                && match->wc.masks.nw_frag == FLOW_NW_FRAG_MASK
                && match->flow.nw_frag == frags[*value]);
    }
    return (match->wc.masks.nw_proto == UINT8_MAX
            && match->flow.nw_proto == *value);
}

/* Returns false if 'mask' has a bit on that doesn't exist.  A mask of all
 * ones, which isn't from the attribute ('masked' false), is cut instead. */
static bool
has_only_bits(const struct member *member, uint8_t *mask, bool masked)
{
    ovs_be32 all = htonl(member->bits);
    ovs_be32 have;

    if (!member->bits) {
        return true;
    }
    memcpy(&have, mask, sizeof have);
    if (!masked) {
        have &= all;
        memcpy(mask, &have, sizeof have);
    }
    return !(have & ~all);
}

static int
set_member(struct offload_parser *p, const struct member *member,
           const uint8_t *value, uint8_t *mask, bool masked)
{
    if (!has_only_bits(member, mask, masked)) {
        return offload_parser_malformed(p, offload_field_name(member->field),
                                        "a bit that doesn't exist");
    }
    if (is_all_zeros(mask, member->size)) {
        return 0;
    }
    if (!member->read_only) {
        return set_field(p, member->field, value, mask, member->size);
    }
    if (!masked && is_unchanged(p, member, value)) {
        return 0;
    }
    return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION,
                          offload_field_name(member->field), NULL,
                          "can't be set");
}

/* 'mask' is consumed. */
static int
set_members(struct offload_parser *p, const struct set_key *key,
            const uint8_t *value, uint8_t *mask, bool masked)
{
    for (size_t i = 0; i < ARRAY_SIZE(key->members); i++) {
        const struct member *member = &key->members[i];
        int error;

        if (!member->size) {
            break;
        }
        error = set_member(p, member, value + member->ofs,
                           mask + member->ofs, masked);
        if (error) {
            return error;
        }
        memset(mask + member->ofs, 0, member->size);
    }
    return (is_all_zeros(mask, key->size) ? 0
            : offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION, key->name,
                             NULL, "of a bit that belongs to no field"));
}

static int
set_mpls(struct offload_parser *p, const uint8_t *value, const uint8_t *mask)
{
    struct offload_action *action;
    int error = 0;

    if (p->copied) {
        error = offload_parser_refuse_order(
            p, "set(mpls)", "in a branch with actions after it");
    }
    if (!error) {
        error = offload_parser_add(p, OFFLOAD_ACT_SET_MPLS, &action);
    }
    if (!error) {
        memcpy(&action->mpls.lse, value, sizeof action->mpls.lse);
        memcpy(&action->mpls.lse_mask, mask, sizeof action->mpls.lse_mask);
        action->mpls.lse &= action->mpls.lse_mask;
    }
    return error;
}

/* Value and, if 'masked', mask are in the payload of 'nla'. */
static int
parse_key(struct offload_parser *p, const struct set_key *key,
          const struct nlattr *nla, bool masked)
{
    const uint8_t *value = nl_attr_get(nla);
    uint8_t mask[64];

    BUILD_ASSERT_DECL(sizeof(struct ovs_key_ipv6) <= sizeof mask);
    if (nl_attr_get_size(nla) != key->size * (masked ? 2 : 1)) {
        return offload_parser_malformed(p, key->name, "wrong length");
    }
    if (!has_header(p, key->prereq)) {
        return offload_parser_refuse_order(p, key->name,
                                           "the packet has no such header");
    }
    if (masked) {
        memcpy(mask, value + key->size, key->size);
    } else {
        memset(mask, 0xff, key->size);
    }
    return (key->prereq == OFFLOAD_PRE_MPLS
            ? set_mpls(p, value, mask)
            : set_members(p, key, value, mask, masked));
}

static int
parse_set(struct offload_parser *p, const struct nlattr *set, bool masked)
{
    const struct nlattr *nla = nl_attr_get(set);
    size_t size = nl_attr_get_size(set);
    const struct set_key *key;
    uint16_t type;

    if (!nl_attr_is_valid(nla, size) || nl_attr_len_pad(nla, size) != size) {
        return offload_parser_malformed(p, "set", "not one header");
    }
    type = nl_attr_type(nla);
    if (type == OVS_KEY_ATTR_TUNNEL && !masked) {
        return offload_parse_tunnel(p, nla);
    }
    key = type < ARRAY_SIZE(keys) ? &keys[type] : NULL;
    if (!key || !key->name) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION, "set",
                              NULL, "unknown header %"PRIu16, type);
    }
    if (!key->size) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION, key->name,
                              NULL, "%s", "");
    }
    return parse_key(p, key, nla, masked);
}

int
offload_parse_set(struct offload_parser *p, const struct nlattr *nla)
{
    return parse_set(p, nla, false);
}

int
offload_parse_set_masked(struct offload_parser *p, const struct nlattr *nla)
{
    return parse_set(p, nla, true);
}

/* Undoing. */

/* Copies the bytes of 'from' under 'have' into 'value' where 'want' still
 * misses them, and takes them out of 'want'. */
static void
take_known(uint8_t *value, uint8_t *want, const uint8_t *from,
           const uint8_t *have, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t known = want[i] & have[i];

        value[i] |= from[i] & known;
        want[i] &= ~known;
    }
}

/* Conntrack may have rewritten addresses and ports to what only it knows. */
static bool
is_unpredictable(const struct offload_action *action,
                 enum offload_field_id field)
{
    return (action->kind == OFFLOAD_ACT_CT
            && action->ct.nat != OFFLOAD_NAT_NONE
            && field != OFFLOAD_FIELD_ETH_SRC
            && field != OFFLOAD_FIELD_ETH_DST);
}

/* Finds what the bits 'want' of 'field' are before the rule's action 'end':
 * what an action before has set them to, or else what the megaflow matches.
 * The bits that nobody knows remain in 'want'. */
static void
find_value(const struct offload_rule *rule, enum offload_field_id field,
           size_t end, uint8_t value[], uint8_t want[])
{
    const struct offload_field *row = offload_field_get(field);

    for (size_t i = end; i-- > 0; ) {
        const struct offload_action *action = &rule->actions[i];

        if (is_unpredictable(action, field)) {
            return;
        }
        if (action->kind == OFFLOAD_ACT_SET_FIELD
            && action->set_field.field == field) {
            take_known(value, want, action->set_field.value,
                       action->set_field.mask, row->size);
        }
    }
    take_known(value, want, (const uint8_t *) &rule->match.flow + row->ofs,
               (const uint8_t *) &rule->match.wc.masks + row->ofs, row->size);
}

/* Appends what gives the bits 'mask' of 'field' the value that they had before
 * the rule's action 'start'. */
static int
undo_field(struct offload_parser *p, enum offload_field_id field,
           const uint8_t mask[], size_t start)
{
    const struct offload_field *row = offload_field_get(field);
    uint8_t value[16] = { 0 };
    uint8_t want[16];

    memcpy(want, mask, sizeof want);
    find_value(p->rule, field, start, value, want);
    if (!is_all_zeros(want, sizeof want)) {
        return offload_parser_refuse_order(
            p, row->name, "set in a branch with actions after it, which must "
            "see it as it was, and the megaflow doesn't match it");
    }
    return set_field(p, field, value, mask, row->size);
}

/* Collects in 'mask' the bits of 'field' that are set by the actions from
 * 'start' to 'end'. */
static void
collect_set_bits(const struct offload_rule *rule, enum offload_field_id field,
                 size_t start, size_t end, uint8_t mask[])
{
    for (size_t i = start; i < end; i++) {
        const struct offload_action *action = &rule->actions[i];

        if (action->kind == OFFLOAD_ACT_SET_FIELD
            && action->set_field.field == field) {
            for (size_t j = 0; j < 16; j++) {
                mask[j] |= action->set_field.mask[j];
            }
        }
    }
}

int
offload_parser_undo_sets(struct offload_parser *p, size_t start)
{
    const struct offload_rule *rule = p->rule;
    size_t end = rule->n_actions;

    for (size_t i = start; i < end; i++) {
        enum offload_field_id field = rule->actions[i].set_field.field;
        uint8_t earlier[16] = { 0 };
        uint8_t mask[16] = { 0 };
        int error;

        if (rule->actions[i].kind != OFFLOAD_ACT_SET_FIELD) {
            continue;
        }
        collect_set_bits(rule, field, start, i, earlier);
        if (!is_all_zeros(earlier, sizeof earlier)) {
            continue;           /* Done already. */
        }
        collect_set_bits(rule, field, start, end, mask);
        error = undo_field(p, field, mask, start);
        if (error) {
            return error;
        }
    }
    return 0;
}
