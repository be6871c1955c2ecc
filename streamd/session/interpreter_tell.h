/* SPDX-License-Identifier: MIT */
/*
 * interpreter_tell: who hears of what an interpreter has found: rooms, and people who do not look.
 */
#ifndef STREAMD_SESSION_INTERPRETER_TELL_H
#define STREAMD_SESSION_INTERPRETER_TELL_H

#include "streamd/session/interpreter.h"

/* Tells what is new in the assessment, which is the interpreter's own of this moment. */
void interpreter_tell(struct interpreter *in, const struct assessment *a, struct now now);

/* A bit for each kind that was found. */
unsigned interpreter_standing(const struct assessment *a);

/* A rule of the run's users fires, for the nth time: `text` says why. */
void interpreter_tell_rule(struct session *s, const char *name, const char *text, uint64_t times,
                           struct now now);

#endif
