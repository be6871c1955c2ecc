/* SPDX-License-Identifier: MIT */
/*
 * The reading is asked for everything up to the moment it begins, the record that rewound included;
 * `since` has what came after that. So nothing is counted twice, and a second rewind only has to
 * begin again. A disk in trouble gives what it has, which is not all that was said: then it is read
 * again once all is there.
 */
#include "streamd/session/recount.h"

#include "streamd/log.h"
#include "streamd/session/ask.h"
#include "streamd/session/registry.h"

#include <stdlib.h>

struct recount {
    struct list link; /* in registry.recounts until it begins */
    struct reading reading;
    struct session *session; /* borrows; it owns this */
    struct summary *since;   /* owns */
    uint64_t batch;          /* that has the newest of what is read */
};

void recount_cancel(struct session *s)
{
    struct recount *c = s->recount;
    if (!c)
        return;
    reading_cancel(&c->reading);
    list_remove(&c->link);
    summary_destroy(c->since);
    free(c);
    s->recount = NULL;
}

static void take_over(struct session *s, struct span bytes)
{
    struct summary *whole = summary_create();
    if (!whole || summary_read(whole, bytes) != OK) {
        summary_destroy(whole);
        return;
    }
    summary_append(whole, s->recount->since);
    summary_destroy(s->summary);
    s->summary = whole;
    s->summary_stale = false;
    s->version++;
    keeping_touch(&s->registry->keeping, s);
}

static void on_piece(struct reading *r, struct refbuf *piece, bool last, enum status status)
{
    const struct recount *c = LIST_ENTRY(r, struct recount, reading);
    struct session *s = c->session;
    if (s->registry->keeping.committed < c->batch) {
        recount_mark(s);
        return;
    }
    if (status == OK && last)
        take_over(s, refbuf_span(piece));
    if (s->summary_stale)
        log_warn("recount", "summary keeps what was superseded id=%s reason=\"%s\"", s->id,
                 status_text(status == OK ? E_NOMEM : status));
    recount_cancel(s);
}

void recount_mark(struct session *s)
{
    recount_cancel(s);
    s->summary_stale = true;
    struct recount *c = calloc(1, sizeof(*c));
    if (!c)
        return;
    list_init(&c->link);
    s->recount = c;
    c->session = s;
    c->reading.on_piece = on_piece;
    c->since = summary_create();
    list_add_tail(&s->registry->recounts, &c->link);
}

/* Has the archive all that the summary is of? */
static bool is_whole(const struct session *s)
{
    return !s->lost && s->oldest <= s->summary_from + 1;
}

static void start(struct recount *c)
{
    struct session *s = c->session;
    struct reading_request request;
    list_remove(&c->link);
    ask_of(s, READING_SUMMARY, &request);
    request.since = s->summary_from;
    if (!is_whole(s) || !c->since || ask_begin(s->registry, &c->reading, &request) != OK)
        recount_cancel(s);
    else
        c->batch = keeping_awaited(&s->registry->keeping);
}

void recounts_start(struct registry *r)
{
    struct list *first;
    while (!r->keeping.troubled && (first = list_first(&r->recounts)) != NULL)
        start(LIST_ENTRY(first, struct recount, link));
}

void recount_add(struct session *s, const struct record *r)
{
    if (s->recount && s->recount->since && list_empty(&s->recount->link))
        summary_add(s->recount->since, r);
}
