/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWIM_DPDK_FLOW_H
#define ESWIM_DPDK_FLOW_H 1

/* From rte_flow's rules to the eswitch's.
 *
 * A pattern item is a row of the table in dpdk-flow-item.c, an action one in
 * dpdk-flow-action.c.  Both only say how DPDK's form becomes the eswitch's:
 * whether the rule makes sense, and whether this NIC can do it, is the
 * eswitch's to decide.  What neither knows is refused by name.
 *
 * A translation lives on the stack while a rule is created or validated.  It
 * remembers which of the caller's items and actions became which of the
 * eswitch's, so that an error points at the right one. */

#include <rte_flow.h>

#include "eswim/dpdk-nic.h"
#include "eswim/eswitch.h"

/* Memory for what has another form there than here. */
#define ESWIM_SCRATCH 8192

struct eswim_translation {
    struct eswim_port *port;            /* The rule is created on. */
    struct rte_flow_error *error;       /* Filled when something fails. */

    struct eswitch_item items[ESWITCH_MAX_ITEMS];
    const struct rte_flow_item *item_of[ESWITCH_MAX_ITEMS];
    size_t n_items;

    struct eswitch_action actions[ESWITCH_MAX_ACTIONS];
    const struct rte_flow_action *action_of[ESWITCH_MAX_ACTIONS];
    size_t n_actions;

    _Alignas(16) uint8_t scratch[ESWIM_SCRATCH];
    size_t n_scratch;
};

/* Both return 0, or a positive errno with t->error filled. */
int eswim_translate_items(struct eswim_translation *t,
                          const struct rte_flow_item pattern[]);
int eswim_translate_actions(struct eswim_translation *t,
                            const struct rte_flow_action actions[]);

void *eswim_scratch(struct eswim_translation *t, size_t size);
int eswim_flow_error(struct rte_flow_error *, int error,
                     enum rte_flow_error_type, const void *cause,
                     const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* For tunnels' headers, which are given as items too. */
size_t eswim_item_header_size(enum rte_flow_item_type);

#endif /* lib/eswim/dpdk-flow.h */
