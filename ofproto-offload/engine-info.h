/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ENGINE_INFO_H
#define ENGINE_INFO_H 1

/* What the engine tells people who ask: of a flow, and of one that might be.
 * Changes nothing.  From any thread; pointers in a copy are static or good
 * until the caller quiesces. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "flow-table.h"

/* Where a flow's packets are switched, the best first. */
#define ENGINE_PLACES                                                       \
    ENGINE_PLACE(HARDWARE, "hardware", "in hardware")                       \
    ENGINE_PLACE(PARTIAL, "partial", "partly in hardware: it marks packets "\
                 "for software")                                            \
    ENGINE_PLACE(TC, "tc-software", "TC in software")                       \
    ENGINE_PLACE(LEAVING, "leaving", "just taken out of hardware")          \
    ENGINE_PLACE(OVS, "ovs-software", "Open vSwitch in software")

enum engine_place {
#define ENGINE_PLACE(ID, NAME, TEXT) ENGINE_IN_##ID,
    ENGINE_PLACES
#undef ENGINE_PLACE
    ENGINE_N_PLACES
};
const char *engine_place_name(enum engine_place);
const char *engine_place_text(enum engine_place);

/* A flow that the engine has a rule of, or had. */
struct engine_flow_info {
    enum engine_place place;
    enum offload_datapath datapath;
    bool condemned;             /* Should have been deleted, but can't be. */
    odp_port_t in_port;
    char device[IFNAMSIZ];      /* "" once its port is gone. */
    const char *backend;        /* NULL once its port is gone. */
    union offload_handle handle;
    struct offload_counters counters;
    long long int created;      /* When it got a rule, having had none;
                                 * monotonic msec, as the following. */
    long long int used;         /* By a packet; 0: never. */
    long long int read;         /* When its counters were; 0: never. */
    long long int evicted;      /* If leaving, monotonic msec. */
    bool is_read;               /* Its counters have been read by now. */
};

/* 0 or ENOENT: it has no rule, and had none. */
int engine_flow_info(const ovs_u128 *ufid, struct engine_flow_info *);

/* Appends where the rule is, e.g. "tc chain 0 pref 1 handle 0x1". */
void engine_flow_info_format_handle(const struct engine_flow_info *,
                                    struct ds *);

/* What would become of 'op', an ENGINE_PUT, without its parents and without
 * asking a device.  Returns 0 or a positive errno with op->refusal filled
 * in. */
int engine_check(struct engine_op *op);

/* The same for a flow that is in software, of which it isn't known why: with
 * its parents, and the configured limit, as they are now. */
int engine_check_again(struct engine_op *op);

/* What keeps a port's device from taking whole rules, whatever the flow.
 * Returns 0 or a positive errno with the refusal filled in; 0 for a port that
 * isn't known, or that no backend has taken. */
int engine_check_port(enum offload_datapath, odp_port_t,
                      struct offload_refusal *);

#endif /* engine-info.h */
