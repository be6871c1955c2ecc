/* SPDX-License-Identifier: MIT */
/*
 * query: percent-escapes, and the query string of a URL.
 *
 * The HTTP routes and the handshakes of Engine.IO and /ws read their parameters through this. All
 * spans borrow; values come out decoded, in a fixed struct, so nothing is allocated. A pair that
 * does not decode, or whose value is longer than QUERY_VALUE_MAX, counts as absent: for every
 * parameter we have, "absent" and "unreadable" get the same answer.
 */
#ifndef PROTO_QUERY_H
#define PROTO_QUERY_H

#include "base/span.h"

enum {
    QUERY_VALUE_MAX = 1024, /* bytes of a decoded value */
    QUERY_NAME_MAX = 64,    /* bytes of a decoded name */
    QUERY_PAIRS_MAX = 256,  /* pairs of one query string that are looked at */
};

struct query_value {
    char text[QUERY_VALUE_MAX + 1]; /* NUL-terminated, holds no other NUL */
    size_t len;
};

/* The values of one query string, in order. A plain value. */
struct query {
    struct span rest; /* borrows; ptr NULL at the end */
    unsigned pairs;   /* looked at so far */
};

/*
 * Decodes the %XX escapes of a path segment; '+' stays '+'. At most `cap` bytes go to `out`, no
 * NUL is added. False, *out_len untouched: a bad or cut escape, a decoded control character (00-1f,
 * 7f) or a raw one, bytes that are not UTF-8, or more than `cap` bytes.
 */
bool url_decode(struct span in, char *out, size_t cap, size_t *out_len);

/* `raw` is what follows the '?', without it; empty is allowed. Borrows. */
void query_init(struct query *q, struct span raw);

/*
 * The next value of `name`: called again it answers the next pair of the same name
 * (`sessionId=a&sessionId=b`). In values '+' is a space, as forms and URLSearchParams write it. A
 * name without '=' has the empty value. False at the end, *out untouched.
 */
bool query_next(struct query *q, const char *name, struct query_value *out);

/* The first readable value of `name` in a raw query string; false when there is none. */
bool query_find(struct span raw, const char *name, struct query_value *out);

/* The value as a span; borrows from `value`. */
struct span query_span(const struct query_value *value);

#endif
