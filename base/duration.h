/* SPDX-License-Identifier: MIT */
/*
 * duration: how long something takes, as people read it.
 *
 * Below a minute `42s`, below an hour `12m`, else `25h 1m`; what is left over is cut off, never
 * rounded up (contract of the phases, S1: 59 `59s`, 3599 `59m`, 90061 `25h 1m`).
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include "base/buf.h"

/* Appends the text of so many seconds; less than none, or no number, is `0s`. */
void duration_write(struct buf *out, double seconds);

#endif
