/* SPDX-License-Identifier: MIT */
/*
 * courier: gets what earlier processes left in the spool folder to the daemon, in turns.
 *
 * What the run's own session left goes before the run, which takes its numbers from where that
 * ends; the others' goes beside it. Each file has a connection of its own, and is removed once the
 * daemon has acknowledged all of it. A turn does not wait. Belongs to the sender thread, but for
 * courier_abandon.
 */
#ifndef CLIENTS_C_COURIER_H
#define CLIENTS_C_COURIER_H

#include "clients/c/leftover.h"
#include "clients/c/link.h"

enum {
    COURIER_UNDER_WAY_MAX = 8192, /* lines; more wait for acknowledgements */
    COURIER_LINES_MAX = 4096,     /* of one chunk */
};

/* All borrowed for the courier's life. */
struct courier_params {
    const char *folder; /* "" or NULL: there is nothing to do */
    struct span session_id;
    const char *to; /* the socket's path */
    pthread_mutex_t *fork_lock;
};

enum courier_result {
    COURIER_GOES_ON,
    COURIER_DONE, /* nothing is left that could be sent */
    COURIER_WAIT, /* there is no daemon, or for a while, another process has the run's own file */
};

struct courier {
    struct courier_params params;
    struct link link;
    struct leftover file;
    char **names; /* owns, with each name; of the folder, sorted */
    int count;
    int at;
    bool listed;
    bool own;         /* of the run's session, else of all others */
    const char *mine; /* for the turn: the run's own file */
    bool held;        /* something of this round could not be sent */
    bool unanswered;
    char stuck[SESSION_ID_BYTES_MAX + 1]; /* the session of which the last file could not be sent */
    bool started;
    bool at_end;
    uint64_t acked;
    uint64_t under_way[COURIER_UNDER_WAY_MAX]; /* seqs, a ring */
    size_t oldest;
    size_t waiting;
    size_t refused;
    uint64_t give_up_at_us;
    uint64_t held_since_us; /* 0: not held */
};

void courier_init(struct courier *c, const struct courier_params *params);
void courier_fini(struct courier *c);

/* A turn for the run's own session; `mine` is the path of the run's own file, "" for none. */
enum courier_result courier_before(struct courier *c, const char *mine, uint64_t now_us);

/* A daemon is there: look through the folder, in the turns that follow. */
void courier_begin(struct courier *c);

/* A turn for the other sessions; GOES_ON or DONE. */
enum courier_result courier_beside(struct courier *c, uint64_t now_us);

/* Stops; the file stays. */
void courier_stop(struct courier *c);

/* In a forked child, which has the lock: closes its copies of the descriptors. */
void courier_abandon(struct courier *c);

#endif
