/* SPDX-License-Identifier: MIT */
/*
 * archive_cursor: the entries of one session in order of offset, wherever they stand: in segments
 * first, then in runs.
 *
 * For the archive's thread (or before it has started, or an offline tool). Between two calls the
 * store may change: rows are read one at a time and looked up again by offset, so an entry that is
 * sealed meanwhile is neither missed nor given twice.
 */
#ifndef STREAMD_STORE_ARCHIVE_CURSOR_H
#define STREAMD_STORE_ARCHIVE_CURSOR_H

#include "streamd/store/run.h"
#include "streamd/store/segment.h"
#include "streamd/store/store.h"

/* Where the cursor stands. */
enum archive_place { PLACE_NONE, PLACE_SEGMENT, PLACE_RUN };

struct archive_cursor {
    struct store *store;          /* borrows */
    struct line_decoder *decoder; /* borrows */
    uint64_t session;
    uint64_t next; /* offset of the next entry asked for */
    enum archive_place place;
    struct buf head, body; /* own a copy of the row at hand */
    struct segment segment;
    struct run_reader run;
    uint64_t damaged; /* rows that could not be read and were passed over */
};

/* Allocates nothing. */
void archive_cursor_init(struct archive_cursor *c, struct store *store,
                         struct line_decoder *decoder, uint64_t session, uint64_t from_offset);
void archive_cursor_fini(struct archive_cursor *c);

/*
 * The next entry with offset >= the one asked for. E_NOT_FOUND: there is none. A damaged row is
 * counted, logged and passed over. E_IO, E_NOMEM.
 */
MUST_CHECK enum status archive_cursor_next(struct archive_cursor *c, struct series_entry *out);

/*
 * For who reads columns: if the next entry stands in a segment, opens it whole (*out borrows; rows
 * before `next` are in it too) and moves past it. E_NOT_FOUND: the next entry stands in a run, or
 * there is none.
 */
MUST_CHECK enum status archive_cursor_segment(struct archive_cursor *c, struct segment **out);

#endif
