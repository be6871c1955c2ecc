/* SPDX-License-Identifier: MIT */
/*
 * Chunks, not one array: growing never copies a record, dropping the oldest is one free, and the
 * first chunk is small so that ten thousand short runs stay cheap. The chunks of a series are in an
 * array by age, which makes a place in history a binary search and then at most one chunk of steps.
 *
 * Eviction is O(1) whoever pays: full chunks of all series stand in one list by age. The oldest
 * record of all goes first, unless the series that wants room holds more than its equal share;
 * otherwise one chatty run would push everybody else's history out.
 */
#include "streamd/session/series.h"

#include "streamd/session/packed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_FIRST_BYTES = 1024,
    CHUNK_GROWTH = 4,
    CHUNK_MAX_BYTES = 16 * 1024, /* but for one record that is longer */
    CHUNKS_OF_CAP = 8, /* at least that many make up max_records, so one is a small loss */
    FIRST_CHUNK_CAP = 4,
};

struct chunk {
    struct list age;       /* in budget.sealed once full */
    struct series *series; /* borrows */
    uint64_t first_offset;
    size_t records;
    size_t used;
    size_t cap;
    char bytes[]; /* `cap`, of which `used` are entries back to back */
};

struct series {
    struct series_budget *budget; /* borrows */
    struct names names;
    struct chunk **chunks; /* owns; the chunk_count from `first` on, oldest first */
    size_t first;
    size_t chunk_count;
    size_t chunk_cap;
    uint64_t max_records;
    uint64_t records;
    uint64_t newest;
    size_t newest_at; /* bytes into the last chunk */
    uint64_t bytes;   /* this series' part of stats.history_bytes */
};

void series_budget_init(struct series_budget *b, uint64_t max_bytes, struct stats *stats)
{
    *b = (struct series_budget){.max_bytes = max_bytes, .stats = stats};
    list_init(&b->sealed);
}

struct series *series_create(struct series_budget *budget, uint64_t max_records)
{
    assert(max_records > 0);
    struct series *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->budget = budget;
    s->max_records = max_records;
    names_init(&s->names);
    budget->series++;
    return s;
}

void series_begin_at(struct series *s, uint64_t newest)
{
    assert(s->records == 0);
    s->newest = newest;
}

static void account(struct series *s, size_t more, size_t less)
{
    s->bytes = s->bytes + more - less;
    s->budget->stats->history_bytes += more;
    s->budget->stats->history_bytes -= less;
}

static struct chunk *chunk_at(const struct series *s, size_t i)
{
    return s->chunks[s->first + i];
}

static void drop_oldest(struct series *s)
{
    assert(s->chunk_count > 0);
    struct chunk *oldest = chunk_at(s, 0);
    s->first++;
    s->chunk_count--;
    s->records -= oldest->records;
    account(s, 0, sizeof(*oldest) + oldest->cap);
    list_remove(&oldest->age);
    free(oldest);
}

void series_destroy(struct series *s)
{
    if (!s)
        return;
    while (s->chunk_count > 0)
        drop_oldest(s);
    account(s, 0, s->names.bytes);
    s->budget->series--;
    names_fini(&s->names);
    free(s->chunks);
    free(s);
}

static void drop_newest(struct series *s)
{
    struct chunk *last = chunk_at(s, --s->chunk_count);
    s->records -= last->records;
    account(s, 0, sizeof(*last) + last->cap);
    list_remove(&last->age);
    free(last);
}

void series_cut(struct series *s, uint64_t newest)
{
    assert(newest <= s->newest);
    while (s->chunk_count > 0 && chunk_at(s, s->chunk_count - 1)->first_offset > newest)
        drop_newest(s);
    s->newest = newest;
    struct chunk *last = s->chunk_count ? chunk_at(s, s->chunk_count - 1) : NULL;
    while (last && last->first_offset + last->records > newest + 1) {
        last->records--;
        s->records--;
    }
    if (!last)
        return;
    last->used = 0;
    for (size_t i = 0; i < last->records; i++) {
        s->newest_at = last->used;
        last->used += packed_size(last->bytes + last->used);
    }
    list_remove(&last->age); /* it is the open one again */
}

static void evict_oldest(struct series *s)
{
    s->budget->stats->history_evicted += chunk_at(s, 0)->records;
    drop_oldest(s);
}

/* Makes room in the budget, as far as there are full chunks to give. */
static void keep_budget(struct series *s)
{
    struct series_budget *b = s->budget;
    struct list *oldest;
    while (b->stats->history_bytes > b->max_bytes && (oldest = list_first(&b->sealed)) != NULL) {
        bool over_share = s->bytes > b->max_bytes / b->series;
        if (over_share && s->chunk_count > 1)
            evict_oldest(s);
        else
            evict_oldest(LIST_ENTRY(oldest, struct chunk, age)->series);
    }
}

/* Room for one more pointer behind the last; half of the array may be places already left. */
static enum status reserve_chunk(struct series *s)
{
    if (s->first + s->chunk_count < s->chunk_cap)
        return OK;
    if (s->first > s->chunk_cap / 2) {
        memmove(s->chunks, s->chunks + s->first, s->chunk_count * sizeof(struct chunk *));
        s->first = 0;
        return OK;
    }
    size_t cap = s->chunk_cap ? s->chunk_cap * 2 : FIRST_CHUNK_CAP;
    struct chunk **chunks = realloc(s->chunks, cap * sizeof(struct chunk *));
    if (!chunks)
        return E_NOMEM;
    s->chunks = chunks;
    s->chunk_cap = cap;
    return OK;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many records a chunk may have. */
static size_t chunk_records(const struct series *s)
{
    return s->max_records > CHUNKS_OF_CAP ? s->max_records / CHUNKS_OF_CAP : 1;
}

static size_t next_cap(const struct series *s, const struct chunk *last, size_t need)
{
    size_t cap = last ? last->cap * CHUNK_GROWTH : CHUNK_FIRST_BYTES;
    cap = min_size(cap, CHUNK_MAX_BYTES);
    if (cap / need >= chunk_records(s))
        return need * chunk_records(s);
    return cap > need ? cap : need;
}

static struct chunk *add_chunk(struct series *s, struct chunk *last, size_t need)
{
    size_t cap = next_cap(s, last, need);
    struct chunk *c = reserve_chunk(s) == OK ? malloc(sizeof(*c) + cap) : NULL;
    if (!c)
        return NULL;
    *c = (struct chunk){.series = s, .first_offset = s->newest + 1, .cap = cap};
    list_init(&c->age);
    if (last)
        list_add_tail(&s->budget->sealed, &last->age);
    s->chunks[s->first + s->chunk_count++] = c;
    account(s, sizeof(*c) + cap, 0);
    keep_budget(s);
    return c;
}

/* The chunk that takes the next record of at most `need` bytes; NULL when out of memory. */
static struct chunk *open_chunk(struct series *s, size_t need)
{
    struct chunk *last = s->chunk_count ? chunk_at(s, s->chunk_count - 1) : NULL;
    bool takes = last && last->cap - last->used >= need && last->records < chunk_records(s);
    return takes ? last : add_chunk(s, last, need);
}

enum status series_append(struct series *s, const struct record *r, double server_time_s,
                          uint64_t *out_offset)
{
    struct chunk *c = open_chunk(s, packed_bound(r));
    if (!c)
        return E_NOMEM;
    size_t size = 0;
    unsigned left_out = 0;
    size_t names_before = s->names.bytes;
    enum status status =
        packed_write(&s->names, r, server_time_s, c->bytes + c->used, &size, &left_out);
    account(s, s->names.bytes, names_before);
    if (status != OK)
        return status;
    s->budget->stats->values_ignored += left_out;
    s->newest_at = c->used;
    c->used += size;
    c->records++;
    s->records++;
    *out_offset = ++s->newest;
    while (s->records > s->max_records)
        evict_oldest(s);
    return OK;
}

uint64_t series_count(const struct series *s)
{
    return s->records;
}

uint64_t series_oldest(const struct series *s)
{
    return s->records ? chunk_at(s, 0)->first_offset : 0;
}

uint64_t series_newest(const struct series *s)
{
    return s->newest;
}

/* The last chunk that begins at or before `offset`; the first one when none does. */
static size_t find_chunk(const struct series *s, uint64_t offset)
{
    size_t low = 0;
    size_t high = s->chunk_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (chunk_at(s, middle)->first_offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Moves on to the chunk that has the next entry; NULL at the end. */
static const struct chunk *chunk_of(struct series_cursor *c)
{
    while (c->chunk < c->series->chunk_count) {
        const struct chunk *chunk = chunk_at(c->series, c->chunk);
        if (c->at < chunk->used)
            return chunk;
        c->chunk++;
        c->at = 0;
    }
    return NULL;
}

void series_cursor_init(struct series_cursor *c, const struct series *s, uint64_t offset)
{
    if (s->records > 0 && offset == s->newest) {
        *c = (struct series_cursor){s, s->chunk_count - 1, s->newest_at, offset, NULL, 0};
        return;
    }
    *c = (struct series_cursor){.series = s, .chunk = find_chunk(s, offset)};
    const struct chunk *chunk = chunk_of(c);
    c->offset = chunk ? chunk->first_offset : s->newest + 1;
    while (c->offset < offset && (chunk = chunk_of(c)) != NULL) {
        c->at += packed_size(chunk->bytes + c->at);
        c->offset++;
    }
}

void series_cursor_fini(struct series_cursor *c)
{
    free(c->extra);
    *c = (struct series_cursor){.series = c->series, .chunk = SIZE_MAX};
}

static enum status reserve_extra(struct series_cursor *c, size_t count)
{
    if (count <= c->extra_cap)
        return OK;
    struct extra *extra = realloc(c->extra, count * sizeof(*extra));
    if (!extra)
        return E_NOMEM;
    c->extra = extra;
    c->extra_cap = count;
    return OK;
}

bool series_next(struct series_cursor *c, struct series_entry *out)
{
    const struct chunk *chunk = chunk_of(c);
    if (!chunk)
        return false;
    const char *at = chunk->bytes + c->at;
    if (reserve_extra(c, packed_extra_count(at)) != OK)
        return false;
    packed_read(&c->series->names, at, c->extra, out);
    out->offset = c->offset++;
    c->at += packed_size(at);
    return true;
}
