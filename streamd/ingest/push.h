/* SPDX-License-Identifier: MIT */
/*
 * push: trainer lines that come as the body of a POST.
 *
 * The same lines as on the Unix socket, taken in order until the first bad one:
 * application/x-ndjson has one a line, application/json is one line that may be laid out over
 * several. No acks: the answer says how many were taken and the session's lastSeq.
 */
#ifndef STREAMD_INGEST_PUSH_H
#define STREAMD_INGEST_PUSH_H

#include "streamd/http/reply.h"
#include "streamd/http/request.h"
#include "streamd/ingest/intake.h"

/*
 * 200 {"success":true,"accepted":2,"sessionId":"a","lastSeq":7}; 400 the same with "success":false
 * and "error", "code", "line" and "at" of the first bad line; 415 for any other content type.
 */
void push_answer(struct registry *registry, struct line_decoder *decoder, const struct request *req,
                 struct reply *reply);

#endif
