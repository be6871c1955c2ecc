/* SPDX-License-Identifier: MIT */
/*
 * told: what the run is told to do, and what it answers.
 *
 * The sender thread hears orders, the training's threads obey them; both come here, one at a time.
 * A stop is accepted, and done when the run ends; a pause is done when the training looks and
 * waits, a set when it reads the knob, a checkpoint when it says so; a resume at once. Answers are
 * lines that wait for the sender.
 */
#ifndef CLIENTS_C_TOLD_H
#define CLIENTS_C_TOLD_H

#include "base/buf.h"
#include "clients/c/answer.h"
#include "clients/c/streamd_client.h"

#include <pthread.h>

enum { TOLD_ANSWERS_BYTES = 16384, TOLD_KNOB_NAME_MAX = 64 };

struct told_knob {
    char name[TOLD_KNOB_NAME_MAX + 1];
    enum streamd_knob_type type;
    double min, max, value;
    uint64_t order; /* the set that the training has not read yet; 0: none */
};

struct told {
    struct span session_id; /* borrows */
    pthread_mutex_t lock;   /* guards the following */
    struct told_knob knobs[STREAMD_KNOBS_MAX];
    size_t knob_count;
    uint64_t pause, checkpoint; /* accepted and not done; 0: none */
    struct buf answers;         /* owns; lines */
};

/* Knobs with a name that cannot be one, and those past STREAMD_KNOBS_MAX, are left out. */
void told_init(struct told *o, struct span session_id, const struct streamd_knob *knobs,
               size_t count);
void told_fini(struct told *o);

/* Appends the member "knobs" of a config, unless there are none. */
void told_declare(const struct told *o, struct buf *out);

/* A control line; `heeded`: somebody is there who sees to checkpoints. */
void told_hear(struct told *o, const struct answer *control, bool heeded);

/* The training has done it. True: there is something to be sent. */
bool told_done(struct told *o, const char *command);

/* The value of a knob from now on; NaN when there is none of that name. *out_says: there is
 * something to be sent. */
double told_read(struct told *o, const char *name, bool *out_says);

/* Moves the answers to *out, as many as are whole. */
void told_take(struct told *o, struct buf *out);
bool told_wait(struct told *o);

#endif
