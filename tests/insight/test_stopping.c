/* SPDX-License-Identifier: MIT */
/* The advice to stop, and what it is made of: patience, the chance of a gain, overfitting. */
#include "insight/insight.h"

#include "tests/insight/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct insight run;

static void begin(double tau)
{
    insight_init(&run, &(struct insight_config){.tau = tau, .caution = 1});
}

/* Falls at once by most of its range and a little each time, ten times; then stays. */
static const struct assessment *stay(int from, int to)
{
    const struct assessment *a = NULL;
    for (int i = from; i < to; i++)
        a = epoch_of(&run, i, 1, i == 0 ? 10 : i < 10 ? 2 - 0.1 * i : 1.1);
    return a;
}

static void patience_is_half_the_age_of_the_last_gain_and_five_at_least(void **state)
{
    (void)state;
    begin(1);
    const struct assessment *a = NULL;
    for (int i = 0; i < 60 && !(a && a->stop.recommend); i++) {
        a = stay(i, i + 1);
        assert_int_equal(a->stop.recommend, a->stop.waited >= a->stop.patience);
        assert_int_equal(a->plateau, a->stop.recommend);
    }
    assert_true(a->stop.recommend);
    assert_true(a->stop.patience == 5 ||
                a->stop.patience == 15); /* three times where it is noisy */
    assert_string_equal(a->stop.why, "a further gain has become unlikely");
    assert_float_equal(a->plateau_at, 1.1, 1e-9);
    assert_false(epoch_of(&run, 60, 1, 0.5)->stop.recommend);
}

static void a_wait_that_was_rewarded_is_waited_three_times(void **state)
{
    (void)state;
    begin(1);
    (void)stay(0, 14);
    const struct assessment *a = epoch_of(&run, 14, 1, 0.5);
    assert_int_equal(a->stop.waited, 0);
    assert_true(a->stop.patience >= 12 && !a->stop.recommend);
}

static void patience_alone_stops_nothing_while_a_gain_is_likely(void **state)
{
    (void)state;
    begin(1e-9);
    const struct assessment *a = stay(0, 26);
    assert_true(a->plateau);
    assert_false(a->stop.recommend);
    assert_true(a->p_gain > 0 && a->p_gain < 1);
}

/* Every gain has this chance, whatever the run does. */
static void begin_with_chance(double p, double total)
{
    static struct insight_model model;
    memset(&model, 0, sizeof(model));
    model.gain_base[0] = log(p / (1 - p));
    insight_init(
        &run, &(struct insight_config){.model = &model, .tau = 0.2, .caution = 1, .total = total});
}

static void the_less_is_left_the_less_is_risked_for_it(void **state)
{
    (void)state;
    begin_with_chance(0.15, 50);
    assert_true(stay(0, 26)->stop.recommend);
    begin_with_chance(0.15, 28);
    const struct assessment *a = stay(0, 26);
    assert_true(a->plateau && !a->stop.recommend);
    begin_with_chance(0.01, 28);
    assert_true(stay(0, 26)->stop.recommend);
}

/* Falls by most of its range, and by such steps from then on. */
static const struct assessment *creep(double step)
{
    const struct assessment *a = NULL;
    insight_init(&run, &(struct insight_config){.tau = 1, .caution = 0.2});
    for (int i = 0; i < 34; i++)
        a = epoch_of(&run, i, 1, i == 0 ? 10 : 1 - step * i + step * (i % 2) / 4);
    return a;
}

static void a_run_that_still_falls_in_small_steps_is_not_stopped(void **state)
{
    (void)state;
    const struct assessment *a = creep(0.008);
    assert_true(a->plateau && !a->stop.recommend);
    a = creep(0.0008); /* for ever less than a gain */
    assert_true(a->plateau && a->stop.recommend);
}

static void a_stall_makes_a_gain_less_likely(void **state)
{
    (void)state;
    begin(0);
    double early = stay(0, 10)->p_gain;
    assert_true(early > 0.6);
    assert_int_equal(insight_now(&run)->gain_class, GRADE_HIGH);
    assert_true(stay(10, 60)->p_gain < early / 2);
}

static void validation_that_rises_while_training_falls_is_overfitting(void **state)
{
    (void)state;
    begin(0);
    for (int i = 0; i < 10; i++)
        assert_false(epoch_of(&run, i, 2 - 0.1 * i, 2 - 0.1 * i)->overfitting);
    for (int i = 10; i < 20; i++)
        (void)epoch_of(&run, i, 1.1 - 0.08 * (i - 9), 1.1 + 0.08 * (i - 9));
    const struct assessment *a = insight_now(&run);
    assert_true(a->overfitting);
    assert_int_equal(a->phase, PHASE_OVERFITTING_RISK);
    assert_string_equal(finding_name(a->findings[0].kind), "overfitting");
}

static void validation_that_rises_with_training_is_not(void **state)
{
    (void)state;
    begin(0);
    for (int i = 0; i < 10; i++)
        (void)epoch_of(&run, i, 2 - 0.1 * i, 2 - 0.1 * i);
    for (int i = 10; i < 20; i++)
        assert_false(epoch_of(&run, i, 1.1 + 0.05 * (i - 9), 1.1 + 0.08 * (i - 9))->overfitting);
}

static void advice_within_one_wait_is_passed_on_once(void **state)
{
    (void)state;
    struct advice last = {STOP_NO, 0};
    struct assessed_stop yes = {.recommend = true, .cause = STOP_NO_GAIN, .waited = 9};
    struct assessed_stop no = {.cause = STOP_NO, .waited = 10};
    assert_true(advice_is_news(&last, &yes));
    assert_false(advice_is_news(&last, &yes));
    assert_false(advice_is_news(&last, &no));
    yes.waited = 11;
    assert_false(advice_is_news(&last, &yes));
    yes.cause = STOP_DIVERGED;
    assert_true(advice_is_news(&last, &yes));
    no.waited = 0; /* a gain */
    assert_false(advice_is_news(&last, &no));
    assert_true(advice_is_news(&last, &yes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_is_half_the_age_of_the_last_gain_and_five_at_least),
        cmocka_unit_test(a_wait_that_was_rewarded_is_waited_three_times),
        cmocka_unit_test(patience_alone_stops_nothing_while_a_gain_is_likely),
        cmocka_unit_test(the_less_is_left_the_less_is_risked_for_it),
        cmocka_unit_test(a_run_that_still_falls_in_small_steps_is_not_stopped),
        cmocka_unit_test(a_stall_makes_a_gain_less_likely),
        cmocka_unit_test(validation_that_rises_while_training_falls_is_overfitting),
        cmocka_unit_test(validation_that_rises_with_training_is_not),
        cmocka_unit_test(advice_within_one_wait_is_passed_on_once),
    };
    return cmocka_run_group_tests_name("insight/stopping", tests, NULL, NULL);
}
