/* SPDX-License-Identifier: MIT */
/* The plain rules of overfitting: a word of warning at 5 %, a finding at 10 %. */
#include "insight/insight.h"

#include "tests/insight/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct insight run;
static double scale;
static int number;

static int begin(void **state)
{
    (void)state;
    scale = 1;
    number = 0;
    insight_init(&run, &(struct insight_config){.goal = GOAL_HIGHEST});
    return 0;
}

/* An epoch of two lines and its validation, as logs have them. */
static const struct assessment *validate(double accuracy, double loss)
{
    for (int i = 0; i < 2; i++) {
        struct point p = point_at(2 * number + i);
        point_set(&p, POINT_EPOCH, number);
        point_set(&p, POINT_TRAIN_LOSS, loss * scale);
        (void)insight_point(&run, &p);
    }
    struct point p = point_at(2 * ++number);
    point_set(&p, POINT_VAL_METRIC, accuracy * scale);
    return insight_point(&run, &p);
}

/* Rises to 0.50 without ever turning back, while the training loss falls to 1. */
static const struct assessment *rise(void)
{
    const struct assessment *a = NULL;
    for (int i = 0; i < 12; i++)
        a = validate(0.50 - 0.02 * (11 - i), 1 + 0.03 * (11 - i));
    assert_false(a->phase == PHASE_OVERFITTING_RISK);
    return a;
}

static bool is_at_risk(void)
{
    return run.now.phase == PHASE_OVERFITTING_RISK;
}

/* NULL: it is not found. */
static const struct finding *found(void)
{
    for (size_t i = 0; i < run.now.finding_count; i++) {
        if (run.now.findings[i].kind == FINDING_OVERFITTING)
            return &run.now.findings[i];
    }
    return NULL;
}

static void six_per_cent_below_the_best_is_a_risk_while_training_improves(void **state)
{
    (void)state;
    rise();
    (void)validate(0.49, 0.995);
    (void)validate(0.48, 0.99);
    assert_false(is_at_risk());
    const struct assessment *a = validate(0.47, 0.98);
    assert_true(is_at_risk() && a->changed);
    assert_string_equal(a->reason, "Validation is 6.0% worse than its best 0.5 while training "
                                   "improved 2.0%");
    assert_false(a->overfitting); /* nor is it advice to stop */
    assert_false(a->stop.recommend);
    assert_null(found());
}

static void the_scale_does_not_matter(void **state)
{
    (void)state;
    for (scale = 1e-4; scale < 1e6; scale *= 100) {
        double before = scale;
        (void)begin(NULL);
        scale = before;
        rise();
        for (int i = 0; i < 2; i++)
            (void)validate(0.47, 0.98);
        assert_false(is_at_risk()); /* the third in a row makes it one */
        (void)validate(0.47, 0.98);
        assert_true(is_at_risk());
    }
}

static void less_than_five_per_cent_is_none(void **state)
{
    (void)state;
    rise();
    for (int i = 0; i < 4; i++)
        (void)validate(0.48, 0.98);
    assert_false(is_at_risk());
}

static void it_is_none_while_training_stands(void **state)
{
    (void)state;
    rise();
    for (int i = 0; i < 4; i++)
        (void)validate(0.47, 0.995);
    assert_false(is_at_risk());
}

static void a_metric_that_came_back_before_may_come_back_again(void **state)
{
    (void)state;
    rise();
    (void)validate(0.49, 0.99);
    (void)validate(0.51, 0.98);
    for (int i = 0; i < 4; i++)
        (void)validate(0.475, 0.96);
    assert_false(is_at_risk());
}

static void a_loss_from_far_off_is_judged_by_its_range_too(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        (void)epoch_of(&run, i, 3 - 0.1 * i, 20 - 2 * i); /* to 2 */
    for (int i = 10; i < 14; i++)
        (void)epoch_of(&run, i, 1, 2.5); /* a quarter of the best, a 36th of the range */
    assert_false(is_at_risk());
    (void)epoch_of(&run, 14, 1, 3.2);
    assert_true(is_at_risk());
}

static void the_risk_is_over_half_way_back_and_does_not_begin_again(void **state)
{
    (void)state;
    rise();
    for (int i = 0; i < 4; i++)
        (void)validate(0.47, 0.98);
    (void)validate(0.48, 0.98); /* less than the limit */
    assert_true(is_at_risk());
    (void)validate(0.49, 0.98);
    assert_false(is_at_risk());
    for (int i = 0; i < 2; i++)
        (void)validate(0.47, 0.98);
    assert_false(is_at_risk());
}

static void the_second_value_ten_per_cent_below_the_best_is_found(void **state)
{
    (void)state;
    rise();
    (void)validate(0.44, 1);
    assert_null(found());
    (void)validate(0.44, 1);
    assert_non_null(found());
    assert_int_equal(found()->severity, SEVERITY_INFO);
    assert_int_equal(found()->confidence, GRADE_LOW);
    assert_string_equal(found()->evidence, "validation is 12.0% worse than its best 0.5");
    assert_false(run.now.overfitting);
}

static void a_drop_ends_half_way_back_and_must_be_deeper_to_be_found_again(void **state)
{
    (void)state;
    rise();
    for (int i = 0; i < 2; i++)
        (void)validate(0.44, 1);
    (void)validate(0.47, 1);
    assert_non_null(found());
    (void)validate(0.48, 1);
    assert_null(found());
    for (int i = 0; i < 3; i++)
        (void)validate(0.44, 1);
    assert_null(found());
    for (int i = 0; i < 2; i++)
        (void)validate(0.43, 1);
    assert_non_null(found());
}

static void what_never_gained_has_not_fallen_back(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        (void)validate(0.5 - 0.02 * i, 1 - 0.01 * i);
    assert_false(is_at_risk());
    assert_null(found());
}

static void the_verdict_makes_it_a_warning_that_is_news(void **state)
{
    (void)state;
    rise();
    for (int i = 0; i < 2; i++)
        (void)validate(0.44, 0.98);
    unsigned told = finding_mark(found());
    for (int i = 1; i < 20 && !run.now.overfitting; i++) {
        assert_false(finding_mark(found()) & ~told);
        (void)validate(0.44 - 0.02 * i, 0.98 - 0.03 * i);
    }
    assert_true(run.now.overfitting);
    assert_int_equal(found()->severity, SEVERITY_WARNING);
    assert_int_equal(found()->confidence, GRADE_MEDIUM);
    assert_true(finding_mark(found()) & ~told);
    assert_false(told & ~finding_mark(found())); /* back to a drop is none */
}

static void training_alone_does_not_overfit(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++)
        (void)train(&run, i, i < 200 ? 3 - 0.01 * i : 1.5);
    assert_false(is_at_risk());
    assert_null(found());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(six_per_cent_below_the_best_is_a_risk_while_training_improves,
                               begin),
        cmocka_unit_test_setup(the_scale_does_not_matter, begin),
        cmocka_unit_test_setup(less_than_five_per_cent_is_none, begin),
        cmocka_unit_test_setup(it_is_none_while_training_stands, begin),
        cmocka_unit_test_setup(a_metric_that_came_back_before_may_come_back_again, begin),
        cmocka_unit_test_setup(a_loss_from_far_off_is_judged_by_its_range_too, begin),
        cmocka_unit_test_setup(the_risk_is_over_half_way_back_and_does_not_begin_again, begin),
        cmocka_unit_test_setup(the_second_value_ten_per_cent_below_the_best_is_found, begin),
        cmocka_unit_test_setup(a_drop_ends_half_way_back_and_must_be_deeper_to_be_found_again,
                               begin),
        cmocka_unit_test_setup(what_never_gained_has_not_fallen_back, begin),
        cmocka_unit_test_setup(the_verdict_makes_it_a_warning_that_is_news, begin),
        cmocka_unit_test_setup(training_alone_does_not_overfit, begin),
    };
    return cmocka_run_group_tests_name("insight/relapse", tests, NULL, NULL);
}
