/* SPDX-License-Identifier: Apache-2.0 */

/* What the rte_flow backend alone can do, and the device without it.
 *
 *     rte-rules --driver FILE --flows N [--raw]
 *
 * makes N rules in the NIC in software, reads the counters of all and deletes
 * them: through the backend's interface, as the engine would, or (--raw)
 * with rte_flow_create() and its like.  The rules are the same.  It prints a
 * JSON object: "add_seconds", "dump_seconds", "dumped", "del_seconds",
 * "errors", "memory", resident bytes that the rules have cost.
 *
 * Parsing a megaflow into a rule isn't included; encoding it is, but not in
 * raw ones, of which only the address changes. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_flow.h>

#include "offload-backend.h"
#include "offload-port.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "rte/rte-encode.h"
#include "rte/rte-rules.h"
#include "tests/bench/bench-lib.h"
#include "tests/bench/bench-rules.h"
#include "util.h"

struct rules {
    struct offload_port *port;
    uint32_t n;
    struct bench_rule rule;     /* The one in preparation. */
    union offload_handle *handles;  /* Of the backend, or... */
    struct rte_flow **flows;        /* ...raw. */
    struct rte_encoding *encoding;  /* Raw. */
    uint64_t errors;
};

static const struct offload_backend *backend = &offload_backend_rte;

static uint64_t
resident(void)
{
    unsigned long long total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%llu %llu", &total, &pages) != 2) {
        bench_die("/proc/self/statm");
    }
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The device. */

static void
start_eal(const char *program, const char *driver)
{
    char prefix[64];
    const char *args[] = {
        program, "-l", "0", "--no-huge", "-m", "64", "--no-pci",
        "--no-telemetry", "--log-level=error", "--file-prefix", prefix,
        "-d", driver, "--vdev=net_eswim0,vfs=2,guest=generator,"
        "capacity=16777216", NULL,
    };
    static char *copy[ARRAY_SIZE(args)];

    snprintf(prefix, sizeof prefix, "rte-rules-%d", (int) getpid());
    for (size_t i = 0; args[i]; i++) {
        copy[i] = xstrdup(args[i]);
    }
    if (rte_eal_init(ARRAY_SIZE(args) - 1, copy) < 0) {
        errno = 0;
        bench_die("DPDK doesn't start");
    }
    rte_device_started(0);
    rte_device_started(1);
    rte_device_started(2);
}

/* The port of DPDK called 'name', as port 'odp_port'. */
static struct offload_port *
add_port(odp_port_t odp_port, const char *name)
{
    struct offload_refusal refusal;
    struct offload_port *port;
    uint16_t id;

    if (rte_eth_dev_get_port_by_name(name, &id)) {
        errno = 0;
        bench_die("%s isn't there", name);
    }
    port = offload_port_add_netdev(odp_port, name, OFFLOAD_PORT_PLAIN, id,
                                   htons(0));
    if (backend->port_open(port, &refusal)) {
        bench_refused(name, &refusal);
    }
    port->backend = backend;
    return port;
}

/* Rules. */

static void
init_rule(struct rules *r)
{
    struct offload_refusal refusal;

    bench_rule_init(&r->rule, r->port);
    r->encoding = xzalloc(sizeof *r->encoding);
    if (rte_encode(&r->rule.rule, 0, 1, r->encoding, &refusal)) {
        bench_refused("the rule", &refusal);
    }
}

/* Through the backend. */

static void
put_one(struct rules *r, uint32_t i)
{
    struct offload_batch *batch = backend->batch_begin();
    struct offload_op op;

    memset(&op, 0, sizeof op);
    bench_rule_set(&r->rule, i);
    backend->rule_put(batch, r->port, &r->rule.rule, &op);
    backend->batch_commit(batch);
    r->errors += op.error != 0;
    r->handles[i] = op.handle;
}

static void
del_one(struct rules *r, uint32_t i)
{
    struct offload_batch *batch = backend->batch_begin();
    struct offload_op op;

    memset(&op, 0, sizeof op);
    op.handle = r->handles[i];
    backend->rule_del(batch, r->port, &op);
    backend->batch_commit(batch);
    r->errors += op.lost;
}

/* Raw. */

static void
raw_put(struct rules *r, uint32_t i)
{
    struct rte_encoding *enc = r->encoding;
    struct rte_flow_error error;

    for (size_t j = 0; enc->items[j].type != RTE_FLOW_ITEM_TYPE_END; j++) {
        if (enc->items[j].type == RTE_FLOW_ITEM_TYPE_IPV4) {
            struct rte_flow_item_ipv4 *ip
                = CONST_CAST(void *, enc->items[j].spec);

            ip->hdr.dst_addr = htonl(BENCH_FIRST_DST + i);
        }
    }
    r->flows[i] = rte_flow_create(enc->owner, &enc->attr, enc->items,
                                  enc->actions, &error);
    r->errors += !r->flows[i];
}

static void
raw_del(struct rules *r, uint32_t i)
{
    struct rte_flow_error error;

    r->errors += !!rte_flow_destroy(r->encoding->owner, r->flows[i], &error);
}

static size_t
raw_dump(struct rules *r)
{
    static const struct rte_flow_action count[] = {
        { .type = RTE_FLOW_ACTION_TYPE_COUNT },
        { .type = RTE_FLOW_ACTION_TYPE_END },
    };
    size_t n = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        struct rte_flow_query_count query = { .reset = 0 };
        struct rte_flow_error error;

        n += !rte_flow_query(r->encoding->owner, r->flows[i], count, &query,
                             &error);
    }
    return n;
}

static double
for_each_rule(struct rules *r, void (*one)(struct rules *, uint32_t))
{
    uint64_t start = bench_now_us();

    for (uint32_t i = 0; i < r->n; i++) {
        one(r, i);
    }
    return (bench_now_us() - start) / 1e6;
}

static void
measure(struct rules *r, bool raw)
{
    uint64_t memory, start;
    double add, dumped, del;
    size_t n;

    /* Whoever has rules has to know them. */
    memory = resident();
    r->handles = raw ? NULL : xcalloc(r->n, sizeof *r->handles);
    r->flows = raw ? xcalloc(r->n, sizeof *r->flows) : NULL;
    add = for_each_rule(r, raw ? raw_put : put_one);
    memory = resident() - memory;
    start = bench_now_us();
    n = raw ? raw_dump(r) : bench_dump(backend, r->port);
    dumped = (bench_now_us() - start) / 1e6;
    del = for_each_rule(r, raw ? raw_del : del_one);
    printf("{\"flows\": %"PRIu32", \"add_seconds\": %.6f, "
           "\"dump_seconds\": %.6f, \"dumped\": %"PRIuSIZE", "
           "\"del_seconds\": %.6f, \"errors\": %"PRIu64", "
           "\"memory\": %"PRIu64"}\n",
           r->n, add, dumped, n, del, r->errors, memory);
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "driver", required_argument, NULL, 'd' },
        { "flows", required_argument, NULL, 'n' },
        { "raw", no_argument, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    static struct rules r;
    const char *driver = NULL;
    bool raw = false;
    int c;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd': driver = optarg; break;
        case 'n': r.n = bench_number("--flows", optarg, 1, 1 << 23); break;
        case 'r': raw = true; break;
        default: exit(2);
        }
    }
    if (!driver || !r.n) {
        errno = 0;
        bench_die("--driver FILE and --flows N are needed");
    }
    start_eal(argv[0], driver);
    r.port = add_port(BENCH_IN_PORT, "net_eswim0_representor_vf0");
    add_port(BENCH_OUT_PORT, "net_eswim0_representor_vf1");
    init_rule(&r);
    measure(&r, raw);
    rte_eal_cleanup();
    return 0;
}
