/* SPDX-License-Identifier: MIT */
/*
 * session_life: how a session comes, changes its state and goes.
 *
 * Only the registry and the session's own files call these: the registry alone creates, renews and
 * ends sessions, because it alone knows who is found by which id.
 */
#ifndef STREAMD_SESSION_SESSION_LIFE_H
#define STREAMD_SESSION_SESSION_LIFE_H

#include "streamd/session/session.h"

/* STARTING, in no list and no room yet. NULL when out of memory. */
struct session *session_create(struct registry *registry, struct span id);

/* Leaves room and lists, empties the handles; announces nothing. */
void session_destroy(struct session *s);

/*
 * What a `start` line does. session_begin begins anew: offsets go on, everything else is forgotten.
 * session_take_up goes on where the session was; what the line leaves out is kept. A finished one
 * stays so until something new is said: its trainer may only want to know whether its `complete`
 * came through. E_NOMEM: nothing has changed.
 */
MUST_CHECK enum status session_begin(struct session *s, const struct line *start, struct now now);
MUST_CHECK enum status session_take_up(struct session *s, const struct line *start, struct now now);

/* False when out of memory; an absent text is none. */
bool session_copy_text(struct span text, char **out);

/* Rewinds that another makes superfluous are dropped. False when out of memory. */
bool session_add_rewind(struct session *s, struct rewind rewind);

/* Pins the room of its id to it. OK also when it has one already; E_NOMEM. */
MUST_CHECK enum status session_enter_room(struct session *s);

/* Offsets have gone back: watchers are told so, and forget which ones they had. */
void session_renew_room(struct session *s);

/* Unpacks the newest record of a restored session into its series. */
void session_recall(struct session *s);

/* session_cleanup to the room, which is then left; only history remains. */
void session_expire(struct session *s);

/* The picture in session.h, as a table. */
bool session_may_enter(enum session_state from, enum session_state to);

/* The one place where the state changes. Asserts session_may_enter; keeps the registry's lists. */
void session_enter(struct session *s, enum session_state next);

/* Something that status or metrics would show has changed. */
void session_touch(struct session *s, struct now now);

/* Takes models_completed and total_models from the memory of records. */
void session_count_models(struct session *s);

void session_announce_cleanup(struct session *s);
void session_announce_started(struct session *s, struct now now);

#endif
