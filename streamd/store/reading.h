/* SPDX-License-Identifier: MIT */
/*
 * reading: one request for the history of a session, answered piece by piece.
 *
 * The loop thread asks and gets finished text; finding, decoding and writing it happen on the
 * archive's thread, in steps of some milliseconds, so that commits do not wait. Each piece is asked
 * for after the one before has been used up: a slow client costs one piece of memory however long
 * the history is.
 */
#ifndef STREAMD_STORE_READING_H
#define STREAMD_STORE_READING_H

#include "base/refbuf.h"
#include "proto/line.h"
#include "streamd/session/collation.h"
#include "streamd/session/curves.h"
#include "streamd/session/epochs.h"
#include "streamd/store/rewind.h"
#include "streamd/store/store.h"

enum {
    READING_PIECE_BYTES = 128 * 1024, /* a piece ends past this */
    READING_FIELDS_MAX = 32,
    READING_NAMES_BYTES = 8192,
};

enum reading_form {
    READING_JSON,      /* {"success":true,"data":[entries],"sessionId":..,"epoch":..,"total":N} */
    READING_CSV,       /* RFC 4180 (reading_csv.h) */
    READING_NDJSON,    /* an entry a line */
    READING_HISTORY,   /* {"sessionId":..,"history":[entries]}: session_history, in one piece */
    READING_UPDATES,   /* progress_update payloads, each after a struct reading_update */
    READING_RECKONING, /* one struct reckoning, of all entries, in one piece */
    READING_COLLATION, /* one struct collation, likewise */
    READING_CURVES,    /* one struct curves, likewise */
    READING_SUMMARY, /* summary_write() of the entries' records, in one piece; E_MALFORMED when rows
                        of theirs are damaged */
    READING_EPOCHS,  /* struct epoch after struct epoch, of the entries named in `epochs` that are
                        there and that no rewind has superseded */
};

/* Before each payload of READING_UPDATES. */
struct reading_update {
    uint64_t offset;
    uint64_t bytes; /* of the payload, which follows at once */
};

/* One metric asked for by name. */
struct reading_field {
    struct span name;        /* as history calls it; borrows from reading_request.names */
    enum record_field field; /* RECORD_FIELDS: one of the trainer's own */
};

/* What is asked for narrows in this order: since, from and to, limit, points, fields. */
struct reading_request {
    enum reading_form form;
    uint64_t session; /* key; 0: unknown to the store, an empty history */
    char id[SESSION_ID_BYTES_MAX + 1];
    char epoch[24];
    uint64_t since;    /* only entries with a larger offset */
    uint64_t until;    /* and at most this one: what was there when it was asked */
    uint64_t from;     /* and a currentStep of at least this */
    uint64_t to;       /* and at most this */
    bool ranged;       /* from or to was given: an entry without currentStep is out */
    uint64_t limit;    /* of these the newest so many */
    uint64_t points;   /* of these so many that show the shape; 0: all */
    bool branches;     /* superseded entries too, marked "superseded":true */
    bool axis;         /* with fields: where each entry stands on the axis, "axis" (axis.h) */
    bool compat_clamp; /* READING_UPDATES: payloads in the compatibility form */
    size_t max_bytes;  /* READING_HISTORY: E_LIMIT when it would be longer */
    struct reading_field fields[READING_FIELDS_MAX]; /* only these metrics */
    size_t field_count;                              /* 0: every metric */
    char names[READING_NAMES_BYTES];
    struct rewind rewinds[REWINDS_MAX];
    size_t rewind_count;
    uint64_t epochs_before; /* READING_EPOCHS: see epochs_steps */
    size_t epochs_len;
    char epochs[EPOCHS_BYTES_MAX];
    struct reckoning reckoning;      /* READING_RECKONING: as it stands before the first entry */
    struct collation_plan collation; /* READING_COLLATION, from that reckoning on */
    struct curves_plan curves;       /* READING_CURVES, likewise */
};

/* The copy's names stand in the copy. */
void reading_request_copy(struct reading_request *to, const struct reading_request *from);

/* ---- on the archive's thread ---- */

struct reading_job;

/* Copies the request; store and decoder are borrowed. NULL when out of memory. */
struct reading_job *reading_job_create(struct store *store, struct line_decoder *decoder,
                                       const struct reading_request *request);
void reading_job_destroy(struct reading_job *job);

/*
 * Does a few milliseconds of work. E_STATE: not ready yet, call again. OK: *out is the next piece
 * (a reference the caller owns, maybe empty), *out_last says that it was the last. Anything else:
 * the reading has failed; what was given before stands. E_LIMIT: more columns than a csv has, or
 * more bytes than max_bytes; nothing was given before.
 */
MUST_CHECK enum status reading_job_step(struct reading_job *job, struct refbuf **out,
                                        bool *out_last);

/* Entries written so far, for who shows how far it is. */
uint64_t reading_job_written(const struct reading_job *job);

/* Has it met rows that are damaged, and left out what was in them? */
bool reading_job_is_damaged(const struct reading_job *job);

#endif
