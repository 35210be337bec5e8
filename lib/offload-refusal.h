/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_REFUSAL_H
#define OFFLOAD_REFUSAL_H 1

/* Why a megaflow can't be offloaded.
 *
 * Everything between a megaflow and a rule in the NIC that may say "no" says
 * it by filling in a struct offload_refusal: which kind of refusal (a row of
 * OFFLOAD_REFUSALS), which field, action or limit it is about, by name, a
 * detail such as the value and the mask or the kernel's own words, and, where
 * there is one, a hint what a person could change.  A log line is made from
 * the object, never instead of it.
 *
 * A refusal holds no pointers to dynamic memory: 'subject' and 'hint' are
 * string literals or strings of static tables.  It may be copied with '=',
 * needs no destruction, and is owned by whoever declared it. */

#include <stdbool.h>

#include "openvswitch/compiler.h"

struct ds;

/* One row a code: the code, its name for programs, the errno that Open vSwitch
 * gets, and a sentence for people in which the subject stands before the text.
 *
 * OVS 3.1 takes EOPNOTSUPP as "not for hardware" and ENOSPC as "the device's
 * table is full"; anything else is logged as an error, and EEXIST makes it
 * lose track of the flow (lib/dpif-netlink.c, parse_flow_put()). */
#define OFFLOAD_REFUSALS                                                      \
    OFFLOAD_REFUSAL(FIELD, "field-unsupported", EOPNOTSUPP,                   \
                    "match field can't be expressed")                         \
    OFFLOAD_REFUSAL(FIELD_MASK, "mask-unsupported", EOPNOTSUPP,               \
                    "match field can't be matched with this mask")            \
    OFFLOAD_REFUSAL(FIELD_VALUE, "value-unsupported", EOPNOTSUPP,             \
                    "match field can't be matched with this value")           \
    OFFLOAD_REFUSAL(ACTION, "action-unsupported", EOPNOTSUPP,                 \
                    "action can't be expressed")                              \
    OFFLOAD_REFUSAL(ACTION_VALUE, "action-value-unsupported", EOPNOTSUPP,     \
                    "action can't be expressed with this value")              \
    OFFLOAD_REFUSAL(ACTION_ORDER, "action-order-unsupported", EOPNOTSUPP,     \
                    "action can't be expressed in this place")                \
    OFFLOAD_REFUSAL(ACTION_MALFORMED, "action-malformed", EOPNOTSUPP,         \
                    "action is malformed")                                    \
    OFFLOAD_REFUSAL(TOO_MANY_ACTIONS, "too-many-actions", EOPNOTSUPP,         \
                    "limit of actions a rule exceeded")                       \
    OFFLOAD_REFUSAL(IN_PORT, "in-port-unsupported", EOPNOTSUPP,               \
                    "input port can't be offloaded")                          \
    OFFLOAD_REFUSAL(OUT_PORT, "out-port-unsupported", EOPNOTSUPP,             \
                    "output port can't be offloaded")                         \
    OFFLOAD_REFUSAL(CHAIN, "recirculation-unsupported", EOPNOTSUPP,           \
                    "recirculation can't be offloaded")                       \
    OFFLOAD_REFUSAL(PARENT, "parent-in-software", EOPNOTSUPP,                 \
                    "flow that recirculates to this one is in software")      \
    OFFLOAD_REFUSAL(METER, "meter-unsupported", EOPNOTSUPP,                   \
                    "meter can't be offloaded")                               \
    OFFLOAD_REFUSAL(CT_LIMIT, "ct-zone-limited", EOPNOTSUPP,                  \
                    "connection tracking zone has a limit that hardware "     \
                    "would not keep")                                         \
    OFFLOAD_REFUSAL(CAPABILITY, "capability-missing", EOPNOTSUPP,             \
                    "missing in this kernel or device")                       \
    OFFLOAD_REFUSAL(STOPPED, "port-not-started", EOPNOTSUPP,                  \
                    "port that programs the NIC isn't started")               \
    OFFLOAD_REFUSAL(PRIO_EXHAUSTED, "priorities-exhausted", EOPNOTSUPP,       \
                    "no priority left for one more combination of masks")     \
    OFFLOAD_REFUSAL(OVERLAP, "overlapping-rule", EOPNOTSUPP,                  \
                    "another rule with the same match is there already")      \
    OFFLOAD_REFUSAL(TABLE_FULL, "table-full", ENOSPC,                         \
                    "hardware table is full")                                 \
    OFFLOAD_REFUSAL(FLOW_LIMIT, "flow-limit", ENOSPC,                         \
                    "configured limit of offloaded flows reached")            \
    OFFLOAD_REFUSAL(PROBE, "probe", EOPNOTSUPP,                               \
                    "a feature probe of Open vSwitch, not a flow")            \
    OFFLOAD_REFUSAL(DRIVER, "driver-refused", EOPNOTSUPP,                     \
                    "TC in software, driver said")                            \
    OFFLOAD_REFUSAL(DEVICE, "device-error", EOPNOTSUPP,                       \
                    "kernel or device failed")

enum offload_refusal_code {
    OFFLOAD_REFUSED_NOT,        /* No refusal. */
#define OFFLOAD_REFUSAL(CODE, NAME, ERROR, TEXT) OFFLOAD_REFUSED_##CODE,
    OFFLOAD_REFUSALS
#undef OFFLOAD_REFUSAL
    OFFLOAD_N_REFUSALS
};

struct offload_refusal {
    enum offload_refusal_code code;
    int error;              /* Positive errno from the device, or 0. */
    const char *subject;    /* Field, action or limit by name.  Static. */
    const char *hint;       /* What a person could change, or NULL.  Static. */
    char detail[160];       /* Value, mask, extack ...: may be "". */
};

#define OFFLOAD_REFUSAL_INITIALIZER { .code = OFFLOAD_REFUSED_NOT }

void offload_refusal_init(struct offload_refusal *);

/* Fills in a refusal.  Returns the errno that Open vSwitch gets for it. */
int offload_refuse(struct offload_refusal *, enum offload_refusal_code,
                   const char *subject, const char *hint,
                   const char *detail_format, ...)
    OVS_PRINTF_FORMAT(5, 6);

static inline bool
offload_refused(const struct offload_refusal *refusal)
{
    return refusal->code != OFFLOAD_REFUSED_NOT;
}

/* The errno that Open vSwitch gets for a refusal, 0 if there is none. */
int offload_refusal_errno(const struct offload_refusal *);
const char *offload_refusal_name(enum offload_refusal_code);
const char *offload_refusal_text(enum offload_refusal_code);

/* Its hint, or one for its subject, or a general one.  Static; NULL if it is
 * no refusal. */
const char *offload_refusal_hint(const struct offload_refusal *);
void offload_refusal_format(const struct offload_refusal *, struct ds *);

#endif /* offload-refusal.h */
