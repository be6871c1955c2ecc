/* SPDX-License-Identifier: MIT */
/*
 * history: GET /api/training/history/<id>, what a run has recorded so far.
 *
 * Always 200 for known and unknown ids; a run that nobody knows has recorded nothing. Entries come
 * oldest first. What is asked for narrows in this order: since, from and to, limit, points, fields.
 */
#ifndef STREAMD_HTTP_HISTORY_H
#define STREAMD_HTTP_HISTORY_H

#include "proto/query.h"
#include "streamd/http/router.h"
#include "streamd/session/series.h"

enum { HISTORY_FIELDS_MAX = 32 };

/* One metric that was asked for by name. */
struct history_field {
    struct span name;        /* as it is known in a record */
    enum record_field field; /* RECORD_FIELDS: one of the trainer's own */
};

struct history_query {
    uint64_t since;  /* only entries with a larger offset */
    uint64_t from;   /* and a currentStep of at least this */
    uint64_t to;     /* and at most this */
    bool ranged;     /* from or to was given: an entry without currentStep is out */
    uint64_t limit;  /* of these the newest so many */
    uint64_t points; /* of these so many that show the shape; 0: all */
    struct history_field fields[HISTORY_FIELDS_MAX]; /* only these metrics; borrows from `names` */
    size_t field_count;                              /* 0: every metric */
    struct query_value names;
};

/* Reads the query string. False: the reply is a 400 that names what is wrong. */
bool history_query_read(const struct request *req, struct reply *reply, struct history_query *out);

/* The value of that metric; NUM_NONE when the record has none. */
struct num history_value(const struct record *r, const struct history_field *field);

route_fn history_answer;

#endif
