/* SPDX-License-Identifier: MIT */
/*
 * stopping: has the run been given its chance, and does more of it pay?
 *
 * Patience is the run's own: it grows with the age of the last gain and with the longest wait that
 * was rewarded, and is longer where noise hides what happens.
 * Advice to stop needs both, patience at its end and a chance of a further gain that is small for
 * what stopping saves: the less of a plan is left, the smaller.
 */
#ifndef INSIGHT_STOPPING_H
#define INSIGHT_STOPPING_H

#include "insight/state.h"

/* After an evaluation: brings plateau, overfitting and stop of s->now up to date. */
void stopping_judge(struct insight *s);

/*
 * How overfitted the run looks, against the limits of the model in the same order: the level above
 * the best in ranges and in noises, the evaluations since the best by all, how much the training
 * loss fell since. False while there is too little to judge.
 */
bool stopping_overfit(const struct insight *s, double out[OVERFIT_LIMITS]);

/* After any point: a divergence that lasts is advised to stop. */
void stopping_see_divergence(struct insight *s);

#endif
