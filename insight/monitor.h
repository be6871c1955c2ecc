/* SPDX-License-Identifier: MIT */
/*
 * monitor: which series is judged, and which way is better.
 *
 * Told by the config, or seen: validation before training, a loss before a metric. The training
 * loss of a run without validation is judged by the means of its epochs (or windows), which are its
 * evaluations. A metric whose goal nobody told rises, unless its first eight values fall.
 */
#ifndef INSIGHT_MONITOR_H
#define INSIGHT_MONITOR_H

#include "insight/state.h"

/*
 * If this point is an evaluation, takes it into s->curve and the best into s->now, sets s->fresh.
 * `window_ended`: a window of s->velocity has just ended.
 */
void monitor_push(struct insight *s, const struct point *p, bool window_ended);

#endif
