/* SPDX-License-Identifier: MIT */
/*
 * lws_receive: WebSocket messages out of the pieces that lws hands over. Part of a lws_link.
 *
 * Holds an unfinished message, plain or compressed, within --max-payload, and gives the front whole
 * ones; what is too large, in too many frames or badly compressed closes the peer.
 */
#ifndef STREAMD_TRANSPORT_LWS_RECEIVE_H
#define STREAMD_TRANSPORT_LWS_RECEIVE_H

#include "base/buf.h"

struct lws_link;

/* All zero at first. */
struct lws_receive {
    struct buf *message; /* owns; what came of the unfinished message, or NULL */
    uint32_t frames;     /* of it */
    bool compressed;     /* it has RSV1 */
    bool frame_open;     /* more of a compressed frame is to come */
    bool frame_ended;    /* the piece before ended one */
    bool inflated;       /* the piece that follows is a whole message */
};

/* Forgets the unfinished message. */
void lws_receive_fini(struct lws_receive *r);

/* LWS_CALLBACK_RECEIVE; answers what the callback returns. */
int lws_receive_piece(struct lws_link *l, struct span piece);

/* LWS_CALLBACK_RECEIVE_PONG: no control frame may be compressed, and one that was inflated has said
 * it is. */
void lws_receive_pong(struct lws_link *l);

/* permessage-deflate's PAYLOAD_RX; answers what the extension callback returns. */
int lws_receive_deflated(struct lws_link *l, void *rx_buffers);

#endif
