/* SPDX-License-Identifier: Apache-2.0 */

#include "bench-lib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void
bench_die(const char *format, ...)
{
    int error = errno;
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
    exit(1);
}

uint64_t
bench_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * UINT64_C(1000000) + t.tv_nsec / 1000;
}

static uint16_t
ip_checksum(const void *ip)
{
    const unsigned char *p = ip;
    uint32_t sum = 0;

    for (size_t i = 0; i < sizeof(struct iphdr); i += 2) {
        sum += p[i] << 8 | p[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return htons(~(sum + (sum >> 16)));
}

void
bench_packet_init(struct bench_packet *p, uint32_t flow)
{
    static const unsigned char dst[] = { 2, 0, 0, 0, 0, 2 };
    static const unsigned char src[] = { 2, 0, 0, 0, 0, 1 };

    memset(p, 0, sizeof *p);
    memcpy(p->eth.h_dest, dst, sizeof dst);
    memcpy(p->eth.h_source, src, sizeof src);
    p->eth.h_proto = htons(ETH_P_IP);
    p->ip.version = 4;
    p->ip.ihl = 5;
    p->ip.tot_len = htons(sizeof *p - sizeof p->eth);
    p->ip.ttl = 64;
    p->ip.protocol = IPPROTO_UDP;
    p->ip.saddr = htonl(0x0a000001);
    p->ip.daddr = htonl(BENCH_FIRST_DST + flow);
    p->ip.check = ip_checksum(&p->ip);
    p->udp.source = htons(1000);
    p->udp.dest = htons(2000);
    p->udp.len = htons(sizeof p->udp + sizeof p->payload);
}

uint32_t
bench_packet_flow(const void *data, size_t len)
{
    struct bench_packet p;

    if (len < sizeof p) {
        return UINT32_MAX;
    }
    memcpy(&p, data, sizeof p);
    return (p.udp.dest == htons(2000) && p.ip.protocol == IPPROTO_UDP
            ? ntohl(p.ip.daddr) - BENCH_FIRST_DST
            : UINT32_MAX);
}

/* A packet socket in the namespace that the program is in now. */
static int
packet_socket(const char *dev, int receive)
{
    struct sockaddr_ll addr = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(receive ? ETH_P_IP : 0),
    };
    int size = 8 << 20;
    int fd;

    addr.sll_ifindex = if_nametoindex(dev);
    if (!addr.sll_ifindex) {
        bench_die("%s", dev);
    }
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)
        || bind(fd, (struct sockaddr *) &addr, sizeof addr)) {
        bench_die("packet socket on %s", dev);
    }
    return fd;
}

int
bench_packet_socket(const char *netns, const char *dev, int receive)
{
    char path[128];
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int there, fd;

    snprintf(path, sizeof path, "/run/netns/%s", netns);
    there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET)) {
        bench_die("%s", path);
    }
    fd = packet_socket(dev, receive);
    if (setns(home, CLONE_NEWNET)) {
        bench_die("setns");
    }
    close(home);
    close(there);
    return fd;
}

uint32_t
bench_number(const char *name, const char *value, uint32_t min, uint32_t max)
{
    unsigned long number;
    char *end;

    errno = 0;
    number = strtoul(value, &end, 0);
    if (errno || !*value || *end || number < min || number > max) {
        errno = 0;
        bench_die("%s must be from %u to %u, not '%s'",
                  name, min, max, value);
    }
    return number;
}
