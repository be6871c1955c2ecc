/* SPDX-License-Identifier: MIT */
/*
 * Real children, waited for with waitid(WNOWAIT): it blocks until one has ended and leaves it to be
 * reaped, so nothing here sleeps.
 */
#include "streamd/http/trainer_command.h"

#include "tests/support/http_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_S = 1 };

static char output_path[] = "/tmp/streamd-trainer-XXXXXX";

static int make_output(void **state)
{
    (void)state;
    int fd = mkstemp(output_path);
    if (fd < 0)
        return -1;
    (void)close(fd);
    return setenv("TEST_OUTPUT", output_path, 1);
}

static int remove_output(void **state)
{
    (void)state;
    return unlink(output_path);
}

static void open_with(struct world *w, const char *command)
{
    *w = (struct world){.json = NULL};
    world_config(w);
    w->config.trainer_command = command;
    w->config.socket_path = "/run/test/streamd.sock";
    world_open(w);
}

static void start_session(struct world *w, const char *id)
{
    char line[192];
    (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"%s\"}", id);
    world_line(w, line);
}

static enum status launch(struct world *w, const char *id, const char *config)
{
    return trainer_command_start(w->app->control.trainers, span_of(id), span_of(config));
}

static void await_end_of_any(void)
{
    siginfo_t info;
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

static void reap(struct world *w)
{
    trainer_command_reap(w->app->control.trainers, w->now);
}

/* Runs the command for session "a" to its end and past the time of grace. */
static void run_to_end(struct world *w)
{
    start_session(w, "a");
    assert_int_equal(launch(w, "a", "{}"), OK);
    await_end_of_any();
    reap(w);
    world_pass(w, GRACE_S);
}

static const struct session *session_a(const struct world *w)
{
    const struct session *s = registry_find(&w->app->registry, SPAN("a"));
    assert_non_null(s);
    return s;
}

static void read_output(char *text, size_t cap)
{
    FILE *file = fopen(output_path, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, cap - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
}

static void the_command_is_told_socket_session_and_config(void **state)
{
    struct world w;
    char text[512];
    (void)state;
    assert_int_equal(setenv("STREAMD_CONFIG", "stale", 1), 0);
    open_with(&w, "printf '%s|%s|%s|%s' \"$STREAMD_SOCKET\" \"$STREAMD_SESSION_ID\" "
                  "\"$STREAMD_CONFIG\" \"$TEST_OUTPUT\" > \"$TEST_OUTPUT\"");
    start_session(&w, "run.1");
    assert_int_equal(launch(&w, "run.1", "{\"lr\":\"$(id)';`\"}"), OK);
    await_end_of_any();
    reap(&w);
    read_output(text, sizeof(text));
    assert_true(strncmp(text, "/run/test/streamd.sock|run.1|{\"lr\":\"$(id)';`\"}|/tmp/", 50) == 0);
    assert_int_equal(unsetenv("STREAMD_CONFIG"), 0);
    world_close(&w);
}

/* A set from /proc, without 32 and 33, which are the C library's own and cannot be touched. */
static unsigned long long signals_of(const char *status, const char *name)
{
    const char *found = strstr(status, name);
    assert_non_null(found);
    return strtoull(found + strlen(name), NULL, 16) & ~0x180000000ULL;
}

static void the_command_inherits_no_signals_and_no_descriptors(void **state)
{
    struct world w;
    char text[512];
    sigset_t blocked;
    sigset_t before;
    (void)state;
    (void)sigfillset(&blocked);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
    void (*pipe_action)(int) = signal(SIGPIPE, SIG_IGN);
    /* A number that nobody else has; what we inherited ourselves is not our doing. */
    int ours = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 200);
    assert_int_equal(ours, 200);
    open_with(&w, "exec 3>\"$TEST_OUTPUT\"; grep -E '^Sig(Blk|Ign)' /proc/self/status >&3; "
                  "echo \"stdin $(readlink /proc/$$/fd/0)\" >&3; "
                  "echo \"descriptors $(echo /proc/$$/fd/*)\" >&3; "
                  "test \"$(cut -d' ' -f5 /proc/$$/stat)\" = $$ && echo leader >&3");
    run_to_end(&w);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    (void)signal(SIGPIPE, pipe_action);
    (void)close(ours);
    read_output(text, sizeof(text));
    assert_int_equal(signals_of(text, "SigBlk:\t"), 0);
    assert_int_equal(signals_of(text, "SigIgn:\t"), 0);
    assert_non_null(strstr(text, "stdin /dev/null\n"));
    assert_non_null(strstr(text, "/fd/2 "));
    assert_null(strstr(text, "/fd/200"));
    assert_non_null(strstr(text, "leader\n"));
    world_close(&w);
}

static void a_trainer_that_ends_without_a_word_fails_its_session(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exit 3");
    run_to_end(&w);
    assert_int_equal(session_a(&w)->state, SESSION_FAILED);
    assert_string_equal(session_a(&w)->error,
                        "the trainer command ended with status 3 before complete");
    world_close(&w);
}

static void even_a_good_end_is_no_complete(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exit 0");
    run_to_end(&w);
    assert_int_equal(session_a(&w)->state, SESSION_FAILED);
    world_close(&w);
}

static void a_trainer_that_is_killed_is_said_to_be(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "kill -KILL $$");
    run_to_end(&w);
    assert_string_equal(session_a(&w)->error, "the trainer command was ended by signal 9 (Killed)");
    world_close(&w);
}

static void lines_that_come_after_the_end_still_count(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exit 0");
    start_session(&w, "a");
    assert_int_equal(launch(&w, "a", "{}"), OK);
    await_end_of_any();
    reap(&w);
    world_pass(&w, 0.5);
    assert_int_equal(session_a(&w)->state, SESSION_STARTING);
    world_line(&w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    world_pass(&w, GRACE_S);
    assert_int_equal(session_a(&w)->state, SESSION_COMPLETED);
    assert_null(session_a(&w)->error);
    world_close(&w);
}

static void the_end_of_a_session_that_is_gone_is_no_news(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exit 1");
    start_session(&w, "a");
    assert_int_equal(launch(&w, "a", "{}"), OK);
    await_end_of_any();
    registry_remove(&w.app->registry, registry_find(&w.app->registry, SPAN("a")));
    reap(&w);
    world_pass(&w, GRACE_S);
    assert_null(registry_find(&w.app->registry, SPAN("a")));
    world_close(&w);
}

static void a_child_that_somebody_else_reaped_has_ended(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exit 0");
    start_session(&w, "a");
    assert_int_equal(launch(&w, "a", "{}"), OK);
    assert_true(waitpid(-1, NULL, 0) > 0);
    reap(&w);
    world_pass(&w, GRACE_S);
    assert_int_equal(session_a(&w)->state, SESSION_FAILED);
    world_close(&w);
}

static void one_session_has_one_trainer(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exec sleep 60");
    start_session(&w, "a");
    assert_int_equal(launch(&w, "a", "{}"), OK);
    assert_int_equal(launch(&w, "a", "{}"), E_STATE);
    assert_true(trainer_command_stop(w.app->control.trainers, SPAN("a")));
    assert_false(trainer_command_stop(w.app->control.trainers, SPAN("b")));
    await_end_of_any();
    reap(&w);
    assert_false(trainer_command_stop(w.app->control.trainers, SPAN("a")));
    assert_int_equal(launch(&w, "a", "{}"), OK);
    world_close(&w);
    assert_true(waitpid(-1, NULL, 0) > 0);
}

static void a_stop_reaches_the_whole_group(void **state)
{
    struct world w;
    int fds[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFD, FD_CLOEXEC), 0);
    open_with(&w, "sleep 60 & sleep 60");
    start_session(&w, "a");
    assert_int_equal(launch(&w, "a", "{}"), OK);
    (void)close(fds[1]); /* now only the shell and its children hold the other end */
    assert_true(trainer_command_stop(w.app->control.trainers, SPAN("a")));
    assert_int_equal(read(fds[0], &byte, 1), 0);
    await_end_of_any();
    reap(&w);
    (void)close(fds[0]);
    world_close(&w);
}

static void sixteen_run_at_a_time(void **state)
{
    struct world w;
    char id[16];
    (void)state;
    open_with(&w, "exec sleep 60");
    for (int i = 0; i < TRAINER_COMMANDS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        start_session(&w, id);
        assert_int_equal(launch(&w, id, "{}"), OK);
    }
    assert_int_equal(launch(&w, "one-more", "{}"), E_LIMIT);
    assert_true(trainer_command_stop(w.app->control.trainers, SPAN("s3")));
    await_end_of_any();
    reap(&w);
    assert_int_equal(launch(&w, "one-more", "{}"), E_LIMIT);
    world_pass(&w, GRACE_S);
    assert_int_equal(launch(&w, "one-more", "{}"), OK);
    world_close(&w);
    for (int i = 0; i < TRAINER_COMMANDS_MAX; i++)
        assert_true(waitpid(-1, NULL, 0) > 0);
}

static void a_config_that_no_start_line_could_carry_is_refused(void **state)
{
    struct world w;
    static char large[TRAINER_CONFIG_BYTES_MAX + 2];
    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    open_with(&w, "exit 0");
    assert_int_equal(launch(&w, "a", large), E_LIMIT);
    world_close(&w);
}

static void pausing_is_remembered_while_the_trainer_runs(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "exec sleep 60");
    struct trainer_command *t = w.app->control.trainers;
    start_session(&w, "a");
    trainer_command_set_paused(t, SPAN("a"), true);
    assert_false(trainer_command_paused(t, SPAN("a")));
    assert_int_equal(launch(&w, "a", "{}"), OK);
    assert_false(trainer_command_paused(t, SPAN("a")));
    trainer_command_set_paused(t, SPAN("a"), true);
    assert_true(trainer_command_paused(t, SPAN("a")));
    trainer_command_set_paused(t, SPAN("a"), false);
    assert_false(trainer_command_paused(t, SPAN("a")));
    trainer_command_set_paused(t, SPAN("a"), true);
    assert_true(trainer_command_stop(t, SPAN("a")));
    await_end_of_any();
    reap(&w);
    assert_false(trainer_command_paused(t, SPAN("a")));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_is_told_socket_session_and_config),
        cmocka_unit_test(the_command_inherits_no_signals_and_no_descriptors),
        cmocka_unit_test(a_trainer_that_ends_without_a_word_fails_its_session),
        cmocka_unit_test(even_a_good_end_is_no_complete),
        cmocka_unit_test(a_trainer_that_is_killed_is_said_to_be),
        cmocka_unit_test(lines_that_come_after_the_end_still_count),
        cmocka_unit_test(the_end_of_a_session_that_is_gone_is_no_news),
        cmocka_unit_test(a_child_that_somebody_else_reaped_has_ended),
        cmocka_unit_test(one_session_has_one_trainer),
        cmocka_unit_test(a_stop_reaches_the_whole_group),
        cmocka_unit_test(sixteen_run_at_a_time),
        cmocka_unit_test(a_config_that_no_start_line_could_carry_is_refused),
        cmocka_unit_test(pausing_is_remembered_while_the_trainer_runs),
    };
    return cmocka_run_group_tests_name("http/trainer_command", tests, make_output, remove_output);
}
