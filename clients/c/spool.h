/* SPDX-License-Identifier: MIT */
/*
 * spool: the file of one run, for lines that memory had no room for and for what was unsent at its
 * end.
 *
 * It is begun with the first lines, holds them oldest first, in chunks, and is removed when all of
 * them are acknowledged. Belongs to the sender thread, but for spool_abandon. A disk that fails is
 * left alone for a minute; the run goes on in memory.
 */
#ifndef CLIENTS_C_SPOOL_H
#define CLIENTS_C_SPOOL_H

#include "clients/c/spool_format.h"

#include <pthread.h>

struct leftover;

/* All borrowed for the spool's life. */
struct spool_params {
    struct span session_id;
    struct span start;          /* the `start` line up to its last field, which is `resume` */
    const char *to;             /* the socket's path */
    const char *folder;         /* "" or NULL: there is no spool */
    uint64_t max_bytes;         /* of the file */
    uint64_t last_bytes;        /* of those, kept for the end of the run */
    bool fresh;                 /* no daemon can know the session */
    bool anew;                  /* the daemon is to begin it anew, whatever it knows (a relay's) */
    pthread_mutex_t *fork_lock; /* held while `fd` and the process's descriptors disagree */
};

/* Some lines in a row. */
struct spool_chunk {
    uint64_t offset;
    uint64_t last_seq;
    uint32_t bytes;
    uint32_t lines;
};

struct spool {
    struct spool_params params;
    int fd; /* owns, locked; -1: there is no file */
    char path[SPOOL_PATH_BYTES];
    bool known;    /* a daemon has answered: `base` is final */
    bool relative; /* the file's numbers lack `base` */
    bool unsynced; /* something was appended since spool_sync */
    uint64_t base;
    uint64_t end;       /* of the file */
    size_t start_bytes; /* of the header, before its `resume` */
    size_t header_bytes;
    struct spool_chunk *chunks; /* owns; not acknowledged, oldest first, from `first` */
    size_t first;
    size_t unsent; /* the first that is to be sent */
    size_t count;
    size_t cap;
    uint64_t acked;
    struct buf data; /* being read */
    uint64_t synced_at_us;
    uint64_t retry_at_us;
    uint64_t errors; /* of the disk */
};

/* Touches no disk. */
void spool_init(struct spool *s, const struct spool_params *params);

/* The run has ended: leaves the file, if there is one, to a later process. */
void spool_close(struct spool *s);

void spool_fini(struct spool *s);

/* The run ends: the disk gets another chance, and what was kept for the end may be used. */
void spool_last_words(struct spool *s);

/* Bytes of lines that may be appended now. */
uint64_t spool_room(const struct spool *s, uint64_t now_us);

/* What is to be taken off a line's seq when it is written for the file; begins the file. */
uint64_t spool_bias(struct spool *s, uint64_t now_us);

/*
 * Appends whole lines, written with spool_bias; `sent` ones have been written to the daemon. False:
 * they are not in.
 */
bool spool_append(struct spool *s, struct span data, const struct spool_chunk *chunk, bool sent,
                  uint64_t now_us);

bool spool_has_unsent(const struct spool *s);

/* Lines in the file that are not acknowledged. */
size_t spool_lines(const struct spool *s);

/* Appends the next chunk to *out; it counts as sent. Answers how many lines could not be read. */
size_t spool_next(struct spool *s, struct buf *out);

/* Everything up to `seq` is durable at the daemon. */
void spool_ack(struct spool *s, uint64_t seq);

/* What was sent and not acknowledged is to be sent again. */
void spool_rewind(struct spool *s);

/*
 * The first daemon that answered has `base`: all numbers go on from there. A file that cannot say
 * so loses its name: it is sent all the same, but by nobody else.
 */
void spool_learn(struct spool *s, uint64_t base);

/* The daemon has begun the session anew. False: the file would have it done again. */
MUST_CHECK bool spool_begun(struct spool *s);

/* Everything that was appended is on the disk, and so is the file's name; false when that is not
 * certain. Without a file, true. */
MUST_CHECK bool spool_sync(struct spool *s, uint64_t now_us);

/*
 * Takes the file of an opened leftover, from which s->params were made, as if this process had
 * written it and sent none of it. A torn last line is cut off. False: it cannot be read, and the
 * leftover still has it.
 */
MUST_CHECK bool spool_reopen(struct spool *s, struct leftover *from);

/* Room for one chunk more, for spool_reopen.c; false: no memory. */
MUST_CHECK bool spool_make_place(struct spool *s);

/* The number of the last line in the file, as it stands there; 0: there is none. */
uint64_t spool_last_seq(const struct spool *s);

/* In a forked child: closes the descriptor, and nothing else. */
void spool_abandon(struct spool *s);

#endif
