/* SPDX-License-Identifier: MIT */
/*
 * divergence: has the loss gone where it does not come back from?
 *
 * A loss that is not finite diverges at once, and so does one above 100 where that is an explosion:
 * of a run that began at or below 100, and above twice what it began at. Any other diverges with
 * the second point in a row above the level it started from, after real progress: more than a fifth
 * of the start, and more than the run's own jumps explain.
 */
#ifndef INSIGHT_DIVERGENCE_H
#define INSIGHT_DIVERGENCE_H

#include <stdbool.h>
#include <stdint.h>

enum { DIVERGENCE_FIRST = 3 };

struct divergence {
    uint64_t count;                 /* training losses that were finite */
    double first[DIVERGENCE_FIRST]; /* the first of them */
    double start;                   /* the highest of those */
    double newest;                  /* NaN: none yet */
    double jump;                    /* mean upward move */
    double level;                   /* smoothed, for the progress made */
    double lowest;                  /* that the level ever was */
    double trend_level;             /* smoothed from the first loss on; NaN: none yet */
    uint64_t hot;                   /* points in a row above the start, after progress */
    uint64_t bad, good;             /* points since it diverged that confirm it; that deny it */
    bool on;                        /* diverging */
    double at;                      /* the loss that made it so */
    bool at_val;                    /* of validation */
};

void divergence_init(struct divergence *d);

/* A point with a training loss, a validation loss, or both; NULL: absent. */
void divergence_push(struct divergence *d, const double *train_loss, const double *val_loss);

/* Does it stay diverged, so that waiting is of no use? */
bool divergence_lasts(const struct divergence *d);

#endif
