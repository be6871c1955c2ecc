/* SPDX-License-Identifier: MIT */
/*
 * history_stream: a reading of the archive as the body of an answer.
 */
#ifndef STREAMD_HTTP_HISTORY_STREAM_H
#define STREAMD_HTTP_HISTORY_STREAM_H

#include "streamd/http/reply.h"
#include "streamd/session/registry.h"
#include "streamd/store/reading.h"

/* Leaves the answer in reply->transfer, or makes the reply a 503. The request is copied. */
void history_stream(struct registry *registry, const struct reading_request *request,
                    const char *content_type, struct reply *reply);

#endif
