/* SPDX-License-Identifier: MIT */
/* What the tools of /mcp/operations answer, from the operations API: docs/protocol.md P-95. */
#include "tests/streamd/agents.h"

#define AT "/mcp/operations"

static void asks_wrongly(struct world *w, const char *tool, const char *arguments,
                         const char *words)
{
    static char params[2048];
    (void)snprintf(params, sizeof(params), "\"name\":\"%s\",\"arguments\":%s", tool, arguments);
    agent_asks(w, AT, "tools/call", tool, params);
    if (!memmem(w->body.ptr, w->body.len, "\"isError\":true", 14) ||
        !memmem(w->body.ptr, w->body.len, words, strlen(words)))
        fail_msg("%s: no %s in %.*s", tool, words, (int)w->body.len, w->body.ptr);
}

static void operations_are_listed_by_type_and_status(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    learns(w, "b", 3, 0.5);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"b\"}");
    calls_at(w, AT, "list_operations", "{}");
    assert_int_equal(world_number(w, "total_count"), 2);
    calls_at(w, AT, "list_operations",
             "{\"status\":\"completed\",\"operation_type\":\"training\"}");
    assert_int_equal(world_number(w, "total_count"), 1);
    assert_string_equal(text_at(w, "data", 0, "operation_id"), "b");
    calls_at(w, AT, "list_operations", "{\"active_only\":true,\"limit\":1}");
    assert_string_equal(text_at(w, "data", 0, "operation_id"), "a");
    asks_wrongly(w, "list_operations", "{\"operation_type\":\"a&limit=100\"}", "a word of a-z");
    asks_wrongly(w, "list_operations", "{\"status\":\"gone\"}", "status");
}

static void an_operation_is_read_while_it_goes_on_and_afterwards(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"epochs\":8}");
    learns(w, "a", 5, 0.5);
    calls_at(w, AT, "get_operation_status", "{\"operation_id\":\"a\"}");
    assert_string_equal(world_string(w, "data.status"), "running");
    calls_at(w, AT, "get_operation_metrics", "{\"operation_id\":\"a\"}");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.metrics.epochs")), 5);
    asks_wrongly(w, "get_operation_results", "{\"operation_id\":\"a\"}", "not finished");
    asks_wrongly(w, "get_operation_status", "{\"operation_id\":\"z\"}", "not found");
    asks_wrongly(w, "get_operation_metrics", "{\"operation_id\":\"z\"}", "not found");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    calls_at(w, AT, "get_operation_results", "{\"operation_id\":\"a\"}");
    assert_string_equal(world_string(w, "operation_id"), "a");
}

static void of_many_epochs_the_newest_are_told(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    learns(w, "a", 125, 0.5);
    calls_at(w, AT, "get_operation_metrics", "{\"operation_id\":\"a\"}");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.metrics.epochs")), 120);
    assert_true(cJSON_IsTrue(world_at(w, "truncated")));
    assert_int_equal(world_number(w, "epochs_left_out"), 5);
    const cJSON *first = cJSON_GetArrayItem(world_at(w, "data.metrics.epochs"), 0);
    assert_int_equal(cJSON_GetObjectItem(first, "epoch")->valuedouble, 5);
}

static void a_cancel_that_no_trainer_hears_is_said_so(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    calls_at(w, AT, "cancel_operation", "{\"operation_id\":\"a\"}");
    assert_true(cJSON_IsNull(world_at(w, "data.cancellation_reason")));
    calls_at(w, AT, "cancel_operation", "{\"operation_id\":\"b\",\"reason\":\"flat\"}");
    assert_string_equal(world_string(w, "data.cancellation_reason"), "flat");
    assert_string_equal(world_string(w, "data.status"), "cancelled");
    assert_true(cJSON_IsFalse(world_at(w, "data.task_cancelled")));
    asks_wrongly(w, "cancel_operation", "{\"operation_id\":\"z\"}", "not found");
    asks_wrongly(w, "cancel_operation", "{\"operation_id\":7}", "operation_id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(operations_are_listed_by_type_and_status),
        AGENT_TEST(an_operation_is_read_while_it_goes_on_and_afterwards),
        AGENT_TEST(of_many_epochs_the_newest_are_told),
        AGENT_TEST(a_cancel_that_no_trainer_hears_is_said_so),
    };
    return cmocka_run_group_tests_name("mcp/operation_tools", tests, NULL, NULL);
}
