/* SPDX-License-Identifier: MIT */
/*
 * A check watcher of the highest priority reads the clock before any other watcher of the wake-up
 * runs, a prepare watcher leaves the app before the loop sleeps again. So whatever came in during
 * one wake-up, from however many trainers and watchers, is published and written once, at its end.
 */
#include "streamd/loop.h"

#include "streamd/ingest/unix.h"
#include "streamd/log.h"
#include "streamd/mcp/pipe.h"
#include "streamd/relay/relay.h"
#include "streamd/service.h"
#include "streamd/transport/lws_server.h"

#include <assert.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIGNALS = 5 };

struct loop {
    struct app *app; /* borrows */
    struct ev_loop *ev;
    struct lws_server *server; /* owns */
    ev_check check;
    ev_prepare prepare;
    ev_io wake;
    ev_timer timer;
    ev_timer drain;
    ev_signal signals[SIGNALS];
    bool awake; /* the check watcher ran: the prepare watcher ends a wake-up, not the start */
    bool draining;
    int status;
};

static void on_check(struct ev_loop *ev, ev_check *w, int events)
{
    (void)ev;
    (void)events;
    struct loop *loop = w->data;
    app_enter(loop->app, clock_read());
    loop->awake = true;
}

static bool drained(const struct loop *loop)
{
    const struct stats *stats = &loop->app->stats;
    if (!loop->draining || lws_server_expects(loop->server))
        return false;
    bool idle = stats->peers == 0 && stats->transfers == 0 && app_is_kept(loop->app);
    return idle && (!loop->app->relay || relay_is_drained(loop->app->relay));
}

static void on_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)events;
    struct loop *loop = w->data;
    app_leave(loop->app);
    if (loop->awake)
        app_left(loop->app, clock_read().us);
    if (drained(loop)) {
        ev_break(ev, EVBREAK_ALL);
        return;
    }
    uint64_t next = app_next_us(loop->app); /* UINT64_MAX is some time, too */
    uint64_t now = loop->app->now.us;
    loop->timer.repeat = next > now ? (double)(next - now) * 1e-6 : 1e-6;
    ev_timer_again(ev, &loop->timer);
}

/* The wake-up itself is all that is wanted: the prepare watcher runs what is due. */
static void on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev;
    (void)w;
    (void)events;
}

static void on_wake(struct ev_loop *ev, ev_io *w, int events)
{
    (void)ev;
    (void)events;
    struct loop *loop = w->data;
    app_receive(loop->app);
}

static void on_drain_timeout(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)events;
    struct loop *loop = w->data;
    log_warn("loop", "drain timeout peers=%llu", (unsigned long long)loop->app->stats.peers);
    ev_break(ev, EVBREAK_ALL);
}

static void drain(struct loop *loop, int signum)
{
    if (loop->draining) {
        log_info("loop", "second signal=%d: leaving at once", signum);
        ev_break(loop->ev, EVBREAK_ALL);
        return;
    }
    log_info("loop", "signal=%d: draining peers=%llu", signum,
             (unsigned long long)loop->app->stats.peers);
    loop->draining = true;
    service_tell("STOPPING=1");
    lws_server_drain(loop->server);
    keeping_flush(&loop->app->registry.keeping);
    if (loop->app->relay)
        relay_drain(loop->app->relay);
    else
        unix_ingest_drain(loop->app->control.unix_ingest);
    registry_publish_all(&loop->app->registry, loop->app->now.us);
    peers_drain(&loop->app->peers);
    mcp_drain(&loop->app->mcp);
    double seconds = (double)loop->app->config->drain_timeout_ms * 1e-3;
    ev_timer_init(&loop->drain, on_drain_timeout, seconds, 0);
    loop->drain.data = loop;
    ev_timer_start(loop->ev, &loop->drain);
}

/* Several to a line: a socket in the place of stderr, as under a service manager, holds some fifty
 * lines that are not read yet, however short, and what it cannot take is dropped. */
static void log_counters(struct app *app)
{
    enum { A_LINE = 8, ROOM = A_LINE * 64 };
    app_measure(app);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
#define COUNTER_ROW(name, help) {#name, app->stats.name},
        STATS_TABLE(COUNTER_ROW, COUNTER_ROW)
#undef COUNTER_ROW
    };
    char line[ROOM];
    size_t len = 0;
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    for (size_t i = 0; i < count; i++) {
        int n = snprintf(line + len, ROOM - len, " %s=%llu", rows[i].name,
                         (unsigned long long)rows[i].value);
        len += (size_t)n;
        assert(len < ROOM);
        if ((i + 1) % A_LINE == 0 || i + 1 == count) {
            log_info("stats", "%s", line + 1);
            len = 0;
        }
    }
}

/* What files say is read again; options are not. */
static void reload(struct loop *loop)
{
    log_info("loop", "SIGHUP: reading the files of the options again");
    guard_reload(&loop->app->guard);
    peers_review(&loop->app->peers);
    mcp_review(&loop->app->mcp);
    lws_server_reload(loop->server);
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
    (void)ev;
    (void)events;
    struct loop *loop = w->data;
    switch (w->signum) {
    case SIGTERM:
    case SIGINT:
        drain(loop, w->signum);
        break;
    case SIGHUP:
        reload(loop);
        break;
    case SIGUSR1:
        log_counters(loop->app);
        break;
    case SIGCHLD:
        if (loop->app->control.trainers)
            trainer_command_reap(loop->app->control.trainers, loop->app->now);
        break;
    }
}

static void watch_signals(struct loop *loop)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNALS; i++) {
        ev_signal_init(&loop->signals[i], on_signal, numbers[i]);
        loop->signals[i].data = loop;
        ev_signal_start(loop->ev, &loop->signals[i]);
    }
}

static void watch_wakeups(struct loop *loop)
{
    ev_check_init(&loop->check, on_check);
    ev_set_priority(&loop->check, EV_MAXPRI);
    loop->check.data = loop;
    ev_check_start(loop->ev, &loop->check);
    ev_prepare_init(&loop->prepare, on_prepare);
    loop->prepare.data = loop;
    ev_prepare_start(loop->ev, &loop->prepare);
    ev_timer_init(&loop->timer, on_timer, 0, 0);
}

static void watch_keeper(struct loop *loop)
{
    ev_io_init(&loop->wake, on_wake, loop->app->wake_fd, EV_READ);
    loop->wake.data = loop;
    ev_io_start(loop->ev, &loop->wake);
}

static bool open_ingest(struct loop *loop)
{
    struct app *app = loop->app;
    app->control.unix_ingest = unix_ingest_create(&(struct unix_ingest_params){
        .config = app->config,
        .registry = &app->registry,
        .decoder = &app->decoder,
        .stats = &app->stats,
        .loop = loop->ev,
        .now = &app->now,
        .app = app,
        .guest = mcp_pipe_take,
    });
    return app->control.unix_ingest != NULL;
}

struct loop *loop_create(struct app *app, const struct service *service)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return NULL;
    loop->app = app;
    loop->ev = ev_loop_new(EVFLAG_AUTO);
    if (!loop->ev)
        goto fail;
    watch_signals(loop);
    watch_wakeups(loop);
    watch_keeper(loop);
    if (!(app->relay ? relay_open(app->relay, loop->ev) : open_ingest(loop)))
        goto fail;
    loop->server = lws_server_create(app, loop->ev, service);
    if (!loop->server)
        goto fail;
    return loop;
fail:
    loop_destroy(loop);
    return NULL;
}

int loop_run(struct loop *loop)
{
    service_tell("READY=1");
    ev_run(loop->ev, 0);
    return loop->status;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->ev) {
        ev_prepare_stop(loop->ev, &loop->prepare);
        lws_server_destroy(loop->server);
        mcp_pipes_destroy(&loop->app->mcp);
        if (loop->app->control.unix_ingest)
            unix_ingest_destroy(loop->app->control.unix_ingest);
        loop->app->control.unix_ingest = NULL;
        if (loop->app->relay)
            relay_close(loop->app->relay);
        peers_reap(&loop->app->peers);
        ev_loop_destroy(loop->ev);
    }
    free(loop);
}
