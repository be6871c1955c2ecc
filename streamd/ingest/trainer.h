/* SPDX-License-Identifier: MIT */
/*
 * trainer: one connection of the Unix socket.
 *
 * Reads what came, at most a few chunks a wake-up so that others are served too, and writes the
 * answers. While more than TRAINER_ANSWERS_MAX of them wait, or too much waits for the disk, it is
 * not read: the trainer's own writes then block, and nothing here grows. Acks of a commit that find
 * no room among them are said as it drains. Belongs to unix.c.
 */
#ifndef STREAMD_INGEST_TRAINER_H
#define STREAMD_INGEST_TRAINER_H

#include "streamd/ingest/unix.h"

enum { TRAINER_ANSWERS_MAX = 64 * 1024 };

/* What all trainers of a loop share. */
struct trainers {
    struct unix_ingest_params params;
    struct list all; /* of trainer.link; owned */
    char *chunk;     /* owns; what is read goes here. NULL while a paused trainer has kept it */
    bool held_up;    /* some wait for the disk, to be read or to end */
};

struct trainer;

/* Takes the fd in either case. `pid`: the process at the other end, 0 where it is not known. NULL
 * when out of memory. */
struct trainer *trainer_create(struct trainers *all, int fd, int pid);
void trainer_destroy(struct trainer *t);

/* Its first line may say that it is none (params.guest). Not for one that came by another road. */
void trainer_may_be_guest(struct trainer *t);

/* No more will be read; gone once its lines are taken and its answers written, maybe now. */
void trainer_end(struct trainer *t);

/* Told to send again and ended, if a session of his went back. */
void trainer_resend(struct trainer *t);

/* Brings its watchers in line with its state; may free it. */
void trainer_settle(struct trainer *t);

/* Would it be told what the session of this id is told: did it start that, and reads its answers?
 */
bool trainer_listens(const struct trainer *t, struct span id);

/* Queues a control line for a trainer that listens. */
void trainer_control(struct trainer *t, const struct line_control *control);

struct trainer *trainer_of(struct list *link);

#endif
