/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-field.h"

#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_pedit.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>

#include "bitmap.h"
#include "flow.h"
#include "offload-rule.h"
#include "packets.h"
#include "util.h"

bool offload_strict_tunnel_flags;

/* Shorthands for the rows. */
#define FLOW(MEMBER)                                        \
    .ofs = offsetof(struct flow, MEMBER),                   \
    .size = sizeof ((struct flow *) NULL)->MEMBER
#define FLOW_SPAN(FIRST, LAST)      /* From FIRST up to and with LAST. */   \
    .ofs = offsetof(struct flow, FIRST),                                    \
    .size = (offsetof(struct flow, LAST) - offsetof(struct flow, FIRST)     \
             + sizeof ((struct flow *) NULL)->LAST)
#define BITS(MASK) .bits = (MASK)
#define HOST .host_order = true
#define PRE(PREREQ) .prereq = OFFLOAD_PRE_##PREREQ
#define TC(FORM, MASKABLE, KEY, MASK)                       \
    .tc.form = OFFLOAD_FORM_##FORM,                         \
    .tc.maskable = OFFLOAD_MASK_##MASKABLE,                 \
    .tc.key = (KEY), .tc.mask = (MASK)
#define TC_ANY(FORM, KEY) \
    TC(FORM, ANY, TCA_FLOWER_KEY_##KEY, TCA_FLOWER_KEY_##KEY##_MASK)
#define TC_EXACT(FORM, KEY) TC(FORM, EXACT, TCA_FLOWER_KEY_##KEY, 0)
#define TC_SPECIAL(MASKABLE) TC(SPECIAL, MASKABLE, 0, 0)
#define TC_IMPLIED TC(IMPLIED, ANY, 0, 0)
#define TC_NONE TC(NONE, ANY, 0, 0)
#define NOTE(TEXT) .tc.note = (TEXT)
#define RTE(FORM, ITEM, OFS)                                \
    .rte.form = OFFLOAD_FORM_##FORM,                        \
    .rte.item = OFFLOAD_RTE_##ITEM, .rte.ofs = (OFS)
#define RTE_IMPLIED .rte.form = OFFLOAD_FORM_IMPLIED
#define RTE_EXACT .rte.maskable = OFFLOAD_MASK_EXACT
#define RTE_SET .rte.can_set = true
#define RTE_NOTE(TEXT) .rte.note = (TEXT)
#define PEDIT(HTYPE, OFS, CSUM)                             \
    .pedit.can = true,                                      \
    .pedit.htype = TCA_PEDIT_KEY_EX_HDR_TYPE_##HTYPE,       \
    .pedit.ofs = (OFS), .pedit.csum = (CSUM)
#define IPV4_CSUM OFFLOAD_CSUM_IPV4
#define L4_CSUM OFFLOAD_CSUM_L4

/* No OpenFlow rule can see or depend on DF and CSUM of the outer header: only
 * the flags in FLOW_TNL_PUB_F_MASK, which is OAM, are OpenFlow's (Open
 * vSwitch, include/openvswitch/packets.h), and tnl_port_send() replaces all
 * others before a packet leaves through a tunnel (ofproto/tunnel.c).  Yet
 * tnl_wc_init(), same file, matches both for every packet out of a tunnel. */
#define NOTE_WIDER \
    NOTE("Linux 6.12; before that, not matched unless " \
         "other_config:offload-strict-tunnel-flags is set, which refuses it")

static const struct offload_field fields[OFFLOAD_N_FIELDS] = {
    [OFFLOAD_FIELD_IN_PORT] = {
        "in_port", FLOW(in_port), HOST, TC_IMPLIED,
        NOTE("the device that the filter is on"),
        RTE_IMPLIED },
    [OFFLOAD_FIELD_RECIRC_ID] = {
        "recirc_id", FLOW(recirc_id), HOST, TC_SPECIAL(ANY),
        NOTE("the chain, below 2^28; NET_TC_SKB_EXT in the kernel"),
        RTE_IMPLIED, RTE_NOTE("0 only") }, /* See offload_rule_parse(). */
    [OFFLOAD_FIELD_PACKET_TYPE] = {
        "packet_type", FLOW(packet_type), TC_NONE,
        NOTE("Ethernet is a matter of course") },

    [OFFLOAD_FIELD_TUN_ID] = {
        "tunnel(tun_id)", FLOW(tunnel.tun_id), PRE(TUNNEL),
        TC(SPECIAL, EXACT, TCA_FLOWER_KEY_ENC_KEY_ID, 0),
        NOTE("up to 32 bits"),
        RTE(SPECIAL, TUNNEL, 4), RTE_NOTE("24 bits, GRE 32") },
    [OFFLOAD_FIELD_TUN_SRC] = {
        "tunnel(src)", FLOW(tunnel.ip_src), PRE(TUNNEL),
        TC_ANY(BYTES, ENC_IPV4_SRC),
        RTE(BYTES, OUTER_IPV4, 12) },
    [OFFLOAD_FIELD_TUN_DST] = {
        "tunnel(dst)", FLOW(tunnel.ip_dst), PRE(TUNNEL),
        TC_ANY(BYTES, ENC_IPV4_DST),
        RTE(BYTES, OUTER_IPV4, 16) },
    [OFFLOAD_FIELD_TUN_IPV6_SRC] = {
        "tunnel(ipv6_src)", FLOW(tunnel.ipv6_src), PRE(TUNNEL),
        TC_ANY(BYTES, ENC_IPV6_SRC),
        RTE(BYTES, OUTER_IPV6, 8) },
    [OFFLOAD_FIELD_TUN_IPV6_DST] = {
        "tunnel(ipv6_dst)", FLOW(tunnel.ipv6_dst), PRE(TUNNEL),
        TC_ANY(BYTES, ENC_IPV6_DST),
        RTE(BYTES, OUTER_IPV6, 24) },
    [OFFLOAD_FIELD_TUN_TOS] = {
        "tunnel(tos)", FLOW(tunnel.ip_tos), PRE(TUNNEL),
        TC_ANY(U8, ENC_IP_TOS),
        RTE(SPECIAL, OUTER_IPV4, 1) },
    [OFFLOAD_FIELD_TUN_TTL] = {
        "tunnel(ttl)", FLOW(tunnel.ip_ttl), PRE(TUNNEL),
        TC_ANY(U8, ENC_IP_TTL),
        RTE(SPECIAL, OUTER_IPV4, 8) },
    [OFFLOAD_FIELD_TUN_TP_SRC] = {
        "tunnel(tp_src)", FLOW(tunnel.tp_src), PRE(TUNNEL),
        TC_ANY(BYTES, ENC_UDP_SRC_PORT),
        RTE(BYTES, OUTER_UDP, 0) },
    [OFFLOAD_FIELD_TUN_TP_DST] = {
        "tunnel(tp_dst)", FLOW(tunnel.tp_dst), PRE(TUNNEL),
        TC(SPECIAL, ANY, TCA_FLOWER_KEY_ENC_UDP_DST_PORT,
           TCA_FLOWER_KEY_ENC_UDP_DST_PORT_MASK),
        NOTE("always matched exactly: drivers ask for it"),
        RTE(BYTES, OUTER_UDP, 2) },
    [OFFLOAD_FIELD_TUN_DF] = {
        "tunnel(flags(df))", FLOW(tunnel.flags), HOST,
        BITS(FLOW_TNL_F_DONT_FRAGMENT), PRE(TUNNEL), TC_SPECIAL(ANY),
        NOTE_WIDER,
        RTE(SPECIAL, OUTER_IPV4, 6), RTE_NOTE("whatever packets have") },
    [OFFLOAD_FIELD_TUN_CSUM] = {
        "tunnel(flags(csum))", FLOW(tunnel.flags), HOST,
        BITS(FLOW_TNL_F_CSUM), PRE(TUNNEL), TC_SPECIAL(ANY), NOTE_WIDER,
        RTE(SPECIAL, OUTER_UDP, 6),
        RTE_NOTE("that there is one: GRE only, others as before Linux 6.12") },
    [OFFLOAD_FIELD_TUN_OAM] = {
        "tunnel(flags(oam))", FLOW(tunnel.flags), HOST,
        BITS(FLOW_TNL_F_OAM), PRE(TUNNEL), TC_SPECIAL(ANY),
        NOTE("Linux 6.12"),
        RTE(SPECIAL, TUNNEL, 1), RTE_NOTE("Geneve only") },
    [OFFLOAD_FIELD_TUN_KEY] = {
        "tunnel(flags(key))", FLOW(tunnel.flags), HOST,
        BITS(FLOW_TNL_F_KEY), PRE(TUNNEL), TC_SPECIAL(ANY),
        NOTE("GRE without a key is the same as key 0"),
        RTE(SPECIAL, TUNNEL, 0) },
    [OFFLOAD_FIELD_TUN_FLAGS] = {
        "tunnel(flags)", FLOW(tunnel.flags), HOST,
        BITS(UINT16_MAX & ~FLOW_TNL_F_MASK), PRE(TUNNEL), TC_IMPLIED,
        NOTE("not the packet's: Open vSwitch's own"),
        RTE_IMPLIED },
    [OFFLOAD_FIELD_TUN_GBP_ID] = {
        "tunnel(vxlan(gbp(id)))", FLOW(tunnel.gbp_id), PRE(TUNNEL),
        TC_SPECIAL(ANY), NOTE("but not the absence of a group") },
    [OFFLOAD_FIELD_TUN_GBP_FLAGS] = {
        "tunnel(vxlan(gbp(flags)))", FLOW(tunnel.gbp_flags), PRE(TUNNEL),
        TC_SPECIAL(ANY), NOTE("but not the absence of a group") },
    [OFFLOAD_FIELD_TUN_OPTS] = {
        "tunnel(geneve)", FLOW(tunnel.metadata), PRE(TUNNEL),
        TC(SPECIAL, ANY, TCA_FLOWER_KEY_ENC_OPTS,
           TCA_FLOWER_KEY_ENC_OPTS_MASK),
        NOTE("options of 4 bytes and more, but not the absence of all; the "
             "kernel lets pass what has other options behind if all bits of "
             "the length are on in its length too"),
        RTE(SPECIAL, TUNNEL, 8), RTE_NOTE("class and type exactly") },
    [OFFLOAD_FIELD_TUN_ERSPAN] = {
        "tunnel(erspan)", FLOW_SPAN(tunnel.erspan_ver, tunnel.erspan_hwid),
        PRE(TUNNEL), TC_NONE },
    [OFFLOAD_FIELD_TUN_GTPU] = {
        "tunnel(gtpu)", FLOW_SPAN(tunnel.gtpu_flags, tunnel.gtpu_msgtype),
        PRE(TUNNEL), TC_NONE },

    [OFFLOAD_FIELD_CT_STATE] = {
        "ct_state", FLOW(ct_state), TC_ANY(SPECIAL, CT_STATE),
        NOTE("new, est, rel, rpl, inv, trk, as far as the kernel can; what "
             "is established is not \"rel\" to the kernel") },
    [OFFLOAD_FIELD_CT_ZONE] = {
        "ct_zone", FLOW(ct_zone), HOST, TC_ANY(U16, CT_ZONE) },
    [OFFLOAD_FIELD_CT_MARK] = {
        "ct_mark", FLOW(ct_mark), HOST, TC_ANY(U32, CT_MARK) },
    [OFFLOAD_FIELD_CT_LABEL] = {
        "ct_label", FLOW(ct_label), HOST, TC_ANY(BYTES, CT_LABELS) },
    [OFFLOAD_FIELD_CT_TUPLE4] = {
        "ct_tuple4", FLOW_SPAN(ct_nw_src, ct_nw_dst), TC_NONE },
    [OFFLOAD_FIELD_CT_TUPLE6] = {
        "ct_tuple6", FLOW_SPAN(ct_ipv6_src, ct_ipv6_dst), TC_NONE },
    [OFFLOAD_FIELD_CT_TUPLE_PROTO] = {
        "ct_tuple(proto)", FLOW(ct_nw_proto), TC_NONE },
    [OFFLOAD_FIELD_CT_TUPLE_PORTS] = {
        "ct_tuple(tp_src,tp_dst)", FLOW_SPAN(ct_tp_src, ct_tp_dst), TC_NONE },

    [OFFLOAD_FIELD_ETH_SRC] = {
        "eth(src)", FLOW(dl_src), PRE(ETHERNET), TC_ANY(BYTES, ETH_SRC),
        PEDIT(ETH, 6, 0),
        RTE(BYTES, ETH, 6), RTE_SET },
    [OFFLOAD_FIELD_ETH_DST] = {
        "eth(dst)", FLOW(dl_dst), PRE(ETHERNET), TC_ANY(BYTES, ETH_DST),
        PEDIT(ETH, 0, 0),
        RTE(BYTES, ETH, 0), RTE_SET },
    [OFFLOAD_FIELD_ETH_TYPE] = {
        "eth_type", FLOW(dl_type), TC(SPECIAL, EXACT, 0, 0),
        NOTE("Ethernet II"),
        RTE(SPECIAL, ETH, 12), RTE_EXACT },
    [OFFLOAD_FIELD_VLAN_TPID] = {
        "eth_type(vlan)", FLOW(vlans[0].tpid), PRE(ETHERNET),
        TC(SPECIAL, EXACT, 0, 0), NOTE("802.1Q, 802.1ad"),
        RTE(SPECIAL, ETH, 12) },
    [OFFLOAD_FIELD_VLAN_VID] = {
        "vlan(vid)", FLOW(vlans[0].tci), BITS(VLAN_VID_MASK), PRE(ETHERNET),
        TC_EXACT(U16, VLAN_ID),
        RTE(BYTES, VLAN, 0), RTE_NOTE("with the tag's presence") },
    [OFFLOAD_FIELD_VLAN_PCP] = {
        "vlan(pcp)", FLOW(vlans[0].tci), BITS(VLAN_PCP_MASK), PRE(ETHERNET),
        TC_EXACT(U8, VLAN_PRIO),
        RTE(BYTES, VLAN, 0), RTE_NOTE("with the tag's presence") },
    [OFFLOAD_FIELD_VLAN_PRESENT] = {
        "vlan", FLOW(vlans[0].tci), BITS(VLAN_CFI), PRE(ETHERNET),
        TC_SPECIAL(ANY), NOTE("by its TPID; none by Linux 5.19"),
        RTE(SPECIAL, VLAN, 0) },
    [OFFLOAD_FIELD_CVLAN_TPID] = {
        "eth_type(cvlan)", FLOW(vlans[1].tpid), PRE(ETHERNET),
        TC(SPECIAL, EXACT, 0, 0), NOTE("802.1Q, 802.1ad"),
        RTE(SPECIAL, VLAN, 2) },
    [OFFLOAD_FIELD_CVLAN_VID] = {
        "cvlan(vid)", FLOW(vlans[1].tci), BITS(VLAN_VID_MASK), PRE(ETHERNET),
        TC_EXACT(U16, CVLAN_ID),
        RTE(BYTES, CVLAN, 0), RTE_NOTE("with the tag's presence") },
    [OFFLOAD_FIELD_CVLAN_PCP] = {
        "cvlan(pcp)", FLOW(vlans[1].tci), BITS(VLAN_PCP_MASK), PRE(ETHERNET),
        TC_EXACT(U8, CVLAN_PRIO),
        RTE(BYTES, CVLAN, 0), RTE_NOTE("with the tag's presence") },
    [OFFLOAD_FIELD_CVLAN_PRESENT] = {
        "cvlan", FLOW(vlans[1].tci), BITS(VLAN_CFI), PRE(ETHERNET),
        TC_SPECIAL(ANY), NOTE("by its TPID; none by Linux 5.19"),
        RTE(SPECIAL, CVLAN, 0) },
    [OFFLOAD_FIELD_MPLS_LABEL] = {
        "mpls(label)", FLOW(mpls_lse[0]), BITS(MPLS_LABEL_MASK), PRE(MPLS),
        TC_EXACT(U32, MPLS_LABEL),
        RTE(BYTES, MPLS, 0) },
    [OFFLOAD_FIELD_MPLS_TC] = {
        "mpls(tc)", FLOW(mpls_lse[0]), BITS(MPLS_TC_MASK), PRE(MPLS),
        TC_EXACT(U8, MPLS_TC),
        RTE(BYTES, MPLS, 0) },
    [OFFLOAD_FIELD_MPLS_BOS] = {
        "mpls(bos)", FLOW(mpls_lse[0]), BITS(MPLS_BOS_MASK), PRE(MPLS),
        TC_EXACT(U8, MPLS_BOS),
        RTE(BYTES, MPLS, 0) },
    [OFFLOAD_FIELD_MPLS_TTL] = {
        "mpls(ttl)", FLOW(mpls_lse[0]), BITS(MPLS_TTL_MASK), PRE(MPLS),
        TC_EXACT(U8, MPLS_TTL),
        RTE(BYTES, MPLS, 0) },
    [OFFLOAD_FIELD_MPLS_INNER] = {
        "mpls(lse1)", FLOW_SPAN(mpls_lse[1], mpls_lse[3]), PRE(MPLS),
        TC_NONE },

    [OFFLOAD_FIELD_ARP_SIP] = {
        "arp(sip)", FLOW(nw_src), PRE(ARP), TC_ANY(BYTES, ARP_SIP),
        RTE(BYTES, ARP, 16) },
    [OFFLOAD_FIELD_ARP_TIP] = {
        "arp(tip)", FLOW(nw_dst), PRE(ARP), TC_ANY(BYTES, ARP_TIP),
        RTE(BYTES, ARP, 28) },
    [OFFLOAD_FIELD_ARP_OP] = {
        "arp(op)", FLOW(nw_proto), PRE(ARP), TC_ANY(U8, ARP_OP),
        NOTE("1 and 2: the kernel looks into requests and replies only"),
        RTE(SPECIAL, ARP, 6), RTE_EXACT, RTE_NOTE("not 0") },
    [OFFLOAD_FIELD_ARP_SHA] = {
        "arp(sha)", FLOW(arp_sha), PRE(ARP), TC_ANY(BYTES, ARP_SHA),
        RTE(BYTES, ARP, 8) },
    [OFFLOAD_FIELD_ARP_THA] = {
        "arp(tha)", FLOW(arp_tha), PRE(ARP), TC_ANY(BYTES, ARP_THA),
        RTE(BYTES, ARP, 20) },

    [OFFLOAD_FIELD_IPV4_SRC] = {
        "ipv4(src)", FLOW(nw_src), PRE(IPV4), TC_ANY(BYTES, IPV4_SRC),
        PEDIT(IP4, 12, IPV4_CSUM | L4_CSUM),
        RTE(BYTES, IPV4, 12), RTE_SET },
    [OFFLOAD_FIELD_IPV4_DST] = {
        "ipv4(dst)", FLOW(nw_dst), PRE(IPV4), TC_ANY(BYTES, IPV4_DST),
        PEDIT(IP4, 16, IPV4_CSUM | L4_CSUM),
        RTE(BYTES, IPV4, 16), RTE_SET },
    [OFFLOAD_FIELD_IPV6_SRC] = {
        "ipv6(src)", FLOW(ipv6_src), PRE(IPV6), TC_ANY(BYTES, IPV6_SRC),
        PEDIT(IP6, 8, L4_CSUM),
        RTE(BYTES, IPV6, 8), RTE_SET },
    [OFFLOAD_FIELD_IPV6_DST] = {
        "ipv6(dst)", FLOW(ipv6_dst), PRE(IPV6), TC_ANY(BYTES, IPV6_DST),
        PEDIT(IP6, 24, L4_CSUM),
        RTE(BYTES, IPV6, 24), RTE_SET },
    [OFFLOAD_FIELD_IPV6_LABEL] = {
        "ipv6(label)", FLOW(ipv6_label), PRE(IPV6), TC_NONE,
        PEDIT(IP6, 0, 0),
        RTE(BYTES, IPV6, 0) },
    [OFFLOAD_FIELD_IP_PROTO] = {
        "ip(proto)", FLOW(nw_proto), PRE(IP), TC_EXACT(U8, IP_PROTO),
        RTE(SPECIAL, IPV4, 9) },
    [OFFLOAD_FIELD_IP_TOS] = {
        "ipv4(tos)", FLOW(nw_tos), PRE(IPV4), TC_ANY(U8, IP_TOS),
        PEDIT(IP4, 1, IPV4_CSUM),
        RTE(U8, IPV4, 1), RTE_SET },
    [OFFLOAD_FIELD_IP_TTL] = {
        "ipv4(ttl)", FLOW(nw_ttl), PRE(IPV4), TC_ANY(U8, IP_TTL),
        PEDIT(IP4, 8, IPV4_CSUM),
        RTE(U8, IPV4, 8), RTE_SET },
    [OFFLOAD_FIELD_IPV6_TCLASS] = {
        "ipv6(tclass)", FLOW(nw_tos), PRE(IPV6), TC_ANY(U8, IP_TOS),
        PEDIT(IP6, 0, 0), .pedit.shift = 20,
        RTE(U32, IPV6, 0), .rte.shift = 20, RTE_SET },
    [OFFLOAD_FIELD_IPV6_HLIMIT] = {
        "ipv6(hlimit)", FLOW(nw_ttl), PRE(IPV6), TC_ANY(U8, IP_TTL),
        PEDIT(IP6, 7, 0),
        RTE(U8, IPV6, 7), RTE_SET },
    [OFFLOAD_FIELD_IP_FRAG] = {
        "ip(frag)", FLOW(nw_frag), PRE(IP), TC_ANY(SPECIAL, FLAGS),
        NOTE("transport fields of whole packets only: the kernel does not "
             "look for them in fragments"),
        RTE(SPECIAL, IPV4, 6) },

    [OFFLOAD_FIELD_TCP_SRC] = {
        "tcp(src)", FLOW(tp_src), PRE(TCP), TC_ANY(BYTES, TCP_SRC),
        PEDIT(TCP, 0, L4_CSUM),
        RTE(BYTES, TCP, 0), RTE_SET },
    [OFFLOAD_FIELD_TCP_DST] = {
        "tcp(dst)", FLOW(tp_dst), PRE(TCP), TC_ANY(BYTES, TCP_DST),
        PEDIT(TCP, 2, L4_CSUM),
        RTE(BYTES, TCP, 2), RTE_SET },
    [OFFLOAD_FIELD_TCP_FLAGS] = {
        "tcp_flags", FLOW(tcp_flags), PRE(TCP), TC_ANY(BYTES, TCP_FLAGS),
        RTE(BYTES, TCP, 12) },
    [OFFLOAD_FIELD_UDP_SRC] = {
        "udp(src)", FLOW(tp_src), PRE(UDP), TC_ANY(BYTES, UDP_SRC),
        PEDIT(UDP, 0, L4_CSUM),
        RTE(BYTES, UDP, 0), RTE_SET },
    [OFFLOAD_FIELD_UDP_DST] = {
        "udp(dst)", FLOW(tp_dst), PRE(UDP), TC_ANY(BYTES, UDP_DST),
        PEDIT(UDP, 2, L4_CSUM),
        RTE(BYTES, UDP, 2), RTE_SET },
    [OFFLOAD_FIELD_SCTP_SRC] = {
        "sctp(src)", FLOW(tp_src), PRE(SCTP), TC_ANY(BYTES, SCTP_SRC),
        PEDIT(TCP, 0, L4_CSUM),
        RTE(BYTES, SCTP, 0) },       /* IPv4 only, see tc-pedit.c. */
    [OFFLOAD_FIELD_SCTP_DST] = {
        "sctp(dst)", FLOW(tp_dst), PRE(SCTP), TC_ANY(BYTES, SCTP_DST),
        PEDIT(TCP, 2, L4_CSUM),
        RTE(BYTES, SCTP, 2) },
    [OFFLOAD_FIELD_ICMP_TYPE] = {
        "icmp(type)", FLOW(tp_src), BITS(0xff), PRE(ICMP),
        TC_ANY(U8, ICMPV4_TYPE),
        RTE(U8, ICMP, 0) },
    [OFFLOAD_FIELD_ICMP_CODE] = {
        "icmp(code)", FLOW(tp_dst), BITS(0xff), PRE(ICMP),
        TC_ANY(U8, ICMPV4_CODE),
        RTE(U8, ICMP, 1) },
    [OFFLOAD_FIELD_ICMPV6_TYPE] = {
        "icmpv6(type)", FLOW(tp_src), BITS(0xff), PRE(ICMPV6),
        TC_ANY(U8, ICMPV6_TYPE),
        RTE(U8, ICMP6, 0) },
    [OFFLOAD_FIELD_ICMPV6_CODE] = {
        "icmpv6(code)", FLOW(tp_dst), BITS(0xff), PRE(ICMPV6),
        TC_ANY(U8, ICMPV6_CODE),
        RTE(U8, ICMP6, 1) },
    [OFFLOAD_FIELD_ND_TARGET] = {
        "nd(target)", FLOW(nd_target), PRE(ND), TC_NONE },
    [OFFLOAD_FIELD_ND_SLL] = {
        "nd(sll)", FLOW(arp_sha), PRE(ND), TC_NONE },
    [OFFLOAD_FIELD_ND_TLL] = {
        "nd(tll)", FLOW(arp_tha), PRE(ND), TC_NONE },
    [OFFLOAD_FIELD_ND_OPTIONS] = {
        "nd_ext(nd_options_type)", FLOW(tcp_flags), PRE(ND), TC_NONE },
    [OFFLOAD_FIELD_ND_RESERVED] = {
        "nd_ext(nd_reserved)", FLOW(igmp_group_ip4), PRE(ND), TC_NONE },
    [OFFLOAD_FIELD_IGMP_TYPE] = {
        "igmp(type)", FLOW(tp_src), BITS(0xff), PRE(IGMP), TC_NONE },
    [OFFLOAD_FIELD_IGMP_CODE] = {
        "igmp(code)", FLOW(tp_dst), BITS(0xff), PRE(IGMP), TC_NONE },
    [OFFLOAD_FIELD_IGMP_GROUP] = {
        "igmp(group)", FLOW(igmp_group_ip4), PRE(IGMP), TC_NONE },
    [OFFLOAD_FIELD_NSH] = { "nsh", FLOW(nsh), PRE(NSH), TC_NONE },

    [OFFLOAD_FIELD_SKB_PRIORITY] = {
        "skb_priority", FLOW(skb_priority), HOST, TC_NONE },
    [OFFLOAD_FIELD_PKT_MARK] = {
        "skb_mark", FLOW(pkt_mark), HOST, TC_NONE,
        NOTE("0 is taken for granted: what comes from a device has no mark") },
    [OFFLOAD_FIELD_DP_HASH] = { "dp_hash", FLOW(dp_hash), HOST, TC_NONE },
    [OFFLOAD_FIELD_METADATA] = { "metadata", FLOW(metadata), TC_NONE },
    [OFFLOAD_FIELD_REGS] = { "regs", FLOW(regs), HOST, TC_NONE },
    [OFFLOAD_FIELD_CONJ_ID] = { "conj_id", FLOW(conj_id), HOST, TC_NONE },
    [OFFLOAD_FIELD_ACTSET_OUTPUT] = {
        "actset_output", FLOW(actset_output), HOST, TC_NONE },
};

const struct offload_field *
offload_field_get(enum offload_field_id id)
{
    ovs_assert(id < OFFLOAD_N_FIELDS);
    return &fields[id];
}

const char *
offload_field_name(enum offload_field_id id)
{
    return offload_field_get(id)->name;
}

enum offload_field_id
offload_field_by_name(const char *name)
{
    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        if (!strcmp(fields[id].name, name)) {
            return id;
        }
    }
    return OFFLOAD_N_FIELDS;
}

/* Conditions. */

static bool
flow_came_from_tunnel(const struct flow *key)
{
    return flow_tnl_dst_is_set(&key->tunnel)
           || flow_tnl_src_is_set(&key->tunnel);
}

static bool
flow_is_nd(const struct flow *key)
{
    return is_icmpv6(key, NULL)
           && (key->tp_src == htons(ND_NEIGHBOR_SOLICIT)
               || key->tp_src == htons(ND_NEIGHBOR_ADVERT));
}

bool
offload_prereq_holds(enum offload_prereq prereq, const struct flow *key)
{
    bool ip = is_ip_any(key);

    switch (prereq) {
    case OFFLOAD_PRE_NONE:
        return true;
    case OFFLOAD_PRE_TUNNEL:
        return flow_came_from_tunnel(key);
    case OFFLOAD_PRE_ETHERNET:
        return key->packet_type == htonl(PT_ETH);
    case OFFLOAD_PRE_MPLS:
        return eth_type_mpls(key->dl_type);
    case OFFLOAD_PRE_ARP:
        return (key->dl_type == htons(ETH_TYPE_ARP)
                || key->dl_type == htons(ETH_TYPE_RARP));
    case OFFLOAD_PRE_IP:
        return ip;
    case OFFLOAD_PRE_IPV4:
        return key->dl_type == htons(ETH_TYPE_IP);
    case OFFLOAD_PRE_IPV6:
        return key->dl_type == htons(ETH_TYPE_IPV6);
    case OFFLOAD_PRE_TCP:
        return ip && key->nw_proto == IPPROTO_TCP;
    case OFFLOAD_PRE_UDP:
        return ip && key->nw_proto == IPPROTO_UDP;
    case OFFLOAD_PRE_SCTP:
        return ip && key->nw_proto == IPPROTO_SCTP;
    case OFFLOAD_PRE_ICMP:
        return is_icmpv4(key, NULL);
    case OFFLOAD_PRE_ICMPV6:
        return is_icmpv6(key, NULL);
    case OFFLOAD_PRE_ND:
        return flow_is_nd(key);
    case OFFLOAD_PRE_IGMP:
        return is_igmp(key, NULL);
    case OFFLOAD_PRE_NSH:
        return key->dl_type == htons(ETH_TYPE_NSH);
    default:
        OVS_NOT_REACHED();
    }
}

/* Which fields a condition looks at.  (Whether there is a tunnel, or an
 * Ethernet header, follows from the port.) */
static enum offload_field_id
prereq_inexact_field(enum offload_prereq prereq, const struct flow *mask)
{
    enum offload_field_id last;

    if (prereq <= OFFLOAD_PRE_ETHERNET) {
        return OFFLOAD_N_FIELDS;
    } else if (!offload_field_is_exact(&fields[OFFLOAD_FIELD_ETH_TYPE],
                                       mask)) {
        return OFFLOAD_FIELD_ETH_TYPE;
    } else if (prereq <= OFFLOAD_PRE_IPV6 || prereq == OFFLOAD_PRE_NSH) {
        return OFFLOAD_N_FIELDS;
    }

    last = (prereq == OFFLOAD_PRE_ND ? OFFLOAD_FIELD_ICMPV6_TYPE
            : OFFLOAD_FIELD_IP_PROTO);
    if (!offload_field_is_exact(&fields[OFFLOAD_FIELD_IP_PROTO], mask)) {
        return OFFLOAD_FIELD_IP_PROTO;
    }
    return (offload_field_is_exact(&fields[last], mask)
            ? OFFLOAD_N_FIELDS : last);
}

bool
offload_prereq_is_exact(enum offload_prereq prereq, const struct flow *mask)
{
    return prereq_inexact_field(prereq, mask) == OFFLOAD_N_FIELDS;
}

/* The bits of a row. */

/* The place of the integer's byte 'i', counted from the least significant. */
static size_t
field_byte(const struct offload_field *field, size_t i)
{
#ifdef WORDS_BIGENDIAN
    return field->size - 1 - i;
#else
    return field->host_order ? i : field->size - 1 - i;
#endif
}

/* The integer of 'field', all of its bits, in host byte order. */
static uint64_t
field_load(const struct offload_field *field, const struct flow *flow)
{
    const uint8_t *p = (const uint8_t *) flow + field->ofs;
    uint64_t value = 0;

    ovs_assert(field->size <= sizeof value);
    for (size_t i = 0; i < field->size; i++) {
        value = (value << 8) | p[field_byte(field, field->size - 1 - i)];
    }
    return value;
}

/* Are all of the 64-bit words zero that have a byte of the 'size' > 0 at
 * 'ofs'?  Most of most masks are. */
static bool
words_are_zeros(const struct flow *flow, size_t ofs, size_t size)
{
    const uint64_t *words = (const uint64_t *) flow;
    uint64_t bits = 0;

    for (size_t i = ofs / 8; i <= (ofs + size - 1) / 8; i++) {
        bits |= words[i];
    }
    return !bits;
}

bool
offload_field_is_masked(const struct offload_field *field,
                        const struct flow *mask)
{
    if (words_are_zeros(mask, field->ofs, field->size)) {
        return false;
    }
    return (field->bits
            ? (field_load(field, mask) & field->bits) != 0
            : !is_all_zeros((const uint8_t *) mask + field->ofs,
                            field->size));
}

bool
offload_field_is_exact(const struct offload_field *field,
                       const struct flow *mask)
{
    return (field->bits
            ? (field_load(field, mask) & field->bits) == field->bits
            : is_all_ones((const uint8_t *) mask + field->ofs, field->size));
}

uint64_t
offload_field_value(const struct offload_field *field,
                    const struct flow *flow)
{
    uint64_t value = field_load(field, flow);

    return (field->bits
            ? (value & field->bits) >> raw_ctz(field->bits)
            : value);
}

/* Clears the row's bits in 'flow'. */
static void
field_clear(const struct offload_field *field, struct flow *flow)
{
    uint8_t *p = (uint8_t *) flow + field->ofs;

    if (!field->bits) {
        memset(p, 0, field->size);
        return;
    }

    for (size_t i = 0; i < field->size; i++) {
        p[field_byte(field, i)] &= ~(field->bits >> (8 * i));
    }
}

/* Parsing.
 *
 * First, mask bits that mean nothing are dropped.  They come from how Open
 * vSwitch computes masks, and are true for every packet of the megaflow. */

/* A packet that came out of no tunnel has no tunnel metadata.  One that came
 * over IPv4 has no outer IPv6 addresses, and the reverse. */
static void
drop_tunnel_artefacts(const struct flow *key, struct flow *mask)
{
    const struct flow_tnl *tnl = &key->tunnel;
    struct flow_tnl *tnl_mask = &mask->tunnel;

    if (!flow_came_from_tunnel(key)) {
        memset(tnl_mask, 0, sizeof *tnl_mask);
        return;
    }

    if (tnl->ip_src || tnl->ip_dst) {
        tnl_mask->ipv6_src = tnl_mask->ipv6_dst = in6addr_any;
    } else {
        tnl_mask->ip_src = tnl_mask->ip_dst = 0;
    }

    /* No options, in the form in which OpenFlow's processing has them: no
     * option that OpenFlow knows is there, which says nothing of others. */
    if (!(tnl->flags & FLOW_TNL_F_UDPIF) && !tnl->metadata.present.map) {
        memset(&tnl_mask->metadata, 0, sizeof tnl_mask->metadata);
    }
}

/* Where there is no VLAN header, it has no contents, and no other inside; and
 * where there is no Ethernet header, there is none at all. */
static void
drop_vlan_artefacts(const struct flow *key, struct flow *mask)
{
    if (key->packet_type != htonl(PT_ETH)) {
        memset(mask->vlans, 0, sizeof mask->vlans);
        return;
    }

    for (int i = 0; i < FLOW_MAX_VLAN_HEADERS; i++) {
        union flow_vlan_hdr *vlan = &mask->vlans[i];

        if (!key->vlans[i].qtag
            && (vlan->tci & htons(VLAN_CFI) || vlan->tpid == OVS_BE16_MAX)) {
            vlan->tpid = 0;
            vlan->tci = htons(VLAN_CFI);
            for (i++; i < FLOW_MAX_VLAN_HEADERS; i++) {
                mask->vlans[i].qtag = 0;
            }
        }
    }
}

#define TCP_FLAGS_BITS 0x0fff

/* A later fragment has no transport header, and if it is IPv6, not even a
 * protocol: Open vSwitch shows all of them as protocol 44 (IPPROTO_FRAGMENT),
 * and only them.  Types and codes of ICMP and IGMP have 8 bits, TCP's flags
 * have 12. */
static void
drop_ip_artefacts(const struct flow *key, struct flow *mask)
{
    if (!is_ip_any(key)) {
        return;
    }

    if (key->nw_frag & mask->nw_frag & FLOW_NW_FRAG_LATER) {
        mask->tp_src = mask->tp_dst = 0;
        mask->tcp_flags = 0;
        if (key->dl_type == htons(ETH_TYPE_IPV6)
            && key->nw_proto == IPPROTO_FRAGMENT) {
            mask->nw_proto = 0;
        }
    }

    if (key->nw_proto == IPPROTO_TCP && mask->tcp_flags == OVS_BE16_MAX) {
        mask->tcp_flags = htons(TCP_FLAGS_BITS);
    }
    if (is_icmpv4(key, NULL) || is_icmpv6(key, NULL) || is_igmp(key, NULL)) {
        mask->tp_src &= htons(0xff);
        mask->tp_dst &= htons(0xff);
    }
}

/* Ethernet is what ports carry unless they are known for something else, and
 * then it is refused, matched or not.  A packet that comes from a device has
 * no mark (the kernel's own traffic through an internal port may have one;
 * Open vSwitch's provider has always ignored it). */
static void
drop_metadata_artefacts(const struct flow *key, struct flow *mask)
{
    mask->packet_type = (key->packet_type == htonl(PT_ETH) ? 0 : OVS_BE32_MAX);
    if (!key->pkt_mark && mask->pkt_mark == UINT32_MAX) {
        mask->pkt_mark = 0;
    }
}

/* Refuses a match on what 'field' can't be where it is. */
static int
refuse_inexact(const struct offload_field *field, enum offload_field_id cause,
               struct offload_refusal *refusal)
{
    return offload_refuse(refusal, OFFLOAD_REFUSED_FIELD_MASK, field->name,
                          NULL, "only with an exact match of %s",
                          fields[cause].name);
}

/* Refuses a match whose mask bits in 'left' belong to no row. */
static int
refuse_leftover(const struct flow *left, struct offload_refusal *refusal)
{
    const uint8_t *p = (const uint8_t *) left;
    size_t ofs = 0;

    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        if (offload_field_is_masked(&fields[id], left)) {
            return offload_refuse(refusal, OFFLOAD_REFUSED_FIELD,
                                  fields[id].name, NULL,
                                  "matched, but this packet has none");
        }
    }

    while (!p[ofs]) {
        ofs++;
    }
    return offload_refuse(refusal, OFFLOAD_REFUSED_FIELD, "unknown", NULL,
                          "byte %"PRIuSIZE" of struct flow, mask 0x%02"PRIx8,
                          ofs, p[ofs]);
}

/* Finds the fields of rule->match. */
static int
collect_fields(struct offload_rule *rule, const struct flow *key,
               struct offload_refusal *refusal)
{
    const struct flow *mask = &rule->match.wc.masks;
    struct flow left = *mask;

    memset(rule->fields, 0, sizeof rule->fields);
    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const struct offload_field *field = &fields[id];
        enum offload_field_id cause;

        if (!offload_field_is_masked(field, &left)
            || !offload_prereq_holds(field->prereq, key)) {
            continue;
        }
        cause = prereq_inexact_field(field->prereq, mask);
        if (cause != OFFLOAD_N_FIELDS) {
            return refuse_inexact(field, cause, refusal);
        }
        bitmap_set1(rule->fields, id);
        field_clear(field, &left);
    }

    return (words_are_zeros(&left, 0, sizeof left)
            ? 0 : refuse_leftover(&left, refusal));
}

/* Clears the bits of 'key' that are not in 'mask'. */
static void
flow_and(struct flow *key, const struct flow *mask)
{
    const uint64_t *m = (const uint64_t *) mask;
    uint64_t *k = (uint64_t *) key;

    for (size_t i = 0; i < FLOW_U64S; i++) {
        k[i] &= m[i];
    }
}

const char *
offload_check_geneve(const struct tun_metadata *packet,
                     const struct tun_metadata *mask,
                     const char *(*judge)(const struct geneve_opt *,
                                          const struct geneve_opt *, size_t))
{
    size_t left = packet->present.len;
    const char *why;

    for (size_t i = 0, n = 1; left; n++) {
        const struct geneve_opt *opt = &packet->opts.gnv[i];
        const struct geneve_opt *opt_mask = &mask->opts.gnv[i];
        size_t size = sizeof *opt;

        if (left < size) {
            return "truncated option";
        }
        size += opt->length * 4;
        if (left < size) {
            return "option longer than all options";
        } else if ((opt->r1 & opt_mask->r1) || (opt->r2 & opt_mask->r2)
                   || (opt->r3 & opt_mask->r3)) {
            return "reserved bits";
        }
        why = judge(opt, opt_mask, n);
        if (why) {
            return why;
        }
        left -= size;
        i += size / sizeof *opt;
    }
    return NULL;
}

int
offload_match_parse(struct offload_rule *rule, const struct match *match,
                    struct offload_refusal *refusal)
{
    const struct flow *key = &match->flow;
    struct flow *mask = &rule->match.wc.masks;
    int error;

    rule->packet = key;
    rule->match.flow = *key;
    rule->match.wc = match->wc;
    rule->match.tun_md.valid = false;

    drop_metadata_artefacts(key, mask);
    drop_tunnel_artefacts(key, mask);
    drop_vlan_artefacts(key, mask);
    drop_ip_artefacts(key, mask);

    error = collect_fields(rule, key, refusal);
    if (!error) {
        flow_and(&rule->match.flow, mask);
    }
    return error;
}
