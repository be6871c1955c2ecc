/* SPDX-License-Identifier: MIT */
/*
 * Offsets have no holes, so without a range of steps the first entry is a subtraction away. With
 * one, steps may repeat and go back (three models of one run each count from 0), so the entries
 * are counted first and the walk passes over what `limit` leaves out.
 *
 * Points are chosen along the steps, but the downsampler wants an axis that never goes back: where
 * the steps do, the axis goes on by one instead. So each model of a run gets its own buckets, and
 * not all of them one. Entries are marked in a first walk and written in a second; keeping them
 * would cost hundreds of times the one bit.
 */
#include "streamd/http/history_select.h"

#include "throttle/downsample.h"

#include <math.h>
#include <stdlib.h>

/* The axis along which points are chosen. */
struct axis {
    double step; /* of the entry before */
    uint64_t x;
    bool begun;
};

/* Farther than any run goes, and far from where x could overflow. */
static const double AXIS_MAX = 9007199254740992.0; /* 2^53 */

static uint64_t axis_next(struct axis *a, const struct record *r)
{
    double step = num_double(r->field[F_CURRENT_STEP]);
    bool known = isfinite(step) && step >= 0;
    double ahead = known ? step - a->step : 1;
    if (!a->begun)
        ahead = known ? step : 0;
    else if (ahead < 0)
        ahead = 1;
    if (ahead < AXIS_MAX - (double)a->x)
        a->x += (uint64_t)ahead;
    a->begun = true;
    if (known)
        a->step = step;
    return a->x;
}

static bool in_range(const struct history_query *q, const struct record *r)
{
    if (!q->ranged)
        return true;
    double step = num_double(r->field[F_CURRENT_STEP]);
    return step >= (double)q->from && step <= (double)q->to;
}

static uint64_t count_in_range(struct history_selection *s)
{
    struct series_cursor cursor;
    struct series_entry entry;
    uint64_t count = 0;
    series_cursor_init(&cursor, s->series, s->first);
    while (series_next(&cursor, &entry))
        count += in_range(s->query, &entry.record);
    series_cursor_fini(&cursor);
    return count;
}

/* Sets total, first and skip. */
static void select_range(struct history_selection *s)
{
    const struct history_query *q = s->query;
    uint64_t oldest = series_oldest(s->series);
    uint64_t newest = series_newest(s->series);
    if (q->since >= newest)
        return;
    s->first = q->since >= oldest ? q->since + 1 : oldest;
    s->total = q->ranged ? count_in_range(s) : newest - s->first + 1;
    uint64_t surplus = s->total > q->limit ? s->total - q->limit : 0;
    if (q->ranged)
        s->skip = surplus;
    else
        s->first += surplus;
}

/* The axis from its first to its last entry, as [from, to). */
static void measure_axis(const struct history_selection *s, uint64_t *from, uint64_t *to)
{
    struct history_walk walk;
    struct series_entry entry;
    struct axis axis = {.begun = false};
    *from = 0;
    *to = 0;
    history_walk_init(&walk, s);
    while (history_walk_next(&walk, &entry)) {
        uint64_t x = axis_next(&axis, &entry.record);
        if (*to == 0)
            *from = x;
        *to = x + 1;
    }
    history_walk_fini(&walk);
}

static void mark(unsigned char *chosen, uint64_t first, const struct downsample_point *points,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t at = points[i].ref - first;
        chosen[at / 8] |= (unsigned char)(1u << (at % 8));
    }
}

/* Puts one entry on the axis of each field; what is thereby chosen is marked. */
static void offer(const struct history_query *q, struct downsample *d, uint64_t first, uint64_t x,
                  const struct series_entry *entry, unsigned char *chosen)
{
    struct downsample_point points[DOWNSAMPLE_PER_BUCKET];
    for (size_t i = 0; i < q->field_count; i++) {
        struct num value = history_value(&entry->record, &q->fields[i]);
        struct downsample_point point = {x, num_double(value), entry->offset};
        if (value.kind != NUM_NONE)
            mark(chosen, first, points, downsample_add(&d[i], point, points));
    }
    if (q->field_count == 0) {
        struct downsample_point point = {x, num_double(entry->record.field[F_LOSS]), entry->offset};
        mark(chosen, first, points, downsample_add(&d[0], point, points));
    }
}

/*
 * Points are chosen for each field that was asked for, else for the loss. An entry without the
 * field says nothing about its curve; but when nobody named a field, an entry without a loss is a
 * gap (NaN), so that a run without any loss is thinned evenly and not to nothing.
 */
static void choose(const struct history_selection *s, unsigned char *chosen)
{
    const struct history_query *q = s->query;
    struct downsample d[HISTORY_FIELDS_MAX];
    struct downsample_point points[DOWNSAMPLE_PER_BUCKET];
    size_t fields = q->field_count > 0 ? q->field_count : 1;
    struct axis axis = {.begun = false};
    struct history_walk walk;
    struct series_entry entry;
    uint64_t from;
    uint64_t to;
    measure_axis(s, &from, &to);
    for (size_t i = 0; i < fields; i++)
        downsample_init(&d[i], from, to, q->points);
    history_walk_init(&walk, s);
    while (history_walk_next(&walk, &entry))
        offer(q, d, s->first, axis_next(&axis, &entry.record), &entry, chosen);
    history_walk_fini(&walk);
    for (size_t i = 0; i < fields; i++)
        mark(chosen, s->first, points, downsample_finish(&d[i], points));
}

enum status history_select(struct history_selection *s, const struct history_query *q,
                           const struct series *series)
{
    *s = (struct history_selection){.query = q, .series = series};
    if (!series)
        return OK;
    select_range(s);
    uint64_t left = s->total < q->limit ? s->total : q->limit;
    if (q->points == 0 || left <= q->points)
        return OK;
    unsigned char *chosen = calloc((series_newest(series) - s->first) / 8 + 1, 1);
    if (!chosen)
        return E_NOMEM;
    choose(s, chosen);
    s->chosen = chosen;
    return OK;
}

void history_select_fini(struct history_selection *s)
{
    free(s->chosen);
    *s = (struct history_selection){.series = NULL};
}

void history_walk_init(struct history_walk *w, const struct history_selection *s)
{
    *w = (struct history_walk){.selection = s, .skip = s->skip};
    if (s->series && s->total > 0 && s->query->limit > 0)
        series_cursor_init(&w->cursor, s->series, s->first);
    else
        w->selection = NULL;
}

void history_walk_fini(struct history_walk *w)
{
    if (w->selection)
        series_cursor_fini(&w->cursor);
}

static bool is_chosen(const struct history_selection *s, uint64_t offset)
{
    uint64_t at = offset - s->first;
    return !s->chosen || (s->chosen[at / 8] >> (at % 8) & 1);
}

bool history_walk_next(struct history_walk *w, struct series_entry *out)
{
    if (!w->selection)
        return false;
    while (series_next(&w->cursor, out)) {
        if (!in_range(w->selection->query, &out->record))
            continue;
        if (w->skip > 0)
            w->skip--;
        else if (is_chosen(w->selection, out->offset))
            return true;
    }
    return false;
}
