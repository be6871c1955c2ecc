/* SPDX-License-Identifier: MIT */
/*
 * insight: what a training run means, told from its points as they come.
 *
 * One `struct insight` interprets one run (of a sweep, one model after the other). A point costs
 * O(1), the state never grows, nothing is allocated, there is no clock and no I/O: time is a field
 * of the points, and the same points give the same assessment, to the bit. Everything is
 * scale-free: a loss in thousands is judged like one in thousandths.
 *
 *     struct insight *run = ...;                          (16 KiB at most)
 *     insight_init(run, &(struct insight_config){.model = insight_model(), .total = 10000});
 *     struct point p = {0};
 *     point_set(&p, POINT_STEP, 100);
 *     point_set(&p, POINT_TRAIN_LOSS, 2.31);
 *     const struct assessment *a = insight_point(run, &p);
 *
 * No point is refused: numbers that are absent, not finite or huge, steps and times that go back,
 * all are taken for what they are.
 */
#ifndef INSIGHT_INSIGHT_H
#define INSIGHT_INSIGHT_H

#include "insight/assessment.h"
#include "insight/point.h"
#include "insight/state.h"

/* Takes a config (copied; its model is borrowed for as long as the state is used). */
void insight_init(struct insight *s, const struct insight_config *config);

/*
 * The trainer has said something. Borrows from *s, valid until its next call. A point without any
 * field is a point. What the answer says of times (eta, stall_after_s, the savings of stop) is that
 * of the last insight_now().
 */
const struct assessment *insight_point(struct insight *s, const struct point *p);

/* What has become of the trainer. All of them end the epoch that was open. */
enum insight_event {
    INSIGHT_COMPLETED,   /* it says that it is done */
    INSIGHT_CRASHED,     /* it died, or its log says so */
    INSIGHT_INTERRUPTED, /* nothing more is to come, why is not known */
    INSIGHT_RESUMED,     /* after one of these, it goes on */
};

/* `detail`: a line for the reason, e.g. from the log; NULL: none. Borrows as insight_point. */
const struct assessment *insight_event(struct insight *s, enum insight_event event,
                                       const char *detail);

/*
 * Tells the time where no point comes, on the axis of POINT_TIME_S: finds the stall, and nothing
 * else. Borrows as insight_point.
 */
const struct assessment *insight_tick(struct insight *s, double time_s);

/* The planned length has become known, or has changed: see insight_config. NaN leaves it as it is.
 */
void insight_plan(struct insight *s, double total);

/* The assessment as it stands, with the times reckoned. Borrows as insight_point. */
const struct assessment *insight_now(struct insight *s);

#endif
