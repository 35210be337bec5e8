/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "commands.h"

#include "engine.h"
#include "netdev-offload.h"
#include "openvswitch/dynamic-string.h"
#include "ports.h"
#include "report.h"
#include "unixctl.h"
#include "util.h"

/* offload/status: what is offloaded, and what could be. */
static void
offload_status(struct report *r, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "ovs-fastpath %s\n", OFFLOAD_VERSION);
    ds_put_format(&s, "offload: %s\n",
                  netdev_is_flow_api_enabled() ? "enabled"
                  : "disabled (other_config:hw-offload isn't true)");
    if (netdev_is_flow_api_enabled()) {
        engine_format_status(&s);
        ports_format_refused(&s);
    }
    ds_put_cstr(&r->text, ds_cstr(&s));
    ds_destroy(&s);
}

/* A row a command: its name, what follows it, the least and the most number of
 * arguments beside REPORT_USAGE's, and who makes the report. */
static const struct command {
    const char *name;
    const char *usage;
    int min_args;
    int max_args;
    void (*run)(struct report *, int argc, const char *argv[]);
} commands[] = {
    { "offload/caps", "PORT " REPORT_USAGE, 1, 1, offload_caps },
    { "offload/explain", "UFID | FLOW [--packet HEX] | --packet FLOW "
      REPORT_USAGE, 1, 3, offload_explain },
    { "offload/refusals", "[PORT] " REPORT_USAGE, 0, 1, offload_refusals },
    { "offload/show", "UFID " REPORT_USAGE, 1, 1, offload_show },
    { "offload/status", REPORT_USAGE, 0, 0, offload_status },
};

static void
run_command(struct unixctl_conn *conn, int argc, const char *argv[],
            void *command_)
{
    const struct command *c = command_;
    struct report r;

    if (!report_begin(&r, conn, &argc, argv)) {
        return;
    }
    if (argc - 1 < c->min_args || argc - 1 > c->max_args) {
        report_fail(&r, "usage: %s %s", c->name, c->usage);
    } else {
        c->run(&r, argc, argv);
    }
    report_end(&r);
}

void
commands_register(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        unixctl_command_register(c->name, c->usage, c->min_args,
                                 c->max_args + REPORT_MAX_ARGS, run_command,
                                 CONST_CAST(struct command *, c));
    }
}
