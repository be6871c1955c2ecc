/* SPDX-License-Identifier: MIT */
/*
 * Powers of two rather than 1-2-5: the bucket of x is a shift, every coarser bucket is exactly two
 * finer ones, and so zooming out never moves a border. Buckets of a fixed number of points were
 * rejected because one more point at the start moves them all, LTTB because there each choice
 * depends on the one before.
 *
 * Points are kept with their position in the bucket: it puts them in order, also where x repeats,
 * and tells one point that is both first and lowest from two.
 */
#include "throttle/downsample.h"

#include <assert.h>
#include <math.h>

enum { ONE_BUCKET = 64 };

static uint64_t bucket_of(uint64_t x, unsigned shift)
{
    return shift == ONE_BUCKET ? 0 : x >> shift;
}

static unsigned choose_shift(uint64_t from, uint64_t to, size_t points)
{
    uint64_t at_most = points / DOWNSAMPLE_PER_BUCKET;
    unsigned shift = 0;
    if (at_most == 0)
        at_most = 1;
    while (from < to && bucket_of(to - 1, shift) - bucket_of(from, shift) >= at_most)
        shift++;
    return shift;
}

uint64_t downsample_width(uint64_t from, uint64_t to, size_t points)
{
    unsigned shift = choose_shift(from, to, points);
    return shift == ONE_BUCKET ? 0 : UINT64_C(1) << shift;
}

void downsample_init(struct downsample *d, uint64_t from, uint64_t to, size_t points)
{
    assert(from <= to);
    *d = (struct downsample){.from = from, .to = to, .shift = choose_shift(from, to, points)};
}

uint64_t downsample_bucket(const struct downsample *d, uint64_t x)
{
    return bucket_of(x, d->shift);
}

uint64_t downsample_bucket_end(const struct downsample *d, uint64_t bucket)
{
    bool is_last = bucket == bucket_of(UINT64_MAX, d->shift);
    return is_last ? UINT64_MAX : (bucket + 1) << d->shift;
}

static void take(struct downsample *d, struct downsample_point point)
{
    struct downsample_kept kept = {point, ++d->count};
    if (d->count == 1)
        d->first = kept;
    d->last = kept;
    if (!isfinite(point.y)) {
        if (d->gap.at == 0)
            d->gap = kept;
        return;
    }
    if (d->lowest.at == 0 || point.y < d->lowest.point.y)
        d->lowest = kept;
    if (d->highest.at == 0 || point.y > d->highest.point.y)
        d->highest = kept;
}

/* Puts a point in its place among n that are in order, unless it is there or there is none. */
static size_t insert(struct downsample_kept *chosen, size_t n, const struct downsample_kept *kept)
{
    size_t place = 0;
    while (place < n && chosen[place].at < kept->at)
        place++;
    if (kept->at == 0 || (place < n && chosen[place].at == kept->at))
        return n;
    for (size_t i = n; i > place; i--)
        chosen[i] = chosen[i - 1];
    chosen[place] = *kept;
    return n + 1;
}

size_t downsample_finish(struct downsample *d, struct downsample_point out[DOWNSAMPLE_PER_BUCKET])
{
    struct downsample_kept chosen[DOWNSAMPLE_PER_BUCKET + 1] = {0};
    size_t n = insert(chosen, 0, &d->first);
    n = insert(chosen, n, &d->lowest);
    n = insert(chosen, n, &d->highest);
    n = insert(chosen, n, &d->last);
    n = insert(chosen, n, &d->gap);
    size_t skip = n > DOWNSAMPLE_PER_BUCKET ? 1 : 0;
    for (size_t i = skip; i < n; i++)
        out[i - skip] = chosen[i].point;
    *d = (struct downsample){.from = d->from, .to = d->to, .shift = d->shift};
    return n - skip;
}

size_t downsample_add(struct downsample *d, struct downsample_point point,
                      struct downsample_point out[DOWNSAMPLE_PER_BUCKET])
{
    size_t given = 0;
    if (point.x < d->from || point.x >= d->to)
        return 0;
    uint64_t bucket = bucket_of(point.x, d->shift);
    if (d->count > 0 && bucket > d->bucket)
        given = downsample_finish(d, out);
    if (d->count == 0)
        d->bucket = bucket;
    take(d, point);
    return given;
}
