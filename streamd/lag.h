/* SPDX-License-Identifier: MIT */
/*
 * lag: how long the wake-ups of the last minute held the loop, and so let everybody else wait.
 *
 * The loop notes each wake-up at its end; who shows the figures asks. Both cost the same however
 * much there was, and neither allocates. Twelve slots of five seconds each hold a histogram whose
 * buckets are an eighth of a power of two wide, so a percentile is at most 12.5 % too high.
 */
#ifndef STREAMD_LAG_H
#define STREAMD_LAG_H

#include <stdint.h>

enum { LAG_SLOTS = 12, LAG_BUCKETS = 200 };

struct lag {
    struct lag_slot {
        uint64_t number; /* of its five seconds, from 1; 0: never used */
        uint64_t max_us;
        uint32_t counts[LAG_BUCKETS];
    } slots[LAG_SLOTS]; /* all zero: nothing noted */
};

struct lag_figures {
    uint64_t p99_us; /* 99 of 100 wake-ups held the loop no longer */
    uint64_t max_us;
};

/* A wake-up ended at `now_us` and held the loop for so long. */
void lag_note(struct lag *lag, uint64_t held_us, uint64_t now_us);

/* Of the last 55 to 60 seconds; zeros when there was no wake-up. */
struct lag_figures lag_figures(const struct lag *lag, uint64_t now_us);

#endif
