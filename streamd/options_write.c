/* SPDX-License-Identifier: MIT */
/*
 * Everything here is read off the table; a new option needs a row and nothing else. Write errors
 * are stdio's to remember: nobody can be told that --help could not be printed.
 */
#include "streamd/options_write.h"

#include "streamd/options_table.h"
#include "streamd/tools/tool.h"

#include <string.h>

enum { COLUMNS = 80, TEXT_COLUMN = 29, SENTENCE_MAX = 512 };

void options_write_wrapped(FILE *out, const char *text, int at)
{
    struct span rest = span_of(text);
    (void)fprintf(out, "%*s", at < TEXT_COLUMN ? TEXT_COLUMN - at : 1, "");
    at = TEXT_COLUMN;
    while (rest.ptr) {
        struct span word = span_cut(&rest, ' ');
        int len = (int)word.len;
        if (at > TEXT_COLUMN && at + 1 + len > COLUMNS) {
            (void)fprintf(out, "\n%*s", TEXT_COLUMN, "");
            at = TEXT_COLUMN;
        }
        at += fprintf(out, "%s%.*s", at > TEXT_COLUMN ? " " : "", len, word.ptr);
    }
    (void)fputc('\n', out);
}

static const char *default_of(const struct option_row *row)
{
    return row->fallback ? row->fallback : row->derived;
}

static void write_help_row(FILE *out, const struct option_row *row)
{
    char text[SENTENCE_MAX];
    int at =
        fprintf(out, "  --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    int len = snprintf(text, sizeof(text), "%s", row->help);
    if (default_of(row) && len < SENTENCE_MAX)
        (void)snprintf(text + len, sizeof(text) - (size_t)len, " (default %s)", default_of(row));
    options_write_wrapped(out, text, at);
}

static void write_tools(FILE *out)
{
    (void)fputs("\nCommands\n", out);
    for (size_t i = 0; tool_at(i); i++)
        options_write_wrapped(out, tool_at(i)->summary, fprintf(out, "  %s", tool_at(i)->name));
}

void options_write_help(FILE *out)
{
    const char *group = "";
    (void)fprintf(out,
                  "streamd %s: training runs, live, for everybody who watches\n\n"
                  "usage: streamd [OPTION]...\n"
                  "       streamd COMMAND [OPTION]... [ARGUMENT]...\n",
                  STREAMD_VERSION);
    write_tools(out);
    for (size_t i = 0; option_at(i); i++) {
        const struct option_row *row = option_at(i);
        if (strcmp(group, row->group) != 0)
            (void)fprintf(out, "\n%s\n", row->group);
        group = row->group;
        write_help_row(out, row);
    }
    (void)fputs("\nEvery option can also be a variable: --max-rate as STREAMD_MAX_RATE, switches\n"
                "with 0 or 1, repeatable ones with commas. A flag wins over its variable.\n",
                out);
}

void options_write_markdown(FILE *out)
{
    char variable[OPTION_VARIABLE_MAX];
    char range[OPTION_RANGE_MAX];
    (void)fputs("| option | variable | value | default | meaning |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; option_at(i); i++) {
        const struct option_row *row = option_at(i);
        const char *def = default_of(row);
        const char *name = option_variable(row, variable);
        (void)fprintf(out, "| `--%s%s%s` | %s%s%s | %s | %s%s%s | %s |\n", row->name,
                      row->value ? " " : "", row->value ? row->value : "", *name ? "`" : "", name,
                      *name ? "`" : "", option_range(row, range), row->fallback ? "`" : "",
                      def ? def : "", row->fallback ? "`" : "", row->help);
    }
}
