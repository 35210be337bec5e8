/* SPDX-License-Identifier: Apache-2.0 */

/* Prints the coverage table of README.md from the rows of the field table and
 * of the action table, as Markdown. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "offload-action.h"
#include "offload-field.h"
#include "util.h"

static const char *
match_text(const struct offload_field *field)
{
    switch (field->tc.form) {
    case OFFLOAD_FORM_NONE:
        return "refused";
    case OFFLOAD_FORM_IMPLIED:
        return "yes";
    case OFFLOAD_FORM_BYTES:
    case OFFLOAD_FORM_U8:
    case OFFLOAD_FORM_U16:
    case OFFLOAD_FORM_U32:
    case OFFLOAD_FORM_SPECIAL:
    default:
        return (field->tc.maskable == OFFLOAD_MASK_ANY
                ? "any mask" : "exact");
    }
}

static void
print_fields(void)
{
    puts("| match field | TC flower | rewrite | limits |\n"
         "|---|---|---|---|");
    for (int id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const struct offload_field *field = offload_field_get(id);

        printf("| `%s` | %s | %s | %s |\n", field->name, match_text(field),
               field->pedit.can ? "yes" : "",
               field->tc.note ? field->tc.note : "");
    }
}

static void
print_actions(void)
{
    const struct offload_action_row *rows;
    size_t n = offload_action_rows(&rows);

    puts("\n| action | TC | limits |\n"
         "|---|---|---|");
    for (size_t i = 0; i < n; i++) {
        if (rows[i].name) {
            printf("| `%s` | %s | %s |\n", rows[i].name,
                   rows[i].parse && !rows[i].netdev_only ? "yes" : "refused",
                   rows[i].note ? rows[i].note : "");
        }
    }
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    set_program_name(argv[0]);
    print_fields();
    print_actions();
    return 0;
}
