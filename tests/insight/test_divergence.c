/* SPDX-License-Identifier: MIT */
#include "insight/divergence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct divergence d;

static int begin(void **state)
{
    (void)state;
    divergence_init(&d);
    return 0;
}

static bool train(double loss)
{
    divergence_push(&d, &loss, NULL);
    return d.on;
}

static bool validate(double loss)
{
    divergence_push(&d, NULL, &loss);
    return d.on;
}

static void learn(void)
{
    for (int i = 0; i < 30; i++)
        assert_false(train(4 * exp(-0.1 * i)));
}

static void what_is_not_finite_diverges_at_once(void **state)
{
    (void)state;
    assert_true(train(NAN));
    (void)begin(NULL);
    assert_true(validate(INFINITY));
    (void)begin(NULL);
    learn();
    assert_true(train(-INFINITY));
}

static void the_second_point_above_the_start_diverges(void **state)
{
    (void)state;
    learn();
    assert_false(train(4.5));
    assert_true(train(5));
}

static void one_spike_is_none(void **state)
{
    (void)state;
    learn();
    assert_false(train(9));
    assert_false(train(0.3));
    assert_false(train(9));
    assert_false(train(0.3));
}

static void a_run_that_never_learned_does_not_diverge(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        assert_false(train(2 + 0.1 * (i % 7)));
}

static void a_wild_beginning_is_no_divergence(void **state)
{
    (void)state;
    static const double losses[] = {112042, 18371, 6871, 219896, 146586, 271471, 318871, 11312};
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
        assert_false(train(losses[i]));
}

static void a_loss_above_a_hundred_diverges_at_once(void **state)
{
    (void)state;
    learn();
    assert_true(train(101));
    (void)begin(NULL);
    assert_false(train(2.3));
    assert_true(train(450));
    assert_true(train(460)); /* nor is that what it began at */
    assert_float_equal(d.start, 2.3, 0);
}

static void a_hundred_is_nothing_to_a_run_of_large_losses(void **state)
{
    (void)state;
    assert_false(train(101)); /* it has no past */
    assert_false(train(950));
    (void)begin(NULL);
    for (int i = 0; i < 30; i++)
        assert_false(train(4000 * exp(-0.1 * i)));
    assert_false(train(3900));
    (void)begin(NULL);
    assert_false(train(90));
    assert_false(train(60));
    assert_false(train(60));
    assert_false(train(179)); /* twice is not reached */
    assert_true(train(181));
}

static void it_ends_after_three_good_points_below_the_start(void **state)
{
    (void)state;
    learn();
    assert_true(train(NAN));
    assert_true(train(0.2));
    assert_true(train(0.2));
    assert_false(train(0.2));
}

static void it_lasts_after_three_bad_points(void **state)
{
    (void)state;
    learn();
    (void)train(NAN);
    (void)train(NAN);
    assert_false(divergence_lasts(&d));
    (void)train(NAN);
    assert_true(divergence_lasts(&d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_not_finite_diverges_at_once, begin),
        cmocka_unit_test_setup(the_second_point_above_the_start_diverges, begin),
        cmocka_unit_test_setup(one_spike_is_none, begin),
        cmocka_unit_test_setup(a_run_that_never_learned_does_not_diverge, begin),
        cmocka_unit_test_setup(a_wild_beginning_is_no_divergence, begin),
        cmocka_unit_test_setup(a_loss_above_a_hundred_diverges_at_once, begin),
        cmocka_unit_test_setup(a_hundred_is_nothing_to_a_run_of_large_losses, begin),
        cmocka_unit_test_setup(it_ends_after_three_good_points_below_the_start, begin),
        cmocka_unit_test_setup(it_lasts_after_three_bad_points, begin),
    };
    return cmocka_run_group_tests_name("insight/divergence", tests, NULL, NULL);
}
