/* SPDX-License-Identifier: MIT */
/*
 * import_row: one record of a file, as the line a trainer would have sent.
 *
 * A source adds the numbers it has found, whatever they are called; here is known which of them are
 * the step, an epoch or a time, in the spellings of proto/spelling.h and of the usual loggers.
 */
#ifndef STREAMD_TOOLS_IMPORT_ROW_H
#define STREAMD_TOOLS_IMPORT_ROW_H

#include "base/buf.h"
#include "proto/number.h"

#include <stdint.h>

struct import_row {
    struct buf line; /* owns; see import_row_end */
    size_t numbers;  /* that were added and are not only a place or a time */
    size_t texts;    /* that a source has found and cannot add */
    bool has_step;
    bool superseded;  /* a rewind had replaced it: not to be imported */
    struct num epoch; /* NUM_NONE: none */
    double wall_s;    /* when it came, since 1970; NaN: not known */
    double since_s;   /* since the run's start; NaN: not known */
    unsigned wall_rank, since_rank;
};

/* Allocates nothing. */
void import_row_init(struct import_row *row);
void import_row_fini(struct import_row *row);

/* Forgets what was there. */
void import_row_begin(struct import_row *row);

/* A number under the name it has in the file. */
void import_row_add(struct import_row *row, struct span name, struct num value);

/* The same for a number that is no place or time, whatever its name. */
void import_row_add_metric(struct import_row *row, struct span name, struct num value);

/* A JSON object under a name: its numbers will be name/... */
void import_row_add_object(struct import_row *row, struct span name, struct span json);

/* Says at what step and time it was, for who knows that without a name. */
void import_row_set_step(struct import_row *row, int64_t step);
void import_row_set_wall(struct import_row *row, double wall_s);

/* `true` under that name: of use only if it is `superseded`. */
void import_row_add_true(struct import_row *row, struct span name);

/* Completes the line: `{"type":"progress","metrics":{..}}`. E_LIMIT: it is longer than a line may
 * be; E_NOMEM. */
MUST_CHECK enum status import_row_end(struct import_row *row);

/* Is nothing in it to be imported? */
bool import_row_is_empty(const struct import_row *row);

/* nan, inf, -inf and their longer forms, in any case, as the usual loggers write them. */
bool import_word(struct span text, struct num *out);

/* A number in a table's cell: those of JSON, `1.` and `.5`, and the words. */
bool import_cell(struct span text, struct num *out);

#endif
