/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(double seconds, const char *expected)
{
    struct buf b;
    buf_init(&b, 64);
    duration_write(&b, seconds);
    buf_add_char(&b, '\0');
    assert_string_equal(b.ptr, expected);
    buf_fini(&b);
}

static void texts_are_those_of_the_contract(void **state)
{
    (void)state;
    check(0, "0s");
    check(59, "59s");
    check(59.999, "59s");
    check(60, "1m");
    check(3599, "59m");
    check(3600, "1h 0m");
    check(4800, "1h 20m");
    check(90061, "25h 1m");
}

static void what_is_no_duration_is_none(void **state)
{
    (void)state;
    check(-5, "0s");
    check((double)NAN, "0s");
    check((double)INFINITY, "277777777777h 46m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_the_contract),
        cmocka_unit_test(what_is_no_duration_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
