/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch-names.h"

enum form { NUMBER, MAC, IPV4, IPV6 };

/* A field of an item: 'bits' bits from byte 'ofs' on, with 'shift' bits to the
 * right of them in the last byte. */
struct text_field {
    enum eswitch_item_type item;
    const char *name;
    uint16_t ofs, bits, shift;
    enum form form;
};

#define F(ITEM, NAME, OFS, BITS, SHIFT, FORM) \
    { ESWITCH_ITEM_##ITEM, NAME, OFS, BITS, SHIFT, FORM }

static const struct text_field text_fields[] = {
    F(ETH, "dst", 0, 48, 0, MAC),
    F(ETH, "src", 6, 48, 0, MAC),
    F(ETH, "type", 12, 16, 0, NUMBER),
    F(VLAN, "pcp", 0, 3, 5, NUMBER),
    F(VLAN, "dei", 0, 1, 4, NUMBER),
    F(VLAN, "vid", 0, 12, 0, NUMBER),
    F(VLAN, "type", 2, 16, 0, NUMBER),
    F(MPLS, "label", 0, 20, 4, NUMBER),
    F(MPLS, "tc", 2, 3, 1, NUMBER),
    F(MPLS, "bos", 2, 1, 0, NUMBER),
    F(MPLS, "ttl", 3, 8, 0, NUMBER),
    F(ARP, "hrd", 0, 16, 0, NUMBER),
    F(ARP, "pro", 2, 16, 0, NUMBER),
    F(ARP, "hln", 4, 8, 0, NUMBER),
    F(ARP, "pln", 5, 8, 0, NUMBER),
    F(ARP, "op", 6, 16, 0, NUMBER),
    F(ARP, "sha", 8, 48, 0, MAC),
    F(ARP, "spa", 14, 32, 0, IPV4),
    F(ARP, "tha", 18, 48, 0, MAC),
    F(ARP, "tpa", 24, 32, 0, IPV4),
    F(IPV4, "version_ihl", 0, 8, 0, NUMBER),
    F(IPV4, "tos", 1, 8, 0, NUMBER),
    F(IPV4, "len", 2, 16, 0, NUMBER),
    F(IPV4, "id", 4, 16, 0, NUMBER),
    F(IPV4, "frag", 6, 16, 0, NUMBER),
    F(IPV4, "ttl", 8, 8, 0, NUMBER),
    F(IPV4, "proto", 9, 8, 0, NUMBER),
    F(IPV4, "csum", 10, 16, 0, NUMBER),
    F(IPV4, "src", 12, 32, 0, IPV4),
    F(IPV4, "dst", 16, 32, 0, IPV4),
    F(IPV6, "version", 0, 4, 4, NUMBER),
    F(IPV6, "tc", 0, 8, 4, NUMBER),
    F(IPV6, "label", 1, 20, 0, NUMBER),
    F(IPV6, "len", 4, 16, 0, NUMBER),
    F(IPV6, "proto", 6, 8, 0, NUMBER),
    F(IPV6, "hlim", 7, 8, 0, NUMBER),
    F(IPV6, "src", 8, 128, 0, IPV6),
    F(IPV6, "dst", 24, 128, 0, IPV6),
    F(IPV6_FRAG_EXT, "proto", 0, 8, 0, NUMBER),
    F(IPV6_FRAG_EXT, "rsvd", 1, 8, 0, NUMBER),
    F(IPV6_FRAG_EXT, "frag", 2, 16, 0, NUMBER),
    F(IPV6_FRAG_EXT, "id", 4, 32, 0, NUMBER),
    F(TCP, "src", 0, 16, 0, NUMBER),
    F(TCP, "dst", 2, 16, 0, NUMBER),
    F(TCP, "seq", 4, 32, 0, NUMBER),
    F(TCP, "ack", 8, 32, 0, NUMBER),
    F(TCP, "ofs", 12, 4, 4, NUMBER),
    F(TCP, "flags", 12, 12, 0, NUMBER),
    F(TCP, "window", 14, 16, 0, NUMBER),
    F(TCP, "csum", 16, 16, 0, NUMBER),
    F(TCP, "urgent", 18, 16, 0, NUMBER),
    F(UDP, "src", 0, 16, 0, NUMBER),
    F(UDP, "dst", 2, 16, 0, NUMBER),
    F(UDP, "len", 4, 16, 0, NUMBER),
    F(UDP, "csum", 6, 16, 0, NUMBER),
    F(SCTP, "src", 0, 16, 0, NUMBER),
    F(SCTP, "dst", 2, 16, 0, NUMBER),
    F(SCTP, "tag", 4, 32, 0, NUMBER),
    F(SCTP, "csum", 8, 32, 0, NUMBER),
    F(ICMP, "type", 0, 8, 0, NUMBER),
    F(ICMP, "code", 1, 8, 0, NUMBER),
    F(ICMP, "csum", 2, 16, 0, NUMBER),
    F(ICMP, "id", 4, 16, 0, NUMBER),
    F(ICMP, "seq", 6, 16, 0, NUMBER),
    F(ICMP6, "type", 0, 8, 0, NUMBER),
    F(ICMP6, "code", 1, 8, 0, NUMBER),
    F(ICMP6, "csum", 2, 16, 0, NUMBER),
    F(VXLAN, "flags", 0, 8, 0, NUMBER),
    F(VXLAN, "rsvd0", 1, 24, 0, NUMBER),
    F(VXLAN, "vni", 4, 24, 0, NUMBER),
    F(VXLAN, "rsvd1", 7, 8, 0, NUMBER),
    F(GENEVE, "flags", 0, 16, 0, NUMBER),
    F(GENEVE, "proto", 2, 16, 0, NUMBER),
    F(GENEVE, "vni", 4, 24, 0, NUMBER),
    F(GENEVE, "rsvd1", 7, 8, 0, NUMBER),
    F(GENEVE_OPT, "class", 0, 16, 0, NUMBER),
    F(GENEVE_OPT, "type", 2, 8, 0, NUMBER),
    F(GENEVE_OPT, "len", 3, 5, 0, NUMBER),
    F(GENEVE_OPT, "data", 4, 0, 0, NUMBER),
    F(GRE, "flags", 0, 16, 0, NUMBER),
    F(GRE, "proto", 2, 16, 0, NUMBER),
    F(GRE_KEY, "key", 0, 32, 0, NUMBER),
};
#define N_FIELDS (sizeof text_fields / sizeof *text_fields)

struct text_flag {
    enum eswitch_item_type item;
    const char *name;
    uint32_t flag;
};

static const struct text_flag text_flags[] = {
    { ESWITCH_ITEM_ETH, "has_vlan", ESWITCH_HAS_VLAN },
    { ESWITCH_ITEM_VLAN, "has_more_vlan", ESWITCH_HAS_VLAN },
    { ESWITCH_ITEM_IPV6, "has_frag_ext", ESWITCH_HAS_FRAG_EXT },
};
#define N_FLAGS (sizeof text_flags / sizeof *text_flags)

/* Values: big-endian bytes, as wide as the field. */

#define MAX_VALUE 132

static int
hex_digit(char c)
{
    return (c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1);
}

/* 'digits' to the right of 'n' bytes. */
static bool
parse_hex(const char *digits, uint8_t *value, size_t n)
{
    size_t len = strlen(digits);

    memset(value, 0, n);
    for (size_t i = 0; i < len; i++) {
        size_t from_right = len - 1 - i;
        int digit = hex_digit(digits[i]);

        if (digit < 0 || (from_right / 2 >= n && digit)) {
            return false;
        } else if (digit) {
            value[n - 1 - from_right / 2] |= digit << from_right % 2 * 4;
        }
    }
    return len > 0;
}

static bool
parse_decimal(const char *digits, uint8_t *value, size_t n)
{
    char *end;
    unsigned long long number = strtoull(digits, &end, 10);

    if (!isdigit((unsigned char) *digits) || *end) {
        return false;
    }
    memset(value, 0, n);
    for (size_t i = n; i-- > 0; number >>= 8) {
        value[i] = number;
    }
    return !number;
}

static bool
parse_mac(const char *s, uint8_t value[6])
{
    unsigned b[6];
    int used = 0;

    if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3],
               &b[4], &b[5], &used) != 6 || s[used]) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        value[i] = b[i];
    }
    return true;
}

static bool
parse_value(const char *s, uint8_t *value, size_t n)
{
    if (!strncmp(s, "0x", 2)) {
        return parse_hex(s + 2, value, n);
    } else if (n == 6 && strchr(s, ':')) {
        return parse_mac(s, value);
    } else if (n == 4 && strchr(s, '.')) {
        return inet_pton(AF_INET, s, value) == 1;
    } else if (n == 16 && strchr(s, ':')) {
        return inet_pton(AF_INET6, s, value) == 1;
    }
    return parse_decimal(s, value, n);
}

/* False if 'value', of 'n' bytes, has more than 'bits' bits. */
static bool
fits(const uint8_t *value, size_t n, size_t bits)
{
    size_t spare = n * 8 - bits;

    return !spare || !(value[0] >> (8 - spare));
}

static void
all_ones(uint8_t *value, size_t n, size_t bits)
{
    memset(value, 0xff, n);
    value[0] >>= n * 8 - bits;
}

/* Puts a value into a header, 'shift' bits from the end of its bytes. */
static void
put_bits(uint8_t *header, size_t ofs, size_t bits, size_t shift,
         const uint8_t *value)
{
    size_t n = (bits + 7) / 8, span = (bits + shift + 7) / 8;

    for (size_t bit = 0; bit < bits; bit++) {
        size_t to = bit + shift;

        if (value[n - 1 - bit / 8] >> bit % 8 & 1) {
            header[ofs + span - 1 - to / 8] |= 1u << to % 8;
        }
    }
}

/* Takes it out again; the bytes of 'header' become 0. */
static void
take_bits(uint8_t *header, size_t ofs, size_t bits, size_t shift,
          uint8_t *value)
{
    size_t n = (bits + 7) / 8, span = (bits + shift + 7) / 8;

    memset(value, 0, n);
    for (size_t bit = 0; bit < bits; bit++) {
        size_t from = bit + shift;
        uint8_t *p = &header[ofs + span - 1 - from / 8];

        if (*p >> from % 8 & 1) {
            value[n - 1 - bit / 8] |= 1u << bit % 8;
            *p &= ~(1u << from % 8);
        }
    }
}

/* Parsing. */

struct parser {
    struct eswitch_text_rule *out;
    char *word;                     /* At hand; null at the end. */
    char *state;                    /* Of strtok_r(). */
    char *wrong;                    /* What is wrong, or null. */
};

static bool __attribute__((format(printf, 2, 3)))
fail(struct parser *p, const char *format, ...)
{
    char text[256];
    va_list args;

    if (!p->wrong) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        p->wrong = strdup(text);
    }
    return false;
}

static void
next(struct parser *p)
{
    p->word = strtok_r(NULL, " \t\r\n", &p->state);
}

static bool
is(const struct parser *p, const char *word)
{
    return p->word && !strcmp(p->word, word);
}

/* Cuts 's' after the first of 'delimiter'.  Null if there is none. */
static char *
cut(char *s, const char *delimiter)
{
    char *at = s ? strstr(s, delimiter) : NULL;

    if (!at) {
        return NULL;
    }
    *at = '\0';
    return at + strlen(delimiter);
}

static bool
parse_u32(const char *s, uint32_t max, uint32_t *number)
{
    uint8_t value[4];

    if (!s || !parse_value(s, value, sizeof value)) {
        return false;
    }
    memcpy(number, value, sizeof value);
    *number = ntohl(*number);
    return *number <= max;
}

static size_t
hex_bytes(const char *s)
{
    return s && !strncmp(s, "0x", 2) ? (strlen(s + 2) + 1) / 2 : 0;
}

static bool
parse_field_value(struct parser *p, const struct text_field *field,
                  struct eswitch_item *item, uint8_t bytes[3][132],
                  char *text)
{
    char *mask_text = cut(text, "/");
    char *last_text = cut(text, "..");
    uint8_t value[MAX_VALUE], mask[MAX_VALUE], last[MAX_VALUE];
    size_t bits = field->bits ? field->bits : 8 * hex_bytes(text);
    size_t n = (bits + 7) / 8;

    if (!n || n > 128 || !parse_value(text, value, n)
        || !fits(value, n, bits)) {
        return fail(p, "%s: bad value of %zu bits", text, bits);
    }
    all_ones(mask, n, bits);
    if (mask_text && (!parse_value(mask_text, mask, n)
                      || !fits(mask, n, bits))) {
        return fail(p, "%s: bad mask", mask_text);
    }
    if (last_text && (!parse_value(last_text, last, n)
                      || !fits(last, n, bits))) {
        return fail(p, "%s: bad end of a range", last_text);
    }
    put_bits(bytes[0], field->ofs, bits, field->shift, value);
    put_bits(bytes[1], field->ofs, bits, field->shift, mask);
    if (last_text) {
        put_bits(bytes[2], field->ofs, bits, field->shift, last);
        item->last = bytes[2];
    }
    if (!field->bits && item->size < 4 + n) {
        item->size = 4 + n;
    }
    return true;
}

static bool
parse_flag(struct parser *p, const char *name, const char *value,
           struct eswitch_item *item)
{
    for (size_t i = 0; i < N_FLAGS; i++) {
        const struct text_flag *row = &text_flags[i];

        if (row->item == item->type && !strcmp(row->name, name)) {
            uint32_t on;

            if (!parse_u32(value, 1, &on)) {
                return fail(p, "%s is 0 or 1", name);
            }
            item->flags |= on ? row->flag : 0;
            item->flags_mask |= row->flag;
            return true;
        }
    }
    return fail(p, "%s has no field %s", eswitch_item_name(item->type), name);
}

static bool
parse_item_field(struct parser *p, struct eswitch_item *item,
                 uint8_t bytes[3][132])
{
    char *value = cut(p->word, "=");

    if (!value) {
        return fail(p, "%s: not field=value", p->word);
    }
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct text_field *row = &text_fields[i];

        if (row->item == item->type && !strcmp(row->name, p->word)) {
            return parse_field_value(p, row, item, bytes, value);
        }
    }
    return parse_flag(p, p->word, value, item);
}

/* "port=N" or "mark=N", perhaps with a mask: host byte order. */
static bool
parse_metadata_item(struct parser *p, struct eswitch_item *item, char *text,
                    uint8_t bytes[3][132])
{
    char *mask_text = cut(text, "/");
    uint32_t value, mask = UINT32_MAX;

    if (!parse_u32(text, UINT32_MAX, &value)
        || (mask_text && !parse_u32(mask_text, UINT32_MAX, &mask))) {
        return fail(p, "bad value of %s", eswitch_item_name(item->type));
    }
    memcpy(bytes[0], &value, sizeof value);
    memcpy(bytes[1], &mask, sizeof mask);
    return true;
}

static bool
find_item(const char *name, enum eswitch_item_type *type)
{
    for (size_t i = 0; i < ESWITCH_N_ITEMS; i++) {
        if (!strcmp(eswitch_items[i].name, name)) {
            *type = i;
            return true;
        }
    }
    return false;
}

static bool
parse_item(struct parser *p)
{
    struct eswitch_rule *rule = &p->out->rule;
    size_t i = rule->n_items;
    struct eswitch_item *item = &p->out->items[i];
    char *value = cut(p->word, "=");
    bool metadata;

    if (i >= ESWITCH_MAX_ITEMS || !find_item(p->word, &item->type)) {
        return fail(p, "%s: no item, or too many", p->word);
    }
    rule->n_items++;
    item->spec = p->out->bytes[i][0];
    item->mask = p->out->bytes[i][1];
    item->size = 4;
    metadata = (item->type == ESWITCH_ITEM_PORT
                || item->type == ESWITCH_ITEM_MARK);
    if (metadata != !!value) {
        return fail(p, "%s: bad item", p->word);
    } else if (metadata
               && !parse_metadata_item(p, item, value, p->out->bytes[i])) {
        return false;
    }
    for (next(p); p->word && !is(p, "/") && !is(p, "=>"); next(p)) {
        if (!parse_item_field(p, item, p->out->bytes[i])) {
            return false;
        }
    }
    return true;
}

static bool
parse_items(struct parser *p)
{
    while (p->word && !is(p, "=>")) {
        if (!parse_item(p)) {
            return false;
        } else if (is(p, "/")) {
            next(p);
        }
    }
    return is(p, "=>") || fail(p, "no \"=>\" before the actions");
}

/* FIELD[@LEVEL]. */
static bool
parse_field_ref(struct parser *p, char *text, struct eswitch_field_ref *ref)
{
    char *level_text = cut(text, "@");
    uint32_t level = 1;

    if (level_text && !parse_u32(level_text, UINT8_MAX, &level)) {
        return fail(p, "%s: bad level", level_text);
    }
    ref->level = level;
    for (size_t i = 0; i < ESWITCH_N_FIELDS; i++) {
        if (!strcmp(eswitch_fields[i].name, text)) {
            ref->field = i;
            return true;
        }
    }
    return fail(p, "%s: no field", text);
}

/* Cuts at "=", "+=" or "-=". */
static char *
cut_operation(char *text, enum eswitch_op *op)
{
    char *right = cut(text, "=");
    size_t len = right ? strlen(text) : 0;

    *op = ESWITCH_OP_SET;
    if (len && (text[len - 1] == '+' || text[len - 1] == '-')) {
        *op = text[len - 1] == '+' ? ESWITCH_OP_ADD : ESWITCH_OP_SUB;
        text[len - 1] = '\0';
    }
    return right;
}

static const struct eswitch_field_row *
field_row(enum eswitch_field field)
{
    const struct eswitch_field_row *row = &eswitch_fields[field];

    return row->a != row->b ? &eswitch_fields[row->a] : row;
}

static bool
parse_modify(struct parser *p, struct eswitch_action *action)
{
    char *value, *mask;
    const struct eswitch_field_row *row;
    size_t n;

    next(p);
    value = cut_operation(p->word, &action->modify.op);
    if (!value) {
        return fail(p, "modify: no field=value");
    }
    mask = cut(value, "/");
    if (!parse_field_ref(p, p->word, &action->modify.field)) {
        return false;
    }
    row = field_row(action->modify.field.field);
    n = eswitch_field_bytes(row);
    all_ones(action->modify.mask, n, row->bits);
    if (!parse_value(value, action->modify.value, n)
        || (mask && !parse_value(mask, action->modify.mask, n))) {
        return fail(p, "%s: bad value", value);
    }
    return true;
}

/* FIELD[@LEVEL][:OFS]. */
static bool
parse_bits_ref(struct parser *p, char *text, struct eswitch_field_ref *ref,
               uint8_t *ofs)
{
    char *ofs_text = cut(text, ":");
    uint32_t number = 0;

    if (ofs_text && !parse_u32(ofs_text, 127, &number)) {
        return fail(p, "%s: bad offset", ofs_text);
    }
    *ofs = number;
    return parse_field_ref(p, text, ref);
}

static bool
parse_copy(struct parser *p, struct eswitch_action *action)
{
    char *src, *width_text;
    uint32_t width;

    next(p);
    src = cut_operation(p->word, &action->copy.op);
    width_text = cut(src, ",");
    if (!width_text || !parse_u32(width_text, 128, &width)) {
        return fail(p, "copy: not field=field,width");
    }
    action->copy.width = width;
    return (parse_bits_ref(p, p->word, &action->copy.dst,
                           &action->copy.dst_ofs)
            && parse_bits_ref(p, src, &action->copy.src,
                              &action->copy.src_ofs));
}

/* Memory of the rule's; null if there is none left. */
static void *
blob(struct parser *p, size_t size)
{
    size_t at = (p->out->n_blobs + 1) / 2 * 2;

    if (size > sizeof p->out->blobs - at) {
        fail(p, "too much");
        return NULL;
    }
    p->out->n_blobs = at + size;
    return p->out->blobs + at;
}

static bool
parse_encap(struct parser *p, struct eswitch_action *action, const char *text)
{
    size_t n = text ? strlen(text) / 2 : 0;
    uint8_t *bytes = blob(p, n);

    if (!bytes || !n || strlen(text) % 2 || !parse_hex(text, bytes, n)) {
        return fail(p, "encap: bad hexadecimal bytes");
    }
    action->encap.data = bytes;
    action->encap.size = n;
    return true;
}

static bool
parse_rss(struct parser *p, struct eswitch_action *action, char *text)
{
    uint16_t *queues = blob(p, 256 * sizeof *queues);
    size_t n = 0;

    while (queues && text && n < 256) {
        char *rest = cut(text, ",");
        uint32_t queue;

        if (!parse_u32(text, UINT16_MAX, &queue)) {
            return fail(p, "rss: bad queue");
        }
        queues[n++] = queue;
        text = rest;
    }
    action->rss.queues = queues;
    action->rss.n_queues = n;
    return queues;
}

static bool parse_action(struct parser *p, struct eswitch_action *);

/* The actions of a sample are put at the end of the array, in order. */
static bool
parse_sample(struct parser *p, struct eswitch_action *action)
{
    struct eswitch_action list[ESWITCH_MAX_ACTIONS];
    struct eswitch_action *place;
    size_t n = 0;

    action->sample.ratio = 1;
    next(p);
    if (!is(p, "[")) {
        return fail(p, "sample: no \"[\"");
    }
    for (next(p); p->word && !is(p, "]"); ) {
        if (n >= ESWITCH_MAX_ACTIONS
            || p->out->n_sampled + n >= ESWITCH_MAX_ACTIONS) {
            return fail(p, "too many actions");
        }
        if (!parse_action(p, &list[n++])) {
            return false;
        }
        if (is(p, "/")) {
            next(p);
        }
    }
    p->out->n_sampled += n;
    place = &p->out->actions[2 * ESWITCH_MAX_ACTIONS - p->out->n_sampled];
    memcpy(place, list, n * sizeof *list);
    action->sample.actions = place;
    action->sample.n_actions = n;
    return is(p, "]") || fail(p, "sample: no \"]\"");
}

static bool
parse_number_action(struct parser *p, struct eswitch_action *action,
                    char *text)
{
    bool wide = (action->type == ESWITCH_ACTION_JUMP
                 || action->type == ESWITCH_ACTION_MARK
                 || action->type == ESWITCH_ACTION_RAW_DECAP);
    uint32_t number;

    if (!parse_u32(text, wide ? UINT32_MAX : UINT16_MAX, &number)) {
        return fail(p, "%s: bad number", eswitch_action_name(action->type));
    }
    if (action->type == ESWITCH_ACTION_JUMP) {
        action->group = number;
    } else if (action->type == ESWITCH_ACTION_MARK) {
        action->mark = number;
    } else if (action->type == ESWITCH_ACTION_RAW_DECAP) {
        action->raw_decap.size = number;
    } else if (action->type == ESWITCH_ACTION_VLAN_PUSH) {
        action->tpid = number;
    } else if (action->type == ESWITCH_ACTION_QUEUE) {
        action->queue = number;
    } else {
        action->port = number;
    }
    return true;
}

static bool
parse_action_conf(struct parser *p, struct eswitch_action *action, char *text)
{
    switch (action->type) {
    case ESWITCH_ACTION_OUTPUT: case ESWITCH_ACTION_SOFTWARE:
    case ESWITCH_ACTION_JUMP: case ESWITCH_ACTION_QUEUE:
    case ESWITCH_ACTION_MARK: case ESWITCH_ACTION_VLAN_PUSH:
    case ESWITCH_ACTION_RAW_DECAP:
        return parse_number_action(p, action, text);
    case ESWITCH_ACTION_MODIFY:
        return parse_modify(p, action);
    case ESWITCH_ACTION_COPY:
        return parse_copy(p, action);
    case ESWITCH_ACTION_ENCAP:
        return parse_encap(p, action, text);
    case ESWITCH_ACTION_DECAP:
        return ((text && find_item(text, &action->decap.tunnel))
                || fail(p, "decap: no item"));
    case ESWITCH_ACTION_RSS:
        return parse_rss(p, action, text);
    case ESWITCH_ACTION_SAMPLE:
        return parse_sample(p, action);
    case ESWITCH_ACTION_DROP: case ESWITCH_ACTION_PASSTHRU:
    case ESWITCH_ACTION_COUNT: case ESWITCH_ACTION_VLAN_POP:
    case ESWITCH_ACTION_DEC_TTL: case ESWITCH_N_ACTIONS:
    default:
        return true;
    }
}

static bool
parse_action(struct parser *p, struct eswitch_action *action)
{
    char *text = cut(p->word, "=");

    memset(action, 0, sizeof *action);
    for (size_t i = 0; i < ESWITCH_N_ACTIONS; i++) {
        if (!strcmp(eswitch_actions[i].name, p->word)) {
            action->type = i;
            if (!parse_action_conf(p, action, text)) {
                return false;
            }
            next(p);
            return true;
        }
    }
    return fail(p, "%s: no action", p->word);
}

static bool
parse_actions(struct parser *p)
{
    struct eswitch_rule *rule = &p->out->rule;

    for (next(p); p->word; ) {
        if (rule->n_actions >= ESWITCH_MAX_ACTIONS) {
            return fail(p, "too many actions");
        } else if (!parse_action(p, &p->out->actions[rule->n_actions])) {
            return false;
        }
        rule->n_actions++;
        if (is(p, "/")) {
            next(p);
        } else if (p->word) {
            return fail(p, "%s: no \"/\" between actions", p->word);
        }
    }
    return true;
}

/* "ingress", "group=N", "prio=N" and the first "port=N", which isn't an
 * item. */
static bool
parse_attributes(struct parser *p)
{
    struct eswitch_rule *rule = &p->out->rule;
    uint32_t port;

    if (!p->word || strncmp(p->word, "port=", 5)
        || !parse_u32(p->word + 5, UINT16_MAX, &port)) {
        return fail(p, "no port=N at the beginning");
    }
    rule->port = port;
    rule->transfer = true;
    for (next(p); p->word; next(p)) {
        if (is(p, "ingress")) {
            rule->transfer = false;
        } else if (!strncmp(p->word, "group=", 6)) {
            if (!parse_u32(p->word + 6, UINT32_MAX, &rule->group)) {
                return fail(p, "bad group");
            }
        } else if (!strncmp(p->word, "prio=", 5)) {
            if (!parse_u32(p->word + 5, UINT32_MAX, &rule->priority)) {
                return fail(p, "bad prio");
            }
        } else {
            break;
        }
    }
    return true;
}

char *
eswitch_text_parse(const char *text, struct eswitch_text_rule *out)
{
    struct parser p = { .out = out };
    char *copy = strdup(text);

    memset(out, 0, sizeof *out);
    out->rule.items = out->items;
    out->rule.actions = out->actions;
    if (!copy) {
        return NULL;
    }
    p.word = strtok_r(copy, " \t\r\n", &p.state);
    if (parse_attributes(&p) && parse_items(&p)) {
        parse_actions(&p);
    }
    free(copy);
    return p.wrong;
}

/* Formatting. */

struct printer {
    char *s;
    size_t size, len;
};

static void __attribute__((format(printf, 2, 3)))
print(struct printer *p, const char *format, ...)
{
    size_t room = p->len < p->size ? p->size - p->len : 0;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(room ? p->s + p->len : NULL, room, format, args);
    va_end(args);
    p->len += n > 0 ? n : 0;
}

static void
print_value(struct printer *p, enum form form, const uint8_t *value, size_t n)
{
    char text[INET6_ADDRSTRLEN];

    if (form == MAC) {
        print(p, "%02x:%02x:%02x:%02x:%02x:%02x", value[0], value[1],
              value[2], value[3], value[4], value[5]);
    } else if (form == IPV4 || form == IPV6) {
        print(p, "%s", inet_ntop(form == IPV4 ? AF_INET : AF_INET6, value,
                                 text, sizeof text));
    } else {
        print(p, "0x");
        for (size_t i = 0; i < n; i++) {
            print(p, "%02x", value[i]);
        }
    }
}

static bool
is_all(const uint8_t *value, size_t n, uint8_t byte)
{
    for (size_t i = 0; i < n; i++) {
        if (value[i] != byte) {
            return false;
        }
    }
    return true;
}

static void
print_field(struct printer *p, const struct text_field *row, size_t bits,
            uint8_t *header[3])
{
    uint8_t value[3][MAX_VALUE], ones[MAX_VALUE];
    size_t n = (bits + 7) / 8;

    for (int i = 0; i < 3; i++) {
        take_bits(header[i], row->ofs, bits, row->shift, value[i]);
    }
    if (is_all(value[1], n, 0)) {
        return;
    }
    print(p, " %s=", row->name);
    print_value(p, row->form, value[0], n);
    if (!is_all(value[2], n, 0)) {
        print(p, "..");
        print_value(p, row->form, value[2], n);
    }
    all_ones(ones, n, bits);
    if (memcmp(value[1], ones, n)) {
        print(p, "/");
        print_value(p, row->form, value[1], n);
    }
}

static void
print_flags(struct printer *p, const struct eswitch_item *item)
{
    for (size_t i = 0; i < N_FLAGS; i++) {
        const struct text_flag *row = &text_flags[i];

        if (row->item == item->type && item->flags_mask & row->flag) {
            print(p, " %s=%d", row->name, !!(item->flags & row->flag));
        }
    }
}

static void
print_item(struct printer *p, const struct eswitch_item *item)
{
    uint8_t bytes[3][MAX_VALUE] = { { 0 } };
    uint8_t *header[3] = { bytes[0], bytes[1], bytes[2] };
    size_t size = eswitch_items[item->type].size;

    if (item->type == ESWITCH_ITEM_GENEVE_OPT) {
        size = item->size;
    }
    print(p, "%s", eswitch_item_name(item->type));
    if (item->spec && item->mask) {
        memcpy(bytes[0], item->spec, size);
        memcpy(bytes[1], item->mask, size);
        if (item->last) {
            memcpy(bytes[2], item->last, size);
        }
    }
    if (item->type == ESWITCH_ITEM_PORT || item->type == ESWITCH_ITEM_MARK) {
        uint32_t value, mask;

        memcpy(&value, bytes[0], sizeof value);
        memcpy(&mask, bytes[1], sizeof mask);
        print(p, "=%"PRIu32, value);
        if (mask != UINT32_MAX) {
            print(p, "/0x%"PRIx32, mask);
        }
        return;
    }
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (text_fields[i].item == item->type) {
            size_t bits = text_fields[i].bits;

            bits = bits ? bits : 8 * (size - 4);
            if (bits) {
                print_field(p, &text_fields[i], bits, header);
            }
        }
    }
    print_flags(p, item);
}

size_t
eswitch_text_items(const struct eswitch_item *items, size_t n, char *s,
                   size_t size)
{
    struct printer p = { s, size, 0 };

    print(&p, "%s", "");
    for (size_t i = 0; i < n; i++) {
        print(&p, i ? " / " : "");
        print_item(&p, &items[i]);
    }
    return p.len;
}

static void print_actions(struct printer *, const struct eswitch_action *,
                          size_t n);

static const char *
operation(enum eswitch_op op)
{
    return op == ESWITCH_OP_ADD ? "+=" : op == ESWITCH_OP_SUB ? "-=" : "=";
}

static void
print_field_ref(struct printer *p, const struct eswitch_field_ref *ref)
{
    print(p, "%s", eswitch_field_name(ref->field));
    if (ref->level > 1) {
        print(p, "@%u", ref->level);
    }
}

static enum form
form_of(const struct eswitch_field_row *row)
{
    return (row->bits == 48 ? MAC
            : row->bits == 128 ? IPV6
            : row->bits == 32 && row->item == ESWITCH_ITEM_IPV4 ? IPV4
            : NUMBER);
}

static void
print_modify(struct printer *p, const struct eswitch_action *action)
{
    const struct eswitch_field_row *row
        = field_row(action->modify.field.field);
    size_t n = eswitch_field_bytes(row);
    uint8_t ones[MAX_VALUE];

    print(p, " ");
    print_field_ref(p, &action->modify.field);
    print(p, "%s", operation(action->modify.op));
    print_value(p, form_of(row), action->modify.value, n);
    all_ones(ones, n, row->bits);
    if (memcmp(ones, action->modify.mask, n)) {
        print(p, "/");
        print_value(p, form_of(row), action->modify.mask, n);
    }
}

static void
print_copy(struct printer *p, const struct eswitch_action *action)
{
    print(p, " ");
    print_field_ref(p, &action->copy.dst);
    print(p, ":%u%s", action->copy.dst_ofs, operation(action->copy.op));
    print_field_ref(p, &action->copy.src);
    print(p, ":%u,%u", action->copy.src_ofs, action->copy.width);
}

static void
print_list(struct printer *p, const struct eswitch_action *action)
{
    for (size_t i = 0; i < action->rss.n_queues; i++) {
        print(p, "%c%u", i ? ',' : '=', action->rss.queues[i]);
    }
}

static void
print_bytes(struct printer *p, const uint8_t *bytes, size_t n)
{
    print(p, "=");
    for (size_t i = 0; i < n; i++) {
        print(p, "%02x", bytes[i]);
    }
}

static void
print_action(struct printer *p, const struct eswitch_action *action)
{
    print(p, "%s", eswitch_action_name(action->type));
    switch (action->type) {
    case ESWITCH_ACTION_OUTPUT: case ESWITCH_ACTION_SOFTWARE:
        print(p, "=%u", action->port);
        break;
    case ESWITCH_ACTION_JUMP:
        print(p, "=%"PRIu32, action->group);
        break;
    case ESWITCH_ACTION_MARK:
        print(p, "=%"PRIu32, action->mark);
        break;
    case ESWITCH_ACTION_QUEUE:
        print(p, "=%u", action->queue);
        break;
    case ESWITCH_ACTION_RSS:
        print_list(p, action);
        break;
    case ESWITCH_ACTION_VLAN_PUSH:
        print(p, "=0x%04x", action->tpid);
        break;
    case ESWITCH_ACTION_MODIFY:
        print_modify(p, action);
        break;
    case ESWITCH_ACTION_COPY:
        print_copy(p, action);
        break;
    case ESWITCH_ACTION_ENCAP:
        print_bytes(p, action->encap.data, action->encap.size);
        break;
    case ESWITCH_ACTION_DECAP:
        print(p, "=%s", eswitch_item_name(action->decap.tunnel));
        break;
    case ESWITCH_ACTION_RAW_DECAP:
        print(p, "=%zu", action->raw_decap.size);
        break;
    case ESWITCH_ACTION_SAMPLE:
        print(p, " [ ");
        print_actions(p, action->sample.actions, action->sample.n_actions);
        print(p, " ]");
        break;
    case ESWITCH_ACTION_DROP: case ESWITCH_ACTION_PASSTHRU:
    case ESWITCH_ACTION_COUNT: case ESWITCH_ACTION_VLAN_POP:
    case ESWITCH_ACTION_DEC_TTL: case ESWITCH_N_ACTIONS:
    default:
        break;
    }
}

static void
print_actions(struct printer *p, const struct eswitch_action *actions,
              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        print(p, i ? " / " : "");
        print_action(p, &actions[i]);
    }
}

size_t
eswitch_text_actions(const struct eswitch_action *actions, size_t n, char *s,
                     size_t size)
{
    struct printer p = { s, size, 0 };

    print_actions(&p, actions, n);
    return p.len;
}
