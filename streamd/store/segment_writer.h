/* SPDX-License-Identifier: MIT */
/*
 * segment_writer: the rows that a segment will be made of; segment_write.c collects them,
 * segment_seal.c seals them, nobody else includes this.
 */
#ifndef STREAMD_STORE_SEGMENT_WRITER_H
#define STREAMD_STORE_SEGMENT_WRITER_H

#include "base/strmap.h"
#include "streamd/session/names.h"
#include "streamd/store/segment_inside.h"

enum { SEALED_MAX = 64 << 20 };

/* The long digits of one row. */
struct text_block {
    struct text_block *next; /* owns */
    char bytes[];
};

struct segment_writer {
    uint32_t rows;
    uint64_t first_offset;
    uint64_t axis[SEGMENT_ROWS_MAX];
    uint64_t time_ms[SEGMENT_ROWS_MAX];
    uint64_t sent[SEGMENT_ROWS_MAX];
    uint64_t wrong[SEGMENT_ROWS_MAX];
    uint64_t shape[SEGMENT_ROWS_MAX];
    struct num field[RECORD_FIELDS][SEGMENT_ROWS_MAX]; /* long digits borrow from texts */

    struct num *extra; /* owns extras_cap: of all rows, in order; long digits borrow from texts */
    size_t extras;
    size_t extras_cap;

    struct names names;      /* of extras; some may have none, left by rows that did not go in */
    struct strmap shape_ids; /* the bytes of a shape → its number + 1 */
    uint32_t shapes;
    uint32_t shape_at[SEGMENT_ROWS_MAX + 1]; /* places in shape_columns */
    uint16_t *shape_columns;                 /* owns shape_cap: numbers of names */
    size_t shape_cap;
    uint16_t number[SERIES_NAMES_MAX]; /* the row's names */

    struct text_block *texts; /* owns */
    size_t text_bytes;

    struct column_writer column;
    struct num slot[SEGMENT_ROWS_MAX]; /* of the field being sealed, what is kept */
    uint64_t listed[SEGMENT_ROWS_MAX];
    struct buf section;
    struct buf head;
    struct buf body;
};

#endif
