/* SPDX-License-Identifier: MIT */
/*
 * segment: consecutive records of one session, sealed: columns instead of rows.
 *
 * What a run keeps as lines (run.h), a segment keeps as one column a metric: steps and times as
 * differences, values to the bit in the cheapest of a few forms (column.h), each column deflated by
 * itself, so that a chart of one metric inflates that one. The head has what a zoomed-out chart
 * needs without opening the body: of each column its count, first, last, lowest and highest. The
 * head has a checksum over itself and one for each column of the body; bytes that were altered are
 * refused, never decoded. Names are in the head, so a segment can be read without anything else.
 * Little-endian, versioned.
 *
 * Derived fields (record.h) are not kept where deriving them again gives the same bits. Times are
 * kept in whole milliseconds. Names within a row differ, and an extra without a number is left out.
 */
#ifndef STREAMD_STORE_SEGMENT_H
#define STREAMD_STORE_SEGMENT_H

#include "base/buf.h"
#include "streamd/session/series.h"

enum {
    SEGMENT_ROWS_MAX = 4096,
    SEGMENT_COLUMNS_MAX = RECORD_FIELDS + SERIES_NAMES_MAX,
    SEGMENT_EXTRAS_MAX = 1 << 20, /* over all rows: a thousand metrics in a thousand rows */
};

/* Collects rows. Opaque: it owns its columns, about 2 MB. */
struct segment_writer;

/* NULL when out of memory. */
struct segment_writer *segment_writer_create(void);
void segment_writer_destroy(struct segment_writer *w);

/* Forgets the rows taken. */
void segment_writer_reset(struct segment_writer *w);

/* Rows taken since the last finish or reset. */
size_t segment_writer_rows(const struct segment_writer *w);

/*
 * Copies one row in; offsets rise by one, the axis never falls. E_LIMIT: the segment is full, by
 * SEGMENT_ROWS_MAX, SEGMENT_EXTRAS_MAX, or the bytes of its names or long digits; finish it and
 * add the row to the next. E_NOMEM. In both cases the row is not in.
 */
MUST_CHECK enum status segment_writer_add(struct segment_writer *w, const struct series_entry *row);

/*
 * Appends the sealed rows (at least one) to `head` and `body`, and is empty afterwards. E_NOMEM,
 * E_LIMIT (of those bufs): nothing was appended, the rows are still there.
 */
MUST_CHECK enum status segment_writer_finish(struct segment_writer *w, struct buf *head,
                                             struct buf *body);

/* What a column is about: one of the twelve, or (RECORD_FIELDS) the trainer's number `name`. */
struct segment_column {
    enum record_field field;
    struct span name; /* as history calls it; borrows from the head, or static */
    uint64_t count;   /* rows that have it */
    uint64_t finite;  /* and are finite: lowest and highest are of these */
    /* Row numbers and values; the first of equals. Undefined where count (finite) is 0. A value
     * that is not finite is never lowest or highest; `gap_at` is the first row that has one, else
     * `rows`. */
    uint32_t first_at, last_at, lowest_at, highest_at, gap_at;
    double first, last, lowest, highest;
};

/* A segment being read. Owns what it inflates; borrows head and body, as long as it lives. */
struct segment {
    uint64_t first_offset;
    uint32_t rows;
    uint64_t axis_first, axis_last; /* of series_entry.axis, which never falls within a segment */
    double time_first_s, time_last_s;
    uint32_t column_count;
    struct segment_inside *inside; /* owns */
};

/*
 * `body` may be empty: then only the head can be asked, and what needs more is E_STATE (a short
 * segment has no body, and all of it in the head). E_MALFORMED: the head is damaged or of a
 * newer version, or the body of another length. E_NOMEM. Of the body each column is checked when it
 * is first inflated; segment_row inflates, and so checks, all of it.
 */
MUST_CHECK enum status segment_open(struct segment *s, struct span head, struct span body);
void segment_close(struct segment *s);

/* i < column_count. Only columns with rows are there: of the twelve in their order, then the
 * trainer's in the order of first appearance. */
void segment_column_at(const struct segment *s, uint32_t i, struct segment_column *out);

/* False when no row has that metric. `name` counts when `field` is RECORD_FIELDS. */
bool segment_column_find(const struct segment *s, enum record_field field, struct span name,
                         uint32_t *out_i);

/*
 * The column as `rows` doubles, rows that lack it told apart in `has` (may be NULL). Both have room
 * for SEGMENT_ROWS_MAX. Derived columns are derived. E_MALFORMED, E_NOMEM.
 */
MUST_CHECK enum status segment_numbers(struct segment *s, uint32_t column, double *out, bool *has);

/* Where each row stands on the axis; room for SEGMENT_ROWS_MAX. E_MALFORMED, E_NOMEM. */
MUST_CHECK enum status segment_axis(struct segment *s, uint64_t *out);

/*
 * Row i < rows whole: offset, time, axis, the twelve fields with their kinds, `sent`, `wrong`,
 * extras in the order the trainer sent them. Borrows from the segment until the next call. The
 * first call inflates what is still packed. E_MALFORMED, E_NOMEM.
 */
MUST_CHECK enum status segment_row(struct segment *s, uint32_t i, struct series_entry *out);

/* What of a row is wanted. */
struct segment_wanted {
    bool every;               /* all of it; the rest is undefined */
    unsigned fields;          /* bit i: field i of the twelve */
    const struct span *names; /* borrows; of the trainer's numbers those */
    size_t name_count;
};

/*
 * The same for one of a few rows: what segment_row does for all rows this does for that one. Only
 * columns that are wanted are inflated, and so checked; of the record the rest is as if it was not
 * there.
 */
MUST_CHECK enum status segment_pick(struct segment *s, uint32_t i,
                                    const struct segment_wanted *wanted, struct series_entry *out);

#endif
