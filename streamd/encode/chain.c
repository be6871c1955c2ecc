/* SPDX-License-Identifier: MIT */
/*
 * Sixteen messages are dictionary enough: of a run's updates the last one saves five sixths, those
 * before it a quarter of the rest, and a full window nothing more. One alone would nearly do if
 * updates were all that is sent; but behind an event it would be the event.
 *
 * A stream for each room would save the same; but then somebody who joins makes everybody wait for,
 * or pay for, a message that refers to nothing, and each room holds a stream. Here a connection
 * holds one reference and a room nothing.
 *
 * A text that only one watcher has is not looked up or kept: history, greetings.
 */
#include "streamd/encode/chain.h"

#include "proto/wsframe.h"

#include <assert.h>

/* Below this a deflated frame is no smaller and only costs both ends time. */
enum { DEFLATE_FROM_BYTES = 64 };

enum { SCRATCH_LIMIT = 64 << 20, SLOTS_MOST = CHAIN_SLOTS * 3 / 4, RSV1 = 0x40 };

void chain_init(struct chain *c, struct deflater *deflater, struct stats *stats)
{
    *c = (struct chain){.deflater = deflater, .stats = stats};
    buf_init(&c->deflated, SCRATCH_LIMIT);
    buf_init(&c->dictionary, CHAIN_PAST_BYTES);
}

void chain_forget(struct chain *c)
{
    for (size_t i = 0; c->used > 0 && i < CHAIN_SLOTS; i++) {
        struct chain_slot *slot = &c->slots[i];
        if (!slot->text)
            continue;
        chain_past_unref(slot->before);
        chain_past_unref(slot->after);
        refbuf_unref(slot->text);
        refbuf_unref(slot->frame);
        *slot = (struct chain_slot){.text = NULL};
        c->used--;
    }
}

void chain_fini(struct chain *c)
{
    chain_forget(c);
    buf_fini(&c->deflated);
    buf_fini(&c->dictionary);
}

void chain_rest(struct chain_end *end)
{
    if (end->past && chain_past_is_nobody_elses(end->past))
        chain_end_fini(end);
}

void chain_end_fini(struct chain_end *end)
{
    chain_past_unref(end->past);
    end->past = NULL;
}

bool chain_compressed(const struct refbuf *frame)
{
    return frame->bytes[0] & RSV1;
}

/* All its texts in a row; for want of memory, nothing to refer to. */
static struct span dictionary_of(struct chain *c, const struct chain_past *past)
{
    buf_reset(&c->dictionary);
    for (unsigned i = 0; past && i < past->count; i++)
        buf_add_span(&c->dictionary, refbuf_span(past->texts[i]));
    return buf_status(&c->dictionary) == OK ? buf_span(&c->dictionary) : (struct span){NULL, 0};
}

/* Into the scratch; false when that does not pay, or there is no memory. */
static bool deflate_after(struct chain *c, const struct chain_past *before, struct span text)
{
    if (text.len < DEFLATE_FROM_BYTES)
        return false;
    struct span context = dictionary_of(c, before);
    buf_reset(&c->deflated);
    if (deflater_message(c->deflater, context, text, &c->deflated) != OK ||
        c->deflated.len >= text.len)
        return false;
    c->stats->deflates++;
    c->stats->deflates_linked += context.len > 0;
    return true;
}

static struct refbuf *build(struct chain *c, const struct chain_past *before,
                            const struct refbuf *text)
{
    unsigned char head[WS_HEADER_MAX];
    struct span payload = refbuf_span(text);
    bool compressed = deflate_after(c, before, payload);
    if (compressed)
        payload = buf_span(&c->deflated);
    size_t n = wsframe_header(head, WS_TEXT, compressed, payload.len);
    return refbuf_create2((struct span){(const char *)head, n}, payload);
}

static size_t hash(const struct chain_past *before, const struct refbuf *text)
{
    uint64_t x = (uint64_t)(uintptr_t)before * 31 + (uint64_t)(uintptr_t)text;
    return (size_t)(x * 0x9E3779B97F4A7C15u >> 32) % CHAIN_SLOTS;
}

/* The slot of that pair, made when there is none. */
static struct chain_slot *slot_of(struct chain *c, struct chain_past *before, struct refbuf *text)
{
    size_t at = hash(before, text);
    while (c->slots[at].text && (c->slots[at].text != text || c->slots[at].before != before))
        at = (at + 1) % CHAIN_SLOTS;
    struct chain_slot *slot = &c->slots[at];
    if (slot->text)
        return slot;
    c->used++;
    slot->text = refbuf_ref(text);
    slot->before = chain_past_ref(before);
    return slot;
}

/* The past behind the pair: that of another pair, if it is the same, so that whoever comes to it
 * shares what follows. */
static struct chain_past *past_behind(const struct chain_slot *alone, struct chain_past *before,
                                      struct refbuf *text)
{
    if (chain_past_follows(alone->after, before, text))
        return chain_past_ref(alone->after);
    for (unsigned i = 0; i < alone->links; i++) {
        if (chain_past_follows(alone->linked[i]->after, before, text))
            return chain_past_ref(alone->linked[i]->after);
    }
    return chain_past_after(before, text);
}

/* The slot that answers for the pair: its own, or past CHAIN_LINKS the one that refers to nothing.
 * NULL when out of memory. */
static struct chain_slot *slot_for(struct chain *c, struct chain_past *before, struct refbuf *text)
{
    struct chain_slot *alone = slot_of(c, NULL, text);
    struct chain_slot *slot = before ? slot_of(c, before, text) : alone;
    if (slot != alone && !slot->frame && alone->links == CHAIN_LINKS)
        slot = alone;
    if (slot->frame)
        return slot;
    slot->frame = build(c, slot->before, text);
    if (!slot->frame)
        return NULL;
    slot->after = past_behind(alone, slot->before, text);
    if (slot != alone)
        alone->linked[alone->links++] = slot;
    return slot;
}

/* Takes the reference to the past. */
static void move(struct chain_end *end, const struct refbuf *frame, struct chain_past *after)
{
    if (!frame || !end->follows || !chain_compressed(frame)) {
        chain_past_unref(after);
        return;
    }
    chain_past_unref(end->past);
    end->past = after;
}

struct refbuf *chain_next(struct chain *c, struct chain_end *end, struct refbuf *text)
{
    if (text->refs == 1) {
        struct refbuf *frame = build(c, end->past, text);
        move(end, frame, frame ? chain_past_after(end->past, text) : NULL);
        return frame;
    }
    if (c->used + 2 > SLOTS_MOST)
        chain_forget(c);
    const struct chain_slot *slot = slot_for(c, end->past, text);
    if (!slot)
        return NULL;
    move(end, slot->frame, chain_past_ref(slot->after));
    return refbuf_ref(slot->frame);
}
