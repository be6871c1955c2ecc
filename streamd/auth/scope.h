/* SPDX-License-Identifier: MIT */
/*
 * scope: what one may do. Every route, event and tool has one in its table; every token has some.
 *
 *   read     see runs, and follow them
 *   write    bring runs and records, pin and forget them
 *   control  tell trainers what to do
 */
#ifndef STREAMD_AUTH_SCOPE_H
#define STREAMD_AUTH_SCOPE_H

#include "base/span.h"

#include <stdbool.h>

enum scope {
    SCOPE_PUBLIC = 0, /* asks for none: what everybody may know */
    SCOPE_READ = 1,
    SCOPE_WRITE = 2,
    SCOPE_CONTROL = 4,
    SCOPE_ALL = SCOPE_READ | SCOPE_WRITE | SCOPE_CONTROL,
};

enum { SCOPES_TEXT_MAX = 32 };

/* "read,write" → SCOPE_READ | SCOPE_WRITE. False, and *out untouched, when a word is none of
 * these or nothing is there. */
bool scopes_parse(struct span text, unsigned *out);

/* The words again, with a comma between them; "nothing" for none. Answers `out`. */
const char *scopes_text(unsigned scopes, char out[SCOPES_TEXT_MAX]);

#endif
