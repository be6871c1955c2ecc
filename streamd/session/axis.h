/* SPDX-License-Identifier: MIT */
/*
 * axis: where each record of a session stands along it, so that charts have one direction.
 *
 * Steps repeat and go back (three models of one run each count from 0), a chart's axis may not. It
 * goes on by as much as the step does, by one where the step goes back or is not known, and back
 * only where a resumed trainer takes up an earlier step: what followed is superseded then.
 */
#ifndef STREAMD_SESSION_AXIS_H
#define STREAMD_SESSION_AXIS_H

#include "proto/record.h"

struct axis {
    uint64_t x;   /* of the newest record */
    double step;  /* its currentStep; NaN while none was known */
    double model; /* its currentModel */
    bool begun;
};

void axis_init(struct axis *a);

/* The place of the next record, completed. */
uint64_t axis_next(struct axis *a, const struct record *r);

/* Does this record take up a step that its model has passed or stands at? */
bool axis_goes_back(const struct axis *a, const struct record *r);

/* To be called before axis_next for such a record, when it is a rewind. */
void axis_rewind(struct axis *a, const struct record *r);

#endif
