/* SPDX-License-Identifier: MIT */
/*
 * framer: lines out of a byte stream that arrives in chunks.
 *
 * For each chunk: framer_push once, then framer_next until it answers FRAMER_NEED_MORE. A line that
 * lies whole in the chunk is handed out where it stands, without copying; only an unfinished one is
 * kept, so a stream costs at most one line of memory. "\r\n" ends a line as "\n" does, and a UTF-8
 * BOM is dropped at the very start of the stream. Empty lines are handed out too: what they mean is
 * the caller's. Embedded: the owner calls framer_init and framer_fini. Pure.
 */
#ifndef PROTO_FRAMER_H
#define PROTO_FRAMER_H

#include "base/buf.h"

enum { FRAMER_LINE_MAX = 65536 }; /* the contract's limit of a trainer's line, in bytes */

enum framer_result {
    FRAMER_NEED_MORE, /* the chunk is used up */
    FRAMER_LINE,      /* *out_line is a line, without its end */
    FRAMER_TOO_LONG,  /* said once a line; the line is skipped, the next one comes as usual */
    FRAMER_NOMEM,     /* as TOO_LONG, because the unfinished line could not be kept */
};

struct framer {
    struct buf held;   /* the unfinished line so far */
    struct span chunk; /* borrows: what is left of the chunk pushed last */
    size_t max_line;
    bool begun;      /* the first line is behind us, so no BOM may come */
    bool skipping;   /* inside a line that was given up */
    bool held_given; /* `held` was handed out as a line and is to be forgotten */
};

/* `max_line` in bytes, without the line's end, > 0. Allocates nothing. */
void framer_init(struct framer *f, size_t max_line);
void framer_fini(struct framer *f);

/*
 * Borrows the chunk until framer_next has answered FRAMER_NEED_MORE. The chunk before must be used
 * up.
 */
void framer_push(struct framer *f, struct span chunk);

/* *out_line borrows from the chunk or the framer; valid until the next call of either function. */
MUST_CHECK enum framer_result framer_next(struct framer *f, struct span *out_line);

/*
 * At the end of the stream, after FRAMER_NEED_MORE: the bytes of a last line that has no end.
 * False when there are none. For a file that is a line, for a broken connection it is a torn one.
 */
bool framer_rest(struct framer *f, struct span *out_line);

#endif
