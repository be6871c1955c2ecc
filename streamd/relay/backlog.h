/* SPDX-License-Identifier: MIT */
/*
 * backlog: the lines of one run that the hub has not acknowledged, as one stream: the run's spool
 * file, behind it memory.
 *
 * As clients/c/window.h is for a run's own process, but of lines that came as text, with numbers
 * that are mostly the trainer's own. Lines go to the file when its owner says so; what is there and
 * synced is `durable` and may be acknowledged. A line without a number is in memory only, and sent
 * once. Not thread-safe.
 */
#ifndef STREAMD_RELAY_BACKLOG_H
#define STREAMD_RELAY_BACKLOG_H

#include "base/list.h"
#include "clients/c/spool.h"

enum {
    BACKLOG_UNDER_WAY_MAX = 512 * 1024, /* bytes sent and not acknowledged, about */
    BACKLOG_BATCH = 32 * 1024,          /* bytes given out at once, and a chunk of the file */
    BACKLOG_MARKS = 64,
};

/* What was given out in one batch. */
struct backlog_mark {
    uint64_t last_seq;
    size_t bytes;
};

struct backlog {
    struct spool spool;
    struct list lines;      /* of held.link, owned; in order */
    struct list *unwritten; /* the first of `lines` to give out; &lines: none */
    size_t bytes;           /* of `lines` */
    size_t count;           /* of `lines` */
    uint64_t last_seq;      /* given to a line, or known of the session */
    uint64_t acked;         /* by the hub */
    uint64_t kept;          /* up to here it is in the file, synced, or acknowledged */
    struct backlog_mark marks[BACKLOG_MARKS]; /* a ring; under way, oldest first */
    size_t oldest;
    size_t marked;
    size_t under_way; /* bytes of the marks */
    struct buf chunk; /* for the disk, being made */
    size_t lost;      /* lines that the disk has lost, not taken yet */
};

void backlog_init(struct backlog *b, const struct spool_params *params);

/* Frees what is in memory; the file stays. */
void backlog_fini(struct backlog *b);

/* Goes on with a file that was left. False: it cannot be read. */
MUST_CHECK bool backlog_reopen(struct backlog *b, struct leftover *from);

/*
 * Takes a line: what stands before its number and what behind. seq 0: it has none. `starts`: a
 * `start` in the middle of the stream; its seq is the one of the line before. E_NOMEM.
 */
MUST_CHECK enum status backlog_add(struct backlog *b, struct span head, struct span tail,
                                   uint64_t seq);

/* Takes the line back that was added last, when last_seq was still this: nobody has heard it.
 * False: there is none, or it has left memory. */
bool backlog_take_back(struct backlog *b, uint64_t last_seq);

/* Appends the next lines to *out; false when there are none, or too many are under way. */
bool backlog_next(struct backlog *b, struct buf *out);

/* Everything up to `seq` is durable at the hub. */
void backlog_ack(struct backlog *b, uint64_t seq);

/* The first hub that answered has `base` of the session: all numbers go on from there. */
void backlog_learn(struct backlog *b, uint64_t base);

/* The connection was lost: what was not acknowledged is to be given out again. */
void backlog_rewind(struct backlog *b);

/* Moves all numbered lines to the file, and syncs it. False: the file is full, or the disk fails.
 */
bool backlog_keep(struct backlog *b, uint64_t now_us);

/* Gives up what was given out; answers how many lines that were. */
size_t backlog_give_up(struct backlog *b);

/* Up to here nothing can be lost any more. */
uint64_t backlog_durable(const struct backlog *b);

bool backlog_empty(const struct backlog *b);

/* Lines that are not acknowledged, in the file and in memory. */
size_t backlog_lines(const struct backlog *b);

/* How many lines the disk has lost since the last call. */
size_t backlog_take_lost(struct backlog *b);

#endif
