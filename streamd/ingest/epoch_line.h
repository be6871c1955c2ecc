/* SPDX-License-Identifier: MIT */
/*
 * epoch_line: an epoch as it is POSTed, made into the line that a trainer would have sent.
 *
 * By the daemon and by a relay alike, so that what comes of it is the same by either road.
 */
#ifndef STREAMD_INGEST_EPOCH_LINE_H
#define STREAMD_INGEST_EPOCH_LINE_H

#include "base/buf.h"

struct epoch_line {
    struct buf text; /* owns; the line, without its newline */
    unsigned seen;   /* bit f: the field was there, with a number */
    const char *why; /* static, or `message`; NULL: nothing is wrong */
    char message[64];
};

void epoch_line_init(struct epoch_line *e, size_t max_line);
void epoch_line_fini(struct epoch_line *e);

/* `object` passed json_check and is an object. Not OK: e->why says why. E_MALFORMED: there is
 * something wrong with it; E_NOMEM. Once. */
MUST_CHECK enum status epoch_line_read(struct epoch_line *e, struct span id, struct span object);

/* Of a text that somebody else has written: does it fit, and has it found memory? */
MUST_CHECK enum status epoch_line_judge(struct epoch_line *e);

#endif
