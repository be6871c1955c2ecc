/* SPDX-License-Identifier: MIT */
/*
 * room: who hears a session.
 *
 * A room is a name and a dense array of members; the name is a session's id, or `*` for the
 * lifecycle of every session. Publishing walks the array once and hands each member a reference to
 * the same bytes; it writes nothing. The writing happens once per dirty subscriber and tick
 * (hub_flush), so ten rooms cost a subscriber one write. Members who need nothing but the room's
 * next update are not even handed it: see quiet.h. A room exists while it has members or a session
 * pins it.
 */
#ifndef STREAMD_ROOM_ROOM_H
#define STREAMD_ROOM_ROOM_H

#include "base/list.h"
#include "base/strmap.h"
#include "streamd/encode/message.h"

struct outlet;
struct session;
struct subscriber;

struct member {
    struct subscriber *subscriber; /* borrows */
    int socket;                    /* of a quiet one: where its bytes go */
    uint16_t slot;                 /* which of the subscriber's memberships this is */
    uint8_t form;                  /* of a quiet one: enum form */
};

enum { VOICE_QUEUE = 4 };

/* What the quiet members of one form share. */
struct voice {
    struct refbuf *waiting[VOICE_QUEUE]; /* shares; to be sent at the next flush, in order */
    struct chain_past *past; /* shares; of a deflated form: that of all their connections */
    uint32_t quiet;          /* how many they are */
    uint8_t count;           /* of what waits */
    bool updated;            /* the last that waits is an update: a newer one replaces it */
};

struct room {
    char *name; /* owns */
    size_t name_len;
    struct session *session; /* borrows; NULL while no session has this id */
    struct member *members;  /* owns the array */
    uint32_t count;
    uint32_t cap;
    uint32_t quiet;      /* so many members, the first, are quiet (quiet.h) */
    uint64_t published;  /* offset of the newest update that went to the members */
    struct list waiting; /* in hub.waiting while one waits for the quiet */
    struct voice voices[FORMS];
    struct hub *hub; /* borrows */
};

/* All rooms of the loop, and the subscribers that have something to be written. */
struct hub {
    struct strmap rooms;   /* owns: name → struct room */
    struct list dirty;     /* of subscriber.dirty */
    struct list waiting;   /* of room.waiting */
    struct outlet *outlet; /* borrows; NULL: nobody is ever quiet */
    struct chain *chain;   /* borrows */
    struct stats *stats;   /* borrows */
    size_t max_outbox_bytes;
    size_t max_outbox_messages;
};

void hub_init(struct hub *hub, struct stats *stats, size_t max_outbox_bytes,
              size_t max_outbox_messages, uint64_t seed);
void hub_fini(struct hub *hub);

/* From now on quiet members are written to there. NULL: nobody is quiet any more. */
void hub_set_outlet(struct hub *hub, struct outlet *outlet, struct chain *chain);

/* Writes what waits, once per dirty subscriber (subscriber_ops.flush). */
void hub_flush(struct hub *hub);

/* The room of that name, or NULL. */
struct room *room_find(struct hub *hub, struct span name);

/* The room of that name, made when there is none; NULL when out of memory. */
struct room *room_enter(struct hub *hub, struct span name);

/* The room's name; borrows, valid while the room lives. */
struct span room_name(const struct room *room);

/* The session of this room has come, with this newest offset (or gone: NULL, 0). A room with
 * neither is freed. */
void room_set_session(struct room *room, struct session *session, uint64_t newest);

/* Offsets of this room have gone back to `newest`: replays end, members take every update again. */
void room_renew(struct room *room, uint64_t newest);

/* For subscriber.c: *out_place is the member's index. E_NOMEM: the room may be gone. */
MUST_CHECK enum status room_add_member(struct room *room, struct member member,
                                       uint32_t *out_place);

/* The last member takes the place; a room with neither members nor session is freed. */
void room_remove_member(struct room *room, uint32_t place);

/* progress_update: for each member it replaces the one still waiting. */
void room_publish_update(struct room *room, struct message *m);

/* Anything else: each member gets it in order, after the update that waits. */
void room_publish_event(struct room *room, struct message *m);

/* The same, but not to who is in `other` too and has had it there. `other` may be NULL. */
void room_publish_event_unless(struct room *room, struct message *m, const struct room *other);

/* An event that the next one of its kind makes good: not to who is behind, or is replayed to. */
void room_publish_news(struct room *room, struct message *m);

#endif
