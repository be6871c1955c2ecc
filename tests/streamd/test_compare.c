/* SPDX-License-Identifier: MIT */
/* /api/training/compare: docs/protocol.md P-38. */
#include "tests/streamd/agents.h"

#define AT "/api/training/compare"

static void compares(struct world *w, const char *query)
{
    char target[256];
    (void)snprintf(target, sizeof(target), AT "?%s", query);
    if (world_get(w, target) != 200)
        fail_msg("%s: %d %.*s", query, w->status, (int)w->body.len, w->body.ptr);
}

static void is_refused_with(struct world *w, const char *query, int status, const char *why)
{
    char target[1024];
    (void)snprintf(target, sizeof(target), AT "%s", query);
    assert_int_equal(world_get(w, target), status);
    assert_string_equal(world_string(w, "error"), why);
}

static void what_is_asked_wrongly_is_refused(void **state)
{
    struct world *w = *state;
    char name[160] = "?ids=a&metric=";
    starts(w, "a", "{}");
    is_refused_with(w, "", 400, "ids must name runs: ids=a,b");
    is_refused_with(w, "?ids=", 400, "ids must name runs: ids=a,b");
    is_refused_with(w, "?ids=a,z", 404, "Session not found");
    is_refused_with(w, "?ids=a&metric=", 400, "metric must be the name of one metric");
    memset(name + strlen(name), 'x', 100);
    is_refused_with(w, name, 400, "metric must be the name of one metric");
    static const char *const targets[] = {"val_loss", "<1", "val_loss<", "val_loss<x",
                                          "val_loss<Infinity"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char query[64];
        (void)snprintf(query, sizeof(query), "?ids=a&target=%s", targets[i]);
        is_refused_with(w, query, 400,
                        "target must be a metric, < or >, and a number: val_loss<0.3");
    }
    char many[64] = "?ids=a";
    for (int i = 0; i < 8; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "r%d", i);
        starts(w, id, "{}");
        (void)strcat(strcat(many, ","), id);
    }
    is_refused_with(w, many, 400, "ids names more than 8 runs");
}

static void the_better_run_and_what_sets_it_apart_are_named(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"lr\":1,\"b\":{\"x\":1},\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1}");
    starts(w, "b", "{\"lr\":2,\"b\":{\"x\":2},\"c\":2,\"d\":2,\"e\":2,\"f\":2}");
    learns(w, "a", 40, 0.8);
    learns(w, "b", 40, 0.3);
    compares(w, "ids=a,b,a");
    assert_string_equal(world_string(w, "data.metric"), "val_loss");
    assert_string_equal(world_string(w, "data.goal"), "min");
    assert_string_equal(world_string(w, "data.better"), "b");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.runs")), 2);
    const char *why = text_at(w, "data.pairs", 0, "why");
    assert_non_null(strstr(why, "b ends better: val_loss 0."));
    assert_non_null(strstr(why, "lr 2 / 1"));
    assert_non_null(strstr(why, " more."));
}

static void runs_of_one_configuration_are_told_as_such(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{\"lr\":1}");
    starts(w, "b", "{\"lr\":1}");
    learns(w, "a", 30, 0.5);
    learns(w, "b", 30, 0.5);
    compares(w, "ids=a,b&metric=train_loss");
    assert_string_equal(world_string(w, "data.metric"), "train_loss");
    const char *why = text_at(w, "data.pairs", 0, "why");
    assert_non_null(strstr(why, "cannot be told apart by train_loss."));
    assert_non_null(strstr(why, "Their configurations are the same."));
}

static cJSON *target_of(struct world *w, int run)
{
    return cJSON_GetObjectItem(cJSON_GetArrayItem(world_at(w, "data.runs"), run), "target");
}

static void a_target_was_reached_or_is_foretold(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    learns(w, "a", 30, 0.2);
    learns(w, "b", 4, 0.2);
    compares(w, "ids=a,b&target=val_loss<=0.4");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(target_of(w, 0), "reached")));
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(target_of(w, 0), "after_seconds")) > 0);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(target_of(w, 1), "reached")));
    assert_non_null(cJSON_GetObjectItem(target_of(w, 1), "expected"));
    compares(w, "ids=a,b&target=val_loss>0.9");
    assert_string_equal(world_string(w, "data.goal"), "max");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(target_of(w, 1), "reached")));
}

static void says(struct world *w, const char *id, const char *metrics)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\",\"metrics\":{%s}}", id, metrics);
    world_line(w, line);
}

static void what_a_record_has_by_itself_is_a_metric_too(void **state)
{
    struct world *w = *state;
    char metrics[80];
    starts(w, "a", "{}");
    for (int step = 1; step <= 10; step++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"%s\":%d", step,
                       step % 2 ? "perplexity" : "other", 11 - step);
        says(w, "a", metrics);
    }
    compares(w, "ids=a&target=perplexity<3");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(target_of(w, 0), "reached")));
    compares(w, "ids=a&target=perplexity<1.9");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(target_of(w, 0), "reached")));
}

static void a_validation_metric_decides_where_it_is_the_same_one(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    starts(w, "c", "{}");
    for (int i = 1; i <= 5; i++) {
        says(w, "a", "\"train_loss\":0.5,\"val_f1\":0.7");
        says(w, "b", "\"train_loss\":0.5,\"val_f1\":0.9");
        says(w, "c", "\"train_loss\":0.4,\"val_auc\":0.8");
    }
    compares(w, "ids=a,b");
    assert_string_equal(world_string(w, "data.metric"), "val_f1");
    assert_string_equal(world_string(w, "data.goal"), "max");
    assert_string_equal(world_string(w, "data.better"), "b");
    compares(w, "ids=a,c");
    assert_string_equal(world_string(w, "data.metric"), "train_loss");
    assert_string_equal(world_string(w, "data.better"), "c");
}

/* As a record has it, whatever the trainer calls it. */
static void a_metric_may_be_asked_for_by_its_other_names(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    for (int i = 1; i <= 5; i++) {
        says(w, "a", "\"lr\":0.5");
        says(w, "b", "\"learningRate\":0.25");
    }
    compares(w, "ids=a,b&metric=lr");
    assert_string_equal(world_string(w, "data.metric"), "learning_rate");
    assert_string_equal(world_string(w, "data.better"), "b");
}

static void runs_that_have_no_metric_in_common_have_no_better_one(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    starts(w, "b", "{}");
    learns(w, "a", 5, 0.2);
    compares(w, "ids=a,b");
    assert_string_equal(world_string(w, "data.metric"), "");
    assert_true(cJSON_IsNull(world_at(w, "data.better")));
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.pairs")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(what_is_asked_wrongly_is_refused),
        AGENT_TEST(the_better_run_and_what_sets_it_apart_are_named),
        AGENT_TEST(runs_of_one_configuration_are_told_as_such),
        AGENT_TEST(a_target_was_reached_or_is_foretold),
        AGENT_TEST(what_a_record_has_by_itself_is_a_metric_too),
        AGENT_TEST(a_validation_metric_decides_where_it_is_the_same_one),
        AGENT_TEST(a_metric_may_be_asked_for_by_its_other_names),
        AGENT_TEST(runs_that_have_no_metric_in_common_have_no_better_one),
    };
    return cmocka_run_group_tests_name("http/compare", tests, NULL, NULL);
}
