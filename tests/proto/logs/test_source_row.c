/* SPDX-License-Identifier: MIT */
#include "proto/logs/source_row.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN "{\"type\":\"progress\",\"metrics\":{"

static struct source_row begun(void)
{
    struct source_row row;
    source_row_init(&row);
    source_row_begin(&row);
    return row;
}

static void expect_line(struct source_row *row, const char *line)
{
    assert_int_equal(source_row_end(row), OK);
    buf_add_char(&row->line, '\0');
    assert_string_equal(row->line.ptr, line);
    source_row_fini(row);
}

static void numbers_keep_their_names_and_their_kind(void **state)
{
    (void)state;
    struct source_row row = begun();
    source_row_add(&row, SPAN("loss"), num_float(0.1));
    source_row_add(&row, SPAN("a \"b\""), num_int(3));
    source_row_add(&row, SPAN("bad"), num_float(NAN));
    source_row_add(&row, SPAN("none"), num_none());
    source_row_add(&row, SPAN(""), num_int(1));
    assert_int_equal(row.numbers, 3);
    expect_line(&row, BEGIN "\"loss\":0.1,\"a \\\"b\\\"\":3,\"bad\":\"NaN\"}}");
}

static void a_step_is_found_under_all_its_names(void **state)
{
    (void)state;
    static const char *const names[] = {"step",  "currentStep", "global_step", "Step",
                                        "_step", "iteration",   "globalStep",  "current_step"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct source_row row = begun();
        assert_true(source_row_is_empty(&row));
        source_row_add(&row, span_of(names[i]), num_int(7));
        assert_true(row.has_step);
        assert_true(source_row_is_empty(&row)); /* a place alone is no record */
        source_row_fini(&row);
    }
}

static void an_epoch_is_kept_and_told_apart(void **state)
{
    (void)state;
    struct source_row row = begun();
    source_row_add(&row, SPAN("Epoch"), num_int(2));
    assert_false(row.has_step);
    assert_int_equal(row.epoch.i, 2);
    expect_line(&row, BEGIN "\"epoch\":2}}");
}

static void times_are_moments_or_spans(void **state)
{
    (void)state;
    struct source_row row = begun();
    source_row_add(&row, SPAN("_timestamp"), num_float(1700000000.5));
    source_row_add(&row, SPAN("_runtime"), num_float(12.5));
    assert_true(row.wall_s == 1700000000.5 && row.since_s == 12.5);
    source_row_add(&row, SPAN("serverTime"), num_int(1700000001000));
    assert_true(row.wall_s == 1700000001); /* in milliseconds, and before the other */
    source_row_add(&row, SPAN("timestamp"), num_int(1700000009));
    source_row_add(&row, SPAN("wall_time"), num_float(-1));
    source_row_add(&row, SPAN("wall_time"), num_float(NAN));
    assert_true(row.wall_s == 1700000001);
    assert_true(source_row_is_empty(&row));
    expect_line(&row, BEGIN "\"timestamp\":1700000009}}");
}

static void what_a_daemon_writes_itself_is_left_out(void **state)
{
    (void)state;
    struct source_row row = begun();
    source_row_add(&row, SPAN("offset"), num_int(1));
    source_row_add_true(&row, SPAN("other"));
    assert_false(row.superseded);
    source_row_add_true(&row, SPAN("superseded"));
    assert_true(row.superseded);
    source_row_add(&row, SPAN("x"), num_int(1));
    assert_true(source_row_is_empty(&row));
    source_row_begin(&row);
    source_row_add(&row, SPAN("x"), num_int(1));
    assert_false(source_row_is_empty(&row));
    expect_line(&row, BEGIN "\"x\":1}}");
}

static void a_record_is_no_longer_than_a_line(void **state)
{
    (void)state;
    struct source_row row = begun();
    char name[32];
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof(name), "name-%05d", i);
        source_row_add(&row, span_of(name), num_int(i));
    }
    assert_int_equal(source_row_end(&row), E_LIMIT);
    source_row_begin(&row);
    assert_int_equal(source_row_end(&row), OK);
    source_row_fini(&row);
}

static void cells_are_read_as_loggers_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"1", 1},     {"-2.5e-3", -0.0025}, {"1.", 1},          {".5", 0.5},
                {"+3", 3},    {"1e5", 100000},      {"Inf", INFINITY},  {"-infinity", -INFINITY},
                {"NaN", NAN}, {"nan", NAN},         {"-inf", -INFINITY}};
    static const char *const bad[] = {"",    "-",  "abc",       "1x", "0x10",
                                      "1 2", "e5", "tensor(1)", "--1"};
    struct num n;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(source_cell(span_of(good[i].text), &n));
        assert_true(num_double(n) == good[i].value ||
                    (isnan(num_double(n)) && isnan(good[i].value)));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(source_cell(span_of(bad[i]), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_their_names_and_their_kind),
        cmocka_unit_test(a_step_is_found_under_all_its_names),
        cmocka_unit_test(an_epoch_is_kept_and_told_apart),
        cmocka_unit_test(times_are_moments_or_spans),
        cmocka_unit_test(what_a_daemon_writes_itself_is_left_out),
        cmocka_unit_test(a_record_is_no_longer_than_a_line),
        cmocka_unit_test(cells_are_read_as_loggers_write_them),
    };
    return cmocka_run_group_tests_name("proto/logs/source_row", tests, NULL, NULL);
}
