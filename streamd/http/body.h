/* SPDX-License-Identifier: MIT */
/*
 * body: the body of a request as the JSON object it must be.
 */
#ifndef STREAMD_HTTP_BODY_H
#define STREAMD_HTTP_BODY_H

#include "proto/fields.h"
#include "streamd/http/reply.h"

/* Owned by the caller (fields_destroy); NULL, and the reply is the refusal that says why. */
struct fields *body_read(const struct request *req, struct reply *reply);

#endif
