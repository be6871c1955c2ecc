/* SPDX-License-Identifier: MIT */
#include "tests/flow/invariants.h"

#include "streamd/transport/engine.h"
#include "tests/flow/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t length_of(const struct list *head)
{
    size_t n = 0;
    LIST_EACH (at, head)
        n++;
    return n;
}

/* Nothing waits for it but in its room, and its connection takes what it is given. */
static void holds_quiet(const struct member *at, const struct membership *m)
{
    struct subscriber *s = at->subscriber;
    const struct peer *p = peer_of(s);
    assert_true(s->quiet && s->quiet_in == at->slot && list_empty(&s->dirty));
    assert_false(m->waiting || m->replaying || subscriber_waiting(s) || s->trail);
    assert_true(p->state == PEER_OPEN && p->link && !p->link->ops->choked(p->link));
    assert_int_equal(p->link->ops->socket(p->link), at->socket);
    assert_int_equal(s->form, at->form);
}

/* Answers how many are in it. */
static size_t holds_room(const struct room *room)
{
    assert_true(room->count <= room->cap);
    assert_true(room->count > 0 || room->session);
    uint32_t quiet = 0;
    for (size_t form = 0; form < FORMS; form++)
        quiet += room->voices[form].quiet;
    assert_int_equal(quiet, room->quiet);
    for (uint32_t i = 0; i < room->count; i++) {
        const struct member *at = &room->members[i];
        assert_true(at->slot < at->subscriber->count);
        const struct membership *m = &at->subscriber->memberships[at->slot];
        assert_ptr_equal(m->room, room);
        assert_int_equal(m->place, i);
        if (i < room->quiet)
            holds_quiet(at, m);
    }
    return room->count;
}

static size_t holds_rooms(const struct hub *hub)
{
    size_t members = 0;
    size_t at = 0;
    struct span name;
    void *room;
    while (strmap_next(&hub->rooms, &at, &name, &room)) {
        assert_true(span_eq(name, room_name(room)));
        members += holds_room(room);
    }
    assert_int_equal(strmap_count(&hub->rooms), hub->stats->rooms);
    return members;
}

static void holds_outbox(const struct subscriber *s)
{
    const struct outbox *o = &s->outbox;
    size_t bytes = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct outbox_entry *e = &o->entries[(o->head + i) & (o->cap - 1)];
        assert_true(e->bytes->refs > 0);
        bytes += e->bytes->len;
    }
    assert_int_equal(o->bytes, bytes);
    assert_true(o->count <= o->cap);
    assert_true(o->count + s->held <= s->hub->max_outbox_messages);
    assert_true(o->count <= 1 || bytes + s->held_bytes <= s->hub->max_outbox_bytes);
}

static void holds_subscriber(const struct subscriber *s)
{
    bool replays = false;
    assert_true(s->count <= s->cap);
    for (uint16_t i = 0; i < s->count; i++) {
        const struct membership *m = &s->memberships[i];
        assert_ptr_equal(m->room->members[m->place].subscriber, s);
        assert_int_equal(m->room->members[m->place].slot, i);
        for (uint16_t k = 0; k < i; k++)
            assert_ptr_not_equal(m->room, s->memberships[k].room);
        assert_true(!m->replaying || m->room->session);
        assert_true(m->replaying || !m->held);
        replays |= m->replaying;
    }
    assert_true(replays || (s->held == 0 && s->held_bytes == 0));
    assert_false(s->overflowed);
    holds_outbox(s);
}

/* What waits is waited for: the link is choked and will call back, or there is no way at all. */
static void holds_flow(const struct peer *p)
{
    if (!p->link || !subscriber_waiting(&p->subscriber))
        return;
    assert_true(p->link->ops->choked(p->link));
}

/* Is this the link of a connection that stands, and does it name this peer? */
static bool serves(const struct world *w, const struct link *l, const struct peer *p)
{
    for (size_t i = 0; i < w->client_count; i++) {
        const struct client *c = w->clients[i];
        const struct conn *conns[] = {c->stream, c->poll, c->post, c->probe};
        for (size_t k = 0; k < sizeof(conns) / sizeof(conns[0]); k++) {
            if (conns[k] && conns[k]->link == l)
                return l->peer == p;
        }
    }
    return false;
}

static void holds_engine(const struct world *w, const struct engine *e, const struct peer *p)
{
    assert_ptr_equal(e->peer, p);
    assert_ptr_equal(strmap_find(&p->peers->engines, span_of(e->sid)), e);
    assert_true((e->transport == ENGINE_PROBING) == (e->probe != NULL));
    assert_true(!e->probe || serves(w, e->probe, p));
    assert_true(!e->post || serves(w, e->post, p));
}

static void holds_peer(const struct world *w, const struct peer *p, size_t *memberships,
                       size_t *engines)
{
    assert_true(p->state == PEER_OPEN || p->state == PEER_CLOSING);
    assert_true(!p->link || serves(w, p->link, p));
    if (p->state == PEER_CLOSING) {
        assert_non_null(p->link);
        assert_int_equal(p->subscriber.count, 0);
        assert_null(p->subscriber.outbox.entries);
        assert_true(list_empty(&p->subscriber.dirty));
        assert_true(wait_pending(&p->deadline) && !wait_pending(&p->heartbeat));
        return;
    }
    assert_true(wait_pending(&p->heartbeat));
    holds_subscriber(&p->subscriber);
    holds_flow(p);
    *memberships += p->subscriber.count;
    if (p->engine) {
        holds_engine(w, p->engine, p);
        ++*engines;
    }
}

static size_t holds_peers(const struct world *w)
{
    const struct peers *peers = &w->app->peers;
    size_t memberships = 0;
    size_t engines = 0;
    LIST_EACH (at, &peers->all)
        holds_peer(w, LIST_ENTRY(at, struct peer, all), &memberships, &engines);
    assert_true(list_empty(&peers->doomed));
    assert_int_equal(peers->stats->peers, length_of(&peers->all));
    assert_int_equal(strmap_count(&peers->engines), engines);
    const struct waitlist *lists[] = {&peers->ping,   &peers->pong,          &peers->connect,
                                      &peers->linger, &peers->linger_silent, &peers->upgrade};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_true(peers->timer.due_us <= waitlist_next_us(lists[i]));
    assert_true(timer_armed(&peers->timer));
    return memberships;
}

static void holds_session(struct registry *r, struct session *s)
{
    assert_ptr_equal(registry_find(r, session_id(s)), s);
    assert_true((s->room != NULL) == (s->state != SESSION_EXPIRED));
    if (s->room)
        assert_ptr_equal(s->room->session, s);
    assert_true(!pace_waiting(&s->pace) || timer_armed(&s->tick));
    assert_true(s->newest_offset <= series_newest(s->series));
}

static void holds_registry(struct registry *r)
{
    size_t live = 0;
    LIST_EACH (at, &r->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        holds_session(r, s);
        live += s->state != SESSION_EXPIRED;
    }
    assert_int_equal(length_of(&r->sessions), strmap_count(&r->by_id));
    assert_int_equal(live, r->stats->sessions_live);
    assert_true(strmap_count(&r->by_id) <= r->config->max_sessions);
    assert_true(list_empty(&r->due));
}

static bool is_listed(const struct peers *peers, const struct peer *p)
{
    LIST_EACH (at, &peers->all) {
        if (LIST_ENTRY(at, struct peer, all) == p)
            return true;
    }
    return false;
}

/* Links name living peers, and a poll that waits has nothing to wait for. */
static void holds_client(const struct client *c, size_t *connections)
{
    const struct conn *conns[] = {c->stream, c->poll, c->post, c->probe};
    for (size_t i = 0; i < sizeof(conns) / sizeof(conns[0]); i++) {
        const struct link *l = conns[i] ? conns[i]->link : NULL;
        *connections += l != NULL;
        assert_true(!l || !l->peer || is_listed(&c->world->app->peers, l->peer));
    }
    if (!c->poll || !c->poll->awaits)
        return;
    assert_non_null(c->poll->link->peer);
    assert_false(subscriber_waiting(&c->poll->link->peer->subscriber));
}

void world_holds(struct world *w)
{
    struct app *app = w->app;
    size_t connections = 0;
    size_t memberships = holds_peers(w);
    assert_int_equal(holds_rooms(&app->hub), memberships);
    holds_registry(&app->registry);
    for (size_t i = 0; i < w->client_count; i++)
        holds_client(w->clients[i], &connections);
    assert_int_equal(app->stats.connections, connections);
}
