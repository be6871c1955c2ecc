/* SPDX-License-Identifier: MIT */
/*
 * keeper: the archive's thread, seen from the loop.
 *
 * The loop hands over batches of what must be kept and asks for readings; both are answered later,
 * in keeper_receive, which the loop calls when it was woken. Batches are committed in the order
 * they were given, each as a whole; a reading sees every batch given before it (unless the disk is
 * in trouble, then what could be committed). Nothing here blocks the loop.
 *
 * While a batch cannot be committed the keeper tries again, first soon and then every second, and
 * says so in keeper_trouble.
 */
#ifndef STREAMD_STORE_KEEPER_H
#define STREAMD_STORE_KEEPER_H

#include "streamd/store/batch.h"
#include "streamd/store/reading.h"

struct keeper;

struct keeper_params {
    struct store *store; /* takes */
    /* Called when there is something for keeper_receive; on the keeper's thread, if it has one. */
    void (*wake)(void *context);
    void *wake_context;
    /* Called in keeper_receive: the batch is on disk. Takes it. In keeper_destroy also for what
     * could not be committed. */
    void (*done)(void *context, struct batch *batch, bool committed);
    void *context;
    bool inline_work; /* no thread: work is done in keeper_receive. For tests. */
};

/* NULL, and the store is destroyed, when there is no thread or no memory. */
struct keeper *keeper_create(const struct keeper_params *params);

/* Ends every reading; commits what was given, for at most a second. */
void keeper_destroy(struct keeper *k);

/* Takes the batch. */
void keeper_submit(struct keeper *k, struct batch *batch);

/* Dispatches what has been done: `committed`, and readings' on_piece. */
void keeper_receive(struct keeper *k);

/* Batches given and not committed yet, and their bytes. */
uint64_t keeper_pending(const struct keeper *k);
uint64_t keeper_pending_bytes(const struct keeper *k);

/* NULL while all is well; else why nothing is committed at present. Valid until the next
 * keeper_receive. */
const char *keeper_trouble(const struct keeper *k);

/* Bytes on disk, as of the last commit. */
uint64_t keeper_store_bytes(const struct keeper *k);

/* A reading as the loop holds it. Embed it in what waits for the pieces. */
struct reading {
    /* The next piece; borrowed, ref it to keep it. `status` other than OK: the reading is over and
     * has failed, piece is NULL. `last`: it is over. Once over it may be started again. */
    void (*on_piece)(struct reading *r, struct refbuf *piece, bool last, enum status status);
    struct keeper *keeper;         /* borrows; NULL while it is not under way */
    struct reading_ticket *ticket; /* shared with the keeper's thread */
    struct list link;              /* in keeper's list of readings under way */
};

/* Starts; the first piece comes without asking. The request is copied. E_NOMEM: nothing started. */
MUST_CHECK enum status reading_start(struct reading *r, struct keeper *k,
                                     const struct reading_request *request);

/* Asks for the next piece; not before the one asked for last has come. */
void reading_more(struct reading *r);

/* No piece comes any more. Idempotent; also for one that was never started (zeroed). */
void reading_cancel(struct reading *r);

#endif
