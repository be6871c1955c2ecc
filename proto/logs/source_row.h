/* SPDX-License-Identifier: MIT */
/*
 * source_row: one record of a file, as the line a trainer would have sent.
 *
 * A source adds the numbers it has found, whatever they are called; here is known which of them are
 * the step, an epoch or a time, in the spellings of proto/spelling.h and of the usual loggers.
 */
#ifndef PROTO_LOGS_SOURCE_ROW_H
#define PROTO_LOGS_SOURCE_ROW_H

#include "base/buf.h"
#include "proto/number.h"

#include <stdint.h>

/* What else a row may be. */
enum source_event {
    SOURCE_RECORD,     /* numbers */
    SOURCE_NAME,       /* text: what the run is called */
    SOURCE_CHECKPOINT, /* text: its file */
    SOURCE_CRASH,      /* text: the line that says so */
    SOURCE_OVER,       /* the training has come to its end; there may be numbers, or a checkpoint */
};

enum { SOURCE_TEXT_MAX = 200 };

struct source_row {
    struct buf line; /* owns; see source_row_end */
    size_t numbers;  /* that were added and are not only a place or a time */
    size_t texts;    /* that a source has found and cannot add */
    bool has_step;
    bool superseded;  /* a rewind had replaced it: not to be imported */
    struct num epoch; /* NUM_NONE: none */
    double wall_s;    /* when it came, since 1970; NaN: not known */
    double since_s;   /* since the run's start; NaN: not known */
    unsigned wall_rank, since_rank;
    enum source_event event;
    struct span text; /* borrows from the file or the source until the next row; not for a record */
};

/* Allocates nothing. */
void source_row_init(struct source_row *row);
void source_row_fini(struct source_row *row);

/* Forgets what was there. */
void source_row_begin(struct source_row *row);

/* A number under the name it has in the file. */
void source_row_add(struct source_row *row, struct span name, struct num value);

/* The same for a number that is no place or time, whatever its name. */
void source_row_add_metric(struct source_row *row, struct span name, struct num value);

/* A JSON object under a name: its numbers will be name/... */
void source_row_add_object(struct source_row *row, struct span name, struct span json);

/* Says at what step and time it was, for who knows that without a name. */
void source_row_set_step(struct source_row *row, int64_t step);
void source_row_set_wall(struct source_row *row, double wall_s);

/* `true` under that name: of use only if it is `superseded`. */
void source_row_add_true(struct source_row *row, struct span name);

/* Completes the line: `{"type":"progress","metrics":{..}}`. E_LIMIT: it is longer than a line may
 * be; E_NOMEM. */
MUST_CHECK enum status source_row_end(struct source_row *row);

/* Is nothing in it to be imported? */
bool source_row_is_empty(const struct source_row *row);

/* nan, inf, -inf and their longer forms, in any case, as the usual loggers write them. */
bool source_word(struct span text, struct num *out);

/* A number in a table's cell: those of JSON, `1.` and `.5`, and the words. */
bool source_cell(struct span text, struct num *out);

#endif
