/* SPDX-License-Identifier: MIT */
/*
 * The quiet are the first `room->quiet` members, so a broadcast is a walk over dense memory and
 * hushing or rousing one is a swap. The walk goes from the last to the first: who is roused by a
 * send that was not taken whole changes places with one that has been served.
 *
 * All quiet members of a compressed form have got the same message last (voice.newest), or they
 * would not be quiet; so one frame serves them all, and only one of them has to be asked where its
 * chain ends: the room.
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
    bool together = !is_deflated(form) || (s->chain.text && s->chain.text == voice->newest);
    return idle && together && is_shared(form) && !voice->waiting && m->told <= room->published &&
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
    room->voices[m->form].quiet++;
    exchange(room, place, room->quiet++);
    return true;
}

/* What the room did for it meanwhile is known to the subscriber again. */
static void hand_back(const struct room *room, uint32_t place)
{
    struct subscriber *s = room->members[place].subscriber;
    const struct voice *voice = &room->voices[room->members[place].form];
    if (is_deflated((enum form)s->form) && s->chain.text != voice->newest) {
        refbuf_unref(s->chain.text);
        s->chain.text = voice->newest ? refbuf_ref(voice->newest) : NULL;
    }
    if (voice->waiting)
        membership_at(room, place)->waiting = refbuf_ref(voice->waiting);
}

void quiet_rouse(struct room *room, uint32_t place)
{
    assert(place < room->quiet);
    hand_back(room, place);
    room->voices[room->members[place].form].quiet--;
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

void quiet_update(struct room *room, struct message *m)
{
    struct hub *hub = room->hub;
    room->published = m->offset;
    if (!hub->outlet)
        return;
    for (enum form form = 0; form < FORMS; form++) {
        struct voice *voice = &room->voices[form];
        bool others = is_deflated(form) && m->forms[form]; /* they may be hushed behind it */
        if (voice->quiet == 0 && !others)
            continue;
        struct refbuf *bytes = message_form(m, form);
        if (!bytes)
            continue; /* no memory: the older one will do */
        if (voice->waiting)
            hub->stats->messages_superseded += voice->quiet;
        replace(&voice->waiting, bytes);
        if (list_empty(&room->waiting))
            list_add_tail(&hub->waiting, &room->waiting);
    }
}

/* The frame for the quiet members of a form, who have it from now on. NULL when there are none, or
 * no memory: they are roused then, and get it as everybody else does. */
static struct refbuf *take_frame(struct room *room, enum form form)
{
    struct voice *voice = &room->voices[form];
    struct refbuf *frame = NULL;
    if (voice->quiet > 0)
        frame = is_deflated(form) ? chain_frame(room->hub->chain, voice->newest, voice->waiting)
                                  : refbuf_ref(voice->waiting);
    if (voice->quiet > 0 && !frame)
        quiet_rouse_all(room);
    if (is_deflated(form) && (voice->quiet == 0 || chain_compressed(frame)))
        replace(&voice->newest, chain_refers_to(voice->waiting) ? voice->waiting : NULL);
    replace(&voice->waiting, NULL);
    return frame;
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
        if (!voice->waiting)
            continue;
        struct refbuf *frame = frames[form] = take_frame(room, form);
        if (!frame)
            continue;
        stats->writes += voice->quiet;
        stats->messages_sent += voice->quiet;
        stats->messages_bytes_wire += (uint64_t)voice->quiet * frame->len;
    }
    send(room, frames);
    for (enum form form = 0; form < FORMS; form++)
        refbuf_unref(frames[form]);
}

void quiet_fini(struct room *room)
{
    list_remove(&room->waiting);
    for (enum form form = 0; form < FORMS; form++) {
        replace(&room->voices[form].waiting, NULL);
        replace(&room->voices[form].newest, NULL);
    }
}
