/* SPDX-License-Identifier: MIT */
/*
 * kill() alone takes a zombie for living. Its state is in /proc/PID/stat, whose second field is the
 * program's name in brackets, with whatever brackets and spaces that has itself; so the fields are
 * counted from the last one on. A process whose first thread has ended while others run looks like
 * a zombie there, too, but for the number of its threads.
 */
#include "streamd/process_life.h"

#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    STAT_BYTES_MAX = 1024,
    PATH_BYTES_MAX = 32,
    STATE_TO_THREADS = 16, /* fields between the two: proc(5) */
};

/* The text of /proc/PID/stat; false when it cannot be read. */
static bool read_stat(int pid, char text[STAT_BYTES_MAX])
{
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, STAT_BYTES_MAX - 1);
    (void)close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return true;
}

static bool is_zombie(int pid)
{
    char text[STAT_BYTES_MAX];
    uint64_t threads = 0;
    const char *name_end = read_stat(pid, text) ? strrchr(text, ')') : NULL;
    if (!name_end)
        return false;
    struct span rest = span_of(name_end + 1);
    (void)span_cut(&rest, ' ');
    struct span state = span_cut(&rest, ' ');
    for (unsigned i = 0; i < STATE_TO_THREADS; i++)
        (void)span_cut(&rest, ' ');
    return (span_is(state, "Z") || span_is(state, "X")) &&
           span_u64(span_cut(&rest, ' '), &threads) && threads <= 1;
}

bool process_lives(int pid)
{
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return false;
    return !is_zombie(pid);
}
