/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-action-parse.h"

#include <arpa/inet.h>
#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "packets.h"
#include "util.h"

/* Connection tracking. */

/* NAT. */

static int
parse_nat_direction(struct offload_parser *p, const struct nlattr *nla,
                    struct offload_action *action)
{
    if (action->ct.nat != OFFLOAD_NAT_RESTORE) {
        return offload_parser_malformed(p, "ct(nat)", "both src and dst");
    }
    action->ct.nat = (nl_attr_type(nla) == OVS_NAT_ATTR_SRC
                      ? OFFLOAD_NAT_SRC : OFFLOAD_NAT_DST);
    return 0;
}

static int
parse_nat_address(struct offload_parser *p, const struct nlattr *nla,
                  struct offload_action *action)
{
    bool min = nl_attr_type(nla) == OVS_NAT_ATTR_IP_MIN;
    size_t size = nl_attr_get_size(nla);
    int family = (size == sizeof(ovs_be32) ? AF_INET
                  : size == sizeof(struct in6_addr) ? AF_INET6
                  : 0);

    if (!family || (action->ct.family && action->ct.family != family)) {
        return offload_parser_malformed(p, "ct(nat)",
                                        "address of a wrong length");
    }
    action->ct.family = family;
    memcpy(min ? &action->ct.min : &action->ct.max, nl_attr_get(nla), size);
    return 0;
}

#define NAT_FLAG_REFUSED(NAME)                                          \
    { .name = "ct(nat(" NAME "))", .use = OFFLOAD_ATTR_REFUSED }

static const struct offload_attr nat_rows[] = {
    [OVS_NAT_ATTR_SRC] = {
        .name = "ct(nat(src))", .use = OFFLOAD_ATTR_PARSE,
        .parse = parse_nat_direction },
    [OVS_NAT_ATTR_DST] = {
        .name = "ct(nat(dst))", .use = OFFLOAD_ATTR_PARSE,
        .parse = parse_nat_direction },
    [OVS_NAT_ATTR_IP_MIN] = {
        .name = "ct(nat)", .use = OFFLOAD_ATTR_PARSE,
        .min_len = 4, .max_len = 16, .parse = parse_nat_address },
    [OVS_NAT_ATTR_IP_MAX] = {
        .name = "ct(nat)", .use = OFFLOAD_ATTR_PARSE,
        .min_len = 4, .max_len = 16, .parse = parse_nat_address },
    [OVS_NAT_ATTR_PROTO_MIN] = {
        .name = "ct(nat)", OFFLOAD_ATTR_LEN_COPY(ct.port_min) },
    [OVS_NAT_ATTR_PROTO_MAX] = {
        .name = "ct(nat)", OFFLOAD_ATTR_LEN_COPY(ct.port_max) },
    [OVS_NAT_ATTR_PERSISTENT] = NAT_FLAG_REFUSED("persistent"),
    [OVS_NAT_ATTR_PROTO_HASH] = NAT_FLAG_REFUSED("hash"),
    [OVS_NAT_ATTR_PROTO_RANDOM] = NAT_FLAG_REFUSED("random"),
};

/* A range of one needs no upper end. */
static void
complete_nat_range(struct offload_action *action)
{
    static const struct in6_addr none;

    if (action->ct.family && !memcmp(&action->ct.max, &none, sizeof none)) {
        action->ct.max = action->ct.min;
    }
    if (!action->ct.port_max) {
        action->ct.port_max = action->ct.port_min;
    }
}

static const char *
check_nat(const struct offload_parser *p, const struct offload_action *action)
{
    static const struct in6_addr none;
    bool direction = (action->ct.nat == OFFLOAD_NAT_SRC
                      || action->ct.nat == OFFLOAD_NAT_DST);
    int family = (p->packet.eth_type == htons(ETH_TYPE_IP)
                  ? AF_INET : AF_INET6);

    if (!direction && (action->ct.family || action->ct.port_max)) {
        return "a range without src or dst";
    }
    if (action->ct.family) {
        if (action->ct.family != family) {
            return "addresses of another IP version than the packet's";
        }
        if (!memcmp(&action->ct.min, &none, sizeof none)
            || memcmp(&action->ct.min, &action->ct.max, sizeof none) > 0) {
            return "not a range of addresses";
        }
    }
    if (action->ct.port_min > action->ct.port_max
        || (!action->ct.port_min && action->ct.port_max)) {
        return "not a range of ports";
    }
    return NULL;
}

static int
parse_nat(struct offload_parser *p, const struct nlattr *nla,
          struct offload_action *action)
{
    const char *wrong;
    int error;

    action->ct.nat = OFFLOAD_NAT_RESTORE;
    error = offload_parse_nested(p, "ct(nat)", nla, nat_rows,
                                 ARRAY_SIZE(nat_rows), action);
    if (error) {
        return error;
    }
    complete_nat_range(action);
    wrong = check_nat(p, action);
    return wrong ? offload_parser_malformed(p, "ct(nat)", wrong) : 0;
}

/* The rest. */

static int
parse_mark(struct offload_parser *p OVS_UNUSED, const struct nlattr *nla,
           struct offload_action *action)
{
    uint32_t mark[2];

    memcpy(mark, nl_attr_get(nla), sizeof mark);
    action->ct.mark = mark[0] & mark[1];
    action->ct.mark_mask = mark[1];
    return 0;
}

static int
parse_label(struct offload_parser *p OVS_UNUSED, const struct nlattr *nla,
            struct offload_action *action)
{
    ovs_u128 label[2];

    memcpy(label, nl_attr_get(nla), sizeof label);
    action->ct.label = ovs_u128_and(label[0], label[1]);
    action->ct.label_mask = label[1];
    return 0;
}

static int
parse_force_commit(struct offload_parser *p OVS_UNUSED,
                   const struct nlattr *nla OVS_UNUSED,
                   struct offload_action *action)
{
    action->ct.commit = action->ct.force = true;
    return 0;
}

static const struct offload_attr ct_rows[] = {
    [OVS_CT_ATTR_COMMIT] = {
        .name = "ct(commit)", .use = OFFLOAD_ATTR_FLAG,
        .ofs = offsetof(struct offload_action, ct.commit) },
    [OVS_CT_ATTR_FORCE_COMMIT] = {
        .name = "ct(force_commit)", .use = OFFLOAD_ATTR_PARSE,
        .parse = parse_force_commit },
    [OVS_CT_ATTR_ZONE] = {
        .name = "ct(zone)", OFFLOAD_ATTR_LEN_COPY(ct.zone) },
    [OVS_CT_ATTR_MARK] = {
        .name = "ct(mark)", .use = OFFLOAD_ATTR_PARSE,
        .min_len = 8, .max_len = 8, .parse = parse_mark },
    [OVS_CT_ATTR_LABELS] = {
        .name = "ct(label)", .use = OFFLOAD_ATTR_PARSE,
        .min_len = 32, .max_len = 32, .parse = parse_label },
    [OVS_CT_ATTR_NAT] = {
        .name = "ct(nat)", .use = OFFLOAD_ATTR_PARSE,
        .max_len = UINT16_MAX, .parse = parse_nat },
    /* Which changes of a connection are told to who listens to conntrack's
     * events: Open vSwitch sends it with every commit, to spare the kernel
     * messages that nobody reads.  TC tells all of them. */
    [OVS_CT_ATTR_EVENTMASK] = {
        .name = "ct(eventmask)", .use = OFFLOAD_ATTR_IGNORED,
        .min_len = 4, .max_len = 4 },
    [OVS_CT_ATTR_HELPER] = {
        .name = "ct(helper)", .use = OFFLOAD_ATTR_REFUSED,
        .max_len = UINT16_MAX },
    [OVS_CT_ATTR_TIMEOUT] = {
        .name = "ct(timeout)", .use = OFFLOAD_ATTR_REFUSED,
        .max_len = UINT16_MAX },
};

static int
check_ct(struct offload_parser *p, const struct offload_action *action)
{
    if (!action->ct.commit
        && (action->ct.mark_mask
            || !ovs_u128_is_zero(action->ct.label_mask))) {
        return offload_parser_malformed(p, "ct",
                                        "mark or label without commit");
    }
    if (action->ct.commit && p->context->ct_zone_limited
        && p->context->ct_zone_limited(action->ct.zone)) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_CT_LIMIT,
                              "ct(zone)", "ovs-appctl dpctl/ct-del-limits",
                              "zone=%"PRIu16, action->ct.zone);
    }
    return 0;
}

static bool
is_ip(const struct offload_packet *packet)
{
    return (packet->eth_type == htons(ETH_TYPE_IP)
            || packet->eth_type == htons(ETH_TYPE_IPV6));
}

int
offload_parse_ct(struct offload_parser *p, const struct nlattr *nla)
{
    struct offload_action *action;
    int error;

    if (!is_ip(&p->packet)) {
        return offload_parser_refuse_order(p, "ct",
                                           "the packet isn't known to be IP");
    }
    if (p->copied) {
        return offload_parser_refuse_order(
            p, "ct", "in a branch with actions after it");
    }
    error = offload_parser_add(p, OFFLOAD_ACT_CT, &action);
    if (!error) {
        error = offload_parse_nested(p, "ct", nla, ct_rows,
                                     ARRAY_SIZE(ct_rows), action);
    }
    return error ? error : check_ct(p, action);
}

int
offload_parse_ct_clear(struct offload_parser *p,
                       const struct nlattr *nla OVS_UNUSED)
{
    struct offload_action *action;

    if (p->copied) {
        return offload_parser_refuse_order(
            p, "ct_clear", "in a branch with actions after it");
    }
    return offload_parser_add(p, OFFLOAD_ACT_CT_CLEAR, &action);
}
