/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_PRIO_H
#define TC_PRIO_H 1

/* Priorities of filters.
 *
 * A prio holds filters of one protocol, and of one mask where the kernel can't
 * do several.  Prio 1 belongs to OVS's ingress policing; 2 and 3 are IPv4's
 * and IPv6's where a prio may hold several masks; others are given out from 5
 * on, per (protocol[, mask]), and taken back when the last rule has gone.
 *
 * Thread-safe; the lock inside is held for a hash lookup only. */

#include <stdint.h>

#include "openvswitch/types.h"

#define TC_PRIO_FIRST_OURS 2

/* The prio for a rule, or 0 if all are in use.  Counts a use of it. */
uint16_t tc_prio_get(ovs_be16 protocol, uint32_t mask_hash);
/* Takes one use back.  It must have been counted. */
void tc_prio_put(uint16_t prio);

#endif /* tc-prio.h */
