/* SPDX-License-Identifier: MIT */
#include "tests/clients/c/client_run.h"
#include "tests/support/oom.h"

#include <math.h>
#include <sys/wait.h>

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

static void
knobs_are_declared_without_a_config_too_and_a_config_that_does_not_fit_is_none(void **state)
{
    struct fake_daemon *d = *state;
    const struct streamd_knob knob = {"lr", STREAMD_FLOAT, 0.5, 0, 0};
    char *config = calloc(1, LINE_BYTES_MAX + 16);
    assert_non_null(config);
    (void)snprintf(config, LINE_BYTES_MAX + 16, "{\"a\":\"%0*d\"}", LINE_BYTES_MAX, 0);
    fake_listen(d);
    struct streamd_run *run =
        begun(d, (struct streamd_options){.config_json = config, .knobs = &knob, .knob_count = 1});
    free(config);
    fake_begin(d, 0);
    assert_string_equal(d->text, "{\"type\":\"start\",\"sessionId\":\"run-1\",\"resume\":false}");
    end_well(d, run, 1);
    fake_hang_up(d);

    run = begun(d, (struct streamd_options){.knobs = &knob, .knob_count = 1});
    fake_begin(d, 0);
    assert_true(span_is(d->line.config, "{\"knobs\":{\"lr\":{\"type\":\"float\",\"value\":0.5}}}"));
    end_well(d, run, 1);
}

static void every_kind_of_line_is_sent(void **state)
{
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = 1, .no_spool = true});
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

/* The answer that comes next: to that order, with that outcome. */
static void expect_answer(struct fake_daemon *d, uint64_t id, const char *outcome)
{
    fake_hear(d);
    assert_int_equal(d->line.type, LINE_ANSWER);
    assert_int_equal(d->line.order_id, id);
    assert_true(span_is(d->line.outcome, outcome));
}

static void orders_are_answered_as_the_training_obeys_them(void **state)
{
    static const struct streamd_knob knobs[] = {
        {"lr", STREAMD_FLOAT, 0.5, 0.1, 1},
        {"n", STREAMD_INT, 4, 0, 0},
        {"on", STREAMD_BOOL, 1, 0, 0},
        {"no name", STREAMD_FLOAT, 0, 0, 0},
    };
    struct fake_daemon *d = *state;
    fake_listen(d);
    struct streamd_run *run = begun(
        d, (struct streamd_options){.config_json = "{\"a\":1}", .knobs = knobs, .knob_count = 4});
    fake_begin(d, 0);
    assert_non_null(strstr(d->text, "\"config\":{\"a\":1,\"knobs\":{\"lr\":{\"type\":\"float\","
                                    "\"min\":0.1,\"max\":1,\"value\":0.5},\"n\":{\"type\":\"int\","
                                    "\"value\":4},\"on\":{\"type\":\"bool\",\"value\":true}}}"));
    fake_say(d, "{\"type\":\"control\",\"id\":1,\"command\":\"set\",\"knob\":\"lr\","
                "\"value\":0.25}\n");
    expect_answer(d, 1, "accepted");
    assert_true(streamd_knob(run, "lr") == 0.25);
    expect_answer(d, 1, "done");
    assert_true(d->line.has_value && d->line.value == 0.25);
    assert_true(streamd_knob(run, "lr") == 0.25 && isnan(streamd_knob(run, "none")));
    fake_say(d, "{\"type\":\"control\",\"id\":2,\"command\":\"set\",\"knob\":\"lr\",\"value\":2}\n"
                "{\"type\":\"control\",\"id\":3,\"command\":\"set\",\"knob\":\"n\",\"value\":1.5}\n"
                "{\"type\":\"control\",\"id\":4,\"command\":\"set\",\"knob\":\"on\",\"value\":0}\n"
                "{\"type\":\"control\",\"id\":5,\"command\":\"checkpoint\"}\n");
    for (uint64_t id = 2; id <= 5; id++)
        expect_answer(d, id, "refused");
    fake_say(d, "{\"type\":\"error\",\"code\":\"answered\",\"message\":\"late\"}\n"
                "{\"type\":\"control\",\"id\":6,\"command\":\"pause\"}\n");
    expect_answer(d, 6, "accepted");
    assert_true(streamd_paused(run) && streamd_paused(run));
    expect_answer(d, 6, "done");
    fake_say(d, "{\"type\":\"control\",\"id\":7,\"command\":\"resume\"}\n"
                "{\"type\":\"control\",\"id\":8,\"command\":\"stop\"}\n");
    expect_answer(d, 7, "done");
    expect_answer(d, 8, "accepted");
    assert_true(streamd_should_stop(run));
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
    assert_true(isnan(streamd_knob(NULL, "lr")));
    assert_false(streamd_should_stop(NULL));
    assert_false(streamd_paused(NULL));
    assert_false(streamd_connected(NULL));
    assert_int_equal(streamd_dropped(NULL), 0);
    assert_int_equal(streamd_finish(NULL), 0);
    assert_int_equal(streamd_fail(NULL, "why"), 0);
}

static void without_memory_there_is_no_run(void **state)
{
    struct fake_daemon *d = *state;
    for (size_t nth = 1; nth <= 2; nth++) {
        oom_fail(nth);
        assert_null(streamd_init(&(struct streamd_options){.socket_path = d->path}));
        assert_true(oom_failed());
    }
}

/* No line more than the training logs, and the training's own value of a name is the one that
 * counts. */
static void a_second_of_the_machine_goes_along(void **state)
{
    struct fake_daemon *d = *state;
    const struct streamd_metric own[] = {{"loss", 0.5}, {"rss_mb", -1}};
    bool seen = false;
    fake_listen(d);
    struct streamd_run *run = streamd_init(
        &(struct streamd_options){.socket_path = d->path, .session_id = "run-1", .no_spool = true});
    assert_non_null(run);
    fake_begin(d, 0);
    double by = now_s() + 10;
    for (int64_t step = 1; !seen && now_s() < by; step++) {
        streamd_log(run, step, own, 2);
        fake_expect(d, LINE_PROGRESS, (uint64_t)step);
        assert_int_equal(d->line.record.field[F_CURRENT_STEP].i, step);
        assert_true(num_double(*record_extra(&d->line.record, SPAN("rss_mb"))) == -1);
        seen = record_extra(&d->line.record, SPAN("cpu_percent"));
    }
    assert_true(seen);
    streamd_log(run, 1000000, own, 2);
    fake_hear(d);
    assert_null(record_extra(&d->line.record, SPAN("cpu_percent"))); /* once */
    fake_hang_up(d);
    (void)streamd_finish(run);
}

static void *leave_thread(void *run)
{
    return (void *)(uintptr_t)streamd_leave(run);
}

static void a_run_that_is_left_goes_on(void **state)
{
    struct fake_daemon *d = *state;
    pthread_t thread;
    fake_listen(d);
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = 5000});
    fake_begin(d, 0);
    log_steps(run, 1, 1);
    expect_steps(d, 1, 1, 1);
    assert_int_equal(pthread_create(&thread, NULL, leave_thread, run), 0);
    fake_ack(d, 1);
    assert_int_equal(finished(thread), 0);
    assert_false(fake_hear_or_end(d));
    assert_int_equal(streamd_leave(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(lines_arrive_in_order_and_numbered),
        WITH_DAEMON(start_says_what_the_options_say),
        WITH_DAEMON(unusable_options_are_left_out),
        WITH_DAEMON(knobs_are_declared_without_a_config_too_and_a_config_that_does_not_fit_is_none),
        WITH_DAEMON(every_kind_of_line_is_sent),
        WITH_DAEMON(without_memory_there_is_no_run),
        WITH_DAEMON(a_second_of_the_machine_goes_along),
        WITH_DAEMON(a_run_that_is_left_goes_on),
        WITH_DAEMON(nothing_is_sent_before_the_daemon_has_said_where_it_stands),
        WITH_DAEMON(control_lines_stop_pause_and_resume),
        WITH_DAEMON(orders_are_answered_as_the_training_obeys_them),
        WITH_DAEMON(a_refused_line_counts_as_given_up),
        WITH_DAEMON(values_that_no_line_can_hold_are_counted),
        WITH_DAEMON(every_thread_may_log_and_keeps_its_own_order),
        WITH_DAEMON(in_a_forked_child_the_run_is_inert),
        WITH_DAEMON(the_socket_is_found_through_the_environment),
        WITH_DAEMON(no_run_is_no_trouble),
    };
    return cmocka_run_group_tests_name("clients/c/streamd_client", tests, NULL, NULL);
}
