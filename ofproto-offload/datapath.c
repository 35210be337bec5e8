/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "datapath.h"

#include <errno.h>
#include <string.h>

#ifdef DPDK_NETDEV
#include "dpdk-offload.h"
#endif
#include "odp-util.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "util.h"

bool
datapath_open(struct datapath *dp, size_t n)
{
    const struct shash_node **nodes = shash_sort(&all_dpif_backers);
    size_t n_backers = shash_count(&all_dpif_backers);
    struct dpif_port_dump dump;
    struct dpif_port port;

    /* "system" comes first. */
    dp->backer = n < n_backers ? nodes[n_backers - 1 - n]->data : NULL;
    free(nodes);
    if (!dp->backer || !dp->backer->dpif) {
        return false;
    }
    dp->dpif = dp->backer->dpif;
    dp->type = (!strcmp(dpif_normalize_type(dpif_type(dp->dpif)), "netdev")
                ? OFFLOAD_DP_NETDEV : OFFLOAD_DP_SYSTEM);
    hmap_init(&dp->names);
    simap_init(&dp->ports);
    DPIF_PORT_FOR_EACH (&port, &dump, dp->dpif) {
        odp_portno_names_set(&dp->names, port.port_no, port.name);
        simap_put(&dp->ports, port.name, odp_to_u32(port.port_no));
    }
    return true;
}

void
datapath_close(struct datapath *dp)
{
    odp_portno_names_destroy(&dp->names);
    hmap_destroy(&dp->names);
    simap_destroy(&dp->ports);
}

const char *
datapath_port_name(const struct datapath *dp, odp_port_t odp_port)
{
    const struct simap_node *node;

    SIMAP_FOR_EACH (node, &dp->ports) {
        if (node->data == odp_to_u32(odp_port)) {
            return node->name;
        }
    }
    return NULL;
}

/* Megaflows. */

static void
copy_attrs(struct ofpbuf *b, const struct nlattr *attrs, size_t len)
{
    ofpbuf_init(b, len);
    if (len) {
        ofpbuf_put(b, attrs, len);
    }
}

/* The ufid that the engine knows the flow by which this thread has just read
 * from 'dp', where it has 'ufid'. */
static ovs_u128
rule_ufid(const struct datapath *dp OVS_UNUSED, const ovs_u128 *ufid)
{
#ifdef DPDK_NETDEV
    ovs_u128 rule;

    if (dp->type == OFFLOAD_DP_NETDEV && dpdk_flow_asked(&rule)) {
        return rule;
    }
#endif
    return *ufid;
}

void
datapath_flow_init(struct datapath_flow *flow, const struct dpif_flow *f,
                   const ovs_u128 *rule)
{
    flow->ufid = f->ufid;
    flow->rule = *rule;
    flow->stats = f->stats;
    copy_attrs(&flow->key, f->key, f->key_len);
    copy_attrs(&flow->mask, f->mask, f->mask_len);
    copy_attrs(&flow->actions, f->actions, f->actions_len);
    memset(&flow->match, 0, sizeof flow->match);
    parse_key_and_mask_to_match(f->key, f->key_len, f->mask, f->mask_len,
                                &flow->match);
}

void
datapath_flow_uninit(struct datapath_flow *flow)
{
    ofpbuf_uninit(&flow->key);
    ofpbuf_uninit(&flow->mask);
    ofpbuf_uninit(&flow->actions);
}

static int
get_by_ufid(const struct datapath *dp, const ovs_u128 *ufid,
            struct datapath_flow *flow)
{
    uint64_t stub[DPIF_FLOW_BUFSIZE / 8];
    struct dpif_flow f;
    struct ofpbuf buf;
    int error;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    rule_ufid(dp, ufid);        /* Forget what was asked before. */
    error = dpif_flow_get(dp->dpif, NULL, 0, ufid, PMD_ID_NULL, &buf, &f);
    if (!error) {
        ovs_u128 rule = rule_ufid(dp, ufid);

        datapath_flow_init(flow, &f, &rule);
        flow->ufid = *ufid;
    }
    ofpbuf_uninit(&buf);
    return error;
}

/* A flow that is looked for by the engine's ufid. */
struct search {
    ovs_u128 rule;
    struct datapath_flow *flow;
    bool found;
};

static bool
check_rule(const struct dpif_flow *f, const ovs_u128 *rule, void *search_)
{
    struct search *search = search_;

    if (ovs_u128_equals(search->rule, *rule)) {
        datapath_flow_init(search->flow, f, rule);
        search->found = true;
    }
    return !search->found;
}

int
datapath_get(const struct datapath *dp, const ovs_u128 *ufid,
             struct datapath_flow *flow)
{
    struct search search = { .rule = *ufid, .flow = flow };
    int error = get_by_ufid(dp, ufid, flow);

    if (error && dp->type == OFFLOAD_DP_NETDEV) {
        datapath_walk(dp, true, check_rule, &search);
    }
    return search.found ? 0 : error;
}

bool
datapath_walk(const struct datapath *dp, bool all,
              bool (*cb)(const struct dpif_flow *, const ovs_u128 *rule,
                         void *aux),
              void *aux)
{
    struct dpif_flow_dump_types types = {
        .ovs_flows = true, .netdev_flows = all,
    };
    struct dpif_flow_dump_thread *thread;
    struct dpif_flow_dump *dump;
    struct dpif_flow flows[64];
    /* One by one where it matters which of them was asked about last. */
    int max = dp->type == OFFLOAD_DP_NETDEV ? 1 : ARRAY_SIZE(flows);
    size_t seen = 0;
    bool go_on = true;
    int n;

    rule_ufid(dp, &OVS_U128_ZERO);  /* Forget what was asked before. */
    dump = dpif_flow_dump_create(dp->dpif, false, &types);
    thread = dpif_flow_dump_thread_create(dump);
    while (go_on && seen < DATAPATH_MAX_WALK
           && (n = dpif_flow_dump_next(thread, flows, max)) > 0) {
        seen += n;
        for (int i = 0; i < n && go_on; i++) {
            ovs_u128 rule = rule_ufid(dp, &flows[i].ufid);

            go_on = cb(&flows[i], &rule, aux);
        }
    }
    dpif_flow_dump_thread_destroy(thread);
    return (!dpif_flow_dump_destroy(dump) && go_on
            && seen < DATAPATH_MAX_WALK);
}

void
datapath_format_match(const struct datapath *dp,
                      const struct datapath_flow *flow, struct ds *s)
{
    odp_flow_format(flow->key.data, flow->key.size, flow->mask.data,
                    flow->mask.size, &dp->names, s, false);
}

void
datapath_format_actions(const struct datapath *dp,
                        const struct datapath_flow *flow, struct ds *s)
{
    format_odp_actions(s, flow->actions.data, flow->actions.size, &dp->names);
}
