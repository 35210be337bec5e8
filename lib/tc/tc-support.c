/* SPDX-License-Identifier: Apache-2.0 */

/* What the TC backend can do with each row of the tables, in this kernel. */

#include <config.h>

#include "tc/tc-support.h"

#include "tc/tc-caps.h"
#include "util.h"

/* Rows that need something of the kernel.  'lesser' is what is left without
 * it. */
static const struct need {
    enum offload_field_id field;
    const bool *has;
    enum offload_support lesser;
    const char *why;
} needs[] = {
    { OFFLOAD_FIELD_TUN_DF, &tc_caps.enc_flags, OFFLOAD_SUPPORT_YES,
      "this kernel can't (Linux 6.12 can): rules match both values, or with "
      "other_config:offload-strict-tunnel-flags none is made" },
    { OFFLOAD_FIELD_TUN_CSUM, &tc_caps.enc_flags, OFFLOAD_SUPPORT_YES,
      "this kernel can't (Linux 6.12 can): rules match both values, or with "
      "other_config:offload-strict-tunnel-flags none is made" },
    { OFFLOAD_FIELD_TUN_OAM, &tc_caps.enc_flags, OFFLOAD_SUPPORT_NO,
      "not in this kernel: Linux 6.12" },
    { OFFLOAD_FIELD_VLAN_PRESENT, &tc_caps.vlan_count, OFFLOAD_SUPPORT_YES,
      "a VLAN can be matched, but none can't in this kernel: Linux 5.19" },
    { OFFLOAD_FIELD_CVLAN_PRESENT, &tc_caps.vlan_count, OFFLOAD_SUPPORT_YES,
      "a VLAN can be matched, but none can't in this kernel: Linux 5.19" },
};

static bool
is_conntrack(enum offload_field_id id)
{
    return id >= OFFLOAD_FIELD_CT_STATE && id <= OFFLOAD_FIELD_CT_LABEL;
}

enum offload_support
tc_match_support(const struct offload_port *port OVS_UNUSED,
                 enum offload_field_id id, const char **why)
{
    const struct offload_field *field = offload_field_get(id);

    *why = field->tc.note;
    if (field->tc.form == OFFLOAD_FORM_NONE) {
        *why = *why ? *why : "TC flower has no attribute for it";
        return OFFLOAD_SUPPORT_NO;
    }
    if (is_conntrack(id) && !tc_caps.ct_state) {
        *why = "no act_ct in this kernel";
        return OFFLOAD_SUPPORT_NO;
    }
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        if (needs[i].field == id && !*needs[i].has) {
            *why = needs[i].why;
            return needs[i].lesser;
        }
    }
    return (field->tc.form != OFFLOAD_FORM_IMPLIED
            && field->tc.maskable == OFFLOAD_MASK_EXACT
            ? OFFLOAD_SUPPORT_EXACT : OFFLOAD_SUPPORT_YES);
}

enum offload_support
tc_action_support(const struct offload_port *port OVS_UNUSED,
                  enum offload_action_kind kind, const char **why)
{
    switch (kind) {
    case OFFLOAD_ACT_OUTPUT:
    case OFFLOAD_ACT_PUSH_VLAN:
    case OFFLOAD_ACT_POP_VLAN:
    case OFFLOAD_ACT_PUSH_MPLS:
    case OFFLOAD_ACT_POP_MPLS:
    case OFFLOAD_ACT_SET_MPLS:
    case OFFLOAD_ACT_SET_FIELD:
    case OFFLOAD_ACT_RECIRC:
        return OFFLOAD_SUPPORT_YES;
    case OFFLOAD_ACT_SET_TUNNEL:
        *why = (tc_caps.tunnel_df ? NULL : "only with options:df_default="
                "false: this kernel can't set the DF flag, Linux 6.4 can");
        return OFFLOAD_SUPPORT_YES;
    case OFFLOAD_ACT_CT:
    case OFFLOAD_ACT_CT_CLEAR:
        *why = tc_caps.ct_state ? NULL : "no act_ct in this kernel";
        return tc_caps.ct_state ? OFFLOAD_SUPPORT_YES : OFFLOAD_SUPPORT_NO;
    case OFFLOAD_ACT_METER:
        *why = (tc_caps.police_pps ? NULL
                : "none in packets per second in this kernel: Linux 5.13");
        return OFFLOAD_SUPPORT_YES;
    case OFFLOAD_ACT_CHECK_PKT_LEN:
        *why = tc_caps.police_mtu ? NULL : "not in this kernel";
        return tc_caps.police_mtu ? OFFLOAD_SUPPORT_YES : OFFLOAD_SUPPORT_NO;
    case OFFLOAD_ACT_CLONE:
    case OFFLOAD_ACT_TUNNEL_PUSH:
    case OFFLOAD_ACT_TUNNEL_POP:
    case OFFLOAD_N_ACTIONS:
    default:
        *why = "TC has no action for it";
        return OFFLOAD_SUPPORT_NO;
    }
}
