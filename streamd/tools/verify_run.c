/* SPDX-License-Identifier: MIT */
/*
 * A walk of its own and not the archive's cursor, which passes over what is damaged: here that is
 * what is looked for. The store answers, for an offset, the row that holds it or the first after
 * it; so a row that begins before the offset asked for overlaps the one before, and one that begins
 * after it leaves a hole.
 */
#include "streamd/tools/verify_run.h"

#include "streamd/store/run.h"
#include "streamd/store/segment.h"

#include <inttypes.h>
#include <stdio.h>

enum { PROBLEM_MAX = 512 };

/* Where the walk stands. */
struct place {
    const struct session *session;
    uint64_t next;   /* offset that comes */
    uint64_t newest; /* what the session's row says */
};

void verify_tell(struct verify *v, const struct session *s, uint64_t first, uint64_t last,
                 const char *what)
{
    char text[PROBLEM_MAX];
    (void)snprintf(text, sizeof(text), "session %s offsets %" PRIu64 "-%" PRIu64 ": %s", s->id,
                   first, last, what);
    v->problem(v, text);
}

/* Where a row ends; what is damaged may say anything. */
static uint64_t last_of(uint64_t first, uint64_t count)
{
    return count > 0 && count <= UINT64_MAX - first ? first + count - 1 : first;
}

/* Holds where the row begins against where the one before ended. */
static void check_seam(struct verify *v, const struct place *at, uint64_t first)
{
    if (first > at->next)
        verify_tell(v, at->session, at->next, first - 1, "missing");
    else if (first < at->next)
        verify_tell(v, at->session, first, at->next - 1, "there twice");
}

/* What is wrong with a segment's rows; NULL: nothing. */
static const char *read_rows(struct segment *s, enum status *out)
{
    struct series_entry entry;
    uint64_t axis = 0;
    for (uint32_t i = 0; i < s->rows; i++) {
        *out = segment_row(s, i, &entry);
        if (*out != OK)
            return "a record of the segment cannot be read";
        if (entry.offset != s->first_offset + i || entry.axis < axis)
            return "the records of the segment are not in order";
        axis = entry.axis;
    }
    return NULL;
}

static enum status check_segment(struct verify *v, const struct place *at,
                                 const struct store_segment *row)
{
    struct segment s;
    const char *wrong = "the segment's head is damaged";
    enum status status = segment_open(&s, row->head, row->body);
    v->segments++;
    if (status == OK) {
        wrong = s.first_offset == row->first && s.rows == row->count
                    ? read_rows(&s, &status)
                    : "the segment holds other records than its row says";
        v->records += s.rows;
        segment_close(&s);
    }
    if (status == E_NOMEM)
        return status;
    if (wrong)
        verify_tell(v, at->session, row->first, last_of(row->first, row->count), wrong);
    return OK;
}

static enum status check_run(struct verify *v, const struct place *at, const struct store_run *row)
{
    struct run_reader run;
    struct series_entry entry;
    uint64_t count = 0;
    v->runs++;
    enum status status = run_open(&run, row->bytes, row->first, v->decoder);
    while (status == OK && (status = run_next(&run, &entry)) == OK)
        count++;
    v->records += count;
    if (status == E_NOMEM)
        return status;
    if (status != E_NOT_FOUND)
        verify_tell(v, at->session, row->first, last_of(row->first, row->count),
                    "a record of the run cannot be read");
    else if (count != row->count)
        verify_tell(v, at->session, row->first, last_of(row->first, row->count),
                    "the run holds more or fewer records than its row says");
    return OK;
}

static enum status take_segment(struct verify *v, struct place *at, const struct store_segment *row)
{
    check_seam(v, at, row->first);
    at->next = last_of(row->first, row->count) + 1;
    return check_segment(v, at, row);
}

static enum status take_run(struct verify *v, struct place *at)
{
    struct store_run row;
    enum status status = v->store->ops->next_run(v->store, at->session->key, at->next, &row);
    if (status != OK)
        return status;
    check_seam(v, at, row.first);
    at->next = last_of(row.first, row.count) + 1;
    return check_run(v, at, &row);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What a store answered about the rows from an offset on. */
struct answer {
    enum status status;
    uint64_t first, count;
};

/* Is it E_MALFORMED, how far? Is it a row, where does it begin? UINT64_MAX: it is neither. */
static uint64_t reach(const struct answer *a)
{
    if (a->status == OK)
        return a->first;
    return a->status == E_MALFORMED ? last_of(a->first, a->count) + 1 : UINT64_MAX;
}

/* A row that could not be given; what is between here and the next one is lost with it. */
static enum status pass_damaged(struct verify *v, struct place *at, const struct answer *run,
                                const struct answer *segment)
{
    uint64_t end = min_u64(reach(run), reach(segment));
    end = min_u64(end, at->newest + 1);
    end = end > at->next ? end : at->next + 1;
    verify_tell(v, at->session, at->next, end - 1,
                run->status == E_MALFORMED ? "the run's row is damaged"
                                           : "the segment's row is damaged");
    at->next = end;
    return OK;
}

static bool is_here(const struct answer *a, const struct place *at)
{
    return a->status == OK && a->first <= at->next;
}

static bool is_answer(enum status status)
{
    return status == OK || status == E_NOT_FOUND || status == E_MALFORMED;
}

/* The row that comes next, a segment or a run. E_NOT_FOUND: there is none. */
static enum status check_next(struct verify *v, struct place *at)
{
    struct store_segment segment;
    struct store_run run;
    const struct store_ops *ops = v->store->ops;
    struct answer r = {.status = ops->next_run(v->store, at->session->key, at->next, &run)};
    if (r.status == OK || r.status == E_MALFORMED)
        r = (struct answer){r.status, run.first, run.count};
    struct answer s = {.status =
                           ops->next_segment(v->store, at->session->key, at->next, true, &segment)};
    if (s.status == OK || s.status == E_MALFORMED)
        s = (struct answer){s.status, segment.first, segment.count};
    if (!is_answer(r.status) || !is_answer(s.status))
        return is_answer(r.status) ? s.status : r.status;
    if (is_here(&s, at))
        return take_segment(v, at, &segment);
    if (is_here(&r, at))
        return take_run(v, at);
    if (r.status == E_MALFORMED || s.status == E_MALFORMED)
        return pass_damaged(v, at, &r, &s);
    if (s.status == OK && reach(&s) < reach(&r))
        return take_segment(v, at, &segment);
    return r.status == OK ? take_run(v, at) : E_NOT_FOUND;
}

enum status verify_run(struct verify *v, const struct session *s)
{
    struct place at = {.session = s, .next = 1, .newest = series_newest(s->series)};
    enum status status = OK;
    while (status == OK) {
        status = check_next(v, &at);
        v->progress(v);
    }
    if (status != E_NOT_FOUND)
        return status;
    if (at.next <= at.newest)
        verify_tell(v, s, at.next, at.newest, "missing");
    else if (at.next > at.newest + 1)
        verify_tell(v, s, at.newest + 1, at.next - 1, "newer than the session knows of");
    return OK;
}
