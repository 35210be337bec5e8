/* SPDX-License-Identifier: Apache-2.0 */

/* What packets are sent to the daemon for: no device can do that, but people
 * want to know who asked for it. */

#include <config.h>

#include "offload-action-parse.h"

#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openflow/openflow.h"
#include "util.h"

/* By enum user_action_cookie_type. */
static const struct {
    const char *userspace, *sample;
} names[] = {
    [USER_ACTION_COOKIE_SFLOW] = { "userspace(sFlow)", "sample(sFlow)" },
    [USER_ACTION_COOKIE_FLOW_SAMPLE] = {
        "userspace(flow_sample)", "sample(flow_sample)" },
    [USER_ACTION_COOKIE_IPFIX] = { "userspace(ipfix)", "sample(ipfix)" },
    [USER_ACTION_COOKIE_CONTROLLER] = { "userspace(controller)", NULL },
};

/* By bit of enum slow_path_reason. */
static const struct {
    enum slow_path_reason reason;
    const char *name;
} slow_paths[] = {
    { SLOW_CFM, "userspace(CFM)" },
    { SLOW_BFD, "userspace(BFD)" },
    { SLOW_LACP, "userspace(LACP)" },
    { SLOW_STP, "userspace(STP)" },
    { SLOW_LLDP, "userspace(LLDP)" },
    { SLOW_ACTION, "userspace(action)" },
    { SLOW_MATCH, "userspace(match)" },
};

/* What the daemon has left for itself in a userspace action.  False if that
 * isn't a cookie. */
static bool
get_cookie(const struct nlattr *userspace, struct user_action_cookie *cookie)
{
    const struct nlattr *data
        = nl_attr_find_nested(userspace, OVS_USERSPACE_ATTR_USERDATA);

    if (!data || nl_attr_get_size(data) != sizeof *cookie) {
        return false;
    }
    memcpy(cookie, nl_attr_get(data), sizeof *cookie);
    return true;
}

const char *
offload_slow_path_called(uint32_t reasons, const char **detail)
{
    for (size_t i = 0; i < ARRAY_SIZE(slow_paths); i++) {
        if (reasons & slow_paths[i].reason) {
            *detail = slow_path_reason_to_explanation(slow_paths[i].reason);
            return slow_paths[i].name;
        }
    }
    return "userspace";
}

const char *
offload_userspace_called(const struct nlattr *nla, const char **detail)
{
    struct user_action_cookie cookie;

    if (!get_cookie(nla, &cookie)) {
        return "userspace";
    } else if (cookie.type == USER_ACTION_COOKIE_SLOW_PATH) {
        return offload_slow_path_called(cookie.slow_path.reason, detail);
    } else if (cookie.type == USER_ACTION_COOKIE_CONTROLLER
               && cookie.controller.reason == OFPR_INVALID_TTL) {
        return "userspace(invalid TTL)";
    }
    return (cookie.type < ARRAY_SIZE(names) && names[cookie.type].userspace
            ? names[cookie.type].userspace : "userspace");
}

const char *
offload_sample_called(const struct nlattr *nla,
                      const char **detail OVS_UNUSED)
{
    const struct nlattr *actions
        = nl_attr_find_nested(nla, OVS_SAMPLE_ATTR_ACTIONS);
    struct user_action_cookie cookie;
    const struct nlattr *a;
    size_t left;

    if (!actions) {
        return "sample";
    }
    NL_NESTED_FOR_EACH (a, left, actions) {
        if (nl_attr_type(a) == OVS_ACTION_ATTR_USERSPACE
            && get_cookie(a, &cookie) && cookie.type < ARRAY_SIZE(names)
            && names[cookie.type].sample) {
            return names[cookie.type].sample;
        }
    }
    return "sample";
}
