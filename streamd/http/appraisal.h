/* SPDX-License-Identifier: MIT */
/*
 * appraisal: an answer about a session that has been interpreted.
 *
 * A run that is interpreted at present is answered at once. Any other is reckoned from its records
 * first, on the archive's thread; the session keeps the result, so that whoever asks again is
 * answered at once.
 */
#ifndef STREAMD_HTTP_APPRAISAL_H
#define STREAMD_HTTP_APPRAISAL_H

#include "streamd/http/reply.h"

struct app;
struct session;

/* Writes the answer; session_assessment(s) is NULL only where there is nothing to interpret. */
typedef void appraisal_fn(struct app *app, struct session *s, struct reply *reply);

/* Sooner or later `write` is called once, or the reply is a 404 or a 503. */
void appraise(struct app *app, struct session *s, appraisal_fn *write, struct reply *reply);

#endif
