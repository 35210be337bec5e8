/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-action-parse.h"

#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/geneve.h"
#include "packets.h"
#include "util.h"

/* set(tunnel(...)): the header that a tunnel port will put before the
 * packet. */

static int
parse_ipv4(struct offload_parser *p, const struct nlattr *nla,
           struct offload_action *action)
{
    bool src = nl_attr_type(nla) == OVS_TUNNEL_KEY_ATTR_IPV4_SRC;

    if (action->tunnel.ipv6) {
        return offload_parser_malformed(p, "set(tunnel)",
                                        "both IPv4 and IPv6");
    }
    *(src ? &action->tunnel.src : &action->tunnel.dst) = nl_attr_get_be32(nla);
    return 0;
}

static int
parse_ipv6(struct offload_parser *p, const struct nlattr *nla,
           struct offload_action *action)
{
    bool src = nl_attr_type(nla) == OVS_TUNNEL_KEY_ATTR_IPV6_SRC;

    if (action->tunnel.src || action->tunnel.dst) {
        return offload_parser_malformed(p, "set(tunnel)",
                                        "both IPv4 and IPv6");
    }
    memcpy(src ? &action->tunnel.src6 : &action->tunnel.dst6,
           nl_attr_get(nla), sizeof action->tunnel.src6);
    action->tunnel.ipv6 = true;
    return 0;
}

static int
parse_id(struct offload_parser *p OVS_UNUSED, const struct nlattr *nla,
         struct offload_action *action)
{
    action->tunnel.id = nl_attr_get_be64(nla);
    action->tunnel.id_present = true;
    return 0;
}

/* Options may be copied from here on without a look at their lengths. */
static int
parse_geneve(struct offload_parser *p, const struct nlattr *nla,
             struct offload_action *action)
{
    const uint8_t *data = nl_attr_get(nla);
    size_t left = nl_attr_get_size(nla);

    while (left) {
        struct geneve_opt opt;
        size_t len;

        if (left < sizeof opt) {
            return offload_parser_malformed(p, "set(tunnel(geneve))",
                                            "truncated option");
        }
        memcpy(&opt, data, sizeof opt);
        len = sizeof opt + opt.length * 4;
        if (left < len) {
            return offload_parser_malformed(
                p, "set(tunnel(geneve))", "option longer than the attribute");
        }
        if (opt.r1 || opt.r2 || opt.r3) {
            return offload_parser_malformed(p, "set(tunnel(geneve))",
                                            "reserved bits");
        }
        data += len;
        left -= len;
    }
    action->tunnel.geneve_opts = nl_attr_get_size(nla) ? nla : NULL;
    return 0;
}

static int
parse_gbp(struct offload_parser *p OVS_UNUSED, const struct nlattr *nla,
          struct offload_action *action)
{
    action->tunnel.gbp = nl_attr_get_u32(nla);
    action->tunnel.gbp_present = true;
    return 0;
}

static int
parse_vxlan(struct offload_parser *p, const struct nlattr *nla,
            struct offload_action *action)
{
    static const struct offload_attr vxlan_rows[] = {
        [OVS_VXLAN_EXT_GBP] = {
            .name = "set(tunnel(vxlan(gbp)))", .use = OFFLOAD_ATTR_PARSE,
            .min_len = 4, .max_len = 4, .parse = parse_gbp },
    };

    return offload_parse_nested(p, "set(tunnel(vxlan))", nla, vxlan_rows,
                                ARRAY_SIZE(vxlan_rows), action);
}

#define TUNNEL_PARSED(NAME, MIN, MAX, PARSE)                            \
    { .name = "set(tunnel(" NAME "))", .use = OFFLOAD_ATTR_PARSE,       \
      .min_len = MIN, .max_len = MAX, .parse = PARSE }
#define TUNNEL_COPIED(NAME, MEMBER)                                     \
    { .name = "set(tunnel(" NAME "))", OFFLOAD_ATTR_LEN_COPY(tunnel.MEMBER) }
#define TUNNEL_FLAG(NAME, MEMBER)                                       \
    { .name = "set(tunnel(" NAME "))", .use = OFFLOAD_ATTR_FLAG,        \
      .ofs = offsetof(struct offload_action, tunnel.MEMBER) }
#define TUNNEL_REFUSED(NAME)                                            \
    { .name = "set(tunnel(" NAME "))", .use = OFFLOAD_ATTR_REFUSED,     \
      .max_len = UINT16_MAX }

static const struct offload_attr rows[] = {
    [OVS_TUNNEL_KEY_ATTR_ID] = TUNNEL_PARSED("tun_id", 8, 8, parse_id),
    [OVS_TUNNEL_KEY_ATTR_IPV4_SRC] = TUNNEL_PARSED("src", 4, 4, parse_ipv4),
    [OVS_TUNNEL_KEY_ATTR_IPV4_DST] = TUNNEL_PARSED("dst", 4, 4, parse_ipv4),
    [OVS_TUNNEL_KEY_ATTR_IPV6_SRC]
        = TUNNEL_PARSED("ipv6_src", 16, 16, parse_ipv6),
    [OVS_TUNNEL_KEY_ATTR_IPV6_DST]
        = TUNNEL_PARSED("ipv6_dst", 16, 16, parse_ipv6),
    [OVS_TUNNEL_KEY_ATTR_TOS] = TUNNEL_COPIED("tos", tos),
    [OVS_TUNNEL_KEY_ATTR_TTL] = TUNNEL_COPIED("ttl", ttl),
    [OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT] = TUNNEL_FLAG("df", df),
    [OVS_TUNNEL_KEY_ATTR_CSUM] = TUNNEL_FLAG("csum", csum),
    [OVS_TUNNEL_KEY_ATTR_OAM] = TUNNEL_FLAG("oam", oam),
    [OVS_TUNNEL_KEY_ATTR_TP_SRC] = TUNNEL_COPIED("tp_src", tp_src),
    [OVS_TUNNEL_KEY_ATTR_TP_DST] = TUNNEL_COPIED("tp_dst", tp_dst),
    [OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS]
        = TUNNEL_PARSED("geneve", 0, UINT16_MAX, parse_geneve),
    [OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS]
        = TUNNEL_PARSED("vxlan", 0, UINT16_MAX, parse_vxlan),
    [OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS] = TUNNEL_REFUSED("erspan"),
    [OVS_TUNNEL_KEY_ATTR_GTPU_OPTS] = TUNNEL_REFUSED("gtpu"),
    [OVS_TUNNEL_KEY_ATTR_PAD] = {
        .name = "set(tunnel)", .use = OFFLOAD_ATTR_IGNORED,
        .max_len = UINT16_MAX },
};

static bool
has_destination(const struct offload_action *action)
{
    return (action->tunnel.ipv6
            ? !is_all_zeros(&action->tunnel.dst6, sizeof action->tunnel.dst6)
            : action->tunnel.dst != 0);
}

/* 'nla' is an OVS_KEY_ATTR_TUNNEL. */
int
offload_parse_tunnel(struct offload_parser *p, const struct nlattr *nla)
{
    struct offload_action *action;
    int error;

    if (p->copied) {
        return offload_parser_refuse_order(
            p, "set(tunnel)", "in a branch with actions after it");
    }
    error = offload_parser_add(p, OFFLOAD_ACT_SET_TUNNEL, &action);
    if (!error) {
        error = offload_parse_nested(p, "set(tunnel)", nla, rows,
                                     ARRAY_SIZE(rows), action);
    }
    if (!error && !has_destination(action)) {
        error = offload_parser_malformed(p, "set(tunnel)", "no destination");
    }
    if (!error && action->tunnel.gbp_present && action->tunnel.geneve_opts) {
        error = offload_parser_malformed(p, "set(tunnel)",
                                         "both vxlan and geneve options");
    }
    return error;
}
