/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-statistics.h"

#include <string.h>

#include "openvswitch/util.h"
#include "util.h"

const uint64_t offload_bucket_ends[OFFLOAD_N_BUCKETS - 1] = {
    10, 20, 50, 100, 200, 500,
    1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000,
    1000000, 2000000, 5000000, 10000000,
};

static const struct {
    const char *name;
    const char *help;
} stats[OFFLOAD_N_STATS] = {
#define OFFLOAD_STAT(STAT, NAME, HELP) { NAME, HELP },
    OFFLOAD_STATS
#undef OFFLOAD_STAT
};

static void
add(atomic_uint64_t *counter, uint64_t n)
{
    uint64_t orig;

    atomic_add_relaxed(counter, n, &orig);
}

static uint64_t
get(const atomic_uint64_t *counter)
{
    uint64_t n;

    atomic_read_relaxed(CONST_CAST(atomic_uint64_t *, counter), &n);
    return n;
}

void
offload_stat_add(struct offload_statistics *s, enum offload_stat stat,
                 uint64_t n)
{
    if (n) {
        add(&s->n[stat], n);
    }
}

uint64_t
offload_stat_get(const struct offload_statistics *s, enum offload_stat stat)
{
    return get(&s->n[stat]);
}

static size_t
bucket_of(uint64_t usec)
{
    size_t i;

    for (i = 0; i < OFFLOAD_N_BUCKETS - 1; i++) {
        if (usec <= offload_bucket_ends[i]) {
            break;
        }
    }
    return i;
}

void
offload_stat_time(struct offload_statistics *s, enum offload_timing timing,
                  long long int usec)
{
    struct offload_histogram *h = &s->timings[timing];
    uint64_t time = MAX(usec, 0);

    add(&h->n[bucket_of(time)], 1);
    add(&h->sum, time);
}

void
offload_stat_times(const struct offload_statistics *s,
                   enum offload_timing timing, struct offload_times *times)
{
    const struct offload_histogram *h = &s->timings[timing];

    times->count = 0;
    for (size_t i = 0; i < OFFLOAD_N_BUCKETS; i++) {
        times->n[i] = get(&h->n[i]);
        times->count += times->n[i];
    }
    times->sum = get(&h->sum);
}

uint64_t
offload_times_percentile(const struct offload_times *times,
                         unsigned int percent)
{
    uint64_t rank = DIV_ROUND_UP(times->count * percent, 100);
    uint64_t below = 0;

    for (size_t i = 0; rank && i < OFFLOAD_N_BUCKETS - 1; i++) {
        if (below + times->n[i] >= rank) {
            /* As if those of a bucket were evenly spread over it. */
            uint64_t start = i ? offload_bucket_ends[i - 1] : 0;

            return start + ((offload_bucket_ends[i] - start)
                            * (rank - below) / times->n[i]);
        }
        below += times->n[i];
    }
    return UINT64_MAX;
}

const char *
offload_stat_name(enum offload_stat stat)
{
    return stats[stat].name;
}

const char *
offload_stat_help(enum offload_stat stat)
{
    return stats[stat].help;
}
