/* SPDX-License-Identifier: Apache-2.0 */

/* An eswitch that obeys commands from standard input, one a line, and answers
 * on standard output, for the tests of its packets (tests/eswitch/).
 *
 *      create vfs=N [capacity=N] [refresh=MS]
 *      add RULE | validate RULE | del ID | query ID [reset] | list
 *      rx PORT HEX | tx PORT HEX
 *      clock MS | refresh MS | capacity N | flush PORT | stats PORT | reset
 *      inject create|destroy|query NTH ERRNO | refuse NAME on|off
 *      tunnel vxlan|geneve PORT add|del
 *
 * Each command is answered by lines that say what came of it, and then ".".
 * RULE is as in eswitch-text.h.  Time stands still between "clock"s.
 *
 * Usage: test-eswitch < COMMANDS */

#define _GNU_SOURCE 1

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch.h"
#include "eswim/eswitch-text.h"

static struct eswitch *eswitch;
static struct eswitch_reader *reader;
static uint64_t now;

static uint64_t
get_now(void *aux)
{
    (void) aux;
    return now;
}

static void
on_reset(void *aux)
{
    (void) aux;
    puts("event reset");
}

static void
print_hex(const void *frame, size_t size)
{
    const uint8_t *p = frame;

    for (size_t i = 0; i < size; i++) {
        printf("%02x", p[i]);
    }
    putchar('\n');
}

static bool
to_end(void *aux, uint16_t port, const void *frame, size_t size)
{
    (void) aux;
    printf("end %u ", port);
    print_hex(frame, size);
    return true;
}

static bool
to_software(void *aux, uint16_t port, const struct eswitch_metadata *metadata,
            const void *frame, size_t size)
{
    (void) aux;
    printf("software %u ", port);
    if (metadata->miss) {
        printf("miss ");
    }
    if (metadata->has_mark) {
        printf("mark=%"PRIu32" ", metadata->mark);
    }
    if (metadata->has_queue) {
        printf("queue=%u ", metadata->queue);
    }
    print_hex(frame, size);
    return true;
}

static const char *const wheres[] = {
    [ESWITCH_AT_NONE] = "none", [ESWITCH_AT_RULE] = "rule",
    [ESWITCH_AT_PORT] = "port", [ESWITCH_AT_GROUP] = "group",
    [ESWITCH_AT_PRIORITY] = "priority", [ESWITCH_AT_ITEM_NUM] = "item_num",
    [ESWITCH_AT_ITEM] = "item", [ESWITCH_AT_ITEM_SPEC] = "item_spec",
    [ESWITCH_AT_ITEM_LAST] = "item_last", [ESWITCH_AT_ITEM_MASK] = "item_mask",
    [ESWITCH_AT_ACTION_NUM] = "action_num", [ESWITCH_AT_ACTION] = "action",
    [ESWITCH_AT_ACTION_CONF] = "action_conf",
};

static bool
complain(int errnum, const struct eswitch_error *error)
{
    if (errnum) {
        printf("error %s %s %d %s\n", strerrorname_np(errnum),
               wheres[error->where], error->index, error->text);
    }
    return errnum;
}

static void
destroy(void)
{
    eswitch_reader_destroy(reader);
    eswitch_destroy(eswitch);
    reader = NULL;
    eswitch = NULL;
}

static unsigned long
parameter(const char *args, const char *name, unsigned long otherwise)
{
    const char *at = strstr(args, name);

    return at ? strtoul(at + strlen(name), NULL, 0) : otherwise;
}

static void
cmd_create(char *args)
{
    static const struct eswitch_sink sink = {
        .end = to_end, .software = to_software,
    };
    struct eswitch_params params = ESWITCH_PARAMS_INITIALIZER;
    struct eswitch_error error;

    destroy();
    params.n_vfs = parameter(args, "vfs=", 0);
    params.capacity = parameter(args, "capacity=", 0);
    params.counter_refresh = parameter(args, "refresh=", 0);
    params.now = get_now;
    params.reset = on_reset;
    if (!complain(eswitch_create(&params, &eswitch, &error), &error)) {
        reader = eswitch_reader_create(eswitch, &sink);
    }
}

static void
add(char *args, bool validate)
{
    static struct eswitch_text_rule text;
    struct eswitch_error error;
    char *wrong = eswitch_text_parse(args, &text);
    uint64_t id;

    if (wrong) {
        printf("syntax %s\n", wrong);
    } else if (validate) {
        complain(eswitch_rule_validate(eswitch, &text.rule, &error), &error);
    } else if (!complain(eswitch_rule_create(eswitch, &text.rule, &id,
                                             &error), &error)) {
        printf("rule %"PRIu64"\n", id);
    }
    free(wrong);
}

static void
cmd_add(char *args)
{
    add(args, false);
}

static void
cmd_validate(char *args)
{
    add(args, true);
}

static void
cmd_del(char *args)
{
    struct eswitch_error error;

    complain(eswitch_rule_destroy(eswitch, strtoull(args, NULL, 0), &error),
             &error);
}

static void
cmd_query(char *args)
{
    struct eswitch_counters counters;
    struct eswitch_error error;

    if (!complain(eswitch_rule_query(eswitch, strtoull(args, NULL, 0),
                                     strstr(args, "reset"), &counters,
                                     &error), &error)) {
        printf("counters %"PRIu64" %"PRIu64"\n", counters.packets,
               counters.bytes);
    }
}

static void
print_rule(const struct eswitch_rule_info *info, void *aux)
{
    (void) aux;
    printf("%"PRIu64" shown=%"PRIu64",%"PRIu64" live=%"PRIu64",%"PRIu64
           " port=%u%s group=%"PRIu32" prio=%"PRIu32" %s => %s\n", info->id,
           info->shown.packets, info->shown.bytes, info->live.packets,
           info->live.bytes, info->port, info->transfer ? "" : " ingress",
           info->group, info->priority, info->match, info->actions);
}

static void
cmd_list(char *args)
{
    (void) args;
    eswitch_list(eswitch, print_rule, NULL);
}

/* "PORT HEX". */
static void
packet(char *args, void (*function)(struct eswitch_reader *, uint16_t,
                                    const void *, size_t))
{
    char *hex;
    uint16_t port = strtoul(args, &hex, 0);
    size_t n;
    uint8_t *frame;

    hex += strspn(hex, " ");
    n = strlen(hex) / 2;
    frame = malloc(n ? n : 1);      /* No more than there is: see ASan. */
    for (size_t i = 0; i < n; i++) {
        unsigned byte;

        sscanf(hex + 2 * i, "%2x", &byte);
        frame[i] = byte;
    }
    function(reader, port, frame, n);
    free(frame);
}

static void
cmd_rx(char *args)
{
    packet(args, eswitch_rx);
}

static void
cmd_tx(char *args)
{
    packet(args, eswitch_tx);
}

static void
cmd_clock(char *args)
{
    now = strtoull(args, NULL, 0);
}

static void
cmd_refresh(char *args)
{
    eswitch_set_counter_refresh(eswitch, strtoul(args, NULL, 0));
}

static void
cmd_capacity(char *args)
{
    eswitch_set_capacity(eswitch, strtoul(args, NULL, 0));
}

static void
cmd_flush(char *args)
{
    printf("flushed %zu\n", eswitch_flush(eswitch, strtoul(args, NULL, 0)));
}

static void
cmd_reset(char *args)
{
    (void) args;
    eswitch_reset(eswitch);
}

static void
cmd_stats(char *args)
{
    struct eswitch_port_stats s;

    if (eswitch_port_stats(eswitch, strtoul(args, NULL, 0), &s)) {
        puts("no such port");
        return;
    }
    printf("stats end_rx=%"PRIu64",%"PRIu64" end_tx=%"PRIu64",%"PRIu64
           " missed=%"PRIu64",%"PRIu64" up=%"PRIu64",%"PRIu64
           " down=%"PRIu64",%"PRIu64" ruled_out=%"PRIu64" errors=%"PRIu64"\n",
           s.end_rx.packets, s.end_rx.bytes, s.end_tx.packets,
           s.end_tx.bytes, s.missed.packets, s.missed.bytes, s.up.packets,
           s.up.bytes, s.down.packets, s.down.bytes, s.ruled_out, s.errors);
}

static void
cmd_inject(char *args)
{
    char *nth = strchr(args, ' ');
    char *error = nth ? strchr(nth + 1, ' ') : NULL;

    if (error) {
        eswitch_inject(eswitch,
                       args[0] == 'c' ? ESWITCH_CREATE
                       : args[0] == 'd' ? ESWITCH_DESTROY : ESWITCH_QUERY,
                       strtoul(nth, NULL, 0), strtoul(error, NULL, 0));
    }
}

static void
cmd_refuse(char *args)
{
    char *on = strchr(args, ' ');
    struct eswitch_error error;

    if (on) {
        *on++ = '\0';
        complain(eswitch_refuse(eswitch, args, !strcmp(on, "on"), &error),
                 &error);
    }
}

static void
cmd_tunnel(char *args)
{
    char *port = strchr(args, ' ');
    struct eswitch_error error;

    if (port) {
        complain(eswitch_tunnel_port(eswitch,
                                     args[0] == 'v' ? ESWITCH_ITEM_VXLAN
                                                    : ESWITCH_ITEM_GENEVE,
                                     strtoul(port, NULL, 0),
                                     strstr(port, "add"), &error), &error);
    }
}

static const struct command {
    const char *name;
    void (*function)(char *args);
} commands[] = {
    { "create", cmd_create }, { "add", cmd_add },
    { "validate", cmd_validate }, { "del", cmd_del },
    { "query", cmd_query }, { "list", cmd_list }, { "rx", cmd_rx },
    { "tx", cmd_tx }, { "clock", cmd_clock }, { "refresh", cmd_refresh },
    { "capacity", cmd_capacity }, { "flush", cmd_flush },
    { "stats", cmd_stats }, { "reset", cmd_reset },
    { "inject", cmd_inject }, { "refuse", cmd_refuse },
    { "tunnel", cmd_tunnel },
};

static void
obey(char *line)
{
    size_t len = strcspn(line, " \n");
    char *args = line + len + (line[len] == ' ');

    line[strcspn(line, "\n")] = '\0';
    line[len] = '\0';
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!strcmp(commands[i].name, line)
            && (eswitch || commands[i].function == cmd_create)) {
            commands[i].function(args);
            return;
        }
    }
    printf("syntax no command %s\n", line);
}

int
main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        obey(line);
        puts(".");
        fflush(stdout);
    }
    free(line);
    destroy();
    return 0;
}
