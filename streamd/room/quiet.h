/* SPDX-License-Identifier: MIT */
/*
 * quiet: members who need nothing but what their room tells everybody.
 *
 * Nearly all are, nearly always: nothing waits for them, their connection takes what it is given,
 * and no other room has updates for them. Of those the room itself holds all that a broadcast
 * needs, sixteen bytes a member in a row: the socket and the form. So the update of a tick, and an
 * event, wait once in the room, not once in each membership, and go out past subscriber, peer and
 * link, in one write.
 *
 * Whatever else happens to a quiet subscriber rouses it first (subscriber.c sees to that): what
 * waits in the room is in its outbox and its membership then, in front of what comes, and its chain
 * ends where it really does. It is hushed again by the flush that leaves nothing waiting.
 */
#ifndef STREAMD_ROOM_QUIET_H
#define STREAMD_ROOM_QUIET_H

#include "streamd/room/room.h"

/* May the member at this place be quiet? Then it is, until it is roused. `socket` takes bytes as
 * they are, and nothing is kept back for it. */
bool quiet_hush(struct room *room, uint32_t place, int socket);

/* The member at this place is not quiet any more. It may have moved. */
void quiet_rouse(struct room *room, uint32_t place);

/* None is, from now on. */
void quiet_rouse_all(struct room *room);

/*
 * A message of the room is on its way to all members. False: the quiet have no place for it, or
 * there is no memory, and none is quiet any more. Then it goes to those who are not, and then to
 * the quiet by one of the next two.
 */
bool quiet_takes(struct room *room, struct message *m, bool update);

/* The room's newest update, which replaces the one that waits. */
void quiet_update(struct room *room, struct message *m);

/* An event, behind all that waits. */
void quiet_event(struct room *room, struct message *m);

/* Sends what waits to all quiet members. */
void quiet_flush(struct room *room);

/* The room lets go of all it holds. */
void quiet_fini(struct room *room);

#endif
