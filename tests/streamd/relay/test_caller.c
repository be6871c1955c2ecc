/* SPDX-License-Identifier: MIT */
/* What a trainer says to a relay that cannot take it, and what happens when it leaves. */
#include "streamd/relay/caller.h"

#include "streamd/relay/carrier.h"
#include "streamd/session/orphans.h"
#include "tests/streamd/relay/relay_world.h"

#include <sys/wait.h>

static void trainer_hears_the_end(struct relay_world *w)
{
    while (!w->trainer.ended)
        sleeps(w);
}

/* `bytes` of a line of `run` that does not name it. */
static void trainer_says_a_line_of(struct relay_world *w, size_t bytes)
{
    static const char head[] = "{\"type\":\"progress\",\"metrics\":{},\"text\":\"";
    size_t len = sizeof(head) - 1;
    char *line = malloc(bytes + 1);
    assert_non_null(line);
    memcpy(line, head, len);
    memset(line + len, 'x', bytes - len - 2);
    memcpy(line + bytes - 2, "\"}", 3);
    trainer_says(w, line);
    free(line);
}

static void a_line_that_its_run_makes_too_long_is_refused_and_the_next_is_taken(void **state)
{
    struct relay_world *w = *state;
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    trainer_says_a_line_of(w, LINE_BYTES_MAX);
    trainer_hears(w, "\"code\":\"too_long\",\"message\":\"with its sessionId it is too long\"");
    trainer_says(w, "{\"type\":\"progress\",\"seq\":1,\"metrics\":{}}");
    assert_int_equal(relay_find(w->relay, SPAN("run"))->backlog.count, 1);
    assert_false(w->trainer.ended);
}

static void a_line_longer_than_any_may_be_ends_the_connection(void **state)
{
    struct relay_world *w = *state;
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    trainer_says_a_line_of(w, LINE_BYTES_MAX + 1);
    trainer_hears(w, "\"code\":\"too_long\"");
    trainer_hears_the_end(w);
}

/* The id of a process that is no more. */
static int dead_process(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void begins_and_dies(struct relay_world *w, int pid, const char *start)
{
    trainer_comes(w, pid);
    trainer_says(w, start);
    passes(w, ORPHAN_LIVED_US);
    trainer_leaves(w);
    settles(w);
}

static void a_dead_trainers_run_has_failed_unless_another_came_for_it(void **state)
{
    struct relay_world *w = *state;
    int pid = dead_process(); /* before there are threads */
    (void)close(w->hub.listener);
    w->hub.listener = -1;
    begins_and_dies(w, pid, "{\"type\":\"start\",\"sessionId\":\"left\"}");
    begins_and_dies(w, pid, "{\"type\":\"start\",\"sessionId\":\"taken\"}");
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"taken\",\"resume\":true}");
    size_t start = relay_find(w->relay, SPAN("taken"))->backlog.count;
    passes(w, ORPHAN_GRACE_US);
    passes(w, ORPHAN_LOOK_US);
    assert_int_equal(relay_find(w->relay, SPAN("left"))->backlog.count, 1);
    assert_int_equal(relay_find(w->relay, SPAN("taken"))->backlog.count, start);
}

static void no_more_runs_are_begun_than_may_be(void **state)
{
    struct relay_world *w = *state;
    char line[64];
    trainer_comes(w, 0);
    /* Its timers stand still: none of them is to connect. */
    for (int i = 0; i <= RELAY_RUNS_MAX; i++) {
        int len = snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"r%d\"}\n", i);
        sends(w->trainer.fd, line, (size_t)len);
        assert_false(trainer_has_heard(w, "\"limit\""));
        ev_run(w->loop, EVRUN_NOWAIT);
    }
    sends(w->trainer.fd, "{\"type\":\"progress\",\"metrics\":{}}\n", 34);
    for (int i = 0; i < 3; i++)
        ev_run(w->loop, EVRUN_NOWAIT);
    assert_true(trainer_has_heard(w, "\"code\":\"limit\""));
    /* It is not taken for one of the run before. */
    assert_true(trainer_has_heard(w, "\"code\":\"unknown_session\""));
    assert_int_equal(w->stats.relayed_runs, RELAY_RUNS_MAX);
}

static void a_trainer_that_reads_late_is_not_read_meanwhile_and_hears_all(void **state)
{
    enum { PINGS = 16 * 1024 };
    static const char ping[] = "{\"type\":\"ping\"}\n";
    static const char pong[] = "{\"type\":\"pong\"}\n";
    struct relay_world *w = *state;
    size_t len = sizeof(ping) - 1;
    size_t said = 0;
    trainer_comes(w, 0);
    ev_io_stop(w->loop, &w->trainer.readable);
    /* A line at a time, so that none is said by half. */
    while (said < PINGS && send(w->trainer.fd, ping, len, MSG_DONTWAIT) == (ssize_t)len) {
        said++;
        settles(w);
    }
    assert_in_range(said, 1, PINGS - 1);
    ev_io_start(w->loop, &w->trainer.readable);
    while (w->trainer.heard.len < said * (sizeof(pong) - 1))
        sleeps(w);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    trainer_hears(w, "\"started\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(a_line_that_its_run_makes_too_long_is_refused_and_the_next_is_taken),
        RELAY_TEST(a_line_longer_than_any_may_be_ends_the_connection),
        RELAY_TEST(no_more_runs_are_begun_than_may_be),
        RELAY_TEST(a_trainer_that_reads_late_is_not_read_meanwhile_and_hears_all),
        RELAY_TEST(a_dead_trainers_run_has_failed_unless_another_came_for_it),
    };
    return cmocka_run_group_tests_name("streamd/relay/caller", tests, NULL, NULL);
}
