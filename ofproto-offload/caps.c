/* SPDX-License-Identifier: Apache-2.0 */

/* offload/caps: what can be offloaded on a port, row by row of the tables. */

#include <config.h>

#include "commands.h"

#include <string.h>

#include "engine-info.h"
#include "offload-action.h"
#include "offload-backend.h"
#include "offload-field.h"
#include "offload-port.h"
#include "ports.h"
#include "report.h"
#include "util.h"

static const struct report_column field_columns[] = {
    { "name", "MATCH", REPORT_LEFT },
    { "support", "SUPPORT", REPORT_LEFT },
    { "why", "WHY", REPORT_LEFT },
};
static const struct report_column action_columns[] = {
    { "name", "ACTION", REPORT_LEFT },
    { "support", "SUPPORT", REPORT_LEFT },
    { "why", "WHY", REPORT_LEFT },
};

static const char *
support_name(enum offload_support support)
{
    return (support == OFFLOAD_SUPPORT_YES ? "yes"
            : support == OFFLOAD_SUPPORT_EXACT ? "exact" : "no");
}

static void
add_row(struct json *array, const char *name, enum offload_support support,
        const char *why)
{
    struct json *row = json_object_create();

    report_put_string(row, "name", name);
    report_put_string(row, "support", support_name(support));
    report_put_string(row, "why", why ? why : "");
    json_array_add(array, row);
}

static struct json *
list_fields(const struct offload_port *port)
{
    struct json *array = json_array_create_empty();

    for (int id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const char *why = NULL;
        enum offload_support support
            = port->backend->match_support(port, id, &why);

        add_row(array, offload_field_name(id), support, why);
    }
    return array;
}

/* The tables' parser is asked before the backend. */
static enum offload_support
action_support(const struct offload_port *port, int type,
               const struct offload_action_row *row, const char **why)
{
    enum offload_action_kind kind = offload_action_kind_of(type);

    *why = port->datapath == OFFLOAD_DP_NETDEV ? row->rte_note : row->note;
    if (!row->parse) {
        *why = *why ? *why : "nothing in a device can do it";
        return OFFLOAD_SUPPORT_NO;
    }
    if (row->netdev_only && port->datapath != OFFLOAD_DP_NETDEV) {
        *why = "the userspace datapath's only";
        return OFFLOAD_SUPPORT_NO;
    }
    /* A drop is a rule without actions. */
    return (kind == OFFLOAD_N_ACTIONS ? OFFLOAD_SUPPORT_YES
            : port->backend->action_support(port, kind, why));
}

static struct json *
list_actions(const struct offload_port *port)
{
    struct json *array = json_array_create_empty();
    const struct offload_action_row *rows;
    size_t n = offload_action_rows(&rows);

    for (size_t i = 0; i < n; i++) {
        if (rows[i].name) {
            const char *why;
            enum offload_support support = action_support(port, i, &rows[i],
                                                          &why);

            add_row(array, rows[i].name, support, why);
        }
    }
    return array;
}

/* What was found out when the first port was opened. */
static void
put_capabilities(struct report *r, const struct offload_backend *backend)
{
    struct json *array = json_array_create_empty();
    struct ds lines = DS_EMPTY_INITIALIZER;
    char *line, *save = NULL;

    backend->capabilities(&lines);
    report_line(r, "%s", "");
    for (line = strtok_r(ds_cstr(&lines), "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        report_line(r, "%s", line);
        json_array_add(array, json_string_create(line));
    }
    ds_destroy(&lines);
    json_object_put(r->root, "capabilities", array);
}

struct search {
    const char *name;
    struct offload_port *port;
};

static void
check_name(struct offload_port *port, void *search_)
{
    struct search *search = search_;

    if (!strcmp(port->name, search->name)) {
        search->port = port;
    }
}

/* What holds whatever the flow. */
static void
put_limit(struct report *r, const struct offload_port *port)
{
    static const struct report_column columns[] = {
        { "reason", "but", REPORT_LEFT },
        { "hint", "hint", REPORT_LEFT },
    };
    struct offload_refusal refusal;

    if (engine_check_port(port->datapath, port->odp_port, &refusal)) {
        refusal_to_json(r->root, &refusal);
        report_fields(r, r->root, 4, columns, refusal.hint ? 2 : 1);
    }
}

void
offload_caps(struct report *r, int argc OVS_UNUSED, const char *argv[])
{
    struct search search = { .name = argv[1] };
    const struct offload_port *port;
    struct json *fields, *actions;

    offload_port_for_each(check_name, &search);
    port = search.port;
    if (!port) {
        report_fail(r, "%s: no such port in a datapath", argv[1]);
        return;
    }
    report_put_string(r->root, "port", port->name);
    report_put_string(r->root, "kind", offload_port_kind_name(port->kind));
    if (!port->backend || !port->backend->match_support) {
        struct offload_refusal refusal;

        report_put_string(r->root, "backend", "none");
        report_line(r, "%s: nothing can be offloaded", port->name);
        if (port->datapath == OFFLOAD_DP_SYSTEM
            && ports_refusal(port->odp_port, &refusal)) {
            refusal_to_json(r->root, &refusal);
            report_fields(r, r->root, 4, (struct report_column[]) {
                { "reason", "reason", REPORT_LEFT } }, 1);
        }
        return;
    }

    report_put_string(r->root, "backend", port->backend->name);
    report_line(r, "%s: %s, backend %s", port->name,
                offload_port_kind_name(port->kind), port->backend->name);
    put_limit(r, port);
    fields = list_fields(port);
    actions = list_actions(port);
    json_object_put(r->root, "match", fields);
    json_object_put(r->root, "actions", actions);
    report_line(r, "%s", "");
    report_table(r, fields, field_columns, ARRAY_SIZE(field_columns));
    report_line(r, "%s", "");
    report_table(r, actions, action_columns, ARRAY_SIZE(action_columns));
    put_capabilities(r, port->backend);
}
