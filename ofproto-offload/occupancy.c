/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "occupancy.h"

#include <string.h>
#include <strings.h>

#include "flow-table.h"
#include "offload-refusal.h"
#include "offload-statistics.h"
#include "ovs-thread.h"
#include "port-flows.h"
#include "timeval.h"
#include "util.h"

/* After a device said that it is full, until its rules are counted, msec: by
 * then a sweep has read which are in hardware.  It costs a look at each rule,
 * so one that goes on saying so is counted no more often. */
#define SETTLE_MS 2000

static struct full_table {
    struct ovs_mutex mutex;
    char port[IFNAMSIZ] OVS_GUARDED;    /* The last that was full. */
    long long int when OVS_GUARDED;     /* And when; 0: never. */

    /* The main thread's. */
    struct occupancy_full known;        /* 'when' is 0 if nothing is. */
    long long int due;                  /* Then 'known' is to be found out
                                         * anew; 0: it needn't be. */
} tables[OFFLOAD_N_DATAPATHS] = {
    [OFFLOAD_DP_SYSTEM] = { .mutex = OVS_MUTEX_INITIALIZER },
    [OFFLOAD_DP_NETDEV] = { .mutex = OVS_MUTEX_INITIALIZER },
};

/* Where TC takes a rule that a driver doesn't, the driver's words are all that
 * there is: its error isn't told. */
static bool
says_full(const struct offload_refusal *refusal)
{
    static const char *const words[] = {
        "table is full", "table full", "no space", "out of space",
        "no free entr", "no more entr", "capacity exceeded",
    };

    if (refusal->code == OFFLOAD_REFUSED_TABLE_FULL) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (refusal->code == OFFLOAD_REFUSED_DRIVER
            && strcasestr(refusal->detail, words[i])) {
            return true;
        }
    }
    return false;
}

void
occupancy_note(struct offload_port *port,
               const struct offload_refusal *refusal)
{
    struct full_table *table = &tables[port->datapath];

    if (!says_full(refusal)) {
        return;
    }
    offload_port_count(port, port->datapath, OFFLOAD_STAT_FULL, 1);
    if (!ovs_mutex_trylock(&table->mutex)) {
        ovs_strlcpy(table->port, port->name, sizeof table->port);
        table->when = time_msec();
        ovs_mutex_unlock(&table->mutex);
    }
}

void
occupancy_count(const struct offload_port *port, struct occupancy *o)
{
    bool dpdk = port->datapath == OFFLOAD_DP_NETDEV;
    struct port_flows_cursor cursor;
    struct offload_flow *flow;

    memset(o, 0, sizeof *o);
    port_flows_walk(&port->flows, &cursor);
    while ((flow = port_flows_next(&port->flows, &cursor))) {
        if (flow->state == OFFLOAD_FLOW_INSTALLED) {
            o->rules++;
            o->marks += flow->partial;
            o->hardware += !flow->partial && (dpdk || flow->in_hw);
        }
    }
}

static void
add_hardware(struct offload_port *port, void *sums_)
{
    uint64_t *sums = sums_;
    struct occupancy o;

    occupancy_count(port, &o);
    sums[port->datapath] += o.hardware;
}

static uint64_t
count_hardware(enum offload_datapath datapath)
{
    uint64_t sums[OFFLOAD_N_DATAPATHS] = { 0 };

    offload_port_for_each(add_hardware, sums);
    return sums[datapath];
}

static void
table_run(struct full_table *table, enum offload_datapath datapath,
          long long int now)
{
    struct occupancy_full full;

    ovs_mutex_lock(&table->mutex);
    full.when = table->when;
    ovs_strlcpy(full.port, table->port, sizeof full.port);
    ovs_mutex_unlock(&table->mutex);

    if (full.when == table->known.when) {
        return;
    }
    if (!table->due) {
        table->due = now + SETTLE_MS;
    } else if (now >= table->due) {
        table->due = 0;
        full.rules = count_hardware(datapath);
        table->known = full;
    }
}

void
occupancy_run(long long int now)
{
    for (int i = 0; i < OFFLOAD_N_DATAPATHS; i++) {
        table_run(&tables[i], i, now);
    }
}

bool
occupancy_get_full(enum offload_datapath datapath, struct occupancy_full *full)
{
    *full = tables[datapath].known;
    return full->when != 0;
}
