/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ENGINE_PRIVATE_H
#define ENGINE_PRIVATE_H 1

/* What the engine's own files share: engine.c (operations on flows),
 * engine-remove.c (what OVS didn't ask for), engine-dump.c (reading counters,
 * lost rules), engine-port.c (ports, meters, configuration). */

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "flow-table.h"
#include "offload-backend.h"
#include "offload-rule.h"

/* The datapath's properties and configuration, as parsing needs them. */
void engine_context(struct offload_context *, enum offload_datapath,
                    bool recirc_shared);
uint32_t engine_max_flows(void);
unsigned int engine_max_staleness(void);

/* Takes a claimed flow's rule out of its device, alone.  Afterwards the flow
 * is in 'state'.  Returns 0, or a positive errno if it still is in the
 * device. */
int engine_remove_rule(struct offload_flow *, enum offload_flow_state state);

/* Rules of one port that are taken out of their device together.  The flows
 * are added claimed, and released by engine_removal_commit(), which is called
 * for each 64 of them, and must be at the end. */
struct engine_removal {
    struct offload_port *port;
    struct offload_flow *flows[64];
    struct offload_op ops[64];
    size_t n;
    size_t n_failed;            /* They stay, and what they are. */
    bool force;                 /* None stays: forget what can't be deleted. */
    bool detach;                /* The port goes, too. */
};
void engine_removal_init(struct engine_removal *, struct offload_port *);
void engine_removal_add(struct engine_removal *, struct offload_flow *);
void engine_removal_commit(struct engine_removal *);

/* Claims a flow that may be added, having committed if it must be waited
 * for.  Returns 0 or ENOENT. */
int engine_removal_claim(struct engine_removal *, const ovs_u128 *ufid,
                         struct offload_flow **);

/* Takes all rules out of the port's device. */
void engine_remove_all(struct offload_port *, bool force, bool detach);

/* Puts a claimed flow's rule into its device again, which has lost it. */
int engine_reinstall(struct offload_flow *);

/* Has a flow of 'port' that is installed this match?  To be asked if the
 * device says so: it may mean somebody else's rule.  Looks at all flows of the
 * port, 10 times a second at most; in between the answer is yes, which is
 * right but for somebody else's rules. */
bool engine_has_twin(struct offload_port *, const struct match *);

/* Counts and logs a refusal. */
void engine_note_refusal(const struct offload_refusal *,
                         const struct offload_port *, const ovs_u128 *ufid);

/* Refusals that come from several places.  Each returns the errno. */
int engine_refuse_orphan(struct offload_refusal *, uint32_t recirc_id);
int engine_refuse_limit(struct offload_refusal *);

/* A claimed flow has been installed: notes what its driver said, if it doesn't
 * execute the rule, and forgets what spoke against the flow before. */
void engine_note_words(struct offload_flow *, struct offload_port *,
                       const struct offload_op *);

/* Looks for rules that devices have lost. */
void engine_dump_run(void);

#endif /* engine-private.h */
