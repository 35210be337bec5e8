/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static const struct {
    const char *name;
    int error;
    const char *text;
} refusals[OFFLOAD_N_REFUSALS] = {
    [OFFLOAD_REFUSED_NOT] = { "none", 0, "not refused" },
#define OFFLOAD_REFUSAL(CODE, NAME, ERROR, TEXT) \
    [OFFLOAD_REFUSED_##CODE] = { NAME, ERROR, TEXT },
    OFFLOAD_REFUSALS
#undef OFFLOAD_REFUSAL
};

/* What a person could do, if nothing more particular is known. */
#define HINT_MATCH                                                            \
    "offload/caps PORT lists what can be matched, ofproto/trace the "         \
    "OpenFlow rules that look at this"
#define HINT_ACTION                                                           \
    "offload/caps PORT lists what can be done, ofproto/trace the OpenFlow "   \
    "rules that do this"
#define HINT_PORT "offload/ports says which ports can be offloaded"

static const char *const hints[OFFLOAD_N_REFUSALS] = {
    [OFFLOAD_REFUSED_FIELD] = HINT_MATCH,
    [OFFLOAD_REFUSED_FIELD_MASK] = HINT_MATCH,
    [OFFLOAD_REFUSED_FIELD_VALUE] = HINT_MATCH,
    [OFFLOAD_REFUSED_ACTION] = HINT_ACTION,
    [OFFLOAD_REFUSED_ACTION_VALUE] = HINT_ACTION,
    [OFFLOAD_REFUSED_ACTION_ORDER] = HINT_ACTION,
    [OFFLOAD_REFUSED_TOO_MANY_ACTIONS] = HINT_ACTION,
    [OFFLOAD_REFUSED_IN_PORT] = HINT_PORT,
    [OFFLOAD_REFUSED_OUT_PORT] = HINT_PORT,
    [OFFLOAD_REFUSED_CT_LIMIT] = "dpctl/ct-del-limits takes the limit away",
    [OFFLOAD_REFUSED_PRIO_EXHAUSTED] = "OpenFlow rules with fewer different "
                                       "masks need fewer",
    [OFFLOAD_REFUSED_TABLE_FULL] = "OpenFlow rules that look at less make "
                                   "fewer flows",
    [OFFLOAD_REFUSED_DRIVER] = "firmware and driver: \"devlink dev info\" and "
                               "\"devlink dev param show\"",
    [OFFLOAD_REFUSED_DEVICE] = "dmesg may say more",
};

void
offload_refusal_init(struct offload_refusal *refusal)
{
    *refusal = (struct offload_refusal) OFFLOAD_REFUSAL_INITIALIZER;
}

/* Fills in 'refusal', whatever it was before.  A detail that doesn't fit is
 * cut off.  Returns the code's errno, so that the caller can return it. */
int
offload_refuse(struct offload_refusal *refusal, enum offload_refusal_code code,
               const char *subject, const char *hint,
               const char *detail_format, ...)
{
    va_list args;

    ovs_assert(code < OFFLOAD_N_REFUSALS);
    refusal->code = code;
    refusal->error = 0;
    refusal->subject = subject;
    refusal->hint = hint;

    va_start(args, detail_format);
    vsnprintf(refusal->detail, sizeof refusal->detail, detail_format, args);
    va_end(args);
    return offload_refusal_errno(refusal);
}

int
offload_refusal_errno(const struct offload_refusal *refusal)
{
    return refusals[refusal->code].error;
}

const char *
offload_refusal_name(enum offload_refusal_code code)
{
    return refusals[code].name;
}

const char *
offload_refusal_text(enum offload_refusal_code code)
{
    return refusals[code].text;
}

const char *
offload_refusal_hint(const struct offload_refusal *refusal)
{
    return refusal->hint ? refusal->hint : hints[refusal->code];
}

/* Appends one line without a newline: "SUBJECT: TEXT: DETAIL (ERROR); HINT",
 * of which all but the text may be missing. */
void
offload_refusal_format(const struct offload_refusal *refusal, struct ds *s)
{
    if (refusal->subject && refusal->subject[0]) {
        ds_put_format(s, "%s: ", refusal->subject);
    }
    ds_put_cstr(s, offload_refusal_text(refusal->code));
    if (refusal->detail[0]) {
        ds_put_format(s, ": %s", refusal->detail);
    }
    if (refusal->error) {
        ds_put_format(s, " (%s)", ovs_strerror(refusal->error));
    }
    if (refusal->hint) {
        ds_put_format(s, "; %s", refusal->hint);
    }
}
