/* SPDX-License-Identifier: MIT */
/* Runs whose daemon is away, hung or killed, and whose process is: what the disk keeps for later.
 */
#include "tests/clients/c/client_run.h"
#include "tests/clients/c/spool_folder.h"

#include <signal.h>
#include <sys/wait.h>

/* Far more than the memory of a run with memory_bytes 1 holds. */
enum {
    MANY = 5000,
    GROUP = 25,
    UNSENT = 220, /* half of the queue, and a group: by then lines go to the disk */
};

static int64_t lines_in_file(const struct fake_daemon *d)
{
    int64_t lines = 0;
    if (fake_spooled(d, NULL, 0) == 0)
        return 0;
    char *text = spooled_text(d);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    free(text);
    return lines;
}

/* Logs no faster than the sender thread gets to run: at most UNSENT lines are in memory. */
static void log_paced(struct fake_daemon *d, struct streamd_run *run, int64_t first, int64_t last)
{
    for (int64_t step = first; step <= last; step += GROUP) {
        log_steps(run, step, step + GROUP - 1);
        while (step + GROUP - 1 - lines_in_file(d) > UNSENT)
            (void)sched_yield();
    }
}

static void lines_beyond_memory_reach_a_daemon_that_comes_late(void **state)
{
    struct fake_daemon *d = *state;
    struct streamd_run *run = begun(d, (struct streamd_options){.memory_bytes = 1});
    log_paced(d, run, 1, MANY);
    assert_int_equal(fake_spooled(d, NULL, 0), 1);
    fake_listen(d);
    fake_begin(d, 0);
    for (int64_t step = 1; step <= MANY; step++) {
        expect_steps(d, step, step, (uint64_t)step);
        if (step % 100 == 0)
            fake_ack(d, (uint64_t)step);
    }
    ASSERT_SOON(fake_spooled(d, NULL, 0) == 0);
    end_well(d, run, MANY + 1);
    assert_int_equal(fake_spooled(d, NULL, 0), 0);
}

/* Hears the seqs first to last, whose steps rise; acknowledges now and then. */
static void expect_rising(struct fake_daemon *d, uint64_t first, uint64_t last)
{
    int64_t step = 0;
    for (uint64_t seq = first; seq <= last; seq++) {
        fake_expect(d, LINE_PROGRESS, seq);
        assert_true(d->line.record.field[F_CURRENT_STEP].i > step);
        step = d->line.record.field[F_CURRENT_STEP].i;
        if (seq % 100 == 0)
            fake_ack(d, seq);
    }
}

static void a_daemon_that_hangs_and_dies_gets_the_rest_from_where_it_stood(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.memory_bytes = 1});
    fake_begin(d, 0);
    log_steps(run, 1, 200);
    expect_steps(d, 1, 200, 1);
    for (int64_t step = 201; fake_spooled(d, NULL, 0) == 0 || step <= MANY; step++) {
        log_steps(run, step, step);
        (void)sched_yield();
    }
    fake_hang_up(d);
    fake_begin(d, 120);
    expect_rising(d, 121, 600);
    fake_hang_up(d); /* which may have been told more */
    fake_begin(d, 600);
    expect_rising(d, 601, 700);
    streamd_finish(run);
}

static void what_is_left_at_the_end_is_sent_by_the_next_run(void **state)
{
    struct fake_daemon *d = *state;
    struct streamd_run *run = begun(d, (struct streamd_options){.session_id = "first"});
    log_steps(run, 1, 3);
    assert_int_equal(streamd_fail(run, "why"), 0);
    assert_int_equal(expect_spooled(d, 1, 4, false), LINE_FAIL);

    fake_listen(d);
    run = begun(d, (struct streamd_options){.session_id = "second"});
    fake_begin(d, 0);
    int second = d->connection;
    fake_begin(d, 0);
    assert_true(span_is(d->line.session_id, "first"));
    expect_steps(d, 1, 3, 1);
    fake_expect(d, LINE_FAIL, 4);
    fake_ack(d, 4);
    assert_false(fake_hear_or_end(d));
    ASSERT_SOON(fake_spooled(d, NULL, 0) == 0);
    fake_hang_up(d);
    d->connection = second;
    end_well(d, run, 1);
}

static void a_run_that_is_resumed_sends_what_its_session_left_before_itself(void **state)
{
    struct fake_daemon *d = *state;
    for (int64_t step = 1; step <= 2; step++) {
        struct streamd_run *run = begun(d, (struct streamd_options){.resume = step > 1});
        log_steps(run, step, step);
        assert_int_equal(streamd_finish(run), 0);
    }
    assert_int_equal(fake_spooled(d, NULL, 0), 2);
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.resume = true});
    log_steps(run, 3, 3);
    for (int64_t step = 1; step <= 2; step++) {
        uint64_t seq = 8 + 2 * (uint64_t)step; /* the daemon knows 9 lines of before */
        fake_begin(d, seq - 1);
        expect_steps(d, step, step, seq);
        fake_expect(d, LINE_COMPLETE, seq + 1);
        fake_ack(d, seq + 1);
        assert_false(fake_hear_or_end(d));
        fake_hang_up(d);
    }
    fake_begin(d, 13);
    expect_steps(d, 3, 3, 14);
    end_well(d, run, 15);
    assert_int_equal(fake_spooled(d, NULL, 0), 0);
}

static void an_acknowledgement_that_comes_late_but_in_time_leaves_no_file(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = FAKE_DEADLINE_MS});
    fake_begin(d, 0);
    log_steps(run, 1, 3);
    pthread_t thread = finish_begun(run);
    expect_steps(d, 1, 3, 1);
    fake_expect(d, LINE_COMPLETE, 4);
    fake_ack(d, 2);
    fake_ack(d, 4);
    assert_int_equal(finished(thread), 0);
    assert_int_equal(fake_spooled(d, NULL, 0), 0);
}

static void a_daemon_that_never_acknowledges_leaves_all_to_the_file(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = 50});
    fake_begin(d, 40);
    log_steps(run, 1, 3);
    expect_steps(d, 1, 3, 41);
    assert_int_equal(streamd_finish(run), 0);
    assert_int_equal(expect_spooled(d, 41, 44, false), LINE_COMPLETE);
    assert_false(is_locked(d));
}

static void a_daemon_that_asks_for_it_again_gets_it_on_a_new_connection(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 4);
    expect_steps(d, 1, 4, 1);
    fake_say(d, "{\"type\":\"error\",\"code\":\"resend\",\"message\":\"the disk is full\"}\n");
    assert_false(fake_hear_or_end(d));
    fake_hang_up(d);
    fake_begin(d, 2);
    assert_true(d->line.resume);
    expect_steps(d, 3, 4, 3);
    assert_int_equal(streamd_dropped(run), 0);
    end_well(d, run, 5);
}

/* The trainer: past its memory, then it says so and waits to be killed. */
static void be_killed(struct fake_daemon *d, int says)
{
    struct streamd_run *run = begun(d, (struct streamd_options){.memory_bytes = 1});
    log_paced(d, run, 1, MANY);
    ssize_t written = write(says, "x", 1);
    (void)written;
    for (;;)
        (void)pause();
}

static void kill_9_leaves_what_was_in_the_file(void **state)
{
    struct fake_daemon *d = *state;
    int says[2];
    char byte;
    assert_int_equal(pipe(says), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_killed(d, says[1]);
    fake_await(says[0], "word of the trainer");
    assert_int_equal(read(says[0], &byte, 1), 1);
    assert_true(is_locked(d));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(says[0]);
    (void)close(says[1]);
    assert_false(is_locked(d));

    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.session_id = "next"});
    fake_begin(d, 0);
    int next = d->connection;
    fake_begin(d, 0);
    expect_steps(d, 1, MANY / 2, 1);
    fake_hang_up(d);
    d->connection = next;
    streamd_finish(run);
}

static void a_forked_child_leaves_the_file_and_its_lock_to_its_parent(void **state)
{
    struct fake_daemon *d = *state;
    struct streamd_run *run = begun(d, (struct streamd_options){.memory_bytes = 1});
    log_paced(d, run, 1, MANY);
    int until[2];
    assert_int_equal(pipe(until), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte;
        (void)close(until[1]);
        log_steps(run, 1, MANY);
        (void)streamd_finish(run);
        ssize_t got = read(until[0], &byte, 1);
        _exit(got == 0 ? 0 : 1);
    }
    (void)close(until[0]);
    assert_true(is_locked(d));
    assert_int_equal(streamd_finish(run), 0);
    ASSERT_SOON(!is_locked(d)); /* although the child lives, once it has begun to */
    (void)expect_spooled(d, 1, MANY + 1, false);
    (void)close(until[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_folder_that_cannot_be_is_counted_and_costs_no_more(void **state)
{
    struct fake_daemon *d = *state;
    (void)setenv("STREAMD_SPOOL", "/proc/nowhere/spool", 1);
    struct streamd_run *run = begun(d, (struct streamd_options){.memory_bytes = 1});
    log_steps(run, 1, MANY);
    ASSERT_SOON(streamd_spool_errors(run) == 1);
    assert_true(streamd_dropped(run) > 0);
    assert_int_equal(streamd_finish(run), MANY + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(lines_beyond_memory_reach_a_daemon_that_comes_late),
        WITH_DAEMON(a_daemon_that_hangs_and_dies_gets_the_rest_from_where_it_stood),
        WITH_DAEMON(what_is_left_at_the_end_is_sent_by_the_next_run),
        WITH_DAEMON(a_run_that_is_resumed_sends_what_its_session_left_before_itself),
        WITH_DAEMON(an_acknowledgement_that_comes_late_but_in_time_leaves_no_file),
        WITH_DAEMON(a_daemon_that_never_acknowledges_leaves_all_to_the_file),
        WITH_DAEMON(a_daemon_that_asks_for_it_again_gets_it_on_a_new_connection),
        WITH_DAEMON(kill_9_leaves_what_was_in_the_file),
        WITH_DAEMON(a_forked_child_leaves_the_file_and_its_lock_to_its_parent),
        WITH_DAEMON(a_folder_that_cannot_be_is_counted_and_costs_no_more),
    };
    return cmocka_run_group_tests_name("clients/c/spool", tests, NULL, NULL);
}
