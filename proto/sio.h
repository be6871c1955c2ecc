/* SPDX-License-Identifier: MIT */
/*
 * sio: Socket.IO protocol version 5, text packets.
 *
 * sio_decode takes what an Engine.IO message carries, i.e. the text after its '4'
 * (eio_packet.data). The writers write the Engine.IO message whole, with the '4', because that is
 * what stands in a text frame and in a polling payload alike: `42["progress_update",...]`. Binary
 * attachments follow as packets of their own; sio_reader puts incoming ones together. Pure.
 *
 * Decoding is strict: it accepts what the protocol lets a peer send, plus nothing. `*out_why` of a
 * refused packet is a static sentence that may travel to the client.
 */
#ifndef PROTO_SIO_H
#define PROTO_SIO_H

#include "base/buf.h"

enum sio_type {
    SIO_CONNECT = 0,
    SIO_DISCONNECT = 1,
    SIO_EVENT = 2,
    SIO_ACK = 3,
    SIO_CONNECT_ERROR = 4,
    SIO_BINARY_EVENT = 5,
    SIO_BINARY_ACK = 6,
};

enum {
    SIO_NSP_MAX = 128,        /* bytes of a namespace, its query included */
    SIO_ATTACHMENTS_MAX = 10, /* binary attachments of one packet */
};

#define SIO_ID_MAX UINT64_C(9007199254740991) /* 2^53-1: what a JavaScript peer can count to */

struct sio_packet {
    enum sio_type type;
    unsigned attachments; /* 1..SIO_ATTACHMENTS_MAX for the binary types, else 0 */
    bool has_id;          /* always for the ACK types, maybe for events, else never */
    uint64_t id;          /* <= SIO_ID_MAX */
    struct span nsp;      /* "/" or "/name", query part dropped; borrows or static */
    struct span data;     /* valid JSON as it was sent, empty when absent; borrows */
    struct span event;    /* name of an event, between its quotes, escapes as sent; borrows */
    const char *refused;  /* CONNECT only: why its payload cannot be taken (static); else NULL */
};

/*
 * Reads one packet. Then: an event has a JSON array that starts with a name that is not empty and
 * not one of the reserved six; an ACK has an id and an array; CONNECT an object or nothing;
 * CONNECT_ERROR an object or a string; DISCONNECT nothing. A CONNECT with any other payload is
 * still a packet, without data and with `refused` set, so that it can be answered CONNECT_ERROR.
 * The placeholders of a binary packet are sio_reader's to check.
 * E_MALFORMED, or E_LIMIT for a namespace, an id or an attachment count beyond its maximum.
 */
MUST_CHECK enum status sio_decode(struct span text, struct sio_packet *out, const char **out_why);

/*
 * Appends any packet: type, attachments, nsp, id and data as they stand (data must be JSON, `event`
 * is not looked at). Failure of all writers is the buf's. `nsp` "/" is not written.
 */
void sio_write_packet(struct buf *b, const struct sio_packet *packet);

/* `json`: the object with the sid. */
void sio_write_connect(struct buf *b, struct span nsp, struct span json);

/* {"message":...}; the message is escaped here. */
void sio_write_connect_error(struct buf *b, struct span nsp, struct span message);

void sio_write_disconnect(struct buf *b, struct span nsp);

/* 2["event",payload]; `event` needs no JSON escapes; an empty payload leaves the name alone. */
void sio_write_event(struct buf *b, struct span nsp, struct span event, struct span payload_json);

/* The same with one more argument behind the payload: a string that needs no escapes. */
void sio_write_marked_event(struct buf *b, struct span nsp, struct span event,
                            struct span payload_json, struct span mark);

/* `array`: the JSON array of the answer's arguments. */
void sio_write_ack(struct buf *b, struct span nsp, uint64_t id, struct span array);

#endif
