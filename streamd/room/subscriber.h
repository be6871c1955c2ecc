/* SPDX-License-Identifier: MIT */
/*
 * subscriber: one watcher's memberships and what waits to be written to it.
 *
 * Newest wins for values, order holds for events. Events queue in the outbox; of each room at most
 * one update waits beside it, in the membership. When an event of a room comes, that room's waiting
 * update moves into the outbox first, so an event never overtakes an update; one that comes during
 * a replay is held until the replay has passed its place. Past the outbox's cap, held events
 * included, the subscriber is `overflowed` and its owner closes it with a reason.
 *
 * Embedded in struct peer, which gives it the one operation it needs: flush.
 */
#ifndef STREAMD_ROOM_SUBSCRIBER_H
#define STREAMD_ROOM_SUBSCRIBER_H

#include "base/refbuf.h"
#include "streamd/room/room.h"
#include "streamd/room/trail.h"

struct outbox_entry {
    struct refbuf *bytes; /* owns a reference */
    enum finish finish;
};

struct outbox {
    struct outbox_entry *entries; /* owns; ring of cap (power of two), first at head */
    uint32_t head;
    uint32_t count;
    uint32_t cap;
    uint32_t bytes; /* of the entries */
};

struct held_event;
struct replay;

struct membership {
    struct room *room;       /* borrows */
    struct refbuf *waiting;  /* owns a reference; the newest update, NULL when none waits */
    struct held_event *held; /* owns; events that came during the replay, in order */
    uint64_t told;           /* offset of the last update that was sent outside the room's stream */
    struct replay *replay;   /* owns, by way of ops->end_replay; what it reads from the archive */
    struct stream *stream;   /* owns; NULL unless the subscriber has a trail */
    uint32_t place;          /* index in room->members */
    bool fetching;  /* what is to be replayed is on its way: nothing to be written meanwhile */
    bool replaying; /* history after `told` still has to be sent; live updates are left out */
};

struct subscriber;

struct subscriber_ops {
    /* Write what waits, as far as the connection takes it; stays dirty by marking again. */
    void (*flush)(struct subscriber *s);
    /* flush comes soon: ask for the memory it will need. May be NULL. */
    void (*prefetch)(const struct subscriber *s);
    /* Its socket took only so many of the bytes, or none: the rest goes another way. It is not
     * quiet any more. May be NULL where nobody is ever quiet. */
    void (*rest)(struct subscriber *s, struct span rest);
    /* A membership's replay is over, or it has left. May be NULL. */
    void (*end_replay)(struct replay *replay);
};

struct subscriber {
    const struct subscriber_ops *ops; /* borrows */
    struct hub *hub;                  /* borrows */
    struct list dirty;                /* in hub.dirty while something waits */
    struct membership *memberships;   /* owns */
    struct outbox outbox;
    struct chain_end chain; /* of its connection; not while it is quiet: the room knows then */
    struct trail *trail;    /* borrows; NULL unless it may recover */
    uint32_t held;          /* events held by all memberships */
    uint32_t held_bytes;    /* of them */
    uint16_t count;         /* memberships in use */
    uint16_t cap;
    uint16_t scan;     /* where subscriber_take looks for the next waiting update */
    uint16_t quiet_in; /* the membership it is quiet in, while it is */
    uint8_t form;      /* enum form: how this subscriber wants room messages */
    bool quiet;        /* it stands among its room's quiet members (quiet.h) */
    bool overflowed;
};

void subscriber_init(struct subscriber *s, struct hub *hub, const struct subscriber_ops *ops,
                     enum form form);

/* Leaves all rooms and drops what waits. */
void subscriber_fini(struct subscriber *s);

/* OK also when already in; E_LIMIT past max_rooms; E_NOMEM. *out borrows until the next join/leave.
 */
MUST_CHECK enum status subscriber_join(struct subscriber *s, struct span room, size_t max_rooms,
                                       struct membership **out);

/* False when it was not in that room. */
bool subscriber_leave(struct subscriber *s, struct span room);

void subscriber_leave_all(struct subscriber *s);

struct membership *subscriber_find(struct subscriber *s, struct span room);

/* From now on what is sent is noted there, and every message carries its serial; or (NULL) not any
 * more. It is in no room. */
void subscriber_set_trail(struct subscriber *s, struct trail *trail);

/* The membership begins behind the update `sent`; for the trail, if there is one. */
void subscriber_begin(struct subscriber *s, struct membership *m, uint64_t sent,
                      enum stream_answer answer);

/*
 * It is flushed, nothing waits, and its socket takes bytes as they are. If only one room has
 * updates for it, it is quiet there from now on; every other call here but subscriber_waiting
 * rouses it.
 */
void subscriber_hush(struct subscriber *s, int socket);

void subscriber_rouse(struct subscriber *s);

/* A room's newest update for the membership in `slot`: replaces the one that waits. Out of memory
 * leaves the old one. */
void subscriber_update(struct subscriber *s, uint32_t slot, struct message *m);

/*
 * A room's event: queued behind the update that waits or, during a replay, held until that has
 * passed its place. Out of memory overflows.
 */
void subscriber_event(struct subscriber *s, uint32_t slot, struct message *m);

/* Has it taken nearly all that was sent, and is nothing of that membership being replayed? */
bool subscriber_keeps_up(const struct subscriber *s, uint32_t slot);

/* A message for this subscriber alone: queued. `of`: the membership whose update it is, or NULL. */
void subscriber_send(struct subscriber *s, struct membership *of, struct message *m);

/* The replay is about to send the update `offset`: queues the events held for a place before it. */
void subscriber_release(struct subscriber *s, struct membership *m, uint64_t offset);

/* The ordinal of the first event that is held; 0 when none is. */
uint64_t subscriber_first_held(const struct membership *m);

/* The replay has come to its end: queues all that was held, live updates are taken again. */
void subscriber_end_replay(struct subscriber *s, struct membership *m);

/* Would these bytes be queued without overflowing? */
bool subscriber_has_room(const struct subscriber *s, const struct refbuf *bytes);

/* Queues bytes that are no message; takes the reference. NULL counts as out of memory. */
void subscriber_push(struct subscriber *s, struct refbuf *bytes, enum finish finish);

/* From now on room messages come in this form; what waits in the old one goes to the outbox. */
void subscriber_set_form(struct subscriber *s, enum form form);

/* Something waits: hub_flush will call ops->flush. */
void subscriber_mark_dirty(struct subscriber *s);

/* Is anything waiting (outbox, updates, replay)? */
bool subscriber_waiting(const struct subscriber *s);

/*
 * Moves the next thing out, in sending order: outbox, then each room's newest update. The caller
 * owns out->bytes. False when there is nothing (a replay is not counted here).
 */
bool subscriber_take(struct subscriber *s, struct outbox_entry *out);

#endif
