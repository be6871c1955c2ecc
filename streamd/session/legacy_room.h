/* SPDX-License-Identifier: MIT */
/*
 * legacy_room: the second room of a session, for UIs that still say join_room.
 *
 * They want another shape of progress_update (streaming.md section 8). Whoever asks for it is put
 * into a room of its own beside the session's, so the form costs nothing while nobody does.
 */
#ifndef STREAMD_SESSION_LEGACY_ROOM_H
#define STREAMD_SESSION_LEGACY_ROOM_H

#include "streamd/session/session.h"

struct message;

enum { LEGACY_ROOM_NAME_MAX = SESSION_ID_BYTES_MAX + 8 };

/* The room's name; a '/' keeps it apart from every session id. Answers a span of `name`. */
struct span legacy_room_name(struct span session_id, char name[LEGACY_ROOM_NAME_MAX]);

/* Tells the newest record to the session's legacy room, if there is one. */
void legacy_room_publish(struct session *s);

/* The same for a lifecycle event, as it is told to the session's own room. */
void legacy_room_announce(struct session *s, struct message *event);

#endif
