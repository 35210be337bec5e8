/* SPDX-License-Identifier: Apache-2.0 */

/* The part of lib/tc/ that talks to the kernel, against a real one.  For a
 * test kernel (tests/kernel/run): makes network devices, and filters with
 * tc(8), in the network namespace that it runs in.
 *
 * Usage: test-tc-kernel TEST */

#include <config.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coverage.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-thread.h"
#include "tc/tc-caps.h"
#include "tc/tc-netlink.h"
#include "tc/tc-police.h"
#include "tc/tc-port.h"
#include "tc/tc-reply.h"
#include "tc/tc-uapi.h"
#include "util.h"

#define CHECK(CONDITION) \
    check(CONDITION, #CONDITION, __FILE__, __LINE__)
#define CHECK_EQ(A, B) \
    check_eq(A, B, #A, #B, __FILE__, __LINE__)

static void
check(bool condition, const char *text, const char *file, int line)
{
    if (!condition) {
        fprintf(stderr, "%s:%d: not true: %s\n", file, line, text);
        exit(1);
    }
}

static void
check_eq(uint64_t a, uint64_t b, const char *a_text, const char *b_text,
         const char *file, int line)
{
    if (a != b) {
        fprintf(stderr, "%s:%d: %s is %"PRIu64", %s is %"PRIu64"\n",
                file, line, a_text, a, b_text, b);
        exit(1);
    }
}

/* Runs a shell command.  Returns its exit status. */
static int OVS_PRINTF_FORMAT(1, 2)
try_sh(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);

    int status = system(command);
    free(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

#define sh(...) CHECK_EQ(try_sh(__VA_ARGS__), 0)

/* Devices. */

/* A veth pair whose ends are "NAME" and "NAMEp". */
static int
make_veth(const char *name)
{
    sh("ip link add %s type veth peer name %sp", name, name);
    sh("ip link set %s up && ip link set %sp up", name, name);
    return if_nametoindex(name);
}

static void
init_port(struct offload_port *port, const char *name,
          enum offload_port_kind kind, uint32_t block)
{
    memset(port, 0, sizeof *port);
    ovs_strlcpy(port->name, name, sizeof port->name);
    port->kind = kind;
    port->ifindex = if_nametoindex(name);
    port->block_id = block;
}

/* Sends 'n' IPv4 packets of 'size' bytes to 10.0.0.'host' into a device. */
static void
send_packets(const char *name, int host, int n, size_t size)
{
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(name),
        .sll_halen = ETH_ALEN,
    };
    unsigned char frame[2000] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
                                  8, 0, 0x45 };
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    frame[14 + 2] = (size - 14) >> 8;
    frame[14 + 3] = (size - 14) & 0xff;
    frame[14 + 8] = 64;
    frame[14 + 9] = 17;
    memcpy(&frame[14 + 12], (uint8_t[]) { 10, 0, 0, 99 }, 4);
    memcpy(&frame[14 + 16], (uint8_t[]) { 10, 0, 0, host }, 4);
    CHECK(fd >= 0);
    for (int i = 0; i < n; i++) {
        CHECK_EQ(sendto(fd, frame, size, 0, (struct sockaddr *) &to,
                        sizeof to), size);
    }
    close(fd);
}

/* Requests. */

static struct {
    int n_sends, n_receives;
    struct tc_syscalls real;
} counted;

static ssize_t
count_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    counted.n_sends++;
    return counted.real.sendmsg(fd, msg, flags);
}

static int
count_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
    counted.n_receives++;
    return counted.real.recvmmsg(fd, msgs, n, flags);
}

static void
count_syscalls(void)
{
    counted.real = tc_syscalls;
    tc_syscalls.sendmsg = count_sendmsg;
    tc_syscalls.recvmmsg = count_recvmmsg;
}

struct op {
    struct tc_reply reply;
    bool has_filter;
    struct tc_filter filter;
};

static void
take_filter(struct tc_reply *reply, const struct ofpbuf *msg)
{
    struct op *op = CONTAINER_OF(reply, struct op, reply);

    CHECK(tc_filter_parse(msg, &op->filter));
    op->has_filter = true;
}

static void
op_init(struct op *op)
{
    memset(op, 0, sizeof *op);
    op->reply.echo = take_filter;
}

static void
set_tcmsg(struct tc_pipeline *p, int ifindex, uint32_t handle)
{
    struct tcmsg *tcm = tc_request_tcmsg(p);

    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    tcm->tcm_handle = handle;
    tcm->tcm_info = TC_H_MAKE(2u << 16, htons(ETH_P_IP));
}

/* Puts 'n_actions' "gact pipe", the first with a cookie, and a drop. */
static void
put_gact(struct ofpbuf *msg, int n_actions, uint32_t cookie)
{
    size_t acts = nl_msg_start_nested(msg, TCA_FLOWER_ACT);

    for (int i = 1; i <= n_actions; i++) {
        struct { __u32 index, capab; int action, refcnt, bindcnt; } gact = {
            .action = i == n_actions ? TC_ACT_SHOT : TC_ACT_PIPE,
        };
        size_t act = nl_msg_start_nested(msg, i);

        nl_msg_put_string(msg, TCA_ACT_KIND, "gact");
        if (i == 1) {
            nl_msg_put_u128(msg, TCA_ACT_COOKIE,
                            (ovs_u128) { .u32 = { cookie, 1, 2, 3 } });
        }
        size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);
        nl_msg_put_unspec(msg, 2 /* TCA_GACT_PARMS */, &gact, sizeof gact);
        nl_msg_end_nested(msg, options);
        nl_msg_end_nested(msg, act);
    }
    nl_msg_end_nested(msg, acts);
}

static void
request_add(struct tc_pipeline *p, int ifindex, uint32_t handle, uint32_t dst,
            int n_actions, struct op *op)
{
    op_init(op);
    struct ofpbuf *msg = tc_request_begin(p, RTM_NEWTFILTER,
                                          NLM_F_CREATE | NLM_F_EXCL,
                                          &op->reply);
    set_tcmsg(p, ifindex, handle);
    nl_msg_put_string(msg, TCA_KIND, "flower");
    size_t options = nl_msg_start_nested(msg, TCA_OPTIONS);
    nl_msg_put_be16(msg, TCA_FLOWER_KEY_ETH_TYPE, htons(ETH_P_IP));
    nl_msg_put_be32(msg, TCA_FLOWER_KEY_IPV4_DST, htonl(dst));
    nl_msg_put_be32(msg, TCA_FLOWER_KEY_IPV4_DST_MASK, htonl(UINT32_MAX));
    put_gact(msg, n_actions, handle);
    nl_msg_end_nested(msg, options);
    tc_request_end(p);
}

static void
request_delete(struct tc_pipeline *p, int ifindex, uint32_t handle,
               struct op *op)
{
    op_init(op);
    struct ofpbuf *msg = tc_request_begin(p, RTM_DELTFILTER, NLM_F_ECHO,
                                          &op->reply);
    set_tcmsg(p, ifindex, handle);
    nl_msg_put_string(msg, TCA_KIND, "flower");
    tc_request_end(p);
}

static void
add_filters(int ifindex, uint32_t first, int n, int n_actions)
{
    static struct op ops[TC_PIPELINE_MAX];
    struct tc_pipeline *p = tc_pipeline_get();

    for (int i = 0; i < n; i++) {
        request_add(p, ifindex, first + i, 0x0a000000 + first + i, n_actions,
                    &ops[i % TC_PIPELINE_MAX]);
    }
    tc_pipeline_run(p);
    CHECK_EQ(ops[0].reply.error, 0);
    CHECK_EQ(ops[(n - 1) % TC_PIPELINE_MAX].reply.error, 0);
}

/* Tests. */

static void
test_caps(void)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    make_veth("v0");
    sh("tc qdisc add dev v0 clsact");
    sh("tc filter add dev v0 ingress prio 7 protocol ip flower action drop");
    sh("tc filter show dev v0 ingress > before");
    CHECK_EQ(tc_caps_probe(if_nametoindex("v0")), 0);
    sh("tc filter show dev v0 ingress > after && cmp before after");

    tc_caps_format(&ds);
    puts(ds_cstr(&ds));
    ds_destroy(&ds);

    struct tc_caps first = tc_caps;
    tc_caps.probed = false;
    make_veth("v1");
    CHECK_EQ(tc_caps_probe(if_nametoindex("v1")), 0);
    CHECK(!memcmp(&first, &tc_caps, sizeof first));
    sh("tc qdisc show dev v1 | { ! grep ingress; }");

    tc_caps.probed = false;
    sh("ip link del v1");
    CHECK_EQ(tc_caps_probe(12345), ENODEV);
    CHECK(!tc_caps.probed);
}

static void
test_pipeline(void)
{
    static struct op ops[TC_PIPELINE_MAX];
    int ifindex = make_veth("v0");
    struct tc_pipeline *p = tc_pipeline_get();

    sh("tc qdisc add dev v0 ingress");
    count_syscalls();

    /* 64 additions, one of which is the same as another. */
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        request_add(p, ifindex, i + 1, i == 30 ? 5 : i, 1, &ops[i]);
    }
    tc_pipeline_run(p);
    printf("64 additions: %d sends, %d receives\n",
           counted.n_sends, counted.n_receives);
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        CHECK(!ops[i].reply.unknown);
        CHECK_EQ(ops[i].reply.error, i == 30 ? EEXIST : 0);
    }

    /* The same handle with another key, a handle that isn't there. */
    request_add(p, ifindex, 1, 1000, 1, &ops[0]);
    request_delete(p, ifindex, 2, &ops[1]);
    request_delete(p, ifindex, 1234, &ops[2]);
    tc_pipeline_run(p);
    CHECK_EQ(ops[0].reply.error, EEXIST);
    CHECK_EQ(ops[1].reply.error, 0);
    CHECK_EQ(ops[2].reply.error, ENOENT);
    printf("not there: %s\n", ops[2].reply.extack);
    CHECK(ops[2].reply.extack[0]);

    counted.n_sends = counted.n_receives = 0;
    for (int i = 2; i < TC_PIPELINE_MAX; i++) {
        request_delete(p, ifindex, i + 1, &ops[i]);
    }
    tc_pipeline_run(p);
    printf("62 deletions: %d sends, %d receives\n",
           counted.n_sends, counted.n_receives);
    for (int i = 2; i < TC_PIPELINE_MAX; i++) {
        CHECK_EQ(ops[i].reply.error, i == 30 ? ENOENT : 0);
        CHECK_EQ(ops[i].has_filter, i != 30);
        if (i != 30) {
            CHECK_EQ(ops[i].filter.handle, i + 1);
            CHECK_EQ(ops[i].filter.cookie.u32[0], i + 1);
            CHECK(tc_filter_is_ovs(&ops[i].filter));
            CHECK(ops[i].filter.has_counters);
        }
    }
    sh("ip link del v0");
    request_delete(p, ifindex, 1, &ops[0]);
    tc_pipeline_run(p);
    CHECK_EQ(ops[0].reply.error, ENODEV);
}

/* Filters with as many actions as the kernel takes: the longest answers. */
static void
test_long_answers(void)
{
    static struct op ops[TC_PIPELINE_MAX];
    int ifindex = make_veth("v0");
    struct tc_pipeline *p = tc_pipeline_get();

    sh("tc qdisc add dev v0 ingress");
    add_filters(ifindex, 1, TC_PIPELINE_MAX, 32);
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        request_delete(p, ifindex, i + 1, &ops[i]);
    }
    tc_pipeline_run(p);
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        CHECK(!ops[i].reply.unknown);
        CHECK_EQ(ops[i].reply.error, 0);
        CHECK(ops[i].has_filter);
        CHECK_EQ(ops[i].filter.handle, i + 1);
    }
}

#define N_DUMP 3000

static struct tc_dump *
start_dump(int ifindex)
{
    struct nla_bitfield32 terse = { TCA_DUMP_FLAGS_TERSE,
                                    TCA_DUMP_FLAGS_TERSE };
    struct ofpbuf request;
    struct tc_dump *dump;
    struct tcmsg *tcm;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *tcm, RTM_GETTFILTER, 0);
    tcm = ofpbuf_put_zeros(&request, sizeof *tcm);
    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    nl_msg_put_unspec(&request, TCA_DUMP_FLAGS, &terse, sizeof terse);
    CHECK_EQ(tc_dump_start(&request, &dump), 0);
    ofpbuf_uninit(&request);
    return dump;
}

/* Open vSwitch's own count of allocations: since it was read last. */
extern struct coverage_counter counter_util_xalloc;

/* Once everything has its size, a batch must not allocate memory. */
static void
test_no_allocation(void)
{
    static struct op ops[TC_PIPELINE_MAX];
    unsigned int n_allocations = 0;
    int ifindex = make_veth("v0");
    struct ofpbuf buf, msg;
    struct tc_filter filter;
    bool complete;

    sh("tc qdisc add dev v0 ingress");
    ofpbuf_init(&buf, 65536);
    for (int round = 0; round < 3; round++) {
        counter_util_xalloc.count();

        struct tc_pipeline *p = tc_pipeline_get();
        for (int i = 0; i < TC_PIPELINE_MAX; i++) {
            request_add(p, ifindex, i + 1, i, 3, &ops[i]);
        }
        tc_pipeline_run(p);
        for (int i = 0; i < TC_PIPELINE_MAX; i++) {
            CHECK_EQ(ops[i].reply.error, 0);
        }

        /* start_dump() allocates its request. */
        struct tc_dump *dump = start_dump(ifindex);
        while (tc_dump_next(dump, &buf)) {
            while (tc_dump_msg(&buf, &msg)) {
                CHECK(tc_filter_parse(&msg, &filter));
            }
        }
        CHECK_EQ(tc_dump_done(dump, &complete), 0);

        p = tc_pipeline_get();
        for (int i = 0; i < TC_PIPELINE_MAX; i++) {
            request_delete(p, ifindex, i + 1, &ops[i]);
        }
        tc_pipeline_run(p);
        for (int i = 0; i < TC_PIPELINE_MAX; i++) {
            CHECK_EQ(ops[i].reply.error, 0);
        }
        n_allocations = counter_util_xalloc.count();
        printf("round %d: %u allocations\n", round, n_allocations);
        CHECK(round || n_allocations);
    }
    ofpbuf_uninit(&buf);
    CHECK(n_allocations <= 1);
}

/* Answers that don't fit into the receive buffer are lost: then those requests
 * are unknown, and only those. */
static int narrow_fd;

static ssize_t
narrow_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    int size = 1;

    narrow_fd = fd;
    CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
    return sendmsg(fd, msg, flags);
}

static void
test_lost_answers(void)
{
    static struct op ops[TC_PIPELINE_MAX];
    int ifindex = make_veth("v0");
    struct tc_pipeline *p = tc_pipeline_get();
    struct tc_syscalls real = tc_syscalls;
    int n_unknown = 0, size = 1 << 20;

    sh("tc qdisc add dev v0 ingress");
    tc_syscalls.sendmsg = narrow_sendmsg;
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        request_add(p, ifindex, i + 1, i, 1, &ops[i]);
    }
    tc_pipeline_run(p);
    tc_syscalls = real;
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        CHECK_EQ(ops[i].reply.error, ops[i].reply.unknown ? ENOBUFS : 0);
        n_unknown += ops[i].reply.unknown;
    }
    printf("%d of %d unknown\n", n_unknown, TC_PIPELINE_MAX);
    CHECK(n_unknown > 0 && n_unknown < TC_PIPELINE_MAX);

    /* They were carried out all the same, and the socket works on. */
    setsockopt(narrow_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        request_delete(p, ifindex, i + 1, &ops[i]);
    }
    tc_pipeline_run(p);
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        CHECK_EQ(ops[i].reply.error, 0);
        CHECK(ops[i].has_filter && !ops[i].reply.unknown);
    }
}

static struct tc_dump *shared_dump;
static uint8_t seen[N_DUMP + 1];

static void *
dump_some(void *aux OVS_UNUSED)
{
    struct ofpbuf buf, msg;
    struct tc_filter filter;
    uintptr_t n = 0;

    ofpbuf_init(&buf, 0);
    while (tc_dump_next(shared_dump, &buf)) {
        while (tc_dump_msg(&buf, &msg)) {
            CHECK(tc_filter_parse(&msg, &filter));
            if (filter.handle) {
                CHECK(filter.handle <= N_DUMP);
                CHECK(filter.flower && filter.has_cookie
                      && filter.has_counters);
                CHECK_EQ(filter.cookie.u32[0], filter.handle);
                CHECK_EQ(filter.prio, 2);
                seen[filter.handle]++;
                n++;
            }
        }
    }
    ofpbuf_uninit(&buf);
    return (void *) n;
}

static void
test_dump(void)
{
    int ifindex = make_veth("v0");
    struct ofpbuf buf;
    bool complete;

    sh("tc qdisc add dev v0 ingress");
    add_filters(ifindex, 1, N_DUMP, 1);

    /* One that isn't read to its end must not disturb the next one. */
    shared_dump = start_dump(ifindex);
    ofpbuf_init(&buf, 0);
    CHECK(tc_dump_next(shared_dump, &buf));
    ofpbuf_uninit(&buf);
    CHECK_EQ(tc_dump_done(shared_dump, &complete), 0);
    CHECK(!complete);

    for (int round = 0; round < 2; round++) {
        pthread_t threads[4];

        memset(seen, 0, sizeof seen);
        shared_dump = start_dump(ifindex);
        for (int i = 0; i < 4; i++) {
            threads[i] = ovs_thread_create("dump", dump_some, NULL);
        }
        for (int i = 0; i < 4; i++) {
            xpthread_join(threads[i], NULL);
        }
        CHECK_EQ(tc_dump_done(shared_dump, &complete), 0);
        CHECK(complete);
        for (int i = 1; i <= N_DUMP; i++) {
            CHECK_EQ(seen[i], 1);
        }
    }

    /* The kernel ends the dump of a device that isn't there without a word. */
    shared_dump = start_dump(12345);
    CHECK(!dump_some(NULL));
    CHECK_EQ(tc_dump_done(shared_dump, &complete), 0);
}

#define COOKIE "cookie 0123456789abcdef0123456789abcdef"

/* Reads the only filter on 'ifindex'. */
static struct tc_filter
read_filter(int ifindex)
{
    struct tc_filter filter, found;
    struct ofpbuf buf, msg;
    bool complete;
    int n = 0;

    struct tc_dump *dump = start_dump(ifindex);
    ofpbuf_init(&buf, 0);
    while (tc_dump_next(dump, &buf)) {
        while (tc_dump_msg(&buf, &msg)) {
            CHECK(tc_filter_parse(&msg, &filter));
            if (filter.handle) {
                found = filter;
                n++;
            }
        }
    }
    ofpbuf_uninit(&buf);
    CHECK_EQ(tc_dump_done(dump, &complete), 0);
    CHECK_EQ(n, 1);
    return found;
}

/* Likewise, once it has counted as many packets: they may still be on their
 * way. */
static struct tc_filter
read_filter_after(int ifindex, uint64_t packets)
{
    struct tc_filter filter = read_filter(ifindex);

    for (int i = 0; i < 100 && filter.counters.sw_packets < packets; i++) {
        usleep(50 * 1000);
        filter = read_filter(ifindex);
    }
    return filter;
}

/* With these actions, a filter that 10 packets of 114 bytes matched must have
 * counted 10 packets and 1140 bytes, in a terse dump as in the last words of a
 * deletion. */
static void
check_counters(int ifindex, const char *actions)
{
    struct op op;

    printf("%s\n", actions);
    fflush(stdout);
    sh("tc filter add dev v0 ingress prio 2 protocol ip handle 1 "
       "flower ip_proto udp dst_ip 10.0.0.1 %s", actions);
    send_packets("v0p", 1, 10, 114);

    struct tc_filter filter = read_filter_after(ifindex, 10);
    CHECK(filter.has_counters);
    CHECK_EQ(filter.counters.sw_packets, 10);
    CHECK_EQ(filter.counters.sw_bytes, 1140 - 14 * 10);
    CHECK_EQ(filter.counters.hw_packets, 0);
    CHECK(!filter.in_hw);

    struct tc_pipeline *p = tc_pipeline_get();
    request_delete(p, ifindex, 1, &op);
    tc_pipeline_run(p);
    CHECK_EQ(op.reply.error, 0);
    CHECK(op.has_filter);
    CHECK_EQ(op.filter.counters.sw_packets, 10);
    CHECK_EQ(op.filter.counters.sw_bytes, filter.counters.sw_bytes);
}

static void
test_counters(void)
{
    int ifindex = make_veth("v0");

    make_veth("v1");
    make_veth("v2");
    sh("ip link add vx type vxlan dstport 4789 external && ip link set vx up");
    sh("tc qdisc add dev v0 ingress");
    sh("tc actions add action police rate 1mbit burst 300 conform-exceed "
       "drop/pipe index 268435456");
    /* A meter counts for all its rules. */
    sh("tc filter add dev v0 ingress prio 2 protocol ip handle 1 "
       "flower ip_proto udp dst_ip 10.0.0.1 action police index 268435456");
    struct tc_filter filter = read_filter(ifindex);
    CHECK(!filter.has_counters);
    CHECK(!filter.has_cookie);
    CHECK(!tc_filter_is_ovs(&filter));
    sh("tc filter del dev v0 ingress prio 2");

    check_counters(ifindex, "action drop " COOKIE);
    check_counters(ifindex, "action mirred egress redirect dev v1 " COOKIE);
    check_counters(ifindex, "action mirred egress mirror dev v1 " COOKIE
                   " action mirred egress redirect dev v2 " COOKIE);
    check_counters(ifindex, "action vlan push id 5 pipe " COOKIE
                   " action mirred egress redirect dev v1 " COOKIE);
    check_counters(ifindex, "action pedit ex munge ip dst set 10.0.0.7 pipe "
                   COOKIE " action csum ip and udp pipe " COOKIE
                   " action mirred egress redirect dev v1 " COOKIE);
    check_counters(ifindex, "action ct clear pipe " COOKIE
                   " action drop " COOKIE);
    check_counters(ifindex, "action ct commit zone 7 pipe " COOKIE
                   " action goto chain 5 " COOKIE);
    check_counters(ifindex, "action gact pipe " COOKIE
                   " action police index 268435456 "
                   " action mirred egress redirect dev v1 " COOKIE);
    check_counters(ifindex, "action police mtu 1000 conform-exceed "
                   "drop/pipe " COOKIE
                   " action mirred egress redirect dev v1 " COOKIE);
    check_counters(ifindex, "action tunnel_key set id 5 src_ip 1.1.1.1 "
                   "dst_ip 1.1.1.2 dst_port 4789 pipe " COOKIE
                   " action mirred egress redirect dev vx " COOKIE);
}

/* Whether a device's ingress has a qdisc, and a filter with this prio. */
static bool
has_qdisc(const char *dev, const char *kind)
{
    return !try_sh("tc qdisc show dev %s | grep -q 'qdisc %s '", dev, kind);
}

static bool
has_prio(const char *dev, const char *hook, int prio)
{
    return !try_sh("tc filter show dev %s %s | grep -q 'pref %d '",
                   dev, hook, prio);
}

static void
add_cookie_filter(const char *where, int prio, int chain)
{
    sh("tc filter add %s prio %d protocol ip chain %d handle 0x%x flower "
       "dst_ip 10.0.0.1 action drop " COOKIE, where, prio, chain,
       tc_handle(1));
}

static void
test_port(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct offload_port port;

    /* Nothing there: all of it goes again. */
    int ifindex = make_veth("v0");
    init_port(&port, "v0", OFFLOAD_PORT_PLAIN, 0);
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    CHECK(has_qdisc("v0", "ingress"));
    add_filters(ifindex, tc_handle(1), 100, 1);
    add_cookie_filter("dev v0 ingress", 5, 3);
    tc_port_close(&port);
    CHECK(!has_qdisc("v0", "ingress"));

    /* Leftovers go, and what is somebody else's stays. */
    sh("tc qdisc add dev v0 ingress");
    sh("tc filter add dev v0 ingress prio 1 protocol all matchall "
       "action police rate 1gbit burst 1m conform-exceed drop/pipe");
    sh("tc filter add dev v0 ingress prio 2 protocol ip handle 7 flower "
       "src_ip 10.1.0.1 action drop");
    add_filters(ifindex, 100, 100, 1);
    add_cookie_filter("dev v0 ingress", 5, 0);
    add_cookie_filter("dev v0 ingress", 6, 9);
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    CHECK(has_prio("v0", "ingress", 1) && has_prio("v0", "ingress", 2));
    CHECK(!has_prio("v0", "ingress", 5) && !has_prio("v0", "ingress", 6));
    sh("test $(tc filter show dev v0 ingress | grep -c handle) = 2");
    add_filters(ifindex, tc_handle(100), 100, 1);
    CHECK_EQ(tc_port_flush(&port, NULL), 0);
    sh("test $(tc filter show dev v0 ingress | grep -c handle) = 2");
    tc_port_close(&port);
    sh("test $(tc filter show dev v0 ingress | grep -c handle) = 2");
    CHECK(has_qdisc("v0", "ingress"));

    /* An earlier daemon's qdisc goes with its filters. */
    sh("tc qdisc del dev v0 ingress && tc qdisc add dev v0 ingress");
    add_filters(ifindex, 1, 3, 1);
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    tc_port_close(&port);
    CHECK(!has_qdisc("v0", "ingress"));

    /* Somebody's clsact will do for a plain port. */
    sh("tc qdisc add dev v0 clsact");
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    tc_port_close(&port);
    CHECK(has_qdisc("v0", "clsact"));

    /* A qdisc that somebody deletes. */
    sh("tc qdisc del dev v0 clsact");
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    sh("tc qdisc del dev v0 ingress");
    CHECK_EQ(tc_port_repair(&port), 0);
    CHECK(has_qdisc("v0", "ingress"));
    CHECK_EQ(tc_port_repair(&port), 0);
    tc_port_close(&port);
    CHECK(!has_qdisc("v0", "ingress"));

    /* A device that goes takes everything along. */
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    sh("ip link del v0");
    CHECK_EQ(tc_port_flush(&port, NULL), 0);
    tc_port_close(&port);
    CHECK(tc_port_open(&port, &refusal));
    CHECK(offload_refused(&refusal));
    CHECK_EQ(refusal.error, ENODEV);
}

static void
test_port_block(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct offload_port port, other;
    struct tcmsg tcm = { .tcm_family = AF_UNSPEC };

    make_veth("v0");
    make_veth("v1");
    init_port(&port, "v0", OFFLOAD_PORT_PLAIN, 22);
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    sh("tc qdisc show dev v0 | grep 'ingress_block 22'");
    tc_port_address(&port, &tcm);
    CHECK_EQ(tcm.tcm_ifindex, (int) TCM_IFINDEX_MAGIC_BLOCK);
    CHECK_EQ(tcm.tcm_block_index, 22);
    add_cookie_filter("block 22", 5, 0);
    tc_port_close(&port);
    CHECK(!has_qdisc("v0", "ingress"));

    /* A bond's member that Open vSwitch has prepared already. */
    sh("tc qdisc add dev v0 ingress_block 22 ingress");
    add_cookie_filter("block 22", 5, 0);
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    sh("tc filter show block 22 | { ! grep handle; }");
    tc_port_close(&port);

    /* An ingress qdisc without the block is replaced unless it is in use. */
    sh("tc qdisc add dev v1 ingress");
    init_port(&other, "v1", OFFLOAD_PORT_PLAIN, 23);
    CHECK_EQ(tc_port_open(&other, &refusal), 0);
    sh("tc qdisc show dev v1 | grep 'ingress_block 23'");
    tc_port_close(&other);
    sh("tc qdisc add dev v1 ingress");
    sh("tc filter add dev v1 ingress prio 9 protocol ip flower action drop");
    CHECK(tc_port_open(&other, &refusal));
    CHECK(offload_refused(&refusal));
    CHECK(has_prio("v1", "ingress", 9));
    printf("%s\n", refusal.detail);
}

static void
test_port_internal(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct offload_port port;

    make_veth("v0");
    init_port(&port, "v0", OFFLOAD_PORT_INTERNAL, 0);
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    CHECK(has_qdisc("v0", "clsact"));
    add_cookie_filter("dev v0 egress", 5, 0);
    CHECK_EQ(tc_port_flush(&port, NULL), 0);
    CHECK(!has_prio("v0", "egress", 5));

    /* Somebody else's filter in the other direction keeps the qdisc. */
    sh("tc filter add dev v0 ingress prio 9 protocol ip flower action drop");
    tc_port_close(&port);
    CHECK(has_prio("v0", "ingress", 9));
    sh("tc qdisc del dev v0 clsact");

    /* An ingress qdisc that is in use can't become a clsact. */
    sh("tc qdisc add dev v0 ingress");
    CHECK_EQ(tc_port_open(&port, &refusal), 0);
    CHECK(has_qdisc("v0", "clsact"));
    tc_port_close(&port);
    CHECK(!has_qdisc("v0", "clsact"));
    sh("tc qdisc add dev v0 ingress");
    sh("tc filter add dev v0 ingress prio 9 protocol ip flower action drop");
    CHECK(tc_port_open(&port, &refusal));
    printf("%s\n", refusal.detail);
    CHECK(has_prio("v0", "ingress", 9));
}

static int
set_meter(uint32_t id, uint16_t flags, uint32_t rate, uint32_t burst)
{
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP, .rate = rate, .burst_size = burst,
    };
    struct ofputil_meter_config config = {
        .meter_id = id, .flags = flags, .n_bands = 1, .bands = &band,
    };
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    int error = tc_police_set(id, &config, &refusal);

    CHECK_EQ(!!error, offload_refused(&refusal));
    if (error) {
        printf("meter %"PRIu32": %s %s\n", id, refusal.subject,
               refusal.detail);
    }
    return error;
}

static void
get_meter(uint32_t id, struct ofputil_meter_stats *stats,
          struct ofputil_meter_band_stats *band)
{
    memset(stats, 0, sizeof *stats);
    memset(band, 0, sizeof *band);
    stats->n_bands = 1;
    stats->bands = band;
    CHECK_EQ(tc_police_get(id, stats), 0);
}

/* What tc(8) says about a police action must match a regular expression. */
static void
check_police(uint32_t index, const char *regex)
{
    sh("tc actions get action police index %"PRIu32" > police", index);
    if (try_sh("grep -Eq '%s' police", regex)) {
        fprintf(stderr, "%s isn't in:\n", regex);
        try_sh("cat police >&2");
        exit(1);
    }
}

static void
test_police(void)
{
    struct ofputil_meter_band_stats band;
    struct ofputil_meter_stats stats;
    uint32_t index, index2;
    struct op op;

    int ifindex = make_veth("v0");
    sh("tc qdisc add dev v0 ingress");

    /* What an earlier daemon left goes, what isn't in our range stays, and
     * what is in use goes later. */
    sh("tc actions add action police rate 1mbit burst 1000 index 17");
    sh("tc actions add action police rate 1mbit burst 1000 index 268435456");
    sh("tc actions add action police rate 1mbit burst 1000 index 268435457");
    sh("tc filter add dev v0 ingress prio 3 protocol ip flower "
       "action police index 268435457");
    tc_police_cleanup();
    CHECK(try_sh("tc actions get action police index 268435456 2>&1"));
    sh("tc actions get action police index 268435457");
    sh("tc actions get action police index 17");

    CHECK_EQ(set_meter(1, OFPMF13_KBPS | OFPMF13_BURST, 1000, 100), 0);
    CHECK(tc_police_lookup(1, &index));
    CHECK_EQ(index, 0x10000000);
    check_police(index, "rate 1Mbit burst 12800b mtu 64Kb");
    check_police(index, "action drop/pipe|conform-exceed drop/pipe");
    CHECK_EQ(set_meter(2, OFPMF13_PKTPS | OFPMF13_BURST, 1000, 50), 0);
    CHECK(tc_police_lookup(2, &index2));
    CHECK_EQ(index2, 0x10000002);
    check_police(index2, "pkts_rate 1000 pkts_burst 50");

    /* Rates of more than 32 bits. */
    CHECK_EQ(set_meter(3, OFPMF13_KBPS, 400 * 1000 * 1000, 0), 0);
    CHECK(tc_police_lookup(3, &index2));
    check_police(index2, "rate 400Gbit");
    CHECK_EQ(set_meter(4, OFPMF13_KBPS, UINT32_MAX, 0), 0);
    CHECK(tc_police_lookup(4, &index2));
    check_police(index2, "rate 429[0-9]*Gbit|rate 4.29[0-9]*Tbit|rate 4Tbit");
    CHECK_EQ(set_meter(5, OFPMF13_KBPS, 1, 0), 0);
    CHECK(tc_police_lookup(5, &index2));
    check_police(index2, "rate 1Kbit burst 128b");

    /* Changed in place, although a rule refers to it; 10 packets of 1000
     * bytes, of which 100 kbit let 1 pass. */
    sh("tc filter add dev v0 ingress prio 2 protocol ip handle 1 flower "
       "dst_ip 10.0.0.1 action gact pipe " COOKIE
       " action police index 268435456 action drop " COOKIE);
    CHECK_EQ(set_meter(1, OFPMF13_KBPS | OFPMF13_BURST, 1, 15), 0);
    CHECK(tc_police_lookup(1, &index2));
    CHECK_EQ(index, index2);
    check_police(index, "rate 1Kbit burst 19");
    send_packets("v0p", 1, 10, 1014);
    for (int i = 0; i < 100; i++) {
        get_meter(1, &stats, &band);
        if (stats.packet_in_count >= 10) {
            break;
        }
        usleep(50 * 1000);
    }
    CHECK_EQ(stats.packet_in_count, 10);
    CHECK_EQ(stats.byte_in_count, 10000);
    CHECK_EQ(band.packet_count, 9);
    get_meter(2, &stats, &band);
    CHECK_EQ(stats.packet_in_count, 0);

    /* Deleted although a rule refers to it: forgotten, with its counters, and
     * gone when the rule has. */
    memset(&stats, 0, sizeof stats);
    CHECK_EQ(tc_police_del(1, &stats), 0);
    CHECK_EQ(stats.packet_in_count, 10);
    CHECK(!tc_police_lookup(1, &index2));
    CHECK_EQ(tc_police_get(1, &stats), ENOENT);
    CHECK_EQ(tc_police_del(1, &stats), ENOENT);
    sh("tc actions get action police index 268435456");
    CHECK_EQ(set_meter(1, OFPMF13_KBPS, 1000, 0), 0);
    CHECK(tc_police_lookup(1, &index2));
    /* The next one of that number has its rule, and counters of its own. */
    CHECK_EQ(index2, index);
    check_police(index, "rate 1Mbit");
    get_meter(1, &stats, &band);
    CHECK_EQ(stats.packet_in_count, 0);
    CHECK_EQ(band.packet_count, 0);
    CHECK_EQ(tc_police_del(1, NULL), 0);
    struct tc_pipeline *p = tc_pipeline_get();
    request_delete(p, ifindex, 1, &op);
    tc_pipeline_run(p);
    CHECK_EQ(op.reply.error, 0);
    sh("tc filter del dev v0 ingress prio 3");
    sleep(1);
    tc_police_retry();
    CHECK(try_sh("tc actions get action police index 268435456 2>&1"));
    CHECK(try_sh("tc actions get action police index 268435457 2>&1"));

    /* What can't be done. */
    CHECK_EQ(set_meter(9, OFPMF13_KBPS, 0, 0), EOPNOTSUPP);
    CHECK_EQ(set_meter(9, 0, 1000, 0), EOPNOTSUPP);
    CHECK(!tc_police_lookup(9, &index));

    for (uint32_t id = 2; id <= 5; id++) {
        CHECK_EQ(tc_police_del(id, NULL), 0);
    }
    sh("tc actions ls action police > police; grep 0x11 police && "
       "! grep 0x1000 police");
}

/* The same number of sockets is open however many dumps there were, and the
 * socket of a thread goes with the thread. */
static void *
one_request(void *ifindex_)
{
    struct tc_pipeline *p = tc_pipeline_get();
    struct op op;

    request_delete(p, (uintptr_t) ifindex_, 1, &op);
    tc_pipeline_run(p);
    CHECK_EQ(op.reply.error, ENOENT);
    return NULL;
}

static int
count_sockets(void)
{
    struct dirent *entry;
    int n = 0;

    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    while ((entry = readdir(dir))) {
        struct stat st;

        n += !fstatat(dirfd(dir), entry->d_name, &st, 0)
             && S_ISSOCK(st.st_mode);
    }
    closedir(dir);
    return n;
}

static void
test_sockets(void)
{
    uintptr_t ifindex = make_veth("v0");
    bool complete;

    sh("tc qdisc add dev v0 ingress");
    one_request((void *) ifindex);
    int n = count_sockets();
    for (int i = 0; i < 20; i++) {
        xpthread_join(ovs_thread_create("request", one_request,
                                        (void *) ifindex), NULL);
    }
    CHECK_EQ(count_sockets(), n);
    for (int i = 0; i < 20; i++) {
        shared_dump = start_dump(ifindex);
        dump_some(NULL);
        CHECK_EQ(tc_dump_done(shared_dump, &complete), 0);
        CHECK(complete);
    }
    CHECK_EQ(count_sockets(), n + 1);

    /* A child must not use its parent's socket. */
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        one_request((void *) ifindex);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    one_request((void *) ifindex);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    { "caps", test_caps },
    { "pipeline", test_pipeline },
    { "long-answers", test_long_answers },
    { "lost-answers", test_lost_answers },
    { "no-allocation", test_no_allocation },
    { "dump", test_dump },
    { "counters", test_counters },
    { "port", test_port },
    { "port-block", test_port_block },
    { "port-internal", test_port_internal },
    { "police", test_police },
    { "sockets", test_sockets },
};

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(tests); i++) {
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].run();
            return 0;
        }
    }
    ovs_fatal(0, "usage: %s TEST", program_name);
}
