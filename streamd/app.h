/* SPDX-License-Identifier: MIT */
/*
 * app: the daemon, whole, without its sockets.
 *
 * Creates every module in the order data flows and destroys them in reverse. The loop (or a test)
 * tells it that something happened and what time it is; it never asks. All state hangs here and
 * none is global.
 */
#ifndef STREAMD_APP_H
#define STREAMD_APP_H

#include "base/timers.h"
#include "proto/line.h"
#include "streamd/auth/guard.h"
#include "streamd/config.h"
#include "streamd/encode/message.h"
#include "streamd/http/assets.h"
#include "streamd/http/trainer_command.h"
#include "streamd/ingest/control.h"
#include "streamd/lag.h"
#include "streamd/mcp/mcp.h"
#include "streamd/mcp/training_changes.h"
#include "streamd/room/room.h"
#include "streamd/session/registry.h"
#include "streamd/stats.h"
#include "streamd/transport/peers.h"

struct relay;
struct route;
struct store;

struct app {
    const struct config *config; /* borrows */
    struct stats stats;
    struct lag lag; /* the loop's */
    struct timers timers;
    struct guard guard; /* who may do what */
    struct encoder encoder;
    struct hub hub;
    struct line_decoder decoder;
    struct registry registry;
    struct peers peers;
    struct assets *assets;           /* owns */
    struct mcp mcp;                  /* the agents' door */
    struct training_changes changes; /* what those who subscribed there are told */
    struct control control;          /* who can be told what to do; owns its trainers */
    struct relay *relay;             /* borrows; NULL: this is the daemon, not a relay */
    const struct route *more_routes; /* borrows; rows of a test's own, or NULL */
    int wake_fd;                     /* owns; readable: app_receive has something to do */
    struct now now;                  /* of this wake-up */
    struct now started;
};

struct app_params {
    const struct config *config; /* borrows */
    struct store *store;         /* takes; where everything is kept. NULL: nowhere (tests) */
    bool inline_store; /* the store's work is done in app_leave and app_receive, without a thread:
                        * tests */
};

/* NULL after logging why. */
struct app *app_create(const struct app_params *params, struct now now);
void app_destroy(struct app *app);

/* A wake-up begins: every call until app_leave sees this time (going back is an assert), and what
 * is overdue has happened before any of them. */
void app_enter(struct app *app, struct now now);

/* wake_fd was readable. */
void app_receive(struct app *app);

/* Is everything that was taken in on disk, or is the disk in trouble? */
bool app_is_kept(const struct app *app);

/* The wake-up ends: publish, then one write per dirty watcher, then reap. */
void app_leave(struct app *app);

/* That wake-up is over, and everything of it done. */
void app_left(struct app *app, uint64_t now_us);

/* Brings those figures of `stats` up to date that are not counted as they happen. */
void app_measure(struct app *app);

/* When app_enter/app_leave must be called next at the latest; UINT64_MAX: no need. */
uint64_t app_next_us(const struct app *app);

#endif
