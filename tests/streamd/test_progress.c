/* SPDX-License-Identifier: MIT */
#include "streamd/tools/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_line_has_what_percent_rate_and_time_left(void **state)
{
    (void)state;
    static const struct {
        uint64_t done, total, spent_us;
        const char *line;
    } cases[] = {
        {0, 100, 0, "x [                    ]   0% 0 r/s eta --:--"},
        {50, 100, 1000000, "x [##########          ]  50% 50 r/s eta 00:01"},
        {1000000, 10000000, 10000000, "x [##                  ]  10% 100.0k r/s eta 01:30"},
        {100, 100, 1000000, "x [####################] 100% 100 r/s eta 00:00"},
        {200, 100, 1000000, "x [####################] 100% 200 r/s eta 00:00"},
        {5, 0, 1000000, "x [                    ]   0% 5 r/s eta --:--"},
        {1, 1000000, 1000000, "x [                    ]   0% 1 r/s eta --:--"},
    };
    char line[PROGRESS_LINE_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct progress p = {.what = "x", .unit = "r", .total = cases[i].total};
        assert_string_equal(progress_line(&p, cases[i].done, cases[i].spent_us, line),
                            cases[i].line);
    }
}

static void a_long_name_is_cut(void **state)
{
    (void)state;
    char line[PROGRESS_LINE_MAX];
    char name[500];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct progress p = {.what = name, .unit = "bytes", .total = UINT64_MAX};
    assert_true(strlen(progress_line(&p, UINT64_MAX, 1, line)) < 100);
}

static void without_a_terminal_nothing_is_drawn(void **state)
{
    (void)state;
    struct progress p;
    progress_begin(&p, "x", "r", 10);
    p.shown = false;
    progress_set(&p, 5);
    assert_int_equal(p.drawn_us, 0);
    progress_end(&p);
    progress_end(&(struct progress){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_has_what_percent_rate_and_time_left),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(without_a_terminal_nothing_is_drawn),
    };
    return cmocka_run_group_tests_name("tools/progress", tests, NULL, NULL);
}
