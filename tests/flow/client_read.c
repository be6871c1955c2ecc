/* SPDX-License-Identifier: MIT */
/*
 * Everything that comes is turned into the same two words, an event and its JSON, so that one test
 * can be held against every dialect. Reading and reacting happen in client_react alone, which the
 * world calls until nothing moves.
 */
#include "streamd/transport/front.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void take_plain(struct client *c, struct span m)
{
    static const struct span head = {"{\"event\":\"", 10};
    static const struct span ack = {"{\"event\":\"ack\",\"id\":7,\"data\":", 29};
    assert_true(span_starts(m, head) && m.ptr[m.len - 1] == '}');
    if (span_starts(m, ack)) {
        client_inbox_add(c, SPAN("ack"), (struct span){m.ptr + ack.len, m.len - ack.len - 1}, 0);
        return;
    }
    struct span rest = {m.ptr + head.len, m.len - head.len - 1};
    struct span name = span_cut(&rest, '"');
    assert_true(span_starts(rest, SPAN(",\"data\":")));
    client_inbox_add(c, name, (struct span){rest.ptr + 8, rest.len - 8}, 0);
}

static void take_close(struct client *c, struct conn *conn, struct span payload)
{
    assert_true(payload.len >= 2 && payload.len < sizeof(c->close_why));
    const unsigned char *p = (const unsigned char *)payload.ptr;
    c->close_code = (unsigned)p[0] << 8 | p[1];
    memcpy(c->close_why, p + 2, payload.len - 2);
    c->close_why[payload.len - 2] = '\0';
    if (!c->closes_back)
        return;
    world_enter(c->world);
    conn_hang_up(conn);
    world_leave(c->world);
}

static void answer_ping(struct client *c)
{
    c->pings++;
    if (c->answers_pings)
        client_pongs(c);
}

static void take_frame(struct client *c, struct conn *conn, const struct frame *f)
{
    struct span payload = buf_span(&f->payload);
    assert_true(f->op == WS_TEXT || f->op == WS_CLOSE || f->op == WS_PING);
    assert_int_equal(c->close_code, 0); /* nothing comes after a close frame */
    if (f->op == WS_CLOSE)
        take_close(c, conn, payload);
    else if (f->op == WS_PING)
        answer_ping(c);
    else if (client_speaks_plain(c))
        take_plain(c, payload);
    else
        client_engine_take(c, payload);
}

static bool read_frames(struct client *c, struct conn *conn)
{
    struct frame f;
    bool moved = false;
    while (frame_take(&conn->wire, conn->inflater, &f)) {
        take_frame(c, conn, &f);
        buf_fini(&f.payload);
        moved = true;
    }
    return moved;
}

static bool read_stream_head(struct client *c)
{
    struct http_answer head;
    if (!http_answer_take(&c->stream->wire, false, &head))
        return false;
    c->refused = head.status == 200 ? 0 : head.status;
    c->connected = head.status == 200;
    if (c->connected)
        assert_true(span_is(http_answer_header(&head, "content-type"), "text/event-stream"));
    http_answer_fini(&head);
    return true;
}

static bool read_blocks(struct client *c)
{
    struct sse_block b;
    if (!c->connected)
        return !c->refused && read_stream_head(c);
    if (!sse_block_take(&c->stream->wire, &b))
        return false;
    if (b.event.len > 0)
        client_inbox_add(c, b.event, b.data, b.id);
    else
        c->pings++;
    buf_fini(&b.text);
    return true;
}

static bool step(struct client *c, struct conn *conn)
{
    if (!conn || !conn_ready(conn))
        return false;
    world_enter(c->world);
    conn_step(conn);
    world_leave(c->world);
    return true;
}

bool client_react(struct client *c)
{
    bool moved = step(c, c->stream) || step(c, c->poll) || step(c, c->post) || step(c, c->probe);
    moved |= client_engine_react(c);
    if (c->probe)
        moved |= read_frames(c, c->probe);
    if (c->stream)
        moved |= c->tongue == SSE ? read_blocks(c) : read_frames(c, c->stream);
    return moved;
}
