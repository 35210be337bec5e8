/* SPDX-License-Identifier: Apache-2.0 */

#ifndef RTE_RULES_H
#define RTE_RULES_H 1

/* The rules that we have in devices, and the devices' comings and goings.
 *
 * A struct rte_flow * is good only until its port is stopped, reset, or
 * removed, which happens in some other thread.  So nobody but this file has
 * one.  A rule is known by a handle (offload-backend.h): the number of its
 * slot and the slot's generation, which tell for ever whether it is still the
 * same rule.
 *
 *      rte_rule_add()          rte_rule_delete()
 *    ------------------> rule ------------------> gone
 *                        |  ^
 *             the device |  | rte_rule_replace(), when it has come back
 *          lost all rules v  |
 *                    without a device's rule: reads as ENOENT, but keeps
 *                    what it had counted
 *
 * A rule that is replaced goes from priority 0 to 1 or back, so that both are
 * there for a moment, neither has to be updated in place, and no two rules
 * with the same match have the same priority.
 *
 * Threads: everything may be called by any thread.  A device does one thing at
 * a time: its mutex is held while it creates, destroys or queries one rule,
 * never for longer, unless it is being stopped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-backend.h"
#include "rte/rte-encode.h"

struct offload_port;
struct offload_rule;

/* What the backend has in a port's 'aux'. */
struct rte_port_aux {
    struct rte_port port;       /* Of tunnels: without meaning. */
    char no_transfer[128];      /* If it takes no transfer rules: the driver's
                                 * words. */

    /* The slots of the rules of this input port, and, for a tunnel's port, of
     * those that lead to it.  Protected by a mutex in rte-rules.c. */
    uint32_t *slots, *outers;
    size_t n_slots, allocated_slots;
    size_t n_outers, allocated_outers;
};

/* Rules.  'enc' is 'rule', encoded for priority rte_rule_priority().  Errors
 * are positive errnos with the refusal filled in; EAGAIN if the device is
 * stopped. */
uint32_t rte_rule_priority(const union offload_handle *);
int rte_rule_add(struct offload_port *, const struct offload_rule *,
                 const struct rte_encoding *enc, union offload_handle *,
                 struct offload_refusal *);
int rte_rule_replace(struct offload_port *, const struct offload_rule *,
                     const struct rte_encoding *enc, union offload_handle *,
                     struct offload_counters *last, struct offload_refusal *);

/* Returns false if the device hadn't got it any more. */
bool rte_rule_delete(struct offload_port *, union offload_handle *,
                     struct offload_counters *last);

/* Reads a rule's counters from its device.  ENOENT if it isn't there. */
int rte_rule_read(const union offload_handle *, struct offload_counters *);

/* Steps through the rules of a port.  '*pos' is UINT32_MAX at first.  No rule
 * that is there all the time is missed; one may be met twice. */
bool rte_rule_next(struct offload_port *, uint32_t *pos,
                   union offload_handle *, ovs_u128 *ufid);

/* Forgets all rules of a port, which must have been deleted. */
void rte_port_aux_destroy(struct rte_port_aux *);

/* Devices. */

/* Told by whoever sees that port 'id' of DPDK has been started, is about to be
 * stopped (its rules are taken out, with their last counters), or has lost all
 * of its rules by itself. */
void rte_device_started(uint16_t id);
void rte_device_stopping(uint16_t id);
void rte_device_lost(uint16_t id);

/* Asks devices once more to destroy what they wouldn't when it was deleted or
 * replaced.  To be called now and then. */
void rte_devices_tidy(void);

/* Can it take rules?  'generation' changes whenever it loses them. */
bool rte_device_is_up(uint16_t id, uint32_t *generation);

#endif /* rte-rules.h */
