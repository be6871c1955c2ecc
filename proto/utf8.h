/* SPDX-License-Identifier: MIT */
/*
 * utf8: is it UTF-8, and where may it be cut?
 *
 * Strict as RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. NUL and control
 * characters are UTF-8; whoever minds them says so itself. Pure, allocates nothing.
 */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "base/span.h"

/* Is the whole span well-formed UTF-8? The empty span is. */
bool utf8_valid(struct span s);

/*
 * The longest head of `s` that has at most `max` bytes and does not end inside a character. Made
 * for valid UTF-8; of anything else it answers some head of at most `max` bytes.
 */
struct span utf8_cut(struct span s, size_t max);

#endif
