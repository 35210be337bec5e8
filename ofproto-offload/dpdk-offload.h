/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_DPDK_H
#define OFFLOAD_DPDK_H 1

/* The userspace datapath ("netdev"), whose ports are devices of DPDK.
 *
 * dpdk-flow-api.c is the provider that Open vSwitch calls, in the place of its
 * own.  The userspace datapath has each flow in software as well, so nobody
 * waits for a rule: dpdk-queue.c takes what is to be done and has a thread of
 * its own that does it, in order, and another one that reads counters and puts
 * back what devices have lost.  dpdk-ports.c tells the engine of ports, and
 * the backend of devices that are started, stopped and reset.
 *
 * Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct match;
struct netdev;
struct netdev_flow_api;
struct nic_ports;
struct nlattr;
struct offload_port;

/* dpdk-ports.c. */

/* Is 'netdev' a port of the userspace datapath? */
bool dpdk_serves(const struct netdev *);

/* Open vSwitch has made 'netdev' port 'odp_port' of a datapath; does nothing
 * for others than the userspace datapath. */
void dpdk_ports_add(struct netdev *, odp_port_t);
void dpdk_ports_remove(odp_port_t);

/* Opens the port of 'netdev' for rules.  Returns 0, or a positive errno, with
 * the reason logged. */
int dpdk_ports_open(const struct netdev *);

/* The port of 'netdev', or NULL.  Good until the caller quiesces. */
struct offload_port *dpdk_ports_lookup(const struct netdev *);

/* dpdk-nic-ports.c. */

/* What DPDK says that its ports are; their numbers are in 'ifindex'.
 * nic_ports_destroy() is to be called. */
void dpdk_nic_ports_read(struct nic_ports *);

/* dpdk-queue.c. */

/* Starts the threads, once. */
void dpdk_queue_start(void);

/* Copies what is to be done, to do it later.  Operations are done in the order
 * in which they came. */
void dpdk_queue_put(struct offload_port *in_port, const ovs_u128 *ufid,
                    const struct match *, const struct nlattr *actions,
                    size_t actions_len, uint32_t mark);

/* What has been queued is to be begun with, if it hasn't yet: a thread that
 * offloads calls this whenever it has nothing more to do. */
void dpdk_queue_end_of_batch(void);

/* Called when a port has come, or its device was started: flows that were
 * refused for want of it are offered again. */
void dpdk_queue_retry(void);

/* The number of operations that nobody has begun with. */
unsigned int dpdk_queue_length(void);

/* If 'wait', returns when it has been done. */
void dpdk_queue_del(const ovs_u128 *ufid, bool wait);

/* dpdk-flow-api.c. */
extern const struct netdev_flow_api dpdk_flow_api;

/* The userspace datapath names its flows otherwise to people than to us.
 * Whenever a thread reads one of its flows, it asks us about it, in that
 * thread: this tells by which ufid, the last time since this was called the
 * last time.  False if it hasn't asked: then we weren't offered the flow. */
bool dpdk_flow_asked(ovs_u128 *ufid);

#endif /* dpdk-offload.h */
