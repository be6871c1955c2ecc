/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of a watcher's life fails in turn. The watcher may be refused, closed or told
 * less; the app goes on, leaks nothing, and serves the next one.
 *
 * The links here are sinks without memory of their own, so that every allocation is the app's.
 */
#include "streamd/transport/front.h"
#include "tests/flow/world.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct sink {
    struct link link;
    size_t bytes;
    bool awaits;
    bool over;
    bool choked;
    bool wants_writable;
};

static struct sink *sink_of(const struct link *l)
{
    return LIST_ENTRY(l, struct sink, link);
}

static void sink_write(struct link *l, struct span bytes)
{
    sink_of(l)->bytes += bytes.len;
}

static bool sink_choked(const struct link *l)
{
    return sink_of(l)->choked;
}

static int sink_socket(const struct link *l)
{
    (void)l;
    return -1;
}

static void sink_want_writable(struct link *l)
{
    sink_of(l)->wants_writable = true;
}

static void sink_answer(struct link *l, struct span bytes, bool close)
{
    sink_write(l, bytes);
    sink_of(l)->awaits = false;
    sink_of(l)->over |= close;
}

static void sink_park(struct link *l)
{
    assert_true(sink_of(l)->awaits);
}

static void sink_name(const struct link *l, char out[LINK_NAME_MAX])
{
    (void)l;
    out[0] = '\0';
}

static void sink_kill(struct link *l)
{
    sink_of(l)->over = true;
}

static const struct link_ops ops_sink = {.name = sink_name,
                                         .write = sink_write,
                                         .choked = sink_choked,
                                         .socket = sink_socket,
                                         .want_writable = sink_want_writable,
                                         .answer = sink_answer,
                                         .park = sink_park,
                                         .kill = sink_kill};

static struct sink sink_on(struct world *w)
{
    return (struct sink){.link = {.ops = &ops_sink, .app = w->app}};
}

static void close_sink(struct world *w, struct sink *s)
{
    world_enter(w);
    front_closed(&s->link);
    world_leave(w);
}

static void writable(struct world *w, struct sink *s)
{
    for (unsigned i = 0; i < 100 && s->wants_writable && !s->over; i++) {
        s->wants_writable = false;
        world_enter(w);
        front_writable(&s->link);
        world_leave(w);
    }
}

static void message(struct world *w, struct sink *s, const char *text)
{
    if (s->over)
        return;
    world_enter(w);
    front_ws_message(&s->link, span_of(text), false);
    world_leave(w);
}

static void request(struct world *w, struct sink *s, enum method method, const char *path,
                    const char *query, const char *body)
{
    struct request req = {.method = method,
                          .path = span_of(path),
                          .query = span_of(query),
                          .body = span_of(body),
                          .host = SPAN("127.0.0.1:5001"),
                          .keep_alive = true,
                          .now = w->now};
    s->awaits = true;
    world_enter(w);
    front_request(&s->link, &req);
    world_leave(w);
}

/* A line may be refused for want of memory. */
static void line(struct world *w, const char *text)
{
    struct line_error error;
    buf_reset(&w->answers);
    world_enter(w);
    (void)intake_line(&w->trainer, span_of(text), w->now, &error);
    world_leave(w);
}

static void a_run(struct world *w)
{
    line(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"config\":{\"model_count\":2}}");
    line(w, "{\"type\":\"progress\",\"sessionId\":\"run\",\"metrics\":{\"loss\":1,\"lr\":1e-5}}");
    line(w, "{\"type\":\"model_completed\",\"sessionId\":\"run\",\"modelIndex\":0}");
    line(w, "{\"type\":\"progress\",\"sessionId\":\"run\",\"metrics\":{\"loss\":0.5}}");
    line(w, "{\"type\":\"complete\",\"sessionId\":\"run\"}");
}

static void open_ws(struct world *w, struct sink *s, const char *path, const char *query)
{
    struct request req = {.method = METHOD_GET,
                          .path = span_of(path),
                          .query = span_of(query),
                          .host = SPAN("127.0.0.1:5001"),
                          .caller = guard_token(&w->app->guard, SPAN("")),
                          .now = w->now};
    s->link.is_ws = true;
    s->link.deflate = true;
    world_enter(w);
    front_ws_open(&s->link, &req);
    world_leave(w);
}

static void a_plain_watcher(struct world *w)
{
    struct sink s = sink_on(w);
    open_ws(w, &s, "/ws", "sessionId=run&sessionId=b");
    a_run(w);
    message(w, &s, "{\"event\":\"subscribe_session\",\"data\":{\"sessionId\":\"c\"},\"id\":1}");
    message(w, &s, "{\"event\":\"get_session_history\",\"data\":{\"sessionId\":\"run\"}}");
    message(w, &s, "{\"event\":\"unsubscribe_session\",\"data\":{\"sessionId\":\"b\"}}");
    world_advance(w, 60 * SECOND);
    close_sink(w, &s);
}

static void a_socketio_watcher(struct world *w)
{
    struct sink s = sink_on(w);
    open_ws(w, &s, "/socket.io/", "EIO=4&transport=websocket");
    message(w, &s, "40");
    message(w, &s, "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    message(w, &s, "421[\"join_room\",\"run\"]");
    a_run(w);
    message(w, &s, "451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
    close_sink(w, &s);
}

static void a_recovering_watcher(struct world *w)
{
    struct sink s = sink_on(w);
    open_ws(w, &s, "/socket.io/", "EIO=4&transport=websocket");
    message(w, &s, "40{\"recover\":true}");
    message(w, &s, "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    message(w, &s, "42[\"subscribe_session\",{\"sessionId\":\"*\"}]");
    a_run(w);
    size_t at = 0;
    struct span pid = {NULL, 0};
    void *recovery;
    char connect[128] = "40{\"recover\":true,\"pid\":\"";
    if (strmap_next(&w->app->peers.recoveries.by_pid, &at, &pid, &recovery))
        strncat(connect, pid.ptr, pid.len);
    strncat(connect, "\"}", 3);
    close_sink(w, &s);
    line(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    line(w, "{\"type\":\"progress\",\"sessionId\":\"run\",\"metrics\":{\"loss\":0.4}}");
    struct sink again = sink_on(w);
    open_ws(w, &again, "/socket.io/", "EIO=4&transport=websocket");
    message(w, &again, connect);
    close_sink(w, &again);
}

static void a_poller(struct world *w)
{
    struct sink get = sink_on(w);
    struct sink post = sink_on(w);
    request(w, &get, METHOD_GET, "/socket.io/", "EIO=4&transport=polling", "");
    size_t at = 0;
    struct span sid = {NULL, 0};
    void *engine;
    char query[128] = "EIO=4&transport=polling&sid=";
    if (strmap_next(&w->app->peers.engines, &at, &sid, &engine))
        strncat(query, sid.ptr, sid.len);
    request(w, &post, METHOD_POST, "/socket.io/", query, "40");
    request(w, &post, METHOD_POST, "/socket.io/", query,
            "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    if (!get.awaits)
        request(w, &get, METHOD_GET, "/socket.io/", query, "");
    a_run(w);
    if (!get.awaits)
        request(w, &get, METHOD_GET, "/socket.io/", query, "");
    close_sink(w, &get);
    close_sink(w, &post);
    world_advance(w, 60 * SECOND); /* a session that nobody polls is forgotten */
}

static void an_event_stream(struct world *w)
{
    struct sink s = sink_on(w);
    request(w, &s, METHOD_GET, "/api/training/events/run", "", "");
    a_run(w);
    close_sink(w, &s);
}

static void a_replay_through_a_choked_link(struct world *w)
{
    struct sink s = sink_on(w);
    a_run(w);
    for (unsigned i = 0; i < 100; i++)
        line(w, "{\"type\":\"progress\",\"sessionId\":\"b\",\"metrics\":{\"loss\":1}}");
    open_ws(w, &s, "/ws", "");
    message(w, &s, "{\"event\":\"subscribe_session\",\"data\":{\"sessionId\":\"b\",\"since\":0}}");
    s.choked = true;
    line(w, "{\"type\":\"model_completed\",\"sessionId\":\"b\",\"modelIndex\":0}");
    line(w, "{\"type\":\"complete\",\"sessionId\":\"b\"}");
    s.choked = false;
    s.wants_writable = true;
    writable(w, &s);
    close_sink(w, &s);
}

static void sweep(void (*life)(struct world *w))
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct world *w = world_create();
        world_begin(w);
        oom_fail(n);
        life(w);
        failed = oom_failed();
        life(w); /* the next one is served as if nothing had been */
        world_advance(w, 120 * SECOND);
        assert_int_equal(w->app->stats.peers, 0);
        world_destroy(w);
    }
}

static void a_plain_watcher_outlives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    sweep(a_plain_watcher);
}

static void a_socketio_watcher_outlives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    sweep(a_socketio_watcher);
}

static void a_recovering_watcher_outlives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    sweep(a_recovering_watcher);
}

static void a_poller_outlives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    sweep(a_poller);
}

static void an_event_stream_outlives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    sweep(an_event_stream);
}

static void a_replay_outlives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    sweep(a_replay_through_a_choked_link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_watcher_outlives_the_failure_of_each_allocation),
        cmocka_unit_test(a_socketio_watcher_outlives_the_failure_of_each_allocation),
        cmocka_unit_test(a_recovering_watcher_outlives_the_failure_of_each_allocation),
        cmocka_unit_test(a_poller_outlives_the_failure_of_each_allocation),
        cmocka_unit_test(an_event_stream_outlives_the_failure_of_each_allocation),
        cmocka_unit_test(a_replay_outlives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests_name("flow/out_of_memory", tests, NULL, NULL);
}
