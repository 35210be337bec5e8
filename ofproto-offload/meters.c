/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "meters.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dpif.h"
#include "engine.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_meters);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

OFFLOAD_WRAP(dpif_meter_set);
OFFLOAD_WRAP(dpif_meter_del);

struct meter {
    struct hmap_node node;      /* In 'meters', by 'id'. */
    uint32_t id;
    struct ofputil_meter_config config;
};

/* Protects the meters.  Held when the engine is called about meters, so that
 * what it knows follows what is in here. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap meters OVS_GUARDED_BY(mutex) = HMAP_INITIALIZER(&meters);
static bool started OVS_GUARDED_BY(mutex);

static struct meter *
meter_find(uint32_t id)
    OVS_REQUIRES(mutex)
{
    struct meter *meter;

    HMAP_FOR_EACH_WITH_HASH (meter, node, hash_int(id, 0), &meters) {
        if (meter->id == id) {
            return meter;
        }
    }
    return NULL;
}

static struct meter *
meter_find_or_create(uint32_t id)
    OVS_REQUIRES(mutex)
{
    struct meter *meter = meter_find(id);

    if (!meter) {
        meter = xzalloc(sizeof *meter);
        meter->id = id;
        hmap_insert(&meters, &meter->node, hash_int(id, 0));
    }
    return meter;
}

static void
meter_destroy(struct meter *meter)
    OVS_REQUIRES(mutex)
{
    hmap_remove(&meters, &meter->node);
    free(meter->config.bands);
    free(meter);
}

static void
meter_offload(const struct meter *meter)
    OVS_REQUIRES(mutex)
{
    int error = engine_meter_set(meter->id, &meter->config);

    if (error) {
        VLOG_DBG_RL(&rl, "meter %"PRIu32" isn't offloaded: %s", meter->id,
                    ovs_strerror(error));
    }
}

/* The kernel datapath's meters are all in one space of ids.  The userspace
 * datapath has ids of its own, and no provider of ours. */
static bool
has_our_meters(const struct dpif *dpif)
{
    return !strcmp(dpif_type(dpif), "system");
}

/* Takes place for a new meter and for one that is modified. */
int
__wrap_dpif_meter_set(struct dpif *dpif, ofproto_meter_id meter_id,
                      struct ofputil_meter_config *config)
{
    int error = __real_dpif_meter_set(dpif, meter_id, config);

    if (!error && has_our_meters(dpif)) {
        struct meter *meter;

        ovs_mutex_lock(&mutex);
        meter = meter_find_or_create(meter_id.uint32);
        free(meter->config.bands);
        meter->config = *config;
        meter->config.bands = xmemdup(config->bands,
                                      config->n_bands * sizeof *config->bands);
        if (started) {
            meter_offload(meter);
        }
        ovs_mutex_unlock(&mutex);
    }
    return error;
}

/* The engine's share of the counters is added to the datapath's. */
int
__wrap_dpif_meter_del(struct dpif *dpif, ofproto_meter_id meter_id,
                      struct ofputil_meter_stats *stats, uint16_t n_bands)
{
    int error = __real_dpif_meter_del(dpif, meter_id, stats, n_bands);

    if (has_our_meters(dpif)) {
        struct meter *meter;

        ovs_mutex_lock(&mutex);
        meter = meter_find(meter_id.uint32);
        if (meter) {
            meter_destroy(meter);
            if (started) {
                engine_meter_del(meter_id.uint32, error ? NULL : stats);
            }
        }
        ovs_mutex_unlock(&mutex);
    }
    return error;
}

void
meters_start(void)
{
    const struct meter *meter;

    ovs_mutex_lock(&mutex);
    if (!started) {
        started = true;
        HMAP_FOR_EACH (meter, node, &meters) {
            meter_offload(meter);
        }
    }
    ovs_mutex_unlock(&mutex);
}
