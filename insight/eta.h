/* SPDX-License-Identifier: MIT */
/*
 * eta: how long the rest of the run takes.
 *
 * The time per step times the steps that are left. Of the times per step over the later half of
 * the run so far, its last quarter and its last tenth the median counts: half a run is long enough
 * that pauses for validation are in it, a tenth is short enough to follow a machine that became
 * faster, and one of the three may be wrong. Nine times of ten the truth is within the interval,
 * whose width follows from how uneven the speed has been.
 */
#ifndef INSIGHT_ETA_H
#define INSIGHT_ETA_H

#include "insight/history.h"
#include "insight/model.h"

#include <stdbool.h>

struct eta {
    struct history x, t; /* pushed together */
    double newest_x, newest_t;
    uint64_t count;
};

struct eta_interval {
    double s, lo, hi;
};

void eta_init(struct eta *e);

/* A point at x, at the time t; both finite. */
void eta_push(struct eta *e, double x, double t);

/* Seconds per step over the newest `share` of the run; NaN: not known. Asserts a point was pushed.
 */
double eta_speed(const struct eta *e, double share);

/* The estimate until `end` and the features of its error; false while there is too little. */
bool eta_features(const struct eta *e, double end, double *out_s, double out[ETA_FEATURES]);

/* False, *out untouched, while there is too little. */
bool eta_read(const struct eta *e, const struct insight_model *m, double end,
              struct eta_interval *out);

#endif
