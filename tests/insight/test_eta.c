/* SPDX-License-Identifier: MIT */
/* The time that is left, from how fast a run has been. */
#include "insight/eta.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct eta eta;

static int begin(void **state)
{
    (void)state;
    eta_init(&eta);
    return 0;
}

/* On from the newest point, a step at a time. */
static void walk(int steps, double s_per_step)
{
    for (int i = 0; i < steps; i++) {
        bool first = eta.count == 0;
        eta_push(&eta, first ? 0 : eta.newest_x + 1, first ? 0 : eta.newest_t + s_per_step);
    }
}

static double left_until(double end)
{
    double s = NAN;
    double features[ETA_FEATURES];
    return eta_features(&eta, end, &s, features) ? s : NAN;
}

static void the_speed_is_that_of_the_newest_share(void **state)
{
    (void)state;
    walk(51, 1);
    walk(50, 3);
    assert_float_equal(eta_speed(&eta, 1), 2, 1e-9);
    assert_float_equal(eta_speed(&eta, 0.5), 3, 1e-9);
    assert_float_equal(left_until(200), 300, 1e-6);
}

static void a_pause_in_the_last_tenth_is_not_how_it_goes_on(void **state)
{
    (void)state;
    walk(95, 1);
    walk(1, 60);
    walk(5, 1);
    assert_true(eta_speed(&eta, 0.1) > 5);
    assert_true(left_until(200) < 100 * eta_speed(&eta, 0.25) + 1e-6);
}

static void a_machine_that_became_faster_for_good_is_believed(void **state)
{
    (void)state;
    walk(70, 4);
    walk(31, 1);
    assert_true(eta_speed(&eta, 0.5) > 2);
    assert_float_equal(left_until(200), 100, 1);
}

static void a_clock_that_stands_tells_nothing(void **state)
{
    (void)state;
    walk(10, 0);
    assert_true(isnan(left_until(200)));
    walk(10, 1);
    assert_true(left_until(200) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_speed_is_that_of_the_newest_share, begin),
        cmocka_unit_test_setup(a_pause_in_the_last_tenth_is_not_how_it_goes_on, begin),
        cmocka_unit_test_setup(a_machine_that_became_faster_for_good_is_believed, begin),
        cmocka_unit_test_setup(a_clock_that_stands_tells_nothing, begin),
    };
    return cmocka_run_group_tests_name("insight/eta", tests, NULL, NULL);
}
