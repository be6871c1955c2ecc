/* SPDX-License-Identifier: MIT */
#include "streamd/tools/terminal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_curve(const double *values, size_t count, const char *expected)
{
    struct buf b;
    buf_init(&b, 256);
    terminal_sparkline(values, count, &b);
    buf_add_char(&b, '\0');
    assert_string_equal(b.ptr, expected);
    buf_fini(&b);
}

static void a_curve_goes_from_its_lowest_to_its_highest(void **state)
{
    (void)state;
    expect_curve((const double[]){7, 0, 3.5, NAN, INFINITY, 1}, 6, "█▁▅  ▂");
    expect_curve((const double[]){2, 2}, 2, "▁▁");
    expect_curve((const double[]){NAN}, 1, " ");
    expect_curve(NULL, 0, "");
}

static void a_pipe_is_told_no_colour(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_non_null(out);
    FILE *file = tmpfile();
    assert_false(terminal_is(file) || terminal_has_colour(file));
    (void)fclose(file);
    terminal_print_state(out, SPAN("running"), 9);
    (void)fclose(out);
    assert_string_equal(text, "running  ");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_goes_from_its_lowest_to_its_highest),
        cmocka_unit_test(a_pipe_is_told_no_colour),
    };
    return cmocka_run_group_tests_name("streamd/tools/terminal", tests, NULL, NULL);
}
