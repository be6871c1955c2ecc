/* SPDX-License-Identifier: MIT */
/*
 * eio: Engine.IO protocol version 4, the layer under Socket.IO.
 *
 * A packet is a type digit and its data. Over WebSocket a text frame is one packet and a binary
 * frame is one message without a digit; over long-polling a body is a payload: packets joined by
 * 0x1e, a binary one as 'b' and base64. The transports own the session (sid, heartbeat, upgrade);
 * here is only the grammar. Pure.
 */
#ifndef PROTO_EIO_H
#define PROTO_EIO_H

#include "base/buf.h"

enum eio_type {
    EIO_OPEN = 0,
    EIO_CLOSE = 1,
    EIO_PING = 2,
    EIO_PONG = 3,
    EIO_MESSAGE = 4,
    EIO_UPGRADE = 5,
    EIO_NOOP = 6,
};

enum {
    EIO_VERSION = 4,
    EIO_SEPARATOR = 0x1e,
    EIO_PAYLOAD_PACKETS_MAX = 1024, /* packets a client may post in one payload: the default */
    EIO_ANSWER_PACKETS_MAX = 16,    /* packets in one poll answer: python-engineio takes no more */
};

struct eio_packet {
    enum eio_type type;
    bool binary;      /* only an EIO_MESSAGE is */
    struct span data; /* what follows the type digit, or the bytes; borrows */
};

/* The fields of the handshake, in milliseconds and bytes. */
struct eio_open {
    struct span sid; /* borrows; needs no JSON escapes */
    bool upgrades;   /* may the client go on to a WebSocket? */
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t max_payload_bytes;
};

/* Reads one polling payload, packet by packet. A plain value. */
struct eio_payload {
    struct span rest;    /* borrows the payload; ptr NULL at the end */
    struct buf *scratch; /* borrows; holds the bytes of the binary packet last answered */
};

/* Reads one text frame. E_MALFORMED: empty, or no type digit 0-6. */
MUST_CHECK enum status eio_decode(struct span frame, struct eio_packet *out);

/* One binary frame is one message. */
struct eio_packet eio_decode_binary(struct span frame);

/*
 * Starts reading a payload. E_MALFORMED: empty or not UTF-8. E_LIMIT: more than `max_packets`
 * packets. Both before any packet is handed out. Takes no ownership: payload and scratch must
 * outlive the reading; the limit of `scratch` bounds one decoded binary packet.
 */
MUST_CHECK enum status eio_payload_init(struct eio_payload *p, struct span payload,
                                        size_t max_packets, struct buf *scratch);

/*
 * The next packet; out->data is valid until the next call. E_NOT_FOUND: the payload has ended.
 * E_MALFORMED: an empty packet, an unknown type, bad base64. E_LIMIT, E_NOMEM: from `scratch`.
 */
MUST_CHECK enum status eio_payload_next(struct eio_payload *p, struct eio_packet *out);

/*
 * Writers append; failure is the buf's. eio_write_open and eio_write_text write one packet as it
 * stands in a text frame.
 */
void eio_write_open(struct buf *b, const struct eio_open *open);
void eio_write_text(struct buf *b, enum eio_type type, struct span data);

/*
 * Appends one packet to a payload, after a separator when the buf is not empty. `packet` is a whole
 * text packet, its digit included, as the writers above and sio_write_* leave it; or, for
 * _binary, the bytes of a binary message.
 */
void eio_payload_add_text(struct buf *b, struct span packet);
void eio_payload_add_binary(struct buf *b, struct span bytes);

#endif
