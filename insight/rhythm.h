/* SPDX-License-Identifier: MIT */
/*
 * rhythm: how far apart points come, and how long an epoch takes.
 *
 * The median of the newest fifteen intervals says when silence is too long; the smoothed length of
 * epochs, in time and in steps, turns a plan in epochs into one in steps.
 */
#ifndef INSIGHT_RHYTHM_H
#define INSIGHT_RHYTHM_H

#include <stdint.h>

enum { RHYTHM_INTERVALS = 15 };

struct rhythm {
    double interval[RHYTHM_INTERVALS]; /* interval n at n % RHYTHM_INTERVALS; seconds, > 0 */
    uint64_t count;
    double newest_t;                 /* NaN: no time was seen */
    double epoch, epoch_t, epoch_x;  /* the epoch at hand, and where it began; NaN: none */
    double s_per_epoch, x_per_epoch; /* NaN: not known */
};

void rhythm_init(struct rhythm *r);

/* A point at x; `t` and `epoch` may be NaN. */
void rhythm_push(struct rhythm *r, double x, double t, double epoch);

/* Seconds between points, the median; NaN while fewer than three intervals were seen. */
double rhythm_interval(const struct rhythm *r);

#endif
