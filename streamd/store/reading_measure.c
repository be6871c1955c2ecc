/* SPDX-License-Identifier: MIT */
/*
 * What must be known before the first entry is given. Offsets have no holes, so where they alone
 * decide, `limit` is a subtraction and the ends of the axis are two look-ups. With a range of steps
 * (which may repeat and go back) or after a rewind the entries are counted, by heads where a
 * segment passes whole; then, if `limit` leaves some out, counted again up to the first that is
 * given. Nothing is counted when everything is given anyway.
 */
#include "streamd/store/reading_walk.h"

#include <stdlib.h>

static void enter_phase(struct walk *w, enum walk_phase phase)
{
    w->phase = phase;
    w->next = w->sieve.first;
    w->count = 0;
}

/* No entry is given. */
static void give_nothing(struct walk *w)
{
    w->sieve.first = 1;
    w->sieve.last = 0;
    w->total_known = true;
    enter_phase(w, WALK_READY);
}

static void set_total(struct walk *w, uint64_t total)
{
    const struct reading_request *q = w->request;
    uint64_t left = total < q->limit ? total : q->limit;
    w->total = total;
    w->total_known = true;
    w->skip = total - left;
    w->choosing = q->points > 0 && left > q->points;
}

/* Where the entries stand on the axis, from the first one that is given. */
static void measure_axis(struct walk *w)
{
    bool falls = w->request->branches && w->request->rewind_count > 0;
    bool by_ends = sieve_is_plain(&w->sieve) && !falls;
    w->axis_low = UINT64_MAX;
    w->axis_high = 0;
    enter_phase(w, by_ends ? WALK_ENDS : WALK_MEASURE);
}

/* Offsets alone decide. */
static void subtract(struct walk *w, uint64_t all)
{
    set_total(w, all);
    if (w->skip == all) {
        give_nothing(w);
        return;
    }
    w->sieve.first += w->skip;
    if (w->choosing)
        measure_axis(w);
    else
        enter_phase(w, WALK_READY);
}

static enum status find_bounds(struct walk *w)
{
    const struct reading_request *q = w->request;
    enum status status = E_NOT_FOUND;
    if (q->session != 0 && q->since < q->until) {
        w->sieve.first = q->since + 1;
        w->sieve.last = q->until;
        w->next = w->sieve.first;
        status = walk_enter(w);
    }
    if (status == E_NOT_FOUND)
        give_nothing(w);
    if (status != OK)
        return status == E_NOT_FOUND ? OK : status;
    w->sieve.first = w->next;
    uint64_t all = w->sieve.last - w->sieve.first + 1;
    bool counts = q->limit < all || (q->points > 0 && q->points < all);
    if (sieve_is_plain(&w->sieve))
        subtract(w, all);
    else
        enter_phase(w, counts ? WALK_COUNT : WALK_READY);
    return OK;
}

static void stretch_axis(struct walk *w, uint64_t low, uint64_t high)
{
    w->axis_low = low < w->axis_low ? low : w->axis_low;
    w->axis_high = high > w->axis_high ? high : w->axis_high;
}

/* An entry that counts. */
static void tally(struct walk *w, uint64_t offset, uint64_t axis)
{
    if (w->phase == WALK_SEEK && w->count == w->skip)
        w->sieve.first = offset;
    w->count++;
    stretch_axis(w, axis, axis);
}

/* All entries of the segment at hand count. */
static void tally_all(struct walk *w)
{
    const struct segment *s = &w->ahead->segment;
    if (w->phase == WALK_SEEK && w->count <= w->skip && w->skip - w->count < s->rows)
        w->sieve.first = s->first_offset + (w->skip - w->count);
    w->count += s->rows;
    stretch_axis(w, s->axis_first, s->axis_last);
}

static enum status tally_some(struct walk *w)
{
    struct segment *s = &w->ahead->segment;
    uint64_t *axis = malloc(SEGMENT_ROWS_MAX * sizeof(*axis));
    enum status status = axis ? segment_axis(s, axis) : E_NOMEM;
    for (uint32_t i = 0; status == OK && i < s->rows; i++) {
        if (w->takes[i])
            tally(w, s->first_offset + i, axis[i]);
    }
    free(axis);
    return status == E_MALFORMED ? OK : status;
}

static enum status tally_segment(struct walk *w)
{
    enum sieve_verdict verdict;
    enum status status = walk_judge(w, &verdict);
    if (status != OK)
        return status;
    if (verdict == SIEVE_ALL)
        tally_all(w);
    else if (verdict == SIEVE_SOME)
        status = tally_some(w);
    walk_pass(w);
    return status;
}

static enum status tally_run(struct walk *w)
{
    struct series_entry entry;
    enum status status;
    while ((status = walk_next_in_run(w, &entry)) == OK) {
        if (sieve_takes(&w->sieve, &entry))
            tally(w, entry.offset, entry.axis);
    }
    return status == E_NOT_FOUND ? OK : status;
}

/* E_NOT_FOUND: the last entry has been looked at. */
static enum status tally_more(struct walk *w)
{
    enum status status = walk_enter(w);
    if (status != OK)
        return status;
    return w->ahead->place == PLACE_SEGMENT ? tally_segment(w) : tally_run(w);
}

/* What `limit` leaves is known now. */
static void narrow(struct walk *w)
{
    set_total(w, w->count);
    if (w->skip == w->total)
        give_nothing(w);
    else if (w->skip > 0)
        enter_phase(w, WALK_SEEK);
    else
        enter_phase(w, WALK_READY); /* the axis was measured on the way */
}

/* The axis at `offset`; E_NOT_FOUND when there is no such entry. */
static enum status axis_at(struct walk *w, uint64_t offset, uint64_t *out)
{
    struct archive_cursor *c = w->ahead;
    struct series_entry entry;
    archive_cursor_seek(c, offset);
    enum status status = archive_cursor_enter(c);
    if (status != OK)
        return status;
    if (c->place == PLACE_SEGMENT && (offset == c->first || offset == c->last)) {
        *out = offset == c->first ? c->segment.axis_first : c->segment.axis_last;
        return OK;
    }
    status = archive_cursor_next(c, &entry);
    if (status != OK || entry.offset != offset)
        return status == OK ? E_NOT_FOUND : status;
    *out = entry.axis;
    return OK;
}

static enum status measure_ends(struct walk *w)
{
    enum status status = axis_at(w, w->sieve.first, &w->axis_low);
    if (status == OK)
        status = axis_at(w, w->sieve.last, &w->axis_high);
    if (status == E_NOT_FOUND) {
        w->axis_low = UINT64_MAX;
        w->axis_high = 0;
        enter_phase(w, WALK_MEASURE);
        return OK;
    }
    if (status == OK)
        enter_phase(w, WALK_READY);
    return status;
}

/* The last entry was looked at, or (WALK_SEEK) the one that was looked for. */
static void leave_phase(struct walk *w)
{
    if (w->phase == WALK_COUNT)
        narrow(w);
    else if (w->phase == WALK_SEEK && w->choosing)
        measure_axis(w);
    else
        enter_phase(w, WALK_READY);
}

static enum status step(struct walk *w)
{
    if (w->phase == WALK_BOUNDS)
        return find_bounds(w);
    if (w->phase == WALK_ENDS)
        return measure_ends(w);
    enum status status = tally_more(w);
    if (status == E_NOT_FOUND || (w->phase == WALK_SEEK && w->count > w->skip))
        leave_phase(w);
    return status == E_NOT_FOUND ? OK : status;
}

enum status walk_prepare(struct walk *w)
{
    while (w->phase != WALK_READY) {
        enum status status = w->spent < WALK_STEP ? step(w) : E_STATE;
        if (status != OK)
            return status;
    }
    return OK;
}
