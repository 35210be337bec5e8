/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_FIELD_H
#define OFFLOAD_FIELD_H 1

/* THE table of match fields.
 *
 * Every bit of OVS's struct flow belongs to a row of the table in
 * offload-field.c (a unit test sees to it).  A row says how the field is
 * called in the output of "ovs-appctl dpctl/dump-flows", where it lies in
 * struct flow, under which condition those bytes mean this field, and how
 * each way to program a NIC expresses it, for matching and for rewriting.  A
 * way that can't is OFFLOAD_FORM_NONE, and the field is refused by name.
 *
 * Parsing a match, encoding it, explaining a refusal, listing capabilities
 * and the coverage table of the documentation all read these rows.
 *
 * To add a match field: add its name to OFFLOAD_FIELD_IDS, its row to the
 * table, and a line to tests/match.at.
 *
 * The table is constant: no locking, no lifetime. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-refusal.h"
#include "openvswitch/flow.h"
#include "openvswitch/match.h"

/* The ids, in the order in which fields are encoded. */
#define OFFLOAD_FIELD_IDS                                               \
    /* Where the packet comes from. */                                  \
    OFFLOAD_FIELD(IN_PORT) OFFLOAD_FIELD(RECIRC_ID)                     \
    OFFLOAD_FIELD(PACKET_TYPE)                                          \
    /* Tunnel metadata. */                                              \
    OFFLOAD_FIELD(TUN_ID) OFFLOAD_FIELD(TUN_SRC) OFFLOAD_FIELD(TUN_DST) \
    OFFLOAD_FIELD(TUN_IPV6_SRC) OFFLOAD_FIELD(TUN_IPV6_DST)             \
    OFFLOAD_FIELD(TUN_TOS) OFFLOAD_FIELD(TUN_TTL)                       \
    OFFLOAD_FIELD(TUN_TP_SRC) OFFLOAD_FIELD(TUN_TP_DST)                 \
    OFFLOAD_FIELD(TUN_DF) OFFLOAD_FIELD(TUN_CSUM) OFFLOAD_FIELD(TUN_OAM) \
    OFFLOAD_FIELD(TUN_KEY) OFFLOAD_FIELD(TUN_FLAGS)                     \
    OFFLOAD_FIELD(TUN_GBP_ID) OFFLOAD_FIELD(TUN_GBP_FLAGS)              \
    OFFLOAD_FIELD(TUN_OPTS) OFFLOAD_FIELD(TUN_ERSPAN)                   \
    OFFLOAD_FIELD(TUN_GTPU)                                             \
    /* Connection tracking. */                                          \
    OFFLOAD_FIELD(CT_STATE) OFFLOAD_FIELD(CT_ZONE)                      \
    OFFLOAD_FIELD(CT_MARK) OFFLOAD_FIELD(CT_LABEL)                      \
    OFFLOAD_FIELD(CT_TUPLE4) OFFLOAD_FIELD(CT_TUPLE6)                   \
    OFFLOAD_FIELD(CT_TUPLE_PROTO) OFFLOAD_FIELD(CT_TUPLE_PORTS)         \
    /* Ethernet, VLAN, MPLS. */                                         \
    OFFLOAD_FIELD(ETH_SRC) OFFLOAD_FIELD(ETH_DST)                       \
    OFFLOAD_FIELD(ETH_TYPE)                                             \
    OFFLOAD_FIELD(VLAN_TPID) OFFLOAD_FIELD(VLAN_VID)                    \
    OFFLOAD_FIELD(VLAN_PCP) OFFLOAD_FIELD(VLAN_PRESENT)                 \
    OFFLOAD_FIELD(CVLAN_TPID) OFFLOAD_FIELD(CVLAN_VID)                  \
    OFFLOAD_FIELD(CVLAN_PCP) OFFLOAD_FIELD(CVLAN_PRESENT)               \
    OFFLOAD_FIELD(MPLS_LABEL) OFFLOAD_FIELD(MPLS_TC)                    \
    OFFLOAD_FIELD(MPLS_BOS) OFFLOAD_FIELD(MPLS_TTL)                     \
    OFFLOAD_FIELD(MPLS_INNER)                                           \
    /* ARP. */                                                          \
    OFFLOAD_FIELD(ARP_SIP) OFFLOAD_FIELD(ARP_TIP) OFFLOAD_FIELD(ARP_OP) \
    OFFLOAD_FIELD(ARP_SHA) OFFLOAD_FIELD(ARP_THA)                       \
    /* IP. */                                                           \
    OFFLOAD_FIELD(IPV4_SRC) OFFLOAD_FIELD(IPV4_DST)                     \
    OFFLOAD_FIELD(IPV6_SRC) OFFLOAD_FIELD(IPV6_DST)                     \
    OFFLOAD_FIELD(IPV6_LABEL)                                           \
    OFFLOAD_FIELD(IP_PROTO) OFFLOAD_FIELD(IP_TOS) OFFLOAD_FIELD(IP_TTL) \
    OFFLOAD_FIELD(IPV6_TCLASS) OFFLOAD_FIELD(IPV6_HLIMIT)               \
    OFFLOAD_FIELD(IP_FRAG)                                              \
    /* Transport. */                                                    \
    OFFLOAD_FIELD(TCP_SRC) OFFLOAD_FIELD(TCP_DST)                       \
    OFFLOAD_FIELD(TCP_FLAGS)                                            \
    OFFLOAD_FIELD(UDP_SRC) OFFLOAD_FIELD(UDP_DST)                       \
    OFFLOAD_FIELD(SCTP_SRC) OFFLOAD_FIELD(SCTP_DST)                     \
    OFFLOAD_FIELD(ICMP_TYPE) OFFLOAD_FIELD(ICMP_CODE)                   \
    OFFLOAD_FIELD(ICMPV6_TYPE) OFFLOAD_FIELD(ICMPV6_CODE)               \
    OFFLOAD_FIELD(ND_TARGET) OFFLOAD_FIELD(ND_SLL) OFFLOAD_FIELD(ND_TLL) \
    OFFLOAD_FIELD(ND_OPTIONS) OFFLOAD_FIELD(ND_RESERVED)                \
    OFFLOAD_FIELD(IGMP_TYPE) OFFLOAD_FIELD(IGMP_CODE)                   \
    OFFLOAD_FIELD(IGMP_GROUP)                                           \
    OFFLOAD_FIELD(NSH)                                                  \
    /* What only software knows. */                                     \
    OFFLOAD_FIELD(SKB_PRIORITY) OFFLOAD_FIELD(PKT_MARK)                 \
    OFFLOAD_FIELD(DP_HASH) OFFLOAD_FIELD(METADATA) OFFLOAD_FIELD(REGS)  \
    OFFLOAD_FIELD(CONJ_ID) OFFLOAD_FIELD(ACTSET_OUTPUT)

enum offload_field_id {
#define OFFLOAD_FIELD(ID) OFFLOAD_FIELD_##ID,
    OFFLOAD_FIELD_IDS
#undef OFFLOAD_FIELD
    OFFLOAD_N_FIELDS
};

/* When the bytes of a row mean this field: a property of the megaflow's key
 * (whose bits are then matched exactly, see offload_match_parse()). */
enum offload_prereq {
    OFFLOAD_PRE_NONE,
    OFFLOAD_PRE_TUNNEL,         /* Came out of a tunnel. */
    OFFLOAD_PRE_ETHERNET,       /* packet_type is Ethernet. */
    OFFLOAD_PRE_MPLS,
    OFFLOAD_PRE_ARP,            /* ARP or RARP. */
    OFFLOAD_PRE_IP,             /* IPv4 or IPv6. */
    OFFLOAD_PRE_IPV4,
    OFFLOAD_PRE_IPV6,
    OFFLOAD_PRE_TCP,
    OFFLOAD_PRE_UDP,
    OFFLOAD_PRE_SCTP,
    OFFLOAD_PRE_ICMP,
    OFFLOAD_PRE_ICMPV6,
    OFFLOAD_PRE_ND,             /* Neighbour solicitation, advertisement. */
    OFFLOAD_PRE_IGMP,
    OFFLOAD_PRE_NSH,
};

/* How a value goes into a message. */
enum offload_form {
    OFFLOAD_FORM_NONE,          /* Can't be expressed: refuse by name. */
    OFFLOAD_FORM_IMPLIED,       /* No attribute of its own: it decides where
                                 * the rule goes (port, chain, protocol), or
                                 * is implied by other fields. */
    OFFLOAD_FORM_BYTES,         /* The bytes as in struct flow. */
    OFFLOAD_FORM_U8,            /* Integers in host byte order, from the */
    OFFLOAD_FORM_U16,           /* bits of the row, shifted down. */
    OFFLOAD_FORM_U32,
    OFFLOAD_FORM_SPECIAL,       /* The backend has a function for it. */
};

/* Which masks can be matched. */
enum offload_maskable {
    OFFLOAD_MASK_ANY,           /* Any. */
    OFFLOAD_MASK_EXACT,         /* All bits of the field or none. */
};

/* The headers that rte_flow has items for, in the order in which they are in a
 * packet.  The spec of an item is the header as it is on the wire (but that of
 * ARP, which has gaps), so a row names the header and a byte of it.  'ITEM' is
 * RTE_FLOW_ITEM_TYPE_ITEM, a TUNNEL's depends on the port. */
#define OFFLOAD_RTE_ITEMS                                               \
    OFFLOAD_RTE_ITEM(OUTER_IPV4, IPV4) OFFLOAD_RTE_ITEM(OUTER_IPV6, IPV6) \
    OFFLOAD_RTE_ITEM(OUTER_UDP, UDP) OFFLOAD_RTE_ITEM(TUNNEL, VOID)     \
    OFFLOAD_RTE_ITEM(ETH, ETH)                                          \
    OFFLOAD_RTE_ITEM(VLAN, VLAN) OFFLOAD_RTE_ITEM(CVLAN, VLAN)          \
    OFFLOAD_RTE_ITEM(MPLS, MPLS) OFFLOAD_RTE_ITEM(ARP, ARP_ETH_IPV4)    \
    OFFLOAD_RTE_ITEM(IPV4, IPV4) OFFLOAD_RTE_ITEM(IPV6, IPV6)           \
    OFFLOAD_RTE_ITEM(IPV6_FRAG, IPV6_FRAG_EXT)                          \
    OFFLOAD_RTE_ITEM(TCP, TCP) OFFLOAD_RTE_ITEM(UDP, UDP)               \
    OFFLOAD_RTE_ITEM(SCTP, SCTP) OFFLOAD_RTE_ITEM(ICMP, ICMP)           \
    OFFLOAD_RTE_ITEM(ICMP6, ICMP6)

enum offload_rte_item {
#define OFFLOAD_RTE_ITEM(ID, ITEM) OFFLOAD_RTE_##ID,
    OFFLOAD_RTE_ITEMS
#undef OFFLOAD_RTE_ITEM
    OFFLOAD_N_RTE_ITEMS
};

struct offload_field {
    const char *name;           /* As in dump-flows: "tcp(src)". */

    /* Where it lies in struct flow.  'bits' selects a part of an integer of
     * 'size' bytes in network byte order (host byte order if 'host_order'),
     * written as a host number; 0 means all of it. */
    uint16_t ofs, size;         /* Bytes. */
    uint32_t bits;
    bool host_order;

    enum offload_prereq prereq;

    struct {                    /* rte_flow, rte_flow.h. */
        enum offload_form form; /* U32: the 32-bit word at 'ofs' is
                                 * htonl(value << shift). */
        enum offload_rte_item item;
        enum offload_maskable maskable;
        uint8_t ofs;            /* Byte offset from the item's header. */
        uint8_t shift;
        bool can_set;           /* lib/rte/rte-action.c has an action. */
        const char *note;       /* For people. */
    } rte;

    struct {                    /* TC flower, linux/pkt_cls.h. */
        enum offload_form form;
        enum offload_maskable maskable;
        uint16_t key, mask;     /* TCA_FLOWER_KEY_*; mask 0 if none exists. */
        const char *note;       /* For people, e.g. a kernel version. */
    } tc;

    struct {                    /* TC pedit, linux/tc_act/tc_pedit.h. */
        bool can;
        uint8_t htype;          /* TCA_PEDIT_KEY_EX_HDR_TYPE_*. */
        uint8_t ofs;            /* Byte offset from that header. */
        uint8_t shift;          /* For a field of one byte that does not
                                 * begin on a byte (IPv6 class): the 32-bit
                                 * word at 'ofs' is htonl(value << shift). */
        uint8_t csum;           /* OFFLOAD_CSUM_*. */
    } pedit;
};

/* Checksums that a rewrite of a field makes wrong. */
#define OFFLOAD_CSUM_IPV4 (1u << 0)     /* The IPv4 header's. */
#define OFFLOAD_CSUM_L4   (1u << 1)     /* Pseudo header or transport. */

/* The row of 'id'. */
const struct offload_field *offload_field_get(enum offload_field_id id);
const char *offload_field_name(enum offload_field_id id);
/* The id by name, as in the table, or OFFLOAD_N_FIELDS. */
enum offload_field_id offload_field_by_name(const char *name);

bool offload_prereq_holds(enum offload_prereq, const struct flow *key);

/* True if a row has a bit on in 'mask'. */
bool offload_field_is_masked(const struct offload_field *,
                             const struct flow *mask);
/* True if all bits of the row are on in 'mask'. */
bool offload_field_is_exact(const struct offload_field *,
                            const struct flow *mask);
/* The value of an integer row, shifted down, in host byte order. */
uint64_t offload_field_value(const struct offload_field *,
                             const struct flow *);

/* True if 'mask' matches exactly what 'prereq' is about: the condition holds
 * for every packet of the megaflow then, not only for its key. */
bool offload_prereq_is_exact(enum offload_prereq, const struct flow *mask);

/* Parses 'match' into the rule's 'match' (key bits outside of the mask
 * cleared), 'fields' and 'packet'.  What can't belong to any row, or a row
 * whose condition isn't matched exactly, is refused.  Whether a backend can
 * express a field is the backend's to say.  Returns 0 or a positive errno.
 *
 * Mask bits that mean nothing are dropped here, each for a reason that is
 * given in the code. */
struct offload_rule;
int offload_match_parse(struct offload_rule *, const struct match *,
                        struct offload_refusal *);

/* Walks through Geneve's options as they are in a packet (FLOW_TNL_F_UDPIF),
 * whose lengths come from the network.  'judge' is asked about each, the
 * 'n'-th, counted from 1, with its mask.  Returns NULL if all is well, or why
 * not: a string literal of this function's or of 'judge'. */
struct geneve_opt;
struct tun_metadata;
const char *offload_check_geneve(
    const struct tun_metadata *packet, const struct tun_metadata *mask,
    const char *(*judge)(const struct geneve_opt *option,
                         const struct geneve_opt *mask, size_t n));

/* other_config:offload-strict-tunnel-flags.  If true, a megaflow that matches
 * tunnel(flags(df)) or tunnel(flags(csum)), as all that come out of a tunnel
 * do, is refused where they can't be matched.  If false, its rule is wider
 * than the megaflow by these two bits, which no OpenFlow rule can tell apart,
 * see the rows.  Set before the first rule. */
extern bool offload_strict_tunnel_flags;

#endif /* offload-field.h */
