/* SPDX-License-Identifier: MIT */
#include "proto/logs/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All cells, each in [], rows ended by |; what is refused by what it says. */
static void expect(const char *file, const char *cells)
{
    struct buf out;
    struct csv_cell cell;
    const char *why = NULL;
    struct span rest = span_of(file);
    buf_init(&out, 4096);
    while (rest.len > 0) {
        if (csv_next(&rest, ',', &cell, &why) != OK) {
            buf_addf(&out, "!%s", why);
            break;
        }
        buf_add_char(&out, '[');
        if (cell.escaped)
            csv_unescape(cell.raw, &out);
        else
            buf_add_span(&out, cell.raw);
        buf_add_str(&out, cell.last ? "]|" : "]");
    }
    buf_add_char(&out, '\0');
    assert_string_equal(out.ptr, cells);
    buf_fini(&out);
}

static void cells_end_at_separators_and_rows_at_line_ends(void **state)
{
    (void)state;
    expect("a,b\n1,2\r\n", "[a][b]|[1][2]|");
    expect("a,b\n1,2", "[a][b]|[1][2]|");
    expect("a,,\n", "[a][][]|");
    expect("\n\r\na", "[]|[]|[a]|");
    expect("a\rb,c\n", "[a\rb][c]|");
}

static void quotes_hold_what_would_end_a_cell(void **state)
{
    (void)state;
    expect("\"a,b\",\"c\nd\"\n", "[a,b][c\nd]|");
    expect("\"say \"\"hi\"\"\",x", "[say \"hi\"][x]|");
    expect("\"\"\"\"\r\n", "[\"]|");
    expect("\"\",1\n", "[][1]|");
}

static void torn_quotes_are_refused(void **state)
{
    (void)state;
    expect("1,\"a", "[1]!a quote is not closed");
    expect("\"a\"\"", "!a quote is not closed");
    expect("\"a\"b,1", "!text behind a closing quote");
    expect("\"a\"\rb", "!text behind a closing quote");
}

static void the_separator_is_the_most_frequent_of_the_first_row(void **state)
{
    (void)state;
    assert_int_equal(csv_separator(SPAN("a,b,c\n;;;;")), ',');
    assert_int_equal(csv_separator(SPAN("a\tb,c\td\n")), '\t');
    assert_int_equal(csv_separator(SPAN("a;b;c,d")), ';');
    assert_int_equal(csv_separator(SPAN("step")), ',');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_end_at_separators_and_rows_at_line_ends),
        cmocka_unit_test(quotes_hold_what_would_end_a_cell),
        cmocka_unit_test(torn_quotes_are_refused),
        cmocka_unit_test(the_separator_is_the_most_frequent_of_the_first_row),
    };
    return cmocka_run_group_tests_name("proto/logs/csv", tests, NULL, NULL);
}
