/* SPDX-License-Identifier: Apache-2.0 */

/* The match of a rule, as rte_flow items.
 *
 * Each row of the field table names the header that it lies in and a byte of
 * it.  A header of which something is matched becomes an item.  Fields that
 * aren't just bytes of one header have a function here. */

#include <config.h>

#include "rte/rte-encode.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "bitmap.h"
#include "flow.h"
#include "offload-field.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/geneve.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* The specs must be as the rows say. */
#define IS_AT(ITEM, MEMBER, OFS) \
    BUILD_ASSERT_DECL(offsetof(struct rte_flow_item_##ITEM, MEMBER) == OFS)
IS_AT(eth, hdr.ether_type, 12);
IS_AT(vlan, hdr.eth_proto, 2);
IS_AT(arp_eth_ipv4, sha, 8);
IS_AT(arp_eth_ipv4, spa, 16);
IS_AT(arp_eth_ipv4, tha, 20);
IS_AT(arp_eth_ipv4, tpa, 28);
IS_AT(ipv4, hdr.src_addr, 12);
IS_AT(ipv6, hdr.dst_addr, 24);
IS_AT(ipv6_frag_ext, hdr.frag_data, 2);
IS_AT(tcp, hdr.data_off, 12);
IS_AT(udp, hdr.dst_port, 2);
IS_AT(sctp, hdr.dst_port, 2);
IS_AT(icmp, hdr.icmp_code, 1);
IS_AT(icmp6, code, 1);
IS_AT(mpls, ttl, 3);
IS_AT(vxlan, hdr.vx_vni, 4);
IS_AT(geneve, vni, 4);
IS_AT(gre, protocol, 2);

struct encoder {
    const struct offload_rule *rule;
    const struct flow *key, *mask;
    struct rte_encoding *enc;
    struct offload_refusal *refusal;

    ovs_be32 gre_key, gre_key_mask;
    ovs_be16 gre_flags, gre_flags_mask;
};

static int
refuse(struct encoder *e, enum offload_refusal_code code,
       enum offload_field_id id, const char *detail)
{
    return offload_refuse(e->refusal, code, offload_field_name(id), NULL,
                          "%s", detail);
}

static struct rte_header *
header(struct encoder *e, enum offload_rte_item item)
{
    struct rte_header *h = &e->enc->headers[item];

    h->present = true;
    return h;
}

static bool
is_matched(const struct encoder *e, enum offload_field_id id)
{
    return bitmap_is_set(e->rule->fields, id);
}

/* Generic fields. */

/* Merges the bits of 'field' in 'flow' into 'bytes', a header. */
static void
merge(const struct offload_field *field, const struct flow *flow,
      uint8_t *bytes)
{
    const uint8_t *p = (const uint8_t *) flow + field->ofs;
    uint64_t value;
    ovs_be32 word;

    bytes += field->rte.ofs;
    switch (field->rte.form) {
    case OFFLOAD_FORM_BYTES:
        for (size_t i = 0; i < field->size; i++) {
            /* 'bits' is written as a host number: its last byte is first. */
            uint8_t bits = (field->bits
                            ? field->bits >> (8 * (field->size - 1 - i))
                            : UINT8_MAX);

            bytes[i] |= p[i] & bits;
        }
        break;
    case OFFLOAD_FORM_U8:
        bytes[0] |= offload_field_value(field, flow);
        break;
    case OFFLOAD_FORM_U32:
        value = offload_field_value(field, flow);
        memcpy(&word, bytes, sizeof word);
        word |= htonl(value << field->rte.shift);
        memcpy(bytes, &word, sizeof word);
        break;
    case OFFLOAD_FORM_NONE:
    case OFFLOAD_FORM_IMPLIED:
    case OFFLOAD_FORM_U16:
    case OFFLOAD_FORM_SPECIAL:
    default:
        OVS_NOT_REACHED();
    }
}

static void
put_generic(struct encoder *e, const struct offload_field *field,
            enum offload_rte_item item)
{
    struct rte_header *h = header(e, item);

    merge(field, e->key, h->spec.bytes);
    merge(field, e->mask, h->mask.bytes);
}

static void
put_u8(struct encoder *e, enum offload_rte_item item, size_t ofs,
       uint8_t value, uint8_t mask)
{
    struct rte_header *h = header(e, item);

    h->spec.bytes[ofs] |= value & mask;
    h->mask.bytes[ofs] |= mask;
}

static void
put_be16(struct encoder *e, enum offload_rte_item item, size_t ofs,
         ovs_be16 value, ovs_be16 mask)
{
    struct rte_header *h = header(e, item);
    ovs_be16 v = value & mask;

    memcpy(&h->spec.bytes[ofs], &v, sizeof v);
    memcpy(&h->mask.bytes[ofs], &mask, sizeof mask);
}

/* Tunnels. */

static enum offload_rte_item
outer_ip(const struct encoder *e)
{
    const struct flow_tnl *packet = &e->rule->packet->tunnel;

    return (packet->ip_src || packet->ip_dst
            ? OFFLOAD_RTE_OUTER_IPV4 : OFFLOAD_RTE_OUTER_IPV6);
}

/* GRE's key has 32 bits, the other tunnels' ids 24. */
static int
put_tun_id(struct encoder *e, enum offload_field_id id)
{
    uint64_t mask = ntohll(e->mask->tunnel.tun_id);
    uint64_t value = ntohll(e->key->tunnel.tun_id);
    struct rte_header *h = header(e, OFFLOAD_RTE_TUNNEL);
    ovs_be32 vni, vni_mask;

    if (e->rule->in_port->kind == OFFLOAD_PORT_GRE) {
        if (value >> 32) {
            return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                          "GRE's keys have 32 bits");
        }
        e->gre_key = htonl(value);
        e->gre_key_mask = htonl(mask);
        return 0;
    }
    if (value >> 24) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      "the tunnel's ids have 24 bits");
    }
    vni = htonl(value << 8);
    vni_mask = htonl(mask << 8);
    memcpy(&h->spec.bytes[4], &vni, 3);
    memcpy(&h->mask.bytes[4], &vni_mask, 3);
    return 0;
}

static int
put_tun_tos(struct encoder *e, enum offload_field_id id OVS_UNUSED)
{
    const struct flow_tnl *key = &e->key->tunnel, *mask = &e->mask->tunnel;

    if (outer_ip(e) == OFFLOAD_RTE_OUTER_IPV4) {
        put_u8(e, OFFLOAD_RTE_OUTER_IPV4, 1, key->ip_tos, mask->ip_tos);
    } else {
        put_u8(e, OFFLOAD_RTE_OUTER_IPV6, 0, key->ip_tos >> 4,
               mask->ip_tos >> 4);
        put_u8(e, OFFLOAD_RTE_OUTER_IPV6, 1, key->ip_tos << 4,
               mask->ip_tos << 4);
    }
    return 0;
}

static int
put_tun_ttl(struct encoder *e, enum offload_field_id id OVS_UNUSED)
{
    enum offload_rte_item ip = outer_ip(e);

    put_u8(e, ip, ip == OFFLOAD_RTE_OUTER_IPV4 ? 8 : 7,
           e->key->tunnel.ip_ttl, e->mask->tunnel.ip_ttl);
    return 0;
}

/* The userspace datapath leaves the flag off whatever a packet has
 * (netdev_tnl_ip_extract_tnl_md() in Open vSwitch), and all megaflows out of a
 * tunnel match that: it says nothing about packets. */
static int
put_tun_df(struct encoder *e, enum offload_field_id id)
{
    return (e->key->tunnel.flags & FLOW_TNL_F_DONT_FRAGMENT
            ? refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                     "no packet in software has it")
            : 0);
}

/* Whether there is a checksum can be said of GRE, but no item says of UDP that
 * its checksum isn't zero: see the row's note for TC, which is in the same
 * position. */
static int
put_tun_csum(struct encoder *e, enum offload_field_id id)
{
    bool csum = e->key->tunnel.flags & FLOW_TNL_F_CSUM;

    if (e->rule->in_port->kind == OFFLOAD_PORT_GRE) {
        e->gre_flags |= htons(csum ? GRE_CSUM : 0);
        e->gre_flags_mask |= htons(GRE_CSUM);
    } else if (!csum) {
        put_be16(e, OFFLOAD_RTE_OUTER_UDP, 6, htons(0), OVS_BE16_MAX);
    } else if (offload_strict_tunnel_flags) {
        return refuse(e, OFFLOAD_REFUSED_FIELD, id,
                      "no item can tell that there is a checksum");
    }
    return 0;
}

static int
put_tun_oam(struct encoder *e, enum offload_field_id id)
{
    bool oam = e->key->tunnel.flags & FLOW_TNL_F_OAM;

    if (e->rule->in_port->kind == OFFLOAD_PORT_GENEVE) {
        put_u8(e, OFFLOAD_RTE_TUNNEL, 1, oam ? 0x80 : 0, 0x80);
    } else if (oam) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, "Geneve only");
    }
    return 0;
}

/* VXLAN and Geneve always have an id. */
static int
put_tun_key(struct encoder *e, enum offload_field_id id)
{
    bool key = e->key->tunnel.flags & FLOW_TNL_F_KEY;

    if (e->rule->in_port->kind == OFFLOAD_PORT_GRE) {
        e->gre_flags |= htons(key ? GRE_KEY : 0);
        e->gre_flags_mask |= htons(GRE_KEY);
    } else if (!key) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      "packets without an id");
    }
    return 0;
}

static const char *
judge_geneve(const struct geneve_opt *opt OVS_UNUSED,
             const struct geneve_opt *mask, size_t n)
{
    if (n > RTE_MAX_GENEVE_OPTS) {
        return "too many options";
    }
    return (mask->opt_class == OVS_BE16_MAX && mask->type == UINT8_MAX
            ? NULL : "class and type must be matched exactly");
}

/* Geneve's options are put behind the tunnel's item by put_geneve_opts().
 * Here, they are only checked. */
static int
put_tun_opts(struct encoder *e, enum offload_field_id id)
{
    const struct flow_tnl *packet = &e->rule->packet->tunnel;
    const char *why;

    if (e->rule->in_port->kind != OFFLOAD_PORT_GENEVE) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, "Geneve only");
    } else if (!(packet->flags & FLOW_TNL_F_UDPIF)
               && packet->metadata.present.map) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      "options in the form of OpenFlow");
    }
    why = (packet->flags & FLOW_TNL_F_UDPIF
           ? offload_check_geneve(&packet->metadata,
                                  &e->mask->tunnel.metadata, judge_geneve)
           : NULL);
    return why ? refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id, why) : 0;
}

/* Ethernet and VLANs. */

/* Behind how many tags the type is that the key has.  The megaflow may leave
 * open whether there is a second one; a rule can't: the item that has the type
 * depends on it.  So the rule is narrowed to what the megaflow's first packet
 * had. */
static int
count_tags(const struct encoder *e)
{
    const struct flow *packet = e->rule->packet;
    int n = 0;

    while (n < FLOW_MAX_VLAN_HEADERS
           && packet->vlans[n].tci & htons(VLAN_CFI)) {
        n++;
    }
    return n;
}

/* A VLAN's type, where Open vSwitch has found a tag and wasn't to look for
 * another (other_config:vlan-limit), is a type as any other.  Without a tag,
 * it is that of one which is cut off. */
static int
put_eth_type(struct encoder *e, enum offload_field_id id)
{
    int n = count_tags(e);

    if (ntohs(e->key->dl_type) < ETH_TYPE_MIN) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      "802.2, not Ethernet II");
    } else if (eth_type_vlan(e->key->dl_type)
               && (!n || n == FLOW_MAX_VLAN_HEADERS)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      n ? "a third VLAN" : "truncated VLAN header");
    }
    return 0;                   /* put_types() does it. */
}

/* A match on a tag's contents is one on its presence as well, or else it
 * holds for packets without a tag, too. */
static int
check_vlan(struct encoder *e, enum offload_field_id id)
{
    bool inner = id >= OFFLOAD_FIELD_CVLAN_TPID;

    if (!(e->mask->vlans[inner].tci & htons(VLAN_CFI))
        && e->mask->vlans[inner].tci) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_MASK, id,
                      "without a match on the tag's presence");
    }
    return 0;
}

/* The types: of each tag that must be there, and of what is behind. */
static int
put_types(struct encoder *e)
{
    static const enum offload_rte_item items[] = {
        OFFLOAD_RTE_ETH, OFFLOAD_RTE_VLAN, OFFLOAD_RTE_CVLAN };
    int n = count_tags(e);

    for (int i = 0; i < n; i++) {
        const union flow_vlan_hdr *key = &e->key->vlans[i];
        const union flow_vlan_hdr *mask = &e->mask->vlans[i];

        header(e, items[i]);
        header(e, items[i + 1]);
        if (mask->tpid) {
            put_be16(e, items[i], i ? 2 : 12, key->tpid, mask->tpid);
        }
        if (!i) {
            e->enc->headers[OFFLOAD_RTE_ETH].spec.eth.has_vlan = 1;
            e->enc->headers[OFFLOAD_RTE_ETH].mask.eth.has_vlan = 1;
        } else {
            e->enc->headers[items[i]].spec.vlan.has_more_vlan = 1;
            e->enc->headers[items[i]].mask.vlan.has_more_vlan = 1;
        }
    }
    if (is_matched(e, OFFLOAD_FIELD_ETH_TYPE)) {
        put_be16(e, items[n], n ? 2 : 12, e->key->dl_type, OVS_BE16_MAX);
    } else if (n < FLOW_MAX_VLAN_HEADERS
               && e->mask->vlans[n].tci & htons(VLAN_CFI)) {
        header(e, items[n]);
    }
    if (n < FLOW_MAX_VLAN_HEADERS
        && e->mask->vlans[n].tci & htons(VLAN_CFI)) {
        if (!n) {
            e->enc->headers[OFFLOAD_RTE_ETH].mask.eth.has_vlan = 1;
        } else {
            e->enc->headers[OFFLOAD_RTE_VLAN].mask.vlan.has_more_vlan = 1;
        }
    }
    return 0;
}

/* ARP: the opcode has 16 bits, of which Open vSwitch knows the lower 8; others
 * look like 0 to it. */
static int
put_arp_op(struct encoder *e, enum offload_field_id id)
{
    if (!e->key->nw_proto) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      "0 stands for all operations above 255");
    }
    put_be16(e, OFFLOAD_RTE_ARP, 6, htons(e->key->nw_proto), OVS_BE16_MAX);
    return 0;
}

/* IP. */

static bool
is_ipv6(const struct encoder *e)
{
    return e->key->dl_type == htons(ETH_TYPE_IPV6);
}

static bool
is_fragment(const struct encoder *e)
{
    return e->key->nw_frag & e->mask->nw_frag & FLOW_NW_FRAG_ANY;
}

/* The item of the header that an IP protocol has; OFFLOAD_N_RTE_ITEMS if there
 * is none. */
static enum offload_rte_item
item_of_proto(uint8_t proto)
{
    static const struct {
        uint8_t proto;
        enum offload_rte_item item;
    } rows[] = {
        { IPPROTO_TCP, OFFLOAD_RTE_TCP },
        { IPPROTO_UDP, OFFLOAD_RTE_UDP },
        { IPPROTO_SCTP, OFFLOAD_RTE_SCTP },
        { IPPROTO_ICMPV6, OFFLOAD_RTE_ICMP6 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].proto == proto) {
            return rows[i].item;
        }
    }
    return OFFLOAD_N_RTE_ITEMS;
}

static bool
is_extension(uint8_t proto)
{
    return (proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING
            || proto == IPPROTO_FRAGMENT || proto == IPPROTO_AH
            || proto == IPPROTO_DSTOPTS);
}

/* Open vSwitch's IPv6 protocol is that behind all extension headers, the
 * item's is what comes first.  They are the same of a header's item, whose
 * presence says it all, and of packets without extension headers; others with
 * a protocol that has no item stay in software.
 *
 * Open vSwitch gives an extension header's number to packets whose headers
 * are cut off; 0, a hop-by-hop header's, if it doesn't say more of them. */
static int
put_ipv6_proto(struct encoder *e, enum offload_field_id id)
{
    uint8_t proto = e->key->nw_proto;
    enum offload_rte_item item = item_of_proto(proto);

    if (is_extension(proto)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_VALUE, id,
                      "extension headers that are cut off");
    } else if (item != OFFLOAD_N_RTE_ITEMS) {
        header(e, item);
    } else if (is_fragment(e)) {
        put_u8(e, OFFLOAD_RTE_IPV6_FRAG, 0, proto, UINT8_MAX);
    } else {
        put_u8(e, OFFLOAD_RTE_IPV6, 6, proto, UINT8_MAX);
    }
    return 0;
}

static int
put_ip_proto(struct encoder *e, enum offload_field_id id)
{
    if (is_ipv6(e)) {
        return put_ipv6_proto(e, id);
    }
    put_u8(e, OFFLOAD_RTE_IPV4, 9, e->key->nw_proto, e->mask->nw_proto);
    return 0;
}

/* Where a fragment's offset and its "more" bit lie. */
struct frag_bits {
    enum offload_rte_item item;
    uint8_t ofs;
    uint16_t more, offset;
    uint16_t first;             /* The lowest offset. */
};

static void
put_frag_range(struct encoder *e, const struct frag_bits *bits, uint16_t from,
               uint16_t mask)
{
    struct rte_header *h = header(e, bits->item);
    ovs_be16 last = htons(mask);

    put_be16(e, bits->item, bits->ofs, htons(from), htons(mask));
    memcpy(&h->last.bytes[bits->ofs], &last, sizeof last);
    h->ranged = true;
}

static int
put_frag(struct encoder *e, enum offload_field_id id)
{
    static const struct frag_bits ipv4 = { OFFLOAD_RTE_IPV4, 6,
                                           IP_MORE_FRAGMENTS,
                                           IP_FRAG_OFF_MASK, 1 };
    static const struct frag_bits ipv6 = { OFFLOAD_RTE_IPV6_FRAG, 2, 1,
                                           0xfff8, 8 };
    const struct frag_bits *bits = is_ipv6(e) ? &ipv6 : &ipv4;
    uint8_t key = e->key->nw_frag;
    uint8_t mask = e->mask->nw_frag & FLOW_NW_FRAG_MASK;

    if (mask == FLOW_NW_FRAG_LATER && !(key & mask)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_MASK, id,
                      "\"not a later fragment\" would need two rules");
    }
    if (is_ipv6(e)) {
        struct rte_header *h = header(e, OFFLOAD_RTE_IPV6);

        h->spec.ipv6.has_frag_ext = (key & mask) != 0;
        h->mask.ipv6.has_frag_ext = 1;
    }
    if (key & mask & FLOW_NW_FRAG_LATER) {
        put_frag_range(e, bits, bits->first, bits->offset);
    } else if (!(key & mask)) {
        if (!is_ipv6(e)) {
            put_be16(e, bits->item, bits->ofs, htons(0),
                     htons(bits->offset | bits->more));
        }
    } else if (mask & FLOW_NW_FRAG_LATER) {
        put_be16(e, bits->item, bits->ofs, htons(bits->more),
                 htons(bits->offset | bits->more));
    } else {
        put_frag_range(e, bits, 1, bits->offset | bits->more);
    }
    return 0;
}

/* The fields that aren't just bytes. */

static int (*const special[OFFLOAD_N_FIELDS])(struct encoder *,
                                              enum offload_field_id) = {
    [OFFLOAD_FIELD_TUN_ID] = put_tun_id,
    [OFFLOAD_FIELD_TUN_TOS] = put_tun_tos,
    [OFFLOAD_FIELD_TUN_TTL] = put_tun_ttl,
    [OFFLOAD_FIELD_TUN_DF] = put_tun_df,
    [OFFLOAD_FIELD_TUN_CSUM] = put_tun_csum,
    [OFFLOAD_FIELD_TUN_OAM] = put_tun_oam,
    [OFFLOAD_FIELD_TUN_KEY] = put_tun_key,
    [OFFLOAD_FIELD_TUN_OPTS] = put_tun_opts,
    [OFFLOAD_FIELD_ETH_TYPE] = put_eth_type,
    [OFFLOAD_FIELD_VLAN_TPID] = check_vlan,
    [OFFLOAD_FIELD_VLAN_PRESENT] = check_vlan,
    [OFFLOAD_FIELD_CVLAN_TPID] = check_vlan,
    [OFFLOAD_FIELD_CVLAN_PRESENT] = check_vlan,
    [OFFLOAD_FIELD_ARP_OP] = put_arp_op,
    [OFFLOAD_FIELD_IP_PROTO] = put_ip_proto,
    [OFFLOAD_FIELD_IP_FRAG] = put_frag,
};

static bool
is_tag_field(enum offload_field_id id)
{
    return id >= OFFLOAD_FIELD_VLAN_TPID && id <= OFFLOAD_FIELD_CVLAN_PRESENT;
}

static int
put_field(struct encoder *e, enum offload_field_id id)
{
    const struct offload_field *field = offload_field_get(id);

    if (field->rte.maskable == OFFLOAD_MASK_EXACT
        && !offload_field_is_exact(field, e->mask)) {
        return refuse(e, OFFLOAD_REFUSED_FIELD_MASK, id,
                      "exactly or not at all");
    }
    switch (field->rte.form) {
    case OFFLOAD_FORM_IMPLIED:
        return 0;
    case OFFLOAD_FORM_BYTES:
    case OFFLOAD_FORM_U8:
    case OFFLOAD_FORM_U32:
        if (is_tag_field(id)) {
            int error = check_vlan(e, id);

            if (error) {
                return error;
            }
        }
        put_generic(e, field, field->rte.item);
        return 0;
    case OFFLOAD_FORM_SPECIAL:
        return special[id](e, id);
    case OFFLOAD_FORM_NONE:
    case OFFLOAD_FORM_U16:
    default:
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_FIELD, field->name,
                              NULL, "no rte_flow item has it");
    }
}

/* Tunnel ports' rules: what is always there. */

static const struct {
    enum rte_flow_item_type type;
    size_t size;                /* Of the header, bytes, without options. */
    bool udp;
} tunnels[] = {
    [OFFLOAD_PORT_VXLAN] = { RTE_FLOW_ITEM_TYPE_VXLAN, 8, true },
    [OFFLOAD_PORT_GENEVE] = { RTE_FLOW_ITEM_TYPE_GENEVE, 8, true },
    [OFFLOAD_PORT_GRE] = { RTE_FLOW_ITEM_TYPE_GRE, 4, false },
};

/* The length of options (Geneve) and optional parts (GRE) must be known: what
 * is taken off is counted in bytes.  So the rule is narrowed to what the
 * megaflow's first packet had. */
static void
put_tunnel(struct encoder *e)
{
    const struct offload_port *port = e->rule->in_port;
    const struct flow_tnl *packet = &e->rule->packet->tunnel;

    header(e, outer_ip(e));
    header(e, OFFLOAD_RTE_TUNNEL);
    if (tunnels[port->kind].udp) {
        put_be16(e, OFFLOAD_RTE_OUTER_UDP, 2, port->tp_dst, OVS_BE16_MAX);
    }
    if (port->kind == OFFLOAD_PORT_GENEVE) {
        uint8_t len = (packet->flags & FLOW_TNL_F_UDPIF
                       ? packet->metadata.present.len / 4 : 0);

        put_u8(e, OFFLOAD_RTE_TUNNEL, 0, len, 0x3f);
    } else if (port->kind == OFFLOAD_PORT_GRE) {
        if (!(e->gre_flags_mask & htons(GRE_KEY))
            && packet->flags & FLOW_TNL_F_KEY) {
            e->gre_flags |= htons(GRE_KEY);
        }
        if (!(e->gre_flags_mask & htons(GRE_CSUM))
            && packet->flags & FLOW_TNL_F_CSUM) {
            e->gre_flags |= htons(GRE_CSUM);
        }
        put_be16(e, OFFLOAD_RTE_TUNNEL, 0, e->gre_flags,
                 htons(GRE_CSUM | GRE_KEY | GRE_SEQ));
        put_be16(e, OFFLOAD_RTE_TUNNEL, 2, htons(ETH_TYPE_TEB), OVS_BE16_MAX);
    }
}

size_t
rte_outer_size(const struct rte_encoding *enc, const struct offload_rule *rule)
{
    enum offload_port_kind kind = rule->in_port->kind;
    const union rte_spec *spec = &enc->headers[OFFLOAD_RTE_TUNNEL].spec;
    size_t size = ETH_HEADER_LEN + tunnels[kind].size;

    size += (enc->headers[OFFLOAD_RTE_OUTER_IPV4].present
             ? IP_HEADER_LEN : IPV6_HEADER_LEN);
    size += tunnels[kind].udp ? UDP_HEADER_LEN : 0;
    if (kind == OFFLOAD_PORT_GENEVE) {
        size += (spec->bytes[0] & 0x3f) * 4;
    } else if (kind == OFFLOAD_PORT_GRE) {
        ovs_be16 flags = get_unaligned_be16((void *) &spec->bytes[0]);

        size += flags & htons(GRE_CSUM) ? 4 : 0;
        size += flags & htons(GRE_KEY) ? 4 : 0;
    }
    return size;
}

/* Items. */

static int
put_item(struct encoder *e, enum rte_flow_item_type type, const void *spec,
         const void *last, const void *mask)
{
    struct rte_encoding *enc = e->enc;

    if (enc->n_items >= RTE_MAX_ITEMS) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_TOO_MANY_ACTIONS,
                              "items", NULL, "more than %d", RTE_MAX_ITEMS);
    }
    enc->items[enc->n_items++] = (struct rte_flow_item) {
        .type = type, .spec = spec, .last = last, .mask = mask,
    };
    return 0;
}

/* Where packets come in.  A transfer rule without such an item matches only
 * what enters at the port it is created on; a tunnel's packets come in at any
 * port that leads to the tunnel's group. */
static int
put_port_item(struct encoder *e, const struct rte_port *port)
{
    enum rte_flow_item_type type = (port->represented
                                    ? RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT
                                    : RTE_FLOW_ITEM_TYPE_PORT_ID);
    bool any = offload_port_kind_is_tunnel(e->rule->in_port->kind);
    union {
        struct rte_flow_item_ethdev ethdev;
        struct rte_flow_item_port_id port_id;
    } *spec, *mask;

    if (e->enc->partial) {
        return 0;
    }
    spec = rte_encoding_alloc(e->enc, sizeof *spec);
    mask = rte_encoding_alloc(e->enc, sizeof *mask);
    if (port->represented) {
        spec->ethdev.port_id = any ? 0 : port->id;
        mask->ethdev.port_id = any ? 0 : UINT16_MAX;
    } else {
        spec->port_id.id = any ? 0 : port->id;
        mask->port_id.id = any ? 0 : UINT32_MAX;
    }
    return put_item(e, type, spec, NULL, mask);
}

static int
put_header(struct encoder *e, enum offload_rte_item item,
           enum rte_flow_item_type type)
{
    const struct rte_header *h = &e->enc->headers[item];
    bool blank;

    if (!h->present) {
        return 0;
    }
    blank = is_all_zeros(&h->mask, sizeof h->mask);
    return put_item(e, type, blank ? NULL : &h->spec,
                    h->ranged ? &h->last : NULL, blank ? NULL : &h->mask);
}

static int
put_gre_key(struct encoder *e)
{
    ovs_be32 *spec, *mask;

    if (!e->gre_key_mask || !(e->gre_flags & htons(GRE_KEY))) {
        return 0;
    }
    spec = rte_encoding_alloc(e->enc, sizeof *spec);
    mask = rte_encoding_alloc(e->enc, sizeof *mask);
    *spec = e->gre_key;
    *mask = e->gre_key_mask;
    return put_item(e, RTE_FLOW_ITEM_TYPE_GRE_KEY, spec, NULL, mask);
}

/* 'from' is the key, or the mask.  'len' is the data's length in units of 4
 * bytes, which must be exactly that. */
static struct rte_flow_item_geneve_opt *
geneve_opt(struct encoder *e, const struct geneve_opt *from, uint8_t len,
           uint8_t option_len)
{
    struct rte_flow_item_geneve_opt *opt
        = rte_encoding_alloc(e->enc, sizeof *opt);
    uint32_t *data = len ? rte_encoding_alloc(e->enc, len * 4) : NULL;

    opt->option_class = (OVS_FORCE uint16_t) from->opt_class;
    opt->option_type = from->type;
    opt->option_len = option_len;
    if (len) {
        memcpy(data, from + 1, len * 4);
    }
    opt->data = data;
    return opt;
}

static int
put_geneve_opts(struct encoder *e)
{
    const struct tun_metadata *packet = &e->rule->packet->tunnel.metadata;
    const struct tun_metadata *key = &e->key->tunnel.metadata;
    const struct tun_metadata *mask = &e->mask->tunnel.metadata;
    size_t size;

    if (!is_matched(e, OFFLOAD_FIELD_TUN_OPTS)
        || !(e->rule->packet->tunnel.flags & FLOW_TNL_F_UDPIF)) {
        return 0;
    }
    for (size_t i = 0; i * sizeof *packet->opts.gnv < packet->present.len;
         i += size) {
        uint8_t len = packet->opts.gnv[i].length;
        int error;

        error = put_item(e, RTE_FLOW_ITEM_TYPE_GENEVE_OPT,
                         geneve_opt(e, &key->opts.gnv[i], len, len), NULL,
                         geneve_opt(e, &mask->opts.gnv[i], len, UINT8_MAX));
        if (error) {
            return error;
        }
        size = 1 + len;
    }
    return 0;
}

static int
put_outer_items(struct encoder *e)
{
    enum offload_port_kind kind = e->rule->in_port->kind;
    int error = put_item(e, RTE_FLOW_ITEM_TYPE_ETH, NULL, NULL, NULL);

    for (int item = OFFLOAD_RTE_OUTER_IPV4; !error; item++) {
        static const enum rte_flow_item_type types[] = {
            [OFFLOAD_RTE_OUTER_IPV4] = RTE_FLOW_ITEM_TYPE_IPV4,
            [OFFLOAD_RTE_OUTER_IPV6] = RTE_FLOW_ITEM_TYPE_IPV6,
            [OFFLOAD_RTE_OUTER_UDP] = RTE_FLOW_ITEM_TYPE_UDP,
        };
        if (item == OFFLOAD_RTE_TUNNEL) {
            error = put_header(e, OFFLOAD_RTE_TUNNEL, tunnels[kind].type);
            break;
        }
        error = put_header(e, item, types[item]);
    }
    return (error ? error
            : kind == OFFLOAD_PORT_GRE ? put_gre_key(e)
            : kind == OFFLOAD_PORT_GENEVE ? put_geneve_opts(e) : 0);
}

static int
put_items(struct encoder *e, const struct rte_port *port)
{
    static const enum rte_flow_item_type types[OFFLOAD_N_RTE_ITEMS] = {
#define OFFLOAD_RTE_ITEM(ID, ITEM) \
        [OFFLOAD_RTE_##ID] = RTE_FLOW_ITEM_TYPE_##ITEM,
        OFFLOAD_RTE_ITEMS
#undef OFFLOAD_RTE_ITEM
    };
    int error = put_port_item(e, port);

    if (!error && offload_port_kind_is_tunnel(e->rule->in_port->kind)) {
        error = put_outer_items(e);
    }
    header(e, OFFLOAD_RTE_ETH);
    for (int item = OFFLOAD_RTE_ETH; item < OFFLOAD_N_RTE_ITEMS && !error;
         item++) {
        error = put_header(e, item, types[item]);
    }
    return error ? error : put_item(e, RTE_FLOW_ITEM_TYPE_END, NULL, NULL,
                                    NULL);
}

/* A header can be there only behind what leads to it. */
static void
put_l3(struct encoder *e)
{
    const struct rte_header *h = e->enc->headers;

    if (h[OFFLOAD_RTE_IPV6_FRAG].present) {
        header(e, OFFLOAD_RTE_IPV6);
    }
    if (is_matched(e, OFFLOAD_FIELD_ETH_TYPE) && is_ip_any(e->key)) {
        header(e, is_ipv6(e) ? OFFLOAD_RTE_IPV6 : OFFLOAD_RTE_IPV4);
    }
}

int
rte_match_encode(const struct offload_rule *rule, const struct rte_port *port,
                 struct rte_encoding *enc, struct offload_refusal *refusal)
{
    struct encoder e = {
        .rule = rule,
        .key = &rule->match.flow,
        .mask = &rule->match.wc.masks,
        .enc = enc,
        .refusal = refusal,
    };
    bool tunnel = offload_port_kind_is_tunnel(rule->in_port->kind);
    size_t id;
    int error;

    memset(enc->headers, 0, sizeof enc->headers);
    if (!tunnel && bitmap_scan(rule->fields, true, OFFLOAD_FIELD_TUN_ID,
                               OFFLOAD_FIELD_TUN_GTPU + 1)
                   <= OFFLOAD_FIELD_TUN_GTPU) {
        return refuse(&e, OFFLOAD_REFUSED_FIELD, OFFLOAD_FIELD_TUN_ID,
                      "of a port that is no tunnel");
    }
    BITMAP_FOR_EACH_1 (id, OFFLOAD_N_FIELDS, rule->fields) {
        error = put_field(&e, id);
        if (error) {
            return error;
        }
    }
    if (tunnel) {
        put_tunnel(&e);
    }
    error = put_types(&e);
    put_l3(&e);
    return error ? error : put_items(&e, port);
}
