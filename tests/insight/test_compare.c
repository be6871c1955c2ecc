/* SPDX-License-Identifier: MIT */
#include "insight/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The same in every run of the tests; about within -1..1. */
static double noise(unsigned i)
{
    uint32_t h = i * 2654435761U;
    h ^= h >> 15;
    h *= 2246822519U;
    h ^= h >> 13;
    return (double)h / 2147483648.0 - 1;
}

static void fill(struct sketch *s, unsigned n, double to, double wobble, unsigned seed)
{
    sketch_init(s);
    for (unsigned i = 0; i < n; i++)
        sketch_push(s, i, i * 2.0, to + 2 * exp(-6.0 * i / n) + wobble * noise(i * 7 + seed));
}

static void any_length_is_a_few_hundred_values_in_order(void **state)
{
    (void)state;
    static const unsigned lengths[] = {1, 2, 255, 256, 257, 1000, 100003};
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
        struct sketch s;
        sketch_init(&s);
        for (unsigned i = 0; i < lengths[k]; i++)
            sketch_push(&s, i, i, i);
        assert_true(s.count <= SKETCH_MAX && s.count >= 1);
        assert_true(lengths[k] < SKETCH_MAX || s.count >= SKETCH_MAX / 2);
        for (size_t i = 0; i < s.count; i++)
            assert_true(s.kept[i].x == (double)(i * s.stride));
        assert_true(s.newest.x == lengths[k] - 1);
        assert_true(sketch_at(&s, lengths[k] - 1) == lengths[k] - 1);
        assert_true(fabs(sketch_at(&s, lengths[k] / 3.0) - lengths[k] / 3.0) <
                    1e-6 * lengths[k] + 1);
    }
}

static void beyond_its_ends_a_series_is_what_it_is_there(void **state)
{
    (void)state;
    struct sketch s;
    sketch_init(&s);
    sketch_push(&s, 10, 0, 3);
    assert_true(sketch_at(&s, 9) == 3 && sketch_at(&s, 10) == 3 && sketch_at(&s, 11) == 3);
    sketch_push(&s, 20, 0, 5);
    assert_true(sketch_at(&s, 9) == 3 && sketch_at(&s, 21) == 5 && sketch_at(&s, NAN) == 3);
    assert_true(sketch_noise(&s) == 0); /* one move says nothing of noise */
    sketch_push(&s, 30, 0, 8);
    assert_true(sketch_noise(&s) > 0);
}

static void what_is_not_finite_is_passed_over(void **state)
{
    (void)state;
    struct sketch s;
    sketch_init(&s);
    sketch_push(&s, 1, 1, NAN);
    sketch_push(&s, 2, 1, INFINITY);
    sketch_push(&s, NAN, 1, 3);
    assert_int_equal(s.seen, 0);
}

static void a_run_that_goes_back_replaces_what_followed(void **state)
{
    (void)state;
    struct sketch s;
    sketch_init(&s);
    for (unsigned i = 0; i < 1000; i++)
        sketch_push(&s, i, i, 1);
    for (unsigned i = 500; i < 600; i++)
        sketch_push(&s, i, i, 2);
    assert_true(sketch_at(&s, 450) == 1);
    assert_true(sketch_at(&s, 590) == 2);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.kept[i].x > s.kept[i - 1].x);
    assert_true(s.newest.x == 599);
}

static void the_lower_end_is_better_and_it_shows_since_when(void **state)
{
    (void)state;
    struct sketch a;
    struct sketch b;
    struct comparison c;
    sketch_init(&a);
    sketch_init(&b);
    for (unsigned i = 0; i < 1000; i++) {
        double both = 3 - i / 500.0 + 0.01 * noise(i);
        sketch_push(&a, i, i, i < 600 ? both : both - (i - 600) / 400.0);
        sketch_push(&b, i, i, both + 0.01 * noise(i + 5000));
    }
    compare_sketches(&a, &b, false, &c);
    assert_int_equal(c.better, 0);
    assert_true(c.certain && c.parted);
    assert_true(c.parted_at > 590 && c.parted_at < 680);
    assert_true(c.gap > 0.8 && c.gap < 1.1);
    compare_sketches(&b, &a, false, &c);
    assert_int_equal(c.better, 1);
    compare_sketches(&a, &b, true, &c);
    assert_int_equal(c.better, 1);
    assert_true(c.parted && c.parted_at > 590);
}

static void two_that_differ_by_noise_are_not_told_apart(void **state)
{
    (void)state;
    unsigned certain = 0;
    for (unsigned seed = 0; seed < 40; seed++) {
        struct sketch a;
        struct sketch b;
        struct comparison c;
        fill(&a, 400, 1, 0.05, seed * 1000);
        fill(&b, 400, 1, 0.05, seed * 1000 + 500);
        compare_sketches(&a, &b, false, &c);
        certain += c.certain;
        assert_false(c.parted);
    }
    assert_in_range(certain, 0, 4); /* two intervals of nine in ten seldom miss each other */
}

static void few_values_say_nothing(void **state)
{
    (void)state;
    struct sketch a;
    struct sketch b;
    struct comparison c;
    fill(&a, 2, 1, 0, 0);
    fill(&b, 100, 1, 0, 0);
    compare_sketches(&a, &b, false, &c);
    assert_int_equal(c.better, -1);
    assert_true(isnan(c.end[0].value) && !isnan(c.end[1].value) && isnan(c.gap));
}

static void one_on_its_way_is_expected_within_its_interval(void **state)
{
    (void)state;
    struct sketch s;
    struct reach r;
    sketch_init(&s);
    for (unsigned i = 0; i < 500; i++)
        sketch_push(&s, i, i * 2.0, 10 - i / 100.0 + 0.02 * noise(i));
    sketch_reach(&s, 4, false, &r);
    assert_true(r.expected);
    assert_true(r.x > 570 && r.x < 630);
    assert_true(r.x_lo <= 600 && r.x_hi >= 600);
    assert_true(fabs(r.s - 2 * (r.x - 499)) < 3);
    sketch_reach(&s, 20, true, &r);
    assert_false(r.expected); /* it goes the other way */
    sketch_reach(&s, 8, false, &r);
    assert_false(r.expected); /* it is there */
}

static void a_short_one_is_judged_by_its_last_values_and_tells_no_time_without_times(void **state)
{
    (void)state;
    struct sketch s;
    struct reach r;
    sketch_init(&s);
    for (unsigned i = 0; i < 10; i++) /* twice as fast for the last five */
        sketch_push(&s, i, 0, i < 5 ? 20 - i : 25 - 2.0 * i);
    sketch_reach(&s, 1, false, &r);
    assert_true(r.expected);
    assert_true(fabs(r.x - 12) < 1e-9 && fabs(r.x_lo - 12) < 1e-9 && fabs(r.x_hi - 12) < 1e-9);
    assert_true(isnan(r.s) && isnan(r.s_lo) && isnan(r.s_hi));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_length_is_a_few_hundred_values_in_order),
        cmocka_unit_test(beyond_its_ends_a_series_is_what_it_is_there),
        cmocka_unit_test(what_is_not_finite_is_passed_over),
        cmocka_unit_test(a_run_that_goes_back_replaces_what_followed),
        cmocka_unit_test(the_lower_end_is_better_and_it_shows_since_when),
        cmocka_unit_test(two_that_differ_by_noise_are_not_told_apart),
        cmocka_unit_test(few_values_say_nothing),
        cmocka_unit_test(one_on_its_way_is_expected_within_its_interval),
        cmocka_unit_test(a_short_one_is_judged_by_its_last_values_and_tells_no_time_without_times),
    };
    return cmocka_run_group_tests_name("insight/compare", tests, NULL, NULL);
}
