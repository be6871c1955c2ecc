/* SPDX-License-Identifier: MIT */
/*
 * recovering: what the tests of connection state recovery share.
 */
#ifndef TESTS_FLOW_RECOVERING_H
#define TESTS_FLOW_RECOVERING_H

#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static inline void logs(struct world *w, const char *id, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to; step++)
        trainer_logs(w, id, step);
}

static inline void hears_steps(struct client *c, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to; step++)
        client_hears_step(c, step);
}

/* Is it the client that it was before? */
static inline bool came_back(const struct client *c, const struct client *before)
{
    bool same = strcmp(c->pid, before->pid) == 0;
    assert_true(same == (strcmp(c->id, before->id) == 0));
    return same;
}

/* In the room, with all read that came with it. The session has begun. */
static inline struct client *watches(struct world *w, enum tongue tongue, const char *session)
{
    struct client *c = client_recovers(w, tongue, NULL);
    client_subscribes(c, session);
    (void)client_counts(c, "");
    return c;
}

/* The clients here want every record. */
static inline struct world *unthrottled(void)
{
    struct world *w = world_create();
    w->config.throttle = false;
    return w;
}

/* A run is there, and nobody watches. */
static inline int recovering_setup(void **state)
{
    *state = unthrottled();
    world_begin(*state);
    trainer_starts(*state, "run");
    return 0;
}

#define RUN_TEST(test) cmocka_unit_test_setup_teardown(test, recovering_setup, world_teardown)

#endif
