/* SPDX-License-Identifier: MIT */
#include "streamd/session/axis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NO_STEP NAN

static struct record record_at(double model, double step)
{
    struct record r = {0};
    if (!isnan(step))
        r.field[F_CURRENT_STEP] = num_float(step);
    r.field[F_CURRENT_MODEL] = num_float(model);
    return r;
}

static void the_axis_never_falls_by_itself(void **state)
{
    enum { MOST = 8 };
    static const struct {
        const char *what;
        size_t count;
        double steps[MOST];
        uint64_t places[MOST];
    } cases[] = {
        {"goes on as the step does", 4, {0, 1, 5, 100}, {0, 1, 5, 100}},
        {"begins where the steps do", 2, {1000, 1001}, {1000, 1001}},
        {"stays where the step does", 4, {3, 3, 3, 4}, {3, 3, 3, 4}},
        {"goes on by one where the step goes back", 5, {0, 50, 0, 1, 50}, {0, 50, 51, 52, 101}},
        {"goes on by one where there is none", 3, {NO_STEP, NO_STEP, NO_STEP}, {0, 1, 2}},
        {"and from there", 4, {5, NO_STEP, 6, 7}, {5, 6, 7, 8}},
        {"a first step after none", 3, {NO_STEP, 10, 11}, {0, 1, 2}},
        {"parts of steps", 5, {0, 0.5, 1, 2.75, 3.25}, {0, 0, 0, 1, 1}},
        {"steps that are none", 5, {1, -5, INFINITY, 1e300, 2}, {1, 2, 3, 4, 5}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct axis a;
        uint64_t last = 0;
        axis_init(&a);
        for (size_t n = 0; n < cases[i].count; n++) {
            struct record r = record_at(1, cases[i].steps[n]);
            uint64_t x = axis_next(&a, &r);
            if (x != cases[i].places[n])
                fail_msg("%s: %zu is at %llu", cases[i].what, n, (unsigned long long)x);
            assert_true(x >= last);
            last = x;
        }
    }
}

static void no_step_is_far_enough_to_overflow(void **state)
{
    (void)state;
    struct axis a;
    axis_init(&a);
    uint64_t last = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct record r = record_at(1, i % 2 ? 9007199254740991.0 : 0);
        uint64_t x = axis_next(&a, &r);
        assert_true(x >= last && x < UINT64_C(1) << 54);
        last = x;
    }
}

static void only_a_step_that_its_model_has_passed_goes_back(void **state)
{
    static const struct {
        double model, step;
        bool back;
    } cases[] = {
        {2, 50, true},    {2, 49, true},        {2, 0, true},     {2, 51, false},
        {2, 50.5, false}, {1, 10, false},       {3, 0, false},    {2, NAN, false},
        {2, -1, false},   {2, INFINITY, false}, {NAN, 10, false},
    };
    (void)state;
    struct axis a;
    axis_init(&a);
    struct record first = record_at(2, 0);
    assert_false(axis_goes_back(&a, &first)); /* there is nothing behind it */
    (void)axis_next(&a, &first);
    struct record r = record_at(2, 50);
    (void)axis_next(&a, &r);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record next = record_at(cases[i].model, cases[i].step);
        assert_int_equal(axis_goes_back(&a, &next), cases[i].back);
    }
}

static void a_record_without_a_step_leaves_the_last_one_known(void **state)
{
    (void)state;
    struct axis a;
    axis_init(&a);
    struct record r = record_at(1, 20);
    struct record none = record_at(1, NO_STEP);
    struct record again = record_at(1, 20);
    struct record next = record_at(1, 21);
    (void)axis_next(&a, &r);
    (void)axis_next(&a, &none);
    assert_true(axis_goes_back(&a, &again));
    assert_false(axis_goes_back(&a, &next));
}

static void a_rewind_puts_a_record_where_the_one_it_replaces_stood(void **state)
{
    (void)state;
    struct axis a;
    uint64_t place[3][101];
    axis_init(&a);
    for (unsigned model = 1; model <= 2; model++) {
        for (unsigned step = 0; step <= 100; step++) {
            struct record r = record_at(model, step);
            place[model][step] = axis_next(&a, &r);
        }
    }
    static const unsigned back_to[] = {100, 99, 40, 7, 0};
    for (size_t i = 0; i < sizeof(back_to) / sizeof(back_to[0]); i++) {
        struct record r = record_at(2, back_to[i]);
        assert_true(axis_goes_back(&a, &r));
        axis_rewind(&a, &r);
        assert_int_equal(axis_next(&a, &r), place[2][back_to[i]]);
        for (unsigned step = back_to[i] + 1; step <= 100; step++) {
            r = record_at(2, step);
            assert_int_equal(axis_next(&a, &r), place[2][step]);
        }
    }
}

static void a_rewind_goes_no_farther_than_to_the_beginning(void **state)
{
    (void)state;
    struct axis a;
    axis_init(&a);
    struct record unknown = record_at(1, NO_STEP);
    struct record far = record_at(1, 1000);
    struct record back = record_at(1, 3);
    (void)axis_next(&a, &unknown);
    assert_int_equal(axis_next(&a, &far), 1);
    axis_rewind(&a, &back);
    assert_int_equal(axis_next(&a, &back), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_axis_never_falls_by_itself),
        cmocka_unit_test(no_step_is_far_enough_to_overflow),
        cmocka_unit_test(only_a_step_that_its_model_has_passed_goes_back),
        cmocka_unit_test(a_record_without_a_step_leaves_the_last_one_known),
        cmocka_unit_test(a_rewind_puts_a_record_where_the_one_it_replaces_stood),
        cmocka_unit_test(a_rewind_goes_no_farther_than_to_the_beginning),
    };
    return cmocka_run_group_tests_name("streamd/session/axis", tests, NULL, NULL);
}
