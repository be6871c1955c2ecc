/* SPDX-License-Identifier: MIT */
/*
 * entry: one call of a trainer, from the call to the daemon's acknowledgement.
 *
 * Made in the training's thread, as cheaply as values can be copied; made into JSON in the sender
 * thread, as late as it is written. One block of memory, owned by whoever holds it in a list, and
 * freed with free().
 */
#ifndef CLIENTS_C_ENTRY_H
#define CLIENTS_C_ENTRY_H

#include "base/buf.h"
#include "base/list.h"
#include "clients/c/streamd_client.h"
#include "proto/line.h"

struct entry {
    struct list link;
    enum line_type type;
    uint64_t order;  /* the queue's */
    uint64_t seq;    /* on the wire; 0: not numbered yet */
    double time_s;   /* of the call, since 1970 */
    int64_t number;  /* progress: step, negative for none; model_completed: index */
    size_t bytes;    /* of memory */
    size_t count;    /* of values */
    double values[]; /* then `count` names, or one text, each with its NUL */
};

/* A `progress` (step negative: none) or `epoch`. NULL: more than a line can hold, or no memory. */
struct entry *entry_of_metrics(enum line_type type, int64_t step,
                               const struct streamd_metric *metrics, size_t count);

/* Any other line: a model's index, a fail's error (cut to 4096 bytes). NULL: no memory. */
struct entry *entry_of_event(enum line_type type, int64_t number, const char *text);

/* `complete` or `fail`? */
bool entry_ends_run(const struct entry *e);

/*
 * Replaces what is in *b by the line, without its newline, its seq included. NaN, Infinity and
 * -Infinity are bare words. False: too long, no usable value in it, or no memory.
 */
bool entry_write(const struct entry *e, struct span session_id, struct buf *b);

#endif
