/* SPDX-License-Identifier: MIT */
/*
 * deflater: the z_streams of one loop thread.
 *
 * One for what we send as WebSocket messages (RFC 7692: raw deflate, the tail 00 00 FF FF left
 * off), one for gzip bodies, one inflater for what clients send. Each is reset and reused, since
 * making one costs fifteen times the compression of a 300-byte update. None keeps context between
 * messages, so no connection has any memory of its own; what a message may refer to is given with
 * it.
 */
#ifndef STREAMD_ENCODE_DEFLATER_H
#define STREAMD_ENCODE_DEFLATER_H

#include "base/buf.h"

struct deflater;

/* NULL when out of memory. */
struct deflater *deflater_create(void);
void deflater_destroy(struct deflater *d);

/*
 * Appends the permessage-deflate form of `plain` to `out`, as it is for a client whose inflater has
 * seen the text `before` last (of length 0: it refers to nothing and is for any client).
 */
MUST_CHECK enum status deflater_message(struct deflater *d, struct span before, struct span plain,
                                        struct buf *out);

/* Appends the gzip form (RFC 1952) of `plain` to `out`. */
MUST_CHECK enum status deflater_gzip(struct deflater *d, struct span plain, struct buf *out);

/*
 * Appends the inflated form of one whole permessage-deflate message to `out`. E_LIMIT as soon as
 * out's limit is crossed (close 1009), E_MALFORMED for bad data (close 1007).
 */
MUST_CHECK enum status deflater_inflate(struct deflater *d, struct span deflated, struct buf *out);

#endif
