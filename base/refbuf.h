/* SPDX-License-Identifier: MIT */
/*
 * refbuf: immutable bytes with a reference count.
 *
 * An update is encoded once and every subscriber's outbox shares these bytes. The count is plain:
 * a refbuf belongs to one loop thread. Bytes never change after the creator returns.
 */
#ifndef BASE_REFBUF_H
#define BASE_REFBUF_H

#include "base/span.h"

struct refbuf {
    uint32_t refs;
    uint32_t len;
    char bytes[];
};

/* A copy of the span with one reference, which the caller owns; NULL when out of memory. */
struct refbuf *refbuf_create(struct span s);

/* The same for two spans laid end to end, e.g. a frame header and its payload. */
struct refbuf *refbuf_create2(struct span head, struct span tail);

/* Shares: one more reference. Answers its argument. */
struct refbuf *refbuf_ref(struct refbuf *r);

/* Gives one reference back; the last one frees. NULL is allowed. */
void refbuf_unref(struct refbuf *r);

/* The bytes; borrows, valid while a reference is held. */
struct span refbuf_span(const struct refbuf *r);

#endif
