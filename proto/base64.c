/* SPDX-License-Identifier: MIT */
/*
 * The decoder finds a letter's value by searching the alphabet: one packet in a thousand is binary
 * and short, and a table of 256 entries is more to read than it saves. Strictness leaves every
 * byte string with exactly one text, so nothing can be smuggled in spare bits or second spellings.
 */
#include "proto/base64.h"

#include <string.h>

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *b, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        const unsigned char *in = (const unsigned char *)bytes.ptr + i;
        uint32_t group = (uint32_t)in[0] << 16;
        group |= left > 1 ? (uint32_t)in[1] << 8 : 0;
        group |= left > 2 ? (uint32_t)in[2] : 0;
        char text[4];
        for (size_t j = 0; j < sizeof(text); j++)
            text[j] = alphabet[group >> (18 - 6 * j) & 63];
        if (left < 3)
            text[3] = '=';
        if (left < 2)
            text[2] = '=';
        buf_add(b, text, sizeof(text));
    }
}

static bool decode_group(const char text[4], size_t letters, uint32_t *out)
{
    uint32_t group = 0;
    for (size_t i = 0; i < letters; i++) {
        const char *at = memchr(alphabet, text[i], sizeof(alphabet));
        if (!at)
            return false;
        group |= (uint32_t)(at - alphabet) << (18 - 6 * i);
    }
    *out = group;
    return true;
}

/* How many letters the last group has, the padding taken off: 2, 3 or 4. */
static size_t last_letters(struct span text)
{
    if (text.ptr[text.len - 1] != '=')
        return 4;
    return text.ptr[text.len - 2] == '=' ? 2 : 3;
}

static bool decode_all(struct buf *b, struct span text)
{
    for (size_t i = 0; i < text.len; i += 4) {
        size_t letters = i + 4 == text.len ? last_letters(text) : 4;
        uint32_t group;
        if (!decode_group(text.ptr + i, letters, &group))
            return false;
        const unsigned char bytes[3] = {
            (unsigned char)(group >> 16),
            (unsigned char)(group >> 8),
            (unsigned char)group,
        };
        /* What the padding cuts off must be zero, else the text is a second spelling. */
        if ((letters < 4 && bytes[2] != 0) || (letters < 3 && bytes[1] != 0))
            return false;
        buf_add(b, bytes, letters - 1);
    }
    return true;
}

enum status base64_decode(struct buf *b, struct span text)
{
    size_t before = b->len;
    if (text.len % 4 != 0)
        return E_MALFORMED;
    if (text.len == 0)
        return buf_status(b);
    if (buf_reserve(b, text.len / 4 * 3 - (4 - last_letters(text))) != OK)
        return buf_status(b);
    if (decode_all(b, text))
        return OK;
    b->len = before;
    return E_MALFORMED;
}
