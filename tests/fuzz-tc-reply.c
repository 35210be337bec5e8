/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what reads the kernel's messages.  The input is what a receive got:
 * netlink messages one after the other, at an address that is aligned as that
 * of a receive buffer.  The corpus beside this file is from a real kernel. */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "tc/tc-netlink.h"
#include "tc/tc-reply.h"
#include "tc/tc-uapi.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_filter(const struct tc_filter *filter)
{
    if (tc_filter_is_ours(filter)) {
        ovs_assert(filter->flower && filter->has_cookie);
    }
    if (!filter->has_counters) {
        ovs_assert(!filter->counters.hw_packets);
        ovs_assert(!filter->counters.sw_packets);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t path[] = { TCA_OPTIONS, TCA_FLOWER_ACT, 1,
                                     TCA_ACT_OPTIONS };
    struct tc_action_reply actions[4];
    struct tc_filter filter;
    struct ofpbuf buf, msg;

    ofpbuf_init(&buf, size);    /* Its own memory: see ASan. */
    ofpbuf_put(&buf, data, size);
    while (tc_dump_msg(&buf, &msg)) {
        if (tc_filter_parse(&msg, &filter)) {
            check_filter(&filter);
        }
        ovs_assert(tc_action_reply_parse(&msg, actions, ARRAY_SIZE(actions))
                   <= ARRAY_SIZE(actions));
        const struct nlattr *nla = tc_reply_find(&msg, sizeof(struct tcmsg),
                                                 path, ARRAY_SIZE(path));
        if (nla && nl_attr_get_size(nla)) {
            volatile uint8_t last;

            last = ((const uint8_t *) nl_attr_get(nla))[
                nl_attr_get_size(nla) - 1];
            (void) last;
        }
    }
    ofpbuf_uninit(&buf);
    return 0;
}
