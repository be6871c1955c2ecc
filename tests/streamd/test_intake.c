/* SPDX-License-Identifier: MIT */
#include "tests/streamd/domain.h"
#include "tests/support/oom.h"

#define START "{\"type\":\"start\",\"sessionId\":\"a\"}"
#define RESUME "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}"
#define SEQ(n) "{\"type\":\"progress\",\"seq\":" #n ",\"metrics\":{\"loss\":1}}"
#define PROGRESS_OF(id) "{\"type\":\"progress\",\"sessionId\":\"" id "\",\"metrics\":{\"loss\":1}}"

static void open_domain(struct domain *d)
{
    domain_defaults(d);
    domain_open(d);
}

/* What the trainer was answered since the last time. */
static const char *answers(struct domain *d)
{
    intake_ack(&d->intake);
    const char *text = text_of(&d->answers);
    d->answers.len = 0;
    return text;
}

/* Another trainer's connection to the same daemon. */
static void second_intake(struct domain *d, struct intake *in)
{
    intake_init(in, &d->registry, &d->decoder, &d->answers);
}

static enum status second_line(struct domain *d, struct intake *in, const char *line)
{
    return intake_line(in, span_of(line), d->now, &d->error);
}

static void a_bad_line_is_answered_and_the_next_one_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *code;
    } cases[] = {
        {"hello", "syntax"},
        {"{\"a\":1}{\"b\":2}", "syntax"},
        {"[1] x", "syntax"},
        {"\x01\x02", "syntax"},
        {"{\"type\":\"progress\",\"metrics\":{\"loss\":01}}", "syntax"},
        {"{\"type\":\"fail\",\"error\":\"\xff\xfe\"}", "utf8"},
        {"{\"type\":\"dance\"}", "type"},
        {"{\"type\":\"start\",\"sessionId\":\"a b\"}", "session_id"},
        {"{\"type\":\"progress\",\"seq\":-1,\"metrics\":{}}", "seq"},
        {"{\"type\":\"progress\",\"seq\":0,\"metrics\":{}}", "seq"},
        {"{\"type\":\"progress\"}", "metrics"},
        {"{\"type\":\"complete\",\"sessionId\":\"nobody\"}", "unknown_session"},
        {"{\"type\":\"fail\",\"sessionId\":\"nobody\"}", "unknown_session"},
        {"{\"type\":\"model_completed\",\"sessionId\":\"nobody\",\"modelIndex\":0}",
         "unknown_session"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct domain d;
        char expected[64];
        open_domain(&d);
        domain_take(&d, START);
        (void)answers(&d);
        assert_int_not_equal(domain_line(&d, cases[i].line), OK);
        (void)snprintf(expected, sizeof(expected), "\"code\":\"%s\"", cases[i].code);
        const char *said = answers(&d);
        assert_has(said, "{\"type\":\"error\",");
        assert_has(said, expected);
        assert_has(said, "\"line\":2");
        assert_int_equal(d.stats.lines_rejected, 1);
        assert_int_equal(d.stats.metrics_processed, 0);
        domain_take(&d, SEQ(1));
        assert_int_equal(d.stats.metrics_processed, 1);
        domain_close(&d);
    }
}

static void blank_lines_are_neither_counted_nor_answered(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, "");
    domain_take(&d, " \t\r");
    assert_string_equal(answers(&d), "");
    assert_int_equal(d.stats.lines_received, 0);
    assert_int_equal(d.intake.taken, 0);
    assert_int_equal(d.intake.line_number, 2);
    domain_close(&d);
}

static void a_line_without_an_id_means_the_session_started_last(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    assert_int_equal(domain_line(&d, SEQ(1)), E_NOT_FOUND);
    assert_string_equal(d.error.code, "unknown_session");
    domain_take(&d, START);
    domain_take(&d, PROGRESS_OF("b"));
    domain_take(&d, PROGRESS_OF("b"));
    domain_take(&d, SEQ(1));
    assert_int_equal(domain_session(&d, "a")->newest_offset, 1);
    assert_int_equal(domain_session(&d, "b")->newest_offset, 2);
    domain_close(&d);
}

static void a_value_for_an_unknown_session_starts_it(void **state)
{
    (void)state;
    static const char *const lines[] = {
        PROGRESS_OF("curl"),
        "{\"type\":\"epoch\",\"sessionId\":\"curl\",\"metrics\":{\"epoch\":1,\"train_loss\":2}}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct domain d;
        struct watcher w;
        open_domain(&d);
        watcher_init(&w, &d);
        watcher_join(&w, "curl");
        domain_take(&d, lines[i]);
        domain_take(&d, "{\"type\":\"complete\"}");
        domain_leave(&d);
        const char *heard = watcher_heard(&w);
        assert_order(heard, "training_started", "progress_update");
        assert_order(heard, "progress_update", "training_completed");
        assert_string_equal(answers(&d), "");
        watcher_fini(&w);
        domain_close(&d);
    }
}

static void started_and_pong_and_ack_are_the_answers(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    assert_string_equal(answers(&d), "{\"type\":\"started\",\"sessionId\":\"a\",\"lastSeq\":0}\n");
    domain_take(&d, "{\"type\":\"ping\"}");
    assert_string_equal(answers(&d), "{\"type\":\"pong\"}\n");
    domain_take(&d, SEQ(1));
    domain_take(&d, SEQ(2));
    domain_take(&d, SEQ(5));
    assert_string_equal(answers(&d), "{\"type\":\"ack\",\"sessionId\":\"a\",\"seq\":5}\n");
    assert_string_equal(answers(&d), "");
    domain_take(&d, PROGRESS_OF("a"));
    assert_string_equal(answers(&d), "");
    domain_close(&d);
}

static void a_repeat_is_dropped_and_acknowledged(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    domain_take(&d, SEQ(3));
    (void)answers(&d);
    domain_take(&d, SEQ(3));
    domain_take(&d, SEQ(1));
    assert_string_equal(answers(&d), "{\"type\":\"ack\",\"sessionId\":\"a\",\"seq\":3}\n");
    assert_int_equal(d.stats.lines_repeated, 2);
    assert_int_equal(domain_session(&d, "a")->newest_offset, 1);
    domain_close(&d);
}

static void a_trainer_that_comes_back_loses_and_repeats_nothing(void **state)
{
    (void)state;
    struct domain d;
    struct intake again;
    open_domain(&d);
    domain_take(&d, START);
    domain_take(&d, SEQ(1));
    domain_take(&d, SEQ(2));
    intake_fini(&d.intake);
    intake_init(&d.intake, &d.registry, &d.decoder, &d.answers);
    (void)answers(&d);
    second_intake(&d, &again);
    assert_int_equal(second_line(&d, &again, RESUME), OK);
    assert_string_equal(answers(&d), "{\"type\":\"started\",\"sessionId\":\"a\",\"lastSeq\":2}\n");
    assert_int_equal(second_line(&d, &again, SEQ(2)), OK);
    assert_int_equal(second_line(&d, &again, SEQ(3)), OK);
    assert_int_equal(domain_session(&d, "a")->newest_offset, 3);
    intake_fini(&again);
    domain_close(&d);
}

static void a_trainer_that_goes_away_ends_nothing(void **state)
{
    (void)state;
    struct domain d;
    struct intake second;
    open_domain(&d);
    second_intake(&d, &second);
    assert_int_equal(second_line(&d, &second, START), OK);
    assert_int_equal(second_line(&d, &second, SEQ(1)), OK);
    intake_fini(&second);
    assert_int_equal(domain_session(&d, "a")->state, SESSION_RUNNING);
    domain_close(&d);
}

static void two_trainers_of_one_session_are_taken_in_order_of_arrival(void **state)
{
    (void)state;
    struct domain d;
    struct intake second;
    open_domain(&d);
    second_intake(&d, &second);
    domain_take(&d, START);
    assert_int_equal(second_line(&d, &second, RESUME), OK);
    for (int i = 0; i < 4; i++) {
        domain_take(&d, PROGRESS_OF("a"));
        assert_int_equal(second_line(&d, &second, PROGRESS_OF("a")), OK);
    }
    assert_int_equal(domain_session(&d, "a")->newest_offset, 8);
    intake_fini(&second);
    domain_close(&d);
}

static void each_session_on_a_connection_gets_its_own_ack(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, "{\"type\":\"progress\",\"sessionId\":\"a\",\"seq\":4,\"metrics\":{}}");
    domain_take(&d, "{\"type\":\"progress\",\"sessionId\":\"b\",\"seq\":9,\"metrics\":{}}");
    assert_string_equal(answers(&d), "{\"type\":\"ack\",\"sessionId\":\"a\",\"seq\":4}\n"
                                     "{\"type\":\"ack\",\"sessionId\":\"b\",\"seq\":9}\n");
    domain_close(&d);
}

static void a_new_start_is_answered_after_the_ack_that_was_owed(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    (void)answers(&d);
    domain_take(&d, SEQ(3));
    domain_take(&d, START);
    assert_string_equal(answers(&d), "{\"type\":\"ack\",\"sessionId\":\"a\",\"seq\":3}\n"
                                     "{\"type\":\"started\",\"sessionId\":\"a\",\"lastSeq\":0}\n");
    domain_close(&d);
}

static void what_comes_after_the_end_is_refused_and_repeats_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum status status;
    } cases[] = {
        {SEQ(2), OK},
        {SEQ(4), E_STATE},
        {PROGRESS_OF("a"), E_STATE},
        {"{\"type\":\"model_completed\",\"modelIndex\":0}", E_STATE},
        {"{\"type\":\"complete\"}", OK},
        {"{\"type\":\"complete\",\"seq\":4}", OK},
        {"{\"type\":\"fail\"}", OK},
        {"{\"type\":\"ping\"}", OK},
        {RESUME, OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct domain d;
        open_domain(&d);
        domain_take(&d, START);
        domain_take(&d, SEQ(1));
        domain_take(&d, SEQ(2));
        domain_take(&d, "{\"type\":\"complete\",\"seq\":3}");
        assert_int_equal(domain_line(&d, cases[i].line), cases[i].status);
        assert_int_equal(domain_session(&d, "a")->newest_offset, 2);
        if (cases[i].status == E_STATE)
            assert_has(answers(&d), "\"code\":\"session_finished\"");
        domain_close(&d);
    }
}

static void a_session_that_was_removed_is_not_meant_any_more(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    domain_take(&d, SEQ(1));
    registry_remove(&d.registry, domain_session(&d, "a"));
    (void)text_of(&d.answers);
    d.answers.len = 0;
    intake_ack(&d.intake);
    assert_int_equal(d.answers.len, 0);
    assert_int_equal(domain_line(&d, SEQ(2)), E_NOT_FOUND);
    domain_take(&d, PROGRESS_OF("a"));
    assert_int_equal(domain_session(&d, "a")->newest_offset, 1);
    domain_close(&d);
}

static void an_expired_session_is_taken_up_by_any_line_of_its_trainer(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum session_state then;
    } cases[] = {
        {SEQ(2), SESSION_RUNNING},
        {PROGRESS_OF("a"), SESSION_RUNNING},
        {"{\"type\":\"complete\"}", SESSION_COMPLETED},
        {"{\"type\":\"complete\",\"sessionId\":\"a\"}", SESSION_COMPLETED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct domain d;
        open_domain(&d);
        domain_take(&d, START);
        domain_take(&d, SEQ(1));
        domain_advance(&d, UINT64_C(5) * 3600 * 1000000);
        assert_int_equal(domain_session(&d, "a")->state, SESSION_EXPIRED);
        domain_take(&d, cases[i].line);
        assert_int_equal(domain_session(&d, "a")->state, cases[i].then);
        assert_true(domain_session(&d, "a")->last_seq >= 1);
        domain_close(&d);
    }
}

#define ASKS "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true,\"implied\":true}"
#define REPORT(seq, object)                                                                        \
    "{\"type\":\"report\",\"sessionId\":\"a\",\"seq\":" #seq ",\"report\":" object "}"

static void who_asks_where_a_run_stands_changes_nothing(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, ASKS);
    assert_string_equal(answers(&d), "{\"type\":\"started\",\"sessionId\":\"a\",\"lastSeq\":0}\n");
    assert_null(domain_session(&d, "a"));
    assert_int_equal(domain_line(&d, SEQ(1)), E_NOT_FOUND); /* nor does it stand for a start */
    domain_take(&d, START);
    domain_take(&d, SEQ(4));
    domain_take(&d, "{\"type\":\"complete\",\"seq\":5}");
    (void)answers(&d);
    domain_take(&d, ASKS);
    assert_string_equal(answers(&d), "{\"type\":\"started\",\"sessionId\":\"a\",\"lastSeq\":5,"
                                     "\"operationType\":\"training\"}\n");
    assert_false(domain_session(&d, "a")->resumed);
    domain_close(&d);
}

static void a_report_to_a_training_is_an_epoch(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    assert_int_equal(domain_line(&d, REPORT(1, "{\"rows\":3}")), E_NOT_FOUND);
    assert_int_equal(domain_line(&d, REPORT(1, "{}")), E_NOT_FOUND);
    domain_take(&d, REPORT(1, "{\"epoch\":0,\"train_loss\":0.5}"));
    struct session *s = domain_session(&d, "a");
    assert_int_equal(s->epochs.trend.count, 1);
    assert_int_equal(s->newest_offset, 1);
    assert_int_equal(domain_line(&d, REPORT(2, "{\"rows\":3}")), E_MALFORMED);
    assert_string_equal(d.error.code, "metrics");
    domain_take(&d, REPORT(2, "{}"));
    domain_take(&d, REPORT(2, "{\"epoch\":1,\"train_loss\":0.5}"));
    assert_int_equal(s->epochs.trend.count, 1); /* what has nothing in it has a number */
    assert_int_equal(d.stats.lines_repeated, 1);
    domain_close(&d);
}

static void a_report_to_another_job_is_merged_until_that_is_over(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\","
                    "\"config\":{\"operation_type\":\"data_load\"}}");
    assert_has(answers(&d), "\"operationType\":\"data_load\"");
    struct session *s = domain_session(&d, "a");
    domain_take(&d, REPORT(1, "{}"));
    assert_int_equal(s->state, SESSION_STARTING);
    domain_take(&d, REPORT(2, "{\"epoch\":0,\"train_loss\":0.5}"));
    domain_take(&d, REPORT(3, "{\"epoch\":[1]}"));
    assert_has(answers(&d), "\"seq\":3");
    assert_true(span_is(refbuf_span(s->operation.metrics), "{\"epoch\":[1],\"train_loss\":0.5}"));
    assert_int_equal(s->epochs.trend.count, 0);
    assert_int_equal(s->newest_offset, 0);
    domain_take(&d, "{\"type\":\"complete\",\"seq\":4}");
    assert_int_equal(domain_line(&d, REPORT(5, "{\"late\":1}")), E_STATE);
    domain_close(&d);
}

/* Takes a report for which the nth allocation fails; true when it was refused for that. */
static bool is_to_be_sent_again(const char *start, const char *report, size_t nth)
{
    struct domain d;
    oom_fail(0);
    open_domain(&d);
    if (start)
        domain_take(&d, start);
    oom_fail(nth);
    enum status status = domain_line(&d, report);
    bool failed = oom_failed();
    if (status != OK) {
        assert_int_equal(status, E_NOMEM);
        assert_string_equal(d.error.code, "resend");
        assert_true(failed);
    }
    const struct session *s = registry_find(&d.registry, SPAN("a"));
    assert_true(status == OK || !s || s->last_seq == 0);
    oom_fail(0);
    domain_close(&d);
    return status != OK;
}

static void a_report_that_finds_no_memory_is_to_be_sent_again(void **state)
{
    (void)state;
    static const char job[] =
        "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{\"operation_type\":\"data_load\"}}";
    unsigned refused = 0;
    for (size_t n = 1; n < 40; n++) {
        refused += is_to_be_sent_again(NULL, REPORT(1, "{\"epoch\":0,\"train_loss\":0.5}"), n);
        refused += is_to_be_sent_again(START, REPORT(1, "{\"epoch\":0,\"train_loss\":0.5}"), n);
        refused += is_to_be_sent_again(job, REPORT(1, "{\"rows\":3}"), n);
    }
    assert_true(refused > 3);
}

static void a_trainer_that_a_relay_saw_go_has_failed_and_may_come_back(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    domain_take(&d, SEQ(7));
    (void)answers(&d);
    domain_take(&d, "{\"type\":\"gone\",\"sessionId\":\"a\",\"seq\":7,\"pid\":12}");
    struct session *s = domain_session(&d, "a");
    assert_int_equal(s->state, SESSION_FAILED);
    assert_string_equal(s->error, "the trainer (process 12) is gone, without a last word");
    assert_has(answers(&d), "{\"type\":\"ack\",\"sessionId\":\"a\",\"seq\":7}");
    domain_take(&d, SEQ(8));
    assert_int_equal(s->state, SESSION_RUNNING);
    /* One that had only meant to go on is not coming back either. */
    domain_take(&d, "{\"type\":\"complete\",\"seq\":9}");
    domain_take(&d, RESUME);
    assert_true(s->resumed);
    domain_take(&d, "{\"type\":\"gone\",\"sessionId\":\"a\",\"pid\":12}");
    assert_false(s->resumed);
    assert_int_equal(s->state, SESSION_COMPLETED);
    assert_int_equal(domain_line(&d, "{\"type\":\"gone\",\"sessionId\":\"b\"}"), E_NOT_FOUND);
    domain_close(&d);
}

/* Nothing of it is to be kept, so its ack waits for nothing. */
static void a_trainer_seen_going_after_its_run_has_ended_is_acknowledged(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    domain_take(&d, SEQ(1));
    domain_take(&d, "{\"type\":\"complete\",\"seq\":2}");
    (void)answers(&d);
    domain_take(&d, "{\"type\":\"gone\",\"sessionId\":\"a\",\"seq\":3,\"pid\":12}");
    assert_string_equal(answers(&d), "{\"type\":\"ack\",\"sessionId\":\"a\",\"seq\":3}\n");
    assert_int_equal(domain_session(&d, "a")->last_seq, 3);
    assert_int_equal(domain_session(&d, "a")->state, SESSION_COMPLETED);
    domain_close(&d);
}

static void an_answer_of_nobody_is_refused(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    assert_int_equal(domain_line(&d, "{\"type\":\"answer\",\"id\":7,\"outcome\":\"done\"}"),
                     E_NOT_FOUND);
    assert_has(answers(&d), "no start came before it");
    assert_int_equal(domain_line(&d, "{\"type\":\"answer\",\"sessionId\":\"z\",\"id\":7,"
                                     "\"outcome\":\"done\"}"),
                     E_NOT_FOUND);
    assert_has(answers(&d), "send a start first");
    domain_close(&d);
}

static void a_line_too_long_to_be_read_is_counted_and_answered(void **state)
{
    (void)state;
    static const struct line_error too_long = {"too_long", "the line is longer than allowed", 0};
    struct domain d;
    open_domain(&d);
    intake_refuse(&d.intake, &too_long);
    assert_has(answers(&d), "\"code\":\"too_long\"");
    assert_int_equal(d.stats.lines_received, 1);
    assert_int_equal(d.stats.lines_rejected, 1);
    assert_int_equal(d.intake.line_number, 1);
    domain_close(&d);
}

static void the_daemons_offset_rises_whatever_the_steps_do(void **state)
{
    (void)state;
    static const char *const steps[] = {"5", "5", "4", "-1", "2.5", "\"7\"", "1e300"};
    struct domain d;
    open_domain(&d);
    domain_take(&d, START);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "{\"type\":\"progress\",\"metrics\":{\"step\":%s}}",
                       steps[i]);
        domain_take(&d, line);
        assert_int_equal(domain_session(&d, "a")->newest_offset, i + 1);
    }
    domain_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_line_is_answered_and_the_next_one_is_taken),
        cmocka_unit_test(blank_lines_are_neither_counted_nor_answered),
        cmocka_unit_test(a_line_without_an_id_means_the_session_started_last),
        cmocka_unit_test(a_value_for_an_unknown_session_starts_it),
        cmocka_unit_test(started_and_pong_and_ack_are_the_answers),
        cmocka_unit_test(a_repeat_is_dropped_and_acknowledged),
        cmocka_unit_test(a_trainer_that_comes_back_loses_and_repeats_nothing),
        cmocka_unit_test(a_trainer_that_goes_away_ends_nothing),
        cmocka_unit_test(two_trainers_of_one_session_are_taken_in_order_of_arrival),
        cmocka_unit_test(each_session_on_a_connection_gets_its_own_ack),
        cmocka_unit_test(a_new_start_is_answered_after_the_ack_that_was_owed),
        cmocka_unit_test(what_comes_after_the_end_is_refused_and_repeats_are_not),
        cmocka_unit_test(a_session_that_was_removed_is_not_meant_any_more),
        cmocka_unit_test(an_expired_session_is_taken_up_by_any_line_of_its_trainer),
        cmocka_unit_test(who_asks_where_a_run_stands_changes_nothing),
        cmocka_unit_test(a_report_to_a_training_is_an_epoch),
        cmocka_unit_test(a_report_to_another_job_is_merged_until_that_is_over),
        cmocka_unit_test(a_report_that_finds_no_memory_is_to_be_sent_again),
        cmocka_unit_test(a_trainer_that_a_relay_saw_go_has_failed_and_may_come_back),
        cmocka_unit_test(a_trainer_seen_going_after_its_run_has_ended_is_acknowledged),
        cmocka_unit_test(an_answer_of_nobody_is_refused),
        cmocka_unit_test(a_line_too_long_to_be_read_is_counted_and_answered),
        cmocka_unit_test(the_daemons_offset_rises_whatever_the_steps_do),
    };
    return cmocka_run_group_tests_name("streamd/ingest/intake", tests, NULL, NULL);
}
