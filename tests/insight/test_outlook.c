/* SPDX-License-Identifier: MIT */
/* What is to come, and what is going wrong outside the curve: times, stalls, memory. */
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
    insight_init(&run, &(struct insight_config){.total = 1000});
    return 0;
}

static const struct assessment *timed(double step, double epoch, double t)
{
    struct point p = point_at(step);
    point_set(&p, POINT_EPOCH, epoch);
    point_set(&p, POINT_TIME_S, t);
    point_set(&p, POINT_TRAIN_LOSS, 2);
    (void)insight_point(&run, &p);
    return insight_now(&run);
}

static const struct finding *found(const struct assessment *a, enum finding_kind kind)
{
    for (size_t i = 0; i < a->finding_count; i++) {
        if (a->findings[i].kind == kind)
            return &a->findings[i];
    }
    return NULL;
}

static void a_steady_run_ends_when_its_speed_says(void **state)
{
    (void)state;
    const struct assessment *a = insight_now(&run);
    assert_true(isnan(a->eta.s));
    assert_string_equal(a->eta.reason, "");
    for (int i = 0; i <= 500; i += 10)
        a = timed(i, i / 100, 2.0 * i);
    assert_float_equal(a->eta.s, 1000, 1e-6);
    assert_true(a->eta.lo <= 1000 && a->eta.hi >= 1000);
    assert_float_equal(a->eta.s_per_epoch, 200, 1e-6);
    assert_float_equal(a->eta.remaining_epochs, 5, 1e-6);
    assert_true(strlen(a->eta.reason) > 0);
}

static void times_are_those_of_the_moment_they_are_asked_for(void **state)
{
    (void)state;
    static struct insight asked;
    insight_init(&asked, &(struct insight_config){.total = 1000});
    struct insight quiet = asked;
    for (int i = 0; i <= 500; i += 10) {
        struct point p = point_at(i);
        point_set(&p, POINT_TIME_S, i < 250 ? i : 3.0 * i - 500);
        point_set(&p, POINT_VAL_LOSS, 2 - i / 400.0);
        (void)insight_point(&asked, &p);
        (void)insight_now(&asked);
        assert_true(isnan(insight_point(&quiet, &p)->eta.s));
    }
    assert_float_equal(insight_now(&quiet)->eta.s, insight_now(&asked)->eta.s, 0);
    assert_float_equal(quiet.now.eta.s, 1500, 1e-6);
    assert_float_equal(quiet.now.stop.saving_s, asked.now.stop.saving_s, 0);
    assert_float_equal(quiet.now.p_gain, asked.now.p_gain, 0);
    assert_float_equal(quiet.now.stall_after_s, 90, 1e-9);
}

static void a_plan_in_epochs_becomes_one_in_steps(void **state)
{
    (void)state;
    insight_init(&run, &(struct insight_config){.total_epochs = 10});
    const struct assessment *a = NULL;
    for (int i = 0; i <= 500; i += 10)
        a = timed(i, i / 100, i);
    assert_float_equal(a->eta.s, 500, 1e-6);
}

static void silence_for_three_intervals_is_a_stall(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        (void)timed(i, 0, 10.0 * i);
    assert_float_equal(insight_now(&run)->stall_after_s, 30, 1e-9);
    assert_null(found(insight_tick(&run, 119), FINDING_STALL));
    const struct finding *f = found(insight_tick(&run, 121), FINDING_STALL);
    assert_non_null(f);
    assert_string_equal(f->evidence, "no point for 31 s, where one came every 10 s");
    assert_null(found(timed(10, 0, 130), FINDING_STALL));
    (void)insight_event(&run, INSIGHT_COMPLETED, NULL);
    assert_null(found(insight_tick(&run, 10000), FINDING_STALL));
}

static const struct assessment *memory(double step, double mb)
{
    struct point p = point_at(step);
    point_set(&p, POINT_GPU_MEMORY_MB, mb);
    return insight_point(&run, &p);
}

static void memory_that_rises_by_a_fifth_in_ten_readings_leaks(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++)
        assert_null(found(memory(i, 5000 + 120 * i), FINDING_MEMORY_LEAK));
    const struct finding *f = found(memory(9, 6000), FINDING_MEMORY_LEAK);
    assert_non_null(f);
    assert_string_equal(f->evidence, "5000 MB at 0, 6000 MB at 9");
    assert_null(found(memory(10, 5000), FINDING_MEMORY_LEAK));
}

static void memory_near_its_end_is_said(void **state)
{
    (void)state;
    assert_null(found(memory(0, 22000), FINDING_MEMORY_SHORT));
    const struct finding *f = found(memory(1, 22001), FINDING_MEMORY_SHORT);
    assert_non_null(f);
    assert_string_equal(f->evidence, "22001 of 24576 MB in use (90% VRAM)");
    insight_init(&run, &(struct insight_config){.memory_mb = 81920});
    assert_null(found(memory(1, 22001), FINDING_MEMORY_SHORT));
}

static const struct assessment *memory_of(double step, double mb, double total_mb)
{
    struct point p = point_at(step);
    point_set(&p, POINT_GPU_MEMORY_MB, mb);
    point_set(&p, POINT_GPU_TOTAL_MB, total_mb);
    return insight_point(&run, &p);
}

static void how_much_memory_there_is_may_come_with_the_points(void **state)
{
    (void)state;
    assert_null(found(memory_of(0, 30000, 40960), FINDING_MEMORY_SHORT));
    const struct finding *f = found(memory_of(1, 38000, 40960), FINDING_MEMORY_SHORT);
    assert_non_null(f);
    assert_string_equal(f->evidence, "38000 of 40960 MB in use (93% VRAM)");
    insight_init(&run, &(struct insight_config){.memory_mb = 81920}); /* what was told wins */
    assert_null(found(memory_of(0, 38000, 40960), FINDING_MEMORY_SHORT));
    insight_init(&run, &(struct insight_config){.total = 0});
    assert_null(found(memory_of(0, 20000, -1), FINDING_MEMORY_SHORT));
}

static void train_at(double step, double loss)
{
    struct point p = point_at(step);
    point_set(&p, POINT_TIME_S, 2 * step);
    point_set(&p, POINT_TRAIN_LOSS, loss);
    point_set(&p, POINT_VAL_LOSS, loss + 0.1);
    (void)insight_point(&run, &p);
    (void)insight_now(&run);
}

static void of_a_run_whose_loss_is_nan_nothing_is_foretold(void **state)
{
    (void)state;
    const struct assessment *a = insight_now(&run);
    for (int i = 0; i <= 400; i += 10)
        train_at(i, 1 + exp(-i / 100.0));
    assert_true(isfinite(a->p_gain) && isfinite(a->forecast.value) && isfinite(a->eta.s));
    for (int i = 410; i <= 430; i += 10) {
        train_at(i, NAN);
        assert_int_equal(a->phase, PHASE_DIVERGING);
        assert_true(isnan(a->p_gain) && isnan(a->forecast.value) && isnan(a->eta.s));
        assert_string_equal(a->eta.reason,
                            "the run diverges: how long it would go on is of no use");
        assert_float_equal(a->stop.saving_s, 2.0F * (float)(1000 - i),
                           1); /* all of it, whatever it was */
    }
    assert_int_equal(a->stop.cause, STOP_DIVERGED);
    for (int i = 440; i <= 460; i += 10)
        train_at(i, 1.02); /* and it comes back */
    assert_true(isfinite(a->p_gain) && isfinite(a->forecast.value) && isfinite(a->eta.s));
}

static void descend(double from, int until)
{
    insight_init(&run, &(struct insight_config){.total = 1000});
    for (int i = 0; i <= until; i += 10)
        train_at(i, from - i / 30.0);
}

/* Falling as steeply as this a line would end far below. */
static void what_was_never_below_zero_is_not_foretold_there(void **state)
{
    (void)state;
    const struct assessed_forecast *f = &insight_now(&run)->forecast;
    descend(10, 290);
    assert_true(f->value >= 0 && f->lo == 0 && f->hi >= f->value);
    descend(10, 400); /* it is below now */
    assert_true(isfinite(f->value) && f->lo < 0);
}

static void a_run_that_is_over_has_no_time_left(void **state)
{
    (void)state;
    const struct assessment *a = insight_now(&run);
    for (int i = 0; i <= 400; i += 10)
        train_at(i, 1);
    (void)insight_event(&run, INSIGHT_CRASHED, NULL);
    (void)insight_now(&run);
    assert_true(isnan(a->eta.s));
    assert_string_equal(a->eta.reason, "the run is over");
    (void)insight_event(&run, INSIGHT_RESUMED, NULL);
    train_at(410, 1);
    assert_true(isfinite(a->eta.s));
}

static void how_sure_it_is_goes_by_how_even_the_speed_was(void **state)
{
    (void)state;
    const struct assessment *a = NULL;
    for (int i = 0; i <= 500; i += 10)
        a = timed(i, i / 100, 2.0 * i);
    assert_int_equal(a->eta.confidence, GRADE_HIGH);
    insight_init(&run, &(struct insight_config){.total = 1000});
    double t = 0;
    for (int i = 0; i <= 500; i += 10) {
        t += i % 50 == 0 ? 400 : i > 400 ? 60 : 1;
        a = timed(i, i / 100, t);
    }
    assert_int_equal(a->eta.confidence, GRADE_LOW);
    assert_true(a->eta.hi > 2 * a->eta.lo);
}

static void a_run_that_stands_still_is_said_to_need_no_more_time(void **state)
{
    (void)state;
    for (int i = 0; i <= 600; i += 10)
        (void)train_at(i, i < 100 ? 3 - i / 50.0 : 1);
    const struct assessment *a = insight_now(&run);
    assert_true(a->plateau && isfinite(a->eta.s));
    assert_string_equal(a->eta.reason,
                        "the run is on a plateau: the remaining time is likely unnecessary");
}

/* Eight devices for what is left, but for the chance that it is still of use. */
static void what_stopping_saves_is_of_all_devices(void **state)
{
    (void)state;
    insight_init(&run, &(struct insight_config){.total = 1000, .devices = 8});
    for (int i = 0; i <= 600; i += 10)
        (void)train_at(i, i < 100 ? 3 - i / 50.0 : 1);
    const struct assessment *a = insight_now(&run);
    double useless = 1 - a->p_gain;
    assert_true(fabs(a->stop.saving_s - 2 * (1000 - 600) * useless) < 1);
    assert_true(fabs(a->stop.gpu_hours - 8 * a->stop.saving_s / 3600) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_steady_run_ends_when_its_speed_says, begin),
        cmocka_unit_test_setup(times_are_those_of_the_moment_they_are_asked_for, begin),
        cmocka_unit_test_setup(a_plan_in_epochs_becomes_one_in_steps, begin),
        cmocka_unit_test_setup(silence_for_three_intervals_is_a_stall, begin),
        cmocka_unit_test_setup(memory_that_rises_by_a_fifth_in_ten_readings_leaks, begin),
        cmocka_unit_test_setup(memory_near_its_end_is_said, begin),
        cmocka_unit_test_setup(how_much_memory_there_is_may_come_with_the_points, begin),
        cmocka_unit_test_setup(of_a_run_whose_loss_is_nan_nothing_is_foretold, begin),
        cmocka_unit_test_setup(what_was_never_below_zero_is_not_foretold_there, begin),
        cmocka_unit_test_setup(a_run_that_is_over_has_no_time_left, begin),
        cmocka_unit_test_setup(how_sure_it_is_goes_by_how_even_the_speed_was, begin),
        cmocka_unit_test_setup(a_run_that_stands_still_is_said_to_need_no_more_time, begin),
        cmocka_unit_test_setup(what_stopping_saves_is_of_all_devices, begin),
    };
    return cmocka_run_group_tests_name("insight/outlook", tests, NULL, NULL);
}
