/* SPDX-License-Identifier: MIT */
#include "streamd/session/orphans.h"

#include "streamd/session/interpreter.h"
#include "streamd/session/session_life.h"
#include "tests/streamd/domain.h"

#include <sys/wait.h>
#include <unistd.h>

enum { SECOND = 1000 * 1000 };

/* A process that is gone. */
static int a_dead_pid(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

/* One that has ended, and that nobody has waited for. */
static int a_zombie_pid(void)
{
    siginfo_t ended;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    return pid;
}

static struct session *open_run(struct domain *d)
{
    domain_defaults(d);
    domain_open(d);
    domain_take(d, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    domain_take(d, "{\"type\":\"progress\",\"metrics\":{\"loss\":1,\"step\":1}}");
    return domain_session(d, "a");
}

static void a_run_whose_trainer_died_has_failed(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    orphan_add(s, a_dead_pid(), d.now);
    domain_advance(&d, 4 * SECOND);
    assert_int_equal(s->state, SESSION_RUNNING);
    domain_advance(&d, 3 * SECOND);
    assert_int_equal(s->state, SESSION_FAILED);
    assert_non_null(strstr(s->error, "is gone"));
    assert_int_equal(session_assessment(s)->phase, PHASE_CRASHED);
    domain_close(&d);
}

static void all_runs_of_a_killed_trainer_that_nobody_waits_for_have_failed(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"b\"}");
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"c\"}");
    int pid = a_zombie_pid();
    orphan_add(s, pid, d.now);
    orphan_add(domain_session(&d, "b"), getpid(), d.now);
    orphan_add(domain_session(&d, "c"), pid, d.now);
    domain_advance(&d, 7 * SECOND);
    assert_int_equal(s->state, SESSION_FAILED);
    assert_int_equal(domain_session(&d, "b")->state, SESSION_STARTING);
    assert_int_equal(domain_session(&d, "c")->state, SESSION_FAILED);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    domain_close(&d);
}

static void whoever_says_something_new_takes_it_up_again(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    orphan_add(s, a_dead_pid(), d.now);
    domain_advance(&d, 10 * SECOND);
    domain_take(&d, "{\"type\":\"progress\",\"metrics\":{\"loss\":1,\"step\":2}}");
    assert_int_equal(s->state, SESSION_RUNNING);
    assert_null(s->error);
    domain_close(&d);
}

static void it_is_over_for_whoever_looks_and_may_be_forgotten(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    orphan_add(s, a_dead_pid(), d.now);
    domain_advance(&d, 10 * SECOND);
    assert_false(s->resumed); /* nobody has come back */
    assert_int_equal(registry_forget(&d.registry, s), OK);
    assert_null(domain_session(&d, "a"));
    domain_close(&d);
}

static void one_who_comes_back_in_time_has_not_died(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    orphan_add(s, a_dead_pid(), d.now);
    domain_advance(&d, 3 * SECOND);
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    domain_advance(&d, 60 * SECOND);
    assert_int_equal(s->state, SESSION_RUNNING);
    domain_close(&d);
}

static void one_that_lives_is_waited_for(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    orphan_add(s, getpid(), d.now);
    domain_advance(&d, 600 * SECOND);
    assert_int_equal(s->state, SESSION_RUNNING);
    orphan_add(s, a_dead_pid(), d.now);
    domain_advance(&d, 10 * SECOND);
    assert_int_equal(s->state, SESSION_FAILED);
    domain_close(&d);
}

static void what_is_over_is_no_orphan(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    domain_take(&d, "{\"type\":\"complete\"}");
    orphan_add(s, a_dead_pid(), d.now);
    orphan_add(s, 0, d.now);
    assert_true(list_empty(&d.registry.orphans.all));
    domain_advance(&d, 60 * SECOND);
    assert_int_equal(s->state, SESSION_COMPLETED);
    domain_close(&d);
}

static void an_orphan_that_expires_is_left_in_peace(void **state)
{
    struct domain d;
    (void)state;
    struct session *s = open_run(&d);
    orphan_add(s, a_dead_pid(), d.now);
    session_expire(s);
    domain_advance(&d, 60 * SECOND);
    assert_int_equal(s->state, SESSION_EXPIRED);
    domain_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_whose_trainer_died_has_failed),
        cmocka_unit_test(all_runs_of_a_killed_trainer_that_nobody_waits_for_have_failed),
        cmocka_unit_test(whoever_says_something_new_takes_it_up_again),
        cmocka_unit_test(it_is_over_for_whoever_looks_and_may_be_forgotten),
        cmocka_unit_test(one_who_comes_back_in_time_has_not_died),
        cmocka_unit_test(one_that_lives_is_waited_for),
        cmocka_unit_test(what_is_over_is_no_orphan),
        cmocka_unit_test(an_orphan_that_expires_is_left_in_peace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
