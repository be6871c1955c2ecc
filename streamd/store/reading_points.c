/* SPDX-License-Identifier: MIT */
/*
 * Every metric asked for has a curve of its own; all have the same buckets, and a bucket ends for
 * all of them when an entry stands behind it. So what was chosen comes out in order after a segment
 * at the latest, and can be written at once: not even a bit has to be kept for each entry.
 *
 * A bucket wants of its stretch of a column the first, the last, the lowest, the highest and the
 * first that is not finite, and that is what a segment's head has of the whole column. So a
 * stretch is summed up in those five, wherever they come from, and they are added as points.
 *
 * Points are chosen for each field that was asked for, else for the loss. An entry without the
 * field says nothing about its curve; but when nobody named a field, an entry without a loss is a
 * gap (NaN), so that a run without any loss is thinned evenly and not to nothing.
 */
#include "streamd/store/reading_points.h"

#include "streamd/store/reading_entry.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_CHOSEN_CAP = 64 };

/* What nobody asked for by name. */
static const struct reading_field loss_field = {{NULL, 0}, F_LOSS};

void points_init(struct points *p, const struct reading_request *request, uint64_t from,
                 uint64_t to)
{
    *p = (struct points){.request = request, .x = from, .sorted = true};
    p->curves = request->field_count > 0 ? request->field_count : 1;
    for (size_t i = 0; i < p->curves; i++)
        downsample_init(&p->curve[i], from, to, request->points);
}

void points_fini(struct points *p)
{
    free(p->chosen);
    free(p->values);
    free(p->has);
    *p = (struct points){.request = p->request};
}

static const struct reading_field *field_at(const struct points *p, size_t i)
{
    return p->request->field_count > 0 ? &p->request->fields[i] : &loss_field;
}

/* Does an entry without the field count, as a gap? */
static bool counts_gaps(const struct points *p)
{
    return p->request->field_count == 0;
}

static enum status reserve(struct points *p, size_t more)
{
    size_t cap = p->cap > 0 ? p->cap : FIRST_CHOSEN_CAP;
    if (p->count + more <= p->cap)
        return OK;
    while (cap < p->count + more)
        cap *= 2;
    uint64_t *chosen = realloc(p->chosen, cap * sizeof(*chosen));
    if (!chosen)
        return E_NOMEM;
    p->chosen = chosen;
    p->cap = cap;
    return OK;
}

static void choose(struct points *p, const struct downsample_point *points, size_t n)
{
    if (reserve(p, n) != OK) {
        p->failed = E_NOMEM;
        return;
    }
    for (size_t i = 0; i < n; i++)
        p->chosen[p->count++] = points[i].ref;
    p->sorted = p->sorted && n == 0;
}

static void finish_curve(struct points *p, size_t i)
{
    struct downsample_point points[DOWNSAMPLE_PER_BUCKET];
    choose(p, points, downsample_finish(&p->curve[i], points));
}

/* An entry that counts stands at x: buckets before it have ended. */
static void advance(struct points *p, uint64_t x)
{
    p->x = x > p->x ? x : p->x;
    uint64_t bucket = downsample_bucket(&p->curve[0], p->x);
    for (size_t i = 0; i < p->curves; i++) {
        if (p->curve[i].count > 0 && p->curve[i].bucket < bucket)
            finish_curve(p, i);
    }
}

static void add_point(struct points *p, size_t curve, struct downsample_point point)
{
    struct downsample_point points[DOWNSAMPLE_PER_BUCKET];
    choose(p, points, downsample_add(&p->curve[curve], point, points));
}

enum status points_add(struct points *p, const struct series_entry *entry)
{
    advance(p, entry->axis);
    for (size_t i = 0; i < p->curves; i++) {
        struct num value = reading_value(&entry->record, field_at(p, i));
        if (value.kind != NUM_NONE || counts_gaps(p))
            add_point(p, i, (struct downsample_point){p->x, num_double(value), entry->offset});
    }
    return p->failed;
}

/* The rows of a stretch that can be chosen, in order. */
struct stretch {
    struct {
        uint32_t row;
        double y;
    } at[DOWNSAMPLE_PER_BUCKET + 1];
    size_t count;
};

static void stretch_put(struct stretch *s, uint32_t row, double y)
{
    size_t place = s->count;
    while (place > 0 && s->at[place - 1].row > row)
        place--;
    if (place > 0 && s->at[place - 1].row == row)
        return;
    for (size_t i = s->count; i > place; i--)
        s->at[i] = s->at[i - 1];
    s->at[place].row = row;
    s->at[place].y = y;
    s->count++;
}

static void add_stretch(struct points *p, size_t curve, uint64_t x, uint64_t first_offset,
                        const struct stretch *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct downsample_point point = {x, s->at[i].y, first_offset + s->at[i].row};
        add_point(p, curve, point);
    }
}

/* Sums up a column by its head. */
static void sum_up_head(const struct segment_column *c, uint32_t rows, struct stretch *out)
{
    stretch_put(out, c->first_at, c->first);
    stretch_put(out, c->last_at, c->last);
    if (c->finite > 0) {
        stretch_put(out, c->lowest_at, c->lowest);
        stretch_put(out, c->highest_at, c->highest);
    }
    if (c->gap_at < rows)
        stretch_put(out, c->gap_at, (double)NAN);
}

static bool find_column(const struct points *p, size_t curve, const struct segment *segment,
                        uint32_t *out)
{
    const struct reading_field *field = field_at(p, curve);
    return segment_column_find(segment, field->field, field->name, out);
}

/* False when the head does not tell where the gaps are. */
static bool sum_up_curve(const struct points *p, size_t curve, const struct segment *segment,
                         struct stretch *out)
{
    struct segment_column column = {.count = 0};
    uint32_t i;
    out->count = 0;
    if (find_column(p, curve, segment, &i))
        segment_column_at(segment, i, &column);
    if (column.count > 0)
        sum_up_head(&column, segment->rows, out);
    if (column.count == segment->rows || !counts_gaps(p))
        return true;
    stretch_put(out, 0, (double)NAN);
    stretch_put(out, segment->rows - 1, (double)NAN);
    return column.count == 0;
}

bool points_add_head(struct points *p, const struct segment *segment)
{
    const struct downsample *d = &p->curve[0];
    uint64_t from = segment->axis_first > p->x ? segment->axis_first : p->x;
    uint64_t to = segment->axis_last > p->x ? segment->axis_last : p->x;
    struct stretch stretch;
    if (downsample_bucket(d, from) != downsample_bucket(d, to) ||
        !sum_up_curve(p, 0, segment, &stretch))
        return false;
    advance(p, from);
    for (size_t i = 0; i < p->curves; i++) {
        (void)sum_up_curve(p, i, segment, &stretch);
        add_stretch(p, i, from, segment->first_offset, &stretch);
    }
    p->x = to;
    return true;
}

/* What was found in a stretch so far; a row `none` stands for nothing. */
struct found {
    uint32_t none, first, last, lowest, highest, gap;
    double low, high;
};

static void see(struct found *f, uint32_t row, double y)
{
    f->first = f->first == f->none ? row : f->first;
    f->last = row;
    if (!isfinite(y)) {
        f->gap = f->gap == f->none ? row : f->gap;
        return;
    }
    if (y < f->low) {
        f->low = y;
        f->lowest = row;
    }
    if (y > f->high) {
        f->high = y;
        f->highest = row;
    }
}

/* The same at once for rows that all count and are finite; false: one is not. */
static bool see_all(struct found *f, const double *y, uint32_t from, uint32_t to)
{
    double low = y[from];
    double high = y[from];
    uint32_t lowest = from;
    uint32_t highest = from;
    double sum = 0; /* of zeros, unless one is not finite */
    for (uint32_t i = from; i < to; i++) {
        lowest = y[i] < low ? i : lowest;
        low = y[i] < low ? y[i] : low;
        highest = y[i] > high ? i : highest;
        high = y[i] > high ? y[i] : high;
        sum += y[i] - y[i];
    }
    f->first = from;
    f->last = to - 1;
    f->lowest = lowest;
    f->highest = highest;
    return sum == 0;
}

/* Sums up the rows [from, to) of the column in `values`. */
static void sum_up_rows(const struct points *p, uint32_t from, uint32_t to, struct stretch *out)
{
    const struct found nothing = {to, to, to, to, to, to, (double)INFINITY, (double)-INFINITY};
    struct found f = nothing;
    if (!p->all || !see_all(&f, p->values, from, to)) {
        f = nothing;
        for (uint32_t i = from; i < to; i++) {
            if (p->all || p->has[i])
                see(&f, i, p->values[i]);
        }
    }
    const uint32_t rows[] = {f.first, f.last, f.lowest, f.highest, f.gap};
    out->count = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i] < to)
            stretch_put(out, rows[i], p->values[rows[i]]);
    }
}

/* The first row from `at` on whose place on the axis is `end` or beyond. */
static uint32_t row_at(const uint64_t *axis, uint32_t at, uint32_t rows, uint64_t end)
{
    uint32_t high = rows;
    while (at < high) {
        uint32_t middle = at + (high - at) / 2;
        if (axis[middle] < end)
            at = middle + 1;
        else
            high = middle;
    }
    return at;
}

/* The column of a curve into `values`; `has` says which rows count for it. */
static enum status load_curve(struct points *p, size_t curve, struct segment *segment,
                              const bool *takes)
{
    uint32_t column;
    struct segment_column about = {.count = 0};
    bool found = find_column(p, curve, segment, &column);
    enum status status = found ? segment_numbers(segment, column, p->values, p->has) : OK;
    if (status != OK)
        return status;
    if (found)
        segment_column_at(segment, column, &about);
    p->all = about.count == segment->rows && !takes;
    if (p->all)
        return OK;
    for (uint32_t i = 0; i < segment->rows; i++) {
        bool has = found && p->has[i];
        if (!has)
            p->values[i] = (double)NAN;
        p->has[i] = (has || counts_gaps(p)) && (!takes || takes[i]);
    }
    return OK;
}

/* Adds the column in `values`, bucket by bucket. */
static void add_column(struct points *p, size_t curve, const struct segment *segment,
                       const uint64_t *axis)
{
    const struct downsample *d = &p->curve[curve];
    uint64_t x = p->x;
    for (uint32_t row = 0; row < segment->rows;) {
        struct stretch stretch;
        x = axis[row] > x ? axis[row] : x;
        uint64_t end = downsample_bucket_end(d, downsample_bucket(d, x));
        uint32_t behind = end < UINT64_MAX ? row_at(axis, row, segment->rows, end) : segment->rows;
        sum_up_rows(p, row, behind, &stretch);
        add_stretch(p, curve, x, segment->first_offset, &stretch);
        row = behind;
    }
}

static enum status reserve_scratch(struct points *p)
{
    if (!p->values)
        p->values = malloc(SEGMENT_ROWS_MAX * sizeof(*p->values));
    if (!p->has)
        p->has = malloc(SEGMENT_ROWS_MAX * sizeof(*p->has));
    return p->values && p->has ? OK : E_NOMEM;
}

static enum status add_columns(struct points *p, struct segment *segment, const bool *takes,
                               uint64_t *axis)
{
    enum status status = segment_axis(segment, axis);
    for (size_t i = 0; i < p->curves && status == OK; i++) {
        status = load_curve(p, i, segment, takes);
        if (status == OK)
            add_column(p, i, segment, axis);
    }
    uint32_t last = segment->rows;
    while (takes && last > 0 && !takes[last - 1])
        last--;
    if (status == OK && last > 0)
        advance(p, axis[last - 1]);
    return status == OK ? p->failed : status;
}

enum status points_add_segment(struct points *p, struct segment *segment, const bool *takes)
{
    uint64_t *axis = malloc(SEGMENT_ROWS_MAX * sizeof(*axis));
    enum status status = axis ? reserve_scratch(p) : E_NOMEM;
    if (status == OK)
        status = add_columns(p, segment, takes, axis);
    free(axis);
    return status;
}

enum status points_end(struct points *p)
{
    for (size_t i = 0; i < p->curves; i++)
        finish_curve(p, i);
    return p->failed;
}

static int order(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* Curves come one after the other and agree on many entries. */
static void sort(struct points *p)
{
    size_t kept = 0;
    qsort(p->chosen, p->count, sizeof(*p->chosen), order);
    for (size_t i = 0; i < p->count; i++) {
        if (kept == 0 || p->chosen[i] != p->chosen[kept - 1])
            p->chosen[kept++] = p->chosen[i];
    }
    p->count = kept;
    p->sorted = true;
}

bool points_take(struct points *p, uint64_t *out)
{
    if (!p->sorted)
        sort(p);
    if (p->taken == p->count) {
        p->taken = 0;
        p->count = 0;
        return false;
    }
    *out = p->chosen[p->taken++];
    return true;
}
