/* SPDX-License-Identifier: Apache-2.0 */

/* Looking into the hardware, and playing with it, from outside of the process:
 * commands of DPDK's telemetry socket (dpdk-telemetry.py).  They show what the
 * eswitch does whoever told it to. */

#include "eswim/dpdk-nic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

/* Of what DPDK can send in one answer. */
#define PAGE_BYTES 12000
#define PAGE_RULES 16

/* A command under way, "COMMAND,NIC[,PORT][,REST]".  The NICs are locked. */
struct request {
    struct eswim_nic *nic;
    struct eswim_port *port;    /* If the command is about one. */
    const char *rest;           /* "" if there is none. */
    struct rte_tel_data *reply;
};

static void answer(struct request *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The answer is a string. */
static void
answer(struct request *request, const char *format, ...)
{
    char text[ESWIM_MESSAGE_LEN + 8];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rte_tel_data_string(request->reply, text);
}

/* Takes the first of the request's parameters, which becomes "" if it doesn't
 * fit into 'size' bytes. */
static void
take_parameter(struct request *request, char parameter[], size_t size)
{
    size_t n = strcspn(request->rest, ",");

    snprintf(parameter, size, "%.*s", n < size ? (int) n : 0, request->rest);
    request->rest += n;
    request->rest += *request->rest == ',';
}

/* What the parameters of a command begin with. */
enum subject {
    ABOUT_ALL,
    ABOUT_NIC,
    ABOUT_PORT,
    ABOUT_GENERATOR,            /* A port that has one. */
};

/* Finds what 'request', with all its parameters in 'rest', is about.  Returns
 * false, with an answer, if there is no such thing. */
static bool
find_subject(struct request *request, enum subject subject)
{
    char name[RTE_ETH_NAME_MAX_LEN], number[8], *end;
    unsigned long i;

    if (subject == ABOUT_ALL) {
        return true;
    }
    take_parameter(request, name, sizeof name);
    request->nic = eswim_nic_find(name);
    if (!request->nic) {
        answer(request, "error: the first parameter isn't a NIC's name; "
               "/eswim/list lists them");
        return false;
    }
    if (subject == ABOUT_NIC) {
        return true;
    }
    take_parameter(request, number, sizeof number);
    i = strtoul(number, &end, 10);
    if (!number[0] || *end || i >= request->nic->n_ports) {
        answer(request, "error: no port of that number");
        return false;
    }
    request->port = &request->nic->ports[i];
    if (subject == ABOUT_GENERATOR && !request->port->generator) {
        answer(request, "error: the NIC wasn't made with guest=generator");
        return false;
    }
    return true;
}

static void
list_nics(struct request *request)
{
    struct eswim_nic *nic;

    rte_tel_data_start_array(request->reply, RTE_TEL_STRING_VAL);
    for (nic = eswim_nic_first(); nic; nic = TAILQ_NEXT(nic, link)) {
        rte_tel_data_add_array_string(request->reply, nic->name);
    }
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
    rte_tel_data_add_dict_string(d, "ethdev",
                                 atomic_load(&port->port_id) < 0
                                 ? "" : port->dev_name);
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

static void
list_ports(struct request *request)
{
    rte_tel_data_start_dict(request->reply);
    for (unsigned int i = 0; i < request->nic->n_ports; i++) {
        add_numbered(request->reply, i,
                     describe_port(&request->nic->ports[i]));
    }
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

static void
list_rules(struct request *request)
{
    struct rule_page page = {
        .reply = request->reply,
        .first_id = strtoull(request->rest, NULL, 10),
    };

    rte_tel_data_start_dict(request->reply);
    eswitch_list(request->nic->eswitch, add_rule, &page);
}

/* Settings and faults. */

static void
show_config(struct request *request)
{
    struct rte_tel_data *reply = request->reply;
    struct eswim_config config;

    pthread_mutex_lock(&request->nic->config_mutex);
    config = request->nic->config;
    pthread_mutex_unlock(&request->nic->config_mutex);

    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "vfs", config.vfs);
    rte_tel_data_add_dict_u64(reply, "capacity", config.capacity);
    /* Telemetry takes no names with a hyphen. */
    rte_tel_data_add_dict_u64(reply, "insert_latency", config.insert_latency);
    rte_tel_data_add_dict_u64(reply, "counter_refresh",
                              config.counter_refresh);
    rte_tel_data_add_dict_u64(reply, "rules",
                              eswitch_n_rules(request->nic->eswitch));
}

static void
set_config(struct request *request)
{
    const char *equals = strchr(request->rest, '=');
    char message[ESWIM_MESSAGE_LEN], key[32];

    if (!equals || equals - request->rest >= (ptrdiff_t) sizeof key) {
        answer(request, "error: the parameters are NIC,KEY=VALUE");
        return;
    }
    snprintf(key, sizeof key, "%.*s", (int) (equals - request->rest),
             request->rest);
    if (eswim_nic_set(request->nic, key, equals + 1, message)) {
        answer(request, "ok");
    } else {
        answer(request, "error: %s", message);
    }
}

static void
reset_nic(struct request *request)
{
    eswitch_reset(request->nic->eswitch);
    answer(request, "ok");
}

static void
pull_nic_out(struct request *request)
{
    eswim_nic_pull_out(request->nic);
    answer(request, "ok");
}

static void
plug(struct request *request)
{
    int error = eswim_hardware_plug(request->port);

    if (error) {
        answer(request, "error: %s: %s", request->port->guest_name,
               strerror(error));
    } else {
        answer(request, "ok");
    }
}

static void
unplug(struct request *request)
{
    eswim_hardware_unplug(request->port);
    answer(request, "ok");
}

/* Generators. */

static void
generate(struct request *request)
{
    char message[ESWIM_MESSAGE_LEN];

    if (eswim_hardware_generate(request->port, request->rest, message)) {
        answer(request, "ok");
    } else {
        answer(request, "error: %s", message);
    }
}

static void
show_generator(struct request *request)
{
    struct rte_tel_data *reply = request->reply;
    struct eswim_generator_report report;

    pthread_mutex_lock(&request->nic->io_mutex);
    eswim_generator_report(request->port->generator, &report);
    pthread_mutex_unlock(&request->nic->io_mutex);

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
}

static void
show_latency(struct request *request)
{
    struct rte_tel_data *reply = request->reply;
    struct eswim_generator_latency latency;

    if (eswim_hardware_latency(request->port, &latency)) {
        answer(request, "error: no memory");
        return;
    }
    rte_tel_data_start_dict(reply);
    rte_tel_data_add_dict_u64(reply, "with_rule", latency.with_rule);
    rte_tel_data_add_dict_u64(reply, "without_rule", latency.without_rule);
    rte_tel_data_add_dict_u64(reply, "earlier", latency.earlier);
    rte_tel_data_add_dict_u64(reply, "p50_us", latency.p50);
    rte_tel_data_add_dict_u64(reply, "p90_us", latency.p90);
    rte_tel_data_add_dict_u64(reply, "p99_us", latency.p99);
    rte_tel_data_add_dict_u64(reply, "max_us", latency.max);
}

/* What there is. */

static const struct command {
    const char *name;
    enum subject subject;
    bool more;                  /* It takes more parameters. */
    void (*run)(struct request *);
    const char *help;
} commands[] = {
    { "/eswim/list", ABOUT_ALL, false, list_nics, "Lists the NICs." },
    { "/eswim/ports", ABOUT_NIC, false, list_ports,
      "Ports and what passed them. Parameters: NIC" },
    { "/eswim/rules", ABOUT_NIC, true, list_rules, "Rules in hardware, a page "
      "of them, their true counters. Parameters: NIC[,FIRST_ID]" },
    { "/eswim/config", ABOUT_NIC, false, show_config,
      "Settings. Parameters: NIC" },
    { "/eswim/set", ABOUT_NIC, true, set_config,
      "Changes a setting. Parameters: NIC,KEY=VALUE" },
    { "/eswim/reset", ABOUT_NIC, false, reset_nic,
      "Firmware reset: all rules are gone. Parameters: NIC" },
    { "/eswim/remove", ABOUT_NIC, false, pull_nic_out,
      "Pulls the NIC out of its slot. Parameters: NIC" },
    { "/eswim/plug", ABOUT_PORT, false, plug,
      "Makes a port's far end anew. Parameters: NIC,PORT" },
    { "/eswim/unplug", ABOUT_PORT, false, unplug,
      "Takes a port's far end away. Parameters: NIC,PORT" },
    { "/eswim/generate", ABOUT_GENERATOR, true, generate, "Starts or stops a "
      "port's generator. Parameters: NIC,PORT,stop or NIC,PORT,KEY=VALUE[,...]"
    },
    { "/eswim/generator", ABOUT_GENERATOR, false, show_generator,
      "What a port's generator does. Parameters: NIC,PORT" },
    { "/eswim/latency", ABOUT_GENERATOR, false, show_latency, "How long the "
      "generator's flows have waited for a rule. Parameters: NIC,PORT" },
};

static int
handle(const char *name, const char *params, struct rte_tel_data *reply)
{
    struct request request = { .rest = params ? params : "", .reply = reply };
    const struct command *c = commands;

    while (strcmp(c->name, name)) {
        c++;                    /* No others are registered. */
    }
    eswim_nics_lock();
    if (find_subject(&request, c->subject)) {
        if (*request.rest && !c->more) {
            answer(&request, "error: too many parameters");
        } else {
            c->run(&request);
        }
    }
    eswim_nics_unlock();
    return 0;
}

RTE_INIT(eswim_telemetry_init)
{
    for (size_t i = 0; i < RTE_DIM(commands); i++) {
        rte_telemetry_register_cmd(commands[i].name, handle,
                                   commands[i].help);
    }
}
