/* SPDX-License-Identifier: MIT */
/*
 * A whole day of the daemon, in which one allocation fails: a trainer on a real socket, watchers of
 * each dialect, every route that reads, an order, an alert, agents, an operation, the end.
 *
 * Whoever was talking may be refused, told less or cut off. Nothing ends the daemon or leaks; a
 * trainer that resumes and sends again what was not acknowledged gets all of it acknowledged; all
 * that was acknowledged stands on the disk, once and in order; and the next request is answered.
 *
 * Each round fails another allocation, every STRIDEth of them so that the test stays short; with
 * STREAMD_OOM_STRIDE=1 it is each of them. The shorter lives of test_out_of_memory.c are swept
 * whole.
 */
#include "streamd/ingest/unix.h"
#include "tests/flow/agent.h"
#include "tests/flow/sink.h"
#include "tests/support/oom.h"

#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    STRIDE = 7, /* prime, so that no habit of the code hides from it */
    LINES = 40, /* of the run, seq 1 to LINES */
    TRIES_MAX = 40,
};

struct day {
    struct world *w;
    struct ev_loop *loop;
    struct unix_ingest *ingest;
    char directory[64];
    char path[96];
    int fd;         /* the trainer's; -1: not connected */
    bool welcome;   /* `started` came on it */
    unsigned next;  /* seq of its next line */
    unsigned acked; /* up to here */
    unsigned orders;
    unsigned refused; /* requests that were not answered well */
    struct sink plain, engine, stream, asks, agent, waits;
};

/* ---- the trainer ---- */

static void turn(struct day *d)
{
    for (int i = 0; i < 4; i++) {
        world_enter(d->w);
        ev_run(d->loop, EVRUN_NOWAIT);
        world_leave(d->w);
    }
}

static void trainer_writes(struct day *d, const char *line)
{
    if (d->fd >= 0 && send(d->fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
        close(d->fd);
        d->fd = -1;
    }
}

static void trainer_reads_line(struct day *d, const char *line)
{
    unsigned n = 0;
    const char *at = strstr(line, "\"lastSeq\":");
    if (strstr(line, "\"type\":\"started\"") && at && sscanf(at, "\"lastSeq\":%u", &n) == 1) {
        d->welcome = true;
        d->next = n + 1;
        d->acked = n > d->acked ? n : d->acked;
    }
    at = strstr(line, "\"seq\":");
    if (strstr(line, "\"type\":\"ack\"") && at && sscanf(at, "\"seq\":%u", &n) == 1)
        d->acked = n;
    at = strstr(line, "\"id\":");
    if (strstr(line, "\"type\":\"control\"") && at && sscanf(at, "\"id\":%u", &n) == 1) {
        char answer[128];
        (void)snprintf(answer, sizeof(answer),
                       "{\"type\":\"answer\",\"id\":%u,\"outcome\":\"done\"}\n", n);
        d->orders++;
        trainer_writes(d, answer);
    }
}

static void trainer_reads(struct day *d)
{
    static char heard[64 * 1024];
    turn(d);
    ssize_t n = d->fd >= 0 ? recv(d->fd, heard, sizeof(heard) - 1, MSG_DONTWAIT) : -1;
    heard[n > 0 ? n : 0] = '\0';
    char *rest = heard;
    for (char *line = strtok_r(rest, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        trainer_reads_line(d, line);
    if (n == 0) {
        close(d->fd);
        d->fd = -1;
    }
    turn(d);
}

/* False: not now. */
static bool trainer_connects(struct day *d)
{
    d->welcome = false;
    d->fd = unix_ingest_adopt(d->ingest);
    trainer_writes(d, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true,\"name\":\"Ada\","
                      "\"config\":{\"model_count\":2,\"epochs\":9,\"knobs\":{\"lr\":{\"value\":0.5,"
                      "\"min\":0,\"max\":1}}}}\n");
    trainer_reads(d);
    return d->welcome;
}

static void trainer_says_step(struct day *d, unsigned seq)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"%s\",\"sessionId\":\"run\",\"seq\":%u,\"metrics\":{\"step\":%u,"
                   "\"epoch\":%u,\"train_loss\":%.3f,\"val_loss\":%.3f,\"gpu/%u\":%u}}\n",
                   seq % 4 ? "progress" : "epoch", seq, seq, seq / 4, 2.0 / seq, 2.5 / seq, seq % 5,
                   seq);
    trainer_writes(d, line);
}

/* Says its lines up to that one, again and on new connections where it must, as docs/protocol.md
 * (P-5, P-6) has it, until all are acknowledged. */
static void trainer_goes_on_to(struct day *d, unsigned last)
{
    for (int i = 0; d->acked < last; i++) {
        if (i == TRIES_MAX)
            fail_msg("%u acknowledged, and no more of %u", d->acked, last);
        if (d->fd < 0 && !trainer_connects(d))
            continue;
        while (d->fd >= 0 && d->next <= last)
            trainer_says_step(d, d->next++);
        trainer_reads(d);
        world_advance(d->w, 60 * SECOND / TRIES_MAX);
        trainer_reads(d);
    }
}

/* ---- the others ---- */

/* Whoever was told no, or nothing, comes back on another connection. */
static void sends(struct day *d, struct sink *s, const struct request *req)
{
    sink_sends(d->w, s, req);
    bool good = !s->awaits && strncmp(s->heard, "HTTP/1.1 20", 11) == 0 &&
                !strstr(s->heard, "\"isError\":true") && !strstr(s->heard, "\"error\":{");
    d->refused += !good;
    if (s->over || s->awaits) {
        sink_closes(d->w, s);
        sink_open(s, d->w);
    }
}

static void gets(struct day *d, const char *path, const char *query)
{
    sends(d, &d->asks,
          &(struct request){.method = METHOD_GET, .path = span_of(path), .query = span_of(query)});
}

static void posts(struct day *d, enum method method, const char *path, const char *body)
{
    sends(d, &d->asks,
          &(struct request){.method = method,
                            .path = span_of(path),
                            .content_type = SPAN("application/json"),
                            .body = span_of(body)});
}

static void agent_does(struct day *d, const char *method, const char *members)
{
    struct request req;
    char body[AGENT_BODY_MAX];
    agent_writes(&req, body, "1", method, members);
    sends(d, &d->agent, &req);
}

static void agent_waits(struct day *d, const char *members)
{
    struct request req;
    char body[AGENT_BODY_MAX];
    agent_writes(&req, body, "2", "tools/call", members);
    sink_sends(d->w, &d->waits, &req);
}

static void watchers_come(struct day *d)
{
    struct world *w = d->w;
    sink_open(&d->plain, w);
    sink_open(&d->engine, w);
    sink_open(&d->stream, w);
    sink_open(&d->asks, w);
    sink_open(&d->agent, w);
    sink_open(&d->waits, w);
    sink_upgrades(w, &d->plain, "/ws", "sessionId=run");
    sink_upgrades(w, &d->engine, "/socket.io/", "EIO=4&transport=websocket");
    sink_says(w, &d->engine, "40{\"recover\":true}");
    sink_says(w, &d->engine, "421[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    sink_says(w, &d->engine, "42[\"subscribe_session\",{\"sessionId\":\"*\"}]");
    sink_asks(w, &d->stream, METHOD_GET, "/api/training/events/run", "", "");
}

static void watchers_ask(struct day *d)
{
    struct world *w = d->w;
    sink_says(w, &d->plain, "{\"event\":\"get_session_history\",\"data\":{\"sessionId\":\"run\"}}");
    sink_says(w, &d->plain,
              "{\"event\":\"control_session\",\"data\":{\"sessionId\":\"run\",\"command\":\"set\","
              "\"knob\":\"lr\",\"value\":0.25},\"id\":3}");
    trainer_reads(d);
    sink_says(w, &d->plain,
              "{\"event\":\"subscribe_session\",\"data\":{\"sessionId\":\"run\",\"since\":0}}");
    sink_drains(w, &d->plain);
}

static void agents_come(struct day *d)
{
    agent_does(d, "tools/list", "");
    agent_does(d, "resources/list", "");
    agent_does(d, "tools/call", "\"name\":\"list_sessions\",\"arguments\":{}");
    agent_does(d, "tools/call",
               "\"name\":\"get_metrics\",\"arguments\":{\"session_id\":\"run\",\"points\":5}");
    agent_does(d, "tools/call",
               "\"name\":\"assess_health\",\"arguments\":{\"session_id\":\"run\"}");
    agent_does(d, "tools/call",
               "\"name\":\"compare_sessions\",\"arguments\":{\"session_ids\":[\"run\",\"old\"]}");
    agent_does(d, "tools/call",
               "\"name\":\"set_alert\",\"arguments\":{\"session_id\":\"run\",\"name\":\"r\","
               "\"metric\":\"val_loss\",\"op\":\"lt\",\"value\":0.1}");
    agent_waits(d, "\"name\":\"wait_for_event\",\"arguments\":{\"session_id\":\"run\"}");
    agent_does(d, "tools/call",
               "\"name\":\"request_stop\",\"arguments\":{\"session_id\":\"run\","
               "\"reason\":\"it is flat\"}");
    trainer_reads(d);
    agent_does(d, "resources/read", "\"uri\":\"training://sessions/run/metrics\"");
}

static void operations_come(struct day *d)
{
    posts(d, METHOD_POST, "/api/v1/operations",
          "{\"operation_id\":\"job\",\"operation_type\":\"data_load\",\"metadata\":{\"a\":1}}");
    posts(d, METHOD_POST, "/api/v1/operations/job/metrics", "{\"rows\":7}");
    posts(d, METHOD_POST, "/api/v1/operations/old/metrics", "{\"epoch\":90,\"train_loss\":1}");
    posts(d, METHOD_POST, "/api/training/ingest", "{\"type\":\"complete\",\"sessionId\":\"old\"}");
    gets(d, "/api/v1/operations", "");
    gets(d, "/api/v1/operations/job", "");
    gets(d, "/api/v1/operations/run/metrics", "");
    gets(d, "/api/v1/operations/old/results", "");
    posts(d, METHOD_PATCH, "/api/v1/operations/job/status", "{\"status\":\"completed\"}");
}

static void visitors_read(struct day *d)
{
    static const struct {
        const char *path, *query;
    } pages[] = {
        {"/api/training/sessions", ""},
        {"/api/training/sessions/run", ""},
        {"/api/training/status/run", ""},
        {"/api/training/metrics/run", ""},
        {"/api/training/history/run", ""},
        {"/api/training/history/run", "format=csv&fields=step,train_loss"},
        {"/api/training/history/run", "points=5"},
        {"/api/training/compare", "ids=run,old"},
        {"/api/training/insight/run", ""},
        {"/api/training/control/run", ""},
        {"/api/training/stats", ""},
        {"/api/progress/run", ""},
        {"/openapi.json", ""},
        {"/metrics", ""},
        {"/health", ""},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        gets(d, pages[i].path, pages[i].query);
}

static void all_leave(struct day *d)
{
    struct sink *sinks[] = {&d->plain, &d->engine, &d->stream, &d->asks, &d->agent, &d->waits};
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
        sink_closes(d->w, sinks[i]);
}

/* ---- the day ---- */

static struct world *a_world(void)
{
    struct world *w = world_create();
    w->config.ephemeral = false;
    w->config.max_insights = 4;
    w->config.max_history_bytes = 4096; /* so that history is read back from the disk, too */
    world_begin(w);
    return w;
}

static void open_ingest(struct day *d)
{
    (void)strcpy(d->directory, "/tmp/streamd-life-XXXXXX");
    assert_non_null(mkdtemp(d->directory));
    (void)snprintf(d->path, sizeof(d->path), "%s/socket", d->directory);
    d->w->config.socket_path = d->path;
    d->loop = ev_loop_new(EVFLAG_AUTO);
    d->ingest = unix_ingest_create(&(struct unix_ingest_params){.config = &d->w->config,
                                                                .registry = &d->w->app->registry,
                                                                .decoder = &d->w->app->decoder,
                                                                .stats = &d->w->app->stats,
                                                                .loop = d->loop,
                                                                .now = &d->w->app->now,
                                                                .app = d->w->app});
    assert_non_null(d->ingest);
    d->w->app->control.unix_ingest = d->ingest;
}

static void close_ingest(struct day *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->w->app->control.unix_ingest = NULL;
    unix_ingest_destroy(d->ingest);
    ev_loop_destroy(d->loop);
    (void)rmdir(d->directory);
}

static void a_day(struct day *d)
{
    watchers_come(d);
    trainer_goes_on_to(d, LINES / 4);
    watchers_ask(d);
    posts(d, METHOD_POST, "/api/training/ingest",
          "{\"type\":\"progress\",\"sessionId\":\"old\",\"metrics\":{\"step\":1,\"loss\":1}}");
    agents_come(d);
    trainer_goes_on_to(d, LINES / 2);
    d->refused += d->waits.awaits; /* an event came */
    operations_come(d);
    visitors_read(d);
    posts(d, METHOD_PATCH, "/api/training/sessions/old", "{\"pinned\":true}");
    posts(d, METHOD_PATCH, "/api/training/sessions/old", "{\"pinned\":false}");
    posts(d, METHOD_DELETE, "/api/training/sessions/old", "");
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    trainer_goes_on_to(d, LINES);
    all_leave(d);
}

static void is_answered(struct day *d, const char *path, const char *has)
{
    sink_open(&d->asks, d->w);
    sink_asks(d->w, &d->asks, METHOD_GET, path, "", "");
    if (strncmp(d->asks.heard, "HTTP/1.1 200", 12) != 0 || !strstr(d->asks.heard, has))
        fail_msg("%s: no %s in %s", path, has, d->asks.heard);
    sink_closes(d->w, &d->asks);
}

/* Each step once and in order, as a restarted daemon reads them from the disk. */
static void all_that_was_acked_is_kept(struct day *d)
{
    unsigned expected = 1;
    unsigned step;
    sink_open(&d->asks, d->w);
    sink_asks(d->w, &d->asks, METHOD_GET, "/api/training/history/run",
              "format=csv&fields=step,train_loss", "");
    for (const char *at = strstr(d->asks.heard, "\n1,"); at; at = strchr(at + 1, '\n')) {
        if (sscanf(at, "\n%*u,%*f,%u,", &step) == 1 && step != expected++)
            fail_msg("step %u where %u was due: %s", step, expected - 1, d->asks.heard);
    }
    if (expected != d->acked + 1)
        fail_msg("%u of %u acknowledged: %s", expected - 1, d->acked, d->asks.heard);
    sink_closes(d->w, &d->asks);
}

/* False: no allocation was left to fail. */
static bool fails_at(size_t nth)
{
    static struct day d;
    d = (struct day){.fd = -1, .next = 1};
    d.w = a_world();
    open_ingest(&d);
    oom_fail(nth);
    a_day(&d);
    bool failed = oom_failed();
    is_answered(&d, "/health", "\"status\"");
    is_answered(&d, "/api/training/status/run", "\"run\"");
    if (!failed)
        assert_true(d.orders == 2 && d.refused == 0);
    close_ingest(&d);
    world_advance(d.w, 120 * SECOND);
    assert_int_equal(d.w->app->stats.peers, 0);
    world_crashes(d.w);
    world_begin(d.w);
    all_that_was_acked_is_kept(&d);
    world_destroy(d.w);
    return failed;
}

static void a_day_goes_on_whichever_allocation_fails(void **state)
{
    const char *asked = getenv("STREAMD_OOM_STRIDE");
    size_t stride = asked ? strtoul(asked, NULL, 10) : STRIDE;
    size_t nth = 1;
    (void)state;
    while (fails_at(nth))
        nth += stride ? stride : 1;
    print_message("allocations: fewer than %zu, every %zu. failed\n", nth, stride);
    assert_true(nth > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_goes_on_whichever_allocation_fails),
    };
    return cmocka_run_group_tests_name("flow/out_of_memory_life", tests, NULL, NULL);
}
