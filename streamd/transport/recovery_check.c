/* SPDX-License-Identifier: MIT */
/*
 * May a client go on from where it stands? Only if each room has the session it had, if its
 * history and the journal reach back so far, and if the events fit into an outbox at once. Whoever
 * is refused is told, and has `since`; so everything odd is refused rather than thought through.
 */
#include "streamd/session/session.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/recovery_parts.h"

#include <string.h>

bool kept_room_set(struct kept_room *room, struct span name)
{
    if (!session_id_valid(name) && !span_is(name, "*"))
        return false;
    *room = (struct kept_room){.len = name.len};
    memcpy(room->name, name.ptr, name.len);
    return true;
}

struct span kept_room_name(const struct kept_room *room)
{
    return (struct span){room->name, room->len};
}

/* Has the room's session gone since? */
static bool was_cleaned_up(const struct journal *j, struct span room, uint64_t heard)
{
    const struct journal_event *e;
    while ((e = journal_find(j, room, heard)) != NULL) {
        if (strcmp(e->name, "session_cleanup") == 0)
            return true;
        heard = e->ordinal;
    }
    return false;
}

/* Its room had no session: what came since begins behind what the first event says. */
static bool settle_waiting(const struct registry *r, struct span name, struct stream *s, bool live)
{
    const struct journal_event *first = journal_find(&r->journal, name, s->heard);
    if (first && was_cleaned_up(&r->journal, name, s->heard))
        return false;
    s->sent = first ? first->after : 0;
    return live == (first != NULL);
}

/* Of a session that is lost to the disk, memory has all there is. */
static bool has_history(const struct session *s, uint64_t since)
{
    bool in_memory = series_count(s->series) > 0 && series_oldest(s->series) <= since + 1;
    bool on_disk = s->registry->keeping.keeper && !s->lost;
    return since == series_newest(s->series) || in_memory || on_disk;
}

/* Can the stream go on? Sets where it begins when that is known only now. */
static bool settle(const struct recovery *recovery, const struct kept_room *room, struct stream *s)
{
    struct registry *r = recovery->peers->registry;
    struct span name = kept_room_name(room);
    if (s->heard < r->journal.dropped)
        return false;
    if (span_is(name, "*"))
        return true;
    const struct session *session = registry_find(r, name);
    bool live = session && session->state != SESSION_EXPIRED;
    if (s->waits)
        return span_is(span_of(r->epoch), recovery->epoch) && settle_waiting(r, name, s, live);
    if (!session || session->key != room->key ||
        !registry_recovers(r, session, span_of(recovery->epoch), s->sent))
        return false;
    return live ? has_history(session, s->sent) : s->sent == series_newest(session->series);
}

static const struct kept_room *find_room(const struct recovery *r, struct span name,
                                         uint64_t ordinal)
{
    for (size_t i = 0; i < r->count; i++) {
        if (span_eq(kept_room_name(&r->rooms[i]), name))
            return ordinal > r->streams[i].heard ? &r->rooms[i] : NULL;
    }
    return NULL;
}

const struct kept_room *recovery_room_of(const struct recovery *r, const struct journal_event *e)
{
    const struct kept_room *room = find_room(r, journal_room(e), e->ordinal);
    return room ? room : find_room(r, SPAN("*"), e->ordinal);
}

/* The events go into the outbox in one go; half of it is left for what else is said. */
static bool events_fit(const struct recovery *r)
{
    const struct config *config = r->peers->config;
    size_t count = 0;
    size_t bytes = 0;
    LIST_EACH (at, &r->peers->registry->journal.events) {
        const struct journal_event *e = LIST_ENTRY(at, struct journal_event, link);
        if (recovery_room_of(r, e)) {
            count++;
            bytes += e->payload->len;
        }
    }
    return count <= config->max_outbox_messages / 2 && bytes <= config->max_outbox_bytes / 2;
}

bool recovery_rewind(struct recovery *r, struct span text)
{
    uint64_t serial = 0; /* nothing came */
    if (text.len > 0 && !span_u64(text, &serial))
        return false;
    if (trail_rewind(&r->trail, serial, r->streams, r->count) != OK)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        if (!settle(r, &r->rooms[i], &r->streams[i]))
            return false;
    }
    return events_fit(r);
}
