/* SPDX-License-Identifier: MIT */
/*
 * span: a view of bytes that somebody else owns.
 *
 * A plain value, passed by copy. It borrows: whoever made it says how long the bytes live. The
 * bytes need no terminating NUL and may hold NULs. An empty span may have a NULL pointer.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *ptr; /* borrows `len` bytes */
    size_t len;
};

/* A span of a string literal, without its NUL. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

/* A span of a C string, without its NUL; NULL gives the empty span. */
struct span span_of(const char *text);

bool span_eq(struct span a, struct span b);

/* Does the span hold exactly the bytes of this C string? */
bool span_is(struct span s, const char *text);

/* ASCII case is ignored, as HTTP header values want it. */
bool span_is_nocase(struct span s, const char *text);

bool span_starts(struct span s, struct span prefix);

/* Does `part` stand somewhere in the span, but for ASCII case? The empty part does. */
bool span_has_nocase(struct span s, struct span part);

/* Drops ASCII white space (space, tab, CR, LF) at both ends. */
struct span span_trim(struct span s);

/*
 * Cuts at the first `sep`: answers what stands before it and leaves what follows in *rest. Without
 * a `sep` the whole is answered and *rest becomes empty with ptr NULL.
 */
struct span span_cut(struct span *rest, char sep);

/* Copies the first n bytes to `out` and drops them; false, nothing touched, when there are fewer.
 */
bool span_take(struct span *rest, void *out, size_t n);

/* The first `max` bytes of UTF-8 text, fewer where a character would be cut in two. */
struct span span_head(struct span text, size_t max);

/*
 * Reads the whole span as decimal digits. False, *out untouched: empty, any other byte (a sign
 * too), or more than UINT64_MAX.
 */
bool span_u64(struct span s, uint64_t *out);

#endif
