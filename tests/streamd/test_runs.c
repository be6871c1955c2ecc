/* SPDX-License-Identifier: MIT */
#include "tests/streamd/runs.h"
#include "tests/support/oom.h"

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

/* Four runs that differ in what a search looks at; `old` is over for long. */
static void start_various(struct world *w)
{
    static const char *const lines[] = {
        "{\"type\":\"start\",\"sessionId\":\"old\",\"project\":\"vision\"}",
        "{\"type\":\"complete\",\"sessionId\":\"old\"}",
        "{\"type\":\"start\",\"sessionId\":\"Alpha-1\",\"project\":\"vision\","
        "\"config\":{\"optimizer\":\"AdamW\",\"lr\":0.001}}",
        "{\"type\":\"start\",\"sessionId\":\"beta\",\"name\":\"Gro\\u00dfes Netz\"}",
        "{\"type\":\"start\",\"sessionId\":\"gamma\",\"project\":\"Vision\",\"name\":\"alphabet\"}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        world_line(w, lines[i]);
        if (i == 1) {
            world_pass(w, 3700);
            world_pass(w, 61);
        }
    }
}

static void expect_listed(struct world *w, const char *query, const char *wanted)
{
    char target[256];
    char ids[256] = "";
    const cJSON *s;
    (void)snprintf(target, sizeof(target), "/api/training/sessions?%s", query);
    assert_int_equal(world_get(w, target), 200);
    cJSON_ArrayForEach(s, world_at(w, "data.sessions"))
    {
        strcat(ids, cJSON_GetObjectItemCaseSensitive(s, "session_id")->valuestring);
        strcat(ids, " ");
    }
    if (strcmp(ids, wanted) != 0)
        fail_msg("%s: %s", query, ids);
    assert_int_equal(world_number(w, "data.total"),
                     cJSON_GetArraySize(world_at(w, "data.sessions")));
}

static void a_search_looks_at_id_name_project_and_config(void **state)
{
    static const struct {
        const char *query;
        const char *ids;
    } cases[] = {
        {"q=", "gamma beta Alpha-1 "},
        {"q=alpha", "gamma Alpha-1 "},
        {"q=ALPHA-1", "Alpha-1 "},
        {"q=vision", "gamma Alpha-1 "},
        {"q=adamw", "Alpha-1 "},
        {"q=%22lr%22:0.001", "Alpha-1 "},
        {"q=gro%c3%9fes+netz", "beta "},
        {"q=nothing", ""},
        {"q=vision&status=any", "gamma Alpha-1 old "},
        {"q=vision&status=expired", "old "},
        {"q=vision&status=running", ""},
        {"project=vision", "Alpha-1 "},
        {"project=vision&status=any", "Alpha-1 old "},
        {"project=", "beta "},
        {"project=visio", ""},
        {"project=Vision&q=alpha", "gamma "},
        {"pinned=true", ""},
        {"pinned=false", "gamma beta Alpha-1 "},
    };
    struct world *w = *state;
    start_various(w);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_listed(w, cases[i].query, cases[i].ids);
    assert_int_equal(world_get(w, "/api/training/sessions?pinned=maybe"), 400);
    assert_string_equal(world_string(w, "error"), "pinned must be true or false");
}

static void a_page_of_searched_runs_counts_them_all(void **state)
{
    struct world *w = *state;
    start_runs(w, 20);
    assert_int_equal(world_get(w, "/api/training/sessions?q=RUN-1&limit=3&offset=1"), 200);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.sessions")), 3);
    assert_string_equal(id_at(w, 0), "run-18");
    assert_int_equal(world_number(w, "data.total"), 11);
}

static void a_page_ends_where_it_would_be_too_long(void **state)
{
    struct world *w = *state;
    static char line[64000];
    int head = snprintf(line, sizeof(line), "{\"type\":\"start\",\"config\":{\"x\":\"");
    memset(line + head, 'x', sizeof(line) - (size_t)head - 4);
    memcpy(line + sizeof(line) - 4, "\"}}", 4);
    for (int i = 0; i < 100; i++)
        world_line(w, line);
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
    assert_in_range(w->body.len, 4 << 20, (4 << 20) + 70000);
    int listed = cJSON_GetArraySize(world_at(w, "data.sessions"));
    assert_int_equal(world_number(w, "data.total"), 100);
    char target[64];
    (void)snprintf(target, sizeof(target), "/api/training/sessions?offset=%d", listed);
    assert_int_equal(world_get(w, target), 200);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.sessions")), 100 - listed);
}

static void a_run_is_shown_with_its_config_and_its_summary(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{\"lr\":0.5}}");
    assert_int_equal(world_get(w, "/api/training/sessions/a"), 200);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.summary")), 0);
    progress(w, "a", 1.5, 10);
    progress(w, "a", 0.5, 20);
    progress(w, "a", 1, 30);
    for (int listed = 0; listed < 2; listed++) {
        assert_int_equal(
            world_get(w, listed ? "/api/training/sessions" : "/api/training/sessions/a"), 200);
        const cJSON *run =
            listed ? cJSON_GetArrayItem(world_at(w, "data.sessions"), 0) : world_at(w, "data");
        const cJSON *loss = cJSON_GetObjectItem(cJSON_GetObjectItem(run, "summary"), "loss");
        assert_true(cJSON_GetObjectItem(loss, "last")->valuedouble == 1);
        assert_true(cJSON_GetObjectItem(loss, "best")->valuedouble == 0.5);
        assert_int_equal(cJSON_GetObjectItem(loss, "bestStep")->valueint, 20);
        assert_true(cJSON_GetObjectItem(loss, "max")->valuedouble == 1.5);
        assert_int_equal(cJSON_GetObjectItem(loss, "count")->valueint, 3);
        assert_true(cJSON_GetObjectItem(cJSON_GetObjectItem(run, "config"), "lr")->valuedouble ==
                    0.5);
        assert_true(cJSON_IsFalse(cJSON_GetObjectItem(run, "pinned")));
    }
    assert_int_equal(world_get(w, "/api/training/sessions/b"), 404);
    assert_string_equal(world_string(w, "error"), "Session not found");
}

static void a_start_anew_forgets_the_summary_and_a_resume_does_not(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 1, 1);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"run-0\",\"resume\":true}");
    progress(w, "run-0", 1, 2);
    (void)world_get(w, "/api/training/sessions/run-0");
    assert_int_equal(world_number(w, "data.summary.loss.count"), 2);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"run-0\"}");
    (void)world_get(w, "/api/training/sessions/run-0");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.summary")), 0);
}

static void only_a_run_that_is_over_can_be_deleted(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/training/sessions/run-0", ""), 409);
    progress(w, "run-0", 1, 1);
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/training/sessions/run-0", ""), 409);
    assert_true(cJSON_IsFalse(world_at(w, "success")));
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"run-0\"}");
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"run-0\",\"resume\":true}");
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/training/sessions/run-0", ""), 409);
    progress(w, "run-0", 1, 2);
    world_line(w, "{\"type\":\"fail\",\"sessionId\":\"run-0\",\"error\":\"no\"}");
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/training/sessions/run-0", ""), 200);
    assert_true(span_is(w->body, "{\"success\":true,\"sessionId\":\"run-0\"}"));
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/training/sessions/run-0", ""), 404);
    assert_int_equal(world_get(w, "/api/training/sessions?status=any"), 200);
    assert_int_equal(world_number(w, "data.total"), 0);
    assert_int_equal(world_get(w, "/api/training/history/run-0"), 200);
    assert_int_equal(world_number(w, "total"), 0);
}

static void a_pinned_run_says_so(void **state)
{
    struct world *w = *state;
    start_runs(w, 3);
    const char *target = "/api/training/sessions/run-1";
    assert_int_equal(world_ask(w, METHOD_PATCH, target, "{\"pinned\":true}"), 200);
    assert_true(cJSON_IsTrue(world_at(w, "data.pinned")));
    assert_string_equal(world_string(w, "data.session_id"), "run-1");
    expect_listed(w, "pinned=true", "run-1 ");
    expect_listed(w, "pinned=false", "run-2 run-0 ");
    assert_int_equal(world_get(w, "/api/training/status/run-1"), 200);
    assert_true(cJSON_IsTrue(world_at(w, "data.pinned")));
    assert_int_equal(world_ask(w, METHOD_PATCH, target, "{\"pinned\":false}"), 200);
    assert_true(cJSON_IsFalse(world_at(w, "data.pinned")));
    assert_int_equal(world_ask(w, METHOD_PATCH, "/api/training/sessions/x", "{}"), 404);
}

static void a_change_that_cannot_be_is_named(void **state)
{
    static const struct {
        const char *body;
        const char *error;
    } cases[] = {
        {"", "The body must be a JSON object: "},
        {"{\"pinned\":tru}", "The body must be a JSON object: "},
        {"true", "The body must be a JSON object"},
        {"[true]", "The body must be a JSON object"},
        {"{}", "The body must have a member pinned"},
        {"{\"pin\":true}", "The body must have a member pinned"},
        {"{\"pinned\":1}", "pinned must be true or false"},
        {"{\"pinned\":null}", "pinned must be true or false"},
        {"{\"pinned\":\"true\"}", "pinned must be true or false"},
    };
    struct world *w = *state;
    start_runs(w, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = world_ask(w, METHOD_PATCH, "/api/training/sessions/run-0", cases[i].body);
        if (status != 400 ||
            strncmp(world_string(w, "error"), cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("%s: %d %s", cases[i].body, status, world_string(w, "error"));
    }
}

static void the_paths_say_what_they_take(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_ask(w, METHOD_OPTIONS, "/api/training/sessions/a", ""), 204);
    assert_header(w, "Allow", "GET, HEAD, DELETE, PATCH, OPTIONS");
    assert_int_equal(world_ask(w, METHOD_PUT, "/api/training/sessions/a", ""), 405);
    assert_header(w, "Allow", "GET, HEAD, DELETE, PATCH, OPTIONS");
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/training/sessions", ""), 405);
    assert_header(w, "Allow", "GET, HEAD, OPTIONS");
}

static void no_answer_dies_of_a_failed_allocation(void **state)
{
    struct world *w = *state;
    start_runs(w, 2);
    progress(w, "run-0", 1, 1);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"run-1\"}");
    assert_int_equal(buf_reserve(&w->out, 1 << 20), OK); /* the test's own */
    for (size_t n = 1; oom_sweeps(n); n++) {
        reply_fini(&w->reply);
        (void)world_get(w, "/api/training/sessions?q=run");
        assert_true(w->status == 200 || w->status == 503);
    }
    for (size_t n = 1; oom_sweeps(n); n++) {
        reply_fini(&w->reply);
        (void)world_ask(w, METHOD_PATCH, "/api/training/sessions/run-0", "{\"pinned\":true}");
        assert_true(w->status == 200 || w->status == 503);
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
        WORLD_TEST(a_search_looks_at_id_name_project_and_config),
        WORLD_TEST(a_page_of_searched_runs_counts_them_all),
        WORLD_TEST(a_page_ends_where_it_would_be_too_long),
        WORLD_TEST(a_run_is_shown_with_its_config_and_its_summary),
        WORLD_TEST(a_start_anew_forgets_the_summary_and_a_resume_does_not),
        WORLD_TEST(only_a_run_that_is_over_can_be_deleted),
        WORLD_TEST(a_pinned_run_says_so),
        WORLD_TEST(a_change_that_cannot_be_is_named),
        WORLD_TEST(the_paths_say_what_they_take),
        WORLD_TEST(no_answer_dies_of_a_failed_allocation),
    };
    return cmocka_run_group_tests_name("http/runs", tests, NULL, NULL);
}
