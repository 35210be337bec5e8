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

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "tests/bench/bench-lib.h"
#include "util.h"

#define MAX_BATCH 64
#define IN_PORT u32_to_odp(1)
#define OUT_PORT u32_to_odp(2)

struct rules {
    struct offload_port *port;
    uint32_t n;
    uint32_t batch;
    struct offload_rule rule;   /* The one in preparation. */
    struct flow packet;
    union offload_handle *handles;
    uint64_t errors;
};

static const struct offload_backend *backend = &offload_backend_tc;

static void OVS_NO_RETURN
die_refused(const char *what, const struct offload_refusal *refusal)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    offload_refusal_format(refusal, &s);
    errno = 0;
    bench_die("%s is refused: %s", what, ds_cstr(&s));
}

/* The megaflow of the benchmark's flows, whichever. */
static void
init_match(struct match *match)
{
    struct bench_packet packet;
    struct eth_addr dst, src;

    bench_packet_init(&packet, 0);
    memcpy(&dst, packet.eth.h_dest, sizeof dst);
    memcpy(&src, packet.eth.h_source, sizeof src);
    match_init_catchall(match);
    match_set_recirc_id(match, 0);
    match_set_in_port(match, OFPP_NONE);
    match->flow.in_port.odp_port = IN_PORT;
    match_set_dl_type(match, htons(ETH_P_IP));
    match_set_dl_dst(match, dst);
    match_set_dl_src(match, src);
    match_set_nw_dst(match, htonl(BENCH_FIRST_DST));
    match_set_nw_frag(match, 0);
}

static void
init_rule(struct rules *r)
{
    static const ovs_u128 ufid = { .u32 = { 0, 1, 2, 3 } };
    static struct ofpbuf actions;
    struct offload_context context = { .recirc_shared = true };
    struct offload_refusal refusal;
    struct match match;

    init_match(&match);
    ofpbuf_init(&actions, 64);
    nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT, OUT_PORT);
    if (offload_rule_parse(&r->rule, &ufid, r->port, &match, actions.data,
                           actions.size, &context, &refusal)) {
        die_refused("the rule", &refusal);
    }
    r->packet = r->rule.match.flow;
    r->rule.packet = &r->packet;
}

static void
put_one(struct rules *r, struct offload_batch *batch, uint32_t flow,
        struct offload_op *op)
{
    r->rule.match.flow.nw_dst = htonl(BENCH_FIRST_DST + flow);
    r->packet.nw_dst = r->rule.match.flow.nw_dst;
    r->rule.ufid.u32[0] = flow;
    memset(&op->handle, 0, sizeof op->handle);
    backend->rule_put(batch, r->port, &r->rule, op);
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

/* Returns how many rules it found, stores the seconds. */
static size_t
dump(struct rules *r, double *seconds)
{
    uint64_t start = bench_now_us();
    struct offload_reading readings[50];
    struct offload_dump *state;
    struct ofpbuf buf;
    size_t n = 0;
    size_t found;
    bool complete;

    ofpbuf_init(&buf, 65536);
    if (backend->dump_start(r->port, &state)) {
        bench_die("dump");
    }
    while ((found = backend->dump_next(state, &buf, readings,
                                       ARRAY_SIZE(readings))) > 0) {
        n += found;
    }
    backend->dump_done(state, &complete);
    ofpbuf_uninit(&buf);
    *seconds = (bench_now_us() - start) / 1e6;
    return n;
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
    size_t n;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    parse_options(argc, argv, &r, &device, &to);
    r.handles = xcalloc(r.n, sizeof *r.handles);
    r.port = add_port(IN_PORT, device);
    add_port(OUT_PORT, to);
    if (backend->port_open(r.port, &refusal)) {
        die_refused(device, &refusal);
    }
    r.port->backend = backend;
    init_rule(&r);

    add = for_each_rule(&r, put_one);
    n = dump(&r, &dumped);
    del = for_each_rule(&r, del_one);
    printf("{\"flows\": %"PRIu32", \"batch\": %"PRIu32", "
           "\"add_seconds\": %.6f, \"dump_seconds\": %.6f, "
           "\"dumped\": %"PRIuSIZE", \"del_seconds\": %.6f, "
           "\"errors\": %"PRIu64"}\n",
           r.n, r.batch, add, dumped, n, del, r.errors);
    backend->port_close(r.port);
    return 0;
}
