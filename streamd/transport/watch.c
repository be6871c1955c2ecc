/* SPDX-License-Identifier: MIT */
/*
 * A replay is a cursor kept in the membership, not a queue: each flush reads the next entries from
 * history while there is room, and the membership takes live updates again once it has caught up
 * with the newest offset. So a watcher that missed a million entries costs no memory, and the seam
 * has neither gap nor repeat. An entry that finds no room in the outbox is read again next time.
 */
#include "streamd/transport/watch.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/session/legacy_room.h"
#include "streamd/transport/peers.h"

#include <stdlib.h>

enum { REPLAY_BATCH = 32, HISTORY_DEFAULT = 100 };

/* Is everything after `since` still there? Not what memory had to give up, nor what follows an
 * offset that this daemon never gave out. */
static bool recovers(const struct session *s, uint64_t since)
{
    uint64_t newest = series_newest(s->series);
    if (since >= newest)
        return since == newest;
    return series_oldest(s->series) <= since + 1;
}

static void send_status(struct peer *p, struct session *s, uint64_t since)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    if (since == UINT64_MAX)
        session_write_status(s, text, false);
    else
        session_write_resumed(s, text, recovers(s, since));
    if (buf_status(text) == OK)
        peer_send_event(p, "session_status", buf_span(text), 0);
}

static void send_latest(struct peer *p, struct session *s)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    session_write_update(s, text);
    if (buf_status(text) == OK)
        peer_send_event(p, "progress_update", buf_span(text), s->newest_offset);
}

const char *watch_subscribe(struct peer *p, struct span session_id, uint64_t since)
{
    struct membership *m;
    struct peers *peers = p->peers;
    bool known = subscriber_find(&p->subscriber, session_id) != NULL;
    switch (subscriber_join(&p->subscriber, session_id, peers->config->max_rooms_per_peer, &m)) {
    case OK:
        break;
    case E_LIMIT:
        return "too many rooms";
    default:
        return "out of memory";
    }
    peer_settled(p);
    struct session *s = registry_find_live(peers->registry, session_id);
    if (!s || known)
        return NULL;
    send_status(p, s, since);
    uint64_t newest = series_newest(s->series); /* of a run before this one, perhaps */
    m->replaying = since < newest;
    m->told = m->replaying ? since : newest;
    if (since > newest && s->newest_offset > 0)
        send_latest(p, s);
    return NULL;
}

/* Queues one entry, after the events that belong before it. */
static bool replay_entry(struct peer *p, struct membership *m, const struct series_entry *entry)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    session_write_replay(m->room->session, entry, text);
    subscriber_release(&p->subscriber, m, entry->offset);
    return peer_offer_event(p, "progress_update", buf_span(text), entry->offset);
}

/* Queues at most `batch` entries of one membership; live again when none is left. */
static void replay_some(struct peer *p, struct membership *m, unsigned batch)
{
    const struct series *series = m->room->session->series;
    struct series_cursor cursor;
    struct series_entry entry;
    series_cursor_init(&cursor, series, m->told + 1);
    bool more = true;
    while (batch > 0 && (more = series_next(&cursor, &entry)) && replay_entry(p, m, &entry)) {
        m->told = entry.offset;
        batch--;
    }
    series_cursor_fini(&cursor);
    if (!more || m->told >= series_newest(series))
        subscriber_end_replay(&p->subscriber, m);
}

void watch_replay(struct peer *p)
{
    for (uint16_t i = 0; i < p->subscriber.count; i++) {
        struct membership *m = &p->subscriber.memberships[i];
        if (m->replaying && p->subscriber.outbox.count < REPLAY_BATCH)
            replay_some(p, m, REPLAY_BATCH);
    }
}

/* The arguments of one command, and where its acknowledgement goes. */
struct command {
    struct peer *peer;
    const struct fields *data; /* NULL unless an object */
    struct span session_id;
    char bare[SESSION_ID_BYTES_MAX]; /* what session_id points to when it came as a bare string */
    struct buf *ack;
};

static void ack_ok(struct command *c)
{
    buf_add_str(c->ack, "{\"success\":true");
    json_write_pair_string(c->ack, "sessionId", c->session_id);
    buf_add_char(c->ack, '}');
}

static void fail(struct command *c, const char *why)
{
    struct buf *text = &c->peer->peers->text;
    buf_reset(text);
    buf_add_char(text, '{');
    json_write_pair_string(text, "message", span_of(why));
    buf_add_char(text, '}');
    peer_send_event(c->peer, "error", buf_span(text), 0);
    buf_add_str(c->ack, "{\"success\":false");
    json_write_pair_string(c->ack, "error", span_of(why));
    buf_add_char(c->ack, '}');
}

static uint64_t number_or(const struct fields *f, const char *name, uint64_t otherwise)
{
    double value;
    if (!f || !fields_number(f, name, &value) || !(value >= 0 && value < 9007199254740992.0))
        return otherwise;
    return (uint64_t)value;
}

static void subscribe(struct command *c)
{
    const char *why =
        watch_subscribe(c->peer, c->session_id, number_or(c->data, "since", UINT64_MAX));
    if (why)
        fail(c, why);
    else
        ack_ok(c);
}

static void unsubscribe(struct command *c)
{
    (void)subscriber_leave(&c->peer->subscriber, c->session_id);
    ack_ok(c);
}

static void write_history(struct command *c, struct buf *out)
{
    struct session *s = registry_find(c->peer->peers->registry, c->session_id);
    uint64_t limit = number_or(c->data, "limit", HISTORY_DEFAULT);
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", c->session_id);
    json_write_name(out, "history");
    buf_add_char(out, '[');
    if (s && limit > 0) {
        struct series_cursor cursor;
        struct series_entry entry;
        uint64_t newest = series_newest(s->series);
        series_cursor_init(&cursor, s->series, newest > limit ? newest - limit + 1 : 1);
        while (series_next(&cursor, &entry)) {
            json_write_comma(out);
            session_write_entry(&entry, out);
        }
        series_cursor_fini(&cursor);
    }
    buf_add_str(out, "]}");
}

static void history(struct command *c)
{
    struct buf text;
    buf_init(&text, c->peer->subscriber.hub->max_outbox_bytes);
    write_history(c, &text);
    if (buf_status(&text) == OK) {
        peer_send_event(c->peer, "session_history", buf_span(&text), 0);
        ack_ok(c);
    } else {
        fail(c, "history is too large for one message: ask for less, or use HTTP");
    }
    buf_fini(&text);
}

static void join_room(struct command *c)
{
    struct session *s = registry_find_live(c->peer->peers->registry, c->session_id);
    struct buf *text = &c->peer->peers->text;
    struct membership *m;
    char name[LEGACY_ROOM_NAME_MAX];
    if (subscriber_join(&c->peer->subscriber, legacy_room_name(c->session_id, name),
                        c->peer->peers->config->max_rooms_per_peer, &m) != OK) {
        fail(c, "too many rooms");
        return;
    }
    peer_settled(c->peer);
    buf_reset(text);
    buf_add_char(text, '{');
    json_write_pair_string(text, "sessionId", c->session_id);
    json_write_name(text, "currentState");
    if (s)
        session_write_status(s, text, true);
    else
        buf_add_str(text, "null");
    buf_add_char(text, '}');
    peer_send_event(c->peer, "session_joined", buf_span(text), 0);
    ack_ok(c);
}

static const struct {
    const char *event;
    void (*run)(struct command *c);
} commands[] = {
    {"subscribe_session", subscribe},
    {"unsubscribe_session", unsubscribe},
    {"get_session_history", history},
    {"join_room", join_room},
};

/* The session id: the member of an object, or a bare string as join_room sends it. */
static bool read_session_id(struct command *c, struct span data)
{
    if (c->data && fields_string(c->data, "sessionId", &c->session_id))
        return session_id_valid(c->session_id) || span_is(c->session_id, "*");
    if (data.len < 2 || data.len > SESSION_ID_BYTES_MAX + 2 || data.ptr[0] != '"')
        return false;
    c->session_id = (struct span){c->bare, data.len - 2};
    for (size_t i = 0; i < c->session_id.len; i++)
        c->bare[i] = data.ptr[i + 1];
    return session_id_valid(c->session_id) || span_is(c->session_id, "*");
}

/* Was something given that was meant to be an id? */
static bool names_session(const struct command *c, struct span data)
{
    return (c->data && fields_has(c->data, "sessionId")) || (data.len > 2 && data.ptr[0] == '"');
}

static void run(struct command *c, void (*command)(struct command *c), struct span data)
{
    struct fields *fields = NULL;
    if (data.len && fields_parse(data, &fields, NULL) != OK)
        fields = NULL;
    c->data = fields && fields_is_object(fields) ? fields : NULL;
    if (read_session_id(c, data))
        command(c);
    else
        fail(c, names_session(c, data) ? "sessionId is not valid" : "sessionId required");
    fields_destroy(fields);
}

bool watch_command(struct peer *p, struct span event, struct span data, struct buf *ack)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (span_is(event, commands[i].event)) {
            struct command c = {.peer = p, .ack = ack};
            run(&c, commands[i].run, data);
            return true;
        }
    }
    return false;
}
