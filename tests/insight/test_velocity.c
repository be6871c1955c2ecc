/* SPDX-License-Identifier: MIT */
/* How much the loss improves, of runs that fall and of runs that go up and down. */
#include "insight/velocity.h"

#include "tests/insight/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double now(const struct velocity *v)
{
    double steps;
    return velocity_now(v, &steps);
}

/* Even in -1..1, the same each time. */
static double noise(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (double)(*seed >> 8) / (1U << 23) - 1;
}

static void a_loss_that_only_falls_is_believed_at_once(void **state)
{
    (void)state;
    static const double gains[] = {0, 0.2, 0.069, 0.016, 0.007, 0.3};
    struct velocity v;
    double loss = 8;
    velocity_init(&v);
    for (int e = 0; e < 6; e++) {
        loss *= 1 - gains[e];
        (void)velocity_push(&v, loss, e, e);
        if (e >= 2)
            assert_float_equal(now(&v), gains[e - 1], 1e-12);
        assert_true(velocity_margin(&v) == 0);
    }
}

static void a_loss_that_goes_up_and_down_is_averaged(void **state)
{
    (void)state;
    struct velocity v;
    uint32_t seed = 1;
    velocity_init(&v);
    for (int e = 0; e < 200; e++) {
        (void)velocity_push(&v, 1 + 0.08 * noise(&seed), e, e);
        if (e < 100)
            continue;
        assert_true(fabs(now(&v)) < 0.01);
        assert_true(velocity_margin(&v) > 0);
        assert_true(velocity_rise(&v) == 0);
    }
}

static void noise_does_not_hide_that_a_run_learns(void **state)
{
    (void)state;
    struct velocity v;
    uint32_t seed = 1;
    velocity_init(&v);
    for (int e = 0; e < 60; e++)
        (void)velocity_push(&v, pow(0.9, e) * (1 + 0.08 * noise(&seed)), e, e);
    assert_true(now(&v) > 0.06 && now(&v) < 0.14);
}

/* Without the average such a run changes it every other epoch. */
static void a_run_that_stands_still_in_noise_seldom_changes_its_phase(void **state)
{
    (void)state;
    static struct insight run;
    uint32_t seed = 1;
    insight_init(&run, &(struct insight_config){.total = 0});
    for (int e = 0; e < 300; e++) {
        double loss = 1 + 3 * exp(-(double)e / 5);
        (void)epoch_of(&run, e, loss * (1 + 0.08 * noise(&seed)), loss);
    }
    assert_true(insight_now(&run)->transitions <= 12);
    assert_int_equal(insight_now(&run)->phase, PHASE_PLATEAU);
}

static void a_velocity_that_noise_might_explain_does_not_pass_a_limit(void **state)
{
    (void)state;
    struct velocity v;
    velocity_init(&v);
    for (int e = 0; e < 40; e++)
        (void)velocity_push(&v, e % 2 ? 1.0 : 1.004, e, e);
    assert_float_equal(velocity_margin(&v), 0.002, 0.0005); /* twice of what is left of 0.2 % */
}

static void a_rise_is_told_once_it_is_more_than_noise(void **state)
{
    (void)state;
    struct velocity v;
    velocity_init(&v);
    for (int e = 0; e < 20; e++)
        (void)velocity_push(&v, pow(0.95, e), e, e);
    assert_true(velocity_rise(&v) == 0);
    (void)velocity_push(&v, pow(0.95, 19) * 1.5, 20, 20);
    (void)velocity_push(&v, 1, 21, 21);
    assert_float_equal(velocity_rise(&v), 0.5, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_that_only_falls_is_believed_at_once),
        cmocka_unit_test(a_loss_that_goes_up_and_down_is_averaged),
        cmocka_unit_test(noise_does_not_hide_that_a_run_learns),
        cmocka_unit_test(a_run_that_stands_still_in_noise_seldom_changes_its_phase),
        cmocka_unit_test(a_rise_is_told_once_it_is_more_than_noise),
        cmocka_unit_test(a_velocity_that_noise_might_explain_does_not_pass_a_limit),
    };
    return cmocka_run_group_tests_name("insight/velocity", tests, NULL, NULL);
}
