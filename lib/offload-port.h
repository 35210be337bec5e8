/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_PORT_H
#define OFFLOAD_PORT_H 1

/* The ports between which megaflows run, as the rule engine sees them.
 *
 * A port is made when Open vSwitch adds a port to a datapath and dies when it
 * takes it out again.  Ports are found by their datapath port number without
 * a lock; a pointer from offload_port_lookup() stays good until the caller's
 * next quiescent state (ovs-rcu.h), even if the port goes away meanwhile, in
 * which case 'alive' is false and operations on it fail with ENODEV.
 *
 * Who needs it for longer takes a reference.
 *
 * Nothing in a port but 'alive', 'n_rules', 'flows', 'backend', 'aux',
 * 'statistics', 'inserted' and what belongs to dumps changes after
 * offload_port_add(). */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmap.h"
#include "offload-statistics.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "port-flows.h"

struct offload_backend;

/* Which of Open vSwitch's datapaths a port, or a flow, belongs to.  Each
 * counts its ports by itself. */
enum offload_datapath {
    OFFLOAD_DP_SYSTEM,          /* The kernel's: "system". */
    OFFLOAD_DP_NETDEV,          /* The userspace datapath: "netdev". */
    OFFLOAD_N_DATAPATHS
};

/* No port of DPDK. */
#define OFFLOAD_NO_DPDK UINT16_MAX

enum offload_port_kind {
    OFFLOAD_PORT_PLAIN,         /* Physical device, representor, veth, TAP. */
    OFFLOAD_PORT_INTERNAL,      /* OVS internal port: the host's own stack. */
    OFFLOAD_PORT_VXLAN,         /* Tunnel device vxlan_sys_*. */
    OFFLOAD_PORT_GENEVE,        /* Tunnel device genev_sys_*. */
    OFFLOAD_PORT_GRE,           /* Tunnel device gre_sys, ip6gre_sys. */
    OFFLOAD_PORT_OTHER_TUNNEL,  /* A tunnel that no backend knows. */
};

/* What is known of a port's packets, so that a dump needn't read the counters
 * of rules that can't have counted (ofproto-offload/engine-dump.c). */
struct offload_port_activity {
    struct ovs_mutex mutex;
    uint64_t packets OVS_GUARDED;   /* When the last complete dump began. */
    unsigned int n_same OVS_GUARDED;    /* So many complete dumps, the last
                                         * among them, began with this. */
    long long int since OVS_GUARDED;    /* The first of them, in msec. */
    bool hardware OVS_GUARDED;  /* The last had rules in hardware. */
    unsigned int n_wrong OVS_GUARDED;   /* How often rules had counted while
                                         * it hadn't. */
    long long int until OVS_GUARDED;    /* Then, in msec, all counters are to
                                         * be read whatever it says. */
};

/* How the counters of a port of the userspace datapath are read.  For the one
 * thread that does it. */
struct offload_port_reading {
    uint64_t seq;               /* flow_table_seq() at the last reading. */
    unsigned int n_idle;        /* So many readings, the last one among them,
                                 * have found nothing new. */
    unsigned int n_skipped;     /* Readings left out since the last one. */
};

/* Samples of a counter, a second apart, for its rate.  The main thread's. */
#define OFFLOAD_RATE_SAMPLES 11
struct offload_rate {
    struct {
        long long int when;     /* Monotonic msec. */
        uint64_t n;
    } samples[OFFLOAD_RATE_SAMPLES];
    size_t n, last;             /* How many there are, and the newest. */
};

struct offload_port {
    struct cmap_node node;      /* In the port map, by 'odp_port'. */
    struct cmap_node ifindex_node;          /* In another, by 'ifindex'. */
    struct ovs_refcount refs;   /* One for the port map. */
    odp_port_t odp_port;        /* Number in the datapath. */
    char name[IFNAMSIZ];        /* Of the network device. */
    enum offload_port_kind kind;
    enum offload_datapath datapath;
    int ifindex;                /* Of the network device, > 0; 0: of the
                                 * userspace datapath. */
    uint16_t dpdk_id;           /* Port of DPDK, or OFFLOAD_NO_DPDK. */
    ovs_be16 tp_dst;            /* Outer UDP port of a tunnel of the userspace
                                 * datapath. */
    uint32_t block_id;          /* TC shared block (a bond's), or 0. */

    atomic_bool alive;          /* False once it was removed. */
    atomic_count n_rules;       /* Rules that the backend has for it. */
    struct port_flows flows;    /* Those of the shadow table, in any state. */
    ATOMIC(long long int) twin_search;  /* Next time for engine_has_twin(),
                                         * msec. */

    /* The last complete dump of its rules, see flow-table.h. */
    atomic_uint64_t dump_seq;
    atomic_uint64_t dump_id;
    atomic_bool suspect;        /* It found fewer rules than there should be:
                                 * the device may have lost some. */

    struct offload_port_activity activity;
    struct offload_port_reading reading;
    struct offload_statistics statistics;
    struct offload_rate inserted;       /* Of OFFLOAD_STAT_INSERTED. */

    bool match_only;            /* Its device takes no actions, whatever a flow
                                 * says: see offload_op's 'partial'.  Set by
                                 * the backend when it opens the port. */
    const struct offload_backend *backend;  /* NULL if none took it. */
    void *aux;                  /* The backend's own. */
};

bool offload_port_kind_is_tunnel(enum offload_port_kind);
const char *offload_port_kind_name(enum offload_port_kind);

struct offload_port *offload_port_add(odp_port_t, const char *name,
                                      enum offload_port_kind, int ifindex,
                                      uint32_t block_id);
/* A port of the userspace datapath: a device of DPDK, or a tunnel with outer
 * UDP port 'tp_dst' (GRE: 0), or a port that is neither. */
struct offload_port *offload_port_add_netdev(odp_port_t, const char *name,
                                             enum offload_port_kind,
                                             uint16_t dpdk_id,
                                             ovs_be16 tp_dst);
void offload_port_remove(struct offload_port *);
bool offload_port_try_ref(struct offload_port *);
void offload_port_unref(struct offload_port *);
struct offload_port *offload_port_lookup(odp_port_t);   /* "system". */
struct offload_port *offload_port_lookup_in(enum offload_datapath, odp_port_t);
struct offload_port *offload_port_lookup_ifindex(int ifindex);

/* Counts in the port's and its datapath's statistics.  'port' may be NULL. */
void offload_port_count(struct offload_port *port, enum offload_datapath,
                        enum offload_stat, uint64_t n);
void offload_port_count_time(struct offload_port *port, enum offload_timing,
                             long long int usec);

/* What was counted for all ports of a datapath, removed ones included. */
const struct offload_statistics *offload_port_totals(enum offload_datapath);

/* Takes a sample of the counters now and then, from the main thread, where the
 * rates, in rules a second, of the last ten seconds or so, may be asked for:
 * of a port, or of a datapath with all the ports that it had.  NaN if not
 * known. */
void offload_port_run(void);
double offload_port_insertion_rate(const struct offload_port *);
double offload_port_total_insertion_rate(enum offload_datapath);

/* Calls 'cb' for every port, in no order.  Lock-free. */
void offload_port_for_each(void (*cb)(struct offload_port *, void *aux),
                           void *aux);

#endif /* offload-port.h */
