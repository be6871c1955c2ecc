/* SPDX-License-Identifier: MIT */
/*
 * curves: some metrics of a run side by side, in a few rows that show their shape, with exact
 * figures over all of them.
 *
 * Fed with every record in order. A row is an epoch (the last value of each metric in it) or, where
 * that is asked for or the run says no epochs, a record. What is counted is counted over all rows;
 * of the rows themselves CURVES_CELLS values are kept: when they are full, of every two the one
 * stays that differs more from what was before it, and the extremes stay always. A plain value,
 * about 130 KiB.
 */
#ifndef STREAMD_SESSION_CURVES_H
#define STREAMD_SESSION_CURVES_H

#include "streamd/session/reckoning.h"

enum {
    CURVES_NAMES_MAX = 8,
    CURVES_MORE_MAX = 24, /* names of others that are told */
    CURVES_CELLS = 8192,
    CURVES_ROWS_MAX = 4096,
    CURVES_TAIL = 10, /* rows that the slope at the end is of */
};

struct curve_name {
    char text[METRIC_NAME_MAX]; /* as history calls it; NUL-terminated */
};

struct curves_plan {
    struct curve_name name[CURVES_NAMES_MAX];
    size_t names;    /* 0: the first ones that come */
    bool by_step;    /* else by epoch */
    double from, to; /* only rows with from <= x <= to */
};

/* Over all rows; a double is NaN while there is none. */
struct curve_tally {
    uint64_t n; /* finite values */
    uint64_t nonfinite;
    double first, last;
    double min, min_at, max, max_at; /* the first of equal ones */
    double nonfinite_at;             /* the first */
    double tail_x[CURVES_TAIL], tail_y[CURVES_TAIL];
};

struct curves {
    struct curves_plan plan;
    struct reckoning reckoning;
    struct curve_tally tally[CURVES_NAMES_MAX];
    struct curve_name more[CURVES_MORE_MAX]; /* that came too, and have no place */
    size_t mores;
    bool discovers; /* names were not given */
    bool by_epoch;  /* rows are epochs, else records */
    uint64_t rows;  /* that there were */
    size_t kept;    /* of them, in x and cell */
    size_t stride;  /* cells of a row */
    bool open;      /* the last row kept is an epoch that still goes on */
    double open_x;  /* which */
    double pending[CURVES_NAMES_MAX];
    double x[CURVES_ROWS_MAX];
    double cell[CURVES_CELLS]; /* NaN: not there; infinite: there, and not finite */
};

/* `before`: as reckoning_begin left it. */
void curves_begin(struct curves *c, const struct curves_plan *plan, const struct reckoning *before);

/* See reckoning_record. */
void curves_record(struct curves *c, const struct record *record, double wall_s, uint64_t offset);

/* Nothing more comes. */
void curves_end(struct curves *c);

/* Least squares over the last rows that have it, per unit of x; NaN: fewer than 3. */
double curve_tally_slope(const struct curve_tally *k);

/* The first row with x >= `x`, or the last one; asserts that there is one. */
size_t curves_row_at(const struct curves *c, double x);
double curves_value(const struct curves *c, size_t row, size_t name);

/*
 * Chooses at most `points` rows (>= 2) of those kept, in order: the first, the last, each metric's
 * extremes and first value that is not finite, then those that say most. Answers how many.
 * (curves_pick.c)
 */
size_t curves_pick(const struct curves *c, size_t points, uint16_t rows[CURVES_ROWS_MAX]);

#endif
