/* SPDX-License-Identifier: MIT */
/*
 * The keeper's mailbox is what the two threads share (kinds of letters are the keeper's; what is
 * not our `stop` is a parcel). The first of the queue holds up the others, so that messages come in
 * their order; each receiver has a poster of its own, so that a dead one holds up nobody else.
 */
#include "streamd/notify/poster.h"

#include "streamd/log.h"
#include "streamd/notify/http_post.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct poster {
    const char *name;
    long timeout_ms;
    pthread_t thread;
    struct mailbox mailbox;
    struct letter stop;
    struct poster_counts counts;
    atomic_size_t waiting;
    atomic_bool abort;
    atomic_uint_fast64_t end_us; /* of the grace; UINT64_MAX: none yet */

    /* The thread's. */
    struct list queue; /* of parcel.letter.link, owned */
    struct http_post *http;
    bool stopping;
};

static uint64_t monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct parcel *parcel_at(struct list *link)
{
    return LIST_ENTRY(LIST_ENTRY(link, struct letter, link), struct parcel, letter);
}

static void leave(struct poster *p, struct parcel *parcel, atomic_uint_fast64_t *counter)
{
    atomic_fetch_add(counter, 1);
    atomic_fetch_sub(&p->waiting, 1);
    list_remove(&parcel->letter.link);
    parcel_destroy(parcel);
}

static void give_up(struct poster *p, struct parcel *parcel, const struct http_answer *answer,
                    const char *why)
{
    log_warn("notify", "not delivered to=%s id=%s status=%ld attempts=%u reason=\"%s%s%s\"",
             p->name, parcel->id, answer->status, parcel->attempts, why, answer->error ? ": " : "",
             answer->error ? answer->error : "");
    leave(p, parcel, &p->counts.failed);
}

static void try_again_later(struct poster *p, struct parcel *parcel,
                            const struct http_answer *answer)
{
    if (p->stopping || parcel->attempts >= PARCEL_ATTEMPTS) {
        give_up(p, parcel, answer, p->stopping ? "the daemon ends" : "tried often enough");
        return;
    }
    parcel->due_us = monotonic_us() + parcel_wait_us(parcel->attempts - 1, answer->retry_s);
    if (parcel->attempts == 1)
        log_warn("notify", "cannot deliver to=%s id=%s status=%ld reason=\"%s\" retrying", p->name,
                 parcel->id, answer->status, answer->error ? answer->error : "refused for now");
}

static void deliver(struct poster *p, struct parcel *parcel)
{
    const char *why = NULL;
    if (!p->http)
        p->http = http_post_create(&why);
    if (!p->http) {
        give_up(p, parcel, &(struct http_answer){.status = 0}, why);
        return;
    }
    atomic_fetch_add(&p->counts.retried, parcel->attempts > 0);
    parcel->attempts++;
    struct http_answer answer = http_post_send(p->http, parcel, p->timeout_ms, &p->abort);
    switch (parcel_judge(answer.status, answer.sent)) {
    case PARCEL_TAKEN:
        leave(p, parcel, &p->counts.taken);
        break;
    case PARCEL_AGAIN:
        try_again_later(p, parcel, &answer);
        break;
    case PARCEL_REFUSED:
        give_up(p, parcel, &answer, "the receiver refuses it");
        break;
    case PARCEL_UNKNOWN:
        give_up(p, parcel, &answer, "no answer, and it may have been taken");
        break;
    }
}

static void receive(struct poster *p)
{
    struct list letters;
    mailbox_take(&p->mailbox, &letters);
    while (!list_empty(&letters)) {
        struct letter *letter = LIST_ENTRY(letters.next, struct letter, link);
        list_remove(&letter->link);
        if (letter == &p->stop)
            p->stopping = true;
        else
            list_add_tail(&p->queue, &letter->link);
    }
}

/* Until the first one is due; at the end there is no waiting. */
static uint64_t pause_us(struct poster *p)
{
    if (list_empty(&p->queue))
        return UINT64_MAX;
    uint64_t now_us = monotonic_us();
    uint64_t due_us = parcel_at(p->queue.next)->due_us;
    return p->stopping || due_us <= now_us ? 0 : due_us - now_us;
}

static void *poster_main(void *poster)
{
    struct poster *p = poster;
    for (;;) {
        uint64_t pause = pause_us(p);
        if (p->stopping && (pause == UINT64_MAX || monotonic_us() >= atomic_load(&p->end_us)))
            break;
        if (pause > 0)
            mailbox_wait(&p->mailbox, pause);
        receive(p);
        if (pause_us(p) == 0)
            deliver(p, parcel_at(p->queue.next));
    }
    while (!list_empty(&p->queue))
        leave(p, parcel_at(p->queue.next), &p->counts.dropped);
    http_post_destroy(p->http);
    return NULL;
}

/* Signals are the loop's. */
static bool start(struct poster *p)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&p->thread, NULL, poster_main, p) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct poster *poster_create(const char *name, long timeout_ms)
{
    struct poster *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->name = name;
    p->timeout_ms = timeout_ms;
    atomic_init(&p->end_us, UINT64_MAX);
    list_init(&p->queue);
    mailbox_init(&p->mailbox, NULL, NULL);
    if (start(p))
        return p;
    mailbox_fini(&p->mailbox);
    free(p);
    return NULL;
}

void poster_post(struct poster *p, struct parcel *parcel)
{
    if (atomic_load(&p->waiting) >= POSTER_WAITING) {
        log_warn("notify", "dropped to=%s id=%s reason=\"%d are waiting\"", p->name, parcel->id,
                 POSTER_WAITING);
        atomic_fetch_add(&p->counts.dropped, 1);
        parcel_destroy(parcel);
        return;
    }
    atomic_fetch_add(&p->waiting, 1);
    mailbox_post(&p->mailbox, &parcel->letter);
}

void poster_miss(struct poster *p, const char *id, const char *why)
{
    atomic_fetch_add(&p->counts.dropped, 1);
    log_warn("notify", "not delivered to=%s id=%s reason=\"%s\"", p->name, id, why);
}

const struct poster_counts *poster_counts(const struct poster *p)
{
    return &p->counts;
}

static void wait_for_thread(struct poster *p, unsigned grace_ms)
{
    struct timespec by;
    (void)clock_gettime(CLOCK_REALTIME, &by);
    by.tv_sec += grace_ms / 1000;
    by.tv_nsec += (long)(grace_ms % 1000) * 1000000;
    by.tv_sec += by.tv_nsec / 1000000000;
    by.tv_nsec %= 1000000000;
    if (pthread_timedjoin_np(p->thread, NULL, &by) == 0)
        return;
    atomic_store(&p->abort, true);
    (void)pthread_join(p->thread, NULL);
}

void poster_destroy(struct poster *p, unsigned grace_ms)
{
    if (!p)
        return;
    atomic_store(&p->end_us, monotonic_us() + grace_ms * UINT64_C(1000));
    mailbox_post(&p->mailbox, &p->stop);
    wait_for_thread(p, grace_ms);
    mailbox_fini(&p->mailbox);
    free(p);
}
