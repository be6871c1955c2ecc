/* SPDX-License-Identifier: MIT */
/*
 * archive: what a store's rows mean.
 *
 * Commits batches, and seals what sessions have recorded: once a session has a segment's worth of
 * records in runs they become one segment, and what is left when it ends becomes a last, shorter
 * one. Single-threaded, without a clock; the keeper runs it on its thread.
 */
#ifndef STREAMD_STORE_ARCHIVE_H
#define STREAMD_STORE_ARCHIVE_H

#include "base/strmap.h"
#include "proto/line.h"
#include "streamd/store/batch.h"
#include "streamd/store/segment.h"

struct archive {
    struct store *store;   /* borrows */
    struct strmap journal; /* owns: key → struct journal_of, of sessions with runs */
    struct list due;       /* of journal_of.due: to be sealed */
    struct line_decoder decoder;
    struct segment_writer *writer; /* owns */
    struct buf head, body;
    uint64_t commits;
    uint64_t sealed;  /* segments made */
    uint64_t damaged; /* rows that could not be read */
};

MUST_CHECK enum status archive_init(struct archive *a, struct store *store, uint64_t seed);
void archive_fini(struct archive *a);

/* Commits the batches of the list (of batch.letter.link) as one. Not OK: none of them is kept. */
MUST_CHECK enum status archive_commit(struct archive *a, const struct list *batches);

/* Records that are due to be sealed. */
uint64_t archive_backlog(const struct archive *a);

/* Seals one segment if one is due. E_NOT_FOUND: none was. Not OK otherwise: it is due still. */
MUST_CHECK enum status archive_tidy(struct archive *a);

#endif
