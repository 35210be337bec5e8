/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_FLOW_API_H
#define OFFLOAD_FLOW_API_H 1

/* The engine as a provider of Open vSwitch's struct netdev_flow_api (OVS 3.1
 * to 3.6). */

#include <stdbool.h>

struct netdev;

/* Takes Open vSwitch's own TC provider out and puts ours in its place.  Once,
 * before the first netdev is opened.  Logs nothing at INFO or above. */
void flow_api_register(void);

/* True if 'netdev' belongs to the kernel datapath, which is the only one that
 * our provider serves. */
bool flow_api_serves(const struct netdev *);

/* True if Open vSwitch has assigned our provider to 'netdev'. */
bool flow_api_is_assigned(const struct netdev *);

/* Whether the kernel datapath shares its recirculation ids with TC: known once
 * the first flow has been offered to the provider. */
bool flow_api_recirc_known(void);
bool flow_api_recirc_shared(void);

#endif /* flow-api.h */
