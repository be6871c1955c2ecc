/* SPDX-License-Identifier: MIT */
/*
 * loop: the one libev loop, its sockets and its signals.
 *
 * Each wake-up: the clock is read once, everything that is ready is handled, then the app leaves:
 * timers, publishing, one write per dirty watcher. SIGTERM or SIGINT drains (no new connections,
 * 1001 to every watcher, at most --drain-timeout-ms); a second one ends at once. SIGHUP reads
 * again what files say (tokens, certificate). SIGUSR1 logs the counters.
 */
#ifndef STREAMD_LOOP_H
#define STREAMD_LOOP_H

#include "streamd/app.h"

struct loop;
struct service;

/* Opens every socket of the config. NULL after logging why. Borrows the app. */
struct loop *loop_create(struct app *app, const struct service *service);

/* Runs until a signal ends it. Answers the exit status. */
int loop_run(struct loop *loop);

void loop_destroy(struct loop *loop);

#endif
