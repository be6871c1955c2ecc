/* SPDX-License-Identifier: MIT */
/*
 * json_text: what stands inside a JSON string, UTF-8 and escapes.
 *
 * json_scan calls the two lengths while it reads; everybody else needs only the meaning of a
 * string that was scanned (json_unescape) and whether bytes from elsewhere are text at all.
 */
#ifndef PROTO_JSON_TEXT_H
#define PROTO_JSON_TEXT_H

#include "base/buf.h"
#include "base/span.h"

/* Appends what a scanned string (raw, between the quotes) means, as UTF-8. */
void json_unescape(struct span raw, struct buf *out);

/* Is the span valid UTF-8: no overlong form, no surrogate, nothing above U+10FFFF? */
bool json_utf8_valid(struct span text);

/* Bytes of the character at `at` (< end), which is not ASCII; 0 when it is not valid UTF-8. */
size_t json_utf8_length(const char *at, const char *end);

/* Bytes of the escape at `at` (its backslash); 0 with a static *why when it is refused. */
size_t json_escape_length(const char *at, const char *end, const char **why);

#endif
