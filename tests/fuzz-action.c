/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the way from netlink actions to TC's.  The input's first byte chooses
 * a megaflow, the rest are its actions: whatever they are, they are refused
 * or become a message that is well-formed. */

#include <config.h>

#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "odp-util.h"
#include "offload-action.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tc/tc-action.h"
#include "tc/tc-caps.h"
#include "tc/tc-match.h"
#include "tc/tc-police.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Instead of the TC backend's. */
struct tc_caps tc_caps;

bool
tc_police_lookup(uint32_t meter_id, uint32_t *index)
{
    *index = 0x10000000 + meter_id;
    return meter_id < 10;
}

static bool
zone_is_limited(uint16_t zone)
{
    return zone == 666;
}

static void
add_ports(void)
{
    static bool added;

    if (!added) {
        for (int i = 0; i <= OFFLOAD_PORT_OTHER_TUNNEL; i++) {
            ovs_assert(offload_port_add(u32_to_odp(i + 1), "port", i, i + 1,
                                        0));
        }
        added = true;
    }
}

static const struct {
    uint16_t dl_type;
    uint8_t nw_proto, nw_frag;
    int n_vlans;
    bool tunnel;
} kinds[] = {
    { ETH_TYPE_IP, IPPROTO_TCP, 0, 0, false },
    { ETH_TYPE_IP, IPPROTO_SCTP, 0, 1, false },
    { ETH_TYPE_IP, IPPROTO_UDP, FLOW_NW_FRAG_ANY, 0, true },
    { ETH_TYPE_IPV6, IPPROTO_UDP, 0, 0, true },
    { ETH_TYPE_IPV6, IPPROTO_ICMPV6, FLOW_NW_FRAG_MASK, 2, false },
    { ETH_TYPE_ARP, 1, 0, 0, false },
    { ETH_TYPE_MPLS, 0, 0, 0, false },
};

static void
make_rule(uint8_t kind, struct offload_rule *rule)
{
    struct flow *flow = &rule->match.flow;
    struct flow *mask = &rule->match.wc.masks;

    memset(rule, 0, sizeof *rule);
    kind %= ARRAY_SIZE(kinds);
    flow->dl_type = htons(kinds[kind].dl_type);
    flow->nw_proto = kinds[kind].nw_proto;
    flow->nw_frag = kinds[kind].nw_frag;
    for (int i = 0; i < kinds[kind].n_vlans; i++) {
        flow->vlans[i].tci = htons(VLAN_CFI);
    }
    flow->mpls_lse[0] = htonl(MPLS_BOS_MASK);
    if (kinds[kind].tunnel) {
        flow->tunnel.ip_dst = htonl(1);
    }
    mask->dl_type = OVS_BE16_MAX;
    mask->nw_proto = UINT8_MAX;
    mask->nw_frag = FLOW_NW_FRAG_MASK;
    memset(&mask->tp_src, 0xff, sizeof mask->tp_src);
    memset(&mask->dl_dst, 0xff, sizeof mask->dl_dst);
    rule->packet = flow;
    rule->in_port = offload_port_lookup(u32_to_odp(1));
}

static void
check_message(const struct ofpbuf *msg)
{
    const struct nlattr *act = msg->data;
    const struct nlattr *nla;
    size_t left;
    int n = 0;

    ovs_assert(nl_attr_is_valid(act, msg->size)
               && nl_attr_type(act) == TCA_FLOWER_ACT);
    NL_NESTED_FOR_EACH (nla, left, act) {
        ovs_assert(nl_attr_type(nla) == ++n);
        ovs_assert(nl_attr_find_nested(nla, TCA_ACT_KIND));
        ovs_assert(nl_attr_find_nested(nla, TCA_ACT_OPTIONS));
    }
    ovs_assert(!left && n >= 1 && n <= TCA_ACT_MAX_PRIO);
}

static void
encode(const struct offload_rule *rule)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct tc_narrowing narrowing = { false, false };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpbuf msg;

    offload_actions_format(rule, &s);
    ds_destroy(&s);

    ofpbuf_init(&msg, 0);
    if (!tc_actions_encode(&msg, rule, &narrowing, &refusal)) {
        check_message(&msg);
    } else {
        ovs_assert(offload_refused(&refusal));
    }
    ofpbuf_uninit(&msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct offload_context context = {
        .recirc_shared = true, .ct_zone_limited = zone_is_limited,
    };
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct offload_rule rule;
    void *actions;

    if (!size) {
        return 0;
    }
    add_ports();
    tc_caps.police_mtu = true;
    tc_caps.ct_state = UINT8_MAX;
    tc_caps.tunnel_df = data[0] & 0x80;

    make_rule(data[0] & 0x7f, &rule);
    actions = xmemdup(data + 1, size - 1);  /* Its own memory: see ASan. */
    if (!offload_actions_parse(&rule, actions, size - 1, &context,
                               &refusal)) {
        encode(&rule);
    } else {
        ovs_assert(offload_refused(&refusal));
    }
    free(actions);
    return 0;
}
