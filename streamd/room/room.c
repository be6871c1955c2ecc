/* SPDX-License-Identifier: MIT */
/*
 * The members are an array of (subscriber, slot) so that publishing is one pass over dense memory
 * and leaving is a swap with the last, found through the place that the membership keeps. Nothing
 * is written while the array is walked, so nothing can leave it meanwhile: a subscriber that
 * overflows is only marked and its owner closes it in the flush.
 */
#include "streamd/room/room.h"

#include "streamd/room/outlet.h"
#include "streamd/room/quiet.h"
#include "streamd/room/subscriber.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How many members ahead the walk of a room asks for their memory. */
enum { AHEAD = 8 };

void hub_init(struct hub *hub, struct stats *stats, size_t max_outbox_bytes,
              size_t max_outbox_messages, uint64_t seed)
{
    *hub = (struct hub){
        .stats = stats,
        .max_outbox_bytes = max_outbox_bytes,
        .max_outbox_messages = max_outbox_messages,
    };
    strmap_init(&hub->rooms, seed);
    list_init(&hub->dirty);
    list_init(&hub->waiting);
}

void hub_set_outlet(struct hub *hub, struct outlet *outlet, struct chain *chain)
{
    size_t at = 0;
    struct span name;
    void *room;
    while (strmap_next(&hub->rooms, &at, &name, &room))
        quiet_rouse_all(room);
    hub->outlet = outlet;
    hub->chain = chain;
}

static void room_destroy(struct room *room)
{
    quiet_fini(room);
    free(room->members);
    free(room->name);
    free(room);
}

void hub_fini(struct hub *hub)
{
    size_t at = 0;
    struct span name;
    void *room;
    while (strmap_next(&hub->rooms, &at, &name, &room))
        room_destroy(room);
    strmap_fini(&hub->rooms);
}

/* With thousands of subscribers each is far from the one before it: a tenth of a write's cost
 * beside the kernel's is waiting for this memory. */
static void prefetch(const struct subscriber *s)
{
    __builtin_prefetch(s->memberships);
    __builtin_prefetch(s->dirty.next);
    __builtin_prefetch((const char *)(const void *)s->dirty.next + 64);
    if (s->ops->prefetch)
        s->ops->prefetch(s);
}

static void flush_rooms(struct hub *hub)
{
    struct list *first;
    if (!hub->outlet)
        return;
    while ((first = list_first(&hub->waiting)) != NULL) {
        list_remove(first);
        quiet_flush(LIST_ENTRY(first, struct room, waiting));
    }
    hub->outlet->ops->finish(hub->outlet);
}

void hub_flush(struct hub *hub)
{
    /* Rooms first: who gets the update of this tick by itself may be quiet behind it. */
    flush_rooms(hub);
    /* Who cannot take all of it marks itself again: the list is moved out first so that this ends.
     */
    struct list now;
    list_move(&now, &hub->dirty);
    struct list *first;
    while ((first = list_first(&now)) != NULL) {
        struct subscriber *s = LIST_ENTRY(first, struct subscriber, dirty);
        if (first->next != &now)
            prefetch(LIST_ENTRY(first->next, struct subscriber, dirty));
        list_remove(first);
        s->ops->flush(s);
    }
}

struct room *room_find(struct hub *hub, struct span name)
{
    return strmap_find(&hub->rooms, name);
}

struct span room_name(const struct room *room)
{
    return (struct span){room->name, room->name_len};
}

static struct room *room_create(struct hub *hub, struct span name)
{
    struct room *room = calloc(1, sizeof(*room));
    if (!room)
        return NULL;
    room->hub = hub;
    list_init(&room->waiting);
    room->name_len = name.len;
    room->name = malloc(name.len + 1);
    if (!room->name || strmap_put(&hub->rooms, name, room) != OK) {
        room_destroy(room);
        return NULL;
    }
    memcpy(room->name, name.ptr, name.len);
    room->name[name.len] = '\0';
    hub->stats->rooms++;
    return room;
}

struct room *room_enter(struct hub *hub, struct span name)
{
    struct room *room = room_find(hub, name);
    return room ? room : room_create(hub, name);
}

static void free_if_unused(struct room *room)
{
    if (room->count > 0 || room->session)
        return;
    strmap_take(&room->hub->rooms, room_name(room));
    room->hub->stats->rooms--;
    room_destroy(room);
}

/* What comes next may have any offset. */
static void forget_offsets(struct subscriber *s, struct membership *m)
{
    subscriber_end_replay(s, m);
    m->told = 0;
}

static struct membership *membership_at(const struct room *room, uint32_t i)
{
    return &room->members[i].subscriber->memberships[room->members[i].slot];
}

void room_renew(struct room *room, uint64_t newest)
{
    room->published = 0;
    for (uint32_t i = 0; i < room->count; i++) {
        struct subscriber *s = room->members[i].subscriber;
        struct membership *m = membership_at(room, i);
        forget_offsets(s, m);
        if (m->stream)
            trail_renewed(s->trail, m->stream, newest);
    }
}

void room_set_session(struct room *room, struct session *session, uint64_t newest)
{
    room->published = 0;
    for (uint32_t i = 0; i < room->count; i++) {
        struct subscriber *s = room->members[i].subscriber;
        struct membership *m = membership_at(room, i);
        if (!session)
            forget_offsets(s, m); /* the next session of this name counts them anew */
        if (m->stream && session)
            trail_session_came(s->trail, m->stream, newest);
        else if (m->stream)
            trail_session_gone(s->trail, m->stream);
    }
    room->session = session;
    free_if_unused(room);
}

enum status room_add_member(struct room *room, struct member member, uint32_t *out_place)
{
    if (room->count == room->cap) {
        uint32_t cap = room->cap ? room->cap * 2 : 4;
        struct member *members = realloc(room->members, cap * sizeof(*members));
        if (!members) {
            free_if_unused(room);
            return E_NOMEM;
        }
        room->members = members;
        room->cap = cap;
    }
    *out_place = room->count;
    room->members[room->count++] = member;
    return OK;
}

void room_remove_member(struct room *room, uint32_t place)
{
    assert(place >= room->quiet && place < room->count);
    struct member last = room->members[--room->count];
    if (place < room->count) {
        room->members[place] = last;
        last.subscriber->memberships[last.slot].place = place;
    }
    free_if_unused(room);
}

void room_publish_update(struct room *room, struct message *m)
{
    (void)quiet_takes(room, m, true);
    for (uint32_t i = room->quiet; i < room->count; i++) {
        struct subscriber *s = room->members[i].subscriber;
        if (i + AHEAD < room->count)
            __builtin_prefetch(room->members[i + AHEAD].subscriber);
        if (i + AHEAD / 2 < room->count)
            __builtin_prefetch(room->members[i + AHEAD / 2].subscriber->memberships, 1);
        const struct membership *of = &s->memberships[room->members[i].slot];
        if (of->replaying || m->offset <= of->told)
            continue; /* it had this one, or gets it from history */
        subscriber_update(s, room->members[i].slot, m);
    }
    quiet_update(room, m);
    room->hub->stats->messages_bytes_plain += room->count * message_plain_bytes(m);
}

static bool is_in(const struct subscriber *s, const struct room *room)
{
    for (uint16_t i = 0; i < s->count; i++) {
        if (s->memberships[i].room == room)
            return true;
    }
    return false;
}

void room_publish_event(struct room *room, struct message *m)
{
    room_publish_event_unless(room, m, NULL);
}

void room_publish_news(struct room *room, struct message *m)
{
    struct stats *stats = room->hub->stats;
    (void)quiet_takes(room, m, false);
    for (uint32_t i = room->quiet; i < room->count; i++) {
        struct subscriber *s = room->members[i].subscriber;
        if (!subscriber_keeps_up(s, room->members[i].slot))
            continue;
        subscriber_event(s, room->members[i].slot, m);
        stats->messages_bytes_plain += message_plain_bytes(m);
    }
    stats->messages_bytes_plain += room->quiet * message_plain_bytes(m);
    quiet_event(room, m);
}

void room_publish_event_unless(struct room *room, struct message *m, const struct room *other)
{
    struct stats *stats = room->hub->stats;
    if (other)
        quiet_rouse_all(room); /* each has to be asked where else it is */
    (void)quiet_takes(room, m, false);
    for (uint32_t i = room->quiet; i < room->count; i++) {
        struct subscriber *s = room->members[i].subscriber;
        if (other && is_in(s, other))
            continue;
        subscriber_event(s, room->members[i].slot, m);
        stats->messages_bytes_plain += message_plain_bytes(m);
    }
    stats->messages_bytes_plain += room->quiet * message_plain_bytes(m);
    quiet_event(room, m);
}
