/* SPDX-License-Identifier: MIT */
/*
 * Two semaphores are all: `go` of each thread, and `done`. What is handed over lies still between
 * them. A loop that went on to something else meanwhile would have to keep from every member of the
 * batch until its report; it would gain what it does beside sending, which is a tenth.
 */
#include "streamd/transport/senders.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

/* Waking a thread costs as much as some ten sends. */
enum { SHARE_LEAST = 128 };

struct sender {
    struct senders *senders; /* borrows */
    pthread_t thread;
    sem_t go;
    struct send_ring ring;
    struct send_share share;
};

struct senders {
    unsigned count;           /* of threads that run */
    struct sending *sendings; /* borrows; NULL: end */
    unsigned sending_count;
    int error; /* of the thread that starts */
    sem_t done;
    struct sender threads[SENDERS_MOST];
};

/* Signals of the thread's own do not come: they are all blocked. */
static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

static void *sender_main(void *arg)
{
    struct sender *t = arg;
    struct senders *s = t->senders;
    s->error = send_ring_init(&t->ring);
    bool good = s->error == 0;
    sem_post(&s->done);
    while (good) {
        await(&t->go);
        if (!s->sendings)
            break;
        send_ring_run(&t->ring, s->sendings, s->sending_count, t->share);
        sem_post(&s->done);
    }
    if (good)
        send_ring_fini(&t->ring);
    return NULL;
}

/* Signals are the loop's. */
static int start(struct senders *s, struct sender *t)
{
    sigset_t all;
    sigset_t before;
    *t = (struct sender){.senders = s};
    (void)sem_init(&t->go, 0, 0);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&t->thread, NULL, sender_main, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        await(&s->done);
        error = s->error;
        if (error)
            (void)pthread_join(t->thread, NULL);
    }
    if (error)
        (void)sem_destroy(&t->go);
    return error;
}

struct senders *senders_create(unsigned count, int *out_errno)
{
    struct senders *s = calloc(1, sizeof(*s));
    if (!s) {
        *out_errno = ENOMEM;
        return NULL;
    }
    (void)sem_init(&s->done, 0, 0);
    while (s->count < count && s->count < SENDERS_MOST) {
        int error = start(s, &s->threads[s->count]);
        if (error) {
            *out_errno = error;
            senders_destroy(s);
            return NULL;
        }
        s->count++;
    }
    return s;
}

void senders_destroy(struct senders *s)
{
    if (!s)
        return;
    s->sendings = NULL;
    for (unsigned i = 0; i < s->count; i++) {
        sem_post(&s->threads[i].go);
        (void)pthread_join(s->threads[i].thread, NULL);
        (void)sem_destroy(&s->threads[i].go);
    }
    (void)sem_destroy(&s->done);
    free(s);
}

void senders_run(struct senders *s, struct send_ring *own, struct sending *sendings, unsigned count)
{
    unsigned worth = count / SHARE_LEAST;
    unsigned shares = worth > s->count ? s->count + 1 : worth > 0 ? worth : 1;
    s->sendings = sendings;
    s->sending_count = count;
    for (unsigned i = 1; i < shares; i++) {
        s->threads[i - 1].share = (struct send_share){.number = i, .of = shares};
        sem_post(&s->threads[i - 1].go);
    }
    send_ring_run(own, sendings, count, (struct send_share){.number = 0, .of = shares});
    for (unsigned i = 1; i < shares; i++)
        await(&s->done);
    for (unsigned i = 1; i < shares; i++) {
        own->calls += s->threads[i - 1].ring.calls;
        s->threads[i - 1].ring.calls = 0;
    }
}
