/* SPDX-License-Identifier: MIT */
/*
 * archive_cursor: the entries of one session in order of offset, wherever they stand: in segments
 * first, then in runs.
 *
 * For the archive's thread (or before it has started, or an offline tool). Between two calls the
 * store may change: rows are read one at a time and looked up again by offset, so an entry that is
 * sealed meanwhile is neither missed nor given twice.
 *
 * A damaged row is counted, logged and passed over: its entries are missing, nothing of it is
 * given. Every call may answer E_IO or E_NOMEM, after which it may be made again, and E_MALFORMED
 * when the store itself is damaged. E_IO stands also for a session that was deleted after some of
 * it was read: what was read is not all it had.
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
    bool begun;    /* a row was there */
    enum archive_place place;
    uint64_t first, last;  /* offsets of the row at hand; undefined in PLACE_NONE */
    bool whole;            /* PLACE_SEGMENT: with its body */
    bool eager;            /* the caller's to set: enter with the body, it will be opened anyway */
    struct buf head, body; /* own a copy of the row at hand; a run is in `body` */
    struct segment segment;
    struct run_reader run;
    uint64_t damaged; /* rows that could not be read and were passed over */
};

/* Allocates nothing. */
void archive_cursor_init(struct archive_cursor *c, struct store *store,
                         struct line_decoder *decoder, uint64_t session, uint64_t from_offset);
void archive_cursor_fini(struct archive_cursor *c);

/* The next entry is the one with that offset, or the first one after it. */
void archive_cursor_seek(struct archive_cursor *c, uint64_t offset);

/* Would going there read no row of the store again? */
bool archive_cursor_has(const struct archive_cursor *c, uint64_t offset);

/*
 * The next entry with offset >= the one asked for; it borrows from the cursor until the next call.
 * E_NOT_FOUND: there is none.
 */
MUST_CHECK enum status archive_cursor_next(struct archive_cursor *c, struct series_entry *out);

/*
 * The entry with that offset, with what is wanted of it: cheaper than archive_cursor_next for one
 * of a few rows of a segment. E_NOT_FOUND: there is none, or it is damaged.
 */
MUST_CHECK enum status archive_cursor_pick(struct archive_cursor *c, uint64_t offset,
                                           const struct segment_wanted *wanted,
                                           struct series_entry *out);

/*
 * For who reads columns. Goes to the row that has the next entry: `place` says of which kind it is,
 * and `next` is in it. Of a segment it opens the head only, of a run what is before `next` is
 * passed over. E_NOT_FOUND: there is no further entry.
 */
MUST_CHECK enum status archive_cursor_enter(struct archive_cursor *c);

/* Opens the body of the segment at hand too. When it turns out to be damaged, or is gone meanwhile,
 * the cursor is in PLACE_NONE afterwards and its next entry is the one after it. */
MUST_CHECK enum status archive_cursor_open(struct archive_cursor *c);

#endif
