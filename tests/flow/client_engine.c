/* SPDX-License-Identifier: MIT */
#include "tests/flow/client_engine.h"

#include "streamd/transport/front.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char polling_query[] = "EIO=4&transport=polling";

/* The text of a member of a flat object, e.g. the sid. */
static void copy_member(struct span object, const char *name, char *out, size_t size)
{
    const char *at = memmem(object.ptr, object.len, name, strlen(name));
    assert_non_null(at);
    struct span rest = {at + strlen(name), (size_t)(object.ptr + object.len - at) - strlen(name)};
    assert_true(span_starts(rest, SPAN("\":\"")));
    rest = (struct span){rest.ptr + 3, rest.len - 3};
    struct span value = span_cut(&rest, '"');
    assert_true(value.len < size);
    memcpy(out, value.ptr, value.len);
    out[value.len] = '\0';
}

/* Takes `,"mark"` off the end. */
static void take_mark(struct client *c, struct span *args)
{
    assert_true(args->len > 4 && args->ptr[args->len - 1] == '"');
    size_t at = args->len - 2;
    while (args->ptr[at] != '"')
        at--;
    size_t len = args->len - 2 - at;
    assert_true(args->ptr[at - 1] == ',' && len > 0 && len < sizeof(c->mark));
    memcpy(c->mark, args->ptr + at + 1, len);
    c->mark[len] = '\0';
    args->len = at - 1;
}

/* ["name",DATA], or ["name",DATA,"mark"] */
static void take_event(struct client *c, struct span array)
{
    assert_true(array.len > 4 && span_starts(array, SPAN("[\"")));
    struct span rest = {array.ptr + 2, array.len - 3}; /* without the last bracket */
    struct span name = span_cut(&rest, '"');
    if (c->recovers)
        take_mark(c, &rest);
    struct span data = rest.len > 0 ? (struct span){rest.ptr + 1, rest.len - 1} : SPAN("null");
    client_inbox_add(c, name, data, 0);
}

/* {"sid":..,"pid":..} */
static void take_connect(struct client *c, struct span object)
{
    copy_member(object, "sid", c->id, sizeof(c->id));
    c->connected = true;
    c->recovers = memmem(object.ptr, object.len, "\"pid\"", 5) != NULL;
    if (c->recovers)
        copy_member(object, "pid", c->pid, sizeof(c->pid));
}

/* 3<id>[DATA] */
static void take_ack(struct client *c, struct span rest)
{
    (void)span_cut(&rest, '[');
    assert_true(rest.len > 1);
    client_inbox_add(c, SPAN("ack"), (struct span){rest.ptr, rest.len - 1}, 0);
}

static void take_message(struct client *c, struct span m)
{
    assert_true(m.len > 0);
    struct span rest = {m.ptr + 1, m.len - 1};
    switch (m.ptr[0]) {
    case '0':
        take_connect(c, rest);
        break;
    case '2':
        take_event(c, rest);
        break;
    case '3':
        take_ack(c, rest);
        break;
    case '4': /* 4/namespace,{...} */
        if (rest.ptr[0] == '/')
            (void)span_cut(&rest, ',');
        client_inbox_add(c, SPAN("connect_error"), rest, 0);
        break;
    default:
        fail_msg("unexpected packet 4%.*s", (int)m.len, m.ptr);
    }
}

void client_engine_take(struct client *c, struct span packet)
{
    assert_true(packet.len > 0);
    struct span rest = {packet.ptr + 1, packet.len - 1};
    switch (packet.ptr[0]) {
    case '0':
        copy_member(rest, "sid", c->sid, sizeof(c->sid));
        break;
    case '1':
        c->told_to_close = true;
        break;
    case '2':
        c->pings++;
        if (c->answers_pings)
            client_pongs(c);
        break;
    case '3':
        assert_true(span_is(rest, "probe"));
        c->probe_answered = true;
        break;
    case '4':
        take_message(c, rest);
        break;
    case '6':
        c->noops++;
        break;
    default:
        fail_msg("unexpected packet %.*s", (int)packet.len, packet.ptr);
    }
}

static struct request request_of(struct client *c, enum method method, char *query, size_t size)
{
    int n = snprintf(query, size, "%s%s%s", polling_query, c->sid[0] ? "&sid=" : "", c->sid);
    return (struct request){
        .method = method,
        .path = SPAN("/socket.io/"),
        .query = {query, (size_t)n},
        .content_type = SPAN("text/plain;charset=UTF-8"),
    };
}

void client_polls(struct client *c)
{
    char query[128];
    struct request req = request_of(c, METHOD_GET, query, sizeof(query));
    client_asks_http(c, &c->poll, &req);
}

int client_posts(struct client *c, const char *payload)
{
    char query[128];
    struct http_answer answer;
    struct request req = request_of(c, METHOD_POST, query, sizeof(query));
    req.body = span_of(payload);
    client_asks_http(c, &c->post, &req);
    assert_true(http_answer_take(&c->post->wire, false, &answer));
    int status = answer.status;
    if (status == 200)
        assert_true(span_is(buf_span(&answer.body), "ok"));
    else
        c->refused = status;
    http_answer_fini(&answer);
    return status;
}

static void take_payload(struct client *c, struct span payload)
{
    size_t packets = 0;
    c->poll_answers++;
    while (payload.ptr) {
        client_engine_take(c, span_cut(&payload, 0x1e));
        packets++;
    }
    if (packets > c->most_packets)
        c->most_packets = packets;
}

bool client_engine_react(struct client *c)
{
    struct http_answer answer;
    if (!c->poll || !http_answer_take(&c->poll->wire, false, &answer))
        return false;
    if (answer.status == 200)
        take_payload(c, buf_span(&answer.body));
    else
        c->refused = answer.status;
    bool goes_on = answer.status == 200 && c->polls_on && !c->told_to_close && !c->probe_answered &&
                   c->connected;
    http_answer_fini(&answer);
    if (goes_on)
        client_polls(c);
    return true;
}

void client_engine_connects(struct client *c, const char *auth)
{
    char packet[256];
    assert_int_equal(strlen(c->sid), 24);
    (void)snprintf(packet, sizeof(packet), "40%s", auth);
    client_sends(c, packet);
    if (c->tongue == POLLING) {
        c->connected = true; /* so that it goes on polling */
        client_polls(c);
    }
    while (client_react(c))
        continue;
    assert_true(c->connected);
}

bool client_opens_probe(struct client *c)
{
    char query[128];
    int n = snprintf(query, sizeof(query), "EIO=4&transport=websocket&sid=%s", c->sid);
    assert_null(c->probe);
    c->probe = client_opens_ws(c, "/socket.io/", (struct span){query, (size_t)n});
    return c->probe != NULL;
}

void client_sends_probe(struct client *c, const char *word)
{
    client_sends_on(c, c->probe, span_of(word));
}

void client_probes(struct client *c)
{
    assert_true(client_opens_probe(c));
    client_sends_probe(c, "2probe");
}

void client_forgets_probe(struct client *c)
{
    assert_null(c->probe->link);
    conn_destroy(c->probe);
    c->probe = NULL;
    c->probe_answered = false;
    if (!c->poll->awaits && !c->told_to_close && !c->refused)
        client_polls(c);
}

void client_finishes_upgrade(struct client *c)
{
    client_sends_on(c, c->probe, SPAN("5"));
    c->stream = c->probe;
    c->probe = NULL;
    c->tongue = SOCKETIO;
}

void client_upgrades(struct client *c)
{
    client_probes(c);
    assert_true(c->probe_answered);
    client_finishes_upgrade(c);
}
