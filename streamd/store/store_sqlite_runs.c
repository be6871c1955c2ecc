/* SPDX-License-Identifier: MIT */
/*
 * Where the runs of a session stand, kept beside the table instead of an index in it: a thousand
 * sessions that append in turn would dirty a page each of an index with every commit (measured: a
 * third of the CPU and a fifth of the log without). There are never many runs, since they are
 * sealed into segments; so they are read anew, without their bytes, when the file is opened and
 * after a transaction was rolled back.
 */
#include "streamd/store/store_sqlite_parts.h"

#include <stdlib.h>
#include <string.h>

struct shelf {
    struct run_place *places; /* owns, by first */
    size_t count, cap;
};

void run_map_init(struct run_map *m)
{
    *m = (struct run_map){.stale = true};
    strmap_init(&m->shelves, 1); /* of numbers that we gave */
}

void run_map_fini(struct run_map *m)
{
    size_t at = 0;
    struct span key;
    void *value;
    while (strmap_next(&m->shelves, &at, &key, &value)) {
        struct shelf *s = value;
        free(s->places);
        free(s);
    }
    strmap_fini(&m->shelves);
    run_map_init(m);
}

static struct span name_of(const uint64_t *session)
{
    return (struct span){(const char *)session, sizeof(*session)};
}

static struct shelf *shelf_of(struct run_map *m, uint64_t session)
{
    struct shelf *s = strmap_find(&m->shelves, name_of(&session));
    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (s && strmap_put(&m->shelves, name_of(&session), s) != OK) {
        free(s);
        s = NULL;
    }
    return s;
}

/* The first place at or after `first`. */
static size_t search(const struct shelf *s, uint64_t first)
{
    size_t low = 0;
    size_t high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->places[middle].first < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status run_map_put(struct run_map *m, uint64_t session, struct run_place place)
{
    struct shelf *s = shelf_of(m, session);
    if (!s)
        return E_NOMEM;
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct run_place *places = realloc(s->places, cap * sizeof(*places));
        if (!places)
            return E_NOMEM;
        s->places = places;
        s->cap = cap;
    }
    m->changed = true;
    m->last_id = place.id > m->last_id ? place.id : m->last_id;
    size_t at = search(s, place.first);
    if (at == s->count || s->places[at].first != place.first) {
        memmove(s->places + at + 1, s->places + at, (s->count - at) * sizeof(*s->places));
        s->count++;
    }
    s->places[at] = place;
    return OK;
}

const struct run_place *run_map_find(const struct run_map *m, uint64_t session, uint64_t offset)
{
    const struct shelf *s = strmap_find(&m->shelves, name_of(&session));
    if (!s)
        return NULL;
    size_t at = search(s, offset);
    bool held = at < s->count && s->places[at].first == offset;
    if (!held && at > 0 && offset - s->places[at - 1].first < s->places[at - 1].count)
        return &s->places[at - 1];
    return at < s->count ? &s->places[at] : NULL;
}

const struct run_place *run_map_range(const struct run_map *m, uint64_t session, uint64_t first,
                                      uint64_t end, size_t *out_count)
{
    const struct shelf *s = strmap_find(&m->shelves, name_of(&session));
    *out_count = 0;
    if (!s)
        return NULL;
    size_t at = search(s, first);
    *out_count = search(s, end) - at;
    return s->places + at;
}

void run_map_cut(struct run_map *m, uint64_t session, uint64_t first, uint64_t end)
{
    struct shelf *s = strmap_find(&m->shelves, name_of(&session));
    if (!s)
        return;
    size_t at = search(s, first);
    size_t to = search(s, end);
    m->changed = m->changed || to > at;
    memmove(s->places + at, s->places + to, (s->count - to) * sizeof(*s->places));
    s->count -= to - at;
    if (s->count > 0)
        return;
    (void)strmap_take(&m->shelves, name_of(&session));
    free(s->places);
    free(s);
}

/* Numbers are given one by one: others are damage, and the next one must fit. */
static bool is_number(int64_t id)
{
    return id > 0 && id < INT64_MAX - UINT32_MAX;
}

enum status store_sqlite_load_runs(struct store_sqlite *s)
{
    sqlite3_stmt *all = s->statement[S_ALL_RUNS];
    enum status status = OK;
    int code = SQLITE_DONE;
    run_map_fini(&s->runs);
    while (status == OK && (code = sqlite3_step(all)) == SQLITE_ROW) {
        struct run_place place = {.id = sqlite3_column_int64(all, 0),
                                  .first = (uint64_t)sqlite3_column_int64(all, 2),
                                  .count = (uint64_t)sqlite3_column_int64(all, 3)};
        if (!is_number(place.id))
            break;
        status = run_map_put(&s->runs, (uint64_t)sqlite3_column_int64(all, 1), place);
    }
    (void)sqlite3_reset(all);
    if (code == SQLITE_ROW && status == OK)
        code = SQLITE_CORRUPT;
    if (status == E_NOMEM)
        return store_sqlite_fail(s, SQLITE_NOMEM, "read");
    if (code != SQLITE_DONE)
        return store_sqlite_fail(s, code, "read");
    s->runs.changed = false;
    s->runs.stale = false;
    return OK;
}
