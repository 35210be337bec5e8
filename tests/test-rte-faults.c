/* SPDX-License-Identifier: Apache-2.0 */

/* The rte_flow backend under the engine, with a device that is made up here in
 * the place of DPDK's functions, and fails, stops and forgets when it is told
 * to: run by tests/rte.at.
 *
 * Whatever happens, afterwards each flow that the engine says is offloaded has
 * one rule in the device, the one that it was put with last; there is no other
 * rule; and its counters have only grown.  The device ends the program if it
 * is asked for a rule that it hasn't got (any more). */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>

#include "dpif.h"
#include "flow-marks.h"
#include "flow-table.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-port.h"
#include "ofproto-offload/engine.h"
#include "ofproto-offload/engine-info.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "rte/rte-rules.h"
#include "timeval.h"
#include "util.h"

#define OWNER 0                 /* DPDK's number of the only device. */
#define STRANGER 9              /* Of one that Open vSwitch hasn't got. */
#define IN_PORT u32_to_odp(1)
#define N_FLOWS 10

/* The device. */

struct rte_flow {
    struct rte_flow *next;      /* Ever made, never freed: so a handle that is
                                 * used too late is noticed. */
    bool live;
    uint32_t dst;               /* The flow's number. */
    uint32_t out;               /* DPDK port; UINT32_MAX: drop. */
    uint32_t priority;
    uint64_t packets;
};

static struct ovs_mutex mock_mutex = OVS_MUTEX_INITIALIZER;
static struct rte_flow *flows;

/* Faults: the n-th call from now fails with that error. */
struct fault {
    unsigned int nth;           /* 0: none. */
    bool all_after;
    int error;
};
static struct fault create_fault, destroy_fault, query_fault;
static unsigned int n_creates;

/* Through which port are rules made? */
static uint16_t proxy_port = OWNER;

static bool
fails(struct fault *fault)
{
    if (fault->nth && --fault->nth == 0) {
        fault->nth = fault->all_after;
        rte_errno = fault->error;
        return true;
    }
    return false;
}

int
rte_flow_pick_transfer_proxy(uint16_t port_id OVS_UNUSED, uint16_t *proxy,
                             struct rte_flow_error *error OVS_UNUSED)
{
    *proxy = proxy_port;
    return 0;
}

int
rte_eth_dev_get_name_by_port(uint16_t port_id, char *name)
{
    snprintf(name, RTE_ETH_NAME_MAX_LEN, "nic%"PRIu16, port_id);
    return 0;
}

int
rte_flow_validate(uint16_t port_id OVS_UNUSED,
                  const struct rte_flow_attr *attr OVS_UNUSED,
                  const struct rte_flow_item items[] OVS_UNUSED,
                  const struct rte_flow_action actions[] OVS_UNUSED,
                  struct rte_flow_error *error OVS_UNUSED)
{
    return 0;
}

int
rte_eth_dev_info_get(uint16_t port_id OVS_UNUSED,
                     struct rte_eth_dev_info *info)
{
    memset(info, 0, sizeof *info);
    return 0;
}

int
rte_eth_dev_callback_register(uint16_t port_id OVS_UNUSED,
                              enum rte_eth_event_type event OVS_UNUSED,
                              rte_eth_dev_cb_fn cb OVS_UNUSED,
                              void *aux OVS_UNUSED)
{
    return 0;
}

struct rte_flow *
rte_flow_create(uint16_t port_id, const struct rte_flow_attr *attr,
                const struct rte_flow_item items[],
                const struct rte_flow_action actions[],
                struct rte_flow_error *error)
{
    struct rte_flow *flow;

    assert(port_id == OWNER && attr->transfer);
    ovs_mutex_lock(&mock_mutex);
    n_creates++;
    if (fails(&create_fault)) {
        error->message = "told to fail";
        ovs_mutex_unlock(&mock_mutex);
        return NULL;
    }
    flow = xzalloc(sizeof *flow);
    flow->live = true;
    flow->priority = attr->priority;
    flow->out = UINT32_MAX;
    for (; items->type != RTE_FLOW_ITEM_TYPE_END; items++) {
        if (items->type == RTE_FLOW_ITEM_TYPE_IPV4) {
            const struct rte_flow_item_ipv4 *ip = items->spec;

            flow->dst = ntohl(ip->hdr.dst_addr);
        }
    }
    for (; actions->type != RTE_FLOW_ACTION_TYPE_END; actions++) {
        if (actions->type == RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT) {
            const struct rte_flow_action_ethdev *ethdev = actions->conf;

            flow->out = ethdev->port_id;
        }
    }
    /* As real devices do. */
    for (struct rte_flow *f = flows; f; f = f->next) {
        assert(!f->live || f->dst != flow->dst
               || f->priority != flow->priority);
    }
    flow->next = flows;
    flows = flow;
    ovs_mutex_unlock(&mock_mutex);
    return flow;
}

int
rte_flow_destroy(uint16_t port_id, struct rte_flow *flow,
                 struct rte_flow_error *error)
{
    int retval = 0;

    assert(port_id == OWNER);
    ovs_mutex_lock(&mock_mutex);
    assert(flow->live);
    if (fails(&destroy_fault)) {
        error->message = "told to fail";
        retval = -rte_errno;
    } else {
        flow->live = false;
    }
    ovs_mutex_unlock(&mock_mutex);
    return retval;
}

int
rte_flow_query(uint16_t port_id, struct rte_flow *flow,
               const struct rte_flow_action *action, void *data,
               struct rte_flow_error *error)
{
    struct rte_flow_query_count *count = data;
    int retval = 0;

    assert(port_id == OWNER && action->type == RTE_FLOW_ACTION_TYPE_COUNT);
    ovs_mutex_lock(&mock_mutex);
    assert(flow->live);
    if (fails(&query_fault)) {
        error->message = "told to fail";
        retval = -rte_errno;
    } else {
        count->hits_set = count->bytes_set = 1;
        count->hits = flow->packets;
        count->bytes = flow->packets * 100;
    }
    ovs_mutex_unlock(&mock_mutex);
    return retval;
}

/* All rules are gone, as after a reset. */
static void
forget_all(void)
{
    ovs_mutex_lock(&mock_mutex);
    for (struct rte_flow *f = flows; f; f = f->next) {
        f->live = false;
    }
    ovs_mutex_unlock(&mock_mutex);
}

/* The rule of flow 'dst', of which there must not be two. */
static struct rte_flow *
find_rule(uint32_t dst)
{
    struct rte_flow *found = NULL;

    for (struct rte_flow *f = flows; f; f = f->next) {
        if (f->live && f->dst == dst) {
            assert(!found);
            found = f;
        }
    }
    return found;
}

static size_t
count_rules(void)
{
    size_t n = 0;

    for (struct rte_flow *f = flows; f; f = f->next) {
        n += f->live;
    }
    return n;
}

/* Flows. */

/* What flow 'i' was put with last, and what its rules have counted. */
static struct expected {
    bool put;
    uint32_t out;               /* Port of the datapath. */
    uint64_t packets;
} expected[N_FLOWS];

/* Why put() failed. */
static struct offload_refusal refused;

static ovs_u128
flow_ufid(uint32_t i)
{
    return (ovs_u128) { .u32 = { 0x1000 + i, 1, 2, i } };
}

/* Flow i has this mark and i more. */
static uint32_t first_mark;

static int
put(uint32_t i, uint32_t out)
{
    uint64_t stub[8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    ovs_u128 ufid = flow_ufid(i);
    struct match match;
    struct engine_op op = { .type = ENGINE_PUT, .ufid = &ufid,
                            .match = &match, .in_port = IN_PORT,
                            .datapath = OFFLOAD_DP_NETDEV,
                            .mark = first_mark + i };
    struct engine_op *ops[] = { &op };

    match_init_catchall(&match);
    match_set_recirc_id(&match, 0);
    match_set_in_port(&match, OFPP_NONE);
    match.flow.in_port.odp_port = IN_PORT;
    match_set_packet_type(&match, htonl(PT_ETH));
    match_set_dl_type(&match, htons(ETH_TYPE_IP));
    match_set_nw_dst(&match, htonl(i));
    match_set_nw_frag(&match, 0);
    nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT, u32_to_odp(out));
    op.actions = actions.data;
    op.actions_len = actions.size;
    engine_operate(ops, 1);
    ofpbuf_uninit(&actions);

    refused = op.refusal;
    expected[i].put = !op.error;
    expected[i].out = out;
    return op.error;
}

static int
del(uint32_t i)
{
    ovs_u128 ufid = flow_ufid(i);
    struct engine_op op = { .type = ENGINE_DEL, .ufid = &ufid,
                            .datapath = OFFLOAD_DP_NETDEV };
    struct engine_op *ops[] = { &op };

    engine_operate(ops, 1);
    memset(&expected[i], 0, sizeof expected[i]);
    return op.error;
}

static void
put_all(uint32_t out)
{
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        assert(!put(i, out));
    }
}

/* Each rule forwards 'n' packets; software does where there is no rule. */
static void
traffic(uint64_t n)
{
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        struct rte_flow *rule = find_rule(i);

        if (rule) {
            rule->packets += n;
            expected[i].packets += n;
        }
    }
}

/* Does what the engine says agree with what the device has? */
static void
check(void)
{
    size_t n = 0;

    for (uint32_t i = 0; i < N_FLOWS; i++) {
        struct engine_flow flow = { .match = NULL };
        ovs_u128 ufid = flow_ufid(i);
        struct rte_flow *rule = find_rule(i);
        bool offloaded = !engine_get(&ufid, &flow) && flow.attrs.offloaded;

        assert(offloaded == expected[i].put);
        assert(!rule == !offloaded);
        if (rule) {
            /* The device's port is the datapath's, less 1. */
            assert(rule->out == expected[i].out - 1);
            n++;
        }
    }
    assert(count_rules() == n);
}

/* The same, and the counters are all there. */
static void
check_counters(void)
{
    check();
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        struct engine_flow flow = { .match = NULL };
        ovs_u128 ufid = flow_ufid(i);

        if (!engine_get(&ufid, &flow)) {
            assert(flow.stats.n_packets == expected[i].packets);
            assert(flow.stats.n_bytes == expected[i].packets * 100);
        }
    }
}

static void
set_up(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;

    for (uint32_t i = 1; i <= 3; i++) {
        char name[16];

        snprintf(name, sizeof name, "port%"PRIu32, i);
        engine_port_add_netdev(u32_to_odp(i), name, OFFLOAD_PORT_PLAIN, i - 1,
                               htons(0));
        assert(!engine_port_open_netdev(u32_to_odp(i), &refusal));
    }
    rte_device_started(OWNER);
}

/* What a thread of the daemon does now and then. */
static void
refresh(void)
{
    engine_refresh();
    rte_devices_tidy();
}

/* Tests. */

static void
test_create(void)
{
    static const int errors[] = { EIO, ENOSPC, EEXIST, ENOTSUP, ENOMEM };

    for (unsigned int nth = 1; nth <= N_FLOWS; nth++) {
        create_fault = (struct fault) {
            .nth = nth, .error = errors[nth % ARRAY_SIZE(errors)] };
        for (uint32_t i = 0; i < N_FLOWS; i++) {
            assert(!put(i, 2) == (i + 1 != nth));
        }
        check();
        assert(!put(nth - 1, 2));       /* The device is well again. */
        traffic(3);
        refresh();
        check_counters();
        for (uint32_t i = 0; i < N_FLOWS; i++) {
            assert(!del(i));
        }
        check();
    }
}

/* The old rule must not stay when the new one is refused: software does what
 * is new. */
static void
test_replace(void)
{
    put_all(2);
    traffic(5);
    create_fault = (struct fault) { .nth = 1, .error = ENOSPC };
    assert(put(4, 3));
    check();
    assert(!put(4, 3));
    check();
    put_all(3);
    traffic(1);
    refresh();
    check();
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        del(i);
    }
    assert(!count_rules());
}

/* A rule that can't be destroyed is tried again until it is gone. */
static void
test_destroy(void)
{
    put_all(2);
    destroy_fault = (struct fault) { .nth = 1, .all_after = true,
                                     .error = EBUSY };
    for (uint32_t i = 0; i < N_FLOWS / 2; i++) {
        del(i);
    }
    refresh();
    assert(count_rules() == N_FLOWS);
    destroy_fault.nth = 0;
    refresh();
    check();

    /* The same of a rule that was replaced. */
    destroy_fault = (struct fault) { .nth = 1, .error = EBUSY };
    assert(!put(7, 3));
    assert(count_rules() == N_FLOWS / 2 + 1);
    refresh();
    check();

    /* The same of the last rule of all. */
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        destroy_fault = (struct fault) { .nth = i == N_FLOWS - 1,
                                         .error = EBUSY };
        del(i);
    }
    assert(count_rules() == 1);
    refresh();
    check();
    put_all(2);

    /* A device that stops hasn't any rules. */
    destroy_fault = (struct fault) { .nth = 1, .all_after = true,
                                     .error = EIO };
    del(8);
    rte_device_stopping(OWNER);
    forget_all();
    destroy_fault.nth = 0;
    rte_device_started(OWNER);
    refresh();
    check();
}

static void
test_query(void)
{
    put_all(2);
    traffic(10);
    refresh();
    check_counters();
    for (unsigned int nth = 1; nth <= N_FLOWS; nth++) {
        unsigned int creates = n_creates;

        traffic(1);
        query_fault = (struct fault) { .nth = nth, .error = EIO };
        refresh();
        check();
        assert(n_creates == creates);   /* It isn't taken for lost. */
        refresh();
        check_counters();
    }
}

/* Rules are gone with a stop, and come back with their counters. */
static void
test_stop(void)
{
    put_all(2);
    traffic(10);
    rte_device_stopping(OWNER);
    assert(!count_rules());
    refresh();
    assert(!count_rules());
    del(0);
    assert(!put(1, 3) || !expected[1].put);
    rte_device_started(OWNER);
    refresh();
    for (uint32_t i = 2; i < N_FLOWS; i++) {
        assert(find_rule(i));
    }
    traffic(2);
    refresh();
    check();
    for (uint32_t i = 2; i < N_FLOWS; i++) {
        struct engine_flow flow = { .match = NULL };
        ovs_u128 ufid = flow_ufid(i);

        assert(!engine_get(&ufid, &flow) && flow.stats.n_packets == 12);
    }
}

/* What a flow is refused for names the port that isn't started, or whose there
 * is none. */
static void
test_stopped(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;

    assert(!put(0, 2));
    rte_device_stopping(OWNER);
    assert(put(1, 2) && refused.code == OFFLOAD_REFUSED_STOPPED);
    assert(strstr(refused.detail, "port1") && refused.hint);
    assert(engine_check_port(OFFLOAD_DP_NETDEV, IN_PORT, &refusal)
           && refusal.code == OFFLOAD_REFUSED_STOPPED);
    rte_device_started(OWNER);
    assert(!put(1, 2));
    assert(!engine_check_port(OFFLOAD_DP_NETDEV, IN_PORT, &refusal));

    for (uint32_t i = 1; i <= 3; i++) {
        engine_port_remove_netdev(u32_to_odp(i));
    }
    proxy_port = STRANGER;
    set_up();
    assert(put(1, 2) && refused.code == OFFLOAD_REFUSED_STOPPED);
    assert(strstr(refused.detail, "nic9") && strstr(refused.hint, "add-port"));
}

/* Until its counter has been read, a flow may have had packets: its last one
 * isn't longer ago than the last reading. */
static void
test_unread(void)
{
    struct engine_flow flow = { .match = NULL, .sw_used = 1 };
    ovs_u128 ufid = flow_ufid(0);
    long long int used;

    put_all(2);
    traffic(1);
    refresh();
    assert(!engine_get(&ufid, &flow));
    used = flow.stats.used;
    for (int i = 0; i < 3; i++) {
        xnanosleep(5 * 1000 * 1000);
        assert(!engine_get(&ufid, &flow) && flow.stats.used > used);
        used = flow.stats.used;
        assert(used <= time_msec());
    }
    /* Software's packets count as well, and are not in the future. */
    flow.sw_used = time_msec();
    assert(!engine_get(&ufid, &flow) && flow.stats.used >= flow.sw_used);
    assert(flow.stats.used <= time_msec());
    flow.sw_used = 0;

    /* It has had none. */
    xnanosleep(5 * 1000 * 1000);
    refresh();
    assert(!engine_get(&ufid, &flow) && flow.stats.used <= used);
}

/* Asks for flow 'i' with each mark that there is. */
static void
check_marks(uint32_t i, uint64_t n_packets)
{
    ovs_u128 ufid = flow_ufid(i);

    for (uint32_t mark = 0; mark < first_mark + N_FLOWS + 1; mark++) {
        struct engine_flow flow = { .match = NULL, .mark = mark };

        assert(!engine_get(&ufid, &flow));
        assert(flow.stats.n_packets == n_packets);
    }
}

/* Open vSwitch gives the mark of a flow that it has deleted to another one, and
 * may change its mind on a flow's mark. */
static void
test_marks(void)
{
    struct engine_flow flow = { .match = NULL };
    ovs_u128 ufid;

    first_mark = 5000;
    put_all(2);
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        ufid = flow_ufid(i);
        assert(flow_marks_find(first_mark + i) == flow_table_lookup(&ufid));
    }
    traffic(10);
    refresh();
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        check_marks(i, 10);
    }

    /* Flow 2 takes the mark of flow 3, which goes later. */
    ufid = flow_ufid(2);
    first_mark++;
    assert(!put(2, 2));
    assert(flow_marks_find(5003) == flow_table_lookup(&ufid));
    assert(!flow_marks_find(5002));
    del(3);
    assert(flow_marks_find(5003) == flow_table_lookup(&ufid));
    del(4);
    assert(!flow_marks_find(5004));
    check_marks(2, 10);
    check_marks(5, 10);
    ufid = flow_ufid(4);
    for (uint32_t mark = 5002; mark <= 5005; mark++) {
        flow.mark = mark;
        assert(engine_get(&ufid, &flow) == ENOENT);
    }

    /* More than there is place for. */
    first_mark = UINT32_MAX - 4;
    assert(!put(4, 2) && !flow_marks_find(UINT32_MAX));
    flow.mark = UINT32_MAX;
    assert(!engine_get(&ufid, &flow) && !flow.stats.n_packets);
}

/* A reset takes all rules away without a word to them. */
static void
test_reset(void)
{
    put_all(2);
    traffic(10);
    refresh();
    forget_all();
    rte_device_lost(OWNER);
    refresh();
    del(3);
    rte_device_started(OWNER);
    refresh();
    check();
    traffic(1);
    refresh();
    check_counters();

    /* While they come back, one can't. */
    forget_all();
    rte_device_lost(OWNER);
    rte_device_started(OWNER);
    create_fault = (struct fault) { .nth = 4, .error = ENOSPC };
    refresh();
    assert(count_rules() == N_FLOWS - 2);
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        expected[i].put = find_rule(i) != NULL;
    }
    check();
}

static void
test_port(void)
{
    put_all(2);
    engine_port_remove_netdev(IN_PORT);
    assert(!count_rules());
}

static atomic_bool ending = ATOMIC_VAR_INIT(false);

static void *
stop_and_start(void *aux OVS_UNUSED)
{
    bool end;

    for (unsigned int i = 0; ; i++) {
        atomic_read(&ending, &end);
        if (end) {
            return NULL;
        }
        if (i % 2) {
            rte_device_stopping(OWNER);
        } else {
            /* A reset, as its thread says so: rules go with the lock that
             * nobody else can hold. */
            rte_device_stopping(OWNER);
            rte_device_lost(OWNER);
        }
        rte_device_started(OWNER);
        ovsrcu_quiesce();
    }
}

static void *
refresher(void *aux OVS_UNUSED)
{
    bool end;

    do {
        refresh();
        ovsrcu_quiesce();
        atomic_read(&ending, &end);
    } while (!end);
    return NULL;
}

/* The device stops and starts while flows come and go and are read. */
static void
test_threads(void)
{
    pthread_t threads[2] = { ovs_thread_create("stop", stop_and_start, NULL),
                             ovs_thread_create("read", refresher, NULL) };

    for (int round = 0; round < 2000; round++) {
        uint32_t i = round % N_FLOWS;

        if (round % 7) {
            put(i, 2 + round % 2);
        } else {
            del(i);
        }
        ovsrcu_quiesce();
    }
    atomic_store(&ending, true);
    xpthread_join(threads[0], NULL);
    xpthread_join(threads[1], NULL);
    refresh();
    put_all(2);
    check();
    for (uint32_t i = 0; i < N_FLOWS; i++) {
        del(i);
    }
    check();
}

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
    { "create", test_create },
    { "replace", test_replace },
    { "destroy", test_destroy },
    { "query", test_query },
    { "stop", test_stop },
    { "stopped", test_stopped },
    { "unread", test_unread },
    { "marks", test_marks },
    { "reset", test_reset },
    { "port", test_port },
    { "threads", test_threads },
};

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(tests); i++) {
        if (!strcmp(argv[1], tests[i].name)) {
            set_up();
            tests[i].function();
            return 0;
        }
    }
    ovs_fatal(0, "usage: %s TEST", argv[0]);
}
