/* SPDX-License-Identifier: MIT */
/*
 * The quiet are the first `room->quiet` members, so a broadcast is a walk over dense memory and
 * hushing or rousing one is a swap. The walk goes from the last to the first: who is roused by a
 * send that was not taken whole changes places with one that has been served.
 *
 * All quiet members of a compressed form are at the same past (voice.past), that of the first of
 * them, or they would not be quiet; so one frame serves them all, and only one of them has to be
 * asked what it may refer to: the room.
 */
#include "streamd/room/quiet.h"

#include "streamd/room/outlet.h"
#include "streamd/room/subscriber.h"

#include <assert.h>

static struct membership *membership_at(const struct room *room, uint32_t place)
{
    const struct member *m = &room->members[place];
    return &m->subscriber->memberships[m->slot];
}

static void exchange(struct room *room, uint32_t a, uint32_t b)
{
    struct member held = room->members[a];
    room->members[a] = room->members[b];
    room->members[b] = held;
    membership_at(room, a)->place = a;
    membership_at(room, b)->place = b;
}

static bool is_deflated(enum form form)
{
    return form_finish(form) == FINISH_DEFLATE;
}

/* Only frames that are the same for many, and no polls: those are asked for one by one. */
static bool is_shared(enum form form)
{
    return form == FORM_SOCKETIO || form == FORM_PLAIN || form == FORM_SOCKETIO_DEFLATED ||
           form == FORM_PLAIN_DEFLATED;
}

static bool may_hush(const struct room *room, const struct subscriber *s,
                     const struct membership *m)
{
    enum form form = (enum form)s->form;
    const struct voice *voice = &room->voices[form];
    bool idle = !m->waiting && !m->held && !m->replaying && !m->replay && s->outbox.count == 0 &&
                list_empty(&s->dirty);
    const struct chain_past *past = s->chain.past;
    bool together = !is_deflated(form) || (past && (voice->quiet == 0 || past == voice->past));
    return idle && together && is_shared(form) && voice->count == 0 && m->told <= room->published &&
           room->hub->outlet;
}

bool quiet_hush(struct room *room, uint32_t place, int socket)
{
    struct member *m = &room->members[place];
    assert(place >= room->quiet);
    if (!may_hush(room, m->subscriber, membership_at(room, place)))
        return false;
    m->socket = socket;
    m->form = m->subscriber->form;
    struct voice *voice = &room->voices[m->form];
    if (voice->quiet++ == 0)
        voice->past = chain_past_ref(m->subscriber->chain.past);
    exchange(room, place, room->quiet++);
    return true;
}

static void set_past(struct chain_past **held, struct chain_past *to)
{
    struct chain_past *old = *held;
    *held = chain_past_ref(to);
    chain_past_unref(old);
}

/* What the room did for it meanwhile is known to the subscriber again, and so is what waits. */
static void hand_back(const struct room *room, uint32_t place)
{
    struct subscriber *s = room->members[place].subscriber;
    const struct voice *voice = &room->voices[room->members[place].form];
    enum finish finish = form_finish((enum form)s->form);
    if (finish == FINISH_DEFLATE)
        set_past(&s->chain.past, voice->past);
    for (unsigned i = 0; i + voice->updated < voice->count; i++)
        subscriber_push(s, refbuf_ref(voice->waiting[i]), finish);
    if (voice->updated)
        membership_at(room, place)->waiting = refbuf_ref(voice->waiting[voice->count - 1]);
}

void quiet_rouse(struct room *room, uint32_t place)
{
    assert(place < room->quiet);
    hand_back(room, place);
    struct voice *voice = &room->voices[room->members[place].form];
    if (--voice->quiet == 0)
        set_past(&voice->past, NULL);
    exchange(room, place, --room->quiet);
}

void quiet_rouse_all(struct room *room)
{
    while (room->quiet > 0)
        subscriber_rouse(room->members[room->quiet - 1].subscriber);
}

static void replace(struct refbuf **held, struct refbuf *by)
{
    struct refbuf *old = *held;
    *held = by ? refbuf_ref(by) : NULL;
    refbuf_unref(old);
}

static struct refbuf **place_for(struct voice *voice, bool update)
{
    bool replaces = update && voice->updated;
    voice->updated = update;
    return &voice->waiting[replaces ? voice->count - 1 : voice->count++];
}

static void add(struct room *room, struct message *m, bool update)
{
    struct hub *hub = room->hub;
    for (enum form form = 0; form < FORMS && hub->outlet; form++) {
        struct voice *voice = &room->voices[form];
        struct refbuf *bytes = voice->quiet > 0 ? message_form(m, form) : NULL;
        if (!bytes)
            continue; /* nobody to hear it; or no memory: the older update will do */
        if (update && voice->updated)
            hub->stats->messages_superseded += voice->quiet;
        replace(place_for(voice, update), bytes);
        if (list_empty(&room->waiting))
            list_add_tail(&hub->waiting, &room->waiting);
    }
}

static bool may_wait(const struct voice *voice, enum form form, struct message *m, bool update)
{
    if (update && (voice->updated || voice->count < VOICE_QUEUE))
        return true;
    return voice->count < VOICE_QUEUE && message_form(m, form);
}

bool quiet_takes(struct room *room, struct message *m, bool update)
{
    bool takes = true;
    for (enum form form = 0; form < FORMS; form++) {
        const struct voice *voice = &room->voices[form];
        takes = takes && (voice->quiet == 0 || may_wait(voice, form, m, update));
    }
    if (!takes)
        quiet_rouse_all(room);
    return takes;
}

void quiet_update(struct room *room, struct message *m)
{
    room->published = m->offset;
    add(room, m, true);
}

void quiet_event(struct room *room, struct message *m)
{
    add(room, m, false);
}

static void forget_waiting(struct voice *voice)
{
    while (voice->count > 0)
        replace(&voice->waiting[--voice->count], NULL);
    voice->updated = false;
}

/* Takes both; NULL when either is, or for want of memory. */
static struct refbuf *join(struct refbuf *first, struct refbuf *second)
{
    bool both = first && second;
    struct refbuf *joined = both ? refbuf_create2(refbuf_span(first), refbuf_span(second)) : NULL;
    refbuf_unref(first);
    refbuf_unref(second);
    return joined;
}

/* A text that waits, compressed for the quiet and whoever else is at their past. Held here once
 * more, because one that nobody else holds is taken for one that only one client gets. */
static struct refbuf *compress(const struct room *room, struct chain_end *end, struct refbuf *text)
{
    struct refbuf *held = refbuf_ref(text);
    struct refbuf *frame = chain_next(room->hub->chain, end, held);
    refbuf_unref(held);
    return frame;
}

/* All that waits in this form as it goes on the wire; *end is moved past it. NULL: no memory. */
static struct refbuf *build_frames(const struct room *room, enum form form, struct chain_end *end)
{
    const struct voice *voice = &room->voices[form];
    struct refbuf *all = NULL;
    for (unsigned i = 0; i < voice->count && (i == 0 || all); i++) {
        struct refbuf *text = voice->waiting[i];
        struct refbuf *frame = is_deflated(form) ? compress(room, end, text) : refbuf_ref(text);
        all = i == 0 ? frame : join(all, frame);
    }
    return all;
}

/* The others may have been served already. */
static void rouse_form(struct room *room, enum form form)
{
    for (uint32_t i = room->quiet; i-- > 0;) {
        if (room->members[i].form == form)
            subscriber_rouse(room->members[i].subscriber);
    }
}

/* What the quiet members of a form get, who have it from now on. NULL when there are none, or no
 * memory: they are roused then, and get it as everybody else does. */
static struct refbuf *take_frames(struct room *room, enum form form)
{
    struct voice *voice = &room->voices[form];
    if (voice->quiet == 0)
        return NULL;
    struct chain_end end = {.past = chain_past_ref(voice->past), .follows = true};
    struct refbuf *frames = build_frames(room, form, &end);
    if (frames)
        set_past(&voice->past, end.past);
    else
        rouse_form(room, form);
    chain_end_fini(&end);
    return frames;
}

static void send(struct room *room, struct refbuf *const frames[FORMS])
{
    struct outlet *outlet = room->hub->outlet;
    for (uint32_t i = room->quiet; i-- > 0;) {
        const struct member *m = &room->members[i];
        if (frames[m->form])
            outlet->ops->send(outlet, m->socket, frames[m->form], m->subscriber);
    }
}

void quiet_flush(struct room *room)
{
    struct refbuf *frames[FORMS] = {NULL};
    struct stats *stats = room->hub->stats;
    for (enum form form = 0; form < FORMS; form++) {
        struct voice *voice = &room->voices[form];
        if (voice->count == 0)
            continue;
        frames[form] = take_frames(room, form);
        if (frames[form]) {
            stats->writes += voice->quiet;
            stats->messages_sent += (uint64_t)voice->quiet * voice->count;
            stats->messages_bytes_wire += (uint64_t)voice->quiet * frames[form]->len;
        }
        forget_waiting(voice);
    }
    send(room, frames);
    for (enum form form = 0; form < FORMS; form++)
        refbuf_unref(frames[form]);
}

void quiet_fini(struct room *room)
{
    list_remove(&room->waiting);
    for (enum form form = 0; form < FORMS; form++) {
        forget_waiting(&room->voices[form]);
        set_past(&room->voices[form].past, NULL);
    }
}
