/* SPDX-License-Identifier: MIT */
#include "proto/json_write.h"
#include "tests/streamd/runs.h"

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
    static const char *const targets[] = {"/api/training/sessions",
                                          "/api/training/status/run-0",
                                          "/api/training/metrics/run-0",
                                          "/api/training/history/run-0",
                                          "/api/training/insight/run-0",
                                          "/api/training/stats",
                                          "/health"};
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 1, 1);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        assert_int_equal(world_get(w, targets[i]), 200);
        assert_header(w, "Content-Type", "application/json");
        assert_non_null(w->json);
        struct buf minified;
        buf_init(&minified, 1 << 20);
        json_write_minified(&minified, w->body);
        assert_true(span_eq(buf_span(&minified), w->body));
        buf_fini(&minified);
    }
}

static int setup_with_store(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_config(w);
    w->config.max_unkept_bytes = 4096;
    world_open_with(w, store_memory_create());
    *state = w;
    return 0;
}

static void lines_are_not_taken_while_too_many_wait_for_the_disk(void **state)
{
    struct world *w = *state;
    const char *line = "{\"type\":\"progress\",\"sessionId\":\"run-0\",\"metrics\":{\"step\":99}}";
    start_runs(w, 1);
    for (int i = 0; i < 60; i++)
        progress(w, "run-0", 1, i);
    keeping_flush(&w->app->registry.keeping);
    assert_true(keeping_full(&w->app->registry.keeping));
    w->req.content_type = SPAN("application/json");
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/ingest", line), 503);
    assert_non_null(strstr(world_string(w, "error"), "send again later"));
    app_enter(w->app, w->now);
    app_receive(w->app);
    app_leave(w->app);
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/ingest", line), 200);
}

static void an_order_that_is_no_json_is_told_where(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    w->req.content_type = SPAN("application/json");
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/control/run-0", "{\"command\":stop}"),
                     400);
    assert_non_null(strstr(world_string(w, "error"), "at byte 11"));
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/control/run-0", "{\"command\":7}"),
                     400);
    assert_non_null(strstr(world_string(w, "error"), "command must be"));
}

static void what_a_run_means_is_told_whoever_asks(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    assert_int_equal(world_get(w, "/api/training/insight/run-0"), 200);
    const cJSON *data = cJSON_GetObjectItem(w->json, "data");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(data, "phase")));
    for (int i = 1; i <= 30; i++)
        progress(w, "run-0", i, 100 - i);
    assert_int_equal(world_get(w, "/api/training/insight/run-0"), 200);
    data = cJSON_GetObjectItem(w->json, "data");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(data, "sessionId")), "run-0");
    assert_true(cJSON_IsString(cJSON_GetObjectItem(data, "phase")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(data, "partial")));
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(data, "phases")) >= 1);
    assert_int_equal(world_get(w, "/api/training/insight/nobody"), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_status_of_a_run_holds_its_newest_metrics),
        WORLD_TEST(unknown_runs_have_the_contracts_errors),
        WORLD_TEST(a_run_without_a_record_has_no_metrics),
        WORLD_TEST(metrics_never_wait_for_the_throttle),
        WORLD_TEST(the_compat_form_is_clamped_and_wrapped),
        WORLD_TEST(a_poller_gets_304_until_something_changes),
        WORLD_TEST(the_end_of_a_run_changes_its_status),
        WORLD_TEST(etags_of_two_runs_and_of_two_daemons_differ),
        WORLD_TEST(every_answer_is_minified_json),
        cmocka_unit_test_setup_teardown(lines_are_not_taken_while_too_many_wait_for_the_disk,
                                        setup_with_store, world_teardown),
        WORLD_TEST(an_order_that_is_no_json_is_told_where),
        WORLD_TEST(what_a_run_means_is_told_whoever_asks),
    };
    return cmocka_run_group_tests_name("http/routes_training", tests, NULL, NULL);
}
