/* SPDX-License-Identifier: MIT */
/*
 * message: one event on its way to a room, encoded at most once in each form.
 *
 * The payload is JSON, written once. A form (dialect, framed or not, deflated or not) is built the
 * first time a subscriber asks for it; every further subscriber shares the same refbuf. Lives on
 * the stack of whoever publishes, for the length of one publish.
 */
#ifndef STREAMD_ENCODE_MESSAGE_H
#define STREAMD_ENCODE_MESSAGE_H

#include "base/buf.h"
#include "base/refbuf.h"
#include "streamd/encode/chain.h"
#include "streamd/encode/deflater.h"
#include "streamd/stats.h"

#include <stdbool.h>

/* How a subscriber wants its bytes. */
enum form {
    FORM_PACKET,            /* Socket.IO text packet `42[...]`, unframed: long-polling */
    FORM_SOCKETIO,          /* the same in a WebSocket text frame */
    FORM_SOCKETIO_DEFLATED, /* the same packet, to be deflated and framed (chain.h) */
    FORM_PLAIN,             /* {"event":..,"data":..} in a WebSocket text frame */
    FORM_PLAIN_DEFLATED,    /* the same text, to be deflated and framed */
    FORM_SSE,               /* id:, event:, data: lines */
    /* The first three for a client that may recover: the serial is one more argument. */
    FORM_MARKED_PACKET,
    FORM_MARKED_SOCKETIO,
    FORM_MARKED_SOCKETIO_DEFLATED,
    FORMS
};

/* What is still to be done with bytes when they are written to a WebSocket. */
enum finish {
    FINISH_NOTHING, /* they go as they are: a frame, an SSE event */
    FINISH_TEXT,    /* a text message to be framed */
    FINISH_BINARY,  /* a binary one */
    FINISH_DEFLATE, /* a text message to be deflated after the one before it, and framed */
};

/* What encoding needs and every message shares; one per loop thread. */
struct encoder {
    struct deflater *deflater; /* owns */
    struct stats *stats;       /* borrows */
    bool compression;          /* is permessage-deflate offered to watchers at all? */
    uint64_t serial;           /* of the newest message */
    struct buf text;           /* scratch: a form before it is framed */
    struct chain chain;
};

MUST_CHECK enum status encoder_init(struct encoder *e, struct stats *stats, bool compression);
void encoder_fini(struct encoder *e);

struct message {
    struct encoder *encoder;     /* borrows */
    const char *event;           /* wire name; static */
    struct span payload;         /* borrows: the JSON of the event's data */
    uint64_t serial;             /* of this message among all; never 0 */
    uint64_t offset;             /* the SSE id; 0: none */
    uint64_t after;              /* of an event: offset of the newest update before it; else 0 */
    uint64_t ordinal;            /* of an event that the journal has; else 0 */
    struct refbuf *forms[FORMS]; /* owns a reference of each one built */
};

void message_init(struct message *m, struct encoder *encoder, const char *event,
                  struct span payload, uint64_t offset);
void message_fini(struct message *m);

/* The bytes of one form; borrows from the message. NULL when out of memory. */
struct refbuf *message_form(struct message *m, enum form form);

/* What is still to be done with the bytes of this form. */
enum finish form_finish(enum form form);

/* The form with the serial for a Socket.IO form without it. */
enum form form_marked(enum form form);

/* The reverse. */
enum form form_unmarked(enum form form);

/* The size of the form before compression and framing, for the byte counters. */
size_t message_plain_bytes(const struct message *m);

#endif
