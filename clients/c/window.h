/* SPDX-License-Identifier: MIT */
/*
 * window: the lines that the daemon has not acknowledged, as one stream: the run's file, behind it
 * memory, behind that the queue.
 *
 * Gives lines out in order, forgets them when they are acknowledged, and after a lost connection
 * gives out again what was not. What may wait in memory is bounded; when the queue fills up, its
 * lines move to the file, the oldest first. When the file takes no more, the queue gives up what is
 * too much. Belongs to the sender thread.
 */
#ifndef CLIENTS_C_WINDOW_H
#define CLIENTS_C_WINDOW_H

#include "clients/c/queue.h"
#include "clients/c/spool.h"

struct window_params {
    struct queue *queue; /* borrows */
    size_t max_bytes;    /* of lines in memory that are not acknowledged */
    struct spool_params spool;
};

struct window {
    struct window_params params;
    struct spool spool;
    struct list lines;      /* of entry.link, owned; numbered, not acknowledged, by seq */
    struct list *unwritten; /* the first of `lines` to write on this connection; &lines: none */
    size_t bytes;           /* of `lines` */
    uint64_t last_seq;      /* given to a line; from 0 until a daemon has answered */
    struct buf line;        /* being made */
    struct buf chunk;       /* for the disk, being made */
    size_t given_up;        /* lines, not taken yet */
};

/* Allocates nothing, touches no disk. */
void window_init(struct window *w, const struct window_params *params);

/* Frees the lines in memory; answers how many. The file stays. */
size_t window_fini(struct window *w);

/* Nothing waits to be sent or acknowledged; the queue is not looked at. */
bool window_empty(const struct window *w);

/* Appends lines to *out up to about `max` bytes. False: nothing is in *out. */
bool window_write(struct window *w, struct buf *out, size_t max);

/* The first daemon that answered has `last_seq` of the session: the numbers go on from there. */
void window_begin(struct window *w, uint64_t last_seq);

/* Everything up to `seq` is durable at the daemon. */
void window_ack(struct window *w, uint64_t seq);

/*
 * The daemon has everything up to `last_seq`, and its answer to `start` took a finished session up
 * again: if that is all, the end is to be said again, under a new number. Comes before window_ack.
 */
void window_repeat_end(struct window *w, uint64_t last_seq);

/* The connection was lost. */
void window_rewind(struct window *w);

/* Moves lines to the file when the queue is filling up. */
void window_relieve(struct window *w, uint64_t now_us);

/*
 * The run has ended: moves all to the file and closes it. What has no room there is given up, the
 * oldest values first, the end of the run never.
 */
void window_keep(struct window *w, uint64_t now_us);

/* How many lines were given up since the last call. */
size_t window_given_up(struct window *w);

#endif
