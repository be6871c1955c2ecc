/* SPDX-License-Identifier: MIT */
/*
 * velocity: how much the loss improves from one epoch to the next.
 *
 * The mean loss of an epoch against that of the one before, as a share of it: 0.05 is 5 % better.
 * A run without epochs (or with epochs that never end) is cut into windows instead, each as long as
 * a tenth of the run so far. Where the loss goes up and down, the velocity is an average.
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
    double newest;   /* velocity between the last two that ended; NaN: fewer did */
    double velocity; /* over as many of them as their noise asks for */
    double setback;  /* by which the loss rises from one to the next, on average */
    double margin;   /* what noise is still in `velocity`; 0: it is the newest */
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

/* By how much that must pass a limit so that it is not by noise; 0 while the loss only falls. */
double velocity_margin(const struct velocity *v);

/* By which share the loss has risen from the last window but one to the last; 0: by no more than
 * its noise explains. */
double velocity_rise(const struct velocity *v);

/* The mean of the last window that ended; NaN: none did. */
double velocity_mean(const struct velocity *v);

/* Is the velocity the first that is known? */
bool velocity_is_first(const struct velocity *v);

#endif
