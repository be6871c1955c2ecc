/* SPDX-License-Identifier: MIT */
/*
 * recovery_parts: what recovery.c (its life) and recovery_check.c (from where it goes on) share.
 */
#ifndef STREAMD_TRANSPORT_RECOVERY_PARTS_H
#define STREAMD_TRANSPORT_RECOVERY_PARTS_H

#include "proto/line.h"
#include "streamd/room/trail.h"
#include "streamd/session/registry.h"
#include "streamd/transport/recovery.h"
#include "streamd/transport/socketio.h"

struct journal_event;
struct peers;

enum { PID_LEN = 24 }; /* base64url of 144 random bits */

/* A room its client is in. */
struct kept_room {
    uint64_t key; /* of the session in it; 0: none */
    size_t len;
    char name[SESSION_ID_BYTES_MAX]; /* a session's id, or `*` */
};

struct recovery {
    struct peers *peers;   /* borrows */
    struct engine *engine; /* borrows; owns us. NULL while the client is away */
    struct wait wait;      /* in recoveries.kept meanwhile */
    struct trail trail;
    char *bound; /* owns; the auth it is bound to */
    size_t bound_len;
    struct kept_room *rooms; /* owns count, as of when it went; until recovery_resume */
    struct stream *streams;  /* owns count, of the same rooms */
    size_t count;
    char epoch[REGISTRY_EPOCH_MAX]; /* of the offsets in them */
    bool resumes;                   /* the client is back, and not told yet what it missed */
    char pid[PID_LEN + 1];
    char sid[SOCKETIO_ID_LEN + 1];
};

/* False for a room that cannot be kept: a legacy one has nothing to replay. */
bool kept_room_set(struct kept_room *room, struct span name);
struct span kept_room_name(const struct kept_room *room);

/* Sets the streams to where the client stands. False when it cannot be given all it missed. */
bool recovery_rewind(struct recovery *r, struct span serial);

/* After that: the room in which the client is to hear the event; NULL when it has, or is in none.
 */
const struct kept_room *recovery_room_of(const struct recovery *r, const struct journal_event *e);

#endif
