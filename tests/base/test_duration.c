/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_duration_is_cut_to_what_one_reads(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {59, "59s"},       {60, "1m"},         {3599, "59m"},     {4800, "1h 20m"},
        {90061, "25h 1m"}, {0, "0s"},          {0.9, "0s"},       {59.999, "59s"},
        {3600, "1h 0m"},   {-5, "0s"},         {NAN, "unknown"},  {INFINITY, "unknown"},
        {-INFINITY, "0s"}, {1e300, "unknown"}, {86400, "24h 0m"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[DURATION_TEXT_MAX];
        assert_string_equal(duration_text(cases[i].seconds, text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_cut_to_what_one_reads),
    };
    return cmocka_run_group_tests_name("base/duration", tests, NULL, NULL);
}
