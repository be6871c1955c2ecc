/* SPDX-License-Identifier: MIT */
#include "clients/c/entry.h"
#include "tests/support/oom.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Writes the entry, with a time and seq of our own, as a C string; NULL when it is refused. */
static const char *written(struct entry *e, struct buf *b)
{
    assert_non_null(e);
    e->time_s = 1700000000.25;
    e->seq = 9;
    if (!entry_write(e, SPAN("run-1"), b))
        return NULL;
    struct line_decoder decoder;
    struct line line;
    struct line_error error;
    line_decoder_init(&decoder, 1);
    assert_int_equal(line_decode(&decoder, buf_span(b), &line, &error), OK);
    assert_int_equal(line.type, e->type);
    assert_int_equal(line.seq, 9);
    line_decoder_fini(&decoder);
    buf_add_char(b, '\0');
    return b->ptr;
}

static void assert_written(struct entry *e, const char *expected)
{
    struct buf b;
    buf_init(&b, LINE_BYTES_MAX);
    const char *text = written(e, &b);
    assert_non_null(text);
    assert_string_equal(text, expected);
    buf_fini(&b);
    free(e);
}

static void assert_refused(struct entry *e)
{
    struct buf b;
    buf_init(&b, LINE_BYTES_MAX);
    assert_null(written(e, &b));
    buf_fini(&b);
    free(e);
}

static void progress_has_time_step_and_values(void **state)
{
    (void)state;
    const struct streamd_metric metrics[] = {{"loss", 0.1}, {"val/loss", 1e-5}, {"n", 3.0}};
    assert_written(entry_of_metrics(LINE_PROGRESS, 42, metrics, 3),
                   "{\"type\":\"progress\",\"sessionId\":\"run-1\",\"seq\":9,\"metrics\":{"
                   "\"timestamp\":1700000000.25,\"step\":42,\"loss\":0.1,\"val/loss\":0.00001,"
                   "\"n\":3}}");
}

static void a_negative_step_and_an_epochs_step_are_left_out(void **state)
{
    (void)state;
    const struct streamd_metric metric = {"epoch", 2};
    assert_written(entry_of_metrics(LINE_PROGRESS, -1, &metric, 1),
                   "{\"type\":\"progress\",\"sessionId\":\"run-1\",\"seq\":9,\"metrics\":{"
                   "\"timestamp\":1700000000.25,\"epoch\":2}}");
    assert_written(entry_of_metrics(LINE_EPOCH, 5, &metric, 1),
                   "{\"type\":\"epoch\",\"sessionId\":\"run-1\",\"seq\":9,\"metrics\":{"
                   "\"timestamp\":1700000000.25,\"epoch\":2}}");
}

static void values_that_are_not_finite_are_bare_words(void **state)
{
    (void)state;
    const struct streamd_metric metrics[] = {
        {"a", (double)NAN}, {"b", (double)INFINITY}, {"c", -(double)INFINITY}};
    assert_written(entry_of_metrics(LINE_PROGRESS, 0, metrics, 3),
                   "{\"type\":\"progress\",\"sessionId\":\"run-1\",\"seq\":9,\"metrics\":{"
                   "\"timestamp\":1700000000.25,\"step\":0,\"a\":NaN,\"b\":Infinity,"
                   "\"c\":-Infinity}}");
}

static void names_are_escaped(void **state)
{
    (void)state;
    const struct streamd_metric metric = {"a\"\\\xc3\xa9", 1};
    assert_written(entry_of_metrics(LINE_PROGRESS, -1, &metric, 1),
                   "{\"type\":\"progress\",\"sessionId\":\"run-1\",\"seq\":9,\"metrics\":{"
                   "\"timestamp\":1700000000.25,\"a\\\"\\\\\xc3\xa9\":1}}");
}

static void unusable_names_are_left_out(void **state)
{
    (void)state;
    char longest[LINE_NAME_BYTES_MAX + 1];
    char too_long[LINE_NAME_BYTES_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    memset(too_long, 'y', sizeof(too_long));
    longest[sizeof(longest) - 1] = '\0';
    too_long[sizeof(too_long) - 1] = '\0';
    const struct streamd_metric metrics[] = {{NULL, 1},     {"", 2},      {"\xff", 3},
                                             {too_long, 4}, {"tab\t", 5}, {longest, 6}};

    struct buf b;
    buf_init(&b, LINE_BYTES_MAX);
    struct entry *e = entry_of_metrics(LINE_PROGRESS, -1, metrics, 6);
    const char *text = written(e, &b);
    assert_non_null(text);
    assert_non_null(strstr(text, longest));
    assert_non_null(strstr(text, ":6}}"));
    assert_null(strstr(text, ":1,"));
    assert_null(strstr(text, ":2,"));
    assert_null(strstr(text, ":3,"));
    assert_null(strstr(text, "yyy"));
    assert_null(strstr(text, "tab"));
    buf_fini(&b);
    free(e);
    assert_refused(entry_of_metrics(LINE_PROGRESS, 1, metrics, 5));
    assert_refused(entry_of_metrics(LINE_EPOCH, 1, NULL, 0));
}

/* The names alone may be too much for a line, or be so only together with their values. */
static void what_no_line_can_hold_is_refused(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    char name[256];
    struct streamd_metric metrics[COUNT];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < COUNT; i++)
        metrics[i] = (struct streamd_metric){name, 0.1234567890123};
    assert_null(entry_of_metrics(LINE_PROGRESS, 1, metrics, COUNT));
    assert_refused(entry_of_metrics(LINE_PROGRESS, 1, metrics, 250));
    struct buf b;
    buf_init(&b, LINE_BYTES_MAX);
    struct entry *e = entry_of_metrics(LINE_PROGRESS, 1, metrics, 200);
    assert_non_null(written(e, &b));
    buf_fini(&b);
    free(e);
}

static void lifecycle_lines_have_their_fields(void **state)
{
    (void)state;
    assert_written(entry_of_event(LINE_MODEL_COMPLETED, 2, NULL),
                   "{\"type\":\"model_completed\",\"sessionId\":\"run-1\",\"seq\":9,"
                   "\"modelIndex\":2}");
    assert_written(entry_of_event(LINE_COMPLETE, 0, NULL),
                   "{\"type\":\"complete\",\"sessionId\":\"run-1\",\"seq\":9}");
    assert_written(entry_of_event(LINE_FAIL, 0, "out of \"memory\"\n"),
                   "{\"type\":\"fail\",\"sessionId\":\"run-1\",\"seq\":9,"
                   "\"error\":\"out of \\\"memory\\\"\\n\"}");
}

static void an_error_that_is_cut_or_no_text_stays_a_line(void **state)
{
    (void)state;
    char error[8000];
    for (size_t i = 0; i < sizeof(error); i++)
        error[i] = "\xc3\xa9"[(i + 1) % 2]; /* begins in the middle of a character */
    error[0] = 'x';
    error[sizeof(error) - 1] = '\0';
    struct buf b;
    buf_init(&b, LINE_BYTES_MAX);
    struct entry *e = entry_of_event(LINE_FAIL, 0, error);
    assert_non_null(written(e, &b));
    assert_in_range(b.len, 4000, 4200);
    buf_fini(&b);
    free(e);
    assert_written(entry_of_event(LINE_FAIL, 0, "bad \xff byte"),
                   "{\"type\":\"fail\",\"sessionId\":\"run-1\",\"seq\":9,\"error\":\"bad \"}");
}

static void without_memory_there_is_no_entry(void **state)
{
    (void)state;
    const struct streamd_metric metric = {"loss", 1};
    oom_fail(1);
    assert_null(entry_of_metrics(LINE_PROGRESS, 1, &metric, 1));
    assert_true(oom_failed());
    oom_fail(1);
    assert_null(entry_of_event(LINE_FAIL, 0, "why"));
    assert_true(oom_failed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_has_time_step_and_values),
        cmocka_unit_test(a_negative_step_and_an_epochs_step_are_left_out),
        cmocka_unit_test(values_that_are_not_finite_are_bare_words),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(unusable_names_are_left_out),
        cmocka_unit_test(what_no_line_can_hold_is_refused),
        cmocka_unit_test(lifecycle_lines_have_their_fields),
        cmocka_unit_test(an_error_that_is_cut_or_no_text_stays_a_line),
        cmocka_unit_test(without_memory_there_is_no_entry),
    };
    return cmocka_run_group_tests_name("clients/c/entry", tests, NULL, NULL);
}
