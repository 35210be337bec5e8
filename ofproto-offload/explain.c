/* SPDX-License-Identifier: Apache-2.0 */

/* offload/explain: where each stage of a flow's path is switched, and why.
 *
 * A path's stages are the megaflows that its packets pass through: by
 * recirculation and, in the userspace datapath, from a tunnel's port.  The
 * whole is as good as its weakest stage. */

#include <config.h>

#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "datapath.h"
#include "dp-packet.h"
#include "engine-info.h"
#include "engine-private.h"
#include "flow-api.h"
#include "netdev-offload.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "port-report.h"
#include "ports.h"
#include "recirc-parents.h"
#include "refusal-log.h"
#include "report.h"
#include "tc/tc-caps.h"
#include "timeval.h"
#include "trace.h"
#include "util.h"
#include "uuid.h"

/* Megaflows that may be part of a path, and stages that are shown. */
#define MAX_CANDIDATES 4096
#define MAX_STAGES 32

struct stage {
    struct datapath_flow flow;
    bool installed;             /* Else it would be made. */
    uint32_t ids[RECIRC_MAX_IDS];
    size_t n_ids;
    odp_port_t tunnel;          /* Where tnl_pop() leads to, or ODPP_NONE. */
    int depth;                  /* Relative to the flow in question. */
    bool on_path;

    enum engine_place place;
    struct offload_refusal refusal;     /* If it isn't in hardware. */
    struct json *device;        /* Of one in TC: port_report_one(), or NULL.
                                 * Owned. */
    bool has_log;               /* 'log' is its record. */
    struct refused_flow log;
};

struct path {
    const struct datapath *dp;
    struct stage *stages;
    size_t n, allocated;
    bool complete;              /* No candidate was left out. */
    struct json *device;        /* Of 'device_port', or NULL. */
    odp_port_t device_port;
};

/* Stages. */

/* Where 'actions' lead to a tunnel's port, nested ones too. */
static odp_port_t
find_tunnel_pop(const struct nlattr *actions, size_t len, int depth)
{
    odp_port_t found = ODPP_NONE;
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH (a, left, actions, len) {
        if (nl_attr_type(a) == OVS_ACTION_ATTR_TUNNEL_POP) {
            found = nl_attr_get_odp_port(a);
        } else if (nl_attr_type(a) == OVS_ACTION_ATTR_CLONE && depth < 16
                   && found == ODPP_NONE) {
            found = find_tunnel_pop(nl_attr_get(a), nl_attr_get_size(a),
                                    depth + 1);
        }
    }
    return found;
}

static struct stage *
path_add(struct path *path)
{
    if (path->n >= path->allocated) {
        path->stages = x2nrealloc(path->stages, &path->allocated,
                                  sizeof *path->stages);
    }
    memset(&path->stages[path->n], 0, sizeof *path->stages);
    return &path->stages[path->n++];
}

/* 'stage->flow' has been set. */
static void
stage_init(struct stage *stage, bool installed)
{
    const struct ofpbuf *actions = &stage->flow.actions;

    stage->installed = installed;
    stage->n_ids = MIN(recirc_ids_from_actions(actions->data, actions->size,
                                               stage->ids), RECIRC_MAX_IDS);
    stage->tunnel = find_tunnel_pop(actions->data, actions->size, 0);
}

/* Do packets of 'a' go on to 'b'? */
static bool
leads_to(const struct stage *a, const struct stage *b)
{
    const struct flow *from = &a->flow.match.flow;
    const struct flow *to = &b->flow.match.flow;

    if (!to->recirc_id) {
        return (a->tunnel != ODPP_NONE && a->tunnel == to->in_port.odp_port
                && from->in_port.odp_port != to->in_port.odp_port);
    }
    for (size_t i = 0; i < a->n_ids; i++) {
        if (a->ids[i] == to->recirc_id
            && from->in_port.odp_port == to->in_port.odp_port) {
            return true;
        }
    }
    return false;
}

/* Several threads of the userspace datapath may have copies of a flow. */
static bool
is_copy(const struct path *path, const ovs_u128 *rule)
{
    for (size_t i = 0; i < path->n; i++) {
        if (ovs_u128_equals(path->stages[i].flow.rule, *rule)) {
            return true;
        }
    }
    return false;
}

/* Could it be a stage of a path with more than one? */
static bool
has_neighbours(const struct path *path, const struct stage *stage)
{
    const struct flow *key = &stage->flow.match.flow;

    return (stage->n_ids || key->recirc_id || stage->tunnel != ODPP_NONE
            || (path->dp->type == OFFLOAD_DP_NETDEV
                && flow_tnl_dst_is_set(&key->tunnel)));
}

static bool
add_candidate(const struct dpif_flow *f, const ovs_u128 *rule, void *path_)
{
    struct path *path = path_;
    struct stage *stage;

    if (path->n >= MAX_CANDIDATES) {
        path->complete = false;
        return false;
    }
    if (ovs_u128_equals(f->ufid, path->stages[0].flow.ufid)
        || (path->dp->type == OFFLOAD_DP_NETDEV && is_copy(path, rule))) {
        return true;
    }
    stage = path_add(path);
    datapath_flow_init(&stage->flow, f, rule);
    stage_init(stage, true);
    if (!has_neighbours(path, stage)) {
        datapath_flow_uninit(&stage->flow);
        path->n--;
    }
    return true;
}

/* Marks what comes before the stages at 'depth' (step -1) or after them (step
 * 1).  Returns true if there is any. */
static bool
mark_neighbours(struct path *path, int depth, int step)
{
    bool any = false;

    for (size_t i = 0; i < path->n; i++) {
        const struct stage *a = &path->stages[i];

        for (size_t j = 0; a->on_path && a->depth == depth && j < path->n;
             j++) {
            struct stage *b = &path->stages[j];

            if (!b->on_path && (step > 0 ? leads_to(a, b)
                                : leads_to(b, a))) {
                b->on_path = true;
                b->depth = depth + step;
                any = true;
            }
        }
    }
    return any;
}

static void
mark_path(struct path *path)
{
    path->stages[0].on_path = true;
    for (int depth = 0; mark_neighbours(path, depth, -1); depth--) {
        continue;
    }
    for (int depth = 0; mark_neighbours(path, depth, 1); depth++) {
        continue;
    }
}

/* Why. */

static void
explain_port(struct stage *stage, enum offload_datapath type)
{
    struct offload_refusal why;

    if (stage->refusal.code == OFFLOAD_REFUSED_IN_PORT
        && type == OFFLOAD_DP_SYSTEM
        && ports_refusal(stage->flow.match.flow.in_port.odp_port, &why)) {
        stage->refusal = why;
    }
}

/* A member of 'object' that is a string, or NULL. */
static const char *
member_string(const struct json *object, const char *key)
{
    const struct json *value = shash_find_data(object->object, key);

    return value && value->type == JSON_STRING ? value->string : NULL;
}

/* What is known of a port's device, which the caller owns, or NULL.  The
 * stages of a path have one port as a rule: the kernel is asked once. */
static struct json *
describe_device(struct path *path, odp_port_t odp_port)
{
    const struct offload_port *port = offload_port_lookup(odp_port);

    if (!path->device || path->device_port != odp_port) {
        json_destroy(path->device);
        path->device = port ? port_report_one(port) : NULL;
        path->device_port = odp_port;
    }
    return path->device ? json_clone(path->device) : NULL;
}

/* No driver has said anything: the port itself may be the reason. */
static void
explain_silence(struct stage *stage)
{
    const char *offload = (stage->device
                           ? member_string(stage->device, "offload") : NULL);

    if (offload && !strcmp(offload, "software")
        && !shash_find(stage->device->object, "members")) {
        offload_refuse(&stage->refusal, OFFLOAD_REFUSED_CAPABILITY, "hardware",
                       "packets must come in at a port of an eswitch in "
                       "switchdev mode, with hw-tc-offload on: offload/ports "
                       "lists them", "%s",
                       member_string(stage->device, "reason"));
    } else {
        offload_refuse(&stage->refusal, OFFLOAD_REFUSED_CAPABILITY,
                       "hardware", "\"ethtool -k DEVICE\" must say "
                       "hw-tc-offload: on",
                       "no driver took the rule, and none said why, so TC "
                       "executes it");
    }
}

/* The kernel took the rule, and no device did.  Of a bond's drivers each may
 * have said something, but the kernel hands on what the last one did, so what
 * is known of each of its NICs is told beside it. */
static void
explain_tc(struct path *path, struct stage *stage)
{
    stage->device = describe_device(path,
                                    stage->flow.match.flow.in_port.odp_port);
    stage->has_log = (refusal_log_lookup(&stage->flow.ufid, &stage->log)
                      && stage->log.refusal.code == OFFLOAD_REFUSED_DRIVER);
    if (stage->has_log) {
        stage->refusal = stage->log.refusal;
    } else if (tc_offload_mode == TC_MODE_SW_ONLY) {
        offload_refuse(&stage->refusal, OFFLOAD_REFUSED_CAPABILITY,
                       "other_config:tc-policy",
                       "unset it, and restart the daemon",
                       "skip_hw keeps rules from devices");
    } else {
        explain_silence(stage);
    }
}

/* Why not whole, as the flow's device says of itself. */
static void
explain_device(struct stage *stage, enum offload_datapath type)
{
    struct offload_refusal why;

    if (engine_check_port(type, stage->flow.match.flow.in_port.odp_port,
                          &why)) {
        stage->refusal = why;
    }
}

static void
stage_to_op(const struct stage *stage, enum offload_datapath type,
            struct engine_op *op)
{
    *op = (struct engine_op) {
        .type = ENGINE_PUT,
        .ufid = &stage->flow.ufid,
        .match = &stage->flow.match,
        .actions = stage->flow.actions.data,
        .actions_len = stage->flow.actions.size,
        .in_port = stage->flow.match.flow.in_port.odp_port,
        .datapath = type,
        .recirc_shared = flow_api_recirc_shared(),
    };
}

static bool
explain_switched_off(struct stage *stage)
{
    if (!netdev_is_flow_api_enabled()) {
        offload_refuse(&stage->refusal, OFFLOAD_REFUSED_CAPABILITY,
                       "other_config:hw-offload",
                       "ovs-vsctl set Open_vSwitch . "
                       "other_config:hw-offload=true",
                       "offload is switched off");
        return true;
    }
    return false;
}

/* Neither a rule nor a record of why not: what speaks against it now.  The
 * record may have been dropped, or there was none: the userspace datapath
 * offers no flows of ports that nobody has taken. */
static void
explain_unknown(struct stage *stage, enum offload_datapath type)
{
    if (!explain_switched_off(stage)) {
        struct engine_op op;

        stage_to_op(stage, type, &op);
        if (engine_check_again(&op)) {
            stage->refusal = op.refusal;
        }
    }
}

static void
explain_installed(struct path *path, struct stage *stage)
{
    enum offload_datapath type = path->dp->type;
    struct engine_flow_info info;

    stage->place = (engine_flow_info(&stage->flow.rule, &info)
                    ? ENGINE_IN_OVS : info.place);
    if (stage->place == ENGINE_IN_TC) {
        explain_tc(path, stage);
    } else if (stage->place == ENGINE_IN_PARTIAL) {
        explain_device(stage, type);
    } else if (stage->place != ENGINE_IN_HARDWARE) {
        stage->has_log = refusal_log_lookup(&stage->flow.rule, &stage->log);
        if (stage->has_log) {
            stage->refusal = stage->log.refusal;
            explain_port(stage, type);
        } else {
            explain_unknown(stage, type);
        }
    }
}

static void
explain_would_be(struct stage *stage, enum offload_datapath type)
{
    struct engine_op op;

    stage->place = ENGINE_IN_OVS;
    if (explain_switched_off(stage) || offload_refused(&stage->refusal)) {
        return;
    }
    stage_to_op(stage, type, &op);
    if (engine_check(&op)) {
        stage->refusal = op.refusal;
        explain_port(stage, type);
        return;
    }
    explain_device(stage, type);
    stage->place = (offload_refused(&stage->refusal) ? ENGINE_IN_PARTIAL
                    : ENGINE_IN_HARDWARE);
}

/* A child whose parent would be refused would be refused, too. */
static void
refuse_children(struct path *path)
{
    for (size_t i = 0; i < path->n; i++) {
        for (size_t j = 0; j < path->n; j++) {
            const struct stage *parent = &path->stages[i];
            struct stage *child = &path->stages[j];

            if (leads_to(parent, child) && parent->place == ENGINE_IN_OVS
                && child->place != ENGINE_IN_OVS && !child->installed) {
                child->place = ENGINE_IN_OVS;
                engine_refuse_orphan(&child->refusal,
                                     child->flow.match.flow.recirc_id);
            }
        }
    }
}

/* The report. */

static void
put_time(struct json *object, const char *key, long long int msec)
{
    char *s = xastrftime_msec("%Y-%m-%dT%H:%M:%S.###Z", msec, true);

    report_put_string(object, key, s);
    free(s);
}

static void
put_reason(struct json *object, const struct stage *stage)
{
    struct json *reason;

    if (stage->place == ENGINE_IN_HARDWARE) {
        return;
    }
    if (!offload_refused(&stage->refusal)) {
        report_put_unknown(object, "refusal");
        return;
    }
    reason = json_object_create();
    refusal_to_json(reason, &stage->refusal);
    if (stage->has_log) {
        put_time(reason, "since", stage->log.since);
        put_time(reason, "last", stage->log.last);
        report_put_uint(reason, "refused", stage->log.n);
    } else {
        report_put_unknown(reason, "since");
        report_put_unknown(reason, "last");
        report_put_unknown(reason, "refused");
    }
    json_object_put(object, "refusal", reason);
}

/* The NICs of a bond. */
static void
put_members(struct json *object, const struct stage *stage)
{
    const struct json *members
        = (stage->device
           ? shash_find_data(stage->device->object, "members") : NULL);

    if (members) {
        json_object_put(object, "members", json_clone(members));
    }
}

static struct json *
stage_to_json(const struct path *path, const struct stage *stage)
{
    struct json *object = json_object_create();
    struct ds s = DS_EMPTY_INITIALIZER;

    if (stage->installed) {
        report_put_format(object, "ufid", UUID_FMT,
                          UUID_ARGS((const struct uuid *)
                                    &stage->flow.ufid));
        report_put_uint(object, "packets", stage->flow.stats.n_packets);
        report_put_uint(object, "bytes", stage->flow.stats.n_bytes);
    } else {
        report_put_unknown(object, "ufid");
        report_put_unknown(object, "packets");
        report_put_unknown(object, "bytes");
    }
    report_put_string(object, "port", datapath_port_name(
        path->dp, stage->flow.match.flow.in_port.odp_port));
    report_put_bool(object, "installed", stage->installed);
    report_put_bool(object, "asked_for", !stage->depth);
    report_put_uint(object, "recirc_id", stage->flow.match.flow.recirc_id);
    report_put_string(object, "place", engine_place_name(stage->place));
    datapath_format_match(path->dp, &stage->flow, &s);
    report_put_string(object, "match", ds_cstr(&s));
    ds_clear(&s);
    datapath_format_actions(path->dp, &stage->flow, &s);
    report_put_string(object, "actions", ds_cstr(&s));
    put_reason(object, stage);
    put_members(object, stage);
    ds_destroy(&s);
    return object;
}

/* Lines that say nothing are left out. */
static void
print_reason(struct report *r, const struct json *reason,
             const struct stage *stage)
{
    struct report_column columns[4];
    size_t n = 0;

    columns[n++] = (struct report_column) { "reason", "reason",
                                            REPORT_WRAP };
    if (stage->has_log) {
        columns[n++] = (struct report_column) { "since", "since",
                                                REPORT_LEFT };
        columns[n++] = (struct report_column) { "refused", "times refused",
                                                REPORT_LEFT };
    }
    if (offload_refusal_hint(&stage->refusal)) {
        columns[n++] = (struct report_column) { "hint", "hint",
                                                REPORT_WRAP };
    }
    report_fields(r, reason, 4, columns, n);
}

static void
print_members(struct report *r, const struct json *members)
{
    report_line(r, "    The kernel hands on the words of one of the bond's "
                "drivers only.  Its NICs:");
    for (size_t i = 0; i < members->array.n; i++) {
        const struct json *member = members->array.elems[i];
        const char *reason = member_string(member, "reason");

        report_line(r, "      %s: %s", member_string(member, "port"),
                    reason ? reason : "unknown");
    }
}

static void
print_stage(struct report *r, size_t n, const struct json *object,
            const struct stage *stage)
{
    static const struct report_column columns[] = {
        { "ufid", "flow", REPORT_LEFT },
        { "packets", "packets", REPORT_LEFT },
        { "match", "match", REPORT_LEFT },
        { "actions", "actions", REPORT_LEFT },
    };
    const struct json *reason = shash_find_data(object->object, "refusal");
    size_t skip = stage->installed ? 0 : 2; /* Neither a name nor a past. */

    report_line(r, "stage %"PRIuSIZE": %s%s%s", n,
                stage->installed ? ""
                : stage->place == ENGINE_IN_HARDWARE
                ? "would be offered to the device, nothing speaks against it: "
                : "would be: ",
                engine_place_text(stage->place),
                stage->depth || !stage->installed ? "" : " (this flow)");
    report_fields(r, object, 4, columns + skip, ARRAY_SIZE(columns) - skip);
    if (reason && reason->type == JSON_OBJECT) {
        print_reason(r, reason, stage);
    } else if (reason) {
        report_line(r, "    reason:  unknown");
    }
    if (shash_find(object->object, "members")) {
        print_members(r, shash_find_data(object->object, "members"));
    }
}

static int
compare_stages(const void *a_, const void *b_)
{
    const struct stage *a = a_;
    const struct stage *b = b_;

    return (a->on_path != b->on_path ? (a->on_path ? -1 : 1)
            : a->depth != b->depth ? (a->depth < b->depth ? -1 : 1)
            : a->place != b->place ? (a->place > b->place ? -1 : 1)
            : memcmp(&a->flow.ufid, &b->flow.ufid, sizeof a->flow.ufid));
}

/* 'path' is sorted, its first 'n' stages are on the path. */
static void
put_verdict(struct report *r, const struct path *path, size_t n)
{
    size_t weakest = 0;

    for (size_t i = 1; i < n; i++) {
        if (path->stages[i].place > path->stages[weakest].place) {
            weakest = i;
        }
    }
    report_put_string(r->root, "verdict",
                      engine_place_name(path->stages[weakest].place));
    report_put_uint(r->root, "weakest_stage", weakest + 1);
    report_put_uint(r->root, "n_stages", n);
    report_put_bool(r->root, "installed", path->stages[0].installed);
    report_put_bool(r->root, "complete", path->complete);
    if (n > 1) {
        report_line(r, "verdict: %s, as stage %"PRIuSIZE" of %"PRIuSIZE,
                    engine_place_text(path->stages[weakest].place),
                    weakest + 1, n);
    } else {
        report_line(r, "verdict: %s",
                    engine_place_text(path->stages[weakest].place));
    }
    if (!path->complete) {
        report_line(r, "There were too many flows to look at all of them: "
                    "stages may be missing.");
    }
}

static void
print_path(struct report *r, struct path *path)
{
    struct json *array = json_array_create_empty();
    size_t n = 0;

    qsort(path->stages, path->n, sizeof *path->stages, compare_stages);
    while (n < path->n && path->stages[n].on_path) {
        n++;
    }
    for (size_t i = 0; i < MIN(n, MAX_STAGES); i++) {
        struct json *object = stage_to_json(path, &path->stages[i]);

        print_stage(r, i + 1, object, &path->stages[i]);
        json_array_add(array, object);
    }
    if (n > MAX_STAGES) {
        report_line(r, "and %"PRIuSIZE" more", n - MAX_STAGES);
    }
    json_object_put(r->root, "stages", array);
    put_verdict(r, path, n);
}

static void
path_destroy(struct path *path)
{
    for (size_t i = 0; i < path->n; i++) {
        datapath_flow_uninit(&path->stages[i].flow);
        json_destroy(path->stages[i].device);
    }
    json_destroy(path->device);
    free(path->stages);
}

/* Has it been read whether the device has the rule? */
static bool
is_place_known(const ovs_u128 *ufid)
{
    struct engine_flow_info info;

    return (engine_flow_info(ufid, &info) || info.is_read
            || info.place != ENGINE_IN_TC);
}

/* The path through a megaflow that is there, of which 'flow' is taken over. */
static void
explain_path(struct report *r, const struct datapath *dp,
             struct datapath_flow *flow)
{
    struct path path = { .dp = dp, .complete = true };
    struct stage *stage = path_add(&path);

    stage->flow = *flow;
    stage_init(stage, true);
    if (has_neighbours(&path, stage) || !is_place_known(&flow->rule)) {
        path.complete = datapath_walk(dp, true, add_candidate, &path);
    }
    mark_path(&path);
    for (size_t i = 0; i < path.n; i++) {
        if (path.stages[i].on_path) {
            explain_installed(&path, &path.stages[i]);
        }
    }
    print_path(r, &path);
    path_destroy(&path);
}

/* Flows that aren't there. */

static void
refuse_slow_path(struct stage *stage, enum slow_path_reason slow)
{
    const char *detail = "";
    const char *name = offload_slow_path_called(slow, &detail);

    offload_refuse(&stage->refusal, OFFLOAD_REFUSED_ACTION, name, NULL,
                   "%s", detail);
}

static void
explain_traced(struct report *r, const struct datapath *dp,
               struct trace_stage *traced, size_t n)
{
    struct path path = { .dp = dp, .complete = true };

    for (size_t i = 0; i < n; i++) {
        struct stage *stage = path_add(&path);

        stage->flow = traced[i].flow;
        stage_init(stage, false);
        stage->on_path = true;
        stage->depth = i;
        if (traced[i].error) {
            offload_refuse(&stage->refusal, OFFLOAD_REFUSED_ACTION,
                           "translation", NULL, "%s: packets are dropped",
                           traced[i].error);
        } else if (traced[i].slow) {
            refuse_slow_path(stage, traced[i].slow);
        }
        explain_would_be(stage, dp->type);
    }
    refuse_children(&path);
    report_line(r, "No megaflow is there for such packets.  What would be:");
    print_path(r, &path);
    path_destroy(&path);
}

/* What was asked for. */
struct question {
    struct flow flow;           /* Input port: the datapath's. */
    struct flow mask;           /* What is given of it. */
    struct dp_packet *packet;   /* Or NULL. */
};

struct finder {
    const struct question *question;
    struct datapath_flow flow;
    size_t n;                   /* Megaflows found, 'flow' is the first. */
};

/* Do packets exist that are as asked for, and match? */
static bool
meets_question(const struct match *match, const struct question *question)
{
    const uint64_t *key = (const uint64_t *) &match->flow;
    const uint64_t *wc = (const uint64_t *) &match->wc.masks;
    const uint64_t *asked = (const uint64_t *) &question->flow;
    const uint64_t *mask = (const uint64_t *) &question->mask;

    /* How Geneve's options are written is no part of a packet. */
    for (size_t i = sizeof(struct flow_tnl) / sizeof *key; i < FLOW_U64S;
         i++) {
        if ((key[i] ^ asked[i]) & wc[i] & mask[i]) {
            return false;
        }
    }
    return (!((match->flow.tunnel.ip_dst ^ question->flow.tunnel.ip_dst)
              & match->wc.masks.tunnel.ip_dst & question->mask.tunnel.ip_dst)
            && !((match->flow.tunnel.tun_id ^ question->flow.tunnel.tun_id)
                 & match->wc.masks.tunnel.tun_id
                 & question->mask.tunnel.tun_id));
}

static bool
find_flow(const struct dpif_flow *f, const ovs_u128 *rule, void *finder_)
{
    struct finder *finder = finder_;
    struct match match;

    memset(&match, 0, sizeof match);
    if (!parse_key_and_mask_to_match(f->key, f->key_len, f->mask, f->mask_len,
                                     &match)
        && meets_question(&match, finder->question)
        && !finder->n++) {
        datapath_flow_init(&finder->flow, f, rule);
    }
    return true;
}

static void
explain_question(struct report *r, const struct datapath *dp,
                 const struct question *question)
{
    struct finder finder = { .question = question };
    struct trace_stage traced[TRACE_MAX_STAGES];
    bool complete = datapath_walk(dp, true, find_flow, &finder);
    char *error = NULL;
    size_t n;

    report_put_uint(r->root, "matching_flows", finder.n);
    report_put_bool(r->root, "search_complete", complete);
    if (finder.n) {
        if (finder.n > 1) {
            report_line(r, "%"PRIuSIZE" megaflows fit; this is the first.",
                        finder.n);
        }
        explain_path(r, dp, &finder.flow);
        return;
    }
    n = trace_flow(dp, &question->flow, question->packet, traced, &error);
    if (n) {
        explain_traced(r, dp, traced, n);
    } else {
        report_fail(r, "no megaflow fits, and none can be made: %s", error);
    }
    free(error);
}

/* Arguments. */

/* Headers can be matched from the Ethernet type on only.  Without it, what is
 * asked for is where packets come in. */
static void
ask_for_port(struct question *question)
{
    memset(&question->mask, 0, sizeof question->mask);
    question->mask.in_port.odp_port = ODPP_NONE;
    question->mask.recirc_id = UINT32_MAX;
}

static char *
parse_attrs(const struct ofpbuf *key, const struct ofpbuf *mask,
            struct question *question)
{
    struct flow_wildcards wc;
    char *error = NULL;

    if (odp_flow_key_to_flow(key->data, key->size, &question->flow, &error)
        == ODP_FIT_ERROR) {
        return error ? error : xstrdup("can't be parsed");
    }
    free(error);
    error = NULL;
    if (!nl_attr_find__(key->data, key->size, OVS_KEY_ATTR_ETHERTYPE)) {
        ask_for_port(question);
        return NULL;
    }
    if (odp_flow_key_to_mask(mask->data, mask->size, &wc, &question->flow,
                             &error) == ODP_FIT_ERROR) {
        return error ? error : xstrdup("the mask can't be parsed");
    }
    free(error);
    question->mask = wc.masks;
    return NULL;
}

static char *
parse_flow(const struct datapath *dp, const char *text,
           struct question *question)
{
    struct ofpbuf key, mask;
    char *error = NULL;

    ofpbuf_init(&key, 0);
    ofpbuf_init(&mask, 0);
    if (!odp_flow_from_string(text, &dp->ports, &key, &mask, &error)) {
        error = parse_attrs(&key, &mask, question);
    } else if (!error) {
        error = xasprintf("%s: can't be parsed", text);
    }
    ofpbuf_uninit(&key);
    ofpbuf_uninit(&mask);
    return error;
}

/* A packet in hexadecimal, with the input port that FLOW gives. */
static char *
parse_packet(const char *hex, struct question *question)
{
    const char *error = eth_from_hex(hex, &question->packet);

    if (error) {
        return xstrdup(error);
    }
    pkt_metadata_from_flow(&question->packet->md, &question->flow);
    flow_extract(question->packet, &question->flow);
    memset(&question->mask, 0xff, sizeof question->mask);
    return NULL;
}

static bool
is_hex(const char *s)
{
    return s[strspn(s, "0123456789abcdefABCDEF \n")] == '\0';
}

/* Returns an error, which must be freed, or NULL. */
static char *
parse_question(const struct datapath *dp, const char *flow,
               const char *packet, struct question *question)
{
    char *error;

    memset(question, 0, sizeof *question);
    if (packet && !is_hex(packet)) {
        if (flow) {
            return xstrdup("a packet in words says all: no FLOW beside it");
        }
        flow = packet;
        packet = NULL;
    }
    if (!flow) {
        return xstrdup("which input port? e.g. offload/explain "
                       "'in_port(p0)' --packet HEX");
    }
    error = parse_flow(dp, flow, question);
    return error || !packet ? error : parse_packet(packet, question);
}

static void
explain_ufid(struct report *r, const ovs_u128 *ufid, const char *text)
{
    struct datapath dp;

    for (size_t i = 0; datapath_open(&dp, i); i++) {
        struct datapath_flow flow;
        bool found = !datapath_get(&dp, ufid, &flow);

        if (found) {
            explain_path(r, &dp, &flow);
        }
        datapath_close(&dp);
        if (found) {
            return;
        }
    }
    report_fail(r, "%s: no datapath has a flow with this ufid", text);
}

/* Each datapath has its own ports: the first one that understands. */
static void
explain_text(struct report *r, const char *flow, const char *packet)
{
    char *error = NULL;
    struct datapath dp;

    for (size_t i = 0; datapath_open(&dp, i); i++) {
        struct question question;
        char *e = parse_question(&dp, flow, packet, &question);

        if (!e) {
            explain_question(r, &dp, &question);
        }
        dp_packet_delete(question.packet);
        datapath_close(&dp);
        if (!e) {
            free(error);
            return;
        }
        free(error);
        error = e;
    }
    report_fail(r, "%s", error ? error : "there is no datapath");
    free(error);
}

void
offload_explain(struct report *r, int argc, const char *argv[])
{
    const char *flow = NULL, *packet = NULL;
    ovs_u128 ufid;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--packet") && i + 1 < argc && !packet) {
            packet = argv[++i];
        } else if (!strncmp(argv[i], "--packet=", 9) && !packet) {
            packet = argv[i] + 9;
        } else if (!flow && argv[i][0] != '-') {
            flow = argv[i];
        } else {
            report_fail(r, "%s: unexpected argument", argv[i]);
            return;
        }
    }
    if (flow && !packet
        && (uuid_from_string((struct uuid *) &ufid, flow)
            || odp_ufid_from_string(flow, &ufid) > 0)) {
        explain_ufid(r, &ufid, flow);
    } else {
        explain_text(r, flow, packet);
    }
}
