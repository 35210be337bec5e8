/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "trace.h"

#include <string.h>

#include "dp-packet.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-dpif-rid.h"
#include "ofproto/ofproto-dpif-trace.h"
#include "ofproto/ofproto-dpif-xlate.h"
#include "openvswitch/list.h"
#include "tun-metadata.h"
#include "util.h"

/* A packet on its way. */
struct tracer {
    const struct datapath *dp;
    struct ofproto_dpif *ofproto;
    odp_port_t in_port;         /* The datapath's. */
    struct ovs_list queue;      /* Of struct oftrace_recirc_node. */
};

/* The megaflow as Open vSwitch tells it to a datapath. */
static void
make_megaflow(const struct tracer *tracer, const struct flow *packet,
              const struct flow_wildcards *wc, const struct ofpbuf *actions,
              struct datapath_flow *f)
{
    struct flow flow = *packet;
    struct odp_flow_key_parms parms = {
        .flow = &flow,
        .mask = &wc->masks,
        .support = tracer->dp->backer->rt_support.odp,
    };

    flow.in_port.odp_port = tracer->in_port;
    memset(f, 0, sizeof *f);
    ofpbuf_init(&f->key, 0);
    ofpbuf_init(&f->mask, 0);
    ofpbuf_init(&f->actions, actions->size);
    odp_flow_key_from_flow(&parms, &f->key);
    parms.key_buf = &f->key;
    odp_flow_key_from_mask(&parms, &f->mask);
    ofpbuf_put(&f->actions, actions->data, actions->size);
    parse_key_and_mask_to_match(f->key.data, f->key.size, f->mask.data,
                                f->mask.size, &f->match);
}

/* What Open vSwitch reports for ofproto/trace. */
static void
report_destroy_nodes(struct ovs_list *nodes)
{
    struct oftrace_node *node;

    LIST_FOR_EACH_POP (node, node, nodes) {
        report_destroy_nodes(&node->subs);
        free(node->text);
        free(node);
    }
}

/* 'flow' has OpenFlow's input port. */
static void
trace_one(struct tracer *tracer, const struct flow *flow,
          const struct dp_packet *packet, struct trace_stage *stage)
{
    struct ovs_list trace = OVS_LIST_INITIALIZER(&trace);
    struct flow_wildcards wc;
    struct ofpbuf actions;
    struct xlate_out xout;
    struct xlate_in xin;
    enum xlate_error error;

    ofpbuf_init(&actions, 0);
    xlate_in_init(&xin, tracer->ofproto,
                  ofproto_dpif_get_tables_version(tracer->ofproto), flow,
                  flow->in_port.ofp_port, NULL, ntohs(flow->tcp_flags),
                  packet, &wc, &actions);
    /* Open vSwitch queues recirculations only for who wants a trace. */
    xin.trace = &trace;
    xin.recirc_queue = &tracer->queue;
    error = xlate_actions(&xin, &xout);

    stage->error = error == XLATE_OK ? NULL : xlate_strerror(error);
    stage->slow = error == XLATE_OK ? xout.slow : 0;
    if (error != XLATE_OK) {
        ofpbuf_clear(&actions);
    }
    make_megaflow(tracer, flow, &wc, &actions, &stage->flow);
    xlate_out_uninit(&xout);
    ofpbuf_uninit(&actions);
    report_destroy_nodes(&trace);
}

static void
recirc_node_destroy(struct oftrace_recirc_node *node)
{
    recirc_free_id(node->recirc_id);
    dp_packet_delete(node->packet);
    free(node);
}

size_t
trace_flow(const struct datapath *dp, const struct flow *packet_flow,
           const struct dp_packet *packet, struct trace_stage stages[],
           char **error)
{
    struct tracer tracer = {
        .dp = dp, .in_port = packet_flow->in_port.odp_port,
    };
    struct oftrace_recirc_node *node;
    struct flow flow = *packet_flow;
    size_t n = 0;

    *error = NULL;
    tracer.ofproto = xlate_lookup_ofproto(dp->backer, packet_flow,
                                          &flow.in_port.ofp_port, error);
    if (!tracer.ofproto) {
        *error = *error ? *error : xstrdup("no bridge has that input port");
        return 0;
    }
    ovs_list_init(&tracer.queue);
    trace_one(&tracer, &flow, packet, &stages[n++]);
    LIST_FOR_EACH_POP (node, node, &tracer.queue) {
        if (n < TRACE_MAX_STAGES) {
            if (node->type == OFT_RECIRC_CONNTRACK) {
                node->flow.ct_state = CS_TRACKED | CS_NEW;
            }
            trace_one(&tracer, &node->flow, node->packet, &stages[n++]);
        }
        recirc_node_destroy(node);
    }
    return n;
}

void
trace_destroy(struct trace_stage stages[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        datapath_flow_uninit(&stages[i].flow);
    }
}
