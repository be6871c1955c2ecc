/* SPDX-License-Identifier: MIT */
/*
 * verdict: from what was measured to a phase, its reason, and what is found wrong.
 *
 * The first that holds (docs/decisions/009): crashed, converged, diverging, overfitting,
 * initializing, warming up; else the velocity decides between fast, stable and plateau.
 */
#ifndef INSIGHT_VERDICT_H
#define INSIGHT_VERDICT_H

#include "insight/state.h"

/* Brings phase, reason, transition and the findings of s->now up to date. */
void verdict_reach(struct insight *s);

#endif
