/* SPDX-License-Identifier: MIT */
/*
 * packed: one history entry in no more bytes than its record needs.
 *
 * A head, then eight bytes for every number that is there: the twelve fields in order, then the
 * extras, each after the number of its name. Long digits stand in place. Reading back gives the
 * same bits. Memory only, never a file or a wire: the bytes are the machine's own.
 */
#ifndef STREAMD_SESSION_PACKED_H
#define STREAMD_SESSION_PACKED_H

#include "streamd/session/names.h"
#include "streamd/session/series.h"

/* No packed form of this record is longer. */
size_t packed_bound(const struct record *r);

/*
 * Packs into `out`, which has room for packed_bound. *out_left_out: extras whose names found no
 * place. E_NOMEM: `out` holds nothing of use.
 */
MUST_CHECK enum status packed_write(struct names *names, const struct record *r,
                                    double server_time_s, char *out, size_t *out_size,
                                    unsigned *out_left_out);

/* Of the entry that begins at `at`: its bytes, and how many extras it has. */
size_t packed_size(const char *at);
size_t packed_extra_count(const char *at);

/* Reads all but the offset back; `extra` has room for packed_extra_count and is borrowed. */
void packed_read(const struct names *names, const char *at, struct extra *extra,
                 struct series_entry *out);

#endif
