/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "ct-limits.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "ct-dpif.h"
#include "dpif.h"
#include "engine-private.h"
#include "engine.h"
#include "flow-spec.h"
#include "flow-table.h"
#include "netdev-offload.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "timeval.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_ct_limits);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

OFFLOAD_WRAP(ct_dpif_set_limits);
OFFLOAD_WRAP(ct_dpif_del_limits);

#define N_ZONES (UINT16_MAX + 1)

/* How often limits that others set are noticed. */
#define INTERVAL_MS 5000

static long long int next_read;

/* Asks the kernel for all limits.  '*replyp' is NULL on failure.
 *
 * They are the network namespace's, not a datapath's: Open vSwitch's own
 * function for this (ct_dpif_get_limits()) wants a dpif only because others
 * need it, can't be called before the first one is open, and opening one every
 * few seconds would cost a walk over all ports. */
static int
get_limits(struct ofpbuf **replyp)
{
    static int family;
    uint64_t stub[64 / 8];
    struct ofpbuf request;
    int error;

    *replyp = NULL;
    error = nl_lookup_genl_family(OVS_CT_LIMIT_FAMILY, &family);
    if (!error) {
        ofpbuf_use_stub(&request, stub, sizeof stub);
        nl_msg_put_genlmsghdr(&request, 0, family, NLM_F_REQUEST | NLM_F_ECHO,
                              OVS_CT_LIMIT_CMD_GET, OVS_CT_LIMIT_VERSION);
        ofpbuf_put_zeros(&request, sizeof(struct ovs_header));
        error = nl_transact(NETLINK_GENERIC, &request, replyp);
        ofpbuf_uninit(&request);
    }
    if (error && error != EMSGSIZE) {
        family = 0;             /* The module may be loaded (again) later. */
    }
    return error;
}

/* Stores in 'limited' the zones that have a limit according to 'reply': a zone
 * without one of its own has the default's, and 0 is no limit.  Returns false
 * if the reply is malformed. */
static bool
parse_limits(const struct ofpbuf *reply, unsigned long limited[])
{
    static const struct nl_policy policy[] = {
        [OVS_CT_LIMIT_ATTR_ZONE_LIMIT] = { .type = NL_A_NESTED },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ovs_zone_limit *limits;
    size_t n;

    if (!nl_policy_parse(reply, (NLMSG_HDRLEN + GENL_HDRLEN
                                 + sizeof(struct ovs_header)),
                         policy, attrs, ARRAY_SIZE(policy))) {
        return false;
    }

    BUILD_ASSERT_DECL(sizeof *limits % NLA_ALIGNTO == 0);
    limits = nl_attr_get(attrs[OVS_CT_LIMIT_ATTR_ZONE_LIMIT]);
    n = (nl_attr_get_size(attrs[OVS_CT_LIMIT_ATTR_ZONE_LIMIT])
         / sizeof *limits);
    for (size_t i = 0; i < n; i++) {
        if (limits[i].zone_id == OVS_ZONE_LIMIT_DEFAULT_ZONE) {
            bitmap_set_multiple(limited, 0, N_ZONES, limits[i].limit != 0);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (limits[i].zone_id >= 0 && limits[i].zone_id < N_ZONES) {
            bitmap_set(limited, limits[i].zone_id, limits[i].limit != 0);
        }
    }
    return true;
}

/* In the kernel's answer is room for some 300 limits: if there are more, it is
 * EMSGSIZE, and all zones are taken as limited, to be on the safe side.  The
 * other errors are those of kernels without limits. */
static void
read_limits(unsigned long limited[])
{
    struct ofpbuf *reply;
    int error = get_limits(&reply);

    if (error == EMSGSIZE) {
        VLOG_WARN_RL(&rl, "too many connection tracking limits for the "
                     "kernel to tell: no flow that commits connections will "
                     "be offloaded");
        bitmap_set_multiple(limited, 0, N_ZONES, true);
    } else if (error || !parse_limits(reply, limited)) {
        VLOG_DBG_RL(&rl, "connection tracking limits can't be read: %s",
                    error ? ovs_strerror(error) : "malformed answer");
    }
    ofpbuf_delete(reply);
}

/* Flows that were offloaded before their zone was limited. */

static bool
ct_commits_in(const struct nlattr *ct, const unsigned long zones[])
{
    const struct nlattr *zone = nl_attr_find_nested(ct, OVS_CT_ATTR_ZONE);

    return ((nl_attr_find_nested(ct, OVS_CT_ATTR_COMMIT)
             || nl_attr_find_nested(ct, OVS_CT_ATTR_FORCE_COMMIT))
            && bitmap_is_set(zones, zone ? nl_attr_get_u16(zone) : 0));
}

/* Do 'actions', nested in an attribute, commit connections in 'zones'? */
static bool
actions_commit_in(const struct nlattr *actions, const unsigned long zones[])
{
    const struct nlattr *a;
    size_t left;

    NL_NESTED_FOR_EACH (a, left, actions) {
        if (nl_attr_type(a) == OVS_ACTION_ATTR_CT
            && ct_commits_in(a, zones)) {
            return true;
        }
        if (nl_attr_type(a) == OVS_ACTION_ATTR_CHECK_PKT_LEN) {
            const struct nlattr *gt = nl_attr_find_nested(
                a, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER);
            const struct nlattr *le = nl_attr_find_nested(
                a, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL);

            if ((gt && actions_commit_in(gt, zones))
                || (le && actions_commit_in(le, zones))) {
                return true;
            }
        }
    }
    return false;
}

static bool
flow_commits_in(const struct offload_flow *flow, const unsigned long zones[])
{
    const struct flow_spec *spec
        = ovsrcu_get(struct flow_spec *, &flow->spec);

    return (flow->state == OFFLOAD_FLOW_INSTALLED && spec
            && actions_commit_in(flow_spec_actions(spec), zones));
}

/* Takes flows that commit in 'zones' out of their devices.  Open vSwitch finds
 * them to be idle, deletes them, and offers them again with the next packet,
 * when they are refused. */
static void
evict_flows(const unsigned long zones[])
{
    struct cmap_position pos = { 0, 0, 0 };
    struct offload_flow *flow;

    while ((flow = flow_table_next(&pos))) {
        struct offload_flow *claimed;

        if (flow_commits_in(flow, zones)
            && !flow_table_claim(&flow->ufid, false, &claimed)) {
            if (flow_commits_in(claimed, zones)) {
                engine_remove_rule(claimed, OFFLOAD_FLOW_EVICTING);
            }
            flow_table_release(claimed);
        }
    }
}

/* True if a zone is in 'zones' that isn't in 'old'. */
static bool
has_new_zones(const unsigned long zones[], const unsigned long old[])
{
    for (size_t i = 0; i < BITMAP_N_LONGS(N_ZONES); i++) {
        if (zones[i] & ~old[i]) {
            return true;
        }
    }
    return false;
}

/* A flow may have been on its way into a device when the limit came: that is
 * why flows are looked at twice. */
void
ct_limits_read(void)
{
    static unsigned long limited[BITMAP_N_LONGS(N_ZONES)];
    static unsigned long old[BITMAP_N_LONGS(N_ZONES)];
    static bool again;

    memcpy(old, limited, sizeof old);
    memset(limited, 0, sizeof limited);
    read_limits(limited);
    engine_set_ct_limited_zones(limited);
    if (has_new_zones(limited, old) || again) {
        again = !again;
        evict_flows(limited);
    }

    next_read = time_msec() + INTERVAL_MS;
}

void
ct_limits_run(void)
{
    if (time_msec() >= next_read) {
        ct_limits_read();
    }
    poll_timer_wait_until(next_read);
}

static void
limits_changed(const struct dpif *dpif)
{
    if (netdev_is_flow_api_enabled() && !strcmp(dpif_type(dpif), "system")) {
        ct_limits_read();
    }
}

int
__wrap_ct_dpif_set_limits(struct dpif *dpif, const uint32_t *default_limit,
                          const struct ovs_list *zone_limits)
{
    int error = __real_ct_dpif_set_limits(dpif, default_limit, zone_limits);

    limits_changed(dpif);
    return error;
}

int
__wrap_ct_dpif_del_limits(struct dpif *dpif, const struct ovs_list *zones)
{
    int error = __real_ct_dpif_del_limits(dpif, zones);

    limits_changed(dpif);
    return error;
}
