/* SPDX-License-Identifier: MIT */
/* The tables in docs/ hold what the tables in the code hold. Run from the root of the tree. */
#include "streamd/http/router.h"
#include "streamd/memory_bound.h"
#include "streamd/options_table.h"
#include "streamd/options_write.h"
#include "streamd/stats.h"
#include "streamd/tools/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The whole file; the caller frees it. */
static char *read_page(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = NULL;
    size_t size = 0;
    assert_true(getdelim(&text, &size, '\0', f) > 0);
    fclose(f);
    return text;
}

static void every_option_stands_in_the_table_of_options(void **state)
{
    (void)state;
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    options_write_markdown(out);
    fclose(out);
    char *page = read_page("docs/options.md");
    if (!strstr(page, table))
        fail_msg("docs/options.md does not hold this table:\n%s", table);
    free(page);
    free(table);
}

static void every_counter_stands_in_the_table_of_counters(void **state)
{
    (void)state;
    static const char *const rows[] = {
#define COUNTER_ROW(name, help) "| `" #name "` | counter | " help " |\n",
#define GAUGE_ROW(name, help) "| `" #name "` | gauge | " help " |\n",
        STATS_TABLE(COUNTER_ROW, GAUGE_ROW)
#undef COUNTER_ROW
#undef GAUGE_ROW
    };
    char *page = read_page("docs/protocol.md");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!strstr(page, rows[i]))
            fail_msg("docs/protocol.md does not hold: %s", rows[i]);
    }
    free(page);
}

static void every_row_of_the_memory_bound_stands_in_its_table(void **state)
{
    (void)state;
    static const char *const rows[] = {
#define MEMORY_ROW(name, formula, help) "| `" #name "` | `" #formula "` | " help " |\n",
        MEMORY_TABLE(MEMORY_ROW)
#undef MEMORY_ROW
    };
    char *page = read_page("docs/reliability.md");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!strstr(page, rows[i]))
            fail_msg("docs/reliability.md does not hold: %s", rows[i]);
    }
    free(page);
}

static void every_route_stands_in_the_table_of_routes(void **state)
{
    (void)state;
    char *page = read_page("docs/protocol.md");
    for (size_t i = 0; route_tables[i]; i++) {
        for (const struct route *r = route_tables[i]; r->pattern; r++) {
            char cell[128];
            bool has_tail = r->pattern[strlen(r->pattern) - 1] == '/';
            const char *id = strstr(r->pattern, "{id}");
            int before = id ? (int)(id - r->pattern) : (int)strlen(r->pattern);
            (void)snprintf(cell, sizeof(cell), "| `%.*s%s%s` |", before, r->pattern,
                           id || has_tail ? "<id>" : "", id ? id + strlen("{id}") : "");
            if (!strstr(page, cell))
                fail_msg("docs/protocol.md has no row %s", cell);
        }
    }
    free(page);
}

/* Is `.It Fl -name` or `, Fl -name` there, and no longer name that begins so? */
static bool manual_lists(const char *page, const char *name)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "Fl -%s", name);
    for (const char *at = page; (at = strstr(at, text)) != NULL; at += len) {
        if (strchr(" \n", at[len]) && (strncmp(at - 4, ".It ", 4) == 0 || at[-2] == ','))
            return true;
    }
    return false;
}

static void every_option_stands_in_the_manual(void **state)
{
    (void)state;
    char *page = read_page("docs/streamd.8");
    char *options = strstr(page, "\n.Sh OPTIONS\n");
    char *commands = strstr(page, "\n.Sh COMMANDS\n");
    assert_true(options && commands && options < commands);
    *commands = '\0';
    for (size_t i = 0; option_at(i); i++) {
        if (!manual_lists(options, option_at(i)->name))
            fail_msg("docs/streamd.8 does not list --%s", option_at(i)->name);
    }
    free(page);
}

static void every_command_and_its_options_stand_in_the_manual(void **state)
{
    (void)state;
    char *page = read_page("docs/streamd.8");
    for (size_t i = 0; tool_at(i); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "\n.Cm %s\n", tool_at(i)->name);
        if (!strstr(page, text))
            fail_msg("docs/streamd.8 has no synopsis of %s", tool_at(i)->name);
        for (const struct tool_option *o = tool_at(i)->options; o->name; o++) {
            (void)snprintf(text, sizeof(text), "Fl -%s", o->name);
            if (!strstr(page, text))
                fail_msg("docs/streamd.8 does not name --%s", o->name);
        }
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_stands_in_the_table_of_options),
        cmocka_unit_test(every_counter_stands_in_the_table_of_counters),
        cmocka_unit_test(every_row_of_the_memory_bound_stands_in_its_table),
        cmocka_unit_test(every_route_stands_in_the_table_of_routes),
        cmocka_unit_test(every_option_stands_in_the_manual),
        cmocka_unit_test(every_command_and_its_options_stand_in_the_manual),
    };
    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
