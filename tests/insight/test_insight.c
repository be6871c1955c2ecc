/* SPDX-License-Identifier: MIT */
#include "insight/insight.h"

#include "tests/insight/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct insight run;

static int begin(void **state)
{
    (void)state;
    insight_init(&run, &(struct insight_config){0});
    return 0;
}

static const char *phase_name(const struct assessment *a)
{
    return phase_words(a->phase)->name;
}

static void the_first_nineteen_samples_are_initializing(void **state)
{
    (void)state;
    for (int i = 0; i < 19; i++)
        assert_string_equal(phase_name(train(&run, i, 2 - 0.01 * i)), "INITIALIZING");
    const struct assessment *a = train(&run, 19, 1.8);
    assert_string_equal(phase_name(a), "WARMUP");
    assert_true(a->changed);
    assert_int_equal(a->transition.from, PHASE_INITIALIZING);
    assert_float_equal(a->transition.step, 19, 0);
    assert_float_equal(a->transition.snapshot.train_loss, 1.8, 0);
    assert_true(isnan(a->transition.snapshot.lr));
    assert_false(train(&run, 20, 1.8)->changed);
}

/* Epochs of four samples whose mean falls by the given share each. */
static const struct assessment *epochs(int from, int count, double *loss, double gain)
{
    const struct assessment *a = NULL;
    for (int e = from; e < from + count; e++) {
        for (int i = 0; i < 4; i++) {
            struct point p = point_at(e * 4 + i);
            point_set(&p, POINT_EPOCH, e);
            point_set(&p, POINT_TRAIN_LOSS, *loss);
            a = insight_point(&run, &p);
        }
        *loss *= 1 - gain;
    }
    return a;
}

static void velocity_decides_between_fast_stable_and_plateau(void **state)
{
    (void)state;
    double loss = 3;
    assert_string_equal(phase_name(epochs(0, 8, &loss, 0.10)), "LEARNING_FAST");
    (void)epochs(8, 1, &loss, 0.03);
    const struct assessment *a = epochs(9, 4, &loss, 0.03);
    assert_string_equal(phase_name(a), "STABLE_CONVERGENCE");
    assert_float_equal(a->velocity, 0.03, 1e-9);
    assert_string_equal(a->reason, "Learning velocity dropped to 3.0% improvement per epoch");
    (void)epochs(13, 1, &loss, 0.006);
    a = epochs(14, 4, &loss, 0.006);
    assert_string_equal(phase_name(a), "PLATEAU");
    assert_string_equal(a->reason, "Learning velocity dropped to 0.6% improvement per epoch");
    (void)epochs(18, 1, &loss, 0.2);
    a = epochs(19, 2, &loss, 0.2);
    assert_string_equal(phase_name(a), "LEARNING_FAST");
    assert_string_equal(a->reason, "Learning velocity rose to 20.0% improvement per epoch");
}

static void an_epoch_that_the_end_cuts_short_still_counts(void **state)
{
    (void)state;
    double loss = 3;
    (void)epochs(0, 7, &loss, 0.10);
    loss *= 0.999 / 0.9;
    assert_string_equal(phase_name(epochs(7, 1, &loss, 0)), "LEARNING_FAST");
    const struct assessment *a = insight_event(&run, INSIGHT_INTERRUPTED, NULL);
    assert_string_equal(phase_name(a), "PLATEAU");
    assert_float_equal(a->transition.step, 31, 0);
}

static void a_slow_first_velocity_is_still_warming_up(void **state)
{
    (void)state;
    double loss = 3;
    for (int e = 0; e < 2; e++)
        (void)epochs(e, 1, &loss, 0.002);
    for (int i = 0; i < 20; i++)
        (void)train(&run, 8, loss);
    assert_string_equal(phase_name(insight_now(&run)), "WARMUP");
}

static void a_loss_that_is_not_finite_diverges_at_once(void **state)
{
    (void)state;
    (void)train(&run, 1, 2);
    const struct assessment *a = train(&run, 2, NAN);
    assert_string_equal(phase_name(a), "DIVERGING");
    assert_string_equal(a->reason, "Loss is NaN");
    assert_int_equal(a->finding_count, 1);
    assert_string_equal(finding_name(a->findings[0].kind), "divergence");
    assert_int_equal(a->findings[0].severity, SEVERITY_CRITICAL);
}

static void a_loss_that_explodes_diverges_at_once_even_while_initializing(void **state)
{
    (void)state;
    (void)train(&run, 1, 2);
    const struct assessment *a = train(&run, 2, 150);
    assert_string_equal(phase_name(a), "DIVERGING");
    assert_string_equal(a->reason, "Loss exploded to 150, above the 2 it began at");
}

static void a_crash_and_a_completion_end_the_run(void **state)
{
    (void)state;
    (void)train(&run, 1, 2);
    const struct assessment *a = insight_event(&run, INSIGHT_CRASHED, "CUDA out of memory");
    assert_string_equal(phase_name(a), "CRASHED");
    assert_string_equal(a->reason, "CUDA out of memory");
    assert_string_equal(phase_name(insight_event(&run, INSIGHT_RESUMED, NULL)), "INITIALIZING");
    assert_string_equal(phase_name(insight_event(&run, INSIGHT_COMPLETED, NULL)), "CONVERGED");
}

static void the_planned_end_is_converged(void **state)
{
    (void)state;
    insight_init(&run, &(struct insight_config){.total = 5});
    assert_string_equal(phase_name(train(&run, 4, 2)), "INITIALIZING");
    assert_string_equal(phase_name(train(&run, 5, 2)), "CONVERGED");
}

static void validation_is_judged_before_training(void **state)
{
    (void)state;
    assert_string_equal(train(&run, 1, 2)->monitor, "train_loss");
    assert_string_equal(epoch_of(&run, 1, 2, 3)->monitor, "val_loss");
    const struct assessment *a = metric(&run, 3, 0.5);
    assert_string_equal(a->monitor, "val_loss");
    assert_float_equal(a->best.value, 3, 0);
    assert_int_equal(a->evaluations, 1);
}

static void the_best_is_the_first_of_equals(void **state)
{
    (void)state;
    (void)epoch_of(&run, 0, 1, 0.7);
    (void)epoch_of(&run, 1, 1, 0.5);
    (void)epoch_of(&run, 2, 1, 0.5);
    const struct assessment *a = epoch_of(&run, 3, 1, 0.6);
    assert_float_equal(a->best.value, 0.5, 0);
    assert_float_equal(a->best.epoch, 1, 0);
    assert_int_equal(a->best.since, 2);
}

static void a_metric_rises_unless_it_falls(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        (void)metric(&run, i, 0.1 * i);
    assert_true(insight_now(&run)->higher_is_better);
    assert_float_equal(insight_now(&run)->best.step, 11, 0);
    (void)begin(NULL);
    for (int i = 0; i < 12; i++)
        (void)metric(&run, i, 40 - i);
    assert_false(insight_now(&run)->higher_is_better);
    assert_float_equal(insight_now(&run)->best.step, 11, 0);
    assert_float_equal(insight_now(&run)->best.value, 29, 0);
}

static void the_next_model_of_a_sweep_begins_anew(void **state)
{
    (void)state;
    struct point p = point_at(1);
    point_set(&p, POINT_VAL_LOSS, 0.1);
    point_set(&p, POINT_MODEL, 1);
    point_set(&p, POINT_EPOCH, 7);
    (void)insight_point(&run, &p);
    p = point_at(1);
    point_set(&p, POINT_MODEL, 2);
    point_set(&p, POINT_VAL_LOSS, 0.9);
    const struct assessment *a = insight_point(&run, &p);
    assert_float_equal(a->best.value, 0.9, 0);
    assert_true(isnan(a->best.epoch)); /* it was the other's */
}

static void a_point_without_anything_is_a_point(void **state)
{
    (void)state;
    struct point nothing = {0};
    assert_string_equal(phase_name(insight_point(&run, &nothing)), "INITIALIZING");
    assert_true(isnan(insight_now(&run)->best.value));
}

static const char *found(const struct assessment *a, enum finding_kind kind)
{
    for (size_t i = 0; i < a->finding_count; i++) {
        if (a->findings[i].kind == kind)
            return a->findings[i].evidence;
    }
    return "";
}

static void what_gets_worse_is_not_called_an_improvement(void **state)
{
    (void)state;
    double loss = 3;
    (void)epochs(0, 8, &loss, 0.10);
    const struct assessment *a = epochs(8, 3, &loss, -0.3);
    assert_string_equal(phase_name(a), "PLATEAU");
    assert_string_equal(a->reason, "Learning has stopped: 3.3% worse per epoch");
}

static void a_velocity_of_nothing_has_no_sign(void **state)
{
    (void)state;
    double loss = 3;
    (void)epochs(0, 8, &loss, 0.10);
    assert_string_equal(epochs(8, 3, &loss, -1e-9)->reason,
                        "Learning velocity dropped to 0.0% improvement per epoch");
}

static void a_loss_that_rises_by_more_than_its_noise_is_said(void **state)
{
    (void)state;
    double loss = 3;
    (void)epochs(0, 8, &loss, 0.05);
    loss *= 1.5;
    assert_string_equal(found(epochs(8, 2, &loss, 0), FINDING_LOSS_RISING),
                        "the loss rose by 42.5% within an epoch");
    assert_string_equal(found(epochs(10, 2, &loss, 0), FINDING_LOSS_RISING), "");
}

static void whose_loss_is_not_finite_is_said(void **state)
{
    (void)state;
    (void)epoch_of(&run, 1, 2, 2);
    const struct assessment *a = epoch_of(&run, 2, 2, NAN);
    assert_string_equal(a->reason, "Validation loss is NaN");
    (void)begin(NULL);
    assert_string_equal(epoch_of(&run, 2, INFINITY, 1)->reason, "Loss is infinite");
}

static void an_explosion_says_where_it_came_from(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        (void)train(&run, i, 4 * exp(-i / 5.0));
    (void)train(&run, 40, 9);
    assert_string_equal(train(&run, 41, 12)->reason,
                        "Loss exploded to 12, above the 4 it began at, from as low as 0.003386");
}

static void the_planned_end_has_a_unit(void **state)
{
    (void)state;
    insight_init(&run, &(struct insight_config){.total = 1250000});
    assert_string_equal(train(&run, 1250000, 1)->reason, "The planned 1250000 steps were reached");
    insight_init(&run, &(struct insight_config){.total = 48});
    assert_string_equal(epoch_of(&run, 48, 1, 1)->reason, "The planned 48 epochs were reached");
}

static void a_plateau_of_no_finite_value_has_none(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++)
        (void)metric(&run, i, i);
    for (int i = 6; i < 60; i++)
        (void)metric(&run, i, NAN);
    const char *evidence = found(insight_now(&run), FINDING_PLATEAU);
    assert_true(strlen(evidence) > 0 && !strstr(evidence, "nan"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_first_nineteen_samples_are_initializing, begin),
        cmocka_unit_test_setup(velocity_decides_between_fast_stable_and_plateau, begin),
        cmocka_unit_test_setup(an_epoch_that_the_end_cuts_short_still_counts, begin),
        cmocka_unit_test_setup(a_slow_first_velocity_is_still_warming_up, begin),
        cmocka_unit_test_setup(a_loss_that_is_not_finite_diverges_at_once, begin),
        cmocka_unit_test_setup(a_loss_that_explodes_diverges_at_once_even_while_initializing,
                               begin),
        cmocka_unit_test_setup(a_crash_and_a_completion_end_the_run, begin),
        cmocka_unit_test_setup(the_planned_end_is_converged, begin),
        cmocka_unit_test_setup(validation_is_judged_before_training, begin),
        cmocka_unit_test_setup(the_best_is_the_first_of_equals, begin),
        cmocka_unit_test_setup(a_metric_rises_unless_it_falls, begin),
        cmocka_unit_test_setup(the_next_model_of_a_sweep_begins_anew, begin),
        cmocka_unit_test_setup(what_gets_worse_is_not_called_an_improvement, begin),
        cmocka_unit_test_setup(a_velocity_of_nothing_has_no_sign, begin),
        cmocka_unit_test_setup(a_loss_that_rises_by_more_than_its_noise_is_said, begin),
        cmocka_unit_test_setup(whose_loss_is_not_finite_is_said, begin),
        cmocka_unit_test_setup(an_explosion_says_where_it_came_from, begin),
        cmocka_unit_test_setup(the_planned_end_has_a_unit, begin),
        cmocka_unit_test_setup(a_plateau_of_no_finite_value_has_none, begin),
        cmocka_unit_test_setup(a_point_without_anything_is_a_point, begin),
    };
    return cmocka_run_group_tests_name("insight/insight", tests, NULL, NULL);
}
