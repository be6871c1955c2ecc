/* SPDX-License-Identifier: MIT */
#include "streamd/transport/plain.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "proto/plain.h"
#include "proto/query.h"
#include "streamd/auth/guard.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/random_id.h"
#include "streamd/transport/replay.h"
#include "streamd/transport/watch.h"

enum { CLIENT_ID_LEN = 20 };

static void send_error(struct peer *p, const char *code, const char *message, struct span id)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    buf_add_char(text, '{');
    json_write_pair_string(text, "code", span_of(code));
    json_write_pair_string(text, "message", span_of(message));
    if (id.len)
        json_write_pair_raw(text, "id", id);
    buf_add_char(text, '}');
    peer_send_event(p, "error", buf_span(text));
}

static void send_ack(struct peer *p, struct span id, struct span data)
{
    struct buf *text = &p->peers->text;
    buf_reset(text);
    plain_write_ack(text, id, data);
    subscriber_push(&p->subscriber, refbuf_create(buf_span(text)), FINISH_TEXT);
}

/* {"event":"auth","data":{"token":".."}}: a browser's WebSocket sends no header of its own. */
static void authenticate(struct peer *p, const struct plain_message *m)
{
    struct fields *data = NULL;
    struct span token = {NULL, 0};
    bool given = m->data.len > 0 && fields_parse(m->data, &data, NULL) == OK &&
                 fields_is_object(data) && fields_string(data, "token", &token);
    const struct caller *caller = given ? guard_token(p->peers->guard, token) : guard_nobody();
    fields_destroy(data);
    if (caller->scopes == 0) {
        send_error(p, "unauthorized", guard_needs_token, m->id);
        peer_close(p, CLOSE_POLICY, "not a valid token");
        return;
    }
    p->caller = caller;
    if (m->id.len)
        send_ack(p, m->id, SPAN("{\"success\":true}"));
}

static void command(struct peer *p, const struct plain_message *m)
{
    struct buf ack;
    buf_init(&ack, WATCH_ACK_BYTES_MAX);
    if (!watch_command(p, m->event, m->data, &ack))
        send_error(p, "unknown_event", "no such event", m->id);
    else if (m->id.len && p->state == PEER_OPEN)
        send_ack(p, m->id, buf_span(&ack));
    buf_fini(&ack);
}

static void on_message(struct peer *p, struct link *l, struct span message, bool binary)
{
    (void)l;
    struct plain_message m;
    struct json_error error;
    if (binary) {
        peer_close(p, CLOSE_UNSUPPORTED, "expected text");
        return;
    }
    if (plain_decode(message, &m, &error) != OK) {
        send_error(p, error.code, error.why, (struct span){0});
        return;
    }
    if (span_is(m.event, "auth"))
        authenticate(p, &m);
    else
        command(p, &m);
}

static void on_link_closed(struct peer *p, struct link *l)
{
    (void)l;
    peer_link_gone(p);
}

static const struct dialect dialect_plain = {
    .name = "plain",
    .scope = SCOPE_READ,
    .ping = peer_ping_ws,
    .message = on_message,
    .link_closed = on_link_closed,
    .goodbye = peer_goodbye_ws,
    .subscriber = {.flush = peer_flush_stream,
                   .prefetch = peer_prefetch_stream,
                   .rest = peer_write_rest,
                   .end_replay = replay_destroy},
};

static void greet(struct peer *p)
{
    char id[CLIENT_ID_LEN + 1];
    struct buf *text = &p->peers->text;
    random_id(id, CLIENT_ID_LEN);
    buf_reset(text);
    buf_add_char(text, '{');
    json_write_pair_string(text, "client_id", span_of(id));
    buf_add_char(text, '}');
    peer_send_event(p, "connection_established", buf_span(text));
}

/* What the query asks for. */
static void subscribe(struct peer *p, struct span text)
{
    struct query_value value;
    struct query_value epoch;
    struct watch_since since = {.offset = UINT64_MAX};
    if (query_find(text, "epoch", &epoch))
        since.epoch = query_span(&epoch);
    if (query_find(text, "since", &value) && !span_u64(query_span(&value), &since.offset))
        send_error(p, "bad_since", "since must be an offset", (struct span){0});
    struct query query;
    char why_not[GUARD_WHY_MAX];
    query_init(&query, text);
    bool may = guard_allows(p->caller, SCOPE_READ, why_not);
    if (!may && query_find(text, "sessionId", &value))
        send_error(p, "unauthorized", why_not, (struct span){0});
    while (may && query_next(&query, "sessionId", &value)) {
        struct span id = query_span(&value);
        bool valid = session_id_valid(id) || span_is(id, "*");
        const char *why = valid ? watch_subscribe(p, id, &since) : "sessionId is not valid";
        if (why)
            send_error(p, "bad_session_id", why, (struct span){0});
    }
}

void plain_open(struct peers *peers, struct link *l, const struct request *req)
{
    struct peer *p =
        peer_create(peers, &dialect_plain, l, l->deflate ? FORM_PLAIN_DEFLATED : FORM_PLAIN);
    if (!p) {
        l->ops->kill(l);
        return;
    }
    p->caller = req->caller;
    greet(p);
    subscribe(p, req->query);
}
