/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/stream.h"

#include "streamd/app.h"

#include <stdlib.h>
#include <string.h>

/* What was sent, for who comes back. */
struct mcp_event {
    struct list link; /* in session.events, the oldest first */
    uint64_t stream;
    uint64_t number;
    size_t len;
    char text[];
};

static void forget_event(struct mcp_session *session, struct mcp_event *e)
{
    session->event_bytes -= sizeof(*e) + e->len;
    list_remove(&e->link);
    free(e);
}

void mcp_session_forget_events(struct mcp_session *session, size_t keep_bytes)
{
    while (session->event_bytes > keep_bytes) {
        struct list *oldest = list_first(&session->events);
        forget_event(session, LIST_ENTRY(oldest, struct mcp_event, link));
    }
}

/* Out of memory it is not kept, and cannot be asked for again. */
static void keep_event(struct mcp_stream *s, struct span text)
{
    struct mcp_session *session = s->session;
    struct mcp_event *e = malloc(sizeof(*e) + text.len);
    if (!e)
        return;
    *e = (struct mcp_event){.stream = s->number, .number = s->events, .len = text.len};
    memcpy(e->text, text.ptr, text.len);
    list_init(&e->link);
    list_add_tail(&session->events, &e->link);
    session->event_bytes += sizeof(*e) + text.len;
    mcp_session_forget_events(session, session->mcp->app->config->mcp_max_replay_bytes);
}

static void write_event(const struct mcp_stream *s, struct span json, struct buf *out)
{
    if (s->session)
        buf_addf(out, "id: %llu-%llu\n", (unsigned long long)s->number,
                 (unsigned long long)s->events);
    if (json.len > 0)
        buf_add_str(out, "event: message\n");
    else
        buf_addf(out, "retry: %d\n", MCP_RETRY_MS);
    buf_add_str(out, "data: ");
    buf_add_span(out, json);
    buf_add_str(out, "\n\n");
}

static void send_event(struct mcp_stream *s, struct span json)
{
    struct buf text;
    s->events++;
    buf_init(&text, json.len + 256);
    write_event(s, json, &text);
    if (buf_status(&text) == OK) {
        if (s->session)
            keep_event(s, buf_span(&text));
        if (s->wire)
            mcp_wire_send(s->wire, buf_span(&text));
    }
    buf_fini(&text);
}

/* The oldest that has ended makes room. */
static void make_room(struct mcp_session *session)
{
    size_t count = 0;
    struct mcp_stream *oldest = NULL;
    LIST_EACH (at, &session->streams) {
        struct mcp_stream *s = LIST_ENTRY(at, struct mcp_stream, link);
        count++;
        if (s->ended && !oldest)
            oldest = s;
    }
    if (count >= MCP_STREAMS_MAX && oldest)
        mcp_stream_destroy(oldest);
}

static void connect_to(struct mcp_stream *s, struct mcp_wire *wire)
{
    if (s->wire)
        mcp_wire_end(s->wire);
    s->wire = wire;
    wire->stream = s;
    mcp_wire_stream(wire);
}

struct mcp_stream *mcp_stream_create(struct mcp_session *session, struct mcp_wire *wire)
{
    struct mcp_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    list_init(&s->link);
    s->session = session;
    if (session) {
        make_room(session);
        s->number = session->next_stream++;
        list_add_tail(&session->streams, &s->link);
    }
    connect_to(s, wire);
    if (session)
        send_event(s, (struct span){0});
    return s;
}

void mcp_stream_destroy(struct mcp_stream *s)
{
    if (s->wire)
        mcp_wire_end(s->wire);
    if (s->session && s->session->standing == s)
        s->session->standing = NULL;
    list_remove(&s->link);
    free(s);
}

void mcp_stream_send(struct mcp_stream *s, struct span json)
{
    send_event(s, json);
}

void mcp_stream_end(struct mcp_stream *s)
{
    s->ended = true;
    if (!s->session)
        mcp_stream_destroy(s);
    else if (s->wire)
        mcp_wire_end(s->wire);
}

static struct mcp_stream *find(const struct mcp_session *session, uint64_t number)
{
    LIST_EACH (at, &session->streams) {
        struct mcp_stream *s = LIST_ENTRY(at, struct mcp_stream, link);
        if (s->number == number)
            return s;
    }
    return NULL;
}

static void replay(const struct mcp_stream *s, uint64_t after)
{
    LIST_EACH (at, &s->session->events) {
        struct mcp_event *e = LIST_ENTRY(at, struct mcp_event, link);
        if (e->stream == s->number && e->number > after && s->wire)
            mcp_wire_send(s->wire, (struct span){e->text, e->len});
    }
}

bool mcp_stream_resume(struct mcp_session *session, struct span last_event_id,
                       struct mcp_wire *wire)
{
    uint64_t number;
    uint64_t after;
    struct span rest = last_event_id;
    if (!span_u64(span_cut(&rest, '-'), &number) || !span_u64(rest, &after))
        return false;
    struct mcp_stream *s = find(session, number);
    if (!s)
        return false;
    connect_to(s, wire);
    replay(s, after);
    if (s->ended && s->wire)
        mcp_wire_end(s->wire);
    return true;
}
