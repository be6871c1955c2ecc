/* SPDX-License-Identifier: MIT */
#include "load_meter.h"

/*
 * The CPU clock of another process is a POSIX clock (clock_getcpuclockid): user and system time
 * of the whole thread group, scheduler-exact. The alternatives are worse here: utime and stime in
 * /proc/PID/stat count in 10 ms ticks, which is 4 % of a quick round, and /proc/PID/schedstat
 * knows the main thread alone and forgets threads that have ended, which would flatter node. Its
 * second number, though, is what says that a round was disturbed by somebody else's work.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t read_clock_ns(clockid_t clock)
{
    struct timespec at;

    if (clock_gettime(clock, &at) != 0)
        err(1, "clock_gettime");
    return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

uint64_t meter_now_us(void)
{
    return read_clock_ns(CLOCK_MONOTONIC) / 1000;
}

int64_t meter_cpu_ns(pid_t pid)
{
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0)
        errx(1, "no server process %d", (int)pid);
    return (int64_t)read_clock_ns(clock);
}

int64_t meter_wait_ns(pid_t pid)
{
    char path[64];
    char line[128];
    char *second = line;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
    FILE *schedstat = fopen(path, "re");
    if (!schedstat)
        return 0;
    if (!fgets(line, sizeof(line), schedstat))
        line[0] = '\0';
    fclose(schedstat);
    strtoll(line, &second, 10);
    return strtoll(second, NULL, 10);
}

long meter_rss_kib(pid_t pid)
{
    static const char key[] = "VmRSS:";
    char path[64];
    char line[256];
    long rss_kib = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");
    if (!status)
        err(1, "%s", path);
    while (rss_kib < 0 && fgets(line, sizeof(line), status))
        if (strncmp(line, key, sizeof(key) - 1) == 0)
            rss_kib = strtol(line + sizeof(key) - 1, NULL, 10);
    fclose(status);
    if (rss_kib < 0)
        errx(1, "%s has no VmRSS", path);
    return rss_kib;
}
