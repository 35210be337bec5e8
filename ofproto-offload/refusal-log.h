/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_REFUSAL_LOG_H
#define OFFLOAD_REFUSAL_LOG_H 1

/* Which flows are in software, and why: the latest refusal of each.
 *
 * Life: a flow is noted whenever it is refused, or its rule is executed by
 * software because a driver refused it; it is forgotten when it is offloaded
 * after all, when Open vSwitch deletes it, and when its port is flushed or
 * goes away.
 *
 * Memory is bounded, whatever is refused.  There are at most
 * REFUSAL_LOG_MAX_FLOWS records; when a place is needed, the one that was
 * refused the longest time ago is dropped, and counted.  Records that have the
 * port, the code and the subject in common, and where a device or a driver
 * said something its words too, have a common reason; there are at most
 * REFUSAL_LOG_MAX_REASONS, and what is beyond is counted under the code alone,
 * without a port.  Reasons go with their port; those that nobody has needed
 * for REFUSAL_LOG_IDLE_MS go when there are many.
 *
 * Log lines: refusal_log_run() writes one a reason and minute.
 *
 * Thread-safe, apart from what is for the main thread.  Who notes a flow must
 * be a thread of Open vSwitch's RCU.  Forgetting costs a read of a counter
 * while nothing is refused.  Otherwise records are in stripes by ufid, each
 * with a lock that is held for a hash lookup; the counters of reasons are
 * atomic. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/types.h"

#define REFUSAL_LOG_MAX_FLOWS 65536
#define REFUSAL_LOG_MAX_REASONS 4096
#define REFUSAL_LOG_INTERVAL_MS (60 * 1000)     /* Between log lines. */
#define REFUSAL_LOG_IDLE_MS (10 * 60 * 1000)

/* Where a flow comes in. */
struct refusal_place {
    enum offload_datapath datapath;
    odp_port_t odp_port;
    const char *port;           /* Its name, or NULL if it isn't known. */
};

/* The record of a flow, a copy. */
struct refused_flow {
    ovs_u128 ufid;
    enum offload_datapath datapath;
    odp_port_t odp_port;
    char port[IFNAMSIZ];        /* Or "". */
    struct offload_refusal refusal;
    long long int since, last;  /* When it was refused for this reason first,
                                 * and last; msec of the wall clock. */
    uint32_t n;                 /* How often, for this reason. */
};

/* A reason, a copy. */
struct refusal_reason_stats {
    size_t id;                  /* Below REFUSAL_LOG_MAX_REASONS plus
                                 * OFFLOAD_N_REFUSALS. */
    enum offload_datapath datapath;
    odp_port_t odp_port;
    char port[IFNAMSIZ];        /* Or "": unknown, or any. */
    enum offload_refusal_code code;
    const char *subject;        /* Static. */
    uint32_t n_flows;           /* Records. */
    uint64_t n_dropped;         /* Records that were dropped: flows that may
                                 * still be there. */
    uint64_t n_refused;         /* How often, since the port came, or was
                                 * flushed. */
};

void refusal_log_note(const struct offload_refusal *,
                      const struct refusal_place *, const ovs_u128 *ufid);
/* Counts a refusal of what isn't a flow of its own. */
void refusal_log_count_only(enum offload_refusal_code);
void refusal_log_forget(const ovs_u128 *ufid);
void refusal_log_forget_port(enum offload_datapath, odp_port_t);

/* False if the flow isn't known to be refused. */
bool refusal_log_lookup(const ovs_u128 *ufid, struct refused_flow *);

/* The number of records. */
uint32_t refusal_log_count(void);
uint64_t refusal_log_n_dropped(void);

/* The number of reasons that have a place, REFUSAL_LOG_MAX_REASONS at most. */
size_t refusal_log_n_reasons(void);

/* By code: how often it was refused, since start.  Main thread only. */
void refusal_log_totals(uint64_t totals[OFFLOAD_N_REFUSALS]);

/* Calls 'cb' for each reason that has flows.  Lock-free; main thread only, in
 * which a reason keeps its id until the next refusal_log_run(). */
void refusal_log_for_each_reason(
    void (*cb)(const struct refusal_reason_stats *, void *aux), void *aux);

/* Calls 'cb' for each record, with the id of its reason.  'cb' must not call
 * these functions: a stripe is locked meanwhile. */
void refusal_log_for_each_flow(
    void (*cb)(const struct refused_flow *, size_t reason, void *aux),
    void *aux);

/* Writes the log lines that are due at 'now' (monotonic msec), and frees the
 * reasons that aren't needed any more.  From the main thread, at every run of
 * its loop. */
void refusal_log_run(long long int now);

#endif /* refusal-log.h */
