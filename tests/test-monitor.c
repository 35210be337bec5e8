/* SPDX-License-Identifier: Apache-2.0 */

/* usage: test-monitor metrics < STATUS     offload/status's JSON -> metrics
 *        test-monitor percentiles USEC...  p50 and p99 of these times */

#include <config.h>
#undef NDEBUG

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offload-statistics.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

#include "ofproto-offload/metrics.h"

static void
print_metrics(void)
{
    struct json *status = json_from_stream(stdin);
    struct ds s = DS_EMPTY_INITIALIZER;

    assert(status->type == JSON_OBJECT);
    metrics_format(status, &s);
    fputs(ds_cstr(&s), stdout);
    ds_destroy(&s);
    json_destroy(status);
}

static void
print_percentile(const struct offload_times *times, unsigned int percent)
{
    uint64_t usec = offload_times_percentile(times, percent);

    if (usec == UINT64_MAX) {
        printf("p%u unknown\n", percent);
    } else {
        printf("p%u %"PRIu64"\n", percent, usec);
    }
}

static void
print_percentiles(char *times_[], int n)
{
    static struct offload_statistics statistics;
    struct offload_times times;

    for (int i = 0; i < n; i++) {
        offload_stat_time(&statistics, OFFLOAD_TIME_PUT, atoll(times_[i]));
    }
    offload_stat_times(&statistics, OFFLOAD_TIME_PUT, &times);
    assert(times.count == n);
    print_percentile(&times, 50);
    print_percentile(&times, 99);
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    assert(argc > 1);
    if (!strcmp(argv[1], "metrics")) {
        print_metrics();
    } else {
        print_percentiles(argv + 2, argc - 2);
    }
    return 0;
}
