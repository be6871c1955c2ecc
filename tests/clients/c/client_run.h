/* SPDX-License-Identifier: MIT */
/*
 * client_run: a run of the C client against a fake daemon, and what tests do with the two.
 *
 * A step's loss is an eighth of its number, so that a line can be told from any other.
 */
#ifndef TESTS_CLIENTS_C_CLIENT_RUN_H
#define TESTS_CLIENTS_C_CLIENT_RUN_H

#include "clients/c/streamd_client.h"
#include "tests/clients/c/fake_daemon.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

static inline double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline int setup(void **state)
{
    struct fake_daemon *d = malloc(sizeof(*d));
    assert_non_null(d);
    fake_folder(d);
    *state = d;
    return 0;
}

static inline int teardown(void **state)
{
    fake_end(*state);
    free(*state);
    return 0;
}

static inline struct streamd_run *begun(struct fake_daemon *d, struct streamd_options options)
{
    options.socket_path = d->path;
    options.session_id = options.session_id ? options.session_id : "run-1";
    options.no_system = true; /* lines are compared to the byte */
    struct streamd_run *run = streamd_init(&options);
    assert_non_null(run);
    return run;
}

static inline void log_steps(struct streamd_run *run, int64_t first, int64_t last)
{
    for (int64_t step = first; step <= last; step++)
        streamd_log(run, step, &(struct streamd_metric){"loss", (double)step / 8}, 1);
}

static inline void assert_step(const struct fake_daemon *d, int64_t step)
{
    assert_int_equal(d->line.record.field[F_CURRENT_STEP].i, step);
    assert_true(num_double(d->line.record.field[F_LOSS]) == (double)step / 8);
}

static inline void expect_steps(struct fake_daemon *d, int64_t first, int64_t last, uint64_t seq)
{
    for (int64_t step = first; step <= last; step++) {
        fake_expect(d, LINE_PROGRESS, seq++);
        assert_step(d, step);
    }
}

static inline void *finish_thread(void *run)
{
    return (void *)(uintptr_t)streamd_finish(run);
}

/* finish() waits for the daemon, which is the test: it goes to a thread of its own. */
static inline pthread_t finish_begun(struct streamd_run *run)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, finish_thread, run), 0);
    return thread;
}

static inline uint64_t finished(pthread_t thread)
{
    void *dropped;
    assert_int_equal(pthread_join(thread, &dropped), 0);
    return (uint64_t)(uintptr_t)dropped;
}

/* Ends the run, whose next line has this seq, with the daemon's blessing. */
static inline void end_well(struct fake_daemon *d, struct streamd_run *run, uint64_t seq)
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

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
