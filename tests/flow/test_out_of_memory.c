/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of a watcher's life fails in turn. The watcher may be refused, closed or told
 * less; the app goes on, leaks nothing, and serves the next one.
 */
#include "tests/flow/sink.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

static void a_plain_watcher(struct world *w)
{
    struct sink s;
    sink_open(&s, w);
    sink_upgrades(w, &s, "/ws", "sessionId=run&sessionId=b");
    a_run(w);
    sink_says(w, &s, "{\"event\":\"subscribe_session\",\"data\":{\"sessionId\":\"c\"},\"id\":1}");
    sink_says(w, &s, "{\"event\":\"get_session_history\",\"data\":{\"sessionId\":\"run\"}}");
    sink_says(w, &s, "{\"event\":\"unsubscribe_session\",\"data\":{\"sessionId\":\"b\"}}");
    world_advance(w, 60 * SECOND);
    sink_closes(w, &s);
}

static void a_socketio_watcher(struct world *w)
{
    struct sink s;
    sink_open(&s, w);
    sink_upgrades(w, &s, "/socket.io/", "EIO=4&transport=websocket");
    sink_says(w, &s, "40");
    sink_says(w, &s, "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    sink_says(w, &s, "421[\"join_room\",\"run\"]");
    a_run(w);
    sink_says(w, &s, "451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
    sink_closes(w, &s);
}

static void a_recovering_watcher(struct world *w)
{
    struct sink s;
    sink_open(&s, w);
    sink_upgrades(w, &s, "/socket.io/", "EIO=4&transport=websocket");
    sink_says(w, &s, "40{\"recover\":true}");
    sink_says(w, &s, "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    sink_says(w, &s, "42[\"subscribe_session\",{\"sessionId\":\"*\"}]");
    a_run(w);
    size_t at = 0;
    struct span pid = {NULL, 0};
    void *recovery;
    char connect[128] = "40{\"recover\":true,\"pid\":\"";
    if (strmap_next(&w->app->peers.recoveries.by_pid, &at, &pid, &recovery))
        strncat(connect, pid.ptr, pid.len);
    strncat(connect, "\"}", 3);
    sink_closes(w, &s);
    line(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    line(w, "{\"type\":\"progress\",\"sessionId\":\"run\",\"metrics\":{\"loss\":0.4}}");
    struct sink again;
    sink_open(&again, w);
    sink_upgrades(w, &again, "/socket.io/", "EIO=4&transport=websocket");
    sink_says(w, &again, connect);
    sink_closes(w, &again);
}

static void a_poller(struct world *w)
{
    struct sink get;
    sink_open(&get, w);
    struct sink post;
    sink_open(&post, w);
    sink_asks(w, &get, METHOD_GET, "/socket.io/", "EIO=4&transport=polling", "");
    size_t at = 0;
    struct span sid = {NULL, 0};
    void *engine;
    char query[128] = "EIO=4&transport=polling&sid=";
    if (strmap_next(&w->app->peers.engines, &at, &sid, &engine))
        strncat(query, sid.ptr, sid.len);
    sink_asks(w, &post, METHOD_POST, "/socket.io/", query, "40");
    sink_asks(w, &post, METHOD_POST, "/socket.io/", query,
              "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    if (!get.awaits)
        sink_asks(w, &get, METHOD_GET, "/socket.io/", query, "");
    a_run(w);
    if (!get.awaits)
        sink_asks(w, &get, METHOD_GET, "/socket.io/", query, "");
    sink_closes(w, &get);
    sink_closes(w, &post);
    world_advance(w, 60 * SECOND); /* a session that nobody polls is forgotten */
}

static void an_event_stream(struct world *w)
{
    struct sink s;
    sink_open(&s, w);
    sink_asks(w, &s, METHOD_GET, "/api/training/events/run", "", "");
    a_run(w);
    sink_closes(w, &s);
}

static void a_replay_through_a_choked_link(struct world *w)
{
    struct sink s;
    sink_open(&s, w);
    a_run(w);
    for (unsigned i = 0; i < 100; i++)
        line(w, "{\"type\":\"progress\",\"sessionId\":\"b\",\"metrics\":{\"loss\":1}}");
    sink_upgrades(w, &s, "/ws", "");
    sink_says(w, &s,
              "{\"event\":\"subscribe_session\",\"data\":{\"sessionId\":\"b\",\"since\":0}}");
    s.choked = true;
    line(w, "{\"type\":\"model_completed\",\"sessionId\":\"b\",\"modelIndex\":0}");
    line(w, "{\"type\":\"complete\",\"sessionId\":\"b\"}");
    s.choked = false;
    s.wants_writable = true;
    sink_drains(w, &s);
    sink_closes(w, &s);
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
