/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/kept_answer.h"

#include "streamd/http/later.h"

#include <stdlib.h>

/* An answer that is written and waits for the disk. */
struct kept_answer {
    struct later later;
    struct keeping_wait wait;
    struct keeping *keeping; /* borrows */
    struct reply reply;
};

static void on_kept(struct keeping_wait *wait, bool kept)
{
    struct kept_answer *w = LIST_ENTRY(wait, struct kept_answer, wait);
    if (!kept)
        reply_error(&w->reply, 503, "Taken, but not on disk yet: send the same lines again");
    later_answer(&w->later, &w->reply);
}

static void begin(struct later *l)
{
    struct kept_answer *w = LIST_ENTRY(l, struct kept_answer, later);
    w->keeping->urgent = true;
    keeping_await(w->keeping, &w->wait);
}

static void gone(struct later *l)
{
    struct kept_answer *w = LIST_ENTRY(l, struct kept_answer, later);
    keeping_cancel(&w->wait);
    reply_fini(&w->reply);
    free(w);
}

static const struct later_ops ops_kept = {.begin = begin, .gone = gone};

void answer_when_kept(struct keeping *keeping, struct reply *reply)
{
    if (!keeping->keeper)
        return;
    struct kept_answer *w = calloc(1, sizeof(*w));
    if (!w) {
        reply_error(reply, 503, "Out of memory");
        return;
    }
    *w = (struct kept_answer){.wait = {.done = on_kept}, .keeping = keeping, .reply = *reply};
    reply_init(reply, REPLY_BODY_MAX);
    later_leave(&w->later, &ops_kept, reply);
}
