/* SPDX-License-Identifier: MIT */
/*
 * gain: how likely the metric is to improve once more, by more than 1 % of its range.
 *
 * A logistic model over what can be said of any curve without knowing its scale: how long ago the
 * best was, what the last half and quarter of the run gained, the noise, and how far the newest
 * level is from the best.
 */
#ifndef INSIGHT_GAIN_H
#define INSIGHT_GAIN_H

#include "insight/model.h"
#include "insight/state.h"

/*
 * The model's features now; the number of them (GAIN_BASE without a planned length, else
 * GAIN_FEATURES), or 0 while there is too little to judge.
 */
size_t gain_features(const struct insight *s, double out[GAIN_FEATURES]);

/* Brings s->now.p_gain and s->p_stop (the chance that stop advice goes by) up to date. */
void gain_judge(struct insight *s);

#endif
