/* SPDX-License-Identifier: Apache-2.0 */

/* offload/show: one flow's rule, as it is installed. */

#include <config.h>

#include "commands.h"

#include <string.h>

#include "datapath.h"
#include "engine-info.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "report.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

static const struct report_column columns[] = {
    { "ufid", "flow", REPORT_LEFT },
    { "match", "match", REPORT_LEFT },
    { "actions", "actions", REPORT_LEFT },
    { "device", "device", REPORT_LEFT },
    { "backend", "backend", REPORT_LEFT },
    { "handle", "handle", REPORT_LEFT },
    { "place", "state", REPORT_LEFT },
    { "condemned", "can't be deleted", REPORT_LEFT },
    { "hw_packets", "packets in hardware", REPORT_LEFT },
    { "hw_bytes", "bytes in hardware", REPORT_LEFT },
    { "sw_packets", "packets in software", REPORT_LEFT },
    { "sw_bytes", "bytes in software", REPORT_LEFT },
    { "created_age", "rule since", REPORT_LEFT },
    { "used_age", "last packet", REPORT_LEFT },
    { "read_age", "counters read", REPORT_LEFT },
};

/* The match and the actions as they were handed over, and the ufid as people
 * know it.  Replaces 'ufid' by the one that the engine knows. */
static void
put_megaflow(struct json *object, ovs_u128 *ufid)
{
    struct datapath_flow flow;
    struct datapath dp;
    bool found = false;

    report_put_format(object, "ufid", UUID_FMT,
                      UUID_ARGS((const struct uuid *) ufid));

    for (size_t i = 0; !found && datapath_open(&dp, i); i++) {
        if (!datapath_get(&dp, ufid, &flow)) {
            struct ds s = DS_EMPTY_INITIALIZER;

            found = true;
            datapath_format_match(&dp, &flow, &s);
            report_put_string(object, "match", ds_cstr(&s));
            ds_clear(&s);
            datapath_format_actions(&dp, &flow, &s);
            report_put_string(object, "actions", ds_cstr(&s));
            report_put_format(object, "ufid", UUID_FMT,
                              UUID_ARGS((const struct uuid *) &flow.ufid));
            *ufid = flow.rule;
            ds_destroy(&s);
            datapath_flow_uninit(&flow);
        }
        datapath_close(&dp);
    }
    if (!found) {
        report_put_unknown(object, "match");
        report_put_unknown(object, "actions");
    }
}

/* Packets that a device only marks are counted by software. */
static void
put_counters(struct json *object, const struct engine_flow_info *info)
{
    if (info->is_read && info->place != ENGINE_IN_PARTIAL) {
        report_put_uint(object, "hw_packets", info->counters.hw_packets);
        report_put_uint(object, "hw_bytes", info->counters.hw_bytes);
        report_put_uint(object, "sw_packets", info->counters.sw_packets);
        report_put_uint(object, "sw_bytes", info->counters.sw_bytes);
    } else {
        report_put_unknown(object, "hw_packets");
        report_put_unknown(object, "hw_bytes");
        report_put_unknown(object, "sw_packets");
        report_put_unknown(object, "sw_bytes");
    }
}

/* How long ago things happened: 'when' is 0 if they never did. */
static const struct {
    const char *key;            /* For programs: msec. */
    const char *text_key;       /* For people. */
    size_t ofs;                 /* In struct engine_flow_info. */
} ages[] = {
#define AGE(MEMBER)                                                          \
    { #MEMBER "_ms", #MEMBER "_age",                                         \
      offsetof(struct engine_flow_info, MEMBER) }
    AGE(created), AGE(used), AGE(read),
#undef AGE
};

static void
put_ages(struct json *object, struct json *people,
         const struct engine_flow_info *info)
{
    for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
        long long int when
            = *ALIGNED_CAST(const long long int *,
                            (const char *) info + ages[i].ofs);
        long long int age = MAX(time_msec() - when, 0);

        if (when) {
            report_put_uint(object, ages[i].key, age);
            report_put_format(people, ages[i].text_key, "%.1f s ago",
                              age / 1000.0);
        } else {
            report_put_unknown(object, ages[i].key);
            report_put_string(people, ages[i].text_key, "never");
        }
    }
}

static void
put_rule(struct json *object, const struct engine_flow_info *info)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    engine_flow_info_format_handle(info, &s);
    report_put_string(object, "device", info->device[0] ? info->device : NULL);
    report_put_string(object, "backend", info->backend);
    report_put_string(object, "handle", s.length ? ds_cstr(&s) : NULL);
    report_put_string(object, "place", engine_place_name(info->place));
    report_put_bool(object, "condemned", info->condemned);
    ds_destroy(&s);
}

void
offload_show(struct report *r, int argc OVS_UNUSED, const char *argv[])
{
    struct engine_flow_info info;
    struct json *people;
    ovs_u128 ufid;

    if (odp_ufid_from_string(argv[1], &ufid) <= 0
        && !uuid_from_string((struct uuid *) &ufid, argv[1])) {
        report_fail(r, "%s: not a flow's ufid, as dpctl/dump-flows -m "
                    "prints it", argv[1]);
        return;
    }
    /* Reads its counters, too. */
    put_megaflow(r->root, &ufid);
    if (engine_flow_info(&ufid, &info)) {
        report_fail(r, "%s: no rule was made of this flow; offload/explain "
                    "says why", argv[1]);
        return;
    }
    put_rule(r->root, &info);
    put_counters(r->root, &info);
    people = json_deep_clone(r->root);
    if (!info.condemned) {
        /* As nearly always: not worth a line. */
        json_destroy(shash_find_and_delete(people->object, "condemned"));
    }
    put_ages(r->root, people, &info);
    report_fields(r, people, 0, columns, ARRAY_SIZE(columns));
    json_destroy(people);
}
