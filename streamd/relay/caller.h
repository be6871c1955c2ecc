/* SPDX-License-Identifier: MIT */
/*
 * caller: a trainer's connection to the relay's Unix socket.
 *
 * It is spoken to as by a daemon (docs/protocol.md): lines in, `started`, acks, control and errors
 * out. A run of which it speaks is an attachment, so that what the hub says of the run finds it.
 */
#ifndef STREAMD_RELAY_CALLER_H
#define STREAMD_RELAY_CALLER_H

#include "base/list.h"
#include "base/span.h"

struct caller;
struct carrier;
struct relay;

/* A caller and a run. Owned by its caller, and freed with it; a carrier lives while it has one. */
struct attachment {
    struct list of_caller;
    struct list of_carrier;
    struct caller *caller;   /* borrows */
    struct carrier *carrier; /* borrows */
    uint64_t said;           /* the highest number it has sent or repeated; 0: none */
    uint64_t acked;
    char *anew;   /* owns; its `start`, which waits until all before it is delivered */
    bool started; /* it began the run, so it hears control lines */
    bool waiting; /* for `started` */
};

/* Takes the descriptor in either case. `pid`: the process at its other end, 0: not known. False:
 * out of memory. */
bool caller_create(struct relay *relay, int fd, int pid);
void caller_destroy(struct caller *c);

/* No more is read; it goes once its answers are written. */
void caller_end(struct caller *c);

/* At the end of a wake-up, first: goes on with lines that had to wait. */
void caller_resume(struct caller *c);

/* At the end of a wake-up, last: writes answers, and brings its watchers in line with what may be
 * read and is to be written. False: it is over. */
bool caller_turn(struct caller *c);

/* Says what is due of the run: that it has begun, and how far it is safe. */
void attachment_tell(struct attachment *a);

/* Passes on a control line of the hub. */
void attachment_control(struct attachment *a, struct span line);

/* The hub has refused a line. */
void attachment_refused(struct attachment *a, struct span code);

struct caller *caller_of(struct list *link);

#endif
