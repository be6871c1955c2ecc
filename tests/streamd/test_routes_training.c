/* SPDX-License-Identifier: MIT */
#include "tests/support/http_world.h"

static void start_runs(struct world *w, int count)
{
    char line[128];
    for (int i = 0; i < count; i++) {
        (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"run-%d\"}", i);
        world_line(w, line);
        world_pass(w, 1);
    }
}

static void progress(struct world *w, const char *id, double loss, int step)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\","
                   "\"metrics\":{\"loss\":%.17g,\"step\":%d}}",
                   id, loss, step);
    world_line(w, line);
}

static void no_runs_are_an_empty_list(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
    assert_true(cJSON_IsTrue(world_at(w, "success")));
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.sessions")), 0);
    assert_int_equal(world_number(w, "data.total"), 0);
}

static const char *id_at(const struct world *w, int index)
{
    const cJSON *s = cJSON_GetArrayItem(world_at(w, "data.sessions"), index);
    return cJSON_GetObjectItemCaseSensitive(s, "session_id")->valuestring;
}

static void runs_are_listed_newest_first_in_pages(void **state)
{
    static const struct {
        const char *query;
        int listed;
        const char *first;
    } cases[] = {
        {"", 5, "run-4"},
        {"?limit=2", 2, "run-4"},
        {"?limit=2&offset=2", 2, "run-2"},
        {"?offset=4", 1, "run-0"},
        {"?offset=5", 0, NULL},
        {"?offset=18446744073709551615", 0, NULL},
        {"?limit=18446744073709551615&offset=1", 4, "run-3"},
        {"?limit=0", 0, NULL},
        {"?limit=many", 5, "run-4"},
    };
    struct world *w = *state;
    start_runs(w, 5);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[128];
        (void)snprintf(target, sizeof(target), "/api/training/sessions%s", cases[i].query);
        assert_int_equal(world_get(w, target), 200);
        assert_int_equal(cJSON_GetArraySize(world_at(w, "data.sessions")), cases[i].listed);
        assert_int_equal(world_number(w, "data.total"), 5);
        if (cases[i].first)
            assert_string_equal(id_at(w, 0), cases[i].first);
    }
}

static void a_page_holds_a_hundred_unless_told_and_a_thousand_at_most(void **state)
{
    struct world *w = *state;
    w->config.max_sessions = 2000;
    start_runs(w, 1010);
    (void)world_get(w, "/api/training/sessions");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.sessions")), 100);
    (void)world_get(w, "/api/training/sessions?limit=1000000");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.sessions")), 1000);
    assert_int_equal(world_number(w, "data.total"), 1010);
}

static void runs_are_filtered_by_status(void **state)
{
    struct world *w = *state;
    start_runs(w, 4);
    progress(w, "run-1", 2, 1);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"run-2\"}");
    world_line(w, "{\"type\":\"fail\",\"sessionId\":\"run-3\",\"error\":\"no\"}");
    static const char *const states[] = {"starting", "running", "completed", "failed"};
    for (int i = 0; i < 4; i++) {
        char target[128];
        char id[16];
        (void)snprintf(target, sizeof(target), "/api/training/sessions?status=%s", states[i]);
        (void)snprintf(id, sizeof(id), "run-%d", i);
        assert_int_equal(world_get(w, target), 200);
        assert_int_equal(world_number(w, "data.total"), 1);
        assert_string_equal(id_at(w, 0), id);
    }
}

static void expired_runs_are_listed_only_when_asked_for(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 2, 1);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"run-0\"}");
    world_pass(w, 3700);
    world_pass(w, 61);
    (void)world_get(w, "/api/training/sessions");
    assert_int_equal(world_number(w, "data.total"), 0);
    assert_int_equal(world_get(w, "/api/training/sessions?status=expired"), 200);
    assert_int_equal(world_number(w, "data.total"), 1);
    assert_int_equal(world_get(w, "/api/training/status/run-0"), 404);
    assert_int_equal(world_get(w, "/api/training/metrics/run-0"), 404);
    assert_int_equal(world_get(w, "/api/training/history/run-0"), 200);
    assert_int_equal(world_number(w, "total"), 1);
}

static void a_filter_that_is_no_status_is_named(void **state)
{
    static const char *const targets[] = {
        "/api/training/sessions?status=done",
        "/api/training/sessions?status=", "/api/training/sessions?status=RUNNING", NULL};
    struct world *w = *state;
    for (const char *const *target = targets; *target; target++) {
        assert_int_equal(world_get(w, *target), 400);
        assert_non_null(strstr(world_string(w, "error"), "status"));
    }
    assert_int_equal(world_get(w, "/api/training/sessions?offset=-1"), 400);
    assert_non_null(strstr(world_string(w, "error"), "offset"));
}

static void the_status_of_a_run_holds_its_newest_metrics(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{\"model_count\":3}}");
    assert_int_equal(world_get(w, "/api/training/status/a"), 200);
    assert_true(cJSON_IsNull(world_at(w, "data.latest_metrics")));
    assert_string_equal(world_string(w, "data.status"), "starting");
    assert_int_equal(world_number(w, "data.total_models"), 3);
    progress(w, "a", 1.5, 10);
    assert_int_equal(world_get(w, "/api/training/status/a"), 200);
    assert_string_equal(world_string(w, "data.session_id"), "a");
    assert_string_equal(world_string(w, "data.status"), "running");
    assert_true(world_number(w, "data.latest_metrics.loss") == 1.5);
    assert_true(world_number(w, "data.latest_metrics.perplexity") == 4.4817);
}

static void unknown_runs_have_the_contracts_errors(void **state)
{
    static const char *const ids[] = {"nobody", "a%20b", "%22%3E%3Cscript%3E", "..", "a/b", NULL};
    struct world *w = *state;
    for (const char *const *id = ids; *id; id++) {
        char target[128];
        (void)snprintf(target, sizeof(target), "/api/training/status/%s", *id);
        assert_int_equal(world_get(w, target), 404);
        assert_true(span_is(w->body, "{\"success\":false,\"error\":\"Session not found\"}"));
        (void)snprintf(target, sizeof(target), "/api/training/metrics/%s", *id);
        assert_int_equal(world_get(w, target), 404);
        assert_true(span_is(w->body, "{\"success\":false,\"error\":\"No metrics found\"}"));
    }
}

static void a_run_without_a_record_has_no_metrics(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    assert_int_equal(world_get(w, "/api/training/metrics/run-0"), 404);
    assert_string_equal(world_string(w, "error"), "No metrics found");
}

static void metrics_never_wait_for_the_throttle(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    for (int i = 0; i < 20; i++) {
        progress(w, "run-0", i, i);
        assert_int_equal(world_get(w, "/api/training/metrics/run-0"), 200);
        assert_int_equal(world_number(w, "data.currentStep"), i);
        world_pass(w, 0.001);
    }
}

static void the_compat_form_is_clamped_and_wrapped(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"run-0\",\"metrics\":{\"loss\":11,"
                  "\"modelParams\":7000000000,\"step\":5,\"mine\":3,\"timestamp\":12.5}}");
    assert_int_equal(world_get(w, "/api/training/metrics/run-0"), 200);
    assert_int_equal(world_number(w, "data.loss"), 11);
    assert_true(world_number(w, "data.modelParams") == 7e9);
    assert_int_equal(world_number(w, "data.mine"), 3);
    assert_int_equal(world_get(w, "/api/training/metrics/run-0?form=compat"), 200);
    assert_string_equal(world_string(w, "data.sessionId"), "run-0");
    assert_string_equal(world_string(w, "data.status"), "running");
    assert_int_equal(world_number(w, "data.metrics.loss"), 10);
    assert_int_equal(world_number(w, "data.metrics.modelParams"), 100000000);
    assert_true(world_number(w, "data.timestamp") == 12.5);
    assert_string_equal(world_string(w, "meta.version"), "1.0");
    assert_true(cJSON_IsTrue(world_at(w, "meta.compatibility_layer")));
    assert_true(cJSON_IsTrue(world_at(w, "meta.transformation_applied")));
    assert_null(cJSON_GetObjectItem(world_at(w, "data.metrics"), "mine"));
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.metrics")), RECORD_FIELDS);
    assert_int_equal(world_get(w, "/api/training/metrics/run-0?form=other"), 400);
}

/* Asks with the ETag of the answer before. */
static int ask_again(struct world *w, const char *target)
{
    char etag[64];
    struct span last = world_header(w, "ETag");
    assert_in_range(last.len, 1, sizeof(etag) - 1);
    memcpy(etag, last.ptr, last.len);
    w->req.if_none_match = (struct span){etag, last.len};
    int status = world_get(w, target);
    w->req.if_none_match = (struct span){NULL, 0};
    return status;
}

static void a_poller_gets_304_until_something_changes(void **state)
{
    static const char *const targets[] = {"/api/training/status/run-0",
                                          "/api/training/metrics/run-0",
                                          "/api/training/metrics/run-0?form=compat"};
    struct world *w = *state;
    start_runs(w, 1);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        progress(w, "run-0", 1, (int)i);
        assert_int_equal(world_get(w, targets[i]), 200);
        assert_header(w, "Cache-Control", "private, no-cache");
        world_pass(w, 30);
        assert_int_equal(ask_again(w, targets[i]), 304);
        assert_int_equal(w->body.len, 0);
        progress(w, "run-0", 1, (int)i);
        assert_int_equal(ask_again(w, targets[i]), 200);
    }
}

static void the_end_of_a_run_changes_its_status(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 1, 1);
    (void)world_get(w, "/api/training/status/run-0");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"run-0\"}");
    assert_int_equal(ask_again(w, "/api/training/status/run-0"), 200);
    assert_string_equal(world_string(w, "data.status"), "completed");
}

static void etags_of_two_runs_and_of_two_daemons_differ(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 1, 1);
    (void)world_get(w, "/api/training/metrics/run-0");
    w->app->started.wall_s += 1;
    assert_int_equal(ask_again(w, "/api/training/metrics/run-0"), 200);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"run-1\"}");
    progress(w, "run-1", 1, 1);
    assert_int_equal(ask_again(w, "/api/training/metrics/run-1"), 200);
    assert_int_equal(ask_again(w, "/api/training/status/run-1"), 200);
}

static void every_answer_is_minified_json(void **state)
{
    static const char *const targets[] = {
        "/api/training/sessions",      "/api/training/status/run-0", "/api/training/metrics/run-0",
        "/api/training/history/run-0", "/api/training/stats",        "/health"};
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 1, 1);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        assert_int_equal(world_get(w, targets[i]), 200);
        assert_header(w, "Content-Type", "application/json");
        assert_non_null(w->json);
        assert_null(memchr(w->body.ptr, ' ', w->body.len));
        assert_null(memchr(w->body.ptr, '\n', w->body.len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(no_runs_are_an_empty_list),
        WORLD_TEST(runs_are_listed_newest_first_in_pages),
        WORLD_TEST(a_page_holds_a_hundred_unless_told_and_a_thousand_at_most),
        WORLD_TEST(runs_are_filtered_by_status),
        WORLD_TEST(expired_runs_are_listed_only_when_asked_for),
        WORLD_TEST(a_filter_that_is_no_status_is_named),
        WORLD_TEST(the_status_of_a_run_holds_its_newest_metrics),
        WORLD_TEST(unknown_runs_have_the_contracts_errors),
        WORLD_TEST(a_run_without_a_record_has_no_metrics),
        WORLD_TEST(metrics_never_wait_for_the_throttle),
        WORLD_TEST(the_compat_form_is_clamped_and_wrapped),
        WORLD_TEST(a_poller_gets_304_until_something_changes),
        WORLD_TEST(the_end_of_a_run_changes_its_status),
        WORLD_TEST(etags_of_two_runs_and_of_two_daemons_differ),
        WORLD_TEST(every_answer_is_minified_json),
    };
    return cmocka_run_group_tests_name("http/routes_training", tests, NULL, NULL);
}
