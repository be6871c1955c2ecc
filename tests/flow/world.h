/* SPDX-License-Identifier: MIT */
/*
 * world: the whole app in one process, with a clock that a test moves.
 *
 * Trainers say lines, clients (client.h) watch over fake links, time passes when the test says so.
 * After every step the world settles: connections that end are reported, clients read what came
 * and do what clients do (answer pings, poll again, close back), until nothing moves any more. So
 * a test is a list of sentences and what they lead to. Whatever cannot go on ends the test.
 */
#ifndef TESTS_FLOW_WORLD_H
#define TESTS_FLOW_WORLD_H

#include "streamd/app.h"
#include "streamd/ingest/intake.h"
#include "tests/flow/fake_link.h"
#include "tests/support/lasting_store.h"

enum { MS = 1000, SECOND = 1000 * MS };

struct client;

struct world {
    struct config config;
    struct app *app;           /* owns */
    struct outlet *outlet;     /* owns; the app's way to many connections at once */
    struct lasting_store disk; /* where everything is kept, over restarts */
    struct now now;
    unsigned awake; /* wake-ups begun and not ended: only the outermost is one */
    bool settling;
    bool keeps_still; /* nothing is settled after a step: the test does each of them itself */
    bool remote;      /* clients come from another machine from now on */
    const char *authorization; /* the header that they send; NULL: none */
    size_t window;             /* bytes that a new connection takes at first: SIZE_MAX */
    struct intake trainer;
    struct buf answers;      /* what the trainer was told since its last line */
    struct client **clients; /* owns the array and the clients */
    size_t client_count;
    size_t client_cap;
};

/* A world that has not begun: its config may be changed. */
struct world *world_create(void);
void world_begin(struct world *w);

/* Everybody goes, the app is destroyed. */
void world_destroy(struct world *w);

/* The process ends in good order, or all at once; world_begin begins the next one, on what is on
 * disk. Connections break off; clients keep what they have heard and can do nothing any more. */
void world_ends(struct world *w);
void world_crashes(struct world *w);

/* For cmocka: a world with the default config in *state. */
int world_setup(void **state);
int world_teardown(void **state);

/* What is said between these two happens in one wake-up. */
void world_enter(struct world *w);
void world_leave(struct world *w);

/* Time passes, with a wake-up whenever the app wants one and one at the end. */
void world_advance(struct world *w, uint64_t us);

/* Time passes while the process is stopped: one wake-up, at the end. */
void world_jump(struct world *w, uint64_t us);

/* The clock alone moves; nobody notices before the next wake-up. */
void world_pass(struct world *w, uint64_t us);

/* One line of a trainer; it must be taken. */
void trainer_says(struct world *w, const char *line);
void trainer_starts(struct world *w, const char *id);
void trainer_logs(struct world *w, const char *id, unsigned step);
void trainer_ends_model(struct world *w, const char *id, unsigned index);
void trainer_completes(struct world *w, const char *id);

/* The session of that id; the test ends when there is none. */
struct session *world_session(struct world *w, const char *id);

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

#endif
