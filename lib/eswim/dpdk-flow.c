/* SPDX-License-Identifier: Apache-2.0 */

/* DPDK's operations on rules: see struct rte_flow_ops.
 *
 * What DPDK's user gets as a rule's handle isn't a pointer but the eswitch's
 * id of the rule, which is never used again.  So a handle that outlives its
 * rule, because its port was stopped or the device was reset, does no harm. */

#include "eswim/dpdk-flow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <rte_flow_driver.h>

/* Fills 'error', which may be null, and rte_errno, and returns 'error_code', a
 * positive errno.  The message is valid until the thread's next error. */
int
eswim_flow_error(struct rte_flow_error *error, int error_code,
                 enum rte_flow_error_type type, const void *cause,
                 const char *format, ...)
{
    static __thread char message[ESWIM_MESSAGE_LEN];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rte_flow_error_set(error, error_code, type, cause, message);
    return error_code;
}

/* Returns 'size' bytes that live as long as 't', aligned for anything, or
 * NULL, with an error set, if that is too much for one rule. */
void *
eswim_scratch(struct eswim_translation *t, size_t size)
{
    void *memory = t->scratch + t->n_scratch;

    size = RTE_ALIGN_CEIL(size, (size_t) 16);
    if (size > sizeof t->scratch - t->n_scratch) {
        eswim_flow_error(t->error, ENOMEM, RTE_FLOW_ERROR_TYPE_UNSPECIFIED,
                         NULL, "the rule is too long");
        return NULL;
    }
    t->n_scratch += size;
    return memory;
}

/* From the eswitch's complaint to DPDK's. */
static int
refuse(const struct eswim_translation *t, const struct eswitch_error *error)
{
    static const enum rte_flow_error_type types[] = {
        [ESWITCH_AT_NONE] = RTE_FLOW_ERROR_TYPE_UNSPECIFIED,
        [ESWITCH_AT_RULE] = RTE_FLOW_ERROR_TYPE_HANDLE,
        [ESWITCH_AT_PORT] = RTE_FLOW_ERROR_TYPE_UNSPECIFIED,
        [ESWITCH_AT_GROUP] = RTE_FLOW_ERROR_TYPE_ATTR_GROUP,
        [ESWITCH_AT_PRIORITY] = RTE_FLOW_ERROR_TYPE_ATTR_PRIORITY,
        [ESWITCH_AT_ITEM_NUM] = RTE_FLOW_ERROR_TYPE_ITEM_NUM,
        [ESWITCH_AT_ITEM] = RTE_FLOW_ERROR_TYPE_ITEM,
        [ESWITCH_AT_ITEM_SPEC] = RTE_FLOW_ERROR_TYPE_ITEM_SPEC,
        [ESWITCH_AT_ITEM_LAST] = RTE_FLOW_ERROR_TYPE_ITEM_LAST,
        [ESWITCH_AT_ITEM_MASK] = RTE_FLOW_ERROR_TYPE_ITEM_MASK,
        [ESWITCH_AT_ACTION_NUM] = RTE_FLOW_ERROR_TYPE_ACTION_NUM,
        [ESWITCH_AT_ACTION] = RTE_FLOW_ERROR_TYPE_ACTION,
        [ESWITCH_AT_ACTION_CONF] = RTE_FLOW_ERROR_TYPE_ACTION_CONF,
    };
    bool is_item = error->where >= ESWITCH_AT_ITEM
                   && error->where <= ESWITCH_AT_ITEM_MASK;
    bool is_action = error->where >= ESWITCH_AT_ACTION;
    const void *cause = NULL;

    if (is_item && error->index >= 0
        && (size_t) error->index < t->n_items) {
        cause = t->item_of[error->index];
    } else if (is_action && error->index >= 0
               && (size_t) error->index < t->n_actions) {
        cause = t->action_of[error->index];
    }
    return eswim_flow_error(t->error, error->error, types[error->where], cause,
                            "%s", error->text);
}

static int
check_attr(const struct rte_flow_attr *attr, struct rte_flow_error *error)
{
    if (!attr) {
        return eswim_flow_error(error, EINVAL, RTE_FLOW_ERROR_TYPE_ATTR, NULL,
                                "a rule needs attributes");
    }
    if (attr->egress) {
        return eswim_flow_error(
            error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_EGRESS, attr,
            "what software sends isn't switched by rules: no egress rules");
    }
    if (attr->transfer == attr->ingress) {
        return eswim_flow_error(error, EINVAL,
                                RTE_FLOW_ERROR_TYPE_ATTR_INGRESS, attr,
                                "a rule is either transfer or ingress");
    }
    return 0;
}

static int
check_state(const struct rte_eth_dev *dev, struct rte_flow_error *error)
{
    if (atomic_load(&eswim_port_cast(dev)->nic->removed)) {
        return eswim_flow_error(error, EIO, RTE_FLOW_ERROR_TYPE_STATE, NULL,
                                "the device was removed");
    }
    return 0;
}

/* Validates a rule if 'id' is null, creates it otherwise.  Returns 0 or a
 * positive errno, with 'error' filled. */
static int
put_rule(struct rte_eth_dev *dev, const struct rte_flow_attr *attr,
         const struct rte_flow_item pattern[],
         const struct rte_flow_action actions[], uint64_t *id,
         struct rte_flow_error *error)
{
    struct eswim_port *port = eswim_port_cast(dev);
    struct eswim_translation t;
    struct eswitch_error why;
    struct eswitch_rule rule;
    int failed = check_attr(attr, error);

    t.port = port;
    t.error = error;
    t.n_items = t.n_actions = t.n_scratch = 0;
    if (failed || (failed = check_state(dev, error))
        || (failed = eswim_translate_items(&t, pattern))
        || (failed = eswim_translate_actions(&t, actions))) {
        return failed;
    }

    rule = (struct eswitch_rule) {
        .port = port->index,
        .transfer = attr->transfer,
        .group = attr->group,
        .priority = attr->priority,
        .items = t.items,
        .n_items = t.n_items,
        .actions = t.actions,
        .n_actions = t.n_actions,
    };
    failed = id ? eswitch_rule_create(port->nic->eswitch, &rule, id, &why)
                : eswitch_rule_validate(port->nic->eswitch, &rule, &why);
    return failed ? refuse(&t, &why) : 0;
}

static int
flow_validate(struct rte_eth_dev *dev, const struct rte_flow_attr *attr,
              const struct rte_flow_item pattern[],
              const struct rte_flow_action actions[],
              struct rte_flow_error *error)
{
    return -put_rule(dev, attr, pattern, actions, NULL, error);
}

static struct rte_flow *
flow_create(struct rte_eth_dev *dev, const struct rte_flow_attr *attr,
            const struct rte_flow_item pattern[],
            const struct rte_flow_action actions[],
            struct rte_flow_error *error)
{
    uint64_t id;

    return put_rule(dev, attr, pattern, actions, &id, error)
           ? NULL : (struct rte_flow *) (uintptr_t) id;
}

static int
no_rule(const struct rte_flow *flow, const struct eswitch_error *why,
        struct rte_flow_error *error)
{
    return -eswim_flow_error(error, why->error, RTE_FLOW_ERROR_TYPE_HANDLE,
                             flow, "%s", why->text);
}

static int
flow_destroy(struct rte_eth_dev *dev, struct rte_flow *flow,
             struct rte_flow_error *error)
{
    struct eswitch_error why;

    return eswitch_rule_destroy(eswim_port_cast(dev)->nic->eswitch,
                                (uintptr_t) flow, &why)
           ? no_rule(flow, &why, error) : 0;
}

static int
flow_flush(struct rte_eth_dev *dev, struct rte_flow_error *error)
{
    struct eswim_port *port = eswim_port_cast(dev);
    int failed = check_state(dev, error);

    if (!failed) {
        eswitch_flush(port->nic->eswitch, port->index);
    }
    return -failed;
}

static int
flow_query(struct rte_eth_dev *dev, struct rte_flow *flow,
           const struct rte_flow_action *actions, void *data,
           struct rte_flow_error *error)
{
    struct rte_flow_query_count *query = data;
    struct eswitch_counters counters;
    struct eswitch_error why;

    while (actions->type == RTE_FLOW_ACTION_TYPE_VOID) {
        actions++;
    }
    if (actions->type != RTE_FLOW_ACTION_TYPE_COUNT || !query) {
        return -eswim_flow_error(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
                                 actions, "only COUNT can be queried");
    }
    if (eswitch_rule_query(eswim_port_cast(dev)->nic->eswitch,
                           (uintptr_t) flow, query->reset, &counters, &why)) {
        return no_rule(flow, &why, error);
    }
    query->hits_set = query->bytes_set = 1;
    query->hits = counters.packets;
    query->bytes = counters.bytes;
    return 0;
}

struct dump {
    FILE *file;
    uint16_t port;
    uint64_t id;                /* 0: all of 'port'. */
    bool found;
};

static void
dump_rule(const struct eswitch_rule_info *info, void *dump_)
{
    struct dump *dump = dump_;

    if (dump->id ? dump->id == info->id : dump->port == info->port) {
        dump->found = true;
        fprintf(dump->file, "rule %"PRIu64" port %u %s group %u priority %u",
                info->id, info->port, info->transfer ? "transfer" : "ingress",
                info->group, info->priority);
        if (info->has_count) {
            fprintf(dump->file, " packets %"PRIu64" bytes %"PRIu64,
                    info->live.packets, info->live.bytes);
        }
        fprintf(dump->file, " match %s actions %s\n", info->match,
                info->actions);
    }
}

static int
flow_dump(struct rte_eth_dev *dev, struct rte_flow *flow, FILE *file,
          struct rte_flow_error *error)
{
    struct eswim_port *port = eswim_port_cast(dev);
    struct dump dump = {
        .file = file, .port = port->index, .id = (uintptr_t) flow,
    };

    eswitch_list(port->nic->eswitch, dump_rule, &dump);
    if (flow && !dump.found) {
        return -eswim_flow_error(error, ENOENT, RTE_FLOW_ERROR_TYPE_HANDLE,
                                 flow, "there is no such rule");
    }
    return 0;
}

/* Each port takes transfer rules, but one has to be named: the uplink while it
 * is there. */
static int
flow_pick_transfer_proxy(struct rte_eth_dev *dev, uint16_t *proxy,
                         struct rte_flow_error *error __rte_unused)
{
    const struct eswim_port *port = eswim_port_cast(dev);
    int uplink = atomic_load(&port->nic->ports[0].port_id);

    *proxy = uplink < 0 ? dev->data->port_id : uplink;
    return 0;
}

const struct rte_flow_ops eswim_flow_ops = {
    .validate = flow_validate,
    .create = flow_create,
    .destroy = flow_destroy,
    .flush = flow_flush,
    .query = flow_query,
    .dev_dump = flow_dump,
    .pick_transfer_proxy = flow_pick_transfer_proxy,
};
