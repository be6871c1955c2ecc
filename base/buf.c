/* SPDX-License-Identifier: MIT */
/*
 * The memory doubles, from 256 bytes, and is capped at the limit, so a buf of n bytes has cost
 * O(n) copying. Failure is sticky rather than returned by every append: a JSON writer makes fifty
 * appends and can do nothing sensible after the third failed, except say so at the end.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void buf_init(struct buf *b, size_t limit)
{
    assert(limit > 0 && limit < SIZE_MAX);
    *b = (struct buf){.limit = limit};
}

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){.limit = b->limit};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = OK;
}

/* There is always room for one byte beyond the limit: the NUL that vsnprintf insists on. */
static enum status grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < need)
        cap = cap > b->limit / 2 ? b->limit + 1 : cap * 2;
    char *ptr = realloc(b->ptr, cap);
    if (!ptr)
        return E_NOMEM;
    b->ptr = ptr;
    b->cap = cap;
    return OK;
}

/* Makes room for n bytes that count against the limit and `spare` that do not. */
static enum status make_room(struct buf *b, size_t n, size_t spare)
{
    if (b->failed != OK)
        return b->failed;
    if (n > b->limit - b->len)
        b->failed = E_LIMIT;
    else if (b->len + n + spare > b->cap)
        b->failed = grow(b, b->len + n + spare);
    return b->failed;
}

enum status buf_reserve(struct buf *b, size_t n)
{
    return make_room(b, n, 0);
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    if (n == 0 || buf_reserve(b, n) != OK)
        return;
    memcpy(b->ptr + b->len, bytes, n);
    b->len += n;
}

void buf_add_span(struct buf *b, struct span s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_add_str(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_add_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_add_i64(struct buf *b, int64_t value)
{
    if (value < 0)
        buf_add_char(b, '-');
    buf_add_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    if (make_room(b, (size_t)n, 1) != OK)
        return;
    va_start(args, format);
    (void)vsnprintf(b->ptr + b->len, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->len);
    b->len -= n;
    if (b->len > 0 && n > 0)
        memmove(b->ptr, b->ptr + n, b->len);
}

enum status buf_status(const struct buf *b)
{
    return b->failed;
}

struct span buf_span(const struct buf *b)
{
    return (struct span){b->ptr, b->len};
}
