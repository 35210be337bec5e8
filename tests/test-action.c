/* SPDX-License-Identifier: Apache-2.0 */

/* From a megaflow and its actions, in the form of "ovs-appctl
 * dpctl/dump-flows", to a rule in TC: run by tests/action.at, and by
 * tests/system-action.at inside of the test kernel.  See usage(). */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "offload-action.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "random.h"
#include "tc/tc-action.h"
#include "tc/tc-caps.h"
#include "tc/tc-match.h"
#include "tc/tc-police.h"
#include "tests/megaflow-text.h"
#include "util.h"

/* The ports that actions may name by number.  Where the device doesn't exist,
 * which only the kernel would mind, its ifindex is 100 + number. */
static const struct {
    const char *name;
    enum offload_port_kind kind;
} ports[] = {
    [1] = { "a1", OFFLOAD_PORT_PLAIN },
    [2] = { "a2", OFFLOAD_PORT_PLAIN },
    [3] = { "a3", OFFLOAD_PORT_PLAIN },
    [4] = { "a4", OFFLOAD_PORT_INTERNAL },
    [5] = { "a5", OFFLOAD_PORT_VXLAN },
    [6] = { "a6", OFFLOAD_PORT_GENEVE },
    [7] = { "a7", OFFLOAD_PORT_OTHER_TUNNEL },
};

static bool
zone_is_limited(uint16_t zone)
{
    return zone == 666;
}

static struct offload_context context = {
    .recirc_shared = true,
    .ct_zone_limited = zone_is_limited,
};

/* Instead of the TC backend's: meter N is police action 0x10000000 + N. */
bool
tc_police_lookup(uint32_t meter_id, uint32_t *index)
{
    *index = 0x10000000 + meter_id;
    return meter_id < 10;
}

static void
add_ports(void)
{
    for (size_t i = 1; i < ARRAY_SIZE(ports); i++) {
        int ifindex = if_nametoindex(ports[i].name);

        assert(offload_port_add(u32_to_odp(i), ports[i].name, ports[i].kind,
                                ifindex ? ifindex : 100 + (int) i, 0));
    }
}

/* Input. */

/* Appends netlink attributes written as "TYPE=HEX", "TYPE(ATTRIBUTES)" for a
 * nested one, or either with "TYPE:LENGTH" to lie about the length, separated
 * by commas.  Returns the rest of the text. */
static const char *
attrs_from_text(const char *text, struct ofpbuf *b)
{
    while (*text && *text != ')') {
        size_t start = b->size;
        long type, len = -1;
        char *end;

        type = strtol(text, &end, 0);
        if (*end == ':') {
            len = strtol(end + 1, &end, 0);
        }
        nl_msg_put_unspec_zero(b, type, 0);
        if (*end == '(') {
            text = attrs_from_text(end + 1, b);
            assert(*text == ')');
            text++;
        } else {
            assert(*end == '=');
            text = end + 1;
            while (*text && !strchr(",)", *text)) {
                bool ok;
                uint8_t byte = hexits_value(text, 2, &ok);

                assert(ok);
                ofpbuf_put(b, &byte, 1);
                text += 2;
            }
        }
        ((struct nlattr *) ofpbuf_at_assert(b, start, NLA_HDRLEN))->nla_len
            = len >= 0 ? len : (long) (b->size - start);
        ofpbuf_put_zeros(b, PAD_SIZE(b->size, NLA_ALIGNTO));
        text += *text == ',';
    }
    return text;
}

/* Actions in the form of dump-flows, or, behind "netlink ", as above; or
 * several of these, separated by semicolons. */
static void
actions_from_text(const char *text, struct ofpbuf *actions)
{
    char *copy = xstrdup(text);
    char *save = NULL;

    ofpbuf_init(actions, 64);
    for (char *part = strtok_r(copy, ";", &save); part;
         part = strtok_r(NULL, ";", &save)) {
        part += strspn(part, " ");
        if (!strncmp(part, "netlink ", 8)) {
            assert(!*attrs_from_text(part + 8, actions));
        } else if (odp_actions_from_string(part, NULL, actions)) {
            ovs_fatal(0, "%s: bad actions", part);
        }
    }
    free(copy);
}

/* A megaflow and what has become of it. */
struct attempt {
    struct match match;
    struct ofpbuf actions;      /* Netlink, in memory of just its size. */
    struct offload_rule rule;
    struct ofpbuf msg;
    size_t tc_actions;          /* Offset of TCA_FLOWER_ACT in 'msg'. */
    struct tc_narrowing narrowing;
    struct tc_match out;
    struct offload_refusal refusal;
};

static void
attempt_parse(struct attempt *a)
{
    const ovs_u128 ufid = { .u64 = { .hi = UINT64_C(0x1122334455667788),
                                     .lo = UINT64_C(0x99aabbccddeeff00) } };
    odp_port_t in_port = a->match.flow.in_port.odp_port;
    struct offload_port *port = offload_port_lookup(in_port);
    int error;

    if (!port) {
        port = offload_port_lookup(u32_to_odp(1));
    }
    error = offload_rule_parse(&a->rule, &ufid, port, &a->match,
                               a->actions.data, a->actions.size, &context,
                               &a->refusal);
    assert(error == offload_refusal_errno(&a->refusal));
}

static void
attempt_encode(struct attempt *a)
{
    size_t options;
    int error;

    options = nl_msg_start_nested(&a->msg, TCA_OPTIONS);
    a->tc_actions = a->msg.size;
    error = tc_actions_encode(&a->msg, &a->rule, &a->narrowing, &a->refusal);
    if (!error) {
        error = tc_match_encode(&a->msg, &a->rule, &a->narrowing, &a->out,
                                &a->refusal);
    }
    nl_msg_end_nested(&a->msg, options);
    assert(error == offload_refusal_errno(&a->refusal));
}

static void
attempt_init(struct attempt *a, const char *match, const char *actions)
{
    memset(a, 0, sizeof *a);
    match_from_text(match, &a->match);
    actions_from_text(actions, &a->actions);
    ofpbuf_trim(&a->actions);
    ofpbuf_init(&a->msg, 1024);
}

static void
attempt_uninit(struct attempt *a)
{
    ofpbuf_uninit(&a->actions);
    ofpbuf_uninit(&a->msg);
}

/* Commands. */

static int
cmd_parse(char *argv[])
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct attempt a;

    attempt_init(&a, argv[0], argv[1]);
    attempt_parse(&a);
    if (offload_refused(&a.refusal)) {
        print_refusal(&a.refusal);
    } else {
        offload_actions_format(&a.rule, &s);
        puts(ds_cstr(&s));
    }
    ds_destroy(&s);
    attempt_uninit(&a);
    return 0;
}

/* Prints the kinds of the TC actions. */
static void
print_tc_actions(const struct attempt *a)
{
    const struct nlattr *act = ofpbuf_at_assert(&a->msg, a->tc_actions,
                                                NLA_HDRLEN);
    const struct nlattr *nla;
    size_t left;

    NL_NESTED_FOR_EACH (nla, left, act) {
        printf("%s%s", nl_attr_type(nla) == 1 ? "" : " ",
               nl_attr_get_string(nl_attr_find_nested(nla, TCA_ACT_KIND)));
    }
    printf("%s%s\n", a->narrowing.ip_proto ? " (one protocol)" : "",
           a->narrowing.not_fragment ? " (no fragments)" : "");
}

static int
cmd_encode(char *argv[])
{
    struct attempt a;

    attempt_init(&a, argv[0], argv[1]);
    attempt_parse(&a);
    if (!offload_refused(&a.refusal)) {
        attempt_encode(&a);
    }
    if (offload_refused(&a.refusal)) {
        print_refusal(&a.refusal);
    } else {
        print_tc_actions(&a);
    }
    attempt_uninit(&a);
    return 0;
}

/* Sends what was encoded behind 'hdr', and returns the kernel's errno. */
static int
send_filter(int ifindex, const struct attempt *a)
{
    struct {
        struct nlmsghdr nlmsg;
        struct nlmsgerr error;
        char rest[4096];
    } reply;
    struct ofpbuf msg;
    struct tcmsg *tcm;
    struct nlmsghdr *nlmsg;
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    ofpbuf_init(&msg, 1024);
    ofpbuf_put_zeros(&msg, sizeof *nlmsg + sizeof *tcm);
    nl_msg_put_string(&msg, TCA_KIND, "flower");
    if (a->rule.recirc_id) {
        nl_msg_put_u32(&msg, TCA_CHAIN, a->rule.recirc_id);
    }
    ofpbuf_put(&msg, a->msg.data, a->msg.size);

    nlmsg = msg.data;
    nlmsg->nlmsg_len = msg.size;
    nlmsg->nlmsg_type = RTM_NEWTFILTER;
    nlmsg->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    tcm = (struct tcmsg *) (nlmsg + 1);
    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    tcm->tcm_info = TC_H_MAKE(1u << 16,
                              (OVS_FORCE uint16_t) a->out.protocol);

    if (fd < 0 || send(fd, msg.data, msg.size, 0) < 0
        || recv(fd, &reply, sizeof reply, 0) < (ssize_t) NLMSG_LENGTH(4)) {
        ovs_fatal(errno, "netlink");
    }
    assert(reply.nlmsg.nlmsg_type == NLMSG_ERROR);
    close(fd);
    ofpbuf_uninit(&msg);
    return -reply.error.error;
}

static int
cmd_install(char *argv[])
{
    struct attempt a;
    int error = 0;

    attempt_init(&a, argv[1], argv[2]);
    attempt_parse(&a);
    if (!offload_refused(&a.refusal)) {
        attempt_encode(&a);
    }
    if (offload_refused(&a.refusal)) {
        print_refusal(&a.refusal);
        error = 1;
    } else {
        error = send_filter(if_nametoindex(argv[0]), &a);
        if (error) {
            printf("kernel: %s\n", ovs_strerror(error));
        }
    }
    attempt_uninit(&a);
    return error != 0;
}

/* Every branch lies inside of what it is a part of. */
static void
check_branches(const struct offload_action *actions, size_t n)
{
    while (n) {
        size_t used = 1;

        assert(actions[0].kind < OFFLOAD_N_ACTIONS);
        if (actions[0].kind == OFFLOAD_ACT_CHECK_PKT_LEN) {
            size_t n_greater = actions[0].check_pkt_len.n_greater;
            size_t n_less_equal = actions[0].check_pkt_len.n_less_equal;

            used += n_greater + n_less_equal;
            assert(used <= n);
            check_branches(actions + 1, n_greater);
            check_branches(actions + 1 + n_greater, n_less_equal);
        }
        actions += used;
        n -= used;
    }
}

/* Attributes are complete, actions are numbered from 1 on, and none has more
 * than the kernel would take. */
static void
check_message(const struct attempt *a)
{
    const struct nlattr *act = ofpbuf_at_assert(&a->msg, a->tc_actions,
                                                NLA_HDRLEN);
    const struct nlattr *nla;
    size_t left;
    int n = 0;

    NL_NESTED_FOR_EACH (nla, left, act) {
        assert(nl_attr_type(nla) == ++n);
        assert(nl_attr_find_nested(nla, TCA_ACT_KIND));
        assert(nl_attr_find_nested(nla, TCA_ACT_OPTIONS));
    }
    assert(!left && n >= 1 && n <= TCA_ACT_MAX_PRIO);
}

/* Whatever the actions are, they are refused, or a well-formed message comes
 * out of them. */
static bool
survive(struct attempt *a)
{
    memset(&a->refusal, 0, sizeof a->refusal);
    ofpbuf_clear(&a->msg);
    attempt_parse(a);
    if (!offload_refused(&a->refusal)) {
        struct ds s = DS_EMPTY_INITIALIZER;

        check_branches(a->rule.actions, a->rule.n_actions);
        offload_actions_format(&a->rule, &s);
        ds_destroy(&s);
        attempt_encode(a);
    }
    if (!offload_refused(&a->refusal)) {
        check_message(a);
    }
    return !offload_refused(&a->refusal);
}

/* Tries 'size' bytes of 'data' in memory of just that size, so that a
 * sanitizer sees a read behind their end. */
static bool
try_bytes(struct attempt *a, const void *data, size_t size)
{
    ofpbuf_uninit(&a->actions);
    ofpbuf_init(&a->actions, 0);
    ofpbuf_put(&a->actions, data, size);
    ofpbuf_trim(&a->actions);
    return survive(a);
}

/* Cuts the actions off at every length, and changes every byte. */
static int
cmd_mutate(char *argv[])
{
    static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    unsigned int n_tried = 0, n_taken = 0;
    struct ofpbuf original;
    struct attempt a;

    attempt_init(&a, argv[0], argv[1]);
    actions_from_text(argv[1], &original);
    if (!survive(&a)) {
        print_refusal(&a.refusal);
        return 1;
    }
    for (size_t i = 0; i < original.size; i++) {
        uint8_t *byte = (uint8_t *) original.data + i;
        const uint8_t old = *byte;

        try_bytes(&a, original.data, i);
        for (size_t j = 0; j < 8 + ARRAY_SIZE(values); j++) {
            *byte = j < 8 ? old ^ 1u << j : values[j - 8];
            n_taken += try_bytes(&a, original.data, original.size);
            n_tried++;
        }
        *byte = old;
    }
    assert(n_tried && n_taken < n_tried);
    ofpbuf_uninit(&original);
    attempt_uninit(&a);
    return 0;
}

/* Writes netlink actions, for the fuzzer's corpus. */
static int
cmd_netlink(char *argv[])
{
    struct ofpbuf actions;

    actions_from_text(argv[0], &actions);
    fwrite(actions.data, actions.size, 1, stdout);
    ofpbuf_uninit(&actions);
    return 0;
}

/* All actions of Open vSwitch have a row with a name of its own, or there is
 * no such action. */
static int
cmd_rows(char *argv[] OVS_UNUSED)
{
    const struct offload_action_row *rows;
    size_t n = offload_action_rows(&rows);

    assert(n == __OVS_ACTION_ATTR_MAX && !rows[0].name);
    for (size_t i = 1; i < n; i++) {
        printf("%s%s\n", rows[i].name ? rows[i].name : "?",
               rows[i].parse && !rows[i].netdev_only ? "" : " refused");
    }
    for (size_t i = 0; i < OFFLOAD_N_ACTIONS; i++) {
        assert(offload_action_name(i));
    }
    return 0;
}

static void
usage(void)
{
    printf("%s [OPTION]... COMMAND\n"
           "  rows                          print the table's names\n"
           "  parse MATCH ACTIONS           print the parsed actions\n"
           "  encode MATCH ACTIONS          print the kinds of TC actions\n"
           "  install DEVICE MATCH ACTIONS  put the rule on DEVICE\n"
           "  mutate MATCH ACTIONS          try what is similar to ACTIONS\n"
           "  netlink ACTIONS               write them as they are\n"
           "Options:\n"
           "  --no-CAPABILITY  recirc, ct or police-mtu is missing\n"
           "  --tunnel-df      the kernel can set a tunnel's DF\n"
           "  --netns NAME     in this network namespace\n",
           program_name);
    exit(EXIT_SUCCESS);
}

/* As "ip netns exec" does, but cheaper. */
static void
enter_netns(const char *name)
{
    char *path = xasprintf("/run/netns/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        ovs_fatal(errno, "%s", path);
    }
    close(fd);
    free(path);
}

static void
parse_options(int argc, char *argv[])
{
    enum { NO_RECIRC = 256, NO_CT, NO_POLICE_MTU, TUNNEL_DF,
           NETNS };
    static const struct option options[] = {
        { "no-recirc", no_argument, NULL, NO_RECIRC },
        { "no-ct", no_argument, NULL, NO_CT },
        { "no-police-mtu", no_argument, NULL, NO_POLICE_MTU },
        { "tunnel-df", no_argument, NULL, TUNNEL_DF },
        { "netns", required_argument, NULL, NETNS },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        switch (option) {
        case NO_RECIRC: context.recirc_shared = false; break;
        case NO_CT: tc_caps.ct_state = 0; break;
        case NO_POLICE_MTU: tc_caps.police_mtu = false; break;
        case TUNNEL_DF: tc_caps.tunnel_df = true; break;
        case NETNS: enter_netns(optarg); break;
        case 'h': usage(); break;
        default: exit(EXIT_FAILURE);
        }
    }
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        int n_args;
        int (*run)(char *argv[]);
    } commands[] = {
        { "rows", 0, cmd_rows },
        { "parse", 2, cmd_parse },
        { "encode", 2, cmd_encode },
        { "install", 3, cmd_install },
        { "mutate", 2, cmd_mutate },
        { "netlink", 1, cmd_netlink },
    };

    set_program_name(argv[0]);
    tc_caps.multi_mask = tc_caps.police_mtu = tc_caps.vlan_count = true;
    tc_caps.ct_state = UINT8_MAX;
    parse_options(argc, argv);
    argc -= optind;
    argv += optind;
    add_ports();

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (argc && !strcmp(argv[0], commands[i].name)
            && argc - 1 == commands[i].n_args) {
            return commands[i].run(argv + 1);
        }
    }
    ovs_fatal(0, "unknown command or wrong number of arguments; use --help");
}
