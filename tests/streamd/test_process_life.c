/* SPDX-License-Identifier: MIT */
#include "streamd/process_life.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void *wait_for_end(void *unused)
{
    (void)pause();
    return unused;
}

/* Ends its first thread and keeps another. */
static void lose_first_thread(int ready)
{
    pthread_t other;
    if (pthread_create(&other, NULL, wait_for_end, NULL) != 0)
        _exit(1);
    (void)close(ready);
    pthread_exit(NULL);
}

/* A child that has ended; nobody has waited for it. */
static pid_t zombie(const char *name)
{
    siginfo_t ended;
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_NAME, name);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    return pid;
}

static void a_process_lives_until_it_ends(void **state)
{
    (void)state;
    assert_true(process_lives(getpid()));
    assert_true(process_lives(1)); /* which may not be signalled, unless by root */
    pid_t pid = fork();
    if (pid == 0) {
        (void)pause();
        _exit(0);
    }
    bool lived = process_lives(pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(lived);
    assert_false(process_lives(pid));
}

static void a_zombie_does_not_live_whatever_its_name_is(void **state)
{
    static const char *const names[] = {"trainer", "a) S 1 (b", ") R 1 1 1 1", "(((", "))) S"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        pid_t pid = zombie(names[i]);
        assert_int_equal(kill(pid, 0), 0);
        if (process_lives(pid))
            fail_msg("%s", names[i]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
}

static void a_process_whose_first_thread_has_ended_lives(void **state)
{
    int ready[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0)
        lose_first_thread(ready[1]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    bool lives = true;
    for (unsigned i = 0; i < 1000 && lives; i++)
        lives = process_lives(pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(lives);
    (void)close(ready[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_lives_until_it_ends),
        cmocka_unit_test(a_zombie_does_not_live_whatever_its_name_is),
        cmocka_unit_test(a_process_whose_first_thread_has_ended_lives),
    };
    return cmocka_run_group_tests_name("streamd/process_life", tests, NULL, NULL);
}
