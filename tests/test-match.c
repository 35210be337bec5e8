/* SPDX-License-Identifier: Apache-2.0 */

/* From a megaflow in the form of "ovs-appctl dpctl/dump-flows" to flower's
 * attributes: run by tests/match.at, and by tests/system-match.at inside of
 * the test kernel.  See usage() for the commands. */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bitmap.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "offload-field.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tc/tc-caps.h"
#include "tc/tc-match.h"
#include "tc/tc-prio.h"
#include "tc/tc-uapi.h"
#include "tests/megaflow-text.h"
#include "util.h"

static struct offload_port port = { .kind = OFFLOAD_PORT_PLAIN };
static struct tc_narrowing narrowing;

/* The message, from struct nlmsghdr to the end of flower's options. */
struct request {
    struct ofpbuf msg;
    size_t attrs;               /* Where flower's attributes begin. */
    struct tc_match out;
};

static void
request_init(struct request *req, int ifindex, uint16_t prio)
{
    struct nlmsghdr *nlmsg;
    struct tcmsg *tcmsg;

    ofpbuf_init(&req->msg, 1024);
    nlmsg = ofpbuf_put_zeros(&req->msg, sizeof *nlmsg);
    nlmsg->nlmsg_type = RTM_NEWTFILTER;
    nlmsg->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    tcmsg = ofpbuf_put_zeros(&req->msg, sizeof *tcmsg);
    tcmsg->tcm_ifindex = ifindex;
    tcmsg->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    tcmsg->tcm_info = TC_H_MAKE((uint32_t) prio << 16, 0);
    nl_msg_put_string(&req->msg, TCA_KIND, "flower");
}

/* Parses and encodes 'match'.  Returns 0 or a positive errno. */
static int
request_encode(struct request *req, const struct match *match,
               struct offload_refusal *refusal)
{
    struct offload_rule rule = { .in_port = &port };
    size_t options;
    int error;

    rule.recirc_id = match->flow.recirc_id;
    error = offload_match_parse(&rule, match, refusal);
    if (error) {
        return error;
    }

    options = nl_msg_start_nested(&req->msg, TCA_OPTIONS);
    req->attrs = req->msg.size;
    error = tc_match_encode(&req->msg, &rule, &narrowing, &req->out, refusal);
    nl_msg_end_nested(&req->msg, options);
    return error;
}

/* Sends the request and waits for the kernel's answer. */
static int
request_send(struct request *req)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct nlmsghdr *nlmsg = req->msg.data;
    struct tcmsg *tcmsg = (struct tcmsg *) (nlmsg + 1);
    struct {
        struct nlmsghdr nlmsg;
        struct nlmsgerr error;
        char rest[4096];
    } reply;

    tcmsg->tcm_info |= (OVS_FORCE uint16_t) req->out.protocol;
    nlmsg->nlmsg_len = req->msg.size;
    if (fd < 0 || send(fd, req->msg.data, req->msg.size, 0) < 0
        || recv(fd, &reply, sizeof reply, 0) < (ssize_t) NLMSG_LENGTH(4)) {
        ovs_fatal(errno, "netlink");
    }
    close(fd);
    assert(reply.nlmsg.nlmsg_type == NLMSG_ERROR);
    return -reply.error.error;
}

/* Megaflows. */

/* Sets bytes of key and mask that text can't: "OFFSET=HEX/HEX", where OFFSET
 * is the name of a field, and bytes are as in struct flow. */
static void
match_override(struct match *match, const char *arg)
{
    char *copy = xstrdup(arg);
    char *save = NULL;
    const char *name = strtok_r(copy, "=", &save);
    char *value = strtok_r(NULL, "/", &save);
    char *mask = strtok_r(NULL, "/", &save);
    enum offload_field_id id = offload_field_by_name(name);
    const struct offload_field *field;
    struct ofpbuf b;
    size_t n, room;

    assert(id < OFFLOAD_N_FIELDS && value && mask);
    field = offload_field_get(id);
    room = sizeof(struct flow) - field->ofs;

    ofpbuf_init(&b, 64);
    assert(!*ofpbuf_put_hex(&b, value, &n) && n <= room);
    memcpy((uint8_t *) &match->flow + field->ofs, b.data, n);
    ofpbuf_clear(&b);
    assert(!*ofpbuf_put_hex(&b, mask, &n) && n <= room);
    memcpy((uint8_t *) &match->wc.masks + field->ofs, b.data, n);
    ofpbuf_uninit(&b);
    free(copy);
}

/* Output. */

/* Prints the name of an attribute: that of the first row which has it. */
static void
print_attr_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } others[] = {
        { TCA_FLOWER_KEY_ETH_TYPE, "eth_type" },
        { TCA_FLOWER_KEY_VLAN_ETH_TYPE, "vlan_eth_type" },
        { TCA_FLOWER_KEY_CVLAN_ETH_TYPE, "cvlan_eth_type" },
        { TCA_FLOWER_KEY_NUM_OF_VLANS, "num_of_vlans" },
        { TCA_FLOWER_KEY_ENC_FLAGS, "enc_flags" },
        { TCA_FLOWER_KEY_ENC_FLAGS_MASK, "enc_flags mask" },
        { TCA_FLOWER_KEY_ENC_OPTS, "enc_opts" },
        { TCA_FLOWER_KEY_ENC_OPTS_MASK, "enc_opts mask" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (type == others[i].type) {
            fputs(others[i].name, stdout);
            return;
        }
    }
    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const struct offload_field *field = offload_field_get(id);

        if (type == field->tc.key || type == field->tc.mask) {
            printf("%s%s", field->name, type == field->tc.key ? "" : " mask");
            return;
        }
    }
    printf("attribute %"PRIu16, type);
}

static void
print_request(const struct request *req)
{
    const struct nlattr *a;
    unsigned int left;

    printf("protocol 0x%04x%s\n", ntohs(req->out.protocol),
           req->out.widened ? " widened" : "");
    NL_ATTR_FOR_EACH (a, left, ofpbuf_at_assert(&req->msg, req->attrs, 0),
                      req->msg.size - req->attrs) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_hex(&s, nl_attr_get(a), nl_attr_get_size(a));
        print_attr_name(nl_attr_type(a));
        printf(" %s\n", ds_cstr(&s));
        ds_destroy(&s);
    }
}

/* Commands. */

static int
cmd_encode(char *argv[])
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct request req;
    struct match match;
    int error;

    match_from_text(argv[0], &match);
    for (int i = 1; argv[i]; i++) {
        match_override(&match, argv[i]);
    }

    request_init(&req, 1, 1);
    error = request_encode(&req, &match, &refusal);
    assert(error == offload_refusal_errno(&refusal));
    if (error) {
        print_refusal(&refusal);
    } else {
        print_request(&req);
    }
    ofpbuf_uninit(&req.msg);
    return 0;
}

/* Installs 'text' in a prio of its own. */
static int
install(int ifindex, const char *text, uint16_t prio)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct request req;
    struct match match;
    int error;

    match_from_text(text, &match);
    request_init(&req, ifindex, prio);
    error = request_encode(&req, &match, &refusal);
    if (error) {
        print_refusal(&refusal);
    } else {
        error = request_send(&req);
        if (error) {
            printf("kernel: %s\n", ovs_strerror(error));
        }
    }
    ofpbuf_uninit(&req.msg);
    return error;
}

static int
cmd_install(char *argv[])
{
    int ifindex = if_nametoindex(argv[0]);
    int errors = 0;

    for (int i = 1; argv[i]; i++) {
        errors += install(ifindex, argv[i], i) != 0;
    }
    return errors != 0;
}

static int
cmd_hash(char *argv[])
{
    uint32_t hashes[16];
    int n = 0;

    for (; argv[n] && n < 16; n++) {
        struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
        struct request req;
        struct match match;

        match_from_text(argv[n], &match);
        request_init(&req, 1, 1);
        assert(!request_encode(&req, &match, &refusal));
        hashes[n] = req.out.mask_hash;
        ofpbuf_uninit(&req.msg);
        printf("%d:", n);
        for (int i = 0; i < n; i++) {
            printf(" %s", hashes[i] == hashes[n] ? "same" : "other");
        }
        putchar('\n');
    }
    return 0;
}

/* Key of a packet of each kind.  Together they fulfil every condition. */
struct sample {
    const char *name;
    const char *text;
};

#define IP4 "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)," \
    "eth_type(0x0800),ipv4(src=10.1.2.3,dst=10.4.5.6,tos=0x8,ttl=64,frag=no,"
#define IP6 "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)," \
    "eth_type(0x86dd),ipv6(src=fd00::1,dst=fd00::2,label=1,tclass=0x8," \
    "hlimit=64,frag=no,"
#define TUNNEL4 "tunnel(tun_id=0x7b,src=172.31.1.1,dst=172.31.1.2,tos=0x4," \
    "ttl=64,tp_src=4000,tp_dst=6081,"

static const struct sample samples[] = {
    { "tcp", IP4 "proto=6),tcp(src=80,dst=81),tcp_flags(0x12)" },
    { "udp", IP6 "proto=17),udp(src=80,dst=81)" },
    { "sctp", IP4 "proto=132),sctp(src=80,dst=81)" },
    { "icmp", IP4 "proto=1),icmp(type=8,code=1)" },
    { "icmpv6", IP6 "proto=58),icmpv6(type=128,code=1)" },
    { "nd", IP6 "proto=58),icmpv6(type=135,code=0),nd(target=fd00::3,"
      "sll=02:00:00:00:00:01)" },
    { "igmp", IP4 "proto=2)" },
    { "arp", "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
      "eth_type(0x0806),arp(sip=10.1.2.3,tip=10.4.5.6,op=1,"
      "sha=02:00:00:00:00:01,tha=02:00:00:00:00:02)" },
    { "mpls", "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
      "eth_type(0x8847),mpls(label=100,tc=3,ttl=64,bos=1)" },
    { "nsh", "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
      "eth_type(0x894f)" },
    { "qinq", "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
      "eth_type(0x88a8),vlan(vid=10,pcp=1),encap(eth_type(0x8100),"
      "vlan(vid=20,pcp=2),encap(eth_type(0x88b5)))" },
    { "geneve", TUNNEL4 "geneve({class=0x102,type=1,len=4,0x12345678}),"
      "flags(df|csum|key))," IP4 "proto=6),tcp(src=80,dst=81)" },
    { "vxlan6", "tunnel(tun_id=0x7b,ipv6_src=fd00::1,ipv6_dst=fd00::2,tos=4,"
      "ttl=64,tp_src=4000,tp_dst=4789,vxlan(gbp(id=10,flags=0x8)),"
      "flags(key))," IP4 "proto=6),tcp(src=80,dst=81)" },
};

/* A megaflow that matches of a sample no more than other fields need. */
static void
sample_to_match(const struct sample *sample, struct match *match)
{
    struct flow *mask = &match->wc.masks;

    match_from_text(sample->text, match);
    match->flow.in_port.odp_port = u32_to_odp(7);
    match->flow.skb_priority = match->flow.dp_hash = 1;
    match->flow.ct_state = OVS_CS_F_TRACKED;
    memset(mask, 0, sizeof *mask);
    mask->dl_type = OVS_BE16_MAX;
    if (is_ip_any(&match->flow)) {
        mask->nw_proto = UINT8_MAX;
        mask->nw_frag = FLOW_NW_FRAG_MASK;
    }
    if (offload_prereq_holds(OFFLOAD_PRE_ND, &match->flow)) {
        mask->tp_src = OVS_BE16_MAX;
    }
}

static bool
is_padding(size_t byte)
{
#define PAD(MEMBER)                                                     \
    (byte >= offsetof(struct flow, MEMBER)                              \
     && byte < (offsetof(struct flow, MEMBER)                           \
                + sizeof ((struct flow *) NULL)->MEMBER))
    return PAD(tunnel.pad1) || PAD(pad1) || PAD(pad2) || PAD(pad3);
#undef PAD
}

/* How many rows a bit belongs to in a packet like 'key', or in any packet if
 * 'key' is NULL. */
static int
count_rows(const struct flow *bit, const struct flow *key)
{
    int n = 0;

    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const struct offload_field *field = offload_field_get(id);

        n += (offload_field_is_masked(field, bit)
              && (!key || offload_prereq_holds(field->prereq, key)));
    }
    return n;
}

/* Each bit of struct flow belongs to a row or is padding, and to one row only
 * in any packet.  Each row has a name of its own. */
static int
cmd_table(char *argv[] OVS_UNUSED)
{
    int problems = 0;

    for (size_t i = 0; i < sizeof(struct flow) * 8; i++) {
        struct flow bit;

        memset(&bit, 0, sizeof bit);
        ((uint8_t *) &bit)[i / 8] = 1 << i % 8;
        if (!count_rows(&bit, NULL) != is_padding(i / 8)) {
            printf("byte %"PRIuSIZE" bit %"PRIuSIZE": %d rows\n",
                   i / 8, i % 8, count_rows(&bit, NULL));
            problems++;
        }
        for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
            struct match match;

            sample_to_match(&samples[j], &match);
            if (count_rows(&bit, &match.flow) > 1) {
                printf("byte %"PRIuSIZE" bit %"PRIuSIZE": several rows\n",
                       i / 8, i % 8);
                problems++;
            }
        }
    }

    for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
        if (offload_field_by_name(offload_field_name(id)) != id) {
            printf("%s: name used twice\n", offload_field_name(id));
            problems++;
        }
    }
    return problems != 0;
}

/* True if 'match' can be encoded, and as 'req' was. */
static bool
encodes_same(const struct request *req, const struct match *match)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct request other;
    bool same;

    request_init(&other, 1, 1);
    same = (!request_encode(&other, match, &refusal)
            && other.out.protocol == req->out.protocol
            && other.out.widened == req->out.widened
            && other.msg.size == req->msg.size
            && !memcmp(other.msg.data, req->msg.data, req->msg.size)
            && (other.out.mask_hash == req->out.mask_hash));
    ofpbuf_uninit(&other.msg);
    return same;
}

/* True if matching one bit more of 'field', or all of it, makes no difference
 * to what is encoded for 'match'. */
static bool
is_ignored(const struct request *req, const struct match *match,
           const struct offload_field *field)
{
    const struct flow *base = &match->wc.masks;
    struct match all = *match;

    for (size_t i = field->ofs * 8; i < (field->ofs + field->size) * 8u; i++) {
        struct match one = *match;
        struct flow bit;

        memset(&bit, 0, sizeof bit);
        ((uint8_t *) &bit)[i / 8] = 1 << i % 8;
        if (!offload_field_is_masked(field, &bit)
            || ((const uint8_t *) base)[i / 8] & (1 << i % 8)) {
            continue;
        }
        ((uint8_t *) &one.wc.masks)[i / 8] |= 1 << i % 8;
        ((uint8_t *) &all.wc.masks)[i / 8] |= 1 << i % 8;
        if (encodes_same(req, &one)) {
            return true;
        }
    }
    return (memcmp(&all.wc.masks, base, sizeof *base)
            && encodes_same(req, &all));
}

/* Prints the name of a field that is ignored, in parentheses if a packet like
 * 'key' hasn't got it. */
static void
print_ignored(const struct offload_field *field, const struct flow *key)
{
    if (offload_prereq_holds(field->prereq, key)) {
        printf(" %s", field->name);
    } else if (field->prereq != OFFLOAD_PRE_TUNNEL) {
        printf(" (%s)", field->name);
    } else if (field == offload_field_get(OFFLOAD_FIELD_TUN_ID)) {
        printf(" (tunnel)");
    }
}

/* Prints each field that can be matched without a trace in the message. */
static int
cmd_ignored(char *argv[] OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
        struct request req;
        struct match match;

        sample_to_match(&samples[i], &match);
        request_init(&req, 1, 1);
        assert(!request_encode(&req, &match, &refusal));

        printf("%s:", samples[i].name);
        for (size_t id = 0; id < OFFLOAD_N_FIELDS; id++) {
            const struct offload_field *field = offload_field_get(id);

            if (is_ignored(&req, &match, field)) {
                print_ignored(field, &match.flow);
            }
        }
        putchar('\n');
        ofpbuf_uninit(&req.msg);
    }
    return 0;
}

/* A small random number generator, so that every run is the same. */
static uint32_t
next_random(void)
{
    static uint64_t state = 1;

    state = state * UINT64_C(6364136223846793005) + 1;
    return state >> 33;
}

/* Overwrites a few bytes of a random row's key and mask. */
static void
randomize(struct match *match)
{
    const struct offload_field *field
        = offload_field_get(next_random() % OFFLOAD_N_FIELDS);
    uint8_t *key = (uint8_t *) &match->flow + field->ofs;
    uint8_t *mask = (uint8_t *) &match->wc.masks + field->ofs;
    bool all = next_random() % 2;

    for (size_t i = 0; i < field->size; i++) {
        if (all || !(next_random() % 16)) {
            mask[i] = next_random() % 4 ? UINT8_MAX : next_random();
        }
        if (!(next_random() % 4)) {
            key[i] = next_random() % 4 ? next_random() % 4 : next_random();
        }
    }
}

/* The message must be well formed, and have no attribute twice. */
static void
check_request(const struct request *req)
{
    unsigned long seen[BITMAP_N_LONGS(UINT8_MAX)] = { 0 };
    const struct nlattr *a;
    unsigned int left;

    NL_ATTR_FOR_EACH (a, left, ofpbuf_at_assert(&req->msg, req->attrs, 0),
                      req->msg.size - req->attrs) {
        assert(nl_attr_type(a) < UINT8_MAX);
        assert(!bitmap_is_set(seen, nl_attr_type(a)));
        bitmap_set1(seen, nl_attr_type(a));
    }
    assert(!left);
}

static int
cmd_random(char *argv[])
{
    int n = atoi(argv[0]);
    int n_encoded = 0;

    tc_caps.enc_flags = true;
    for (int i = 0; i < n; i++) {
        struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
        struct request req;
        struct match match;
        int error;

        sample_to_match(&samples[i % ARRAY_SIZE(samples)], &match);
        for (int j = next_random() % 4; j >= 0; j--) {
            randomize(&match);
        }
        request_init(&req, 1, 1);
        error = request_encode(&req, &match, &refusal);
        assert(error == offload_refusal_errno(&refusal));
        if (!error) {
            check_request(&req);
            n_encoded++;
        }
        ofpbuf_uninit(&req.msg);
    }
    return n_encoded < n / 20 || n_encoded > n * 19 / 20;
}

/* Arguments "+PROTOCOL,HASH" take a prio, "-PRIO" gives one back. */
static int
cmd_prio(char *argv[])
{
    for (; *argv; argv++) {
        unsigned int protocol, hash;

        if (ovs_scan(*argv, "+%x,%x", &protocol, &hash)) {
            printf("%"PRIu16"\n", tc_prio_get(htons(protocol), hash));
        } else {
            tc_prio_put(atoi(*argv + 1));
        }
    }
    return 0;
}

/* Takes every prio there is, and one more. */
static int
cmd_prio_exhaust(char *argv[] OVS_UNUSED)
{
    uint32_t n = 0;
    uint16_t prio;

    while ((prio = tc_prio_get(htons(ETH_P_IP), n)) != 0) {
        assert(n <= UINT16_MAX);
        n++;
    }
    printf("%"PRIu32" prios\n", n);
    tc_prio_put(1000);
    printf("%"PRIu16" again\n", tc_prio_get(htons(ETH_P_IP), n));
    for (uint32_t i = 5; i <= UINT16_MAX; i++) {
        tc_prio_put(i);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(char *argv[]);
    int min_args;
    const char *usage;
} commands[] = {
    { "encode", cmd_encode, 1,
      "FLOW [FIELD=KEY/MASK]...  print the message or the refusal" },
    { "install", cmd_install, 2,
      "DEVICE FLOW...  put them on a device's ingress" },
    { "hash", cmd_hash, 1, "FLOW...  compare the hashes of masks" },
    { "table", cmd_table, 0, " check the table" },
    { "ignored", cmd_ignored, 0, " print fields that leave no trace" },
    { "random", cmd_random, 1, "N  encode N random matches" },
    { "prio", cmd_prio, 0, "{+PROTOCOL,HASH|-PRIO}...  take and give back" },
    { "prio-exhaust", cmd_prio_exhaust, 0, " take all" },
};

OVS_NO_RETURN static void
usage(void)
{
    puts("usage: test-match [--port=KIND] [--strict] [--ip-proto] [--whole] "
         "[--without=CAPABILITY] [--with=CAPABILITY] COMMAND [ARG]...");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %s %s\n", commands[i].name, commands[i].usage);
    }
    exit(EXIT_FAILURE);
}

static void
set_capability(const char *name, bool value)
{
    unsigned int bits;

    if (!strcmp(name, "vlan_count")) {
        tc_caps.vlan_count = value;
    } else if (!strcmp(name, "enc_flags")) {
        tc_caps.enc_flags = value;
    } else if (!strcmp(name, "multi_mask")) {
        tc_caps.multi_mask = value;
    } else if (ovs_scan(name, "ct_state=%x", &bits)) {
        tc_caps.ct_state = (value ? tc_caps.ct_state | bits
                            : tc_caps.ct_state & ~bits);
    } else {
        usage();
    }
}

static void
set_port_kind(const char *name)
{
    for (int kind = 0; kind <= OFFLOAD_PORT_OTHER_TUNNEL; kind++) {
        if (!strcmp(name, offload_port_kind_name(kind))) {
            port.kind = kind;
            return;
        }
    }
    usage();
}

static void
parse_options(int argc, char *argv[])
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "strict", no_argument, NULL, 's' },
        { "ip-proto", no_argument, NULL, 'i' },
        { "whole", no_argument, NULL, 'w' },
        { "without", required_argument, NULL, '-' },
        { "with", required_argument, NULL, '+' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (c) {
        case 'p': set_port_kind(optarg); break;
        case 's': offload_strict_tunnel_flags = true; break;
        case 'i': narrowing.ip_proto = true; break;
        case 'w': narrowing.not_fragment = true; break;
        case '-': set_capability(optarg, false); break;
        case '+': set_capability(optarg, true); break;
        default: usage();
        }
    }
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);

    /* Linux 6.1. */
    tc_caps.multi_mask = true;
    tc_caps.vlan_count = true;
    tc_caps.ct_state = 0x3f;
    parse_options(argc, argv);

    for (size_t i = 0; i < ARRAY_SIZE(commands) && argv[optind]; i++) {
        if (!strcmp(argv[optind], commands[i].name)
            && argc - optind - 1 >= commands[i].min_args) {
            return commands[i].run(argv + optind + 1);
        }
    }
    usage();
}
