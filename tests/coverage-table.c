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
match_text(enum offload_form form, enum offload_maskable maskable)
{
    switch (form) {
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
        return maskable == OFFLOAD_MASK_ANY ? "any mask" : "exact";
    }
}

static const char *
yes_text(bool can)
{
    return can ? "yes" : "";
}

/* The column of limits. */
static void
print_notes(const char *note, const char *rte_note)
{
    printf(" %s%s%s%s |\n", note ? note : "", note && rte_note ? "; " : "",
           rte_note ? "rte_flow: " : "", rte_note ? rte_note : "");
}

static void
print_fields(void)
{
    puts("| match field | TC flower | rewrite | rte_flow | rewrite | limits |\n"
         "|---|---|---|---|---|---|");
    for (int id = 0; id < OFFLOAD_N_FIELDS; id++) {
        const struct offload_field *field = offload_field_get(id);

        printf("| `%s` | %s | %s | %s | %s |", field->name,
               match_text(field->tc.form, field->tc.maskable),
               yes_text(field->pedit.can),
               match_text(field->rte.form, field->rte.maskable),
               yes_text(field->rte.can_set));
        print_notes(field->tc.note, field->rte.note);
    }
}

static void
print_actions(void)
{
    const struct offload_action_row *rows;
    size_t n = offload_action_rows(&rows);

    puts("\n| action | TC | rte_flow | limits |\n"
         "|---|---|---|---|");
    for (size_t i = 0; i < n; i++) {
        if (rows[i].name) {
            printf("| `%s` | %s | %s |", rows[i].name,
                   rows[i].parse && !rows[i].netdev_only ? "yes" : "refused",
                   rows[i].rte ? "yes" : "refused");
            print_notes(rows[i].note, rows[i].rte_note);
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
