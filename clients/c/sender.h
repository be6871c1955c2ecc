/* SPDX-License-Identifier: MIT */
/*
 * sender: the run's own thread, which gets the queue's lines to the daemon.
 *
 * It connects, begins with `start`, numbers the lines, writes them, keeps each until the daemon has
 * acknowledged it, and after a lost connection goes on from the daemon's lastSeq: in order, nothing
 * twice. What may wait unacknowledged is bounded; past that, lines stay in the queue.
 */
#ifndef CLIENTS_C_SENDER_H
#define CLIENTS_C_SENDER_H

#include "clients/c/link.h"
#include "clients/c/queue.h"

#include <stdatomic.h>

enum sender_state { SENDER_AWAY, SENDER_OPENING, SENDER_UP };

/* All borrowed for the sender's life. */
struct sender_params {
    struct span session_id;
    struct span start; /* the `start` line up to its last field, which is `resume` */
    bool resume;
    struct queue *queue;
    const char *socket_path;
    size_t max_sent_bytes; /* of lines that are not acknowledged */
    streamd_control_fn *on_control;
    void *control_context;
    uint64_t jitter_seed;
};

struct sender {
    struct sender_params params;
    struct link link;
    enum sender_state state;
    bool known;             /* a daemon has answered in this run's life */
    struct list sent;       /* of entry.link, owned; numbered, not acknowledged, by seq */
    struct list *unwritten; /* the first of `sent` to write on this connection; &sent: none */
    size_t sent_bytes;
    uint64_t last_seq;
    struct buf line; /* being made */
    uint64_t retry_at_us;
    uint64_t started_by_us;
    uint64_t took_at_us; /* when the queue last had a line */
    uint64_t ceiling_us; /* of the next wait before another attempt */
    uint64_t jitter;
    bool finishing;

    /* For any thread. */
    atomic_uint_fast64_t finish_by_us; /* monotonic; 0: the run goes on */
    atomic_uint_fast64_t dropped;
    atomic_bool connected;
    atomic_bool should_stop;
    atomic_bool paused;
};

/* Allocates nothing; the thread is the caller's to start, with sender_main. */
void sender_init(struct sender *s, const struct sender_params *params);

/* Frees the lines that were not acknowledged; answers how many. The thread must have ended. */
size_t sender_fini(struct sender *s);

/* The thread's function; `sender` is a struct sender. Ends after sender_finish. */
void *sender_main(void *sender);

/*
 * Lets the thread end: once everything is acknowledged, when the time is up, or at once when no
 * daemon ever was there. The queue must get no line after this.
 */
void sender_finish(struct sender *s, uint64_t within_us);

/* Counts lines that were given up. */
void sender_drop(struct sender *s, size_t lines);

#endif
