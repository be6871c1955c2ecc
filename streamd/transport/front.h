/* SPDX-License-Identifier: MIT */
/*
 * front: where what comes from a connection is told apart.
 *
 * HTTP goes to an Engine.IO mount, to Server-Sent Events or to the router; a WebSocket to an
 * Engine.IO mount or to plain /ws. The transport implementation calls these inside
 * app_enter/app_leave and acts on nothing by itself.
 */
#ifndef STREAMD_TRANSPORT_FRONT_H
#define STREAMD_TRANSPORT_FRONT_H

#include "streamd/http/reply.h"
#include "streamd/http/request.h"
#include "streamd/transport/link.h"

/* The headers of a request, whose body is still to come. front_request or front_closed follows. */
void front_request_begins(struct link *l, const struct request *req);

/* A whole request, its body included. Answered at once, or the link is parked. */
void front_request(struct link *l, struct request *req);

/* Answers a request with what the reply says. `close`: also end the connection. */
void front_answer(struct link *l, const struct request *req, struct reply *reply);

/* A request that is refused before it is read (bad length, too large, ...): answered and closed. */
void front_refuse(struct link *l, struct request *req, int status, const char *why);

/*
 * May this request become a WebSocket? True, or the reply says why not. Checked before lws answers
 * 101, because afterwards nothing but a close frame is left to say. Sets req->caller, who may be
 * nobody still: a browser shows its token with the first message. A wrong one is refused.
 */
bool front_may_upgrade(struct app *app, struct request *req, struct reply *refusal);

/* The 101 is out. `req` as it was checked, with its caller. */
void front_ws_open(struct link *l, const struct request *req);

/* A whole message, inflated and valid UTF-8 if text. */
void front_ws_message(struct link *l, struct span message, bool binary);

void front_ws_pong(struct link *l);

/* The message is larger than allowed or broken: close with this code. */
void front_ws_error(struct link *l, unsigned code, const char *why);

void front_writable(struct link *l);

/* The connection is gone; nothing may be done with the link afterwards. */
void front_closed(struct link *l);

#endif
