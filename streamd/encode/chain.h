/* SPDX-License-Identifier: MIT */
/*
 * chain: messages compressed each after the one before it.
 *
 * A client that keeps its inflater from message to message (RFC 7692, context takeover) keeps
 * nothing but the text that it was sent compressed. So a message may refer to the newest compressed
 * one of its connection, whatever came before that; of a run's updates it is then a sixth.
 * Everybody who had the same one before shares the same bytes: a room of any size is deflated once,
 * and who joins, or had to skip, is with the others again after a single message of its own.
 *
 * Each pair (before, text) is deflated at most once until chain_forget, at the end of the wake-up.
 * Of one text at most CHAIN_LINKS pairs are; whoever comes with yet another `before` gets the
 * message that refers to nothing, which is one more for all of them. So a thousand watchers of a
 * thousand different sets of rooms cost no more than a few.
 */
#ifndef STREAMD_ENCODE_CHAIN_H
#define STREAMD_ENCODE_CHAIN_H

#include "base/buf.h"
#include "base/refbuf.h"
#include "streamd/encode/deflater.h"
#include "streamd/stats.h"

#include <stdbool.h>

enum { CHAIN_SLOTS = 256, CHAIN_LINKS = 4, CHAIN_TEXT_MAX = 4096 };

/* What a connection's client can be referred to. */
struct chain_end {
    struct refbuf *text; /* shares; the newest message it got compressed, NULL: refer to nothing */
    bool follows;        /* does it keep its inflater from message to message? */
};

struct chain_slot {
    struct refbuf *before; /* shares; NULL: refers to nothing */
    struct refbuf *text;   /* shares; NULL: the slot is free */
    struct refbuf *frame;  /* shares; NULL: not built */
    unsigned links;        /* of the slot without `before`: how many have one */
};

struct chain {
    struct deflater *deflater; /* borrows */
    struct stats *stats;       /* borrows */
    struct buf deflated;       /* scratch */
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

/* The same for connections that are all at `before` (NULL: none to refer to), whose ends the caller
 * moves itself where chain_compressed says so. */
struct refbuf *chain_frame(struct chain *c, struct refbuf *before, struct refbuf *text);

/* Did this frame enter its client's inflater? */
bool chain_compressed(const struct refbuf *frame);

/* May the next message refer to this one, once it was sent compressed? */
bool chain_refers_to(const struct refbuf *text);

/* Lets go of all frames. */
void chain_forget(struct chain *c);

/*
 * Nothing more is to be sent for now. A text that nobody else has is let go: the connection holds
 * no memory of its own then, and what comes next refers to nothing, as it does for everybody who
 * has just come.
 */
void chain_rest(struct chain_end *end);

/* The connection is gone. */
void chain_end_fini(struct chain_end *end);

#endif
