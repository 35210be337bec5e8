/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc-match.h"

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include "bitmap.h"
#include "flow.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tc-caps.h"
#include "tc-uapi.h"
#include "util.h"

/* One encoding under way. */
struct encoder {
    struct ofpbuf *msg;
    const struct offload_rule *rule;
    const struct flow *key, *mask;      /* Of rule->match. */
    const struct tc_narrowing *narrowing;
    struct tc_match *out;
    struct offload_refusal *refusal;

    uint32_t enc_flags, enc_flags_mask; /* Collected from several rows. */
};

typedef int encode_func(struct encoder *, enum offload_field_id);

static bool
is_matched(const struct encoder *e, enum offload_field_id id)
{
    return bitmap_is_set(e->rule->fields, id);
}

/* The first of the fields from 'first' to 'last' that is matched, or
 * OFFLOAD_N_FIELDS. */
static enum offload_field_id
first_matched(const struct encoder *e, enum offload_field_id first,
              enum offload_field_id last)
{
    size_t id = bitmap_scan(e->rule->fields, true, first, last + 1);

    return id <= last ? id : OFFLOAD_N_FIELDS;
}

/* Refusals. */

static void
format_bytes(struct ds *s, const struct offload_field *field,
             const struct flow *flow)
{
    if (field->size <= sizeof(uint64_t)) {
        ds_put_format(s, "%#"PRIx64, offload_field_value(field, flow));
    } else {
        ds_put_hex(s, (const uint8_t *) flow + field->ofs, field->size);
    }
}

/* Refuses field 'id' with its value and mask, and 'why' if it isn't "". */
static int
refuse(struct encoder *e, enum offload_refusal_code code,
       enum offload_field_id id, const char *hint, const char *why)
{
    const struct offload_field *field = offload_field_get(id);
    struct ds s = DS_EMPTY_INITIALIZER;
    int error;

    if (field->size <= sizeof(struct in6_addr)) {
        format_bytes(&s, field, e->key);
        ds_put_char(&s, '/');
        format_bytes(&s, field, e->mask);
        ds_put_cstr(&s, why[0] ? ", " : "");
    }
    ds_put_cstr(&s, why);
    error = offload_refuse(e->refusal, code, field->name, hint, "%s",
                           ds_cstr(&s));
    ds_destroy(&s);
    return error;
}

/* Attributes. */

/* Takes a part of the mask into account for 'mask_hash'. */
static void
hash_mask(struct encoder *e, uint16_t attr, const void *mask, size_t size)
{
    e->out->mask_hash = hash_bytes(mask, size,
                                   hash_int(attr, e->out->mask_hash));
}

/* Puts a value and, where 'mask_attr' isn't 0, its mask. */
static void
put(struct encoder *e, uint16_t key_attr, const void *key,
    uint16_t mask_attr, const void *mask, size_t size)
{
    nl_msg_put_unspec(e->msg, key_attr, key, size);
    if (mask_attr) {
        nl_msg_put_unspec(e->msg, mask_attr, mask, size);
        hash_mask(e, key_attr, mask, size);
    } else {
        hash_mask(e, key_attr, NULL, 0);
    }
}

static void
put_u32(struct encoder *e, const struct offload_field *field,
        uint32_t key, uint32_t mask)
{
    put(e, field->tc.key, &key, field->tc.mask, &mask, sizeof key);
}

static void
put_u16(struct encoder *e, const struct offload_field *field,
        uint16_t key, uint16_t mask)
{
    put(e, field->tc.key, &key, field->tc.mask, &mask, sizeof key);
}

static void
put_u8(struct encoder *e, const struct offload_field *field,
       uint8_t key, uint8_t mask)
{
    put(e, field->tc.key, &key, field->tc.mask, &mask, sizeof key);
}

static void
put_bytes(struct encoder *e, const struct offload_field *field,
          const struct flow *key, const struct flow *mask)
{
    put(e, field->tc.key, (const uint8_t *) key + field->ofs,
        field->tc.mask, (const uint8_t *) mask + field->ofs, field->size);
}

/* Puts a field from 'key' and 'mask', which need not be the rule's. */
static void
put_row(struct encoder *e, const struct offload_field *field,
        const struct flow *key, const struct flow *mask)
{
    switch (field->tc.form) {
    case OFFLOAD_FORM_BYTES:
        put_bytes(e, field, key, mask);
        break;
    case OFFLOAD_FORM_U8:
        put_u8(e, field, offload_field_value(field, key),
               offload_field_value(field, mask));
        break;
    case OFFLOAD_FORM_U16:
        put_u16(e, field, offload_field_value(field, key),
                offload_field_value(field, mask));
        break;
    case OFFLOAD_FORM_U32:
        put_u32(e, field, offload_field_value(field, key),
                offload_field_value(field, mask));
        break;
    case OFFLOAD_FORM_NONE:
    case OFFLOAD_FORM_IMPLIED:
    case OFFLOAD_FORM_SPECIAL:
    default:
        OVS_NOT_REACHED();
    }
}

/* Rows that need a function. */

/* The low bits of a chain's number are all that "goto chain" can carry. */
static int
encode_recirc_id(struct encoder *e, enum offload_field_id id)
{
    return (e->rule->recirc_id <= TC_ACT_EXT_VAL_MASK ? 0
            : refuse(e, OFFLOAD_REFUSED_CHAIN, id, NULL,
                     "a chain's number has 28 bits"));
}

static int
encode_tun_id(struct encoder *e, enum offload_field_id id)
{
    uint64_t key = ntohll(e->key->tunnel.tun_id);
    ovs_be32 key_id = htonl(key);

    if (key > UINT32_MAX) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                      "a tunnel key has 32 bits");
    }
    put(e, TCA_FLOWER_KEY_ENC_KEY_ID, &key_id, 0, NULL, sizeof key_id);
    return 0;
}

/* A flag of the tunnel's that can't be matched. */
static int
widen_by_tunnel_flag(struct encoder *e, enum offload_field_id id)
{
    if (offload_strict_tunnel_flags) {
        return refuse(e, OFFLOAD_REFUSED_CAPABILITY, id,
                      "set other_config:offload-strict-tunnel-flags=false "
                      "or use Linux 6.12", "");
    }
    e->out->widened = true;
    return 0;
}

static int
encode_tun_flag(struct encoder *e, enum offload_field_id id)
{
    uint32_t flag = (id == OFFLOAD_FIELD_TUN_DF
                     ? TCA_FLOWER_KEY_FLAGS_TUNNEL_DONT_FRAGMENT
                     : id == OFFLOAD_FIELD_TUN_CSUM
                     ? TCA_FLOWER_KEY_FLAGS_TUNNEL_CSUM
                     : TCA_FLOWER_KEY_FLAGS_TUNNEL_OAM);

    if (tc_caps.enc_flags) {
        e->enc_flags_mask |= flag;
        if (offload_field_is_masked(offload_field_get(id), e->key)) {
            e->enc_flags |= flag;
        }
        return 0;
    } else if (id == OFFLOAD_FIELD_TUN_OAM) {
        return refuse(e, OFFLOAD_REFUSED_CAPABILITY, id, "use Linux 6.12", "");
    }
    return widen_by_tunnel_flag(e, id);
}

/* All tunnels but GRE always have a key, and one that isn't 0 is there. */
static int
encode_tun_key(struct encoder *e, enum offload_field_id id)
{
    if (e->rule->in_port->kind != OFFLOAD_PORT_GRE || e->key->tunnel.tun_id) {
        return 0;
    }
    return widen_by_tunnel_flag(e, id);
}

/* The kernel insists on the flag for VXLAN's options and ignores it for
 * Geneve's. */
static size_t
start_nested(struct ofpbuf *msg, uint16_t attr)
{
    return nl_msg_start_nested(msg, attr | NLA_F_NESTED);
}

static void
put_vxlan_gbp(struct encoder *e, uint16_t attr, uint32_t gbp)
{
    size_t opts = start_nested(e->msg, attr);
    size_t opt = start_nested(e->msg, TCA_FLOWER_KEY_ENC_OPTS_VXLAN);

    nl_msg_put_u32(e->msg, TCA_FLOWER_KEY_ENC_OPT_VXLAN_GBP, gbp);
    nl_msg_end_nested(e->msg, opt);
    nl_msg_end_nested(e->msg, opts);
}

/* Both GBP rows.  The flags are "don't learn" (0x40) and "policy applied"
 * (0x08); no packet has others. */
static int
encode_gbp(struct encoder *e, enum offload_field_id id)
{
    const struct flow_tnl *key = &e->key->tunnel;
    const struct flow_tnl *mask = &e->mask->tunnel;
    uint32_t gbp = (key->gbp_flags << 16) | ntohs(key->gbp_id);
    uint32_t gbp_mask = ((mask->gbp_flags & 0x48) << 16) | ntohs(mask->gbp_id);

    if (id == OFFLOAD_FIELD_TUN_GBP_FLAGS
        && is_matched(e, OFFLOAD_FIELD_TUN_GBP_ID)) {
        return 0;               /* Done already, for the other row. */
    } else if (!gbp) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                      "the kernel can't match packets without a group");
    } else if (gbp & ~gbp_mask) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                      "no such flag");
    } else if (is_matched(e, OFFLOAD_FIELD_TUN_OPTS)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD, id, NULL,
                      "not together with Geneve options");
    }

    put_vxlan_gbp(e, TCA_FLOWER_KEY_ENC_OPTS, gbp);
    put_vxlan_gbp(e, TCA_FLOWER_KEY_ENC_OPTS_MASK, gbp_mask);
    hash_mask(e, TCA_FLOWER_KEY_ENC_OPT_VXLAN_GBP, &gbp_mask, sizeof gbp_mask);
    return 0;
}

static const char *
judge_geneve(const struct geneve_opt *opt,
             const struct geneve_opt *mask OVS_UNUSED, size_t n OVS_UNUSED)
{
    return (opt->length ? NULL
            : "the kernel can't match an option without data");
}

/* Puts 'opts' with the lengths of 'packet', which have been checked. */
static void
put_geneve(struct encoder *e, uint16_t attr, const struct tun_metadata *opts,
           const struct tun_metadata *packet)
{
    size_t outer = start_nested(e->msg, attr);

    for (size_t i = 0; i * sizeof *packet->opts.gnv < packet->present.len;
         i += 1 + packet->opts.gnv[i].length) {
        const struct geneve_opt *opt = &opts->opts.gnv[i];
        size_t inner = start_nested(e->msg, TCA_FLOWER_KEY_ENC_OPTS_GENEVE);

        nl_msg_put_be16(e->msg, TCA_FLOWER_KEY_ENC_OPT_GENEVE_CLASS,
                        opt->opt_class);
        nl_msg_put_u8(e->msg, TCA_FLOWER_KEY_ENC_OPT_GENEVE_TYPE, opt->type);
        nl_msg_put_unspec(e->msg, TCA_FLOWER_KEY_ENC_OPT_GENEVE_DATA, opt + 1,
                          packet->opts.gnv[i].length * 4);
        nl_msg_end_nested(e->msg, inner);
        hash_mask(e, packet->opts.gnv[i].length, NULL, 0);
    }
    nl_msg_end_nested(e->msg, outer);
}

/* Options as they are in a packet (FLOW_TNL_F_UDPIF).  Their number and
 * lengths, which are the packet's, masked or not, are matched with them:
 * flower has no way to match less. */
static int
encode_geneve(struct encoder *e, enum offload_field_id id)
{
    const struct flow_tnl *tnl = &e->rule->packet->tunnel;
    const struct tun_metadata *packet = &tnl->metadata;
    const struct tun_metadata *key = &e->key->tunnel.metadata;
    const struct tun_metadata *mask = &e->mask->tunnel.metadata;
    struct tun_metadata rest = *mask;
    const char *why;

    if (!(tnl->flags & FLOW_TNL_F_UDPIF)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                      "not in the form of a packet's");
    } else if (!packet->present.len) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                      "the kernel can't match packets without options");
    }
    BUILD_ASSERT(sizeof key->opts > UINT8_MAX);     /* present.len fits. */

    rest.present.len = 0;
    memset(&rest.opts, 0, packet->present.len);
    if (mask->present.len != UINT8_MAX || !is_all_zeros(&rest, sizeof rest)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_MASK, id, NULL,
                      "length of all options");
    }

    why = offload_check_geneve(packet, mask, judge_geneve);
    if (why) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL, why);
    }

    put_geneve(e, TCA_FLOWER_KEY_ENC_OPTS, key, packet);
    put_geneve(e, TCA_FLOWER_KEY_ENC_OPTS_MASK, mask, packet);
    hash_mask(e, TCA_FLOWER_KEY_ENC_OPTS, &mask->opts, packet->present.len);
    return 0;
}

static const struct ct_state_bit {
    uint8_t ovs;                /* OVS_CS_F_*. */
    uint16_t tc;                /* TCA_FLOWER_KEY_CT_FLAGS_*, 0 if none. */
    const char *name;
} ct_state_bits[] = {
    { OVS_CS_F_NEW, TCA_FLOWER_KEY_CT_FLAGS_NEW, "ct_state(new)" },
    { OVS_CS_F_ESTABLISHED, TCA_FLOWER_KEY_CT_FLAGS_ESTABLISHED,
      "ct_state(est)" },
    { OVS_CS_F_RELATED, TCA_FLOWER_KEY_CT_FLAGS_RELATED, "ct_state(rel)" },
    { OVS_CS_F_REPLY_DIR, TCA_FLOWER_KEY_CT_FLAGS_REPLY, "ct_state(rpl)" },
    { OVS_CS_F_INVALID, TCA_FLOWER_KEY_CT_FLAGS_INVALID, "ct_state(inv)" },
    { OVS_CS_F_TRACKED, TCA_FLOWER_KEY_CT_FLAGS_TRACKED, "ct_state(trk)" },
    { OVS_CS_F_SRC_NAT, 0, "ct_state(snat)" },
    { OVS_CS_F_DST_NAT, 0, "ct_state(dnat)" },
};

static int
refuse_ct_state_bit(struct encoder *e, const struct ct_state_bit *bit)
{
    uint8_t key = e->key->ct_state;
    uint8_t mask = e->mask->ct_state;

    return (!bit->tc
            ? offload_refuse(e->refusal, OFFLOAD_REFUSED_FIELD, bit->name,
                             NULL, "%#"PRIx8"/%#"PRIx8, key, mask)
            : offload_refuse(e->refusal, OFFLOAD_REFUSED_CAPABILITY, bit->name,
                             "use a kernel with act_ct that knows this state",
                             "%#"PRIx8"/%#"PRIx8, key, mask));
}

/* The kernel wants "trk" with any other state, which Open vSwitch implies, and
 * no "new" with "est", which exclude each other. */
static int
encode_ct_state(struct encoder *e, enum offload_field_id id)
{
    uint16_t key = 0, mask = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ct_state_bits); i++) {
        const struct ct_state_bit *bit = &ct_state_bits[i];

        if (e->mask->ct_state & bit->ovs) {
            if (!bit->tc || !(tc_caps.ct_state & bit->ovs)) {
                return refuse_ct_state_bit(e, bit);
            }
            mask |= bit->tc;
            key |= e->key->ct_state & bit->ovs ? bit->tc : 0;
        }
    }

    if (key & TCA_FLOWER_KEY_CT_FLAGS_ESTABLISHED) {
        key &= ~TCA_FLOWER_KEY_CT_FLAGS_NEW;
        mask &= ~TCA_FLOWER_KEY_CT_FLAGS_NEW;
    }
    if (key) {
        key |= TCA_FLOWER_KEY_CT_FLAGS_TRACKED;
        mask |= TCA_FLOWER_KEY_CT_FLAGS_TRACKED;
    }
    put_u16(e, offload_field_get(id), key, mask);
    return 0;
}

static encode_func *const special[OFFLOAD_N_FIELDS] = {
    [OFFLOAD_FIELD_RECIRC_ID] = encode_recirc_id,
    [OFFLOAD_FIELD_TUN_ID] = encode_tun_id,
    [OFFLOAD_FIELD_TUN_DF] = encode_tun_flag,
    [OFFLOAD_FIELD_TUN_CSUM] = encode_tun_flag,
    [OFFLOAD_FIELD_TUN_OAM] = encode_tun_flag,
    [OFFLOAD_FIELD_TUN_KEY] = encode_tun_key,
    [OFFLOAD_FIELD_TUN_GBP_ID] = encode_gbp,
    [OFFLOAD_FIELD_TUN_GBP_FLAGS] = encode_gbp,
    [OFFLOAD_FIELD_TUN_OPTS] = encode_geneve,
    [OFFLOAD_FIELD_CT_STATE] = encode_ct_state,
    /* The rest: put_ethertypes(), put_tunnel(), put_fragment_flags(), which
     * have something to do even if the field isn't matched. */
};

static int
put_field(struct encoder *e, enum offload_field_id id)
{
    const struct offload_field *field = offload_field_get(id);

    if (field->tc.form == OFFLOAD_FORM_NONE) {
        return refuse(e, OFFLOAD_REFUSED_FIELD, id, NULL, "");
    } else if (field->tc.maskable == OFFLOAD_MASK_EXACT
               && !offload_field_is_exact(field, e->mask)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_MASK, id, NULL,
                      "exactly or not at all");
    } else if (field->tc.form == OFFLOAD_FORM_IMPLIED) {
        return 0;
    } else if (field->tc.form == OFFLOAD_FORM_SPECIAL) {
        return special[id] ? special[id](e, id) : 0;
    }
    put_row(e, field, e->key, e->mask);
    return 0;
}

/* Ethernet types.
 *
 * A filter's protocol is the type of a packet's outermost header, VLANs
 * included, and each VLAN header shows in the chain of types: ETH_TYPE,
 * VLAN_ETH_TYPE, CVLAN_ETH_TYPE.  So whether there is a VLAN header, with
 * which TPID, and which type comes behind all VLANs are one question.  Open
 * vSwitch always asks for the whole chain, but needs not. */

enum vlan_state { VLAN_ANY, VLAN_NONE, VLAN_SOME };

/* What the rule says about VLAN header 'i'. */
static int
get_vlan_state(struct encoder *e, int i, enum vlan_state *state)
{
    enum offload_field_id id = (i ? OFFLOAD_FIELD_CVLAN_PRESENT
                                : OFFLOAD_FIELD_VLAN_PRESENT);
    ovs_be16 tci_mask = e->mask->vlans[i].tci;
    ovs_be16 tpid_mask = e->mask->vlans[i].tpid;

    *state = VLAN_ANY;
    /* A tag that is matched by its type only. */
    if (!tci_mask && tpid_mask == OVS_BE16_MAX
        && eth_type_vlan(e->key->vlans[i].tpid)) {
        *state = VLAN_SOME;
        return 0;
    }
    if (!(tci_mask & htons(VLAN_CFI))) {
        return (!tci_mask && !tpid_mask ? 0
                : refuse(e, OFFLOAD_REFUSED_FIELD_MASK, id, NULL,
                         "contents, but not whether there is one"));
    } else if (e->key->vlans[i].tci & htons(VLAN_CFI)) {
        *state = VLAN_SOME;
        return (eth_type_vlan(e->rule->packet->vlans[i].tpid) ? 0
                : refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                         "unknown TPID"));
    }
    *state = VLAN_NONE;
    return (!tpid_mask ? 0
            : refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, NULL,
                     "truncated VLAN header"));
}

/* Narrows VLANs that may be there or not to what the first packet had, where
 * something behind them is matched. */
static void
narrow_vlans(const struct encoder *e, enum vlan_state states[])
{
    const union flow_vlan_hdr *vlans = e->rule->packet->vlans;
    bool matched = is_matched(e, OFFLOAD_FIELD_ETH_TYPE);

    for (int i = FLOW_MAX_VLAN_HEADERS - 1; i >= 0; i--) {
        if (states[i] == VLAN_ANY && matched) {
            states[i] = (vlans[i].tci & htons(VLAN_CFI)
                         ? VLAN_SOME : VLAN_NONE);
        }
        matched = matched || states[i] != VLAN_ANY;
    }
}

/* Matches the number of VLANs where the type behind them isn't matched, which
 * would say as much. */
static int
put_vlan_count(struct encoder *e, uint8_t n)
{
    if (!tc_caps.vlan_count) {
        return refuse(e, OFFLOAD_REFUSED_CAPABILITY,
                      (n ? OFFLOAD_FIELD_CVLAN_PRESENT
                       : OFFLOAD_FIELD_VLAN_PRESENT), "use Linux 5.19",
                      "absence of a VLAN, without eth_type");
    }
    put(e, TCA_FLOWER_KEY_NUM_OF_VLANS, &n, 0, NULL, sizeof n);
    return 0;
}

/* Types that TC doesn't see as Open vSwitch does. */
static int
check_eth_type(struct encoder *e, int n_vlans)
{
    uint16_t type = ntohs(e->key->dl_type);
    const char *why = NULL;

    if (type < ETH_TYPE_MIN) {
        why = "802.2, not Ethernet II";
    } else if (type == ETH_P_BATMAN || type == ETH_P_HSR
               || type == ETH_P_PRP) {
        why = "TC sees the type of what is inside";
    } else if (eth_type_vlan(e->key->dl_type)
               && n_vlans == FLOW_MAX_VLAN_HEADERS) {
        why = "a third VLAN";
    }
    return why ? refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, OFFLOAD_FIELD_ETH_TYPE,
                        NULL, why) : 0;
}

/* Puts the chain of types: that of 'n_vlans' VLANs, then the packet's. */
static void
put_type_chain(struct encoder *e, int n_vlans)
{
    static const uint16_t attrs[] = { TCA_FLOWER_KEY_ETH_TYPE,
                                      TCA_FLOWER_KEY_VLAN_ETH_TYPE,
                                      TCA_FLOWER_KEY_CVLAN_ETH_TYPE };
    bool typed = is_matched(e, OFFLOAD_FIELD_ETH_TYPE);

    e->out->protocol = htons(ETH_P_ALL);
    for (int i = 0; i < n_vlans + typed; i++) {
        ovs_be16 type = (i < n_vlans ? e->rule->packet->vlans[i].tpid
                         : e->key->dl_type);
        bool is_vlan = eth_type_vlan(type);

        if (!i) {
            e->out->protocol = type;
        }
        nl_msg_put_be16(e->msg, attrs[i], type);
        hash_mask(e, attrs[i], &is_vlan, sizeof is_vlan);
    }
}

static int
put_ethertypes(struct encoder *e)
{
    bool typed = is_matched(e, OFFLOAD_FIELD_ETH_TYPE);
    enum vlan_state states[FLOW_MAX_VLAN_HEADERS];
    int n_vlans = 0;
    int error = 0;

    for (int i = 0; i < FLOW_MAX_VLAN_HEADERS && !error; i++) {
        error = get_vlan_state(e, i, &states[i]);
    }
    if (error) {
        return error;
    }

    narrow_vlans(e, states);
    while (n_vlans < FLOW_MAX_VLAN_HEADERS && states[n_vlans] == VLAN_SOME) {
        n_vlans++;
    }
    if (!n_vlans && states[1] == VLAN_SOME) {
        error = refuse(e, OFFLOAD_REFUSED_FIELD_VALUE,
                       OFFLOAD_FIELD_CVLAN_PRESENT, NULL,
                       "without an outer VLAN");
    } else if (typed) {
        error = check_eth_type(e, n_vlans);
    } else if (n_vlans < FLOW_MAX_VLAN_HEADERS
               && states[n_vlans] == VLAN_NONE) {
        error = put_vlan_count(e, n_vlans);
    }
    if (!error) {
        put_type_chain(e, n_vlans);
    }
    return error;
}

/* Tunnels. */

/* Some drivers want the outer destination port, and want it exactly.  No
 * other packet comes in through the tunnel's device. */
static void
put_tunnel(struct encoder *e)
{
    const struct offload_field *field
        = offload_field_get(OFFLOAD_FIELD_TUN_TP_DST);
    const struct flow_tnl *packet = &e->rule->packet->tunnel;
    ovs_be16 exact = OVS_BE16_MAX;

    if (offload_prereq_holds(OFFLOAD_PRE_TUNNEL, e->rule->packet)
        && (packet->tp_dst || e->mask->tunnel.tp_dst)) {
        put(e, field->tc.key, &packet->tp_dst, field->tc.mask, &exact,
            sizeof exact);
    }

    if (e->enc_flags_mask) {
        ovs_be32 key = htonl(e->enc_flags);
        ovs_be32 mask = htonl(e->enc_flags_mask);

        put(e, TCA_FLOWER_KEY_ENC_FLAGS, &key,
            TCA_FLOWER_KEY_ENC_FLAGS_MASK, &mask, sizeof mask);
    }
}

/* ARP.
 *
 * The kernel looks into requests and replies only.  To a filter, all fields of
 * other ARP packets are 0. */
static int
narrow_arp(struct encoder *e)
{
    const struct offload_field *field
        = offload_field_get(OFFLOAD_FIELD_ARP_OP);
    uint8_t op = e->rule->packet->nw_proto;
    bool zeros = true;

    if (!offload_prereq_holds(OFFLOAD_PRE_ARP, e->key)
        || first_matched(e, OFFLOAD_FIELD_ARP_SIP, OFFLOAD_FIELD_ARP_THA)
           == OFFLOAD_N_FIELDS) {
        return 0;
    }

    for (size_t i = OFFLOAD_FIELD_ARP_SIP; i <= OFFLOAD_FIELD_ARP_THA; i++) {
        zeros = zeros && !offload_field_is_masked(offload_field_get(i),
                                                  e->key);
    }
    if (op > ARP_OP_REPLY || (zeros && !op)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, OFFLOAD_FIELD_ARP_OP,
                      NULL, "TC looks into requests and replies only");
    } else if (zeros && !is_matched(e, OFFLOAD_FIELD_ARP_OP)) {
        put_u8(e, field, op, UINT8_MAX);
    }
    return 0;
}

/* Fragments and protocols. */

/* The kernel doesn't look for a transport header in a fragment, not even in
 * the first one: it seems to be all zeros. */
static int
check_whole(struct encoder *e, enum offload_field_id transport)
{
    return (!(e->rule->packet->nw_frag & FLOW_NW_FRAG_ANY) ? 0
            : transport != OFFLOAD_N_FIELDS
            ? refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, transport, NULL,
                     "TC doesn't look into fragments")
            : refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, OFFLOAD_FIELD_IP_FRAG,
                     NULL, "its actions would damage a fragment's checksum"));
}

static int
put_fragment_flags(struct encoder *e)
{
    const struct offload_field *field
        = offload_field_get(OFFLOAD_FIELD_IP_FRAG);
    enum offload_field_id transport
        = first_matched(e, OFFLOAD_FIELD_TCP_SRC, OFFLOAD_FIELD_ICMPV6_CODE);
    uint8_t key = e->key->nw_frag & FLOW_NW_FRAG_MASK;
    uint8_t mask = e->mask->nw_frag & FLOW_NW_FRAG_MASK;
    uint32_t flags = 0, flags_mask = 0;

    if (transport != OFFLOAD_N_FIELDS || e->narrowing->not_fragment) {
        int error = check_whole(e, transport);
        if (error) {
            return error;
        }
        mask |= FLOW_NW_FRAG_ANY;
    }
    if (key & FLOW_NW_FRAG_LATER) {
        key |= FLOW_NW_FRAG_ANY;
        mask |= FLOW_NW_FRAG_ANY;
    }
    if (mask == FLOW_NW_FRAG_LATER) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_MASK, OFFLOAD_FIELD_IP_FRAG,
                      NULL, "\"not a later fragment\" would need two filters");
    }

    if (mask & FLOW_NW_FRAG_ANY) {
        flags_mask |= TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT;
        if (key & FLOW_NW_FRAG_ANY) {
            flags |= TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT;
            if (mask & FLOW_NW_FRAG_LATER) {
                flags_mask |= TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST;
                if (!(key & FLOW_NW_FRAG_LATER)) {
                    flags |= TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST;
                }
            }
        }
        put_u32(e, field, (OVS_FORCE uint32_t) htonl(flags),
                (OVS_FORCE uint32_t) htonl(flags_mask));
    }
    return 0;
}

static int
narrow_ip(struct encoder *e)
{
    const struct offload_field *field
        = offload_field_get(OFFLOAD_FIELD_IP_PROTO);

    if (!is_ip_any(e->key)) {
        return (!e->narrowing->ip_proto && !e->narrowing->not_fragment ? 0
                : refuse(e, OFFLOAD_REFUSED_FIELD_MASK, OFFLOAD_FIELD_ETH_TYPE,
                         NULL, "its actions depend on it"));
    }
    if (e->narrowing->ip_proto && !is_matched(e, OFFLOAD_FIELD_IP_PROTO)) {
        uint8_t proto = e->rule->packet->nw_proto;

        if (!proto || proto == IPPROTO_FRAGMENT) {
            return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE,
                          OFFLOAD_FIELD_IP_PROTO, NULL,
                          "its actions depend on it, but it is unknown");
        }
        put_u8(e, field, proto, UINT8_MAX);
    }
    return put_fragment_flags(e);
}

int
tc_match_encode(struct ofpbuf *msg, const struct offload_rule *rule,
                const struct tc_narrowing *narrowing, struct tc_match *out,
                struct offload_refusal *refusal)
{
    struct encoder e = {
        .msg = msg,
        .rule = rule,
        .key = &rule->match.flow,
        .mask = &rule->match.wc.masks,
        .narrowing = narrowing,
        .out = out,
        .refusal = refusal,
    };
    int error = 0;
    size_t id;

    *out = (struct tc_match) { .protocol = htons(ETH_P_ALL) };
    BITMAP_FOR_EACH_1 (id, OFFLOAD_N_FIELDS, rule->fields) {
        error = put_field(&e, id);
        if (error) {
            return error;
        }
    }

    put_tunnel(&e);
    error = put_ethertypes(&e);
    if (!error) {
        error = narrow_arp(&e);
    }
    return error ? error : narrow_ip(&e);
}
