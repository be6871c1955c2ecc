/* SPDX-License-Identifier: MIT */
/*
 * One message is dictionary enough. On real runs a full window, or a stream of its own for each
 * room, saves 2 of 42 bytes; but then it must be known what a client had long ago, somebody who
 * joins makes everybody wait for, or pay for, a message that refers to nothing, and each room holds
 * a stream. Here a connection holds one reference and a room nothing.
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
}

void chain_forget(struct chain *c)
{
    for (size_t i = 0; c->used > 0 && i < CHAIN_SLOTS; i++) {
        struct chain_slot *slot = &c->slots[i];
        if (!slot->text)
            continue;
        refbuf_unref(slot->before);
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
}

void chain_rest(struct chain_end *end)
{
    if (end->text && end->text->refs == 1)
        chain_end_fini(end);
}

void chain_end_fini(struct chain_end *end)
{
    refbuf_unref(end->text);
    end->text = NULL;
}

bool chain_compressed(const struct refbuf *frame)
{
    return frame->bytes[0] & RSV1;
}

bool chain_refers_to(const struct refbuf *text)
{
    return text->len <= CHAIN_TEXT_MAX;
}

/* Into the scratch; false when that does not pay, or there is no memory. */
static bool deflate_after(struct chain *c, const struct refbuf *before, struct span text)
{
    struct span context = before ? refbuf_span(before) : (struct span){NULL, 0};
    if (text.len < DEFLATE_FROM_BYTES)
        return false;
    buf_reset(&c->deflated);
    if (deflater_message(c->deflater, context, text, &c->deflated) != OK ||
        c->deflated.len >= text.len)
        return false;
    c->stats->deflates++;
    c->stats->deflates_linked += before != NULL;
    return true;
}

static struct refbuf *build(struct chain *c, const struct refbuf *before, const struct refbuf *text)
{
    unsigned char head[WS_HEADER_MAX];
    struct span payload = refbuf_span(text);
    bool compressed = deflate_after(c, before, payload);
    if (compressed)
        payload = buf_span(&c->deflated);
    size_t n = wsframe_header(head, WS_TEXT, compressed, payload.len);
    return refbuf_create2((struct span){(const char *)head, n}, payload);
}

static size_t hash(const struct refbuf *before, const struct refbuf *text)
{
    uint64_t x = (uint64_t)(uintptr_t)before * 31 + (uint64_t)(uintptr_t)text;
    return (size_t)(x * 0x9E3779B97F4A7C15u >> 32) % CHAIN_SLOTS;
}

/* The slot of that pair, made when there is none. */
static struct chain_slot *slot_of(struct chain *c, struct refbuf *before, struct refbuf *text)
{
    size_t at = hash(before, text);
    while (c->slots[at].text && (c->slots[at].text != text || c->slots[at].before != before))
        at = (at + 1) % CHAIN_SLOTS;
    struct chain_slot *slot = &c->slots[at];
    if (slot->text)
        return slot;
    c->used++;
    slot->text = refbuf_ref(text);
    slot->before = before ? refbuf_ref(before) : NULL;
    return slot;
}

/* The slot that answers for the pair: its own, or past CHAIN_LINKS the one that refers to nothing.
 */
static struct chain_slot *slot_for(struct chain *c, struct refbuf *before, struct refbuf *text)
{
    struct chain_slot *alone = slot_of(c, NULL, text);
    if (!before)
        return alone;
    struct chain_slot *slot = slot_of(c, before, text);
    if (!slot->frame && alone->links == CHAIN_LINKS)
        return alone;
    alone->links += slot->frame == NULL;
    return slot;
}

struct refbuf *chain_frame(struct chain *c, struct refbuf *before, struct refbuf *text)
{
    if (text->refs == 1)
        return build(c, before, text);
    if (c->used + 2 > SLOTS_MOST)
        chain_forget(c);
    struct chain_slot *slot = slot_for(c, before, text);
    if (!slot->frame)
        slot->frame = build(c, slot->before, text);
    return slot->frame ? refbuf_ref(slot->frame) : NULL;
}

struct refbuf *chain_next(struct chain *c, struct chain_end *end, struct refbuf *text)
{
    struct refbuf *frame = chain_frame(c, end->text, text);
    if (!frame || !end->follows || !chain_compressed(frame))
        return frame;
    refbuf_unref(end->text);
    end->text = chain_refers_to(text) ? refbuf_ref(text) : NULL;
    return frame;
}
