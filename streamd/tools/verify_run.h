/* SPDX-License-Identifier: MIT */
/*
 * verify_run: every record of one session, read and held against what its rows say.
 *
 * Each row's checks, each segment's and run's own, every record decoded, offsets from 1 to the
 * newest without a hole or an overlap, the axis never falling within a segment.
 */
#ifndef STREAMD_TOOLS_VERIFY_RUN_H
#define STREAMD_TOOLS_VERIFY_RUN_H

#include "streamd/session/session.h"
#include "streamd/store/store.h"

/* What has been looked at, and who is told of what is wrong. */
struct verify {
    struct store *store;          /* borrows */
    struct line_decoder *decoder; /* borrows */
    uint64_t sessions, segments, runs, records, problems;
    void (*progress)(struct verify *v);
    void (*problem)(struct verify *v, const char *text);
};

/* One line: `session ID offsets A-B: what`. */
void verify_tell(struct verify *v, const struct session *s, uint64_t first, uint64_t last,
                 const char *what);

/* E_IO, E_NOMEM: it could not be looked further. */
MUST_CHECK enum status verify_run(struct verify *v, const struct session *s);

#endif
