/* SPDX-License-Identifier: Apache-2.0 */

/* What the TC backend alone can do, as tc-rules measures it for the kernel:
 * adds, dumps and deletes the same rules through the backend's interface, as
 * the engine would, without an ovs-vswitchd.
 *
 *     backend-rules --device DEV --to DEV --flows N --batch B
 *
 * prints a JSON object: "add_seconds", "dump_seconds", "dumped",
 * "del_seconds", "errors".  Parsing a megaflow into a rule is not included,
 * encoding the rule is. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offload-backend.h"
#include "offload-port.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "tests/bench/bench-lib.h"
#include "tests/bench/bench-rules.h"
#include "util.h"

#define MAX_BATCH 64

struct rules {
    struct offload_port *port;
    uint32_t n;
    uint32_t batch;
    struct bench_rule rule;     /* The one in preparation. */
    union offload_handle *handles;
    uint64_t errors;
};

static const struct offload_backend *backend = &offload_backend_tc;

static void
put_one(struct rules *r, struct offload_batch *batch, uint32_t flow,
        struct offload_op *op)
{
    bench_rule_set(&r->rule, flow);
    memset(&op->handle, 0, sizeof op->handle);
    backend->rule_put(batch, r->port, &r->rule.rule, op);
}

static void
del_one(struct rules *r, struct offload_batch *batch, uint32_t flow,
        struct offload_op *op)
{
    op->handle = r->handles[flow];
    backend->rule_del(batch, r->port, op);
}

/* One operation a rule, r->batch of them a batch.  Returns seconds. */
static double
for_each_rule(struct rules *r,
              void (*one)(struct rules *, struct offload_batch *,
                          uint32_t flow, struct offload_op *))
{
    static struct offload_op ops[MAX_BATCH];
    uint64_t start = bench_now_us();

    for (uint32_t i = 0; i < r->n; ) {
        struct offload_batch *batch = backend->batch_begin();
        uint32_t n = MIN(r->batch, r->n - i);

        for (uint32_t j = 0; j < n; j++) {
            one(r, batch, i + j, &ops[j]);
        }
        backend->batch_commit(batch);
        for (uint32_t j = 0; j < n; j++) {
            r->errors += ops[j].error != 0;
            r->handles[i + j] = ops[j].handle;
        }
        i += n;
    }
    return (bench_now_us() - start) / 1e6;
}

static struct offload_port *
add_port(odp_port_t odp_port, const char *name)
{
    int ifindex = if_nametoindex(name);

    if (!ifindex) {
        bench_die("%s", name);
    }
    return offload_port_add(odp_port, name, OFFLOAD_PORT_PLAIN, ifindex, 0);
}

static void
parse_options(int argc, char *argv[], struct rules *r,
              const char **device, const char **to)
{
    static const struct option options[] = {
        { "device", required_argument, NULL, 'd' },
        { "to", required_argument, NULL, 't' },
        { "flows", required_argument, NULL, 'n' },
        { "batch", required_argument, NULL, 'b' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd': *device = optarg; break;
        case 't': *to = optarg; break;
        case 'n': r->n = bench_number("--flows", optarg, 1, 1 << 22); break;
        case 'b': r->batch = bench_number("--batch", optarg, 1, MAX_BATCH);
            break;
        default: exit(2);
        }
    }
    if (!*device || !*to || !r->n) {
        errno = 0;
        bench_die("--device DEV, --to DEV and --flows N are needed");
    }
}

int
main(int argc, char *argv[])
{
    static struct rules r = { .batch = 1 };
    const char *device = NULL;
    const char *to = NULL;
    struct offload_refusal refusal;
    double add, dumped, del;
    uint64_t start;
    size_t n;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    parse_options(argc, argv, &r, &device, &to);
    r.handles = xcalloc(r.n, sizeof *r.handles);
    r.port = add_port(BENCH_IN_PORT, device);
    add_port(BENCH_OUT_PORT, to);
    if (backend->port_open(r.port, &refusal)) {
        bench_refused(device, &refusal);
    }
    r.port->backend = backend;
    bench_rule_init(&r.rule, r.port);

    add = for_each_rule(&r, put_one);
    start = bench_now_us();
    n = bench_dump(backend, r.port);
    dumped = (bench_now_us() - start) / 1e6;
    del = for_each_rule(&r, del_one);
    printf("{\"flows\": %"PRIu32", \"batch\": %"PRIu32", "
           "\"add_seconds\": %.6f, \"dump_seconds\": %.6f, "
           "\"dumped\": %"PRIuSIZE", \"del_seconds\": %.6f, "
           "\"errors\": %"PRIu64"}\n",
           r.n, r.batch, add, dumped, n, del, r.errors);
    backend->port_close(r.port);
    return 0;
}
