/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-match.h"

#include <errno.h>
#include <string.h>

#include "eswim/eswitch-names.h"
#include "eswim/eswitch-packet.h"

#define ITEM(ID) (1u << ESWITCH_ITEM_##ID)
#define ANY_ETH (ITEM(ETH) | ITEM(VLAN))
#define ANY_IP (ITEM(IPV4) | ITEM(IPV6) | ITEM(IPV6_FRAG_EXT))
#define ANY_TUNNEL (ITEM(VXLAN) | ITEM(GENEVE) | ITEM(GRE))

/* After which items one may come, and the Ethernet type or IP protocol that
 * it has there, 0 if there are several. */
struct order {
    uint32_t after;
    uint16_t eth_type;
    uint8_t ip_proto;
};

static const struct order orders[ESWITCH_N_ITEMS] = {
    [ESWITCH_ITEM_ETH] = { ANY_TUNNEL, 0, 0 },
    [ESWITCH_ITEM_VLAN] = { ANY_ETH, 0, 0 },
    [ESWITCH_ITEM_MPLS] = { ANY_ETH | ITEM(MPLS), 0, 0 },
    [ESWITCH_ITEM_ARP] = { ANY_ETH, 0x0806, 0 },
    [ESWITCH_ITEM_IPV4] = { ANY_ETH | ITEM(GENEVE) | ITEM(GRE), 0x0800, 0 },
    [ESWITCH_ITEM_IPV6] = { ANY_ETH | ITEM(GENEVE) | ITEM(GRE), 0x86dd, 0 },
    [ESWITCH_ITEM_IPV6_FRAG_EXT] = { ITEM(IPV6), 0, 0 },
    [ESWITCH_ITEM_TCP] = { ANY_IP, 0, 6 },
    [ESWITCH_ITEM_UDP] = { ANY_IP, 0, 17 },
    [ESWITCH_ITEM_SCTP] = { ANY_IP, 0, 132 },
    [ESWITCH_ITEM_ICMP] = { ITEM(IPV4), 0, 1 },
    [ESWITCH_ITEM_ICMP6] = { ITEM(IPV6) | ITEM(IPV6_FRAG_EXT), 0, 58 },
    [ESWITCH_ITEM_VXLAN] = { ITEM(UDP), 0, 0 },
    [ESWITCH_ITEM_GENEVE] = { ITEM(UDP), 0, 0 },
    [ESWITCH_ITEM_GRE] = { ANY_IP, 0, 47 },
};

/* What can be said of a header beyond its bytes. */
static uint32_t
flags_of(enum eswitch_item_type item)
{
    return (item == ESWITCH_ITEM_ETH || item == ESWITCH_ITEM_VLAN
            ? ESWITCH_HAS_VLAN
            : item == ESWITCH_ITEM_IPV6 ? ESWITCH_HAS_FRAG_EXT : 0);
}

/* Fields whose being other than 0 can be matched, as a flag of the layer. */
struct fragment_range {
    enum eswitch_item_type item;
    uint8_t ofs;                    /* Of a 16-bit field. */
    uint16_t mask;                  /* All that is masked of it. */
    uint8_t flag;
};

static const struct fragment_range fragment_ranges[] = {
    { ESWITCH_ITEM_IPV4, 6, 0x1fff, LAYER_LATER },
    { ESWITCH_ITEM_IPV4, 6, 0x3fff, LAYER_FRAGMENT },
    { ESWITCH_ITEM_IPV6_FRAG_EXT, 2, 0xfff8, LAYER_LATER },
    { ESWITCH_ITEM_IPV6_FRAG_EXT, 2, 0xfff9, LAYER_FRAGMENT },
};
#define N_RANGES (sizeof fragment_ranges / sizeof *fragment_ranges)

/* Compiling. */

struct compiler {
    const struct eswitch_rule *rule;
    struct match_shape *shape;
    uint8_t *key;
    struct eswitch_error *error;
    int i;                          /* The item at hand, by its index. */
    bool has_port, has_mark;
    /* The last item that is a header. */
    const struct eswitch_item *prev;
};

#define REFUSE(C, ERRNUM, WHERE, ...) \
    eswitch_complain((C)->error, ERRNUM, WHERE, (C)->i, __VA_ARGS__)

static const struct eswitch_item *
item_of(const struct compiler *c)
{
    return &c->rule->items[c->i];
}

/* A part of 'size' bytes; null if the key is full.  Parts begin at multiples
 * of 8, for the sake of speed. */
static struct match_part *
add_part(struct compiler *c, enum match_part_type type, size_t size)
{
    struct match_shape *shape = c->shape;
    struct match_part *part = &shape->parts[shape->n_parts];
    size_t room = (size + 7) / 8 * 8;

    if (shape->key_size + room > MATCH_MAX_KEY) {
        REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM, "match is too large");
        return NULL;
    }
    shape->n_parts++;
    part->type = type;
    part->header = shape->n_headers ? shape->n_headers - 1 : 0;
    part->size = size;
    part->key_ofs = shape->key_size;
    shape->key_size += room;
    return part;
}

static void
set_part(struct compiler *c, const struct match_part *part,
         const uint8_t *spec, const uint8_t *mask)
{
    for (size_t i = 0; i < part->size; i++) {
        c->shape->mask[part->key_ofs + i] = mask[i];
        c->key[part->key_ofs + i] = spec[i] & mask[i];
    }
}

static int
add_bytes(struct compiler *c, enum match_part_type type, const void *spec,
          const void *mask, size_t size)
{
    struct match_part *part = add_part(c, type, size);

    if (!part) {
        return ENOTSUP;
    }
    set_part(c, part, spec, mask);
    return 0;
}

/* The bytes from the first to the last one with a bit in the mask. */
static int
add_header_bytes(struct compiler *c, const uint8_t *spec, const uint8_t *mask,
                 size_t size)
{
    size_t first = 0, end = size;
    struct match_part *part;

    while (end && !mask[end - 1]) {
        end--;
    }
    while (first < end && !mask[first]) {
        first++;
    }
    if (first == end) {
        return 0;
    }
    part = add_part(c, MATCH_BYTES, end - first);
    if (!part) {
        return ENOTSUP;
    }
    part->ofs = first;
    set_part(c, part, spec + first, mask + first);
    return 0;
}

static int
add_flags(struct compiler *c, uint8_t flags, uint8_t mask)
{
    return mask ? add_bytes(c, MATCH_FLAGS, &flags, &mask, 1) : 0;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
    while (n && !*p) {
        p++, n--;
    }
    return !n;
}

/* The row if 'last' makes the field a range from 1 to all ones. */
static const struct fragment_range *
range_of(const struct eswitch_item *item)
{
    const uint8_t *spec = item->spec, *last = item->last, *mask = item->mask;

    for (size_t i = 0; i < N_RANGES; i++) {
        const struct fragment_range *row = &fragment_ranges[i];

        if (row->item == item->type) {
            uint16_t m = get_be16(mask + row->ofs);

            if (m == row->mask && (get_be16(last + row->ofs) & m) == m
                && (get_be16(spec + row->ofs) & m) == (m & -m)) {
                return row;
            }
        }
    }
    return NULL;
}

/* Takes a range out of 'mask', a copy of the item's.  All else in 'last' must
 * be zero or the same as in 'spec'. */
static int
compile_last(struct compiler *c, uint8_t *mask, size_t size, uint8_t *flag)
{
    const struct eswitch_item *item = item_of(c);
    const uint8_t *spec = item->spec, *last = item->last;
    const struct fragment_range *range;
    bool same = true;

    *flag = 0;
    if (!last || is_zero(last, size)) {
        return 0;
    }
    range = range_of(item);
    if (range) {
        memset(mask + range->ofs, 0, 2);
        *flag = range->flag;
    }
    for (size_t i = 0; i < size; i++) {
        same &= (last[i] & mask[i]) == (spec[i] & mask[i])
                || !(last[i] & mask[i]);
    }
    return same ? 0 : REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM_LAST,
                             "%s: range is only possible for fragments, "
                             "from 1 to all ones under the same mask",
                             eswitch_item_name(item->type));
}

/* What has no ranges at all. */
static int
check_last(struct compiler *c, size_t size)
{
    const struct eswitch_item *item = item_of(c);
    uint8_t mask[128], flag;

    if (!item->spec || !item->mask) {
        return 0;
    }
    memcpy(mask, item->mask, size);
    return compile_last(c, mask, size, &flag);
}

/* Would no packet ever match? */
static int
check_type_before(struct compiler *c)
{
    const struct eswitch_item *prev = c->prev, *item = item_of(c);
    const struct order *order = &orders[item->type];
    const uint8_t *spec = prev->spec, *mask = prev->mask;
    uint16_t m;

    if (item->type == ESWITCH_ITEM_VLAN
        && prev->flags_mask & ~prev->flags & ESWITCH_HAS_VLAN) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM,
                      "vlan follows %s without VLAN",
                      eswitch_item_name(prev->type));
    }
    if (!spec || !mask) {
        return 0;
    }
    if (order->eth_type && ITEM(ETH) & 1u << prev->type) {
        m = get_be16(mask + 12);
        if ((get_be16(spec + 12) ^ order->eth_type) & m) {
            return REFUSE(c, EINVAL, ESWITCH_AT_ITEM,
                          "%s follows eth with another type",
                          eswitch_item_name(item->type));
        }
    } else if (order->eth_type && ITEM(VLAN) & 1u << prev->type) {
        m = get_be16(mask + 2);
        if ((get_be16(spec + 2) ^ order->eth_type) & m) {
            return REFUSE(c, EINVAL, ESWITCH_AT_ITEM,
                          "%s follows vlan with another type",
                          eswitch_item_name(item->type));
        }
    } else if (order->ip_proto && prev->type == ESWITCH_ITEM_IPV4
               && (spec[9] ^ order->ip_proto) & mask[9]) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM,
                      "%s follows ipv4 with another protocol",
                      eswitch_item_name(item->type));
    }
    return 0;
}

static int
compile_header(struct compiler *c)
{
    const struct eswitch_item *item = item_of(c);
    size_t size = eswitch_items[item->type].size;
    uint8_t mask[40], flag;
    int error;

    if (c->prev) {
        if (!(orders[item->type].after & 1u << c->prev->type)) {
            return REFUSE(c, EINVAL, ESWITCH_AT_ITEM, "%s can't follow %s",
                          eswitch_item_name(item->type),
                          eswitch_item_name(c->prev->type));
        }
        error = check_type_before(c);
        if (error) {
            return error;
        }
    }
    if (item->flags_mask & ~flags_of(item->type)) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM_MASK,
                      "%s has no such flag", eswitch_item_name(item->type));
    }
    c->shape->headers[c->shape->n_headers++] = item->type;
    c->prev = item;
    if (!item->spec || !item->mask) {
        return add_flags(c, item->flags, item->flags_mask);
    }

    memcpy(mask, item->mask, size);
    error = compile_last(c, mask, size, &flag);
    if (!error) {
        error = add_header_bytes(c, item->spec, mask, size);
    }
    return error ? error : add_flags(c, item->flags | flag,
                                     item->flags_mask | flag);
}

static int
compile_port(struct compiler *c, uint16_t n_ports)
{
    const struct eswitch_item *item = item_of(c);
    uint32_t port, mask;
    int error;

    if (!c->rule->transfer) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM,
                      "ingress rule is of one port anyway");
    } else if (c->has_port) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM, "second port");
    }
    c->has_port = true;
    if (!item->spec || !item->mask) {
        return 0;
    }
    error = check_last(c, sizeof port);
    if (error) {
        return error;
    }
    memcpy(&port, item->spec, sizeof port);
    memcpy(&mask, item->mask, sizeof mask);
    if (!mask) {
        return 0;
    } else if (mask != UINT32_MAX) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM_MASK,
                      "port can only be matched with a full mask or none");
    } else if (port >= n_ports) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM_SPEC, "no port %u", port);
    }
    return add_bytes(c, MATCH_PORT, &port, &mask, sizeof port);
}

static int
compile_mark(struct compiler *c)
{
    const struct eswitch_item *item = item_of(c);
    size_t size = sizeof(uint32_t);
    int error;

    if (c->has_mark) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM, "second mark");
    }
    c->has_mark = true;
    if (!item->spec || !item->mask || is_zero(item->mask, size)) {
        return 0;
    }
    error = check_last(c, size);
    return error ? error : add_bytes(c, MATCH_MARK, item->spec, item->mask,
                                     size);
}

static bool
follows(const struct compiler *c, enum eswitch_item_type item)
{
    return c->prev && c->prev->type == item;
}

static int
compile_gre_key(struct compiler *c)
{
    static const uint8_t none[4];
    const struct eswitch_item *item = item_of(c);
    int error;

    if (!follows(c, ESWITCH_ITEM_GRE)) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM,
                      "gre_key can only follow gre");
    }
    error = check_last(c, sizeof none);
    return error ? error : add_bytes(c, MATCH_GRE_KEY,
                                     item->spec ? item->spec : none,
                                     item->spec && item->mask ? item->mask
                                     : none, sizeof none);
}

static int
check_geneve_opt(struct compiler *c)
{
    const struct eswitch_item *item = item_of(c);
    const uint8_t *spec = item->spec, *mask = item->mask;

    if (!follows(c, ESWITCH_ITEM_GENEVE)) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM,
                      "geneve_opt can only follow geneve");
    } else if (!spec || !mask) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM_SPEC,
                      "geneve_opt without class and type");
    } else if (item->size < 4 || item->size > 128 || item->size % 4) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM_SPEC,
                      "geneve_opt of %u bytes", item->size);
    } else if (get_be16(mask) != 0xffff || mask[2] != 0xff) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM_MASK,
                      "geneve_opt's class and type need full masks");
    } else if (mask[3] & 0x1f && (mask[3] & 0x1f) != 0x1f) {
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM_MASK,
                      "geneve_opt's length needs a full mask or none");
    } else if (mask[3] & 0x1f && (spec[3] & 0x1f) * 4u < item->size - 4) {
        return REFUSE(c, EINVAL, ESWITCH_AT_ITEM_SPEC,
                      "geneve_opt is longer than its length says");
    }
    return check_last(c, item->size);
}

static int
compile_geneve_opt(struct compiler *c)
{
    const struct eswitch_item *item = item_of(c);
    const uint8_t *spec = item->spec, *mask = item->mask;
    int error = check_geneve_opt(c);
    struct match_part *part;

    if (error) {
        return error;
    }
    part = add_part(c, MATCH_GENEVE_OPT, item->size - 4);
    if (!part) {
        return ENOTSUP;
    }
    part->opt_class = get_be16(spec);
    part->opt_type = spec[2];
    part->opt_len_exact = mask[3] & 0x1f;
    part->opt_len = part->opt_len_exact ? (spec[3] & 0x1f) * 4 : 0;
    set_part(c, part, spec + 4, mask + 4);
    return 0;
}

static int
compile_item(struct compiler *c, uint16_t n_ports)
{
    switch (item_of(c)->type) {
    case ESWITCH_ITEM_PORT:
        return compile_port(c, n_ports);
    case ESWITCH_ITEM_MARK:
        return compile_mark(c);
    case ESWITCH_ITEM_GRE_KEY:
        return compile_gre_key(c);
    case ESWITCH_ITEM_GENEVE_OPT:
        return compile_geneve_opt(c);
    case ESWITCH_ITEM_ETH: case ESWITCH_ITEM_VLAN: case ESWITCH_ITEM_MPLS:
    case ESWITCH_ITEM_ARP: case ESWITCH_ITEM_IPV4: case ESWITCH_ITEM_IPV6:
    case ESWITCH_ITEM_IPV6_FRAG_EXT: case ESWITCH_ITEM_TCP:
    case ESWITCH_ITEM_UDP: case ESWITCH_ITEM_SCTP: case ESWITCH_ITEM_ICMP:
    case ESWITCH_ITEM_ICMP6: case ESWITCH_ITEM_VXLAN:
    case ESWITCH_ITEM_GENEVE: case ESWITCH_ITEM_GRE:
        return compile_header(c);
    case ESWITCH_N_ITEMS:
    default:
        return REFUSE(c, ENOTSUP, ESWITCH_AT_ITEM, "unknown item %d",
                      (int) item_of(c)->type);
    }
}

/* A rule that doesn't say from where matches what enters at its own port. */
static int
compile_own_port(struct compiler *c)
{
    uint32_t port = c->rule->port, mask = UINT32_MAX;

    c->i = -1;
    return (c->rule->transfer && !c->has_port
            ? add_bytes(c, MATCH_PORT, &port, &mask, sizeof port) : 0);
}

int
eswitch_match_compile(const struct eswitch_rule *rule, uint16_t n_ports,
                      struct match_shape *shape, uint8_t key[MATCH_MAX_KEY],
                      struct eswitch_error *error)
{
    struct compiler c = {
        .rule = rule, .shape = shape, .key = key, .error = error,
    };

    memset(shape, 0, sizeof *shape);
    memset(key, 0, MATCH_MAX_KEY);
    if (rule->n_items > ESWITCH_MAX_ITEMS) {
        return eswitch_complain(error, EINVAL, ESWITCH_AT_ITEM_NUM, -1,
                                "more than %d items", ESWITCH_MAX_ITEMS);
    }
    for (; c.i < rule->n_items; c.i++) {
        int errnum = compile_item(&c, n_ports);

        if (errnum) {
            return errnum;
        }
    }
    return compile_own_port(&c);
}

/* Comparing. */

size_t
match_shape_size(const struct match_shape *shape)
{
    return offsetof(struct match_shape, mask) + shape->key_size;
}

bool
match_shape_equal(const struct match_shape *a, const struct match_shape *b)
{
    return (a->key_size == b->key_size
            && !memcmp(a, b, match_shape_size(a)));
}

/* Looking up. */

static void
mask_bytes(uint8_t *dst, const uint8_t *src, const uint8_t *mask, size_t n)
{
    for (; n >= 8; dst += 8, src += 8, mask += 8, n -= 8) {
        uint64_t value, m;

        memcpy(&value, src, 8);
        memcpy(&m, mask, 8);
        value &= m;
        memcpy(dst, &value, 8);
    }
    if (n) {
        uint64_t value = 0, m;

        memcpy(&value, src, n);
        memcpy(&m, mask, 8);
        value &= m;
        memcpy(dst, &value, 8);
    }
}

static bool
extract_geneve_opt(const struct match_part *part, const struct packet *packet,
                   const struct packet_layer *layer, const uint8_t *mask,
                   uint8_t *dst)
{
    size_t len;
    const uint8_t *data = packet_geneve_opt(packet, layer, part->opt_class,
                                            part->opt_type, &len);

    if (!data || len < part->size
        || (part->opt_len_exact && len != part->opt_len)) {
        return false;
    }
    mask_bytes(dst, data, mask, part->size);
    return true;
}

static bool
extract_part(const struct match_part *part, const struct packet *packet,
             const struct packet_layer *layers, const uint8_t *mask,
             uint8_t *dst)
{
    const struct packet_layer *layer = &layers[part->header];
    const uint8_t *src;
    uint32_t word;

    switch (part->type) {
    case MATCH_PORT:
        word = packet->in_port;
        src = (const uint8_t *) &word;
        break;
    case MATCH_MARK:
        if (!packet->has_mark) {
            return false;
        }
        src = (const uint8_t *) &packet->mark;
        break;
    case MATCH_FLAGS:
        src = &layer->flags;
        break;
    case MATCH_GRE_KEY:
        src = packet_gre_key(packet, layer);
        if (!src) {
            return false;
        }
        break;
    case MATCH_GENEVE_OPT:
        return extract_geneve_opt(part, packet, layer, mask, dst);
    case MATCH_BYTES:
    default:
        src = packet->data + layer->ofs + part->ofs;
        break;
    }
    mask_bytes(dst, src, mask, part->size);
    return true;
}

/* The layer that the first header of 'shape' is, or -1: the first one of that
 * kind which isn't in a tunnel. */
static int
find_anchor(const struct match_shape *shape, const struct packet *packet)
{
    for (int i = 0; i < packet->n_layers; i++) {
        if (packet->layers[i].level > 1) {
            break;
        } else if (packet->layers[i].item == shape->headers[0]) {
            return i;
        }
    }
    return -1;
}

bool
match_extract(const struct match_shape *shape, const struct packet *packet,
              uint8_t key[MATCH_MAX_KEY])
{
    const struct packet_layer *layers = packet->layers;

    if (shape->n_headers) {
        int anchor = find_anchor(shape, packet);

        if (anchor < 0 || packet->n_layers - anchor < shape->n_headers) {
            return false;
        }
        layers += anchor;
        for (size_t i = 1; i < shape->n_headers; i++) {
            if (layers[i].item != shape->headers[i]) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < shape->n_parts; i++) {
        const struct match_part *part = &shape->parts[i];

        if (!extract_part(part, packet, layers, shape->mask + part->key_ofs,
                          key + part->key_ofs)) {
            return false;
        }
    }
    return true;
}

uint64_t
match_hash(const uint8_t *key, size_t size)
{
    uint64_t hash = size;

    for (size_t i = 0; i < size; i += 8) {
        uint64_t word;

        memcpy(&word, key + i, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    hash *= UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 32;
}

/* Back again. */

static struct eswitch_item *
put_item(struct match_items *out, enum eswitch_item_type type)
{
    size_t i = out->n++;

    out->items[i].type = type;
    out->items[i].spec = out->spec[i];
    out->items[i].mask = out->mask[i];
    return &out->items[i];
}

static void
put_range(struct match_items *out, struct eswitch_item *item, uint8_t flag)
{
    size_t i = item - out->items;

    for (size_t r = 0; r < N_RANGES; r++) {
        const struct fragment_range *row = &fragment_ranges[r];

        if (row->item == item->type && row->flag == flag) {
            put_be16(out->mask[i] + row->ofs, row->mask);
            put_be16(out->spec[i] + row->ofs, row->mask & -row->mask);
            put_be16(out->last[i] + row->ofs, row->mask);
            item->last = out->last[i];
        }
    }
}

static void
put_part(struct match_items *out, struct eswitch_item *header,
         const struct match_part *part, const uint8_t *spec,
         const uint8_t *mask)
{
    size_t ofs = part->ofs;
    struct eswitch_item *item = header;
    size_t i;

    if (part->type == MATCH_FLAGS) {
        header->flags = *spec & (ESWITCH_HAS_VLAN | ESWITCH_HAS_FRAG_EXT);
        header->flags_mask = *mask & (ESWITCH_HAS_VLAN
                                      | ESWITCH_HAS_FRAG_EXT);
        put_range(out, header, *mask & (LAYER_FRAGMENT | LAYER_LATER));
        return;
    } else if (part->type == MATCH_PORT) {
        item = put_item(out, ESWITCH_ITEM_PORT);
    } else if (part->type == MATCH_MARK) {
        item = put_item(out, ESWITCH_ITEM_MARK);
    } else if (part->type == MATCH_GRE_KEY) {
        item = put_item(out, ESWITCH_ITEM_GRE_KEY);
    } else if (part->type == MATCH_GENEVE_OPT) {
        item = put_item(out, ESWITCH_ITEM_GENEVE_OPT);
        i = item - out->items;
        put_be16(out->spec[i], part->opt_class);
        put_be16(out->mask[i], 0xffff);
        out->spec[i][2] = part->opt_type;
        out->mask[i][2] = 0xff;
        out->spec[i][3] = part->opt_len / 4;
        out->mask[i][3] = part->opt_len_exact ? 0x1f : 0;
        item->size = 4 + part->size;
        ofs = 4;
    }
    i = item - out->items;
    memcpy(out->spec[i] + ofs, spec, part->size);
    memcpy(out->mask[i] + ofs, mask, part->size);
}

/* Parts that are no bytes of their header follow it as items of their own;
 * port and mark come first. */
void
match_decompile(const struct match_shape *shape, const uint8_t *key,
                struct match_items *out)
{
    memset(out, 0, sizeof *out);
    for (int header = -1; header < shape->n_headers; header++) {
        struct eswitch_item *item = NULL;

        if (header >= 0) {
            item = put_item(out, shape->headers[header]);
        }
        for (size_t i = 0; i < shape->n_parts; i++) {
            const struct match_part *part = &shape->parts[i];
            bool meta = part->type == MATCH_PORT || part->type == MATCH_MARK;

            if (meta ? header < 0 : part->header == header) {
                put_part(out, item, part, key + part->key_ofs,
                         shape->mask + part->key_ofs);
            }
        }
    }
}
