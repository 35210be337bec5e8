/* SPDX-License-Identifier: Apache-2.0 */

/* Actions: a row for each. */

#include "eswim/dpdk-flow.h"

#include <errno.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>

/* An action of DPDK's.  'translate' fills '*to', whose type is set, from
 * 'from', whose 'conf' is there if 'needs_conf'.  It returns 0 or a positive
 * errno, with an error set. */
struct action_row {
    enum rte_flow_action_type type;
    enum eswitch_action_type action;
    bool needs_conf;
    int (*translate)(struct eswim_translation *, const struct action_row *,
                     const struct rte_flow_action *from,
                     struct eswitch_action *to);

    /* For those that rewrite a field: 'conf' begins with its value, of 'size'
     * bytes in network byte order. */
    enum eswitch_field field;
    enum eswitch_op op;
    uint8_t size;
};

/* Bits of each field. */
enum {
#define ESWITCH_FIELD(ID, NAME, ITEM, OFS, BITS, SHIFT) BITS_OF_##ID = BITS,
#define ESWITCH_FIELD_ONE_OF(ID, NAME, A, B) BITS_OF_##ID = BITS_OF_##A,
    ESWITCH_FIELDS
#undef ESWITCH_FIELD
#undef ESWITCH_FIELD_ONE_OF
};

static const uint8_t field_bits[] = {
#define ESWITCH_FIELD(ID, NAME, ITEM, OFS, BITS, SHIFT) BITS_OF_##ID,
#define ESWITCH_FIELD_ONE_OF(ID, NAME, A, B) BITS_OF_##ID,
    ESWITCH_FIELDS
#undef ESWITCH_FIELD
#undef ESWITCH_FIELD_ONE_OF
};

static int translate_action(struct eswim_translation *,
                            const struct rte_flow_action *,
                            struct eswitch_action *);

static int
refuse(struct eswim_translation *t, const struct rte_flow_action *action,
       int error, enum rte_flow_error_type type, const char *what)
{
    const char *name = NULL;

    rte_flow_conv(RTE_FLOW_CONV_OP_ACTION_NAME_PTR, &name, sizeof name,
                  (void *) (uintptr_t) action->type, NULL);
    return eswim_flow_error(t->error, error, type, action, "%s: %s",
                            name ? name : "unknown action", what);
}

static int
refuse_conf(struct eswim_translation *t, const struct rte_flow_action *action,
            int error, const char *what)
{
    return refuse(t, action, error, RTE_FLOW_ERROR_TYPE_ACTION_CONF, what);
}

/* Fates, and what else has hardly a parameter. */

static int
translate_plain(struct eswim_translation *t __rte_unused,
                const struct action_row *row __rte_unused,
                const struct rte_flow_action *from __rte_unused,
                struct eswitch_action *to __rte_unused)
{
    return 0;
}

static int
translate_port(struct eswim_translation *t, uint32_t port_id,
               const struct rte_flow_action *from, struct eswitch_action *to)
{
    const struct eswim_port *port = eswim_port_by_id(t->port->nic, port_id);

    if (!port) {
        return refuse_conf(t, from, EINVAL, "no port of this NIC");
    }
    to->port = port->index;
    return 0;
}

static int
translate_port_id(struct eswim_translation *t,
                  const struct action_row *row __rte_unused,
                  const struct rte_flow_action *from,
                  struct eswitch_action *to)
{
    const struct rte_flow_action_port_id *conf = from->conf;

    return conf->original
           ? refuse_conf(t, from, ENOTSUP, "\"original\" can't be done")
           : translate_port(t, conf->id, from, to);
}

static int
translate_ethdev(struct eswim_translation *t,
                 const struct action_row *row __rte_unused,
                 const struct rte_flow_action *from,
                 struct eswitch_action *to)
{
    const struct rte_flow_action_ethdev *conf = from->conf;

    return translate_port(t, conf->port_id, from, to);
}

static int
translate_jump(struct eswim_translation *t __rte_unused,
               const struct action_row *row __rte_unused,
               const struct rte_flow_action *from, struct eswitch_action *to)
{
    const struct rte_flow_action_jump *conf = from->conf;

    to->group = conf->group;
    return 0;
}

static int
translate_mark(struct eswim_translation *t __rte_unused,
               const struct action_row *row __rte_unused,
               const struct rte_flow_action *from, struct eswitch_action *to)
{
    const struct rte_flow_action_mark *conf = from->conf;

    to->mark = conf->id;
    return 0;
}

static int
check_queue(struct eswim_translation *t, const struct rte_flow_action *from,
            uint16_t queue)
{
    return queue < t->port->dev->data->nb_rx_queues
           ? 0 : refuse_conf(t, from, EINVAL, "there is no such queue");
}

static int
translate_queue(struct eswim_translation *t,
                const struct action_row *row __rte_unused,
                const struct rte_flow_action *from, struct eswitch_action *to)
{
    const struct rte_flow_action_queue *conf = from->conf;

    to->queue = conf->index;
    return check_queue(t, from, conf->index);
}

static int
translate_rss(struct eswim_translation *t,
              const struct action_row *row __rte_unused,
              const struct rte_flow_action *from, struct eswitch_action *to)
{
    const struct rte_flow_action_rss *conf = from->conf;
    int error = 0;

    if (conf->func != RTE_ETH_HASH_FUNCTION_DEFAULT) {
        return refuse_conf(t, from, ENOTSUP,
                           "there is but the default hash function");
    }
    if (conf->level > 1) {
        return refuse_conf(t, from, ENOTSUP,
                           "inner headers aren't hashed");
    }
    if (conf->key_len) {
        return refuse_conf(t, from, ENOTSUP, "the key can't be set");
    }
    if (conf->queue_num > RTE_MAX_QUEUES_PER_PORT) {
        return refuse_conf(t, from, EINVAL, "more queues than a port has");
    }
    if (conf->queue_num && !conf->queue) {
        return refuse_conf(t, from, EINVAL, "no queues are given");
    }
    for (uint32_t i = 0; !error && i < conf->queue_num; i++) {
        error = check_queue(t, from, conf->queue[i]);
    }
    to->rss.queues = conf->queue;
    to->rss.n_queues = conf->queue_num;
    return error;
}

/* Tags. */

static int
translate_push_vlan(struct eswim_translation *t __rte_unused,
                    const struct action_row *row __rte_unused,
                    const struct rte_flow_action *from,
                    struct eswitch_action *to)
{
    const struct rte_flow_action_of_push_vlan *conf = from->conf;

    to->tpid = rte_be_to_cpu_16(conf->ethertype);
    return 0;
}

/* Fields. */

/* Sets the mask of 'width' bits of a field, 'offset' bits up from its least
 * significant one, and takes the same bits of 'value'.  Both are big-endian
 * numbers in 'n' bytes. */
static void
set_bits(struct eswitch_action *to, const uint8_t *value, size_t n,
         uint32_t offset, uint32_t width)
{
    memset(to->modify.mask, 0, sizeof to->modify.mask);
    memset(to->modify.value, 0, sizeof to->modify.value);
    for (uint32_t bit = offset; bit < offset + width; bit++) {
        to->modify.mask[n - 1 - bit / 8] |= 1u << bit % 8;
    }
    for (size_t i = 0; i < n; i++) {
        to->modify.value[i] = value[i] & to->modify.mask[i];
    }
}

static int
translate_set(struct eswim_translation *t, const struct action_row *row,
              const struct rte_flow_action *from, struct eswitch_action *to)
{
    to->modify.field.field = row->field;
    to->modify.field.level = 0;
    to->modify.op = row->op;
    set_bits(to, from->conf, row->size, 0, field_bits[row->field]);
    if (memcmp(to->modify.value, from->conf, row->size)) {
        return refuse_conf(t, from, EINVAL, "the field has fewer bits");
    }
    return 0;
}

static const struct {
    enum rte_flow_field_id id;
    enum eswitch_field field;
} field_rows[] = {
    { RTE_FLOW_FIELD_MAC_DST, ESWITCH_FIELD_ETH_DST },
    { RTE_FLOW_FIELD_MAC_SRC, ESWITCH_FIELD_ETH_SRC },
    { RTE_FLOW_FIELD_MAC_TYPE, ESWITCH_FIELD_ETH_TYPE },
    { RTE_FLOW_FIELD_VLAN_TYPE, ESWITCH_FIELD_VLAN_TYPE },
    { RTE_FLOW_FIELD_VLAN_ID, ESWITCH_FIELD_VLAN_VID },
    { RTE_FLOW_FIELD_IPV4_DSCP, ESWITCH_FIELD_IPV4_DSCP },
    { RTE_FLOW_FIELD_IPV4_ECN, ESWITCH_FIELD_IPV4_ECN },
    { RTE_FLOW_FIELD_IPV4_TTL, ESWITCH_FIELD_IPV4_TTL },
    { RTE_FLOW_FIELD_IPV4_SRC, ESWITCH_FIELD_IPV4_SRC },
    { RTE_FLOW_FIELD_IPV4_DST, ESWITCH_FIELD_IPV4_DST },
    { RTE_FLOW_FIELD_IPV6_DSCP, ESWITCH_FIELD_IPV6_DSCP },
    { RTE_FLOW_FIELD_IPV6_ECN, ESWITCH_FIELD_IPV6_ECN },
    { RTE_FLOW_FIELD_IPV6_HOPLIMIT, ESWITCH_FIELD_IPV6_HLIM },
    { RTE_FLOW_FIELD_IPV6_SRC, ESWITCH_FIELD_IPV6_SRC },
    { RTE_FLOW_FIELD_IPV6_DST, ESWITCH_FIELD_IPV6_DST },
    { RTE_FLOW_FIELD_TCP_PORT_SRC, ESWITCH_FIELD_TCP_SRC },
    { RTE_FLOW_FIELD_TCP_PORT_DST, ESWITCH_FIELD_TCP_DST },
    { RTE_FLOW_FIELD_TCP_SEQ_NUM, ESWITCH_FIELD_TCP_SEQ },
    { RTE_FLOW_FIELD_TCP_ACK_NUM, ESWITCH_FIELD_TCP_ACK },
    { RTE_FLOW_FIELD_TCP_FLAGS, ESWITCH_FIELD_TCP_FLAGS },
    { RTE_FLOW_FIELD_UDP_PORT_SRC, ESWITCH_FIELD_UDP_SRC },
    { RTE_FLOW_FIELD_UDP_PORT_DST, ESWITCH_FIELD_UDP_DST },
    { RTE_FLOW_FIELD_VXLAN_VNI, ESWITCH_FIELD_VXLAN_VNI },
    { RTE_FLOW_FIELD_GENEVE_VNI, ESWITCH_FIELD_GENEVE_VNI },
    { RTE_FLOW_FIELD_MARK, ESWITCH_FIELD_MARK },
};

static int
translate_field(struct eswim_translation *t,
                const struct rte_flow_action *from,
                const struct rte_flow_action_modify_data *data,
                uint32_t width, struct eswitch_field_ref *ref)
{
    for (size_t i = 0; i < RTE_DIM(field_rows); i++) {
        if (field_rows[i].id == data->field) {
            uint32_t bits = field_bits[field_rows[i].field];

            if (!width || data->offset >= bits
                || width > bits - data->offset) {
                return refuse_conf(t, from, EINVAL, "no bits, or beyond the "
                                   "end of the field");
            }
            if (data->level > UINT8_MAX) {
                return refuse_conf(t, from, ENOTSUP, "not that deep");
            }
            ref->field = field_rows[i].field;
            ref->level = data->level;
            return 0;
        }
    }
    return refuse_conf(t, from, ENOTSUP, "this NIC can't rewrite the field");
}

static void
translate_value(const uint8_t *value,
                const struct rte_flow_action_modify_field *conf,
                struct eswitch_action *to)
{
    size_t n = (field_bits[to->modify.field.field] + 7) / 8;
    uint8_t mark[4], flags[2];

    if (to->modify.field.field == ESWITCH_FIELD_TCP_FLAGS
        && conf->dst.offset + conf->width <= 8) {
        /* As long as struct rte_tcp_hdr's, without the ninth. */
        flags[0] = 0;
        flags[1] = value[0];
        value = flags;
    } else if (to->modify.field.field == ESWITCH_FIELD_MARK) {
        /* The only one that is in host byte order. */
        for (int i = 0; i < 4; i++) {
            mark[i] = value[RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? 3 - i : i];
        }
        value = mark;
    }
    set_bits(to, value, n, conf->dst.offset, conf->width);
}

static int
translate_modify_field(struct eswim_translation *t,
                       const struct action_row *row __rte_unused,
                       const struct rte_flow_action *from,
                       struct eswitch_action *to)
{
    static const enum eswitch_op ops[] = {
        [RTE_FLOW_MODIFY_SET] = ESWITCH_OP_SET,
        [RTE_FLOW_MODIFY_ADD] = ESWITCH_OP_ADD,
        [RTE_FLOW_MODIFY_SUB] = ESWITCH_OP_SUB,
    };
    const struct rte_flow_action_modify_field *conf = from->conf;
    struct eswitch_field_ref dst, src;
    int error;

    if ((size_t) conf->operation >= RTE_DIM(ops)) {
        return refuse_conf(t, from, EINVAL, "unknown operation");
    }
    error = translate_field(t, from, &conf->dst, conf->width, &dst);
    if (error) {
        return error;
    }
    if (conf->src.field == RTE_FLOW_FIELD_VALUE
        || conf->src.field == RTE_FLOW_FIELD_POINTER) {
        const uint8_t *value = conf->src.field == RTE_FLOW_FIELD_VALUE
                               ? conf->src.value : conf->src.pvalue;

        if (!value) {
            return refuse_conf(t, from, EINVAL, "null pointer");
        }
        to->modify.field = dst;
        to->modify.op = ops[conf->operation];
        translate_value(value, conf, to);
        return 0;
    }

    error = translate_field(t, from, &conf->src, conf->width, &src);
    if (error) {
        return error;
    }
    to->type = ESWITCH_ACTION_COPY;
    to->copy.dst = dst;
    to->copy.src = src;
    to->copy.dst_ofs = conf->dst.offset;
    to->copy.src_ofs = conf->src.offset;
    to->copy.width = conf->width;
    to->copy.op = ops[conf->operation];
    return 0;
}

/* Tunnels. */

/* What a header is called in the one before it: an Ethernet type, an IP
 * protocol, a UDP port. */
static uint16_t
called_by_previous(enum rte_flow_item_type type)
{
    static const struct {
        enum rte_flow_item_type type;
        uint16_t name;
    } rows[] = {
        { RTE_FLOW_ITEM_TYPE_VLAN, RTE_ETHER_TYPE_VLAN },
        { RTE_FLOW_ITEM_TYPE_IPV4, RTE_ETHER_TYPE_IPV4 },
        { RTE_FLOW_ITEM_TYPE_IPV6, RTE_ETHER_TYPE_IPV6 },
        { RTE_FLOW_ITEM_TYPE_UDP, IPPROTO_UDP },
        { RTE_FLOW_ITEM_TYPE_VXLAN, RTE_VXLAN_DEFAULT_PORT },
    };

    for (size_t i = 0; i < RTE_DIM(rows); i++) {
        if (rows[i].type == type) {
            return rows[i].name;
        }
    }
    return 0;
}

/* Fills in what the caller has left zero because it is plain from what the
 * headers are. */
static void
complete_header(uint8_t *header, enum rte_flow_item_type type,
                enum rte_flow_item_type next_type)
{
    uint16_t next = called_by_previous(next_type);
    rte_be16_t next_be = rte_cpu_to_be_16(next);

    if (type == RTE_FLOW_ITEM_TYPE_ETH || type == RTE_FLOW_ITEM_TYPE_VLAN) {
        uint8_t *field = header + (type == RTE_FLOW_ITEM_TYPE_ETH ? 12 : 2);

        if (!field[0] && !field[1]) {
            memcpy(field, &next_be, 2);
        }
    } else if (type == RTE_FLOW_ITEM_TYPE_IPV4) {
        struct rte_ipv4_hdr *ip = (void *) header;

        ip->version_ihl = ip->version_ihl ? ip->version_ihl : RTE_IPV4_VHL_DEF;
        ip->time_to_live = ip->time_to_live ? ip->time_to_live : 64;
        ip->next_proto_id = next;
    } else if (type == RTE_FLOW_ITEM_TYPE_IPV6) {
        struct rte_ipv6_hdr *ip = (void *) header;

        header[0] = (header[0] & 0x0f) | 0x60;
        ip->hop_limits = ip->hop_limits ? ip->hop_limits : 64;
        ip->proto = next;
    } else if (type == RTE_FLOW_ITEM_TYPE_UDP) {
        struct rte_udp_hdr *udp = (void *) header;

        udp->dst_port = udp->dst_port ? udp->dst_port : next_be;
    } else if (type == RTE_FLOW_ITEM_TYPE_VXLAN) {
        header[0] = header[0] ? header[0] : 0x08;
    }
}

/* Which headers may follow one another. */
static bool
may_follow(enum rte_flow_item_type previous, enum rte_flow_item_type type)
{
    switch ((int) type) {
    case RTE_FLOW_ITEM_TYPE_ETH:
        return previous == RTE_FLOW_ITEM_TYPE_END;
    case RTE_FLOW_ITEM_TYPE_VLAN:
    case RTE_FLOW_ITEM_TYPE_IPV4:
    case RTE_FLOW_ITEM_TYPE_IPV6:
        return previous == RTE_FLOW_ITEM_TYPE_ETH
               || previous == RTE_FLOW_ITEM_TYPE_VLAN;
    case RTE_FLOW_ITEM_TYPE_UDP:
        return previous == RTE_FLOW_ITEM_TYPE_IPV4
               || previous == RTE_FLOW_ITEM_TYPE_IPV6;
    case RTE_FLOW_ITEM_TYPE_VXLAN:
        return previous == RTE_FLOW_ITEM_TYPE_UDP;
    default:
        return false;
    }
}

static const struct rte_flow_item *
skip_void(const struct rte_flow_item *item)
{
    while (item->type == RTE_FLOW_ITEM_TYPE_VOID) {
        item++;
    }
    return item;
}

/* The headers are given as items, of which the masks mean nothing: they only
 * cover what some drivers look at. */
static int
translate_vxlan_encap(struct eswim_translation *t,
                      const struct action_row *row __rte_unused,
                      const struct rte_flow_action *from,
                      struct eswitch_action *to)
{
    const struct rte_flow_action_vxlan_encap *conf = from->conf;
    enum rte_flow_item_type previous = RTE_FLOW_ITEM_TYPE_END;
    const struct rte_flow_item *item = conf->definition;
    uint8_t *header = eswim_scratch(t, 128);
    size_t n = 0;

    if (!header) {
        return rte_errno;
    }
    for (item = item ? skip_void(item) : NULL;
         item && item->type != RTE_FLOW_ITEM_TYPE_END;
         item = skip_void(item + 1)) {
        size_t size = eswim_item_header_size(item->type);

        if (!may_follow(previous, item->type) || !item->spec
            || n + size > 128) {
            return refuse_conf(t, from, EINVAL, "the definition isn't eth, "
                               "vlans, ipv4 or ipv6, udp, vxlan, each with "
                               "a spec");
        }
        memcpy(header + n, item->spec, size);
        complete_header(header + n, item->type, skip_void(item + 1)->type);
        n += size;
        previous = item->type;
    }
    if (previous != RTE_FLOW_ITEM_TYPE_VXLAN) {
        return refuse_conf(t, from, EINVAL, "the definition ends before "
                           "vxlan");
    }
    to->encap.data = header;
    to->encap.size = n;
    return 0;
}

static int
translate_raw_encap(struct eswim_translation *t,
                    const struct action_row *row __rte_unused,
                    const struct rte_flow_action *from,
                    struct eswitch_action *to)
{
    const struct rte_flow_action_raw_encap *conf = from->conf;

    if (!conf->data || !conf->size) {
        return refuse_conf(t, from, EINVAL, "no data");
    }
    if (conf->preserve) {
        return refuse_conf(t, from, ENOTSUP, "\"preserve\" can't be done");
    }
    to->encap.data = conf->data;
    to->encap.size = conf->size;
    return 0;
}

static int
translate_vxlan_decap(struct eswim_translation *t __rte_unused,
                      const struct action_row *row __rte_unused,
                      const struct rte_flow_action *from __rte_unused,
                      struct eswitch_action *to)
{
    to->decap.tunnel = ESWITCH_ITEM_VXLAN;
    return 0;
}

static int
translate_raw_decap(struct eswim_translation *t __rte_unused,
                    const struct action_row *row __rte_unused,
                    const struct rte_flow_action *from,
                    struct eswitch_action *to)
{
    const struct rte_flow_action_raw_decap *conf = from->conf;

    to->raw_decap.size = conf->size;
    return 0;
}

/* Copies. */

static size_t
count_actions(const struct rte_flow_action *actions)
{
    size_t n = 0;

    for (; actions->type != RTE_FLOW_ACTION_TYPE_END; actions++) {
        n += actions->type != RTE_FLOW_ACTION_TYPE_VOID;
    }
    return n;
}

static int
translate_sample(struct eswim_translation *t,
                 const struct action_row *row __rte_unused,
                 const struct rte_flow_action *from,
                 struct eswitch_action *to)
{
    const struct rte_flow_action_sample *conf = from->conf;
    const struct rte_flow_action *sub = conf->actions;
    struct eswitch_action *actions;
    size_t n = 0;
    int error = 0;

    if (!sub) {
        return refuse_conf(t, from, EINVAL, "no actions");
    }
    actions = eswim_scratch(t, count_actions(sub) * sizeof *actions);
    if (!actions) {
        return rte_errno;
    }
    for (; !error && sub->type != RTE_FLOW_ACTION_TYPE_END; sub++) {
        if (sub->type == RTE_FLOW_ACTION_TYPE_SAMPLE) {
            error = refuse(t, sub, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
                           "no samples in samples");
        } else if (sub->type != RTE_FLOW_ACTION_TYPE_VOID) {
            error = translate_action(t, sub, &actions[n++]);
        }
    }
    to->sample.ratio = conf->ratio;
    to->sample.actions = actions;
    to->sample.n_actions = n;
    return error;
}

#define PLAIN(TYPE, ACTION)                                             \
    { .type = RTE_FLOW_ACTION_TYPE_##TYPE,                              \
      .action = ESWITCH_ACTION_##ACTION, .translate = translate_plain }
#define CONF(TYPE, ACTION, TRANSLATE)                                   \
    { .type = RTE_FLOW_ACTION_TYPE_##TYPE,                              \
      .action = ESWITCH_ACTION_##ACTION, .needs_conf = true,            \
      .translate = TRANSLATE }
#define FIELD(TYPE, FIELD, OP, SIZE)                                    \
    { .type = RTE_FLOW_ACTION_TYPE_##TYPE,                              \
      .action = ESWITCH_ACTION_MODIFY, .needs_conf = true,              \
      .translate = translate_set, .field = ESWITCH_FIELD_##FIELD,       \
      .op = ESWITCH_OP_##OP, .size = SIZE }

static const struct action_row action_rows[] = {
    CONF(PORT_ID, OUTPUT, translate_port_id),
    CONF(REPRESENTED_PORT, OUTPUT, translate_ethdev),
    CONF(PORT_REPRESENTOR, SOFTWARE, translate_ethdev),
    PLAIN(DROP, DROP),
    CONF(JUMP, JUMP, translate_jump),
    PLAIN(PASSTHRU, PASSTHRU),
    CONF(QUEUE, QUEUE, translate_queue),
    CONF(RSS, RSS, translate_rss),
    PLAIN(COUNT, COUNT),
    CONF(MARK, MARK, translate_mark),
    PLAIN(OF_POP_VLAN, VLAN_POP),
    CONF(OF_PUSH_VLAN, VLAN_PUSH, translate_push_vlan),
    FIELD(OF_SET_VLAN_VID, VLAN_VID, SET, 2),
    FIELD(OF_SET_VLAN_PCP, VLAN_PCP, SET, 1),
    FIELD(SET_MAC_SRC, ETH_SRC, SET, 6),
    FIELD(SET_MAC_DST, ETH_DST, SET, 6),
    FIELD(SET_IPV4_SRC, IPV4_SRC, SET, 4),
    FIELD(SET_IPV4_DST, IPV4_DST, SET, 4),
    FIELD(SET_IPV6_SRC, IPV6_SRC, SET, 16),
    FIELD(SET_IPV6_DST, IPV6_DST, SET, 16),
    FIELD(SET_IPV4_DSCP, IPV4_DSCP, SET, 1),
    FIELD(SET_IPV6_DSCP, IPV6_DSCP, SET, 1),
    FIELD(SET_TTL, TTL, SET, 1),
    FIELD(SET_TP_SRC, TP_SRC, SET, 2),
    FIELD(SET_TP_DST, TP_DST, SET, 2),
    FIELD(INC_TCP_SEQ, TCP_SEQ, ADD, 4),
    FIELD(DEC_TCP_SEQ, TCP_SEQ, SUB, 4),
    FIELD(INC_TCP_ACK, TCP_ACK, ADD, 4),
    FIELD(DEC_TCP_ACK, TCP_ACK, SUB, 4),
    PLAIN(DEC_TTL, DEC_TTL),
    PLAIN(OF_DEC_NW_TTL, DEC_TTL),
    CONF(MODIFY_FIELD, MODIFY, translate_modify_field),
    CONF(VXLAN_ENCAP, ENCAP, translate_vxlan_encap),
    CONF(RAW_ENCAP, ENCAP, translate_raw_encap),
    { .type = RTE_FLOW_ACTION_TYPE_VXLAN_DECAP,
      .action = ESWITCH_ACTION_DECAP, .translate = translate_vxlan_decap },
    CONF(RAW_DECAP, RAW_DECAP, translate_raw_decap),
    CONF(SAMPLE, SAMPLE, translate_sample),
};

static const struct action_row *
find_row(enum rte_flow_action_type type)
{
    for (size_t i = 0; i < RTE_DIM(action_rows); i++) {
        if (action_rows[i].type == type) {
            return &action_rows[i];
        }
    }
    return NULL;
}

static int
translate_action(struct eswim_translation *t,
                 const struct rte_flow_action *from, struct eswitch_action *to)
{
    const struct action_row *row = find_row(from->type);

    if (!row) {
        return refuse(t, from, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION,
                      "this NIC can't do it");
    }
    if (row->needs_conf && !from->conf) {
        return refuse_conf(t, from, EINVAL, "needs a configuration");
    }
    memset(to, 0, sizeof *to);
    to->type = row->action;
    return row->translate(t, row, from, to);
}

static bool
has_no_place(enum eswitch_action_type type)
{
    return type == ESWITCH_ACTION_COUNT || type == ESWITCH_ACTION_MARK;
}

/* DPDK's users may have a packet counted or marked behind its fate, which is
 * the same as before it, where the eswitch wants it. */
static void
move_before_fate(struct eswim_translation *t)
{
    for (size_t i = 1; i < t->n_actions; i++) {
        for (size_t j = i; j && has_no_place(t->actions[j].type)
                           && eswitch_action_is_fate(t->actions[j - 1].type);
             j--) {
            const struct rte_flow_action *from = t->action_of[j];
            struct eswitch_action action = t->actions[j];

            t->actions[j] = t->actions[j - 1];
            t->action_of[j] = t->action_of[j - 1];
            t->actions[j - 1] = action;
            t->action_of[j - 1] = from;
        }
    }
}

int
eswim_translate_actions(struct eswim_translation *t,
                        const struct rte_flow_action actions[])
{
    int error = 0;

    if (!actions) {
        return eswim_flow_error(t->error, EINVAL,
                                RTE_FLOW_ERROR_TYPE_ACTION_NUM, NULL,
                                "a rule needs actions");
    }
    for (; !error && actions->type != RTE_FLOW_ACTION_TYPE_END; actions++) {
        if (actions->type == RTE_FLOW_ACTION_TYPE_VOID) {
            continue;
        }
        if (t->n_actions >= ESWITCH_MAX_ACTIONS) {
            return refuse(t, actions, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION_NUM,
                          "too many actions");
        }
        t->action_of[t->n_actions] = actions;
        error = translate_action(t, actions, &t->actions[t->n_actions++]);
    }
    move_before_fate(t);
    return error;
}
