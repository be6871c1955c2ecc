/* SPDX-License-Identifier: MIT */
/*
 * engine_poll: the long-polling side of an engine.
 *
 * A GET is answered with the packets that wait, or parked until there are some; a POST carries the
 * client's packets. Called by engine.c and by the front.
 */
#ifndef STREAMD_TRANSPORT_ENGINE_POLL_H
#define STREAMD_TRANSPORT_ENGINE_POLL_H

#include "proto/eio.h"
#include "streamd/transport/engine.h"

/* The refusals of Engine.IO: 400 with {"code":N,"message":..}. The numbers are the protocol's. */
enum engine_refusal {
    ENGINE_UNKNOWN_TRANSPORT = 0,
    ENGINE_UNKNOWN_SID = 1,
    ENGINE_BAD_METHOD = 2,
    ENGINE_BAD_REQUEST = 3,
    ENGINE_FORBIDDEN = 4,
    ENGINE_UNSUPPORTED = 5,
};

void engine_refuse(struct reply *reply, enum engine_refusal refusal);

/* EIO=4 and transport=`transport`? If not, the reply is the refusal. */
bool engine_check_version(const struct request *req, const char *transport, struct reply *reply);

/* engine.c: a new session, on a WebSocket or (NULL) on polling. NULL when out of memory. */
struct engine *engine_create(struct peers *peers, const struct engine_mount *mount, struct link *ws,
                             const struct request *req);

/* engine.c: one packet of the client. The engine's peer may be closing afterwards. */
void engine_packet(struct engine *e, const struct eio_packet *packet);

/* Answers the parked poll with what waits, at most EIO_ANSWER_PACKETS_MAX packets. */
void engine_poll_flush(struct engine *e);

/* Ends the parked poll, if any, with a noop. */
void engine_poll_noop(struct engine *e);

/*
 * Ends the poll that was parked when the WebSocket took a step of the upgrade. One that came in
 * this very wake-up is left to the flush: which of the two was first on the wire cannot be told,
 * and a poll sent after the upgrade is to be refused.
 */
void engine_poll_release(struct engine *e);

/* Ends the parked poll, if any, with 400: the session is on its WebSocket. */
void engine_poll_refuse(struct engine *e);

/* Ends the parked poll, if any, with what waits and a close packet. */
void engine_poll_close(struct engine *e);

/* Nothing more is expected of the POST that is being sent, if any. */
void engine_post_release(struct engine *e);

/* The link is gone: was it the parked poll's? */
bool engine_poll_forget(struct engine *e, const struct link *l);

#endif
