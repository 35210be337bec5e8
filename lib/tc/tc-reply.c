/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-reply.h"

#include <errno.h>

#include <linux/netlink.h>
#include <string.h>

#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "tc/tc-police.h"
#include "tc/tc-prio.h"
#include "tc/tc-uapi.h"
#include "util.h"

/* One action, as in a filter or on its own. */
struct action {
    bool police;
    bool has_index, has_cookie, has_stats;
    uint32_t index;
    ovs_u128 cookie;
    uint64_t packets, bytes;            /* Hardware's included. */
    uint64_t hw_packets, hw_bytes;
    uint64_t drops;
};

/* Attributes.  Their payload may be unaligned and of any size: each of these
 * copies what it needs, and returns false if that isn't there. */

static bool
get_bytes(const struct nlattr *nla, void *value, size_t size)
{
    if (nl_attr_get_size(nla) < size) {
        return false;
    }
    memcpy(value, nl_attr_get(nla), size);
    return true;
}

static bool
get_u32(const struct nlattr *nla, uint32_t *value)
{
    return get_bytes(nla, value, sizeof *value);
}

static bool
is_string(const struct nlattr *nla, const char *s)
{
    size_t size = strlen(s) + 1;

    return nl_attr_get_size(nla) == size && !memcmp(nl_attr_get(nla), s, size);
}

/* Where the attributes of a message that starts with a netlink header and a
 * 'header_len' bytes long other one are.  False if it is too short. */
static bool
get_attributes(const struct ofpbuf *msg, size_t header_len,
               const struct nlattr **attrs, size_t *attrs_len)
{
    const struct nlmsghdr *nlh = msg->data;
    size_t ofs = NLMSG_HDRLEN + NLMSG_ALIGN(header_len);

    if (msg->size < ofs || nlh->nlmsg_len < ofs
        || nlh->nlmsg_len > msg->size) {
        return false;
    }
    *attrs_len = nlh->nlmsg_len - ofs;
    *attrs = ALIGNED_CAST(const struct nlattr *,
                          (const char *) msg->data + ofs);
    return true;
}

static int
message_type(const struct ofpbuf *msg)
{
    const struct nlmsghdr *nlh = msg->data;

    return nlh->nlmsg_type;
}

/* Reads TCA_ACT_STATS.  Packets over 32 bits come as TCA_STATS_PKT64, which
 * belongs to the basic counters right before it. */
static bool
parse_stats(const struct nlattr *stats, struct action *action)
{
    uint64_t *pkt64 = NULL;
    const struct nlattr *nla;
    size_t left;

    NL_NESTED_FOR_EACH (nla, left, stats) {
        int type = nl_attr_type(nla);
        struct gnet_stats_basic basic;
        struct gnet_stats_queue queue;

        if (type == TCA_STATS_BASIC || type == TCA_STATS_BASIC_HW) {
            bool hw = type == TCA_STATS_BASIC_HW;

            if (!get_bytes(nla, &basic, sizeof basic)) {
                return false;
            }
            pkt64 = hw ? &action->hw_packets : &action->packets;
            *pkt64 = basic.packets;
            *(hw ? &action->hw_bytes : &action->bytes) = basic.bytes;
            action->has_stats = true;
        } else if (type == TCA_STATS_PKT64) {
            if (!pkt64 || !get_bytes(nla, pkt64, sizeof *pkt64)) {
                return false;
            }
        } else if (type == TCA_STATS_QUEUE) {
            if (!get_bytes(nla, &queue, sizeof queue)) {
                return false;
            }
            action->drops = queue.drops;
        }
    }
    return true;
}

/* Reads the options of a police action, for its index. */
static bool
parse_police(const struct nlattr *options, struct action *action)
{
    const struct nlattr *nla;
    size_t left;

    NL_NESTED_FOR_EACH (nla, left, options) {
        if (nl_attr_type(nla) == TCA_POLICE_TBF) {
            struct tc_police parms;

            if (!get_bytes(nla, &parms, sizeof parms)) {
                return false;
            }
            action->index = parms.index;
            action->has_index = true;
        }
    }
    return true;
}

/* Reads one action.  False if it is malformed. */
static bool
parse_action(const struct nlattr *attr, struct action *action)
{
    const struct nlattr *options = NULL;
    const struct nlattr *nla;
    bool ok = true;
    size_t left;

    memset(action, 0, sizeof *action);
    NL_NESTED_FOR_EACH (nla, left, attr) {
        switch (nl_attr_type(nla)) {
        case TCA_ACT_KIND:
            action->police = is_string(nla, "police");
            break;
        case TCA_ACT_OPTIONS:
            options = nla;
            break;
        case TCA_ACT_INDEX:
            ok = ok && get_u32(nla, &action->index);
            action->has_index = true;
            break;
        case TCA_ACT_COOKIE:
            if (nl_attr_get_size(nla) == sizeof action->cookie) {
                memcpy(&action->cookie, nl_attr_get(nla),
                       sizeof action->cookie);
                action->has_cookie = true;
            }
            break;
        case TCA_ACT_STATS:
            ok = ok && parse_stats(nla, action);
            break;
        }
    }
    return ok && (!action->police || !options
                  || parse_police(options, action));
}

/* Converts what the kernel counted.  It reads total and hardware counters one
 * after the other, so hardware may be ahead. */
static void
set_counters(struct offload_counters *c,
             uint64_t packets, uint64_t bytes,
             uint64_t hw_packets, uint64_t hw_bytes)
{
    c->hw_packets = hw_packets;
    c->hw_bytes = hw_bytes;
    c->sw_packets = packets - MIN(packets, hw_packets);
    c->sw_bytes = bytes - MIN(bytes, hw_bytes);
}

/* Whether an action's counters are those of packets of its filter alone. */
static bool
counts_for_filter(const struct action *action)
{
    return (action->has_stats
            && (!action->police || action->has_cookie)
            && !(action->police && action->has_index
                 && tc_police_is_meter_index(action->index)));
}

/* Takes the larger counts of both into '*most': see the top of tc-reply.h. */
static void
sum_up(struct action *most, const struct action *action)
{
    if (!most->has_stats || action->packets > most->packets) {
        most->packets = action->packets;
        most->bytes = action->bytes;
    }
    if (!most->has_stats || action->hw_packets > most->hw_packets) {
        most->hw_packets = action->hw_packets;
        most->hw_bytes = action->hw_bytes;
    }
    most->has_stats = true;
}

/* Reads TCA_FLOWER_ACT. */
static bool
parse_actions(const struct nlattr *attr, struct tc_filter *filter)
{
    struct action most = { .has_stats = false };
    const struct nlattr *nla;
    size_t left;

    NL_NESTED_FOR_EACH (nla, left, attr) {
        struct action action;

        if (!parse_action(nla, &action)) {
            return false;
        }
        if (action.has_cookie && !filter->has_cookie) {
            filter->cookie = action.cookie;
            filter->has_cookie = true;
        }
        if (counts_for_filter(&action)) {
            sum_up(&most, &action);
        }
    }
    filter->has_counters = most.has_stats;
    set_counters(&filter->counters, most.packets, most.bytes,
                 most.hw_packets, most.hw_bytes);
    return true;
}

/* Reads TCA_OPTIONS of a flower. */
static bool
parse_flower(const struct nlattr *options, struct tc_filter *filter)
{
    const struct nlattr *nla;
    size_t left;

    NL_NESTED_FOR_EACH (nla, left, options) {
        uint32_t flags;

        switch (nl_attr_type(nla)) {
        case TCA_FLOWER_FLAGS:
            if (!get_u32(nla, &flags)) {
                return false;
            }
            filter->in_hw = (flags & TCA_CLS_FLAGS_IN_HW) != 0;
            break;
        case TCA_FLOWER_ACT:
            if (!parse_actions(nla, filter)) {
                return false;
            }
            break;
        }
    }
    return true;
}

static void
parse_tcmsg(const struct ofpbuf *msg, struct tc_filter *filter)
{
    const struct tcmsg *tcm = ALIGNED_CAST(const struct tcmsg *,
                                           (const char *) msg->data
                                           + NLMSG_HDRLEN);

    memset(filter, 0, sizeof *filter);
    filter->ifindex = tcm->tcm_ifindex;
    if (tcm->tcm_ifindex == (int) TCM_IFINDEX_MAGIC_BLOCK) {
        filter->block = tcm->tcm_block_index;
    } else {
        filter->parent = tcm->tcm_parent;
    }
    filter->handle = tcm->tcm_handle;
    filter->prio = TC_H_MAJ(tcm->tcm_info) >> 16;
    filter->protocol = (OVS_FORCE ovs_be16) TC_H_MIN(tcm->tcm_info);
}

bool
tc_filter_parse(const struct ofpbuf *msg, struct tc_filter *filter)
{
    const struct nlattr *options = NULL;
    const struct nlattr *attrs, *nla;
    size_t attrs_len, left;

    if (!get_attributes(msg, sizeof(struct tcmsg), &attrs, &attrs_len)
        || (message_type(msg) != RTM_NEWTFILTER
            && message_type(msg) != RTM_DELTFILTER)) {
        return false;
    }
    parse_tcmsg(msg, filter);
    NL_ATTR_FOR_EACH (nla, left, attrs, attrs_len) {
        switch (nl_attr_type(nla)) {
        case TCA_KIND:
            filter->flower = is_string(nla, "flower");
            break;
        case TCA_CHAIN:
            if (!get_u32(nla, &filter->chain)) {
                return false;
            }
            break;
        case TCA_OPTIONS:
            options = nla;
            break;
        }
    }
    return !filter->flower || !options || parse_flower(options, filter);
}

bool
tc_filter_is_ovs(const struct tc_filter *filter)
{
    return (filter->flower && filter->handle && filter->has_cookie
            && filter->prio >= TC_PRIO_FIRST_OURS);
}

bool
tc_filter_is_ours(const struct tc_filter *filter)
{
    return (tc_filter_is_ovs(filter)
            && filter->handle == tc_handle(filter->handle));
}

size_t
tc_action_reply_parse(const struct ofpbuf *msg,
                      struct tc_action_reply actions[], size_t max)
{
    const struct nlattr *attrs, *tab, *nla;
    size_t attrs_len, left, left2;
    size_t n = 0;

    if (!get_attributes(msg, sizeof(struct tcamsg), &attrs, &attrs_len)
        || message_type(msg) < RTM_NEWACTION
        || message_type(msg) > RTM_GETACTION) {
        return 0;
    }
    NL_ATTR_FOR_EACH (tab, left, attrs, attrs_len) {
        if (nl_attr_type(tab) != TCA_ACT_TAB) {
            continue;
        }
        NL_NESTED_FOR_EACH (nla, left2, tab) {
            struct action action;

            if (n >= max || !parse_action(nla, &action)) {
                return n;
            }
            actions[n] = (struct tc_action_reply) {
                .police = action.police,
                .index = action.index,
                .drops = action.drops,
            };
            set_counters(&actions[n].counters, action.packets, action.bytes,
                         action.hw_packets, action.hw_bytes);
            n++;
        }
    }
    return n;
}

const struct nlattr *
tc_reply_find(const struct ofpbuf *msg, size_t header_len,
              const uint16_t path[], size_t n)
{
    const struct nlattr *attrs, *nla;
    size_t attrs_len, left;

    if (!get_attributes(msg, header_len, &attrs, &attrs_len)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const struct nlattr *found = NULL;

        NL_ATTR_FOR_EACH (nla, left, attrs, attrs_len) {
            if (nl_attr_type(nla) == path[i]) {
                found = nla;
                break;
            }
        }
        if (!found || i + 1 == n) {
            return found;
        }
        attrs = nl_attr_get(found);
        attrs_len = nl_attr_get_size(found);
    }
    return NULL;
}

bool
tc_is_gone(int error)
{
    return (error == ENODEV || error == ENXIO || error == ENOENT
            || error == EINVAL);
}
