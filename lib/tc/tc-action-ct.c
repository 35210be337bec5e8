/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-action-encode.h"

#include <linux/tc_act/tc_ct.h>
#include <netinet/in.h>

#include "packets.h"
#include "tc/tc-caps.h"
#include "util.h"

static void
put_nat(struct tc_encoder *e, const struct offload_action *a)
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
put_ct_options(struct tc_encoder *e, const struct offload_action *a)
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
put_ct(struct tc_encoder *e, const struct offload_action *action)
{
    struct tc_ct parms = { .action = TC_ACT_PIPE };
    struct tc_nesting nesting;
    int error = tc_begin_action(e, "ct", false, &nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_CT_PARMS, &parms, TC_ACT_SHOT);
        put_ct_options(e, action);
        tc_end_action(e, &nesting);
    }
    return error;
}

/* act_ct doesn't look for the connection again if the packet has one in the
 * same zone.  Open vSwitch does if addresses or ports were set since: it
 * clears the connection then. */
int
tc_encode_ct(struct tc_encoder *e, const struct offload_action *action,
             bool final OVS_UNUSED)
{
    static const struct offload_action clear = {
        .kind = OFFLOAD_ACT_CT_CLEAR,
    };
    int error = 0;

    if (!tc_caps.ct_state) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_CAPABILITY, "ct",
                              "a kernel built with CONFIG_NET_ACT_CT", "%s",
                              "");
    }
    /* Linux 6.1's act_ct, which puts fragments together to look at them, does
     * not get those of IPv6 out again on a device with a VLAN or of a
     * tunnel. */
    if (action->kind == OFFLOAD_ACT_CT
        && e->rule->packet->dl_type == htons(ETH_TYPE_IPV6)
        && e->rule->packet->nw_frag & FLOW_NW_FRAG_ANY) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE, "ct",
                              NULL, "the kernel loses fragments of IPv6");
    }
    if (e->path.ct_outdated && action->kind == OFFLOAD_ACT_CT) {
        error = put_ct(e, &clear);
    }
    e->path.tracked = action->kind == OFFLOAD_ACT_CT;
    e->path.ct_outdated = false;
    return error ? error : put_ct(e, action);
}
