/* SPDX-License-Identifier: MIT */
/*
 * buf: bytes that grow, up to a limit set at birth.
 *
 * Everything a peer can make us keep is kept in one of these, so the limit is met before malloc is.
 * A failed append leaves the contents as they were and makes the buf `failed`; further appends are
 * refused until reset, so a writer may append freely and ask once at the end (buf_status).
 * Embedded: the owner calls buf_init and buf_fini. Not thread-safe.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"
#include "base/status.h"

struct buf {
    char *ptr; /* owns `cap` bytes, of which `len` are in use; NULL while nothing was appended */
    size_t len;
    size_t cap;
    size_t limit;       /* len never exceeds this */
    enum status failed; /* OK, or why an append was refused: E_LIMIT or E_NOMEM */
};

/* `limit` in bytes, > 0 and < SIZE_MAX. Allocates nothing. */
void buf_init(struct buf *b, size_t limit);

/* Frees the bytes. The buf may be used again as after buf_init with the same limit. */
void buf_fini(struct buf *b);

/* Forgets contents and failure, keeps the memory for reuse. */
void buf_reset(struct buf *b);

/* Makes room for `n` more bytes, so that the next n bytes of appends cannot fail. */
MUST_CHECK enum status buf_reserve(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_span(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);

/* Decimal digits of an integer. */
void buf_add_u64(struct buf *b, uint64_t value);
void buf_add_i64(struct buf *b, int64_t value);

/* printf into the buf, for what is not on a hot path. */
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first n bytes (n <= len), moving the rest to the front. */
void buf_consume(struct buf *b, size_t n);

/* OK when every append since the last reset went in. */
enum status buf_status(const struct buf *b);

/* The contents; borrows, valid until the next change of the buf. */
struct span buf_span(const struct buf *b);

#endif
