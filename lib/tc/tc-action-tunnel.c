/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-action-encode.h"

#include <linux/tc_act/tc_tunnel_key.h>
#include <string.h>

#include "openvswitch/geneve.h"
#include "packets.h"
#include "tc/tc-caps.h"
#include "tc/tc-uapi.h"
#include "util.h"

/* Takes the tunnel metadata off the packet, whichever there is. */
static int
put_tunnel_release(struct tc_encoder *e)
{
    struct tc_tunnel_key parms = { .t_action = TCA_TUNNEL_KEY_ACT_RELEASE };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "tunnel_key", false, &nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_TUNNEL_KEY_PARMS, &parms, TC_ACT_SHOT);
        tc_end_action(e, &nesting);
    }
    return error;
}

int
tc_release_tunnel(struct tc_encoder *e)
{
    if (!e->has_tunnel || e->path.released) {
        return 0;
    }
    e->path.released = e->path.maybe_released = true;
    return put_tunnel_release(e);
}

int
tc_release_tunnel_set(struct tc_encoder *e)
{
    if (!e->path.tunnel_set) {
        return 0;
    }
    e->path.tunnel_set = false;
    return put_tunnel_release(e);
}

static int
put_geneve_options(struct tc_encoder *e, const struct nlattr *options)
{
    const uint8_t *data = nl_attr_get(options);
    const uint8_t *end = data + nl_attr_get_size(options);
    size_t outer = tc_start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS);

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
        inner = tc_start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS_GENEVE);
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
put_vxlan_gbp(struct tc_encoder *e, uint32_t gbp)
{
    size_t outer, inner;

    outer = tc_start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS);
    inner = tc_start_nested(e, TCA_TUNNEL_KEY_ENC_OPTS_VXLAN);
    nl_msg_put_u32(e->msg, TCA_TUNNEL_KEY_ENC_OPT_VXLAN_GBP, gbp);
    nl_msg_end_nested(e->msg, inner);
    nl_msg_end_nested(e->msg, outer);
}

static void
put_tunnel_addresses(struct tc_encoder *e, const struct offload_action *a)
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
put_tunnel_header(struct tc_encoder *e, const struct offload_action *a)
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
check_tunnel(struct tc_encoder *e, const struct offload_action *a)
{
    if (a->tunnel.df && !a->tunnel.ipv6 && !tc_caps.tunnel_df) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_CAPABILITY,
                              "set(tunnel(df))", "options:df_default=false",
                              "Linux 6.4 and later can set it");
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
put_tunnel_set(struct tc_encoder *e, const struct offload_action *action)
{
    struct tc_tunnel_key parms = {
        .action = TC_ACT_PIPE,
        .t_action = TCA_TUNNEL_KEY_ACT_SET,
    };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "tunnel_key", false, &nesting);

    if (error) {
        return error;
    }
    e->tail = TC_PUT_PARMS(e, TCA_TUNNEL_KEY_PARMS, &parms, TC_ACT_SHOT);
    put_tunnel_addresses(e, action);
    put_tunnel_header(e, action);
    if (action->tunnel.geneve_opts) {
        error = put_geneve_options(e, action->tunnel.geneve_opts);
    } else if (action->tunnel.gbp_present) {
        put_vxlan_gbp(e, action->tunnel.gbp);
    }
    tc_end_action(e, &nesting);
    return error;
}

int
tc_encode_set_tunnel(struct tc_encoder *e, const struct offload_action *action,
                     bool final OVS_UNUSED)
{
    int error = check_tunnel(e, action);

    if (!error) {
        error = tc_release_tunnel(e);
    }
    if (!error) {
        error = put_tunnel_set(e, action);
        e->path.tunnel_set = true;
    }
    return error;
}
