/* SPDX-License-Identifier: MIT */
/*
 * history: GET /api/training/history/<id>, what a run has recorded so far.
 *
 * Always 200 for known and unknown ids; a run that nobody knows has recorded nothing. Entries come
 * oldest first. What is asked for narrows in this order: since, from and to, limit, points, fields.
 * An answer of a few entries that memory still has is given at once; any other is read from the
 * archive and streamed (history_stream.h).
 */
#ifndef STREAMD_HTTP_HISTORY_H
#define STREAMD_HTTP_HISTORY_H

#include "streamd/http/router.h"
#include "streamd/store/reading.h"

/* Narrows a request (session/ask.h) by the query string. False: the reply is a 400 that names what
 * is wrong. */
bool history_query_read(const struct request *req, struct reply *reply,
                        struct reading_request *out);

route_fn history_answer;

#endif
