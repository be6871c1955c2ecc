/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 is checked by its table of well-formed sequences (Unicode 15, table 3-7): the second byte
 * alone tells overlong forms, surrogates and what lies beyond U+10FFFF. Escapes are judged once,
 * when they are scanned; unescaping trusts that and only translates.
 */
#include "proto/json_text.h"

#include <string.h>

/* Bytes of the UTF-8 character at `at`, which is not ASCII; 0 when it is not valid. */
size_t json_utf8_length(const char *at, const char *end)
{
    const unsigned char *c = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    size_t len = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4 || left < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool surrogate = c[0] == 0xed && c[1] > 0x9f;
    bool beyond = c[0] == 0xf4 && c[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

bool json_utf8_valid(struct span text)
{
    for (size_t at = 0; at < text.len;) {
        const char *c = text.ptr + at;
        size_t len = (unsigned char)*c < 0x80 ? 1 : json_utf8_length(c, text.ptr + text.len);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

/* The value of four hexadecimal digits at `at`, or -1. */
static int hex4(const char *at, const char *end)
{
    int value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        char lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static bool is_high(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The bytes of the escape at `at` (its backslash); 0 with *why when it is none of ours. */
size_t json_escape_length(const char *at, const char *end, const char **why)
{
    *why = "no such escape in a string";
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
    int unit = hex4(at + 2, end);
    if (unit < 0)
        return 0;
    *why = "\\u0000 is not allowed in a string";
    if (unit == 0)
        return 0;
    *why = "an escape is half of a surrogate pair";
    if (is_low(unit))
        return 0;
    if (!is_high(unit))
        return 6;
    bool pair = end - at >= 8 && at[6] == '\\' && at[7] == 'u' && is_low(hex4(at + 8, end));
    return pair ? 12 : 0;
}

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(out, (char)c);
    } else if (c < 0x800) {
        buf_add_char(out, (char)(0xc0 | c >> 6));
        buf_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_add_char(out, (char)(0xe0 | c >> 12));
        buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_add_char(out, (char)(0xf0 | c >> 18));
        buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_add_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* Adds what the escape at `at` means; answers its length. */
static size_t unescape_one(const char *at, const char *end, struct buf *out)
{
    static const char letters[] = "b\bf\fn\nr\rt\t";
    if (at[1] == 'u') {
        uint32_t unit = (uint32_t)hex4(at + 2, end);
        if (!is_high((int)unit)) {
            add_utf8(out, unit);
            return 6;
        }
        uint32_t low = (uint32_t)hex4(at + 8, end);
        add_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        return 12;
    }
    const char *letter = strchr(letters, at[1]);
    buf_add(out, letter ? letter + 1 : at + 1, 1);
    return 2;
}

void json_unescape(struct span raw, struct buf *out)
{
    const char *end = raw.ptr + raw.len;
    const char *at = raw.ptr;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        const char *stop = slash ? slash : end;
        buf_add(out, at, (size_t)(stop - at));
        at = slash ? slash + unescape_one(slash, end, out) : end;
    }
}
