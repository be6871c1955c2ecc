/* SPDX-License-Identifier: MIT */
/*
 * ws_client: a WebSocket from the client's side (RFC 6455): the request, what its answer says, the
 * frames out and in.
 *
 * For a relay's way to its hub. Frames out are final and masked; frames in are whole or they wait.
 * No extension is offered, so a reserved bit is an error. Pure: key and masks are the caller's.
 */
#ifndef PROTO_WS_CLIENT_H
#define PROTO_WS_CLIENT_H

#include "base/buf.h"
#include "proto/wsframe.h"

enum {
    WS_KEY_BYTES = 16,
    WS_MASK_BYTES = 4,
    WS_HEAD_MAX = 16384, /* bytes of an answer's headers */
};

/* What is appended to the key, in base64, before its SHA-1 is the expected answer. */
#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct ws_request {
    struct span host; /* as the Host header has it */
    struct span path;
    struct span key;   /* base64 of WS_KEY_BYTES random bytes */
    struct span token; /* for `Authorization: Bearer`; empty: none */
};

void ws_client_request(struct buf *b, const struct ws_request *r);

enum ws_answer {
    WS_ANSWER_PARTIAL,  /* its headers have not ended yet */
    WS_ANSWER_ACCEPTED, /* the connection is a WebSocket now */
    WS_ANSWER_REFUSED,  /* any other status, or it is none of a WebSocket's */
};

/*
 * Reads what came after the request. `accept` is the base64 that the key demands. *out_status is
 * the HTTP status, 0 when there is none; *out_used, when accepted, the bytes before the first
 * frame.
 */
enum ws_answer ws_client_answer(struct span bytes, struct span accept, unsigned *out_status,
                                size_t *out_used);

/* Appends one final frame, masked. A control frame has at most WS_CONTROL_MAX bytes. */
void ws_client_frame(struct buf *b, enum ws_opcode op, const unsigned char mask[WS_MASK_BYTES],
                     struct span payload);

struct ws_frame {
    enum ws_opcode op;
    struct span payload; /* borrows from what was read */
    size_t bytes;        /* of the whole frame */
};

enum ws_read { WS_READ_MORE, WS_READ_FRAME, WS_READ_BAD };

/*
 * The first frame of these bytes. BAD: it is masked, has a reserved bit or an unknown opcode, or
 * more payload than `max`. Fragments are handed out as they come: a stream has no messages.
 */
enum ws_read ws_client_read(struct span bytes, size_t max, struct ws_frame *out);

#endif
