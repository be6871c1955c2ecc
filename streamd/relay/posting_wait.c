/* SPDX-License-Identifier: MIT */
/* A connection that waits has a copy of what it said, which is bounded as every body is. */
#include "streamd/http/later.h"
#include "streamd/relay/posting.h"
#include "streamd/relay/relay.h"

#include <stdlib.h>
#include <string.h>

struct posting {
    struct later later;
    struct list link;    /* in relay.postings */
    struct relay *relay; /* borrows */
    struct posting_ask ask;
    char *text; /* owns; what `ask` borrows from */
    struct timer deadline;
    bool late;
    uint64_t begun; /* the number of its first line; 0: it has not begun */
    struct reply reply;
};

static void on_late(struct timer *timer, uint64_t now_us)
{
    (void)now_us;
    LIST_ENTRY(timer, struct posting, deadline)->late = true; /* the turn answers */
}

static void on_begin(struct later *l)
{
    struct posting *p = LIST_ENTRY(l, struct posting, later);
    const struct relay_params *params = &p->relay->params;
    p->late = timers_arm(params->timers, &p->deadline, params->now->us + POSTING_PATIENCE_US) != OK;
    list_add_tail(&p->relay->postings, &p->link);
}

static void on_gone(struct later *l)
{
    struct posting *p = LIST_ENTRY(l, struct posting, later);
    timers_disarm(p->relay->params.timers, &p->deadline);
    list_remove(&p->link);
    reply_fini(&p->reply);
    free(p->text);
    free(p);
}

static const struct later_ops ops_posting = {.begin = on_begin, .gone = on_gone};

static struct span copy(char **at, struct span text)
{
    struct span made = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return made;
}

static struct posting *create(struct relay *r, const struct posting_ask *ask)
{
    struct posting *p = calloc(1, sizeof(*p));
    char *text =
        malloc(ask->id.len + ask->object.len + ask->type.len + ask->path.len + ask->query.len + 1);
    if (!p || !text) {
        free(p);
        free(text);
        return NULL;
    }
    p->relay = r;
    p->text = text;
    p->ask = (struct posting_ask){.kind = ask->kind,
                                  .id = copy(&text, ask->id),
                                  .object = copy(&text, ask->object),
                                  .type = copy(&text, ask->type),
                                  .path = copy(&text, ask->path),
                                  .query = copy(&text, ask->query)};
    list_init(&p->link);
    timer_init(&p->deadline, on_late);
    reply_init(&p->reply, REPLY_BODY_MAX);
    return p;
}

void posting_take(struct relay *r, const struct posting_ask *ask, struct reply *reply)
{
    uint64_t begun = 0;
    if (posting_step(r, ask, false, &begun, reply))
        return;
    struct posting *p = create(r, ask);
    if (!p) {
        reply_error(reply, 503, "Out of memory");
        return;
    }
    p->begun = begun;
    later_leave(&p->later, &ops_posting, reply);
}

void postings_turn(struct relay *r)
{
    LIST_EACH_SAFE (at, &r->postings) {
        struct posting *p = LIST_ENTRY(at, struct posting, link);
        if (posting_step(r, &p->ask, p->late, &p->begun, &p->reply))
            later_answer(&p->later, &p->reply);
    }
}
