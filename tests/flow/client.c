/* SPDX-License-Identifier: MIT */
/* How a client begins, what it does and how it ends; what it reads is in client_read.c. */
#include "tests/flow/client.h"

#include "streamd/transport/front.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const tongue_names[TONGUES] = {
    "plain", "plain deflated", "socket.io", "socket.io deflated", "polling", "sse"};

bool client_speaks_plain(const struct client *c)
{
    return c->tongue == PLAIN || c->tongue == PLAIN_DEFLATED;
}

bool client_deflates(const struct client *c)
{
    return c->tongue == PLAIN_DEFLATED || c->tongue == SOCKETIO_DEFLATED;
}

void client_begins_http(struct client *c, struct conn **conn, struct request *req)
{
    struct world *w = c->world;
    if (*conn && !(*conn)->link) {
        conn_destroy(*conn);
        *conn = NULL;
    }
    if (!*conn)
        *conn = conn_open(w->app, w->window);
    req->host = req->host.ptr ? req->host : SPAN("127.0.0.1:5001");
    req->keep_alive = true;
    req->remote = w->remote;
    req->authorization = span_of(w->authorization ? w->authorization : "");
    req->now = w->now;
    (*conn)->awaits = true;
    world_enter(w);
    front_request_begins((*conn)->link, req);
    world_leave(w);
}

void client_asks_http(struct client *c, struct conn **conn, struct request *req)
{
    struct world *w = c->world;
    client_begins_http(c, conn, req);
    world_enter(w);
    front_request((*conn)->link, req);
    world_leave(w);
}

struct conn *client_opens_ws(struct client *c, const char *path, struct span query)
{
    struct world *w = c->world;
    struct reply refusal;
    struct request req = {.method = METHOD_GET,
                          .path = span_of(path),
                          .query = query,
                          .host = SPAN("127.0.0.1:5001"),
                          .remote = w->remote,
                          .authorization = span_of(w->authorization ? w->authorization : ""),
                          .now = w->now};
    struct conn *conn = NULL;
    reply_init(&refusal, REPLY_BODY_MAX);
    world_enter(w);
    if (front_may_upgrade(w->app, &req, &refusal)) {
        conn = conn_open(w->app, w->window);
        conn->link->is_ws = true;
        if (client_deflates(c))
            conn_deflates(conn);
        front_ws_open(conn->link, &req);
    } else {
        c->refused = refusal.status;
    }
    world_leave(w);
    reply_fini(&refusal);
    return conn;
}

void client_sends_on(struct client *c, struct conn *conn, struct span text)
{
    if (!conn->link)
        return;
    world_enter(c->world);
    front_ws_message(conn->link, text, false);
    world_leave(c->world);
}

void client_sends(struct client *c, const char *text)
{
    if (c->tongue == POLLING)
        (void)client_posts(c, text);
    else
        client_sends_on(c, c->stream, span_of(text));
}

void client_pongs(struct client *c)
{
    if (!client_speaks_plain(c) && c->tongue != SSE)
        client_sends(c, "3");
    if (!client_speaks_plain(c) || !c->stream->link)
        return;
    world_enter(c->world);
    front_ws_pong(c->stream->link);
    world_leave(c->world);
}

static void send_event(struct client *c, const char *event, const char *json, bool acked)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    if (client_speaks_plain(c))
        buf_addf(&text, "{\"event\":\"%s\",\"data\":%s%s}", event, json ? json : "null",
                 acked ? ",\"id\":7" : "");
    else
        buf_addf(&text, "42%s[\"%s\"%s%s]", acked ? "7" : "", event, json ? "," : "",
                 json ? json : "");
    buf_add_char(&text, '\0');
    assert_int_equal(buf_status(&text), OK);
    client_sends(c, text.ptr);
    buf_fini(&text);
}

void client_says(struct client *c, const char *event, const char *json)
{
    send_event(c, event, json, false);
}

void client_asks(struct client *c, const char *event, const char *json)
{
    send_event(c, event, json, true);
}

static void say_of(struct client *c, const char *event, const char *session, uint64_t since)
{
    char json[256];
    int n = snprintf(json, sizeof(json), "{\"sessionId\":\"%s\"", session);
    if (since != UINT64_MAX)
        n += snprintf(json + n, sizeof(json) - (size_t)n, ",\"since\":%llu",
                      (unsigned long long)since);
    (void)snprintf(json + n, sizeof(json) - (size_t)n, "}");
    client_says(c, event, json);
}

void client_subscribes(struct client *c, const char *session)
{
    say_of(c, "subscribe_session", session, UINT64_MAX);
}

void client_subscribes_since(struct client *c, const char *session, uint64_t since)
{
    say_of(c, "subscribe_session", session, since);
}

void client_unsubscribes(struct client *c, const char *session)
{
    say_of(c, "unsubscribe_session", session, UINT64_MAX);
}

static void each_conn(struct client *c, void (*run)(struct conn *conn))
{
    struct conn *all[] = {c->stream, c->poll, c->post, c->probe};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i])
            run(all[i]);
    }
}

void client_leaves(struct client *c)
{
    world_enter(c->world);
    each_conn(c, conn_hang_up);
    world_leave(c->world);
}

void client_takes(struct client *c, size_t bytes)
{
    world_enter(c->world);
    if (c->stream)
        conn_open_window(c->stream, bytes);
    world_leave(c->world);
}

void client_chokes(struct client *c)
{
    client_takes(c, 0);
}

void client_reads_on(struct client *c)
{
    client_takes(c, SIZE_MAX);
}

bool client_is_gone(const struct client *c)
{
    return !(c->stream && c->stream->link) && !(c->poll && c->poll->awaits);
}

static struct client *create(struct world *w, enum tongue tongue)
{
    struct client *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    c->world = w;
    c->tongue = tongue;
    c->answers_pings = true;
    c->closes_back = true;
    c->polls_on = true;
    if (w->client_count == w->client_cap) {
        w->client_cap = w->client_cap ? w->client_cap * 2 : 16;
        w->clients = realloc(w->clients, w->client_cap * sizeof(struct client *));
        assert_non_null(w->clients);
    }
    w->clients[w->client_count++] = c;
    return c;
}

void client_destroy(struct client *c)
{
    each_conn(c, conn_destroy);
    c->next = c->count;
    client_inbox_forget(c);
    free(c->inbox);
    free(c);
}

struct client *client_nobody(struct world *w)
{
    return create(w, PLAIN);
}

struct client *client_shakes_hands(struct world *w, enum tongue tongue)
{
    struct client *c = create(w, tongue);
    if (client_speaks_plain(c))
        c->stream = client_opens_ws(c, "/ws", (struct span){NULL, 0});
    else if (tongue == SOCKETIO || tongue == SOCKETIO_DEFLATED)
        c->stream = client_opens_ws(c, "/socket.io/", SPAN("EIO=4&transport=websocket"));
    else
        client_polls(c);
    while (client_react(c))
        continue;
    return c;
}

static struct client *open_with(struct world *w, enum tongue tongue, const char *auth)
{
    struct client *c = client_shakes_hands(w, tongue);
    if (!client_speaks_plain(c))
        client_engine_connects(c, auth);
    (void)client_hears(c, "connection_established");
    return c;
}

struct client *client_open(struct world *w, enum tongue tongue)
{
    return open_with(w, tongue, "");
}

struct client *client_recovers(struct world *w, enum tongue tongue, const char *auth)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "{\"recover\":true%s%s}", auth ? "," : "", auth ? auth : "");
    return open_with(w, tongue, text);
}

struct client *client_comes_back(struct world *w, enum tongue tongue, const struct client *before)
{
    char text[192];
    int n = snprintf(text, sizeof(text), "{\"pid\":\"%s\"", before->pid);
    if (before->mark[0])
        n += snprintf(text + n, sizeof(text) - (size_t)n, ",\"offset\":\"%s\"", before->mark);
    (void)snprintf(text + n, sizeof(text) - (size_t)n, ",\"recover\":true}");
    return open_with(w, tongue, text);
}

static struct client *open_stream(struct world *w, const char *session, uint64_t since)
{
    char path[256];
    char id[24] = "";
    struct client *c = create(w, SSE);
    int n = snprintf(path, sizeof(path), "/api/training/events/%s", session);
    struct request req = {.method = METHOD_GET, .path = {path, (size_t)n}};
    if (since != UINT64_MAX)
        (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)since);
    req.last_event_id = span_of(id);
    client_asks_http(c, &c->stream, &req);
    while (client_react(c))
        continue;
    return c;
}

struct client *client_watch_since(struct world *w, enum tongue tongue, const char *session,
                                  uint64_t since)
{
    if (tongue == SSE)
        return open_stream(w, session, since);
    struct client *c = client_open(w, tongue);
    if (since == UINT64_MAX)
        client_subscribes(c, session);
    else
        client_subscribes_since(c, session, since);
    return c;
}

struct client *client_watch(struct world *w, enum tongue tongue, const char *session)
{
    return client_watch_since(w, tongue, session, UINT64_MAX);
}
