/* SPDX-License-Identifier: MIT */
/*
 * csv: the cells of a table, RFC 4180 with any separator. Pure.
 *
 * Rows end in "\n" or "\r\n"; a cell in quotes may hold all of these, and "" for a quote.
 */
#ifndef PROTO_LOGS_CSV_H
#define PROTO_LOGS_CSV_H

#include "base/buf.h"

struct csv_cell {
    struct span raw; /* borrows; without the quotes around it */
    bool quoted;
    bool escaped; /* it holds "" : csv_unescape */
    bool last;    /* of its row */
};

/*
 * Takes the next cell off the head of *rest, with what ends it. E_MALFORMED, nothing taken: *why
 * says so, a static string.
 */
MUST_CHECK enum status csv_next(struct span *rest, char separator, struct csv_cell *out,
                                const char **why);

/* Appends what an escaped cell means. */
void csv_unescape(struct span raw, struct buf *out);

/* The separator of a table with that first row: of comma, tab and semicolon the most frequent. */
char csv_separator(struct span file);

#endif
