/* SPDX-License-Identifier: MIT */
/*
 * chronicle: what watchers should have heard, for a world in which chance acts.
 *
 * A chronicler who never chokes sits in the room `*` and hears every event. By what it hears the
 * watchers are judged: each event of its rooms comes to a watcher once, with the same bytes and in
 * the order of its session; offsets only rise; and whoever reads has each newest value when the
 * world has come to rest. Sessions are called s0, s1, ...
 */
#ifndef TESTS_FLOW_CHRONICLE_H
#define TESTS_FLOW_CHRONICLE_H

#include "tests/flow/client.h"

enum { CHRONICLE_SESSIONS = 12 };

struct due_event;

struct watcher {
    struct client *client;              /* borrows */
    uint64_t told[CHRONICLE_SESSIONS];  /* offset of the last update heard */
    uint64_t until[CHRONICLE_SESSIONS]; /* up to this one it is to hear each */
    uint64_t ended[CHRONICLE_SESSIONS]; /* last heard before session_cleanup: not told once more */
    struct due_event *due;              /* owns; not heard yet, in order */
    size_t due_count;
    size_t due_cap;
};

struct chronicle {
    struct world *world;       /* borrows */
    struct client *chronicler; /* borrows */
    struct watcher **watchers; /* owns the array and the watchers */
    size_t count;
    size_t cap;
    size_t events; /* heard by the chronicler so far */
};

/* A chronicle ends with the process it is about. */
void chronicle_begin(struct chronicle *h, struct world *w);
void chronicle_end(struct chronicle *h);

struct watcher *chronicle_add(struct chronicle *h, struct client *c);

/* The peer that serves it, if that is open; else NULL. */
struct peer *watcher_peer(const struct watcher *w);

/* What has come since the last time is judged. Call after everything that may say something. */
void chronicle_read(struct chronicle *h);

/* Everybody reads and time has passed: nothing may be missing. */
void chronicle_at_rest(struct chronicle *h);

#endif
