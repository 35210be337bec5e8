/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_DATAPATH_H
#define OFFLOAD_DATAPATH_H 1

/* Open vSwitch's datapaths and the megaflows in them, for commands.
 *
 * Main thread only: that is where Open vSwitch opens and closes datapaths. */

#include <stdbool.h>
#include <stddef.h>

#include "dpif.h"
#include "offload-port.h"
#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "simap.h"

struct dpif_backer;
struct ds;

/* Megaflows that a command looks at, at most. */
#define DATAPATH_MAX_WALK 200000

struct datapath {
    struct dpif_backer *backer;
    struct dpif *dpif;          /* The backer's. */
    enum offload_datapath type;
    struct hmap names;          /* Of ports, for odp-util's formatting. */
    struct simap ports;         /* Numbers by name, for its parsing. */
};

/* The 'n'-th datapath, counted from 0.  False if there are fewer.  Must be
 * closed. */
bool datapath_open(struct datapath *, size_t n);
void datapath_close(struct datapath *);

/* The name of a port, or NULL.  As long as the datapath is open. */
const char *datapath_port_name(const struct datapath *, odp_port_t);

/* A megaflow, a copy. */
struct datapath_flow {
    ovs_u128 ufid;              /* As dpctl/dump-flows prints it. */
    ovs_u128 rule;              /* The ufid that the engine knows it by: in the
                                 * userspace datapath it is another one, which
                                 * the threads' copies of a flow share. */
    struct ofpbuf key, mask, actions;   /* Netlink attributes. */
    struct match match;         /* What the engine is told. */
    struct dpif_flow_stats stats;
};
void datapath_flow_init(struct datapath_flow *, const struct dpif_flow *,
                        const ovs_u128 *rule);
void datapath_flow_uninit(struct datapath_flow *);

/* Reads the megaflow that has 'ufid' for people, or else for the engine (then
 * the first of its copies).  0 or a positive errno. */
int datapath_get(const struct datapath *, const ovs_u128 *ufid,
                 struct datapath_flow *);

/* Shows 'cb' megaflows, at most DATAPATH_MAX_WALK, until it returns false.
 * 'all': those of devices too, else software's only.  'rule' is as in struct
 * datapath_flow.  Returns false if there were more of them, or they couldn't
 * be read. */
bool datapath_walk(const struct datapath *, bool all,
                   bool (*cb)(const struct dpif_flow *, const ovs_u128 *rule,
                              void *aux),
                   void *aux);

/* As in dpctl/dump-flows, with names of ports. */
void datapath_format_match(const struct datapath *,
                           const struct datapath_flow *, struct ds *);
void datapath_format_actions(const struct datapath *,
                             const struct datapath_flow *, struct ds *);

#endif /* datapath.h */
