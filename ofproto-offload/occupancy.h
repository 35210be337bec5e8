/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_OCCUPANCY_H
#define OFFLOAD_OCCUPANCY_H 1

/* How many rules fit into devices, as far as they tell.
 *
 * Neither TC nor rte_flow has a way to ask for a table's size; a device only
 * says that there is no place for one more rule.  How many it had then is
 * counted by the main thread some time later, once counters have been read,
 * because only they tell which of the kernel's rules are in hardware.
 *
 * The number is that of all rules of a datapath that are in hardware: with
 * several NICs, of all of them together.
 *
 * Life: starts empty, and is kept until a device says so again. */

#include <stdbool.h>
#include <stdint.h>

#include "offload-port.h"

struct offload_refusal;

/* Where the rules of a port, or of all ports, are. */
struct occupancy {
    uint64_t rules;
    uint64_t hardware;          /* Of these, in a device. */
    uint64_t marks;             /* There, but software does the actions. */
};

/* A device that was full. */
struct occupancy_full {
    uint64_t rules;             /* So many rules of the datapath were in
                                 * hardware. */
    char port[IFNAMSIZ];        /* Whose device said so. */
    long long int when;         /* And when, monotonic msec. */
};

/* 'port''s device, or one of its devices, has refused a rule, or not taken it
 * into hardware.  Notes whether it said that it is full.  Thread-safe. */
void occupancy_note(struct offload_port *, const struct offload_refusal *);

/* Counts a port's rules.  Costs a look at each.  Thread-safe. */
void occupancy_count(const struct offload_port *, struct occupancy *);

/* From the main thread, in each run of its loop. */
void occupancy_run(long long int now);

/* False if no device has said that it is full.  Main thread only. */
bool occupancy_get_full(enum offload_datapath, struct occupancy_full *);

#endif /* occupancy.h */
