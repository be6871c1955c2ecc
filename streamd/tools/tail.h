/* SPDX-License-Identifier: MIT */
/*
 * tail: the rows of a file that somebody else is writing.
 *
 * Reads what has come since the last look, cut at the last line end, and hands out each row once:
 * when the file is replaced (another file under its name, or shorter than before) it begins anew,
 * and when a table or a document is written anew as a whole, the rows that were told before are
 * passed over. Keeps no more than a line or, of a document, the document in memory.
 */
#ifndef STREAMD_TOOLS_TAIL_H
#define STREAMD_TOOLS_TAIL_H

#include "proto/logs/source.h"

#include <sys/types.h>

enum {
    TAIL_CHUNK_BYTES = 256 << 10,
    TAIL_LINE_BYTES = 1 << 20,      /* a longer line is passed over */
    TAIL_DOCUMENT_BYTES = 64 << 20, /* a longer document is not read */
};

/* Borrows the row for the call. */
typedef void tail_row_fn(void *context, struct source_row *row);

struct tail {
    const char *path;             /* borrows */
    const char *format;           /* borrows; "auto" */
    const struct source_ops *ops; /* NULL: not known yet */
    struct source source;         /* once ops is */
    struct source_row row;
    struct buf head;    /* owns; the first line, which a table's names borrow from */
    struct buf waiting; /* owns; read and not told: a line's beginning, or a document */
    dev_t device;
    ino_t inode;
    off_t size; /* when it was last looked at */
    struct timespec changed;
    off_t at;       /* read so far */
    uint64_t rows;  /* handed out, or passed over, since the file's beginning */
    uint64_t told;  /* of those, before a reading anew: to be passed over */
    bool opened;    /* the file was there at least once */
    bool skipping;  /* inside a line that is too long */
    int64_t zone_s; /* see source.zone_s */
};

void tail_init(struct tail *t, const char *path, const char *format);
void tail_fini(struct tail *t);

/* Begins at the beginning again, as if nothing had been read. */
void tail_rewind(struct tail *t);

/* Hands out what has come. E_NOT_FOUND: there is no such file (now); E_LIMIT: a document that is
 * too large; E_IO, E_NOMEM. What is damaged in a file is passed over. */
MUST_CHECK enum status tail_look(struct tail *t, tail_row_fn *on_row, void *context);

#endif
