/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_ACTION_H
#define OFFLOAD_ACTION_H 1

/* THE table of action kinds.
 *
 * A row of the table in offload-action.c says how an action is called in the
 * output of "ovs-appctl dpctl/dump-flows", from which OVS_ACTION_ATTR_* it
 * comes and who parses it.  Each backend has a table of encoders indexed by
 * the same kinds; an empty place there is a refusal by name.  An
 * OVS_ACTION_ATTR_* without a parser has a row too, so that it is refused by
 * its name instead of a number.
 *
 * To add an action: add its kind to OFFLOAD_ACTION_KINDS, its row and parser
 * to the table, its name to offload-action-format.c, its encoder to the
 * backends that can do it, and a line each to tests/action.at and
 * tests/system-action.at.
 *
 * Parsed actions are a flat array in the order in which they are to be done.
 * check_pkt_len is followed by its two branches:
 *
 *     [CHECK_PKT_LEN n_greater=2 n_less_equal=1] [g0] [g1] [le0] [next ...]
 *
 * where the counts include everything nested.  An empty array drops, and so
 * does an empty branch with nothing after it.  CLONE is followed by what is to
 * be done to a copy of the packet:
 *
 *     [CLONE n=2] [c0] [c1] [next ...]
 *
 * Open vSwitch runs a branch on a copy of the packet if anything comes after
 * check_pkt_len.  Backends need not: then the parser lets nothing into a
 * branch but outputs and rewrites, and appends to the branch the SET_FIELDs
 * that undo its rewrites, with the values that the megaflow matches.
 *
 * Values are as in the packet: network byte order unless said otherwise. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-field.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/types.h"

struct ds;
struct nlattr;
struct offload_context;
struct offload_port;
struct offload_rule;

/* A rule's parsed actions, nested ones included.  A backend may take fewer:
 * in TC, a rule has 32 actions, of which two can set many fields. */
#define OFFLOAD_MAX_ACTIONS 96

#define OFFLOAD_ACTION_KINDS                                            \
    OFFLOAD_ACTION(OUTPUT)                                              \
    OFFLOAD_ACTION(PUSH_VLAN) OFFLOAD_ACTION(POP_VLAN)                  \
    OFFLOAD_ACTION(PUSH_MPLS) OFFLOAD_ACTION(POP_MPLS)                  \
    OFFLOAD_ACTION(SET_MPLS)                                            \
    OFFLOAD_ACTION(SET_FIELD) OFFLOAD_ACTION(SET_TUNNEL)                \
    OFFLOAD_ACTION(CT) OFFLOAD_ACTION(CT_CLEAR)                         \
    OFFLOAD_ACTION(RECIRC) OFFLOAD_ACTION(METER)                        \
    OFFLOAD_ACTION(CHECK_PKT_LEN)                                       \
    /* The userspace datapath's. */                                     \
    OFFLOAD_ACTION(CLONE)                                               \
    OFFLOAD_ACTION(TUNNEL_PUSH) OFFLOAD_ACTION(TUNNEL_POP)

enum offload_action_kind {
#define OFFLOAD_ACTION(KIND) OFFLOAD_ACT_##KIND,
    OFFLOAD_ACTION_KINDS
#undef OFFLOAD_ACTION
    OFFLOAD_N_ACTIONS
};

enum offload_nat { OFFLOAD_NAT_NONE, OFFLOAD_NAT_RESTORE,
                   OFFLOAD_NAT_SRC, OFFLOAD_NAT_DST };

struct offload_action {
    enum offload_action_kind kind;
    union {
        struct {
            struct offload_port *port;      /* Never NULL. */
        } output;
        struct {
            ovs_be16 tpid;
            uint16_t vid;                   /* Host byte order. */
            uint8_t pcp;
        } push_vlan;
        struct {
            ovs_be16 ethertype;             /* After push, or after pop. */
            ovs_be32 lse;                   /* Push, set. */
            ovs_be32 lse_mask;              /* Set. */
        } mpls;
        struct {                            /* One row of the field table. */
            enum offload_field_id field;
            uint8_t value[16], mask[16];    /* First 'size' bytes of the row,
                                             * as in the packet; value bits
                                             * outside of the mask are 0. */
        } set_field;
        struct {
            ovs_be64 id;
            bool id_present, csum, df, oam;
            bool ipv6;
            ovs_be32 src, dst;              /* If !ipv6. */
            struct in6_addr src6, dst6;     /* If ipv6. */
            ovs_be16 tp_src, tp_dst;        /* 0: the device's choice. */
            uint8_t tos, ttl;
            bool gbp_present;
            uint32_t gbp;                   /* VXLAN group policy: flags << 16
                                             * | id, host byte order. */
            const struct nlattr *geneve_opts;   /* Borrowed, or NULL.  The
                                                 * lengths of all options
                                                 * have been checked. */
        } tunnel;
        struct {
            bool commit, force;
            uint16_t zone;                  /* Host byte order. */
            uint32_t mark, mark_mask;       /* Host byte order. */
            ovs_u128 label, label_mask;
            enum offload_nat nat;
            int family;                     /* AF_INET, AF_INET6, or 0 if no
                                             * address is given. */
            struct in6_addr min, max;       /* IPv4 in the first 4 bytes. */
            uint16_t port_min, port_max;    /* Host byte order; 0: none. */
        } ct;
        struct {
            uint32_t id;
        } recirc;
        struct {
            uint32_t id;
        } meter;
        struct {
            uint16_t len;                   /* Bytes; greater means >. */
            uint8_t n_greater, n_less_equal;
        } check_pkt_len;
        struct {
            uint8_t n;
        } clone;
        struct {                            /* Headers to be put in front. */
            enum offload_port_kind kind;    /* Of tunnel. */
            const uint8_t *header;          /* From Ethernet's on.
                                             * Borrowed. */
            size_t header_len;              /* Bytes; what is in there has
                                             * been checked. */
        } tunnel_push;
        struct {
            struct offload_port *port;      /* Of the tunnel.  Never NULL. */
        } tunnel_pop;
    };
};

/* Parses netlink actions into rule->actions, resolving ports.  rule->match
 * must have been parsed.  Returns 0 or a positive errno. */
int offload_actions_parse(struct offload_rule *, const struct nlattr *,
                          size_t len, const struct offload_context *,
                          struct offload_refusal *);

const char *offload_action_name(enum offload_action_kind);
void offload_actions_format(const struct offload_rule *, struct ds *);

/* The rows, also of what is never parsed, indexed by OVS_ACTION_ATTR_*.  A
 * place without a name is no action. */
struct offload_parser;
struct offload_action_row {
    const char *name;           /* As in dump-flows: "push_vlan". */
    uint16_t min_len, max_len;  /* Of the attribute's payload, in bytes. */
    int (*parse)(struct offload_parser *, const struct nlattr *);
                                /* NULL: refused by name. */
    const char *note;           /* For people: limits.  Or NULL. */
    bool netdev_only;           /* Refused by name in other datapaths than
                                 * "netdev". */
    bool rte;                   /* lib/rte/ encodes it. */
    const char *rte_note;       /* Its limits there.  Or NULL. */
    const char *(*called)(const struct nlattr *, const char **detail);
                                /* The name by which it is refused, static, if
                                 * more particular than 'name'.  Or NULL. */
};
size_t offload_action_rows(const struct offload_action_row **);

/* What sends packets on a slow path, of bits of enum slow_path_reason, as a
 * refusal's subject, and '*detail' about it.  Static. */
const char *offload_slow_path_called(uint32_t reasons, const char **detail);

/* The kind that OVS_ACTION_ATTR_* 'type' becomes, if it becomes one only;
 * OFFLOAD_N_ACTIONS for others.  SET_FIELD stands for both kinds of "set". */
enum offload_action_kind offload_action_kind_of(int type);

#endif /* offload-action.h */
