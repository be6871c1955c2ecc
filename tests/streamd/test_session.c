/* SPDX-License-Identifier: MIT */
#include "tests/streamd/domain.h"

#include "streamd/session/session_life.h"

#define START "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{\"model_count\":3}}"
#define PROGRESS(metrics) "{\"type\":\"progress\",\"metrics\":{" metrics "}}"

/* A domain with one session `a`, and a watcher in its room that has heard the start. */
struct scene {
    struct domain d;
    struct watcher w;
    struct session *s;
};

static void scene_begin(struct scene *x)
{
    domain_open(&x->d);
    watcher_init(&x->w, &x->d);
    watcher_join(&x->w, "a");
    domain_take(&x->d, START);
    domain_leave(&x->d);
    x->s = domain_session(&x->d, "a");
    (void)watcher_heard(&x->w);
}

static void scene_open(struct scene *x)
{
    domain_defaults(&x->d);
    scene_begin(x);
}

static void scene_close(struct scene *x)
{
    watcher_fini(&x->w);
    domain_close(&x->d);
}

static void a_loss(struct scene *x, double loss)
{
    char line[128];
    (void)snprintf(line, sizeof(line), PROGRESS("\"loss\":%g"), loss);
    domain_take(&x->d, line);
}

static void the_first_value_goes_out_with_the_wakeup_that_brought_it(void **state)
{
    (void)state;
    static const char *const fields[] = {"loss",
                                         "perplexity",
                                         "grokProgress",
                                         "modelParams",
                                         "currentStep",
                                         "totalSteps",
                                         "currentModel",
                                         "totalModels",
                                         "overallProgress",
                                         "trainingTime",
                                         "estimatedTimeRemaining",
                                         "timestamp"};
    struct scene x;
    scene_open(&x);
    a_loss(&x, 1.25);
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_int_equal(count_of(heard, "progress_update"), 1);
    assert_has(heard, "42[\"progress_update\",{\"sessionId\":\"a\",\"metrics\":{\"loss\":1.25,");
    assert_has(heard, "\"status\":\"running\",\"offset\":1}]");
    for (size_t i = 0; i < RECORD_FIELDS; i++)
        assert_has(heard, fields[i]);
    scene_close(&x);
}

static void assert_begins(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        assert_string_equal(text, start); /* fails, and shows both */
}

static void a_burst_in_one_wakeup_is_one_update_and_the_newest(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    /* Fewer than a change of phase takes: an event sends what waits. */
    for (int i = 1; i <= 15; i++)
        a_loss(&x, i);
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_int_equal(count_of(heard, "progress_update"), 1);
    assert_has(heard, "\"loss\":15,");
    assert_has(heard, "\"offset\":15}");
    scene_close(&x);
}

static void fifty_values_ten_ms_apart_are_at_most_seven_updates_and_end_with_the_last(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    for (int i = 1; i <= 50; i++) {
        a_loss(&x, i);
        domain_advance(&x.d, 10000);
    }
    domain_advance(&x.d, 100000);
    const char *heard = watcher_heard(&x.w);
    size_t updates = count_of(heard, "progress_update");
    assert_in_range(updates, 5, 7);
    assert_has(heard, "\"loss\":50,");
    scene_close(&x);
}

static void a_waiting_value_goes_out_within_one_interval(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    a_loss(&x, 1);
    domain_advance(&x.d, 1000);
    a_loss(&x, 2);
    domain_leave(&x.d);
    assert_lacks(watcher_heard(&x.w), "\"loss\":2,");
    domain_advance(&x.d, 120000);
    assert_has(watcher_heard(&x.w), "\"loss\":2,");
    domain_advance(&x.d, 1000000);
    assert_string_equal(watcher_heard(&x.w), "");
    scene_close(&x);
}

static void busy_sessions_come_to_share_their_ticks(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    watcher_join(&x.w, "b");
    size_t alone = 0;
    size_t together = 0;
    for (int ms = 0; ms < 4000; ms++) {
        a_loss(&x, ms);
        if (ms > 37)
            domain_take(&x.d, "{\"type\":\"progress\",\"sessionId\":\"b\",\"metrics\":{}}");
        domain_leave(&x.d);
        size_t updates = count_of(watcher_heard(&x.w), "progress_update");
        domain_advance(&x.d, 1000);
        alone += ms > 2000 && updates == 1;
        together += ms > 2000 && updates == 2;
    }
    assert_int_equal(alone, 0);
    assert_in_range(together, 18, 20);
    scene_close(&x);
}

static void what_is_asked_for_is_newer_than_what_was_sent(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    a_loss(&x, 1);
    domain_advance(&x.d, 1000);
    a_loss(&x, 2);
    struct refbuf *metrics = session_metrics_json(x.s);
    assert_non_null(metrics);
    assert_memory_equal(metrics->bytes, "{\"loss\":2,", 10);
    assert_null(strstr(watcher_heard(&x.w), "\"loss\":2,"));
    scene_close(&x);
}

static void without_throttle_every_record_is_encoded(void **state)
{
    (void)state;
    struct scene x;
    domain_defaults(&x.d);
    x.d.config.throttle = false;
    scene_begin(&x);
    for (int i = 1; i <= 5; i++) {
        a_loss(&x, i);
        domain_leave(&x.d);
    }
    assert_int_equal(count_of(watcher_heard(&x.w), "progress_update"), 5);
    for (int i = 6; i <= 10; i++)
        a_loss(&x, i);
    assert_int_equal(x.d.stats.metrics_transformed, 10);
    scene_close(&x);
}

static void nobody_watching_costs_no_encoding(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    assert_true(subscriber_leave(&x.w.subscriber, SPAN("a")));
    a_loss(&x, 1);
    domain_leave(&x.d);
    assert_int_equal(x.d.stats.metrics_transformed, 0);
    scene_close(&x);
}

static void an_event_sends_the_waiting_value_first(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *event;
    } cases[] = {
        {"{\"type\":\"model_completed\",\"modelIndex\":0}", "model_completed"},
        {"{\"type\":\"complete\"}", "training_completed"},
        {"{\"type\":\"fail\",\"error\":\"no\"}", "training_error"},
        {START, "training_started"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene x;
        scene_open(&x);
        a_loss(&x, 1);
        domain_advance(&x.d, 1000);
        a_loss(&x, 2);
        domain_take(&x.d, cases[i].line);
        domain_leave(&x.d);
        const char *heard = watcher_heard(&x.w);
        assert_order(heard, "\"loss\":2,", cases[i].event);
        assert_false(timer_armed(&x.s->tick));
        domain_advance(&x.d, 1000000);
        assert_string_equal(watcher_heard(&x.w), "");
        scene_close(&x);
    }
}

static void a_value_of_the_same_wakeup_goes_before_the_event_too(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    a_loss(&x, 1);
    domain_take(&x.d, "{\"type\":\"complete\"}");
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_order(heard, "progress_update", "training_completed");
    assert_int_equal(count_of(heard, "progress_update"), 1);
    scene_close(&x);
}

static void a_model_is_completed_once(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    domain_take(&x.d, "{\"type\":\"model_completed\",\"modelIndex\":0}");
    domain_take(&x.d, "{\"type\":\"model_completed\",\"modelIndex\":0}");
    domain_take(&x.d, "{\"type\":\"model_completed\",\"modelIndex\":1}");
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_int_equal(count_of(heard, "42[\"model_completed\""), 2);
    assert_has(heard,
               "{\"sessionId\":\"a\",\"modelIndex\":0,\"currentModel\":1,\"totalModels\":3}");
    assert_has(heard,
               "{\"sessionId\":\"a\",\"modelIndex\":1,\"currentModel\":2,\"totalModels\":3}");
    assert_int_equal(x.s->models_completed, 2);
    assert_int_equal(x.d.stats.lines_repeated, 1);
    scene_close(&x);
}

static void the_end_is_announced_once_and_keeps_its_kind(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    a_loss(&x, 1);
    domain_take(&x.d, "{\"type\":\"complete\"}");
    domain_take(&x.d, "{\"type\":\"complete\"}");
    domain_take(&x.d, "{\"type\":\"fail\",\"error\":\"late\"}");
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_int_equal(count_of(heard, "training_completed"), 1);
    assert_lacks(heard, "training_error");
    assert_has(heard, "{\"sessionId\":\"a\",\"totalModels\":3,\"overallProgress\":100,"
                      "\"timestamp\":1700000000}");
    assert_int_equal(x.s->state, SESSION_COMPLETED);
    scene_close(&x);
}

static void a_failure_says_why(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    domain_take(&x.d, "{\"type\":\"fail\",\"error\":\"CUDA \\\"OOM\\\"\"}");
    domain_leave(&x.d);
    assert_has(watcher_heard(&x.w),
               "[\"training_error\",{\"sessionId\":\"a\",\"error\":\"CUDA \\\"OOM\\\"\"}]");
    struct buf out;
    buf_init(&out, 4096);
    session_write_status(x.s, &out, false);
    assert_has(text_of(&out), "\"status\":\"failed\"");
    assert_has(text_of(&out), "\"error\":\"CUDA \\\"OOM\\\"\"}");
    buf_fini(&out);
    scene_close(&x);
}

static void the_room_of_all_hears_events_and_no_values(void **state)
{
    (void)state;
    struct scene x;
    domain_defaults(&x.d);
    domain_open(&x.d);
    watcher_init(&x.w, &x.d);
    watcher_join(&x.w, "*");
    domain_take(&x.d, START);
    a_loss(&x, 1);
    domain_take(&x.d, "{\"type\":\"complete\"}");
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_order(heard, "training_started", "training_completed");
    assert_lacks(heard, "progress_update");
    scene_close(&x);
}

static void the_status_has_the_contracts_fields_in_order(void **state)
{
    (void)state;
    struct scene x;
    struct buf out;
    buf_init(&out, 4096);
    domain_defaults(&x.d);
    scene_begin(&x);
    memcpy(x.d.registry.epoch, "e0", 3);
    domain_take(&x.d, "{\"type\":\"start\",\"sessionId\":\"b\",\"project\":\"p\",\"name\":\"n\","
                      "\"config\":{\"model_count\": 2, \"lr\": [1, 2]}}");
    struct session *s = domain_session(&x.d, "b");
    x.d.now.us += 1500000;
    x.d.now.wall_s += 1.5;
    domain_take(&x.d, PROGRESS("\"loss\":0,\"step\":3"));
    session_write_status(s, &out, false);
    assert_begins(
        text_of(&out),
        "{\"session_id\":\"b\",\"config\":{\"model_count\":2,\"lr\":[1,2]},\"start_time\":"
        "1700000000,"
        "\"status\":\"running\",\"models_completed\":0,\"current_model\":1,\"total_models\":2,"
        "\"last_update\":1700000001.5,\"derived\":[\"perplexity\",\"grokProgress\",\"modelParams\","
        "\"totalSteps\",\"currentModel\",\"totalModels\",\"overallProgress\",\"trainingTime\","
        "\"estimatedTimeRemaining\",\"timestamp\"],\"epoch\":\"e0\",\"project\":\"p\",\"name\":"
        "\"n\",\"pinned\":false,\"phase\":\"INITIALIZING\",\"phase_reason\":\"");
    assert_has(text_of(&out), "\",\"eta\":null}");
    buf_reset(&out);
    session_write_status(s, &out, true);
    assert_has(text_of(&out), ",\"latest_metrics\":{\"loss\":0,\"perplexity\":1,");
    assert_has(text_of(&out), "\"trainingTime\":1.5,");
    buf_fini(&out);
    scene_close(&x);
}

static void a_summary_is_complete_before_there_is_a_record(void **state)
{
    (void)state;
    struct scene x;
    struct buf out;
    buf_init(&out, 4096);
    scene_open(&x);
    memcpy(x.d.registry.epoch, "e0", 3);
    session_write_summary(x.s, &out);
    assert_string_equal(
        text_of(&out),
        "{\"session_id\":\"a\",\"config\":{\"model_count\":3},\"start_time\":1700000000,"
        "\"status\":\"starting\",\"models_completed\":0,\"current_model\":1,\"total_models\":3,"
        "\"last_update\":1700000000,\"derived\":[\"loss\",\"perplexity\",\"grokProgress\","
        "\"modelParams\",\"currentStep\",\"totalSteps\",\"currentModel\",\"totalModels\","
        "\"overallProgress\",\"trainingTime\",\"estimatedTimeRemaining\",\"timestamp\"],"
        "\"epoch\":\"e0\",\"project\":null,\"name\":null,\"pinned\":false,"
        "\"phase\":null,\"phase_reason\":null,\"eta\":null,\"latest_metrics\":null,"
        "\"summary\":{}}");
    assert_null(session_metrics_json(x.s));
    buf_fini(&out);
    scene_close(&x);
}

static void the_newest_record_is_encoded_once_for_everybody(void **state)
{
    (void)state;
    struct scene x;
    struct buf out;
    buf_init(&out, 1 << 16);
    scene_open(&x);
    a_loss(&x, 1);
    domain_leave(&x.d);
    struct refbuf *metrics = session_metrics_json(x.s);
    session_write_status(x.s, &out, true);
    session_write_summary(x.s, &out);
    session_write_update(x.s, &out);
    assert_ptr_equal(session_metrics_json(x.s), metrics);
    assert_int_equal(x.d.stats.metrics_transformed, 1);
    a_loss(&x, 2);
    assert_memory_equal(session_metrics_json(x.s)->bytes, "{\"loss\":2,", 10);
    assert_int_equal(x.d.stats.metrics_transformed, 2);
    buf_fini(&out);
    scene_close(&x);
}

static void payloads_are_rounded_and_history_is_not(void **state)
{
    (void)state;
    struct scene x;
    struct buf out;
    struct series_cursor c;
    struct series_entry e;
    buf_init(&out, 4096);
    scene_open(&x);
    domain_take(&x.d, PROGRESS("\"loss\":1.23456789,\"learning_rate\":1.23456789e-5"));
    assert_true(session_latest(x.s, &c, &e));
    session_write_replay(x.s, &e, &out);
    assert_has(text_of(&out), "{\"sessionId\":\"a\",\"metrics\":{\"loss\":1.2346,");
    assert_has(text_of(&out), "\"learning_rate\":0.0000123457}");
    assert_has(text_of(&out), "},\"status\":\"running\",\"offset\":1}");
    buf_reset(&out);
    session_write_entry(&e, &out);
    assert_has(text_of(&out), "{\"loss\":1.23456789,");
    assert_has(text_of(&out), "\"learning_rate\":0.0000123456789,");
    assert_has(text_of(&out), "\"offset\":1,\"serverTime\":1700000000");
    series_cursor_fini(&c);
    buf_fini(&out);
    scene_close(&x);
}

static void the_compatibility_clamp_changes_payloads_alone(void **state)
{
    (void)state;
    struct scene x;
    struct series_cursor c;
    struct series_entry e;
    domain_defaults(&x.d);
    x.d.config.compat_clamp = true;
    scene_begin(&x);
    a_loss(&x, 11);
    domain_leave(&x.d);
    assert_has(watcher_heard(&x.w), "\"metrics\":{\"loss\":10,");
    assert_true(session_latest(x.s, &c, &e));
    assert_true(num_double(e.record.field[F_LOSS]) == 11);
    series_cursor_fini(&c);
    scene_close(&x);
}

static void a_loss_that_is_no_number_any_more_is_null_and_named(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    domain_take(&x.d, PROGRESS("\"loss\":NaN,\"grad\":\"-Infinity\""));
    domain_leave(&x.d);
    const char *heard = watcher_heard(&x.w);
    assert_has(heard, "{\"loss\":null,");
    assert_has(heard, "\"nonFinite\":{\"loss\":\"NaN\",\"grad\":\"-Infinity\"}");
    scene_close(&x);
}

static void what_is_no_number_is_counted_and_harms_nothing(void **state)
{
    (void)state;
    struct scene x;
    scene_open(&x);
    domain_take(&x.d, PROGRESS("\"loss\":\"much\",\"step\":4,\"flag\":true,\"list\":[1]"));
    domain_leave(&x.d);
    assert_has(watcher_heard(&x.w), "\"currentStep\":4");
    assert_int_equal(x.d.stats.values_ignored, 3);
    scene_close(&x);
}

static void states_change_only_as_in_the_picture(void **state)
{
    (void)state;
    static const char *const picture[SESSION_STATES] = {
        [SESSION_STARTING] = ".rcfx", [SESSION_RUNNING] = "s.cfx", [SESSION_COMPLETED] = "sr..x",
        [SESSION_FAILED] = "sr..x",   [SESSION_EXPIRED] = "sr...",
    };
    for (enum session_state from = 0; from < SESSION_STATES; from++) {
        for (enum session_state to = 0; to < SESSION_STATES; to++)
            assert_int_equal(session_may_enter(from, to), picture[from][to] != '.');
    }
}

static void a_handle_is_empty_once_its_session_is_gone(void **state)
{
    (void)state;
    struct scene x;
    struct session_handle first;
    struct session_handle second;
    session_handle_init(&first);
    session_handle_init(&second);
    scene_open(&x);
    session_handle_set(&first, x.s);
    session_handle_set(&second, x.s);
    session_handle_set(&second, x.s);
    session_handle_set(&second, NULL);
    session_handle_set(&second, x.s);
    registry_remove(&x.d.registry, x.s);
    assert_null(first.session);
    assert_null(second.session);
    session_handle_fini(&first);
    session_handle_fini(&second);
    scene_close(&x);
}

static void progress_follows_the_steps_and_the_models(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *overall;
    } cases[] = {
        {PROGRESS("\"loss\":2,\"step\":0,\"total_steps\":100"), "\"overallProgress\":0,"},
        {PROGRESS("\"step\":50"), "\"overallProgress\":16.7,"},
        {PROGRESS("\"step\":100"), "\"overallProgress\":33.3,"},
        {"{\"type\":\"model_completed\",\"modelIndex\":0}", "model_completed"},
        {PROGRESS("\"step\":0"), "\"overallProgress\":33.3,"},
        {PROGRESS("\"step\":50"), "\"overallProgress\":50,"},
        {PROGRESS("\"step\":100,\"modelIndex\":2"), "\"overallProgress\":100,"},
    };
    struct scene x;
    scene_open(&x);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        domain_advance(&x.d, 1000000);
        domain_take(&x.d, cases[i].line);
        domain_leave(&x.d);
        assert_has(watcher_heard(&x.w), cases[i].overall);
    }
    scene_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_value_goes_out_with_the_wakeup_that_brought_it),
        cmocka_unit_test(a_burst_in_one_wakeup_is_one_update_and_the_newest),
        cmocka_unit_test(fifty_values_ten_ms_apart_are_at_most_seven_updates_and_end_with_the_last),
        cmocka_unit_test(a_waiting_value_goes_out_within_one_interval),
        cmocka_unit_test(busy_sessions_come_to_share_their_ticks),
        cmocka_unit_test(what_is_asked_for_is_newer_than_what_was_sent),
        cmocka_unit_test(without_throttle_every_record_is_encoded),
        cmocka_unit_test(nobody_watching_costs_no_encoding),
        cmocka_unit_test(an_event_sends_the_waiting_value_first),
        cmocka_unit_test(a_value_of_the_same_wakeup_goes_before_the_event_too),
        cmocka_unit_test(a_model_is_completed_once),
        cmocka_unit_test(the_end_is_announced_once_and_keeps_its_kind),
        cmocka_unit_test(a_failure_says_why),
        cmocka_unit_test(the_room_of_all_hears_events_and_no_values),
        cmocka_unit_test(the_status_has_the_contracts_fields_in_order),
        cmocka_unit_test(a_summary_is_complete_before_there_is_a_record),
        cmocka_unit_test(the_newest_record_is_encoded_once_for_everybody),
        cmocka_unit_test(payloads_are_rounded_and_history_is_not),
        cmocka_unit_test(the_compatibility_clamp_changes_payloads_alone),
        cmocka_unit_test(a_loss_that_is_no_number_any_more_is_null_and_named),
        cmocka_unit_test(what_is_no_number_is_counted_and_harms_nothing),
        cmocka_unit_test(states_change_only_as_in_the_picture),
        cmocka_unit_test(a_handle_is_empty_once_its_session_is_gone),
        cmocka_unit_test(progress_follows_the_steps_and_the_models),
    };
    return cmocka_run_group_tests_name("streamd/session/session", tests, NULL, NULL);
}
