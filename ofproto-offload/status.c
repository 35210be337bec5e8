/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "status.h"

#include <stdlib.h>
#include <string.h>

#ifdef DPDK_NETDEV
#include "dpdk-offload.h"
#endif
#include "dpif.h"
#include "engine.h"
#include "engine-private.h"
#include "flow-table.h"
#include "netdev-offload.h"
#include "occupancy.h"
#include "odp-util.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "offload-statistics.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/shash.h"
#include "refusal-log.h"
#include "report.h"
#include "timeval.h"
#include "util.h"

/* Ports that people see: those with the most rules. */
#define MAX_TEXT_PORTS 8

/* Datapaths. */
static const struct {
    const char *name;           /* As Open vSwitch's "datapath_type". */
    const struct offload_backend *backend;
} datapaths[OFFLOAD_N_DATAPATHS] = {
    [OFFLOAD_DP_SYSTEM] = { "system", &offload_backend_tc },
#ifdef DPDK_NETDEV
    [OFFLOAD_DP_NETDEV] = { "netdev", &offload_backend_rte },
#else
    [OFFLOAD_DP_NETDEV] = { "netdev", NULL },
#endif
};

/* Statistics. */

static void
put_percentile(struct json *object, const char *key,
               const struct offload_times *times, unsigned int percent)
{
    uint64_t usec = offload_times_percentile(times, percent);

    if (usec == UINT64_MAX) {
        report_put_unknown(object, key);
    } else {
        report_put_uint(object, key, usec);
    }
}

static struct json *
buckets_to_json(const struct offload_times *times)
{
    struct json *array = json_array_create_empty();
    uint64_t below = 0;

    for (size_t i = 0; i < OFFLOAD_N_BUCKETS; i++) {
        struct json *bucket = json_object_create();

        below += times->n[i];
        if (i < OFFLOAD_N_BUCKETS - 1) {
            report_put_uint(bucket, "le_us", offload_bucket_ends[i]);
        }
        report_put_uint(bucket, "count", below);
        json_array_add(array, bucket);
    }
    return array;
}

static const struct {
    const char *name, *p50, *p99;
} timings[OFFLOAD_N_TIMINGS] = {
    [OFFLOAD_TIME_PUT] = { "put_time", "put_p50_us", "put_p99_us" },
    [OFFLOAD_TIME_SWEEP] = { "sweep_time", "sweep_p50_us", "sweep_p99_us" },
};

static void
put_statistics(struct json *object, const struct offload_statistics *stats)
{
    for (size_t i = 0; i < OFFLOAD_N_STATS; i++) {
        report_put_uint(object, offload_stat_name(i),
                        offload_stat_get(stats, i));
    }
    for (size_t i = 0; i < OFFLOAD_N_TIMINGS; i++) {
        struct offload_times times;

        offload_stat_times(stats, i, &times);
        put_percentile(object, timings[i].p50, &times, 50);
        put_percentile(object, timings[i].p99, &times, 99);
    }
}

static void
put_histograms(struct json *object, const struct offload_statistics *stats)
{
    for (size_t i = 0; i < OFFLOAD_N_TIMINGS; i++) {
        struct json *histogram = json_object_create();
        struct offload_times times;

        offload_stat_times(stats, i, &times);
        report_put_uint(histogram, "count", times.count);
        report_put_uint(histogram, "sum_us", times.sum);
        json_object_put(histogram, "buckets", buckets_to_json(&times));
        json_object_put(object, timings[i].name, histogram);
    }
}

static uint64_t
get_uint(const struct json *object, const char *key)
{
    const struct json *value = shash_find_data(object->object, key);

    return value && value->type == JSON_INTEGER ? value->integer : 0;
}

static bool
is_known(const struct json *object, const char *key)
{
    const struct json *value = shash_find_data(object->object, key);

    return value && value->type != JSON_NULL;
}

/* The part, in percent, of what was counted that hardware has switched. */
static void
put_share(struct json *object, const char *key, const char *hw, const char *sw,
          const char *ovs)
{
    uint64_t hardware = get_uint(object, hw);
    uint64_t all = (hardware + (sw ? get_uint(object, sw) : 0)
                    + get_uint(object, ovs));

    if (is_known(object, ovs) && all) {
        report_put_real(object, key, 100.0 * hardware / all);
    } else {
        report_put_unknown(object, key);
    }
}

static void
put_places(struct json *object, const struct occupancy *places)
{
    report_put_uint(object, "rules", places->rules);
    report_put_uint(object, "in_hardware", places->hardware);
    report_put_uint(object, "marked", places->marks);
    report_put_uint(object, "in_software",
                    places->rules - places->hardware - places->marks);
}

/* Ports. */

static void
put_age(struct json *object, const struct offload_port *port)
{
    struct offload_statistics *stats
        = CONST_CAST(struct offload_statistics *, &port->statistics);
    long long int read;
    uint64_t sweep;

    atomic_read_relaxed(&stats->read, &read);
    if (read) {
        report_put_uint(object, "counters_age_ms", time_msec() - read);
    } else {
        report_put_unknown(object, "counters_age_ms");
    }
    atomic_read_relaxed(&stats->last_sweep, &sweep);
    if (offload_stat_get(stats, OFFLOAD_STAT_SWEEPS)) {
        report_put_uint(object, "last_sweep_us", sweep);
    } else {
        report_put_unknown(object, "last_sweep_us");
    }
}

/* The part, in percent, of what came in at a port that its rules in hardware
 * have counted.  What hardware has switched may be in the device's own
 * numbers, or not: if the driver doesn't say, they only tell something where
 * there is nothing in hardware. */
static void
put_port_share(struct json *object, struct offload_port *port)
{
    const struct offload_statistics *stats = &port->statistics;
    uint64_t packets = offload_stat_get(stats, OFFLOAD_STAT_HW_PACKETS);
    struct offload_received r;

    if (!port->backend || !port->backend->received
        || port->backend->received(port, &r)
        || (packets && !r.software)) {
        report_put_unknown(object, "software_packets");
        report_put_unknown(object, "software_bytes");
    } else {
        report_put_uint(object, "software_packets", r.packets);
        report_put_uint(object, "software_bytes", r.bytes);
    }
    put_share(object, "hw_share_packets", "hw_packets", NULL,
              "software_packets");
    put_share(object, "hw_share_bytes", "hw_bytes", NULL, "software_bytes");
}

/* What is collected of all ports. */
struct collection {
    struct json *ports;
    struct totals {             /* Of a datapath's. */
        size_t ports;
        struct occupancy places;

        /* Of those of which it is known what software got to see. */
        size_t counted;
        uint64_t hw_bytes, software_bytes;
    } totals[OFFLOAD_N_DATAPATHS];
};

static void
add_port(struct totals *totals, const struct json *port,
         const struct occupancy *places)
{
    totals->ports++;
    totals->places.rules += places->rules;
    totals->places.hardware += places->hardware;
    totals->places.marks += places->marks;
    if (is_known(port, "software_bytes")) {
        totals->counted++;
        totals->hw_bytes += get_uint(port, "hw_bytes");
        totals->software_bytes += get_uint(port, "software_bytes");
    }
}

static void
collect_port(struct offload_port *port, void *collection_)
{
    struct collection *c = collection_;
    struct json *object = json_object_create();
    struct occupancy places;

    occupancy_count(port, &places);
    report_put_string(object, "port", port->name);
    report_put_string(object, "datapath", datapaths[port->datapath].name);
    report_put_uint(object, "number", odp_to_u32(port->odp_port));
    report_put_string(object, "kind", offload_port_kind_name(port->kind));
    report_put_string(object, "backend",
                      port->backend ? port->backend->name : "software");
    put_places(object, &places);
    put_statistics(object, &port->statistics);
    put_age(object, port);
    put_port_share(object, port);
    report_put_real(object, "insertion_rate",
                    offload_port_insertion_rate(port));
    add_port(&c->totals[port->datapath], object, &places);
    json_array_add(c->ports, object);
}

/* Datapaths. */

/* Packets that were switched by the datapath 'name' itself: each that it
 * looked a flow up for, for recirculated ones once more. */
static void
put_datapath_stats(struct json *object, const char *name)
{
    const struct dpif_backer *backer = shash_find_data(&all_dpif_backers,
                                                       name);
    struct dpif_dp_stats stats;

    if (!backer || dpif_get_dp_stats(backer->dpif, &stats)) {
        report_put_unknown(object, "name");
        report_put_unknown(object, "ovs_packets");
        report_put_unknown(object, "ovs_flows");
        return;
    }
    report_put_format(object, "name", "%s@%s", name,
                      dpif_base_name(backer->dpif));
    report_put_uint(object, "ovs_hits", stats.n_hit);
    report_put_uint(object, "ovs_missed", stats.n_missed);
    report_put_uint(object, "ovs_lost", stats.n_lost);
    report_put_uint(object, "ovs_packets",
                    stats.n_hit + stats.n_missed + stats.n_lost);
    report_put_uint(object, "ovs_flows", stats.n_flows);
}

/* No datapath counts bytes, but ports do. */
static void
put_bytes(struct json *object, const struct totals *totals)
{
    uint64_t all = totals->hw_bytes + totals->software_bytes;

    report_put_uint(object, "hw_share_ports", totals->counted);
    if (all) {
        report_put_real(object, "hw_share_bytes",
                        100.0 * totals->hw_bytes / all);
    } else {
        report_put_unknown(object, "hw_share_bytes");
    }
}

static void
put_traffic(struct json *object)
{
    if (is_known(object, "ovs_packets") && !get_uint(object, "ovs_packets")) {
        report_put_uint(object, "ovs_bytes", 0);
    } else {
        report_put_unknown(object, "ovs_bytes");
    }
    if (is_known(object, "ovs_packets")) {
        report_put_uint(object, "packets", get_uint(object, "hw_packets")
                        + get_uint(object, "sw_packets")
                        + get_uint(object, "ovs_packets"));
    } else {
        report_put_unknown(object, "packets");
    }
    put_share(object, "hw_share_packets", "hw_packets", "sw_packets",
              "ovs_packets");
}

/* How many rules a device's table takes is known once it was full. */
static void
put_table(struct json *object, enum offload_datapath datapath)
{
    struct occupancy_full full;

    if (occupancy_get_full(datapath, &full)) {
        report_put_uint(object, "table_full_rules", full.rules);
        report_put_string(object, "table_full_port", full.port);
        report_put_uint(object, "table_full_age_ms", time_msec() - full.when);
    } else {
        report_put_unknown(object, "table_full_rules");
        report_put_unknown(object, "table_full_port");
        report_put_unknown(object, "table_full_age_ms");
    }
}

static void
put_limit(struct json *object, uint64_t rules)
{
    uint64_t max = engine_max_flows();

    if (max) {
        report_put_uint(object, "rules_limit", max);
        report_put_real(object, "rules_used", 100.0 * rules / max);
    }
}

/* With TC, the thread that has a flow makes its rule: nothing waits. */
static void
put_queue(struct json *object, enum offload_datapath datapath OVS_UNUSED)
{
    uint64_t length = 0;

#ifdef DPDK_NETDEV
    if (datapath == OFFLOAD_DP_NETDEV) {
        length = dpdk_queue_length();
    }
#endif
    report_put_uint(object, "queue", length);
}

static struct json *
datapath_to_json(enum offload_datapath datapath,
                 const struct collection *collection)
{
    const struct offload_statistics *stats = offload_port_totals(datapath);
    const struct totals *totals = &collection->totals[datapath];
    struct json *object = json_object_create();

    report_put_string(object, "datapath", datapaths[datapath].name);
    report_put_string(object, "backend", datapaths[datapath].backend->name);
    report_put_uint(object, "ports", totals->ports);
    put_places(object, &totals->places);
    put_limit(object, totals->places.rules);
    put_table(object, datapath);
    put_statistics(object, stats);
    put_histograms(object, stats);
    report_put_real(object, "insertion_rate",
                    offload_port_total_insertion_rate(datapath));
    put_datapath_stats(object, datapaths[datapath].name);
    put_traffic(object);
    put_bytes(object, totals);
    put_queue(object, datapath);
    return object;
}

/* All. */

static struct json *
refusals_to_json(void)
{
    struct json *array = json_array_create_empty();
    uint64_t totals[OFFLOAD_N_REFUSALS];

    refusal_log_totals(totals);
    for (int i = OFFLOAD_REFUSED_NOT + 1; i < OFFLOAD_N_REFUSALS; i++) {
        if (totals[i]) {
            struct json *object = json_object_create();

            report_put_string(object, "reason", offload_refusal_name(i));
            report_put_string(object, "text", offload_refusal_text(i));
            report_put_uint(object, "count", totals[i]);
            json_array_add(array, object);
        }
    }
    return array;
}

/* Reasons that differ in a driver's words only are one here: what is told
 * apart by names must have different ones. */
struct reasons {
    struct json *array;
    struct shash by_name;       /* Its objects. */
};

static void
collect_reason(const struct refusal_reason_stats *stats, void *reasons_)
{
    struct reasons *reasons = reasons_;
    char *name = xasprintf("%d %s %d %s", stats->datapath, stats->port,
                           stats->code, stats->subject);
    struct json *object = shash_find_data(&reasons->by_name, name);

    if (!object) {
        object = json_object_create();
        report_put_string(object, "datapath", datapaths[stats->datapath].name);
        report_put_string(object, "port", stats->port[0] ? stats->port : NULL);
        report_put_string(object, "reason", offload_refusal_name(stats->code));
        report_put_string(object, "subject", stats->subject);
        report_put_uint(object, "flows", stats->n_flows);
        json_array_add(reasons->array, object);
        shash_add(&reasons->by_name, name, object);
    } else {
        report_put_uint(object, "flows",
                        get_uint(object, "flows") + stats->n_flows);
    }
    free(name);
}

static struct json *
reasons_to_json(void)
{
    struct reasons reasons = { .array = json_array_create_empty() };

    shash_init(&reasons.by_name);
    refusal_log_for_each_reason(collect_reason, &reasons);
    shash_destroy(&reasons.by_name);
    return reasons.array;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct json *const *a = a_;
    const struct json *const *b = b_;
    uint64_t x = get_uint(*a, "rules");
    uint64_t y = get_uint(*b, "rules");

    return (x != y ? (x > y ? -1 : 1)
            : strcmp(json_string(shash_find_data((*a)->object, "port")),
                     json_string(shash_find_data((*b)->object, "port"))));
}

void
status_collect(struct json *root)
{
    struct collection c = { .ports = json_array_create_empty() };
    bool enabled = netdev_is_flow_api_enabled();
    struct json *array = json_array_create_empty();

    report_put_string(root, "version", OFFLOAD_VERSION);
    report_put_bool(root, "enabled", enabled);
    report_put_string(root, "reason", enabled
                      ? "other_config:hw-offload is true"
                      : "other_config:hw-offload isn't true");
    report_put_uint(root, "offloaded",
                    flow_table_count(OFFLOAD_FLOW_INSTALLED));
    report_put_uint(root, "leaving", flow_table_count(OFFLOAD_FLOW_EVICTING));
    report_put_uint(root, "parents_in_software",
                    flow_table_count(OFFLOAD_FLOW_REFUSED));
    json_object_put(root, "refusals", refusals_to_json());
    json_object_put(root, "refused_flows", reasons_to_json());

    offload_port_for_each(collect_port, &c);
    if (c.ports->array.n) {
        qsort(c.ports->array.elems, c.ports->array.n,
              sizeof *c.ports->array.elems, compare_ports);
    }
    json_object_put(root, "ports", c.ports);
    for (size_t i = 0; i < OFFLOAD_N_DATAPATHS; i++) {
        if (c.totals[i].ports && datapaths[i].backend) {
            json_array_add(array, datapath_to_json(i, &c));
        }
    }
    json_object_put(root, "datapaths", array);
}

/* For people. */

/* Appends 'template', with {KEY} replaced by the object's member, times
 * ("_us") by what is easier to read. */
static void
format_template(const struct json *object, const char *template, struct ds *s)
{
    while (*template) {
        size_t n = strcspn(template, "{");
        const struct json *value;
        char *key;

        ds_put_buffer(s, template, n);
        template += n;
        if (!*template) {
            break;
        }
        n = strcspn(++template, "}");
        key = xmemdup0(template, n);
        template += n + 1;
        value = shash_find_data(object->object, key);
        if (!value) {
            ds_put_cstr(s, "none");
        } else if (value->type == JSON_REAL) {
            ds_put_format(s, "%.1f", value->real);
        } else if (value->type == JSON_INTEGER
                   && string_ends_with(key, "_us")) {
            ds_put_format(s, "%.3g ms", value->integer / 1000.0);
        } else {
            report_format_value(value, s);
        }
        free(key);
    }
}

static const char *const datapath_lines[] = {
    "{datapath} datapath, backend {backend}, {ports} ports",
    "  rules        {rules}: {in_hardware} in hardware, {in_software} in "
    "software, {marked} only mark",
    "  limit        {rules_limit} rules, used to {rules_used} %",
    "  flows        {offered} offered, {refused} refused; {ovs_flows} "
    "not offloaded now",
    "  changes      {inserted} inserted ({insertion_rate}/s), {replaced} "
    "replaced, {deleted} deleted,",
    "               {evicted} evicted, {restored} restored",
    "  errors       {failed} requests refused by kernel or device, "
    "{table_full} as it was full",
    "  queue        {queue} operations wait",
    "  put to rule  half within {put_p50_us}, 99 % within {put_p99_us}",
    "  sweeps       half within {sweep_p50_us}, 99 % within {sweep_p99_us}",
    "  packets      {hw_packets} in hardware ({hw_share_packets} %), "
    "{sw_packets} by rules in software,",
    "               {ovs_packets} by Open vSwitch",
    "  bytes        {hw_bytes} in hardware, {sw_bytes} by rules in software,",
    "               {ovs_bytes} by Open vSwitch; {hw_share_bytes} % in "
    "hardware of what came in",
    "               at the {hw_share_ports} ports that count it",
};

static void
format_table(struct report *r, const struct json *object)
{
    if (!is_known(object, "table_full_rules")) {
        report_line(r, "  table        size unknown: no device has said that "
                    "it is full");
        return;
    }
    report_line(r, "  table        full at %"PRIu64" rules in hardware, as "
                "the device of %s said", get_uint(object, "table_full_rules"),
                json_string(shash_find_data(object->object,
                                            "table_full_port")));
    report_line(r, "               %"PRIu64" s ago",
                get_uint(object, "table_full_age_ms") / 1000);
}

static void
format_datapath(struct report *r, const struct json *object)
{
    for (size_t i = 0; i < ARRAY_SIZE(datapath_lines); i++) {
        format_template(object, datapath_lines[i], &r->text);
        ds_put_char(&r->text, '\n');
    }
    format_table(r, object);
}

/* Flows and packets; and times, of ports that have any.  Both fit into 80
 * columns. */
static const struct report_column flow_columns[] = {
    { "port", "PORT", REPORT_LEFT },
    { "backend", "BACKEND", REPORT_LEFT },
    { "offered", "OFFERED", REPORT_RIGHT },
    { "refused", "REFUSED", REPORT_RIGHT },
    { "failed", "ERRORS", REPORT_RIGHT },
    { "rules", "RULES", REPORT_RIGHT },
    { "in_hardware", "HW", REPORT_RIGHT },
    { "rate", "ADD/s", REPORT_RIGHT },
    { "packets_percent", "PKT%", REPORT_RIGHT },
    { "bytes_percent", "BYTE%", REPORT_RIGHT },
};

static const struct report_column time_columns[] = {
    { "port", "PORT", REPORT_LEFT },
    { "put_p50", "PUT-50%", REPORT_RIGHT },
    { "put_p99", "PUT-99%", REPORT_RIGHT },
    { "sweep_p50", "SWEEP-50%", REPORT_RIGHT },
    { "sweep_p99", "SWEEP-99%", REPORT_RIGHT },
    { "last_sweep", "LAST-SWEEP", REPORT_RIGHT },
    { "age", "COUNTERS-AGE", REPORT_RIGHT },
};

/* Cells that people read otherwise than programs: the new key and the one of
 * 'ports', which is a number. */
static const struct {
    const char *key, *of;
    double scale;
    int digits;                 /* Behind the point. */
    const char *unit;
} cells[] = {
    { "rate", "insertion_rate", 1, 1, "" },
    { "packets_percent", "hw_share_packets", 1, 1, "" },
    { "bytes_percent", "hw_share_bytes", 1, 1, "" },
    { "put_p50", "put_p50_us", 1e-3, 2, " ms" },
    { "put_p99", "put_p99_us", 1e-3, 2, " ms" },
    { "sweep_p50", "sweep_p50_us", 1e-3, 2, " ms" },
    { "sweep_p99", "sweep_p99_us", 1e-3, 2, " ms" },
    { "last_sweep", "last_sweep_us", 1e-3, 2, " ms" },
    { "age", "counters_age_ms", 1e-3, 1, " s" },
};

static double
get_real(const struct json *value)
{
    return value->type == JSON_REAL ? value->real : value->integer;
}

/* A port's object, with what people read in addition. */
static struct json *
row_for_people(const struct json *port)
{
    struct json *row = json_deep_clone(port);

    for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
        const struct json *value = shash_find_data(port->object, cells[i].of);

        if (is_known(port, cells[i].of)) {
            report_put_format(row, cells[i].key, "%.*f%s", cells[i].digits,
                              get_real(value) * cells[i].scale,
                              cells[i].unit);
        } else {
            report_put_string(row, cells[i].key, "?");
        }
    }
    return row;
}

static void
format_ports(struct report *r)
{
    const struct json *ports = shash_find_data(r->root->object, "ports");
    struct json *few = json_array_create_empty();
    struct json *timed = json_array_create_empty();
    size_t n = ports->array.n;

    for (size_t i = 0; i < MIN(n, MAX_TEXT_PORTS); i++) {
        json_array_add(few, row_for_people(ports->array.elems[i]));
        if (get_uint(ports->array.elems[i], "inserted")) {
            json_array_add(timed, json_clone(few->array.elems[i]));
        }
    }
    if (n) {
        report_table(r, few, flow_columns, ARRAY_SIZE(flow_columns));
    }
    if (n > MAX_TEXT_PORTS) {
        report_line(r, "and %"PRIuSIZE" more: see offload/ports",
                    n - MAX_TEXT_PORTS);
    }
    if (timed->array.n) {
        report_table(r, timed, time_columns, ARRAY_SIZE(time_columns));
    }
    if (n) {
        report_line(r, "(\"?\" is unknown)");
    }
    json_destroy(few);
    json_destroy(timed);
}

static void
format_array(struct report *r, const char *key,
             void (*format)(struct report *, const struct json *))
{
    const struct json *array = shash_find_data(r->root->object, key);

    for (size_t i = 0; i < array->array.n; i++) {
        format(r, array->array.elems[i]);
    }
}

static void
format_refusal(struct report *r, const struct json *object)
{
    report_line(r, "  %-28s %"PRIu64,
                json_string(shash_find_data(object->object, "reason")),
                get_uint(object, "count"));
}

void
status_report(struct report *r, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED)
{
    bool enabled = netdev_is_flow_api_enabled();

    status_collect(r->root);
    if (r->json) {
        return;
    }
    report_line(r, "ovs-fastpath %s", OFFLOAD_VERSION);
    report_line(r, "offload: %s", enabled ? "enabled"
                : "disabled (other_config:hw-offload isn't true)");
    if (!enabled) {
        return;
    }
    format_array(r, "datapaths", format_datapath);
    report_line(r, "flows of all datapaths:");
    report_line(r, "  offloaded                    %"PRIu64,
                get_uint(r->root, "offloaded"));
    report_line(r, "  just taken out of devices    %"PRIu64,
                get_uint(r->root, "leaving"));
    report_line(r, "  in software, others need it  %"PRIu64,
                get_uint(r->root, "parents_in_software"));
    report_line(r, "refusals since start, by reason:");
    format_array(r, "refusals", format_refusal);
    format_ports(r);
}
