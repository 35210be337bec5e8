/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "offload-action-parse.h"

#include <netinet/ip6.h>
#include <string.h>

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "offload-port.h"
#include "packets.h"
#include "util.h"

/* Actions of the userspace datapath alone.
 *
 * A packet goes into a tunnel by having the whole header put in front of it,
 * from Ethernet's on, ready but for lengths, checksums and the UDP source
 * port, followed by the output to a port that is not the tunnel's.  One that
 * comes out of a tunnel is two flows: the first, of the port that the packet
 * arrived at, sees the outer headers and says "tnl_pop(port)", the second, of
 * the tunnel's port, sees the tunnel's metadata and the inner headers. */

/* clone: what is inside is done to a copy of the packet. */
int
offload_parse_clone(struct offload_parser *p, const struct nlattr *nla)
{
    const struct offload_packet packet = p->packet;
    struct offload_action *action;
    size_t start;
    int error;

    error = offload_parser_add(p, OFFLOAD_ACT_CLONE, &action);
    if (error) {
        return error;
    }
    start = p->rule->n_actions;
    error = offload_parse_list(p, nl_attr_get(nla), nl_attr_get_size(nla),
                               true);
    action->clone.n = p->rule->n_actions - start;
    p->packet = packet;
    return error;
}

/* tnl_push. */

/* By OVS_VPORT_TYPE_*: what is behind the IP header, in bytes. */
static const struct {
    enum offload_port_kind kind;
    uint8_t proto;
    uint8_t min_len;
} tunnel_types[] = {
    [OVS_VPORT_TYPE_GRE] = { OFFLOAD_PORT_GRE, IPPROTO_GRE, 4 },
    [OVS_VPORT_TYPE_IP6GRE] = { OFFLOAD_PORT_GRE, IPPROTO_GRE, 4 },
    [OVS_VPORT_TYPE_VXLAN] = { OFFLOAD_PORT_VXLAN, IPPROTO_UDP, 16 },
    [OVS_VPORT_TYPE_GENEVE] = { OFFLOAD_PORT_GENEVE, IPPROTO_UDP, 16 },
};

/* Is it an Ethernet header, an IP header of the usual length, and what belongs
 * to that type of tunnel?  Returns NULL if so, else what is wrong. */
static const char *
check_header(const uint8_t *header, size_t len, uint8_t proto, size_t min_len)
{
    ovs_be16 type;
    size_t ip_len;
    uint8_t is;

    if (len < ETH_HEADER_LEN + IP_HEADER_LEN) {
        return "too short a header";
    }
    memcpy(&type, header + offsetof(struct eth_header, eth_type), sizeof type);
    if (type == htons(ETH_TYPE_IP)) {
        ip_len = IP_HEADER_LEN;
        is = header[ETH_HEADER_LEN + offsetof(struct ip_header, ip_proto)];
    } else if (type == htons(ETH_TYPE_IPV6)) {
        ip_len = IPV6_HEADER_LEN;
        is = header[ETH_HEADER_LEN + offsetof(struct ip6_hdr, ip6_nxt)];
    } else {
        return "a header that isn't IP";
    }
    return (len < ETH_HEADER_LEN + ip_len + min_len ? "too short a header"
            : is != proto ? "a header of another protocol" : NULL);
}

/* The place of GRE's flags in a header that has been checked. */
static ovs_be16
gre_flags(const uint8_t *header)
{
    size_t ofs = ETH_HEADER_LEN;
    ovs_be16 type, flags;

    memcpy(&type, header + offsetof(struct eth_header, eth_type), sizeof type);
    ofs += type == htons(ETH_TYPE_IP) ? IP_HEADER_LEN : IPV6_HEADER_LEN;
    memcpy(&flags, header + ofs, sizeof flags);
    return flags;
}

int
offload_parse_tunnel_push(struct offload_parser *p, const struct nlattr *nla)
{
    const struct ovs_action_push_tnl *push = nl_attr_get(nla);
    const uint8_t *header = (const uint8_t *) push->header;
    struct offload_action *action;
    const char *why;
    int error;

    if (push->header_len
        > nl_attr_get_size(nla) - offsetof(struct ovs_action_push_tnl,
                                           header)) {
        return offload_parser_malformed(p, "tnl_push", "wrong length");
    }
    if (push->tnl_type >= ARRAY_SIZE(tunnel_types)
        || !tunnel_types[push->tnl_type].min_len) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              "tnl_push", NULL,
                              "tunnel of type %"PRIu32, push->tnl_type);
    }
    why = check_header(header, push->header_len,
                       tunnel_types[push->tnl_type].proto,
                       tunnel_types[push->tnl_type].min_len);
    if (why) {
        return offload_parser_malformed(p, "tnl_push", why);
    }
    if (tunnel_types[push->tnl_type].kind == OFFLOAD_PORT_GRE
        && gre_flags(header) & htons(GRE_SEQ)) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              "tnl_push", NULL, "GRE with sequence numbers");
    }

    error = offload_parser_add(p, OFFLOAD_ACT_TUNNEL_PUSH, &action);
    if (!error) {
        action->tunnel_push.kind = tunnel_types[push->tnl_type].kind;
        action->tunnel_push.header = header;
        action->tunnel_push.header_len = push->header_len;

        /* What is in front can't be touched any more. */
        p->packet = (struct offload_packet) { .eth_type = htons(0) };
    }
    return error;
}

/* tnl_pop: nothing else can be done to the packet, as a packet for which the
 * tunnel's port has no rule must be as it arrived. */
int
offload_parse_tunnel_pop(struct offload_parser *p, const struct nlattr *nla)
{
    odp_port_t number = nl_attr_get_odp_port(nla);
    struct offload_port *port
        = offload_port_lookup_in(p->context->datapath, number);
    struct offload_action *action;
    int error;

    if (!p->last || p->rule->n_actions) {
        return offload_parser_refuse_order(p, "tnl_pop",
                                           "not the only action");
    }
    if (!port || port->kind == OFFLOAD_PORT_OTHER_TUNNEL
        || !offload_port_kind_is_tunnel(port->kind)) {
        return offload_refuse(p->refusal, OFFLOAD_REFUSED_OUT_PORT, "tnl_pop",
                              NULL, "port %"PRIu32" is no tunnel that can be "
                              "offloaded", odp_to_u32(number));
    }
    error = offload_parser_add(p, OFFLOAD_ACT_TUNNEL_POP, &action);
    if (!error) {
        action->tunnel_pop.port = port;
    }
    return error;
}
