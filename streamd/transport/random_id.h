/* SPDX-License-Identifier: MIT */
/*
 * random_id: identifiers nobody can guess.
 *
 * base64url characters from getrandom(2), 6 bits each: 24 of them are 144 bits.
 */
#ifndef STREAMD_TRANSPORT_RANDOM_ID_H
#define STREAMD_TRANSPORT_RANDOM_ID_H

#include <stddef.h>

/* Writes `len` (at most 64) characters and a NUL. */
void random_id(char *out, size_t len);

#endif
