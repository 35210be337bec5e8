/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-action.h"

#include <arpa/inet.h>

#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Parsed actions as text, for people: close to dump-flows, but as parsed, with
 * one field a set(). */

static void
format_output(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(%s)", a->output.port->name);
}

static void
format_push_vlan(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(tpid=0x%04"PRIx16",vid=%"PRIu16",pcp=%"PRIu8")",
                  ntohs(a->push_vlan.tpid), a->push_vlan.vid,
                  a->push_vlan.pcp);
}

static void
format_push_mpls(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(lse=0x%08"PRIx32",eth_type=0x%04"PRIx16")",
                  ntohl(a->mpls.lse), ntohs(a->mpls.ethertype));
}

static void
format_pop_mpls(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(eth_type=0x%04"PRIx16")", ntohs(a->mpls.ethertype));
}

static void
format_set_mpls(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(lse=0x%08"PRIx32"/0x%08"PRIx32")", ntohl(a->mpls.lse),
                  ntohl(a->mpls.lse_mask));
}

static void
format_set_field(const struct offload_action *a, struct ds *s)
{
    size_t size = offload_field_get(a->set_field.field)->size;

    ds_put_format(s, "(%s=0x", offload_field_name(a->set_field.field));
    for (size_t i = 0; i < size; i++) {
        ds_put_format(s, "%02"PRIx8, a->set_field.value[i]);
    }
    if (!is_all_ones(a->set_field.mask, size)) {
        ds_put_cstr(s, "/0x");
        for (size_t i = 0; i < size; i++) {
            ds_put_format(s, "%02"PRIx8, a->set_field.mask[i]);
        }
    }
    ds_put_char(s, ')');
}

static void
format_set_tunnel(const struct offload_action *a, struct ds *s)
{
    ds_put_cstr(s, "(");
    if (a->tunnel.id_present) {
        ds_put_format(s, "tun_id=0x%"PRIx64",", ntohll(a->tunnel.id));
    }
    if (a->tunnel.ipv6) {
        ds_put_cstr(s, "ipv6_dst=");
        ipv6_format_addr(&a->tunnel.dst6, s);
    } else {
        ds_put_format(s, "dst="IP_FMT, IP_ARGS(a->tunnel.dst));
    }
    ds_put_format(s, ",tp_dst=%"PRIu16")", ntohs(a->tunnel.tp_dst));
}

static void
format_ct(const struct offload_action *a, struct ds *s)
{
    static const char *nats[] = {
        [OFFLOAD_NAT_NONE] = "", [OFFLOAD_NAT_RESTORE] = ",nat",
        [OFFLOAD_NAT_SRC] = ",nat(src)", [OFFLOAD_NAT_DST] = ",nat(dst)",
    };

    ds_put_format(s, "(zone=%"PRIu16"%s%s%s)", a->ct.zone,
                  a->ct.commit ? ",commit" : "", a->ct.force ? ",force" : "",
                  nats[a->ct.nat]);
}

static void
format_recirc(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(0x%"PRIx32")", a->recirc.id);
}

static void
format_meter(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(%"PRIu32")", a->meter.id);
}

static void
format_tunnel_pop(const struct offload_action *a, struct ds *s)
{
    ds_put_format(s, "(%s)", a->tunnel_pop.port->name);
}

/* Without a formatter, the name says it all. */
static const struct {
    const char *name;
    void (*format)(const struct offload_action *, struct ds *);
} kinds[OFFLOAD_N_ACTIONS] = {
    [OFFLOAD_ACT_OUTPUT] = { "output", format_output },
    [OFFLOAD_ACT_PUSH_VLAN] = { "push_vlan", format_push_vlan },
    [OFFLOAD_ACT_POP_VLAN] = { "pop_vlan", NULL },
    [OFFLOAD_ACT_PUSH_MPLS] = { "push_mpls", format_push_mpls },
    [OFFLOAD_ACT_POP_MPLS] = { "pop_mpls", format_pop_mpls },
    [OFFLOAD_ACT_SET_MPLS] = { "set(mpls)", format_set_mpls },
    [OFFLOAD_ACT_SET_FIELD] = { "set", format_set_field },
    [OFFLOAD_ACT_SET_TUNNEL] = { "set(tunnel)", format_set_tunnel },
    [OFFLOAD_ACT_CT] = { "ct", format_ct },
    [OFFLOAD_ACT_CT_CLEAR] = { "ct_clear", NULL },
    [OFFLOAD_ACT_RECIRC] = { "recirc", format_recirc },
    [OFFLOAD_ACT_METER] = { "meter", format_meter },
    [OFFLOAD_ACT_CHECK_PKT_LEN] = { "check_pkt_len", NULL },
    [OFFLOAD_ACT_CLONE] = { "clone", NULL },
    [OFFLOAD_ACT_TUNNEL_PUSH] = { "tnl_push", NULL },
    [OFFLOAD_ACT_TUNNEL_POP] = { "tnl_pop", format_tunnel_pop },
};

const char *
offload_action_name(enum offload_action_kind kind)
{
    return kind < OFFLOAD_N_ACTIONS ? kinds[kind].name : "action";
}

static void
format_list(const struct offload_action *a, size_t n, struct ds *s)
{
    const struct offload_action *end = a + n;

    if (!n) {
        ds_put_cstr(s, "drop");
    }
    while (a < end) {
        enum offload_action_kind kind = a->kind;

        ds_put_cstr(s, offload_action_name(kind));
        if (kind == OFFLOAD_ACT_CHECK_PKT_LEN) {
            size_t n_greater = a->check_pkt_len.n_greater;
            size_t n_less_equal = a->check_pkt_len.n_less_equal;

            ds_put_format(s, "(size=%"PRIu16",gt(", a->check_pkt_len.len);
            format_list(a + 1, n_greater, s);
            ds_put_cstr(s, "),le(");
            format_list(a + 1 + n_greater, n_less_equal, s);
            ds_put_cstr(s, "))");
            a += n_greater + n_less_equal;
        } else if (kind == OFFLOAD_ACT_CLONE) {
            ds_put_char(s, '(');
            format_list(a + 1, a->clone.n, s);
            ds_put_char(s, ')');
            a += a->clone.n;
        } else if (kinds[kind].format) {
            kinds[kind].format(a, s);
        }
        if (++a < end) {
            ds_put_char(s, ',');
        }
    }
}

void
offload_actions_format(const struct offload_rule *rule, struct ds *s)
{
    format_list(rule->actions, rule->n_actions, s);
}
