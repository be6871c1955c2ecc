/* SPDX-License-Identifier: MIT */
#include "proto/logs/words.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void pairs_are_keys_with_numbers(void **state)
{
    (void)state;
    struct span rest = SPAN("note lr: 1e-3 mode: fast  eta: 1 day, 2:03:04  loss: nan,  x: -inf");
    struct span key;
    struct num value;
    assert_true(words_take_pair(&rest, &key, &value));
    assert_true(span_is(key, "lr") && num_double(value) == 1e-3);
    assert_true(words_take_pair(&rest, &key, &value));
    assert_true(span_is(key, "loss") && isnan(num_double(value)));
    assert_true(words_take_pair(&rest, &key, &value));
    assert_true(span_is(key, "x") && num_double(value) == -(double)INFINITY);
    assert_false(words_take_pair(&rest, &key, &value));
}

static void numbers_have_things_glued_to_them(void **state)
{
    (void)state;
    struct num value;
    assert_true(words_number(SPAN("0.5,"), &value) && num_double(value) == 0.5);
    assert_true(words_number(SPAN("71.2%"), &value) && num_double(value) == 71.2);
    assert_true(words_number(SPAN("28.1ms,"), &value) && num_double(value) == 28.1);
    assert_true(words_number(SPAN("(3)"), &value) && num_double(value) == 3);
    assert_true(words_number(SPAN("'1.5'"), &value) && num_double(value) == 1.5);
    assert_false(words_number(SPAN("10:20:30"), &value));
    assert_false(words_number(SPAN("epoch"), &value));
    assert_false(words_number(SPAN(",;"), &value));
}

static void places_are_parts_of_wholes(void **state)
{
    (void)state;
    uint64_t part = 7;
    uint64_t whole = 7;
    struct span s = SPAN("  50/1242]");
    assert_true(words_take_of(&s, &part, &whole));
    assert_int_equal(part, 50);
    assert_int_equal(whole, 1242);
    assert_true(span_is(s, "]"));
    s = SPAN("50/]");
    assert_false(words_take_of(&s, &part, &whole));
    s = SPAN("99999999999999999999/2");
    assert_false(words_take_of(&s, &part, &whole));
}

static void moments_stand_at_the_head(void **state)
{
    (void)state;
    assert_true(words_moment_s(SPAN("2026/02/03 10:44:17 - mmengine")) == 1770115457);
    assert_true(words_moment_s(SPAN("[2024-02-29T00:00:01,250] x")) == 1709164801);
    assert_true(words_moment_s(SPAN("1970-01-01 00:00:00")) == 0);
    assert_true(isnan(words_moment_s(SPAN("at 2026/02/03 10:44:17"))));
    assert_true(isnan(words_moment_s(SPAN("2026/13/03 10:44:17"))));
    assert_true(isnan(words_moment_s(SPAN("2026/02/03 10:44:1"))));
    assert_true(isnan(words_moment_s(SPAN("2026/02/03"))));
}

static void a_dying_process_says_so(void **state)
{
    (void)state;
    static const char *const deaths[] = {
        "RuntimeError: CUDA error: device-side assert triggered",
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "Traceback (most recent call last):",
        "Exception in thread Thread-1:",
        "train.sh: line 3: 4242 Killed    python train.py",
        "slurmstepd: error: Detected 1 oom-kill event: OOM",
        "2026/02/03 10:44:17 - mmengine - ERROR - cannot go on",
        "Error: no space left on device",
    };
    static const char *const others[] = {
        "UserWarning: Error in loading the extension",
        "2026/02/03 10:43:12 - mmengine - WARNING - KeyError ignored",
        "ErrorRate: 0.5",
        "class_error: 75.1",
        "Terror of the seas",
        "no_Killed_here",
        "OOMs: 0",
        "raise_on_Error=False",
        "",
    };
    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
        if (!words_crash(span_of(deaths[i])))
            fail_msg("not seen: %s", deaths[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (words_crash(span_of(others[i])))
            fail_msg("taken for a crash: %s", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_keys_with_numbers),
        cmocka_unit_test(numbers_have_things_glued_to_them),
        cmocka_unit_test(places_are_parts_of_wholes),
        cmocka_unit_test(moments_stand_at_the_head),
        cmocka_unit_test(a_dying_process_says_so),
    };
    return cmocka_run_group_tests_name("proto/logs/words", tests, NULL, NULL);
}
