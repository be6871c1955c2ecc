/* SPDX-License-Identifier: MIT */
/*
 * outlook: what is still to come of a run: its planned end, the time until then, the metric there,
 * and what stopping now would save.
 *
 * Times are kept at every point and reckoned from when somebody asks: a fast trainer sends a
 * thousand points for each one whose ETA is read.
 */
#ifndef INSIGHT_OUTLOOK_H
#define INSIGHT_OUTLOOK_H

#include "insight/state.h"

/* After a point was placed: keeps its time, brings s->total up to date. */
void outlook_see_time(struct insight *s, const struct point *p);

/* After an evaluation was judged: brings s->now.forecast up to date. */
void outlook_see_end(struct insight *s);

/* Seconds without a point after which the run counts as stalled; NaN: not known. */
double outlook_stall_after(const struct insight *s);

/* Brings what s->now says of times up to date: eta, stall_after_s, the savings of stop. A run that
 * is over, or that diverges, has no time left; what stopping it saves is still known. */
void outlook_reckon(struct insight *s);

/* Last of all: of a run that diverges nothing is foretold. */
void outlook_close(struct insight *s);

#endif
