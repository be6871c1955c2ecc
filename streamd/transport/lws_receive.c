/* SPDX-License-Identifier: MIT */
/*
 * lws hands a frame over in pieces of any size, whichever way the reads fall, so nothing here
 * counts pieces: a message is bounded by its bytes and by its frames. A message in one piece (the
 * usual one) is passed on where it stands.
 *
 * A compressed one is taken away from lws while it comes and inflated whole, since one inflater
 * serves all connections; lws then calls RECEIVE with what it became. Two things lws 4.1.6 does not
 * tell an extension: the opcode, so a pong between the frames is known by what our pings carry, and
 * which call is only the echo of a frame's end.
 */
#include "streamd/transport/lws_receive.h"

#include "proto/json_text.h"
#include "streamd/transport/front.h"
#include "streamd/transport/lws_link.h"

#include <stdlib.h>

enum {
    FRAMES_SPARE = 1024, /* that one message may have, beside one for each FRAME_FAIR */
    FRAME_FAIR = 256,    /* bytes of the largest message */
};

/*
 * What lws hands an extension's PAYLOAD_RX, and what that answers (4.1 to 4.3; lws declares both
 * only for itself, though every extension needs them).
 */
struct rx_buffers {
    struct lws_tokens in;
    struct lws_tokens out;
};
enum { RX_UNTOUCHED = 0, RX_TAKEN = 3, RX_MESSAGE = 4 };

void lws_receive_fini(struct lws_receive *r)
{
    if (r->message) {
        buf_fini(r->message);
        free(r->message);
    }
    r->message = NULL;
    r->frames = 0;
    r->compressed = false;
}

static int ws_error(struct lws_link *l, unsigned code, const char *why)
{
    lws_receive_fini(&l->receive);
    front_ws_error(&l->link, code, why);
    return 0;
}

/* Adds a piece to the unfinished message; false after having failed it. */
static bool keep_piece(struct lws_link *l, struct span piece)
{
    struct lws_receive *r = &l->receive;
    size_t limit = l->server->app->config->max_payload;
    if (!r->message) {
        r->message = malloc(sizeof(*r->message));
        if (!r->message)
            return ws_error(l, CLOSE_INTERNAL, "out of memory");
        buf_init(r->message, limit);
    }
    buf_add_span(r->message, piece);
    if (buf_status(r->message) == E_NOMEM)
        return ws_error(l, CLOSE_INTERNAL, "out of memory");
    if (buf_status(r->message) != OK ||
        r->message->len + lws_remaining_packet_payload(l->wsi) > limit)
        return ws_error(l, CLOSE_TOO_BIG, "message is larger than --max-payload");
    bool whole = lws_remaining_packet_payload(l->wsi) == 0;
    if (whole && ++r->frames > limit / FRAME_FAIR + FRAMES_SPARE)
        return ws_error(l, CLOSE_POLICY, "message has too many fragments");
    return true;
}

static bool is_open(const struct lws_link *l)
{
    return l->link.peer && l->link.peer->state == PEER_OPEN && !l->finished;
}

/* A trainer's messages are as many as its lines; its bytes count all the same. */
static bool may_come(struct lws_link *l, size_t bytes)
{
    bool feeds = l->link.peer && l->link.peer->feed;
    return lws_link_may_send(l, bytes) && (feeds || lws_link_may_ask(l));
}

static int deliver(struct lws_link *l, struct span message)
{
    if (!may_come(l, message.len)) {
        ws_error(l, CLOSE_TRY_LATER, "too many messages or bytes from your address");
        return l->finished ? -1 : 0;
    }
    front_ws_message(&l->link, message, lws_frame_is_binary(l->wsi));
    return l->finished ? -1 : 0;
}

int lws_receive_piece(struct lws_link *l, struct span piece)
{
    struct lws_receive *r = &l->receive;
    bool last = lws_is_final_fragment(l->wsi);
    if (!is_open(l) || (r->compressed && !r->inflated))
        return l->finished ? -1 : 0; /* kept by the extension, or of no interest any more */
    if (r->inflated || (last && !r->message)) {
        r->inflated = false;
        r->compressed = false;
        return deliver(l, piece);
    }
    if (!keep_piece(l, piece) || !last)
        return l->finished ? -1 : 0;
    struct buf *whole = r->message;
    r->message = NULL;
    r->frames = 0;
    int result = deliver(l, buf_span(whole));
    buf_fini(whole);
    free(whole);
    return result;
}

void lws_receive_pong(struct lws_link *l)
{
    if (!l->receive.inflated)
        return;
    l->receive.inflated = false;
    ws_error(l, CLOSE_PROTOCOL, "rsv bits");
}

/* Inflates the whole message into the server's scratch. */
static enum status inflate_message(struct lws_link *l)
{
    struct lws_server *server = l->server;
    buf_reset(&server->inflated);
    enum status status = deflater_inflate(server->app->encoder.deflater,
                                          buf_span(l->receive.message), &server->inflated);
    lws_receive_fini(&l->receive);
    /* lws writes a NUL behind what we give it. */
    return status == OK ? buf_reserve(&server->inflated, 1) : status;
}

/* Hands the inflated message to lws, which calls RECEIVE with it. lws checks the UTF-8 of what an
 * extension gives it, but not that the last character is whole. */
static int hand_inflated(struct lws_link *l, struct lws_tokens *out)
{
    struct buf *inflated = &l->server->inflated;
    enum status status = inflate_message(l);
    if (status == E_LIMIT)
        ws_error(l, CLOSE_TOO_BIG, "message inflates beyond --max-payload");
    else if (status == E_NOMEM)
        ws_error(l, CLOSE_INTERNAL, "out of memory");
    else if (status != OK)
        ws_error(l, CLOSE_INVALID, "bad deflate data");
    else if (!lws_frame_is_binary(l->wsi) && !json_utf8_valid(buf_span(inflated)))
        ws_error(l, CLOSE_INVALID, "bad utf8");
    else {
        out->token = (unsigned char *)inflated->ptr;
        out->len = (int)inflated->len;
        l->receive.compressed = true;
        l->receive.inflated = true;
    }
    return RX_MESSAGE;
}

int lws_receive_deflated(struct lws_link *l, void *rx)
{
    struct lws_receive *r = &l->receive;
    struct rx_buffers *buffers = rx;
    struct span piece = {(const char *)buffers->in.token, (size_t)buffers->in.len};
    bool echo = r->frame_ended && piece.len == 0; /* lws calls once more when it closes a frame */
    bool rsv1 = lws_get_reserved_bits(l->wsi) & 0x40;
    bool pong = r->compressed && span_eq(piece, SPAN(PEER_PING_PAYLOAD));
    r->frame_ended = false;
    if (echo || pong || (!r->compressed && !rsv1))
        return RX_UNTOUCHED; /* plain, or a control frame between: passes as it is */
    buffers->in.len = 0;
    buffers->out.len = 0;
    if (!is_open(l))
        return RX_TAKEN;
    bool continues = r->compressed ? !r->frame_open : r->message != NULL;
    if (rsv1 && continues) {
        ws_error(l, CLOSE_PROTOCOL, "rsv bits");
        return RX_TAKEN;
    }
    r->compressed = true;
    r->frame_open = lws_remaining_packet_payload(l->wsi) > 0;
    r->frame_ended = !r->frame_open && piece.len > 0;
    if (!keep_piece(l, piece))
        return RX_TAKEN;
    return lws_is_final_fragment(l->wsi) ? hand_inflated(l, &buffers->out) : RX_TAKEN;
}
