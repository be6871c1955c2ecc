/* SPDX-License-Identifier: MIT */
/*
 * collation: what of a run is held beside another: its reckoning, and the curves that may be
 * compared. A plain value, about 60 KiB, made from the records in one pass.
 */
#ifndef STREAMD_SESSION_COLLATION_H
#define STREAMD_SESSION_COLLATION_H

#include "insight/compare.h"
#include "streamd/session/reckoning.h"

enum collation_series {
    COLLATION_VAL_LOSS,
    COLLATION_VAL_METRIC,
    COLLATION_TRAIN_LOSS,
    COLLATION_NAMED, /* the metric that was asked for */
    COLLATION_SERIES
};

/* What is asked for. All zero: nothing in particular. */
struct collation_plan {
    char metric[METRIC_NAME_MAX]; /* "": none; as history calls it */
    enum record_field field; /* which of the twelve it is; RECORD_FIELDS: one of the trainer's */
    bool has_target;         /* of that metric */
    bool at_least;           /* it shall rise to `target`; else fall */
    double target;
};

struct collation {
    struct collation_plan plan;
    struct reckoning reckoning;
    struct sketch series[COLLATION_SERIES];
    uint64_t records;
    double began_s; /* when the first record was made; NaN: there is none */
    bool reached;   /* the target, at: */
    double reached_x, reached_s;
};

void collation_begin(struct collation *c, const struct collation_plan *plan,
                     const struct reckoning *before);

/* See reckoning_record. */
void collation_record(struct collation *c, const struct record *record, double wall_s,
                      uint64_t offset);

#endif
