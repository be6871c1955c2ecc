/* SPDX-License-Identifier: MIT */
/*
 * json_scan: a strict pull tokenizer for JSON, one pass, no allocation, no recursion.
 *
 * Every byte a peer sends as JSON goes through here before anything else believes it. Accepted is
 * exactly RFC 8259 in valid UTF-8, with these rules where the RFC leaves a choice:
 *   - at most JSON_DEPTH_MAX arrays and objects inside each other;
 *   - `\u0000` and escapes of half a surrogate pair are refused, in keys and in values;
 *   - a byte order mark is refused, and so is anything but white space after the value;
 *   - duplicate keys are handed on as they come: whoever keeps values lets the last one win;
 *   - with JSON_WORDS, the bare words NaN, Infinity, -Infinity are numbers, as Python writes them.
 * A value borrows from the scanned text. After the first error the scanner answers JSON_ERROR for
 * ever.
 */
#ifndef PROTO_JSON_SCAN_H
#define PROTO_JSON_SCAN_H

#include "base/span.h"
#include "base/status.h"
#include "proto/json_text.h"
#include "proto/number.h"

enum { JSON_DEPTH_MAX = 64 };

/* Flags of json_scan_init and json_check. */
enum {
    JSON_STRICT = 0,
    JSON_WORDS = 1, /* bare NaN, Infinity and -Infinity are numbers */
};

enum json_token {
    JSON_ERROR,
    JSON_END, /* the one value is complete and nothing follows it */
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_value {
    struct span raw; /* the token's bytes; for JSON_KEY and JSON_STRING those between the quotes */
    bool escaped;    /* JSON_KEY, JSON_STRING: raw holds escapes, json_unescape is needed */
    struct num num;  /* JSON_NUMBER */
};

/* Why a text was refused. All strings are static. */
struct json_error {
    const char *code; /* "syntax", "utf8" or "depth" */
    const char *why;  /* a sentence, to be sent to the peer */
    size_t at;        /* offset of the offending byte; the text's length when it ended too soon */
};

struct json_scan {
    const char *start;
    const char *at;
    const char *end;
    uint64_t objects; /* bit d: the container at depth d + 1 is an object */
    unsigned depth;   /* containers open */
    unsigned state;   /* what the grammar allows next; private */
    unsigned flags;
    struct json_error error; /* set once json_next has answered JSON_ERROR */
};

void json_scan_init(struct json_scan *s, struct span text, unsigned flags);

/* The next token. *out is set for keys, strings, numbers and the three literal words. */
enum json_token json_next(struct json_scan *s, struct json_value *out);

/*
 * Passes over the next value whole, whatever it is, and answers its bytes without white space
 * around; to be called where a value is due. E_MALFORMED: see s->error.
 */
MUST_CHECK enum status json_skip(struct json_scan *s, struct span *out_raw);

/*
 * After JSON_OBJECT_BEGIN or JSON_ARRAY_BEGIN, or deeper inside: passes over what is left of the
 * innermost open container, its end included. E_MALFORMED: see s->error.
 */
MUST_CHECK enum status json_leave(struct json_scan *s);

/*
 * The last member of that name (as it stands, without escapes) of an object, as raw bytes without
 * white space around. False, *out untouched: there is none, or the text is no object.
 */
bool json_member(struct span object, unsigned flags, const char *name, struct span *out);

/* Is the whole text one value? E_MALFORMED fills *error (which may be NULL). */
MUST_CHECK enum status json_check(struct span text, unsigned flags, struct json_error *error);

/*
 * The items of a strict JSON array, as raw spans in order. E_MALFORMED: not an array; E_LIMIT: more
 * than `max` items.
 */
MUST_CHECK enum status json_array_split(struct span array, struct span *items, size_t max,
                                        size_t *out_count);

#endif
