/* SPDX-License-Identifier: MIT */
/*
 * wsframe: the WebSocket frames a server sends (RFC 6455, section 5).
 *
 * What goes out is framed here, once per update, and written to every subscriber as plain bytes;
 * libwebsockets only ever frames what comes in. Frames are final and unmasked: a server neither
 * masks nor, here, fragments. Pure, allocates nothing.
 */
#ifndef PROTO_WSFRAME_H
#define PROTO_WSFRAME_H

#include "base/span.h"

enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa,
};

enum {
    WS_HEADER_MAX = 10,   /* bytes of the longest header */
    WS_CONTROL_MAX = 125, /* payload bytes of a control frame */
    WS_REASON_MAX = 123,  /* bytes of a close reason */
};

/*
 * Writes the header of one final frame with `payload_len` bytes; answers its length: 2, 4 or 10.
 * `rsv1` marks a payload that permessage-deflate has compressed. Asserts that a control frame has
 * at most WS_CONTROL_MAX bytes and is not compressed.
 */
size_t wsframe_header(unsigned char out[WS_HEADER_MAX], enum ws_opcode op, bool rsv1,
                      size_t payload_len);

/*
 * Writes the payload of a close frame: the code (1000-4999) and the reason, which is cut to
 * WS_REASON_MAX bytes where a character ends. Answers the length of the payload.
 */
size_t wsframe_close_payload(unsigned char out[WS_CONTROL_MAX], unsigned code, struct span reason);

#endif
