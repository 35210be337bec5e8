/* SPDX-License-Identifier: Apache-2.0 */

/* Ports, flush, meters, configuration, and what is done now and then. */

#include <config.h>

#include <errno.h>
#include <string.h>

#include "bitmap.h"
#include "engine.h"
#include "engine-private.h"
#include "flow-table.h"
#include "occupancy.h"
#include "offload-backend.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "recirc-parents.h"
#include "refusal-log.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(offload_port);

/* How long the last counters of flows are kept that went away without OVS
 * having deleted them, in msec. */
#define EVICTING_KEPT_MS (60 * 1000)

/* How often the flows of a port that is removed are looked for. */
#define MAX_WALKS 1000

/* In the order in which they are offered a port. */
static const struct offload_backend *const backends[] = {
    &offload_backend_tc,
#ifdef DPDK_NETDEV
    &offload_backend_rte,
#endif
};

static atomic_uint32_t max_flows = ATOMIC_VAR_INIT(ENGINE_MAX_FLOWS_DEFAULT);
static atomic_uint max_staleness
    = ATOMIC_VAR_INIT(ENGINE_MAX_STALENESS_DEFAULT);

#define N_ZONES (UINT16_MAX + 1)
static OVSRCU_TYPE(unsigned long *) limited_zones;

void
engine_init(void)
{
    ovsrcu_init(&limited_zones, NULL);
}

void
engine_run(void)
{
    static long long int next_expiry = LLONG_MIN;

    engine_dump_run();
    offload_port_run();
    occupancy_run(time_msec());
    refusal_log_run(time_msec());
    if (time_msec() >= next_expiry) {
        next_expiry = time_msec() + EVICTING_KEPT_MS / 4;
        flow_table_expire(time_msec() - EVICTING_KEPT_MS);
    }
}

/* Configuration. */

void
engine_set_config(const struct engine_config *config)
{
    atomic_store_relaxed(&max_flows, config->max_flows);
    atomic_store_relaxed(&max_staleness, config->max_staleness);
}

uint32_t
engine_max_flows(void)
{
    uint32_t max;

    atomic_read_relaxed(&max_flows, &max);
    return max;
}

/* For how long, in msec, a port's own counter is taken for proof that its
 * rules have counted nothing. */
unsigned int
engine_max_staleness(void)
{
    unsigned int max;

    atomic_read_relaxed(&max_staleness, &max);
    return max;
}

void
engine_set_ct_limited_zones(const unsigned long *limited)
{
    unsigned long *new = limited ? bitmap_clone(limited, N_ZONES) : NULL;
    unsigned long *old = ovsrcu_get_protected(unsigned long *,
                                              &limited_zones);

    ovsrcu_set(&limited_zones, new);
    if (old) {
        ovsrcu_postpone(bitmap_free, old);
    }
}

static bool
ct_zone_limited(uint16_t zone)
{
    const unsigned long *limited = ovsrcu_get(unsigned long *,
                                              &limited_zones);

    return limited && bitmap_is_set(limited, zone);
}

void
engine_context(struct offload_context *context,
               enum offload_datapath datapath, bool recirc_shared)
{
    context->datapath = datapath;
    context->recirc_shared = recirc_shared;
    context->ct_zone_limited = ct_zone_limited;
}

/* Ports. */

int
engine_port_add(odp_port_t odp_port, const char *name,
                enum offload_port_kind kind, int ifindex, uint32_t block_id)
{
    struct offload_port *port = offload_port_lookup(odp_port);

    if (port) {
        if (port->ifindex == ifindex && !strcmp(port->name, name)) {
            return 0;
        }
        engine_port_remove(odp_port);
    }
    offload_port_add(odp_port, name, kind, ifindex, block_id);
    return 0;
}

int
engine_port_add_netdev(odp_port_t odp_port, const char *name,
                       enum offload_port_kind kind, uint16_t dpdk_id,
                       ovs_be16 tp_dst)
{
    if (!offload_port_lookup_in(OFFLOAD_DP_NETDEV, odp_port)) {
        offload_port_add_netdev(odp_port, name, kind, dpdk_id, tp_dst);
    }
    return 0;
}

/* Offers 'port' to the backends of its datapath. */
static int
port_open(struct offload_port *port, struct offload_refusal *refusal)
{
    int error = EOPNOTSUPP;

    for (size_t i = 0; i < ARRAY_SIZE(backends) && !port->backend; i++) {
        if (backends[i]->datapath != port->datapath) {
            continue;
        }
        error = backends[i]->port_open(port, refusal);
        if (!error) {
            /* Readers see the backend only when it is ready. */
            atomic_thread_fence(memory_order_release);
            port->backend = backends[i];
        }
    }
    return port->backend ? 0 : error;
}

int
engine_port_open(int ifindex, struct offload_refusal *refusal)
{
    struct offload_port *port = offload_port_lookup_ifindex(ifindex);

    if (!port) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "in_port",
                              NULL, "no datapath port has ifindex %d",
                              ifindex);
    }
    return port_open(port, refusal);
}

int
engine_port_open_netdev(odp_port_t odp_port, struct offload_refusal *refusal)
{
    struct offload_port *port = offload_port_lookup_in(OFFLOAD_DP_NETDEV,
                                                       odp_port);

    if (!port) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "in_port",
                              NULL, "no port %"PRIu32" is known",
                              odp_to_u32(odp_port));
    }
    return port_open(port, refusal);
}

static void
port_remove(struct offload_port *port)
{
    if (!port) {
        return;
    }
    atomic_store(&port->alive, false);
    if (port->backend) {
        engine_remove_all(port, false, true);
        port->backend->port_close(port);

        /* Rules that couldn't be deleted one by one are gone now, or nobody
         * can delete them.  A walk misses flows that are being added: none may
         * be left that points to the port. */
        for (int i = 0; !port_flows_is_empty(&port->flows) && i < MAX_WALKS;
             i++) {
            engine_remove_all(port, true, true);
        }
    }
    refusal_log_forget_port(port->datapath, port->odp_port);
    offload_port_remove(port);
}

void
engine_port_remove(odp_port_t odp_port)
{
    port_remove(offload_port_lookup(odp_port));
}

void
engine_port_remove_netdev(odp_port_t odp_port)
{
    port_remove(offload_port_lookup_in(OFFLOAD_DP_NETDEV, odp_port));
}

int
engine_flush(struct offload_port *port)
{
    refusal_log_forget_port(port->datapath, port->odp_port);
    if (!port->backend) {
        return EOPNOTSUPP;
    }
    engine_remove_all(port, false, false);
    return 0;
}

uint64_t
engine_n_flows(const struct offload_port *port)
{
    return atomic_count_get(CONST_CAST(atomic_count *, &port->n_rules));
}

/* Meters. */

int
engine_meter_set(uint32_t meter_id, const struct ofputil_meter_config *config)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    int error = 0;

    for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
        int e = backends[i]->meter_set(meter_id, config, &refusal);

        if (e) {
            struct ds s = DS_EMPTY_INITIALIZER;

            offload_refusal_format(&refusal, &s);
            VLOG_DBG("%s: meter %"PRIu32" stays in software: %s",
                     backends[i]->name, meter_id, ds_cstr(&s));
            ds_destroy(&s);
            error = e;
        }
    }
    return error;
}

int
engine_meter_get(uint32_t meter_id, struct ofputil_meter_stats *stats)
{
    int error = ENOENT;

    for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
        int e = backends[i]->meter_get(meter_id, stats);

        error = e ? error : 0;
    }
    return error;
}

int
engine_meter_del(uint32_t meter_id, struct ofputil_meter_stats *stats)
{
    int error = ENOENT;

    for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
        int e = backends[i]->meter_del(meter_id, stats);

        error = e ? error : 0;
    }
    return error;
}
