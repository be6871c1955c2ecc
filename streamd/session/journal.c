/* SPDX-License-Identifier: MIT */
/*
 * One list for all sessions rather than one each: it is bounded as a whole, and what a watcher of
 * several rooms missed comes out in the order in which it was said.
 */
#include "streamd/session/journal.h"

#include "base/refbuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void journal_init(struct journal *j)
{
    *j = (struct journal){.count = 0};
    list_init(&j->events);
}

static size_t size_of(const struct journal_event *e)
{
    return sizeof(*e) + e->room_len + e->payload->len;
}

static void drop_first(struct journal *j)
{
    struct journal_event *e = LIST_ENTRY(list_first(&j->events), struct journal_event, link);
    list_remove(&e->link);
    j->count--;
    j->bytes -= size_of(e);
    j->dropped = e->ordinal;
    refbuf_unref(e->payload);
    free(e);
}

static void drop_all(struct journal *j)
{
    while (j->count > 0)
        drop_first(j);
    j->dropped = j->last;
}

void journal_fini(struct journal *j)
{
    drop_all(j);
}

void journal_listen(struct journal *j)
{
    j->listeners++;
}

void journal_unlisten(struct journal *j)
{
    assert(j->listeners > 0);
    if (--j->listeners == 0)
        drop_all(j);
}

static struct journal_event *event_create(struct span room, struct span payload)
{
    struct journal_event *e = malloc(sizeof(*e) + room.len);
    if (!e)
        return NULL;
    *e = (struct journal_event){.payload = refbuf_create(payload), .room_len = room.len};
    if (!e->payload) {
        free(e);
        return NULL;
    }
    memcpy(e->room, room.ptr, room.len);
    return e;
}

uint64_t journal_add(struct journal *j, struct span room, const char *name, struct span payload,
                     uint64_t after)
{
    j->last++;
    struct journal_event *e = j->listeners > 0 ? event_create(room, payload) : NULL;
    if (!e) {
        drop_all(j);
        return j->last;
    }
    e->name = name;
    e->ordinal = j->last;
    e->after = after;
    list_add_tail(&j->events, &e->link);
    j->count++;
    j->bytes += size_of(e);
    while (j->count > JOURNAL_EVENTS_MAX || j->bytes > JOURNAL_BYTES_MAX)
        drop_first(j);
    return j->last;
}

struct span journal_room(const struct journal_event *e)
{
    return (struct span){e->room, e->room_len};
}

const struct journal_event *journal_find(const struct journal *j, struct span room, uint64_t behind)
{
    LIST_EACH (at, &j->events) {
        const struct journal_event *e = LIST_ENTRY(at, struct journal_event, link);
        if (e->ordinal > behind && span_eq(journal_room(e), room))
            return e;
    }
    return NULL;
}
