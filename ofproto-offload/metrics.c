/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "metrics.h"

#include <string.h>

#include "openvswitch/shash.h"
#include "report.h"
#include "status.h"
#include "util.h"

/* Of what there is a value. */
enum scope {
    GLOBAL,                     /* The daemon. */
    DATAPATH,                   /* Each datapath. */
    PORT,                       /* Each port. */
    REFUSAL,                    /* Each reason for refusals. */
    REFUSED,                    /* Each reason, by port, for flows that are in
                                 * software now. */
};

enum type { COUNTER, GAUGE, HISTOGRAM };

static const char *const type_names[] = { "counter", "gauge", "histogram" };

/* A row a metric.  Rows of one metric that differ in 'label' only follow each
 * other, and the first one's text is everybody's. */
static const struct metric {
    const char *name;
    enum type type;
    enum scope scope;
    const char *key;            /* Member of the scope's object. */
    double scale;               /* By which its value is multiplied. */
    const char *label;          /* One more label, NAME="VALUE", or NULL. */
    const char *help;
} metrics[] = {
    /* As others have it. */
    { "ovs_vswitchd_hw_offload", GAUGE, GLOBAL, "enabled", 1, NULL,
      "Whether hardware offload is enabled." },
    { "ovs_vswitchd_dp_flows_total", GAUGE, DATAPATH, "ovs_flows", 1, NULL,
      "Flows in the datapath itself, that is, not offloaded." },
    { "ovs_vswitchd_dp_flows_lookup_hit", GAUGE, DATAPATH, "ovs_hits", 1,
      NULL, "Packets that matched a flow of the datapath itself." },
    { "ovs_vswitchd_dp_flows_lookup_missed", GAUGE, DATAPATH, "ovs_missed", 1,
      NULL, "Packets that matched none and went to the daemon." },
    { "ovs_vswitchd_dp_flows_lookup_lost", GAUGE, DATAPATH, "ovs_lost", 1,
      NULL, "Packets that matched none and didn't get to the daemon." },
    { "ovs_vswitchd_datapath_packets_total", COUNTER, DATAPATH, "packets", 1,
      NULL, "Packets processed in total on this datapath." },
    { "ovs_vswitchd_datapath_offloaded_packets_total", COUNTER, DATAPATH,
      "hw_packets", 1, NULL,
      "Packets processed in hardware on this datapath." },
    { "ovs_vswitchd_datapath_offloaded_bytes_total", COUNTER, DATAPATH,
      "hw_bytes", 1, NULL,
      "Bytes processed in hardware on this datapath." },

    /* Datapaths. */
    { "ovs_offload_software_packets_total", COUNTER, DATAPATH, "sw_packets", 1,
      NULL, "Packets that rules counted which were executed in software." },
    { "ovs_offload_software_bytes_total", COUNTER, DATAPATH, "sw_bytes", 1,
      NULL, "Bytes that rules counted which were executed in software." },
    { "ovs_offload_rules", GAUGE, DATAPATH, "in_hardware", 1,
      "place=\"hardware\"", "Rules of offloaded flows, by who runs them." },
    { "ovs_offload_rules", GAUGE, DATAPATH, "in_software", 1,
      "place=\"software\"", NULL },
    { "ovs_offload_rules", GAUGE, DATAPATH, "marked", 1, "place=\"mark\"",
      NULL },
    { "ovs_offload_rules_limit", GAUGE, DATAPATH, "rules_limit", 1, NULL,
      "Rules that there may be (other_config:offload-max-flows)." },
    { "ovs_offload_table_full_rules", GAUGE, DATAPATH, "table_full_rules", 1,
      NULL, "Rules in hardware when a device last said that it is full." },
    { "ovs_offload_table_full_total", COUNTER, DATAPATH, "table_full", 1,
      NULL, "Rules that a device had no place for." },
    { "ovs_offload_offered_total", COUNTER, DATAPATH, "offered", 1, NULL,
      "Flows, and new versions of flows, that Open vSwitch offered." },
    { "ovs_offload_refused_total", COUNTER, DATAPATH, "refused", 1, NULL,
      "Flows that stayed in software." },
    { "ovs_offload_failed_total", COUNTER, DATAPATH, "failed", 1, NULL,
      "Requests that the kernel or a device refused." },
    { "ovs_offload_inserted_total", COUNTER, DATAPATH, "inserted", 1, NULL,
      "Rules added to devices." },
    { "ovs_offload_replaced_total", COUNTER, DATAPATH, "replaced", 1, NULL,
      "Rules replaced in their place." },
    { "ovs_offload_deleted_total", COUNTER, DATAPATH, "deleted", 1, NULL,
      "Rules deleted because their flow was." },
    { "ovs_offload_evicted_total", COUNTER, DATAPATH, "evicted", 1, NULL,
      "Rules taken out without Open vSwitch having asked for it." },
    { "ovs_offload_restored_total", COUNTER, DATAPATH, "restored", 1, NULL,
      "Rules that a device had lost and that were added again." },
    { "ovs_offload_put_seconds", HISTOGRAM, DATAPATH, "put_time", 1e-6, NULL,
      "Time from the offer of a flow to its rule." },
    { "ovs_offload_sweep_seconds", HISTOGRAM, DATAPATH, "sweep_time", 1e-6,
      NULL, "Time to read the counters of a port's rules." },
    { "ovs_offload_quiet_sweeps_total", COUNTER, DATAPATH, "quiet_sweeps", 1,
      NULL, "Sweeps over ports that had had no packets and weren't read." },
    { "ovs_offload_queue_length", GAUGE, DATAPATH, "queue", 1, NULL,
      "Operations on flows that wait for their turn." },

    /* Refusals. */
    { "ovs_offload_refusals_total", COUNTER, REFUSAL, "count", 1, NULL,
      "Refusals, by reason." },

    { "ovs_offload_refused_flows", GAUGE, REFUSED, "flows", 1, NULL,
      "Flows that are in software now because they were refused." },

    /* Ports. */
    { "ovs_offload_port_rules", GAUGE, PORT, "in_hardware", 1,
      "place=\"hardware\"", "Rules of a port, by who runs them." },
    { "ovs_offload_port_rules", GAUGE, PORT, "in_software", 1,
      "place=\"software\"", NULL },
    { "ovs_offload_port_rules", GAUGE, PORT, "marked", 1, "place=\"mark\"",
      NULL },
    { "ovs_offload_port_offered_total", COUNTER, PORT, "offered", 1, NULL,
      "Flows of a port that Open vSwitch offered." },
    { "ovs_offload_port_refused_total", COUNTER, PORT, "refused", 1, NULL,
      "Flows of a port that stayed in software." },
    { "ovs_offload_port_inserted_total", COUNTER, PORT, "inserted", 1, NULL,
      "Rules added for a port." },
    { "ovs_offload_port_failed_total", COUNTER, PORT, "failed", 1, NULL,
      "Requests for a port that the kernel or a device refused." },
    { "ovs_offload_port_evicted_total", COUNTER, PORT, "evicted", 1, NULL,
      "Rules of a port taken out without having been asked for." },
    { "ovs_offload_port_hardware_packets_total", COUNTER, PORT, "hw_packets",
      1, NULL, "Packets from a port processed in hardware." },
    { "ovs_offload_port_hardware_bytes_total", COUNTER, PORT, "hw_bytes", 1,
      NULL, "Bytes from a port processed in hardware." },
    { "ovs_offload_port_software_packets_total", COUNTER, PORT, "sw_packets",
      1, NULL, "Packets from a port processed by rules in software." },
    { "ovs_offload_port_software_bytes_total", COUNTER, PORT, "sw_bytes", 1,
      NULL, "Bytes from a port processed by rules in software." },
    { "ovs_offload_port_received_packets_total", COUNTER, PORT,
      "software_packets", 1, NULL,
      "Packets from a port that software got to see." },
    { "ovs_offload_port_received_bytes_total", COUNTER, PORT,
      "software_bytes", 1, NULL,
      "Bytes from a port that software got to see." },
    { "ovs_offload_port_last_sweep_seconds", GAUGE, PORT, "last_sweep_us",
      1e-6, NULL, "How long the last reading of a port's rules took." },
    { "ovs_offload_port_counters_age_seconds", GAUGE, PORT, "counters_age_ms",
      1e-3, NULL, "How long ago a port's rules were read." },
};

/* Labels. */

/* A label that is a member of the scope's object. */
struct label {
    const char *name;
    const char *key;
    const char *fallback;       /* Another one, if that is unknown. */
};

static const struct label datapath_labels[] = {
    { "datapath", "name", "datapath" }, { NULL, NULL, NULL },
};
static const struct label port_labels[] = {
    { "datapath", "datapath", NULL }, { "port", "port", NULL },
    { "kind", "kind", NULL }, { NULL, NULL, NULL },
};
static const struct label refusal_labels[] = {
    { "reason", "reason", NULL }, { NULL, NULL, NULL },
};
static const struct label refused_labels[] = {
    { "datapath", "datapath", NULL }, { "port", "port", NULL },
    { "reason", "reason", NULL }, { "subject", "subject", NULL },
    { NULL, NULL, NULL },
};
static const struct label no_labels[] = { { NULL, NULL, NULL } };

/* Where a scope's objects are, and their labels. */
static const struct {
    const char *array;          /* NULL: there is one, the root. */
    const struct label *labels;
} scopes[] = {
    [GLOBAL] = { NULL, no_labels },
    [DATAPATH] = { "datapaths", datapath_labels },
    [PORT] = { "ports", port_labels },
    [REFUSAL] = { "refusals", refusal_labels },
    [REFUSED] = { "refused_flows", refused_labels },
};

static void
format_escaped(const char *value, struct ds *s)
{
    for (; *value; value++) {
        switch (*value) {
        case '\\':
            ds_put_cstr(s, "\\\\");
            break;
        case '"':
            ds_put_cstr(s, "\\\"");
            break;
        case '\n':
            ds_put_cstr(s, "\\n");
            break;
        default:
            ds_put_char(s, *value);
        }
    }
}

static const char *
member_string(const struct json *object, const char *key)
{
    const struct json *value = key ? shash_find_data(object->object, key)
                                   : NULL;

    return value && value->type == JSON_STRING ? value->string : NULL;
}

/* Appends "NAME="VALUE"", with a separator. */
static void
format_label(const char *name, const char *value, struct ds *s)
{
    ds_put_format(s, "%c%s=\"", s->string[s->length - 1] == '"' ? ',' : '{',
                  name);
    format_escaped(value, s);
    ds_put_char(s, '"');
}

/* A line: 'suffix' follows the name, 'le' is a bucket's end or NULL. */
static void
format_sample(const struct metric *m, const struct json *object,
              const char *suffix, const char *le, double value, struct ds *s)
{
    const struct label *label = scopes[m->scope].labels;

    ds_put_format(s, "%s%s", m->name, suffix);
    for (; label->name; label++) {
        const char *text = member_string(object, label->key);

        text = text ? text : member_string(object, label->fallback);
        format_label(label->name, text ? text : "", s);
    }
    if (m->label) {
        ds_put_format(s, "%c%s", s->string[s->length - 1] == '"' ? ',' : '{',
                      m->label);
    }
    if (le) {
        format_label("le", le, s);
    }
    if (s->string[s->length - 1] == '"') {
        ds_put_char(s, '}');
    }
    ds_put_format(s, " %.17g\n", value);
}

/* Values. */

/* Returns false if it is unknown. */
static bool
get_value(const struct json *value, double *number)
{
    if (!value) {
        return false;
    }
    if (value->type == JSON_INTEGER) {
        *number = value->integer;
    } else if (value->type == JSON_REAL) {
        *number = value->real;
    } else if (value->type == JSON_TRUE || value->type == JSON_FALSE) {
        *number = value->type == JSON_TRUE;
    } else {
        return false;
    }
    return true;
}

static double
get_number(const struct json *object, const char *key)
{
    double number = 0;

    get_value(shash_find_data(object->object, key), &number);
    return number;
}

static void
format_histogram(const struct metric *m, const struct json *object,
                 const struct json *histogram, struct ds *s)
{
    const struct json *buckets = shash_find_data(histogram->object, "buckets");

    for (size_t i = 0; i < buckets->array.n; i++) {
        const struct json *bucket = buckets->array.elems[i];
        char le[32] = "+Inf";

        if (shash_find(bucket->object, "le_us")) {
            snprintf(le, sizeof le, "%g",
                     get_number(bucket, "le_us") * m->scale);
        }
        format_sample(m, object, "_bucket", le, get_number(bucket, "count"),
                      s);
    }
    format_sample(m, object, "_sum", NULL,
                  get_number(histogram, "sum_us") * m->scale, s);
    format_sample(m, object, "_count", NULL, get_number(histogram, "count"),
                  s);
}

static void
format_metric(const struct metric *m, const struct json *object, struct ds *s)
{
    const struct json *value = shash_find_data(object->object, m->key);
    double number;

    if (m->type == HISTOGRAM) {
        if (value) {
            format_histogram(m, object, value, s);
        }
    } else if (get_value(value, &number)) {
        format_sample(m, object, "", NULL, number * m->scale, s);
    }
}

void
metrics_format(const struct json *status, struct ds *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        const struct metric *m = &metrics[i];
        const char *key = scopes[m->scope].array;
        const struct json *array;

        if (m->help) {
            ds_put_format(s, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help,
                          m->name, type_names[m->type]);
        }
        if (!key) {
            format_metric(m, status, s);
            continue;
        }
        array = shash_find_data(status->object, key);
        for (size_t j = 0; j < array->array.n; j++) {
            format_metric(m, array->array.elems[j], s);
        }
    }
}

void
metrics_report(struct report *r, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED)
{
    status_collect(r->root);
    if (!r->json) {
        metrics_format(r->root, &r->text);
    }
}
