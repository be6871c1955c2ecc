/* SPDX-License-Identifier: MIT */
/*
 * rewind: a resumed trainer went back to an earlier step, and what followed that step no longer
 * counts.
 *
 * Nothing is deleted: the entries before the rewind's offset whose step is at or past its step, of
 * the same model, are superseded. History leaves them out unless it is asked for all branches.
 */
#ifndef STREAMD_STORE_REWIND_H
#define STREAMD_STORE_REWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REWINDS_MAX = 256 }; /* of one session; the oldest ones are merged into their neighbours */

struct rewind {
    uint64_t offset; /* of the first entry of the new branch */
    double step;     /* currentStep of that entry */
    double model;    /* currentModel of that entry */
};

/* Is this entry superseded by one of the rewinds (in order of offset)? NaN: it has none. */
bool rewind_covers(const struct rewind *rewinds, size_t count, struct rewind entry);

#endif
