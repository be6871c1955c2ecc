/* SPDX-License-Identifier: MIT */
/*
 * In which words the tools of /mcp tell what the engine has found. When it finds something is the
 * engine's own tests' matter, so here a finding is put where the engine would leave it.
 */
#include "insight/findings.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/operation.h"
#include "tests/streamd/agents.h"

static struct assessment *assessment_of(struct world *w, const char *id)
{
    struct session *s = registry_find(&w->app->registry, span_of(id));
    assert_true(s && s->interpreter);
    return &s->interpreter->reckoning.engine.now;
}

static void finds(struct world *w, enum finding_kind kind)
{
    assert_non_null(finding_begin(assessment_of(w, "a"), kind, SEVERITY_WARNING, 100));
}

static void assess(struct world *w)
{
    calls(w, "assess_health", "{\"session_id\":\"a\"}");
}

static void each_finding_is_told_by_its_code_what_to_do_and_why(void **state)
{
    static const struct {
        enum finding_kind kind;
        const char *code;
        const char *action;
        const char *evidence;
    } cases[] = {
        {FINDING_LOSS_RISING, "diverging", "reduce_lr", "velocity"},
        {FINDING_STALL, "stalled", "monitor", "silent_for_more_than_s"},
        {FINDING_MEMORY_LEAK, "oom_risk", "monitor", "gpu_mem_mb"},
        {FINDING_MEMORY_SHORT, "oom_risk", "monitor", "gpu_mem_mb"},
    };
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 12, 0.5);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        finds(w, cases[i].kind);
        assess(w);
        assert_string_equal(world_string(w, "verdict"), "watch");
        assert_string_equal(world_string(w, "recommendation.action"), cases[i].action);
        assert_string_equal(text_at(w, "findings", 0, "code"), cases[i].code);
        const cJSON *evidence =
            cJSON_GetObjectItem(cJSON_GetArrayItem(world_at(w, "findings"), 0), "evidence");
        assert_non_null(cJSON_GetObjectItem(evidence, cases[i].evidence));
        finding_end(assessment_of(w, "a"), cases[i].kind);
    }
}

static void what_is_only_worth_knowing_leaves_a_run_healthy(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 12, 0.5);
    assert_non_null(finding_begin(assessment_of(w, "a"), FINDING_MEMORY_SHORT, SEVERITY_INFO, 100));
    assess(w);
    assert_string_equal(world_string(w, "verdict"), "healthy");
}

static void a_run_that_came_as_far_as_planned_has_converged(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"epochs\":12}");
    learns(w, "a", 13, 0.5);
    assess(w);
    assert_string_equal(world_string(w, "verdict"), "healthy");
    assert_string_equal(world_string(w, "phase"), "CONVERGED");
    assert_string_equal(text_at(w, "findings", 0, "code"), "converged");
    const cJSON *evidence =
        cJSON_GetObjectItem(cJSON_GetArrayItem(world_at(w, "findings"), 0), "evidence");
    assert_non_null(cJSON_GetObjectItem(evidence, "best_epoch"));
}

static void a_validation_loss_that_is_no_number_is_called_so(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 12, 0.5);
    world_line(w, "{\"type\":\"epoch\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":12,"
                  "\"val_loss\":NaN}}");
    assess(w);
    assert_string_equal(world_string(w, "verdict"), "kill");
    assert_string_equal(text_at(w, "findings", 0, "code"), "nonfinite");
}

static const char *status(struct world *w)
{
    calls(w, "get_status", "{\"session_id\":\"a\"}");
    return world_string(w, "status");
}

static void a_silent_run_is_stalled_and_a_cancelled_one_stops(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 12, 0.5);
    assert_string_equal(status(w), "running");
    finds(w, FINDING_STALL);
    assert_string_equal(status(w), "stalled");
    assert_string_equal(text_at(w, "alerts", 0, "id"), "stall");
    struct session *s = registry_find(&w->app->registry, SPAN("a"));
    assert_int_equal(operation_cancel(s, SPAN("no use"), w->now), OK);
    assert_string_equal(status(w), "stopping");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    assert_string_equal(status(w), "stopped");
}

static void the_advice_to_stop_and_the_rules_that_fire_are_alerts(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"epochs\":100}");
    learns(w, "a", 12, 0.5);
    for (int e = 12; e < 60; e++)
        says_epoch(w, "a", e, 0.4, 0.5 + 0.005 * wobble(e));
    calls(w, "set_alert",
          "{\"session_id\":\"a\",\"name\":\"calm\",\"metric\":\"val_loss\",\"op\":\"lt\","
          "\"value\":0}");
    calls(w, "set_alert",
          "{\"session_id\":\"a\",\"name\":\"high\",\"metric\":\"val_loss\",\"op\":\"gt\","
          "\"value\":0}");
    (void)status(w);
    assert_string_equal(text_at(w, "alerts", 0, "id"), "stop");
    assert_string_equal(text_at(w, "alerts", 1, "id"), "high");
    assert_string_equal(text_at(w, "alerts", 2, "id"), "plateau");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(each_finding_is_told_by_its_code_what_to_do_and_why),
        AGENT_TEST(what_is_only_worth_knowing_leaves_a_run_healthy),
        AGENT_TEST(a_run_that_came_as_far_as_planned_has_converged),
        AGENT_TEST(a_validation_loss_that_is_no_number_is_called_so),
        AGENT_TEST(a_silent_run_is_stalled_and_a_cancelled_one_stops),
        AGENT_TEST(the_advice_to_stop_and_the_rules_that_fire_are_alerts),
    };
    return cmocka_run_group_tests_name("mcp/health_tool", tests, NULL, NULL);
}
