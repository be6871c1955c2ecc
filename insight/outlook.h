/* SPDX-License-Identifier: MIT */
/*
 * outlook: what is still to come of a run: its planned end, the time until then, the metric there,
 * and what stopping now would save.
 */
#ifndef INSIGHT_OUTLOOK_H
#define INSIGHT_OUTLOOK_H

#include "insight/state.h"

/* After a point was placed: brings s->total and s->now.eta up to date. */
void outlook_see_time(struct insight *s, const struct point *p);

/* After an evaluation was judged: brings s->now.forecast up to date. */
void outlook_see_end(struct insight *s);

/* At the end of a point: brings the savings of s->now.stop up to date. */
void outlook_see_savings(struct insight *s);

/* Last of all: a run that is over has no time left, and of one that diverges nothing is foretold;
 * what stopping it saves is still known. */
void outlook_close(struct insight *s);

#endif
