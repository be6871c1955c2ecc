/* SPDX-License-Identifier: MIT */
/*
 * A replay from the archive holds one piece, and there are at most READINGS of them: who comes back
 * with ten thousand others waits for his turn. Nobody holds a place for him whose turn it is: he
 * may be choked, or have changed his mind; should others be faster, he waits again. While a piece
 * is on its way the membership is `fetching`, so that nobody asks its connection whether it is
 * writable; the piece makes it dirty.
 *
 * Who has a piece and does not read it gives it up when somebody waits for a turn: he is where he
 * was, and asks again once he reads. So no number of silent watchers keeps others from theirs.
 *
 * An entry that finds no room in the outbox is looked at again next time. When the archive has come
 * to its end, what is newer is in the series; if it cannot be read at all, the series has to do.
 */
#include "streamd/transport/replay.h"

#include "streamd/session/ask.h"
#include "streamd/transport/peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REPLAY_BATCH = 32, READINGS = 64 };

/* What one membership reads from the archive. */
struct replay {
    struct list link; /* in peers.reading */
    struct reading reading;
    struct peer *peer;    /* borrows */
    struct refbuf *piece; /* owns a reference; NULL while one is on its way */
    size_t at;            /* bytes of it that are queued */
    uint64_t from;        /* what the membership had been told when it began */
    bool last;
};

/* It may begin to read, if it still wants to. */
static void call(struct peer *p)
{
    list_remove(&p->turn);
    for (uint16_t i = 0; i < p->subscriber.count; i++) {
        struct membership *m = &p->subscriber.memberships[i];
        m->fetching = m->fetching && m->replay;
    }
    subscriber_mark_dirty(&p->subscriber);
}

void replay_destroy(struct replay *r)
{
    if (!r)
        return;
    list_remove(&r->link);
    reading_cancel(&r->reading);
    refbuf_unref(r->piece);
    r->peer->peers->replays--;
    free(r);
}

static struct membership *membership_of(const struct replay *r)
{
    const struct subscriber *s = &r->peer->subscriber;
    uint16_t i = 0;
    while (s->memberships[i].replay != r) {
        i++;
        assert(i < s->count);
    }
    return &s->memberships[i];
}

/* Has it a piece that its watcher does not take? A poll that is not there takes nothing either. */
static bool is_stuck(const struct replay *r)
{
    const struct link *l = r->peer->link;
    return r->piece && (!l || l->ops->choked(l));
}

/* One of those who do not read loses its piece; false when all read. */
static bool take_back(struct peers *peers)
{
    LIST_EACH (at, &peers->reading) {
        struct replay *r = LIST_ENTRY(at, struct replay, link);
        if (!is_stuck(r))
            continue;
        membership_of(r)->replay = NULL;
        replay_destroy(r);
        return true;
    }
    return false;
}

void replay_next_turns(struct peers *peers)
{
    struct list *first;
    for (unsigned n = peers->replays; (first = list_first(&peers->replay_turns)) != NULL; n++) {
        if (n >= READINGS && !take_back(peers))
            return;
        call(LIST_ENTRY(first, struct peer, turn));
    }
}

static void on_piece(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    struct replay *r = LIST_ENTRY(reading, struct replay, reading);
    r->last = last || status != OK;
    r->piece = piece ? refbuf_ref(piece) : NULL;
    r->at = 0;
    membership_of(r)->fetching = false;
    subscriber_mark_dirty(&r->peer->subscriber);
}

static void wait_for_turn(struct peer *p, struct membership *m)
{
    m->fetching = true;
    if (list_empty(&p->turn))
        list_add_tail(&p->peers->replay_turns, &p->turn);
}

/* Begins to read from the archive; false when there is none, or no memory. */
static bool fetch(struct peer *p, struct membership *m)
{
    struct peers *peers = p->peers;
    const struct session *s = m->room->session;
    struct replay *r = calloc(1, sizeof(*r));
    struct reading_request *request = calloc(1, sizeof(*request));
    if (r && request) {
        ask_of(s, READING_UPDATES, request);
        request->since = m->told;
        request->branches = true;
        r->peer = p;
        r->from = m->told;
        r->reading.on_piece = on_piece;
    }
    if (!r || !request || ask_begin(peers->registry, &r->reading, request) != OK) {
        free(request);
        free(r); /* it is in no list yet */
        return false;
    }
    free(request);
    list_add_tail(&peers->reading, &r->link);
    peers->replays++;
    m->replay = r;
    m->fetching = true;
    return true;
}

/* Queues one update, after the events that belong before it. */
static bool offer(struct peer *p, struct membership *m, struct span payload, uint64_t offset)
{
    subscriber_release(&p->subscriber, m, offset);
    if (!peer_offer_update(p, m, payload, offset))
        return false;
    m->told = offset;
    return true;
}

/* Queues what the piece at hand holds, as far as there is room. True: there is no more of it. */
static bool use_piece(struct peer *p, struct membership *m)
{
    struct replay *r = m->replay;
    while (r->piece && r->at < r->piece->len) {
        struct reading_update update;
        memcpy(&update, r->piece->bytes + r->at, sizeof(update));
        struct span payload = {r->piece->bytes + r->at + sizeof(update), update.bytes};
        if (update.offset > m->told && !offer(p, m, payload, update.offset))
            return false;
        r->at += sizeof(update) + update.bytes;
    }
    refbuf_unref(r->piece);
    r->piece = NULL;
    return true;
}

/* The archive has given what it had when it was asked. False: which was nothing. */
static bool end_reading(struct peer *p, struct membership *m)
{
    bool gave = m->told > m->replay->from;
    replay_destroy(m->replay);
    m->replay = NULL;
    if (gave)
        subscriber_mark_dirty(&p->subscriber); /* and looks anew where the rest stands */
    return gave;
}

/* False: the archive has nothing to give. */
static bool replay_archive(struct peer *p, struct membership *m)
{
    if (m->fetching)
        return true;
    if (!m->replay && p->peers->replays >= READINGS && !take_back(p->peers)) {
        wait_for_turn(p, m);
        return true;
    }
    if (!m->replay)
        return fetch(p, m);
    if (!use_piece(p, m))
        return true;
    if (m->replay->last)
        return end_reading(p, m);
    m->fetching = true;
    reading_more(&m->replay->reading);
    return true;
}

static bool replay_entry(struct peer *p, struct membership *m, const struct series_entry *entry)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    session_write_replay(m->room->session, entry, text);
    return offer(p, m, buf_span(text), entry->offset);
}

/* Queues at most a batch of entries of the series; live again when none is left. */
static void replay_series(struct peer *p, struct membership *m)
{
    const struct series *series = m->room->session->series;
    struct series_cursor cursor;
    struct series_entry entry;
    unsigned batch = REPLAY_BATCH;
    series_cursor_init(&cursor, series, m->told + 1);
    bool more = true;
    while (batch > 0 && (more = series_next(&cursor, &entry)) && replay_entry(p, m, &entry))
        batch--;
    series_cursor_fini(&cursor);
    if (!more || m->told >= series_newest(series))
        subscriber_end_replay(&p->subscriber, m);
}

static bool series_has_next(const struct membership *m)
{
    const struct series *series = m->room->session->series;
    return series_count(series) > 0 && series_oldest(series) <= m->told + 1;
}

void replay_flush(struct peer *p)
{
    for (uint16_t i = 0; i < p->subscriber.count && p->state == PEER_OPEN; i++) {
        struct membership *m = &p->subscriber.memberships[i];
        if (!m->replaying || p->subscriber.outbox.count >= REPLAY_BATCH)
            continue;
        if ((m->replay || !series_has_next(m)) && replay_archive(p, m))
            continue;
        replay_series(p, m);
    }
}
