/* SPDX-License-Identifier: Apache-2.0 */

/* How long it takes from a lone new packet to its rule: sends one packet of a
 * flow that nobody knows, waits for the kernel to announce the rule that
 * matches its destination, and does so again after a pause.
 *
 * The kernel announces a rule (RTNLGRP_TC) when it is in force.  This process
 * has real-time priority, so that it takes the time when the announcement is
 * made and not when the switch next sleeps.
 *
 * Prints a JSON object: "missing", the number of rules that didn't come within
 * a second, and "us", the others' latencies in microseconds, in order. */

#include "bench-lib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_US 1000000

static int
open_monitor(void)
{
    struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
    int size = 8 << 20;
    int group = RTNLGRP_TC;
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        || bind(fd, (struct sockaddr *) &addr, sizeof addr)
        || setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
                      &group, sizeof group)) {
        bench_die("netlink monitor");
    }
    return fd;
}

/* The attribute 'type' among those in 'len' bytes from 'attributes', or NULL
 * ('*attr_len' is the length of what it returns, the payload). */
static const void *
find_attribute(const void *attributes, size_t len, int type, size_t *attr_len)
{
    const char *p = attributes;
    const struct rtattr *rta = attributes;

    while (RTA_OK(rta, len)) {
        if ((rta->rta_type & NLA_TYPE_MASK) == type) {
            *attr_len = RTA_PAYLOAD(rta);
            return RTA_DATA(rta);
        }
        len -= RTA_ALIGN(rta->rta_len) < len ? RTA_ALIGN(rta->rta_len) : len;
        p += RTA_ALIGN(rta->rta_len);
        rta = (const void *) p;
    }
    return NULL;
}

/* True if 'nlh' announces a rule of device 'ifindex' for address 'dst'. */
static bool
is_rule_for(const struct nlmsghdr *nlh, int ifindex, uint32_t dst)
{
    const struct tcmsg *tcm = NLMSG_DATA(nlh);
    const void *p = tcm + 1;
    size_t len = TCA_PAYLOAD(nlh);

    if (nlh->nlmsg_type != RTM_NEWTFILTER || tcm->tcm_ifindex != ifindex) {
        return false;
    }
    p = find_attribute(p, len, TCA_OPTIONS, &len);
    p = p ? find_attribute(p, len, TCA_FLOWER_KEY_IPV4_DST, &len) : NULL;
    return p && len == sizeof dst && !memcmp(p, &dst, sizeof dst);
}

/* The kernel puts each announcement into a message of its own. */
static bool
receive_rule(int monitor, int ifindex, uint32_t dst)
{
    static union {
        struct nlmsghdr nlh;
        char bytes[65536];
    } buf;
    ssize_t len = recv(monitor, &buf, sizeof buf, MSG_DONTWAIT);

    return (len > 0 && NLMSG_OK(&buf.nlh, len)
            && is_rule_for(&buf.nlh, ifindex, dst));
}

/* Microseconds until the rule for 'flow' is there, or -1. */
static int64_t
measure(int tx, int monitor, int ifindex, uint32_t flow)
{
    struct pollfd pollfd = { .fd = monitor, .events = POLLIN };
    struct bench_packet packet;
    uint64_t start, now;

    bench_packet_init(&packet, flow);
    now = start = bench_now_us();
    if (send(tx, &packet, sizeof packet, 0) != sizeof packet) {
        bench_die("send");
    }
    while (now - start < WAIT_US) {
        bool found = (poll(&pollfd, 1, 50) > 0
                      && receive_rule(monitor, ifindex, packet.ip.daddr));
        now = bench_now_us();
        if (found) {
            return now - start;
        }
    }
    return -1;
}

struct settings {
    const char *from;           /* Namespace to send in. */
    const char *device;         /* Whose rules come. */
    uint32_t first, n;
    uint32_t gap_ms;            /* Pause between two. */
};

static void
parse_options(int argc, char *argv[], struct settings *s)
{
    static const struct option options[] = {
        { "from", required_argument, NULL, 'f' },
        { "device", required_argument, NULL, 'd' },
        { "first", required_argument, NULL, '1' },
        { "flows", required_argument, NULL, 'n' },
        { "gap-ms", required_argument, NULL, 'g' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f': s->from = optarg; break;
        case 'd': s->device = optarg; break;
        case '1': s->first = bench_number("--first", optarg, 0, 1 << 22);
            break;
        case 'n': s->n = bench_number("--flows", optarg, 1, 1 << 20); break;
        case 'g': s->gap_ms = bench_number("--gap-ms", optarg, 0, 10000);
            break;
        default: exit(2);
        }
    }
    if (!s->from || !s->device) {
        errno = 0;
        bench_die("--from NETNS and --device DEVICE are needed");
    }
}

int
main(int argc, char *argv[])
{
    struct settings s = { .n = 100, .gap_ms = 20 };
    struct sched_param param = { .sched_priority = 10 };
    int tx, monitor, ifindex;
    uint32_t missing = 0;
    bool any = false;

    parse_options(argc, argv, &s);
    ifindex = if_nametoindex(s.device);
    if (!ifindex) {
        bench_die("%s", s.device);
    }
    monitor = open_monitor();
    tx = bench_packet_socket(s.from, "eth0", false);
    if (sched_setscheduler(0, SCHED_FIFO, &param)) {
        bench_die("real-time priority");
    }

    printf("{\"us\": [");
    for (uint32_t i = 0; i < s.n; i++) {
        int64_t us;

        usleep(s.gap_ms * 1000);
        us = measure(tx, monitor, ifindex, s.first + i);
        if (us < 0) {
            missing++;
        } else {
            printf("%s%lld", any ? ", " : "", (long long) us);
            any = true;
        }
    }
    printf("], \"missing\": %u}\n", missing);
    return 0;
}
