/* SPDX-License-Identifier: MIT */
/*
 * An entry is noted when its message is queued, not when it is written: the outbox is a queue, so
 * the order is the same, and what was never written is undone like what was never received.
 *
 * A watcher that catches up is sent thousands of updates before it has read one, and most of them
 * are on their way when it is cut off. Their serials and offsets follow each other, so they are one
 * entry.
 *
 * Rejected: a token of session and offset. It would have to be unique among all that one watcher
 * was sent (a room may be left and joined again, an event has no offset), and a walk through other
 * rooms' tokens would have to know what each had been before; a serial and a log need neither.
 */
#include "streamd/room/trail.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_CAP = 16, MORE_MAX = UINT16_MAX };

#define NO_SERIAL UINT64_MAX /* of an entry that is no message */

enum what {
    MARKED,   /* a message that changes no stream */
    STEPPED,  /* before: sent; it is the next offset, and so are those of `more` messages */
    UPDATED,  /* before: sent */
    HAPPENED, /* before: heard, as far as it matters */
    JOINED,   /* before: sent */
    CAME,     /* before: sent */
    RENEWED,  /* cannot be taken back */
    GONE,     /* nothing before it can be taken back */
};

struct trail_entry {
    uint64_t serial;
    uint64_t before;
    uint32_t stream;
    uint16_t more; /* messages, with the serials that follow */
    uint8_t what;  /* enum what */
};

static struct trail_entry *entry_at(const struct trail *t, uint32_t i)
{
    return &t->entries[(t->head + i) % t->cap];
}

static bool grow(struct trail *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : FIRST_CAP;
    cap = cap < t->max ? cap : t->max;
    struct trail_entry *entries = malloc(cap * sizeof(*entries));
    if (!entries)
        return false;
    for (uint32_t i = 0; i < t->count; i++)
        entries[i] = *entry_at(t, i);
    free(t->entries);
    t->entries = entries;
    t->cap = cap;
    t->head = 0;
    return true;
}

static void note(struct trail *t, struct trail_entry entry)
{
    if (t->count == t->cap && t->cap < t->max && !grow(t))
        trail_break(t);
    if (t->broken)
        return;
    assert(t->cap > 0);
    if (t->count == t->max) {
        t->head = (t->head + 1) % t->cap;
        t->count--;
    }
    t->count++;
    *entry_at(t, t->count - 1) = entry;
}

void trail_init(struct trail *t, uint32_t max)
{
    assert(max > 0);
    *t = (struct trail){.max = max};
    note(t, (struct trail_entry){.serial = 0, .what = MARKED});
}

void trail_fini(struct trail *t)
{
    free(t->entries);
    t->entries = NULL;
}

void trail_break(struct trail *t)
{
    t->broken = true;
}

struct stream *trail_stream(struct trail *t, bool waits)
{
    struct stream *s = malloc(sizeof(*s));
    if (!s) {
        trail_break(t);
        return NULL;
    }
    *s = (struct stream){.id = ++t->streams, .waits = waits};
    return s;
}

void trail_joined(struct trail *t, struct stream *s, uint64_t sent, enum stream_answer answer)
{
    s->sent = sent;
    s->answer = (uint8_t)answer;
    s->unanswered = false;
    note(t, (struct trail_entry){
                .serial = NO_SERIAL, .before = sent, .stream = s->id, .what = JOINED});
}

void trail_session_came(struct trail *t, struct stream *s, uint64_t newest)
{
    note(t, (struct trail_entry){
                .serial = NO_SERIAL, .before = s->sent, .stream = s->id, .what = CAME});
    s->sent = newest;
    s->waits = false;
}

void trail_renewed(struct trail *t, struct stream *s, uint64_t newest)
{
    note(t, (struct trail_entry){.serial = NO_SERIAL, .stream = s->id, .what = RENEWED});
    s->sent = newest;
}

void trail_session_gone(struct trail *t, struct stream *s)
{
    note(t, (struct trail_entry){.serial = NO_SERIAL, .stream = s->id, .what = GONE});
    s->sent = 0;
    s->waits = true;
}

/* Does the newest entry go on with this update? */
static bool continues(const struct trail *t, const struct stream *s, const struct mark *mark)
{
    if (t->count == 0)
        return false;
    struct trail_entry *e = entry_at(t, t->count - 1);
    if (e->what != STEPPED || e->stream != s->id || e->more == MORE_MAX ||
        mark->serial != e->serial + e->more + 1 || mark->offset != s->sent + 1)
        return false;
    e->more++;
    return true;
}

void trail_add(struct trail *t, struct stream *s, const struct mark *mark)
{
    struct trail_entry entry = {.serial = mark->serial, .what = MARKED};
    if (s && mark->offset) {
        uint64_t before = s->sent;
        bool noted = continues(t, s, mark);
        s->sent = mark->offset;
        if (noted)
            return;
        entry.what = mark->offset == before + 1 ? STEPPED : UPDATED;
        entry.before = before;
    } else if (s && mark->ordinal) {
        entry.what = HAPPENED;
        entry.before = mark->ordinal - 1;
    }
    entry.stream = s ? s->id : 0;
    note(t, entry);
}

static struct stream *find_stream(struct stream *streams, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (streams[i].id == id)
            return &streams[i];
    }
    return NULL;
}

/* False: this one cannot be taken back. */
static bool undo(const struct trail_entry *e, struct stream *s)
{
    if (!s) /* the run list (`*`) may have to tell what was told in a room that was left */
        return e->what != HAPPENED;
    if (s->went && e->what != MARKED)
        return false;
    switch ((enum what)e->what) {
    case MARKED:
        break;
    case HAPPENED:
        s->heard = e->before < s->heard ? e->before : s->heard;
        break;
    case STEPPED:
    case UPDATED:
        s->sent = e->before;
        break;
    case JOINED:
        s->sent = e->before;
        s->unanswered = s->answer != ANSWER_NONE;
        break;
    case CAME:
        s->sent = e->before;
        s->waits = true;
        break;
    case RENEWED:
        return false;
    case GONE:
        s->went = true;
        break;
    }
    return true;
}

/* Takes back what the entry held behind its `more`, which is less now. */
static bool undo_to(const struct trail_entry *e, struct stream *s)
{
    if (s && s->went)
        return false;
    if (s)
        s->sent = e->before + 1 + e->more;
    return true;
}

/* Is this the serial of the entry, or of one that follows in it? */
static bool holds(const struct trail_entry *e, uint64_t serial)
{
    return e->serial != NO_SERIAL && serial >= e->serial && serial - e->serial <= e->more;
}

enum status trail_rewind(struct trail *t, uint64_t serial, struct stream *streams, size_t count)
{
    if (t->broken)
        return E_STATE;
    uint32_t keep = serial == NO_SERIAL ? 0 : t->count;
    while (keep > 0 && !holds(entry_at(t, keep - 1), serial))
        keep--;
    if (keep == 0)
        return E_NOT_FOUND;
    while (t->count > keep) {
        const struct trail_entry *e = entry_at(t, --t->count);
        if (!undo(e, find_stream(streams, count, e->stream)))
            return E_STATE;
    }
    struct trail_entry *last = entry_at(t, keep - 1);
    uint64_t more = serial - last->serial;
    if (more == last->more)
        return OK;
    last->more = (uint16_t)more;
    return undo_to(last, find_stream(streams, count, last->stream)) ? OK : E_STATE;
}
