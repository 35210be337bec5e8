/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_H
#define ESWITCH_H 1

/* The embedded switch of an SR-IOV NIC, in software.
 *
 * What it is
 * ----------
 *
 * A switch with an uplink (port 0) and a number of virtual functions (ports 1
 * and up).  Each port has two sides: an end, which is the wire of the uplink
 * and what a virtual machine would get of a VF, and a representor, through
 * which the host's software sees the port:
 *
 *                 representor 0    representor 1    representor 2
 *      software  ------|----------------|----------------|---------
 *                      |                |                |
 *      eswitch       rules  ---------------------------------------
 *                      |                |                |
 *                    wire          guest end 1      guest end 2
 *
 * A packet that enters at an end walks the rules: from group 0, the matching
 * rule of the best priority in each group, its actions in order, until a fate
 * ends the walk.  Where a group has no rule for it, or an action can't be done
 * to it, the packet *misses*: it is handed to the representor of the port at
 * which it entered, exactly as it arrived.  Nothing that was done to it on the
 * way, no mirrored copy and no counter is left of a walk that ended so.  What
 * software sends into a representor leaves at the end of that port, around the
 * rules.
 *
 * It knows nothing of DPDK, of Linux' network devices or of Open vSwitch: who
 * uses it brings frames, takes frames, and translates rules.
 *
 * Life of the objects
 * -------------------
 *
 *      eswitch_create()         eswitch_reader_create()   for each thread that
 *        eswitch_rule_create()    eswitch_rx(), ...       brings packets
 *        eswitch_rule_destroy() eswitch_reader_destroy()
 *      eswitch_destroy()        after the last reader is gone
 *
 * A rule is known by an id that is never used again, so that a rule which
 * went away with a reset of the device, or a flush, is safely not found
 * (ENOENT), whoever still has its id.
 *
 * Threads
 * -------
 *
 * Packets take no lock that rules take: a reader belongs to one thread at a
 * time, and any number of them walk while rules come and go.  A walk sees each
 * rule completely or not at all.  What a rule was made of is freed when the
 * last walk that could see it has ended.
 *
 * All other functions may be called from any thread at any time; they
 * serialize on one lock of the eswitch, which is never held across a callback,
 * the listing's (eswitch_list()) excepted.
 *
 * Errors are positive errno values; see struct eswitch_error for what was
 * wrong. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eswitch;
struct eswitch_reader;

#define ESWITCH_UPLINK 0            /* Port number of the uplink. */
#define ESWITCH_MAX_PORTS 1024      /* The uplink among them. */
#define ESWITCH_MAX_FRAME 16384     /* Bytes; longer ones are dropped. */
#define ESWITCH_MAX_ITEMS 32        /* In a rule. */
#define ESWITCH_MAX_ACTIONS 64      /* In a rule, those of samples too. */
#define ESWITCH_MAX_JUMPS 32        /* In a walk; one more is a miss. */
#define ESWITCH_MAX_COPIES 32       /* Mirrored in a walk; likewise. */

/* Errors. */

/* What a complaint is about. */
enum eswitch_where {
    ESWITCH_AT_NONE,                /* Not about anything in particular. */
    ESWITCH_AT_RULE,                /* The rule as a whole, or its id. */
    ESWITCH_AT_PORT,                /* The port it is created on. */
    ESWITCH_AT_GROUP,
    ESWITCH_AT_PRIORITY,
    ESWITCH_AT_ITEM_NUM,            /* Too many items. */
    ESWITCH_AT_ITEM,                /* An item; 'index' tells which one. */
    ESWITCH_AT_ITEM_SPEC,
    ESWITCH_AT_ITEM_LAST,
    ESWITCH_AT_ITEM_MASK,
    ESWITCH_AT_ACTION_NUM,          /* Too many actions, or no fate. */
    ESWITCH_AT_ACTION,              /* An action; 'index' tells which one. */
    ESWITCH_AT_ACTION_CONF,
};

struct eswitch_error {
    int error;                      /* Positive errno, 0 for none. */
    enum eswitch_where where;
    int index;                      /* Of the item or action, from 0; -1. */
    char text[160];                 /* For people. */
};

/* Match items: one a header, in the order of the packet.
 *
 * A row: id, name, bytes of its header.  The bytes of spec, last and mask are
 * those of the header on the wire, in network byte order (PORT and MARK: a
 * uint32_t in host byte order).
 *
 * Consecutive items match consecutive headers.  ETH, "the frame", is first and
 * may be left out, and so may other headers at the front: "tcp" matches any
 * frame with a TCP header that isn't inside of a tunnel.  Headers may follow
 * the last item.  So "eth / ipv4" doesn't match tagged frames and "eth" does;
 * "eth / ipv6 / tcp" matches neither fragments (their IPV6_FRAG_EXT comes
 * first) nor is it disturbed by other extension headers.
 *
 * Tunnels are told by their outer header: VXLAN and GENEVE by UDP's
 * destination port (see eswitch_tunnel_port()), GRE by IP's protocol.  What
 * they carry follows: "eth / ipv4 / udp / vxlan / eth / ipv4".  An ICMP6 item
 * is the first 4 bytes.  MPLS is one label; nothing is parsed behind the
 * bottom of the stack.  GRE_KEY and GENEVE_OPT, any number of them, follow
 * their tunnel's item: they aren't headers, but parts of it. */
#define ESWITCH_ITEMS                                                   \
    ESWITCH_ITEM(PORT, "port", 4)           /* Where it entered. */     \
    ESWITCH_ITEM(MARK, "mark", 4)           /* By an earlier rule. */   \
    ESWITCH_ITEM(ETH, "eth", 14)                                        \
    ESWITCH_ITEM(VLAN, "vlan", 4)           /* TCI, type of the next */ \
    ESWITCH_ITEM(MPLS, "mpls", 4)                                       \
    ESWITCH_ITEM(ARP, "arp", 28)            /* Ethernet and IPv4. */    \
    ESWITCH_ITEM(IPV4, "ipv4", 20)          /* Without options. */      \
    ESWITCH_ITEM(IPV6, "ipv6", 40)                                      \
    ESWITCH_ITEM(IPV6_FRAG_EXT, "ipv6_frag_ext", 8)                     \
    ESWITCH_ITEM(TCP, "tcp", 20)                                        \
    ESWITCH_ITEM(UDP, "udp", 8)                                         \
    ESWITCH_ITEM(SCTP, "sctp", 12)                                      \
    ESWITCH_ITEM(ICMP, "icmp", 8)                                       \
    ESWITCH_ITEM(ICMP6, "icmp6", 4)                                     \
    ESWITCH_ITEM(VXLAN, "vxlan", 8)                                     \
    ESWITCH_ITEM(GENEVE, "geneve", 8)                                   \
    ESWITCH_ITEM(GENEVE_OPT, "geneve_opt", 4) /* And its data. */       \
    ESWITCH_ITEM(GRE, "gre", 4)                                         \
    ESWITCH_ITEM(GRE_KEY, "gre_key", 4)

enum eswitch_item_type {
#define ESWITCH_ITEM(ID, NAME, SIZE) ESWITCH_ITEM_##ID,
    ESWITCH_ITEMS
#undef ESWITCH_ITEM
    ESWITCH_N_ITEMS
};

/* What an item says of a header beyond its bytes. */
#define ESWITCH_HAS_VLAN (1u << 0)      /* ETH, VLAN: one (more) follows. */
#define ESWITCH_HAS_FRAG_EXT (1u << 1)  /* IPV6: a fragment. */

/* A bit that is on in 'mask' must be in the packet as in 'spec'.  A null spec
 * or mask matches any such header.  'last' is null, or makes a range: one kind
 * of range is understood, that of a field of a fragment's which isn't zero
 * (from 1 to all ones, under the same mask, of IPV4's fragment_offset or
 * IPV6_FRAG_EXT's frag_data, with the "more" bit or without).  Elsewhere,
 * 'last' must be zero or as 'spec'.
 *
 * GENEVE_OPT: 'size' is 4 and the bytes of data, a multiple of 4 up to 128;
 * class and type must be matched fully.  An option is found wherever it is.
 * If the length is matched, it is the option's; else 'size' only says how far
 * the mask reaches.  Other items: 'size' is ignored. */
struct eswitch_item {
    enum eswitch_item_type type;
    const void *spec, *last, *mask;
    uint32_t flags, flags_mask;         /* ESWITCH_HAS_*. */
    uint8_t size;
};

/* Fields that can be rewritten.
 *
 * A row: id, name, item, byte in its header, bits, and how many bits remain
 * to the right of it in its last byte.  A value is a big-endian number of that
 * many bits in as many bytes as that takes, at the right.
 *
 * Those without an item choose one of the fields that follow after "=". */
#define ESWITCH_FIELDS                                                  \
    ESWITCH_FIELD(MARK, "mark", MARK, 0, 32, 0)                         \
    ESWITCH_FIELD(ETH_DST, "eth_dst", ETH, 0, 48, 0)                    \
    ESWITCH_FIELD(ETH_SRC, "eth_src", ETH, 6, 48, 0)                    \
    ESWITCH_FIELD(ETH_TYPE, "eth_type", ETH, 12, 16, 0)                 \
    ESWITCH_FIELD(VLAN_PCP, "vlan_pcp", VLAN, 0, 3, 5)                  \
    ESWITCH_FIELD(VLAN_VID, "vlan_vid", VLAN, 0, 12, 0)                 \
    ESWITCH_FIELD(VLAN_TYPE, "vlan_type", VLAN, 2, 16, 0)               \
    ESWITCH_FIELD(IPV4_DSCP, "ipv4_dscp", IPV4, 1, 6, 2)                \
    ESWITCH_FIELD(IPV4_ECN, "ipv4_ecn", IPV4, 1, 2, 0)                  \
    ESWITCH_FIELD(IPV4_TTL, "ipv4_ttl", IPV4, 8, 8, 0)                  \
    ESWITCH_FIELD(IPV4_SRC, "ipv4_src", IPV4, 12, 32, 0)                \
    ESWITCH_FIELD(IPV4_DST, "ipv4_dst", IPV4, 16, 32, 0)                \
    ESWITCH_FIELD(IPV6_DSCP, "ipv6_dscp", IPV6, 0, 6, 6)                \
    ESWITCH_FIELD(IPV6_ECN, "ipv6_ecn", IPV6, 1, 2, 4)                  \
    ESWITCH_FIELD(IPV6_HLIM, "ipv6_hlim", IPV6, 7, 8, 0)                \
    ESWITCH_FIELD(IPV6_SRC, "ipv6_src", IPV6, 8, 128, 0)                \
    ESWITCH_FIELD(IPV6_DST, "ipv6_dst", IPV6, 24, 128, 0)               \
    ESWITCH_FIELD(TCP_SRC, "tcp_src", TCP, 0, 16, 0)                    \
    ESWITCH_FIELD(TCP_DST, "tcp_dst", TCP, 2, 16, 0)                    \
    ESWITCH_FIELD(TCP_SEQ, "tcp_seq", TCP, 4, 32, 0)                    \
    ESWITCH_FIELD(TCP_ACK, "tcp_ack", TCP, 8, 32, 0)                    \
    ESWITCH_FIELD(TCP_FLAGS, "tcp_flags", TCP, 12, 9, 0)                \
    ESWITCH_FIELD(UDP_SRC, "udp_src", UDP, 0, 16, 0)                    \
    ESWITCH_FIELD(UDP_DST, "udp_dst", UDP, 2, 16, 0)                    \
    ESWITCH_FIELD(VXLAN_VNI, "vxlan_vni", VXLAN, 4, 24, 0)              \
    ESWITCH_FIELD(GENEVE_VNI, "geneve_vni", GENEVE, 4, 24, 0)           \
    ESWITCH_FIELD_ONE_OF(TTL, "ttl", IPV4_TTL, IPV6_HLIM)               \
    ESWITCH_FIELD_ONE_OF(DSCP, "dscp", IPV4_DSCP, IPV6_DSCP)            \
    ESWITCH_FIELD_ONE_OF(ECN, "ecn", IPV4_ECN, IPV6_ECN)                \
    ESWITCH_FIELD_ONE_OF(TP_SRC, "tp_src", TCP_SRC, UDP_SRC)            \
    ESWITCH_FIELD_ONE_OF(TP_DST, "tp_dst", TCP_DST, UDP_DST)

enum eswitch_field {
#define ESWITCH_FIELD(ID, NAME, ITEM, OFS, BITS, SHIFT) ESWITCH_FIELD_##ID,
#define ESWITCH_FIELD_ONE_OF(ID, NAME, A, B) ESWITCH_FIELD_##ID,
    ESWITCH_FIELDS
#undef ESWITCH_FIELD
#undef ESWITCH_FIELD_ONE_OF
    ESWITCH_N_FIELDS
};

/* Actions.
 *
 * A row: id, name, and whether it ends the walk through a group (a fate).  A
 * rule has one fate, its last action, and at most one COUNT.
 *
 * All checksums and lengths are right after each action.  Checksums are
 * updated by the difference, so that a packet whose checksum was wrong still
 * has a wrong one; a UDP checksum of 0 stays. */
#define ESWITCH_ACTIONS                                                     \
    /* Fates.  OUTPUT: leaves at the port's end.  SOFTWARE: goes up */      \
    /* through the port's representor, with its mark.  JUMP: goes on in */  \
    /* a group. */                                                          \
    ESWITCH_ACTION(OUTPUT, "output", true)                                  \
    ESWITCH_ACTION(SOFTWARE, "software", true)                              \
    ESWITCH_ACTION(DROP, "drop", true)                                      \
    ESWITCH_ACTION(JUMP, "jump", true)                                      \
    /* Only ingress rules have queues: where in the representor's. */       \
    ESWITCH_ACTION(QUEUE, "queue", true)                                    \
    ESWITCH_ACTION(RSS, "rss", true)                                        \
    /* Only ingress rules: ends the walk, queues are as without rules. */   \
    ESWITCH_ACTION(PASSTHRU, "passthru", true)                              \
    /* Packets and bytes, as they are at this action. */                    \
    ESWITCH_ACTION(COUNT, "count", false)                                   \
    ESWITCH_ACTION(MARK, "mark", false)                                     \
    /* The outermost tag. */                                                \
    ESWITCH_ACTION(VLAN_POP, "vlan_pop", false)                             \
    ESWITCH_ACTION(VLAN_PUSH, "vlan_push", false)                           \
    /* A field: MODIFY a value into it, or COPY from another one. */        \
    ESWITCH_ACTION(MODIFY, "modify", false)                                 \
    ESWITCH_ACTION(COPY, "copy", false)                                     \
    /* TTL or hop limit.  A packet whose is 0 or 1 misses. */               \
    ESWITCH_ACTION(DEC_TTL, "dec_ttl", false)                               \
    /* Puts headers in front, or takes them off. */                         \
    ESWITCH_ACTION(ENCAP, "encap", false)                                   \
    ESWITCH_ACTION(DECAP, "decap", false)                                   \
    ESWITCH_ACTION(RAW_DECAP, "raw_decap", false)                           \
    /* Other actions are done to a copy. */                                 \
    ESWITCH_ACTION(SAMPLE, "sample", false)

enum eswitch_action_type {
#define ESWITCH_ACTION(ID, NAME, FATE) ESWITCH_ACTION_##ID,
    ESWITCH_ACTIONS
#undef ESWITCH_ACTION
    ESWITCH_N_ACTIONS
};

enum eswitch_op { ESWITCH_OP_SET, ESWITCH_OP_ADD, ESWITCH_OP_SUB };

/* A field of a header.  'level' 0 or 1 is the outermost such header, 2 that
 * behind the first tunnel, 3 behind the second ...  A packet without it
 * misses, as does a later fragment without that header. */
struct eswitch_field_ref {
    enum eswitch_field field;
    uint8_t level;
};

struct eswitch_action {
    enum eswitch_action_type type;
    union {
        uint16_t port;              /* OUTPUT, SOFTWARE. */
        uint32_t group;             /* JUMP. */
        uint32_t mark;              /* MARK. */
        uint16_t tpid;              /* VLAN_PUSH: 0x8100 or 0x88a8; the new
                                     * tag has the VID and PCP of the one it
                                     * is put in front of, or 0. */

        /* MODIFY: the bits of 'mask' become, or are added the, 'value'.  ADD
         * and SUB take a full mask and wrap around. */
        struct {
            struct eswitch_field_ref field;
            enum eswitch_op op;
            uint8_t value[16], mask[16];
        } modify;

        /* COPY: 'width' bits; the offsets are counted from a field's least
         * significant bit. */
        struct {
            struct eswitch_field_ref dst, src;
            uint8_t dst_ofs, src_ofs;
            uint8_t width;
            enum eswitch_op op;     /* ADD and SUB: of all bits. */
        } copy;

        /* ENCAP: 'size' bytes of headers, beginning with Ethernet's.  Of an
         * IP header, length and (IPv4) checksum are filled in; of UDP, length,
         * the source port if it is 0 (49152 to 65535, by the flow inside) and
         * the checksum, if it isn't 0 or the IP is version 6; GRE's checksum
         * if it has one.  The bytes are copied. */
        struct {
            const uint8_t *data;
            size_t size;
        } encap;

        /* DECAP: all up to and including the outermost tunnel header, which
         * must be 'tunnel' (VXLAN, GENEVE or GRE). */
        struct {
            enum eswitch_item_type tunnel;
        } decap;

        /* RAW_DECAP: that many bytes, which must end where a header does.
         * What begins with anything but Ethernet then must be ENCAPed. */
        struct {
            size_t size;
        } raw_decap;

        /* SAMPLE: 'ratio' must be 1.  The actions need a fate: OUTPUT,
         * SOFTWARE or DROP; no samples in samples, no COUNT. */
        struct {
            uint32_t ratio;
            const struct eswitch_action *actions;
            size_t n_actions;
        } sample;

        uint16_t queue;             /* QUEUE. */

        /* RSS: by the hash of addresses, protocol and ports. */
        struct {
            const uint16_t *queues;
            size_t n_queues;        /* 0: as without rules. */
        } rss;
    };
};

/* Rules. */

/* What is to be a rule.  All of it is the caller's and is copied.
 *
 * Transfer rules are those of the eswitch.  One without PORT item matches what
 * enters at 'port' only; otherwise a rule made for one tenant would match
 * another one's packets.  A PORT item whose mask is 0 means all ports.
 *
 * The others are ingress rules of 'port': what comes up through its
 * representor walks them, from group 0 of the port's own.  They may count,
 * mark, jump, drop and choose a queue.
 *
 * The lower the priority the better.  Two rules with the same match and
 * priority in the same group are refused (EEXIST); where two different ones of
 * the same priority match a packet, it is undefined which. */
struct eswitch_rule {
    uint16_t port;
    bool transfer;
    uint32_t group, priority;
    const struct eswitch_item *items;
    size_t n_items;
    const struct eswitch_action *actions;
    size_t n_actions;
};

struct eswitch_counters {
    uint64_t packets, bytes;        /* Bytes without frame check sequence. */
};

/* Eswitches. */

struct eswitch_params {
    uint16_t n_vfs;                 /* Up to ESWITCH_MAX_PORTS - 1. */
    uint32_t capacity;              /* Rules, of both kinds; 0: no limit. */
    uint32_t insert_latency;        /* Of a rule, microseconds.  Insertions
                                     * wait for each other. */
    uint32_t counter_refresh;       /* Milliseconds: counters are shown as they
                                     * were at the last multiple of this.  0:
                                     * as they are. */

    /* What to tell the time by, in milliseconds; null: CLOCK_MONOTONIC.  Must
     * be callable from all threads, and cheap. */
    uint64_t (*now)(void *aux);

    /* All rules are gone.  Called by eswitch_reset()'s thread, without lock.
     * Or null. */
    void (*reset)(void *aux);

    void *aux;                      /* For the callbacks. */
};

/* No VF, no limit, no latency, counters refreshed each 500 ms. */
#define ESWITCH_PARAMS_INITIALIZER { .counter_refresh = 500 }

/* EINVAL: a parameter is out of its range; ENOMEM. */
int eswitch_create(const struct eswitch_params *, struct eswitch **,
                   struct eswitch_error *);
/* There must be no reader any more.  Its rules die with it. */
void eswitch_destroy(struct eswitch *);

/* The parameters as they are now, 'capacity', 'insert_latency' and
 * 'counter_refresh' of which can be changed.  A capacity lower than the number
 * of rules refuses more of them. */
void eswitch_get_params(struct eswitch *, struct eswitch_params *);
void eswitch_set_capacity(struct eswitch *, uint32_t rules);
void eswitch_set_insert_latency(struct eswitch *, uint32_t us);
void eswitch_set_counter_refresh(struct eswitch *, uint32_t ms);

/* Makes UDP's destination port 'udp_port' (host byte order) that of a tunnel,
 * ESWITCH_ITEM_VXLAN or ESWITCH_ITEM_GENEVE, or (add false) of none.  At first
 * there are 4789 and 6081.  Up to 8 of each kind.  EINVAL, EEXIST if it is the
 * other kind's, ENOSPC, ENOENT. */
int eswitch_tunnel_port(struct eswitch *, enum eswitch_item_type,
                        uint16_t udp_port, bool add, struct eswitch_error *);

/* Would the rule be taken?  As eswitch_rule_create(), but for the capacity and
 * for injected failures. */
int eswitch_rule_validate(struct eswitch *, const struct eswitch_rule *,
                          struct eswitch_error *);

/* Creates a rule, which is at work when this returns 0, and puts its id, never
 * 0, into '*id'.  EINVAL: malformed; ENOTSUP: well formed, but beyond this
 * device; EEXIST; ENOSPC: capacity; ENOMEM; or an injected error. */
int eswitch_rule_create(struct eswitch *, const struct eswitch_rule *,
                        uint64_t *id, struct eswitch_error *);

/* ENOENT: it has gone already.  When this returns, walks that have begun may
 * still be under the rule's spell, but none that begins. */
int eswitch_rule_destroy(struct eswitch *, uint64_t id,
                         struct eswitch_error *);

/* The rule's counters, as of the last refresh, less what was reported and
 * reset.  With 'reset', what is reported now is reset; what was counted since
 * the refresh isn't lost.  ENOENT; EINVAL: the rule has no COUNT. */
int eswitch_rule_query(struct eswitch *, uint64_t id, bool reset,
                       struct eswitch_counters *, struct eswitch_error *);

/* Destroys all rules that were created on 'port'.  Returns their number. */
size_t eswitch_flush(struct eswitch *, uint16_t port);

size_t eswitch_n_rules(struct eswitch *);

/* Faults. */

enum eswitch_operation {
    ESWITCH_CREATE, ESWITCH_DESTROY, ESWITCH_QUERY, ESWITCH_N_OPERATIONS
};

/* The 'nth' operation of that kind from now, 1 for the next one, fails with
 * 'error' (a positive errno) and does nothing; 0 takes that back. */
void eswitch_inject(struct eswitch *, enum eswitch_operation, unsigned nth,
                    int error);

/* Plays a poorer NIC: rules with the item, action or rewritten field of that
 * name, "item:vxlan", "action:sample", "field:ipv4_src", are refused from now
 * on, or not any more.  EINVAL: there is none of that name. */
int eswitch_refuse(struct eswitch *, const char *name, bool refuse,
                   struct eswitch_error *);

/* Firmware reset: all rules are gone; params.reset is called. */
void eswitch_reset(struct eswitch *);

/* Listing. */

struct eswitch_rule_info {
    uint64_t id;
    uint16_t port;                  /* That it was created on. */
    bool transfer;
    uint32_t group, priority;
    bool has_count;
    struct eswitch_counters shown;  /* As a query would show them. */
    struct eswitch_counters live;   /* As they are, never reset. */
    const char *match;              /* Text, for people: see eswitch-text.h. */
    const char *actions;
};

/* Calls 'cb' for each rule, in the order of their ids.  'cb' must not call
 * this eswitch; insertions wait meanwhile. */
void eswitch_list(struct eswitch *,
                  void (*cb)(const struct eswitch_rule_info *, void *aux),
                  void *aux);

/* Names. */
const char *eswitch_item_name(enum eswitch_item_type);
const char *eswitch_action_name(enum eswitch_action_type);
const char *eswitch_field_name(enum eswitch_field);

/* Does the action end what a rule does?  Each rule has one that does. */
bool eswitch_action_is_fate(enum eswitch_action_type);

/* Packets. */

/* What a packet that goes up to software has with it. */
struct eswitch_metadata {
    bool has_mark;
    uint32_t mark;
    bool has_queue;                 /* A rule has chosen one. */
    uint16_t queue;
    uint32_t hash;                  /* Of the flow, for the rest. */
    bool miss;                      /* No transfer rule has sent it. */
};

/* Where packets go.  Called by the thread that calls eswitch_rx() or
 * eswitch_tx(), during the call, without any lock.  The frame is the eswitch's
 * and valid during the callback.  They must not call the same reader. */
struct eswitch_sink {
    /* Out of the port's end.  False if it was dropped there. */
    bool (*end)(void *aux, uint16_t port, const void *frame, size_t);
    /* Up through the port's representor, likewise. */
    bool (*software)(void *aux, uint16_t port, const struct eswitch_metadata *,
                     const void *frame, size_t);
    void *aux;
};

/* A reader belongs to one thread at a time.  Null if there is no memory. */
struct eswitch_reader *eswitch_reader_create(struct eswitch *,
                                             const struct eswitch_sink *);
void eswitch_reader_destroy(struct eswitch_reader *);

/* A frame has come in at the end of 'port'. */
void eswitch_rx(struct eswitch_reader *, uint16_t port, const void *frame,
                size_t size);

/* Software has sent a frame into the representor of 'port'. */
void eswitch_tx(struct eswitch_reader *, uint16_t port, const void *frame,
                size_t size);

/* Since when the rule has been at work that a frame would meet first which
 * comes in at the end of 'port', in nanoseconds of CLOCK_MONOTONIC; 0 if it
 * would miss there.  Nothing happens to the frame, and nothing is counted. */
uint64_t eswitch_ruled_since(struct eswitch_reader *, uint16_t port,
                             const void *frame, size_t size);

/* Of a port, since the beginning.  All ends at which a frame may be. */
struct eswitch_port_stats {
    struct eswitch_counters end_rx; /* Came in at the end. */
    struct eswitch_counters end_tx; /* Left at the end. */
    struct eswitch_counters missed; /* Of end_rx, to software for want of a
                                     * rule. */
    struct eswitch_counters up;     /* Up through the representor, the missed
                                     * ones among them. */
    struct eswitch_counters down;   /* Sent into the representor. */
    uint64_t ruled_out;             /* Of end_rx: dropped by a rule. */
    uint64_t end_dropped;           /* The end's sink took them not. */
    uint64_t up_dropped;            /* Software's sink took them not. */
    uint64_t errors;                /* Of end_rx: no Ethernet, too long. */
};
/* EINVAL: there is no such port. */
int eswitch_port_stats(struct eswitch *, uint16_t port,
                       struct eswitch_port_stats *);

#endif /* eswitch.h */
