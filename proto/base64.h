/* SPDX-License-Identifier: MIT */
/*
 * base64: RFC 4648, section 4, with padding.
 *
 * The form in which binary packets travel in a polling payload. Decoding is strict: the standard
 * alphabet, whole groups of four, canonical padding with zero spare bits, no white space.
 */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include "base/buf.h"

/* Appends the text of these bytes; failure is the buf's. */
void base64_encode(struct buf *b, struct span bytes);

/*
 * Appends the bytes of this text. E_MALFORMED: not strict base64, the buf is as before. E_LIMIT,
 * E_NOMEM: the buf has failed.
 */
MUST_CHECK enum status base64_decode(struct buf *b, struct span text);

#endif
