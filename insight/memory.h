/* SPDX-License-Identifier: MIT */
/*
 * memory: does a device's memory fill up?
 *
 * A leak is a rise by a fifth over ten readings that never falls on the way; short is memory with
 * less than a tenth (as 22,000 of 24,576 MB) left.
 */
#ifndef INSIGHT_MEMORY_H
#define INSIGHT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

enum { MEMORY_READINGS = 10 };

struct memory {
    double mb[MEMORY_READINGS], x[MEMORY_READINGS]; /* reading n at n % MEMORY_READINGS */
    uint64_t count;
};

void memory_init(struct memory *m);

/* A finite reading, at x. */
void memory_push(struct memory *m, double mb, double x);

/* What the last ten began and ended at, and where; false: they do not show a leak. */
struct memory_rise {
    double from_mb, to_mb, from_x, to_x;
};
bool memory_leaks(const struct memory *m, struct memory_rise *out);

/* Of so much in all. */
bool memory_is_short(const struct memory *m, double total_mb);

/* Asserts that there was a reading. */
double memory_newest(const struct memory *m);

#endif
