/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_NAMES_H
#define ESWITCH_NAMES_H 1

/* The tables of items, actions and fields of eswitch.h, as data; constant. */

#include <stdbool.h>
#include <stdint.h>

#include "eswim/eswitch.h"

struct eswitch_item_row {
    const char *name;
    uint8_t size;                   /* Bytes of header, the fixed part. */
};

struct eswitch_action_row {
    const char *name;
    bool fate;
};

struct eswitch_field_row {
    const char *name;
    enum eswitch_item_type item;
    uint8_t ofs, bits, shift;
    /* One of two, if they aren't the same. */
    enum eswitch_field a, b;
};

extern const struct eswitch_item_row eswitch_items[ESWITCH_N_ITEMS];
extern const struct eswitch_action_row eswitch_actions[ESWITCH_N_ACTIONS];
extern const struct eswitch_field_row eswitch_fields[ESWITCH_N_FIELDS];

static inline unsigned
eswitch_field_bytes(const struct eswitch_field_row *row)
{
    return (row->bits + 7) / 8;
}

/* Fills in '*error', which may be null.  Returns 'errnum'. */
int eswitch_complain(struct eswitch_error *error, int errnum,
                     enum eswitch_where, int index, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif /* eswitch-names.h */
