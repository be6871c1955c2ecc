/* SPDX-License-Identifier: MIT */
#include "streamd/http/history.h"

#include "tests/streamd/histories.h"

static void an_unknown_run_has_an_empty_history(void **state)
{
    static const char *const ids[] = {"nobody", "a%20b", "%22%3Cscript%3E", "a/b", NULL};
    struct world *w = *state;
    for (const char *const *id = ids; *id; id++) {
        char target[128];
        (void)snprintf(target, sizeof(target), "/api/training/history/%s?points=5", *id);
        assert_int_equal(world_get(w, target), 200);
        assert_int_equal(size(w), 0);
        assert_int_equal(world_number(w, "total"), 0);
    }
    assert_string_equal(world_string(w, "sessionId"), "a/b");
}

static void a_run_without_a_record_has_an_empty_history(void **state)
{
    struct world *w = *state;
    start(w, "a");
    assert_int_equal(get(w, "?since=0&from=1&points=5"), 200);
    assert_int_equal(size(w), 0);
}

static void an_entry_is_the_record_at_full_precision(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record(w, "\"loss\":0.12345678901234,\"step\":3,\"lr\":1e-5,\"big\":9007199254740993");
    assert_int_equal(get(w, ""), 200);
    assert_true(value_at(w, 0, "loss") == 0.12345678901234);
    assert_true(value_at(w, 0, "learning_rate") == 1e-5);
    assert_int_equal(value_at(w, 0, "offset"), 1);
    assert_true(value_at(w, 0, "serverTime") == 1700000000.0);
    assert_non_null(memmem(w->body.ptr, w->body.len, "\"big\":9007199254740993", 22));
}

struct window_case {
    const char *query;
    int count;
    int first; /* offset */
    int total;
};

static void check_windows(struct world *w, const struct window_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct window_case *c = &cases[i];
        assert_int_equal(get(w, c->query), 200);
        if (size(w) != c->count || (c->count > 0 && value_at(w, 0, "offset") != c->first) ||
            world_number(w, "total") != c->total)
            fail_msg("%s: %d entries, total %g", c->query, size(w), world_number(w, "total"));
        for (int at = 1; at < c->count; at++)
            assert_true(value_at(w, at, "offset") > value_at(w, at - 1, "offset"));
    }
}

static void limit_counts_from_the_newest_and_entries_come_oldest_first(void **state)
{
    static const struct window_case cases[] = {
        {"", 100, 151, 250},
        {"?limit=100", 100, 151, 250},
        {"?limit=1", 1, 250, 250},
        {"?limit=250", 250, 1, 250},
        {"?limit=1000000000", 250, 1, 250},
        {"?limit=0", 0, 0, 250},
        {"?limit=-1", 100, 151, 250},
        {"?limit=1e9", 100, 151, 250},
        {"?limit=", 100, 151, 250},
        {"?limit=ten", 100, 151, 250},
        {"?limit=3.5", 100, 151, 250},
        {"?limit=%201", 100, 151, 250},
        {"?limit=99999999999999999999", 100, 151, 250},
    };
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 250);
    check_windows(w, cases, sizeof(cases) / sizeof(cases[0]));
}

static void since_is_the_last_offset_already_known(void **state)
{
    static const struct window_case cases[] = {
        {"?since=0", 20, 1, 20},
        {"?since=19", 1, 20, 1},
        {"?since=20", 0, 0, 0},
        {"?since=21", 0, 0, 0},
        {"?since=18446744073709551615", 0, 0, 0},
        {"?since=5&limit=3", 3, 18, 15},
        {"?since=9223372036854775808", 0, 0, 0},
    };
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 20);
    check_windows(w, cases, sizeof(cases) / sizeof(cases[0]));
}

static void from_and_to_are_steps_and_both_inclusive(void **state)
{
    static const struct window_case cases[] = {
        {"?from=100", 10, 1, 10},
        {"?from=105", 5, 6, 5},
        {"?to=104", 5, 1, 5},
        {"?from=103&to=105", 3, 4, 3},
        {"?from=105&to=103", 0, 0, 0},
        {"?from=110", 0, 0, 0},
        {"?from=103&to=103", 1, 4, 1},
        {"?from=102&since=5", 5, 6, 5},
        {"?from=102&to=107&limit=2", 2, 7, 6},
        {"?to=18446744073709551614", 10, 1, 10},
    };
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 100, 10);
    check_windows(w, cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_range_of_steps_spans_models_and_leaves_out_who_counts_none(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record(w, "\"loss\":1");
    record_steps(w, 0, 5);
    record_steps(w, 0, 5);
    assert_int_equal(get(w, "?from=1&to=2"), 200);
    assert_int_equal(size(w), 4);
    assert_int_equal(value_at(w, 2, "offset"), 8);
    assert_int_equal(get(w, "?from=1&to=2&limit=3"), 200);
    assert_int_equal(value_at(w, 0, "offset"), 4);
}

static void a_number_that_is_none_is_refused_by_name(void **state)
{
    static const struct {
        const char *query;
        const char *name;
    } cases[] = {
        {"?since=-1", "since"},
        {"?since=", "since"},
        {"?since=18446744073709551616", "since"},
        {"?since=x", "since"},
        {"?since=1.5", "since"},
        {"?since=0x10", "since"},
        {"?from=-3", "from"},
        {"?from=ten", "from"},
        {"?to=1e3", "to"},
        {"?to=+5", "to"},
        {"?points=many", "points"},
        {"?points=-1", "points"},
        {"?format=xml", "format"},
        {"?format=", "format"},
        {"?format=JSON", "format"},
    };
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (get(w, cases[i].query) != 400)
            fail_msg("%s gave %d", cases[i].query, w->status);
        assert_non_null(strstr(world_string(w, "error"), cases[i].name));
    }
}

static void fields_keep_the_named_metrics_and_their_place(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record(w, "\"loss\":2,\"step\":7,\"acc\":0.5,\"other\":1");
    record(w, "\"loss\":1,\"step\":8");
    assert_int_equal(get(w, "?fields=loss,acc"), 200);
    assert_int_equal(value_at(w, 0, "currentStep"), 7);
    assert_int_equal(value_at(w, 0, "loss"), 2);
    assert_true(value_at(w, 0, "acc") == 0.5);
    assert_int_equal(value_at(w, 0, "offset"), 1);
    assert_true(has_at(w, 0, "serverTime"));
    assert_false(has_at(w, 0, "other"));
    assert_false(has_at(w, 0, "perplexity"));
    assert_false(has_at(w, 1, "acc"));
    assert_int_equal(value_at(w, 1, "loss"), 1);
}

static void fields_may_be_spelled_as_trainers_spell_them(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record(w, "\"loss\":2,\"step\":7,\"lr\":0.5");
    assert_int_equal(get(w, "?fields=step,lr,%20lr,,learning_rate"), 200);
    assert_body(w, "{\"success\":true,\"data\":["
                   "{\"currentStep\":7,\"learning_rate\":0.5,\"offset\":1,"
                   "\"serverTime\":1700000000}],\"sessionId\":\"a\",\"epoch\":\"%s\",\"total\":1}");
}

static void more_than_32_fields_are_refused(void **state)
{
    struct world *w = *state;
    char query[512] = "?fields=f0";
    for (int i = 1; i < READING_FIELDS_MAX; i++)
        (void)snprintf(query + strlen(query), 16, ",f%d", i);
    assert_int_equal(get(w, query), 200);
    (void)snprintf(query + strlen(query), 16, ",one_more");
    assert_int_equal(get(w, query), 400);
    assert_non_null(strstr(world_string(w, "error"), "fields"));
}

static void what_is_not_finite_is_null_and_named(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record(w, "\"loss\":NaN,\"step\":1,\"grad\":-Infinity,\"ok\":1");
    assert_int_equal(get(w, "?fields=loss,grad,ok"), 200);
    assert_body(w, "{\"success\":true,\"data\":["
                   "{\"currentStep\":1,\"loss\":null,\"grad\":null,\"ok\":1,"
                   "\"nonFinite\":{\"loss\":\"NaN\",\"grad\":\"-Infinity\"},"
                   "\"offset\":1,\"serverTime\":1700000000}],\"sessionId\":\"a\",\"epoch\":\"%s\","
                   "\"total\":1}");
}

static bool holds_offset(const struct world *w, int offset)
{
    for (int i = 0; i < size(w); i++) {
        if (value_at(w, i, "offset") == offset)
            return true;
    }
    return false;
}

static void points_keep_the_peaks_of_the_loss(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 300);
    record(w, "\"step\":300,\"loss\":99999");
    record_steps(w, 301, 299);
    assert_int_equal(get(w, "?points=40"), 200);
    assert_in_range(size(w), 10, 40);
    assert_int_equal(world_number(w, "total"), 600);
    assert_true(holds_offset(w, 1));
    assert_true(holds_offset(w, 301));
    assert_true(holds_offset(w, 600));
}

static void points_of_a_range_stay_the_same_as_the_run_goes_on(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 500);
    assert_int_equal(get(w, "?from=0&to=399&points=20"), 200);
    char *before = strndup(w->body.ptr, w->body.len);
    record_steps(w, 500, 500);
    assert_int_equal(get(w, "?from=0&to=399&points=20"), 200);
    assert_int_equal(w->body.len, strlen(before));
    assert_memory_equal(w->body.ptr, before, w->body.len);
    free(before);
}

static void points_show_each_model_of_a_run(void **state)
{
    struct world *w = *state;
    int per_model[3] = {0, 0, 0};
    start(w, "a");
    for (int model = 0; model < 3; model++)
        record_steps(w, 0, 200);
    assert_int_equal(get(w, "?points=48"), 200);
    for (int i = 0; i < size(w); i++)
        per_model[((int)value_at(w, i, "offset") - 1) / 200]++;
    for (int model = 0; model < 3; model++)
        assert_in_range(per_model[model], 4, 24);
}

static void points_of_several_fields_show_each_of_them(void **state)
{
    struct world *w = *state;
    char metrics[96];
    start(w, "a");
    for (int step = 0; step < 400; step++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"loss\":%d,\"acc\":%d%s", step,
                       step == 111 ? 50 : 5, step == 222 ? 99 : 1,
                       step == 333 ? ",\"rare\":1" : "");
        record(w, metrics);
    }
    assert_int_equal(get(w, "?points=8"), 200);
    assert_true(holds_offset(w, 112));
    assert_false(holds_offset(w, 223));
    assert_int_equal(get(w, "?points=8&fields=loss,acc,rare"), 200);
    assert_true(holds_offset(w, 112));
    assert_true(holds_offset(w, 223));
    assert_true(holds_offset(w, 334));
    assert_in_range(size(w), 3, 24);
}

static void points_thin_evenly_where_there_is_neither_step_nor_loss(void **state)
{
    struct world *w = *state;
    start(w, "a");
    for (int i = 0; i < 400; i++)
        record(w, "\"acc\":1");
    assert_int_equal(get(w, "?points=40"), 200);
    assert_in_range(size(w), 10, 40);
    assert_int_equal(value_at(w, 0, "offset"), 1);
    assert_int_equal(value_at(w, size(w) - 1, "offset"), 400);
}

static void points_are_a_limit_of_their_own(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 150);
    assert_int_equal(get(w, "?points=150"), 200);
    assert_int_equal(size(w), 150);
    assert_int_equal(get(w, "?points=0"), 200);
    assert_int_equal(size(w), 100);
    assert_int_equal(get(w, "?points=20&limit=50"), 200);
    assert_in_range(size(w), 5, 20);
    assert_int_equal(value_at(w, 0, "offset"), 101);
    assert_int_equal(get(w, "?points=20&since=100"), 200);
    assert_int_equal(value_at(w, 0, "offset"), 101);
    assert_int_equal(get(w, "?points=18446744073709551615"), 200);
    assert_int_equal(size(w), 150);
}

static void extreme_steps_do_not_upset_the_points(void **state)
{
    static const char *const steps[] = {"0",     "1e300",
                                        "5",     "-1e300",
                                        "NaN",   "9007199254740993",
                                        "1e999", "123456789012345678901234567890",
                                        "7"};
    struct world *w = *state;
    char metrics[96];
    start(w, "a");
    for (size_t i = 0; i < 10 * sizeof(steps) / sizeof(steps[0]); i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"loss\":%zu,\"step\":%s", i,
                       steps[i % (sizeof(steps) / sizeof(steps[0]))]);
        record(w, metrics);
    }
    assert_int_equal(get(w, "?points=16"), 200);
    assert_in_range(size(w), 1, 16);
    assert_int_equal(get(w, "?from=1&to=10&points=4"), 200);
    assert_in_range(size(w), 1, 4);
}

static void ndjson_has_one_entry_a_line(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 3);
    assert_int_equal(get(w, "?format=ndjson&fields=loss"), 200);
    assert_header(w, "Content-Type", "application/x-ndjson");
    assert_true(span_is(
        w->body, "{\"currentStep\":0,\"loss\":1000,\"offset\":1,\"serverTime\":1700000000}\n"
                 "{\"currentStep\":1,\"loss\":999,\"offset\":2,\"serverTime\":1700000000.01}\n"
                 "{\"currentStep\":2,\"loss\":998,\"offset\":3,\"serverTime\":1700000000.02}\n"));
    assert_int_equal(world_get(w, "/api/training/history/nobody?format=ndjson"), 200);
    assert_int_equal(w->body.len, 0);
}

static void csv_has_a_header_and_quotes_what_must_be(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record(w, "\"loss\":1,\"step\":1,\"a,b\":2,\"say \\\"x\\\"\":3,\"plain\":4");
    record(w, "\"loss\":NaN,\"step\":2,\"plain\":Infinity");
    assert_int_equal(get(w, "?format=csv&fields=loss,plain"), 200);
    assert_header(w, "Content-Type", "text/csv; charset=utf-8; header=present");
    assert_true(span_is(w->body, "offset,serverTime,currentStep,loss,plain\r\n"
                                 "1,1700000000,1,1,4\r\n"
                                 "2,1700000000.01,2,NaN,Infinity\r\n"));
    assert_int_equal(get(w, "?format=csv"), 200);
    struct span rest = w->body;
    struct span header = span_trim(span_cut(&rest, '\n'));
    assert_true(span_is(header, "offset,serverTime,loss,perplexity,grokProgress,modelParams,"
                                "currentStep,totalSteps,currentModel,totalModels,overallProgress,"
                                "trainingTime,estimatedTimeRemaining,timestamp,\"a,b\","
                                "\"say \"\"x\"\"\",plain"));
    struct span first = span_trim(span_cut(&rest, '\n'));
    struct span second = span_trim(span_cut(&rest, '\n'));
    assert_memory_equal(first.ptr + first.len - 6, ",2,3,4", 6);
    assert_memory_equal(second.ptr + second.len - 11, ",,,Infinity", 11);
}

static void csv_of_nobody_is_a_header(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_get(w, "/api/training/history/nobody?format=csv&fields=step,loss"), 200);
    assert_true(span_is(w->body, "offset,serverTime,currentStep,loss\r\n"));
}

static void csv_with_too_many_columns_asks_for_fields(void **state)
{
    struct world *w = *state;
    char metrics[64];
    start(w, "a");
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"metric_%d\":1", i);
        record(w, metrics);
    }
    assert_int_equal(get(w, "?format=csv&limit=2000"), 400);
    assert_header(w, "Content-Type", "application/json");
    assert_non_null(strstr(world_string(w, "error"), "fields"));
    assert_int_equal(get(w, "?format=csv&limit=2000&fields=metric_7"), 200);
    assert_int_equal(get(w, "?format=csv&limit=500"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(an_unknown_run_has_an_empty_history),
        HISTORY_TEST(a_run_without_a_record_has_an_empty_history),
        HISTORY_TEST(an_entry_is_the_record_at_full_precision),
        HISTORY_TEST(limit_counts_from_the_newest_and_entries_come_oldest_first),
        HISTORY_TEST(since_is_the_last_offset_already_known),
        HISTORY_TEST(from_and_to_are_steps_and_both_inclusive),
        HISTORY_TEST(a_range_of_steps_spans_models_and_leaves_out_who_counts_none),
        HISTORY_TEST(a_number_that_is_none_is_refused_by_name),
        HISTORY_TEST(fields_keep_the_named_metrics_and_their_place),
        HISTORY_TEST(fields_may_be_spelled_as_trainers_spell_them),
        HISTORY_TEST(more_than_32_fields_are_refused),
        HISTORY_TEST(what_is_not_finite_is_null_and_named),
        HISTORY_TEST(points_keep_the_peaks_of_the_loss),
        HISTORY_TEST(points_of_a_range_stay_the_same_as_the_run_goes_on),
        HISTORY_TEST(points_show_each_model_of_a_run),
        HISTORY_TEST(points_of_several_fields_show_each_of_them),
        HISTORY_TEST(points_thin_evenly_where_there_is_neither_step_nor_loss),
        HISTORY_TEST(points_are_a_limit_of_their_own),
        HISTORY_TEST(extreme_steps_do_not_upset_the_points),
        HISTORY_TEST(ndjson_has_one_entry_a_line),
        HISTORY_TEST(csv_has_a_header_and_quotes_what_must_be),
        HISTORY_TEST(csv_of_nobody_is_a_header),
        HISTORY_TEST(csv_with_too_many_columns_asks_for_fields),
    };
    return cmocka_run_group_tests_name("http/history", tests, NULL, NULL);
}
