/* SPDX-License-Identifier: MIT */
/*
 * Commands come from one table and do the same in every dialect. What is asked of history and is no
 * longer in memory is read from the archive, and comes as an event when it is there.
 */
#include "streamd/transport/watch.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/auth/guard.h"
#include "streamd/ingest/control.h"
#include "streamd/log.h"
#include "streamd/session/ask.h"
#include "streamd/session/legacy_room.h"
#include "streamd/transport/peers.h"

#include <stdlib.h>
#include <string.h>

enum {
    HISTORY_DEFAULT = 100,
    ANSWER_ENTRIES_MAX = 10000, /* entries of one session_history */
};

void watch_send_status(struct peer *p, struct session *s, enum stream_answer answer)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    if (answer == ANSWER_STATUS)
        session_write_status(s, text, false);
    else
        session_write_resumed(s, text, answer == ANSWER_RECOVERED);
    if (buf_status(text) == OK)
        peer_send_event(p, "session_status", buf_span(text));
}

static void send_latest(struct peer *p, struct membership *m, struct session *s)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    session_write_update(s, text);
    if (buf_status(text) == OK)
        peer_send_update(p, m, buf_span(text), s->newest_offset);
}

/* From `since` on, or from the newest update on. */
static void begin(struct peer *p, struct membership *m, struct session *s,
                  const struct watch_since *since)
{
    uint64_t newest = series_newest(s->series); /* of a run before this one, perhaps */
    bool asked = since->offset != UINT64_MAX;
    bool recovered = asked && registry_recovers(p->peers->registry, s, since->epoch, since->offset);
    bool latest = !recovered && s->newest_offset > 0;
    enum stream_answer answer = recovered ? ANSWER_RECOVERED
                                : asked   ? ANSWER_NOT_RECOVERED
                                          : ANSWER_STATUS;
    subscriber_begin(&p->subscriber, m, recovered ? since->offset : newest - latest, answer);
    watch_send_status(p, s, answer);
    m->replaying = recovered && since->offset < newest;
    m->told = m->replaying ? since->offset : newest;
    if (latest)
        send_latest(p, m, s);
}

const char *watch_subscribe(struct peer *p, struct span session_id, const struct watch_since *since)
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
    if (s && !known)
        begin(p, m, s, since);
    else if (!known)
        subscriber_begin(&p->subscriber, m, 0, ANSWER_NONE);
    return NULL;
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
    peer_send_event(c->peer, "error", buf_span(text));
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
    struct watch_since since = {.offset = number_or(c->data, "since", UINT64_MAX)};
    if (c->data)
        (void)fields_string(c->data, "epoch", &since.epoch);
    const char *why = watch_subscribe(c->peer, c->session_id, &since);
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

/* A session_history that is being read from the archive. */
struct asked {
    struct list link; /* in peer.asked */
    struct reading reading;
    struct peer *peer; /* borrows */
};

static void asked_destroy(struct asked *a)
{
    reading_cancel(&a->reading);
    list_remove(&a->link);
    free(a);
}

void watch_forget(struct peer *p)
{
    struct list *first;
    while ((first = list_first(&p->asked)) != NULL)
        asked_destroy(LIST_ENTRY(first, struct asked, link));
}

static void on_history(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    (void)last; /* it comes as one piece */
    struct asked *a = LIST_ENTRY(reading, struct asked, reading);
    if (status == OK && peer_offer_event(a->peer, "session_history", refbuf_span(piece)))
        log_debug("watch", "history bytes=%u", piece->len);
    else
        peer_send_event(
            a->peer, "error",
            SPAN("{\"message\":\"history is too large for one message: ask for less, or "
                 "use HTTP\"}"));
    asked_destroy(a);
}

/* False when there is no memory, or the peer has a request under way already. */
static bool ask_archive(struct command *c, const struct session *s, uint64_t limit)
{
    struct peer *p = c->peer;
    struct asked *a = list_empty(&p->asked) ? calloc(1, sizeof(*a)) : NULL;
    struct reading_request *request = calloc(1, sizeof(*request));
    bool begun = false;
    if (a && request) {
        ask_of(s, READING_HISTORY, request);
        request->limit = limit;
        request->max_bytes = p->subscriber.hub->max_outbox_bytes;
        *a = (struct asked){.peer = p, .reading = {.on_piece = on_history}};
        list_init(&a->link);
        begun = ask_begin(p->peers->registry, &a->reading, request) == OK;
    }
    if (begun)
        list_add_tail(&p->asked, &a->link);
    else
        free(a);
    free(request);
    return begun;
}

static void write_history(struct command *c, const struct session *s, uint64_t limit,
                          struct buf *out)
{
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

/* Does memory have the newest `limit` entries? A rewind is for the archive to see to. */
static bool in_memory(const struct session *s, uint64_t limit)
{
    uint64_t newest = series_newest(s->series);
    uint64_t first = newest > limit ? newest - limit + 1 : 1;
    bool whole = newest == 0 || (series_count(s->series) > 0 && series_oldest(s->series) <= first);
    return !s->registry->keeping.keeper || limit == 0 || (whole && s->rewind_count == 0);
}

static void history(struct command *c)
{
    struct session *s = registry_find(c->peer->peers->registry, c->session_id);
    uint64_t limit = number_or(c->data, "limit", HISTORY_DEFAULT);
    limit = limit < ANSWER_ENTRIES_MAX ? limit : ANSWER_ENTRIES_MAX;
    if (s && !in_memory(s, limit)) {
        if (ask_archive(c, s, limit))
            ack_ok(c);
        else
            fail(c, "history is being read already, or out of memory: ask again");
        return;
    }
    struct buf text;
    buf_init(&text, c->peer->subscriber.hub->max_outbox_bytes);
    write_history(c, s, limit, &text);
    if (buf_status(&text) == OK) {
        peer_send_event(c->peer, "session_history", buf_span(&text));
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
    peer_send_event(c->peer, "session_joined", buf_span(text));
    ack_ok(c);
}

static void control(struct command *c)
{
    char from[LINK_NAME_MAX] = "";
    struct peers *peers = c->peer->peers;
    struct order_ask ask = {.session_id = c->session_id};
    struct control_result result;
    if (c->peer->link)
        c->peer->link->ops->name(c->peer->link, from);
    ask.who = (struct order_who){.via = span_of(c->peer->dialect->name),
                                 .peer = span_of(from),
                                 .caller = span_of(c->peer->caller->name)};
    if (!control_read(c->data, &ask, &result) ||
        !control_send(peers->control, &ask, peers->now, &result)) {
        fail(c, result.why);
        return;
    }
    buf_add_str(c->ack, "{\"success\":true");
    control_write_told(&result, c->ack);
    buf_add_char(c->ack, '}');
}

static const struct watch_row {
    const char *event;
    enum scope scope; /* what whoever asks must have */
    void (*run)(struct command *c);
} commands[] = {
    {"subscribe_session", SCOPE_READ, subscribe}, {"unsubscribe_session", SCOPE_READ, unsubscribe},
    {"get_session_history", SCOPE_READ, history}, {"join_room", SCOPE_READ, join_room},
    {"control_session", SCOPE_CONTROL, control},
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

static void run(struct command *c, const struct watch_row *row, struct span data)
{
    struct fields *fields = NULL;
    char why[GUARD_WHY_MAX];
    if (!guard_allows(c->peer->caller, row->scope, why)) {
        fail(c, why);
        return;
    }
    bool read = data.len > 0 && fields_parse(data, &fields, NULL) == OK;
    c->data = read && fields_is_object(fields) ? fields : NULL;
    if (read_session_id(c, data))
        row->run(c);
    else
        fail(c, names_session(c, data) ? "sessionId is not valid" : "sessionId required");
    fields_destroy(fields);
}

bool watch_command(struct peer *p, struct span event, struct span data, struct buf *ack)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (span_is(event, commands[i].event)) {
            struct command c = {.peer = p, .ack = ack};
            run(&c, &commands[i], data);
            return true;
        }
    }
    return false;
}
