/* SPDX-License-Identifier: MIT */
#include "streamd/session/curves.h"

#include "proto/line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct run {
    struct curves curves;
    struct line_decoder decoder;
    struct record_memory memory;
    uint64_t offset;
};

static int setup(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    line_decoder_init(&run->decoder, 1);
    record_memory_init(&run->memory);
    *state = run;
    return 0;
}

static int teardown(void **state)
{
    struct run *run = *state;
    line_decoder_fini(&run->decoder);
    free(run);
    return 0;
}

static void begin(struct run *run, bool by_step, const char *first, const char *second)
{
    static struct reckoning before;
    struct curves_plan plan = {
        .by_step = by_step, .from = -(double)INFINITY, .to = (double)INFINITY};
    const char *names[] = {first, second};
    for (int i = 0; i < 2 && names[i]; i++)
        (void)snprintf(plan.name[plan.names++].text, METRIC_NAME_MAX, "%s", names[i]);
    reckoning_begin(&before, SPAN(""));
    curves_begin(&run->curves, &plan, &before);
}

static void says(struct run *run, const char *format, ...)
{
    char metrics[512];
    char text[600];
    struct line line;
    struct line_error error;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(metrics, sizeof(metrics), format, args);
    va_end(args);
    (void)snprintf(text, sizeof(text), "{\"type\":\"progress\",\"metrics\":{%s}}", metrics);
    assert_int_equal(line_decode(&run->decoder, span_of(text), &line, &error), OK);
    record_complete(&line.record, &run->memory, 5, 1000);
    curves_record(&run->curves, &line.record, 1000, ++run->offset);
}

static void a_row_is_an_epoch_with_the_last_value_of_each_metric(void **state)
{
    struct run *run = *state;
    const struct curves *c = &run->curves;
    begin(run, false, "loss", "val_loss");
    for (int step = 0; step < 30; step++)
        says(run, "\"step\":%d,\"epoch\":%d,\"loss\":%d%s", step, step / 10, 100 - step,
             step % 10 == 9 ? ",\"eval/loss\":7" : "");
    curves_end(&run->curves);
    assert_int_equal(c->rows, 3);
    assert_true(c->by_epoch);
    assert_true(c->x[1] == 1 && curves_value(c, 1, 0) == 81 && curves_value(c, 1, 1) == 7);
    assert_int_equal(c->tally[1].n, 3);
    assert_true(c->tally[0].first == 91 && c->tally[0].last == 71 && c->tally[0].min_at == 2);
    assert_true(curve_tally_slope(&c->tally[0]) == -10);
}

static void a_run_without_epochs_has_its_records_as_rows(void **state)
{
    struct run *run = *state;
    begin(run, false, "loss", NULL);
    says(run, "\"step\":5,\"loss\":2");
    says(run, "\"step\":6,\"other\":2");
    says(run, "\"step\":7,\"loss\":1");
    curves_end(&run->curves);
    assert_int_equal(run->curves.rows, 2);
    assert_false(run->curves.by_epoch);
    assert_true(run->curves.x[1] == 7);
    assert_true(isnan(curve_tally_slope(&run->curves.tally[0])));
}

static void what_came_before_the_first_epoch_is_not_on_its_axis(void **state)
{
    struct run *run = *state;
    begin(run, false, "loss", NULL);
    says(run, "\"step\":500,\"loss\":9");
    says(run, "\"step\":501,\"epoch\":1,\"loss\":2");
    says(run, "\"step\":502,\"loss\":99");
    curves_end(&run->curves);
    assert_int_equal(run->curves.rows, 1);
    assert_true(run->curves.tally[0].max == 2);
}

static void names_that_were_not_given_are_found_and_those_too_many_told(void **state)
{
    struct run *run = *state;
    begin(run, false, NULL, NULL);
    says(run, "\"epoch\":1,\"loss\":1,\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1");
    says(run, "\"epoch\":2,\"loss\":1,\"g\":4,\"h\":5");
    curves_end(&run->curves);
    assert_int_equal(run->curves.plan.names, CURVES_NAMES_MAX);
    assert_string_equal(run->curves.plan.name[7].text, "g");
    assert_int_equal(run->curves.mores, 1);
    assert_string_equal(run->curves.more[0].text, "h");
    assert_true(isnan(curves_value(&run->curves, 0, 7)));
    assert_true(curves_value(&run->curves, 1, 7) == 4);
}

static void a_name_that_no_curve_can_have_is_passed_over(void **state)
{
    struct run *run = *state;
    begin(run, false, NULL, NULL);
    says(run, "\"epoch\":1,\"%0*d\":1,\"%0*d\":2", METRIC_NAME_MAX, 0, METRIC_NAME_MAX - 1, 0);
    curves_end(&run->curves);
    assert_int_equal(run->curves.plan.names, 1);
    assert_int_equal(strlen(run->curves.plan.name[0].text), METRIC_NAME_MAX - 1);
}

static void a_range_counts_what_is_in_it(void **state)
{
    struct run *run = *state;
    begin(run, true, "loss", NULL);
    run->curves.plan.from = 10;
    run->curves.plan.to = 19;
    for (int step = 0; step < 40; step++)
        says(run, "\"step\":%d,\"loss\":%d", step, step);
    assert_int_equal(run->curves.rows, 10);
    assert_true(run->curves.tally[0].min == 10 && run->curves.tally[0].max == 19);
}

static bool picked(const struct curves *c, const uint16_t *rows, size_t count, double x)
{
    for (size_t i = 0; i < count; i++) {
        if (c->x[rows[i]] == x)
            return true;
    }
    return false;
}

static void a_long_run_is_counted_exactly_and_shown_with_its_extremes(void **state)
{
    struct run *run = *state;
    struct curves *c = &run->curves;
    static uint16_t rows[CURVES_ROWS_MAX];
    begin(run, true, "loss", "acc");
    for (int step = 0; step < 20000; step++) {
        double loss = step == 7777 ? 50 : 1 + cos(step / 3000.0);
        if (step == 15001)
            says(run, "\"step\":%d,\"loss\":NaN,\"acc\":0.5", step);
        else
            says(run, "\"step\":%d,\"loss\":%.6f,\"acc\":%s", step, loss,
                 step == 4321 ? "-3" : "0.5");
    }
    assert_int_equal(c->rows, 20000);
    assert_in_range(c->kept, CURVES_ROWS_MAX / 2, CURVES_ROWS_MAX);
    assert_int_equal(c->tally[0].n, 19999);
    assert_int_equal(c->tally[0].nonfinite, 1);
    assert_true(c->tally[0].max == 50 && c->tally[0].max_at == 7777);
    size_t count = curves_pick(c, 60, rows);
    assert_in_range(count, 50, 60);
    assert_true(picked(c, rows, count, 0) && picked(c, rows, count, 19999));
    assert_true(picked(c, rows, count, 7777));
    assert_true(picked(c, rows, count, 4321));
    assert_true(picked(c, rows, count, 15001));
    for (size_t i = 1; i < count; i++)
        assert_true(rows[i] > rows[i - 1]);
    assert_int_equal(curves_pick(c, 2, rows), 2);
    assert_int_equal(curves_pick(c, CURVES_ROWS_MAX, rows), c->kept);
}

static void a_row_is_found_by_its_place(void **state)
{
    struct run *run = *state;
    begin(run, true, "loss", NULL);
    says(run, "\"step\":5,\"loss\":2");
    says(run, "\"step\":7,\"loss\":1");
    assert_int_equal(curves_row_at(&run->curves, 5), 0);
    assert_int_equal(curves_row_at(&run->curves, 6), 1);
    assert_int_equal(curves_row_at(&run->curves, 99), 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_is_an_epoch_with_the_last_value_of_each_metric),
        TEST(a_run_without_epochs_has_its_records_as_rows),
        TEST(what_came_before_the_first_epoch_is_not_on_its_axis),
        TEST(names_that_were_not_given_are_found_and_those_too_many_told),
        TEST(a_name_that_no_curve_can_have_is_passed_over),
        TEST(a_range_counts_what_is_in_it),
        TEST(a_long_run_is_counted_exactly_and_shown_with_its_extremes),
        TEST(a_row_is_found_by_its_place),
    };
    return cmocka_run_group_tests_name("session/curves", tests, NULL, NULL);
}
