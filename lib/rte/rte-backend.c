/* SPDX-License-Identifier: Apache-2.0 */

/* The rte_flow backend: rules in NICs that DPDK drives.
 *
 * Rules are put one by one, synchronously, at once when asked: a batch means
 * nothing to rte_flow.  So whoever asks waits for the device; in the daemon
 * that is a thread of ours. */

#define ALLOW_EXPERIMENTAL_API     /* The transfer proxy. */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_flow.h>

#include "offload-backend.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "rte/rte-encode.h"
#include "rte/rte-rules.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(offload_rte);

struct offload_batch {
    struct rte_encoding encoding;
};

struct offload_dump {
    struct offload_port *port;
    uint32_t pos;
    uint32_t generation;        /* Of the device at the start. */
    bool tunnel;                /* Rules are in any device. */
    bool all;                   /* None failed to be read. */
};

DEFINE_PER_THREAD_MALLOCED_DATA(struct offload_batch *, rte_batch);

/* Ports.
 *
 * What a device can do is asked with rte_flow_validate(), in the words that
 * rules will use. */

/* Would a rule of 'port' be taken that drops IPv4? */
static bool
try_transfer(const struct rte_port *port, char message[128])
{
    struct rte_flow_attr attr = { .transfer = 1 };
    struct rte_flow_item_ethdev ethdev = { .port_id = port->id };
    struct rte_flow_item_port_id port_id = { .id = port->id };
    struct rte_flow_item items[] = {
        { .type = RTE_FLOW_ITEM_TYPE_PORT_ID, .spec = &port_id,
          .mask = &rte_flow_item_port_id_mask },
        { .type = RTE_FLOW_ITEM_TYPE_ETH },
        { .type = RTE_FLOW_ITEM_TYPE_IPV4 },
        { .type = RTE_FLOW_ITEM_TYPE_END },
    };
    struct rte_flow_action_ethdev out = { .port_id = port->id };
    struct rte_flow_action_port_id out_id = { .id = port->id };
    struct rte_flow_action_count count = { .id = 0 };
    struct rte_flow_action actions[] = {
        { .type = RTE_FLOW_ACTION_TYPE_COUNT, .conf = &count },
        { .type = RTE_FLOW_ACTION_TYPE_PORT_ID, .conf = &out_id },
        { .type = RTE_FLOW_ACTION_TYPE_END },
    };
    struct rte_flow_error error = { .message = NULL };

    if (port->represented) {
        items[0] = (struct rte_flow_item) {
            .type = RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT, .spec = &ethdev,
            .mask = &rte_flow_item_ethdev_mask };
        actions[1] = (struct rte_flow_action) {
            .type = RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT, .conf = &out };
    }
    if (!rte_flow_validate(port->owner, &attr, items, actions, &error)) {
        return true;
    }
    ovs_strlcpy(message, error.message ? error.message : "no reason given",
                128);
    return false;
}

static bool
try_mark(const struct rte_port *port, char message[128])
{
    struct rte_flow_attr attr = { .ingress = 1 };
    struct rte_flow_item items[] = {
        { .type = RTE_FLOW_ITEM_TYPE_ETH },
        { .type = RTE_FLOW_ITEM_TYPE_IPV4 },
        { .type = RTE_FLOW_ITEM_TYPE_END },
    };
    struct rte_flow_action_mark mark = { .id = 1 };
    uint16_t queue = 0;
    struct rte_flow_action_rss rss = { .queue = &queue, .queue_num = 1 };
    struct rte_flow_action actions[] = {
        { .type = RTE_FLOW_ACTION_TYPE_MARK, .conf = &mark },
        { .type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rss },
        { .type = RTE_FLOW_ACTION_TYPE_END },
    };
    struct rte_flow_error error = { .message = NULL };

    if (!rte_flow_validate(port->id, &attr, items, actions, &error)) {
        return true;
    }
    ovs_strlcpy(message, error.message ? error.message : "no reason given",
                128);
    return false;
}

/* Finds out what the device of 'port' can do.  Returns 0, or a positive errno
 * with the refusal filled in. */
static int
probe(struct rte_port *port, char no_transfer[128],
      struct offload_refusal *refusal)
{
    struct rte_flow_error error;
    char message[128] = "";

    ovs_strlcpy(no_transfer, "no port to make them on", 128);
    if (!rte_flow_pick_transfer_proxy(port->id, &port->owner, &error)) {
        for (int represented = 1; represented >= 0; represented--) {
            port->represented = represented;
            if (try_transfer(port, no_transfer)) {
                port->transfer = true;
                return 0;
            }
        }
    }
    port->owner = port->id;
    port->transfer = false;
    if (try_mark(port, message)) {
        return 0;
    }
    return offload_refuse(refusal, OFFLOAD_REFUSED_CAPABILITY, "rte_flow",
                          NULL, "neither transfer rules (%s) nor marks (%s)",
                          no_transfer, message);
}

/* A device that has lost its rules must not be asked about them. */
static int
device_event(uint16_t id, enum rte_eth_event_type event OVS_UNUSED,
             void *aux OVS_UNUSED, void *ret OVS_UNUSED)
{
    rte_device_lost(id);
    return 0;
}

static void
watch_devices(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_INTR_RESET,
                                      device_event, NULL);
        rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_INTR_RMV,
                                      device_event, NULL);
        ovsthread_once_done(&once);
    }
}

static bool
is_tunnel(const struct offload_port *port)
{
    return (offload_port_kind_is_tunnel(port->kind)
            && port->kind != OFFLOAD_PORT_OTHER_TUNNEL);
}

static int
open_device(struct offload_port *port, struct rte_port_aux *aux,
            struct offload_refusal *refusal)
{
    struct rte_port *rte = &aux->port;
    struct rte_eth_dev_info info;
    int error;

    watch_devices();
    rte->id = port->dpdk_id;
    if (rte_eth_dev_info_get(rte->id, &info)) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_DEVICE, "rte_flow",
                              NULL, "port %"PRIu16" of DPDK isn't there",
                              rte->id);
    }
    rte->domain = info.switch_info.domain_id;
    error = probe(rte, aux->no_transfer, refusal);
    if (!error) {
        VLOG_INFO("%s: port %"PRIu16" of DPDK takes %s", port->name, rte->id,
                  rte->transfer ? "transfer rules" : "marks only");
    }
    return error;
}

static int
rte_port_open(struct offload_port *port, struct offload_refusal *refusal)
{
    struct rte_port_aux *aux;
    int error = 0;

    if (port->datapath != OFFLOAD_DP_NETDEV
        || (port->dpdk_id == OFFLOAD_NO_DPDK && !is_tunnel(port))) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "in_port",
                              NULL, "%s is neither a port of DPDK nor a "
                              "tunnel", port->name);
    }

    aux = xzalloc(sizeof *aux);
    if (!is_tunnel(port)) {
        error = open_device(port, aux, refusal);
    }
    if (error) {
        free(aux);
        return error;
    }
    port->match_only = !is_tunnel(port) && !aux->port.transfer;
    port->aux = aux;
    if (aux->port.transfer && !rte_port_default) {
        rte_port_default = &aux->port;
    }
    return 0;
}

static void
find_default(struct offload_port *port, void *aux OVS_UNUSED)
{
    struct rte_port_aux *rte = port->aux;

    if (port->datapath == OFFLOAD_DP_NETDEV && rte && rte->port.transfer) {
        rte_port_default = &rte->port;
    }
}

/* Takes out what is left of the port's rules. */
static void
rte_port_close(struct offload_port *port)
{
    struct rte_port_aux *aux = port->aux;
    union offload_handle handle;
    ovs_u128 ufid;
    uint32_t pos = UINT32_MAX;

    if (!aux) {
        return;
    }
    while (rte_rule_next(port, &pos, &handle, &ufid)) {
        struct offload_counters counters;

        rte_rule_delete(port, &handle, &counters);
    }
    port->aux = NULL;
    if (rte_port_default == &aux->port) {
        rte_port_default = NULL;
        offload_port_for_each(find_default, NULL);
    }
    ovsrcu_postpone(rte_port_aux_destroy, aux);
}

/* Stopped devices. */

struct owner {
    uint16_t id;
    const struct offload_port *port;    /* NULL: not one of Open vSwitch's. */
};

static void
find_owner(struct offload_port *port, void *owner_)
{
    struct owner *owner = owner_;

    if (port->datapath == OFFLOAD_DP_NETDEV && port->dpdk_id == owner->id) {
        owner->port = port;
    }
}

/* A NIC's rules are made through one of its ports, 'id', which Open vSwitch
 * may know nothing of, or have stopped.  Returns a positive errno. */
static int
refuse_stopped(const struct offload_port *port, uint16_t id,
               struct offload_refusal *refusal)
{
    struct owner owner = { .id = id };
    char device[RTE_ETH_NAME_MAX_LEN];

    offload_port_for_each(find_owner, &owner);
    if (owner.port) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_STOPPED, "rte_flow",
                              "flows are offered again when it has started",
                              "rules of %s are made through %s, which is "
                              "stopped", port->name, owner.port->name);
    }
    if (rte_eth_dev_get_name_by_port(id, device)) {
        ovs_strlcpy(device, "that is gone", sizeof device);
    }
    return offload_refuse(refusal, OFFLOAD_REFUSED_STOPPED, "rte_flow",
                          "add it: ovs-vsctl add-port BRIDGE NAME -- set "
                          "interface NAME type=dpdk "
                          "options:dpdk-devargs=DEVICE",
                          "rules of %s are made through DPDK's device %s, "
                          "which isn't a port of Open vSwitch", port->name,
                          device);
}

static int
rte_port_check(struct offload_port *port, struct offload_refusal *refusal)
{
    const struct rte_port_aux *aux = port->aux;
    uint32_t generation;

    if (!aux || is_tunnel(port)) {
        return 0;               /* Its rules are in any device. */
    }
    if (!rte_device_is_up(aux->port.owner, &generation)) {
        return refuse_stopped(port, aux->port.owner, refusal);
    }
    if (!aux->port.transfer) {
        return offload_refuse(refusal, OFFLOAD_REFUSED_CAPABILITY, "rte_flow",
                              NULL, "the device of %s takes no transfer "
                              "rules: %s", port->name, aux->no_transfer);
    }
    return 0;
}

/* Rules. */

static struct offload_batch *
batch_begin(void)
{
    struct offload_batch *batch = rte_batch_get();

    if (!batch) {
        batch = xzalloc(sizeof *batch);
        rte_batch_set(batch);
    }
    return batch;
}

static void
batch_commit(struct offload_batch *batch OVS_UNUSED)
{
    /* Everything has been done already. */
}

static void
op_begin(struct offload_op *op)
{
    op->error = 0;
    op->lost = op->partial = false;
    memset(&op->counters, 0, sizeof op->counters);
    offload_refusal_init(&op->refusal);
}

static uint16_t
n_queues(const struct offload_port *port)
{
    struct rte_eth_dev_info info;

    return (port->match_only && !rte_eth_dev_info_get(port->dpdk_id, &info)
            ? info.nb_rx_queues : 1);
}

static void
rule_put(struct offload_batch *batch, struct offload_port *port,
         const struct offload_rule *rule, struct offload_op *op)
{
    struct rte_encoding *enc = &batch->encoding;
    bool replace = offload_handle_is_set(&op->handle);

    op_begin(op);
    if (!port->aux) {
        op->error = offload_refuse(&op->refusal, OFFLOAD_REFUSED_IN_PORT,
                                   "in_port", NULL, "%s was closed",
                                   port->name);
        return;
    }
    op->error = rte_encode(rule, rte_rule_priority(&op->handle),
                           n_queues(port), enc, &op->refusal);
    if (op->error) {
        return;
    }
    op->partial = enc->partial;
    op->error = (replace
                 ? rte_rule_replace(port, rule, enc, &op->handle,
                                    &op->counters, &op->refusal)
                 : rte_rule_add(port, rule, enc, &op->handle, &op->refusal));
    if (op->refusal.code == OFFLOAD_REFUSED_STOPPED) {
        refuse_stopped(port, enc->owner, &op->refusal);
    }
}

static void
rule_del(struct offload_batch *batch OVS_UNUSED, struct offload_port *port,
         struct offload_op *op)
{
    op_begin(op);
    op->lost = !rte_rule_delete(port, &op->handle, &op->counters);
}

static int
rule_read(struct offload_port *port OVS_UNUSED,
          const union offload_handle *handle,
          struct offload_counters *counters)
{
    return rte_rule_read(handle, counters);
}

/* Dumps. */

/* While a device is stopped, its rules are missing, but there is no point in
 * putting them there again. */
static int
dump_start(struct offload_port *port, struct offload_dump **dumpp)
{
    const struct rte_port_aux *aux = port->aux;
    struct offload_dump *dump;
    uint32_t generation = 0;

    *dumpp = NULL;
    if (!aux || (!is_tunnel(port)
                 && !rte_device_is_up(aux->port.owner, &generation))) {
        return EAGAIN;
    }
    dump = xzalloc(sizeof *dump);
    dump->port = port;
    dump->pos = UINT32_MAX;
    dump->generation = generation;
    dump->tunnel = is_tunnel(port);
    dump->all = true;
    *dumpp = dump;
    return 0;
}

static size_t
dump_next(struct offload_dump *dump, struct ofpbuf *buf OVS_UNUSED,
          struct offload_reading readings[], size_t max)
{
    size_t n = 0;

    while (n < max && dump->port->aux) {
        struct offload_reading *r = &readings[n];

        if (!rte_rule_next(dump->port, &dump->pos, &r->handle, &r->ufid)) {
            break;
        }
        switch (rte_rule_read(&r->handle, &r->counters)) {
        case 0:
            r->in_hw = true;
            n++;
            break;
        case ENOENT:            /* Shows as missing. */
            break;
        default:
            dump->all = false;
        }
    }
    return n;
}

static int
dump_done(struct offload_dump *dump, bool *complete)
{
    const struct rte_port_aux *aux = dump->port->aux;
    uint32_t generation = 0;

    *complete = dump->all && aux;
    if (*complete && !dump->tunnel
        && (!rte_device_is_up(aux->port.owner, &generation)
            || generation != dump->generation)) {
        *complete = false;
    }
    free(dump);
    return 0;
}

/* Meters aren't offloaded here. */

static int
meter_set(uint32_t meter_id OVS_UNUSED,
          const struct ofputil_meter_config *config OVS_UNUSED,
          struct offload_refusal *refusal OVS_UNUSED)
{
    return 0;
}

static int
no_meter(uint32_t meter_id OVS_UNUSED,
         struct ofputil_meter_stats *stats OVS_UNUSED)
{
    return ENOENT;
}

static void
format_port(struct offload_port *port, void *s)
{
    const struct rte_port_aux *aux = port->aux;

    if (port->datapath != OFFLOAD_DP_NETDEV || !aux) {
        return;
    }
    if (is_tunnel(port)) {
        ds_put_format(s, "  %-16s group %"PRIu32"\n", port->name,
                      rte_tunnel_group(port));
    } else {
        ds_put_format(s, "  %-16s DPDK port %"PRIu16", %s", port->name,
                      aux->port.id, aux->port.transfer
                      ? "transfer rules" : "marks only");
        if (aux->port.transfer) {
            ds_put_format(s, " on port %"PRIu16", %s", aux->port.owner,
                          aux->port.represented
                          ? "represented_port" : "port_id");
        }
        ds_put_char(s, '\n');
    }
}

static void
capabilities(struct ds *s)
{
    offload_port_for_each(format_port, s);
}

/* For people. */

static int
rule_check(struct offload_port *port, const struct offload_rule *rule,
           struct offload_refusal *refusal)
{
    struct rte_encoding *enc = xmalloc(sizeof *enc);
    uint32_t generation;
    int error;

    if (port->aux) {
        error = rte_encode(rule, 0, n_queues(port), enc, refusal);
        if (!error && !rte_device_is_up(enc->owner, &generation)) {
            error = refuse_stopped(port, enc->owner, refusal);
        }
    } else {
        error = offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "in_port",
                               NULL, "%s was closed", port->name);
    }
    free(enc);
    return error;
}

static void
handle_format(const union offload_handle *handle, struct ds *s)
{
    ds_put_format(s, "rte_flow priority %d slot %"PRIu32,
                  rte_rule_priority(handle) ? 0 : 1, handle->rte.slot);
}

/* Whether the device has an item or action its driver says for each rule
 * only: these are the rows that we can express. */
static enum offload_support
match_support(const struct offload_port *port OVS_UNUSED,
              enum offload_field_id id, const char **why)
{
    const struct offload_field *field = offload_field_get(id);

    *why = field->rte.note;
    if (field->rte.form == OFFLOAD_FORM_NONE) {
        *why = *why ? *why : "no item of rte_flow is used for it";
        return OFFLOAD_SUPPORT_NO;
    }
    return OFFLOAD_SUPPORT_YES;
}

static enum offload_support
action_support(const struct offload_port *port,
               enum offload_action_kind kind, const char **why)
{
    if (port->match_only) {
        *why = "the device only marks packets: software does it";
        return OFFLOAD_SUPPORT_NO;
    }
    if (!rte_can_do(kind)) {
        *why = "no action of rte_flow is used for it";
        return OFFLOAD_SUPPORT_NO;
    }
    return OFFLOAD_SUPPORT_YES;
}

const struct offload_backend offload_backend_rte = {
    .name = "rte_flow",
    .datapath = OFFLOAD_DP_NETDEV,
    .dp_layer = "dpdk",
    .own_thread = true,
    .port_open = rte_port_open,
    .port_close = rte_port_close,
    .batch_begin = batch_begin,
    .rule_put = rule_put,
    .rule_del = rule_del,
    .batch_commit = batch_commit,
    .dump_start = dump_start,
    .dump_next = dump_next,
    .dump_done = dump_done,
    .rule_read = rule_read,
    .meter_set = meter_set,
    .meter_get = no_meter,
    .meter_del = no_meter,
    .capabilities = capabilities,
    .rule_check = rule_check,
    .port_check = rte_port_check,
    .handle_format = handle_format,
    .match_support = match_support,
    .action_support = action_support,
};
