/* SPDX-License-Identifier: Apache-2.0 */

/* offload/refusals: why flows are in software, how many, and how many packets
 * pass there. */

#include <config.h>

#include "commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datapath.h"
#include "engine-info.h"
#include "flow-api.h"
#include "hash.h"
#include "odp-util.h"
#include "openvswitch/hmap.h"
#include "ports.h"
#include "refusal-log.h"
#include "report.h"
#include "util.h"
#include "uuid.h"

/* Reasons have ids below. */
#define MAX_IDS (REFUSAL_LOG_MAX_REASONS + OFFLOAD_N_REFUSALS)

void
refusal_to_json(struct json *object, const struct offload_refusal *refusal)
{
    const char *hint = offload_refusal_hint(refusal);
    struct offload_refusal sentence = *refusal;
    struct ds s = DS_EMPTY_INITIALIZER;

    sentence.hint = NULL;
    offload_refusal_format(&sentence, &s);
    report_put_string(object, "reason", ds_cstr(&s));
    report_put_string(object, "code", offload_refusal_name(refusal->code));
    report_put_string(object, "subject", refusal->subject
                      && refusal->subject[0] ? refusal->subject : NULL);
    report_put_string(object, "detail", refusal->detail);
    report_put_string(object, "error", refusal->error
                      ? ovs_strerror(refusal->error) : "");
    report_put_string(object, "hint", hint ? hint : "");
    ds_destroy(&s);
}

/* What is found out about a reason. */
struct row {
    struct hmap_node node;          /* In the survey's 'by_cause'. */
    struct refusal_reason_stats stats;
    struct refused_flow example;    /* The one that was refused last. */
    bool has_example;
    uint64_t packets, bytes;        /* In software, of the flows seen there. */
    uint32_t n_seen;
    uint32_t n_again;               /* Among them, those that have no record
                                     * any more: the reason was found anew. */
};

struct survey {
    struct row *rows[MAX_IDS];      /* By the reason's id, or NULL. */
    struct hmap by_cause;           /* The same, by cause_hash(). */
    const char *port;               /* Only this one's, or NULL. */
    bool complete;                  /* All megaflows were looked at. */
    struct hmap flows;              /* Of struct noted. */
    enum offload_datapath datapath; /* The one that is walked. */
    uint32_t n_again;               /* Sum of the rows'. */
    uint32_t n_unknown;             /* Flows in software, of no known reason,
                                     * once records were dropped. */
};

/* Rows are found by what a flow can be asked again. */
static uint32_t
cause_hash(enum offload_datapath datapath, odp_port_t odp_port,
           enum offload_refusal_code code, const char *subject)
{
    uint32_t hash = hash_2words(datapath, odp_to_u32(odp_port));

    return hash_string(subject ? subject : "", hash_add(hash, code));
}

static struct row *
find_row(const struct survey *survey, odp_port_t odp_port,
         const struct offload_refusal *refusal)
{
    const char *subject = refusal->subject ? refusal->subject : "";
    struct row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, cause_hash(survey->datapath, odp_port,
                                                   refusal->code, subject),
                             &survey->by_cause) {
        if (row->stats.code == refusal->code
            && row->stats.odp_port == odp_port
            && row->stats.datapath == survey->datapath
            && !strcmp(row->stats.subject, subject)) {
            return row;
        }
    }
    return NULL;
}

/* The packets of a rule that TC executes are counted by the rule. */
static void
add_rule_packets(struct row *row, const ovs_u128 *ufid)
{
    struct engine_flow_info info;

    if (!engine_flow_info(ufid, &info)) {
        row->packets += info.counters.sw_packets;
        row->bytes += info.counters.sw_bytes;
        row->n_seen++;
    }
}

/* A refused flow whose packets are looked for. */
struct noted {
    struct hmap_node node;
    ovs_u128 ufid;
    size_t reason;
};

static uint32_t
ufid_hash(const ovs_u128 *ufid)
{
    return hash_bytes(ufid, sizeof *ufid, 0);
}

static void
add_reason(const struct refusal_reason_stats *stats, void *survey_)
{
    struct survey *survey = survey_;

    if (!survey->port || !strcmp(survey->port, stats->port)) {
        struct row *row = xzalloc(sizeof *row);

        row->stats = *stats;
        survey->rows[stats->id] = row;
        hmap_insert(&survey->by_cause, &row->node,
                    cause_hash(stats->datapath, stats->odp_port, stats->code,
                               stats->subject));
    }
}

static void
add_flow(const struct refused_flow *flow, size_t reason, void *survey_)
{
    struct survey *survey = survey_;
    struct row *row = survey->rows[reason];
    struct noted *noted;

    if (!row) {
        return;
    }
    if (!row->has_example || flow->last >= row->example.last) {
        row->example = *flow;
        row->has_example = true;
    }
    if (flow->refusal.code == OFFLOAD_REFUSED_DRIVER) {
        add_rule_packets(row, &flow->ufid);
    }
    noted = xmalloc(sizeof *noted);
    noted->ufid = flow->ufid;
    noted->reason = reason;
    hmap_insert(&survey->flows, &noted->node, ufid_hash(&flow->ufid));
}

/* Why is a flow in software of which there is no record any more?  Its
 * reason's row, or NULL.  Stores where it comes in in '*in_port'. */
static struct row *
find_row_again(struct survey *survey, const struct dpif_flow *flow,
               const ovs_u128 *rule, odp_port_t *in_port)
{
    struct match match;
    struct engine_op op = {
        .type = ENGINE_PUT,
        .ufid = rule,
        .match = &match,
        .actions = flow->actions,
        .actions_len = flow->actions_len,
        .datapath = survey->datapath,
        .recirc_shared = flow_api_recirc_shared(),
    };

    memset(&match, 0, sizeof match);
    if (parse_key_and_mask_to_match(flow->key, flow->key_len, flow->mask,
                                    flow->mask_len, &match)) {
        return NULL;
    }
    *in_port = op.in_port = match.flow.in_port.odp_port;
    return (engine_check_again(&op)
            ? find_row(survey, op.in_port, &op.refusal) : NULL);
}

static bool
is_asked_for(const struct survey *survey, odp_port_t in_port)
{
    const struct offload_port *port
        = offload_port_lookup_in(survey->datapath, in_port);

    return !survey->port || (port && !strcmp(port->name, survey->port));
}

static void
add_forgotten(struct survey *survey, const struct dpif_flow *flow,
              const ovs_u128 *rule)
{
    odp_port_t in_port = ODPP_NONE;
    struct engine_flow_info info;
    struct row *row;

    if (!engine_flow_info(rule, &info)) {
        return;                 /* It has a rule. */
    }
    row = find_row_again(survey, flow, rule, &in_port);
    if (row) {
        row->packets += flow->stats.n_packets;
        row->bytes += flow->stats.n_bytes;
        row->n_seen++;
        row->n_again++;
        survey->n_again++;
    } else if (is_asked_for(survey, in_port)) {
        survey->n_unknown++;
    }
}

/* A flow that several PMD threads know is met once for each of them. */
static bool
add_packets(const struct dpif_flow *flow, const ovs_u128 *rule, void *survey_)
{
    struct survey *survey = survey_;
    struct noted *noted;
    bool found = false;

    HMAP_FOR_EACH_WITH_HASH (noted, node, ufid_hash(rule), &survey->flows) {
        if (ovs_u128_equals(noted->ufid, *rule)) {
            struct row *row = survey->rows[noted->reason];

            if (ovs_u128_equals(row->example.ufid, *rule)) {
                row->example.ufid = flow->ufid;     /* As people know it. */
            }
            row->packets += flow->stats.n_packets;
            row->bytes += flow->stats.n_bytes;
            row->n_seen++;
            found = true;
        }
    }
    if (!found && refusal_log_n_dropped()) {
        add_forgotten(survey, flow, rule);
    }
    return true;
}

static void
survey_datapaths(struct survey *survey)
{
    struct datapath dp;

    survey->complete = true;
    for (size_t i = 0; datapath_open(&dp, i); i++) {
        survey->datapath = dp.type;
        if (!datapath_walk(&dp, false, add_packets, survey)) {
            survey->complete = false;
        }
        datapath_close(&dp);
    }
}

static int
compare_rows(const void *a_, const void *b_)
{
    const struct row *a = *(const struct row *const *) a_;
    const struct row *b = *(const struct row *const *) b_;
    uint64_t x = a->stats.n_flows + a->n_again;
    uint64_t y = b->stats.n_flows + b->n_again;
    int cmp = strcmp(a->stats.port, b->stats.port);

    return (x != y ? (x > y ? -1 : 1)
            : cmp ? cmp
            : a->stats.code != b->stats.code
            ? (a->stats.code < b->stats.code ? -1 : 1)
            : strcmp(a->stats.subject, b->stats.subject));
}

/* Packets are known if every flow that was refused could be found, and the
 * reason of each that isn't recorded any more. */
static struct json *
row_to_json(const struct survey *survey, const struct row *row)
{
    const struct refusal_reason_stats *s = &row->stats;
    struct json *object = json_object_create();
    bool known = (survey->complete && row->n_seen
                  && (!s->n_dropped || !survey->n_unknown));

    report_put_string(object, "port", s->port[0] ? s->port : NULL);
    report_put_uint(object, "flows", s->n_flows + row->n_again);
    report_put_uint(object, "flows_again", row->n_again);
    report_put_uint(object, "flows_dropped", s->n_dropped);
    report_put_uint(object, "refused_total", s->n_refused);
    if (known) {
        report_put_uint(object, "packets", row->packets);
        report_put_uint(object, "bytes", row->bytes);
    } else {
        report_put_unknown(object, "packets");
        report_put_unknown(object, "bytes");
    }
    if (row->has_example) {
        struct offload_refusal refusal = row->example.refusal;

        if (refusal.code == OFFLOAD_REFUSED_IN_PORT) {
            ports_refusal(row->example.odp_port, &refusal);
        }
        refusal_to_json(object, &refusal);
        report_put_format(object, "example", UUID_FMT,
                          UUID_ARGS((const struct uuid *)
                                    &row->example.ufid));
    } else {
        struct offload_refusal refusal = {
            .code = s->code, .subject = s->subject,
        };

        refusal_to_json(object, &refusal);
        report_put_unknown(object, "example");
    }
    return object;
}

static void
print_row(struct report *r, const struct json *row)
{
    static const struct report_column columns[] = {
        { "reason", "reason", REPORT_WRAP },
        { "hint", "hint", REPORT_WRAP },
        { "example", "example", REPORT_LEFT },
    };
    static const struct report_column heads[] = {
        { "port", "port", REPORT_LEFT },
        { "flows", "flows", REPORT_LEFT },
        { "packets", "packets in software", REPORT_LEFT },
    };
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        const struct json *value = shash_find_data(row->object, heads[i].key);

        ds_put_format(&s, "%s%s ", i ? ", " : "", heads[i].label);
        report_format_value(value, &s);
    }
    report_line(r, "%s", ds_cstr(&s));
    ds_destroy(&s);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        const struct json *value = shash_find_data(row->object,
                                                   columns[i].key);

        if (value->type != JSON_STRING || value->string[0]) {
            report_fields(r, row, 4, &columns[i], 1);
        }
    }
}

static void
print_heading(struct report *r, const struct survey *survey, size_t n)
{
    size_t flows = hmap_count(&survey->flows) + survey->n_again;
    const char *on = survey->port ? " on " : "";
    const char *port = survey->port ? survey->port : "";

    if (!flows) {
        report_line(r, "No flow is known to be in software%s%s", on, port);
    } else {
        report_line(r, "%"PRIuSIZE" flow%s known to be in software%s%s, for %"
                    PRIuSIZE" reason%s", flows, flows == 1 ? " is" : "s are",
                    on, port, n, n == 1 ? "" : "s");
    }
}

static void
print_survey(struct report *r, const struct survey *survey)
{
    struct json *array = json_array_create_empty();
    const struct row *rows[MAX_IDS];
    size_t n = 0;

    for (size_t i = 0; i < MAX_IDS; i++) {
        if (survey->rows[i]) {
            rows[n++] = survey->rows[i];
        }
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    print_heading(r, survey, n);
    if (survey->n_again) {
        report_line(r, "(%"PRIu32" of them were refused too long ago to be "
                    "remembered: asked again now)", survey->n_again);
    }
    if (survey->n_unknown) {
        report_line(r, "%"PRIu32" more are in software, it is unknown why: "
                    "refused too long ago", survey->n_unknown);
    }
    for (size_t i = 0; i < n; i++) {
        struct json *object = row_to_json(survey, rows[i]);

        report_line(r, "%s", "");
        print_row(r, object);
        json_array_add(array, object);
    }
    report_put_uint(r->root, "flows",
                    hmap_count(&survey->flows) + survey->n_again);
    report_put_uint(r->root, "flows_again", survey->n_again);
    report_put_uint(r->root, "flows_unknown", survey->n_unknown);
    report_put_uint(r->root, "flows_dropped", refusal_log_n_dropped());
    json_object_put(r->root, "refusals", array);
}

void
offload_refusals(struct report *r, int argc, const char *argv[])
{
    struct survey *survey = xzalloc(sizeof *survey);
    struct noted *noted, *next;

    survey->port = argc > 1 ? argv[1] : NULL;
    hmap_init(&survey->flows);
    hmap_init(&survey->by_cause);
    refusal_log_for_each_reason(add_reason, survey);
    refusal_log_for_each_flow(add_flow, survey);
    if (!hmap_is_empty(&survey->flows) || refusal_log_n_dropped()) {
        survey_datapaths(survey);
    }
    print_survey(r, survey);

    HMAP_FOR_EACH_SAFE (noted, next, node, &survey->flows) {
        hmap_remove(&survey->flows, &noted->node);
        free(noted);
    }
    hmap_destroy(&survey->flows);
    hmap_destroy(&survey->by_cause);
    for (size_t i = 0; i < MAX_IDS; i++) {
        free(survey->rows[i]);
    }
    free(survey);
}
