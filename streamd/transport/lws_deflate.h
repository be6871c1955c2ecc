/* SPDX-License-Identifier: MIT */
/*
 * lws_deflate: permessage-deflate (RFC 7692) for what clients send, and its negotiation.
 *
 * Never lws's stock extension: its inflater shares a buffer while draining and corrupts the streams
 * of concurrent clients. Ours answers client_no_context_takeover always, so one inflater serves all
 * connections; what we send is framed and deflated elsewhere (encode/message.c), so nothing here
 * touches outgoing bytes.
 */
#ifndef STREAMD_TRANSPORT_LWS_DEFLATE_H
#define STREAMD_TRANSPORT_LWS_DEFLATE_H

#include <libwebsockets.h>
#include <stdbool.h>

/* Ended by an all-NULL row, as lws wants it. */
extern const struct lws_extension lws_deflate_extensions[];

/*
 * lws prints the name of the option it has just set into its answer, so the name is made the answer
 * itself at that moment. One per context, since handshakes do not overlap within one.
 */
struct lws_deflate {
    struct lws_ext_options options[2];
    const char *answer;
};

void lws_deflate_init(struct lws_deflate *d);

/* LWS_CALLBACK_CONFIRM_EXTENSION_OKAY: can the offer of this handshake be met? */
bool lws_deflate_acceptable(struct lws *wsi);

#endif
