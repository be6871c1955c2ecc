/* SPDX-License-Identifier: MIT */
/*
 * varint: whole numbers in as few bytes as they need, seven bits a byte, the low ones first.
 *
 * Numbers of either sign are folded first (zigzag), so that small ones stay short. Reading takes
 * from the head of a span; false, nothing taken: it ends too early or holds more than 64 bits.
 */
#ifndef PROTO_VARINT_H
#define PROTO_VARINT_H

#include "base/buf.h"

#include <string.h>

/* 0, -1, 1, -2, ... become 0, 1, 2, 3, ...; of words in two's complement. */
static inline uint64_t zigzag(uint64_t word)
{
    return (word << 1) ^ (0 - (word >> 63));
}

static inline uint64_t unzigzag(uint64_t folded)
{
    return (folded >> 1) ^ (0 - (folded & 1));
}

static inline void varint_put(struct buf *b, uint64_t value)
{
    char bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (char)(value | 0x80);
    bytes[n++] = (char)value;
    buf_add(b, bytes, n);
}

static inline bool varint_take(struct span *rest, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t n = 0; n < rest->len && n < 10; n++) {
        uint64_t byte = (unsigned char)rest->ptr[n];
        if (n == 9 && byte > 1)
            return false;
        value |= (byte & 0x7f) << (7 * n);
        if (byte < 0x80) {
            *rest = (struct span){rest->ptr + n + 1, rest->len - n - 1};
            *out = value;
            return true;
        }
    }
    return false;
}

/* n bytes off the head. */
static inline bool bytes_take(struct span *rest, uint64_t n, struct span *out)
{
    if (n > rest->len)
        return false;
    *out = (struct span){rest->ptr, (size_t)n};
    *rest = (struct span){rest->ptr + n, rest->len - (size_t)n};
    return true;
}

static inline bool byte_take(struct span *rest, unsigned *out)
{
    struct span byte;
    if (!bytes_take(rest, 1, &byte))
        return false;
    *out = (unsigned char)byte.ptr[0];
    return true;
}

/* `bytes` of a word, the low ones first. */
static inline void word_put(struct buf *b, uint64_t word, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_add_char(b, (char)(word >> (8 * i)));
}

static inline bool word_take(struct span *rest, unsigned bytes, uint64_t *out)
{
    struct span s;
    uint64_t word = 0;
    if (!bytes_take(rest, bytes, &s))
        return false;
    for (unsigned i = 0; i < bytes; i++)
        word |= (uint64_t)(unsigned char)s.ptr[i] << (8 * i);
    *out = word;
    return true;
}

#endif
