/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "report.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "openvswitch/shash.h"
#include "unicode.h"
#include "unixctl.h"
#include "util.h"

/* Arguments. */

/* If argv[i] is "--format", stores what it asks for.  Returns how many
 * arguments it takes, 0 if it is something else. */
static int
parse_format(int i, int argc, const char *argv[], const char **format)
{
    if (!strncmp(argv[i], "--format=", 9)) {
        *format = argv[i] + 9;
        return 1;
    } else if (!strcmp(argv[i], "--format")) {
        *format = i + 1 < argc ? argv[i + 1] : "";
        return MIN(2, argc - i);
    }
    return 0;
}

bool
report_begin(struct report *r, struct unixctl_conn *conn, int *argc,
             const char *argv[])
{
    const char *format = "text";
    int n = 1;

    for (int i = 1; i < *argc; ) {
        int taken = parse_format(i, *argc, argv, &format);

        if (!taken) {
            argv[n++] = argv[i];
            taken = 1;
        }
        i += taken;
    }
    *argc = n;

    if (strcmp(format, "text") && strcmp(format, "json")) {
        unixctl_command_reply_error(conn,
                                    "--format must be \"text\" or \"json\"");
        return false;
    }
    r->conn = conn;
    r->error = NULL;
    r->json = !strcmp(format, "json");
    r->root = json_object_create();
    ds_init(&r->text);
    return true;
}

/* The end. */

void
report_end(struct report *r)
{
    if (r->error) {
        unixctl_command_reply_error(r->conn, r->error);
    } else if (r->json) {
        char *s = json_to_string(r->root, JSSF_SORT);

        unixctl_command_reply(r->conn, s);
        free(s);
    } else {
        unixctl_command_reply(r->conn, ds_cstr(&r->text));
    }
    json_destroy(r->root);
    ds_destroy(&r->text);
    free(r->error);
}

void
report_fail(struct report *r, const char *format, ...)
{
    if (!r->error) {
        va_list args;

        va_start(args, format);
        r->error = xvasprintf(format, args);
        va_end(args);
    }
}

/* Members. */

/* What comes from a kernel or a driver may be anything, and JSON must be
 * UTF-8. */
static char *
clean_string(const char *value)
{
    char *s = xstrdup(value);
    size_t length;
    char *error = utf8_validate(s, &length);

    if (error) {
        for (char *p = s; *p; p++) {
            if ((unsigned char) *p >= 0x80) {
                *p = '?';
            }
        }
        free(error);
    }
    return s;
}

void
report_put_string(struct json *object, const char *key, const char *value)
{
    json_object_put(object, key, value
                    ? json_string_create_nocopy(clean_string(value))
                    : json_null_create());
}

void
report_put_format(struct json *object, const char *key, const char *format,
                  ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    s = xvasprintf(format, args);
    va_end(args);
    report_put_string(object, key, s);
    free(s);
}

/* JSON's integers end where a long long int does. */
void
report_put_uint(struct json *object, const char *key, uint64_t value)
{
    json_object_put(object, key, json_integer_create(MIN(value, INT64_MAX)));
}

void
report_put_real(struct json *object, const char *key, double value)
{
    json_object_put(object, key, isfinite(value) ? json_real_create(value)
                                                 : json_null_create());
}

void
report_put_bool(struct json *object, const char *key, bool value)
{
    json_object_put(object, key, json_boolean_create(value));
}

void
report_put_unknown(struct json *object, const char *key)
{
    json_object_put(object, key, json_null_create());
}

/* Text. */

void
report_line(struct report *r, const char *format, ...)
{
    if (!r->json) {
        va_list args;

        va_start(args, format);
        ds_put_format_valist(&r->text, format, args);
        va_end(args);
        ds_put_char(&r->text, '\n');
    }
}

/* A line stays a line, and a terminal what it is. */
static void
format_string(const char *value, struct ds *s)
{
    for (const char *p = value; *p; p++) {
        bool control = (unsigned char) *p < ' ' || *p == 0x7f;

        ds_put_char(s, control ? '?' : *p);
    }
}

static void
format_array(const struct json *array, struct ds *s)
{
    if (!array->array.n) {
        ds_put_cstr(s, "none");
    }
    for (size_t i = 0; i < array->array.n; i++) {
        if (i) {
            ds_put_cstr(s, ", ");
        }
        report_format_value(array->array.elems[i], s);
    }
}

void
report_format_value(const struct json *value, struct ds *s)
{
    switch (value->type) {
    case JSON_NULL:
        ds_put_cstr(s, "unknown");
        break;
    case JSON_FALSE:
        ds_put_cstr(s, "no");
        break;
    case JSON_TRUE:
        ds_put_cstr(s, "yes");
        break;
    case JSON_STRING:
        format_string(value->string, s);
        break;
    case JSON_INTEGER:
        ds_put_format(s, "%lld", value->integer);
        break;
    case JSON_REAL:
        ds_put_format(s, "%.6g", value->real);
        break;
    case JSON_ARRAY:
        format_array(value, s);
        break;
    case JSON_OBJECT:
    case JSON_SERIALIZED_OBJECT:
    case JSON_N_TYPES:
    default:
        json_to_ds(value, JSSF_SORT, s);
        break;
    }
}

#define TERMINAL_WIDTH 79

/* Appends 'text', which begins in column 'indent', as are the lines that
 * follow, none of which is longer than a terminal unless a word is. */
static void
put_wrapped(struct ds *s, const char *text, int indent)
{
    int width = MAX(TERMINAL_WIDTH - indent, 20);

    while (strlen(text) > width) {
        int n = width;

        while (n > 0 && text[n] != ' ') {
            n--;
        }
        if (!n) {
            n = strcspn(text, " ");
        }
        if (!text[n]) {
            break;
        }
        ds_put_format(s, "%.*s\n%*s", n, text, indent, "");
        text += n + 1;
    }
    ds_put_cstr(s, text);
}

void
report_prose(struct report *r, int indent, const char *text)
{
    if (!r->json) {
        put_wrapped(&r->text, text, indent);
        ds_put_char(&r->text, '\n');
    }
}

static void
put_value(struct ds *s, const struct json *value, int indent, bool wrap)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    report_format_value(value, &text);
    if (wrap) {
        put_wrapped(s, ds_cstr(&text), indent);
    } else {
        ds_put_cstr(s, ds_cstr(&text));
    }
    ds_put_char(s, '\n');
    ds_destroy(&text);
}

void
report_fields(struct report *r, const struct json *object, int indent,
              const struct report_column *columns, size_t n)
{
    size_t width = 0;

    if (r->json) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (shash_find(object->object, columns[i].key)) {
            width = MAX(width, strlen(columns[i].label));
        }
    }
    for (size_t i = 0; i < n; i++) {
        const struct json *value = shash_find_data(object->object,
                                                   columns[i].key);

        if (value) {
            ds_put_format(&r->text, "%*s%s:%*s", indent, "", columns[i].label,
                          (int) (width - strlen(columns[i].label)) + 1, "");
            put_value(&r->text, value, indent + width + 2,
                      columns[i].style == REPORT_WRAP);
        }
    }
}

/* The text of a cell, which the caller frees; "" for what isn't there. */
static char *
format_cell(const struct json *row, const char *key)
{
    const struct json *value = shash_find_data(row->object, key);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (value) {
        report_format_value(value, &s);
    }
    return ds_steal_cstr(&s);
}

/* Appends a line of a table, without blanks at its end. */
static void
put_row(struct ds *s, const char *const cells[], const size_t widths[],
        const struct report_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int pad = widths[i] - strlen(cells[i]);

        bool right = columns[i].style == REPORT_RIGHT;

        ds_put_format(s, "%*s%s%*s", right ? pad : 0, "",
                      cells[i], right ? 0 : pad, "");
        ds_put_cstr(s, "  ");
    }
    ds_chomp(s, '\n');
    while (s->length && s->string[s->length - 1] == ' ') {
        ds_truncate(s, s->length - 1);
    }
    ds_put_char(s, '\n');
}

void
report_table(struct report *r, const struct json *array,
             const struct report_column *columns, size_t n)
{
    size_t n_rows = array->array.n;
    const char **cells;
    size_t *widths;

    if (r->json) {
        return;
    }
    /* The heading is the first row. */
    cells = xmalloc((n_rows + 1) * n * sizeof *cells);
    widths = xcalloc(n, sizeof *widths);
    for (size_t i = 0; i < n; i++) {
        cells[i] = xstrdup(columns[i].label);
        for (size_t j = 0; j < n_rows; j++) {
            cells[(j + 1) * n + i] = format_cell(array->array.elems[j],
                                                 columns[i].key);
        }
        for (size_t j = 0; j <= n_rows; j++) {
            widths[i] = MAX(widths[i], strlen(cells[j * n + i]));
        }
    }
    for (size_t j = 0; j <= n_rows; j++) {
        put_row(&r->text, &cells[j * n], widths, columns, n);
    }
    for (size_t i = 0; i < (n_rows + 1) * n; i++) {
        free(CONST_CAST(char *, cells[i]));
    }
    free(cells);
    free(widths);
}
