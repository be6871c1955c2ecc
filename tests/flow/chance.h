/* SPDX-License-Identifier: MIT */
/*
 * chance: what trainers, watchers, disks and time may do to a world, in an order that somebody
 * chooses: numbers that look random (test_property), or the bytes of a fuzzer (fuzz_session).
 *
 * After each step the invariants of the world must hold, every watcher must have heard what the
 * chronicle says and nothing else, and what was acknowledged must be there, restarts included.
 * Whatever does not hold ends the test.
 */
#ifndef TESTS_FLOW_CHANCE_H
#define TESTS_FLOW_CHANCE_H

#include "tests/flow/chronicle.h"
#include "tests/flow/world.h"

/* Who chooses; to be embedded. */
struct choice {
    uint64_t (*below)(struct choice *c, uint64_t n); /* 0 .. n-1, n > 0 */
};

struct chance {
    struct world *world; /* owns */
    struct chronicle chronicle;
    struct choice *choice; /* borrows */
    const char *doing;     /* what happened last; static */
    unsigned step;
    struct intake trainer; /* one who numbers his lines */
    struct buf answers;
    struct {
        uint64_t key; /* of the session it was */
        uint64_t seq;
    } acked[CHRONICLE_SESSIONS];
    struct stats before; /* of the processes before this one, in part */
    unsigned restarts;
    unsigned acks;
    unsigned late; /* watchers who asked for more than memory has */
};

/* A world with narrow limits, so that they are met. */
struct chance *chance_create(struct choice *choice);
void chance_destroy(struct chance *x);

/* Something happens, and all that must hold does. */
void chance_step(struct chance *x);

/* Everybody reads, and a second passes: nothing may be missing then. */
void chance_rest(struct chance *x);

/* Adds this process to x->before. */
void chance_count(struct chance *x);

#endif
