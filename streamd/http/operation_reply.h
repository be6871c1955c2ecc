/* SPDX-License-Identifier: MIT */
/*
 * operation_reply: what the operations API says when it does not do what was asked (P-88).
 *
 * Its clients know four shapes, other than those of the rest of the daemon, and read them word for
 * word.
 */
#ifndef STREAMD_HTTP_OPERATION_REPLY_H
#define STREAMD_HTTP_OPERATION_REPLY_H

#include "streamd/http/reply.h"

struct app;
struct session;

/* The operation of the request's path, an expired one too; NULL, and the reply is
 * 404 {"detail":"Operation not found: <id>"}. */
struct session *operation_find(struct app *app, const struct request *req, struct reply *reply);

/* {"detail":"<what><why>"} with that status; `why` may be empty. */
void operation_refuse(struct reply *reply, int status, const char *what, struct span why);

/* 422 with the one thing that is wrong: where it stands, what about it, of which kind that is. */
void operation_invalid(struct reply *reply, const char *field, const char *message,
                       const char *type);

/* 500: what the daemon itself could not do. */
void operation_failed(struct reply *reply, enum status status);

/*
 * Is the body one JSON object? False, and the reply is a 422. Bare NaN and Infinity are let
 * through. An empty body counts as {} where `optional`.
 */
bool operation_body(const struct request *req, bool optional, struct span *out,
                    struct reply *reply);

/* A member that must be a string where it is there (not null); false, and the reply is a 422. */
struct fields;
bool operation_text(const struct fields *body, const char *name, struct span *out,
                    struct reply *reply);

#endif
