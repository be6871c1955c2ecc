/* SPDX-License-Identifier: MIT */
/*
 * sse: Server-Sent Events, GET /api/training/events/<id>.
 *
 * The same events and payloads as in every dialect; `id:` is the offset, Last-Event-ID (or ?since=)
 * resumes after it. A comment line each ping interval keeps proxies from closing the stream.
 */
#ifndef STREAMD_TRANSPORT_SSE_H
#define STREAMD_TRANSPORT_SSE_H

#include "streamd/http/request.h"
#include "streamd/transport/link.h"

struct peers;

/* Is this request ours? */
bool sse_path(struct span path);

/* Answers a GET: a stream, or an error. */
void sse_open(struct peers *peers, struct link *l, struct request *req);

#endif
