/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_STATISTICS_H
#define OFFLOAD_STATISTICS_H 1

/* How much was offloaded, how fast, and how often not.
 *
 * Each port has a set of counters, which goes with it, and each datapath one
 * that stays.  What happens is counted in both.  Counters only grow, and are
 * relaxed atomics: nobody waits, nothing is allocated, and what is read of
 * several counters needn't be of one moment.
 *
 * Thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "ovs-atomic.h"

/* What is counted: symbol, name (as it is in JSON), what it is. */
#define OFFLOAD_STATS                                                         \
    OFFLOAD_STAT(OFFERED, "offered",                                          \
                 "Flows, and new versions of flows, that Open vSwitch "       \
                 "offered")                                                   \
    OFFLOAD_STAT(INSERTED, "inserted", "Rules added to devices")              \
    OFFLOAD_STAT(REPLACED, "replaced", "Rules replaced in their place")       \
    OFFLOAD_STAT(DELETED, "deleted", "Rules deleted because their flow "      \
                 "was deleted or can't be offloaded any more")                \
    OFFLOAD_STAT(REFUSED, "refused", "Flows that stayed in software")         \
    OFFLOAD_STAT(FAILED, "failed",                                            \
                 "Requests that the kernel or a device refused")              \
    OFFLOAD_STAT(FULL, "table_full", "Rules that a device had no place for")  \
    OFFLOAD_STAT(EVICTED, "evicted", "Rules taken out of devices without "    \
                 "Open vSwitch having asked for it")                          \
    OFFLOAD_STAT(RESTORED, "restored",                                        \
                 "Rules that a device had lost and that were added again")    \
    OFFLOAD_STAT(SWEEPS, "sweeps", "Times all rules of a port were read")     \
    OFFLOAD_STAT(QUIET_SWEEPS, "quiet_sweeps", "Times they weren't because "  \
                 "the port had had no packets")                               \
    OFFLOAD_STAT(HW_PACKETS, "hw_packets", "Packets that rules in hardware "  \
                 "counted")                                                   \
    OFFLOAD_STAT(HW_BYTES, "hw_bytes", "Bytes that rules in hardware "        \
                 "counted")                                                   \
    OFFLOAD_STAT(SW_PACKETS, "sw_packets", "Packets that rules counted "      \
                 "which TC or DPDK executed in software")                     \
    OFFLOAD_STAT(SW_BYTES, "sw_bytes", "Bytes that rules counted which TC "   \
                 "or DPDK executed in software")

enum offload_stat {
#define OFFLOAD_STAT(STAT, NAME, HELP) OFFLOAD_STAT_##STAT,
    OFFLOAD_STATS
#undef OFFLOAD_STAT
    OFFLOAD_N_STATS
};

/* What is timed. */
enum offload_timing {
    OFFLOAD_TIME_PUT,           /* From the offer to the rule. */
    OFFLOAD_TIME_SWEEP,         /* Reading all rules of a port. */
    OFFLOAD_N_TIMINGS
};

/* Upper ends of the buckets, in usec: 1, 2, 5 times the powers of 10 from
 * 10 us to 10 s.  What takes longer is in one more. */
#define OFFLOAD_N_BUCKETS 20
extern const uint64_t offload_bucket_ends[OFFLOAD_N_BUCKETS - 1];

struct offload_histogram {
    atomic_uint64_t n[OFFLOAD_N_BUCKETS];
    atomic_uint64_t sum;        /* In usec. */
};

struct offload_statistics {
    atomic_uint64_t n[OFFLOAD_N_STATS];
    struct offload_histogram timings[OFFLOAD_N_TIMINGS];

    /* A port's. */
    atomic_uint64_t last_sweep;     /* How long the last took, usec. */
    atomic_llong read;              /* When counters were read, msec of the
                                     * monotonic clock.  0: never. */
};

/* A copy of a histogram. */
struct offload_times {
    uint64_t n[OFFLOAD_N_BUCKETS];
    uint64_t count;             /* All of them. */
    uint64_t sum;               /* In usec. */
};

/* Adds 'n' to a counter. */
void offload_stat_add(struct offload_statistics *, enum offload_stat,
                      uint64_t n);
uint64_t offload_stat_get(const struct offload_statistics *,
                          enum offload_stat);

/* Counts something that took 'usec'. */
void offload_stat_time(struct offload_statistics *, enum offload_timing,
                       long long int usec);
void offload_stat_times(const struct offload_statistics *,
                        enum offload_timing, struct offload_times *);

/* The time, in usec, which 'percent' of them didn't exceed, as far as the
 * buckets tell; UINT64_MAX if there were none, or it was longer than the last
 * bucket's end. */
uint64_t offload_times_percentile(const struct offload_times *,
                                  unsigned int percent);

const char *offload_stat_name(enum offload_stat);
const char *offload_stat_help(enum offload_stat);

#endif /* offload-statistics.h */
