/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ct-limits.h"
#include "engine.h"
#include "meters.h"
#include "netdev-offload.h"
#include "offload-field.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "tc/tc-caps.h"
#include "util.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_config);

OFFLOAD_WRAP(netdev_set_flow_api_enabled);

/* A key of other_config that is ours, or that we read too. */
struct config_key {
    const char *name;

    /* Sets the configuration from 'value', or to its default if NULL.  Returns
     * false, having changed nothing, if 'value' is no good. */
    bool (*set)(const char *value);
    const char *expected;       /* What is good, or NULL if Open vSwitch itself
                                 * complains of what isn't. */
    char *last;                 /* Value seen last, or NULL. */
};

/* Takes effect when offload is enabled, once, as in Open vSwitch. */
static bool
set_tc_policy(const char *value)
{
    static const struct {
        const char *name;
        enum tc_offload_mode mode;
    } policies[] = {
        { "none", TC_MODE_BOTH },
        { "skip_sw", TC_MODE_HW_ONLY },
        { "skip_hw", TC_MODE_SW_ONLY },
    };

    if (netdev_is_flow_api_enabled()) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        if (!strcmp(value ? value : "none", policies[i].name)) {
            tc_offload_mode = policies[i].mode;
            return true;
        }
    }
    return false;
}

static bool
set_strict_tunnel_flags(const char *value)
{
    if (value && strcmp(value, "true") && strcmp(value, "false")) {
        return false;
    }
    offload_strict_tunnel_flags = value && !strcmp(value, "true");
    return true;
}

/* Open vSwitch's own limit (vswitchd/vswitch.ovsschema's documentation) counts
 * the flows of the kernel datapath only, so ours is as high unless it is set
 * by itself: what is over it goes to the kernel datapath, and is limited
 * there. */
static struct {
    unsigned int flow_limit;
    unsigned int max_flows;
    bool max_flows_set;
    unsigned int max_idle;      /* msec. */
} limits = {
    .flow_limit = ENGINE_MAX_FLOWS_DEFAULT,
    .max_idle = 2 * ENGINE_MAX_STALENESS_DEFAULT,
};

static void
update_limits(void)
{
    struct engine_config config = {
        .max_flows = (limits.max_flows_set
                      ? limits.max_flows : limits.flow_limit),
        .max_staleness = MIN(limits.max_idle / 2,
                             ENGINE_MAX_STALENESS_DEFAULT),
    };

    engine_set_config(&config);
}

static bool
set_flow_limit(const char *value)
{
    limits.flow_limit = ENGINE_MAX_FLOWS_DEFAULT;
    if (value && !str_to_uint(value, 10, &limits.flow_limit)) {
        return false;
    }
    update_limits();
    return true;
}

/* Open vSwitch's own: no flow may be taken for idle for as long as this on
 * the strength of an old reading. */
static bool
set_max_idle(const char *value)
{
    limits.max_idle = 2 * ENGINE_MAX_STALENESS_DEFAULT;
    if (value && !str_to_uint(value, 10, &limits.max_idle)) {
        return false;
    }
    update_limits();
    return true;
}

static bool
set_max_flows(const char *value)
{
    unsigned int max_flows = 0;

    if (value && !str_to_uint(value, 10, &max_flows)) {
        return false;
    }
    limits.max_flows = max_flows;
    limits.max_flows_set = value != NULL;
    update_limits();
    return true;
}

static struct config_key config_keys[] = {
    { .name = "tc-policy", .set = set_tc_policy },
    { .name = "offload-strict-tunnel-flags", .set = set_strict_tunnel_flags,
      .expected = "true or false" },
    { .name = "flow-limit", .set = set_flow_limit },
    { .name = "max-idle", .set = set_max_idle },
    { .name = "offload-max-flows", .set = set_max_flows,
      .expected = "a number of flows, 0 for any" },
};

static void
config_key_run(struct config_key *key, const struct smap *other_config)
{
    const char *value = smap_get(other_config, key->name);

    if (nullable_string_is_equal(value, key->last)) {
        return;
    }
    free(key->last);
    key->last = nullable_xstrdup(value);

    if (!key->set(value)) {
        if (key->expected) {
            VLOG_WARN("other_config:%s=\"%s\" isn't %s: using the default",
                      key->name, value, key->expected);
        }
        key->set(NULL);
    }
}

/* Enables offload, for the rest of the daemon's life: everything that the
 * first rule may depend on must be there before.
 *
 * Rebalancing moves busy flows into a full device and idle ones out of it.
 * The way in which Open vSwitch 3.1 does it loses what a flow counted before
 * it moved: its counters start again at 0, and when the flow is deleted, the
 * difference, a huge number, is added to the statistics of OpenFlow rules. */
static void
enable(const struct smap *other_config)
{
    struct smap smap;

    ct_limits_read();
    meters_start();

    smap_clone(&smap, other_config);
    if (smap_get_bool(&smap, "offload-rebalance", false)) {
        VLOG_WARN("other_config:offload-rebalance isn't supported and has no "
                  "effect");
        smap_remove(&smap, "offload-rebalance");
    }
    __real_netdev_set_flow_api_enabled(&smap);
    smap_destroy(&smap);
}

/* Open vSwitch calls this at every run of its main loop.  It looks at its own
 * keys only once, when it first sees hw-offload=true. */
void
__wrap_netdev_set_flow_api_enabled(const struct smap *other_config)
{
    for (size_t i = 0; i < ARRAY_SIZE(config_keys); i++) {
        config_key_run(&config_keys[i], other_config);
    }

    if (netdev_is_flow_api_enabled()) {
        ct_limits_run();
    } else if (smap_get_bool(other_config, "hw-offload", false)) {
        enable(other_config);
    }
    engine_run();
}
