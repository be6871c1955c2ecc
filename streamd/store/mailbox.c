/* SPDX-License-Identifier: MIT */
/*
 * A mutex and a list: letters are rare (a batch each 50 ms, a piece each 128 KiB), so nothing here
 * is worth being clever. The clock of the wait is the monotonic one.
 */
#include "streamd/store/mailbox.h"

#include <assert.h>
#include <time.h>

void mailbox_init(struct mailbox *m, void (*wake)(void *context), void *wake_context)
{
    pthread_condattr_t attributes;
    *m = (struct mailbox){.wake = wake, .wake_context = wake_context};
    list_init(&m->letters);
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&m->came, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void mailbox_fini(struct mailbox *m)
{
    assert(list_empty(&m->letters));
    (void)pthread_cond_destroy(&m->came);
    (void)pthread_mutex_destroy(&m->lock);
}

void mailbox_post(struct mailbox *m, struct letter *letter)
{
    list_init(&letter->link);
    (void)pthread_mutex_lock(&m->lock);
    bool first = list_empty(&m->letters);
    list_add_tail(&m->letters, &letter->link);
    if (first)
        (void)pthread_cond_signal(&m->came);
    (void)pthread_mutex_unlock(&m->lock);
    if (first && m->wake)
        m->wake(m->wake_context);
}

void mailbox_take(struct mailbox *m, struct list *out)
{
    (void)pthread_mutex_lock(&m->lock);
    list_move(out, &m->letters);
    (void)pthread_mutex_unlock(&m->lock);
}

void mailbox_wait(struct mailbox *m, uint64_t at_most_us)
{
    struct timespec until = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    if (at_most_us != UINT64_MAX) {
        uint64_t nanoseconds = (uint64_t)until.tv_nsec + at_most_us % 1000000 * 1000;
        until.tv_sec += (time_t)(at_most_us / 1000000 + nanoseconds / 1000000000);
        until.tv_nsec = (long)(nanoseconds % 1000000000);
    }
    (void)pthread_mutex_lock(&m->lock);
    int timed_out = 0;
    while (list_empty(&m->letters) && !timed_out)
        timed_out = at_most_us == UINT64_MAX ? pthread_cond_wait(&m->came, &m->lock)
                                             : pthread_cond_timedwait(&m->came, &m->lock, &until);
    (void)pthread_mutex_unlock(&m->lock);
}
