/* SPDX-License-Identifier: MIT */
/*
 * log_cost: what a call of the C client's streamd_log costs the training, one figure a line.
 *
 * Four states: `alive`, a daemon that reads and acknowledges; `absent`, none at all; `hung`, one
 * that was stopped (SIGSTOP) after it had answered; `slow-disk`, none, and a disk that takes 0.2 s
 * for each write and each fsync. In the last three the run's memory is filled first, so that what
 * is logged while we measure goes to the spool. The daemon is a child process, so that its work is
 * not in our figures.
 *
 * `paced` is what a training sees, computing between its calls. `cpu` is the share of a core that
 * all the client does costs, its sender thread included, while the training sleeps in between.
 * `loop` calls without a pause, which no training does: the queue overflows, and `dropped` says so.
 * Each paced call is timed by itself. `clock` is what all this costs without a call, and is in the
 * others.
 */
#include "clients/c/streamd_client.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PACED_CALLS = 20000,
    PACED_INTERVAL_NS = 100 * 1000, /* 10,000 calls a second */
    CPU_CALLS = 300,
    CPU_INTERVAL_NS = 10 * 1000 * 1000, /* 100 calls a second */
    LOOP_CALLS = 1000000,
    FILL_CALLS = 60000, /* more than the run's memory holds */
    DISK_NS = 200 * 1000 * 1000,
    FINISH_MS = 1,
    DEADLINE_S = 10,
};

enum state { ALIVE, ABSENT, HUNG, SLOW_DISK };

struct daemon {
    char folder[32];
    char spool[64];
    struct sockaddr_un address;
    pid_t process; /* 0: none */
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* ---- the disk, which only the spool writes to in this way ---- */

static atomic_bool disk_is_slow;

static void take_time(void)
{
    const struct timespec time = {.tv_nsec = DISK_NS};
    if (atomic_load(&disk_is_slow))
        (void)nanosleep(&time, NULL);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    take_time();
    return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

int fsync(int fd)
{
    take_time();
    return (int)syscall(SYS_fsync, fd);
}

/* ---- the daemon ---- */

static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        _exit(EXIT_FAILURE);
}

/* Acknowledges by the number of lines: the client numbers them from 1, and `start` is none. */
static void serve(int listener)
{
    static char chunk[65536];
    int fd = accept(listener, NULL, NULL);
    ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
    say(fd, "{\"type\":\"started\",\"lastSeq\":0}\n");
    unsigned long lines = 0;
    while (got > 0) {
        char ack[64];
        got = recv(fd, chunk, sizeof(chunk), 0);
        for (ssize_t i = 0; i < got; i++)
            lines += chunk[i] == '\n';
        (void)snprintf(ack, sizeof(ack), "{\"type\":\"ack\",\"seq\":%lu}\n", lines);
        if (got > 0 && send(fd, ack, strlen(ack), MSG_NOSIGNAL) < 0)
            break;
    }
    for (;;)
        (void)pause();
}

static void daemon_begin(struct daemon *d, enum state state)
{
    *d = (struct daemon){.folder = "/tmp/log-cost-XXXXXX", .address.sun_family = AF_UNIX};
    if (!mkdtemp(d->folder))
        die("mkdtemp");
    (void)snprintf(d->address.sun_path, sizeof(d->address.sun_path), "%s/socket", d->folder);
    (void)snprintf(d->spool, sizeof(d->spool), "%s/spool", d->folder);
    (void)setenv("STREAMD_SPOOL", d->spool, 1);
    if (state == ABSENT || state == SLOW_DISK)
        return;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 ||
        bind(listener, (const struct sockaddr *)&d->address, sizeof(d->address)) != 0 ||
        listen(listener, 1) != 0)
        die("listening");
    d->process = fork();
    if (d->process < 0)
        die("fork");
    if (d->process == 0)
        serve(listener);
    (void)close(listener);
}

static void daemon_end(struct daemon *d)
{
    if (d->process > 0) {
        (void)kill(d->process, SIGKILL);
        (void)waitpid(d->process, NULL, 0);
    }
    DIR *spool = opendir(d->spool);
    for (struct dirent *e; spool && (e = readdir(spool)) != NULL;)
        (void)unlinkat(dirfd(spool), e->d_name, 0);
    if (spool)
        (void)closedir(spool);
    (void)rmdir(d->spool);
    (void)unlink(d->address.sun_path);
    (void)rmdir(d->folder);
}

/* ---- the calls ---- */

/* A handful of values. */
static void log_step(struct streamd_run *run, int64_t step)
{
    double loss = 1.0 / (double)(step + 1);
    const struct streamd_metric metrics[] = {
        {"loss", loss},          {"val_loss", 2.0 * loss}, {"train_accuracy", 1.0 - loss},
        {"learning_rate", 1e-3}, {"grad_norm", 0.5},
    };
    streamd_log(run, step, metrics, sizeof(metrics) / sizeof(metrics[0]));
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Here and in measure_cpu: without a run nothing is logged, and the rest is done all the same. */
static void measure_paced(const char *name, struct streamd_run *run)
{
    static uint64_t times[PACED_CALLS];
    uint64_t due = now_ns(CLOCK_MONOTONIC);
    for (int64_t step = 0; step < PACED_CALLS; step++) {
        while (now_ns(CLOCK_MONOTONIC) < due)
            continue;
        due += PACED_INTERVAL_NS;
        uint64_t before = now_ns(CLOCK_MONOTONIC);
        if (run)
            log_step(run, step);
        times[step] = now_ns(CLOCK_MONOTONIC) - before;
    }
    qsort(times, PACED_CALLS, sizeof(times[0]), by_size);
    printf("c log() %s paced p50 %.3f us\n", name, (double)times[PACED_CALLS / 2] / 1e3);
    printf("c log() %s paced p99 %.3f us\n", name, (double)times[PACED_CALLS * 99 / 100] / 1e3);
}

static void measure_cpu(const char *name, struct streamd_run *run)
{
    const struct timespec interval = {.tv_nsec = CPU_INTERVAL_NS};
    uint64_t wall = now_ns(CLOCK_MONOTONIC);
    uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int64_t step = 0; step < CPU_CALLS; step++) {
        if (run)
            log_step(run, step);
        (void)nanosleep(&interval, NULL);
    }
    double share =
        (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)(now_ns(CLOCK_MONOTONIC) - wall);
    printf("c client %s cpu %.3f %% of a core at %ld calls/s\n", name, 100.0 * share,
           1000000000L / CPU_INTERVAL_NS);
}

static void measure_loop(const char *name, struct streamd_run *run)
{
    uint64_t before = now_ns(CLOCK_MONOTONIC);
    for (int64_t step = 0; step < LOOP_CALLS; step++)
        log_step(run, step);
    printf("c log() %s loop mean %.3f us\n", name,
           (double)(now_ns(CLOCK_MONOTONIC) - before) / LOOP_CALLS / 1e3);
}

static void await_connection(const struct streamd_run *run)
{
    uint64_t by = now_ns(CLOCK_MONOTONIC) + DEADLINE_S * UINT64_C(1000000000);
    while (!streamd_connected(run)) {
        if (now_ns(CLOCK_MONOTONIC) > by)
            die("no connection to the daemon of the benchmark");
    }
}

/* No faster than the sender thread takes it: it looks twenty times a second when it is not told. */
static void fill(struct streamd_run *run)
{
    const struct timespec interval = {.tv_nsec = 5 * 1000 * 1000};
    for (int64_t step = 0; step < FILL_CALLS; step++) {
        log_step(run, step);
        if (step % 1000 == 0)
            (void)nanosleep(&interval, NULL);
    }
}

static void measure(const char *name, enum state state)
{
    struct daemon d;
    daemon_begin(&d, state);
    struct streamd_run *run = streamd_init(
        &(struct streamd_options){.socket_path = d.address.sun_path, .finish_ms = FINISH_MS});
    if (!run)
        die("streamd_init");
    if (d.process > 0)
        await_connection(run);
    if (state == HUNG)
        (void)kill(d.process, SIGSTOP);
    if (state != ALIVE)
        fill(run);
    atomic_store(&disk_is_slow, state == SLOW_DISK);
    measure_paced(name, run);
    measure_cpu(name, run);
    measure_loop(name, run);
    int lines = PACED_CALLS + CPU_CALLS + LOOP_CALLS + 1 + (state == ALIVE ? 0 : FILL_CALLS);
    printf("c log() %s dropped %llu of %d lines\n", name, (unsigned long long)streamd_finish(run),
           lines);
    (void)fflush(stdout);
    atomic_store(&disk_is_slow, false);
    daemon_end(&d);
}

int main(void)
{
    measure_paced("clock", NULL);
    measure_cpu("clock", NULL);
    measure("alive", ALIVE);
    measure("absent", ABSENT);
    measure("hung", HUNG);
    measure("slow-disk", SLOW_DISK);
    return 0;
}
