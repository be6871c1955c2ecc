/* SPDX-License-Identifier: MIT */
/*
 * leftover: a file that an earlier process left in the spool folder, being sent by this one.
 *
 * Its lock is held from open to close, so that no two processes send it and nobody sends that of a
 * living run. Belongs to the sender thread, but for leftover_abandon.
 */
#ifndef CLIENTS_C_LEFTOVER_H
#define CLIENTS_C_LEFTOVER_H

#include "clients/c/spool_format.h"
#include "proto/line.h"

#include <pthread.h>

enum leftover_result {
    LEFTOVER_OPEN,
    LEFTOVER_LOCKED, /* its run is alive, or another process is sending it */
    LEFTOVER_OTHER,  /* it is for another daemon, or no file of ours */
    LEFTOVER_GONE,   /* and so it is nobody's */
};

struct leftover {
    int fd; /* owns, locked; -1: none is open */
    char path[SPOOL_PATH_BYTES];
    struct buf start; /* its first line, newline included */
    char session[SESSION_ID_BYTES_MAX + 1];
    bool settled; /* `base` is final */
    uint64_t base;
    uint64_t offset; /* of what is to be read next */
    struct buf data; /* being read */
    pthread_mutex_t *fork_lock;
};

void leftover_init(struct leftover *l, pthread_mutex_t *fork_lock);
void leftover_fini(struct leftover *l);

/* The session id in a file's name, borrowed; empty when it is not one of ours. */
struct span leftover_session(const char *name);

/* Opens a file of the folder that is for the daemon at `to`. Only one can be open. */
enum leftover_result leftover_open(struct leftover *l, const char *folder, const char *name,
                                   const char *to);

/* The daemon stands at `last_seq`; from now on lines are numbered. False: that cannot be kept. */
MUST_CHECK bool leftover_settle(struct leftover *l, uint64_t last_seq);

/*
 * Appends the next lines beyond `after` to *out, about a chunk of them; on_line hears each number.
 * E_NOT_FOUND: there are none left. E_IO: they cannot be read.
 */
MUST_CHECK enum status leftover_read(struct leftover *l, uint64_t after, struct buf *out,
                                     void (*on_line)(void *context, uint64_t seq), void *context);

/* All of it has been taken: removes the file. */
void leftover_remove(struct leftover *l);

/* Leaves it where it is. Without an open file, nothing. */
void leftover_close(struct leftover *l);

/* In a forked child, which has the lock: closes its copy. */
void leftover_abandon(struct leftover *l);

#endif
