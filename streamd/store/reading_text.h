/* SPDX-License-Identifier: MIT */
/*
 * reading_text: the five forms of a history, around and between its entries.
 *
 * Errors are the buf's, which may have been emptied between two calls.
 */
#ifndef STREAMD_STORE_READING_TEXT_H
#define STREAMD_STORE_READING_TEXT_H

#include "streamd/session/series.h"
#include "streamd/store/reading.h"
#include "streamd/store/reading_csv.h"

struct reading_text {
    const struct reading_request *request; /* borrows */
    struct span id;                        /* borrows; of the session, or what was taken for one */
    struct reading_csv *csv;               /* borrows; NULL unless READING_CSV */
    bool any;                              /* an entry was written */
};

void reading_text_begin(struct reading_text *t, struct buf *out);
void reading_text_add(struct reading_text *t, const struct series_entry *entry, bool superseded,
                      struct buf *out);

/* `total`: entries that count, before limit and points. */
void reading_text_end(struct reading_text *t, uint64_t total, struct buf *out);

#endif
