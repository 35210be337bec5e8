/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_ACTIVITY_H
#define TC_ACTIVITY_H 1

/* Has a port had any packets?  For the price of one request, whatever the
 * number of its rules. */

#include <stdint.h>

struct offload_port;
struct offload_received;

/* Stores in '*packets' how many packets the port's network device has counted
 * received.  Returns 0 or a positive errno: EOPNOTSUPP if that says nothing of
 * what its rules have seen. */
int tc_activity(struct offload_port *, uint64_t *packets);

/* Stores in '*received' what came in at the port since it was opened; while
 * that happens, since the device was made.  Drivers of eswitches may say which
 * part of it went through software (IFLA_OFFLOAD_XSTATS_CPU_HIT).  Returns 0,
 * or a positive errno with '*received' all zeros: EOPNOTSUPP as for
 * tc_activity(). */
int tc_received(struct offload_port *, struct offload_received *received);

#endif /* tc-activity.h */
