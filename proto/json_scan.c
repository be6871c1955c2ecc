/* SPDX-License-Identifier: MIT */
/*
 * The grammar is four states and one bit per open container, so depth costs no stack and the whole
 * scanner is a value that can be dropped at any point. A key takes its colon with it, and a comma
 * is taken together with what follows it: no state stands between them.
 *
 * Strings are most of a line's bytes. They are passed eight bytes at a time up to the first that is
 * a quote, an escape, a control character or not ASCII; only that one is looked at. UTF-8 is
 * checked in the same pass. Errors carry static texts, and the slow way to them is kept out of the
 * fast path.
 */
#include "proto/json_scan.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
    WANT_VALUE, /* also the start of the text */
    WANT_FIRST_ITEM,
    WANT_FIRST_KEY,
    AFTER_VALUE,
};

static const char syntax[] = "syntax";

static enum json_token refuse(struct json_scan *s, const char *at, const char *code,
                              const char *why)
{
    s->error = (struct json_error){code, why, (size_t)(at - s->start)};
    return JSON_ERROR;
}

static void skip_space(struct json_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool in_object(const struct json_scan *s)
{
    return s->depth > 0 && (s->objects >> (s->depth - 1) & 1);
}

/*
 * Bit 7 of a byte of the answer is set where the eight bytes at `at`, the first one lowest, have a
 * quote, a backslash, a control character or no ASCII. Borrows make further bits unreliable, but
 * only above the lowest one.
 */
static uint64_t stops_in(const char *at)
{
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t v;
    memcpy(&v, at, sizeof(v));
    v = le64toh(v);
    uint64_t control = v - ones * 0x20;
    uint64_t quote = (v ^ (ones * '"')) - ones;
    uint64_t slash = (v ^ (ones * '\\')) - ones;
    return (control | quote | slash | v) & (ones * 0x80);
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte from `at` on that is not plain, or the end. */
static const char *pass_plain(const char *at, const char *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t stops = stops_in(at);
        if (stops)
            return at + __builtin_ctzll(stops) / 8;
    }
    while (at < end && is_plain(*at))
        at++;
    return at;
}

/* Passes what is not a plain byte inside a string; 0 when it may not stand there. */
static size_t special_length(struct json_scan *s, const char *at, bool *escaped)
{
    const char *code = syntax;
    const char *why = "a control character in a string is not escaped";
    size_t len = 0;
    if (*at == '\\') {
        len = json_escape_length(at, s->end, &why);
        *escaped = true;
    } else if ((unsigned char)*at >= 0x80) {
        len = json_utf8_length(at, s->end);
        code = "utf8";
        why = "a string is not valid UTF-8";
    }
    if (len == 0)
        (void)refuse(s, at, code, why);
    return len;
}

/* A string from its opening quote; leaves s->at after the closing one. */
static bool scan_string(struct json_scan *s, struct json_value *out)
{
    const char *first = s->at + 1;
    const char *at = first;
    out->escaped = false;
    for (;;) {
        at = pass_plain(at, s->end);
        if (at == s->end) {
            (void)refuse(s, at, syntax, "the text ends inside a string");
            return false;
        }
        if (*at == '"')
            break;
        size_t len = special_length(s, at, &out->escaped);
        if (len == 0)
            return false;
        at += len;
    }
    out->raw = (struct span){first, (size_t)(at - first)};
    s->at = at + 1;
    return true;
}

static enum json_token scan_key(struct json_scan *s, struct json_value *out)
{
    if (*s->at != '"')
        return refuse(s, s->at, syntax, "a key in quotes is expected");
    if (!scan_string(s, out))
        return JSON_ERROR;
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return refuse(s, s->at, syntax, "a colon is expected after a key");
    s->at++;
    s->state = WANT_VALUE;
    return JSON_KEY;
}

static enum json_token open_container(struct json_scan *s, bool object)
{
    if (s->depth == JSON_DEPTH_MAX)
        return refuse(s, s->at, "depth", "more than 64 arrays and objects inside each other");
    uint64_t bit = (uint64_t)1 << s->depth++;
    s->objects = object ? s->objects | bit : s->objects & ~bit;
    s->state = object ? WANT_FIRST_KEY : WANT_FIRST_ITEM;
    s->at++;
    return object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
}

static enum json_token close_container(struct json_scan *s)
{
    enum json_token token = in_object(s) ? JSON_OBJECT_END : JSON_ARRAY_END;
    s->depth--;
    s->state = AFTER_VALUE;
    s->at++;
    return token;
}

static enum json_token take_scalar(struct json_scan *s, struct json_value *out, size_t len,
                                   enum json_token token)
{
    out->raw = (struct span){s->at, len};
    s->at += len;
    s->state = AFTER_VALUE;
    return token;
}

static bool starts(const struct json_scan *s, struct span word)
{
    return span_starts((struct span){s->at, (size_t)(s->end - s->at)}, word);
}

static enum json_token scan_word(struct json_scan *s, struct json_value *out)
{
    static const struct {
        struct span text;
        enum json_token token;
    } words[] = {
        {{"null", 4}, JSON_NULL},  {{"true", 4}, JSON_TRUE},       {{"false", 5}, JSON_FALSE},
        {{"NaN", 3}, JSON_NUMBER}, {{"Infinity", 8}, JSON_NUMBER}, {{"-Infinity", 9}, JSON_NUMBER},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        bool number = words[i].token == JSON_NUMBER;
        if (!starts(s, words[i].text) || (number && !(s->flags & JSON_WORDS)))
            continue;
        if (number)
            (void)num_parse_word(words[i].text, &out->num);
        return take_scalar(s, out, words[i].text.len, words[i].token);
    }
    bool number = *s->at == '-' || (*s->at >= '0' && *s->at <= '9');
    return refuse(s, s->at, syntax, number ? "this is no JSON number" : "a value is expected");
}

static enum json_token scan_value(struct json_scan *s, struct json_value *out)
{
    char c = *s->at;
    if (c == '"') {
        if (!scan_string(s, out))
            return JSON_ERROR;
        s->state = AFTER_VALUE;
        return JSON_STRING;
    }
    if (c == '{' || c == '[')
        return open_container(s, c == '{');
    if ((c >= '0' && c <= '9') || c == '-') {
        const char *end = num_scan(s->at, s->end, &out->num);
        if (end)
            return take_scalar(s, out, (size_t)(end - s->at), JSON_NUMBER);
    }
    return scan_word(s, out);
}

void json_scan_init(struct json_scan *s, struct span text, unsigned flags)
{
    *s = (struct json_scan){
        .start = text.ptr,
        .at = text.ptr,
        .end = text.len > 0 ? text.ptr + text.len : text.ptr, /* an empty one may have no ptr */
        .state = WANT_VALUE,
        .flags = flags,
    };
}

static enum json_token end_early(struct json_scan *s)
{
    return refuse(s, s->at, syntax, "the text ends before the value does");
}

static enum json_token finish(struct json_scan *s)
{
    if (s->at == s->end)
        return JSON_END;
    return refuse(s, s->at, syntax, "nothing may follow the value");
}

/* After a value inside a container: the container ends, or a comma brings what is wanted next. */
static enum json_token go_on(struct json_scan *s, struct json_value *out)
{
    bool object = in_object(s);
    if (*s->at == (object ? '}' : ']'))
        return close_container(s);
    if (*s->at != ',')
        return refuse(s, s->at, syntax, "a comma or the closing bracket is expected");
    s->at++;
    skip_space(s);
    if (s->at == s->end)
        return end_early(s);
    return object ? scan_key(s, out) : scan_value(s, out);
}

enum json_token json_next(struct json_scan *s, struct json_value *out)
{
    if (s->error.code)
        return JSON_ERROR;
    skip_space(s);
    if (s->state == AFTER_VALUE && s->depth == 0)
        return finish(s);
    if (s->at == s->end)
        return end_early(s);
    switch (s->state) {
    case AFTER_VALUE:
        return go_on(s, out);
    case WANT_FIRST_KEY:
        return *s->at == '}' ? close_container(s) : scan_key(s, out);
    case WANT_FIRST_ITEM:
        return *s->at == ']' ? close_container(s) : scan_value(s, out);
    default:
        return scan_value(s, out);
    }
}

enum status json_leave(struct json_scan *s)
{
    assert(s->depth > 0 || s->error.code);
    unsigned depth = s->depth;
    struct json_value passed;
    while (s->depth >= depth) {
        if (json_next(s, &passed) == JSON_ERROR)
            return E_MALFORMED;
    }
    return OK;
}

/* Passes the rest of the value that `token` began; answers where the value started. */
static const char *pass_value(struct json_scan *s, enum json_token token,
                              const struct json_value *value)
{
    if (token == JSON_STRING)
        return value->raw.ptr - 1;
    if (token != JSON_OBJECT_BEGIN && token != JSON_ARRAY_BEGIN)
        return token == JSON_ERROR ? NULL : value->raw.ptr;
    const char *start = s->at - 1;
    return json_leave(s) == OK ? start : NULL;
}

enum status json_skip(struct json_scan *s, struct span *out_raw)
{
    assert(s->state == WANT_VALUE || s->error.code);
    struct json_value value;
    enum json_token token = json_next(s, &value);
    const char *start = pass_value(s, token, &value);
    if (!start)
        return E_MALFORMED;
    *out_raw = (struct span){start, (size_t)(s->at - start)};
    return OK;
}

enum status json_check(struct span text, unsigned flags, struct json_error *error)
{
    struct json_scan s;
    struct json_value value;
    json_scan_init(&s, text, flags);
    for (;;) {
        enum json_token token = json_next(&s, &value);
        if (token == JSON_END)
            return OK;
        if (token == JSON_ERROR)
            break;
    }
    if (error)
        *error = s.error;
    return E_MALFORMED;
}

enum status json_array_split(struct span array, struct span *items, size_t max, size_t *out_count)
{
    struct json_scan s;
    struct json_value value;
    size_t n = 0;
    json_scan_init(&s, array, JSON_STRICT);
    if (json_next(&s, &value) != JSON_ARRAY_BEGIN)
        return E_MALFORMED;
    for (;;) {
        enum json_token token = json_next(&s, &value);
        if (token == JSON_ARRAY_END && s.depth == 0)
            break;
        const char *start = pass_value(&s, token, &value);
        if (!start)
            return E_MALFORMED;
        if (n == max)
            return E_LIMIT;
        items[n++] = (struct span){start, (size_t)(s.at - start)};
    }
    if (json_next(&s, &value) != JSON_END)
        return E_MALFORMED;
    *out_count = n;
    return OK;
}

bool json_member(struct span object, unsigned flags, const char *name, struct span *out)
{
    struct json_scan s;
    struct json_value key;
    struct span value;
    struct span found = {NULL, 0};
    json_scan_init(&s, object, flags);
    if (object.len == 0 || json_next(&s, &key) != JSON_OBJECT_BEGIN)
        return false;
    while (json_next(&s, &key) == JSON_KEY && json_skip(&s, &value) == OK) {
        if (span_is(key.raw, name))
            found = value;
    }
    if (found.ptr)
        *out = found;
    return found.ptr != NULL;
}
