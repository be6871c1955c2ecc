/* SPDX-License-Identifier: MIT */
#include "demo/adamw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct adamw_options plain = {
    .learning_rate = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .weight_decay = 0.0};

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-6)
        fail_msg("%.9g is not %.9g", value, expected);
}

/* With bias correction the first step is learning_rate * sign(gradient), whatever its size. */
static void the_first_step_has_the_size_of_the_learning_rate(void **state)
{
    (void)state;
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &plain, 3), OK);
    float params[] = {1.0F, 1.0F, 1.0F};
    const float gradients[] = {5.0F, -0.001F, 0.0F};
    adamw_step(&adamw, params, gradients);
    assert_near(params[0], 0.9);
    assert_near(params[1], 1.1);
    assert_near(params[2], 1.0);
    adamw_fini(&adamw);
}

/*
 * By hand, for the gradients 1 and 3 from the parameter 2:
 *   mean   0.1             0.9 * 0.1 + 0.1 * 3 = 0.39         corrected 1, 0.39 / 0.19
 *   square 0.01            0.99 * 0.01 + 0.01 * 9 = 0.0999    corrected 1, 0.0999 / 0.0199
 *   moved  0.1             0.1 * 2.0526316 / 2.2405598
 */
static void two_steps_match_the_formula_by_hand(void **state)
{
    (void)state;
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &plain, 1), OK);
    float param = 2.0F;
    adamw_step(&adamw, &param, &(const float){1.0F});
    assert_near(param, 1.9);
    adamw_step(&adamw, &param, &(const float){3.0F});
    assert_near(param, 1.9 - 0.1 * (0.39 / 0.19) / sqrt(0.0999 / 0.0199));
    assert_near(param, 1.8083874);
    adamw_fini(&adamw);
}

/* Decoupled: the decay neither passes through nor is scaled by the running means. */
static void decay_shrinks_a_weight_without_gradient(void **state)
{
    (void)state;
    struct adamw_options options = plain;
    options.weight_decay = 0.5;
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &options, 1), OK);
    float param = 4.0F;
    adamw_step(&adamw, &param, &(const float){0.0F});
    assert_near(param, 4.0 * 0.95);
    adamw_step(&adamw, &param, &(const float){0.0F});
    assert_near(param, 4.0 * 0.95 * 0.95);
    adamw_fini(&adamw);
}

static void decay_adds_to_a_step_as_it_is(void **state)
{
    (void)state;
    struct adamw_options options = plain;
    options.weight_decay = 0.5;
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &options, 1), OK);
    float param = 4.0F;
    adamw_step(&adamw, &param, &(const float){123.0F});
    assert_near(param, 4.0 * 0.95 - 0.1);
    adamw_fini(&adamw);
}

static void it_finds_the_minimum_of_a_bowl(void **state)
{
    (void)state;
    struct adamw_options options = plain;
    options.learning_rate = 0.02;
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &options, 2), OK);
    float params[] = {3.0F, -2.0F};
    for (int step = 0; step < 2000; step++) {
        const float gradients[] = {2.0F * (params[0] - 1.0F), 200.0F * (params[1] - 0.5F)};
        adamw_step(&adamw, params, gradients);
    }
    assert_true(fabsf(params[0] - 1.0F) < 1e-3F);
    assert_true(fabsf(params[1] - 0.5F) < 1e-3F);
    adamw_fini(&adamw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_step_has_the_size_of_the_learning_rate),
        cmocka_unit_test(two_steps_match_the_formula_by_hand),
        cmocka_unit_test(decay_shrinks_a_weight_without_gradient),
        cmocka_unit_test(decay_adds_to_a_step_as_it_is),
        cmocka_unit_test(it_finds_the_minimum_of_a_bowl),
    };
    return cmocka_run_group_tests_name("demo/adamw", tests, NULL, NULL);
}
