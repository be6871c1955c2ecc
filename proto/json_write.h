/* SPDX-License-Identifier: MIT */
/*
 * json_write: minified JSON into a buf.
 *
 * The buf itself says where a comma is due: json_write_key puts one before every key that does not
 * directly follow `{`, and json_write_comma before every array item that does not directly follow
 * `[`. Values never write commas. Errors are the buf's: write on, ask buf_status once.
 */
#ifndef PROTO_JSON_WRITE_H
#define PROTO_JSON_WRITE_H

#include "base/buf.h"
#include "base/span.h"

/* A quoted string. `text` is valid UTF-8; only `"`, `\` and control characters are escaped. */
void json_write_string(struct buf *b, struct span text);

/* `"name":`, after a comma where one is due. */
void json_write_key(struct buf *b, struct span name);

/* The same for a name known to need no escaping, such as a literal of ours. */
void json_write_name(struct buf *b, const char *name);

/* A comma, unless the buf is empty or ends in `[`, `{`, `,` or `:`. */
void json_write_comma(struct buf *b);

void json_write_bool(struct buf *b, bool value);

/* Members of an object: name (needs no escaping) and value. */
void json_write_pair_string(struct buf *b, const char *name, struct span value);
void json_write_pair_u64(struct buf *b, const char *name, uint64_t value);
void json_write_pair_double(struct buf *b, const char *name, double value);
/* Rounded to so many significant digits, 1..15; null when it is not finite. */
void json_write_pair_digits(struct buf *b, const char *name, double value, int digits);
void json_write_pair_bool(struct buf *b, const char *name, bool value);

/* `json` is JSON already and goes in as it is. */
void json_write_pair_raw(struct buf *b, const char *name, struct span json);

/*
 * A text that passed json_check, without its insignificant white space. Bare NaN, Infinity and
 * -Infinity become null, so that what is kept never breaks a JSON.parse.
 */
void json_write_minified(struct buf *b, struct span json);

#endif
