/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWIM_DPDK_CONFIG_H
#define ESWIM_DPDK_CONFIG_H 1

/* What a person can set of a NIC: at start, as the device's arguments
 * (--vdev=net_eswim0,vfs=2,capacity=1000), and, so far as it makes sense,
 * while it runs, through the telemetry command /eswim/set.  One table has a
 * row for each, with its limits. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eswim/eswitch.h"

/* Room for names of what is refused. */
#define ESWIM_REFUSE_LEN 512

struct eswim_config {
    /* At start only. */
    uint64_t vfs;                       /* Number of virtual functions. */
    bool generators;                    /* Far ends are no TAP devices. */
    char guest_if[IFNAMSIZ];            /* Guest ends are named so, + "0"... */
    char wire_if[IFNAMSIZ];             /* Name of the uplink's wire end. */

    /* At any time. */
    uint64_t capacity;                  /* Rules. */
    uint64_t insert_latency;            /* Microseconds a rule. */
    uint64_t counter_refresh;           /* Milliseconds. */
    char refuse[ESWIM_REFUSE_LEN];      /* As for eswitch_refuse(), with '+'
                                         * between; "" or "none". */
    bool has_fail;                      /* As for eswitch_inject(): */
    enum eswitch_operation fail_operation;
    unsigned int fail_nth;
    int fail_errno;
};

/* Why something was refused, for a person. */
#define ESWIM_MESSAGE_LEN 200

bool eswim_config_parse(struct eswim_config *, const char *nic_name,
                        const char *args, char message[ESWIM_MESSAGE_LEN]);
bool eswim_config_set(struct eswim_config *, const char *key,
                      const char *value, bool at_start,
                      char message[ESWIM_MESSAGE_LEN]);

#endif /* lib/eswim/dpdk-config.h */
