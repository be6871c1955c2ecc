/* SPDX-License-Identifier: MIT */
/*
 * One cut at a time: what it brings is only known when its batch is back. Until then the bound may
 * be passed by what comes in between, some seconds of lines at most.
 */
#include "streamd/session/trim.h"

#include "streamd/log.h"

static struct session *longest(const struct registry *r)
{
    struct session *found = NULL;
    uint64_t most = 0;
    for (const struct list *at = r->sessions.next; at != &r->sessions; at = at->next) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        uint64_t records = series_newest(s->series) - s->oldest;
        if (records > most) {
            found = s;
            most = records;
        }
    }
    return found;
}

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
    if (s)
        registry_remove(r, s);
    else if ((s = longest(r)) != NULL)
        cut(r, s);
    k->trimmed = k->number; /* the batch that has it */
    keeping_flush(k);
}
