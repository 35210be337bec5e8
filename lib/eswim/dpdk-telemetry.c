/* SPDX-License-Identifier: Apache-2.0 */

/* Looking into the hardware, and playing with it, from outside of the process:
 * commands of DPDK's telemetry socket (dpdk-telemetry.py).  They show what the
 * eswitch does whoever told it to. */

#include "eswim/dpdk-nic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

/* Of what DPDK can send in one answer. */
#define PAGE_BYTES 12000
#define PAGE_RULES 16

/* A command's parameters, "NIC[,REST]". */
struct request {
    struct eswim_nic *nic;
    const char *rest;           /* "" if there is none. */
    struct rte_tel_data *reply;
};

/* Splits 'params' and locks the NICs.  Returns false, with nothing locked and
 * an answer in 'reply', if it names no NIC. */
static bool
request_begin(struct request *request, const char *params,
              struct rte_tel_data *reply)
{
    const char *comma = params ? strchr(params, ',') : NULL;
    char name[RTE_ETH_NAME_MAX_LEN] = "";

    if (params) {
        size_t n = comma ? (size_t) (comma - params) : strlen(params);

        memcpy(name, params, RTE_MIN(n, sizeof name - 1));
    }
    request->rest = comma ? comma + 1 : "";
    request->reply = reply;
    eswim_nics_lock();
    request->nic = eswim_nic_find(name);
    if (!request->nic) {
        eswim_nics_unlock();
        rte_tel_data_string(reply, "error: the first parameter isn't a NIC's "
                            "name; /eswim/list lists them");
        return false;
    }
    return true;
}

static int
request_end(struct request *request, const char *answer)
{
    eswim_nics_unlock();
    if (answer) {
        rte_tel_data_string(request->reply, answer);
    }
    return 0;
}

static int
list_nics(const char *cmd __rte_unused, const char *params __rte_unused,
          struct rte_tel_data *reply)
{
    struct eswim_nic *nic;

    rte_tel_data_start_array(reply, RTE_TEL_STRING_VAL);
    eswim_nics_lock();
    for (nic = eswim_nic_first(); nic; nic = TAILQ_NEXT(nic, link)) {
        rte_tel_data_add_array_string(reply, nic->name);
    }
    eswim_nics_unlock();
    return 0;
}

/* Telemetry has no arrays of dictionaries: a dictionary by numbers it is.
 * 'd' may be null. */
static void
add_numbered(struct rte_tel_data *reply, uint64_t number,
             struct rte_tel_data *d)
{
    char name[24];

    snprintf(name, sizeof name, "%"PRIu64, number);
    if (d && rte_tel_data_add_dict_container(reply, name, d, 0)) {
        rte_tel_data_free(d);
    }
}

/* Ports. */

static struct rte_tel_data *
describe_port(const struct eswim_port *port)
{
    struct rte_tel_data *d = rte_tel_data_alloc();
    struct eswitch_port_stats stats;

    if (!d || eswitch_port_stats(port->nic->eswitch, port->index, &stats)) {
        rte_tel_data_free(d);
        return NULL;
    }
    rte_tel_data_start_dict(d);
    rte_tel_data_add_dict_string(d, "ethdev", port->dev
                                 ? port->dev->data->name : "");
    rte_tel_data_add_dict_string(d, "end", port->guest_name);
    rte_tel_data_add_dict_int(d, "plugged", atomic_load(&port->plugged));
    rte_tel_data_add_dict_int(d, "started", atomic_load(&port->started));
    rte_tel_data_add_dict_u64(d, "end_rx", stats.end_rx.packets);
    rte_tel_data_add_dict_u64(d, "end_tx", stats.end_tx.packets);
    rte_tel_data_add_dict_u64(d, "end_dropped", stats.end_dropped);
    rte_tel_data_add_dict_u64(d, "missed", stats.missed.packets);
    rte_tel_data_add_dict_u64(d, "up", stats.up.packets);
    rte_tel_data_add_dict_u64(d, "up_dropped", stats.up_dropped);
    rte_tel_data_add_dict_u64(d, "down", stats.down.packets);
    rte_tel_data_add_dict_u64(d, "dropped_by_rule", stats.ruled_out);
    return d;
}

static int
list_ports(const char *cmd __rte_unused, const char *params,
           struct rte_tel_data *reply)
{
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    rte_tel_data_start_dict(reply);
    for (unsigned int i = 0; i < request.nic->n_ports; i++) {
        add_numbered(reply, i, describe_port(&request.nic->ports[i]));
    }
    return request_end(&request, NULL);
}

/* Rules. */

struct rule_page {
    struct rte_tel_data *reply;
    uint64_t first_id;
    size_t n_bytes, n_rules;
    bool full;
};

/* Telemetry has no long strings: to be joined by spaces. */
static struct rte_tel_data *
split_text(const char *text)
{
    struct rte_tel_data *d = rte_tel_data_alloc();

    if (!d) {
        return NULL;
    }
    rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
    while (*text) {
        char part[RTE_TEL_MAX_STRING_LEN];
        size_t n = strlen(text);

        if (n >= sizeof part) {
            n = sizeof part - 1;
            while (n && text[n] != ' ') {
                n--;
            }
            n = n ? n : sizeof part - 1;
        }
        snprintf(part, sizeof part, "%.*s", (int) n, text);
        rte_tel_data_add_array_string(d, part);
        text += n;
        text += *text == ' ';
    }
    return d;
}

static void
add_text(struct rte_tel_data *d, const char *name, const char *text)
{
    struct rte_tel_data *parts = split_text(text);

    if (parts && rte_tel_data_add_dict_container(d, name, parts, 0)) {
        rte_tel_data_free(parts);
    }
}

static struct rte_tel_data *
describe_rule(const struct eswitch_rule_info *info)
{
    struct rte_tel_data *d = rte_tel_data_alloc();

    if (!d) {
        return NULL;
    }
    rte_tel_data_start_dict(d);
    rte_tel_data_add_dict_u64(d, "port", info->port);
    rte_tel_data_add_dict_string(d, "kind",
                                 info->transfer ? "transfer" : "ingress");
    rte_tel_data_add_dict_u64(d, "group", info->group);
    rte_tel_data_add_dict_u64(d, "priority", info->priority);
    if (info->has_count) {
        rte_tel_data_add_dict_u64(d, "packets", info->live.packets);
        rte_tel_data_add_dict_u64(d, "bytes", info->live.bytes);
    }
    add_text(d, "match", info->match);
    add_text(d, "actions", info->actions);
    return d;
}

static void
add_rule(const struct eswitch_rule_info *info, void *page_)
{
    struct rule_page *page = page_;

    if (info->id < page->first_id || page->full) {
        return;
    }
    page->n_bytes += strlen(info->match) + strlen(info->actions) + 200;
    if (page->n_rules
        && (page->n_bytes > PAGE_BYTES || page->n_rules >= PAGE_RULES)) {
        page->full = true;
        return;
    }
    add_numbered(page->reply, info->id, describe_rule(info));
    page->n_rules++;
}

static int
list_rules(const char *cmd __rte_unused, const char *params,
           struct rte_tel_data *reply)
{
    struct rule_page page = { .reply = reply };
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    page.first_id = strtoull(request.rest, NULL, 10);
    rte_tel_data_start_dict(reply);
    eswitch_list(request.nic->eswitch, add_rule, &page);
    return request_end(&request, NULL);
}

/* Settings and faults. */

static int
show_config(const char *cmd __rte_unused, const char *params,
            struct rte_tel_data *reply)
{
    struct eswim_config config;
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    pthread_mutex_lock(&request.nic->config_mutex);
    config = request.nic->config;
    pthread_mutex_unlock(&request.nic->config_mutex);

    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "vfs", config.vfs);
    rte_tel_data_add_dict_u64(reply, "capacity", config.capacity);
    /* Telemetry takes no names with a hyphen. */
    rte_tel_data_add_dict_u64(reply, "insert_latency", config.insert_latency);
    rte_tel_data_add_dict_u64(reply, "counter_refresh",
                              config.counter_refresh);
    rte_tel_data_add_dict_u64(reply, "rules",
                              eswitch_n_rules(request.nic->eswitch));
    return request_end(&request, NULL);
}

static int
set_config(const char *cmd __rte_unused, const char *params,
           struct rte_tel_data *reply)
{
    char message[ESWIM_MESSAGE_LEN], answer[ESWIM_MESSAGE_LEN + 8], key[32];
    struct request request;
    const char *equals;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    equals = strchr(request.rest, '=');
    if (!equals || equals - request.rest >= (ptrdiff_t) sizeof key) {
        return request_end(&request,
                           "error: the parameters are NIC,KEY=VALUE");
    }
    snprintf(key, sizeof key, "%.*s", (int) (equals - request.rest),
             request.rest);
    if (eswim_nic_set(request.nic, key, equals + 1, message)) {
        return request_end(&request, "ok");
    }
    snprintf(answer, sizeof answer, "error: %s", message);
    return request_end(&request, answer);
}

static int
reset_nic(const char *cmd __rte_unused, const char *params,
          struct rte_tel_data *reply)
{
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    eswitch_reset(request.nic->eswitch);
    return request_end(&request, "ok");
}

static int
pull_nic_out(const char *cmd __rte_unused, const char *params,
             struct rte_tel_data *reply)
{
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    eswim_nic_pull_out(request.nic);
    return request_end(&request, "ok");
}

static struct eswim_port *
find_port(const struct request *request)
{
    unsigned long i;
    char *end;

    i = strtoul(request->rest, &end, 10);
    return request->rest[0] && !*end && i < request->nic->n_ports
           ? &request->nic->ports[i] : NULL;
}

static int
plug(const char *cmd __rte_unused, const char *params,
     struct rte_tel_data *reply)
{
    char answer[ESWIM_MESSAGE_LEN];
    struct eswim_port *port;
    struct request request;
    int error;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    port = find_port(&request);
    if (!port) {
        return request_end(&request, "error: no port of that number");
    }
    error = eswim_hardware_plug(port);
    snprintf(answer, sizeof answer, "error: %s: %s", port->guest_name,
             strerror(error));
    return request_end(&request, error ? answer : "ok");
}

static int
unplug(const char *cmd __rte_unused, const char *params,
       struct rte_tel_data *reply)
{
    struct eswim_port *port;
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    port = find_port(&request);
    if (!port) {
        return request_end(&request, "error: no port of that number");
    }
    eswim_hardware_unplug(port);
    return request_end(&request, "ok");
}

/* Generators. */

/* The port of a request, whose parameters go on behind a comma: they become
 * its 'rest'.  Returns NULL, with an answer, if it has no generator. */
static struct eswim_port *
find_generator(struct request *request)
{
    const char *comma = strchr(request->rest, ',');
    size_t n = comma ? (size_t) (comma - request->rest)
                     : strlen(request->rest);
    struct eswim_port *port = NULL;
    char number[8];

    if (n < sizeof number) {
        struct request just_port = *request;

        snprintf(number, sizeof number, "%.*s", (int) n, request->rest);
        just_port.rest = number;
        port = find_port(&just_port);
    }
    request->rest = comma ? comma + 1 : "";
    if (!port || !port->generator) {
        rte_tel_data_string(request->reply, port
                            ? "error: the NIC wasn't made with "
                              "guest=generator"
                            : "error: no port of that number");
        return NULL;
    }
    return port;
}

static int
generate(const char *cmd __rte_unused, const char *params,
         struct rte_tel_data *reply)
{
    char message[ESWIM_MESSAGE_LEN], answer[ESWIM_MESSAGE_LEN + 8];
    struct eswim_port *port;
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    port = find_generator(&request);
    if (!port) {
        return request_end(&request, NULL);
    } else if (eswim_hardware_generate(port, request.rest, message)) {
        return request_end(&request, "ok");
    }
    snprintf(answer, sizeof answer, "error: %s", message);
    return request_end(&request, answer);
}

static int
show_generator(const char *cmd __rte_unused, const char *params,
               struct rte_tel_data *reply)
{
    struct eswim_generator_report report;
    struct eswim_port *port;
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    port = find_generator(&request);
    if (!port) {
        return request_end(&request, NULL);
    }
    pthread_mutex_lock(&request.nic->io_mutex);
    eswim_generator_report(port->generator, &report);
    pthread_mutex_unlock(&request.nic->io_mutex);

    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_int(reply, "running", report.running);
    rte_tel_data_add_dict_u64(reply, "flows", report.flows);
    rte_tel_data_add_dict_u64(reply, "rate", report.rate);
    rte_tel_data_add_dict_u64(reply, "size", report.size);
    rte_tel_data_add_dict_u64(reply, "count", report.count);
    rte_tel_data_add_dict_u64(reply, "run", report.run);
    rte_tel_data_add_dict_u64(reply, "run_us", report.run_us);
    rte_tel_data_add_dict_u64(reply, "sent", report.sent);
    rte_tel_data_add_dict_u64(reply, "sent_bytes", report.sent_bytes);
    rte_tel_data_add_dict_u64(reply, "got", report.got);
    rte_tel_data_add_dict_u64(reply, "got_bytes", report.got_bytes);
    rte_tel_data_add_dict_u64(reply, "got_other", report.got_other);
    rte_tel_data_add_dict_u64(reply, "forgiven", report.forgiven);
    return request_end(&request, NULL);
}

static int
show_latency(const char *cmd __rte_unused, const char *params,
             struct rte_tel_data *reply)
{
    struct eswim_generator_latency latency;
    struct eswim_port *port;
    struct request request;

    if (!request_begin(&request, params, reply)) {
        return 0;
    }
    port = find_generator(&request);
    if (!port) {
        return request_end(&request, NULL);
    } else if (eswim_hardware_latency(port, &latency)) {
        return request_end(&request, "error: no memory");
    }
    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "with_rule", latency.with_rule);
    rte_tel_data_add_dict_u64(reply, "without_rule", latency.without_rule);
    rte_tel_data_add_dict_u64(reply, "earlier", latency.earlier);
    rte_tel_data_add_dict_u64(reply, "p50_us", latency.p50);
    rte_tel_data_add_dict_u64(reply, "p90_us", latency.p90);
    rte_tel_data_add_dict_u64(reply, "p99_us", latency.p99);
    rte_tel_data_add_dict_u64(reply, "max_us", latency.max);
    return request_end(&request, NULL);
}

RTE_INIT(eswim_telemetry_init)
{
    static const struct {
        const char *command;
        telemetry_cb handler;
        const char *help;
    } commands[] = {
        { "/eswim/list", list_nics, "Lists the NICs." },
        { "/eswim/ports", list_ports,
          "Ports and what passed them. Parameters: NIC" },
        { "/eswim/rules", list_rules, "Rules in hardware, a page of them, "
          "their true counters. Parameters: NIC[,FIRST_ID]" },
        { "/eswim/config", show_config, "Settings. Parameters: NIC" },
        { "/eswim/set", set_config,
          "Changes a setting. Parameters: NIC,KEY=VALUE" },
        { "/eswim/reset", reset_nic,
          "Firmware reset: all rules are gone. Parameters: NIC" },
        { "/eswim/remove", pull_nic_out,
          "Pulls the NIC out of its slot. Parameters: NIC" },
        { "/eswim/plug", plug,
          "Makes a port's far end anew. Parameters: NIC,PORT" },
        { "/eswim/unplug", unplug,
          "Takes a port's far end away. Parameters: NIC,PORT" },
        { "/eswim/generate", generate, "Starts or stops a port's generator. "
          "Parameters: NIC,PORT,stop or NIC,PORT,KEY=VALUE[,...]" },
        { "/eswim/generator", show_generator,
          "What a port's generator does. Parameters: NIC,PORT" },
        { "/eswim/latency", show_latency, "How long the generator's flows "
          "have waited for a rule. Parameters: NIC,PORT" },
    };

    for (size_t i = 0; i < RTE_DIM(commands); i++) {
        rte_telemetry_register_cmd(commands[i].command, commands[i].handler,
                                   commands[i].help);
    }
}
