/* SPDX-License-Identifier: MIT */
/*
 * relay_world: a whole relay in one process, with a clock that the test moves, between a trainer
 * and a hub that the test plays.
 *
 * The sockets and the tunnel's thread are real; what is to come over them is waited for with a
 * deadline. Whatever cannot go on ends the test.
 */
#ifndef TESTS_STREAMD_RELAY_RELAY_WORLD_H
#define TESTS_STREAMD_RELAY_RELAY_WORLD_H

#include "streamd/options.h"
#include "streamd/relay/caller.h"
#include "streamd/relay/relay.h"
#include "tests/clients/c/fake_daemon.h"
#include "tests/streamd/relay/far_hub.h"

enum { MS = 1000, SECOND = 1000 * MS };

struct trainer {
    ev_io readable;
    int fd; /* -1: none */
    bool ended;
    struct buf heard;
};

struct relay_world {
    struct far_hub hub;
    struct fake_daemon place; /* its folders, and what it decodes with */
    struct config config;
    struct stats stats;
    struct timers timers;
    struct now now;
    struct ev_loop *loop;
    struct relay_params params;
    struct relay *relay;
    ev_timer patience;
    struct trainer trainer;
};

static inline void out_of_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
    fail_msg("what is waited for does not come");
}

static inline void relay_begins(struct relay_world *w)
{
    w->relay = relay_create(&w->params);
    assert_non_null(w->relay);
    assert_true(relay_open(w->relay, w->loop));
}

static inline void relay_ends(struct relay_world *w)
{
    relay_close(w->relay);
    relay_destroy(w->relay);
    w->relay = NULL;
}

static inline int relay_world_setup(void **state)
{
    struct relay_world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    far_hub_begin(&w->hub);
    fake_folder(&w->place);
    options_defaults(&w->config);
    log_set_level(LOG_ERROR);
    w->config.socket_path = w->place.path;
    timers_init(&w->timers);
    w->now = (struct now){1000ULL * SECOND, 1700000000.0};
    w->loop = ev_loop_new(EVFLAG_AUTO);
    w->trainer.fd = -1;
    w->params = (struct relay_params){.hub = &w->hub.upstream,
                                      .to = w->hub.upstream.url,
                                      .folder = w->place.spool,
                                      .spool_bytes = 1ULL << 30,
                                      .config = &w->config,
                                      .stats = &w->stats,
                                      .timers = &w->timers,
                                      .decoder = &w->place.decoder,
                                      .now = &w->now,
                                      .seed = 1};
    ev_timer_init(&w->patience, out_of_patience, PATIENCE_MS / 1000.0, 0);
    ev_timer_start(w->loop, &w->patience);
    relay_begins(w);
    *state = w;
    return 0;
}

static inline void trainer_leaves(struct relay_world *w)
{
    if (w->trainer.fd < 0)
        return;
    ev_io_stop(w->loop, &w->trainer.readable);
    (void)close(w->trainer.fd);
    buf_fini(&w->trainer.heard);
    w->trainer.fd = -1;
}

static inline int relay_world_teardown(void **state)
{
    struct relay_world *w = *state;
    trainer_leaves(w);
    relay_ends(w);
    far_hub_end(&w->hub);
    ev_timer_stop(w->loop, &w->patience);
    ev_loop_destroy(w->loop);
    timers_fini(&w->timers);
    fake_end(&w->place);
    free(w);
    return 0;
}

/* ---- its wake-ups ---- */

/* What is due and what has come is handled, and has had its turn. */
static inline void settles(struct relay_world *w)
{
    for (int i = 0; i < 3; i++) {
        timers_run(&w->timers, w->now.us);
        ev_run(w->loop, EVRUN_NOWAIT);
    }
}

static inline void passes(struct relay_world *w, uint64_t us)
{
    w->now.us += us;
    settles(w);
}

/* Until something has come. */
static inline void sleeps(struct relay_world *w)
{
    ev_run(w->loop, EVRUN_ONCE);
    settles(w);
}

/* ---- the trainer ---- */

static inline void trainer_reads(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct trainer *t = LIST_ENTRY(watcher, struct trainer, readable);
    char chunk[4096];
    (void)events;
    ssize_t n = recv(t->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n > 0)
        buf_add(&t->heard, chunk, (size_t)n);
    t->ended = n <= 0;
    if (t->ended)
        ev_io_stop(loop, watcher);
}

/* A process of that id; 0: not known. */
static inline void trainer_comes(struct relay_world *w, int pid)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_true(caller_create(w->relay, ends[1], pid));
    w->trainer = (struct trainer){.fd = ends[0]};
    buf_init(&w->trainer.heard, HEARD_MAX);
    ev_io_init(&w->trainer.readable, trainer_reads, ends[0], EV_READ);
    ev_io_start(w->loop, &w->trainer.readable);
}

static inline void trainer_says(struct relay_world *w, const char *line)
{
    sends(w->trainer.fd, line, strlen(line));
    sends(w->trainer.fd, "\n", 1);
    settles(w);
}

static inline bool trainer_has_heard(const struct relay_world *w, const char *text)
{
    const struct buf *b = &w->trainer.heard;
    return b->len > 0 && memmem(b->ptr, b->len, text, strlen(text));
}

static inline void trainer_hears(struct relay_world *w, const char *text)
{
    while (!trainer_has_heard(w, text)) {
        if (w->trainer.ended)
            fail_msg("\"%s\" does not come", text);
        sleeps(w);
    }
}

/* ---- the hub ---- */

static inline void hub_says(struct relay_world *w, const char *line)
{
    hub_frames(&w->hub, WS_TEXT, line, strlen(line));
    hub_frames(&w->hub, WS_TEXT, "\n", 1);
}

/* The hub takes the connection that is due, and hears that start. */
static inline void hub_takes(struct relay_world *w, const char *start)
{
    if (w->hub.fd >= 0)
        (void)close(w->hub.fd);
    settles(w);
    accepts(&w->hub);
    hub_hears_text(&w->hub, WS_BINARY, start);
}

#define RELAY_TEST(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, relay_world_setup, relay_world_teardown)

#endif
