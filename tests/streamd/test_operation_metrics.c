/* SPDX-License-Identifier: MIT */
/* Metrics of operations, given and asked for: docs/protocol.md P-81, P-84, P-88. */
#include "tests/streamd/operations.h"

static void a_training_without_epochs_has_metrics_that_are_empty(void **state)
{
    struct world *w = *state;
    start_runs(w, 1);
    progress(w, "run-0", 1, 1);
    assert_int_equal(world_get(w, AT "/run-0/metrics"), 200);
    assert_true(span_is(w->body, "{\"success\":true,\"data\":{\"operation_id\":\"run-0\","
                                 "\"operation_type\":\"training\",\"metrics\":{}}}"));
}

static void an_epoch_is_seen_in_the_order_in_which_it_came(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\",\"epochs\":50}");
    assert_int_equal(post(w, AT "/a/metrics",
                          "{\"epoch\":0,\"train_loss\":1,\"train_accuracy\":0.5,\"val_loss\":null,"
                          "\"val_accuracy\":0.25,\"learning_rate\":0.001,\"duration\":12.5,"
                          "\"timestamp\":\"2026-01-31T12:00:00Z\",\"grad_norm\":3,\"note\":\"x\"}"),
                     200);
    assert_true(span_is(w->body, "{\"success\":true,\"message\":\"Metrics added successfully\","
                                 "\"operation_id\":\"a\"}"));
    world_line(w, "{\"type\":\"epoch\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":1,"
                  "\"train_loss\":0.5,\"val_loss\":0.75}}");
    progress(w, "a", 3, 7);
    assert_int_equal(world_get(w, AT "/a/metrics"), 200);
    char *first = cJSON_PrintUnformatted(cJSON_GetArrayItem(world_at(w, "data.metrics.epochs"), 0));
    assert_string_equal(first, "{\"epoch\":0,\"train_loss\":1,\"train_accuracy\":0.5,"
                               "\"val_loss\":null,\"val_accuracy\":0.25,\"learning_rate\":0.001,"
                               "\"duration\":12.5,\"timestamp\":\"2026-01-31T12:00:00Z\"}");
    cJSON_free(first);
    assert_int_equal(epochs_shown(w), 2);
    assert_int_equal(world_number(w, "data.metrics.best_epoch"), 1);
    assert_true(world_number(w, "data.metrics.best_val_loss") == 0.75);
    assert_int_equal(world_number(w, "data.metrics.epochs_since_improvement"), 0);
    assert_int_equal(world_number(w, "data.metrics.total_epochs_planned"), 50);
    assert_int_equal(world_number(w, "data.metrics.total_epochs_completed"), 2);
    assert_string_equal(world_string(w, "data.metrics.health.summary"),
                        "epoch 2/50, train_loss 0.5000, val_loss 0.7500, best epoch 1, healthy");
    /* What else had a number is in history, as of any line. */
    assert_int_equal(world_get(w, "/api/training/history/a?fields=grad_norm"), 200);
    assert_int_equal(item(w, "data", 0, "grad_norm")->valuedouble, 3);
}

static void a_cursor_gives_only_what_is_newer(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    assert_int_equal(world_get(w, AT "/a/metrics?cursor=0"), 200);
    assert_int_equal(world_number(w, "data.cursor"), 0);
    for (int i = 0; i < 30; i++)
        add_epoch(w, "a", i, 1, 1);
    static const int cursors[] = {0, 1, 25, 29, 30, 1000};
    for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), AT "/a/metrics?cursor=%d", cursors[i]);
        assert_int_equal(world_get(w, path), 200);
        int left = cursors[i] < 30 ? 30 - cursors[i] : 0;
        assert_int_equal(epochs_shown(w), left);
        if (left > 0)
            assert_int_equal(item(w, "data.metrics.epochs", 0, "epoch")->valuedouble, cursors[i]);
        assert_int_equal(world_number(w, "data.cursor"), 30);
    }
    assert_int_equal(world_get(w, AT "/a/metrics?cursor=-1"), 422);
    assert_int_equal(world_get(w, AT "/a/metrics"), 200);
    assert_null(cJSON_GetObjectItem(world_at(w, "data"), "cursor"));
}

static void flags_and_recommendation_follow_the_epochs(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"flat\"}");
    begin(w, "{\"operation_id\":\"over\"}");
    begin(w, "{\"operation_id\":\"up\"}");
    for (int i = 0; i <= 10; i++) {
        add_epoch(w, "flat", i, 1, 0.5);
        add_epoch(w, "over", i, 1 - 0.05 * i, 0.5 + 0.05 * i);
        add_epoch(w, "up", i, 1 + 0.1 * i, 0.5 - 0.01 * i);
        assert_int_equal(world_get(w, AT "/flat/metrics"), 200);
        assert_int_equal(cJSON_IsTrue(world_at(w, "data.metrics.is_plateaued")), i == 10);
    }
    assert_string_equal(world_string(w, "data.metrics.health.recommendation"), "stop");
    (void)world_get(w, AT "/over/metrics");
    assert_true(cJSON_IsTrue(world_at(w, "data.metrics.is_overfitting")));
    assert_string_equal(world_string(w, "data.metrics.health.status"), "overfitting");
    assert_string_equal(world_string(w, "data.metrics.health.recommendation"),
                        "use_checkpoint_of_best_epoch");
    (void)world_get(w, AT "/up/metrics");
    assert_true(cJSON_IsTrue(world_at(w, "data.metrics.health.is_diverging")));
    assert_string_equal(world_string(w, "data.metrics.health.recommendation"), "stop");
}

static void how_long_a_plateau_is_may_be_chosen(void **state)
{
    struct world *w = *state;
    w->config.plateau_epochs = 2;
    begin(w, "{\"operation_id\":\"a\"}");
    for (int i = 0; i < 3; i++)
        add_epoch(w, "a", i, 1, 0.5);
    (void)world_get(w, AT "/a/metrics");
    assert_true(cJSON_IsTrue(world_at(w, "data.metrics.is_plateaued")));
}

static void operations_do_not_mix(void **state)
{
    static const char *const ids[] = {"a", "b", "c"};
    struct world *w = *state;
    for (size_t i = 0; i < 3; i++) {
        char body[64];
        (void)snprintf(body, sizeof(body), "{\"operation_id\":\"%s\"}", ids[i]);
        begin(w, body);
    }
    for (int e = 0; e < 20; e++) {
        for (size_t i = 0; i < 3; i++)
            add_epoch(w, ids[i], e, (double)(i + 1), (double)(i + 1));
    }
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), AT "/%s/metrics", ids[i]);
        assert_int_equal(world_get(w, path), 200);
        assert_int_equal(epochs_shown(w), 20);
        for (int e = 0; e < 20; e++) {
            assert_true(item(w, "data.metrics.epochs", e, "train_loss")->valuedouble ==
                        (double)(i + 1));
            assert_int_equal(item(w, "data.metrics.epochs", e, "epoch")->valuedouble, e);
        }
    }
}

/* Memory holds eight records, and the rest is read back. */
static void epochs_that_memory_has_no_more_come_from_the_archive(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    for (int i = 0; i < 300; i++) {
        add_epoch(w, "a", i, 1.0 + i, 2.0 + i);
        progress(w, "a", 1, i);
        progress(w, "a", 1, i);
    }
    for (int ended = 0; ended < 2; ended++) {
        assert_int_equal(world_get(w, AT "/a/metrics"), 200);
        assert_int_equal(epochs_shown(w), 300);
        for (int i = 0; i < 300; i++)
            assert_int_equal(item(w, "data.metrics.epochs", i, "val_loss")->valuedouble, 2 + i);
        assert_int_equal(world_get(w, AT "/a/metrics?cursor=298"), 200);
        assert_int_equal(epochs_shown(w), 2);
        assert_int_equal(item(w, "data.metrics.epochs", 0, "epoch")->valuedouble, 298);
        assert_int_equal(world_get(w, AT "/a?include_metrics=true"), 200);
        assert_int_equal(epochs_shown(w), 300);
        world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
        world_pass(w, 1);
    }
}

static void an_epoch_that_a_rewind_superseded_is_gone(void **state)
{
    struct world *w = *state;
    char line[160];
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    for (int i = 0; i < 12; i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"epoch\",\"metrics\":{\"epoch\":%d,\"step\":%d,"
                       "\"train_loss\":1,\"val_loss\":%d}}",
                       i, 10 * i, 20 - i);
        world_line(w, line);
    }
    (void)world_get(w, AT "/a/metrics");
    assert_int_equal(world_number(w, "data.metrics.best_epoch"), 11);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    world_line(w, "{\"type\":\"epoch\",\"metrics\":{\"epoch\":5,\"step\":50,\"train_loss\":1,"
                  "\"val_loss\":50}}");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(world_get(w, AT "/a/metrics"), 200);
        assert_int_equal(epochs_shown(w), 6);
        assert_int_equal(item(w, "data.metrics.epochs", 5, "val_loss")->valuedouble, 50);
        assert_int_equal(world_number(w, "data.metrics.best_epoch"), 4);
        assert_int_equal(world_number(w, "data.metrics.total_epochs_completed"), 6);
    }
    add_epoch(w, "a", 6, 1, 1);
    (void)world_get(w, AT "/a/metrics?cursor=6");
    assert_int_equal(epochs_shown(w), 1);
    assert_int_equal(world_number(w, "data.metrics.best_epoch"), 6);
}

/* So that they are read back in several pieces. */
static void thousands_of_epochs_come_from_the_archive(void **state)
{
    enum { EPOCHS = 4000 };
    struct world *w = *state;
    char line[160];
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    for (int i = 0; i < EPOCHS; i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"epoch\",\"metrics\":{\"epoch\":%d,\"train_loss\":%d}}", i, i);
        world_line(w, line);
    }
    assert_int_equal(world_get(w, AT "/a/metrics"), 200);
    assert_int_equal(epochs_shown(w), EPOCHS);
    const cJSON *epoch = world_at(w, "data.metrics.epochs")->child;
    for (int i = 0; i < EPOCHS; i++, epoch = epoch->next)
        assert_int_equal(cJSON_GetObjectItem(epoch, "train_loss")->valuedouble, i);
}

static void add_another(struct world *w)
{
    world_line(w, "{\"type\":\"epoch\",\"metrics\":{\"epoch\":6,\"step\":60,\"train_loss\":1,"
                  "\"val_loss\":1}}");
}

/* What stands is read anew after a rewind; what comes meanwhile is not lost for it. */
static void an_epoch_that_comes_while_the_others_are_read_is_there_afterwards(void **state)
{
    struct world *w = *state;
    char line[160];
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    for (int i = 0; i < 12; i++) {
        (void)snprintf(
            line, sizeof(line),
            "{\"type\":\"epoch\",\"metrics\":{\"epoch\":%d,\"step\":%d,\"train_loss\":1}}", i,
            10 * i);
        world_line(w, line);
    }
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    world_line(w, "{\"type\":\"epoch\",\"metrics\":{\"epoch\":5,\"step\":50,\"train_loss\":1}}");
    w->meanwhile = add_another;
    assert_int_equal(world_get(w, AT "/a/metrics"), 200);
    assert_int_equal(epochs_shown(w), 6);
    assert_int_equal(world_get(w, AT "/a/metrics"), 200);
    assert_int_equal(epochs_shown(w), 7);
    assert_int_equal(world_number(w, "data.metrics.best_epoch"), 6);
}

static void a_start_anew_begins_without_epochs(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    add_epoch(w, "a", 0, 1, 1);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    (void)world_get(w, AT "/a/metrics");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.metrics")), 0);
}

static void a_payload_that_is_no_epoch_is_refused_and_not_kept(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *detail; /* of a 400 */
    } cases[] = {
        {"[1]", 422, NULL},
        {"\"x\"", 422, NULL},
        {"7", 422, NULL},
        {"null", 422, NULL},
        {"", 422, NULL},
        {"{\"epoch\":", 422, NULL},
        {"{} {}", 422, NULL},
        {"{}", 400, "Invalid metrics payload: epoch is missing"},
        {"{\"epoch\":1}", 400, "Invalid metrics payload: train_loss is missing"},
        {"{\"epoch\":1,\"train_loss\":null}", 400,
         "Invalid metrics payload: train_loss must be a number"},
        {"{\"epoch\":1,\"train_loss\":\"1\"}", 400,
         "Invalid metrics payload: train_loss must be a number"},
        {"{\"epoch\":1.5,\"train_loss\":1}", 400,
         "Invalid metrics payload: epoch must be a whole number, 0 or more"},
        {"{\"epoch\":-1,\"train_loss\":1}", 400,
         "Invalid metrics payload: epoch must be a whole number, 0 or more"},
        {"{\"epoch\":1,\"train_loss\":1,\"val_loss\":{}}", 400,
         "Invalid metrics payload: val_loss must be a number"},
        {"{\"epoch\":1,\"train_loss\":1,\"timestamp\":\"noon\"}", 400,
         "Invalid metrics payload: timestamp must be a time as 2026-01-31T12:00:00Z"},
    };
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(post(w, AT "/a/metrics", cases[i].body), cases[i].status);
        if (cases[i].detail) {
            assert_detail(w, cases[i].detail);
            continue;
        }
        assert_true(cJSON_IsFalse(world_at(w, "success")));
        assert_string_equal(world_string(w, "error.code"), "VALIDATION_ERROR");
        assert_string_equal(world_string(w, "error.message"), "Request validation failed");
        assert_int_equal(cJSON_GetArraySize(world_at(w, "error.details")), 1);
        assert_true(cJSON_IsString(item(w, "error.details", 0, "field")));
        assert_true(cJSON_IsString(item(w, "error.details", 0, "message")));
        assert_true(cJSON_IsString(item(w, "error.details", 0, "type")));
    }
    (void)world_get(w, AT "/a/metrics");
    assert_int_equal(cJSON_GetArraySize(world_at(w, "data.metrics")), 0);
    assert_int_equal(world_get(w, "/api/training/history/a"), 200);
    assert_int_equal(world_number(w, "total"), 0);
}

static void a_loss_that_is_no_number_any_more_is_told_and_shown_as_null(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    assert_int_equal(post(w, AT "/a/metrics", "{\"epoch\":0,\"train_loss\":NaN}"), 200);
    assert_int_equal(world_get(w, AT "/a/metrics"), 200);
    assert_true(cJSON_IsNull(item(w, "data.metrics.epochs", 0, "train_loss")));
    assert_true(cJSON_IsTrue(world_at(w, "data.metrics.health.is_diverging")));
}

static void an_epoch_of_a_run_that_is_over_is_refused(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"a\"}");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    assert_int_equal(post(w, AT "/a/metrics", "{\"epoch\":0,\"train_loss\":1}"), 400);
    assert_detail(w, "Invalid metrics payload: the session has ended; send a start with resume to "
                     "go on");
}

static void another_job_keeps_its_keys_unchanged(void **state)
{
    struct world *w = *state;
    begin(w, "{\"operation_id\":\"load\",\"operation_type\":\"data_load\"}");
    assert_int_equal(post(w, AT "/load/metrics", "{\"rows\":1.50,\"train_loss\":1,\"x\":[{}]}"),
                     200);
    assert_int_equal(post(w, AT "/load/metrics", "{\"rows\":2,\"epoch\":0}"), 200);
    assert_int_equal(world_get(w, AT "/load/metrics"), 200);
    assert_true(span_is(w->body, "{\"success\":true,\"data\":{\"operation_id\":\"load\","
                                 "\"operation_type\":\"data_load\",\"metrics\":{\"rows\":2,"
                                 "\"train_loss\":1,\"x\":[{}],\"epoch\":0}}}"));
    assert_int_equal(post(w, AT "/load/metrics", "[]"), 422);
    assert_int_equal(world_ask(w, METHOD_PATCH, AT "/load/status", "{\"status\":\"completed\"}"),
                     200);
    assert_int_equal(world_get(w, AT "/load/results"), 200);
    assert_int_equal(world_number(w, "results.rows"), 2);
    assert_int_equal(post(w, AT "/load/metrics", "{}"), 400);
    assert_detail(w, "Invalid metrics payload: the operation has ended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_training_without_epochs_has_metrics_that_are_empty),
        WORLD_TEST(an_epoch_is_seen_in_the_order_in_which_it_came),
        WORLD_TEST(a_cursor_gives_only_what_is_newer),
        ARCHIVED_TEST(a_cursor_gives_only_what_is_newer),
        WORLD_TEST(flags_and_recommendation_follow_the_epochs),
        WORLD_TEST(how_long_a_plateau_is_may_be_chosen),
        WORLD_TEST(operations_do_not_mix),
        ARCHIVED_TEST(operations_do_not_mix),
        ARCHIVED_TEST(epochs_that_memory_has_no_more_come_from_the_archive),
        ARCHIVED_TEST(an_epoch_that_a_rewind_superseded_is_gone),
        ARCHIVED_TEST(thousands_of_epochs_come_from_the_archive),
        ARCHIVED_TEST(an_epoch_that_comes_while_the_others_are_read_is_there_afterwards),
        WORLD_TEST(a_start_anew_begins_without_epochs),
        WORLD_TEST(a_payload_that_is_no_epoch_is_refused_and_not_kept),
        WORLD_TEST(a_loss_that_is_no_number_any_more_is_told_and_shown_as_null),
        WORLD_TEST(an_epoch_of_a_run_that_is_over_is_refused),
        WORLD_TEST(another_job_keeps_its_keys_unchanged),
        ARCHIVED_TEST(another_job_keeps_its_keys_unchanged),
    };
    return cmocka_run_group_tests_name("http/operation_metrics", tests, NULL, NULL);
}
