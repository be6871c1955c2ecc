/* SPDX-License-Identifier: MIT */
/*
 * chain: messages compressed each after those before it.
 *
 * A client that keeps its inflater from message to message (RFC 7692, context takeover) keeps
 * nothing but the text that it was sent compressed. So a message may refer to the newest compressed
 * ones of its connection (chain_past.h), whatever came before those; of a run's updates it is then
 * a seventh. Everybody at the same past shares the same bytes: a room of any size is deflated once,
 * and who joins, or had to skip, is with the others again after a few messages.
 *
 * Each pair (before, text) is deflated at most once until chain_forget, at the end of the wake-up.
 * Of one text at most CHAIN_LINKS pairs are; whoever comes with yet another `before` gets the
 * message that refers to nothing, which is one more for all of them, and is at the past of that
 * text alone. So a thousand watchers of a thousand different sets of rooms cost no more than a few.
 */
#ifndef STREAMD_ENCODE_CHAIN_H
#define STREAMD_ENCODE_CHAIN_H

#include "base/buf.h"
#include "base/refbuf.h"
#include "streamd/encode/chain_past.h"
#include "streamd/encode/deflater.h"
#include "streamd/stats.h"

#include <stdbool.h>

enum { CHAIN_SLOTS = 256, CHAIN_LINKS = 8 };

/* What a connection's client can be referred to. */
struct chain_end {
    struct chain_past *past; /* shares; NULL: refer to nothing */
    bool follows;            /* does it keep its inflater from message to message? */
};

struct chain_slot {
    struct chain_past *before; /* shares; NULL: refers to nothing */
    struct refbuf *text;       /* shares; NULL: the slot is free */
    struct refbuf *frame;      /* shares; NULL: not built */
    struct chain_past *after;  /* shares; of who was at `before` and has got the frame */
    struct chain_slot *linked[CHAIN_LINKS]; /* of the slot without `before`: those that have one */
    unsigned links;
};

struct chain {
    struct deflater *deflater; /* borrows */
    struct stats *stats;       /* borrows */
    struct buf deflated;       /* scratch */
    struct buf dictionary;     /* scratch: the texts of a past in a row */
    unsigned used;
    struct chain_slot slots[CHAIN_SLOTS]; /* hashed by both pointers */
};

void chain_init(struct chain *c, struct deflater *deflater, struct stats *stats);
void chain_fini(struct chain *c);

/*
 * The WebSocket frame of a text message for the connection with this end, which has it from now on.
 * Not compressed where that would not be smaller; such a frame leaves the end as it is. The caller
 * owns the reference; NULL when out of memory.
 */
struct refbuf *chain_next(struct chain *c, struct chain_end *end, struct refbuf *text);

/* Did this frame enter its client's inflater? */
bool chain_compressed(const struct refbuf *frame);

/* Lets go of all frames. */
void chain_forget(struct chain *c);

/*
 * Nothing more is to be sent for now. A past that nobody else has is let go: the connection holds
 * no memory of its own then, and what comes next refers to nothing, as it does for everybody who
 * has just come.
 */
void chain_rest(struct chain_end *end);

/* The connection is gone. */
void chain_end_fini(struct chain_end *end);

#endif
