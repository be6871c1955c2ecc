/* SPDX-License-Identifier: MIT */
/*
 * sender: the run's own thread, which gets the queue's lines to the daemon.
 *
 * It connects, begins with `start`, writes the window's lines, and after a lost connection goes on
 * from the daemon's lastSeq: in order, nothing twice. What the daemon has not acknowledged when the
 * run ends is left in a file; what earlier processes left so is sent from here too.
 */
#ifndef CLIENTS_C_SENDER_H
#define CLIENTS_C_SENDER_H

#include "clients/c/courier.h"
#include "clients/c/link.h"
#include "clients/c/told.h"
#include "clients/c/window.h"

#include <stdatomic.h>

enum sender_state { SENDER_AWAY, SENDER_OPENING, SENDER_UP };

/* All borrowed for the sender's life. */
struct sender_params {
    struct span session_id;
    struct span start; /* the `start` line up to its last field, which is `resume` */
    bool resume;
    struct queue *queue;
    const char *socket_path;
    const char *spool_folder; /* "": no spool */
    uint64_t spool_bytes;     /* of the file */
    uint64_t last_bytes;      /* of those, kept for the end of the run */
    bool fresh;               /* no daemon can know the session */
    size_t max_sent_bytes;    /* of lines that are not acknowledged */
    streamd_control_fn *on_control;
    void *control_context;
    struct told *told;
    uint64_t jitter_seed;
};

struct sender {
    struct sender_params params;
    pthread_mutex_t fork_lock; /* held while our descriptors and the process's disagree */
    struct link link;
    struct window window;
    struct courier courier;
    enum sender_state state;
    bool known;    /* a daemon has answered in this run's life */
    bool carrying; /* the courier is at work */
    uint64_t retry_at_us;
    uint64_t started_by_us;
    uint64_t took_at_us; /* when the queue last had a line */
    uint64_t ceiling_us; /* of the next wait before another attempt */
    uint64_t jitter;
    bool finishing;

    /* For any thread. */
    atomic_uint_fast64_t finish_by_us; /* monotonic; 0: the run goes on */
    atomic_uint_fast64_t dropped;
    atomic_uint_fast64_t spool_errors;
    atomic_bool connected;
    atomic_bool should_stop;
    atomic_bool paused;
};

/* Allocates nothing; the thread is the caller's to start, with sender_main. */
void sender_init(struct sender *s, const struct sender_params *params);

/* Frees the lines that could not be kept; answers how many. The thread must have ended. */
size_t sender_fini(struct sender *s);

/* Around a fork; in the child sender_abandon comes first, and closes its copies. */
void sender_before_fork(struct sender *s);
void sender_after_fork(struct sender *s);
void sender_abandon(struct sender *s);

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
