/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "engine-info.h"

#include <errno.h>
#include <string.h>

#include "engine-private.h"
#include "flow-spec.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "port-flows.h"
#include "recirc-parents.h"
#include "timeval.h"
#include "util.h"

static const struct {
    const char *name, *text;
} places[ENGINE_N_PLACES] = {
#define ENGINE_PLACE(ID, NAME, TEXT) [ENGINE_IN_##ID] = { NAME, TEXT },
    ENGINE_PLACES
#undef ENGINE_PLACE
};

const char *
engine_place_name(enum engine_place place)
{
    return places[place].name;
}

const char *
engine_place_text(enum engine_place place)
{
    return places[place].text;
}

/* The userspace datapath's rules are in a device or don't exist. */
static enum engine_place
place_of(const struct offload_flow *flow)
{
    bool in_hw = flow->datapath == OFFLOAD_DP_NETDEV || flow->in_hw;

    return (flow->state == OFFLOAD_FLOW_EVICTING ? ENGINE_IN_LEAVING
            : flow->partial ? ENGINE_IN_PARTIAL
            : in_hw ? ENGINE_IN_HARDWARE
            : ENGINE_IN_TC);
}

int
engine_flow_info(const ovs_u128 *ufid, struct engine_flow_info *info)
{
    const struct offload_flow *flow = flow_table_lookup(ufid);
    struct offload_flow_stats stats;
    const struct offload_port *port;

    if (!flow || (flow->state != OFFLOAD_FLOW_INSTALLED
                  && flow->state != OFFLOAD_FLOW_EVICTING)) {
        return ENOENT;
    }
    memset(info, 0, sizeof *info);
    flow_table_stats(flow, &stats);
    port = flow->port;
    info->place = place_of(flow);
    info->datapath = flow->datapath;
    info->condemned = flow->condemned;
    info->handle = flow->handle;
    info->counters = stats.counters;
    info->created = flow->created;
    info->used = stats.used;
    info->read = flow->read;
    info->evicted = flow->evicted;
    info->is_read = flow->datapath == OFFLOAD_DP_NETDEV || flow->seen;
    info->in_port = ODP_PORT_C(UINT32_MAX);
    if (port) {
        info->in_port = port->odp_port;
        ovs_strlcpy(info->device, port->name, sizeof info->device);
        info->backend = port->backend ? port->backend->name : NULL;
    }
    return 0;
}

void
engine_flow_info_format_handle(const struct engine_flow_info *info,
                               struct ds *s)
{
    const struct offload_port *port
        = offload_port_lookup_in(info->datapath, info->in_port);

    if (port && port->backend && port->backend->handle_format) {
        port->backend->handle_format(&info->handle, s);
    }
}

int
engine_check_port(enum offload_datapath datapath, odp_port_t odp_port,
                  struct offload_refusal *refusal)
{
    struct offload_port *port = offload_port_lookup_in(datapath, odp_port);

    offload_refusal_init(refusal);
    return (port && port->backend && port->backend->port_check
            ? port->backend->port_check(port, refusal) : 0);
}

int
engine_check(struct engine_op *op)
{
    struct offload_context context;
    struct offload_rule *rule;
    struct offload_port *port;
    int error;

    offload_refusal_init(&op->refusal);
    port = offload_port_lookup_in(op->datapath, op->in_port);
    if (!port || !port->backend) {
        return offload_refuse(&op->refusal, OFFLOAD_REFUSED_IN_PORT,
                              "in_port", NULL, "%s%s",
                              port ? port->name : "not known",
                              port && op->datapath == OFFLOAD_DP_NETDEV
                              ? " is no port whose device takes rules" : "");
    }
    rule = xmalloc(sizeof *rule);
    engine_context(&context, op->datapath, op->recirc_shared);
    error = offload_rule_parse(rule, op->ufid, port, op->match, op->actions,
                               op->actions_len, &context, &op->refusal);
    if (!error) {
        rule->mark = op->mark;
        if (port->backend->rule_check) {
            error = port->backend->rule_check(port, rule, &op->refusal);
        }
    }
    free(rule);
    return error;
}

int
engine_check_again(struct engine_op *op)
{
    uint32_t recirc_id = op->match->flow.recirc_id;
    int error = engine_check(op);

    if (!error && op->datapath == OFFLOAD_DP_SYSTEM
        && !recirc_parents_in_hardware(op->in_port, recirc_id)) {
        error = engine_refuse_orphan(&op->refusal, recirc_id);
    }
    if (!error && engine_max_flows()
        && flow_table_count(OFFLOAD_FLOW_INSTALLED) >= engine_max_flows()) {
        error = engine_refuse_limit(&op->refusal);
    }
    return error;
}

/* Between searches for a twin on one port, msec. */
#define TWIN_INTERVAL 100

bool
engine_has_twin(struct offload_port *port, const struct match *match)
{
    long long int now = time_msec(), next;
    struct port_flows_cursor cursor;
    struct offload_flow *flow;
    struct flow_spec *spec;
    bool found = false;

    atomic_read_relaxed(&port->twin_search, &next);
    if (now < next) {
        return true;
    }
    atomic_store_relaxed(&port->twin_search, now + TWIN_INTERVAL);

    spec = flow_spec_create(match, NULL, 0);
    port_flows_walk(&port->flows, &cursor);
    while (!found && (flow = port_flows_next(&port->flows, &cursor))) {
        const struct flow_spec *other
            = ovsrcu_get(struct flow_spec *, &flow->spec);

        found = (flow->state == OFFLOAD_FLOW_INSTALLED
                 && other && flow_spec_is_twin(spec, other));
    }
    flow_spec_free(spec);
    return found;
}
