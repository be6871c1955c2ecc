/* SPDX-License-Identifier: MIT */
/*
 * segment_inside: what the files of the segment share; nobody else includes this.
 *
 * A body is sections one behind the other: the axis, the times, the rows (which fields were sent,
 * which were wrong, which extras in which order), then one a column. The head says how long each
 * is and what its checksum is; short ones stand in the head themselves.
 *
 * A row's extras are a shape: the list of their columns. Most segments have one shape or two, and
 * a column of the trainer's has a slot in every row whose shape has it.
 */
#ifndef STREAMD_STORE_SEGMENT_INSIDE_H
#define STREAMD_STORE_SEGMENT_INSIDE_H

#include "streamd/store/column.h"
#include "streamd/store/segment.h"

#include <string.h>

_Static_assert((int)SEGMENT_ROWS_MAX <= (int)WORDS_MAX, "a column of all rows fits");

enum section_name { SECTION_AXIS, SECTION_TIME, SECTION_ROWS, SECTIONS };

enum { SEGMENT_VERSION = 1, SECTION_IN_HEAD_MAX = 16 };

struct section {
    struct span bytes; /* borrows; ptr NULL: in a body that is not there */
    size_t len;
    uint32_t crc;
    bool checked;
};

struct inside_column {
    struct segment_column about;
    bool predicted; /* holds only what segment_predict would not give */
    struct section section;
};

/* The numbers of one column as segment_pick looks them up. */
struct picked {
    bool known;
    uint32_t n; /* how many */
    struct column_bits about;
    uint64_t *bits;          /* owns; NULL when kinds differ: then they are in nums */
    struct num *nums;        /* owns */
    struct column_text text; /* owns; of nums */
    uint16_t *before; /* owns rows + 1: how many stand before each row; NULL: one in every row, or
                         none in any */
};

/* All pointers own; what they point to is made when first needed. */
struct segment_inside {
    struct section section[SECTIONS];
    uint32_t fields;              /* the first so many columns are of the twelve */
    struct inside_column *column; /* column_count */
    struct column_reader *reader;
    uint64_t *axis;    /* by row */
    uint64_t *time_ms; /* by row */

    uint32_t shapes;         /* 0: not read yet */
    uint32_t *shape_at;      /* shapes + 1 places in shape_columns */
    uint16_t *shape_columns; /* numbers of the trainer's columns, from 0 */
    uint64_t *shape;         /* by row; NULL while there is but one */
    struct span masks;       /* borrows: the rest of SECTION_ROWS */
    uint64_t *sent;          /* by row */
    uint64_t *wrong;         /* by row */
    uint64_t sent_in_all;    /* the bits that every row has in `sent` */
    uint64_t sent_in_any;

    bool field_known[RECORD_FIELDS];
    struct num *field[RECORD_FIELDS]; /* by row; NULL: none in any */
    struct column_text field_text[RECORD_FIELDS];

    struct extra *extra; /* of all rows, in order */
    uint32_t *extra_at;  /* rows + 1 places in `extra` */
    char **extra_text;   /* by trainer's column, NULL for most */
    bool whole;          /* segment_row has all it needs */

    struct picked *picked;      /* by column */
    struct extra *picked_extra; /* of the row picked last */
};

/* ---- the head (segment_head.c) ---- */

/* Appends the description of the columns; the caller has begun the head. */
void head_write_column(struct buf *head, const struct inside_column *c, uint32_t rows,
                       const struct inside_column *before);

/* Appends a section to the body, or to the head when it is short. */
void head_write_section(struct buf *head, struct buf *body, struct span bytes);

MUST_CHECK enum status head_read(struct segment *s, struct span head, struct span body);

/* Counts and extremes of a column: n numbers, each in row row[i] (NULL: i). */
void column_describe(struct segment_column *c, const struct num *nums, const uint16_t *row,
                     size_t n, uint32_t rows);

/* ---- what follows from the other fields (segment_predict.c) ---- */

struct segment_known {
    const struct num *field[RECORD_FIELDS]; /* by row; NULL: none in any */
    const struct num *train_loss;           /* by row; NULL: none in any */
    const uint64_t *time_ms;
    struct record scratch; /* of zeros at first */
};

/* Is it worth leaving out what can be predicted of this field? */
bool segment_predicts(enum record_field field);

/* Of a field that has a formula: the fields that it is over. */
unsigned segment_needs(enum record_field field);

/* What record_complete would have put there, going by the rows up to this one. */
struct num segment_predict(struct segment_known *known, enum record_field field, size_t row);

static inline bool num_same(struct num a, struct num b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == NUM_TEXT)
        return a.len == b.len && (a.len == 0 || memcmp(a.text, b.text, a.len) == 0);
    return a.kind == NUM_NONE || a.i == b.i;
}

/* num_double, without a call for the kinds that come in thousands. */
static inline double num_double_soon(struct num n)
{
    return n.kind == NUM_FLOAT ? n.f : n.kind == NUM_INT ? (double)n.i : num_double(n);
}

/* ---- reading (segment_columns.c, segment_rows.c) ---- */

/* The section's bytes, checked. E_MALFORMED; E_STATE: in a body that is not there. */
MUST_CHECK enum status section_open(struct section *section, struct span *out);

/* Each fills what its name says, once. E_MALFORMED, E_NOMEM, E_STATE. */
MUST_CHECK enum status segment_need_shapes(struct segment *s);
MUST_CHECK enum status segment_need_masks(struct segment *s);
MUST_CHECK enum status segment_need_axis(struct segment *s);
MUST_CHECK enum status segment_need_time(struct segment *s);
MUST_CHECK enum status segment_need_field(struct segment *s, enum record_field f);

/* Which rows have the trainer's column `extra`; answers how many. The shapes are there. */
size_t segment_rows_with(const struct segment *s, uint32_t extra, bool *has);

/* Which rows of a predicted field are in its column, taken off the head of it; and how many. */
MUST_CHECK enum status segment_take_kept(struct segment *s, enum record_field f, struct span *rest,
                                         bool *kept, size_t *out_n);

/* ---- few rows (segment_pick.c) ---- */

/* Makes picked[column] known. E_MALFORMED, E_NOMEM, E_STATE. */
MUST_CHECK enum status segment_need_picked(struct segment *s, uint32_t column);

void segment_free_picked(struct segment *s);

/* Readies `bytes` of a column, n slots, for column_nums or column_doubles. */
MUST_CHECK enum status segment_source(struct segment *s, struct span bytes, size_t n,
                                      struct column_source *out);

#endif
