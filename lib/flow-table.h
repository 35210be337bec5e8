/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H 1

/* The shadow table: what we have put into devices, and what they counted.
 *
 * It is the authority on what was installed: match and actions come out of a
 * dump as they went in, and only counters are read from a device.
 *
 * Life of a flow
 * --------------
 *
 *      put             put refused
 *    ------> INSTALLED -----------> (freed)
 *              |    |
 *      deleted |    | the device lost it, or we had to take it out
 *        OVS   |    v
 *              |  EVICTING   reported to OVS as long idle, so that it deletes
 *              v    |        it; then it may come back
 *           (freed) v
 *                 (freed when OVS deletes it, or after a while)
 *
 * REFUSED flows are kept for the sake of the flows they recirculate to, see
 * recirc-parents.h.
 *
 * The userspace datapath has all of its flows in software anyway.  There,
 * EVICTING flows are in software and are kept, with what their rules had
 * counted, until OVS deletes them, or their port is gone.
 *
 * Flows that went away without Open vSwitch having asked for it (EVICTING)
 * keep their last counters, because OVS will subtract what it knew from what
 * its deletion returns.
 *
 * Claims
 * ------
 *
 * Whoever wants to change a flow, or what the device has of it, claims it
 * first; a claim is exclusive and may be held across system calls.  It
 * concerns one flow only: no two flows share it.  A thread that already holds
 * claims must not wait for another (flow_table_try_claim()), so that there are
 * no deadlocks.
 *
 * Lookups and readers need no claim.  Flows are freed by RCU.
 *
 * Counters
 * --------
 *
 * What OVS sees only grows: what a rule had counted is carried over when it is
 * replaced or re-installed, and a reading smaller than the last is ignored.  A
 * reading that may be older than the last change of the rule is ignored as
 * well: flow_table_seq() before the reading began tells. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmap.h"
#include "flow-shares.h"
#include "offload-backend.h"
#include "openvswitch/types.h"
#include "ovs-rcu.h"

struct flow_spec;
struct match;
struct nlattr;
struct offload_port;
struct recirc_links;

enum offload_flow_state {
    OFFLOAD_FLOW_NEW,           /* Claimed by who created it. */
    OFFLOAD_FLOW_INSTALLED,     /* In its device. */
    OFFLOAD_FLOW_EVICTING,      /* Not in a device; OVS thinks it is. */
    OFFLOAD_FLOW_REFUSED,       /* In software; known as a parent. */
    OFFLOAD_FLOW_DEAD,          /* Not in the table any more. */
};

/* While a port is flushed: what is claimed for that, and what has been seen
 * there, and so is gone if all went well. */
enum offload_flow_flush {
    OFFLOAD_FLUSH_NOT,
    OFFLOAD_FLUSH_CLAIMED,
    OFFLOAD_FLUSH_SEEN,
};

struct offload_flow {
    /* What the readers of the userspace datapath need of each flow in each
     * sweep is together: most of its time is spent on waiting for memory. */
    struct cmap_node node;      /* In the table, by 'ufid'. */
    ovs_u128 ufid;

    /* Changed by the holder of the claim only; 'state' and 'handle' may be
     * read by others under the flow's lock. */
    enum offload_flow_state state;
    bool claimed;
    bool in_hw;                 /* By the last reading. */
    bool condemned;             /* INSTALLED, but should not be: it couldn't be
                                 * deleted.  Reported as EVICTING ones are, so
                                 * that OVS has it deleted again. */
    bool partial;               /* Software does its actions and counts. */
    bool has_words;             /* Its driver has said why it doesn't execute
                                 * the rule. */

    /* Under the flow's lock. */
    struct offload_counters last;   /* As last read from the device. */
    struct offload_counters base;   /* Of earlier rules of this flow. */
    long long int used;         /* When 'last' was seen to grow, msec of the
                                 * monotonic clock; 0: never. */
    struct flow_readers readers;

    /* As 'state'. */
    struct offload_port *port;  /* Input port; NULL once that is gone. */
    enum offload_datapath datapath;
    uint32_t mark;              /* See offload_rule. */

    /* Those readers need nothing from here on.  Under the flow's lock. */
    uint64_t seq;               /* Of the last change of the rule. */
    long long int created;      /* When it got a rule, having had none. */
    long long int read;         /* When its counters were read; 0: never. */
    long long int evicted;      /* When it became EVICTING, msec. */

    /* As 'state'. */
    uint64_t seen;              /* The last dump that has seen it. */
    uint32_t port_index;        /* For port-flows.c. */
    enum offload_flow_flush flush;
    union offload_handle handle;
    OVSRCU_TYPE(struct flow_spec *) spec;
    struct recirc_links *recirc;    /* See recirc-parents.h, or NULL. */
};

/* What the readers of the userspace datapath need of it. */
#define OFFLOAD_FLOW_HOT offsetof(struct offload_flow, seq)

/* A copy of what a flow has counted. */
struct offload_flow_stats {
    struct offload_counters counters;
    long long int used;
    bool grew;                  /* By this very reading. */
};

/* Looks up without a lock.  NULL if there is none.  With a 'mark' that isn't 0
 * it is faster, see flow-marks.h. */
struct offload_flow *flow_table_lookup(const ovs_u128 *ufid);
struct offload_flow *flow_table_lookup_marked(const ovs_u128 *ufid,
                                              uint32_t mark);

/* Claims the flow with 'ufid', which is created (state NEW) if 'create' and
 * there is none.  Returns 0 and the flow; ENOENT if there is none; EBUSY if
 * another thread, or this one, holds its claim (only try_claim). */
int flow_table_try_claim(const ovs_u128 *ufid, bool create,
                         struct offload_flow **);
int flow_table_claim(const ovs_u128 *ufid, bool create,
                     struct offload_flow **);

/* Gives the claim back.  A flow whose state is NEW or DEAD is taken out of the
 * table and freed. */
void flow_table_release(struct offload_flow *);

/* Sets what the flow is to do (copied), and its state to INSTALLED.  With the
 * claim held, after the device has taken the rule.  'carry' are the last
 * counters of the rule that was replaced. */
void flow_table_installed(struct offload_flow *, struct offload_port *,
                          const union offload_handle *,
                          const struct match *, const struct nlattr *actions,
                          size_t actions_len,
                          const struct offload_counters *carry);

/* The rule isn't in its device any more; 'carry' are its last counters, if
 * known, or NULL.  With the claim held. */
void flow_table_uninstalled(struct offload_flow *,
                            enum offload_flow_state state,
                            const struct offload_counters *carry);

/* The flow's port goes away: the flow keeps its counters, but shows in no
 * dump any more.  With the claim held. */
void flow_table_detach(struct offload_flow *);

/* The userspace datapath knows the flow by 'mark'.  With the claim held. */
void flow_table_mark(struct offload_flow *, uint32_t mark);

/* Adds what the flow had counted elsewhere before, until 'used' (msec). */
void flow_table_carry(struct offload_flow *, const struct offload_counters *,
                      long long int used);

/* Takes a reading of the device, which began when flow_table_seq() was
 * 'seq'.  Returns false if it was out of date, or of another rule.  Stores in
 * '*stats' what is known then, in either case. */
bool flow_table_reading(struct offload_flow *, const struct offload_reading *,
                        uint64_t seq, uint64_t dump, long long int now,
                        struct offload_flow_stats *stats);

/* Takes the last reading of a rule that is about to be flushed.  Ignored if
 * the flow isn't claimed for that ('flush', of the calling thread), or it is
 * another rule. */
void flow_table_last_reading(struct offload_flow *,
                             const struct offload_reading *);

void flow_table_stats(const struct offload_flow *,
                      struct offload_flow_stats *);

/* The same, but only what is the share of 'reader', see flow-shares.h; in
 * 'hw_packets' and 'hw_bytes' of the counters, whoever counted it. */
void flow_table_share(struct offload_flow *, uint64_t reader,
                      long long int now, struct offload_flow_stats *);
uint64_t flow_table_seq(void);
uint64_t flow_table_next_dump(void);

/* The number of flows in 'state'. */
uint32_t flow_table_count(enum offload_flow_state);

/* Steps through all flows, lock-free; a flow may be missed or met twice while
 * the table changes.  '*pos' is all zeros at first; NULL at the end. */
struct offload_flow *flow_table_next(struct cmap_position *pos);

/* Frees flows that have been EVICTING since before 'before' (msec). */
void flow_table_expire(long long int before);

#endif /* flow-table.h */
