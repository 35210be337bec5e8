/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "flow-api.h"

#include <errno.h>
#include <string.h>

#include "engine.h"
#include "netdev-offload-provider.h"
#include "netdev-provider.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ports.h"
#include "sset.h"

VLOG_DEFINE_THIS_MODULE(offload_flow_api);

/* Open vSwitch calls flow_get(), flow_del(), flow_flush(),
 * flow_dump_create(), and init_flow_api() when offload is being enabled, with
 * its port map locked for reading: nothing here may call netdev_ports_*(),
 * nor close a netdev.
 *
 * The netdev that comes with flow_get() and flow_del() is any of the
 * datapath's: Open vSwitch asks one after the other.  The engine knows a flow
 * by its ufid. */

/* The provider stays assigned to a netdev that moves from one datapath type
 * to another while somebody keeps it open; the userspace datapath uses the
 * same port numbers and ufids for other things.  An AF_PACKET port of the
 * userspace datapath sees each packet that TC sees too, so TC rules would
 * duplicate packets there. */
bool
flow_api_serves(const struct netdev *netdev)
{
    const char *dpif_type = netdev_get_dpif_type(netdev);

    return dpif_type && !strcmp(dpif_type, "system");
}

/* What Open vSwitch makes of an error of flow_put(), see offload-refusal.h:
 * all but these two are logged as errors. */
static int
put_errno(int error)
{
    return !error || error == ENOSPC ? error : EOPNOTSUPP;
}

/* What flow_put() was last told of the datapath.  Nobody else is told. */
enum recirc_sharing { RECIRC_UNKNOWN, RECIRC_SHARED, RECIRC_NOT_SHARED };
static atomic_int recirc_sharing = ATOMIC_VAR_INIT(RECIRC_UNKNOWN);

bool
flow_api_recirc_known(void)
{
    int sharing;

    atomic_read_relaxed(&recirc_sharing, &sharing);
    return sharing != RECIRC_UNKNOWN;
}

bool
flow_api_recirc_shared(void)
{
    int sharing;

    atomic_read_relaxed(&recirc_sharing, &sharing);
    return sharing == RECIRC_SHARED;
}

static int
flow_api_flow_put(struct netdev *netdev, struct match *match,
                  struct nlattr *actions, size_t actions_len,
                  const ovs_u128 *ufid, struct offload_info *info,
                  struct dpif_flow_stats *stats)
{
    struct engine_op op = {
        .type = ENGINE_PUT,
        .ufid = ufid,
        .match = match,
        .actions = actions,
        .actions_len = actions_len,
        .in_port = match->flow.in_port.odp_port,
        .recirc_shared = info->recirc_id_shared_with_tc,
        .stats = stats,
    };
    struct engine_op *ops[] = { &op };

    if (!flow_api_serves(netdev)) {
        return EOPNOTSUPP;
    }

    atomic_store_relaxed(&recirc_sharing,
                         info->recirc_id_shared_with_tc
                         ? RECIRC_SHARED : RECIRC_NOT_SHARED);
    engine_operate(ops, ARRAY_SIZE(ops));
    info->tc_modify_flow_deleted = op.removed;
    return put_errno(op.error);
}

static int
flow_api_flow_del(struct netdev *netdev, const ovs_u128 *ufid,
                  struct dpif_flow_stats *stats)
{
    struct engine_op op = {
        .type = ENGINE_DEL,
        .ufid = ufid,
        .stats = stats,
    };
    struct engine_op *ops[] = { &op };

    if (!flow_api_serves(netdev)) {
        return ENOENT;
    }

    engine_operate(ops, ARRAY_SIZE(ops));
    return op.error;
}

/* Sets what 'match' doesn't match to 0, as it is in the kernel datapath's
 * flows, lest "dpctl/dump-flows -m" show the first packet's. */
static void
mask_key(struct match *match)
{
    /* Says which form the options of tunnels have, and is no part of a
     * packet. */
    uint16_t options_form = match->flow.tunnel.flags & FLOW_TNL_F_UDPIF;

    match_zero_wildcarded_fields(match);
    match->flow.tunnel.flags |= options_form;
}

/* Open vSwitch reads the actions through '*actions' before its thread
 * quiesces, so they needn't be copied into 'buf', which has room for 1 KB and
 * aborts the program if that isn't enough. */
static int
flow_api_flow_get(struct netdev *netdev, struct match *match,
                  struct nlattr **actions, const ovs_u128 *ufid,
                  struct dpif_flow_stats *stats, struct dpif_flow_attrs *attrs,
                  struct ofpbuf *buf OVS_UNUSED)
{
    struct engine_flow flow = { .match = match };
    int error;

    if (!flow_api_serves(netdev)) {
        return EOPNOTSUPP;
    }

    error = engine_get(ufid, &flow);
    if (!error) {
        mask_key(match);
        *actions = CONST_CAST(struct nlattr *, flow.actions);
        *stats = flow.stats;
        *attrs = flow.attrs;
    }
    return error;
}

struct flow_api_dump {
    struct netdev_flow_dump up;
    struct engine_dump *dump;
};

static struct flow_api_dump *
flow_api_dump_cast(struct netdev_flow_dump *dump)
{
    return CONTAINER_OF(dump, struct flow_api_dump, up);
}

static int
flow_api_flow_dump_create(struct netdev *netdev,
                          struct netdev_flow_dump **dumpp, bool terse)
{
    struct offload_port *port = ports_lookup(netdev);
    struct flow_api_dump *dump;
    int error;

    if (!port) {
        return ENODEV;
    }

    dump = xzalloc(sizeof *dump);
    error = engine_dump_start(port, terse, &dump->dump);
    if (error) {
        free(dump);
        return error;
    }

    /* Open vSwitch finds the provider of a dump by its netdev. */
    dump->up.netdev = netdev_ref(netdev);
    dump->up.terse = terse;
    *dumpp = &dump->up;
    return 0;
}

static int
flow_api_flow_dump_destroy(struct netdev_flow_dump *dump_)
{
    struct flow_api_dump *dump = flow_api_dump_cast(dump_);
    int error = engine_dump_done(dump->dump);

    netdev_close(dump->up.netdev);
    free(dump);
    return error;
}

/* A terse dump has neither match nor actions, and nobody reads them there:
 * filling in a struct match for each of some 10,000s of flows would cost more
 * than reading their counters.
 *
 * 'rbuffer' must be empty at the end: Open vSwitch goes on to read the kernel
 * datapath's flows with it. */
static bool
flow_api_flow_dump_next(struct netdev_flow_dump *dump_, struct match *match,
                        struct nlattr **actions, struct dpif_flow_stats *stats,
                        struct dpif_flow_attrs *attrs, ovs_u128 *ufid,
                        struct ofpbuf *rbuffer,
                        struct ofpbuf *wbuffer OVS_UNUSED)
{
    struct flow_api_dump *dump = flow_api_dump_cast(dump_);
    struct engine_flow flow = { .match = dump->up.terse ? NULL : match };

    if (!engine_dump_next(dump->dump, rbuffer, &flow)) {
        ofpbuf_clear(rbuffer);
        return false;
    }

    if (flow.match) {
        mask_key(match);
    }
    *actions = CONST_CAST(struct nlattr *, flow.actions);
    *stats = flow.stats;
    *attrs = flow.attrs;
    *ufid = flow.ufid;
    return true;
}

static int
flow_api_flow_flush(struct netdev *netdev)
{
    struct offload_port *port = ports_lookup(netdev);

    return port ? engine_flush(port) : ENODEV;
}

/* 'n_flows' is an array, a counter for each of the userspace datapath's
 * offload threads, all zeros. */
static int
flow_api_flow_get_n_flows(struct netdev *netdev, uint64_t *n_flows)
{
    struct offload_port *port = ports_lookup(netdev);

    if (!port) {
        return EOPNOTSUPP;
    }
    n_flows[0] = engine_n_flows(port);
    return 0;
}

/* Meters are set and deleted by meters.c, which sees those that were made
 * before offload was enabled, too. */
static int
flow_api_meter_get(ofproto_meter_id meter_id,
                   struct ofputil_meter_stats *stats)
{
    return engine_meter_get(meter_id.uint32, stats);
}

/* Takes ports that can't be offloaded, too.  When Open vSwitch changes a flow
 * that it can't offload, it first asks the provider of the input port to
 * delete the flow.  Any answer but success and ENOENT makes it give up, and so
 * does a port without a provider: the kernel datapath goes on with the old
 * actions. */
static int
flow_api_init(struct netdev *netdev)
{
    if (!flow_api_serves(netdev)) {
        return EOPNOTSUPP;
    }
    ports_open(netdev);
    return 0;
}

/* There is no uninit_flow_api(): Open vSwitch calls it when a netdev's last
 * reference goes away, its port map holds one, and we have nothing that isn't
 * undone when the port leaves that map (ports.c). */
static const struct netdev_flow_api flow_api = {
    .type = "fastpath",
    .flow_flush = flow_api_flow_flush,
    .flow_dump_create = flow_api_flow_dump_create,
    .flow_dump_destroy = flow_api_flow_dump_destroy,
    .flow_dump_next = flow_api_flow_dump_next,
    .flow_put = flow_api_flow_put,
    .flow_get = flow_api_flow_get,
    .flow_del = flow_api_flow_del,
    .flow_get_n_flows = flow_api_flow_get_n_flows,
    .meter_get = flow_api_meter_get,
    .init_flow_api = flow_api_init,
};

bool
flow_api_is_assigned(const struct netdev *netdev)
{
    return ovsrcu_get(const struct netdev_flow_api *, &netdev->flow_api)
           == &flow_api;
}

void
flow_api_register(void)
{
    struct sset types = SSET_INITIALIZER(&types);
    int error;

    /* Open vSwitch registers its providers at the first use of a netdev. */
    netdev_enumerate_types(&types);
    sset_destroy(&types);

    error = netdev_unregister_flow_api_provider("linux_tc");
    if (!error) {
        error = netdev_register_flow_api_provider(&flow_api);
    }
    if (error) {
        VLOG_FATAL("can't become the provider of hardware offload (%s)",
                   ovs_strerror(error));
    }
    VLOG_DBG("flow API '%s' takes the place of 'linux_tc'", flow_api.type);
}
