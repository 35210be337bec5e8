/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_ENGINE_H
#define OFFLOAD_ENGINE_H 1

/* The offload engine: what Open vSwitch wants of a provider, in a form that
 * is none of its provider interfaces.
 *
 * The engine owns the shadow table (flow-table.h) and drives the backends.
 * Adapters convert: flow-api.c for struct netdev_flow_api (OVS 3.1 to 3.6),
 * one operation at a time; operate.c for dpif_operate(), in batches.  Nothing
 * outside an adapter names an OVS provider interface.
 *
 * Life: engine_init() once, before the first port.  Ports are added and
 * removed as the datapath's ports are.  A port takes part in offloading from
 * engine_port_open() on.
 *
 * Threading: everything but engine_init() and engine_run() may be called by
 * any OVS thread at any time.  No lock of the engine that two flows share is
 * held over a system call.  Callers may hold OVS's port-map lock: the engine
 * never calls netdev_ports_*() and never opens or closes a netdev.
 *
 * Errors are positive errnos: EOPNOTSUPP for a refusal, ENOSPC for a full
 * table, ENOENT for a flow that isn't the engine's.  Never EEXIST. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpif.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/types.h"

struct match;
struct nlattr;
struct ofpbuf;
struct ofputil_meter_config;
struct ofputil_meter_stats;

void engine_init(void);

/* Periodic work, from the main thread, at every run of the main loop. */
void engine_run(void);

/* Configuration, from other_config.  May be set at any time. */
struct engine_config {
    uint32_t max_flows;         /* In devices at a time; 0: any number. */
    unsigned int max_staleness; /* For how long, in msec, the counters of a
                                 * port that seems to be idle needn't be
                                 * read. */
};
#define ENGINE_MAX_FLOWS_DEFAULT 200000     /* As OVS's flow-limit. */
#define ENGINE_MAX_STALENESS_DEFAULT 5000   /* Half of OVS's max-idle. */
void engine_set_config(const struct engine_config *);

/* Ports.  engine_port_add() makes a port known, so that it may be an output
 * port; engine_port_open() makes it take rules as well.  Both are idempotent.
 * engine_port_remove() takes its rules out. */
int engine_port_add(odp_port_t, const char *name, enum offload_port_kind,
                    int ifindex, uint32_t block_id);
int engine_port_open(int ifindex, struct offload_refusal *);
void engine_port_remove(odp_port_t);

/* The same for ports of the userspace datapath, see offload-port.h.  One that
 * is known stays as it is until it is removed, whatever it is added as: each
 * ovs-appctl dpctl command adds all ports again, tunnels by other names. */
int engine_port_add_netdev(odp_port_t, const char *name,
                           enum offload_port_kind, uint16_t dpdk_id,
                           ovs_be16 tp_dst);
int engine_port_open_netdev(odp_port_t, struct offload_refusal *);
void engine_port_remove_netdev(odp_port_t);

/* Reads the counters of all ports of the userspace datapath, and puts back
 * what their devices have lost.  From one thread, now and then. */
void engine_refresh(void);

/* Operations on flows. */
enum engine_op_type { ENGINE_PUT, ENGINE_DEL };

struct engine_op {
    enum engine_op_type type;
    const ovs_u128 *ufid;

    /* ENGINE_PUT: add, or replace what is there with that ufid.  Borrowed
     * until engine_operate() returns. */
    const struct match *match;
    const struct nlattr *actions;
    size_t actions_len;         /* Bytes. */
    odp_port_t in_port;
    enum offload_datapath datapath;
    uint32_t mark;              /* The userspace datapath's, see offload_rule;
                                 * 0: none. */
    bool recirc_shared;         /* Datapath shares recirc_id with TC. */
    long long int offered;      /* When OVS did, usec; 0: just now. */

    /* Results. */
    int error;                  /* 0: it is the device's flow now (PUT), or
                                 * isn't any more (DEL). */
    bool was_installed;         /* It had a rule in the device before. */
    bool was_unknown;           /* The engine knew nothing of it before. */
    bool has_twin;              /* Unknown, and refused because a rule of ours
                                 * has its match, for another ufid. */
    bool removed;               /* A failed PUT took the old rule out, or it
                                 * had been taken out before, which OVS can't
                                 * know yet: nobody has the flow. */
    struct dpif_flow_stats *stats;  /* PUT: zeros.  DEL: the last ones.  Filled
                                     * in on success; may be NULL. */
    struct offload_refusal refusal; /* If 'error'. */
};

/* Executes 'ops' in order; operations on one flow never overtake each other,
 * and none is affected by another's failure. */
void engine_operate(struct engine_op *ops[], size_t n);

/* A flow that was put had been the kernel datapath's, where it had counted
 * 'stats' at its end.  To be told before OVS asks for its counters again. */
void engine_carry(const ovs_u128 *ufid, const struct dpif_flow_stats *stats);

/* One flow as the engine knows it. */
struct engine_flow {
    ovs_u128 ufid;
    odp_port_t in_port;
    struct dpif_flow_stats stats;
    struct dpif_flow_attrs attrs;
    struct match *match;            /* In: where to store the match, or NULL if
                                     * it isn't wanted. */
    uint64_t reader;                /* In: who asks, see flow-shares.h; 0: all
                                     * counters are wanted. */
    uint32_t mark;                  /* In: the userspace datapath's, if known:
                                     * finds the flow faster; or 0. */
    long long int sw_used;          /* In: when software last had a packet of
                                     * it, monotonic msec; 0: not known. */
    const struct nlattr *actions;   /* OVS_FLOW_ATTR_ACTIONS, nested; RCU, good
                                     * until the caller quiesces.  NULL if
                                     * 'match' is NULL. */
};

/* Looks up a flow, reads its counters from the device.  0 or ENOENT. */
int engine_get(const ovs_u128 *ufid, struct engine_flow *);

/* Dumps a port's flows, reading their counters from the device.  Several
 * threads may call engine_dump_next() at once, each with a 'buf' of its own,
 * empty at first; it returns false at the end, with 'buf' empty again.
 *
 * A 'terse' dump is one for OVS's revalidators.  It also has the flows that
 * they should delete because they are in no device any more, and reads nothing
 * from a device that can't have counted anything since the last one. */
struct engine_dump;
int engine_dump_start(struct offload_port *, bool terse,
                      struct engine_dump **);
bool engine_dump_next(struct engine_dump *, struct ofpbuf *buf,
                      struct engine_flow *);
int engine_dump_done(struct engine_dump *);

/* Takes all flows of a port out of its device. */
int engine_flush(struct offload_port *);

/* The number of rules that a port has in its device. */
uint64_t engine_n_flows(const struct offload_port *);

/* Meters, for all backends. */
int engine_meter_set(uint32_t meter_id, const struct ofputil_meter_config *);
int engine_meter_get(uint32_t meter_id, struct ofputil_meter_stats *);
int engine_meter_del(uint32_t meter_id, struct ofputil_meter_stats *);

/* Zones in which connection tracking is limited (dpctl/ct-set-limits): commit
 * isn't offloaded there.  'limited' is a bitmap of 65536 bits, copied. */
void engine_set_ct_limited_zones(const unsigned long *limited);

#endif /* engine.h */
