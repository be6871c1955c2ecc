/* SPDX-License-Identifier: MIT */
/*
 * report: what is POSTed to an operation, when it comes as a line (P-16).
 *
 * A relay says it for a script beside it: what kind of job the run is, and so what is to be done
 * with the object, only the hub knows.
 */
#ifndef STREAMD_INGEST_REPORT_H
#define STREAMD_INGEST_REPORT_H

#include "proto/line.h"

struct now;
struct session;

/* Could it be an epoch of a training? Without memory to tell, it could. */
bool report_is_epoch(struct span object);

/* Merges the keys into those of a session that is no training, as a POST does. Not OK: nothing has
 * changed, and *out_error says why. */
MUST_CHECK enum status report_merge(struct session *s, struct span object, struct now now,
                                    struct line_error *out_error);

#endif
