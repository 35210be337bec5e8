/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_BACKEND_H
#define OFFLOAD_BACKEND_H 1

/* What a way to program a NIC must implement.
 *
 * A backend takes ports, puts rules on them, takes rules off again, and reads
 * counters.  It knows neither Open vSwitch's provider interfaces nor the
 * shadow table: the engine above it keeps what was installed.
 *
 * Threading.  Everything may be called by several threads at once.  The engine
 * sees to it that no two threads work on one rule (handle) at a time.  A
 * backend may have one socket or queue a thread, and must not hold a lock
 * that two threads share over a system call.
 *
 * Batches.  Rules are put and deleted in batches, even if of one:
 *
 *     batch = backend->batch_begin();
 *     backend->rule_put(batch, port, rule, &op1);
 *     backend->rule_del(batch, port, &op2);
 *     backend->batch_commit(batch);
 *
 * rule_put() and rule_del() encode at once, so 'rule' may be reused for the
 * next one; what they can refuse without asking the device they refuse at
 * once.  After batch_commit() every op has its result, and none concerns
 * another: whatever failed, each rule is either in the device or not, and its
 * op says which.  A batch belongs to the calling thread, which has at most
 * one; beginning and committing allocate nothing in the steady state.
 *
 * Rules survive until they are deleted, the port is closed or flushed, or the
 * device loses them; the latter shows in a dump. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-action.h"
#include "offload-field.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/types.h"

struct ds;
struct ofpbuf;
struct offload_batch;
struct offload_dump;
struct offload_port;
struct offload_rule;
struct ofputil_meter_config;
struct ofputil_meter_stats;

/* Where a rule is in its device.  Opaque for all but the backend. */
union offload_handle {
    struct {
        uint32_t handle;        /* 0: not installed. */
        uint32_t chain;
        uint16_t prio;
        ovs_be16 protocol;
        uint32_t mask_hash;     /* Of the match.  Unknown in a reading. */
    } tc;
    struct {                    /* In the places of 'handle' and 'chain'. */
        uint32_t slot;          /* 0: not installed. */
        uint32_t generation;
    } rte;
};

static inline bool
offload_handle_is_set(const union offload_handle *h)
{
    return h->tc.handle != 0;
}

/* True if both mean the same rule of one port. */
static inline bool
offload_handle_equals(const union offload_handle *a,
                      const union offload_handle *b)
{
    return (a->tc.handle == b->tc.handle && a->tc.chain == b->tc.chain
            && a->tc.prio == b->tc.prio);
}

/* What a device has counted for a rule since it was installed there.  Packets
 * and bytes that were switched by hardware and by software (TC software, not
 * Open vSwitch) are kept apart. */
struct offload_counters {
    uint64_t hw_packets, hw_bytes;
    uint64_t sw_packets, sw_bytes;
};

/* One operation of a batch.  The caller owns it and keeps it in place until
 * batch_commit() has returned. */
struct offload_op {
    /* For rule_put(): all zeros to add, or a rule to be replaced.
     * For rule_del(): the rule to be deleted.
     * Set by batch_commit() to where the rule is now, all zeros if it is not
     * in the device. */
    union offload_handle handle;

    /* The last counters of the rule that was deleted or replaced, zeros for
     * one that was added. */
    struct offload_counters counters;

    /* Result: 0, or a positive errno with 'refusal' filled in.  A rule that
     * only software executes is a success; if it is known why, 'refusal' has
     * the code OFFLOAD_REFUSED_DRIVER.
     * A replacement that fails has either left the old rule in place ('handle'
     * unchanged) or taken it out ('handle' zeros, 'counters' valid).
     * Deleting what is not there any more succeeds, with 'lost' set. */
    int error;
    bool lost;
    bool partial;               /* The device only marks the packets, which
                                 * go to software.  Only from rule_put(). */
    struct offload_refusal refusal;
};

/* One rule's counters, as read by a dump. */
struct offload_reading {
    ovs_u128 ufid;
    union offload_handle handle;
    struct offload_counters counters;
    bool in_hw;                 /* At least one device executes it. */
};

/* What came in at a port. */
struct offload_received {
    uint64_t packets, bytes;
    bool software;              /* Only what software got to see: else it may
                                 * include what hardware switched. */
};

/* How far a row of a table is supported. */
enum offload_support {
    OFFLOAD_SUPPORT_NO,
    OFFLOAD_SUPPORT_EXACT,      /* A field: with all of its bits or none. */
    OFFLOAD_SUPPORT_YES,
};

struct offload_backend {
    const char *name;           /* "tc". */
    enum offload_datapath datapath;     /* Whose ports it takes. */
    const char *dp_layer;       /* As in dpctl/dump-flows: "tc", "dpdk". */

    /* The device is slow to ask: a thread of its own reads all counters now
     * and then, and engine_get() reports what it read last. */
    bool own_thread;

    /* Takes 'port', learns its capabilities, makes it ready for rules, and
     * removes what an earlier daemon left behind of ours.  Returns 0 or a
     * positive errno with the refusal filled in. */
    int (*port_open)(struct offload_port *, struct offload_refusal *);

    /* Removes all our rules from 'port' and what else we put on it.  The
     * device may have gone already. */
    void (*port_close)(struct offload_port *);

    struct offload_batch *(*batch_begin)(void);
    void (*rule_put)(struct offload_batch *, struct offload_port *,
                     const struct offload_rule *, struct offload_op *);
    void (*rule_del)(struct offload_batch *, struct offload_port *,
                     struct offload_op *);
    void (*batch_commit)(struct offload_batch *);

    /* Deletes all our rules on a port, with as few requests as others' rules
     * on it allow, and calls 'reading' for each of them before.  Returns 0 or
     * a positive errno, after which some may be left.  For each that is gone,
     * rule_forget() releases what the backend keeps of it.  May be NULL. */
    int (*flush)(struct offload_port *,
                 void (*reading)(const struct offload_reading *, void *aux),
                 void *aux);
    void (*rule_forget)(struct offload_port *, const union offload_handle *);

    /* Stores in '*packets' a number that grows, sooner or later, with each
     * packet that a rule on the port may count, and costs little to read.
     * Returns 0 or a positive errno, EOPNOTSUPP if there is none.  May be
     * NULL. */
    int (*activity)(struct offload_port *, uint64_t *packets);

    /* For people: what came in at the port since it was opened.  Returns 0 or
     * a positive errno, EOPNOTSUPP if that isn't known.  May be NULL. */
    int (*received)(struct offload_port *, struct offload_received *);

    /* Dumps the counters of all our rules on a port.  dump_next() may be
     * called by several threads at once, each with a buffer 'buf' of its own,
     * which the backend uses to receive; it stores up to 'max' readings and
     * returns their number, 0 at the end of the dump.  dump_done() sets
     * '*complete' to true if surely every rule that was there all the time
     * has been dumped, and returns 0 or a positive errno.  It must be called
     * once no thread is in dump_next(). */
    int (*dump_start)(struct offload_port *, struct offload_dump **);
    size_t (*dump_next)(struct offload_dump *, struct ofpbuf *buf,
                        struct offload_reading readings[], size_t max);
    int (*dump_done)(struct offload_dump *, bool *complete);

    /* Reads one rule's counters from the device.  ENOENT if it isn't
     * there. */
    int (*rule_read)(struct offload_port *, const union offload_handle *,
                     struct offload_counters *);

    /* Meters.  Each returns 0 or a positive errno.  'stats' may be NULL, and
     * its members are added to, not replaced. */
    int (*meter_set)(uint32_t meter_id, const struct ofputil_meter_config *,
                     struct offload_refusal *);
    int (*meter_get)(uint32_t meter_id, struct ofputil_meter_stats *stats);
    int (*meter_del)(uint32_t meter_id, struct ofputil_meter_stats *stats);

    /* Describes what this backend, kernel and devices can do, a line a
     * capability. */
    void (*capabilities)(struct ds *);

    /* For people who ask; none of them asks a device, any may be NULL. */

    /* What rule_put() would refuse before it asks the device.  Returns 0 or a
     * positive errno with the refusal filled in. */
    int (*rule_check)(struct offload_port *, const struct offload_rule *,
                      struct offload_refusal *);

    /* What keeps the device of a port that has been opened from taking, now,
     * whole rules, whatever the flow: it can only mark packets, or is
     * stopped.  Returns 0 or a positive errno with the refusal filled in. */
    int (*port_check)(struct offload_port *, struct offload_refusal *);

    /* Appends where a rule is, in the words of the device's own tools. */
    void (*handle_format)(const union offload_handle *, struct ds *);

    /* Can 'port' match the row 'id' of the field table, or do what the row of
     * the action table does that makes 'kind'?  '*why' says what is missing,
     * or what the limits are; NULL if there is nothing to say.  Static. */
    enum offload_support (*match_support)(const struct offload_port *,
                                          enum offload_field_id id,
                                          const char **why);
    enum offload_support (*action_support)(const struct offload_port *,
                                           enum offload_action_kind kind,
                                           const char **why);
};

extern const struct offload_backend offload_backend_tc;
#ifdef DPDK_NETDEV
extern const struct offload_backend offload_backend_rte;
#endif

#endif /* offload-backend.h */
