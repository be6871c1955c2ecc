/* SPDX-License-Identifier: MIT */
/*
 * gain: how likely the metric is to improve once more, by more than 1 % of its range.
 *
 * Boosted trees over what can be said of any curve without knowing its scale: how long ago the best
 * was, what the last half and quarter of the run gained, the noise, how far the newest level is
 * from the best, where the families see the curve going, what the learning rate has done, and how
 * much of a planned length is left.
 */
#ifndef INSIGHT_GAIN_H
#define INSIGHT_GAIN_H

#include "insight/model.h"
#include "insight/state.h"

/* What the model is told now, NaN where it is not known; false while there is too little to judge.
 */
bool gain_features(const struct insight *s, double out[GAIN_FEATURES]);

/* After an evaluation: brings s->now.p_gain and s->p_stop (what stop advice goes by) up to date. */
void gain_judge(struct insight *s);

#endif
