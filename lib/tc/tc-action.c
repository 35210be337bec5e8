/* SPDX-License-Identifier: Apache-2.0 */

/* TC's actions run one after the other, each with a control that says how to
 * go on: with the next (PIPE), with the n-th of the filter's (JUMP), in a
 * chain (GOTO_CHAIN), or not at all (SHOT, STOLEN).  See tcf_action_exec() in
 * net/sched/act_api.c of Linux.
 *
 * How long a branch of check_pkt_len gets is known only when it has been
 * encoded.  So every control is written as a placeholder and remembered, with
 * a label for where it goes; the labels are bound to action numbers on the
 * way, and all controls are filled in at the end. */

#include <config.h>

#include "tc/tc-action.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_csum.h>
#include <linux/tc_act/tc_ct.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/tc_act/tc_mpls.h>
#include <linux/tc_act/tc_pedit.h>
#include <linux/tc_act/tc_skbedit.h>
#include <linux/tc_act/tc_tunnel_key.h>
#include <linux/tc_act/tc_vlan.h>
#include <string.h>

#include "flow.h"
#include "netlink.h"
#include "offload-action.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/geneve.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tc/tc-caps.h"
#include "tc/tc-match.h"
#include "tc/tc-pedit.h"
#include "tc/tc-police.h"
#include "tc/tc-uapi.h"
#include "util.h"

/* Labels: where a control may go. */
enum {
    LABEL_NEXT = -1,            /* The action after. */
    LABEL_END = -2,             /* Nowhere: the packet's way ends. */
};

struct control {
    size_t ofs;                 /* In 'msg', in bytes, a uint32_t. */
    unsigned int from;          /* Number of its action, from 0. */
    int label;
    uint32_t end;               /* TC_ACT_* if it goes nowhere. */
};

/* What the packet is like on the way to the action that is encoded next. */
struct path {
    int n_vlans;                /* Tags. */
    bool resized;               /* Not of the length that TC measures. */
    bool released;              /* Surely without tunnel metadata. */
    bool maybe_released;
    bool tunnel_set;            /* With metadata that we have set. */
    bool ct_outdated;           /* Conntrack knows it by other addresses. */
    bool tracked;               /* Perhaps by conntrack. */
};

struct encoder {
    struct ofpbuf *msg;
    const struct offload_rule *rule;
    struct tc_narrowing *narrowing;
    struct offload_refusal *refusal;

    unsigned int n;             /* TC actions so far. */
    bool has_cookie;
    struct control controls[2 * TCA_ACT_MAX_PRIO];
    size_t n_controls;
    struct control *tail;       /* The control that leads on from the last
                                 * action, NULL if none does. */

    /* By label: number of an action.  One for each check_pkt_len, and for
     * its second branch. */
    unsigned int labels[2 * OFFLOAD_MAX_ACTIONS];
    int n_labels;

    bool has_tunnel;            /* Packets come with tunnel metadata. */
    struct path path;
};

static int encode_list(struct encoder *, const struct offload_action[],
                       size_t n, int exit);

/* One TC action. */

struct nesting {
    size_t action, options;
};

/* Some actions insist on the flag. */
static size_t
start_nested(struct encoder *e, uint16_t type)
{
    return nl_msg_start_nested(e->msg, type | NLA_F_NESTED);
}

/* Begins an action of ours ('shared' false), or a reference to one that other
 * rules refer to, too, and which our cookie therefore must not go on. */
static int
begin_action(struct encoder *e, const char *kind, bool shared,
             struct nesting *nesting)
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
    nesting->options = start_nested(e, TCA_ACT_OPTIONS);
    e->tail = NULL;
    return 0;
}

static void
end_action(struct encoder *e, const struct nesting *nesting)
{
    nl_msg_end_nested(e->msg, nesting->options);
    nl_msg_end_nested(e->msg, nesting->action);
}

/* Remembers the control at 'ofs' in the message. */
static struct control *
add_control(struct encoder *e, size_t ofs, uint32_t end)
{
    struct control *control = &e->controls[e->n_controls++];

    ovs_assert(e->n_controls <= ARRAY_SIZE(e->controls));
    *control = (struct control) {
        .ofs = ofs,
        .from = e->n - 1,
        .label = LABEL_NEXT,
        .end = end,
    };
    return control;
}

/* Puts an action's parameters, with its control 'control_ofs' bytes in. */
static struct control *
put_parms__(struct encoder *e, uint16_t type, const void *parms, size_t size,
            size_t control_ofs, uint32_t end)
{
    size_t ofs = e->msg->size + NLA_HDRLEN + control_ofs;

    nl_msg_put_unspec(e->msg, type, parms, size);
    return add_control(e, ofs, end);
}

/* All structs of parameters have a member 'action', the control. */
#define PUT_PARMS(ENCODER, TYPE, PARMS, END)                            \
    put_parms__(ENCODER, TYPE, PARMS, sizeof *(PARMS),                  \
                (const char *) &(PARMS)->action - (const char *) (PARMS), \
                END)

/* Ends the packet's way here, or leads it to 'chain' if that is nonzero. */
static int
put_gact(struct encoder *e, uint32_t control)
{
    struct tc_gact parms = { .action = control };
    struct nesting nesting;
    int error = begin_action(e, "gact", false, &nesting);

    if (!error) {
        nl_msg_put_unspec(e->msg, TCA_GACT_PARMS, &parms, sizeof parms);
        end_action(e, &nesting);
    }
    return error;
}

/* An action that goes where the last control of its list would go: for
 * actions whose control isn't ours to set. */
static int
put_gact_tail(struct encoder *e)
{
    struct tc_gact parms = { .action = TC_ACT_PIPE };
    struct nesting nesting;
    int error = begin_action(e, "gact", false, &nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_GACT_PARMS, &parms, TC_ACT_SHOT);
        end_action(e, &nesting);
    }
    return error;
}

/* Output. */

/* Takes the tunnel metadata off the packet, whichever there is. */
static int
put_tunnel_release(struct encoder *e)
{
    struct tc_tunnel_key parms = { .t_action = TCA_TUNNEL_KEY_ACT_RELEASE };
    struct nesting nesting;
    int error = begin_action(e, "tunnel_key", false, &nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_TUNNEL_KEY_PARMS, &parms, TC_ACT_SHOT);
        end_action(e, &nesting);
    }
    return error;
}

/* What comes out of a tunnel port has the tunnel's metadata, which would be
 * in the way of whoever gets the packet. */
static int
release_tunnel(struct encoder *e)
{
    if (!e->has_tunnel || e->path.released) {
        return 0;
    }
    e->path.released = e->path.maybe_released = true;
    return put_tunnel_release(e);
}

/* The host's stack takes only what is marked as for the host. */
static int
put_skbedit_host(struct encoder *e)
{
    struct tc_skbedit parms = { .action = TC_ACT_PIPE };
    struct nesting nesting;
    int error = begin_action(e, "skbedit", false, &nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_SKBEDIT_PARMS, &parms, TC_ACT_SHOT);
        nl_msg_put_u16(e->msg, TCA_SKBEDIT_PTYPE, PACKET_HOST);
        end_action(e, &nesting);
    }
    return error;
}

static int
put_mirred(struct encoder *e, const struct offload_port *port, bool final)
{
    bool ingress = port->kind == OFFLOAD_PORT_INTERNAL;
    struct tc_mirred parms = {
        .action = TC_ACT_STOLEN,
        .eaction = (ingress
                    ? final ? TCA_INGRESS_REDIR : TCA_INGRESS_MIRROR
                    : final ? TCA_EGRESS_REDIR : TCA_EGRESS_MIRROR),
        .ifindex = port->ifindex,
    };
    struct nesting nesting;
    int error = begin_action(e, "mirred", false, &nesting);

    if (error) {
        return error;
    }
    if (final) {
        nl_msg_put_unspec(e->msg, TCA_MIRRED_PARMS, &parms, sizeof parms);
    } else {
        e->tail = PUT_PARMS(e, TCA_MIRRED_PARMS, &parms, TC_ACT_STOLEN);
    }
    end_action(e, &nesting);
    return 0;
}

static int
encode_output(struct encoder *e, const struct offload_action *action,
              bool final)
{
    const struct offload_port *port = action->output.port;
    int error;

    if (port->ifindex <= 0) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_OUT_PORT, "output",
                              NULL, "%s has no ifindex", port->name);
    }
    error = release_tunnel(e);
    if (!error && port->kind == OFFLOAD_PORT_INTERNAL) {
        error = put_skbedit_host(e);
    }
    return error ? error : put_mirred(e, port, final);
}

/* A chain's rules match what the packet came with.  So metadata that we have
 * set must be off again, and metadata that it had must still be on. */
static int
encode_recirc(struct encoder *e, const struct offload_action *action,
              bool final OVS_UNUSED)
{
    uint32_t id = action->recirc.id;

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
    if (e->path.tunnel_set) {
        int error = put_tunnel_release(e);

        if (error) {
            return error;
        }
    }
    return put_gact(e, TC_ACT_GOTO_CHAIN | id);
}

/* Meters, check_pkt_len. */

static int
encode_meter(struct encoder *e, const struct offload_action *action,
             bool final OVS_UNUSED)
{
    struct tc_police parms = { .action = TC_ACT_SHOT };
    struct nesting nesting;
    int error;

    if (!tc_police_lookup(action->meter.id, &parms.index)) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_METER, "meter",
                              NULL, "meter %"PRIu32" isn't in TC",
                              action->meter.id);
    }
    error = begin_action(e, "police", true, &nesting);
    if (!error) {
        nl_msg_put_unspec(e->msg, TCA_POLICE_TBF, &parms, sizeof parms);
        end_action(e, &nesting);
    }
    return error;
}

/* Puts a police action that goes on with '*greater' for packets longer than
 * 'len' and with '*less_equal' for the others. */
static int
put_police_mtu(struct encoder *e, uint16_t len, struct control **greater,
               struct control **less_equal)
{
    struct tc_police parms = { .action = TC_ACT_PIPE, .mtu = len };
    struct nesting nesting;
    size_t ofs;
    int error;

    error = begin_action(e, "police", false, &nesting);
    if (error) {
        return error;
    }
    *greater = PUT_PARMS(e, TCA_POLICE_TBF, &parms, TC_ACT_SHOT);

    ofs = e->msg->size + NLA_HDRLEN;
    nl_msg_put_u32(e->msg, TCA_POLICE_RESULT, TC_ACT_PIPE);
    *less_equal = add_control(e, ofs, TC_ACT_SHOT);
    end_action(e, &nesting);
    return 0;
}

/* TC compares the length that the packet had when it came, Open vSwitch the
 * one that it has. */
static int
check_check_pkt_len(struct encoder *e, const struct offload_action *action)
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
join_paths(struct path *path, const struct path *other)
{
    path->released &= other->released;
    path->maybe_released |= other->maybe_released;
    path->ct_outdated |= other->ct_outdated;
}

/* Encodes one branch, to which 'entry' leads, and which goes on at 'exit'. */
static int
encode_branch(struct encoder *e, const struct offload_action *branch,
              size_t n, struct control *entry, int exit)
{
    if (!n) {
        entry->label = exit;
        return 0;
    }
    if (entry->label != LABEL_NEXT) {
        e->labels[entry->label] = e->n;
    }
    return encode_list(e, branch, n, exit);
}

static int
encode_check_pkt_len(struct encoder *e, const struct offload_action *action,
                     int exit)
{
    const struct offload_action *branch = action + 1;
    size_t n_greater = action->check_pkt_len.n_greater;
    size_t n_less_equal = action->check_pkt_len.n_less_equal;
    struct control *greater, *less_equal;
    struct path before, after_greater;
    int join = exit == LABEL_NEXT ? e->n_labels++ : exit;
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
    if (exit == LABEL_NEXT) {
        e->labels[join] = e->n;
    }
    e->tail = NULL;
    return error;
}

/* VLAN and MPLS. */

static int
put_vlan(struct encoder *e, int v_action, struct nesting *nesting)
{
    struct tc_vlan parms = { .action = TC_ACT_PIPE, .v_action = v_action };
    int error = begin_action(e, "vlan", false, nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_VLAN_PARMS, &parms, TC_ACT_SHOT);
    }
    return error;
}

/* The outermost tag is kept beside the packet and doesn't count for its
 * length. */
static int
encode_push_vlan(struct encoder *e, const struct offload_action *action,
                 bool final OVS_UNUSED)
{
    struct nesting nesting;
    int error = put_vlan(e, TCA_VLAN_ACT_PUSH, &nesting);

    if (!error) {
        nl_msg_put_u16(e->msg, TCA_VLAN_PUSH_VLAN_ID, action->push_vlan.vid);
        nl_msg_put_be16(e->msg, TCA_VLAN_PUSH_VLAN_PROTOCOL,
                        action->push_vlan.tpid);
        nl_msg_put_u8(e->msg, TCA_VLAN_PUSH_VLAN_PRIORITY,
                      action->push_vlan.pcp);
        end_action(e, &nesting);
        e->path.resized |= ++e->path.n_vlans > 1;
    }
    return error;
}

static int
encode_pop_vlan(struct encoder *e,
                const struct offload_action *action OVS_UNUSED,
                bool final OVS_UNUSED)
{
    struct nesting nesting;
    int error = put_vlan(e, TCA_VLAN_ACT_POP, &nesting);

    if (!error) {
        end_action(e, &nesting);
        e->path.resized |= e->path.n_vlans > 1;
        e->path.n_vlans = MAX(e->path.n_vlans - 1, 0);
    }
    return error;
}

static int
put_mpls(struct encoder *e, int m_action, struct nesting *nesting)
{
    struct tc_mpls parms = { .action = TC_ACT_PIPE, .m_action = m_action };
    int error = begin_action(e, "mpls", false, nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_MPLS_PARMS, &parms, TC_ACT_SHOT);
    }
    return error;
}

/* A label stack entry's parts.  act_mpls knows each as a whole, and takes
 * neither TTL 0 nor label 3. */
static const struct lse_part {
    const char *name;
    uint32_t mask;              /* Host byte order. */
    uint16_t attr;              /* TCA_MPLS_*. */
    bool is_u32;
    uint32_t refused;           /* A value that the kernel refuses. */
} lse_parts[] = {
    { "mpls(label)", MPLS_LABEL_MASK, TCA_MPLS_LABEL, true, 3 },
    { "mpls(tc)", MPLS_TC_MASK, TCA_MPLS_TC, false, UINT32_MAX },
    { "mpls(bos)", MPLS_BOS_MASK, TCA_MPLS_BOS, false, UINT32_MAX },
    { "mpls(ttl)", MPLS_TTL_MASK, TCA_MPLS_TTL, false, 0 },
};

static int
check_lse_part(struct encoder *e, const struct lse_part *part, uint32_t mask,
               uint32_t value)
{
    if (mask != part->mask) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              part->name, NULL, "mask 0x%"PRIx32,
                              mask >> ctz32(part->mask));
    }
    if (value == part->refused) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              part->name, NULL, "%"PRIu32, value);
    }
    return 0;
}

static int
put_lse(struct encoder *e, uint32_t lse, uint32_t lse_mask)
{
    for (size_t i = 0; i < ARRAY_SIZE(lse_parts); i++) {
        const struct lse_part *part = &lse_parts[i];
        uint32_t value = (lse & part->mask) >> ctz32(part->mask);
        int error;

        if (!(lse_mask & part->mask)) {
            continue;
        }
        error = check_lse_part(e, part, lse_mask & part->mask, value);
        if (error) {
            return error;
        }
        if (part->is_u32) {
            nl_msg_put_u32(e->msg, part->attr, value);
        } else {
            nl_msg_put_u8(e->msg, part->attr, value);
        }
    }
    return 0;
}

static int
encode_push_mpls(struct encoder *e, const struct offload_action *action,
                 bool final OVS_UNUSED)
{
    struct nesting nesting;
    int error = put_mpls(e, TCA_MPLS_ACT_PUSH, &nesting);

    if (!error) {
        nl_msg_put_be16(e->msg, TCA_MPLS_PROTO, action->mpls.ethertype);
        error = put_lse(e, ntohl(action->mpls.lse), UINT32_MAX);
        end_action(e, &nesting);
        e->path.resized = true;
    }
    return error;
}

static int
encode_pop_mpls(struct encoder *e, const struct offload_action *action,
                bool final OVS_UNUSED)
{
    struct nesting nesting;
    int error = put_mpls(e, TCA_MPLS_ACT_POP, &nesting);

    if (!error) {
        nl_msg_put_be16(e->msg, TCA_MPLS_PROTO, action->mpls.ethertype);
        end_action(e, &nesting);
        e->path.resized = true;
    }
    return error;
}

static int
encode_set_mpls(struct encoder *e, const struct offload_action *action,
                bool final OVS_UNUSED)
{
    struct nesting nesting;
    int error = put_mpls(e, TCA_MPLS_ACT_MODIFY, &nesting);

    if (!error) {
        error = put_lse(e, ntohl(action->mpls.lse),
                        ntohl(action->mpls.lse_mask));
        end_action(e, &nesting);
    }
    return error;
}

/* Rewriting. */

static int
put_csum(struct encoder *e, uint32_t flags)
{
    struct tc_csum parms = { .action = TC_ACT_PIPE, .update_flags = flags };
    struct nesting nesting;
    int error = begin_action(e, "csum", false, &nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_CSUM_PARMS, &parms, TC_ACT_SHOT);
        end_action(e, &nesting);
    }
    return error;
}

/* The kernel's network header is behind the tag that is kept beside the
 * packet, but before all others. */
static int
check_vlans(struct encoder *e, const struct offload_field *row)
{
    return (e->path.n_vlans > 1
            && row->pedit.htype != TCA_PEDIT_KEY_EX_HDR_TYPE_ETH
            ? offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                             row->name, NULL, "behind more than one VLAN tag")
            : 0);
}

static int
add_field(struct encoder *e, struct tc_rewrite *rewrite,
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
put_rewrite(struct encoder *e, const struct tc_rewrite *rewrite)
{
    struct nesting nesting;
    int error = begin_action(e, "pedit", false, &nesting);

    if (error) {
        return error;
    }
    e->tail = add_control(e, tc_rewrite_put(rewrite, e->msg), TC_ACT_SHOT);
    end_action(e, &nesting);
    return rewrite->csum ? put_csum(e, rewrite->csum) : 0;
}

/* Encodes as many as there are fields set one after the other, and returns
 * their number in '*used'. */
static int
encode_set_fields(struct encoder *e, const struct offload_action actions[],
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

/* Tunnels. */

static int
put_geneve_options(struct encoder *e, const struct nlattr *options)
{
    const uint8_t *data = nl_attr_get(options);
    const uint8_t *end = data + nl_attr_get_size(options);
    size_t outer = start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS);

    while (data < end) {
        struct geneve_opt option;
        size_t inner;

        memcpy(&option, data, sizeof option);
        data += sizeof option;
        if (!option.length) {
            return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                                  "set(tunnel(geneve))", NULL,
                                  "option without data");
        }
        inner = start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS_GENEVE);
        nl_msg_put_be16(e->msg, TCA_TUNNEL_KEY_ENC_OPT_GENEVE_CLASS,
                        option.opt_class);
        nl_msg_put_u8(e->msg, TCA_TUNNEL_KEY_ENC_OPT_GENEVE_TYPE, option.type);
        nl_msg_put_unspec(e->msg, TCA_TUNNEL_KEY_ENC_OPT_GENEVE_DATA, data,
                          option.length * 4);
        nl_msg_end_nested(e->msg, inner);
        data += option.length * 4;
    }
    nl_msg_end_nested(e->msg, outer);
    return 0;
}

static void
put_vxlan_gbp(struct encoder *e, uint32_t gbp)
{
    size_t outer, inner;

    outer = start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS);
    inner = start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS_VXLAN);
    nl_msg_put_u32(e->msg, TCA_TUNNEL_KEY_ENC_OPT_VXLAN_GBP, gbp);
    nl_msg_end_nested(e->msg, inner);
    nl_msg_end_nested(e->msg, outer);
}

static void
put_tunnel_addresses(struct encoder *e, const struct offload_action *a)
{
    if (a->tunnel.ipv6) {
        nl_msg_put_in6_addr(e->msg, TCA_TUNNEL_KEY_ENC_IPV6_SRC,
                            &a->tunnel.src6);
        nl_msg_put_in6_addr(e->msg, TCA_TUNNEL_KEY_ENC_IPV6_DST,
                            &a->tunnel.dst6);
    } else {
        nl_msg_put_be32(e->msg, TCA_TUNNEL_KEY_ENC_IPV4_SRC, a->tunnel.src);
        nl_msg_put_be32(e->msg, TCA_TUNNEL_KEY_ENC_IPV4_DST, a->tunnel.dst);
    }
}

static void
put_tunnel_header(struct encoder *e, const struct offload_action *a)
{
    if (a->tunnel.id_present) {
        nl_msg_put_be32(e->msg, TCA_TUNNEL_KEY_ENC_KEY_ID,
                        be64_to_be32(a->tunnel.id));
    }
    if (a->tunnel.tos) {
        nl_msg_put_u8(e->msg, TCA_TUNNEL_KEY_ENC_TOS, a->tunnel.tos);
    }
    if (a->tunnel.ttl) {
        nl_msg_put_u8(e->msg, TCA_TUNNEL_KEY_ENC_TTL, a->tunnel.ttl);
    }
    if (a->tunnel.tp_dst) {
        nl_msg_put_be16(e->msg, TCA_TUNNEL_KEY_ENC_DST_PORT,
                        a->tunnel.tp_dst);
    }
    nl_msg_put_u8(e->msg, TCA_TUNNEL_KEY_NO_CSUM, !a->tunnel.csum);
    if (a->tunnel.df && !a->tunnel.ipv6) {
        nl_msg_put_flag(e->msg, TCA_TUNNEL_KEY_NO_FRAG);
    }
}

/* An IPv6 header has no flag DF: asking for it there means nothing. */
static int
check_tunnel(struct encoder *e, const struct offload_action *a)
{
    if (a->tunnel.df && !a->tunnel.ipv6 && !tc_caps.tunnel_df) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_CAPABILITY,
                              "set(tunnel(df))", "options:df_default=false",
                              "Linux 6.9 and later can set it");
    }
    if (a->tunnel.oam) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION,
                              "set(tunnel(oam))", NULL, "%s", "");
    }
    if (a->tunnel.tp_src) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION,
                              "set(tunnel(tp_src))", NULL, "%"PRIu16,
                              ntohs(a->tunnel.tp_src));
    }
    if (ntohll(a->tunnel.id) > UINT32_MAX) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              "set(tunnel(tun_id))", NULL, "0x%"PRIx64
                              " has more than 32 bits", ntohll(a->tunnel.id));
    }
    return 0;
}

static int
put_tunnel_set(struct encoder *e, const struct offload_action *action)
{
    struct tc_tunnel_key parms = {
        .action = TC_ACT_PIPE,
        .t_action = TCA_TUNNEL_KEY_ACT_SET,
    };
    struct nesting nesting;
    int error = begin_action(e, "tunnel_key", false, &nesting);

    if (error) {
        return error;
    }
    e->tail = PUT_PARMS(e, TCA_TUNNEL_KEY_PARMS, &parms, TC_ACT_SHOT);
    put_tunnel_addresses(e, action);
    put_tunnel_header(e, action);
    if (action->tunnel.geneve_opts) {
        error = put_geneve_options(e, action->tunnel.geneve_opts);
    } else if (action->tunnel.gbp_present) {
        put_vxlan_gbp(e, action->tunnel.gbp);
    }
    end_action(e, &nesting);
    return error;
}

static int
encode_set_tunnel(struct encoder *e, const struct offload_action *action,
                  bool final OVS_UNUSED)
{
    int error = check_tunnel(e, action);

    if (!error) {
        error = release_tunnel(e);
    }
    if (!error) {
        error = put_tunnel_set(e, action);
        e->path.tunnel_set = true;
    }
    return error;
}

/* Conntrack. */

static void
put_nat(struct encoder *e, const struct offload_action *a)
{
    if (a->ct.family == AF_INET) {
        nl_msg_put_unspec(e->msg, TCA_CT_NAT_IPV4_MIN, &a->ct.min, 4);
        nl_msg_put_unspec(e->msg, TCA_CT_NAT_IPV4_MAX, &a->ct.max, 4);
    } else if (a->ct.family == AF_INET6) {
        nl_msg_put_in6_addr(e->msg, TCA_CT_NAT_IPV6_MIN, &a->ct.min);
        nl_msg_put_in6_addr(e->msg, TCA_CT_NAT_IPV6_MAX, &a->ct.max);
    }
    if (a->ct.port_min) {
        nl_msg_put_be16(e->msg, TCA_CT_NAT_PORT_MIN, htons(a->ct.port_min));
        nl_msg_put_be16(e->msg, TCA_CT_NAT_PORT_MAX, htons(a->ct.port_max));
    }
}

static uint16_t
ct_flags(const struct offload_action *a)
{
    static const uint16_t nat_flags[] = {
        [OFFLOAD_NAT_NONE] = 0,
        [OFFLOAD_NAT_RESTORE] = TCA_CT_ACT_NAT,
        [OFFLOAD_NAT_SRC] = TCA_CT_ACT_NAT | TCA_CT_ACT_NAT_SRC,
        [OFFLOAD_NAT_DST] = TCA_CT_ACT_NAT | TCA_CT_ACT_NAT_DST,
    };

    return ((a->kind == OFFLOAD_ACT_CT_CLEAR ? TCA_CT_ACT_CLEAR : 0)
            | (a->ct.commit ? TCA_CT_ACT_COMMIT : 0)
            | (a->ct.force ? TCA_CT_ACT_FORCE : 0)
            | nat_flags[a->ct.nat]);
}

static void
put_ct_options(struct encoder *e, const struct offload_action *a)
{
    nl_msg_put_u16(e->msg, TCA_CT_ACTION, ct_flags(a));
    if (a->kind == OFFLOAD_ACT_CT_CLEAR) {
        return;
    }
    if (a->ct.zone) {
        nl_msg_put_u16(e->msg, TCA_CT_ZONE, a->ct.zone);
    }
    if (a->ct.mark_mask) {
        nl_msg_put_u32(e->msg, TCA_CT_MARK, a->ct.mark);
        nl_msg_put_u32(e->msg, TCA_CT_MARK_MASK, a->ct.mark_mask);
    }
    if (!ovs_u128_is_zero(a->ct.label_mask)) {
        nl_msg_put_u128(e->msg, TCA_CT_LABELS, a->ct.label);
        nl_msg_put_u128(e->msg, TCA_CT_LABELS_MASK, a->ct.label_mask);
    }
    if (a->ct.nat != OFFLOAD_NAT_NONE) {
        put_nat(e, a);
    }
}

static int
put_ct(struct encoder *e, const struct offload_action *action)
{
    struct tc_ct parms = { .action = TC_ACT_PIPE };
    struct nesting nesting;
    int error = begin_action(e, "ct", false, &nesting);

    if (!error) {
        e->tail = PUT_PARMS(e, TCA_CT_PARMS, &parms, TC_ACT_SHOT);
        put_ct_options(e, action);
        end_action(e, &nesting);
    }
    return error;
}

/* act_ct doesn't look for the connection again if the packet has one in the
 * same zone.  Open vSwitch does if addresses or ports were set since: it
 * clears the connection then. */
static int
encode_ct(struct encoder *e, const struct offload_action *action,
          bool final OVS_UNUSED)
{
    static const struct offload_action clear = { .kind = OFFLOAD_ACT_CT_CLEAR };
    int error = 0;

    if (!tc_caps.ct_state) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_CAPABILITY, "ct",
                              "a kernel built with CONFIG_NET_ACT_CT", "%s",
                              "");
    }
    if (e->path.ct_outdated && action->kind == OFFLOAD_ACT_CT) {
        error = put_ct(e, &clear);
    }
    e->path.tracked = action->kind == OFFLOAD_ACT_CT;
    e->path.ct_outdated = false;
    return error ? error : put_ct(e, action);
}

/* All together. */

/* 'final' says that nothing comes after the action. */
static const struct {
    int (*encode)(struct encoder *, const struct offload_action *, bool final);
    bool needs_tail;            /* Its control isn't ours. */
} encoders[OFFLOAD_N_ACTIONS] = {
    [OFFLOAD_ACT_OUTPUT] = { encode_output, false },
    [OFFLOAD_ACT_PUSH_VLAN] = { encode_push_vlan, false },
    [OFFLOAD_ACT_POP_VLAN] = { encode_pop_vlan, false },
    [OFFLOAD_ACT_PUSH_MPLS] = { encode_push_mpls, false },
    [OFFLOAD_ACT_POP_MPLS] = { encode_pop_mpls, false },
    [OFFLOAD_ACT_SET_MPLS] = { encode_set_mpls, false },
    [OFFLOAD_ACT_SET_TUNNEL] = { encode_set_tunnel, false },
    [OFFLOAD_ACT_CT] = { encode_ct, false },
    [OFFLOAD_ACT_CT_CLEAR] = { encode_ct, false },
    [OFFLOAD_ACT_RECIRC] = { encode_recirc, false },
    [OFFLOAD_ACT_METER] = { encode_meter, true },
    /* Those that look at more than one of the rule's actions are called by
     * encode_some(). */
    [OFFLOAD_ACT_SET_FIELD] = { NULL, false },
    [OFFLOAD_ACT_CHECK_PKT_LEN] = { NULL, false },
};

static int
encode_one(struct encoder *e, const struct offload_action *action, bool last,
           int exit)
{
    enum offload_action_kind kind = action->kind;
    int error;

    if (kind >= OFFLOAD_N_ACTIONS || !encoders[kind].encode) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION,
                              offload_action_name(kind), NULL, "%s", "");
    }
    error = encoders[kind].encode(e, action, last && exit == LABEL_END);
    if (!error && last && encoders[kind].needs_tail) {
        error = put_gact_tail(e);
    }
    return error;
}

/* Encodes the first of 'n' actions, or more, and returns in '*used' how
 * many. */
static int
encode_some(struct encoder *e, const struct offload_action actions[],
            size_t n, int exit, size_t *used)
{
    switch ((int) actions[0].kind) {
    case OFFLOAD_ACT_SET_FIELD:
        return encode_set_fields(e, actions, n, used);

    case OFFLOAD_ACT_CHECK_PKT_LEN:
        *used = 1 + actions[0].check_pkt_len.n_greater
                + actions[0].check_pkt_len.n_less_equal;
        return encode_check_pkt_len(e, actions,
                                    *used == n ? exit : LABEL_NEXT);

    default:
        *used = 1;
        return encode_one(e, actions, n == 1, exit);
    }
}

/* Encodes a list of actions, after which packets go on at the label 'exit'. */
static int
encode_list(struct encoder *e, const struct offload_action actions[],
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
resolve_control(const struct encoder *e, const struct control *control)
{
    unsigned int to;

    if (control->label == LABEL_END) {
        return control->end;
    }
    to = (control->label == LABEL_NEXT
          ? control->from + 1 : e->labels[control->label]);
    return (to >= e->n ? control->end
            : to == control->from + 1 ? TC_ACT_PIPE
            : TC_ACT_JUMP | to);
}

static void
fill_in_controls(struct encoder *e)
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

int
tc_actions_encode(struct ofpbuf *msg, const struct offload_rule *rule,
                  struct tc_narrowing *narrowing,
                  struct offload_refusal *refusal)
{
    struct encoder e = {
        .msg = msg,
        .rule = rule,
        .narrowing = narrowing,
        .refusal = refusal,
        .has_tunnel = comes_from_tunnel(rule),
        .path = {
            .n_vlans = flow_count_vlan_headers(&rule->match.flow),
            .tracked = rule->recirc_id != 0,
        },
    };
    size_t nested = nl_msg_start_nested(msg, TCA_FLOWER_ACT);
    int error;

    error = (rule->n_actions
             ? encode_list(&e, rule->actions, rule->n_actions, LABEL_END)
             : put_gact(&e, TC_ACT_SHOT));
    if (error) {
        return error;
    }
    fill_in_controls(&e);
    nl_msg_end_nested(msg, nested);
    return 0;
}
