/* SPDX-License-Identifier: MIT */
#include "clients/c/streamd_client.h"
#include "tests/clients/c/fake_daemon.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int setup(void **state)
{
    struct fake_daemon *d = malloc(sizeof(*d));
    assert_non_null(d);
    fake_folder(d);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    fake_end(*state);
    free(*state);
    return 0;
}

static struct streamd_run *begun(struct fake_daemon *d, struct streamd_options options)
{
    options.socket_path = d->path;
    options.session_id = options.session_id ? options.session_id : "run-1";
    struct streamd_run *run = streamd_init(&options);
    assert_non_null(run);
    return run;
}

static void log_steps(struct streamd_run *run, int64_t first, int64_t last)
{
    for (int64_t step = first; step <= last; step++)
        streamd_log(run, step, &(struct streamd_metric){"loss", (double)step / 8}, 1);
}

static void assert_step(const struct fake_daemon *d, int64_t step)
{
    assert_int_equal(d->line.record.field[F_CURRENT_STEP].i, step);
    assert_true(num_double(d->line.record.field[F_LOSS]) == (double)step / 8);
}

static void expect_steps(struct fake_daemon *d, int64_t first, int64_t last, uint64_t seq)
{
    for (int64_t step = first; step <= last; step++) {
        fake_expect(d, LINE_PROGRESS, seq++);
        assert_step(d, step);
    }
}

static void *finish_thread(void *run)
{
    return (void *)(uintptr_t)streamd_finish(run);
}

/* finish() waits for the daemon, which is the test: it goes to a thread of its own. */
static pthread_t finish_begun(struct streamd_run *run)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, finish_thread, run), 0);
    return thread;
}

static uint64_t finished(pthread_t thread)
{
    void *dropped;
    assert_int_equal(pthread_join(thread, &dropped), 0);
    return (uint64_t)(uintptr_t)dropped;
}

/* Ends the run, whose next line has this seq, with the daemon's blessing. */
static void end_well(struct fake_daemon *d, struct streamd_run *run, uint64_t seq)
{
    pthread_t thread = finish_begun(run);
    fake_expect(d, LINE_COMPLETE, seq);
    fake_ack(d, seq);
    assert_int_equal(finished(thread), 0);
    assert_false(fake_hear_or_end(d));
}

/* Waits for what the sender thread does on its own. */
#define ASSERT_SOON(condition)                                                                     \
    do {                                                                                           \
        double by_ = now_s() + FAKE_DEADLINE_MS / 1000.0;                                          \
        while (!(condition) && now_s() < by_)                                                      \
            (void)sched_yield();                                                                   \
        assert_true(condition);                                                                    \
    } while (0)

static void lines_arrive_in_order_and_numbered(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 500);
    expect_steps(d, 1, 500, 1);
    assert_true(streamd_connected(run));
    end_well(d, run, 501);
}

static void start_says_what_the_options_say(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run =
        begun(d, (struct streamd_options){.project = "gr\"ok",
                                          .name = "p=53",
                                          .config_json = "{\n \"total_steps\": 5, \"x\": NaN }"});
    assert_string_equal(streamd_run_id(run), "run-1");
    fake_accept(d);
    fake_hear(d);
    assert_string_equal(d->text, "{\"type\":\"start\",\"sessionId\":\"run-1\","
                                 "\"project\":\"gr\\\"ok\",\"name\":\"p=53\","
                                 "\"config\":{\"total_steps\":5,\"x\":null},\"resume\":false}");
    fake_say(d, "{\"type\":\"started\",\"lastSeq\":0}\n");
    end_well(d, run, 1);
}

static void unusable_options_are_left_out(void **state)
{
    struct fake_daemon *d = *state;
    static const char *const configs[] = {"[1]", "{", "7", "", "{\"a\":1} x"};
    fake_listen(d);
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        struct streamd_run *run =
            begun(d, (struct streamd_options){
                         .session_id = "not an id", .project = "\xff", .config_json = configs[i]});
        assert_int_equal(strlen(streamd_run_id(run)), 36);
        assert_int_equal(streamd_run_id(run)[14], '4');
        fake_accept(d);
        fake_hear(d);
        assert_null(d->line.config.ptr);
        assert_null(d->line.project.ptr);
        assert_true(span_is(d->line.session_id, streamd_run_id(run)));
        fake_say(d, "{\"type\":\"started\",\"lastSeq\":0}\n");
        end_well(d, run, 1);
        fake_hang_up(d);
    }
}

static void every_kind_of_line_is_sent(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = 1});
    fake_begin(d, 0);
    streamd_log(run, 1, &(struct streamd_metric){"loss", (double)NAN}, 1);
    streamd_log_epoch(run, &(struct streamd_metric){"epoch", 3}, 1);
    streamd_model_completed(run, 2);
    fake_expect(d, LINE_PROGRESS, 1);
    assert_non_null(strstr(d->text, "\"loss\":NaN}"));
    fake_expect(d, LINE_EPOCH, 2);
    fake_expect(d, LINE_MODEL_COMPLETED, 3);
    assert_int_equal(d->line.model_index, 2);
    assert_int_equal(streamd_fail(run, "lost"), 4); /* nothing was acknowledged in time */
    fake_expect(d, LINE_FAIL, 4);
    assert_true(span_is(d->line.error, "lost"));
}

static void nothing_is_sent_before_the_daemon_has_said_where_it_stands(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.resume = true});
    log_steps(run, 1, 3);
    fake_accept(d);
    fake_hear(d);
    assert_true(d->line.resume);
    fake_say(d, "{\"type\":\"started\",\"sessionId\":\"run-1\",\"lastSeq\":500}\n");
    expect_steps(d, 1, 3, 501);
    end_well(d, run, 504);
}

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
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = 60000});
    log_steps(run, 1, 1000);
    assert_false(streamd_connected(run));
    assert_int_equal(streamd_dropped(run), 0);
    assert_int_equal(streamd_finish(run), 1001);
    assert_true(now_s() - before < 5.0); /* and not the minute that finish may take */
}

static void an_impossible_path_is_no_daemon(void **state)
{
    (void)state;
    char path[300];
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    struct streamd_run *run = streamd_init(&(struct streamd_options){.socket_path = path});
    assert_non_null(run);
    log_steps(run, 1, 1);
    assert_int_equal(streamd_finish(run), 2);
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
    struct streamd_run *run = begun(d, (struct streamd_options){.memory_bytes = 1});
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
    struct streamd_run *run =
        begun(d, (struct streamd_options){.memory_bytes = 1 << 20, .finish_ms = 200});
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
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = 100});
    fake_begin(d, 0);
    log_steps(run, 1, 3);
    double before = now_s();
    assert_int_equal(streamd_finish(run), 4);
    assert_true(now_s() - before >= 0.09);
    assert_true(now_s() - before < 5.0);
    expect_steps(d, 1, 3, 1);
    fake_expect(d, LINE_COMPLETE, 4);
}

struct heard {
    pthread_mutex_t lock;
    unsigned count;
    char text[200];
};

static void hear_control(void *context, const char *command, const char *reason)
{
    struct heard *heard = context;
    (void)pthread_mutex_lock(&heard->lock);
    heard->count++;
    (void)snprintf(heard->text, sizeof(heard->text), "%s: %s", command, reason);
    (void)pthread_mutex_unlock(&heard->lock);
}

static bool was_heard(struct heard *heard, unsigned count, const char *text)
{
    (void)pthread_mutex_lock(&heard->lock);
    bool was = heard->count == count && strcmp(heard->text, text) == 0;
    (void)pthread_mutex_unlock(&heard->lock);
    return was;
}

static void control_lines_stop_pause_and_resume(void **state)
{
    struct fake_daemon *d = *state;
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};
    fake_listen(d);
    struct streamd_run *run =
        begun(d, (struct streamd_options){.on_control = hear_control, .control_context = &heard});
    fake_begin(d, 0);
    fake_say(d, "{\"type\":\"control\",\"sessionId\":\"run-1\",\"command\":\"pause\"}\n");
    ASSERT_SOON(was_heard(&heard, 1, "pause: "));
    assert_true(streamd_paused(run));
    fake_say(d, "{\"type\":\"control\",\"command\":\"resume\",\"reason\":\"\"}\n");
    ASSERT_SOON(was_heard(&heard, 2, "resume: "));
    assert_false(streamd_paused(run));
    fake_say(d, "{\"type\":\"control\",\"command\":\"checkpoint\",\"reason\":\"a\\nb\"}\n");
    ASSERT_SOON(was_heard(&heard, 3, "checkpoint: a\nb"));
    assert_false(streamd_should_stop(run));
    fake_say(d, "{\"type\":\"control\",\"sessionId\":\"other\",\"command\":\"pause\"}\n"
                "nonsense\n[]\n{\"type\":\"news\"}\n"
                "{\"type\":\"control\",\"sessionId\":\"run-1\",\"command\":\"stop\"}\n");
    ASSERT_SOON(was_heard(&heard, 4, "stop: "));
    assert_true(streamd_should_stop(run));
    assert_false(streamd_paused(run));
    end_well(d, run, 1);
}

static void a_refused_line_counts_as_given_up(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 1);
    expect_steps(d, 1, 1, 1);
    fake_say(d, "{\"type\":\"error\",\"code\":\"metrics\",\"message\":\"no\"}\n");
    ASSERT_SOON(streamd_dropped(run) == 1);
    pthread_t thread = finish_begun(run);
    fake_expect(d, LINE_COMPLETE, 2);
    fake_ack(d, 2);
    assert_int_equal(finished(thread), 1);
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

static void values_that_no_line_can_hold_are_counted(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    streamd_log(run, 1, NULL, 0);
    streamd_log(run, 2, &(struct streamd_metric){"\xff", 1}, 1);
    log_steps(run, 3, 3);
    fake_hear(d);
    assert_step(d, 3);
    assert_int_equal(streamd_dropped(run), 2);
    uint64_t seq = d->line.seq;
    pthread_t thread = finish_begun(run);
    fake_expect(d, LINE_COMPLETE, seq + 1);
    fake_ack(d, seq + 1);
    assert_int_equal(finished(thread), 2);
}

enum { THREADS = 4, EACH = 1000 };

static void *log_from_thread(void *context)
{
    void **arguments = context;
    uintptr_t base = (uintptr_t)arguments[1] * EACH;
    log_steps(arguments[0], (int64_t)base, (int64_t)base + EACH - 1);
    return NULL;
}

static void every_thread_may_log_and_keeps_its_own_order(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    pthread_t threads[THREADS];
    void *arguments[THREADS][2];
    for (uintptr_t i = 0; i < THREADS; i++) {
        arguments[i][0] = run;
        arguments[i][1] = (void *)i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_from_thread, arguments[i]), 0);
    }
    int64_t next[THREADS] = {0, EACH, 2 * EACH, 3 * EACH};
    for (uint64_t seq = 1; seq <= THREADS * EACH; seq++) {
        fake_expect(d, LINE_PROGRESS, seq);
        int64_t step = d->line.record.field[F_CURRENT_STEP].i;
        assert_in_range(step, 0, THREADS * EACH - 1);
        assert_int_equal(step, next[step / EACH]++);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    end_well(d, run, THREADS * EACH + 1);
}

/* Tries every call in the child; lives until the pipe `until` ends. */
static void be_child(struct streamd_run *run, int until)
{
    char byte;
    log_steps(run, 100, 200);
    streamd_model_completed(run, 9);
    bool inert = !streamd_connected(run) && !streamd_should_stop(run) && !streamd_paused(run) &&
                 streamd_dropped(run) == 0 && streamd_finish(run) == 0;
    ssize_t got = read(until, &byte, 1);
    _exit(inert && got == 0 ? 0 : 1);
}

static void in_a_forked_child_the_run_is_inert(void **state)
{
    struct fake_daemon *d = *state;
    int until[2];
    assert_int_equal(pipe(until), 0);
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){0});
    fake_begin(d, 0);
    log_steps(run, 1, 2);
    expect_steps(d, 1, 2, 1);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(until[1]);
        (void)close(d->connection);
        be_child(run, until[0]);
    }
    (void)close(until[0]);
    log_steps(run, 3, 3);
    expect_steps(d, 3, 3, 3);
    end_well(d, run, 4); /* hears the connection end although the child lives */
    (void)close(until[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void the_socket_is_found_through_the_environment(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    (void)setenv("STREAMD_SOCKET", d->path, 1);
    struct streamd_run *run = streamd_init(NULL);
    (void)unsetenv("STREAMD_SOCKET");
    fake_begin(d, 0);
    end_well(d, run, 1);
    fake_hang_up(d);

    (void)setenv("XDG_RUNTIME_DIR", d->folder, 1);
    run = streamd_init(NULL);
    (void)unsetenv("XDG_RUNTIME_DIR");
    fake_begin(d, 0);
    end_well(d, run, 1);
}

static void no_run_is_no_trouble(void **state)
{
    (void)state;
    streamd_log(NULL, 1, &(struct streamd_metric){"loss", 1}, 1);
    streamd_log_epoch(NULL, NULL, 0);
    streamd_model_completed(NULL, 0);
    assert_string_equal(streamd_run_id(NULL), "");
    assert_false(streamd_should_stop(NULL));
    assert_false(streamd_paused(NULL));
    assert_false(streamd_connected(NULL));
    assert_int_equal(streamd_dropped(NULL), 0);
    assert_int_equal(streamd_finish(NULL), 0);
    assert_int_equal(streamd_fail(NULL, "why"), 0);
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(lines_arrive_in_order_and_numbered),
        WITH_DAEMON(start_says_what_the_options_say),
        WITH_DAEMON(unusable_options_are_left_out),
        WITH_DAEMON(every_kind_of_line_is_sent),
        WITH_DAEMON(nothing_is_sent_before_the_daemon_has_said_where_it_stands),
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
        WITH_DAEMON(control_lines_stop_pause_and_resume),
        WITH_DAEMON(a_refused_line_counts_as_given_up),
        WITH_DAEMON(a_refused_start_is_tried_again),
        WITH_DAEMON(values_that_no_line_can_hold_are_counted),
        WITH_DAEMON(every_thread_may_log_and_keeps_its_own_order),
        WITH_DAEMON(in_a_forked_child_the_run_is_inert),
        WITH_DAEMON(the_socket_is_found_through_the_environment),
        WITH_DAEMON(no_run_is_no_trouble),
    };
    return cmocka_run_group_tests_name("clients/c/streamd_client", tests, NULL, NULL);
}
