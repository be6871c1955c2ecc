/* SPDX-License-Identifier: MIT */
/*
 * random_id: identifiers nobody can guess.
 *
 * base64url characters from getrandom(2), 6 bits each: 24 of them are 144 bits.
 */
#ifndef STREAMD_TRANSPORT_RANDOM_ID_H
#define STREAMD_TRANSPORT_RANDOM_ID_H

#include <stddef.h>
#include <stdint.h>

/* Writes `len` (at most 64) characters and a NUL. */
void random_id(char *out, size_t len);

/* A number nobody can know, for hash maps. */
uint64_t random_seed(void);

#endif
