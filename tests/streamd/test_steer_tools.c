/* SPDX-License-Identifier: MIT */
/*
 * start_training and request_stop where the daemon may start trainers: docs/protocol.md P-114. The
 * trainer here is a process that never connects, so a stop reaches it as a signal.
 */
#include "tests/streamd/agents.h"
#include "tests/streamd/trainers.h"

static int setup(void **state)
{
    int result = setup_trainers(state);
    ((struct world *)*state)->req.mcp_protocol_version = SPAN("2026-07-28");
    return result;
}

static void a_project_is_started_once(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 2; i++) {
        calls(w, "start_training", "{\"project_id\":\"p\"}");
        assert_string_equal(world_string(w, "session_id"), "p");
        assert_string_equal(world_string(w, "status"), "pending");
    }
    is_refused(w, "start_training", "{\"project_id\":\"no good\"}", "project_id must be");
    calls(w, "list_sessions", "{}");
    assert_int_equal(world_number(w, "total"), 1);
}

static void a_trainer_that_cannot_be_started_leaves_no_run(void **state)
{
    struct world *w = *state;
    char arguments[64];
    for (int i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        (void)snprintf(arguments, sizeof(arguments), "{\"project_id\":\"p%d\"}", i);
        calls(w, "start_training", arguments);
    }
    is_refused(w, "start_training", "{\"project_id\":\"more\"}", "As many trainers as may run");
    calls(w, "list_sessions", "{}");
    assert_int_equal(world_number(w, "total"), TRAINER_COMMANDS_MAX);
}

static void a_run_is_asked_to_stop_once(void **state)
{
    struct world *w = *state;
    calls(w, "start_training", "{\"project_id\":\"p\"}");
    calls(w, "request_stop", "{\"session_id\":\"p\",\"reason\":\"try it\",\"dry_run\":true}");
    assert_true(cJSON_IsTrue(world_at(w, "accepted")));
    assert_string_equal(world_string(w, "status"), "pending");
    assert_non_null(strstr(world_string(w, "note"), "Dry run"));
    calls(w, "request_stop", "{\"session_id\":\"p\",\"reason\":\"enough\"}");
    assert_true(cJSON_IsTrue(world_at(w, "accepted")));
    assert_string_equal(world_string(w, "status"), "stopping");
    assert_true(cJSON_IsNull(world_at(w, "will_keep_checkpoint")));
    assert_non_null(strstr(world_string(w, "note"), "was told"));
    calls(w, "request_stop", "{\"session_id\":\"p\",\"reason\":\"enough\"}");
    assert_true(cJSON_IsTrue(world_at(w, "accepted")));
    assert_non_null(strstr(world_string(w, "note"), "before"));
    is_refused(w, "request_stop", "{\"session_id\":\"z\",\"reason\":\"none\"}", "list_sessions");
}

static void a_dry_run_says_that_nobody_would_hear(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    calls(w, "request_stop", "{\"session_id\":\"a\",\"reason\":\"try it\",\"dry_run\":true}");
    assert_true(cJSON_IsFalse(world_at(w, "accepted")));
    assert_non_null(strstr(world_string(w, "note"), "No trainer of this session is connected"));
}

#define STEER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown_trainers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEER_TEST(a_project_is_started_once),
        STEER_TEST(a_trainer_that_cannot_be_started_leaves_no_run),
        STEER_TEST(a_run_is_asked_to_stop_once),
        STEER_TEST(a_dry_run_says_that_nobody_would_hear),
    };
    return cmocka_run_group_tests_name("mcp/steer_tools", tests, NULL, NULL);
}
