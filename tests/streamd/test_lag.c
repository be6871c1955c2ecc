/* SPDX-License-Identifier: MIT */
#include "streamd/lag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define S UINT64_C(1000000)
#define START (1000 * S)

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct lag));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void note_times(struct lag *lag, int times, uint64_t held_us, uint64_t now_us)
{
    for (int i = 0; i < times; i++)
        lag_note(lag, held_us, now_us);
}

static void assert_figures(const struct lag *lag, uint64_t now_us, uint64_t p99, uint64_t max)
{
    struct lag_figures figures = lag_figures(lag, now_us);
    assert_int_equal(figures.p99_us, p99);
    assert_int_equal(figures.max_us, max);
}

static void no_wake_up_is_no_lag(void **state)
{
    assert_figures(*state, 0, 0, 0);
    assert_figures(*state, START, 0, 0);
}

static void one_in_a_hundred_may_be_longer_than_the_percentile(void **state)
{
    struct lag *lag = *state;
    note_times(lag, 99, 5, START);
    note_times(lag, 1, 70000, START);
    assert_figures(lag, START, 5, 70000);
    note_times(lag, 1, 70000, START);
    assert_figures(lag, START, 70000, 70000);
}

static void a_percentile_is_never_too_low_and_at_most_an_eighth_too_high(void **state)
{
    (void)state;
    for (uint64_t held = 0; held < 60 * S; held += 1 + held / 37) {
        struct lag lag = {0};
        note_times(&lag, 1000, held, START);
        note_times(&lag, 1, 4 * held + 100, START);
        uint64_t p99 = lag_figures(&lag, START).p99_us;
        assert_true(p99 >= held && p99 <= held + held / 8);
    }
}

static void what_no_bucket_holds_is_told_as_the_longest(void **state)
{
    note_times(*state, 3, 4000 * S, START);
    assert_figures(*state, START, 4000 * S, 4000 * S);
}

static void a_minute_later_it_is_forgotten(void **state)
{
    struct lag *lag = *state;
    lag_note(lag, 7, START);
    assert_figures(lag, START + 54 * S, 7, 7);
    assert_figures(lag, START + 60 * S, 0, 0);
    lag_note(lag, 3, START + 60 * S);
    assert_figures(lag, START + 60 * S, 3, 3);
}

static void slots_of_different_times_add_up(void **state)
{
    struct lag *lag = *state;
    for (uint64_t s = 0; s < 300; s++)
        note_times(lag, 10, s < 290 ? 2 : 6, START + s * S);
    assert_figures(lag, START + 299 * S, 6, 6);
    note_times(lag, 9000, 1, START + 299 * S);
    assert_figures(lag, START + 299 * S, 6, 6);
    note_times(lag, 9000, 1, START + 299 * S);
    assert_figures(lag, START + 299 * S, 2, 6);
}

#define LAG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAG_TEST(no_wake_up_is_no_lag),
        LAG_TEST(one_in_a_hundred_may_be_longer_than_the_percentile),
        LAG_TEST(a_percentile_is_never_too_low_and_at_most_an_eighth_too_high),
        LAG_TEST(what_no_bucket_holds_is_told_as_the_longest),
        LAG_TEST(a_minute_later_it_is_forgotten),
        LAG_TEST(slots_of_different_times_add_up),
    };
    return cmocka_run_group_tests_name("streamd/lag", tests, NULL, NULL);
}
