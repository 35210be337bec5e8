/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_LIB_H
#define BENCH_LIB_H 1

/* What the benchmark's small programs share: time, packets, network
 * namespaces.  They need nothing but the C library, so that what is measured
 * beside a daemon is not the daemon's own code.
 *
 * Whatever fails ends the program with a message: a figure of half a run is
 * worth nothing. */

#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>

/* Flow number N is the packets for the IPv4 address BENCH_FIRST_DST + N. */
#define BENCH_FIRST_DST 0x0a400000u     /* 10.64.0.0, host byte order. */

struct bench_packet {
    struct ethhdr eth;
    struct iphdr ip;
    struct udphdr udp;
    char payload[18];           /* Up to Ethernet's least length. */
} __attribute__((packed));

void bench_die(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Microseconds on a clock that only goes forward. */
uint64_t bench_now_us(void);

/* A whole packet of flow 'flow'. */
void bench_packet_init(struct bench_packet *, uint32_t flow);
/* The flow that 'data' is a packet of, or UINT32_MAX. */
uint32_t bench_packet_flow(const void *data, size_t len);

/* A packet socket on device 'dev' of network namespace 'netns' (a name, as
 * "ip netns" knows it), for IPv4 if 'receive' and else for sending only.  The
 * program stays in the namespace that it was in. */
int bench_packet_socket(const char *netns, const char *dev, int receive);

/* The value of "--NAME=VALUE" or "--NAME VALUE" style options is taken by
 * getopt_long(); this one checks that it is a number from 'min' to 'max'. */
uint32_t bench_number(const char *name, const char *value,
                      uint32_t min, uint32_t max);

#endif /* bench-lib.h */
