/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-port.h"

#include <math.h>
#include <stdlib.h>

#include "flow.h"
#include "hash.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

/* Writers take turns, readers need no lock. */
static struct ovs_mutex port_mutex = OVS_MUTEX_INITIALIZER;
static struct cmap ports = CMAP_INITIALIZER;
static struct cmap ports_by_ifindex = CMAP_INITIALIZER;

static struct offload_statistics totals[OFFLOAD_N_DATAPATHS];

static const char *const kind_names[] = {
    [OFFLOAD_PORT_PLAIN] = "plain",
    [OFFLOAD_PORT_INTERNAL] = "internal",
    [OFFLOAD_PORT_VXLAN] = "vxlan",
    [OFFLOAD_PORT_GENEVE] = "geneve",
    [OFFLOAD_PORT_GRE] = "gre",
    [OFFLOAD_PORT_OTHER_TUNNEL] = "other tunnel",
};

bool
offload_port_kind_is_tunnel(enum offload_port_kind kind)
{
    return kind == OFFLOAD_PORT_VXLAN
           || kind == OFFLOAD_PORT_GENEVE
           || kind == OFFLOAD_PORT_GRE
           || kind == OFFLOAD_PORT_OTHER_TUNNEL;
}

const char *
offload_port_kind_name(enum offload_port_kind kind)
{
    return kind_names[kind];
}

/* Rates.  A sample is taken each second or, if the main loop sleeps for
 * longer, less often. */

#define SAMPLE_INTERVAL_MS 1000

static struct offload_rate total_rates[OFFLOAD_N_DATAPATHS];

static void
rate_sample(struct offload_rate *rate, const struct offload_statistics *stats,
            long long int now)
{
    rate->last = rate->n ? (rate->last + 1) % OFFLOAD_RATE_SAMPLES : 0;
    rate->n = MIN(rate->n + 1, OFFLOAD_RATE_SAMPLES);
    rate->samples[rate->last].when = now;
    rate->samples[rate->last].n = offload_stat_get(stats,
                                                   OFFLOAD_STAT_INSERTED);
}

/* Since the oldest sample. */
static double
rate_get(const struct offload_rate *rate,
         const struct offload_statistics *stats)
{
    size_t first = (rate->n < OFFLOAD_RATE_SAMPLES ? 0
                    : (rate->last + 1) % OFFLOAD_RATE_SAMPLES);
    double seconds = (time_msec() - rate->samples[first].when) / 1000.0;

    if (!rate->n || seconds <= 0) {
        return NAN;
    }
    return (offload_stat_get(stats, OFFLOAD_STAT_INSERTED)
            - rate->samples[first].n) / seconds;
}

/* Ports. */

static struct offload_port *
port_create(odp_port_t odp_port, const char *name, enum offload_port_kind kind)
{
    struct offload_port *port = xzalloc(sizeof *port);

    port->odp_port = odp_port;
    rate_sample(&port->inserted, &port->statistics, time_msec());
    port->datapath = OFFLOAD_DP_SYSTEM;
    port->dpdk_id = OFFLOAD_NO_DPDK;
    ovs_refcount_init(&port->refs);
    ovs_strlcpy(port->name, name, sizeof port->name);
    port->kind = kind;
    atomic_init(&port->alive, true);
    atomic_init(&port->twin_search, LLONG_MIN);
    atomic_count_init(&port->n_rules, 0);
    atomic_init(&port->dump_seq, 0);
    atomic_init(&port->dump_id, 0);
    atomic_init(&port->suspect, false);
    port_flows_init(&port->flows);
    ovs_mutex_init(&port->activity.mutex);
    return port;
}

/* Makes a port.  The caller sees to it that there is none with this number;
 * of several ports with one network device offload_port_lookup_ifindex()
 * finds any. */
struct offload_port *
offload_port_add(odp_port_t odp_port, const char *name,
                 enum offload_port_kind kind, int ifindex, uint32_t block_id)
{
    struct offload_port *port = port_create(odp_port, name, kind);

    port->ifindex = ifindex;
    port->block_id = block_id;

    ovs_mutex_lock(&port_mutex);
    cmap_insert(&ports, &port->node, hash_odp_port(odp_port));
    cmap_insert(&ports_by_ifindex, &port->ifindex_node, hash_int(ifindex, 0));
    ovs_mutex_unlock(&port_mutex);
    return port;
}

struct offload_port *
offload_port_add_netdev(odp_port_t odp_port, const char *name,
                        enum offload_port_kind kind, uint16_t dpdk_id,
                        ovs_be16 tp_dst)
{
    struct offload_port *port = port_create(odp_port, name, kind);

    port->datapath = OFFLOAD_DP_NETDEV;
    port->dpdk_id = dpdk_id;
    port->tp_dst = tp_dst;

    ovs_mutex_lock(&port_mutex);
    cmap_insert(&ports, &port->node, hash_odp_port(odp_port));
    ovs_mutex_unlock(&port_mutex);
    return port;
}

/* Takes 'port' out: it is found no more, and freed when nobody can look at it
 * any more.  Its backend must have closed it, or do so before the caller's
 * next quiescent state. */
void
offload_port_remove(struct offload_port *port)
{
    atomic_store(&port->alive, false);

    ovs_mutex_lock(&port_mutex);
    cmap_remove(&ports, &port->node, hash_odp_port(port->odp_port));
    if (port->datapath == OFFLOAD_DP_SYSTEM) {
        cmap_remove(&ports_by_ifindex, &port->ifindex_node,
                    hash_int(port->ifindex, 0));
    }
    ovs_mutex_unlock(&port_mutex);

    offload_port_unref(port);
}

/* Takes a reference to 'port', which must have been looked up since the
 * caller's last quiescent state.  False if it was removed meanwhile. */
bool
offload_port_try_ref(struct offload_port *port)
{
    return ovs_refcount_try_ref_rcu(&port->refs);
}

static void
port_free(struct offload_port *port)
{
    port_flows_destroy(&port->flows);
    ovs_mutex_destroy(&port->activity.mutex);
    free(port);
}

void
offload_port_unref(struct offload_port *port)
{
    if (ovs_refcount_unref(&port->refs) == 1) {
        ovsrcu_postpone(port_free, port);
    }
}

struct offload_port *
offload_port_lookup_in(enum offload_datapath datapath, odp_port_t odp_port)
{
    struct offload_port *port;

    CMAP_FOR_EACH_WITH_HASH (port, node, hash_odp_port(odp_port), &ports) {
        if (port->odp_port == odp_port && port->datapath == datapath) {
            return port;
        }
    }
    return NULL;
}

struct offload_port *
offload_port_lookup(odp_port_t odp_port)
{
    return offload_port_lookup_in(OFFLOAD_DP_SYSTEM, odp_port);
}

struct offload_port *
offload_port_lookup_ifindex(int ifindex)
{
    struct offload_port *port;

    CMAP_FOR_EACH_WITH_HASH (port, ifindex_node, hash_int(ifindex, 0),
                             &ports_by_ifindex) {
        if (port->ifindex == ifindex) {
            return port;
        }
    }
    return NULL;
}

void
offload_port_count(struct offload_port *port, enum offload_datapath datapath,
                   enum offload_stat stat, uint64_t n)
{
    offload_stat_add(&totals[datapath], stat, n);
    if (port) {
        offload_stat_add(&port->statistics, stat, n);
    }
}

void
offload_port_count_time(struct offload_port *port, enum offload_timing timing,
                        long long int usec)
{
    offload_stat_time(&totals[port->datapath], timing, usec);
    offload_stat_time(&port->statistics, timing, usec);
}

const struct offload_statistics *
offload_port_totals(enum offload_datapath datapath)
{
    return &totals[datapath];
}

void
offload_port_run(void)
{
    static long long int next = LLONG_MIN;
    long long int now = time_msec();
    struct offload_port *port;

    if (now < next) {
        return;
    }
    next = now + SAMPLE_INTERVAL_MS;
    for (size_t i = 0; i < OFFLOAD_N_DATAPATHS; i++) {
        rate_sample(&total_rates[i], &totals[i], now);
    }
    CMAP_FOR_EACH (port, node, &ports) {
        rate_sample(&port->inserted, &port->statistics, now);
    }
}

double
offload_port_insertion_rate(const struct offload_port *port)
{
    return rate_get(&port->inserted, &port->statistics);
}

double
offload_port_total_insertion_rate(enum offload_datapath datapath)
{
    return rate_get(&total_rates[datapath], &totals[datapath]);
}

void
offload_port_for_each(void (*cb)(struct offload_port *, void *aux), void *aux)
{
    struct offload_port *port;

    CMAP_FOR_EACH (port, node, &ports) {
        cb(port, aux);
    }
}
