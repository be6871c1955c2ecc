/* SPDX-License-Identifier: MIT */
/*
 * queue: lines on their way from the training's threads to the sender thread.
 *
 * Bounded in bytes. What is too much is given up at once, the oldest value first; lifecycle lines
 * are never given up for a value, and the end of a run never at all. Putting never waits for
 * anything but another thread's few instructions. Any number of threads put, one takes.
 */
#ifndef CLIENTS_C_QUEUE_H
#define CLIENTS_C_QUEUE_H

#include "clients/c/entry.h"

#include <pthread.h>

struct queue {
    size_t max_bytes;
    int wake_fd;          /* owns; readable when the taker has been woken */
    pthread_mutex_t lock; /* guards the following */
    struct list values;   /* of entry.link, owned; progress, oldest first */
    struct list events;   /* of entry.link, owned; all other lines, oldest first */
    size_t bytes;
    uint64_t next_order;
    bool asleep; /* the taker is to be woken by the next line */
    bool nudged; /* it has been woken because the queue is crowded */
};

/* E_IO: no descriptor for the wake-up; nothing is held then. */
MUST_CHECK enum status queue_init(struct queue *q, size_t max_bytes);

/* Frees the lines that were left; answers how many. */
size_t queue_fini(struct queue *q);

/* Takes the entry; NULL is one that could not be made. Answers how many lines were given up. */
size_t queue_put(struct queue *q, struct entry *e);

/* The oldest line, which the caller then owns; NULL: empty. */
struct entry *queue_take(struct queue *q);

bool queue_empty(struct queue *q);

/* More than half full: the taker, which is woken when that begins, should see to it. */
bool queue_crowded(struct queue *q);

/* The taker is about to sleep on wake_fd for long. False, and it must not: there is a line. */
bool queue_sleep(struct queue *q);

/* Ends the taker's sleep, from any thread. */
void queue_wake(struct queue *q);

/* The taker is awake: lines need not wake it, wake_fd is not readable any more. */
void queue_woken(struct queue *q);

#endif
