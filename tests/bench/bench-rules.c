/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tests/bench/bench-rules.h"

#include <errno.h>
#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "tests/bench/bench-lib.h"
#include "util.h"

void
bench_refused(const char *what, const struct offload_refusal *refusal)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    offload_refusal_format(refusal, &s);
    errno = 0;
    bench_die("%s is refused: %s", what, ds_cstr(&s));
}

/* The megaflow of the benchmark's flows, as the datapath tells it. */
static void
init_match(enum offload_datapath datapath, struct match *match)
{
    struct bench_packet packet;
    struct eth_addr dst, src;

    bench_packet_init(&packet, 0);
    memcpy(&dst, packet.eth.h_dest, sizeof dst);
    memcpy(&src, packet.eth.h_source, sizeof src);
    match_init_catchall(match);
    match_set_recirc_id(match, 0);
    match_set_in_port(match, OFPP_NONE);
    match->flow.in_port.odp_port = BENCH_IN_PORT;
    if (datapath == OFFLOAD_DP_NETDEV) {
        match_set_packet_type(match, htonl(PT_ETH));
    }
    match_set_dl_type(match, htons(ETH_P_IP));
    match_set_dl_dst(match, dst);
    match_set_dl_src(match, src);
    match_set_nw_dst(match, htonl(BENCH_FIRST_DST));
    match_set_nw_frag(match, 0);
}

void
bench_rule_init(struct bench_rule *r, struct offload_port *port)
{
    static const ovs_u128 ufid = { .u32 = { 0, 1, 2, 3 } };
    static struct ofpbuf actions;
    struct offload_context context = {
        .datapath = port->datapath, .recirc_shared = true,
    };
    struct offload_refusal refusal;
    struct match match;

    init_match(port->datapath, &match);
    ofpbuf_init(&actions, 64);
    nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT, BENCH_OUT_PORT);
    if (offload_rule_parse(&r->rule, &ufid, port, &match, actions.data,
                           actions.size, &context, &refusal)) {
        bench_refused("the rule", &refusal);
    }
    r->packet = r->rule.match.flow;
    r->rule.packet = &r->packet;
}

void
bench_rule_set(struct bench_rule *r, uint32_t flow)
{
    r->rule.match.flow.nw_dst = htonl(BENCH_FIRST_DST + flow);
    r->packet.nw_dst = r->rule.match.flow.nw_dst;
    r->rule.ufid.u32[0] = flow;
}

size_t
bench_dump(const struct offload_backend *backend, struct offload_port *port)
{
    struct offload_reading readings[50];
    struct offload_dump *state;
    size_t found, n = 0;
    struct ofpbuf buf;
    bool complete;

    ofpbuf_init(&buf, 65536);
    if (backend->dump_start(port, &state)) {
        bench_die("dump");
    }
    while ((found = backend->dump_next(state, &buf, readings,
                                       ARRAY_SIZE(readings))) > 0) {
        n += found;
    }
    backend->dump_done(state, &complete);
    ofpbuf_uninit(&buf);
    return n;
}
