/* SPDX-License-Identifier: MIT */
/*
 * uuid4: the id of a run that was given none (RFC 9562, version 4).
 */
#ifndef STREAMD_SESSION_UUID4_H
#define STREAMD_SESSION_UUID4_H

#include <stdbool.h>

enum { UUID4_BYTES = 36 };

/* NUL-terminated. False when the kernel gives no random bytes. */
bool uuid4_write(char out[UUID4_BYTES + 1]);

#endif
