/* SPDX-License-Identifier: MIT */
/*
 * The reading begins with the transfer and the headers leave with its first piece, so whatever goes
 * wrong before is still told by a status of its own. The next piece is asked for when the one
 * before has been written: a client that does not read costs one piece.
 */
#include "streamd/http/history_stream.h"

#include "streamd/session/ask.h"
#include "streamd/transport/transfer.h"

#include <stdlib.h>

struct stream {
    struct transfer transfer;
    struct reading reading;
    struct registry *registry; /* borrows */
    const char *content_type;  /* static */
    struct refbuf *piece;      /* shares; being written, or NULL */
    size_t written;            /* bytes of it */
    bool last;
    struct reading_request request;
};

static const char *reason_of(enum status status, int *out_http)
{
    *out_http = status == E_LIMIT ? 400 : 503;
    switch (status) {
    case E_LIMIT:
        return "A csv has at most 1024 metrics: name some with fields";
    case E_NOMEM:
        return "Out of memory";
    default:
        return "History cannot be read at present";
    }
}

static void refuse(struct stream *s, enum status status)
{
    struct reply reply;
    int http;
    const char *reason = reason_of(status, &http);
    reply_init(&reply, REPLY_BODY_MAX);
    reply_error(&reply, http, reason);
    transfer_answer(&s->transfer, &reply);
    reply_fini(&reply);
}

/* False: it was a HEAD, and the stream is gone. */
static bool begin_answer(struct stream *s)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    reply.content_type = s->content_type;
    bool follows = transfer_begin(&s->transfer, &reply);
    reply_fini(&reply);
    return follows;
}

/* Writes as much of the piece as the client takes, then asks for the next. */
static void write_on(struct stream *s)
{
    struct span piece = refbuf_span(s->piece);
    while (s->written < piece.len) {
        size_t left = piece.len - s->written;
        size_t n = left < TRANSFER_PIECE_MAX ? left : TRANSFER_PIECE_MAX;
        const char *at = piece.ptr + s->written;
        s->written += n;
        if (!transfer_write(&s->transfer, (struct span){at, n}) && s->written < piece.len)
            return;
    }
    refbuf_unref(s->piece);
    s->piece = NULL;
    if (s->last)
        transfer_end(&s->transfer);
    else if (!s->transfer.waits)
        reading_more(&s->reading);
}

static void on_piece(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    struct stream *s = LIST_ENTRY(reading, struct stream, reading);
    if (status != OK && !s->transfer.begun) {
        refuse(s, status);
        return;
    }
    if (status != OK) {
        transfer_abort(&s->transfer);
        return;
    }
    if (!s->transfer.begun && !begin_answer(s))
        return;
    s->piece = refbuf_ref(piece);
    s->written = 0;
    s->last = last;
    write_on(s);
}

static void begin(struct transfer *t, const struct request *req)
{
    struct stream *s = LIST_ENTRY(t, struct stream, transfer);
    (void)req;
    enum status status = ask_begin(s->registry, &s->reading, &s->request);
    if (status != OK)
        refuse(s, status);
}

static void writable(struct transfer *t)
{
    struct stream *s = LIST_ENTRY(t, struct stream, transfer);
    if (s->piece)
        write_on(s);
    else
        reading_more(&s->reading);
}

static void gone(struct transfer *t)
{
    struct stream *s = LIST_ENTRY(t, struct stream, transfer);
    reading_cancel(&s->reading);
    refbuf_unref(s->piece);
    free(s);
}

static const struct transfer_ops ops_stream = {.begin = begin, .writable = writable, .gone = gone};

void history_stream(struct registry *registry, const struct reading_request *request,
                    const char *content_type, struct reply *reply)
{
    int http;
    struct stream *s = registry->keeping.keeper ? calloc(1, sizeof(*s)) : NULL;
    if (!s) {
        const char *reason = reason_of(registry->keeping.keeper ? E_NOMEM : E_STATE, &http);
        reply_error(reply, http, reason);
        return;
    }
    s->transfer.ops = &ops_stream;
    s->reading.on_piece = on_piece;
    s->registry = registry;
    s->content_type = content_type;
    reading_request_copy(&s->request, request);
    reply->transfer = &s->transfer;
}
