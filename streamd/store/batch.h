/* SPDX-License-Identifier: MIT */
/*
 * batch: what the loop wants kept, committed as one.
 *
 * Built on the loop's thread, given away whole, and given back when it is on disk. Items are
 * applied in the order they were added.
 */
#ifndef STREAMD_STORE_BATCH_H
#define STREAMD_STORE_BATCH_H

#include "base/buf.h"
#include "streamd/store/mailbox.h"
#include "streamd/store/store.h"

enum batch_kind {
    BATCH_SESSION, /* its row */
    BATCH_RUN,     /* records that came */
    BATCH_SEAL,    /* nothing more is expected for now: seal what is not */
    BATCH_TRIM,    /* its segments that end at or before `first` are not wanted any more */
    BATCH_DELETE,  /* the session and all it had */
    BATCH_AUDIT,   /* an order: its id is `first`, its entry `bytes` */
    BATCH_DROP,    /* the order with the id `first` */
    BATCH_META,    /* a value of the whole store; `first` is unused */
};

struct batch_item {
    enum batch_kind kind;
    uint64_t session;
    uint64_t first, count;    /* of a run; `first` also of a trim and an order */
    struct buf bytes;         /* owned; of a run, of an order, or the texts of `row` */
    struct store_session row; /* of a session; its spans borrow from `bytes` */
    char name[16];            /* of a meta value, which is `bytes` */
};

struct batch {
    struct letter letter;
    uint64_t number;          /* rises by one from 1 */
    struct batch_item *items; /* owns */
    size_t count, cap;
    size_t bytes; /* of all items, roughly */
    uint64_t records;
    struct list kept; /* for the loop: what becomes durable with it (session/keeping.c) */
};

/* NULL when out of memory. */
struct batch *batch_create(uint64_t number);

/* `kept` must be empty. NULL is allowed. */
void batch_destroy(struct batch *b);

/* Each is E_NOMEM, and nothing added, when there is no memory. Rows are copied; the run's buf is
 * moved out (reset in the caller's hands). */
MUST_CHECK enum status batch_add_session(struct batch *b, const struct store_session *row);
MUST_CHECK enum status batch_add_run(struct batch *b, uint64_t session, uint64_t first,
                                     uint64_t count, struct buf *run);
MUST_CHECK enum status batch_add(struct batch *b, enum batch_kind kind, uint64_t session);
MUST_CHECK enum status batch_add_trim(struct batch *b, uint64_t session, uint64_t first);
MUST_CHECK enum status batch_add_audit(struct batch *b, const struct store_audit *row);
MUST_CHECK enum status batch_add_drop(struct batch *b, uint64_t order);
MUST_CHECK enum status batch_add_meta(struct batch *b, const char *name, struct span value);

#endif
