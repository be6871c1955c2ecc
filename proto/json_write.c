/* SPDX-License-Identifier: MIT */
/*
 * Strings go out in runs: the longest stretch that needs no escape is appended at once, since
 * nearly every string has no escape at all. What RFC 8259 does not force to be escaped is not:
 * U+2028, `/` and everything above ASCII travel as they are.
 */
#include "proto/json_write.h"

#include "proto/number.h"

#include <string.h>

/* The escape of a byte that needs one, e.g. `\n` or `\u001f`, into out; answers its length. */
static size_t escape_of(unsigned char c, char out[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, its letter */
    out[0] = '\\';
    for (size_t i = 0; i < sizeof(named) - 1; i += 2) {
        if ((unsigned char)named[i] == c) {
            out[1] = named[i + 1];
            return 2;
        }
    }
    out[1] = 'u';
    out[2] = '0';
    out[3] = '0';
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return 6;
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

void json_write_string(struct buf *b, struct span text)
{
    buf_add_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (!needs_escape(c))
            continue;
        char escape[6];
        buf_add(b, text.ptr + from, i - from);
        buf_add(b, escape, escape_of(c, escape));
        from = i + 1;
    }
    if (from < text.len)
        buf_add(b, text.ptr + from, text.len - from);
    buf_add_char(b, '"');
}

void json_write_comma(struct buf *b)
{
    if (b->len > 0 && !strchr("[{,:", b->ptr[b->len - 1]))
        buf_add_char(b, ',');
}

static void key_comma(struct buf *b)
{
    if (b->len > 0 && b->ptr[b->len - 1] != '{')
        buf_add_char(b, ',');
}

void json_write_key(struct buf *b, struct span name)
{
    key_comma(b);
    json_write_string(b, name);
    buf_add_char(b, ':');
}

void json_write_name(struct buf *b, const char *name)
{
    key_comma(b);
    buf_add_char(b, '"');
    buf_add_str(b, name);
    buf_add(b, "\":", 2);
}

void json_write_bool(struct buf *b, bool value)
{
    buf_add_str(b, value ? "true" : "false");
}

void json_write_pair_string(struct buf *b, const char *name, struct span value)
{
    json_write_name(b, name);
    json_write_string(b, value);
}

void json_write_pair_u64(struct buf *b, const char *name, uint64_t value)
{
    json_write_name(b, name);
    buf_add_u64(b, value);
}

void json_write_pair_double(struct buf *b, const char *name, double value)
{
    json_write_name(b, name);
    num_write_double(b, value);
}

void json_write_pair_digits(struct buf *b, const char *name, double value, int digits)
{
    json_write_name(b, name);
    num_write_significant(b, value, digits);
}

void json_write_pair_bool(struct buf *b, const char *name, bool value)
{
    json_write_name(b, name);
    json_write_bool(b, value);
}

void json_write_pair_raw(struct buf *b, const char *name, struct span json)
{
    json_write_name(b, name);
    buf_add_span(b, json);
}

/* After the closing quote of the string that opens at json.ptr[at]. */
static size_t string_end(struct span json, size_t at)
{
    for (at++; at < json.len && json.ptr[at] != '"'; at++)
        at += json.ptr[at] == '\\';
    return at + 1;
}

/* Outside strings, only the words that are no JSON hold these capitals. */
static size_t word_length(struct span json, size_t at)
{
    char c = json.ptr[at];
    if (c == 'N')
        return sizeof("NaN") - 1;
    if (c == 'I')
        return sizeof("Infinity") - 1;
    bool negative = c == '-' && at + 1 < json.len && json.ptr[at + 1] == 'I';
    return negative ? sizeof("-Infinity") - 1 : 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

void json_write_minified(struct buf *b, struct span json)
{
    size_t from = 0;
    size_t at = 0;
    while (at < json.len) {
        size_t word = word_length(json, at);
        if (json.ptr[at] == '"') {
            at = string_end(json, at);
        } else if (word > 0 || is_space(json.ptr[at])) {
            buf_add(b, json.ptr + from, at - from);
            if (word > 0)
                buf_add(b, "null", 4);
            at += word > 0 ? word : 1;
            from = at;
        } else {
            at++;
        }
    }
    if (from < json.len)
        buf_add(b, json.ptr + from, json.len - from);
}
