/* SPDX-License-Identifier: MIT */
/*
 * reading_csv: a history as RFC 4180, with a header line.
 *
 * An empty cell where an entry has no such metric; NaN and Infinity as those words, which every
 * reader of numbers in csv knows. The columns must be known before the first row: those of
 * `fields`, else the twelve and whatever reading_csv_add_* has been told of.
 */
#ifndef STREAMD_STORE_READING_CSV_H
#define STREAMD_STORE_READING_CSV_H

#include "streamd/session/series.h"
#include "streamd/store/reading.h"

/* Columns of a csv: more than a spreadsheet shows, fewer than a hostile trainer can make up. */
enum { READING_COLUMNS_MAX = 1024 };

struct reading_csv;

/* The request is borrowed. NULL when out of memory. */
struct reading_csv *reading_csv_create(const struct reading_request *q);
void reading_csv_destroy(struct reading_csv *c);

/* Must the entries be walked once for their columns, before they are written? */
bool reading_csv_wants_columns(const struct reading_csv *c);

/* A column of the trainer's own; one that is there already is passed over. E_LIMIT, E_NOMEM. */
MUST_CHECK enum status reading_csv_add_column(struct reading_csv *c, struct span name);

void reading_csv_write_header(const struct reading_csv *c, struct buf *out);
void reading_csv_write_row(struct reading_csv *c, const struct series_entry *entry, bool superseded,
                           struct buf *out);

#endif
