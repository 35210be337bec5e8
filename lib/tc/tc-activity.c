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
#include "tc/tc-port.h"
#include "tc/tc-reply.h"
#include "util.h"

struct activity {
    struct tc_reply reply;
    struct rtnl_link_stats64 stats;     /* Of the device. */
    struct rtnl_link_stats64 software;  /* Of what software got to see. */
    bool has_stats, has_software;
};

/* Newer kernels append members, older ones lack some at the end. */
static bool
parse_stats(const struct ofpbuf *msg, const uint16_t path[], size_t n,
            struct rtnl_link_stats64 *stats)
{
    const struct nlattr *nla = tc_reply_find(msg, sizeof(struct if_stats_msg),
                                             path, n);

    if (!nla || nl_attr_get_size(nla) < offsetof(struct rtnl_link_stats64,
                                                 tx_bytes)) {
        return false;
    }
    memcpy(stats, nl_attr_get(nla), MIN(nl_attr_get_size(nla), sizeof *stats));
    return true;
}

static void
parse_reply(struct tc_reply *reply, const struct ofpbuf *msg)
{
    static const uint16_t device[] = { IFLA_STATS_LINK_64 };
    static const uint16_t cpu_hit[] = {
        IFLA_STATS_LINK_OFFLOAD_XSTATS, IFLA_OFFLOAD_XSTATS_CPU_HIT
    };
    struct activity *activity = CONTAINER_OF(reply, struct activity, reply);

    activity->has_stats = parse_stats(msg, device, ARRAY_SIZE(device),
                                      &activity->stats);
    activity->has_software = parse_stats(msg, cpu_hit, ARRAY_SIZE(cpu_hit),
                                         &activity->software);
}

/* Asks for the statistics in 'mask' (IFLA_STATS_FILTER_BIT()).  Returns 0 with
 * those of the device at least, or a positive errno. */
static int
get_activity(const struct offload_port *port, uint32_t mask,
             struct activity *activity)
{
    struct tc_pipeline *pipeline = tc_pipeline_aside();
    struct if_stats_msg *ism;
    struct ofpbuf *msg;

    memset(activity, 0, sizeof *activity);
    activity->reply.echo = parse_reply;

    /* A block has several devices.  What the host's stack sends into an
     * internal port is counted behind the rules, if they let it pass.  What a
     * NIC takes out of a tunnel never gets to the tunnel's device. */
    if (port->block_id || port->kind != OFFLOAD_PORT_PLAIN) {
        return EOPNOTSUPP;
    }
    msg = tc_request_begin_header(pipeline, RTM_GETSTATS, 0, sizeof *ism,
                                  &activity->reply);
    ism = ofpbuf_at_assert(msg, NLMSG_HDRLEN, sizeof *ism);
    ism->ifindex = port->ifindex;
    ism->filter_mask = mask;
    tc_request_end(pipeline);
    tc_pipeline_run(pipeline);
    return (activity->reply.error ? activity->reply.error
            : activity->has_stats ? 0 : EOPNOTSUPP);
}

int
tc_activity(struct offload_port *port, uint64_t *packets)
{
    struct activity activity;
    int error = get_activity(port, IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64),
                             &activity);

    if (!error) {
        *packets = activity.stats.rx_packets;
    }
    return error;
}

/* A device that was reset counts from zero again. */
static uint64_t
since(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : now;
}

int
tc_received(struct offload_port *port, struct offload_received *received)
{
    const struct tc_port *tc_port = port->aux;
    const struct rtnl_link_stats64 *stats;
    struct activity activity;
    int error = get_activity(
        port, IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)
              | IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_OFFLOAD_XSTATS),
        &activity);

    memset(received, 0, sizeof *received);
    if (!error) {
        stats = (activity.has_software ? &activity.software
                 : &activity.stats);
        received->software = activity.has_software;
        received->packets = since(stats->rx_packets, tc_port->before.packets);
        received->bytes = since(stats->rx_bytes, tc_port->before.bytes);
    }
    return error;
}
