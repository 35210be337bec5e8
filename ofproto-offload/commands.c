/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "commands.h"

#include "engine.h"
#include "netdev-offload.h"
#include "openvswitch/dynamic-string.h"
#include "ports.h"
#include "unixctl.h"

/* offload/status: what is offloaded, and what could be. */
static void
offload_status(struct unixctl_conn *conn, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
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
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}

void
commands_register(void)
{
    unixctl_command_register("offload/status", "", 0, 0, offload_status,
                             NULL);
}
