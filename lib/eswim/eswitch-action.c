/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-action.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch-names.h"
#include "eswim/eswitch-packet.h"

#define MAX_QUEUES 256

/* Checking. */

enum place { IN_TRANSFER, IN_INGRESS, IN_SAMPLE };

#define PLACE(ID) (1u << (ID))
#define TRANSFER (PLACE(IN_TRANSFER) | PLACE(IN_SAMPLE))

/* Where an action is possible. */
static const uint8_t places[ESWITCH_N_ACTIONS] = {
    [ESWITCH_ACTION_OUTPUT] = TRANSFER,
    [ESWITCH_ACTION_SOFTWARE] = TRANSFER,
    [ESWITCH_ACTION_DROP] = TRANSFER | PLACE(IN_INGRESS),
    [ESWITCH_ACTION_JUMP] = PLACE(IN_TRANSFER) | PLACE(IN_INGRESS),
    [ESWITCH_ACTION_QUEUE] = PLACE(IN_INGRESS),
    [ESWITCH_ACTION_RSS] = PLACE(IN_INGRESS),
    [ESWITCH_ACTION_PASSTHRU] = PLACE(IN_INGRESS),
    [ESWITCH_ACTION_COUNT] = PLACE(IN_TRANSFER) | PLACE(IN_INGRESS),
    [ESWITCH_ACTION_MARK] = TRANSFER | PLACE(IN_INGRESS),
    [ESWITCH_ACTION_VLAN_POP] = TRANSFER,
    [ESWITCH_ACTION_VLAN_PUSH] = TRANSFER,
    [ESWITCH_ACTION_MODIFY] = TRANSFER,
    [ESWITCH_ACTION_COPY] = TRANSFER,
    [ESWITCH_ACTION_DEC_TTL] = TRANSFER,
    [ESWITCH_ACTION_ENCAP] = TRANSFER,
    [ESWITCH_ACTION_DECAP] = TRANSFER,
    [ESWITCH_ACTION_RAW_DECAP] = TRANSFER,
    [ESWITCH_ACTION_SAMPLE] = PLACE(IN_TRANSFER),
};

static const char *const place_names[] = {
    "a transfer rule", "an ingress rule", "a sample",
};

struct checker {
    const struct eswitch_rule *rule;
    uint16_t n_ports;
    struct action_summary *summary;
    struct eswitch_error *error;
    enum place place;
    int i;                          /* Index for complaints: of the rule's own
                                     * action. */
    size_t n;                       /* Actions so far, those of samples too. */
};

#define REFUSE(C, ERRNUM, WHERE, ...) \
    eswitch_complain((C)->error, ERRNUM, WHERE, (C)->i, __VA_ARGS__)

static int check_list(struct checker *, const struct eswitch_action[],
                      size_t n);

static int
check_port(struct checker *c, uint16_t port)
{
    return (port < c->n_ports ? 0
            : REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF, "no port %u", port));
}

static int
check_jump(struct checker *c, const struct eswitch_action *action)
{
    if (action->group == c->rule->group) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF,
                      "jump to the rule's own group");
    }
    c->summary->jump = action;
    return 0;
}

static int
check_count(struct checker *c)
{
    if (c->summary->has_count) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ACTION, "second count");
    }
    c->summary->has_count = true;
    return 0;
}

static int
check_tpid(struct checker *c, uint16_t tpid)
{
    return (tpid == 0x8100 || tpid == 0x88a8 ? 0
            : REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                     "VLAN type 0x%04x is neither 0x8100 nor 0x88a8", tpid));
}

static int
check_field(struct checker *c, const struct eswitch_field_ref *ref)
{
    if (ref->field >= ESWITCH_N_FIELDS) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF, "unknown field");
    } else if (ref->level > PACKET_MAX_LEVEL) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                      "%s of level %u: %d is the last one",
                      eswitch_field_name(ref->field), ref->level,
                      PACKET_MAX_LEVEL);
    }
    return 0;
}

/* That which a field that is one of two would be: both are as wide. */
static const struct eswitch_field_row *
row_of(enum eswitch_field field)
{
    const struct eswitch_field_row *row = &eswitch_fields[field];

    return row->a != row->b ? &eswitch_fields[row->a] : row;
}

/* Bits of byte 'i' of a value of the field. */
static uint8_t
value_bits(const struct eswitch_field_row *row, unsigned i)
{
    return i || !(row->bits % 8) ? 0xff : (1u << row->bits % 8) - 1;
}

static int
check_modify(struct checker *c, const struct eswitch_action *action)
{
    const struct eswitch_field_row *row;
    bool any = false, all = true;
    int error = check_field(c, &action->modify.field);

    if (error) {
        return error;
    }
    row = row_of(action->modify.field.field);
    for (unsigned i = 0; i < eswitch_field_bytes(row); i++) {
        uint8_t bits = value_bits(row, i);

        if (action->modify.mask[i] & ~bits) {
            return REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF,
                          "%s has %u bits", row->name, row->bits);
        }
        any |= action->modify.mask[i];
        all &= action->modify.mask[i] == bits;
    }
    if (!any) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF,
                      "no bit of %s is to be changed", row->name);
    } else if (action->modify.op > ESWITCH_OP_SUB) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                      "unknown operation");
    } else if (action->modify.op != ESWITCH_OP_SET && !all) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                      "a part of %s can only be set", row->name);
    }
    return 0;
}

static int
check_copy(struct checker *c, const struct eswitch_action *action)
{
    const struct eswitch_field_row *dst, *src;
    unsigned width = action->copy.width;
    int error = check_field(c, &action->copy.dst);

    error = error ? error : check_field(c, &action->copy.src);
    if (error) {
        return error;
    }
    dst = row_of(action->copy.dst.field);
    src = row_of(action->copy.src.field);
    if (!width || action->copy.dst_ofs + width > dst->bits
        || action->copy.src_ofs + width > src->bits) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF,
                      "%u bits of %s from bit %u, of %s from bit %u", width,
                      dst->name, action->copy.dst_ofs, src->name,
                      action->copy.src_ofs);
    } else if (action->copy.op > ESWITCH_OP_SUB) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                      "unknown operation");
    } else if (action->copy.op != ESWITCH_OP_SET && width != dst->bits) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                      "a part of %s can only be set", dst->name);
    }
    return 0;
}

static int
check_encap(struct checker *c, const struct eswitch_action *action)
{
    const char *wrong = packet_check_encap(action->encap.data,
                                           action->encap.size);

    return wrong ? REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF, "encap: %s",
                          wrong) : 0;
}

static int
check_decap(struct checker *c, enum eswitch_item_type tunnel)
{
    return (tunnel == ESWITCH_ITEM_VXLAN || tunnel == ESWITCH_ITEM_GENEVE
            || tunnel == ESWITCH_ITEM_GRE ? 0
            : REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                     "decap of %s, which is no tunnel",
                     eswitch_item_name(tunnel)));
}

static int
check_rss(struct checker *c, const struct eswitch_action *action)
{
    return (action->rss.n_queues <= MAX_QUEUES ? 0
            : REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                     "more than %d queues", MAX_QUEUES));
}

static int
check_sample(struct checker *c, const struct eswitch_action *action)
{
    int error;

    if (action->sample.ratio != 1) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION_CONF,
                      "sample of one in %u: only 1 is possible",
                      action->sample.ratio);
    }
    c->place = IN_SAMPLE;
    error = check_list(c, action->sample.actions, action->sample.n_actions);
    c->place = IN_TRANSFER;
    return error;
}

static int
check_conf(struct checker *c, const struct eswitch_action *action)
{
    switch (action->type) {
    case ESWITCH_ACTION_OUTPUT:
    case ESWITCH_ACTION_SOFTWARE:
        return check_port(c, action->port);
    case ESWITCH_ACTION_JUMP:
        return check_jump(c, action);
    case ESWITCH_ACTION_COUNT:
        return check_count(c);
    case ESWITCH_ACTION_VLAN_PUSH:
        return check_tpid(c, action->tpid);
    case ESWITCH_ACTION_MODIFY:
        return check_modify(c, action);
    case ESWITCH_ACTION_COPY:
        return check_copy(c, action);
    case ESWITCH_ACTION_ENCAP:
        return check_encap(c, action);
    case ESWITCH_ACTION_DECAP:
        return check_decap(c, action->decap.tunnel);
    case ESWITCH_ACTION_RAW_DECAP:
        return (action->raw_decap.size ? 0
                : REFUSE(c, EINVAL, ESWITCH_AT_ACTION_CONF,
                         "raw_decap of no bytes"));
    case ESWITCH_ACTION_RSS:
        return check_rss(c, action);
    case ESWITCH_ACTION_SAMPLE:
        return check_sample(c, action);
    case ESWITCH_ACTION_DROP: case ESWITCH_ACTION_QUEUE:
    case ESWITCH_ACTION_PASSTHRU: case ESWITCH_ACTION_MARK:
    case ESWITCH_ACTION_VLAN_POP: case ESWITCH_ACTION_DEC_TTL:
    case ESWITCH_N_ACTIONS:
    default:
        return 0;
    }
}

static int
check_action(struct checker *c, const struct eswitch_action *action)
{
    if (action->type >= ESWITCH_N_ACTIONS) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION, "unknown action %d",
                      (int) action->type);
    } else if (!(places[action->type] & PLACE(c->place))) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ACTION, "%s in %s",
                      eswitch_action_name(action->type),
                      place_names[c->place]);
    } else if (++c->n > ESWITCH_MAX_ACTIONS) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ACTION_NUM,
                      "more than %d actions", ESWITCH_MAX_ACTIONS);
    }
    return check_conf(c, action);
}

static int
check_list(struct checker *c, const struct eswitch_action actions[], size_t n)
{
    const char *fate = NULL;

    for (size_t i = 0; i < n; i++) {
        enum eswitch_action_type type = actions[i].type;
        int error;

        if (c->place != IN_SAMPLE) {
            c->i = i;
        }
        error = check_action(c, &actions[i]);
        if (error) {
            return error;
        } else if (fate && eswitch_actions[type].fate) {
            return REFUSE(c, EINVAL, ESWITCH_AT_ACTION,
                          "second fate, %s, after %s",
                          eswitch_action_name(type), fate);
        } else if (eswitch_actions[type].fate) {
            fate = eswitch_action_name(type);
        } else if (fate) {
            return REFUSE(c, EINVAL, ESWITCH_AT_ACTION,
                          "%s after the fate, %s",
                          eswitch_action_name(type), fate);
        }
    }
    return fate ? 0 : eswitch_complain(
        c->error, EINVAL,
        c->place == IN_SAMPLE ? ESWITCH_AT_ACTION_CONF : ESWITCH_AT_ACTION_NUM,
        c->place == IN_SAMPLE ? c->i : -1, "no fate in %s",
        place_names[c->place]);
}

int
eswitch_actions_check(const struct eswitch_rule *rule, uint16_t n_ports,
                      struct action_summary *summary,
                      struct eswitch_error *error)
{
    struct checker c = {
        .rule = rule, .n_ports = n_ports, .summary = summary, .error = error,
        .place = rule->transfer ? IN_TRANSFER : IN_INGRESS,
    };

    memset(summary, 0, sizeof *summary);
    return check_list(&c, rule->actions, rule->n_actions);
}

/* Copying. */

/* Memory is handed out from 'at' on; 'measure' says how much that will be. */
struct arena {
    bool measure;
    char *at;
    size_t size;
};

static void *
arena_copy(struct arena *arena, const void *data, size_t size)
{
    size_t room = (size + 15) / 16 * 16;
    void *copy = arena->at;

    arena->size += room;
    if (!arena->measure) {
        if (size) {
            memcpy(copy, data, size);
        }
        arena->at += room;
    }
    return copy;
}

static struct eswitch_action *
clone_list(struct arena *arena, const struct eswitch_action *actions, size_t n)
{
    struct eswitch_action *list = arena_copy(arena, actions,
                                             n * sizeof *actions);

    for (size_t i = 0; i < n; i++) {
        struct eswitch_action copy = actions[i];

        if (copy.type == ESWITCH_ACTION_ENCAP) {
            copy.encap.data = arena_copy(arena, copy.encap.data,
                                         copy.encap.size);
        } else if (copy.type == ESWITCH_ACTION_RSS) {
            copy.rss.queues = arena_copy(arena, copy.rss.queues,
                                         copy.rss.n_queues
                                         * sizeof *copy.rss.queues);
        } else if (copy.type == ESWITCH_ACTION_SAMPLE) {
            copy.sample.actions = clone_list(arena, copy.sample.actions,
                                             copy.sample.n_actions);
        }
        if (!arena->measure) {
            list[i] = copy;
        }
    }
    return list;
}

struct eswitch_action *
eswitch_actions_clone(const struct eswitch_action *actions, size_t n)
{
    struct arena arena = { .measure = true };

    clone_list(&arena, actions, n);
    arena.at = malloc(arena.size);
    arena.measure = false;
    return arena.at ? clone_list(&arena, actions, n) : NULL;
}

/* Doing. */

/* A field in a packet: where its bytes are, or the mark. */
struct place_in_packet {
    const struct eswitch_field_row *row;
    size_t ofs;                     /* Of its first byte. */
};

static bool
locate(const struct packet *packet, const struct eswitch_field_ref *ref,
       struct place_in_packet *place)
{
    const struct eswitch_field_row *row = &eswitch_fields[ref->field];
    const struct packet_layer *layer;

    if (row->a != row->b) {
        struct eswitch_field_ref a = { row->a, ref->level };
        struct eswitch_field_ref b = { row->b, ref->level };

        return locate(packet, &a, place) || locate(packet, &b, place);
    }
    place->row = row;
    place->ofs = 0;
    if (ref->field == ESWITCH_FIELD_MARK) {
        return true;
    }
    layer = packet_find(packet, row->item, ref->level);
    if (!layer) {
        return false;
    }
    place->ofs = layer->ofs + row->ofs;
    return true;
}

/* Fields are handled as 16 bytes, at the right: a number of 128 bits. */
#define WIDE 16

/* The bytes in the packet that have a field's bits, and more at both ends. */
static unsigned
span(const struct eswitch_field_row *row)
{
    return (row->bits + row->shift + 7) / 8;
}

static void
shift_right(uint8_t wide[WIDE], unsigned n)
{
    unsigned bytes = n / 8, bits = n % 8;

    for (int i = WIDE - 1; i >= 0; i--) {
        unsigned low = i >= bytes ? wide[i - bytes] : 0;
        unsigned high = i >= bytes + 1 ? wide[i - bytes - 1] : 0;

        wide[i] = (high << 8 | low) >> bits;
    }
}

static void
shift_left(uint8_t wide[WIDE], unsigned n)
{
    unsigned bytes = n / 8, bits = n % 8;

    for (unsigned i = 0; i < WIDE; i++) {
        unsigned high = i + bytes < WIDE ? wide[i + bytes] : 0;
        unsigned low = i + bytes + 1 < WIDE ? wide[i + bytes + 1] : 0;

        wide[i] = (high << 8 | low) << bits >> 8;
    }
}

/* The lowest 'width' bits on. */
static void
ones(uint8_t wide[WIDE], unsigned width)
{
    for (unsigned i = 0; i < WIDE; i++) {
        unsigned below = 8 * (WIDE - 1 - i);

        wide[i] = (width >= below + 8 ? 0xff
                   : width > below ? (1u << (width - below)) - 1 : 0);
    }
}

static void
read_field(const struct packet *packet, const struct place_in_packet *place,
           uint8_t wide[WIDE])
{
    unsigned n = span(place->row);
    uint8_t mask[WIDE];

    memset(wide, 0, WIDE);
    if (place->row->item == ESWITCH_ITEM_MARK) {
        put_be16(wide + WIDE - 4, packet->mark >> 16);
        put_be16(wide + WIDE - 2, packet->mark);
        return;
    }
    memcpy(wide + WIDE - n, packet->data + place->ofs, n);
    shift_right(wide, place->row->shift);
    ones(mask, place->row->bits);
    for (unsigned i = 0; i < WIDE; i++) {
        wide[i] &= mask[i];
    }
}

static void
write_field(struct packet *packet, const struct place_in_packet *place,
            uint8_t wide[WIDE])
{
    unsigned n = span(place->row);
    uint8_t mask[WIDE], *bytes = wide + WIDE - n;

    if (place->row->item == ESWITCH_ITEM_MARK) {
        packet->mark = get_be32(wide + WIDE - 4);
        packet->has_mark = true;
        return;
    }
    ones(mask, place->row->bits);
    shift_left(mask, place->row->shift);
    shift_left(wide, place->row->shift);
    for (unsigned i = 0; i < n; i++) {
        uint8_t m = mask[WIDE - n + i];

        bytes[i] = (bytes[i] & m) | (packet->data[place->ofs + i] & ~m);
    }
    packet_poke(packet, place->ofs, bytes, n);
}

/* dst = dst 'op' src under 'mask'; additions wrap around at the width of the
 * field, because what is above isn't written. */
static void
combine(enum eswitch_op op, uint8_t dst[WIDE], const uint8_t src[WIDE],
        const uint8_t mask[WIDE])
{
    unsigned carry = op == ESWITCH_OP_SUB;

    for (int i = WIDE - 1; i >= 0; i--) {
        uint8_t value = src[i] & mask[i];

        if (op == ESWITCH_OP_SET) {
            dst[i] = (dst[i] & ~mask[i]) | value;
        } else {
            carry += dst[i] + (uint8_t) (op == ESWITCH_OP_SUB ? ~value
                                                              : value);
            dst[i] = carry;
            carry >>= 8;
        }
    }
}

/* Which headers there are may depend on the field. */
static void
parse_after(struct packet *packet, const struct eswitch_field_row *row)
{
    if (row == &eswitch_fields[ESWITCH_FIELD_ETH_TYPE]
        || row == &eswitch_fields[ESWITCH_FIELD_VLAN_TYPE]
        || row == &eswitch_fields[ESWITCH_FIELD_UDP_DST]) {
        packet_parse(packet);
    }
}

static bool
do_modify(const struct eswitch_action *action, struct packet *packet)
{
    uint8_t dst[WIDE], src[WIDE] = { 0 }, mask[WIDE] = { 0 };
    struct place_in_packet place;
    unsigned n;

    if (!locate(packet, &action->modify.field, &place)) {
        return false;
    }
    n = eswitch_field_bytes(place.row);
    memcpy(src + WIDE - n, action->modify.value, n);
    memcpy(mask + WIDE - n, action->modify.mask, n);
    read_field(packet, &place, dst);
    combine(action->modify.op, dst, src, mask);
    write_field(packet, &place, dst);
    parse_after(packet, place.row);
    return true;
}

static bool
do_copy(const struct eswitch_action *action, struct packet *packet)
{
    struct place_in_packet dst_place, src_place;
    uint8_t dst[WIDE], src[WIDE], mask[WIDE];

    if (!locate(packet, &action->copy.dst, &dst_place)
        || !locate(packet, &action->copy.src, &src_place)) {
        return false;
    }
    read_field(packet, &dst_place, dst);
    read_field(packet, &src_place, src);
    shift_right(src, action->copy.src_ofs);
    shift_left(src, action->copy.dst_ofs);
    ones(mask, action->copy.width);
    shift_left(mask, action->copy.dst_ofs);
    combine(action->copy.op, dst, src, mask);
    write_field(packet, &dst_place, dst);
    parse_after(packet, dst_place.row);
    return true;
}

static bool
do_dec_ttl(struct packet *packet)
{
    static const struct eswitch_field_ref ref = { ESWITCH_FIELD_TTL, 1 };
    struct place_in_packet place;
    uint8_t ttl;

    if (!locate(packet, &ref, &place)) {
        return false;
    }
    ttl = packet->data[place.ofs];
    if (ttl <= 1) {
        return false;
    }
    ttl--;
    packet_poke(packet, place.ofs, &ttl, 1);
    return true;
}

bool
eswitch_action_do(const struct eswitch_action *action, struct packet *packet)
{
    switch (action->type) {
    case ESWITCH_ACTION_MARK:
        packet->has_mark = true;
        packet->mark = action->mark;
        return true;
    case ESWITCH_ACTION_VLAN_POP:
        return packet_vlan_pop(packet);
    case ESWITCH_ACTION_VLAN_PUSH:
        return packet_vlan_push(packet, action->tpid);
    case ESWITCH_ACTION_MODIFY:
        return do_modify(action, packet);
    case ESWITCH_ACTION_COPY:
        return do_copy(action, packet);
    case ESWITCH_ACTION_DEC_TTL:
        return do_dec_ttl(packet);
    case ESWITCH_ACTION_ENCAP:
        return packet_encap(packet, action->encap.data, action->encap.size);
    case ESWITCH_ACTION_DECAP:
        return packet_decap(packet, action->decap.tunnel);
    case ESWITCH_ACTION_RAW_DECAP:
        return packet_raw_decap(packet, action->raw_decap.size);
    case ESWITCH_ACTION_OUTPUT: case ESWITCH_ACTION_SOFTWARE:
    case ESWITCH_ACTION_DROP: case ESWITCH_ACTION_JUMP:
    case ESWITCH_ACTION_QUEUE: case ESWITCH_ACTION_RSS:
    case ESWITCH_ACTION_PASSTHRU: case ESWITCH_ACTION_COUNT:
    case ESWITCH_ACTION_SAMPLE: case ESWITCH_N_ACTIONS:
    default:
        return false;
    }
}
