/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-activity.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink.h"
#include "offload-port.h"
#include "openvswitch/ofpbuf.h"
#include "tc/tc-netlink.h"
#include "tc/tc-reply.h"
#include "util.h"

struct activity {
    struct tc_reply reply;
    struct rtnl_link_stats64 stats;
    bool valid;
};

static void
parse_stats(struct tc_reply *reply, const struct ofpbuf *msg)
{
    struct activity *activity = CONTAINER_OF(reply, struct activity, reply);
    const uint16_t path[] = { IFLA_STATS_LINK_64 };
    const struct nlattr *nla = tc_reply_find(msg, sizeof(struct if_stats_msg),
                                             path, ARRAY_SIZE(path));

    /* Newer kernels append members, older ones lack some at the end. */
    if (nla && nl_attr_get_size(nla) >= offsetof(struct rtnl_link_stats64,
                                                 rx_bytes)) {
        memcpy(&activity->stats, nl_attr_get(nla),
               MIN(nl_attr_get_size(nla), sizeof activity->stats));
        activity->valid = true;
    }
}

int
tc_activity(struct offload_port *port, uint64_t *packets)
{
    struct tc_pipeline *pipeline = tc_pipeline_aside();
    struct activity activity = { .reply = { .echo = parse_stats } };
    struct if_stats_msg *ism;
    struct ofpbuf *msg;

    /* A block has several devices.  What the host's stack sends into an
     * internal port is counted behind the rules, if they let it pass.  What a
     * NIC takes out of a tunnel never gets to the tunnel's device. */
    if (port->block_id || port->kind != OFFLOAD_PORT_PLAIN) {
        return EOPNOTSUPP;
    }
    msg = tc_request_begin_header(pipeline, RTM_GETSTATS, 0, sizeof *ism,
                                  &activity.reply);
    ism = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *ism);
    ism->ifindex = port->ifindex;
    ism->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    tc_request_end(pipeline);
    tc_pipeline_run(pipeline);

    if (activity.reply.error) {
        return activity.reply.error;
    }
    if (!activity.valid) {
        return EOPNOTSUPP;
    }
    *packets = activity.stats.rx_packets;
    return 0;
}
