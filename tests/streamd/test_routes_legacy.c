/* SPDX-License-Identifier: MIT */
/*
 * The buttons and the polls of the older pages, in the order in which a person presses them. No
 * trainer is connected here: a control line that somebody hears is the wire tests' matter.
 */
#include "tests/streamd/trainers.h"

#include <signal.h>

static int setup(void **state)
{
    int result = setup_trainers(state);
    ((struct world *)*state)->req.origin = SPAN("http://localhost:3000");
    return result;
}

static int post(struct world *w, const char *target, const char *body)
{
    return world_ask(w, METHOD_POST, target, body);
}

/* Presses start; the id of the new run. */
static const char *start(struct world *w, char id[64])
{
    assert_int_equal(post(w, "/api/phases/cognate", "{\"action\":\"start\",\"config\":{}}"), 200);
    assert_true(cJSON_IsTrue(world_at(w, "success")));
    (void)snprintf(id, 64, "%s", world_string(w, "sessionId"));
    return id;
}

static void poll_phase(struct world *w, const char *id)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/api/phases/cognate?sessionId=%s", id);
    assert_int_equal(world_get(w, target), 200);
    assert_string_equal(world_string(w, "sessionId"), id);
}

static int press(struct world *w, const char *action, const char *id)
{
    char body[160];
    (void)snprintf(body, sizeof(body), "{\"action\":\"%s\",\"sessionId\":\"%s\"}", action, id);
    return post(w, "/api/phases/cognate", body);
}

static void fresh_runs_start_at_the_known_values(void **state)
{
    struct world *w = *state;
    char id[64];
    poll_phase(w, start(w, id));
    assert_string_equal(world_string(w, "status"), "running");
    assert_true(world_number(w, "metrics.loss") == 2.5);
    assert_true(world_number(w, "metrics.perplexity") == 12.18);
    assert_true(world_number(w, "metrics.grokProgress") == 0);
    assert_true(world_number(w, "metrics.modelParams") == 25000000);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "metrics")), RECORD_FIELDS);
}

static void the_poll_shows_the_trainers_numbers_clamped(void **state)
{
    struct world *w = *state;
    char id[64];
    char line[160];
    start(w, id);
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\",\"metrics\":{\"loss\":11,"
                   "\"step\":5,\"mine\":1}}",
                   id);
    world_line(w, line);
    poll_phase(w, id);
    assert_int_equal(world_number(w, "metrics.loss"), 10);
    assert_int_equal(world_number(w, "metrics.currentStep"), 5);
    assert_null(cJSON_GetObjectItem(world_at(w, "metrics"), "mine"));
}

static void every_answer_names_the_origin_of_the_page(void **state)
{
    struct world *w = *state;
    char id[64];
    start(w, id);
    assert_header(w, "Access-Control-Allow-Origin", "http://localhost:3000");
    assert_header(w, "Content-Type", "application/json");
    assert_int_equal(post(w, "/api/cognate/start", "broken"), 400);
    assert_header(w, "Access-Control-Allow-Origin", "http://localhost:3000");
    assert_int_equal(world_get(w, "/api/cognate/status/nobody"), 404);
    assert_header(w, "Access-Control-Allow-Origin", "http://localhost:3000");
}

static void a_page_starts_with_its_own_words(void **state)
{
    struct world *w = *state;
    char target[128];
    assert_int_equal(post(w, "/api/cognate/start",
                          " {\"num_models\": 3, \"model_size\": \"25M\","
                          "\"architecture\":\"titans\",\"grokfast_enabled\":true,"
                          "\"target_speedup\":50}\n"),
                     200);
    assert_true(cJSON_IsTrue(world_at(w, "success")));
    (void)snprintf(target, sizeof(target), "/api/training/status/%s", world_string(w, "sessionId"));
    assert_int_equal(world_get(w, target), 200);
    assert_int_equal(world_number(w, "data.total_models"), 3);
    assert_int_equal(world_number(w, "data.config.model_count"), 3);
    assert_int_equal(world_number(w, "data.config.num_models"), 3);
    assert_string_equal(world_string(w, "data.config.model_size"), "25M");
}

static void a_start_may_name_its_session_once(void **state)
{
    struct world *w = *state;
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"mine\"}"), 200);
    assert_string_equal(world_string(w, "sessionId"), "mine");
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"mine\"}"), 409);
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"no good\"}"), 400);
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
    assert_int_equal(world_number(w, "data.total"), 1);
}

static void a_stop_before_the_trainer_connected_ends_it(void **state)
{
    struct world *w = *state;
    siginfo_t info;
    char id[64];
    start(w, id);
    assert_int_equal(press(w, "stop", id), 200);
    assert_string_equal(world_string(w, "status"), "stopped");
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    trainer_command_reap(w->app->control.trainers, w->now);
    world_pass(w, 1);
    poll_phase(w, id);
    assert_string_equal(world_string(w, "status"), "stopped");
    assert_non_null(strstr(world_string(w, "error"), "signal 15"));
    char target[128];
    (void)snprintf(target, sizeof(target), "/api/cognate/status/%s", id);
    assert_int_equal(world_get(w, target), 200);
    assert_string_equal(world_string(w, "status"), "error");
}

static void a_command_that_nobody_hears_is_no_success(void **state)
{
    struct world *w = *state;
    char id[64];
    start(w, id);
    assert_int_equal(press(w, "pause", id), 409);
    assert_int_equal(press(w, "resume", id), 409);
    assert_true(cJSON_IsFalse(world_at(w, "success")));
}

static void a_paused_trainer_is_shown_as_paused(void **state)
{
    struct world *w = *state;
    char id[64];
    start(w, id);
    trainer_command_set_paused(w->app->control.trainers, span_of(id), true);
    poll_phase(w, id);
    assert_string_equal(world_string(w, "status"), "paused");
}

static void what_has_ended_shows_how_and_stops_again(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"good\"}");
    world_line(w, "{\"type\":\"complete\"}");
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"bad\"}");
    world_line(w, "{\"type\":\"fail\",\"error\":\"oom\"}");
    poll_phase(w, "good");
    assert_string_equal(world_string(w, "status"), "completed");
    poll_phase(w, "bad");
    assert_string_equal(world_string(w, "status"), "stopped");
    assert_string_equal(world_string(w, "error"), "oom");
    assert_int_equal(world_get(w, "/api/progress/bad"), 200);
    assert_string_equal(world_string(w, "status"), "error");
    assert_true(world_number(w, "timestamp") == 1700000000.0);
    assert_int_equal(press(w, "stop", "good"), 200);
    assert_int_equal(post(w, "/api/cognate/stop/bad", ""), 200);
    assert_int_equal(press(w, "pause", "good"), 409);
}

static void a_finished_session_may_be_started_again(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"again\"}");
    world_line(w, "{\"type\":\"progress\",\"metrics\":{\"loss\":1}}");
    world_line(w, "{\"type\":\"complete\"}");
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"again\"}"), 200);
    poll_phase(w, "again");
    assert_string_equal(world_string(w, "status"), "running");
    assert_true(world_number(w, "metrics.loss") == 2.5);
}

/* The trainer of a run says that it has completed, and its process ends. */
static void complete(struct world *w, const char *id)
{
    char line[128];
    siginfo_t info;
    (void)snprintf(line, sizeof(line), "{\"type\":\"complete\",\"sessionId\":\"%s\"}", id);
    world_line(w, line);
    assert_true(trainer_command_stop(w->app->control.trainers, span_of(id)));
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    trainer_command_reap(w->app->control.trainers, w->now);
}

static void a_run_started_anew_outlives_the_trainer_before(void **state)
{
    struct world *w = *state;
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"mine\"}"), 200);
    complete(w, "mine");
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"mine\"}"), 200);
    world_pass(w, 2); /* past the time that the first one's last words had */
    poll_phase(w, "mine");
    assert_string_equal(world_string(w, "status"), "running");
}

/* Starting a run again takes its history, so what can be known to fail is refused before. */
static void a_start_that_cannot_be_leaves_the_run_as_it_was(void **state)
{
    struct world *w = *state;
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"mine\"}"), 200);
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"mine\",\"metrics\":{\"loss\":1}}");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"mine\"}"); /* and still tidies up */
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"mine\"}"), 409);
    assert_non_null(strstr(world_string(w, "error"), "runs already"));
    poll_phase(w, "mine");
    assert_string_equal(world_string(w, "status"), "completed");
    assert_true(world_number(w, "metrics.loss") == 1);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"other\"}");
    world_line(w, "{\"type\":\"complete\"}");
    for (int i = 1; i < TRAINER_COMMANDS_MAX; i++)
        assert_int_equal(post(w, "/api/cognate/start", "{}"), 200);
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"other\"}"), 503);
    poll_phase(w, "other");
    assert_string_equal(world_string(w, "status"), "completed");
}

/* One string of an environment has at most 128 KiB: with a longer one nothing can be executed. */
static void what_cannot_be_executed_fails_the_run_it_was_for(void **state)
{
    struct world *w = *state;
    char *value = calloc(1, 200 * 1024 + 1);
    assert_non_null(value);
    memset(value, 'x', 200 * 1024);
    assert_int_equal(setenv("STREAMD_TEST_TOO_LONG", value, 1), 0);
    free(value);
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"new\"}"), 500);
    assert_int_equal(world_get(w, "/api/training/status/new"), 404);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"known\"}");
    world_line(w, "{\"type\":\"complete\"}");
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"known\"}"), 500);
    poll_phase(w, "known");
    assert_string_equal(world_string(w, "error"), "the trainer command could not be started");
    assert_int_equal(unsetenv("STREAMD_TEST_TOO_LONG"), 0);
    assert_int_equal(post(w, "/api/cognate/start", "{\"sessionId\":\"new\"}"), 200);
}

static void wrong_requests_are_told_what_is_wrong(void **state)
{
    static const struct {
        const char *target;
        const char *body;
        int status;
        const char *says;
    } cases[] = {
        {"/api/phases/cognate", "", 400, "JSON object"},
        {"/api/phases/cognate", "[]", 400, "JSON object"},
        {"/api/phases/cognate", "{\"action\":", 400, "at byte 10"},
        {"/api/phases/cognate", "{}", 400, "action must be"},
        {"/api/phases/cognate", "{\"action\":\"explode\"}", 400, "action must be"},
        {"/api/phases/cognate", "{\"action\":1}", 400, "action must be"},
        {"/api/phases/cognate", "{\"action\":\"pause\"}", 400, "sessionId required"},
        {"/api/phases/cognate", "{\"action\":\"stop\",\"sessionId\":\"x\"}", 404, "not found"},
        {"/api/cognate/start", "", 400, "JSON object"},
        {"/api/cognate/start", "\"x\"", 400, "JSON object"},
        {"/api/cognate/stop/x", "", 404, "not found"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (post(w, cases[i].target, cases[i].body) != cases[i].status)
            fail_msg("%s %s gave %d", cases[i].target, cases[i].body, w->status);
        assert_true(cJSON_IsFalse(world_at(w, "success")));
        assert_non_null(strstr(world_string(w, "error"), cases[i].says));
    }
    assert_int_equal(world_get(w, "/api/phases/cognate"), 400);
    assert_string_equal(world_string(w, "error"), "sessionId required");
    assert_int_equal(world_get(w, "/api/phases/cognate?sessionId=x"), 404);
    assert_int_equal(world_get(w, "/api/progress/x"), 404);
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
    assert_int_equal(world_number(w, "data.total"), 0);
}

static void a_config_too_long_for_a_trainer_is_refused(void **state)
{
    struct world *w = *state;
    size_t len = TRAINER_CONFIG_BYTES_MAX + 1;
    char *body = malloc(len + 64);
    assert_non_null(body);
    int at = snprintf(body, 64, "{\"action\":\"start\",\"config\":{\"a\":\"");
    memset(body + at, 'x', len);
    (void)snprintf(body + at + len, 8, "\"}}");
    assert_int_equal(post(w, "/api/phases/cognate", body), 413);
    free(body);
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
    assert_int_equal(world_number(w, "data.total"), 0);
}

static void past_the_limit_of_trainers_no_session_is_left_behind(void **state)
{
    struct world *w = *state;
    char id[64];
    for (int i = 0; i < TRAINER_COMMANDS_MAX; i++)
        start(w, id);
    assert_int_equal(post(w, "/api/phases/cognate", "{\"action\":\"start\"}"), 503);
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
    assert_int_equal(world_number(w, "data.total"), TRAINER_COMMANDS_MAX);
}

static void without_a_trainer_command_a_start_says_so(void **state)
{
    struct world *w = *state;
    assert_int_equal(post(w, "/api/phases/cognate", "{\"action\":\"start\",\"config\":{}}"), 503);
    assert_non_null(strstr(world_string(w, "error"), "--trainer-command"));
    assert_int_equal(post(w, "/api/cognate/start", "{}"), 503);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    poll_phase(w, "a");
    assert_string_equal(world_string(w, "status"), "running");
    assert_int_equal(press(w, "stop", "a"), 409);
}

#define LEGACY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown_trainers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEGACY_TEST(fresh_runs_start_at_the_known_values),
        LEGACY_TEST(the_poll_shows_the_trainers_numbers_clamped),
        LEGACY_TEST(every_answer_names_the_origin_of_the_page),
        LEGACY_TEST(a_page_starts_with_its_own_words),
        LEGACY_TEST(a_start_may_name_its_session_once),
        LEGACY_TEST(a_stop_before_the_trainer_connected_ends_it),
        LEGACY_TEST(a_command_that_nobody_hears_is_no_success),
        LEGACY_TEST(a_paused_trainer_is_shown_as_paused),
        LEGACY_TEST(what_has_ended_shows_how_and_stops_again),
        LEGACY_TEST(a_finished_session_may_be_started_again),
        LEGACY_TEST(a_run_started_anew_outlives_the_trainer_before),
        LEGACY_TEST(a_start_that_cannot_be_leaves_the_run_as_it_was),
        LEGACY_TEST(what_cannot_be_executed_fails_the_run_it_was_for),
        LEGACY_TEST(wrong_requests_are_told_what_is_wrong),
        LEGACY_TEST(a_config_too_long_for_a_trainer_is_refused),
        LEGACY_TEST(past_the_limit_of_trainers_no_session_is_left_behind),
        WORLD_TEST(without_a_trainer_command_a_start_says_so),
    };
    return cmocka_run_group_tests_name("http/routes_legacy", tests, NULL, NULL);
}
