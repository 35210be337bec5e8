/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_ACTIVITY_H
#define TC_ACTIVITY_H 1

/* Has a port had any packets?  For the price of one request, whatever the
 * number of its rules. */

#include <stdint.h>

struct offload_port;

/* Stores in '*packets' how many packets the port's network device has counted
 * received.  Returns 0 or a positive errno: EOPNOTSUPP if that says nothing of
 * what its rules have seen. */
int tc_activity(struct offload_port *, uint64_t *packets);

#endif /* tc-activity.h */
