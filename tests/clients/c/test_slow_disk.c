/* SPDX-License-Identifier: MIT */
/* The spool's writes go through this file's own pwrite, which hangs when a test says so. */
#include "tests/clients/c/client_run.h"
#include "tests/clients/c/spool_folder.h"

#include <stdatomic.h>
#include <sys/syscall.h>

static atomic_int hangs_on = -1; /* a pipe; until it ends, nothing is written */
static atomic_bool entered;

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    int hangs = atomic_load(&hangs_on);
    char byte;
    atomic_store(&entered, true);
    if (hangs >= 0 && read(hangs, &byte, 1) > 0)
        return -1;
    return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

static int hang(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    atomic_store(&entered, false);
    atomic_store(&hangs_on, ends[0]);
    return ends[1];
}

static void release(int end)
{
    atomic_store(&hangs_on, -1);
    (void)close(end);
}

static void a_disk_that_hangs_holds_neither_log_nor_finish_up(void **state)
{
    struct fake_daemon *d = *state;
    int end = hang();
    struct streamd_run *run =
        begun(d, (struct streamd_options){.memory_bytes = 1, .finish_ms = 50});
    log_steps(run, 1, 300);
    ASSERT_SOON(atomic_load(&entered));
    double before = now_s();
    log_steps(run, 301, 100000);
    assert_true(now_s() - before < 5.0);
    assert_true(streamd_dropped(run) > 0);
    before = now_s();
    (void)streamd_finish(run);
    assert_true(now_s() - before < 5.0);
    release(end);
    ASSERT_SOON(fake_spooled(d, NULL, 0) == 1 && !is_locked(d)); /* its thread ends all the same */
}

static void a_disk_that_is_slow_at_the_end_is_waited_for(void **state)
{
    struct fake_daemon *d = *state;
    struct streamd_run *run = begun(d, (struct streamd_options){.finish_ms = FAKE_DEADLINE_MS});
    log_steps(run, 1, 10);
    int end = hang();
    pthread_t thread = finish_begun(run);
    ASSERT_SOON(atomic_load(&entered));
    release(end);
    assert_int_equal(finished(thread), 0);
    assert_int_equal(expect_spooled(d, 1, 11, false), LINE_COMPLETE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(a_disk_that_hangs_holds_neither_log_nor_finish_up),
        WITH_DAEMON(a_disk_that_is_slow_at_the_end_is_waited_for),
    };
    return cmocka_run_group_tests_name("clients/c/slow_disk", tests, NULL, NULL);
}
