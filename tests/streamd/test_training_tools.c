/* SPDX-License-Identifier: MIT */
/* What the tools of /mcp answer: docs/protocol.md P-110 to P-114. */
#include "streamd/session/interpreter.h"
#include "tests/streamd/agents.h"

static void runs_are_listed_newest_first_page_by_page(void **state)
{
    struct world *w = *state;
    char line[160];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"run-%d\"}", i);
        world_line(w, line); /* two of them in the same second */
        if (i != 2)
            world_pass(w, 1);
    }
    calls(w, "list_sessions", "{\"limit\":2}");
    assert_int_equal(world_number(w, "total"), 5);
    assert_string_equal(text_at(w, "sessions", 0, "id"), "run-4");
    assert_string_equal(text_at(w, "sessions", 1, "id"), "run-3");
    assert_string_equal(text_at(w, "sessions", 0, "status"), "pending");
    char arguments[256];
    (void)snprintf(arguments, sizeof(arguments), "{\"limit\":2,\"cursor\":\"%s\"}",
                   world_string(w, "next_cursor"));
    /* What comes meanwhile, or goes, moves nothing. */
    starts(w, "new", "{}");
    registry_remove(&w->app->registry, registry_find(&w->app->registry, SPAN("run-3")));
    calls(w, "list_sessions", arguments);
    assert_string_equal(text_at(w, "sessions", 0, "id"), "run-2");
    assert_string_equal(text_at(w, "sessions", 1, "id"), "run-1");
    (void)snprintf(arguments, sizeof(arguments), "{\"cursor\":\"%s\"}",
                   world_string(w, "next_cursor"));
    calls(w, "list_sessions", arguments);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "sessions")), 1);
    assert_true(cJSON_IsNull(world_at(w, "next_cursor")));
    is_refused(w, "list_sessions", "{\"cursor\":\"x\"}", "without one");
}

static void runs_are_found_by_status_and_words(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"opt\":\"adam\"}");
    starts(w, "b", "{\"opt\":\"sgd\"}");
    learns(w, "b", 3, 1);
    calls(w, "list_sessions", "{\"status\":\"running\"}");
    assert_int_equal(world_number(w, "total"), 1);
    assert_string_equal(text_at(w, "sessions", 0, "id"), "b");
    calls(w, "list_sessions", "{\"query\":\"ADAM\"}");
    assert_string_equal(text_at(w, "sessions", 0, "id"), "a");
    is_refused(w, "list_sessions", "{\"status\":\"dead\"}", "status");
    is_refused(w, "list_sessions", "{\"limit\":0}", "limit");
}

static void a_long_name_is_listed_without_half_a_character(void **state)
{
    struct world *w = *state;
    char line[160];
    char name[63] = "";
    memset(name, 'x', sizeof(name) - 1);
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"start\",\"sessionId\":\"a\",\"name\":\"%s\xe2\x82\xac\"}", name);
    world_line(w, line);
    calls(w, "list_sessions", "{}");
    assert_string_equal(text_at(w, "sessions", 0, "name"), name);
}

static void a_status_is_one_small_answer(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"epochs\":100}");
    learns(w, "a", 40, 0.5);
    calls(w, "get_status", "{\"session_id\":\"a\"}");
    assert_string_equal(world_string(w, "status"), "running");
    assert_string_equal(world_string(w, "phase"), "PLATEAU");
    assert_int_equal(world_number(w, "epoch"), 39);
    assert_int_equal(world_number(w, "total_epochs"), 100);
    assert_int_equal(world_number(w, "step"), 3900);
    assert_true(world_number(w, "eta.seconds") > 60 * 55);
    assert_true(world_number(w, "latest.val_loss") > 0.4);
    assert_string_equal(world_string(w, "best.metric"), "val_loss");
    assert_true(world_number(w, "seq") == (double)w->app->registry.bulletin.last);
    assert_true(cJSON_GetArraySize(world_at(w, "alerts")) > 0);
    char *text = cJSON_PrintUnformatted(w->json);
    assert_true(strlen(text) < 1600); /* 400 tokens */
    cJSON_free(text);
    is_refused(w, "get_status", "{\"session_id\":\"nobody\"}", "list_sessions");
    is_refused(w, "get_status", "{}", "session_id");
}

static void a_status_calls_metrics_as_the_trainer_does(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    world_line(w,
               "{\"type\":\"epoch\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":1,\"train_loss\":1,"
               "\"val_f1\":0.5,\"mine\":7}}");
    calls(w, "get_status", "{\"session_id\":\"a\"}");
    assert_true(world_number(w, "latest.mine") == 7);
    assert_true(world_number(w, "latest.val_f1") == 0.5);
    assert_string_equal(world_string(w, "best.metric"), "val_f1");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "latest")), 3);
}

static void a_run_that_was_not_judged_yet_has_no_best(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    world_line(w,
               "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":1,\"lr\":0.1}}");
    calls(w, "get_status", "{\"session_id\":\"a\"}");
    assert_true(world_number(w, "latest.lr") == 0.1);
    assert_null(cJSON_GetObjectItem(w->json, "best"));
}

static void a_run_that_lost_its_interpreter_is_read_back_first(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 40, 0.5);
    interpreter_forget(registry_find(&w->app->registry, SPAN("a")));
    calls(w, "get_status", "{\"session_id\":\"a\"}");
    assert_string_equal(world_string(w, "phase"), "PLATEAU");
    interpreter_forget(registry_find(&w->app->registry, SPAN("a")));
    calls(w, "assess_health", "{\"session_id\":\"a\"}");
    assert_string_equal(world_string(w, "verdict"), "watch");
}

static void metrics_come_in_a_few_rows_with_exact_figures(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 200, 0.5);
    says_epoch(w, "a", 200, 0.4, 0.9);
    calls(w, "get_metrics",
          "{\"session_id\":\"a\",\"names\":[\"val_loss\",\"nothing\"],\"points\":20}");
    int count = cJSON_GetArraySize(world_at(w, "x"));
    assert_in_range(count, 15, 20);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "series.val_loss")), count);
    assert_int_equal(world_number(w, "stats.val_loss.n"), 201);
    assert_true(world_number(w, "stats.val_loss.last") == 0.9);
    assert_int_equal(world_number(w, "stats.nothing.n"), 0);
    assert_true(cJSON_IsNull(world_at(w, "stats.nothing.min")));
    assert_int_equal(world_number(w, "total_points"), 201);
    assert_true(cJSON_IsTrue(world_at(w, "downsampled")));
    calls(w, "get_metrics", "{\"session_id\":\"a\",\"stats_only\":true}");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "x")), 0);
    assert_int_equal(world_number(w, "stats.train_loss.n"), 201);
    calls(w, "get_metrics", "{\"session_id\":\"a\",\"by\":\"step\",\"from\":500,\"to\":900}");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "x")), 5);
}

static void a_metric_without_a_value_in_the_range_is_not_told(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":1,\"early\":1,"
                  "\"late\":1}}");
    world_line(w,
               "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":9,\"late\":2}}");
    calls(w, "get_metrics", "{\"session_id\":\"a\",\"by\":\"step\",\"from\":5}");
    assert_int_equal(world_number(w, "stats.late.n"), 1);
    assert_null(cJSON_GetObjectItem(world_at(w, "stats"), "early"));
    assert_null(cJSON_GetObjectItem(world_at(w, "series"), "early"));
}

/* A name that is too long for a metric. */
static const char *long_name(void)
{
    static char name[65];
    memset(name, 'x', sizeof(name) - 1);
    return name;
}

static void a_metric_that_can_be_none_is_refused(void **state)
{
    struct world *w = *state;
    char arguments[256];
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    (void)snprintf(arguments, sizeof(arguments), "{\"session_id\":\"a\",\"names\":[\"%s\"]}",
                   long_name());
    is_refused(w, "get_metrics", arguments, "at most 8 metrics");
    (void)snprintf(arguments, sizeof(arguments),
                   "{\"session_ids\":[\"a\",\"b\"],\"metric\":\"%s\"}", long_name());
    is_refused(w, "compare_sessions", arguments, "1 to 63 bytes");
    is_refused(w, "get_metrics", "{\"session_id\":\"z\"}", "list_sessions");
}

static void without_a_store_there_is_no_history_to_answer_from(void **state)
{
    struct world *w = *state;
    w->req.content_type = SPAN("application/json");
    w->req.mcp_protocol_version = SPAN("2026-07-28");
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    is_refused(w, "get_metrics", "{\"session_id\":\"a\"}", "get_status still answers");
    is_refused(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"]}",
               "get_status still answers");
    calls(w, "get_status", "{\"session_id\":\"a\"}");
    assert_string_equal(world_string(w, "status"), "pending");
}

static void an_answer_stays_within_its_bound_however_much_there_is(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    for (int e = 0; e < 600; e++) {
        char line[2048];
        int len =
            snprintf(line, sizeof(line),
                     "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":%d", e);
        for (int i = 0; i < 12; i++)
            len += snprintf(line + len, sizeof(line) - (size_t)len,
                            ",\"a_rather_long_name_for_a_metric_%d\":%.9g", i,
                            -1.23456789e-10 * (e + 1) * wobble(e + i));
        (void)snprintf(line + len, sizeof(line) - (size_t)len, "}}");
        world_line(w, line);
    }
    calls(w, "get_metrics", "{\"session_id\":\"a\",\"points\":500}");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "series")), 8);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "truncated_names")), 4);
    int count = cJSON_GetArraySize(world_at(w, "x"));
    assert_in_range(count, 200, 250); /* names * points <= 2000 */
    is_refused(w, "get_metrics",
               "{\"session_id\":\"a\",\"names\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\","
               "\"i\"]}",
               "names");
}

static const char *verdict(struct world *w, const char *id)
{
    char arguments[64];
    (void)snprintf(arguments, sizeof(arguments), "{\"session_id\":\"%s\"}", id);
    calls(w, "assess_health", arguments);
    return world_string(w, "verdict");
}

static void health_is_one_verdict_and_one_thing_to_do(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"epochs\":100}");
    assert_string_equal(verdict(w, "a"), "insufficient_data");
    assert_string_equal(world_string(w, "recommendation.action"), "wait");
    learns(w, "a", 12, 0.5);
    assert_string_equal(verdict(w, "a"), "healthy");
    assert_string_equal(text_at(w, "findings", 0, "code"), "improving");
    for (int e = 12; e < 60; e++)
        says_epoch(w, "a", e, 0.4, 0.5 + 0.005 * wobble(e));
    assert_string_equal(verdict(w, "a"), "stop_soon");
    assert_string_equal(world_string(w, "recommendation.action"), "stop");
    assert_string_equal(text_at(w, "findings", 0, "code"), "plateau");
    assert_true(world_number(w, "recommendation.saving_gpu_hours") > 0);
    assert_true(strstr(world_string(w, "recommendation.best_checkpoint"), "epoch") != NULL);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    assert_string_equal(verdict(w, "a"), "finished");
}

static void a_loss_that_is_no_number_is_to_be_killed(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 12, 0.5);
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":13,"
                  "\"train_loss\":NaN}}");
    assert_string_equal(verdict(w, "a"), "kill");
    assert_string_equal(text_at(w, "findings", 0, "code"), "nonfinite");
    assert_string_equal(world_string(w, "recommendation.action"), "kill");
}

static void runs_are_compared_by_one_metric(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"lr\":0.1,\"seed\":1,\"opt\":{\"name\":\"adam\"}}");
    starts(w, "b", "{\"lr\":0.2,\"seed\":1,\"opt\":{\"name\":\"sgd\"}}");
    learns(w, "a", 40, 0.5);
    learns(w, "b", 20, 0.7);
    calls(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"]}");
    assert_string_equal(world_string(w, "winner"), "a");
    assert_string_equal(text_at(w, "rows", 1, "id"), "b");
    const cJSON *row = cJSON_GetArrayItem(world_at(w, "rows"), 1);
    assert_true(fabs(cJSON_GetObjectItem(row, "delta_to_winner")->valuedouble - 0.2) < 0.02);
    assert_true(world_number(w, "config_diff.lr.b") == 0.2);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "config_diff")), 2);
    calls(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"],\"at\":\"common_epoch\"}");
    row = cJSON_GetArrayItem(world_at(w, "rows"), 0);
    assert_int_equal(cJSON_GetObjectItem(row, "epoch")->valuedouble, 19);
    calls(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"],\"goal\":\"max\"}");
    assert_string_equal(world_string(w, "winner"), "b");
    calls(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"],\"metric\":\"none\"}");
    assert_true(cJSON_IsNull(world_at(w, "winner")));
    is_refused(w, "compare_sessions", "{\"session_ids\":[\"a\",\"a\"]}", "different");
    is_refused(w, "compare_sessions", "{\"session_ids\":[\"a\",\"z\"]}", "list_sessions");
}

/* `{"key-0":"vv...","key-1":...}`: as many values, each so long and of that letter. */
static void starts_with_values(struct world *w, const char *id, int count, size_t len, char letter)
{
    char *config = calloc(1, (size_t)count * (len + 32) + 3);
    char *line = calloc(1, (size_t)count * (len + 32) + 128);
    size_t at = 1;
    assert_true(config && line);
    config[0] = '{';
    for (int i = 0; i < count; i++) {
        at += (size_t)sprintf(config + at, "%s\"key-%d\":\"", i ? "," : "", i);
        memset(config + at, letter, len);
        at += len;
        config[at++] = '"';
    }
    config[at] = '}';
    (void)sprintf(line, "{\"type\":\"start\",\"sessionId\":\"%s\",\"config\":%s}", id, config);
    world_line(w, line);
    free(config);
    free(line);
}

static void configurations_that_differ_much_are_told_in_part(void **state)
{
    struct world *w = *state;
    starts_with_values(w, "a", 60, 80, 'a');
    starts_with_values(w, "b", 60, 80, 'b');
    calls(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"]}");
    int told = cJSON_GetArraySize(world_at(w, "config_diff"));
    assert_in_range(told, 10, 50);
    assert_int_equal(world_number(w, "config_diff_left_out"), 60 - told);
}

static void a_long_value_of_a_configuration_is_told_cut(void **state)
{
    struct world *w = *state;
    starts_with_values(w, "a", 1, 300, 'a');
    starts_with_values(w, "b", 1, 300, 'b');
    calls(w, "compare_sessions", "{\"session_ids\":[\"a\",\"b\"]}");
    const char *value = world_string(w, "config_diff.key-0.a");
    assert_in_range(strlen(value), 80, 100);
    assert_true(value[0] == '"' && value[1] == 'a');
}

static void a_rule_of_a_user_is_set_replaced_and_removed(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 5, 0.5);
    const char *rule = "{\"session_id\":\"a\",\"name\":\"r\",\"metric\":\"val_loss\","
                       "\"op\":\"gt\",\"value\":0.1}";
    calls(w, "set_alert", rule);
    assert_string_equal(world_string(w, "state"), "firing");
    assert_true(cJSON_IsTrue(world_at(w, "already_true")));
    calls(w, "set_alert", rule); /* the same once more changes nothing */
    assert_string_equal(world_string(w, "state"), "firing");
    calls(w, "set_alert",
          "{\"session_id\":\"a\",\"name\":\"r\",\"metric\":\"val_loss\",\"op\":\"lt\","
          "\"value\":0.1}");
    assert_string_equal(world_string(w, "state"), "active");
    calls(w, "set_alert", "{\"session_id\":\"a\",\"name\":\"r\",\"remove\":true}");
    assert_string_equal(world_string(w, "state"), "removed");
    is_refused(w, "set_alert", "{\"session_id\":\"a\",\"name\":\"r\"}", "metric");
    is_refused(w, "set_alert",
               "{\"session_id\":\"a\",\"name\":\"r\",\"metric\":\"x\",\"op\":\"lt\"}", "value");
}

static void a_rule_that_cannot_be_kept_is_refused(void **state)
{
    struct world *w = *state;
    char arguments[256];
    starts(w, "a", "{}");
    is_refused(w, "set_alert", "{\"session_id\":\"z\",\"name\":\"r\"}", "list_sessions");
    is_refused(w, "set_alert", "{\"session_id\":\"a\",\"name\":\"r\",\"metric\":\"x\"}",
               "op must be");
    is_refused(w, "set_alert", "{\"session_id\":\"a\",\"name\":\"\",\"metric\":\"x\"}",
               "name must be");
    for (int i = 0; i <= ALERT_RULES_MAX; i++) {
        (void)snprintf(arguments, sizeof(arguments),
                       "{\"session_id\":\"a\",\"name\":\"r%d\",\"metric\":\"x\","
                       "\"op\":\"nonfinite\"}",
                       i);
        if (i < ALERT_RULES_MAX)
            calls(w, "set_alert", arguments);
        else
            is_refused(w, "set_alert", arguments, "at most 16 rules");
    }
}

static void a_stop_that_nobody_hears_is_not_accepted(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 5, 0.5);
    const char *asked = "{\"session_id\":\"a\",\"reason\":\"flat for long\"}";
    calls(w, "request_stop", asked);
    assert_true(cJSON_IsFalse(world_at(w, "accepted")));
    assert_string_equal(world_string(w, "status"), "running");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    calls(w, "request_stop", asked);
    assert_true(cJSON_IsFalse(world_at(w, "accepted")));
    assert_string_equal(world_string(w, "status"), "completed");
    is_refused(w, "request_stop", "{\"session_id\":\"a\",\"reason\":\"x\"}", "reason");
}

static void without_a_trainer_command_nothing_is_started(void **state)
{
    is_refused(*state, "start_training", "{\"project_id\":\"p\"}", "No trainer is configured");
}

/* ---- resources and prompts ---- */

static const cJSON *reads(struct world *w, const char *uri)
{
    char params[256];
    (void)snprintf(params, sizeof(params), "\"uri\":\"%s\"", uri);
    agent_asks(w, "/mcp", "resources/read", uri, params);
    const cJSON *result = cJSON_GetObjectItem(w->json, "result");
    const cJSON *content = cJSON_GetArrayItem(cJSON_GetObjectItem(result, "contents"), 0);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(content, "text"));
    cJSON *read = text ? cJSON_Parse(text) : NULL;
    if (!read)
        fail_msg("%s: %.*s", uri, (int)w->body.len, w->body.ptr);
    cJSON_Delete(w->json);
    w->json = read;
    return read;
}

static void a_run_is_three_resources(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 30, 0.5);
    reads(w, "training://sessions/a");
    assert_string_equal(world_string(w, "status"), "running");
    reads(w, "training://sessions/a/metrics");
    assert_int_equal(world_number(w, "stats.val_loss.n"), 30);
    reads(w, "training://sessions/a/events");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "events")), 20);
    assert_string_equal(text_at(w, "events", 19, "session_id"), "a");
    agent_asks(w, "/mcp", "resources/read", "training://sessions/z",
               "\"uri\":\"training://sessions/z\"");
    assert_int_equal(world_number(w, "error.code"), -32602);
    agent_asks(w, "/mcp", "resources/list", "", "\"x\":0");
    assert_string_equal(text_at(w, "result.resources", 0, "uri"), "training://sessions/a");
    agent_asks(w, "/mcp", "resources/templates/list", "", "\"x\":0");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "result.resourceTemplates")), 3);
}

static void prompts_say_which_tools_to_call(void **state)
{
    struct world *w = *state;
    agent_asks(w, "/mcp", "prompts/get", "diagnose_run",
               "\"name\":\"diagnose_run\",\"arguments\":{\"session_id\":\"a\\\"b\"}");
    const cJSON *message = cJSON_GetArrayItem(world_at(w, "result.messages"), 0);
    const cJSON *content = cJSON_GetObjectItem(message, "content");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(content, "text"));
    assert_non_null(strstr(text, "run a\"b. Call assess_health"));
    agent_asks(w, "/mcp", "prompts/get", "compare_runs",
               "\"name\":\"compare_runs\",\"arguments\":{\"session_ids\":\"a,b\"}");
    assert_non_null(memmem(w->body.ptr, w->body.len, "runs a,b by val_loss", 20));
    char params[4400] = "\"name\":\"diagnose_run\",\"arguments\":{\"session_id\":\"";
    memset(params + strlen(params), 'x', 3700); /* with the words around it more than 4096 bytes */
    (void)strcat(params, "\"}");
    agent_asks(w, "/mcp", "prompts/get", "diagnose_run", params);
    assert_string_equal(world_string(w, "error.message"), "The argument is too long");
}

static void a_run_that_is_asked_for_takes_a_place_also_from_one_that_talks(void **state)
{
    struct world *w = *state;
    w->app->registry.interpreters.max = 1;
    starts(w, "over", "{}");
    learns(w, "over", 30, 0.5);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"over\"}");
    starts(w, "talks", "{}");
    learns(w, "talks", 30, 0.5);
    const struct session *talks = registry_find(&w->app->registry, SPAN("talks"));
    assert_non_null(talks->interpreter);
    assert_int_equal(world_get(w, "/api/training/insight/over"), 200);
    assert_string_equal(world_string(w, "data.phase"), "CONVERGED");
    assert_true(world_number(w, "data.evaluations") == 30);
    assert_null(talks->interpreter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(runs_are_listed_newest_first_page_by_page),
        AGENT_TEST(runs_are_found_by_status_and_words),
        AGENT_TEST(a_long_name_is_listed_without_half_a_character),
        AGENT_TEST(a_status_is_one_small_answer),
        AGENT_TEST(a_run_that_lost_its_interpreter_is_read_back_first),
        AGENT_TEST(metrics_come_in_a_few_rows_with_exact_figures),
        AGENT_TEST(an_answer_stays_within_its_bound_however_much_there_is),
        AGENT_TEST(health_is_one_verdict_and_one_thing_to_do),
        AGENT_TEST(a_loss_that_is_no_number_is_to_be_killed),
        AGENT_TEST(runs_are_compared_by_one_metric),
        AGENT_TEST(a_rule_of_a_user_is_set_replaced_and_removed),
        AGENT_TEST(a_stop_that_nobody_hears_is_not_accepted),
        AGENT_TEST(without_a_trainer_command_nothing_is_started),
        AGENT_TEST(a_status_calls_metrics_as_the_trainer_does),
        AGENT_TEST(a_run_that_was_not_judged_yet_has_no_best),
        AGENT_TEST(a_metric_without_a_value_in_the_range_is_not_told),
        AGENT_TEST(a_metric_that_can_be_none_is_refused),
        WORLD_TEST(without_a_store_there_is_no_history_to_answer_from),
        AGENT_TEST(configurations_that_differ_much_are_told_in_part),
        AGENT_TEST(a_long_value_of_a_configuration_is_told_cut),
        AGENT_TEST(a_rule_that_cannot_be_kept_is_refused),
        AGENT_TEST(a_run_is_three_resources),
        AGENT_TEST(prompts_say_which_tools_to_call),
        AGENT_TEST(a_run_that_is_asked_for_takes_a_place_also_from_one_that_talks),
    };
    return cmocka_run_group_tests_name("mcp/tools", tests, NULL, NULL);
}
