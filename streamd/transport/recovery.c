/* SPDX-License-Identifier: MIT */
/*
 * Its life: made by the CONNECT that asks for it, on the engine; kept without one after that
 * closed; taken up by another engine, or forgotten when its time is over. What a kept one may go on
 * from is decided in recovery_check.c.
 */
#include "streamd/transport/recovery.h"

#include "proto/json_scan.h"
#include "streamd/session/session.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/random_id.h"
#include "streamd/transport/recovery_parts.h"
#include "streamd/transport/socketio.h"
#include "streamd/transport/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { AUTH_MAX = 1024 }; /* bytes of auth that a pid can be bound to */

/* What a CONNECT's auth says. */
struct asked {
    bool recover;
    struct span pid;    /* empty: it was not here before */
    struct span serial; /* of the last message that came; empty: none did */
    struct buf bound;   /* owns; the other members as they stand */
};

static void on_kept_due(struct wait *w, uint64_t now_us);

void recoveries_init(struct recoveries *all, uint64_t keep_us, uint64_t seed)
{
    *all = (struct recoveries){.count = 0};
    strmap_init(&all->by_pid, seed);
    waitlist_init(&all->kept, keep_us, on_kept_due);
}

static struct span pid_of(const struct recovery *r)
{
    return (struct span){r->pid, PID_LEN};
}

static void drop_rooms(struct recovery *r)
{
    free(r->rooms);
    free(r->streams);
    r->rooms = NULL;
    r->streams = NULL;
    r->count = 0;
}

static void end_keeping(struct recovery *r)
{
    if (!wait_pending(&r->wait))
        return;
    wait_cancel(&r->wait);
    r->peers->recoveries.count--;
    r->peers->stats->recoveries_kept--;
}

static void destroy(struct recovery *r)
{
    if (!r)
        return;
    end_keeping(r);
    if (strmap_find(&r->peers->recoveries.by_pid, pid_of(r)) == r)
        (void)strmap_take(&r->peers->recoveries.by_pid, pid_of(r));
    journal_unlisten(&r->peers->registry->journal);
    trail_fini(&r->trail);
    drop_rooms(r);
    free(r->bound);
    free(r);
}

void recoveries_fini(struct recoveries *all)
{
    struct list *first;
    while ((first = list_first(&all->kept.waits)) != NULL)
        destroy(LIST_ENTRY(first, struct recovery, wait.link));
    strmap_fini(&all->by_pid);
}

static void on_kept_due(struct wait *w, uint64_t now_us)
{
    struct recovery *r = LIST_ENTRY(w, struct recovery, wait);
    if (peers_wait_again(&r->peers->recoveries.kept, w, now_us))
        return;
    r->peers->recoveries.count--;
    r->peers->stats->recoveries_kept--;
    destroy(r);
}

static struct span unquoted(struct span raw)
{
    bool string = raw.len >= 2 && raw.ptr[0] == '"';
    return string ? (struct span){raw.ptr + 1, raw.len - 2} : (struct span){NULL, 0};
}

/* Reads the auth object; false when it is too long to bind to. */
static bool read_auth(struct span auth, struct asked *out)
{
    struct json_scan scan;
    struct json_value key;
    struct span raw;
    json_scan_init(&scan, auth, JSON_STRICT);
    if (auth.len == 0)
        return true;
    (void)json_next(&scan, &key); /* its brace: of what is no object the CONNECT was refused */
    while (json_next(&scan, &key) == JSON_KEY && json_skip(&scan, &raw) == OK) {
        if (span_is(key.raw, "pid")) {
            out->pid = unquoted(raw);
        } else if (span_is(key.raw, "offset")) {
            out->serial = unquoted(raw);
        } else {
            out->recover |= span_is(key.raw, "recover") && span_is(raw, "true");
            buf_add_span(&out->bound, key.raw);
            buf_add_char(&out->bound, ':');
            buf_add_span(&out->bound, raw);
            buf_add_char(&out->bound, ',');
        }
    }
    return buf_status(&out->bound) == OK;
}

static struct recovery *create(struct engine *e, const struct asked *asked, const char *sid)
{
    struct peers *peers = e->peer->peers;
    struct recovery *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->peers = peers;
    wait_init(&r->wait);
    journal_listen(&peers->registry->journal);
    trail_init(&r->trail, (uint32_t)peers->config->max_trail);
    random_id(r->pid, PID_LEN);
    memcpy(r->sid, sid, SOCKETIO_ID_LEN + 1);
    r->bound_len = asked->bound.len;
    r->bound = malloc(asked->bound.len + 1);
    if (!r->bound || strmap_put(&peers->recoveries.by_pid, pid_of(r), r) != OK) {
        destroy(r);
        return NULL;
    }
    if (r->bound_len > 0)
        memcpy(r->bound, asked->bound.ptr, r->bound_len);
    subscriber_set_trail(&e->peer->subscriber, &r->trail);
    return r;
}

/* What this pid is kept for, no longer kept. NULL: nothing, another's, or in use. */
static struct recovery *claim(struct peers *peers, const struct asked *asked)
{
    struct recovery *r = strmap_find(&peers->recoveries.by_pid, asked->pid);
    if (!r || !span_eq((struct span){r->bound, r->bound_len}, buf_span(&asked->bound)))
        return NULL;
    if (r->engine && engine_is_adrift(r->engine)) {
        peer_close(r->engine->peer, CLOSE_NORMAL, "came back on another connection");
        r = strmap_find(&peers->recoveries.by_pid, asked->pid);
    }
    if (!r || r->engine)
        return NULL;
    end_keeping(r);
    return r;
}

/* Joins the room again, where it stood. */
static bool rejoin(struct peer *p, const struct kept_room *room, const struct stream *stream)
{
    struct membership *m;
    if (subscriber_join(&p->subscriber, kept_room_name(room), p->peers->config->max_rooms_per_peer,
                        &m) != OK ||
        !m->stream)
        return false;
    *m->stream = *stream;
    uint64_t newest = m->room->session ? series_newest(m->room->session->series) : 0;
    m->replaying = stream->sent < newest;
    m->told = m->replaying ? stream->sent : newest;
    return true;
}

static bool restore(struct engine *e, struct recovery *r, struct span serial)
{
    struct subscriber *s = &e->peer->subscriber;
    if (!recovery_rewind(r, serial))
        return false;
    subscriber_set_trail(s, &r->trail);
    for (size_t i = 0; i < r->count; i++) {
        if (!rejoin(e->peer, &r->rooms[i], &r->streams[i])) {
            subscriber_leave_all(s);
            subscriber_set_trail(s, NULL);
            return false;
        }
    }
    return true;
}

static struct recovery *come_back(struct engine *e, const struct asked *asked, char *sid)
{
    struct peers *peers = e->peer->peers;
    struct recovery *r = claim(peers, asked);
    if (r && restore(e, r, asked->serial)) {
        peers->stats->recoveries++;
        memcpy(sid, r->sid, SOCKETIO_ID_LEN + 1);
        r->resumes = true;
        return r;
    }
    peers->stats->recoveries_refused++;
    destroy(r);
    return NULL;
}

struct span recovery_connect(struct engine *e, struct span auth, char *sid)
{
    struct asked asked = {.recover = e->asks_recovery};
    buf_init(&asked.bound, AUTH_MAX);
    bool offered = read_auth(auth, &asked) && asked.recover && e->peer->state == PEER_OPEN &&
                   e->peer->peers->config->recovery_ms > 0;
    if (offered && asked.pid.len > 0)
        e->recovery = come_back(e, &asked, sid);
    if (offered && !e->recovery)
        e->recovery = create(e, &asked, sid);
    buf_fini(&asked.bound);
    if (!e->recovery)
        return (struct span){NULL, 0};
    e->recovery->engine = e;
    return pid_of(e->recovery);
}

/* What the membership was and is to be told beside updates and events. */
static void answer_again(struct peer *p, struct recovery *r, size_t i)
{
    struct membership *m = subscriber_find(&p->subscriber, kept_room_name(&r->rooms[i]));
    struct stream *s = m->stream;
    struct session *session = m->room->session;
    bool answers = s->unanswered;
    s->went = false;
    if (answers)
        trail_joined(&r->trail, s, s->sent, (enum stream_answer)s->answer);
    if (s->waits && session)
        trail_session_came(&r->trail, s, s->sent);
    else if (!s->waits && !session)
        trail_session_gone(&r->trail, s);
    if (answers && session)
        watch_send_status(p, session, (enum stream_answer)s->answer);
}

static void tell_again(struct peer *p, struct recovery *r, const struct journal_event *e)
{
    const struct kept_room *room = recovery_room_of(r, e);
    struct message message;
    if (!room)
        return;
    struct membership *m = subscriber_find(&p->subscriber, kept_room_name(room));
    message_init(&message, p->peers->encoder, e->name, refbuf_span(e->payload), 0);
    message.after = e->after;
    message.ordinal = e->ordinal;
    subscriber_event(&p->subscriber, (uint32_t)(m - p->subscriber.memberships), &message);
    message_fini(&message);
}

void recovery_resume(struct engine *e)
{
    struct recovery *r = e->recovery;
    if (!r || !r->resumes)
        return;
    r->resumes = false;
    for (size_t i = 0; i < r->count; i++)
        answer_again(e->peer, r, i);
    LIST_EACH (at, &r->peers->registry->journal.events)
        tell_again(e->peer, r, LIST_ENTRY(at, struct journal_event, link));
    subscriber_mark_dirty(&e->peer->subscriber);
    drop_rooms(r);
}

/* Takes down where the subscriber stands in each of its rooms; false when it cannot be kept. */
static bool take_rooms(struct recovery *r, const struct subscriber *s)
{
    size_t count = s->count;
    uint64_t heard = r->peers->registry->journal.last;
    drop_rooms(r);
    r->rooms = calloc(count + 1, sizeof(*r->rooms));
    r->streams = calloc(count + 1, sizeof(*r->streams));
    if (!r->rooms || !r->streams)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct membership *m = &s->memberships[i];
        if (!m->stream || !kept_room_set(&r->rooms[i], room_name(m->room)))
            return false;
        uint64_t held = subscriber_first_held(m);
        r->rooms[i].key = m->room->session ? m->room->session->key : 0;
        r->streams[i] = *m->stream;
        r->streams[i].heard = held ? held - 1 : heard;
    }
    r->count = count;
    memcpy(r->epoch, r->peers->registry->epoch, sizeof(r->epoch));
    return true;
}

void recovery_keep(struct engine *e)
{
    struct recovery *r = e->recovery;
    if (!r)
        return;
    struct peers *peers = e->peer->peers;
    struct recoveries *all = &peers->recoveries;
    e->recovery = NULL;
    e->peer->subscriber.trail = NULL;
    r->engine = NULL;
    if (peers->draining || r->trail.broken || !take_rooms(r, &e->peer->subscriber)) {
        destroy(r);
        return;
    }
    if (all->count >= peers->config->max_recoveries)
        destroy(LIST_ENTRY(list_first(&all->kept.waits), struct recovery, wait.link));
    all->count++;
    peers->stats->recoveries_kept++;
    waitlist_add(&all->kept, &r->wait, peers->now.us);
    peers_arm(peers);
}

void recovery_forget(struct engine *e)
{
    if (!e->recovery)
        return;
    subscriber_set_trail(&e->peer->subscriber, NULL);
    destroy(e->recovery);
    e->recovery = NULL;
}
