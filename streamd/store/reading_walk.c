/* SPDX-License-Identifier: MIT */
/*
 * Without points the walk is one cursor with a sieve; whole segments are passed over by their heads
 * where none of their rows counts.
 *
 * With points one cursor goes ahead and feeds the choice; what is chosen comes a bucket later, and
 * is fetched. Nearly always it is in one of the two segments opened last, so these stay open: a
 * body is read, checked and inflated once. Buckets that are wider than segments are chosen by heads
 * alone, and then only the segments are opened that have a chosen entry.
 */
#include "streamd/store/reading_walk.h"

#include <stdlib.h>

/* What the text is made of: what was asked for, the step, and what tells whether it is superseded.
 */
static void want(struct walk *w)
{
    const struct reading_request *q = w->request;
    bool every = q->field_count == 0 || q->form == READING_UPDATES;
    w->wanted = (struct segment_wanted){
        .every = every, .fields = 1U << F_CURRENT_STEP | 1U << F_CURRENT_MODEL, .names = w->names};
    for (size_t i = 0; i < q->field_count; i++) {
        if (q->fields[i].field == RECORD_FIELDS)
            w->names[w->wanted.name_count++] = q->fields[i].name;
        else
            w->wanted.fields |= 1U << q->fields[i].field;
    }
}

enum status walk_init(struct walk *w, struct store *store, struct line_decoder *decoder,
                      const struct reading_request *request)
{
    *w = (struct walk){.request = request, .sieve = {.request = request}, .axis_low = UINT64_MAX};
    for (size_t i = 0; i < WALK_CURSORS; i++)
        archive_cursor_init(&w->cursor[i], store, decoder, request->session, 1);
    w->ahead = &w->cursor[0];
    w->recent = &w->cursor[1];
    w->older = &w->cursor[2];
    points_init(&w->points, request, 0, 0);
    want(w);
    w->takes = calloc(SEGMENT_ROWS_MAX, sizeof(*w->takes));
    return w->takes ? OK : E_NOMEM;
}

void walk_fini(struct walk *w)
{
    for (size_t i = 0; i < WALK_CURSORS; i++)
        archive_cursor_fini(&w->cursor[i]);
    points_fini(&w->points);
    free(w->takes);
    w->takes = NULL;
}

void walk_begin(struct walk *w)
{
    w->next = w->sieve.first;
    w->judged = false;
    w->scanned = false;
    w->opens = false;
    w->count = 0;
    if (!w->choosing)
        return;
    /* All that would have been measured may have turned out to be damaged. */
    uint64_t from = w->axis_low <= w->axis_high ? w->axis_low : 0;
    uint64_t to = w->axis_high < UINT64_MAX ? w->axis_high + 1 : UINT64_MAX;
    points_fini(&w->points);
    points_init(&w->points, w->request, from, to);
}

enum status walk_enter(struct walk *w)
{
    if (w->next > w->sieve.last)
        return E_NOT_FOUND;
    archive_cursor_seek(w->ahead, w->next);
    w->ahead->eager = w->opens;
    enum status status = archive_cursor_enter(w->ahead);
    if (status != OK)
        return status;
    w->next = w->ahead->next;
    w->spent += w->opens ? WALK_BODY_COST : w->ahead->place == PLACE_SEGMENT ? WALK_HEAD_COST : 1;
    return w->next > w->sieve.last ? E_NOT_FOUND : OK;
}

void walk_pass(struct walk *w)
{
    w->next = w->ahead->last + 1;
    w->judged = false;
}

enum status walk_next_in_run(struct walk *w, struct series_entry *out)
{
    struct archive_cursor *c = w->ahead;
    uint64_t last = c->last;
    if (c->place != PLACE_RUN || c->next > last || w->spent >= WALK_STEP)
        return E_NOT_FOUND;
    w->spent++;
    enum status status = archive_cursor_next(c, out);
    /* The rest of the run was damaged: what comes instead may be in a segment, and is not for here.
     */
    bool is_behind = status == OK && out->offset > last;
    w->next = is_behind ? out->offset : c->next;
    return is_behind ? E_NOT_FOUND : status;
}

/* Opens the segment at hand whole, unless that turns out to be damaged. */
static enum status open_segment(struct walk *w, bool *out_damaged)
{
    w->spent += w->ahead->whole ? 0 : WALK_BODY_COST;
    enum status status = archive_cursor_open(w->ahead);
    if (status == OK)
        *out_damaged = w->ahead->place == PLACE_NONE;
    return status;
}

enum status walk_judge(struct walk *w, enum sieve_verdict *out)
{
    bool damaged = false;
    enum sieve_verdict verdict = sieve_head(&w->sieve, &w->ahead->segment);
    enum status status = OK;
    if (verdict == SIEVE_SOME)
        status = open_segment(w, &damaged);
    if (verdict == SIEVE_SOME && status == OK && !damaged) {
        status = sieve_rows(&w->sieve, &w->ahead->segment, w->takes);
        damaged = status == E_MALFORMED;
    }
    if (status != OK && !damaged)
        return status;
    *out = damaged ? SIEVE_NONE : verdict;
    return OK;
}

/* ---- without points ---- */

/* Judges the segment at hand, once; passes it if nothing of it counts. */
static enum status judge_once(struct walk *w)
{
    enum sieve_verdict verdict;
    if (w->judged && w->judged_first == w->ahead->first)
        return OK;
    enum status status = walk_judge(w, &verdict);
    if (status != OK)
        return status;
    w->judged = true;
    w->judged_first = w->ahead->first;
    w->all = verdict == SIEVE_ALL;
    if (verdict == SIEVE_NONE)
        walk_pass(w);
    return OK;
}

/* Goes to the next row of the segment at hand that counts, or behind it. */
static void skip_rows(struct walk *w)
{
    const struct archive_cursor *c = w->ahead;
    while (!w->all && w->next <= c->last && !w->takes[w->next - c->first])
        w->next++;
    if (w->next > c->last)
        walk_pass(w);
}

/* Brings `ahead` nearer to an entry that may count. True in *out_there: it stands on one. */
static enum status approach(struct walk *w, bool *out_there)
{
    enum status status = walk_enter(w);
    *out_there = status == OK && w->ahead->place == PLACE_RUN;
    if (status != OK || *out_there)
        return status;
    status = judge_once(w);
    if (status != OK || !w->judged)
        return status;
    skip_rows(w);
    archive_cursor_seek(w->ahead, w->next);
    *out_there = w->judged;
    return OK;
}

static enum status next_let_through(struct walk *w, struct series_entry *out)
{
    while (w->spent < WALK_STEP) {
        bool there;
        enum status status = approach(w, &there);
        if (status == OK && !there)
            continue;
        if (status == OK)
            status = archive_cursor_next(w->ahead, out);
        if (status != OK)
            return status;
        w->next = w->ahead->next;
        w->spent++;
        if (sieve_takes(&w->sieve, out)) {
            w->count++;
            return OK;
        }
    }
    return E_STATE;
}

enum status walk_next_head(struct walk *w, const struct segment **out)
{
    if (w->choosing)
        return E_NOT_FOUND;
    enum status status = walk_enter(w);
    if (status != OK || w->ahead->place != PLACE_SEGMENT ||
        sieve_head(&w->sieve, &w->ahead->segment) != SIEVE_ALL || w->next != w->ahead->first)
        return status == OK ? E_NOT_FOUND : status;
    *out = &w->ahead->segment;
    w->count += w->ahead->segment.rows;
    walk_pass(w);
    return OK;
}

/* ---- with points ---- */

/* The segment that `ahead` has opened stays, for what is chosen from it. */
static void keep_segment(struct walk *w)
{
    struct archive_cursor *oldest = w->older;
    w->older = w->recent;
    w->recent = w->ahead;
    w->ahead = oldest;
}

/* The columns of the segment at hand. */
static enum status scan_columns(struct walk *w, const bool *takes)
{
    struct archive_cursor *c = w->ahead;
    bool damaged = false;
    enum status status = open_segment(w, &damaged);
    if (status == OK && !damaged)
        status = points_add_segment(&w->points, &c->segment, takes);
    /* Its checksum is right and a column is not: what of it was chosen will not be found. */
    if (status != OK && status != E_MALFORMED)
        return status;
    walk_pass(w);
    if (!damaged)
        keep_segment(w);
    return OK;
}

static enum status scan_segment(struct walk *w)
{
    enum sieve_verdict verdict;
    enum status status = walk_judge(w, &verdict);
    if (status != OK)
        return status;
    if (verdict == SIEVE_NONE ||
        (verdict == SIEVE_ALL && points_add_head(&w->points, &w->ahead->segment))) {
        w->opens = false;
        walk_pass(w);
        return OK;
    }
    w->opens = true;
    return scan_columns(w, verdict == SIEVE_ALL ? NULL : w->takes);
}

static enum status scan_run(struct walk *w)
{
    struct series_entry entry;
    enum status status = walk_next_in_run(w, &entry);
    while (status == OK) {
        if (sieve_takes(&w->sieve, &entry))
            status = points_add(&w->points, &entry);
        if (status == OK)
            status = walk_next_in_run(w, &entry);
    }
    return status == E_NOT_FOUND ? OK : status;
}

/* Looks at some more entries. */
static enum status scan(struct walk *w)
{
    enum status status = walk_enter(w);
    if (status == E_NOT_FOUND) {
        w->scanned = true;
        return points_end(&w->points);
    }
    if (status != OK)
        return status;
    return w->ahead->place == PLACE_SEGMENT ? scan_segment(w) : scan_run(w);
}

/* One that was chosen. E_NOT_FOUND: it is gone or damaged. */
static enum status fetch(struct walk *w, uint64_t offset, struct series_entry *out)
{
    struct archive_cursor *c = archive_cursor_has(w->recent, offset) ? w->recent : w->older;
    w->spent += archive_cursor_has(c, offset) ? WALK_PICK_COST : WALK_BODY_COST;
    return archive_cursor_pick(c, offset, &w->wanted, out);
}

static enum status next_chosen(struct walk *w, struct series_entry *out)
{
    while (w->spent < WALK_STEP) {
        uint64_t offset;
        enum status status = OK;
        if (points_take(&w->points, &offset)) {
            status = fetch(w, offset, out);
            if (status != E_NOT_FOUND)
                return status;
        } else if (w->scanned) {
            return E_NOT_FOUND;
        } else {
            status = scan(w);
            if (status != OK)
                return status;
        }
    }
    return E_STATE;
}

enum status walk_next(struct walk *w, struct series_entry *out)
{
    return w->choosing ? next_chosen(w, out) : next_let_through(w, out);
}
