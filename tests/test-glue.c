/* SPDX-License-Identifier: Apache-2.0 */

/* The adapters between Open vSwitch and the engine, without an engine and
 * without a kernel: Open vSwitch's own functions are called, dummy netdevs are
 * the ports, and what arrives at the engine is printed.
 *
 * usage: test-glue COMMAND...
 *
 * A COMMAND is one argument, words separated by blanks; see 'commands' at the
 * end.  Each is printed, then the calls of the engine that it leads to, then
 * what it returned to Open vSwitch. */

#include <config.h>
#undef NDEBUG

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpif-provider.h"
#include "dummy.h"
#include "netdev-offload-provider.h"
#include "netdev-provider.h"
#include "odp-netlink.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "smap.h"
#include "util.h"

#include "ofproto-offload/engine-private.h"
#include "ofproto-offload/engine.h"
#include "ofproto-offload/flow-api.h"
#include "offload-field.h"
#include "tc/tc-caps.h"
#include "tc/tc-port.h"

/* The engine. */

static int next_error;          /* What the next call of the engine returns. */
static bool next_removed;       /* A failing put has removed the old rule. */

static int
result(void)
{
    int error = next_error;

    next_error = 0;
    return error;
}

void
engine_init(void)
{
}

void
engine_run(void)
{
}

void
engine_set_config(const struct engine_config *config)
{
    printf("  engine: at most %"PRIu32" flows\n", config->max_flows);
}

int
engine_port_add(odp_port_t odp_port, const char *name,
                enum offload_port_kind kind, int ifindex, uint32_t block_id)
{
    int error = result();

    printf("  engine: port %"PRIu32" is %s, ifindex %d\n",
           odp_to_u32(odp_port), name, ifindex);
    if (!error) {
        offload_port_add(odp_port, name, kind, ifindex, block_id);
    }
    return error;
}

int
engine_port_open(int ifindex, struct offload_refusal *refusal)
{
    int error = result();

    printf("  engine: open ifindex %d\n", ifindex);
    if (error) {
        offload_refuse(refusal, OFFLOAD_REFUSED_DEVICE, "qdisc", NULL, "%s",
                       ovs_strerror(error));
    }
    return error;
}

void
engine_port_remove(odp_port_t odp_port)
{
    struct offload_port *port = offload_port_lookup(odp_port);

    printf("  engine: remove port %"PRIu32"\n", odp_to_u32(odp_port));
    if (port) {
        offload_port_remove(port);
    }
}

/* The userspace datapath's ports: only a build with DPDK asks for them. */

int
engine_port_add_netdev(odp_port_t odp_port OVS_UNUSED,
                       const char *name OVS_UNUSED,
                       enum offload_port_kind kind OVS_UNUSED,
                       uint16_t dpdk_id OVS_UNUSED,
                       ovs_be16 tp_dst OVS_UNUSED)
{
    return 0;
}

int
engine_port_open_netdev(odp_port_t odp_port OVS_UNUSED,
                        struct offload_refusal *refusal OVS_UNUSED)
{
    return EOPNOTSUPP;
}

void
engine_port_remove_netdev(odp_port_t odp_port OVS_UNUSED)
{
}

void
engine_refresh(void)
{
}

void
engine_operate(struct engine_op *ops[], size_t n)
{
    assert(n == 1);
    printf("  engine: %s %"PRIx64"\n",
           ops[0]->type == ENGINE_PUT ? "put" : "del", ops[0]->ufid->u64.lo);
    ops[0]->error = result();
    ops[0]->removed = next_removed;
    if (ops[0]->error) {
        offload_refuse(&ops[0]->refusal, OFFLOAD_REFUSED_DEVICE, "rule", NULL,
                       "%s", ovs_strerror(ops[0]->error));
    } else if (ops[0]->stats) {
        memset(ops[0]->stats, 0, sizeof *ops[0]->stats);
    }
}

void
engine_carry(const ovs_u128 *ufid, const struct dpif_flow_stats *stats)
{
    printf("  engine: carry %"PRIu64" packets of %"PRIx64"\n",
           stats->n_packets, ufid->u64.lo);
}

static const struct nlattr drop = { .nla_len = NLA_HDRLEN,
                                    .nla_type = OVS_FLOW_ATTR_ACTIONS };

static void
fill_flow(struct engine_flow *flow)
{
    flow->ufid = OVS_U128_ZERO;
    flow->ufid.u64.lo = 0xabc;
    flow->in_port = u32_to_odp(1);
    flow->stats = (struct dpif_flow_stats) { .n_packets = 5, .n_bytes = 300 };
    flow->attrs = (struct dpif_flow_attrs) { .offloaded = true,
                                             .dp_layer = "tc" };
    flow->actions = flow->match ? &drop : NULL;
    if (flow->match) {
        match_init_catchall(flow->match);
    }
}

int
engine_get(const ovs_u128 *ufid, struct engine_flow *flow)
{
    printf("  engine: get %"PRIx64"\n", ufid->u64.lo);
    fill_flow(flow);
    return result();
}

struct engine_dump {
    bool done;
};

int
engine_dump_start(struct offload_port *port, bool terse OVS_UNUSED,
                  struct engine_dump **dumpp)
{
    printf("  engine: dump of %s begins\n", port->name);
    *dumpp = xzalloc(sizeof **dumpp);
    return result();
}

bool
engine_dump_next(struct engine_dump *dump, struct ofpbuf *buf,
                 struct engine_flow *flow)
{
    ofpbuf_put(buf, "read", 4);
    if (dump->done) {
        return false;
    }
    printf("  engine: next flow, match %s\n",
           flow->match ? "wanted" : "not wanted");
    dump->done = true;
    fill_flow(flow);
    return true;
}

int
engine_dump_done(struct engine_dump *dump)
{
    printf("  engine: dump ends\n");
    free(dump);
    return result();
}

int
engine_flush(struct offload_port *port)
{
    printf("  engine: flush %s\n", port->name);
    return result();
}

uint64_t
engine_n_flows(const struct offload_port *port)
{
    return odp_to_u32(port->odp_port) * 100;
}

int
engine_meter_set(uint32_t id, const struct ofputil_meter_config *config)
{
    printf("  engine: meter %"PRIu32" rate %"PRIu32"\n", id,
           config->bands[0].rate);
    return result();
}

int
engine_meter_get(uint32_t id, struct ofputil_meter_stats *stats)
{
    printf("  engine: counters of meter %"PRIu32"\n", id);
    stats->packet_in_count += 7;
    return result();
}

int
engine_meter_del(uint32_t id, struct ofputil_meter_stats *stats OVS_UNUSED)
{
    printf("  engine: delete meter %"PRIu32"\n", id);
    return result();
}

int
engine_remove_rule(struct offload_flow *flow OVS_UNUSED,
                   enum offload_flow_state state OVS_UNUSED)
{
    OVS_NOT_REACHED();
}

void
engine_set_ct_limited_zones(const unsigned long *limited OVS_UNUSED)
{
}

/* TC. */

int
tc_flush(const struct tcmsg *tcm, tc_filter_predicate *is_ours OVS_UNUSED,
         struct tc_flushed *flushed)
{
    if (tcm->tcm_parent == TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) {
        printf("  tc: clean ifindex %d\n", tcm->tcm_ifindex);
    }
    flushed->n_ours = flushed->n_foreign = 0;
    return 0;
}

/* Datapaths that do nothing. */

static int
fake_meter_set(struct dpif *dpif OVS_UNUSED, ofproto_meter_id id OVS_UNUSED,
               struct ofputil_meter_config *config)
{
    return config->bands[0].rate == 666 ? ENOMEM : 0;
}

static int
fake_meter_del(struct dpif *dpif OVS_UNUSED, ofproto_meter_id id OVS_UNUSED,
               struct ofputil_meter_stats *stats OVS_UNUSED,
               uint16_t n_bands OVS_UNUSED)
{
    return 0;
}

static const struct dpif_class fake_class[] = {
    { .type = "system", .meter_set = fake_meter_set,
      .meter_del = fake_meter_del },
    { .type = "netdev", .meter_set = fake_meter_set,
      .meter_del = fake_meter_del },
};

static void
fake_dpif_init(struct dpif *dpif, const char *type)
{
    dpif_init(dpif, &fake_class[strcmp(type, "system") ? 1 : 0], "dp", 0, 0);
}

/* Commands. */

static struct shash netdevs = SHASH_INITIALIZER(&netdevs);

static struct netdev *
find_netdev(const char *name)
{
    struct netdev *netdev = shash_find_data(&netdevs, name);

    assert(netdev);
    return netdev;
}

static const char *
dpif_type_of(const char *name)
{
    return !strcmp(name, "system") ? "system" : "netdev";
}

static int
cmd_open(char *argv[])
{
    struct smap args = SMAP_INITIALIZER(&args);
    struct netdev *netdev;
    int error = netdev_open(argv[1], "dummy", &netdev);

    assert(!error);
    smap_add(&args, "ifindex", argv[3]);
    netdev_set_config(netdev, &args, NULL);
    smap_destroy(&args);
    netdev_set_dpif_type(netdev, dpif_type_of(argv[2]));
    shash_add_once(&netdevs, argv[1], netdev);
    return 0;
}

static int
cmd_move(char *argv[])
{
    netdev_set_dpif_type(find_netdev(argv[1]), dpif_type_of(argv[2]));
    return 0;
}

static int
cmd_close(char *argv[])
{
    netdev_close(shash_find_and_delete(&netdevs, argv[1]));
    return 0;
}

static int
cmd_insert(char *argv[])
{
    struct netdev *netdev = find_netdev(argv[1]);
    struct dpif_port port = {
        .name = argv[1],
        .type = CONST_CAST(char *, netdev_get_type(netdev)),
        .port_no = u32_to_odp(atoi(argv[2])),
    };

    return netdev_ports_insert(netdev, &port);
}

static int
cmd_remove(char *argv[])
{
    return netdev_ports_remove(u32_to_odp(atoi(argv[1])),
                               dpif_type_of(argv[2]));
}

/* config [KEY=VALUE]... */
static int
cmd_config(char *argv[])
{
    struct smap smap = SMAP_INITIALIZER(&smap);

    for (int i = 1; argv[i]; i++) {
        char *value = strchr(argv[i], '=');

        *value++ = '\0';
        smap_add(&smap, argv[i], value);
    }
    netdev_set_flow_api_enabled(&smap);
    smap_destroy(&smap);
    printf("  tc-policy %d, rebalance %s\n", tc_offload_mode,
           netdev_is_offload_rebalance_policy_enabled() ? "on" : "off");
    return 0;
}

static int
cmd_strict(char *argv[] OVS_UNUSED)
{
    printf("  tunnel flags are %s\n",
           offload_strict_tunnel_flags ? "strict" : "not strict");
    return 0;
}

/* fail ERROR [removed]: the next call of the engine. */
static int
cmd_fail(char *argv[])
{
    next_error = atoi(argv[1]);
    next_removed = argv[2] != NULL;
    return 0;
}

static ovs_u128
ufid_from(const char *s)
{
    ovs_u128 ufid = OVS_U128_ZERO;

    ufid.u64.lo = strtoull(s, NULL, 16);
    return ufid;
}

static int
cmd_put(char *argv[])
{
    struct offload_info info = { .recirc_id_shared_with_tc = true };
    struct nlattr actions = { .nla_len = NLA_HDRLEN };
    ovs_u128 ufid = ufid_from(argv[2]);
    struct dpif_flow_stats stats;
    struct match match;
    int error;

    match_init_catchall(&match);
    error = netdev_flow_put(find_netdev(argv[1]), &match, &actions, 0, &ufid,
                            &info, &stats);
    if (error && info.tc_modify_flow_deleted) {
        printf("  the old flow has gone\n");
    }
    next_removed = false;
    return error;
}

static int
cmd_del(char *argv[])
{
    ovs_u128 ufid = ufid_from(argv[2]);

    return netdev_flow_del(find_netdev(argv[1]), &ufid, NULL);
}

static void
print_flow(const ovs_u128 *ufid, const struct nlattr *actions,
           const struct dpif_flow_stats *stats,
           const struct dpif_flow_attrs *attrs)
{
    printf("  flow %"PRIx64", %"PRIu64" packets, layer %s%s\n",
           ufid->u64.lo, stats->n_packets, attrs->dp_layer,
           actions ? ", with actions" : "");
}

static int
cmd_get(char *argv[])
{
    ovs_u128 ufid = ufid_from(argv[2]);
    uint64_t stub[16 / 8];
    struct dpif_flow_attrs attrs;
    struct dpif_flow_stats stats;
    struct nlattr *actions;
    struct match match;
    struct ofpbuf buf;
    int error;

    ofpbuf_use_stack(&buf, stub, sizeof stub);
    error = netdev_flow_get(find_netdev(argv[1]), &match, &actions, &ufid,
                            &stats, &attrs, &buf);
    if (!error) {
        print_flow(&ufid, actions, &stats, &attrs);
    }
    return error;
}

static void
dump_one(struct netdev_flow_dump *dump)
{
    struct ofpbuf rbuffer, wbuffer;
    uint64_t stub[16 / 8];
    struct dpif_flow_attrs attrs;
    struct dpif_flow_stats stats;
    struct nlattr *actions;
    struct match match;
    ovs_u128 ufid;

    ofpbuf_init(&rbuffer, 4096);
    ofpbuf_use_stack(&wbuffer, stub, sizeof stub);
    while (netdev_flow_dump_next(dump, &match, &actions, &stats, &attrs, &ufid,
                                 &rbuffer, &wbuffer)) {
        print_flow(&ufid, actions, &stats, &attrs);
    }
    printf("  %"PRIu32" bytes are left in the buffer\n", rbuffer.size);
    ofpbuf_uninit(&rbuffer);
    netdev_flow_dump_destroy(dump);
}

/* dump terse|full: of all ports of the kernel datapath. */
static int
cmd_dump(char *argv[])
{
    struct netdev_flow_dump **dumps;
    int n;

    dumps = netdev_ports_flow_dump_create("system", &n,
                                          !strcmp(argv[1], "terse"));
    for (int i = 0; i < n; i++) {
        dump_one(dumps[i]);
    }
    free(dumps);
    return 0;
}

static int
cmd_flush(char *argv[] OVS_UNUSED)
{
    netdev_ports_flow_flush("system");
    return 0;
}

static int
cmd_n_flows(char *argv[])
{
    uint64_t n = 0;
    int error = netdev_ports_get_n_flows("system", u32_to_odp(atoi(argv[1])),
                                         &n);

    printf("  %"PRIu64" flows\n", n);
    return error;
}

/* meter-set DPIF-TYPE ID RATE */
static int
cmd_meter_set(char *argv[])
{
    struct ofputil_meter_band band = { .type = OFPMBT13_DROP,
                                       .rate = atoi(argv[3]) };
    struct ofputil_meter_config config = { .flags = OFPMF13_KBPS,
                                           .n_bands = 1, .bands = &band };
    ofproto_meter_id id = { atoi(argv[2]) };
    struct dpif dpif;
    int error;

    fake_dpif_init(&dpif, argv[1]);
    error = dpif_meter_set(&dpif, id, &config);
    dpif_uninit(&dpif, false);
    return error;
}

static int
cmd_meter_del(char *argv[])
{
    ofproto_meter_id id = { atoi(argv[2]) };
    struct dpif dpif;
    int error;

    fake_dpif_init(&dpif, argv[1]);
    error = dpif_meter_del(&dpif, id, NULL, 0);
    dpif_uninit(&dpif, false);
    return error;
}

static int
cmd_meter_get(char *argv[])
{
    struct ofputil_meter_stats stats = { .packet_in_count = 3 };
    ofproto_meter_id id = { atoi(argv[1]) };
    int error = meter_offload_get(id, &stats);

    printf("  %"PRIu64" packets\n", stats.packet_in_count);
    return error;
}

static const struct {
    const char *name;
    int (*run)(char *argv[]);
} commands[] = {
    { "open", cmd_open },       /* open NETDEV DPIF-TYPE IFINDEX */
    { "move", cmd_move },       /* move NETDEV DPIF-TYPE */
    { "close", cmd_close },     /* close NETDEV */
    { "insert", cmd_insert },   /* insert NETDEV PORT */
    { "remove", cmd_remove },   /* remove PORT DPIF-TYPE */
    { "config", cmd_config },
    { "strict", cmd_strict },
    { "fail", cmd_fail },
    { "put", cmd_put },         /* put NETDEV UFID */
    { "del", cmd_del },         /* del NETDEV UFID */
    { "get", cmd_get },         /* get NETDEV UFID */
    { "dump", cmd_dump },
    { "flush", cmd_flush },
    { "n-flows", cmd_n_flows }, /* n-flows PORT */
    { "meter-set", cmd_meter_set },
    { "meter-del", cmd_meter_del },
    { "meter-get", cmd_meter_get },
};

static void
run(const char *line)
{
    char *argv[16], *save = NULL, *copy = xstrdup(line);
    size_t n = 0;

    for (char *word = strtok_r(copy, " ", &save); word && n < 15;
         word = strtok_r(NULL, " ", &save)) {
        argv[n++] = word;
    }
    argv[n] = NULL;

    printf("%s\n", line);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(argv[0], commands[i].name)) {
            int error = commands[i].run(argv);

            if (error) {
                printf("  -> %s\n", ovs_strerror(error));
            }
            free(copy);
            return;
        }
    }
    ovs_fatal(0, "no such command: %s", line);
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    dummy_enable(NULL);
    flow_api_register();
    /* It would take the dummy netdevs. */
    netdev_unregister_flow_api_provider("dummy");

    for (int i = 1; i < argc; i++) {
        run(argv[i]);
    }
    return 0;
}
