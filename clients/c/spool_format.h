/* SPDX-License-Identifier: MIT */
/*
 * spool_format: what a file of the spool folder looks like; the same for the Python client.
 *
 * A file holds trainer lines as they go on the wire, oldest first, behind the run's `start` line
 * with "resume":true (false only in a relay's, until the hub has begun the session anew). Its name
 * is TIME-PID-SESSION.ndjson, so that names sort by age. It is locked (flock) while its run lives
 * or while somebody sends it. Two fields of the `start` line are for us, and daemons pass over
 * them. "spoolTo" is the address that the run logs to. "seqBase" is there when the daemon may know
 * the session from before, and had not answered when the file began: then the lines are numbered
 * from 1, and what stands in it is added to each seq when they are sent: the lastSeq of the first
 * daemon that answers, written over the question marks before any line is sent. A file without
 * "seqBase" can be sent as it is.
 */
#ifndef CLIENTS_C_SPOOL_FORMAT_H
#define CLIENTS_C_SPOOL_FORMAT_H

#include "base/buf.h"

enum {
    SPOOL_CHUNK_BYTES = 64 * 1024, /* to or from the disk at once, about */
    SPOOL_PATH_BYTES = 4096,
    SPOOL_TO_BYTES_MAX = 1024, /* a longer address is not kept */
    /* What a header may have beyond a `start` line. */
    SPOOL_HEADER_BYTES = SPOOL_TO_BYTES_MAX + 128,
    SPOOL_BASE_DIGITS = 20,
};

#define SPOOL_SUFFIX ".ndjson"
#define SPOOL_BASE_UNKNOWN "????????????????????"

/* $STREAMD_SPOOL, else this user's state folder. False, *out empty: there is no home, or no room.
 */
bool spool_folder(char *out, size_t out_bytes);

/* Makes the folder and those above it, with mode 0700. False: it is not there. */
bool spool_make_folder(const char *folder);

/* What a file's first line has behind the run's `start`. */
struct spool_header {
    struct span start; /* a start line up to its last field, which is `resume` */
    struct span to;
    bool relative; /* its numbers lack `seqBase` */
    bool anew;     /* the daemon is to begin the session anew: "resume":false, for now */
};

void spool_write_header(struct buf *b, const struct spool_header *h);

/* The daemon has begun it: makes that "resume":true, durably. False: it is not certain to be. */
MUST_CHECK bool spool_settle_resume(int fd, size_t start_bytes);

/* Writes what is to be added to each seq, durably. False: it is not certain to stand there. */
MUST_CHECK bool spool_settle_base(int fd, size_t header_bytes, uint64_t base);

/* A line of ours, numbered; without its newline. Spans borrow from the line. */
struct spool_line {
    struct span head; /* up to the number */
    uint64_t seq;
    struct span tail; /* from behind it */
};

/* False: damaged on the disk, or torn. */
bool spool_line_read(struct span line, struct spool_line *out);

/*
 * Appends the whole lines of `data` to *out, `base` added to their numbers, those up to `after` and
 * damaged ones left out; answers how many went in. `on_line` hears the number of each, unless NULL.
 */
size_t spool_renumber(struct span data, uint64_t base, uint64_t after, struct buf *out,
                      void (*on_line)(void *context, uint64_t seq), void *context);

/* The lock of an open file; false when another process has it, or there are no locks here. */
bool spool_lock(int fd);

#endif
