/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_RULES_H
#define BENCH_RULES_H 1

/* What the benchmarks of backends share: the rule of the benchmark's flows,
 * which differ in their IPv4 destination (bench-lib.h), and a sweep. */

#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "offload-rule.h"
#include "openvswitch/compiler.h"

#define BENCH_IN_PORT u32_to_odp(1)
#define BENCH_OUT_PORT u32_to_odp(2)

/* One rule that is each flow's in its turn.  Not to be moved once it has been
 * initialized. */
struct bench_rule {
    struct offload_rule rule;
    struct flow packet;
};

/* A rule of 'port', which is BENCH_IN_PORT, to BENCH_OUT_PORT. */
void bench_rule_init(struct bench_rule *, struct offload_port *port);

/* Makes it the rule of flow 'flow'. */
void bench_rule_set(struct bench_rule *, uint32_t flow);

/* Ends the program. */
void bench_refused(const char *what, const struct offload_refusal *)
    OVS_NO_RETURN;

/* Reads the counters of all rules of 'port'.  Returns their number. */
size_t bench_dump(const struct offload_backend *, struct offload_port *);

#endif /* bench-rules.h */
