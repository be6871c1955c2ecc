/* SPDX-License-Identifier: MIT */
/*
 * link: the connection to the daemon's Unix socket, bytes out and lines in, never blocking.
 *
 * Belongs to the sender thread, but for link_abandon. A link that is lost stays so until it is
 * closed; closing forgets what was not written.
 */
#ifndef CLIENTS_C_LINK_H
#define CLIENTS_C_LINK_H

#include "base/buf.h"
#include "proto/framer.h"

#include <pthread.h>
#include <sys/un.h>

struct link {
    struct sockaddr_un address;
    int fd;           /* owns; -1: not connected */
    struct buf out;   /* bytes to be written; whoever appends sees to its size */
    struct framer in; /* lines that came */
    char chunk[4096]; /* read last; `in` borrows it */
    pthread_mutex_t
        *fork_lock; /* borrows; held while `fd` and the process's descriptors disagree */
};

enum { LINK_OUT_MAX = 256 * 1024 };

/* `path` is copied. One that is too long for an address never connects. */
void link_init(struct link *l, const char *path, pthread_mutex_t *fork_lock);
void link_fini(struct link *l);

/* False: nobody listens there. */
bool link_open(struct link *l);
void link_close(struct link *l);

/* Takes a connected, non-blocking stream socket, made by somebody else. */
void link_adopt(struct link *l, int fd);

/* Writes what the daemon takes of `out`. False: the connection is lost. */
bool link_flush(struct link *l);

/* Reads once; then link_next has the lines. False: the connection is lost. */
bool link_receive(struct link *l);

/* The next line that came, borrowed until the next call; false when there is none. */
bool link_next(struct link *l, struct span *out_line);

/* In a forked child, which has the lock: closes its copy of the socket. */
void link_abandon(struct link *l);

#endif
