/* SPDX-License-Identifier: Apache-2.0 */

/* Makes flows be born: sends a packet each of many flows into a switch, no
 * faster than they come out again.
 *
 * At most WINDOW packets are under way at a time, so that the switch always
 * has a batch to work on but no queue overflows.  A packet that hasn't come
 * after 300 ms is sent again (and counted: if there are many, the figures mean
 * something else).  What is measured thus is how fast the switch makes flows,
 * however fast it is.
 *
 * Prints a JSON object: "flows", "seconds" from the first packet sent to the
 * last one received, "resent". */

#include "bench-lib.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define RESEND_US 300000
#define GIVE_UP_US 30000000

struct births {
    int tx, rx;                 /* Packet sockets. */
    uint32_t first, n;          /* Flows first ... first + n - 1. */
    uint32_t window;

    bool *seen;                 /* By flow number - first. */
    uint32_t n_sent, n_seen;    /* Flows, not packets. */
    uint32_t oldest;            /* All before this one have been seen. */
    uint64_t progress_us;       /* When something was seen or resent last. */
    uint64_t seen_us;           /* When something was seen last. */
    uint64_t resent;            /* Packets. */
};

static struct bench_packet tx_packets[BATCH], rx_packets[BATCH];
static struct iovec tx_iov[BATCH], rx_iov[BATCH];
static struct mmsghdr tx_msgs[BATCH], rx_msgs[BATCH];

static void
init_messages(struct mmsghdr msgs[], struct iovec iov[],
              struct bench_packet packets[])
{
    for (size_t i = 0; i < BATCH; i++) {
        iov[i].iov_base = &packets[i];
        iov[i].iov_len = sizeof packets[i];
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
}

static void
send_batch(struct births *b, uint32_t n)
{
    for (uint32_t sent = 0; sent < n; ) {
        int retval = sendmmsg(b->tx, tx_msgs + sent, n - sent, 0);
        if (retval < 0 && errno != ENOBUFS && errno != EINTR) {
            bench_die("sendmmsg");
        }
        sent += retval > 0 ? retval : 0;
    }
}

static void
send_new(struct births *b)
{
    uint32_t n = 0;

    while (n < BATCH && b->n_sent < b->n
           && b->n_sent - b->n_seen < b->window) {
        bench_packet_init(&tx_packets[n++], b->first + b->n_sent++);
    }
    send_batch(b, n);
}

static void
resend_missing(struct births *b)
{
    uint32_t n = 0;

    for (uint32_t i = b->oldest; i < b->n_sent && n < BATCH; i++) {
        if (!b->seen[i]) {
            bench_packet_init(&tx_packets[n++], b->first + i);
        }
    }
    send_batch(b, n);
    b->resent += n;
    b->progress_us = bench_now_us();
}

static void
receive(struct births *b)
{
    int n = recvmmsg(b->rx, rx_msgs, BATCH, MSG_DONTWAIT, NULL);

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            bench_die("recvmmsg");
        }
        return;
    }
    for (int i = 0; i < n; i++) {
        uint32_t flow = bench_packet_flow(&rx_packets[i], rx_msgs[i].msg_len);
        if (flow - b->first < b->n && !b->seen[flow - b->first]) {
            b->seen[flow - b->first] = true;
            b->n_seen++;
            b->seen_us = b->progress_us = bench_now_us();
        }
    }
    while (b->oldest < b->n_sent && b->seen[b->oldest]) {
        b->oldest++;
    }
}

static void
run(struct births *b)
{
    b->seen_us = b->progress_us = bench_now_us();
    while (b->n_seen < b->n) {
        struct pollfd pollfd = { .fd = b->rx, .events = POLLIN };

        send_new(b);
        poll(&pollfd, 1, 50);
        receive(b);

        uint64_t now = bench_now_us();
        if (now - b->seen_us > GIVE_UP_US) {
            errno = 0;
            bench_die("%u of %u packets came through, then none for 30 s",
                      b->n_seen, b->n);
        }
        if (now - b->progress_us > RESEND_US) {
            resend_missing(b);
        }
    }
}

static void
parse_options(int argc, char *argv[], struct births *b,
              const char **from, const char **to)
{
    static const struct option options[] = {
        { "from", required_argument, NULL, 'f' },
        { "to", required_argument, NULL, 't' },
        { "first", required_argument, NULL, '1' },
        { "flows", required_argument, NULL, 'n' },
        { "window", required_argument, NULL, 'w' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f': *from = optarg; break;
        case 't': *to = optarg; break;
        case '1': b->first = bench_number("--first", optarg, 0, 1 << 22);
            break;
        case 'n': b->n = bench_number("--flows", optarg, 1, 1 << 22); break;
        case 'w': b->window = bench_number("--window", optarg, 1, 4096);
            break;
        default: exit(2);
        }
    }
    if (!*from || !*to || !b->n) {
        errno = 0;
        bench_die("--from NETNS, --to NETNS and --flows N are needed");
    }
}

int
main(int argc, char *argv[])
{
    struct births b = { .window = 128 };
    const char *from = NULL;
    const char *to = NULL;
    uint64_t start;

    parse_options(argc, argv, &b, &from, &to);
    init_messages(tx_msgs, tx_iov, tx_packets);
    init_messages(rx_msgs, rx_iov, rx_packets);
    b.seen = calloc(b.n, sizeof *b.seen);
    if (!b.seen) {
        bench_die("calloc");
    }
    b.tx = bench_packet_socket(from, "eth0", false);
    b.rx = bench_packet_socket(to, "eth0", true);

    start = bench_now_us();
    run(&b);
    printf("{\"flows\": %u, \"seconds\": %.6f, \"resent\": %llu}\n", b.n,
           (b.seen_us - start) / 1e6, (unsigned long long) b.resent);
    free(b.seen);
    return 0;
}
