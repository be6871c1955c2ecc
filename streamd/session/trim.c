/* SPDX-License-Identifier: MIT */
/*
 * Lines in a journal take ten times what they take in a segment, so the first that is done is to
 * seal what a run has, and only what is long and sealed is cut. One step at a time: what it brings
 * is only known when its batch is back. Until then the bound may be passed by what comes in
 * between, some seconds of lines at most.
 */
#include "streamd/session/trim.h"

#include "streamd/log.h"
#include "streamd/store/segment.h"

enum { WORTH_SEALING_BYTES = 64 * 1024 };

/* Records that are in segments by now, or nearly all of them. */
static uint64_t sealed_records(const struct session *s)
{
    return series_newest(s->series) - s->oldest;
}

static uint64_t unsealed_bytes(const struct session *s)
{
    return s->unsealed_bytes;
}

/* The session with the most of it; NULL when nobody has more than `at_least`. */
static struct session *with_most(const struct registry *r,
                                 uint64_t (*measure)(const struct session *s), uint64_t at_least)
{
    struct session *found = NULL;
    uint64_t most = at_least;
    for (const struct list *at = r->sessions.next; at != &r->sessions; at = at->next) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        if (measure(s) > most) {
            found = s;
            most = measure(s);
        }
    }
    return found;
}

/* Who ended, or expired, longest ago. */
static struct session *over_longest(const struct registry *r)
{
    struct list *first = list_first(&r->expired);
    if (!first)
        first = list_first(&r->finished);
    return first ? LIST_ENTRY(first, struct session, aging) : NULL;
}

static void cut(struct registry *r, struct session *s)
{
    uint64_t offset = s->oldest + (series_newest(s->series) - s->oldest) / 4 + 1;
    if (!keeping_trim(&r->keeping, s, offset))
        return;
    log_debug("trim", "cut id=%s offset=%llu", s->id, (unsigned long long)offset);
    r->stats->history_evicted += offset - s->oldest;
    s->oldest = offset;
}

void trim_history(struct registry *r)
{
    struct keeping *k = &r->keeping;
    bool over = k->stats->store_bytes > r->config->max_history_bytes;
    if (!r->config->ephemeral || !over || k->committed < k->trimmed)
        return;
    struct session *s = over_longest(r);
    if (s) {
        registry_remove(r, s);
    } else if ((s = with_most(r, unsealed_bytes, WORTH_SEALING_BYTES)) != NULL) {
        keeping_seal(k, s);
        s->unsealed_bytes = 0;
    } else if ((s = with_most(r, sealed_records, SEGMENT_ROWS_MAX)) != NULL) {
        cut(r, s);
    }
    k->trimmed = k->number; /* the batch that has it */
    keeping_flush(k);
}
