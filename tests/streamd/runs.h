/* SPDX-License-Identifier: MIT */
/*
 * runs: some training runs in a world, for the tests of the routes that show them.
 */
#ifndef TESTS_STREAMD_RUNS_H
#define TESTS_STREAMD_RUNS_H

#include "tests/support/http_world.h"

/* run-0, run-1, ... a second apart. */
static inline void start_runs(struct world *w, int count)
{
    char line[128];
    for (int i = 0; i < count; i++) {
        (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"run-%d\"}", i);
        world_line(w, line);
        world_pass(w, 1);
    }
}

static inline void progress(struct world *w, const char *id, double loss, int step)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\","
                   "\"metrics\":{\"loss\":%.17g,\"step\":%d}}",
                   id, loss, step);
    world_line(w, line);
}

#endif
