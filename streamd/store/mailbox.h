/* SPDX-License-Identifier: MIT */
/*
 * mailbox: letters from one thread to another, in order. The only thing two threads share.
 *
 * Whoever posts a letter gives it away and touches it no more; whoever takes it owns it. The taker
 * either sleeps in mailbox_wait, or is woken by `wake`, which is called (on the poster's thread)
 * when a letter comes into an empty box.
 */
#ifndef STREAMD_STORE_MAILBOX_H
#define STREAMD_STORE_MAILBOX_H

#include "base/list.h"

#include <pthread.h>
#include <stdint.h>

enum letter_kind {
    LETTER_BATCH,  /* a struct batch, there to be committed and back when it is */
    LETTER_TICKET, /* a struct reading_ticket, there for a piece and back with it */
    LETTER_NEWS,   /* how the store is: keeper.c */
    LETTER_STOP,   /* to the keeper: come to an end */
};

/* Embedded first in what is sent. */
struct letter {
    struct list link;
    enum letter_kind kind;
};

struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct list letters;         /* of letter.link */
    void (*wake)(void *context); /* may be NULL */
    void *wake_context;          /* borrows */
};

void mailbox_init(struct mailbox *m, void (*wake)(void *context), void *wake_context);

/* Letters still in it are the caller's to have taken. */
void mailbox_fini(struct mailbox *m);

void mailbox_post(struct mailbox *m, struct letter *letter);

/* Moves all letters to `out`, which needs no initialisation. */
void mailbox_take(struct mailbox *m, struct list *out);

/* Sleeps until there is a letter, at most this long; UINT64_MAX: for ever. */
void mailbox_wait(struct mailbox *m, uint64_t at_most_us);

#endif
