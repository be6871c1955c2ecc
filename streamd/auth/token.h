/* SPDX-License-Identifier: MIT */
/*
 * token: what a caller shows, and what is kept of it.
 *
 * A token is "st_" and 43 base64url characters, 258 random bits. Nobody can guess it, so what is
 * kept is its plain SHA-256: a slow hash protects passwords that people choose, and would cost
 * every request what it costs an attacker.
 */
#ifndef STREAMD_AUTH_TOKEN_H
#define STREAMD_AUTH_TOKEN_H

#include "base/span.h"

#include <stdbool.h>

enum {
    TOKEN_LEN = 46,
    TOKEN_SHOWN_MAX = 256, /* longer ones are nobody's */
    DIGEST_BYTES = 32,
    DIGEST_HEX_LEN = 2 * DIGEST_BYTES,
};

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

/* A new one. */
void token_make(char out[TOKEN_LEN + 1]);

void token_digest(struct span token, struct digest *out);

/* Takes the same time whatever they hold. */
bool digest_equal(const struct digest *a, const struct digest *b);

/* 64 hexadecimal digits. False, and *out untouched: these are not. */
bool digest_parse(struct span hex, struct digest *out);
void digest_text(const struct digest *d, char out[DIGEST_HEX_LEN + 1]);

#endif
