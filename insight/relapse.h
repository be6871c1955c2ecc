/* SPDX-License-Identifier: MIT */
/*
 * relapse: has validation fallen back from its best, and by shares that people say of a log?
 *
 * The plain rules beside the fitted verdict (stopping.h): a risk is validation more than 5 % worse
 * than its best while training improved by more than 1 %, a drop is validation more than 10 %
 * worse. Both by shares of the best and of the range, whichever is more, so nothing here knows a
 * scale; and neither believes a metric that has come back from as much before
 * (docs/decisions/009).
 */
#ifndef INSIGHT_RELAPSE_H
#define INSIGHT_RELAPSE_H

#include "insight/curve.h"

struct relapse {
    double sum;     /* of the training losses since the last evaluation */
    uint64_t count; /* of them */
    double train;   /* their mean, of those before it; NaN: none yet */
    double train_at_best;
    double worse;     /* than the best: the newest value, as a share of it; not below 0 */
    double trained;   /* by which share training improved since; NaN: not known */
    double depth;     /* the most by which it was worse than this best */
    double recovered; /* the most that it came back from */
    uint64_t deep;    /* evaluations in a row that are deep enough for a drop */
    bool risk;        /* begins at most once in a run, as `recovered` sees to */
    bool dropped;
};

void relapse_init(struct relapse *r);

/* A training loss, finite. */
void relapse_train(struct relapse *r, double loss);

/* What training came to since the last evaluation, for the one at hand; NaN: never known. */
double relapse_trained(struct relapse *r);

/* The evaluation that was just pushed into the curve, and the training loss until then (NaN: not
 * known). */
void relapse_push(struct relapse *r, const struct curve *c, double train);

#endif
