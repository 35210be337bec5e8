/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(offload_hook);

void __real_bridge_init(const char *remote);
void __wrap_bridge_init(const char *remote);

/* The linker sends ovs-vswitchd's call of bridge_init() here.
 *
 * Nothing may be logged at INFO or above at this point: the daemon hasn't
 * detached yet. */
void
__wrap_bridge_init(const char *remote)
{
    VLOG_DBG("starting, database %s", remote);
    __real_bridge_init(remote);
}
