/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "port-report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef DPDK_NETDEV
#include "dpdk-offload.h"
#endif
#include "netdev-offload.h"
#include "netdev-vport.h"
#include "netdev.h"
#include "nic-ports.h"
#include "odp-util.h"
#include "offload-backend.h"
#include "offload-port.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/shash.h"
#include "ports.h"
#include "report.h"
#include "simap.h"
#include "sset.h"
#include "util.h"

/* What is collected. */
struct collection {
    struct json *rows;
    struct shash bridges;       /* By datapath port's name, their names,
                                 * "DATAPATH NAME" -> char *. */
};

/* Bridges. */

static void
add_bridge(struct collection *c, const char *type, const struct ofproto *up,
           const char *name)
{
    struct ofport *port;

    HMAP_FOR_EACH (port, hmap_node, &up->ports) {
        char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
        char *key = xasprintf("%s %s", type,
                              netdev_vport_get_dpif_port(port->netdev, namebuf,
                                                         sizeof namebuf));
        struct shash_node *node = shash_find(&c->bridges, key);

        if (!node) {
            shash_add(&c->bridges, key, xstrdup(name));
        } else if (strcmp(node->data, name)) {
            /* Tunnels of several bridges share a port. */
            char *both = xasprintf("%s,%s", (char *) node->data, name);

            free(node->data);
            node->data = both;
        }
        free(key);
    }
}

static void
collect_bridges(struct collection *c, const char *type)
{
    struct sset names = SSET_INITIALIZER(&names);
    const char *name;

    ofproto_enumerate_names(type, &names);
    SSET_FOR_EACH (name, &names) {
        struct ofproto_dpif *ofproto = ofproto_dpif_lookup_by_name(name);

        if (ofproto) {
            add_bridge(c, type, &ofproto->up, name);
        }
    }
    sset_destroy(&names);
}

/* What a port is. */

static const char *const flavour_names[] = {
    [NIC_PORT_NONE] = "plain",
    [NIC_PORT_UPLINK] = "uplink",
    [NIC_PORT_PF] = "PF representor",
    [NIC_PORT_VF] = "VF representor",
    [NIC_PORT_SF] = "SF representor",
    [NIC_PORT_OTHER] = "eswitch port",
};

/* The kind of a port, by what Open vSwitch and the kernel say of it. */
static void
put_kind(struct json *row, enum offload_port_kind kind,
         const struct nic_port *nic)
{
    if (offload_port_kind_is_tunnel(kind)) {
        report_put_string(row, "kind", "tunnel");
        report_put_string(row, "tunnel", offload_port_kind_name(kind));
    } else if (kind == OFFLOAD_PORT_INTERNAL) {
        report_put_string(row, "kind", "internal");
    } else {
        report_put_string(row, "kind",
                          flavour_names[nic ? nic->flavour : NIC_PORT_NONE]);
    }
}

/* A number that an eswitch's port may have. */
static void
put_number(struct json *row, const char *key, int64_t number)
{
    if (number >= 0) {
        report_put_uint(row, key, number);
    }
}

static void
put_nic(struct json *row, const struct nic_ports *nics,
        const struct nic_port *nic)
{
    const struct nic_port *master = nic_ports_find(nics, nic->master);

    if (nic->flavour != NIC_PORT_NONE) {
        report_put_string(row, "eswitch", nic->switch_id);
        report_put_string(row, "said_by", nic->source);
    }
    if (nic->port_name[0]) {
        report_put_string(row, "phys_port_name", nic->port_name);
    }
    if (nic->device[0]) {
        report_put_string(row, "devlink", nic->device);
    }
    put_number(row, "physical_port", nic->number);
    put_number(row, "controller", nic->controller);
    put_number(row, "pf", nic->pf);
    put_number(row, "vf", nic->vf);
    put_number(row, "sf", nic->sf);
    if (master && !strcmp(master->link_kind, "bond")) {
        report_put_string(row, "bond", master->name);
    }
}

/* Offload. */

static void
put_answer(struct json *row, const char *offload, const char *reason)
{
    report_put_string(row, "offload", offload);
    report_put_string(row, "reason", reason);
}

/* Flows of the port become rules of TC: does a NIC take them? */
static void
put_tc_hardware(struct json *row, const struct nic_port *nic)
{
    bool on;
    int error;

    if (!nic || nic->flavour == NIC_PORT_NONE) {
        put_answer(row, "software",
                   "rules stay in the kernel's TC: no eswitch's port");
        return;
    }
    error = nic_port_tc_offload(nic->name, &on);
    if (error == EOPNOTSUPP) {
        put_answer(row, "software",
                   "rules stay in the kernel's TC: the driver doesn't offload "
                   "TC");
    } else if (error) {
        put_answer(row, NULL, ovs_strerror(error));
    } else if (!on) {
        put_answer(row, "software", "hw-tc-offload is off: ethtool -K DEVICE "
                   "hw-tc-offload on");
    } else {
        put_answer(row, "hardware", "rules go to the NIC");
    }
}

static void
add_members(struct json *array, const struct nic_ports *nics, int bond)
{
    const struct nic_port *nic;

    HMAP_FOR_EACH (nic, node, &nics->ports) {
        if (nic->master == bond) {
            struct json *member = json_object_create();

            report_put_string(member, "port", nic->name);
            if (nic->flavour != NIC_PORT_NONE) {
                report_put_string(member, "eswitch", nic->switch_id);
            }
            put_tc_hardware(member, nic);
            json_array_add(array, member);
        }
    }
}

struct json *
port_report_one(const struct offload_port *port)
{
    const struct nic_port *nic;
    struct json *row = NULL;
    struct nic_ports nics;

    nic_ports_read(&nics);
    nic = nic_ports_find(&nics, port->ifindex);
    if (nic) {
        row = json_object_create();
        put_tc_hardware(row, nic);
        if (!strcmp(nic->link_kind, "bond")) {
            struct json *members = json_array_create_empty();

            add_members(members, &nics, nic->ifindex);
            json_object_put(row, "members", members);
        }
    }
    nic_ports_destroy(&nics);
    return row;
}

static void
put_offload(struct json *row, const struct offload_port *port,
            const char *refusal, const struct nic_port *nic)
{
    if (port && port->backend) {
        report_put_string(row, "backend", port->backend->name);
        if (port->datapath == OFFLOAD_DP_SYSTEM) {
            put_tc_hardware(row, nic);
        } else if (port->match_only) {
            put_answer(row, "marks", "the device takes no transfer rules: it "
                       "marks packets for software");
        } else {
            put_answer(row, "hardware", "rules go to the NIC");
        }
        return;
    }
    report_put_string(row, "backend", "none");
    put_answer(row, "no", refusal ? refusal
               : netdev_is_flow_api_enabled() ? "no backend took it"
               : "other_config:hw-offload isn't true");
}

/* Rows. */

static struct json *
new_row(struct collection *c, const char *name, const char *datapath)
{
    struct json *row = json_object_create();

    report_put_string(row, "port", name);
    if (datapath) {
        char *key = xasprintf("%s %s", datapath, name);

        report_put_string(row, "datapath", datapath);
        report_put_string(row, "bridge", shash_find_data(&c->bridges, key));
        free(key);
    } else {
        report_put_string(row, "bridge", "none");
    }
    json_array_add(c->rows, row);
    return row;
}

/* The ports of one kind of devices, the kernel's or DPDK's. */
struct devices {
    struct collection *collection;
    const struct nic_ports *nics;
    struct simap plugged;       /* Numbers of those in a datapath, as text. */
    const char *how;            /* To make the others ports of a bridge. */
};

static void
note_plugged(struct devices *devices, int number)
{
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    simap_put(&devices->plugged, text, 1);
}

/* An eswitch's ports that are in no datapath. */
static void
collect_unplugged(struct devices *devices)
{
    const struct nic_port *nic;

    HMAP_FOR_EACH (nic, node, &devices->nics->ports) {
        char number[16];
        struct json *row;

        snprintf(number, sizeof number, "%d", nic->ifindex);
        if (nic->flavour == NIC_PORT_NONE
            || simap_contains(&devices->plugged, number)) {
            continue;
        }
        row = new_row(devices->collection, nic->name, NULL);
        put_kind(row, OFFLOAD_PORT_PLAIN, nic);
        put_nic(row, devices->nics, nic);
        report_put_string(row, "backend", "none");
        put_answer(row, "no", devices->how);
    }
}

/* A port of the kernel datapath. */
static void
collect_known_port(const struct ports_entry *entry, void *devices_)
{
    struct devices *devices = devices_;
    const struct nic_port *nic = nic_ports_find(devices->nics, entry->ifindex);
    struct json *row = new_row(devices->collection, entry->name, "system");

    note_plugged(devices, entry->ifindex);

    report_put_uint(row, "number", odp_to_u32(entry->odp_port));
    put_kind(row, entry->kind, nic);
    if (nic) {
        put_nic(row, devices->nics, nic);
    }
    put_offload(row, offload_port_lookup(entry->odp_port), entry->refusal,
                nic);
}

#ifdef DPDK_NETDEV
/* A port of the userspace datapath. */
static void
collect_netdev_port(struct offload_port *port, void *devices_)
{
    struct devices *devices = devices_;
    const struct nic_port *nic;
    struct json *row;

    if (port->datapath != OFFLOAD_DP_NETDEV) {
        return;
    }
    row = new_row(devices->collection, port->name, "netdev");
    nic = (port->dpdk_id == OFFLOAD_NO_DPDK ? NULL
           : nic_ports_find(devices->nics, port->dpdk_id));
    report_put_uint(row, "number", odp_to_u32(port->odp_port));
    put_kind(row, port->kind, nic);
    if (nic) {
        note_plugged(devices, port->dpdk_id);
        put_nic(row, devices->nics, nic);
    }
    put_offload(row, port, nic ? NULL : "not a device of DPDK", nic);
}

static void
collect_dpdk(struct collection *c)
{
    struct nic_ports nics;
    struct devices devices = {
        .collection = c, .nics = &nics,
        .plugged = SIMAP_INITIALIZER(&devices.plugged),
        .how = "not a port of a bridge: ovs-vsctl add-port, with type=dpdk",
    };

    dpdk_nic_ports_read(&nics);
    offload_port_for_each(collect_netdev_port, &devices);
    collect_unplugged(&devices);
    nic_ports_destroy(&nics);
    simap_destroy(&devices.plugged);
}
#endif

/* Returns 0 or a positive errno. */
static int
collect_kernel(struct collection *c)
{
    struct nic_ports nics;
    struct devices devices = {
        .collection = c, .nics = &nics,
        .plugged = SIMAP_INITIALIZER(&devices.plugged),
        .how = "not a port of a bridge: ovs-vsctl add-port",
    };
    int error = nic_ports_read(&nics);

    ports_for_each(collect_known_port, &devices);
    collect_unplugged(&devices);
    nic_ports_destroy(&nics);
    simap_destroy(&devices.plugged);
    return error;
}

static const char *
row_string(const struct json *row, const char *key)
{
    const struct json *value = shash_find_data(row->object, key);

    return value && value->type == JSON_STRING ? value->string : "";
}

/* By eswitch and name; what has none comes last. */
static int
compare_rows(const void *a_, const void *b_)
{
    const struct json *const *a = a_;
    const struct json *const *b = b_;
    const char *x = row_string(*a, "eswitch");
    const char *y = row_string(*b, "eswitch");

    if (strcmp(x, y)) {
        return !*x ? 1 : !*y ? -1 : strcmp(x, y);
    }
    return strcmp(row_string(*a, "port"), row_string(*b, "port"));
}

static const struct report_column columns[] = {
    { "port", "PORT", REPORT_LEFT },
    { "bridge", "BRIDGE", REPORT_LEFT },
    { "kind", "KIND", REPORT_LEFT },
    { "pf", "PF", REPORT_RIGHT },
    { "vf", "VF", REPORT_RIGHT },
    { "sf", "SF", REPORT_RIGHT },
    { "eswitch", "ESWITCH", REPORT_LEFT },
    { "bond", "BOND", REPORT_LEFT },
    { "backend", "BACKEND", REPORT_LEFT },
    { "offload", "OFFLOAD", REPORT_LEFT },
};

/* The table, without columns in which there is nothing. */
static void
print_table(struct report *r, const struct json *rows)
{
    struct report_column used[ARRAY_SIZE(columns)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        for (size_t j = 0; j < rows->array.n; j++) {
            if (shash_find(rows->array.elems[j]->object, columns[i].key)) {
                used[n++] = columns[i];
                break;
            }
        }
    }
    if (n) {
        report_table(r, rows, used, n);
    }
}

/* Ports that are named for one reason. */
#define MAX_NAMES 8

static void
print_reason(struct report *r, const char *reason, const struct sset *ports)
{
    const char **names = sset_sort(ports);
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n = sset_count(ports);

    for (size_t i = 0; i < MIN(n, MAX_NAMES); i++) {
        ds_put_format(&s, "%s%s", i ? ", " : "", names[i]);
    }
    if (n > MAX_NAMES) {
        ds_put_format(&s, " and %"PRIuSIZE" more", n - MAX_NAMES);
    }
    ds_put_format(&s, ": %s", reason);
    report_prose(r, 4, ds_cstr(&s));
    ds_destroy(&s);
    free(names);
}

/* Each reason once, with the ports that it concerns: it is a sentence, and
 * wouldn't fit into the table. */
static void
print_reasons(struct report *r, const struct json *rows)
{
    struct shash names = SHASH_INITIALIZER(&names);     /* By reason. */
    const struct shash_node **nodes;

    for (size_t i = 0; i < rows->array.n; i++) {
        const struct json *row = rows->array.elems[i];
        char *reason = xasprintf("%s, %s", row_string(row, "offload"),
                                 row_string(row, "reason"));
        struct sset *ports = shash_find_data(&names, reason);

        if (!ports) {
            ports = xmalloc(sizeof *ports);
            sset_init(ports);
            shash_add(&names, reason, ports);
        }
        sset_add(ports, row_string(row, "port"));
        free(reason);
    }
    nodes = shash_sort(&names);
    for (size_t i = 0; i < shash_count(&names); i++) {
        struct sset *ports = nodes[i]->data;

        print_reason(r, nodes[i]->name, ports);
        sset_destroy(ports);
        free(ports);
    }
    free(nodes);
    shash_destroy(&names);
}

void
port_report(struct report *r, int argc OVS_UNUSED,
            const char *argv[] OVS_UNUSED)
{
    struct collection c = {
        .rows = json_array_create_empty(),
        .bridges = SHASH_INITIALIZER(&c.bridges),
    };
    int error;

    collect_bridges(&c, "system");
    collect_bridges(&c, "netdev");
    error = collect_kernel(&c);
#ifdef DPDK_NETDEV
    collect_dpdk(&c);
#endif
    if (c.rows->array.n) {
        qsort(c.rows->array.elems, c.rows->array.n,
              sizeof *c.rows->array.elems, compare_rows);
    }
    json_object_put(r->root, "ports", c.rows);
    if (error) {
        report_put_format(r->root, "error",
                          "not all of the kernel's ports could be read: %s",
                          ovs_strerror(error));
        report_line(r, "%s", row_string(r->root, "error"));
    }
    if (!r->json) {
        print_table(r, c.rows);
        print_reasons(r, c.rows);
    }

    shash_destroy_free_data(&c.bridges);
}
