/* SPDX-License-Identifier: MIT */
#include "streamd/encode/chain_past.h"

#include <stdlib.h>

bool chain_refers_to(const struct refbuf *text)
{
    return text->len <= CHAIN_PAST_BYTES;
}

/* How many of its texts, the newest, may stand before one more of that size. */
static unsigned kept(const struct chain_past *before, size_t bytes)
{
    unsigned n = 0;
    if (!before || before->private)
        return 0;
    while (n < before->count && n < CHAIN_PAST_TEXTS - 1) {
        bytes += before->texts[before->count - 1 - n]->len;
        if (bytes > CHAIN_PAST_BYTES)
            break;
        n++;
    }
    return n;
}

static struct refbuf *const *kept_texts(const struct chain_past *before, unsigned n)
{
    return before ? before->texts + before->count - n : NULL;
}

struct chain_past *chain_past_after(const struct chain_past *before, struct refbuf *text)
{
    struct chain_past *p = chain_refers_to(text) ? calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return NULL;
    p->refs = 1;
    p->private = text->refs == 1;
    unsigned n = p->private ? 0 : kept(before, text->len);
    for (unsigned i = 0; i < n; i++)
        p->texts[p->count++] = refbuf_ref(kept_texts(before, n)[i]);
    p->texts[p->count++] = refbuf_ref(text);
    return p;
}

bool chain_past_follows(const struct chain_past *p, const struct chain_past *before,
                        const struct refbuf *text)
{
    unsigned n = kept(before, text->len);
    if (!p || p->count != n + 1 || p->texts[n] != text)
        return false;
    struct refbuf *const *texts = kept_texts(before, n);
    for (unsigned i = 0; i < n; i++) {
        if (p->texts[i] != texts[i])
            return false;
    }
    return true;
}

struct chain_past *chain_past_ref(struct chain_past *p)
{
    if (p)
        p->refs++;
    return p;
}

void chain_past_unref(struct chain_past *p)
{
    if (!p || --p->refs > 0)
        return;
    for (unsigned i = 0; i < p->count; i++)
        refbuf_unref(p->texts[i]);
    free(p);
}

bool chain_past_is_nobody_elses(const struct chain_past *p)
{
    return p->refs == 1 && p->texts[p->count - 1]->refs == 1;
}
