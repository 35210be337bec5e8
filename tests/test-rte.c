/* SPDX-License-Identifier: Apache-2.0 */

/* From a megaflow and its actions, in the form of "ovs-appctl
 * dpctl/dump-flows", to rte_flow's attributes, items and actions, without any
 * device: run by tests/rte.at.  See usage(). */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "offload-action.h"
#include "offload-field.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "rte/rte-encode.h"
#include "rte/rte-rules.h"
#include "tests/megaflow-text.h"
#include "util.h"

/* The ports that flows may name by number. */
static const struct {
    const char *name;
    enum offload_port_kind kind;
    int dpdk_id;                /* -1: none. */
    int owner;
    bool transfer;
    uint16_t tp_dst;
} ports[] = {
    [1] = { "pf", OFFLOAD_PORT_PLAIN, 10, 10, true, 0 },
    [2] = { "vf0", OFFLOAD_PORT_PLAIN, 11, 10, true, 0 },
    [3] = { "vf1", OFFLOAD_PORT_PLAIN, 12, 10, true, 0 },
    [4] = { "tap", OFFLOAD_PORT_PLAIN, -1, -1, false, 0 },
    [5] = { "vxlan_sys", OFFLOAD_PORT_VXLAN, -1, -1, false, 4789 },
    [6] = { "genev_sys", OFFLOAD_PORT_GENEVE, -1, -1, false, 6081 },
    [7] = { "gre_sys", OFFLOAD_PORT_GRE, -1, -1, false, 0 },
    [8] = { "marker", OFFLOAD_PORT_PLAIN, 13, 13, false, 0 },
    [9] = { "other", OFFLOAD_PORT_PLAIN, 14, 14, true, 0 },
    [10] = { "erspan_sys", OFFLOAD_PORT_OTHER_TUNNEL, -1, -1, false, 0 },
};

static bool represented = true;
static uint32_t priority;

static void
add_ports(void)
{
    for (size_t i = 1; i < ARRAY_SIZE(ports); i++) {
        uint16_t id = (ports[i].dpdk_id >= 0 ? ports[i].dpdk_id
                       : OFFLOAD_NO_DPDK);
        struct offload_port *port
            = offload_port_add_netdev(u32_to_odp(i), ports[i].name,
                                      ports[i].kind, id,
                                      htons(ports[i].tp_dst));
        struct rte_port_aux *aux = xzalloc(sizeof *aux);

        if (ports[i].dpdk_id < 0) {
            free(aux);
            continue;
        }
        aux->port.id = id;
        aux->port.owner = ports[i].owner;
        aux->port.transfer = ports[i].transfer;
        aux->port.represented = represented;
        port->match_only = !ports[i].transfer;
        port->aux = aux;
        if (i == 1) {
            rte_port_default = &aux->port;
        }
    }
}

/* Output. */

static void
print_hex(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%02x", ((const uint8_t *) p)[i]);
    }
}

/* Prints what 'mask' has of 'spec': "[OFFSET]VALUE/MASK", and "..LAST". */
static void
print_masked(const uint8_t *spec, const uint8_t *last, const uint8_t *mask,
             size_t size)
{
    for (size_t i = 0; i < size; ) {
        size_t start = i;

        while (i < size && mask[i]) {
            i++;
        }
        if (i == start) {
            i++;
            continue;
        }
        printf(" [%"PRIuSIZE"]", start);
        print_hex(spec + start, i - start);
        putchar('/');
        print_hex(mask + start, i - start);
        if (last && !is_all_zeros(last + start, i - start)) {
            printf("..");
            print_hex(last + start, i - start);
        }
    }
}

static void
print_geneve_opt(const struct rte_flow_item_geneve_opt *spec,
                 const struct rte_flow_item_geneve_opt *mask)
{
    printf(" class %04x/%04x type %02x/%02x len %u/%02x ",
           ntohs(spec->option_class), ntohs(mask->option_class),
           spec->option_type, mask->option_type, spec->option_len,
           mask->option_len);
    print_hex(spec->data, spec->option_len * 4);
    putchar('/');
    print_hex(mask->data, spec->option_len * 4);
}

static const struct {
    enum rte_flow_item_type type;
    const char *name;
    size_t size;
} item_names[] = {
#define ITEM(TYPE, STRUCT) \
    { RTE_FLOW_ITEM_TYPE_##TYPE, #TYPE, sizeof(struct rte_flow_item_##STRUCT) }
    ITEM(REPRESENTED_PORT, ethdev), ITEM(PORT_ID, port_id), ITEM(ETH, eth),
    ITEM(VLAN, vlan), ITEM(MPLS, mpls), ITEM(ARP_ETH_IPV4, arp_eth_ipv4),
    ITEM(IPV4, ipv4), ITEM(IPV6, ipv6), ITEM(IPV6_FRAG_EXT, ipv6_frag_ext),
    ITEM(TCP, tcp), ITEM(UDP, udp), ITEM(SCTP, sctp), ITEM(ICMP, icmp),
    ITEM(ICMP6, icmp6), ITEM(VXLAN, vxlan), ITEM(GENEVE, geneve),
    ITEM(GENEVE_OPT, geneve_opt), ITEM(GRE, gre),
    { RTE_FLOW_ITEM_TYPE_GRE_KEY, "GRE_KEY", 4 },
};

static void
print_item(const struct rte_flow_item *item)
{
    size_t i = 0;

    while (item_names[i].type != item->type) {
        i++;
        assert(i < ARRAY_SIZE(item_names));
    }
    printf("  %s", item_names[i].name);
    assert(!item->spec == !item->mask);
    if (item->type == RTE_FLOW_ITEM_TYPE_GENEVE_OPT) {
        print_geneve_opt(item->spec, item->mask);
    } else if (item->spec) {
        print_masked(item->spec, item->last, item->mask, item_names[i].size);
    }
    putchar('\n');
}

static void print_actions(const struct rte_flow_action *, int indent);

static void
print_modify(const struct rte_flow_action_modify_field *m)
{
    assert(m->operation == RTE_FLOW_MODIFY_SET
           && m->src.field == RTE_FLOW_FIELD_VALUE);
    printf(" field %d bits %"PRIu32"+%"PRIu32" ", m->dst.field, m->dst.offset,
           m->width);
    print_hex(m->src.value, 16);
}

/* Actions whose conf has 'size' bytes that say it all. */
static const struct {
    enum rte_flow_action_type type;
    const char *name;
    size_t size;
} action_names[] = {
#define ACTION(TYPE, SIZE) { RTE_FLOW_ACTION_TYPE_##TYPE, #TYPE, SIZE }
    ACTION(COUNT, 0), ACTION(DROP, 0), ACTION(REPRESENTED_PORT, 2),
    ACTION(PORT_ID, 8), ACTION(JUMP, 4), ACTION(MARK, 4), ACTION(RSS, 0),
    ACTION(OF_POP_VLAN, 0), ACTION(OF_PUSH_VLAN, 2),
    ACTION(OF_SET_VLAN_VID, 2), ACTION(OF_SET_VLAN_PCP, 1),
    ACTION(SET_MAC_SRC, 6), ACTION(SET_MAC_DST, 6), ACTION(SET_IPV4_SRC, 4),
    ACTION(SET_IPV4_DST, 4), ACTION(SET_IPV6_SRC, 16),
    ACTION(SET_IPV6_DST, 16), ACTION(SET_TTL, 1), ACTION(SET_TP_SRC, 2),
    ACTION(SET_TP_DST, 2), ACTION(MODIFY_FIELD, 0), ACTION(SAMPLE, 0),
    ACTION(VXLAN_ENCAP, 0), ACTION(VXLAN_DECAP, 0), ACTION(RAW_ENCAP, 0),
    ACTION(RAW_DECAP, 0),
};

static void
print_conf(const struct rte_flow_action *action, int indent)
{
    const void *conf = action->conf;

    switch ((int) action->type) {
    case RTE_FLOW_ACTION_TYPE_MODIFY_FIELD:
        print_modify(conf);
        break;
    case RTE_FLOW_ACTION_TYPE_RSS:
        printf(" %"PRIu32" queues",
               ((const struct rte_flow_action_rss *) conf)->queue_num);
        break;
    case RTE_FLOW_ACTION_TYPE_RAW_ENCAP:
        putchar(' ');
        print_hex(((const struct rte_flow_action_raw_encap *) conf)->data,
                  ((const struct rte_flow_action_raw_encap *) conf)->size);
        break;
    case RTE_FLOW_ACTION_TYPE_RAW_DECAP:
        printf(" %"PRIuSIZE" bytes",
               ((const struct rte_flow_action_raw_decap *) conf)->size);
        break;
    case RTE_FLOW_ACTION_TYPE_VXLAN_ENCAP: {
        const struct rte_flow_item *item
            = ((const struct rte_flow_action_vxlan_encap *) conf)->definition;

        putchar('\n');
        for (; item->type != RTE_FLOW_ITEM_TYPE_END; item++) {
            print_item(item);
        }
        return;
    }
    case RTE_FLOW_ACTION_TYPE_SAMPLE:
        assert(((const struct rte_flow_action_sample *) conf)->ratio == 1);
        putchar('\n');
        print_actions(((const struct rte_flow_action_sample *) conf)->actions,
                      indent + 2);
        return;
    }
    putchar('\n');
}

static void
print_actions(const struct rte_flow_action *action, int indent)
{
    for (; action->type != RTE_FLOW_ACTION_TYPE_END; action++) {
        size_t i = 0;

        while (action_names[i].type != action->type) {
            i++;
            assert(i < ARRAY_SIZE(action_names));
        }
        printf("%*s%s", indent, "", action_names[i].name);
        if (action_names[i].size) {
            putchar(' ');
            print_hex(action->conf, action_names[i].size);
        }
        print_conf(action, indent);
    }
}

static void
print_encoding(const struct rte_encoding *enc, bool items, bool actions)
{
    printf("%s of port %"PRIu16", group %"PRIu32", priority %"PRIu32"\n",
           enc->attr.transfer ? "transfer" : "ingress", enc->owner,
           enc->attr.group, enc->attr.priority);
    assert(enc->attr.transfer != enc->attr.ingress);
    assert(enc->items[enc->n_items - 1].type == RTE_FLOW_ITEM_TYPE_END);
    for (size_t i = 0; items && i < enc->n_items - 1; i++) {
        print_item(&enc->items[i]);
    }
    if (actions) {
        puts("do");
        print_actions(enc->actions, 2);
    }
}

/* Commands. */

static int
encode(const struct match *match, const char *actions,
       struct rte_encoding *enc, struct offload_refusal *refusal)
{
    struct offload_context context = { .datapath = OFFLOAD_DP_NETDEV };
    static struct offload_rule rule;
    static struct ofpbuf acts;
    struct offload_port *port;
    ovs_u128 ufid = OVS_U128_ZERO;
    int error;

    ofpbuf_uninit(&acts);
    ofpbuf_init(&acts, 0);
    if (odp_actions_from_string(actions, NULL, &acts)) {
        ovs_fatal(0, "%s: no actions", actions);
    }
    port = offload_port_lookup_in(OFFLOAD_DP_NETDEV,
                                  match->flow.in_port.odp_port);
    assert(port);
    offload_refusal_init(refusal);
    error = offload_rule_parse(&rule, &ufid, port, match, acts.data,
                               acts.size, &context, refusal);
    rule.mark = 0x77;
    if (!error) {
        error = rte_encode(&rule, priority, 3, enc, refusal);
    }
    assert(error == offload_refusal_errno(refusal));
    return error;
}

static int
cmd_encode__(char *argv[], bool items, bool actions)
{
    static struct rte_encoding enc;
    struct offload_refusal refusal;
    struct match match;

    match_from_text(argv[0], &match);
    if (encode(&match, argv[1], &enc, &refusal)) {
        print_refusal(&refusal);
    } else {
        print_encoding(&enc, items, actions);
    }
    return 0;
}

static int
cmd_encode(char *argv[])
{
    return cmd_encode__(argv, true, true);
}

static int
cmd_match(char *argv[])
{
    return cmd_encode__(argv, true, false);
}

static int
cmd_actions(char *argv[])
{
    return cmd_encode__(argv, false, true);
}

/* Key of a packet of each kind.  Together they fulfil every condition. */
#define ETH "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
#define IP4 ETH "eth_type(0x0800),ipv4(src=10.1.2.3,dst=10.4.5.6,tos=0x8," \
    "ttl=64,frag=no,"
#define IP6 ETH "eth_type(0x86dd),ipv6(src=fd00::1,dst=fd00::2,label=1," \
    "tclass=0x8,hlimit=64,frag=no,"
#define TUNNEL4 "tunnel(tun_id=0x7b,src=172.31.1.1,dst=172.31.1.2,tos=0x4," \
    "ttl=64,tp_src=4000,"

static const struct sample {
    const char *name;
    const char *text;
} samples[] = {
    { "tcp", "in_port(2)," IP4 "proto=6),tcp(src=80,dst=81),tcp_flags(0x12)" },
    { "udp", "in_port(2)," IP6 "proto=17),udp(src=80,dst=81)" },
    { "sctp", "in_port(2)," IP4 "proto=132),sctp(src=80,dst=81)" },
    { "icmp", "in_port(2)," IP4 "proto=1),icmp(type=8,code=1)" },
    { "icmpv6", "in_port(2)," IP6 "proto=58),icmpv6(type=128,code=1)" },
    { "nd", "in_port(2)," IP6 "proto=58),icmpv6(type=135,code=0),"
      "nd(target=fd00::3,sll=02:00:00:00:00:01)" },
    { "igmp", "in_port(2)," IP4 "proto=2)" },
    { "arp", "in_port(2)," ETH "eth_type(0x0806),arp(sip=10.1.2.3,"
      "tip=10.4.5.6,op=1,sha=02:00:00:00:00:01,tha=02:00:00:00:00:02)" },
    { "mpls", "in_port(2)," ETH
      "eth_type(0x8847),mpls(label=100,tc=3,ttl=64,bos=1)" },
    { "nsh", "in_port(2)," ETH "eth_type(0x894f)" },
    { "qinq", "in_port(2)," ETH "eth_type(0x88a8),vlan(vid=10,pcp=1),"
      "encap(eth_type(0x8100),vlan(vid=20,pcp=2),encap(eth_type(0x88b5)))" },
    { "vxlan", "in_port(5)," TUNNEL4 "tp_dst=4789,flags(df|key))," IP4
      "proto=6),tcp(src=80,dst=81)" },
    { "geneve", "in_port(6)," TUNNEL4 "tp_dst=6081,geneve({class=0x102,"
      "type=1,len=4,0x12345678}),flags(df|csum|key))," IP4 "proto=6),"
      "tcp(src=80,dst=81)" },
    { "gre6", "in_port(7),tunnel(tun_id=0x7b,ipv6_src=fd00::1,"
      "ipv6_dst=fd00::2,tos=4,ttl=64,flags(csum|key))," IP4 "proto=6)" },
};

/* A megaflow that matches of a sample no more than other fields need. */
static void
sample_to_match(const struct sample *sample, struct match *match)
{
    struct flow *mask = &match->wc.masks;

    match_from_text(sample->text, match);
    match->flow.skb_priority = match->flow.dp_hash = 1;
    match->flow.ct_state = OVS_CS_F_TRACKED;
    memset(mask, 0, sizeof *mask);
    mask->dl_type = OVS_BE16_MAX;
    for (int i = 0; i < FLOW_MAX_VLAN_HEADERS; i++) {
        mask->vlans[i].tci = match->flow.vlans[i].tci & htons(VLAN_CFI);
    }
    if (is_ip_any(&match->flow)) {
        mask->nw_proto = UINT8_MAX;
    }
    if (offload_prereq_holds(OFFLOAD_PRE_ND, &match->flow)) {
        mask->tp_src = OVS_BE16_MAX;
    }
    if (match->flow.tunnel.metadata.present.len) {
        struct geneve_opt *opt = mask->tunnel.metadata.opts.gnv;

        opt->opt_class = OVS_BE16_MAX;
        opt->type = UINT8_MAX;
    }
}

/* Sets all bits of the row in 'flow'. */
static void
fill_field(const struct offload_field *field, struct flow *flow)
{
    for (size_t i = 0; i < field->size * 8; i++) {
        struct flow bit;
        uint8_t *p = (uint8_t *) &bit + field->ofs;

        memset(&bit, 0, sizeof bit);
        p[i / 8] = 1 << i % 8;
        if (offload_field_is_masked(field, &bit)) {
            ((uint8_t *) flow)[field->ofs + i / 8] |= p[i / 8];
        }
    }
}

/* All that an encoding says of a match, to be compared. */
static void
fingerprint(const struct rte_encoding *enc, struct ds *s)
{
    for (size_t i = 0; i < enc->n_items - 1; i++) {
        const struct rte_flow_item *item = &enc->items[i];
        size_t j = 0;

        while (item_names[j].type != item->type) {
            j++;
        }
        ds_put_format(s, "%s", item_names[j].name);
        if (item->type == RTE_FLOW_ITEM_TYPE_GENEVE_OPT) {
            const struct rte_flow_item_geneve_opt *mask = item->mask;

            ds_put_hex(s, mask->data, 4);
        } else if (item->mask) {
            ds_put_hex(s, item->mask, item_names[j].size);
            ds_put_hex(s, item->spec, item_names[j].size);
        }
    }
}

/* Prints, of each kind of packet, the fields that are refused, and those that
 * leave no trace in the items. */
static int
cmd_fields(char *argv[] OVS_UNUSED)
{
    static struct rte_encoding enc;

    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct ds refused = DS_EMPTY_INITIALIZER;
        struct ds silent = DS_EMPTY_INITIALIZER;
        struct ds base = DS_EMPTY_INITIALIZER;
        struct offload_refusal refusal;
        struct match match;

        sample_to_match(&samples[i], &match);
        if (encode(&match, "drop", &enc, &refusal)) {
            print_refusal(&refusal);
            return 1;
        }
        fingerprint(&enc, &base);
        for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
            const struct offload_field *field = offload_field_get(id);
            struct ds with = DS_EMPTY_INITIALIZER;
            struct match m = match;

            if (!offload_prereq_holds(field->prereq, &m.flow)) {
                continue;
            }
            fill_field(field, &m.wc.masks);
            if (flow_equal(&m.wc.masks, &match.wc.masks)) {
                continue;
            }
            if (encode(&m, "drop", &enc, &refusal)) {
                ds_put_format(&refused, " %s", field->name);
                if (refusal.code == OFFLOAD_REFUSED_FIELD
                    && strcmp(refusal.subject, field->name)) {
                    ds_put_format(&refused, "(as %s)", refusal.subject);
                }
            } else {
                fingerprint(&enc, &with);
                if (!strcmp(ds_cstr(&with), ds_cstr(&base))) {
                    ds_put_format(&silent, " %s", field->name);
                }
            }
            ds_destroy(&with);
        }
        printf("%s\n  refused:%s\n  silent:%s\n", samples[i].name,
               ds_cstr(&refused), ds_cstr(&silent));
        ds_destroy(&refused);
        ds_destroy(&silent);
        ds_destroy(&base);
    }
    return 0;
}

/* What the rows of the action table say of an action by that name. */
static bool
row_says(const char *name)
{
    const struct offload_action_row *rows;
    size_t n = offload_action_rows(&rows);

    for (size_t i = 0; i < n; i++) {
        if (rows[i].name && !strcmp(rows[i].name, name)) {
            return rows[i].rte;
        }
    }
    return false;
}

/* Prints where the rows that documentation is made from aren't what the code
 * does. */
static int
cmd_rows(char *argv[] OVS_UNUSED)
{
    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const struct offload_field *field = offload_field_get(id);

        if (field->rte.can_set != rte_can_set(id)) {
            printf("set(%s): %d\n", field->name, rte_can_set(id));
        }
    }
    for (size_t kind = 0; kind < OFFLOAD_N_ACTIONS; kind++) {
        const char *name = offload_action_name(kind);

        if (row_says(name) != rte_can_do(kind)) {
            printf("%s: %d\n", name, rte_can_do(kind));
        }
    }
    return 0;
}

static const struct {
    const char *name;
    int min_args;
    int (*run)(char *argv[]);
} commands[] = {
    { "encode", 2, cmd_encode },
    { "match", 2, cmd_match },
    { "actions", 2, cmd_actions },
    { "fields", 0, cmd_fields },
    { "rows", 0, cmd_rows },
};

OVS_NO_RETURN static void
usage(void)
{
    puts("usage: test-rte [--port-id] [--priority N] [--strict] COMMAND\n"
         "  encode MEGAFLOW ACTIONS   print the whole rule\n"
         "  match MEGAFLOW ACTIONS    print its items\n"
         "  actions MEGAFLOW ACTIONS  print its actions\n"
         "  fields                    what can be matched\n"
         "  rows                      where the tables' rows are wrong");
    exit(2);
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "port-id", no_argument, NULL, 'p' },
        { "priority", required_argument, NULL, 'P' },
        { "strict", no_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (c) {
        case 'p': represented = false; break;
        case 'P': priority = atoi(optarg); break;
        case 's': offload_strict_tunnel_flags = true; break;
        default: usage();
        }
    }
    add_ports();
    for (size_t i = 0; i < ARRAY_SIZE(commands) && argv[optind]; i++) {
        if (!strcmp(argv[optind], commands[i].name)
            && argc - optind - 1 >= commands[i].min_args) {
            return commands[i].run(argv + optind + 1);
        }
    }
    usage();
}
