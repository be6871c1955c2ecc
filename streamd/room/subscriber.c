/* SPDX-License-Identifier: MIT */
/*
 * One waiting update per membership beside one ordered outbox gives both promises without ever
 * searching a queue: replacing is one pointer, and an event first pushes its room's waiting update
 * into the outbox, where nothing is replaced any more. The memory of a watcher that does not read
 * is then at most the outbox's cap plus one shared update a room.
 */
#include "streamd/room/subscriber.h"

#include "streamd/room/quiet.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_CAP = 4, BEHIND_FROM = 8 };

void subscriber_init(struct subscriber *s, struct hub *hub, const struct subscriber_ops *ops,
                     enum form form)
{
    *s = (struct subscriber){.ops = ops, .hub = hub, .form = (uint8_t)form};
    list_init(&s->dirty);
}

/* An event and the place it waits for. */
struct held_event {
    struct held_event *next; /* owns */
    struct refbuf *bytes;    /* owns a reference */
    uint64_t after;          /* offset of the newest update before it */
    struct mark mark;
    enum finish finish;
};

static struct mark mark_of(const struct message *m)
{
    return (struct mark){.serial = m->serial, .offset = m->offset, .ordinal = m->ordinal};
}

static struct outbox_entry *outbox_at(struct outbox *o, uint32_t i)
{
    return &o->entries[(o->head + i) & (o->cap - 1)];
}

void subscriber_leave_all(struct subscriber *s)
{
    while (s->count > 0)
        subscriber_leave(s, room_name(s->memberships[s->count - 1].room));
}

void subscriber_fini(struct subscriber *s)
{
    subscriber_leave_all(s);
    free(s->memberships);
    chain_end_fini(&s->chain);
    for (uint32_t i = 0; i < s->outbox.count; i++)
        refbuf_unref(outbox_at(&s->outbox, i)->bytes);
    free(s->outbox.entries);
    list_remove(&s->dirty);
    s->memberships = NULL;
    s->outbox = (struct outbox){0};
}

/* The one that has updates for it; `*` tells of events alone. NULL when there are several. */
static struct membership *only_membership(const struct subscriber *s)
{
    struct membership *only = NULL;
    for (uint16_t i = 0; i < s->count && s->count <= 2; i++) {
        struct membership *m = &s->memberships[i];
        if (span_is(room_name(m->room), "*"))
            continue;
        if (only)
            return NULL;
        only = m;
    }
    return only;
}

void subscriber_hush(struct subscriber *s, int socket)
{
    struct membership *m = only_membership(s);
    if (s->quiet || s->trail || s->overflowed || !m)
        return;
    s->quiet = quiet_hush(m->room, m->place, socket);
    s->quiet_in = (uint16_t)(m - s->memberships);
}

void subscriber_rouse(struct subscriber *s)
{
    if (!s->quiet)
        return;
    const struct membership *m = &s->memberships[s->quiet_in];
    s->quiet = false;
    quiet_rouse(m->room, m->place);
    if (m->waiting)
        subscriber_mark_dirty(s);
}

struct membership *subscriber_find(struct subscriber *s, struct span room)
{
    for (uint16_t i = 0; i < s->count; i++) {
        if (span_eq(room_name(s->memberships[i].room), room))
            return &s->memberships[i];
    }
    return NULL;
}

static enum status grow_memberships(struct subscriber *s)
{
    uint16_t cap = s->cap ? (uint16_t)(s->cap * 2) : 1;
    struct membership *memberships = realloc(s->memberships, cap * sizeof(*memberships));
    if (!memberships)
        return E_NOMEM;
    s->memberships = memberships;
    s->cap = cap;
    return OK;
}

enum status subscriber_join(struct subscriber *s, struct span name, size_t max_rooms,
                            struct membership **out)
{
    subscriber_rouse(s);
    struct membership *known = subscriber_find(s, name);
    if (known) {
        *out = known;
        return OK;
    }
    if (s->count >= max_rooms || s->count > UINT16_MAX / 2)
        return E_LIMIT;
    if (s->count == s->cap && grow_memberships(s) != OK)
        return E_NOMEM;
    struct room *room = room_enter(s->hub, name);
    if (!room)
        return E_NOMEM;
    struct membership m = {.room = room};
    enum status status =
        room_add_member(room, (struct member){.subscriber = s, .slot = s->count}, &m.place);
    if (status != OK)
        return status;
    if (s->trail)
        m.stream = trail_stream(s->trail, room->session == NULL);
    s->memberships[s->count] = m;
    *out = &s->memberships[s->count++];
    return OK;
}

static void drop_held(struct subscriber *s, struct held_event *held)
{
    while (held) {
        struct held_event *next = held->next;
        s->held--;
        s->held_bytes -= held->bytes->len;
        refbuf_unref(held->bytes);
        free(held);
        held = next;
    }
}

bool subscriber_leave(struct subscriber *s, struct span name)
{
    subscriber_rouse(s);
    struct membership *m = subscriber_find(s, name);
    if (!m)
        return false;
    struct membership gone = *m;
    uint16_t slot = (uint16_t)(m - s->memberships);
    s->count--;
    if (slot < s->count) {
        *m = s->memberships[s->count];
        m->room->members[m->place].slot = slot;
    }
    refbuf_unref(gone.waiting);
    free(gone.stream);
    if (gone.replay)
        s->ops->end_replay(gone.replay);
    drop_held(s, gone.held);
    room_remove_member(gone.room, gone.place);
    return true;
}

void subscriber_set_trail(struct subscriber *s, struct trail *trail)
{
    assert(s->count == 0);
    enum form form = (enum form)s->form;
    if (s->trail)
        form = form_unmarked(form);
    s->form = (uint8_t)(trail ? form_marked(form) : form);
    s->trail = trail;
}

void subscriber_begin(struct subscriber *s, struct membership *m, uint64_t sent,
                      enum stream_answer answer)
{
    if (m->stream)
        trail_joined(s->trail, m->stream, sent, answer);
}

static void note(struct subscriber *s, const struct membership *of, const struct mark *mark)
{
    if (s->trail)
        trail_add(s->trail, of ? of->stream : NULL, mark);
}

void subscriber_mark_dirty(struct subscriber *s)
{
    subscriber_rouse(s);
    if (list_empty(&s->dirty))
        list_add_tail(&s->hub->dirty, &s->dirty);
}

void subscriber_update(struct subscriber *s, uint32_t slot, struct message *message)
{
    struct membership *m = &s->memberships[slot];
    struct refbuf *bytes = message_form(message, (enum form)s->form);
    if (!bytes)
        return;
    if (m->waiting)
        s->hub->stats->messages_superseded++;
    refbuf_unref(m->waiting);
    m->waiting = refbuf_ref(bytes);
    if (m->stream)
        m->stream->update = mark_of(message);
    subscriber_mark_dirty(s);
}

static enum status grow_outbox(struct outbox *o)
{
    uint32_t cap = o->cap ? o->cap * 2 : FIRST_CAP;
    struct outbox_entry *entries = malloc(cap * sizeof(*entries));
    if (!entries)
        return E_NOMEM;
    for (uint32_t i = 0; i < o->count; i++)
        entries[i] = *outbox_at(o, i);
    free(o->entries);
    *o = (struct outbox){.entries = entries, .count = o->count, .cap = cap, .bytes = o->bytes};
    return OK;
}

bool subscriber_has_room(const struct subscriber *s, const struct refbuf *bytes)
{
    const struct outbox *o = &s->outbox;
    uint32_t count = o->count + s->held;
    return bytes && count < s->hub->max_outbox_messages &&
           (count == 0 || o->bytes + s->held_bytes + bytes->len <= s->hub->max_outbox_bytes);
}

static bool outbox_has_slot(struct outbox *o)
{
    return o->count < o->cap || grow_outbox(o) == OK;
}

void subscriber_push(struct subscriber *s, struct refbuf *bytes, enum finish finish)
{
    subscriber_mark_dirty(s);
    if (s->overflowed || !subscriber_has_room(s, bytes) || !outbox_has_slot(&s->outbox)) {
        s->overflowed = true;
        refbuf_unref(bytes);
        return;
    }
    struct outbox *o = &s->outbox;
    o->count++;
    o->bytes += bytes->len;
    *outbox_at(o, o->count - 1) = (struct outbox_entry){bytes, finish};
}

static enum finish finish_of(const struct subscriber *s)
{
    return form_finish((enum form)s->form);
}

void subscriber_send(struct subscriber *s, struct membership *of, struct message *m)
{
    struct refbuf *bytes = message_form(m, (enum form)s->form);
    struct mark mark = mark_of(m);
    subscriber_push(s, bytes ? refbuf_ref(bytes) : NULL, finish_of(s));
    note(s, of, &mark);
}

/* The update that waits goes into the outbox. */
static void push_waiting(struct subscriber *s, struct membership *m)
{
    if (!m->waiting)
        return;
    subscriber_push(s, m->waiting, finish_of(s));
    m->waiting = NULL;
    if (m->stream)
        note(s, m, &m->stream->update);
}

/* Few are ever held, so the end of the list is looked for. */
static void hold(struct subscriber *s, struct membership *m, struct message *message)
{
    struct refbuf *bytes = message_form(message, (enum form)s->form);
    struct held_event *e = subscriber_has_room(s, bytes) ? malloc(sizeof(*e)) : NULL;
    if (!e) {
        s->overflowed = true;
        if (s->trail)
            trail_break(s->trail);
        subscriber_mark_dirty(s);
        return;
    }
    *e = (struct held_event){.bytes = refbuf_ref(bytes),
                             .after = message->after,
                             .mark = mark_of(message),
                             .finish = finish_of(s)};
    struct held_event **at = &m->held;
    while (*at)
        at = &(*at)->next;
    *at = e;
    s->held++;
    s->held_bytes += bytes->len;
}

void subscriber_release(struct subscriber *s, struct membership *m, uint64_t offset)
{
    while (m->held && m->held->after < offset) {
        struct held_event *e = m->held;
        m->held = e->next;
        s->held--;
        s->held_bytes -= e->bytes->len;
        subscriber_push(s, e->bytes, e->finish);
        note(s, m, &e->mark);
        free(e);
    }
}

void subscriber_end_replay(struct subscriber *s, struct membership *m)
{
    if (m->replay)
        s->ops->end_replay(m->replay);
    m->replay = NULL;
    m->fetching = false;
    m->replaying = false;
    subscriber_release(s, m, UINT64_MAX);
}

void subscriber_event(struct subscriber *s, uint32_t slot, struct message *message)
{
    subscriber_rouse(s);
    struct membership *m = &s->memberships[slot];
    if (m->replaying) {
        hold(s, m, message);
        return;
    }
    push_waiting(s, m);
    subscriber_send(s, m, message);
}

bool subscriber_keeps_up(const struct subscriber *s, uint32_t slot)
{
    return !s->memberships[slot].replaying && s->outbox.count < BEHIND_FROM;
}

uint64_t subscriber_first_held(const struct membership *m)
{
    return m->held ? m->held->mark.ordinal : 0;
}

void subscriber_set_form(struct subscriber *s, enum form form)
{
    subscriber_rouse(s);
    chain_end_fini(&s->chain);
    for (uint16_t i = 0; i < s->count; i++)
        push_waiting(s, &s->memberships[i]);
    s->form = (uint8_t)(s->trail ? form_marked(form) : form);
    subscriber_mark_dirty(s);
}

bool subscriber_waiting(const struct subscriber *s)
{
    if (s->outbox.count > 0)
        return true;
    for (uint16_t i = 0; i < s->count; i++) {
        const struct membership *m = &s->memberships[i];
        if (m->waiting || (m->replaying && !m->fetching))
            return true;
    }
    return false;
}

bool subscriber_take(struct subscriber *s, struct outbox_entry *out)
{
    subscriber_rouse(s);
    struct outbox *o = &s->outbox;
    if (o->count > 0) {
        *out = *outbox_at(o, 0);
        o->head = (o->head + 1) & (o->cap - 1);
        o->count--;
        o->bytes -= out->bytes->len;
        if (o->count == 0) {
            free(o->entries);
            *o = (struct outbox){0};
        }
        return true;
    }
    for (uint16_t looked = 0; looked < s->count; looked++) {
        s->scan = s->scan < s->count ? s->scan : 0;
        struct membership *m = &s->memberships[s->scan++];
        if (m->waiting) {
            *out = (struct outbox_entry){m->waiting, finish_of(s)};
            m->waiting = NULL;
            if (m->stream)
                note(s, m, &m->stream->update);
            return true;
        }
    }
    return false;
}
