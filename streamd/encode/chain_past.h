/* SPDX-License-Identifier: MIT */
/*
 * chain_past: the newest texts that a client was sent compressed, oldest first.
 *
 * They are still in its inflater's window, so the next message may refer to them. One past is
 * shared by all who had the same: a connection holds one reference. It has at most CHAIN_PAST_TEXTS
 * texts of together CHAIN_PAST_BYTES, so two who hear the same are at the same past after so many
 * messages, whatever they heard before. Texts never change after the past is made.
 */
#ifndef STREAMD_ENCODE_CHAIN_PAST_H
#define STREAMD_ENCODE_CHAIN_PAST_H

#include "base/refbuf.h"

#include <stdbool.h>

enum { CHAIN_PAST_TEXTS = 16, CHAIN_PAST_BYTES = 6144 };

struct chain_past {
    unsigned refs;
    unsigned count;
    bool private;                           /* one text that only one client has: not carried on */
    struct refbuf *texts[CHAIN_PAST_TEXTS]; /* shares */
};

/* May the messages after this one refer to it? */
bool chain_refers_to(const struct refbuf *text);

/* The past of who was at `before` (may be NULL) and has got that text; the caller owns the
 * reference. NULL when out of memory, or when the text is not to be referred to. */
struct chain_past *chain_past_after(const struct chain_past *before, struct refbuf *text);

/* Is that what chain_past_after would make? `p` may be NULL; the text is shared. */
bool chain_past_follows(const struct chain_past *p, const struct chain_past *before,
                        const struct refbuf *text);

/* Shares; NULL is allowed, in both. */
struct chain_past *chain_past_ref(struct chain_past *p);
void chain_past_unref(struct chain_past *p);

/* Does this reference alone keep it, and its newest text? */
bool chain_past_is_nobody_elses(const struct chain_past *p);

#endif
