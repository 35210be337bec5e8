/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-action-encode.h"

#include <linux/tc_act/tc_mpls.h>
#include <linux/tc_act/tc_vlan.h>

#include "packets.h"
#include "util.h"

/* VLAN and MPLS. */

static int
put_vlan(struct tc_encoder *e, int v_action, struct tc_nesting *nesting)
{
    struct tc_vlan parms = { .action = TC_ACT_PIPE, .v_action = v_action };
    int error = tc_begin_action(e, "vlan", false, nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_VLAN_PARMS, &parms, TC_ACT_SHOT);
    }
    return error;
}

/* The outermost tag is kept beside the packet and doesn't count for its
 * length.  act_vlan takes no VID that 802.1Q reserves. */
int
tc_encode_push_vlan(struct tc_encoder *e, const struct offload_action *action,
                    bool final OVS_UNUSED)
{
    struct tc_nesting nesting;
    int error;

    if (action->push_vlan.vid == VLAN_VID_MASK) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_VALUE,
                              "push_vlan", NULL, "vid=%d", VLAN_VID_MASK);
    }
    error = put_vlan(e, TCA_VLAN_ACT_PUSH, &nesting);
    if (!error) {
        nl_msg_put_u16(e->msg, TCA_VLAN_PUSH_VLAN_ID, action->push_vlan.vid);
        nl_msg_put_be16(e->msg, TCA_VLAN_PUSH_VLAN_PROTOCOL,
                        action->push_vlan.tpid);
        nl_msg_put_u8(e->msg, TCA_VLAN_PUSH_VLAN_PRIORITY,
                      action->push_vlan.pcp);
        tc_end_action(e, &nesting);
        e->path.resized |= ++e->path.n_vlans > 1;
    }
    return error;
}

int
tc_encode_pop_vlan(struct tc_encoder *e,
                   const struct offload_action *action OVS_UNUSED,
                   bool final OVS_UNUSED)
{
    struct tc_nesting nesting;
    int error = put_vlan(e, TCA_VLAN_ACT_POP, &nesting);

    if (!error) {
        tc_end_action(e, &nesting);
        e->path.resized |= e->path.n_vlans > 1;
        e->path.n_vlans = MAX(e->path.n_vlans - 1, 0);
    }
    return error;
}

static int
put_mpls(struct tc_encoder *e, int m_action, struct tc_nesting *nesting)
{
    struct tc_mpls parms = { .action = TC_ACT_PIPE, .m_action = m_action };
    int error = tc_begin_action(e, "mpls", false, nesting);

    if (!error) {
        e->tail = TC_PUT_PARMS(e, TCA_MPLS_PARMS, &parms, TC_ACT_SHOT);
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
check_lse_part(struct tc_encoder *e, const struct lse_part *part,
               uint32_t mask, uint32_t value)
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
put_lse(struct tc_encoder *e, uint32_t lse, uint32_t lse_mask)
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

int
tc_encode_push_mpls(struct tc_encoder *e, const struct offload_action *action,
                    bool final OVS_UNUSED)
{
    struct tc_nesting nesting;
    int error = put_mpls(e, TCA_MPLS_ACT_PUSH, &nesting);

    if (!error) {
        nl_msg_put_be16(e->msg, TCA_MPLS_PROTO, action->mpls.ethertype);
        error = put_lse(e, ntohl(action->mpls.lse), UINT32_MAX);
        tc_end_action(e, &nesting);
        e->path.resized = true;
    }
    return error;
}

int
tc_encode_pop_mpls(struct tc_encoder *e, const struct offload_action *action,
                   bool final OVS_UNUSED)
{
    struct tc_nesting nesting;
    int error = put_mpls(e, TCA_MPLS_ACT_POP, &nesting);

    if (!error) {
        nl_msg_put_be16(e->msg, TCA_MPLS_PROTO, action->mpls.ethertype);
        tc_end_action(e, &nesting);
        e->path.resized = true;
    }
    return error;
}

int
tc_encode_set_mpls(struct tc_encoder *e, const struct offload_action *action,
                   bool final OVS_UNUSED)
{
    struct tc_nesting nesting;
    int error = put_mpls(e, TCA_MPLS_ACT_MODIFY, &nesting);

    if (!error) {
        error = put_lse(e, ntohl(action->mpls.lse),
                        ntohl(action->mpls.lse_mask));
        tc_end_action(e, &nesting);
    }
    return error;
}
