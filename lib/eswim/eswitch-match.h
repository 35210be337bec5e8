/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_MATCH_H
#define ESWITCH_MATCH_H 1

/* What rules match, in the form in which packets are looked up.
 *
 * The items of a rule become a shape and a key.  The shape says which headers
 * a packet must have, which bytes of them matter, and under which mask: it is
 * what rules have in common that differ in values only.  The key is those
 * values, one after the other.  A packet's key for a shape is extracted in the
 * same order; rule and packet match if their keys are equal.
 *
 * Shapes are constant after eswitch_match_compile(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eswim/eswitch.h"

struct packet;

#define MATCH_MAX_KEY 1024          /* Bytes, a multiple of 8. */

/* What a part of the key is. */
enum match_part_type {
    MATCH_PORT,                     /* Where the packet entered. */
    MATCH_MARK,                     /* Its mark, of which it has one. */
    MATCH_BYTES,                    /* Bytes of a header. */
    MATCH_FLAGS,                    /* The layer's flags. */
    MATCH_GENEVE_OPT,               /* Data of an option. */
    MATCH_GRE_KEY,
};

struct match_part {
    uint8_t type;                   /* enum match_part_type. */
    uint8_t header;                 /* Index in the shape's headers. */
    uint8_t ofs, size;              /* Bytes, in the header. */
    uint16_t key_ofs;               /* Where it is in key and mask. */
    uint16_t opt_class;             /* MATCH_GENEVE_OPT. */
    uint8_t opt_type;
    uint8_t opt_len;                /* Of its data, if 'opt_len_exact'. */
    bool opt_len_exact;
};

struct match_shape {
    uint8_t n_headers, n_parts;
    uint16_t key_size;              /* Bytes, a multiple of 8. */
    uint8_t headers[ESWITCH_MAX_ITEMS];         /* enum eswitch_item_type. */
    struct match_part parts[2 * ESWITCH_MAX_ITEMS + 1];
    uint8_t mask[MATCH_MAX_KEY];
};

/* Compiles the items of 'rule' into '*shape', all of whose bytes are set, and
 * 'key', whose bytes outside of the mask are 0.  Returns 0 or a positive
 * errno, with '*error' filled in. */
int eswitch_match_compile(const struct eswitch_rule *, uint16_t n_ports,
                          struct match_shape *, uint8_t key[MATCH_MAX_KEY],
                          struct eswitch_error *error);

/* Bytes of a shape that are in use: the rest need not be stored. */
size_t match_shape_size(const struct match_shape *);
bool match_shape_equal(const struct match_shape *,
                       const struct match_shape *);

/* Extracts the packet's key.  False if it doesn't have that shape. */
bool match_extract(const struct match_shape *, const struct packet *,
                   uint8_t key[MATCH_MAX_KEY]);
uint64_t match_hash(const uint8_t *key, size_t size);

/* The items that a shape and a key came from, in a canonical form, for
 * people. */
struct match_items {
    size_t n;
    struct eswitch_item items[ESWITCH_MAX_ITEMS + 2];
    uint8_t spec[ESWITCH_MAX_ITEMS + 2][132];
    uint8_t mask[ESWITCH_MAX_ITEMS + 2][132];
    uint8_t last[ESWITCH_MAX_ITEMS + 2][20];
};
void match_decompile(const struct match_shape *, const uint8_t *key,
                     struct match_items *);

#endif /* eswitch-match.h */
