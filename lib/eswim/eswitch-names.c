/* SPDX-License-Identifier: Apache-2.0 */

#include "eswim/eswitch-names.h"

#include <stdarg.h>
#include <stdio.h>

const struct eswitch_item_row eswitch_items[] = {
#define ESWITCH_ITEM(ID, NAME, SIZE) [ESWITCH_ITEM_##ID] = { NAME, SIZE },
    ESWITCH_ITEMS
#undef ESWITCH_ITEM
};

const struct eswitch_action_row eswitch_actions[] = {
#define ESWITCH_ACTION(ID, NAME, FATE) \
    [ESWITCH_ACTION_##ID] = { NAME, FATE },
    ESWITCH_ACTIONS
#undef ESWITCH_ACTION
};

const struct eswitch_field_row eswitch_fields[] = {
#define ESWITCH_FIELD(ID, NAME, ITEM, OFS, BITS, SHIFT)                 \
    [ESWITCH_FIELD_##ID] = {                                            \
        .name = NAME, .item = ESWITCH_ITEM_##ITEM,                      \
        .ofs = OFS, .bits = BITS, .shift = SHIFT },
#define ESWITCH_FIELD_ONE_OF(ID, NAME, A, B)                            \
    [ESWITCH_FIELD_##ID] = {                                            \
        .name = NAME,                                                   \
        .a = ESWITCH_FIELD_##A, .b = ESWITCH_FIELD_##B },
    ESWITCH_FIELDS
#undef ESWITCH_FIELD
#undef ESWITCH_FIELD_ONE_OF
};

const char *
eswitch_item_name(enum eswitch_item_type item)
{
    return item < ESWITCH_N_ITEMS ? eswitch_items[item].name : "unknown";
}

const char *
eswitch_action_name(enum eswitch_action_type action)
{
    return action < ESWITCH_N_ACTIONS ? eswitch_actions[action].name
                                      : "unknown";
}

bool
eswitch_action_is_fate(enum eswitch_action_type action)
{
    return action < ESWITCH_N_ACTIONS && eswitch_actions[action].fate;
}

const char *
eswitch_field_name(enum eswitch_field field)
{
    return field < ESWITCH_N_FIELDS ? eswitch_fields[field].name : "unknown";
}

int
eswitch_complain(struct eswitch_error *error, int errnum,
                 enum eswitch_where where, int index, const char *format, ...)
{
    if (error) {
        va_list args;

        error->error = errnum;
        error->where = where;
        error->index = index;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return errnum;
}
