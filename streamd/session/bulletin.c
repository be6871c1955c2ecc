/* SPDX-License-Identifier: MIT */
/*
 * Two shelves, each in order, are read as one by always taking the smaller number. Who reads is
 * mostly near the end, so a place is looked for from there; a look through both is a few thousand
 * links at most.
 *
 * A waiter is looked up by the item, not the item by the waiter: there are few waiters, and what
 * does not concern them wakes nobody.
 */
#include "streamd/session/bulletin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[BULLETIN_TYPES] = {
#define BULLETIN_NAME(type, name) name,
    BULLETIN_TABLE(BULLETIN_NAME)
#undef BULLETIN_NAME
};

const char *bulletin_type_name(enum bulletin_type type)
{
    return names[type];
}

enum bulletin_type bulletin_type_find(struct span name)
{
    unsigned type = 0;
    while (type < BULLETIN_TYPES && !span_is(name, names[type]))
        type++;
    return type;
}

static void shelf_init(struct bulletin_shelf *s, size_t max)
{
    *s = (struct bulletin_shelf){.max = max};
    list_init(&s->items);
}

static void shelf_drop_first(struct bulletin_shelf *s)
{
    struct bulletin_item *item = LIST_ENTRY(list_first(&s->items), struct bulletin_item, link);
    list_remove(&item->link);
    s->count--;
    s->dropped = item->seq;
    free(item);
}

void bulletin_init(struct bulletin *b, double wall_s)
{
    shelf_init(&b->news, BULLETIN_NEWS_MAX);
    shelf_init(&b->epochs, BULLETIN_EPOCHS_MAX);
    list_init(&b->waiters);
    list_init(&b->due);
    b->last = wall_s > 0 ? (uint64_t)(wall_s * 1000) : 0;
    b->first = b->last + 1;
}

void bulletin_fini(struct bulletin *b)
{
    while (b->news.count > 0)
        shelf_drop_first(&b->news);
    while (b->epochs.count > 0)
        shelf_drop_first(&b->epochs);
}

static struct bulletin_shelf *shelf_of(struct bulletin *b, enum bulletin_type type)
{
    return type == BULLETIN_EPOCH ? &b->epochs : &b->news;
}

static struct bulletin_item *create(struct span session, struct span text, struct span data)
{
    struct bulletin_item *item = malloc(sizeof(*item) + session.len + text.len + data.len);
    struct span parts[] = {session, text, data};
    if (!item)
        return NULL;
    *item = (struct bulletin_item){
        .session_len = session.len, .text_len = text.len, .data_len = data.len};
    char *at = item->bytes;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len > 0)
            memcpy(at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return item;
}

static bool passes(const struct bulletin_item *item, const struct bulletin_filter *f)
{
    return f->types >> item->type & 1U &&
           (f->session.len == 0 || span_eq(f->session, bulletin_session(item)));
}

static void mark_waiters(struct bulletin *b, const struct bulletin_item *item)
{
    LIST_EACH_SAFE (at, &b->waiters) {
        const struct bulletin_waiter *w = LIST_ENTRY(at, struct bulletin_waiter, link);
        if (!passes(item, &w->filter))
            continue;
        list_remove(at);
        list_add_tail(&b->due, at);
    }
}

void bulletin_add(struct bulletin *b, enum bulletin_type type, struct span session, double wall_s,
                  struct span text, struct span data)
{
    struct bulletin_shelf *shelf = shelf_of(b, type);
    const struct span none = {NULL, 0};
    struct bulletin_item *item = create(session, span_head(text, BULLETIN_TEXT_MAX),
                                        data.len <= BULLETIN_DATA_MAX ? data : none);
    b->last++;
    if (!item) {
        shelf->dropped = b->last;
        return;
    }
    item->seq = b->last;
    item->type = type;
    item->wall_s = wall_s;
    list_add_tail(&shelf->items, &item->link);
    if (++shelf->count > shelf->max)
        shelf_drop_first(shelf);
    mark_waiters(b, item);
}

static const struct bulletin_item *shelf_next(const struct bulletin_shelf *s,
                                              const struct bulletin_filter *filter, uint64_t after)
{
    const struct list *at = s->items.prev;
    while (at != &s->items && LIST_ENTRY(at, struct bulletin_item, link)->seq > after)
        at = at->prev;
    for (at = at->next; at != &s->items; at = at->next) {
        const struct bulletin_item *item = LIST_ENTRY(at, struct bulletin_item, link);
        if (passes(item, filter))
            return item;
    }
    return NULL;
}

const struct bulletin_item *bulletin_next(const struct bulletin *b,
                                          const struct bulletin_filter *filter, uint64_t after)
{
    const struct bulletin_item *news = shelf_next(&b->news, filter, after);
    const struct bulletin_item *epoch =
        filter->types >> BULLETIN_EPOCH & 1U ? shelf_next(&b->epochs, filter, after) : NULL;
    return !news || (epoch && epoch->seq < news->seq) ? epoch : news;
}

static const struct bulletin_item *shelf_before(const struct bulletin_shelf *s,
                                                const struct list *at,
                                                const struct bulletin_filter *filter)
{
    for (const struct list *link = at->prev; link != &s->items; link = link->prev) {
        const struct bulletin_item *item = LIST_ENTRY(link, struct bulletin_item, link);
        if (passes(item, filter))
            return item;
    }
    return NULL;
}

uint64_t bulletin_behind(const struct bulletin *b, const struct bulletin_filter *filter,
                         size_t count)
{
    const struct bulletin_item *news = shelf_before(&b->news, &b->news.items, filter);
    const struct bulletin_item *epoch = shelf_before(&b->epochs, &b->epochs.items, filter);
    uint64_t behind = b->last;
    for (; count > 0 && (news || epoch); count--) {
        bool is_news = news && (!epoch || news->seq > epoch->seq);
        const struct bulletin_item *item = is_news ? news : epoch;
        behind = item->seq - 1;
        if (is_news)
            news = shelf_before(&b->news, &item->link, filter);
        else
            epoch = shelf_before(&b->epochs, &item->link, filter);
    }
    return behind;
}

uint64_t bulletin_missed(const struct bulletin *b, const struct bulletin_filter *filter,
                         uint64_t after)
{
    bool news = filter->types & ~(1U << BULLETIN_EPOCH);
    bool epochs = filter->types >> BULLETIN_EPOCH & 1U;
    uint64_t dropped = news ? b->news.dropped : 0;
    if (epochs && b->epochs.dropped > dropped)
        dropped = b->epochs.dropped;
    if (after == 0)
        return 0;
    uint64_t before =
        after + 1 < b->first ? 1 : 0; /* said by an earlier daemon, and lost with it */
    uint64_t from = before ? b->first - 1 : after;
    return before + (dropped > from ? dropped - from : 0);
}

struct span bulletin_session(const struct bulletin_item *item)
{
    return (struct span){item->bytes, item->session_len};
}

struct span bulletin_text(const struct bulletin_item *item)
{
    return (struct span){item->bytes + item->session_len, item->text_len};
}

struct span bulletin_data(const struct bulletin_item *item)
{
    return (struct span){item->bytes + item->session_len + item->text_len, item->data_len};
}

void bulletin_wait(struct bulletin *b, struct bulletin_waiter *w)
{
    list_init(&w->link);
    list_add_tail(&b->waiters, &w->link);
}

void bulletin_cancel(struct bulletin_waiter *w)
{
    if (w->link.next)
        list_remove(&w->link);
}

void bulletin_wake(struct bulletin *b)
{
    struct list due;
    list_move(&due, &b->due);
    struct list *first;
    while ((first = list_first(&due)) != NULL) {
        struct bulletin_waiter *w = LIST_ENTRY(first, struct bulletin_waiter, link);
        list_remove(first);
        w->woken(w);
    }
}
