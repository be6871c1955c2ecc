/* SPDX-License-Identifier: MIT */
/*
 * store: where what must outlive the process stands, as rows.
 *
 * Five kinds of rows: a session, with its newest state; the runs of lines it has had, as they came
 * (the journal); the segments that runs are sealed into; what it was told to do (the audit); and a
 * few named values of the whole store. What they mean is the archive's business (archive.h), the
 * store's is that they are all there or none, and there again after a crash. Two implementations:
 * store_sqlite.h, and store_memory.h for
 * --ephemeral and tests.
 *
 * One thread at a time. Everything that is put or deleted stands in a transaction, from begin to
 * commit or rollback; nothing of it is kept unless commit answers OK, and then all of it is.
 * Reading needs none, and sees what the open transaction has put. A change that fails dooms its
 * transaction: until rollback, changes and commit answer the same again, and reading may fail.
 * After commit, whatever it answered, no transaction is open; rollback is harmless when none is.
 *
 * A disk that failed may still have what a commit answered E_IO for, and a machine that then
 * crashes finds all or nothing of it. So what is tried again should put the same rows, which is
 * harmless.
 *
 * E_IO: the disk would not (full, broken, read-only, another file in its place); try again later,
 * from begin on. E_MALFORMED: what stands there is damaged. E_NOMEM. `why` has the reason in words.
 */
#ifndef STREAMD_STORE_STORE_H
#define STREAMD_STORE_STORE_H

#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The schema this program writes. Older ones are migrated, newer ones refused. */
enum { STORE_SCHEMA = 2 };

/* Spans are borrowed: by the store for the call, from the store until its next call. Keys, offsets
 * and their sums with counts are < 2^63, counts > 0, times finite. */
struct store_session {
    uint64_t key; /* > 0, given by the caller, never to be used again */
    struct span id;
    struct span project; /* ptr NULL: none */
    struct span name;    /* ptr NULL: none */
    struct span config;  /* minified JSON object; ptr NULL: none */
    struct span status;  /* "running", ... : for people who look into the file */
    struct span state;   /* the rest, in the archive's own form (session_state.h) */
    double start_time_s;
    double last_update_s;
    bool pinned;
};

/* Consecutive records of one session, as lines. Runs of a session do not overlap, nor do its
 * segments. */
struct store_run {
    uint64_t session;
    uint64_t first; /* offset of the first record */
    uint64_t count;
    struct span bytes; /* in the form of run.h */
};

struct store_segment {
    uint64_t session;
    uint64_t first;
    uint64_t count;
    struct span head; /* in the form of segment.h */
    struct span body; /* ptr NULL when only the head was asked for */
};

/* An order to a session, and what came of it. */
struct store_audit {
    uint64_t id; /* > 0, of the whole store */
    uint64_t session;
    struct span entry; /* JSON (session/order.h) */
};

struct store;

struct store_ops {
    enum status (*begin)(struct store *s);
    enum status (*commit)(struct store *s);
    void (*rollback)(struct store *s);

    /* Adds, or replaces the one with that key. `id` must not be another key's, which nobody checks.
     * Cheap when only other columns than `config` changed. */
    enum status (*put_session)(struct store *s, const struct store_session *row);
    /* With its runs, segments and audit. OK also when there is none. */
    enum status (*delete_session)(struct store *s, uint64_t key);
    /* Adds, or replaces the one with that session and first. */
    enum status (*put_run)(struct store *s, const struct store_run *row);
    /* Adds (or replaces) a segment and deletes the runs that it holds: those of the session that
     * begin within it. */
    enum status (*put_segment)(struct store *s, const struct store_segment *row);
    /* The session's segments that end at or before `offset`, which is then not in them. */
    enum status (*delete_before)(struct store *s, uint64_t session, uint64_t offset);
    /* Adds, or replaces the one with that id. */
    enum status (*put_audit)(struct store *s, const struct store_audit *row);
    enum status (*delete_audit)(struct store *s, uint64_t id);
    enum status (*put_meta)(struct store *s, const char *name, struct span value);

    /*
     * Reading. E_MALFORMED leaves the spans empty and says where to go on: `key` is that of the
     * damaged session (or one before which nothing can be read), `first` the offset asked for and
     * `count` how far the damage reaches from there. Going on as after any other row ends.
     */

    /* Appends the value to `out`. E_NOT_FOUND, E_LIMIT. */
    enum status (*get_meta)(struct store *s, const char *name, struct buf *out);
    /* The session with the smallest key > `after`. E_NOT_FOUND: none is left. */
    enum status (*next_session)(struct store *s, uint64_t after, struct store_session *out);
    /* The run, or the segment, of that session that holds `offset`, else the first one after it.
     * E_NOT_FOUND: none is left. */
    enum status (*next_run)(struct store *s, uint64_t session, uint64_t offset,
                            struct store_run *out);
    enum status (*next_segment)(struct store *s, uint64_t session, uint64_t offset, bool with_body,
                                struct store_segment *out);
    /* The order with the smallest id > `after`. E_NOT_FOUND: none is left. E_MALFORMED: `id` is
     * that of the damaged one, UINT64_MAX when nothing behind it can be read. */
    enum status (*next_audit)(struct store *s, uint64_t after, struct store_audit *out);

    /* Between transactions: gives some of what is not used any more back to the disk, when that is
     * much. E_NOT_FOUND: it is not. */
    enum status (*shrink)(struct store *s);

    /* Bytes that all of it takes where it stands. */
    uint64_t (*bytes)(struct store *s);
    /* Why the last call that failed did; "" before any. */
    const char *(*why)(const struct store *s);
    /* Rolls back what is open. */
    void (*destroy)(struct store *s);
};

/* Embedded first in each implementation's own struct. */
struct store {
    const struct store_ops *ops; /* borrows */
};

#endif
