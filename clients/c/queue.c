/* SPDX-License-Identifier: MIT */
/*
 * A line is allocated before and freed after the lock, so that under it stand a few pointers and
 * never a system call: log() cannot be held up by what the sender is doing. Lock-free rings were
 * rejected, since giving up the oldest entry makes the putter a second taker.
 *
 * Values and lifecycle lines queue apart, so that the oldest value is found at once however many
 * lifecycle lines stand before it; a running number puts the two back in order. Waking costs a
 * system call and is therefore asked for only by a taker that sleeps long.
 */
#include "clients/c/queue.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum status queue_init(struct queue *q, size_t max_bytes)
{
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd < 0)
        return E_IO;
    *q = (struct queue){.max_bytes = max_bytes, .wake_fd = wake_fd};
    (void)pthread_mutex_init(&q->lock, NULL);
    list_init(&q->values);
    list_init(&q->events);
    return OK;
}

size_t queue_fini(struct queue *q)
{
    size_t left = 0;
    struct entry *e;
    while ((e = queue_take(q)) != NULL) {
        free(e);
        left++;
    }
    (void)pthread_mutex_destroy(&q->lock);
    (void)close(q->wake_fd);
    return left;
}

static struct entry *entry_at(struct list *link)
{
    return link ? LIST_ENTRY(link, struct entry, link) : NULL;
}

static struct entry *unlink_entry(struct queue *q, struct entry *e)
{
    list_remove(&e->link);
    q->bytes -= e->bytes;
    return e;
}

/* Takes out what has to go for the bound to hold; NULL when it holds, or nothing may go. */
static struct entry *evict(struct queue *q)
{
    if (q->bytes <= q->max_bytes)
        return NULL;
    struct entry *victim = entry_at(list_first(&q->values));
    if (!victim && !list_empty(&q->events))
        victim = entry_at(q->events.prev);
    return victim && !entry_ends_run(victim) ? unlink_entry(q, victim) : NULL;
}

static bool crowded_locked(const struct queue *q)
{
    return q->bytes > q->max_bytes / 2;
}

size_t queue_put(struct queue *q, struct entry *e)
{
    if (!e)
        return 1;
    struct list evicted;
    list_init(&evicted);
    struct entry *victim;
    (void)pthread_mutex_lock(&q->lock);
    e->order = q->next_order++;
    q->bytes += e->bytes;
    list_add_tail(e->type == LINE_PROGRESS ? &q->values : &q->events, &e->link);
    while ((victim = evict(q)) != NULL)
        list_add_tail(&evicted, &victim->link);
    bool crowded = crowded_locked(q);
    bool waits = q->asleep || (crowded && !q->nudged);
    q->asleep = false;
    q->nudged = crowded;
    (void)pthread_mutex_unlock(&q->lock);

    if (waits)
        queue_wake(q);
    size_t given_up = 0;
    LIST_EACH_SAFE (at, &evicted) {
        free(entry_at(at));
        given_up++;
    }
    return given_up;
}

struct entry *queue_take(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    struct entry *value = entry_at(list_first(&q->values));
    struct entry *event = entry_at(list_first(&q->events));
    struct entry *oldest = value && event && event->order > value->order ? value : event;
    if (!oldest)
        oldest = value;
    if (oldest)
        unlink_entry(q, oldest);
    (void)pthread_mutex_unlock(&q->lock);
    return oldest;
}

static bool empty_locked(const struct queue *q)
{
    return list_empty(&q->values) && list_empty(&q->events);
}

bool queue_empty(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    bool empty = empty_locked(q);
    (void)pthread_mutex_unlock(&q->lock);
    return empty;
}

bool queue_crowded(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    bool crowded = crowded_locked(q);
    (void)pthread_mutex_unlock(&q->lock);
    return crowded;
}

bool queue_sleep(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    bool asleep = empty_locked(q);
    q->asleep = asleep;
    (void)pthread_mutex_unlock(&q->lock);
    return asleep;
}

void queue_wake(struct queue *q)
{
    ssize_t written = write(q->wake_fd, &(const uint64_t){1}, sizeof(uint64_t));
    (void)written; /* a full counter wakes just as well */
}

void queue_woken(struct queue *q)
{
    uint64_t count;
    ssize_t got = read(q->wake_fd, &count, sizeof(count));
    (void)got; /* nothing to read: the time was up */
    (void)pthread_mutex_lock(&q->lock);
    q->asleep = false;
    (void)pthread_mutex_unlock(&q->lock);
}
