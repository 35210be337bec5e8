/* SPDX-License-Identifier: Apache-2.0 */

/* The actions of a rule, as rte_flow actions.
 *
 * An rte_flow rule has one fate.  So of several outputs, all but the last go
 * to a copy: SAMPLE, each packet.  What is done to a packet after its last
 * output nobody sees, and isn't encoded. */

#include <config.h>

#include "rte/rte-encode.h"

#include <errno.h>
#include <string.h>

#include "offload-action.h"
#include "offload-field.h"
#include "offload-port.h"
#include "offload-rule.h"
#include "packets.h"
#include "util.h"

struct encoder {
    const struct offload_rule *rule;
    struct rte_encoding *enc;
    struct offload_refusal *refusal;

    /* Where actions go: the rule's, or those of a sample. */
    struct rte_flow_action *actions;
    size_t n, max;
    bool in_sample;
};

static int encode_list(struct encoder *, const struct offload_action *,
                       size_t n);

static int
refuse_too_long(struct encoder *e)
{
    return offload_refuse(e->refusal, OFFLOAD_REFUSED_TOO_MANY_ACTIONS,
                          "actions", NULL, "%s", "too many for one rule");
}

/* Appends an action with a configuration of 'size' bytes, zeros, to which
 * '*confp' is set. */
static int
put_action(struct encoder *e, enum rte_flow_action_type type, size_t size,
           void *confp)
{
    void *conf = size ? rte_encoding_alloc(e->enc, size) : NULL;

    if (e->n >= e->max || (size && !conf)) {
        return refuse_too_long(e);
    }
    e->actions[e->n++] = (struct rte_flow_action) {
        .type = type, .conf = conf,
    };
    if (size) {
        memcpy(confp, &conf, sizeof conf);
    }
    return 0;
}

static int
put_plain(struct encoder *e, enum rte_flow_action_type type)
{
    return put_action(e, type, 0, NULL);
}

/* Output. */

static int
put_output(struct encoder *e, const struct rte_port *port)
{
    struct rte_flow_action_ethdev *ethdev = NULL;
    struct rte_flow_action_port_id *port_id = NULL;
    int error;

    if (port->represented) {
        error = put_action(e, RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT,
                           sizeof *ethdev, &ethdev);
        if (!error) {
            ethdev->port_id = port->id;
        }
    } else {
        error = put_action(e, RTE_FLOW_ACTION_TYPE_PORT_ID, sizeof *port_id,
                           &port_id);
        if (!error) {
            port_id->id = port->id;
        }
    }
    return error;
}

static int
encode_output(struct encoder *e, const struct offload_action *action)
{
    const struct offload_port *port = action->output.port;
    const struct rte_port *out = rte_port_from_aux(port->aux);
    const char *why = NULL;

    if (offload_port_kind_is_tunnel(port->kind)) {
        why = "a tunnel";
    } else if (!out) {
        why = "not a port of DPDK that can be offloaded";
    } else if (out->owner != e->enc->owner || !out->transfer) {
        why = "not a port of the same NIC";
    }
    return (why
            ? offload_refuse(e->refusal, OFFLOAD_REFUSED_OUT_PORT, "output",
                             NULL, "%s is %s", port->name, why)
            : put_output(e, out));
}

/* Encodes 'n' actions as what is done to a copy. */
static int
put_sample(struct encoder *e, const struct offload_action *action, size_t n)
{
    struct rte_flow_action_sample *sample = NULL;
    struct encoder sub = *e;
    int error;

    if (e->in_sample) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION_ORDER,
                              "clone", NULL, "%s",
                              "several outputs of a copy");
    }
    error = put_action(e, RTE_FLOW_ACTION_TYPE_SAMPLE, sizeof *sample,
                       &sample);
    if (error) {
        return error;
    }
    sub.in_sample = true;
    sub.n = 0;
    sub.max = 32;
    sub.actions = rte_encoding_alloc(e->enc, sub.max * sizeof *sub.actions);
    if (!sub.actions) {
        return refuse_too_long(e);
    }
    error = encode_list(&sub, action, n);
    if (!error) {
        error = put_plain(&sub, RTE_FLOW_ACTION_TYPE_END);
    }
    sample->ratio = 1;
    sample->actions = sub.actions;
    return error;
}

/* VLAN. */

static int
encode_push_vlan(struct encoder *e, const struct offload_action *action)
{
    struct rte_flow_action_of_push_vlan *push = NULL;
    struct rte_flow_action_of_set_vlan_vid *vid = NULL;
    struct rte_flow_action_of_set_vlan_pcp *pcp = NULL;
    int error;

    error = put_action(e, RTE_FLOW_ACTION_TYPE_OF_PUSH_VLAN, sizeof *push,
                       &push);
    if (!error) {
        push->ethertype = action->push_vlan.tpid;
        error = put_action(e, RTE_FLOW_ACTION_TYPE_OF_SET_VLAN_VID,
                           sizeof *vid, &vid);
    }
    if (!error) {
        vid->vlan_vid = htons(action->push_vlan.vid);
        error = put_action(e, RTE_FLOW_ACTION_TYPE_OF_SET_VLAN_PCP,
                           sizeof *pcp, &pcp);
    }
    if (!error) {
        pcp->vlan_pcp = action->push_vlan.pcp;
    }
    return error;
}

static int
encode_pop_vlan(struct encoder *e,
                const struct offload_action *action OVS_UNUSED)
{
    return put_plain(e, RTE_FLOW_ACTION_TYPE_OF_POP_VLAN);
}

/* Rewriting.
 *
 * A whole field has an action of its own, which drivers have had for long; a
 * part of a field is a MODIFY_FIELD, whose value is a number of the size of
 * the whole field, in network byte order.  Bits are counted from the least
 * significant one. */

struct set_row {
    enum rte_flow_action_type whole;    /* Its conf is the field's bytes; 0:
                                         * there is none. */
    enum rte_flow_field_id field;
    enum rte_flow_field_id low;         /* The lower 'low_bits' of the byte are
                                         * a field of their own. */
    uint8_t low_bits;
};

#define WHOLE(ACTION, FIELD)                                            \
    { RTE_FLOW_ACTION_TYPE_SET_##ACTION, RTE_FLOW_FIELD_##FIELD, 0, 0 }
#define DSCP_ECN(IP) { RTE_FLOW_ACTION_TYPE_END, RTE_FLOW_FIELD_##IP##_DSCP, \
                       RTE_FLOW_FIELD_##IP##_ECN, 2 }

static const struct set_row set_rows[OFFLOAD_N_FIELDS] = {
    [OFFLOAD_FIELD_ETH_SRC] = WHOLE(MAC_SRC, MAC_SRC),
    [OFFLOAD_FIELD_ETH_DST] = WHOLE(MAC_DST, MAC_DST),
    [OFFLOAD_FIELD_IPV4_SRC] = WHOLE(IPV4_SRC, IPV4_SRC),
    [OFFLOAD_FIELD_IPV4_DST] = WHOLE(IPV4_DST, IPV4_DST),
    [OFFLOAD_FIELD_IP_TOS] = DSCP_ECN(IPV4),
    [OFFLOAD_FIELD_IP_TTL] = WHOLE(TTL, IPV4_TTL),
    [OFFLOAD_FIELD_IPV6_SRC] = WHOLE(IPV6_SRC, IPV6_SRC),
    [OFFLOAD_FIELD_IPV6_DST] = WHOLE(IPV6_DST, IPV6_DST),
    [OFFLOAD_FIELD_IPV6_TCLASS] = DSCP_ECN(IPV6),
    [OFFLOAD_FIELD_IPV6_HLIMIT] = WHOLE(TTL, IPV6_HOPLIMIT),
    [OFFLOAD_FIELD_TCP_SRC] = WHOLE(TP_SRC, TCP_PORT_SRC),
    [OFFLOAD_FIELD_TCP_DST] = WHOLE(TP_DST, TCP_PORT_DST),
    [OFFLOAD_FIELD_UDP_SRC] = WHOLE(TP_SRC, UDP_PORT_SRC),
    [OFFLOAD_FIELD_UDP_DST] = WHOLE(TP_DST, UDP_PORT_DST),
};

bool
rte_can_set(enum offload_field_id id)
{
    return set_rows[id].field != 0;
}

/* The bit 'i', counted from the least significant, of a number. */
static bool
get_bit(const uint8_t *bytes, size_t size, size_t i)
{
    return bytes[size - 1 - i / 8] >> (i % 8) & 1;
}

static int
put_modify(struct encoder *e, enum rte_flow_field_id field,
           const uint8_t *value, size_t size, size_t ofs, size_t width)
{
    struct rte_flow_action_modify_field *modify = NULL;
    int error;

    error = put_action(e, RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, sizeof *modify,
                       &modify);
    if (!error) {
        modify->operation = RTE_FLOW_MODIFY_SET;
        modify->dst.field = field;
        modify->dst.offset = ofs;
        modify->src.field = RTE_FLOW_FIELD_VALUE;
        memcpy(modify->src.value, value, size);
        modify->width = width;
    }
    return error;
}

/* An action for each run of bits that are on in 'mask'. */
static int
put_modify_runs(struct encoder *e, enum rte_flow_field_id field,
                const uint8_t *value, const uint8_t *mask, size_t size)
{
    size_t n = size * 8;
    int error = 0;

    for (size_t i = 0; i < n && !error; ) {
        size_t start = i;

        while (i < n && get_bit(mask, size, i)) {
            i++;
        }
        if (i > start) {
            error = put_modify(e, field, value, size, start, i - start);
        } else {
            i++;
        }
    }
    return error;
}

/* A byte that is two fields. */
static int
put_modify_two(struct encoder *e, const struct set_row *row, uint8_t value,
               uint8_t mask)
{
    uint8_t low_mask = (1u << row->low_bits) - 1;
    uint8_t low = value & low_mask, low_m = mask & low_mask;
    uint8_t high = value >> row->low_bits, high_m = mask >> row->low_bits;
    int error = put_modify_runs(e, row->field, &high, &high_m, 1);

    return error ? error : put_modify_runs(e, row->low, &low, &low_m, 1);
}

static int
encode_set_field(struct encoder *e, const struct offload_action *action)
{
    enum offload_field_id id = action->set_field.field;
    const struct offload_field *field = offload_field_get(id);
    const struct set_row *row = &set_rows[id];
    const uint8_t *value = action->set_field.value;
    const uint8_t *mask = action->set_field.mask;
    uint8_t *conf = NULL;
    int error;

    if (!rte_can_set(id)) {
        return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION, field->name,
                              NULL, "no rte_flow action sets it");
    }
    if (row->low_bits) {
        return put_modify_two(e, row, value[0], mask[0]);
    }
    if (!row->whole || !is_all_ones(mask, field->size)) {
        return put_modify_runs(e, row->field, value, mask, field->size);
    }
    error = put_action(e, row->whole, field->size, &conf);
    if (!error) {
        memcpy(conf, value, field->size);
    }
    return error;
}

/* Tunnels. */

/* VXLAN over IPv4 or IPv6 as a list of items, which is what drivers do best:
 * they choose the source port. */
static int
put_vxlan_encap(struct encoder *e, const uint8_t *header)
{
    struct rte_flow_action_vxlan_encap *encap = NULL;
    struct rte_flow_item *items;
    ovs_be16 type;
    size_t ip_len;
    int error;

    memcpy(&type, header + offsetof(struct eth_header, eth_type), sizeof type);
    ip_len = type == htons(ETH_TYPE_IP) ? IP_HEADER_LEN : IPV6_HEADER_LEN;

    error = put_action(e, RTE_FLOW_ACTION_TYPE_VXLAN_ENCAP, sizeof *encap,
                       &encap);
    if (error) {
        return error;
    }
    struct {
        enum rte_flow_item_type type;
        size_t len, size;       /* Of the header, of the item's spec. */
    } parts[] = {
        { RTE_FLOW_ITEM_TYPE_ETH, ETH_HEADER_LEN,
          sizeof(struct rte_flow_item_eth) },
        { ip_len == IP_HEADER_LEN ? RTE_FLOW_ITEM_TYPE_IPV4
          : RTE_FLOW_ITEM_TYPE_IPV6, ip_len,
          sizeof(struct rte_flow_item_ipv6) },
        { RTE_FLOW_ITEM_TYPE_UDP, UDP_HEADER_LEN,
          sizeof(struct rte_flow_item_udp) },
        { RTE_FLOW_ITEM_TYPE_VXLAN, 8, sizeof(struct rte_flow_item_vxlan) },
    };
    items = rte_encoding_alloc(e->enc,
                               (ARRAY_SIZE(parts) + 1) * sizeof *items);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        uint8_t *spec = rte_encoding_alloc(e->enc, parts[i].size);
        uint8_t *mask = rte_encoding_alloc(e->enc, parts[i].size);

        if (!items || !spec || !mask) {
            return refuse_too_long(e);
        }
        memcpy(spec, header, parts[i].len);
        memset(mask, 0xff, parts[i].len);
        header += parts[i].len;
        items[i] = (struct rte_flow_item) {
            .type = parts[i].type, .spec = spec, .mask = mask,
        };
    }
    items[ARRAY_SIZE(parts)].type = RTE_FLOW_ITEM_TYPE_END;
    encap->definition = items;
    return 0;
}

static int
encode_tunnel_push(struct encoder *e, const struct offload_action *action)
{
    const uint8_t *header = action->tunnel_push.header;
    size_t len = action->tunnel_push.header_len;
    struct rte_flow_action_raw_encap *raw = NULL;
    uint8_t *data;
    int error;

    if (action->tunnel_push.kind == OFFLOAD_PORT_VXLAN) {
        return put_vxlan_encap(e, header);
    }
    error = put_action(e, RTE_FLOW_ACTION_TYPE_RAW_ENCAP, sizeof *raw, &raw);
    if (error) {
        return error;
    }
    data = rte_encoding_alloc(e->enc, len);
    if (!data) {
        return refuse_too_long(e);
    }
    memcpy(data, header, len);
    raw->data = data;
    raw->size = len;
    return 0;
}

/* The rule of a tunnel's port takes off what the packet came in. */
static int
put_decap(struct encoder *e)
{
    struct rte_flow_action_raw_decap *raw = NULL;
    uint8_t *data;
    size_t len;
    int error;

    if (e->rule->in_port->kind == OFFLOAD_PORT_VXLAN) {
        return put_plain(e, RTE_FLOW_ACTION_TYPE_VXLAN_DECAP);
    }
    len = rte_outer_size(e->enc, e->rule);
    error = put_action(e, RTE_FLOW_ACTION_TYPE_RAW_DECAP, sizeof *raw, &raw);
    if (error) {
        return error;
    }
    data = rte_encoding_alloc(e->enc, len);
    if (!data) {
        return refuse_too_long(e);
    }
    raw->data = data;
    raw->size = len;
    return 0;
}

static int
encode_tunnel_pop(struct encoder *e, const struct offload_action *action)
{
    struct rte_flow_action_jump *jump = NULL;
    int error = put_action(e, RTE_FLOW_ACTION_TYPE_JUMP, sizeof *jump, &jump);

    if (!error) {
        jump->group = rte_tunnel_group(action->tunnel_pop.port);
    }
    return error;
}

/* The list. */

/* By kind.  What isn't here is refused by name; CLONE is encode_list()'s. */
static int (*const encoders[OFFLOAD_N_ACTIONS])(
    struct encoder *, const struct offload_action *) = {
    [OFFLOAD_ACT_OUTPUT] = encode_output,
    [OFFLOAD_ACT_PUSH_VLAN] = encode_push_vlan,
    [OFFLOAD_ACT_POP_VLAN] = encode_pop_vlan,
    [OFFLOAD_ACT_SET_FIELD] = encode_set_field,
    [OFFLOAD_ACT_TUNNEL_PUSH] = encode_tunnel_push,
    [OFFLOAD_ACT_TUNNEL_POP] = encode_tunnel_pop,
};

bool
rte_can_do(enum offload_action_kind kind)
{
    return encoders[kind] || kind == OFFLOAD_ACT_CLONE;
}

static size_t
n_nested(const struct offload_action *action)
{
    return action->kind == OFFLOAD_ACT_CLONE ? action->clone.n : 0;
}

static bool
has_output(const struct offload_action *actions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (actions[i].kind == OFFLOAD_ACT_OUTPUT
            || actions[i].kind == OFFLOAD_ACT_TUNNEL_POP) {
            return true;
        }
    }
    return false;
}

static int
encode_one(struct encoder *e, const struct offload_action *action, bool last)
{
    enum offload_action_kind kind = action->kind;
    bool output = kind == OFFLOAD_ACT_OUTPUT;

    if (kind == OFFLOAD_ACT_CLONE) {
        return (!has_output(action + 1, action->clone.n) ? 0
                : last ? encode_list(e, action + 1, action->clone.n)
                : put_sample(e, action + 1, action->clone.n));
    }
    return output && !last ? put_sample(e, action, 1)
                           : encoders[kind](e, action);
}

/* Encodes 'actions' so that they end in a fate. */
static int
encode_list(struct encoder *e, const struct offload_action *actions, size_t n)
{
    if (!has_output(actions, n)) {
        return put_plain(e, RTE_FLOW_ACTION_TYPE_DROP);
    }
    for (size_t i = 0; i < n; ) {
        size_t next = i + 1 + n_nested(&actions[i]);
        bool last = !has_output(&actions[next], n - next);
        int error = encode_one(e, &actions[i], last);

        if (error || (last && has_output(&actions[i], next - i))) {
            return error;
        }
        i = next;
    }
    OVS_NOT_REACHED();
}

/* Partial offload: packets carry the flow's mark and are spread over all
 * queues, as without a rule. */
static int
put_mark(struct encoder *e, uint16_t n_queues)
{
    struct rte_flow_action_mark *mark = NULL;
    struct rte_flow_action_rss *rss = NULL;
    uint16_t *queues;
    int error;

    error = put_action(e, RTE_FLOW_ACTION_TYPE_MARK, sizeof *mark, &mark);
    if (!error) {
        mark->id = e->rule->mark;
        error = put_action(e, RTE_FLOW_ACTION_TYPE_RSS, sizeof *rss, &rss);
    }
    if (error) {
        return error;
    }
    n_queues = MIN(MAX(n_queues, 1), RTE_MAX_QUEUES);
    queues = rte_encoding_alloc(e->enc, n_queues * sizeof *queues);
    if (!queues) {
        return refuse_too_long(e);
    }
    for (size_t i = 0; i < n_queues; i++) {
        queues[i] = i;
    }
    rss->func = RTE_ETH_HASH_FUNCTION_DEFAULT;
    rss->queue = queues;
    rss->queue_num = n_queues;
    return 0;
}

static bool
only_jumps(const struct offload_rule *rule)
{
    return (rule->n_actions == 1
            && rule->actions[0].kind == OFFLOAD_ACT_TUNNEL_POP);
}

/* Refuses by name what nobody here can do, wherever it is: what comes after
 * the last output may do more than change the packet. */
static int
check_kinds(struct encoder *e)
{
    for (size_t i = 0; i < e->rule->n_actions; i++) {
        enum offload_action_kind kind = e->rule->actions[i].kind;

        if (!rte_can_do(kind)) {
            return offload_refuse(e->refusal, OFFLOAD_REFUSED_ACTION,
                                  offload_action_name(kind), NULL, "%s", "");
        }
    }
    return 0;
}

/* Taking off a tunnel's headers comes before counting, which counts bytes of
 * the packet as the tunnel's port sees it. */
static int
put_all(struct encoder *e)
{
    struct rte_flow_action_count *count = NULL;
    int error = check_kinds(e);

    if (!error && offload_port_kind_is_tunnel(e->rule->in_port->kind)) {
        error = put_decap(e);
    }
    if (!error && !only_jumps(e->rule)) {
        error = put_action(e, RTE_FLOW_ACTION_TYPE_COUNT, sizeof *count,
                           &count);
        e->enc->counts = true;
    }
    return (error ? error
            : encode_list(e, e->rule->actions, e->rule->n_actions));
}

int
rte_actions_encode(const struct offload_rule *rule, uint16_t n_queues,
                   struct rte_encoding *enc, struct offload_refusal *refusal)
{
    struct encoder e = {
        .rule = rule,
        .enc = enc,
        .refusal = refusal,
        .actions = enc->actions,
        .max = RTE_MAX_ACTIONS - 1,
    };
    int error;

    error = enc->partial ? put_mark(&e, n_queues) : put_all(&e);
    if (!error) {
        e.actions[e.n++] = (struct rte_flow_action) {
            .type = RTE_FLOW_ACTION_TYPE_END };
        enc->n_actions = e.n;
    }
    return error;
}
