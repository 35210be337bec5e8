/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <stdio.h>

#include "commands.h"
#include "engine.h"
#include "flow-api.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "vswitchd/bridge.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_hook);

OFFLOAD_WRAP(bridge_init);
OFFLOAD_WRAP(ovs_print_version);

/* ovs-vswitchd's main() calls bridge_init() once, before it opens any datapath
 * or netdev.
 *
 * Nothing may be logged at INFO or above at this point: the daemon hasn't
 * detached yet. */
void
__wrap_bridge_init(const char *remote)
{
    VLOG_DBG("starting ovs-fastpath %s, database %s", OFFLOAD_VERSION,
             remote);
    engine_init();
    flow_api_register();
    commands_register();
    __real_bridge_init(remote);
}

/* For "ovs-vswitchd --version".  ovs-ctl takes the version from the line that
 * has "Open vSwitch" in it. */
void
__wrap_ovs_print_version(uint8_t min_ofp, uint8_t max_ofp)
{
    __real_ovs_print_version(min_ofp, max_ofp);
    printf("with ovs-fastpath %s\n", OFFLOAD_VERSION);
}
