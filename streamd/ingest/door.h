/* SPDX-License-Identifier: MIT */
/*
 * door: the Unix socket that trainers come in by: who may, and how many.
 *
 * Our own uid, root and --socket-group (unix_peer.h), at most --max-trainers. Who is refused is
 * counted and logged now and then. Embedded in what the trainers come to: the daemon's ingest, a
 * relay.
 */
#ifndef STREAMD_INGEST_DOOR_H
#define STREAMD_INGEST_DOOR_H

#include "streamd/clock.h"
#include "streamd/config.h"
#include "streamd/ingest/listen_unix.h"
#include "streamd/stats.h"

#include <ev.h>

struct door;

/* Takes the connection, in either case. `pid`: at its other end. False: out of memory. */
typedef bool door_admit_fn(struct door *d, int fd, int pid);

/* All borrowed for the door's life. */
struct door_params {
    const struct config *config;
    struct stats *stats;
    struct ev_loop *loop;
    const struct now *now; /* of the present wake-up */
    door_admit_fn *admit;
};

struct door {
    struct door_params params;
    struct listen_unix listening;
    ev_io acceptable;
    int spare_fd;             /* owns; given up to accept and close when there is no other */
    uint64_t refused;         /* not logged yet */
    uint64_t last_refusal_us; /* when one was logged last */
};

/* Binds and listens. False after logging one line that names the path and the reason; door_fini is
 * due in either case. */
bool door_open(struct door *d, const struct door_params *params);

/* Accepts nobody any more. */
void door_close(struct door *d);

/* The same, and removes the socket's file. A door that is all zero was never open. */
void door_fini(struct door *d);

/* As many trainers are connected as may be. */
bool door_is_full(const struct door *d);

#endif
