/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_ACTION_H
#define ESWITCH_ACTION_H 1

/* Actions: what is possible is decided when a rule is made, what is done when
 * a packet comes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eswim/eswitch.h"

struct packet;

/* What of a rule's actions others need to know. */
struct action_summary {
    const struct eswitch_action *jump;  /* Or null. */
    bool has_count;
};

/* Checks the actions of 'rule' and summarizes them.  Returns 0 or a positive
 * errno, with '*error' filled in. */
int eswitch_actions_check(const struct eswitch_rule *, uint16_t n_ports,
                          struct action_summary *,
                          struct eswitch_error *error);

/* A copy, with all that it points to, to be freed with free().  The actions
 * must have been checked.  Null if there is no memory. */
struct eswitch_action *eswitch_actions_clone(const struct eswitch_action *,
                                             size_t n);

/* Does an action that changes the packet (all but fates, COUNT and SAMPLE).
 * False if it can't be done to this one, which may be spoilt then. */
bool eswitch_action_do(const struct eswitch_action *, struct packet *);

#endif /* eswitch-action.h */
