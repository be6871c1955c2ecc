/* SPDX-License-Identifier: MIT */
/* Operations, listed, shown and steered: docs/protocol.md P-80 to P-88. */
#include "tests/streamd/operations.h"
#include "tests/support/oom.h"

static void who_is_not_known_is_a_404_everywhere(void **state)
{
    static const struct {
        enum method method;
        const char *path;
    } cases[] = {
        {METHOD_GET, AT "/nobody"},          {METHOD_GET, AT "/nobody/metrics"},
        {METHOD_POST, AT "/nobody/metrics"}, {METHOD_GET, AT "/nobody/results"},
        {METHOD_PATCH, AT "/nobody/status"}, {METHOD_DELETE, AT "/nobody"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(world_ask(w, cases[i].method, cases[i].path, "{}"), 404);
        assert_true(span_is(w->body, "{\"detail\":\"Operation not found: nobody\"}"));
    }
}

static void an_operation_shows_all_that_its_clients_read(void **state)
{
    static const char *const members[] = {"operation_id",    "parent_operation_id",
                                          "operation_type",  "status",
                                          "created_at",      "started_at",
                                          "completed_at",    "progress",
                                          "metadata",        "error_message",
                                          "warnings",        "errors",
                                          "result_summary",  "metrics",
                                          "is_backend_local"};
    static const char *const progress_members[] = {
        "percentage",      "current_step", "steps_completed", "steps_total",
        "items_processed", "items_total",  "current_item",    "context"};
    static const char *const metadata_members[] = {"symbol",     "timeframe", "mode",
                                                   "start_date", "end_date",  "parameters"};
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\",\"epochs\":4,\"parent_operation_id\":\"p\",\"metadata\":"
             "{\"symbol\":\"EURUSD\",\"mode\":\"x\"},\"timeframe\":\"1h\"}");
    add_epoch(w, "a", 0, 1, 1);
    assert_int_equal(world_get(w, AT "/a"), 200);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        assert_true(cJSON_HasObjectItem(world_at(w, "data"), members[i]));
    for (size_t i = 0; i < sizeof(progress_members) / sizeof(progress_members[0]); i++)
        assert_true(cJSON_HasObjectItem(world_at(w, "data.progress"), progress_members[i]));
    for (size_t i = 0; i < sizeof(metadata_members) / sizeof(metadata_members[0]); i++)
        assert_true(cJSON_HasObjectItem(world_at(w, "data.metadata"), metadata_members[i]));
    assert_string_equal(world_string(w, "data.status"), "running");
    assert_string_equal(world_string(w, "data.parent_operation_id"), "p");
    assert_string_equal(world_string(w, "data.created_at"), "2023-11-14T22:13:20Z");
    assert_string_equal(world_string(w, "data.metadata.symbol"), "EURUSD");
    assert_string_equal(world_string(w, "data.metadata.timeframe"), "1h");
    assert_int_equal(world_number(w, "data.metadata.parameters.epochs"), 4);
    assert_int_equal(world_number(w, "data.progress.percentage"), 25);
    assert_string_equal(world_string(w, "data.progress.current_step"), "epoch 1 of 4");
    assert_true(cJSON_IsNull(world_at(w, "data.metrics")));
    assert_true(cJSON_IsNull(world_at(w, "data.completed_at")));
    assert_int_equal(world_get(w, AT "/a?include_metrics=true"), 200);
    assert_int_equal(epochs_shown(w), 1);
    assert_int_equal(world_get(w, AT "/a?include_metrics=maybe"), 422);
}

/* Operations in every status but resuming, newest first: d c b a. */
static void populate(struct world *w)
{
    start_runs(w, 1);
    begin(w, "{\"operation_id\":\"a\",\"symbol\":\"S\"}");
    add_epoch(w, "a", 0, 1, 1);
    world_pass(w, 2);
    begin(w, "{\"operation_id\":\"b\"}");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"b\"}");
    world_pass(w, 2);
    begin(w, "{\"operation_id\":\"c\",\"operation_type\":\"data_load\"}");
    assert_int_equal(world_ask(w, METHOD_DELETE, AT "/c", ""), 200);
    world_pass(w, 2);
    begin(w, "{\"operation_id\":\"d\",\"operation_type\":\"data_load\"}");
    world_line(w, "{\"type\":\"fail\",\"sessionId\":\"d\",\"error\":\"broken\"}");
}

static void the_list_has_five_filters_and_both_counts(void **state)
{
    static const struct {
        const char *query;
        const char *ids;
        int total;
    } cases[] = {
        {"", "dcba0", 5},
        {"?limit=2", "dc", 5},
        {"?limit=2&offset=3", "a0", 5},
        {"?offset=9", "", 5},
        {"?status=completed", "b", 1},
        {"?status=cancelled", "c", 1},
        {"?status=failed", "d", 1},
        {"?status=pending", "0", 1},
        {"?status=running", "a", 1},
        {"?status=resuming", "", 0},
        {"?operation_type=data_load", "dc", 2},
        {"?operation_type=training&active_only=true", "a0", 2},
        {"?active_only=true&status=completed", "", 0},
        {"?operation_type=other", "", 0},
    };
    struct world *w = *state;
    populate(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), AT "%s", cases[i].query);
        assert_int_equal(world_get(w, path), 200);
        assert_int_equal(cJSON_GetArraySize(world_at(w, "data")), strlen(cases[i].ids));
        for (int n = 0; cases[i].ids[n]; n++) {
            const char *id = item(w, "data", n, "operation_id")->valuestring;
            assert_int_equal(id[strlen(id) - 1], cases[i].ids[n]);
        }
        assert_int_equal(world_number(w, "total_count"), cases[i].total);
        assert_int_equal(world_number(w, "active_count"), 2);
    }
    (void)world_get(w, AT "?limit=1&offset=3");
    char *row = cJSON_PrintUnformatted(cJSON_GetArrayItem(world_at(w, "data"), 0));
    assert_string_equal(row, "{\"operation_id\":\"a\",\"operation_type\":\"training\",\"status\":"
                             "\"running\",\"created_at\":\"2023-11-14T22:13:21Z\","
                             "\"progress_percentage\":0,\"current_step\":\"epoch 1\",\"symbol\":"
                             "\"S\",\"duration_seconds\":6}");
    cJSON_free(row);
}

static void a_query_that_makes_no_sense_is_a_422_that_names_it(void **state)
{
    static const char *const queries[][2] = {
        {"limit=0", "query.limit"},      {"limit=1001", "query.limit"},
        {"limit=x", "query.limit"},      {"offset=-1", "query.offset"},
        {"status=done", "query.status"}, {"active_only=perhaps", "query.active_only"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), AT "?%s", queries[i][0]);
        assert_int_equal(world_get(w, path), 422);
        assert_string_equal(item(w, "error.details", 0, "field")->valuestring, queries[i][1]);
    }
}

static void who_cancels_hears_what_became_of_it(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    begin(w, "{\"operation_id\":\"child\",\"parent_operation_id\":\"a\"}");
    assert_int_equal(world_ask(w, METHOD_DELETE, AT "/a", "{\"reason\":\"no use\"}"), 200);
    assert_true(span_is(w->body,
                        "{\"success\":true,\"data\":{\"success\":true,\"operation_id\":\"a\","
                        "\"status\":\"cancelled\",\"cancelled_at\":\"2023-11-14T22:13:20Z\","
                        "\"cancellation_reason\":\"no use\",\"task_cancelled\":false,"
                        "\"remote_cancelled\":false,\"children_cancelled\":[\"child\"]}}"));
    assert_int_equal(world_ask(w, METHOD_DELETE, AT "/a", ""), 400);
    assert_detail(w, "Operation already finished (status: cancelled)");
    (void)world_get(w, AT "/child");
    assert_string_equal(world_string(w, "data.status"), "cancelled");
    assert_string_equal(world_string(w, "data.error_message"), "no use");
    assert_int_equal(world_ask(w, METHOD_DELETE, AT "/child", "{\"reason\":7}"), 422);
    assert_int_equal(world_ask(w, METHOD_DELETE, AT "/child", "{\"force\":7}"), 422);
}

static void results_come_when_it_is_over(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    assert_int_equal(world_get(w, AT "/a/results"), 400);
    assert_detail(w, "Operation not finished (status: pending)");
    add_epoch(w, "a", 0, 0.5, 0.25);
    assert_int_equal(world_get(w, AT "/a/results"), 400);
    assert_detail(w, "Operation not finished (status: running)");
    world_line(w, "{\"type\":\"fail\",\"sessionId\":\"a\",\"error\":\"x\"}");
    assert_int_equal(world_get(w, AT "/a/results"), 200);
    assert_string_equal(world_string(w, "status"), "failed");
    assert_true(world_number(w, "results.val_loss.best") == 0.25);
    (void)world_get(w, AT "/a");
    assert_true(world_number(w, "data.result_summary.loss.last") == 0.5);
    assert_string_equal(cJSON_GetArrayItem(world_at(w, "data.errors"), 0)->valuestring, "x");
}

static void a_status_changes_as_it_may(void **state)
{
    static const struct {
        const char *next;
        const char *previous; /* NULL: refused */
        const char *now;
    } steps[] = {
        {"pending", "pending", "pending"},     {"resuming", NULL, "pending"},
        {"running", "pending", "running"},     {"pending", NULL, "running"},
        {"completed", "running", "completed"}, {"failed", NULL, "completed"},
        {"completed", NULL, "completed"},      {"resuming", "completed", "resuming"},
        {"failed", "resuming", "failed"},      {"running", "failed", "running"},
        {"cancelled", "running", "cancelled"}, {"completed", NULL, "cancelled"},
        {"running", "cancelled", "running"},
    };
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char body[96];
        (void)snprintf(body, sizeof(body), "{\"status\":\"%s\",\"error_message\":\"why\"}",
                       steps[i].next);
        int status = world_ask(w, METHOD_PATCH, AT "/a/status", body);
        assert_int_equal(status, steps[i].previous ? 200 : 400);
        if (steps[i].previous) {
            assert_string_equal(world_string(w, "previous_status"), steps[i].previous);
            assert_string_equal(world_string(w, "new_status"), steps[i].now);
        }
        (void)world_get(w, AT "/a");
        assert_string_equal(world_string(w, "data.status"), steps[i].now);
        if (strcmp(steps[i].next, "failed") == 0 && steps[i].previous)
            assert_string_equal(world_string(w, "data.error_message"), "why");
    }
    static const char *const bad[] = {"{}",
                                      "{\"status\":7}",
                                      "{\"status\":\"done\"}",
                                      "[]",
                                      "",
                                      "{\"status\":\"failed\",\"error_message\":[]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(world_ask(w, METHOD_PATCH, AT "/a/status", bad[i]), 422);
}

/* That there is no memory is not the fault of who asks. */
static void a_cancel_that_finds_no_memory_is_a_500(void **state)
{
    static const struct {
        enum method method;
        const char *tail, *body;
    } cases[] = {
        {METHOD_DELETE, "", "{\"reason\":\"no use\"}"},
        {METHOD_PATCH, "/status", "{\"status\":\"cancelled\",\"error_message\":\"no use\"}"},
    };
    struct world *w = *state;
    char body[64];
    char path[64];
    int id = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned failed = 0;
        int status = 0;
        for (size_t nth = 1; status != 200; nth++) {
            (void)snprintf(body, sizeof(body), "{\"operation_id\":\"op%d\"}", ++id);
            (void)snprintf(path, sizeof(path), AT "/op%d%s", id, cases[i].tail);
            begin(w, body);
            oom_fail(nth);
            status = world_ask(w, cases[i].method, path, cases[i].body);
            if (!oom_failed())
                assert_int_equal(status, 200);
            if (status != 200 && status != 500)
                fail_msg("%s gave %d: %.*s", path, status, (int)w->body.len, w->body.ptr);
            failed += status == 500;
        }
        assert_true(failed > 0);
    }
}

/* Its trainer has to resume it; before that there is nothing that could run. */
static void what_has_expired_is_set_to_nothing(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    add_epoch(w, "a", 0, 0.5, 0.25);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    world_pass(w, 3700);
    world_pass(w, 61);
    assert_int_equal(registry_find(&w->app->registry, SPAN("a"))->state, SESSION_EXPIRED);
    assert_int_equal(world_ask(w, METHOD_PATCH, AT "/a/status", "{\"status\":\"running\"}"), 400);
    assert_detail(w, "Status cannot change from completed to running");
    (void)world_get(w, AT "/a");
    assert_string_equal(world_string(w, "data.status"), "completed");
}

/* `{"NAME":"xxx..","status":"failed"}` */
static char *body_of(const char *name, size_t len)
{
    char *body = calloc(1, len + 128);
    assert_non_null(body);
    int at = sprintf(body, "{\"%s\":\"", name);
    memset(body + at, 'x', len);
    (void)sprintf(body + (size_t)at + len, "\",\"status\":\"failed\"}");
    return body;
}

static void what_is_too_long_is_refused(void **state)
{
    static const struct {
        enum method method;
        const char *path;
        const char *name;
        size_t len;
        int status;
        const char *says;
    } cases[] = {
        {METHOD_DELETE, AT "/a", "reason", 1025, 422, "at most 1024 bytes"},
        {METHOD_PATCH, AT "/a/status", "error_message", 1025, 422, "at most 1024 bytes"},
        {METHOD_POST, AT, "note", 65536, 422, "at most 65536 bytes"},
        {METHOD_POST, AT "/other/metrics", "note", 65000, 200, "success"},
        {METHOD_POST, AT "/other/metrics", "more", 65000, 400, "is more than 65536 bytes"},
    };
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    begin(w, "{\"operation_id\":\"other\",\"operation_type\":\"data_load\"}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *body = body_of(cases[i].name, cases[i].len);
        if (world_ask(w, cases[i].method, cases[i].path, body) != cases[i].status ||
            !memmem(w->body.ptr, w->body.len, cases[i].says, strlen(cases[i].says)))
            fail_msg("case %zu: %d %.*s", i, w->status, (int)w->body.len, w->body.ptr);
        free(body);
    }
    (void)world_get(w, AT "/a");
    assert_string_equal(world_string(w, "data.status"), "pending");
}

static void a_new_one_gets_an_id_or_has_one(void **state)
{
    struct world *w = *state;
    begin(w, "");
    assert_memory_equal(world_string(w, "data.operation_id"), "op_training_20231114_221320_", 28);
    begin(w, "{\"operation_type\":\"backtesting\"}");
    assert_memory_equal(world_string(w, "data.operation_id"), "op_backtesting_2023", 19);
    begin(w, "{\"operation_id\":\"mine\"}");
    assert_int_equal(post(w, AT, "{\"operation_id\":\"mine\"}"), 409);
    assert_detail(w, "Operation exists: mine");
    assert_int_equal(post(w, AT, "{\"operation_id\":\"a b\"}"), 422);
    assert_int_equal(post(w, AT, "{\"operation_id\":7}"), 422);
    assert_int_equal(post(w, AT, "{\"operation_type\":\"No Type\"}"), 422);
    assert_int_equal(post(w, AT, "[]"), 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(who_is_not_known_is_a_404_everywhere),
        WORLD_TEST(an_operation_shows_all_that_its_clients_read),
        WORLD_TEST(the_list_has_five_filters_and_both_counts),
        WORLD_TEST(a_query_that_makes_no_sense_is_a_422_that_names_it),
        WORLD_TEST(who_cancels_hears_what_became_of_it),
        WORLD_TEST(results_come_when_it_is_over),
        WORLD_TEST(a_status_changes_as_it_may),
        WORLD_TEST(a_cancel_that_finds_no_memory_is_a_500),
        WORLD_TEST(what_has_expired_is_set_to_nothing),
        WORLD_TEST(what_is_too_long_is_refused),
        WORLD_TEST(a_new_one_gets_an_id_or_has_one),
    };
    return cmocka_run_group_tests_name("http/operations", tests, NULL, NULL);
}
