/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "commands.h"

#include "metrics.h"
#include "port-report.h"
#include "report.h"
#include "status.h"
#include "unixctl.h"
#include "util.h"

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
    { "offload/metrics", REPORT_USAGE, 0, 0, metrics_report },
    { "offload/ports", REPORT_USAGE, 0, 0, port_report },
    { "offload/refusals", "[PORT] " REPORT_USAGE, 0, 1, offload_refusals },
    { "offload/show", "UFID " REPORT_USAGE, 1, 1, offload_show },
    { "offload/status", REPORT_USAGE, 0, 0, status_report },
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
