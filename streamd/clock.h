/* SPDX-License-Identifier: MIT */
/*
 * clock: the two times the daemon knows.
 *
 * Monotonic microseconds order things and fire timers; wall seconds are only shown. The loop reads
 * once per wake-up and passes both down; nobody below it asks again.
 */
#ifndef STREAMD_CLOCK_H
#define STREAMD_CLOCK_H

#include <stdint.h>

struct now {
    uint64_t us;   /* CLOCK_MONOTONIC, microseconds */
    double wall_s; /* Unix time, seconds */
};

struct now clock_read(void);

#endif
