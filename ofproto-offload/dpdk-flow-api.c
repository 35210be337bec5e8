/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "dpdk-offload.h"
#include "dpif-netdev-private-flow.h"
#include "engine.h"
#include "hash.h"
#include "netdev-offload-provider.h"
#include "netdev-provider.h"
#include "offload-port.h"
#include "openvswitch/match.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "wrap.h"

/* Open vSwitch's threads that offload call flow_put() and flow_del(), and
 * revalidators flow_get(), with the datapath's port lock held for reading, so
 * nothing here asks Open vSwitch about ports.
 *
 * The ufid that comes is the "mega_ufid": a hash of what the flow matches,
 * which the copies of it that several PMD threads have share.  It isn't the
 * one that dpctl/dump-flows shows, see dpdk_flow_asked(). */

OFFLOAD_WRAP(netdev_register_flow_api_provider);

/* True once there may be rules that mark packets.  The userspace datapath
 * gives a deleted flow's mark to the next one: then the rule must be gone. */
static atomic_bool any_marks = ATOMIC_VAR_INIT(false);

/* The ufid that this thread was asked about last. */
struct asked {
    ovs_u128 ufid;
    bool any;                   /* Since dpdk_flow_asked(). */
};
DEFINE_STATIC_PER_THREAD_DATA(struct asked, last_asked, { .any = false });

bool
dpdk_flow_asked(ovs_u128 *ufid)
{
    struct asked *asked = last_asked_get();
    bool any = asked->any;

    *ufid = asked->ufid;
    asked->any = false;
    return any;
}

static int
dpdk_flow_put(struct netdev *netdev, struct match *match,
              struct nlattr *actions, size_t actions_len,
              const ovs_u128 *ufid, struct offload_info *info,
              struct dpif_flow_stats *stats)
{
    struct offload_port *port
        = offload_port_lookup_in(OFFLOAD_DP_NETDEV,
                                 match->flow.in_port.odp_port);

    if (!dpdk_serves(netdev) || !port || !port->backend) {
        return EOPNOTSUPP;
    }
    if (port->match_only) {
        atomic_store(&any_marks, true);
    }
    dpdk_queue_put(port, ufid, match, actions, actions_len, info->flow_mark);
    if (stats) {
        memset(stats, 0, sizeof *stats);
    }
    return 0;
}

static int
dpdk_flow_del(struct netdev *netdev, const ovs_u128 *ufid,
              struct dpif_flow_stats *stats)
{
    bool wait;

    if (!dpdk_serves(netdev)) {
        return EOPNOTSUPP;
    }
    if (stats) {
        struct engine_flow flow = { .match = NULL };

        memset(stats, 0, sizeof *stats);
        if (!engine_get(ufid, &flow)) {
            *stats = flow.stats;
        }
    }
    atomic_read(&any_marks, &wait);
    dpdk_queue_del(ufid, wait);
    return 0;
}

/* A number for a thread's copy of a flow, not 0.  Its address alone doesn't
 * tell copies apart: another thread's may get the memory of one that has been
 * freed. */
static uint64_t
copy_id(const struct dp_netdev_flow *copy)
{
    struct {
        ovs_u128 ufid;
        uint64_t address;
        uint64_t pmd_id;
    } key = { copy->ufid, (uintptr_t) copy, copy->pmd_id };
    ovs_u128 hash;

    hash_bytes128(&key, sizeof key, 0, &hash);
    return hash.u64.lo | 1;
}

static long long int
copy_used(const struct dp_netdev_flow *copy)
{
    long long int used;

    atomic_read_relaxed(&CONST_CAST(struct dp_netdev_flow *, copy)->stats.used,
                        &used);
    return used;
}

/* Never asks the device.  Open vSwitch wants neither match nor actions.  The
 * ufid that it passes lies in a thread's copy of the flow.
 *
 * It asks for each PMD thread's copy of the flow, and adds up what it is told:
 * we mustn't count twice. */
static int
dpdk_flow_get(struct netdev *netdev, struct match *match OVS_UNUSED,
              struct nlattr **actions OVS_UNUSED, const ovs_u128 *ufid,
              struct dpif_flow_stats *stats, struct dpif_flow_attrs *attrs,
              struct ofpbuf *buf OVS_UNUSED)
{
    const struct dp_netdev_flow *copy
        = CONTAINER_OF(ufid, struct dp_netdev_flow, mega_ufid);
    struct engine_flow flow = { .match = NULL };
    int error;

    if (!dpdk_serves(netdev)) {
        return EOPNOTSUPP;
    }
    *last_asked_get() = (struct asked) { *ufid, true };
    flow.reader = copy_id(copy);
    flow.sw_used = copy_used(copy);
    flow.mark = copy->mark;
    error = engine_get(ufid, &flow);
    if (!error) {
        *stats = flow.stats;
        *attrs = flow.attrs;
    }
    return error;
}

/* Called for a port that is about to be removed, when dpdk_ports_remove() does
 * it. */
static int
dpdk_flow_flush(struct netdev *netdev OVS_UNUSED)
{
    return 0;
}

/* A count for each of Open vSwitch's threads that offload, all zeros. */
static int
dpdk_flow_get_n_flows(struct netdev *netdev, uint64_t *n_flows)
{
    struct offload_port *port = dpdk_ports_lookup(netdev);

    if (!port) {
        return EOPNOTSUPP;
    }
    n_flows[0] = engine_n_flows(port);
    return 0;
}

static int
dpdk_init_flow_api(struct netdev *netdev)
{
    return dpdk_serves(netdev) ? dpdk_ports_open(netdev) : EOPNOTSUPP;
}

const struct netdev_flow_api dpdk_flow_api = {
    .type = "fastpath_dpdk",
    .flow_flush = dpdk_flow_flush,
    .flow_put = dpdk_flow_put,
    .flow_get = dpdk_flow_get,
    .flow_del = dpdk_flow_del,
    .flow_get_n_flows = dpdk_flow_get_n_flows,
    .init_flow_api = dpdk_init_flow_api,
};

/* Open vSwitch registers its own provider when it has initialized DPDK: ours
 * takes its place. */
int
__wrap_netdev_register_flow_api_provider(const struct netdev_flow_api *api)
{
    return __real_netdev_register_flow_api_provider(
        strcmp(api->type, "dpdk_flow_api") ? api : &dpdk_flow_api);
}
