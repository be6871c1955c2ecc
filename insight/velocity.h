/* SPDX-License-Identifier: MIT */
/*
 * velocity: how much the loss improves from one epoch to the next.
 *
 * The mean loss of an epoch against that of the one before, as a share of it: 0.05 is 5 % better.
 * A run without epochs (or with epochs that never end) is cut into windows instead, each as long as
 * a tenth of the run so far.
 */
#ifndef INSIGHT_VELOCITY_H
#define INSIGHT_VELOCITY_H

#include <stdbool.h>
#include <stdint.h>

/* Samples averaged; the mean of the window before. */
struct window {
    double sum;
    uint64_t count;
    double mean; /* of the last one that ended; NaN: none did */
    double from; /* step or epoch that the open one began at */
    double span; /* of the last one that ended */
    uint64_t ended;
    double velocity; /* between the last two that ended; NaN: fewer did */
};

struct velocity {
    struct window epoch, steps;
    uint64_t samples;
};

void velocity_init(struct velocity *v);

/*
 * A loss (signed: lower is better), finite. `epoch`: NaN where the run has none. Did it end a
 * window of the kind that counts?
 */
bool velocity_push(struct velocity *v, double loss, double x, double epoch);

/* No more comes of the epoch at hand. Was there one? */
bool velocity_end(struct velocity *v);

/* NaN while it is not known. *out_steps: what it spans; NaN when that is an epoch. */
double velocity_now(const struct velocity *v, double *out_steps);

/* The mean of the last window that ended; NaN: none did. */
double velocity_mean(const struct velocity *v);

/* Is the velocity the first that is known? */
bool velocity_is_first(const struct velocity *v);

#endif
