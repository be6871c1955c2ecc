/* SPDX-License-Identifier: MIT */
/*
 * epoch_ends: where the epochs of a log end, and what their training loss was on average. Pure.
 *
 * A log says what epoch it is at, and seldom that one is over. It is over with its validation, or
 * with the first record of the next. Trainers that count 0.5, 1.0, 1.5 mean how many are over; all
 * others, which one it is.
 */
#ifndef STREAMD_TOOLS_EPOCH_ENDS_H
#define STREAMD_TOOLS_EPOCH_ENDS_H

#include "insight/point.h"

struct epoch_ends {
    double newest; /* what the log said last; NaN: nothing yet */
    double told;   /* the newest that is over and was answered with; NaN: none */
    bool fractions;
    double sum, losses; /* of training, since then */
};

/* An epoch that is over. */
struct epoch_end {
    double epoch;      /* its number, as the log counts */
    double train_loss; /* on average; NaN: there was none */
};

void epoch_ends_init(struct epoch_ends *e);

/* Has an epoch ended before this record, without a word? */
bool epoch_ends_before(struct epoch_ends *e, const struct point *p, struct epoch_end *out);

/* The record itself, each once and after the call above: is it the last of its epoch? */
bool epoch_ends_with(struct epoch_ends *e, const struct point *p, struct epoch_end *out);

/* Nothing more comes of a run that went to its end: was the last epoch not answered with yet? */
bool epoch_ends_last(struct epoch_ends *e, struct epoch_end *out);

#endif
