/* SPDX-License-Identifier: MIT */
/*
 * Names are decoded before they are compared, so `session%49d` is sessionId here as it is in every
 * other reader of query strings: two parties that disagree on a name disagree on who is meant.
 * What stands in a value may later stand in a log line, a JSON text or a path, so control
 * characters and broken UTF-8 end here and need not be thought of again.
 */
#include "proto/query.h"

#include "proto/json_scan.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that begins at in.ptr[*at], -1 for a bad escape; moves *at past it. */
static int next_byte(struct span in, size_t *at)
{
    char c = in.ptr[(*at)++];
    if (c != '%')
        return (unsigned char)c;
    if (in.len - *at < 2)
        return -1;
    int high = hex_digit(in.ptr[*at]);
    int low = hex_digit(in.ptr[*at + 1]);
    *at += 2;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool url_decode(struct span in, char *out, size_t cap, size_t *out_len)
{
    size_t len = 0;
    for (size_t at = 0; at < in.len;) {
        int byte = next_byte(in, &at);
        if (byte < 0x20 || byte == 0x7f || len == cap)
            return false;
        out[len++] = (char)byte;
    }
    if (!json_utf8_valid((struct span){out, len}))
        return false;
    *out_len = len;
    return true;
}

void query_init(struct query *q, struct span raw)
{
    *q = (struct query){.rest = {raw.len ? raw.ptr : NULL, raw.len}};
}

static bool name_is(struct span raw, const char *name)
{
    char text[QUERY_NAME_MAX];
    size_t len;
    return url_decode(raw, text, sizeof(text), &len) && span_is((struct span){text, len}, name);
}

/* A '+' must become a space before the escapes are resolved: %2B is a plus that was meant. */
static bool decode_value(struct span raw, struct query_value *out)
{
    char spaced[3 * QUERY_VALUE_MAX];
    struct query_value value;
    if (raw.len > sizeof(spaced))
        return false;
    for (size_t i = 0; i < raw.len; i++) {
        spaced[i] = raw.ptr[i];
        if (raw.ptr[i] == '+')
            spaced[i] = ' ';
    }
    if (!url_decode((struct span){spaced, raw.len}, value.text, QUERY_VALUE_MAX, &value.len))
        return false;
    value.text[value.len] = '\0';
    *out = value;
    return true;
}

bool query_next(struct query *q, const char *name, struct query_value *out)
{
    while (q->rest.ptr && q->pairs < QUERY_PAIRS_MAX) {
        struct span value = span_cut(&q->rest, '&');
        struct span raw_name = span_cut(&value, '=');
        q->pairs++;
        if (name_is(raw_name, name) && decode_value(value, out))
            return true;
    }
    return false;
}

bool query_find(struct span raw, const char *name, struct query_value *out)
{
    struct query q;
    query_init(&q, raw);
    return query_next(&q, name, out);
}

struct span query_span(const struct query_value *value)
{
    return (struct span){value->text, value->len};
}
