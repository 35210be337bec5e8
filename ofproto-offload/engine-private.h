/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ENGINE_PRIVATE_H
#define ENGINE_PRIVATE_H 1

/* What the engine's own files share: engine.c (operations on flows),
 * engine-dump.c (reading counters, lost rules), engine-port.c (ports, flush,
 * meters, configuration). */

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

/* Takes a claimed flow's rule out of its device, alone.  Afterwards the flow
 * is in 'state'.  Returns 0, or a positive errno if it still is in the
 * device. */
int engine_remove_rule(struct offload_flow *, enum offload_flow_state state);

/* Puts a claimed flow's rule into its device again, which has lost it. */
int engine_reinstall(struct offload_flow *);

/* Counts and logs a refusal. */
void engine_note_refusal(const struct offload_refusal *,
                         const struct offload_port *, const ovs_u128 *ufid);
void engine_format_refusals(struct ds *);

/* Looks for rules that devices have lost. */
void engine_dump_run(void);

#endif /* engine-private.h */
