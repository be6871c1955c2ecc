/* SPDX-License-Identifier: MIT */
/*
 * operation: a session as a job that scripts and agents supervise (the operations API, P-80).
 *
 * A view: the session stays what it is. What a session has no word for is kept beside it: that it
 * was cancelled and why, and, of a job that is no training, the keys it has told of itself. Its
 * type, plan and symbol are in its config. Embedded in a session, kept in its row.
 */
#ifndef STREAMD_SESSION_OPERATION_H
#define STREAMD_SESSION_OPERATION_H

#include "base/buf.h"
#include "base/refbuf.h"
#include "base/status.h"

#include <stdbool.h>

#define OPERATION_STATUS_TABLE(X)                                                                  \
    X(OPERATION_PENDING, "pending")                                                                \
    X(OPERATION_RESUMING, "resuming")                                                              \
    X(OPERATION_RUNNING, "running")                                                                \
    X(OPERATION_COMPLETED, "completed")                                                            \
    X(OPERATION_FAILED, "failed")                                                                  \
    X(OPERATION_CANCELLED, "cancelled")

enum operation_status {
#define OPERATION_ENUM(status, name) status,
    OPERATION_STATUS_TABLE(OPERATION_ENUM)
#undef OPERATION_ENUM
        OPERATION_STATUSES
};

enum {
    OPERATION_TYPE_MAX = 64,       /* bytes of a type: a-z 0-9 _ - */
    OPERATION_METRICS_MAX = 65536, /* bytes of the merged keys of a job that is no training */
    OPERATION_SYMBOL_MAX = 64,
    OPERATION_ID_MAX = 128,
};

struct now;
struct session;

struct operation {
    double cancelled_s;     /* wall; 0: it was not cancelled */
    char *reason;           /* owns; why it was, may be NULL */
    struct refbuf *metrics; /* owns a reference; merged keys, NULL: none came */
    unsigned ended;         /* enum session_state before it expired */
    /* Read from the config when first asked for. */
    bool known;
    char type[OPERATION_TYPE_MAX + 1];
    char symbol[OPERATION_SYMBOL_MAX + 1]; /* "": none */
    char parent[OPERATION_ID_MAX + 1];     /* "": none */
    uint64_t epochs_planned;               /* 0: not known */
};

void operation_fini(struct operation *o);

/* The session begins anew. */
void operation_reset(struct operation *o);

/* The session goes on: it is not cancelled any more. */
void operation_reopen(struct operation *o);

/* "pending" ...; static. */
const char *operation_status_name(enum operation_status status);

/* OPERATION_STATUSES when there is none of that name. */
enum operation_status operation_status_find(struct span name);

/* Is there no more to come: completed, failed or cancelled? */
bool operation_status_ended(enum operation_status status);

enum operation_status operation_status(const struct session *s);

/* Its type, symbol and plan, read. */
const struct operation *operation_of(struct session *s);
bool operation_is_training(struct session *s);

bool operation_type_valid(struct span type);

/* Has the object, which passed json_check, no member? */
bool operation_says_nothing(struct span object);

/*
 * Takes in what a job says of itself, key by key: a key that was there gets its new value. `object`
 * is a JSON object that passed json_check; an empty one says nothing. E_LIMIT: it would be more
 * than OPERATION_METRICS_MAX; E_NOMEM. In both cases nothing has changed.
 */
MUST_CHECK enum status operation_merge(struct session *s, struct span object, struct now now);

/* It is cancelled from now on; the session itself goes on until its trainer ends it. E_NOMEM. */
MUST_CHECK enum status operation_cancel(struct session *s, struct span reason, struct now now);

/* op_{type}_{YYYYMMDD_HHMMSS}_{8 hex}, NUL-terminated. False: no random bytes. */
bool operation_id_make(struct span type, double wall_s, char out[OPERATION_ID_MAX + 1]);

/* For the store, as epochs_write and epochs_read. */
void operation_write(const struct operation *o, struct buf *out);
MUST_CHECK enum status operation_read(struct operation *o, struct span bytes);

#endif
