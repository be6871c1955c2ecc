/* SPDX-License-Identifier: MIT */
#include "streamd/session/summary.h"

#include "proto/json_scan.h"
#include "proto/line.h"
#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct scene {
    struct summary *summary;
    struct line_decoder decoder;
    struct record_memory memory;
    struct buf text;
};

static int setup(void **state)
{
    static struct scene x;
    x = (struct scene){.summary = summary_create()};
    assert_non_null(x.summary);
    line_decoder_init(&x.decoder, 1);
    record_memory_init(&x.memory);
    buf_init(&x.text, 1 << 20);
    *state = &x;
    return 0;
}

static int teardown(void **state)
{
    struct scene *x = *state;
    summary_destroy(x->summary);
    line_decoder_fini(&x->decoder);
    buf_fini(&x->text);
    return 0;
}

#define SUMMARY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* One record of these metrics, as a session completes it. */
static void take(struct scene *x, const char *metrics)
{
    char text[4096];
    struct line line;
    struct line_error error;
    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{%s}}", metrics);
    if (line_decode(&x->decoder, span_of(text), &line, &error) != OK)
        fail_msg("%s", text);
    record_complete(&line.record, &x->memory, 0, 0);
    summary_add(x->summary, &line.record);
}

static const char *json(struct scene *x)
{
    buf_reset(&x->text);
    summary_write_json(x->summary, &x->text);
    assert_int_equal(json_check(buf_span(&x->text), JSON_STRICT, NULL), OK);
    buf_add_char(&x->text, '\0');
    return x->text.ptr;
}

static void a_run_that_said_nothing_has_none(void **state)
{
    assert_string_equal(json(*state), "{}");
}

static void every_metric_has_its_last_best_lowest_and_highest(void **state)
{
    struct scene *x = *state;
    take(x, "\"loss\":2.5,\"step\":1,\"val/acc\":0.25");
    take(x, "\"loss\":0.123456789,\"step\":2,\"val/acc\":0.75");
    take(x, "\"loss\":0.5,\"step\":3,\"val/acc\":0.5");
    assert_string_equal(
        json(x),
        "{\"loss\":{\"count\":3,\"last\":0.5,\"lastStep\":3,\"best\":0.123457,\"bestStep\":"
        "2,\"min\":0.123457,\"minStep\":2,\"max\":2.5,\"maxStep\":1,\"goal\":\"min\"},"
        "\"val/acc\":{\"count\":3,\"last\":0.5,\"lastStep\":3,\"best\":0.75,\"bestStep\":2,"
        "\"min\":0.25,\"minStep\":1,\"max\":0.75,\"maxStep\":2,\"goal\":\"max\"}}");
}

static void a_step_is_where_a_value_was_first_reached(void **state)
{
    struct scene *x = *state;
    for (int i = 1; i <= 5; i++) {
        char metrics[64];
        (void)snprintf(metrics, sizeof(metrics), "\"loss\":1,\"step\":%d", i);
        take(x, metrics);
    }
    assert_string_equal(json(x), "{\"loss\":{\"count\":5,\"last\":1,\"lastStep\":5,\"best\":1,"
                                 "\"bestStep\":1,\"min\":1,\"minStep\":1,\"max\":1,\"maxStep\":1,"
                                 "\"goal\":\"min\"}}");
}

static void a_run_without_steps_has_null_for_them(void **state)
{
    struct scene *x = *state;
    take(x, "\"loss\":9007199254740993,\"mine\":-1e-9");
    assert_string_equal(
        json(x), "{\"loss\":{\"count\":1,\"last\":9007199254740992,\"lastStep\":null,\"best\":"
                 "9007199254740992,\"bestStep\":null,\"min\":9007199254740992,\"minStep\":"
                 "null,\"max\":9007199254740992,\"maxStep\":null,\"goal\":\"min\"},\"mine\":{"
                 "\"count\":1,\"last\":-1e-9,\"lastStep\":null,\"best\":-1e-9,\"bestStep\":"
                 "null,\"min\":-1e-9,\"minStep\":null,\"max\":-1e-9,\"maxStep\":null,"
                 "\"goal\":\"min\"}}");
}

static void what_is_not_finite_is_last_and_never_best(void **state)
{
    struct scene *x = *state;
    take(x, "\"loss\":NaN,\"step\":1");
    assert_string_equal(json(x),
                        "{\"loss\":{\"count\":1,\"last\":null,\"lastStep\":1,\"best\":null,"
                        "\"bestStep\":null,\"min\":null,\"minStep\":null,\"max\":null,\"maxStep\":"
                        "null,\"goal\":\"min\",\"nonFinite\":{\"last\":\"NaN\"}}}");
    take(x, "\"loss\":3,\"step\":2");
    take(x, "\"loss\":-Infinity,\"step\":3");
    assert_string_equal(json(x), "{\"loss\":{\"count\":3,\"last\":null,\"lastStep\":3,\"best\":3,"
                                 "\"bestStep\":2,\"min\":3,\"minStep\":2,\"max\":3,\"maxStep\":2,"
                                 "\"goal\":\"min\",\"nonFinite\":{\"last\":\"-Infinity\"}}}");
}

static void only_what_was_sent_counts(void **state)
{
    struct scene *x = *state;
    take(x, "\"loss\":2,\"step\":1");
    take(x, "\"mine\":0.5,\"step\":2");
    take(x, "\"train_loss\":1,\"perplexity\":3,\"step\":3");
    const char *text = json(x);
    assert_non_null(strstr(text, "\"loss\":{\"count\":2,\"last\":1,\"lastStep\":3,"));
    assert_non_null(strstr(text, "\"mine\":{\"count\":1,"));
    assert_non_null(strstr(text, "\"train_loss\":{\"count\":1,"));
    assert_non_null(strstr(text, "\"perplexity\":{\"count\":1,"));
    assert_null(strstr(text, "grokProgress"));
    assert_null(strstr(text, "currentStep"));
    assert_null(strstr(text, "timestamp"));
}

static void any_order_of_metrics_finds_its_slots(void **state)
{
    struct scene *x = *state;
    struct random random = random_seeded(5);
    char metrics[2048];
    for (int round = 0; round < 200; round++) {
        size_t at = (size_t)snprintf(metrics, sizeof(metrics), "\"step\":%d", round);
        for (uint64_t i = 0, m = random_next(&random); i < 40; i++) {
            if (m >> i & 1)
                at += (size_t)snprintf(metrics + at, sizeof(metrics) - at, ",\"m%llu\":%llu",
                                       (unsigned long long)(i * 7 % 40),
                                       (unsigned long long)(i * 7 % 40));
        }
        take(x, metrics);
    }
    const char *text = json(x);
    for (int i = 0; i < 40; i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof(wanted), "\"m%d\":{\"count\":", i);
        const char *found = strstr(text, wanted);
        assert_non_null(found);
        (void)snprintf(wanted, sizeof(wanted), "\"last\":%d,", i);
        assert_int_equal(strncmp(strchr(found, ',') + 1, wanted, strlen(wanted)), 0);
    }
}

static void the_first_metrics_are_kept_and_no_more(void **state)
{
    struct scene *x = *state;
    char metrics[64];
    for (int i = 0; i < 2 * SUMMARY_METRICS_MAX; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"metric-%d\":1", i);
        take(x, metrics);
        take(x, "\"metric-0\":2");
    }
    const char *text = json(x);
    assert_non_null(strstr(text, "\"metric-255\":"));
    assert_null(strstr(text, "\"metric-256\":"));
    assert_non_null(strstr(text, "\"metric-0\":{\"count\":513,"));
}

static void names_have_a_limit_of_their_own(void **state)
{
    struct scene *x = *state;
    char metrics[300];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"%0250d\":1", i);
        take(x, metrics);
    }
    buf_reset(&x->text);
    summary_write(x->summary, &x->text);
    assert_in_range(x->text.len, SUMMARY_NAME_BYTES_MAX, SUMMARY_BYTES_MAX);
}

static void fill(struct scene *x)
{
    take(x, "\"loss\":2.5,\"step\":1,\"val/acc\":0.25,\"norm\":Infinity");
    take(x, "\"loss\":1.5,\"step\":2,\"val/acc\":0.5,\"lr\":1e-4");
}

static void what_was_written_reads_back_the_same_and_goes_on(void **state)
{
    struct scene *x = *state;
    struct buf bytes;
    char before[2048];
    buf_init(&bytes, SUMMARY_BYTES_MAX);
    fill(x);
    (void)snprintf(before, sizeof(before), "%s", json(x));
    summary_write(x->summary, &bytes);
    take(x, "\"loss\":1,\"mine\":1");
    assert_int_equal(summary_read(x->summary, buf_span(&bytes)), OK);
    assert_string_equal(json(x), before);
    take(x, "\"loss\":0.5,\"val/acc\":0.75,\"step\":3");
    assert_non_null(strstr(json(x), "\"loss\":{\"count\":3,\"last\":0.5,"));
    assert_non_null(strstr(json(x), "\"best\":0.75,\"bestStep\":3,"));
    summary_reset(x->summary);
    buf_reset(&bytes);
    summary_write(x->summary, &bytes);
    fill(x);
    assert_int_equal(summary_read(x->summary, buf_span(&bytes)), OK);
    assert_string_equal(json(x), "{}");
    buf_fini(&bytes);
}

static void damaged_bytes_are_refused_and_leave_nothing(void **state)
{
    struct scene *x = *state;
    struct buf bytes;
    buf_init(&bytes, SUMMARY_BYTES_MAX);
    fill(x);
    summary_write(x->summary, &bytes);
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct guarded g = guarded_copy(bytes.ptr, cut);
        assert_int_equal(summary_read(x->summary, g.span), E_MALFORMED);
        assert_string_equal(json(x), "{}");
        guarded_free(&g);
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.ptr[bit / 8] = (char)(bytes.ptr[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(summary_read(x->summary, buf_span(&bytes)), E_MALFORMED);
        bytes.ptr[bit / 8] = (char)(bytes.ptr[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(summary_read(x->summary, buf_span(&bytes)), OK);
    buf_add_char(&bytes, '\0');
    assert_int_equal(summary_read(x->summary, buf_span(&bytes)), E_MALFORMED);
    buf_fini(&bytes);
}

static void no_failed_allocation_costs_more_than_a_metric(void **state)
{
    struct scene *x = *state;
    struct buf bytes;
    buf_init(&bytes, SUMMARY_BYTES_MAX);
    fill(x);
    summary_write(x->summary, &bytes);
    for (size_t n = 1; oom_sweeps(n); n++) {
        enum status status = summary_read(x->summary, buf_span(&bytes));
        bool failed = oom_failed();
        assert_int_equal(status, failed ? E_NOMEM : OK);
    }
    struct line line;
    struct line_error error;
    struct span text =
        SPAN("{\"type\":\"progress\",\"metrics\":{\"loss\":1,\"a\":1,\"b\":2,\"c\":3,"
             "\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}}");
    assert_int_equal(line_decode(&x->decoder, text, &line, &error), OK);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct summary *s = summary_create();
        if (s)
            summary_add(s, &line.record);
        bool failed = oom_failed();
        if (s && !failed) {
            buf_reset(&x->text);
            summary_write_json(s, &x->text);
            assert_non_null(memmem(x->text.ptr, x->text.len, "\"i\":", 4));
        }
        summary_destroy(s);
    }
    buf_fini(&bytes);
}

static void two_parts_make_the_summary_of_the_whole(void **state)
{
    static const char *const said[] = {
        "\"step\":1,\"loss\":3,\"a\":1",
        "\"step\":2,\"loss\":NaN,\"b\":-5",
        "\"step\":3,\"loss\":1,\"b\":-5,\"c\":2",
        "\"step\":4,\"loss\":1,\"a\":7,\"c\":Infinity",
    };
    struct scene *x = *state;
    struct buf whole;
    buf_init(&whole, 1 << 20);
    for (size_t i = 0; i < 4; i++)
        take(x, said[i]);
    summary_write_json(x->summary, &whole);
    for (size_t cut = 0; cut <= 4; cut++) {
        struct summary *earlier = summary_create(), *whole_again = x->summary;
        struct summary *later = summary_create();
        record_memory_init(&x->memory);
        for (size_t i = 0; i < 4; i++) {
            x->summary = i < cut ? earlier : later;
            take(x, said[i]);
        }
        x->summary = whole_again;
        summary_append(earlier, later);
        buf_reset(&x->text);
        summary_write_json(earlier, &x->text);
        assert_true(span_eq(buf_span(&x->text), buf_span(&whole)));
        summary_destroy(earlier);
        summary_destroy(later);
    }
    buf_fini(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUMMARY_TEST(a_run_that_said_nothing_has_none),
        SUMMARY_TEST(every_metric_has_its_last_best_lowest_and_highest),
        SUMMARY_TEST(a_step_is_where_a_value_was_first_reached),
        SUMMARY_TEST(a_run_without_steps_has_null_for_them),
        SUMMARY_TEST(what_is_not_finite_is_last_and_never_best),
        SUMMARY_TEST(only_what_was_sent_counts),
        SUMMARY_TEST(any_order_of_metrics_finds_its_slots),
        SUMMARY_TEST(the_first_metrics_are_kept_and_no_more),
        SUMMARY_TEST(names_have_a_limit_of_their_own),
        SUMMARY_TEST(what_was_written_reads_back_the_same_and_goes_on),
        SUMMARY_TEST(two_parts_make_the_summary_of_the_whole),
        SUMMARY_TEST(damaged_bytes_are_refused_and_leave_nothing),
        SUMMARY_TEST(no_failed_allocation_costs_more_than_a_metric),
    };
    return cmocka_run_group_tests_name("session/summary", tests, NULL, NULL);
}
