/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_REPORT_H
#define OFFLOAD_REPORT_H 1

/* What a command of ovs-appctl answers, for programs or for people.
 *
 * A command builds one tree of Open vSwitch's JSON, and says how people read
 * it: which members, in which order, under which labels.  What people see
 * can't differ from what programs see, because it is made from the same tree.
 *
 * Life: commands.c has a table of the commands.  For the one that is called it
 * takes "--format=..." out of the arguments (report_begin()), counts them, and
 * replies at the end (report_end()).  In between, the command fills in 'root'
 * and writes its text:
 *
 *      static const struct report_column columns[] = {
 *          { "port", "PORT", REPORT_LEFT },
 *          { "flows", "FLOWS", REPORT_RIGHT },
 *      };
 *
 *      void
 *      show_ports(struct report *r, int argc, const char *argv[])
 *      {
 *          struct json *rows = json_array_create_empty();
 *          struct json *row = json_object_create();
 *
 *          report_put_string(row, "port", name);
 *          report_put_uint(row, "flows", n);
 *          json_array_add(rows, row);
 *          json_object_put(r->root, "ports", rows);
 *          report_table(r, rows, columns, ARRAY_SIZE(columns));
 *      }
 *
 * A command that can't do what was asked calls report_fail().
 *
 * What isn't known is null to programs and "unknown" to people, never 0.
 *
 * Threading: a report belongs to the thread that began it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"

struct unixctl_conn;

struct report {
    struct unixctl_conn *conn;
    bool json;                  /* For programs. */
    char *error;                /* Or NULL.  Owned, as all is. */
    struct json *root;          /* An object. */
    struct ds text;             /* For people; empty if 'json'. */
};

/* A member of an object as people see it: a column of a table, or a line. */
struct report_column {
    const char *key;
    const char *label;
    enum {
        REPORT_LEFT,
        REPORT_RIGHT,           /* Aligned to the right, as numbers are. */
        REPORT_WRAP,            /* A line: goes on below if it is too long for
                                 * a terminal.  For prose; what people copy
                                 * stays whole. */
    } style;
};

/* Arguments that unixctl_command_register() must allow for beyond a command's
 * own: "--format=FORMAT", or "--format FORMAT". */
#define REPORT_MAX_ARGS 2
#define REPORT_USAGE "[--format=text|json]"

/* Takes "--format" out of argv[1...], wherever it is, and '*argc' down.  If it
 * can't be understood, replies with an error and returns false. */
bool report_begin(struct report *, struct unixctl_conn *, int *argc,
                  const char *argv[]);

/* Replies, and frees the report. */
void report_end(struct report *);

/* Makes the reply an error, of which the first is told. */
void report_fail(struct report *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Members of objects.  'value' NULL is unknown. */
void report_put_string(struct json *, const char *key, const char *value);
void report_put_format(struct json *, const char *key, const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);
void report_put_uint(struct json *, const char *key, uint64_t);
void report_put_real(struct json *, const char *key, double);
void report_put_bool(struct json *, const char *key, bool);
void report_put_unknown(struct json *, const char *key);

/* Text, which programs don't see. */
void report_line(struct report *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* A paragraph: where 'text' is too long for a terminal it goes on below,
 * behind 'indent' spaces. */
void report_prose(struct report *, int indent, const char *text);

/* One line a member, "LABEL: VALUE", with the values one below the other and
 * 'indent' spaces before them.  A member that isn't there has no line. */
void report_fields(struct report *, const struct json *object, int indent,
                   const struct report_column *, size_t n);

/* A table of the array's objects, with a heading. */
void report_table(struct report *, const struct json *array,
                  const struct report_column *, size_t n);

/* Appends 'value' as people see it. */
void report_format_value(const struct json *value, struct ds *);

#endif /* report.h */
