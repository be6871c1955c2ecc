/* SPDX-License-Identifier: MIT */
/*
 * tfrecord: the framing of TensorBoard's event files. Pure.
 *
 * Length (8 bytes), its masked CRC-32C, the data, its masked CRC-32C; little-endian.
 */
#ifndef PROTO_LOGS_TFRECORD_H
#define PROTO_LOGS_TFRECORD_H

#include "base/span.h"
#include "base/status.h"

#include <stdint.h>

/*
 * Takes the next record's data, which borrows. E_NOT_FOUND: the end; E_MALFORMED, nothing taken:
 * *why says so, a static string.
 */
MUST_CHECK enum status tfrecord_next(struct span *rest, struct span *out, const char **why);

/* Does the file begin with a record's length and the checksum of it? */
bool tfrecord_fits(struct span file);

/* The masked checksum, for tests. */
uint32_t tfrecord_checksum(struct span bytes);

#endif
