/* SPDX-License-Identifier: MIT */
/*
 * bulletin_write: what happens to a session, as a sentence and a few numbers in the bulletin.
 */
#ifndef STREAMD_SESSION_BULLETIN_WRITE_H
#define STREAMD_SESSION_BULLETIN_WRITE_H

#include "insight/assessment.h"
#include "streamd/session/bulletin.h"

struct session;

void bulletin_phase(struct session *s, const struct transition *t, double wall_s);
void bulletin_finding(struct session *s, const struct finding *f, double wall_s);

/* A rule of the run's users fires. */
void bulletin_rule(struct session *s, const char *name, const char *text, double wall_s);

/* Stopping is advised. */
void bulletin_advice(struct session *s, const struct assessment *a, double wall_s);

/* It has started, ended, gone: `status` is static; `why` may be empty. */
void bulletin_status(struct session *s, const char *status, struct span why, double wall_s);

/* An epoch or an evaluation has come with the newest record; said once of each. */
void bulletin_epoch(struct session *s);

#endif
