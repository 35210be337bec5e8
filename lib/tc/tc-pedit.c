/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-pedit.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_pedit.h>
#include <netinet/in.h>
#include <string.h>

#include "netlink.h"
#include "offload-action.h"
#include "offload-field.h"
#include "offload-rule.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tc/tc-match.h"
#include "util.h"

/* Words. */

/* The word is shared with what was set in it before, and overrides it. */
static int
add_word(struct tc_rewrite *rewrite, uint8_t htype, uint8_t ofs,
         ovs_be32 mask, ovs_be32 value)
{
    struct tc_rewrite_word *word;

    for (word = rewrite->words; word < &rewrite->words[rewrite->n]; word++) {
        if (word->htype == htype && word->ofs == ofs) {
            word->value = (word->value & ~mask) | value;
            word->mask |= mask;
            return 0;
        }
    }
    if (rewrite->n >= TC_REWRITE_MAX_WORDS) {
        return E2BIG;
    }
    word->htype = htype;
    word->ofs = ofs;
    word->mask = mask;
    word->value = value;
    rewrite->n++;
    return 0;
}

/* A field of whole bytes, which need not begin on a word. */
static int
add_bytes(struct tc_rewrite *rewrite, const struct offload_field *row,
          const uint8_t *value, const uint8_t *mask)
{
    size_t start = row->pedit.ofs & 3;      /* In its first word. */
    ovs_be32 values[5] = { 0 };
    ovs_be32 masks[5] = { 0 };
    int error = 0;

    memcpy((uint8_t *) values + start, value, row->size);
    memcpy((uint8_t *) masks + start, mask, row->size);
    for (size_t i = 0; i < ARRAY_SIZE(masks) && !error; i++) {
        if (masks[i]) {
            error = add_word(rewrite, row->pedit.htype,
                             row->pedit.ofs - start + 4 * i, masks[i],
                             values[i]);
        }
    }
    return error;
}

static int
add_field(struct tc_rewrite *rewrite, const struct offload_field *row,
          const uint8_t *value, const uint8_t *mask)
{
    if (row->pedit.shift) {
        return add_word(rewrite, row->pedit.htype, row->pedit.ofs,
                        htonl((uint32_t) *mask << row->pedit.shift),
                        htonl((uint32_t) *value << row->pedit.shift));
    }
    return add_bytes(rewrite, row, value, mask);
}

/* Checksums. */

/* A protocol whose checksum covers the addresses, or the ports.  All others'
 * (ICMP, IGMP, GRE, tunneled IP ...) cover neither.
 *
 * A limit: behind an IPv6 routing header with segments left, a checksum covers
 * the final destination, but act_csum computes it for the next one, and flower
 * (Linux 6.1) can't keep such packets out of a rule that sets ipv6(dst). */
struct l4_csum {
    uint8_t nw_proto;
    bool ipv6_only;
    uint32_t addresses, ports;      /* TCA_CSUM_UPDATE_FLAG_*, or 0. */
};

static const struct l4_csum l4_csums[] = {
    { IPPROTO_TCP, false, TCA_CSUM_UPDATE_FLAG_TCP, TCA_CSUM_UPDATE_FLAG_TCP },
    { IPPROTO_UDP, false, TCA_CSUM_UPDATE_FLAG_UDP, TCA_CSUM_UPDATE_FLAG_UDP },
    { IPPROTO_UDPLITE, false, TCA_CSUM_UPDATE_FLAG_UDPLITE, 0 },
    { IPPROTO_SCTP, false, 0, TCA_CSUM_UPDATE_FLAG_SCTP },
    { IPPROTO_ICMPV6, true, TCA_CSUM_UPDATE_FLAG_ICMP, 0 },
};

static bool
is_transport_field(const struct offload_field *row)
{
    return (row->pedit.htype == TCA_PEDIT_KEY_EX_HDR_TYPE_TCP
            || row->pedit.htype == TCA_PEDIT_KEY_EX_HDR_TYPE_UDP);
}

/* The flags for a rewrite of 'row' in a packet of 'rule'.  A megaflow that
 * matches any protocol is narrowed to that of its first packet. */
static uint32_t
l4_flags(const struct offload_rule *rule, const struct offload_field *row,
         struct tc_narrowing *narrowing)
{
    const struct match *match = &rule->match;
    uint8_t nw_proto = match->flow.nw_proto;

    if (match->wc.masks.nw_proto != UINT8_MAX) {
        narrowing->ip_proto = true;
        nw_proto = rule->packet->nw_proto;
    }
    for (size_t i = 0; i < ARRAY_SIZE(l4_csums); i++) {
        const struct l4_csum *l4 = &l4_csums[i];

        if (l4->nw_proto == nw_proto
            && (!l4->ipv6_only
                || match->flow.dl_type == htons(ETH_TYPE_IPV6))) {
            return is_transport_field(row) ? l4->ports : l4->addresses;
        }
    }
    return 0;
}

/* What a megaflow's packets may be. */
enum fragments {
    WHOLE,                      /* No fragments. */
    FIRST,                      /* Among others, fragments that begin with the
                                 * transport header: its checksum covers what
                                 * isn't in the packet. */
    LATER,                      /* Fragments without transport header only. */
};

/* A megaflow that doesn't care is narrowed to whole packets, if its first
 * packet was whole. */
static enum fragments
get_fragments(const struct offload_rule *rule, struct tc_narrowing *narrowing)
{
    uint8_t mask = rule->match.wc.masks.nw_frag & FLOW_NW_FRAG_MASK;
    uint8_t frag = rule->packet->nw_frag & FLOW_NW_FRAG_MASK;

    if (!(frag & FLOW_NW_FRAG_ANY)) {
        narrowing->not_fragment |= !(mask & FLOW_NW_FRAG_ANY);
        return WHOLE;
    }
    return mask == FLOW_NW_FRAG_MASK && frag & FLOW_NW_FRAG_LATER
           ? LATER : FIRST;
}

static int
add_csum(struct tc_rewrite *rewrite, const struct offload_rule *rule,
         const struct offload_field *row, struct tc_narrowing *narrowing,
         struct offload_refusal *refusal)
{
    uint32_t flags;

    if (row->pedit.csum & OFFLOAD_CSUM_IPV4) {
        rewrite->csum |= TCA_CSUM_UPDATE_FLAG_IPV4HDR;
    }
    if (!(row->pedit.csum & OFFLOAD_CSUM_L4)) {
        return 0;
    }
    flags = l4_flags(rule, row, narrowing);
    if (!flags) {
        return 0;
    }
    switch (get_fragments(rule, narrowing)) {
    case WHOLE:
        rewrite->csum |= flags;
        return 0;
    case LATER:
        if (!is_transport_field(row)) {
            return 0;
        }
        /* Fall through. */
    case FIRST:
    default:
        return offload_refuse(refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              row->name, NULL, "the checksum of a fragment "
                              "can't be computed");
    }
}

/* Linux's pedit finds a transport header in IPv4 by the length of the IP
 * header, whatever the protocol is, but in IPv6 by its number, and it knows
 * TCP and UDP only (pedit_l4_skb_offset()). */
static bool
can_find_header(const struct offload_rule *rule,
                const struct offload_field *row)
{
    return !(rule->match.flow.dl_type == htons(ETH_TYPE_IPV6)
             && (row == offload_field_get(OFFLOAD_FIELD_SCTP_SRC)
                 || row == offload_field_get(OFFLOAD_FIELD_SCTP_DST)));
}

int
tc_rewrite_add(struct tc_rewrite *rewrite, const struct offload_rule *rule,
               const struct offload_action *action,
               struct tc_narrowing *narrowing,
               struct offload_refusal *refusal)
{
    const struct offload_field *row;

    row = offload_field_get(action->set_field.field);
    if (!row->pedit.can) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_ACTION, row->name,
                              NULL, "can't be set");
    }
    if (!can_find_header(rule, row)) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_ACTION, row->name,
                              NULL, "can't be set in IPv6");
    }
    if (add_field(rewrite, row, action->set_field.value,
                  action->set_field.mask)) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_TOO_MANY_ACTIONS,
                              row->name, NULL, "more than %d words to set",
                              TC_REWRITE_MAX_WORDS);
    }
    return add_csum(rewrite, rule, row, narrowing, refusal);
}

/* The message.  In the kernel's terms, the mask is what to keep. */
size_t
tc_rewrite_put(const struct tc_rewrite *rewrite, struct ofpbuf *msg)
{
    struct {
        struct tc_pedit_sel sel;
        struct tc_pedit_key keys[TC_REWRITE_MAX_WORDS];
    } parms;
    size_t keys_ex, control;

    memset(&parms, 0, sizeof parms);
    parms.sel.nkeys = rewrite->n;
    for (size_t i = 0; i < rewrite->n; i++) {
        const struct tc_rewrite_word *word = &rewrite->words[i];

        parms.keys[i].off = word->ofs;
        parms.keys[i].mask = (OVS_FORCE uint32_t) ~word->mask;
        parms.keys[i].val = (OVS_FORCE uint32_t) word->value;
    }
    control = msg->size + NLA_HDRLEN + offsetof(struct tc_pedit_sel, action);
    nl_msg_put_unspec(msg, TCA_PEDIT_PARMS_EX, &parms,
                      sizeof parms.sel + rewrite->n * sizeof parms.keys[0]);

    keys_ex = nl_msg_start_nested(msg, TCA_PEDIT_KEYS_EX);
    for (size_t i = 0; i < rewrite->n; i++) {
        size_t key_ex = nl_msg_start_nested(msg, TCA_PEDIT_KEY_EX);

        nl_msg_put_u16(msg, TCA_PEDIT_KEY_EX_HTYPE, rewrite->words[i].htype);
        nl_msg_put_u16(msg, TCA_PEDIT_KEY_EX_CMD, TCA_PEDIT_KEY_EX_CMD_SET);
        nl_msg_end_nested(msg, key_ex);
    }
    nl_msg_end_nested(msg, keys_ex);
    return control;
}
