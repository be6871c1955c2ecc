/* SPDX-License-Identifier: MIT */
#include "clients/c/spool_format.h"
#include "tests/clients/c/client_run.h"

static void what_was_not_acknowledged_is_sent_again_once_and_in_order(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 10);
    expect_steps(d, 1, 10, 1);
    fake_ack(d, 4);
    fake_hang_up(d);
    log_steps(run, 11, 12);

    fake_accept(d);
    fake_hear(d);
    assert_int_equal(d->line.type, LINE_START);
    assert_true(d->line.resume);
    fake_say(d, "{\"type\":\"started\",\"lastSeq\":6}\n"); /* 5 and 6 arrived unacknowledged */
    expect_steps(d, 7, 12, 7);
    fake_hang_up(d);

    fake_begin(d, 9);
    expect_steps(d, 10, 12, 10);
    fake_ack(d, 12);
    end_well(d, run, 13);
}

static void a_daemon_that_forgot_still_gets_what_it_did_not_acknowledge(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 4);
    expect_steps(d, 1, 4, 1);
    fake_ack(d, 2);
    fake_hang_up(d);
    fake_begin(d, 0);
    log_steps(run, 5, 5);
    fake_hear(d);
    if (d->line.seq == 1) { /* the ack was lost with the connection */
        assert_step(d, 1);
        expect_steps(d, 2, 5, 2);
    } else {
        assert_int_equal(d->line.seq, 3);
        assert_step(d, 3);
        expect_steps(d, 4, 5, 4);
    }
    end_well(d, run, 6);
}

/* The `start` of the reconnect has taken the finished session up again. */
static void the_end_is_said_again_when_its_acknowledgement_was_lost(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = FAKE_DEADLINE_MS});
    fake_begin(d, 0);
    log_steps(run, 1, 2);
    expect_steps(d, 1, 2, 1);
    pthread_t thread = finish_begun(run);
    fake_expect(d, LINE_COMPLETE, 3);
    fake_hang_up(d);
    fake_begin(d, 3);
    fake_expect(d, LINE_COMPLETE, 4);
    fake_ack(d, 4);
    assert_int_equal(finished(thread), 0);
}

static void without_a_daemon_nothing_blocks_and_nothing_fails(void **state)
{
    struct fake_daemon *d = *state;
    double before = now_s();
    struct streamd_run *run =
        begun(d, (struct streamd_options){.finish_ms = 60000, .no_spool = true});
    log_steps(run, 1, 1000);
    assert_false(streamd_connected(run));
    assert_int_equal(streamd_dropped(run), 0);
    assert_int_equal(streamd_finish(run), 1001);
    assert_int_equal(fake_spooled(d, NULL, 0), 0);
    assert_true(now_s() - before < 5.0); /* and not the minute that finish may take */
}

static void an_impossible_path_is_no_daemon(void **state)
{
    (void)state;
    static const size_t lengths[] = {300, 2 * SPOOL_PATH_BYTES};
    for (size_t i = 0; i < 2; i++) {
        char path[2 * SPOOL_PATH_BYTES + 1] = {0};
        memset(path, 'p', lengths[i]);
        struct streamd_run *run =
            streamd_init(&(struct streamd_options){.socket_path = path, .no_spool = true});
        assert_non_null(run);
        log_steps(run, 1, 1);
        assert_int_equal(streamd_finish(run), 2);
    }
}

static void a_daemon_that_comes_late_gets_everything(void **state)
{
    struct fake_daemon *d = *state;
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    log_steps(run, 1, 100);
    fake_listen(d);
    fake_begin(d, 0);
    expect_steps(d, 1, 100, 1);
    fake_ack(d, 100);
    end_well(d, run, 101);
}

static void a_quiet_run_is_heard_at_once_when_it_logs_again(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 1);
    expect_steps(d, 1, 1, 1);
    /* Silence is what is waited for: longer than the sender stays awake for more. */
    struct pollfd silence = {.fd = d->connection, .events = POLLIN};
    assert_int_equal(poll(&silence, 1, 1500), 0);
    double before = now_s();
    log_steps(run, 2, 2);
    expect_steps(d, 2, 2, 2);
    assert_true(now_s() - before < 5.0); /* and not the minute it sleeps */
    end_well(d, run, 3);
}

static void a_full_memory_gives_up_the_oldest_values_and_no_lifecycle_line(void **state)
{
    struct fake_daemon *d = *state;
    enum { STEPS = 5000 };
    struct streamd_run *run =
        begun(d, (struct streamd_options){.memory_bytes = 1, .no_spool = true});
    streamd_model_completed(run, 0);
    log_steps(run, 1, STEPS);
    streamd_log_epoch(run, &(struct streamd_metric){"epoch", 1}, 1);
    uint64_t dropped = streamd_dropped(run);
    assert_in_range(dropped, 1, STEPS - 1);

    fake_listen(d);
    fake_begin(d, 0);
    fake_expect(d, LINE_MODEL_COMPLETED, 1);
    expect_steps(d, (int64_t)dropped + 1, STEPS, 2);
    fake_expect(d, LINE_EPOCH, STEPS - dropped + 2);
    assert_int_equal(streamd_dropped(run), dropped);
    pthread_t thread = finish_begun(run);
    fake_expect(d, LINE_COMPLETE, STEPS - dropped + 3);
    fake_ack(d, STEPS - dropped + 3);
    assert_int_equal(finished(thread), dropped);
}

/* It accepts and answers, and then neither reads nor acknowledges anything. */
static void a_hung_daemon_holds_nothing_up(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(
        d, (struct streamd_options){.memory_bytes = 1 << 20, .finish_ms = 200, .no_spool = true});
    fake_begin(d, 0);
    double before = now_s();
    log_steps(run, 1, 200000);
    assert_true(now_s() - before < 20.0);
    ASSERT_SOON(streamd_dropped(run) > 100000);
    before = now_s();
    assert_int_equal(streamd_finish(run), 200001);
    assert_true(now_s() - before < 5.0);
}

static void a_daemon_that_never_acknowledges_does_not_hold_finish(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run =
        begun(d, (struct streamd_options){.finish_ms = 100, .no_spool = true});
    fake_begin(d, 0);
    log_steps(run, 1, 3);
    double before = now_s();
    assert_int_equal(streamd_finish(run), 4);
    assert_true(now_s() - before >= 0.09);
    assert_true(now_s() - before < 5.0);
    expect_steps(d, 1, 3, 1);
    fake_expect(d, LINE_COMPLETE, 4);
}

static void a_refused_start_is_tried_again(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    log_steps(run, 1, 2);
    fake_accept(d);
    fake_hear(d);
    fake_say(d, "{\"type\":\"error\",\"code\":\"limit\",\"message\":\"too many\"}\n");
    assert_false(fake_hear_or_end(d));
    fake_hang_up(d);
    fake_begin(d, 0);
    expect_steps(d, 1, 2, 1);
    end_well(d, run, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(what_was_not_acknowledged_is_sent_again_once_and_in_order),
        WITH_DAEMON(a_daemon_that_forgot_still_gets_what_it_did_not_acknowledge),
        WITH_DAEMON(the_end_is_said_again_when_its_acknowledgement_was_lost),
        WITH_DAEMON(without_a_daemon_nothing_blocks_and_nothing_fails),
        WITH_DAEMON(an_impossible_path_is_no_daemon),
        WITH_DAEMON(a_daemon_that_comes_late_gets_everything),
        WITH_DAEMON(a_quiet_run_is_heard_at_once_when_it_logs_again),
        WITH_DAEMON(a_full_memory_gives_up_the_oldest_values_and_no_lifecycle_line),
        WITH_DAEMON(a_hung_daemon_holds_nothing_up),
        WITH_DAEMON(a_daemon_that_never_acknowledges_does_not_hold_finish),
        WITH_DAEMON(a_refused_start_is_tried_again),
    };
    return cmocka_run_group_tests_name("clients/c/sender", tests, NULL, NULL);
}
