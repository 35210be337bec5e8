/* SPDX-License-Identifier: Apache-2.0 */

/* What the kernel itself can do: adds, dumps and deletes flower rules with
 * nothing between it and the kernel.  The rules are those of the benchmark's
 * flows: Ethernet addresses, IPv4 destination, no fragment; redirect to
 * another device; handle, prio and cookie given.
 *
 *     tc-rules --device DEV --to DEV --flows N --batch B
 *         adds N rules, B a system call, dumps them tersely, deletes them, B a
 *         system call, and prints a JSON object: "add_seconds",
 *         "dump_seconds", "del_seconds", and "errors", the number of requests
 *         that the kernel refused.
 *
 *     tc-rules --device DEV --count
 *         prints how many flower rules DEV has on its ingress.
 *
 * Each add is acknowledged; each delete is echoed, which is how one learns a
 * rule's last counters, and acknowledged.  The actions have no per-CPU
 * counters, which doubles the rate. */

#include "bench-lib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_BATCH 64
#define PRIO 2

struct rules {
    int fd;
    int ifindex;                /* Where the rules are. */
    int out_ifindex;            /* Where they send packets to. */
    uint32_t n;
    uint32_t batch;
    uint64_t errors;
};

/* Requests under construction, one after the other. */
static union {
    struct nlmsghdr nlh;
    char bytes[MAX_BATCH * 1024];
} tx;
static size_t tx_len;
static union {
    struct nlmsghdr nlh;
    char bytes[1 << 18];
} rx;

static void *
put(size_t len)
{
    void *p = tx.bytes + tx_len;

    memset(p, 0, NLMSG_ALIGN(len));
    tx_len += NLMSG_ALIGN(len);
    return p;
}

static size_t
put_attribute(int type, const void *data, size_t len)
{
    size_t start = tx_len;
    struct rtattr *rta = put(RTA_LENGTH(0));

    rta->rta_type = type;
    rta->rta_len = RTA_LENGTH(len);
    if (len) {
        memcpy(put(len), data, len);
    }
    return start;
}

static void
put_u32(int type, uint32_t value)
{
    put_attribute(type, &value, sizeof value);
}

static size_t
begin_nest(int type)
{
    return put_attribute(type, NULL, 0);
}

static void
end_nest(size_t start)
{
    struct rtattr *rta = (void *) (tx.bytes + start);

    rta->rta_len = tx_len - start;
}

/* Begins a request about the rule with 'handle', or about all of them if it is
 * 0.  end_nest() doesn't do for it: see end_request(). */
static size_t
begin_request(const struct rules *r, int type, int flags, uint32_t handle)
{
    size_t start = tx_len;
    struct nlmsghdr *nlh = put(NLMSG_HDRLEN);
    struct tcmsg *tcm = put(sizeof *tcm);

    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = NLM_F_REQUEST | flags;
    tcm->tcm_family = AF_UNSPEC;
    tcm->tcm_ifindex = r->ifindex;
    tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
    if (handle) {
        tcm->tcm_handle = handle;
        tcm->tcm_info = TC_H_MAKE(PRIO << 16, htons(ETH_P_IP));
        put_attribute(TCA_KIND, "flower", sizeof "flower");
    }
    return start;
}

static void
end_request(size_t start)
{
    struct nlmsghdr *nlh = (void *) (tx.bytes + start);

    nlh->nlmsg_len = tx_len - start;
}

static void
put_redirect(int out_ifindex, uint32_t cookie)
{
    struct tc_mirred mirred = {
        .action = TC_ACT_STOLEN,
        .eaction = TCA_EGRESS_REDIR,
        .ifindex = out_ifindex,
    };
    struct nla_bitfield32 flags = {
        .value = TCA_ACT_FLAGS_NO_PERCPU_STATS,
        .selector = TCA_ACT_FLAGS_NO_PERCPU_STATS,
    };
    uint32_t cookies[4] = { cookie, 1, 2, 3 };
    size_t actions = begin_nest(TCA_FLOWER_ACT);
    size_t action = begin_nest(1);
    size_t options;

    put_attribute(TCA_ACT_KIND, "mirred", sizeof "mirred");
    options = begin_nest(TCA_ACT_OPTIONS);
    put_attribute(TCA_MIRRED_PARMS, &mirred, sizeof mirred);
    end_nest(options);
    put_attribute(TCA_ACT_COOKIE, cookies, sizeof cookies);
    put_attribute(TCA_ACT_FLAGS, &flags, sizeof flags);
    end_nest(action);
    end_nest(actions);
}

static void
put_add(const struct rules *r, uint32_t flow)
{
    static const unsigned char exact[ETH_ALEN]
        = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint16_t eth_type = htons(ETH_P_IP);
    struct bench_packet packet;
    size_t request, options;

    bench_packet_init(&packet, flow);
    request = begin_request(r, RTM_NEWTFILTER,
                            NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, flow + 1);
    options = begin_nest(TCA_OPTIONS);
    put_attribute(TCA_FLOWER_KEY_ETH_TYPE, &eth_type, sizeof eth_type);
    put_attribute(TCA_FLOWER_KEY_ETH_DST, packet.eth.h_dest, ETH_ALEN);
    put_attribute(TCA_FLOWER_KEY_ETH_DST_MASK, exact, ETH_ALEN);
    put_attribute(TCA_FLOWER_KEY_ETH_SRC, packet.eth.h_source, ETH_ALEN);
    put_attribute(TCA_FLOWER_KEY_ETH_SRC_MASK, exact, ETH_ALEN);
    put_u32(TCA_FLOWER_KEY_IPV4_DST, packet.ip.daddr);
    put_u32(TCA_FLOWER_KEY_IPV4_DST_MASK, UINT32_MAX);
    put_u32(TCA_FLOWER_KEY_FLAGS, 0);
    put_u32(TCA_FLOWER_KEY_FLAGS_MASK,
            htonl(TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT));
    put_redirect(r->out_ifindex, flow);
    end_nest(options);
    end_request(request);
}

static void
put_del(const struct rules *r, uint32_t flow)
{
    end_request(begin_request(r, RTM_DELTFILTER, NLM_F_ACK | NLM_F_ECHO,
                              flow + 1));
}

static void
send_requests(struct rules *r)
{
    if (send(r->fd, tx.bytes, tx_len, 0) != (ssize_t) tx_len) {
        bench_die("send to the kernel");
    }
    tx_len = 0;
}

/* Calls 'cb' for each message in 'len' bytes from 'p'. */
static void
take(struct rules *r, const char *p, size_t len,
     void (*cb)(struct rules *, const struct nlmsghdr *, uint32_t *count),
     uint32_t *count)
{
    const struct nlmsghdr *nlh = (const void *) p;

    while (NLMSG_OK(nlh, len)) {
        cb(r, nlh, count);
        p += NLMSG_ALIGN(nlh->nlmsg_len);
        len -= MIN(NLMSG_ALIGN(nlh->nlmsg_len), len);
        nlh = (const void *) p;
    }
}

/* Calls 'cb' for each message that the kernel has sent, in one receive. */
static void
receive(struct rules *r, void (*cb)(struct rules *, const struct nlmsghdr *,
                                    uint32_t *count), uint32_t *count)
{
    ssize_t len = recv(r->fd, &rx, sizeof rx, 0);

    if (len < 0) {
        bench_die("receive from the kernel");
    }
    take(r, rx.bytes, len, cb, count);
}

/* The kernel answers each request by itself, but many of its answers can be
 * received at a time: an acknowledgement and an echo a request. */
static void
receive_many(struct rules *r,
             void (*cb)(struct rules *, const struct nlmsghdr *,
                        uint32_t *count), uint32_t *count)
{
    enum { N = 2 * MAX_BATCH, SIZE = sizeof rx / (2 * MAX_BATCH) };
    static struct mmsghdr msgs[N];
    static struct iovec iov[N];
    int n;

    for (int i = 0; i < N; i++) {
        iov[i].iov_base = rx.bytes + i * SIZE;
        iov[i].iov_len = SIZE;
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    n = recvmmsg(r->fd, msgs, N, MSG_WAITFORONE, NULL);
    if (n < 0) {
        bench_die("receive from the kernel");
    }
    for (int i = 0; i < n; i++) {
        take(r, rx.bytes + i * SIZE, msgs[i].msg_len, cb, count);
    }
}

static void
count_acks(struct rules *r, const struct nlmsghdr *nlh, uint32_t *acks)
{
    if (nlh->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *err = NLMSG_DATA(nlh);

        r->errors += err->error != 0;
        ++*acks;
    }
}

/* One request a rule, r->batch of them a system call.  Returns seconds. */
static double
for_each_rule(struct rules *r,
              void (*put_one)(const struct rules *, uint32_t flow))
{
    uint64_t start = bench_now_us();

    for (uint32_t i = 0; i < r->n; ) {
        uint32_t acks = 0;
        uint32_t n;

        for (n = 0; n < r->batch && i < r->n; n++) {
            put_one(r, i++);
        }
        send_requests(r);
        while (acks < n) {
            receive_many(r, count_acks, &acks);
        }
    }
    return (bench_now_us() - start) / 1e6;
}


static void
count_rules(struct rules *r, const struct nlmsghdr *nlh, uint32_t *state)
{
    const struct tcmsg *tcm = NLMSG_DATA(nlh);

    (void) r;
    if (nlh->nlmsg_type == RTM_NEWTFILTER) {
        state[0] += tcm->tcm_handle != 0;
    } else {
        state[1] = true;
    }
}

/* Dumps all rules tersely.  Returns their number, stores the seconds. */
static uint32_t
dump(struct rules *r, double *seconds)
{
    struct nla_bitfield32 terse = {
        .value = TCA_DUMP_FLAGS_TERSE,
        .selector = TCA_DUMP_FLAGS_TERSE,
    };
    uint32_t state[2] = { 0, false };
    uint64_t start = bench_now_us();
    size_t request = begin_request(r, RTM_GETTFILTER, NLM_F_DUMP, 0);

    put_attribute(TCA_DUMP_FLAGS, &terse, sizeof terse);
    end_request(request);
    send_requests(r);
    while (!state[1]) {
        receive(r, count_rules, state);
    }
    *seconds = (bench_now_us() - start) / 1e6;
    return state[0];
}

static void
open_socket(struct rules *r)
{
    struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
    int size = 4 << 20;
    int on = 1;

    r->fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (r->fd < 0
        || setsockopt(r->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        || setsockopt(r->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)
        || setsockopt(r->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on)
        || connect(r->fd, (struct sockaddr *) &addr, sizeof addr)) {
        bench_die("netlink socket");
    }
}

static int
device_index(const char *name)
{
    int ifindex = if_nametoindex(name);

    if (!ifindex) {
        bench_die("%s", name);
    }
    return ifindex;
}

static bool
parse_options(int argc, char *argv[], struct rules *r)
{
    static const struct option options[] = {
        { "device", required_argument, NULL, 'd' },
        { "to", required_argument, NULL, 't' },
        { "flows", required_argument, NULL, 'n' },
        { "batch", required_argument, NULL, 'b' },
        { "count", no_argument, NULL, 'c' },
        { NULL, 0, NULL, 0 },
    };
    bool count = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd': r->ifindex = device_index(optarg); break;
        case 't': r->out_ifindex = device_index(optarg); break;
        case 'n': r->n = bench_number("--flows", optarg, 1, 1 << 22); break;
        case 'b': r->batch = bench_number("--batch", optarg, 1, MAX_BATCH);
            break;
        case 'c': count = true; break;
        default: exit(2);
        }
    }
    if (!r->ifindex || (!count && (!r->out_ifindex || !r->n))) {
        errno = 0;
        bench_die("--device DEV and either --count or --to DEV --flows N "
                  "are needed");
    }
    return count;
}

int
main(int argc, char *argv[])
{
    struct rules r = { .batch = 1 };
    bool count = parse_options(argc, argv, &r);
    double add, dumped, del;
    uint32_t n;

    open_socket(&r);
    if (count) {
        printf("%u\n", dump(&r, &dumped));
        return 0;
    }
    add = for_each_rule(&r, put_add);
    n = dump(&r, &dumped);
    del = for_each_rule(&r, put_del);
    printf("{\"flows\": %u, \"batch\": %u, \"add_seconds\": %.6f, "
           "\"dump_seconds\": %.6f, \"dumped\": %u, \"del_seconds\": %.6f, "
           "\"errors\": %llu}\n", r.n, r.batch, add, dumped, n, del,
           (unsigned long long) r.errors);
    close(r.fd);
    return 0;
}
