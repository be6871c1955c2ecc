/* SPDX-License-Identifier: MIT */
#include "base/span.h"

#include <string.h>
#include <strings.h>

struct span span_of(const char *text)
{
    return (struct span){text, text ? strlen(text) : 0};
}

bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_is(struct span s, const char *text)
{
    return span_eq(s, span_of(text));
}

bool span_is_nocase(struct span s, const char *text)
{
    return s.len == strlen(text) && (s.len == 0 || strncasecmp(s.ptr, text, s.len) == 0);
}

bool span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_eq((struct span){s.ptr, prefix.len}, prefix);
}

bool span_has_nocase(struct span s, struct span part)
{
    if (part.len == 0)
        return true;
    for (size_t at = 0; at + part.len <= s.len; at++) {
        /* ASCII letters differ in that bit, so most places are left after one look. */
        bool may_begin = ((s.ptr[at] ^ part.ptr[0]) & ~0x20) == 0;
        if (may_begin && strncasecmp(s.ptr + at, part.ptr, part.len) == 0)
            return true;
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct span span_cut(struct span *rest, char sep)
{
    struct span whole = *rest;
    const char *at = whole.len ? memchr(whole.ptr, sep, whole.len) : NULL;
    if (!at) {
        *rest = (struct span){NULL, 0};
        return whole;
    }
    size_t before = (size_t)(at - whole.ptr);
    *rest = (struct span){at + 1, whole.len - before - 1};
    return (struct span){whole.ptr, before};
}

bool span_take(struct span *rest, void *out, size_t n)
{
    if (rest->len < n)
        return false;
    memcpy(out, rest->ptr, n);
    *rest = (struct span){rest->ptr + n, rest->len - n};
    return true;
}

struct span span_head(struct span text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
        max--;
    return (struct span){text.ptr, max};
}

bool span_u64(struct span s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
