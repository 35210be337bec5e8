/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_ACTION_ENCODE_H
#define TC_ACTION_ENCODE_H 1

/* What the encoders of actions share.  Private to lib/tc/tc-action*.c.
 *
 * TC's actions run one after the other, each with a control that says how to
 * go on: with the next (PIPE), with the n-th of the filter's (JUMP), in a
 * chain (GOTO_CHAIN), or not at all (SHOT, STOLEN).  See tcf_action_exec() in
 * net/sched/act_api.c of Linux.
 *
 * How long a branch of check_pkt_len gets is known only when it has been
 * encoded.  So every control is written as a placeholder and remembered, with
 * a label for where it goes; the labels are bound to action numbers on the
 * way, and all controls are filled in at the end. */

#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink.h"
#include "offload-action.h"
#include "offload-refusal.h"
#include "offload-rule.h"
#include "openvswitch/ofpbuf.h"

struct tc_narrowing;

/* Labels: where a control may go. */
enum {
    TC_LABEL_NEXT = -1,         /* The action after. */
    TC_LABEL_END = -2,          /* Nowhere: the packet's way ends. */
};

struct tc_control {
    size_t ofs;                 /* In 'msg', in bytes, a uint32_t. */
    unsigned int from;          /* Number of its action, from 0. */
    int label;
    uint32_t end;               /* TC_ACT_* if it goes nowhere. */
};

/* What the packet is like on the way to the action that is encoded next. */
struct tc_path {
    int n_vlans;                /* Tags. */
    bool resized;               /* Not of the length that TC measures. */
    bool released;              /* Surely without tunnel metadata. */
    bool maybe_released;
    bool tunnel_set;            /* With metadata that we have set. */
    bool ct_outdated;           /* Conntrack knows it by other addresses. */
    bool tracked;               /* Perhaps by conntrack. */
};

struct tc_encoder {
    struct ofpbuf *msg;
    const struct offload_rule *rule;
    struct tc_narrowing *narrowing;
    struct offload_refusal *refusal;

    unsigned int n;             /* TC actions so far. */
    bool has_cookie;
    struct tc_control controls[2 * TCA_ACT_MAX_PRIO];
    size_t n_controls;
    struct tc_control *tail;    /* The control that leads on from the last
                                 * action, NULL if none does. */

    /* By label: number of an action.  One for each check_pkt_len, and for
     * its second branch. */
    unsigned int labels[2 * TCA_ACT_MAX_PRIO];
    int n_labels;

    bool has_tunnel;            /* Packets come with tunnel metadata. */
    struct tc_path path;
};

/* One TC action, with its nested attributes open. */
struct tc_nesting {
    size_t action, options;
};

/* Begins an action of ours ('shared' false), or a reference to one that other
 * rules refer to, too, and which our cookie therefore must not go on. */
int tc_begin_action(struct tc_encoder *, const char *kind, bool shared,
                    struct tc_nesting *);
void tc_end_action(struct tc_encoder *, const struct tc_nesting *);

/* Begins a nested attribute with the flag that some actions insist on. */
static inline size_t
tc_start_nested(struct tc_encoder *e, uint16_t type)
{
    return nl_msg_start_nested(e->msg, type | NLA_F_NESTED);
}

/* Remembers the control at 'ofs' in the message. */
struct tc_control *tc_add_control(struct tc_encoder *, size_t ofs,
                                  uint32_t end);

/* Puts an action's parameters, a struct with a member 'action', the control,
 * which is END if the packet's way ends there.  Returns the control. */
#define TC_PUT_PARMS(ENCODER, TYPE, PARMS, END)                         \
    tc_put_parms__(ENCODER, TYPE, PARMS, sizeof *(PARMS),               \
                   (const char *) &(PARMS)->action                      \
                   - (const char *) (PARMS), END)
struct tc_control *tc_put_parms__(struct tc_encoder *, uint16_t type,
                                  const void *parms, size_t size,
                                  size_t control_ofs, uint32_t end);

/* What comes out of a tunnel port has the tunnel's metadata, which would be
 * in the way of whoever gets the packet: takes it off if it is still on. */
int tc_release_tunnel(struct tc_encoder *);
/* Takes off the metadata that we have set, if any. */
int tc_release_tunnel_set(struct tc_encoder *);

/* The encoders, by kind.  'final' says that nothing comes after the action.
 * Each returns 0, or a positive errno with the refusal filled in. */
typedef int tc_encode_action(struct tc_encoder *,
                             const struct offload_action *, bool final);
tc_encode_action tc_encode_push_vlan, tc_encode_pop_vlan;
tc_encode_action tc_encode_push_mpls, tc_encode_pop_mpls, tc_encode_set_mpls;
tc_encode_action tc_encode_set_tunnel;
tc_encode_action tc_encode_ct;

#endif /* tc-action-encode.h */
