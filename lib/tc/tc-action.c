/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-action.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_pedit.h>
#include <linux/tc_act/tc_skbedit.h>
#include <string.h>

#include "flow.h"
#include "offload-port.h"
#include "packets.h"
#include "tc/tc-action-encode.h"
#include "tc/tc-caps.h"
#include "tc/tc-match.h"
#include "tc/tc-pedit.h"
#include "tc/tc-police.h"
#include "util.h"

static int encode_list(struct tc_encoder *, const struct offload_action[],
                       size_t n, int exit);

/* One TC action. */

/* Begins an action of ours ('shared' false), or a reference to one that other
 * rules refer to, too, and which our cookie therefore must not go on. */
int
tc_begin_action(struct tc_encoder *e, const char *kind, bool shared,
                struct tc_nesting *nesting)
{
    const struct nla_bitfield32 flags = {
        .value = TCA_ACT_FLAGS_NO_PERCPU_STATS,
        .selector = TCA_ACT_FLAGS_NO_PERCPU_STATS,
    };

    if (e->n >= TCA_ACT_MAX_PRIO) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_TOO_MANY_ACTIONS,
                              "TC actions", NULL, "more than %d",
                              TCA_ACT_MAX_PRIO);
    }
    nesting->action = nl_msg_start_nested(e->msg, ++e->n);
    nl_msg_put_string(e->msg, TCA_ACT_KIND, kind);
    if (!shared) {
        nl_msg_put_unspec(e->msg, TCA_ACT_FLAGS, &flags, sizeof flags);
        if (!e->has_cookie) {
            nl_msg_put_unspec(e->msg, TCA_ACT_COOKIE, &e->rule->ufid,
                              sizeof e->rule->ufid);
            e->has_cookie = true;
        }
    }
    nesting->options = tc_start_nested(e, TCA_ACT_OPTIONS);
    e->tail = NULL;
    return 0;
}

void
tc_end_action(struct tc_encoder *e, const struct tc_nesting *nesting)
{
    nl_msg_end_nested(e->msg, nesting->options);
    nl_msg_end_nested(e->msg, nesting->action);
}

/* Remembers the control at 'ofs' in the message. */
struct tc_control *
tc_add_control(struct tc_encoder *e, size_t ofs, uint32_t end)
{
    struct tc_control *control = &e->controls[e->n_controls++];

    ovs_assert(e->n_controls <= ARRAY_SIZE(e->controls));
    *control = (struct tc_control) {
        .ofs = ofs,
        .from = e->n - 1,
        .label = TC_LABEL_NEXT,
        .end = end,
    };
    return control;
}

/* Puts an action's parameters, with its control 'control_ofs' bytes in. */
struct tc_control *
tc_put_parms__(struct tc_encoder *e, uint16_t type, const void *parms,
               size_t size, size_t control_ofs, uint32_t end)
{
    size_t ofs = e->msg->size + NLA_HDRLEN + control_ofs;

    nl_msg_put_unspec(e->msg, type, parms, size);
    return tc_add_control(e, ofs, end);
}

/* Ends the packet's way here, or leads it to 'chain' if that is nonzero. */
static int
put_gact(struct tc_encoder *e, uint32_t control)
{
    struct tc_gact parms = { .action = control };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "gact", false, &nesting);

    if (!error) {
        nl_msg_put_unspec(e->msg, TCA_GACT_PARMS, &parms, sizeof parms);
        tc_end_action(e, &nesting);
    }
    return error;
}

/* An action that goes where the last control of its list would go: for
 * actions whose control isn't ours to set. */
static int
put_gact_tail(struct tc_encoder *e)
{
    struct tc_gact parms = { .action = TC_ACT_PIPE };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "gact", false, &nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_GACT_PARMS, &parms, TC_ACT_SHOT);
        tc_end_action(e, &nesting);
    }
    return error;
}

/* Output. */

/* The host's stack takes only what is marked as for the host. */
static int
put_skbedit_host(struct tc_encoder *e)
{
    struct tc_skbedit parms = { .action = TC_ACT_PIPE };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "skbedit", false, &nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_SKBEDIT_PARMS, &parms, TC_ACT_SHOT);
        nl_msg_put_u16(e->msg, TCA_SKBEDIT_PTYPE, PACKET_HOST);
        tc_end_action(e, &nesting);
    }
    return error;
}

static int
put_mirred(struct tc_encoder *e, const struct offload_port *port, bool final)
{
    bool ingress = port->kind == OFFLOAD_PORT_INTERNAL;
    struct tc_mirred parms = {
        .action = TC_ACT_STOLEN,
        .eaction = (ingress
                    ? final ? TCA_INGRESS_REDIR : TCA_INGRESS_MIRROR
                    : final ? TCA_EGRESS_REDIR : TCA_EGRESS_MIRROR),
        .ifindex = port->ifindex,
    };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "mirred", false, &nesting);

    if (error) {
        return error;
    }
    if (final) {
        nl_msg_put_unspec(e->msg, TCA_MIRRED_PARMS, &parms, sizeof parms);
    } else {
        e->tail = TC_PUT_PARMS(e, TCA_MIRRED_PARMS, &parms, TC_ACT_STOLEN);
    }
    tc_end_action(e, &nesting);
    return 0;
}

static int
encode_output(struct tc_encoder *e, const struct offload_action *action,
              bool final)
{
    const struct offload_port *port = action->output.port;
    int error;

    if (port->ifindex <= 0) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_OUT_PORT, "output",
                              NULL, "%s has no ifindex", port->name);
    }
    error = tc_release_tunnel(e);
    if (!error && port->kind == OFFLOAD_PORT_INTERNAL) {
        error = put_skbedit_host(e);
    }
    return error ? error : put_mirred(e, port, final);
}

/* A chain's rules match what the packet came with.  So metadata that we have
 * set must be off again, and metadata that it had must still be on.  They
 * would also take its connection for that of the packet as it is now, see
 * tc_encode_ct(). */
static int
encode_recirc(struct tc_encoder *e, const struct offload_action *action,
              bool final OVS_UNUSED)
{
    uint32_t id = action->recirc.id;
    int error;

    if (id > TC_ACT_EXT_VAL_MASK) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_CHAIN, "recirc",
                              NULL, "id 0x%"PRIx32" is beyond TC's chains",
                              id);
    }
    if (e->has_tunnel && (e->path.maybe_released || e->path.tunnel_set)) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                              "recirc", NULL, "after an output or "
                              "set(tunnel) of a packet from a tunnel");
    }
    if (e->path.ct_outdated) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                              "recirc", NULL, "after addresses or ports of a "
                              "tracked packet were set");
    }
    error = tc_release_tunnel_set(e);
    return error ? error : put_gact(e, TC_ACT_GOTO_CHAIN | id);
}

/* Meters, check_pkt_len. */

static int
encode_meter(struct tc_encoder *e, const struct offload_action *action,
             bool final OVS_UNUSED)
{
    struct tc_police parms = { .action = TC_ACT_SHOT };
    struct tc_nesting nesting;
    int error;

    if (!tc_police_lookup(action->meter.id, &parms.index)) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_METER, "meter",
                              NULL, "meter %"PRIu32" isn't in TC",
                              action->meter.id);
    }
    error = tc_begin_action(e, "police", true, &nesting);
    if (!error) {
        nl_msg_put_unspec(e->msg, TCA_POLICE_TBF, &parms, sizeof parms);
        tc_end_action(e, &nesting);
    }
    return error;
}

/* Puts a police action that goes on with '*greater' for packets longer than
 * 'len' and with '*less_equal' for the others. */
static int
put_police_mtu(struct tc_encoder *e, uint16_t len, struct tc_control **greater,
               struct tc_control **less_equal)
{
    struct tc_police parms = { .action = TC_ACT_PIPE, .mtu = len };
    struct tc_nesting nesting;
    size_t ofs;
    int error;

    error = tc_begin_action(e, "police", false, &nesting);
    if (error) {
        return error;
    }
    *greater = TC_PUT_PARMS(e, TCA_POLICE_TBF, &parms, TC_ACT_SHOT);

    ofs = e->msg->size + NLA_HDRLEN;
    nl_msg_put_u32(e->msg, TCA_POLICE_RESULT, TC_ACT_PIPE);
    *less_equal = tc_add_control(e, ofs, TC_ACT_SHOT);
    tc_end_action(e, &nesting);
    return 0;
}

/* TC compares the length that the packet had when it came, Open vSwitch the
 * one that it has. */
static int
check_check_pkt_len(struct tc_encoder *e, const struct offload_action *action)
{
    if (!tc_caps.police_mtu) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_CAPABILITY,
                              "check_pkt_len", NULL, "%s", "");
    }
    if (!action->check_pkt_len.len) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              "check_pkt_len", NULL, "size=0");
    }
    if (e->path.resized) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                              "check_pkt_len", NULL, "after an action that "
                              "changes the packet's length");
    }
    return 0;
}

/* What is surely so after two branches is what is so after both. */
static void
join_paths(struct tc_path *path, const struct tc_path *other)
{
    path->released &= other->released;
    path->maybe_released |= other->maybe_released;
    path->ct_outdated |= other->ct_outdated;
}

/* Encodes one branch, to which 'entry' leads, and which goes on at 'exit'. */
static int
encode_branch(struct tc_encoder *e, const struct offload_action *branch,
              size_t n, struct tc_control *entry, int exit)
{
    if (!n) {
        entry->label = exit;
        return 0;
    }
    if (entry->label != TC_LABEL_NEXT) {
        e->labels[entry->label] = e->n;
    }
    return encode_list(e, branch, n, exit);
}

static int
encode_check_pkt_len(struct tc_encoder *e, const struct offload_action *action,
                     int exit)
{
    const struct offload_action *branch = action + 1;
    size_t n_greater = action->check_pkt_len.n_greater;
    size_t n_less_equal = action->check_pkt_len.n_less_equal;
    struct tc_control *greater, *less_equal;
    struct tc_path before, after_greater;
    int join = exit == TC_LABEL_NEXT ? e->n_labels++ : exit;
    int error;

    error = check_check_pkt_len(e, action);
    if (!error) {
        error = put_police_mtu(e, action->check_pkt_len.len, &greater,
                               &less_equal);
    }
    if (error) {
        return error;
    }
    less_equal->label = e->n_labels++;

    before = e->path;
    error = encode_branch(e, branch, n_greater, greater, join);
    after_greater = e->path;
    e->path = before;
    if (!error) {
        error = encode_branch(e, branch + n_greater, n_less_equal, less_equal,
                              join);
    }
    join_paths(&e->path, &after_greater);
    if (exit == TC_LABEL_NEXT) {
        e->labels[join] = e->n;
    }
    e->tail = NULL;
    return error;
}

/* Rewriting. */

static int
put_csum(struct tc_encoder *e, uint32_t flags)
{
    struct tc_csum parms = { .action = TC_ACT_PIPE, .update_flags = flags };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "csum", false, &nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_CSUM_PARMS, &parms, TC_ACT_SHOT);
        tc_end_action(e, &nesting);
    }
    return error;
}

/* The kernel's network header is behind the tag that is kept beside the
 * packet, but before all others. */
static int
check_vlans(struct tc_encoder *e, const struct offload_field *row)
{
    return (e->path.n_vlans > 1
            && row->pedit.htype != TCA_PEDIT_KEY_EX_HDR_TYPE_ETH
            ? offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                             row->name, NULL, "behind more than one VLAN tag")
            : 0);
}

static int
add_field(struct tc_encoder *e, struct tc_rewrite *rewrite,
          const struct offload_action *action)
{
    const struct offload_field *row;
    int error;

    row = offload_field_get(action->set_field.field);
    error = tc_rewrite_add(rewrite, e->rule, action, e->narrowing,
                           e->refusal);
    if (!error) {
        error = check_vlans(e, row);
    }
    /* These fields are a connection's, too. */
    if (row->pedit.csum & OFFLOAD_CSUM_L4) {
        e->path.ct_outdated |= e->path.tracked;
    }
    return error;
}

static int
put_rewrite(struct tc_encoder *e, const struct tc_rewrite *rewrite)
{
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "pedit", false, &nesting);

    if (error) {
        return error;
    }
    e->tail = tc_add_control(e, tc_rewrite_put(rewrite, e->msg), TC_ACT_SHOT);
    tc_end_action(e, &nesting);
    return rewrite->csum ? put_csum(e, rewrite->csum) : 0;
}

/* Encodes as many as there are fields set one after the other, and returns
 * their number in '*used'. */
static int
encode_set_fields(struct tc_encoder *e, const struct offload_action actions[],
                  size_t n, size_t *used)
{
    struct tc_rewrite rewrite = { .n = 0 };
    size_t i;

    for (i = 0; i < n && actions[i].kind == OFFLOAD_ACT_SET_FIELD; i++) {
        int error = add_field(e, &rewrite, &actions[i]);

        if (error) {
            return error;
        }
    }
    *used = i;
    return put_rewrite(e, &rewrite);
}

/* All together. */

/* 'final' says that nothing comes after the action. */
static const struct {
    tc_encode_action *encode;
    bool needs_tail;            /* Its control isn't ours. */
} encoders[OFFLOAD_N_ACTIONS] = {
    [OFFLOAD_ACT_OUTPUT] = { encode_output, false },
    [OFFLOAD_ACT_PUSH_VLAN] = { tc_encode_push_vlan, false },
    [OFFLOAD_ACT_POP_VLAN] = { tc_encode_pop_vlan, false },
    [OFFLOAD_ACT_PUSH_MPLS] = { tc_encode_push_mpls, false },
    [OFFLOAD_ACT_POP_MPLS] = { tc_encode_pop_mpls, false },
    [OFFLOAD_ACT_SET_MPLS] = { tc_encode_set_mpls, false },
    [OFFLOAD_ACT_SET_TUNNEL] = { tc_encode_set_tunnel, false },
    [OFFLOAD_ACT_CT] = { tc_encode_ct, false },
    [OFFLOAD_ACT_CT_CLEAR] = { tc_encode_ct, false },
    [OFFLOAD_ACT_RECIRC] = { encode_recirc, false },
    [OFFLOAD_ACT_METER] = { encode_meter, true },
    /* Those that look at more than one of the rule's actions are called by
     * encode_some(). */
    [OFFLOAD_ACT_SET_FIELD] = { NULL, false },
    [OFFLOAD_ACT_CHECK_PKT_LEN] = { NULL, false },
};

static int
encode_one(struct tc_encoder *e, const struct offload_action *action,
           bool last, int exit)
{
    enum offload_action_kind kind = action->kind;
    int error;

    if (kind >= OFFLOAD_N_ACTIONS || !encoders[kind].encode) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION,
                              offload_action_name(kind), NULL, "%s", "");
    }
    error = encoders[kind].encode(e, action, last && exit == TC_LABEL_END);
    if (!error && last && encoders[kind].needs_tail) {
        error = put_gact_tail(e);
    }
    return error;
}

/* Encodes the first of 'n' actions, or more, and returns in '*used' how
 * many. */
static int
encode_some(struct tc_encoder *e, const struct offload_action actions[],
            size_t n, int exit, size_t *used)
{
    switch ((int) actions[0].kind) {
    case OFFLOAD_ACT_SET_FIELD:
        return encode_set_fields(e, actions, n, used);

    case OFFLOAD_ACT_CHECK_PKT_LEN:
        *used = 1 + actions[0].check_pkt_len.n_greater
                + actions[0].check_pkt_len.n_less_equal;
        return encode_check_pkt_len(e, actions,
                                    *used == n ? exit : TC_LABEL_NEXT);

    default:
        *used = 1;
        return encode_one(e, actions, n == 1, exit);
    }
}

/* Encodes a list of actions, after which packets go on at the label 'exit'. */
static int
encode_list(struct tc_encoder *e, const struct offload_action actions[],
            size_t n, int exit)
{
    while (n) {
        size_t used;
        int error = encode_some(e, actions, n, exit, &used);

        if (error) {
            return error;
        }
        actions += used;
        n -= used;
    }
    if (e->tail) {
        e->tail->label = exit;
    }
    return 0;
}

static uint32_t
resolve_control(const struct tc_encoder *e, const struct tc_control *control)
{
    unsigned int to;

    if (control->label == TC_LABEL_END) {
        return control->end;
    }
    to = (control->label == TC_LABEL_NEXT
          ? control->from + 1 : e->labels[control->label]);
    return (to >= e->n ? control->end
            : to == control->from + 1 ? TC_ACT_PIPE
            : TC_ACT_JUMP | to);
}

static void
fill_in_controls(struct tc_encoder *e)
{
    for (size_t i = 0; i < e->n_controls; i++) {
        uint32_t value = resolve_control(e, &e->controls[i]);

        memcpy(ofpbuf_at_assert(e->msg, e->controls[i].ofs, sizeof value),
               &value, sizeof value);
    }
}

static bool
comes_from_tunnel(const struct offload_rule *rule)
{
    return (flow_tnl_dst_is_set(&rule->match.flow.tunnel)
            || (rule->in_port
                && offload_port_kind_is_tunnel(rule->in_port->kind)));
}

/* False if conntrack surely hasn't seen the packet, or has been cleared. */
static bool
may_be_tracked(const struct offload_rule *rule)
{
    const struct match *match = &rule->match;

    return (rule->recirc_id
            && (match->flow.ct_state & CS_TRACKED
                || !(match->wc.masks.ct_state & CS_TRACKED)));
}

int
tc_actions_encode(struct ofpbuf *msg, const struct offload_rule *rule,
                  struct tc_narrowing *narrowing,
                  struct offload_refusal *refusal)
{
    struct tc_encoder e = {
        .msg = msg,
        .rule = rule,
        .narrowing = narrowing,
        .refusal = refusal,
        .has_tunnel = comes_from_tunnel(rule),
        .path = {
            .n_vlans = flow_count_vlan_headers(&rule->match.flow),
            .tracked = may_be_tracked(rule),
        },
    };
    size_t nested = nl_msg_start_nested(msg, TCA_FLOWER_ACT);
    int error;

    error = (rule->n_actions
             ? encode_list(&e, rule->actions, rule->n_actions, TC_LABEL_END)
             : put_gact(&e, TC_ACT_SHOT));
    if (error) {
        return error;
    }
    fill_in_controls(&e);
    nl_msg_end_nested(msg, nested);
    return 0;
}
