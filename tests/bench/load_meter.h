/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_METER_H
#define BENCH_LOAD_METER_H

/*
 * What a server process has cost so far, read from outside it. CPU time is that of all its
 * threads, finished ones included, to the nanosecond; no wall clock decides anything.
 */

#include <stdint.h>
#include <sys/types.h>

/* Monotonic microseconds of this machine. */
uint64_t meter_now_us(void);

/* CPU time of the process so far in nanoseconds; ends the program when there is no such process. */
int64_t meter_cpu_ns(pid_t pid);

/* How long the process's main thread has waited so far, ready to run, for a core that others held,
 * in nanoseconds; 0 where the kernel keeps no such account. */
int64_t meter_wait_ns(pid_t pid);

/* Resident memory of the process in KiB; ends the program when it cannot be read. */
long meter_rss_kib(pid_t pid);

#endif
