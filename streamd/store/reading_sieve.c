/* SPDX-License-Identifier: MIT */
/*
 * A head is judged by the lowest and highest of its columns. A metric that some rows lack, or that
 * is not finite somewhere, cannot make a segment pass whole, but rule it out it can: rows without a
 * step are in no range and superseded by nothing.
 *
 * Rewinds before the first offset asked for concern nothing that is looked at; most requests are
 * for what came after the newest of them.
 */
#include "streamd/store/reading_sieve.h"

#include <math.h>
#include <stdlib.h>

/* Rewinds that supersede something at or after `offset`: those from there to the end. */
static size_t rewinds_after(const struct sieve *s, uint64_t offset)
{
    const struct reading_request *q = s->request;
    size_t n = 0;
    if (q->branches)
        return 0;
    while (n < q->rewind_count && q->rewinds[q->rewind_count - 1 - n].offset > offset)
        n++;
    return n;
}

bool sieve_is_plain(const struct sieve *s)
{
    return !s->request->ranged && rewinds_after(s, s->first) == 0;
}

static bool in_range(const struct reading_request *q, double step)
{
    return !q->ranged || (step >= (double)q->from && step <= (double)q->to);
}

static bool is_superseded(const struct reading_request *q, struct rewind entry)
{
    return rewind_covers(q->rewinds, q->rewind_count, entry);
}

static struct rewind place_of(const struct series_entry *entry)
{
    return (struct rewind){entry->offset, num_double(entry->record.field[F_CURRENT_STEP]),
                           num_double(entry->record.field[F_CURRENT_MODEL])};
}

bool sieve_takes(const struct sieve *s, const struct series_entry *entry)
{
    const struct reading_request *q = s->request;
    if (entry->offset < s->first || entry->offset > s->last)
        return false;
    if (sieve_is_plain(s))
        return true;
    struct rewind place = place_of(entry);
    return in_range(q, place.step) && (q->branches || !is_superseded(q, place));
}

bool sieve_superseded(const struct sieve *s, const struct series_entry *entry)
{
    const struct reading_request *q = s->request;
    return q->branches && q->rewind_count > 0 && is_superseded(q, place_of(entry));
}

/* The column of one of the twelve; one without rows when the segment has none. */
static struct segment_column column_of(const struct segment *segment, enum record_field field)
{
    struct segment_column column = {.field = field};
    uint32_t i;
    if (segment_column_find(segment, field, (struct span){NULL, 0}, &i))
        segment_column_at(segment, i, &column);
    return column;
}

static enum sieve_verdict range_verdict(const struct reading_request *q,
                                        const struct segment *segment,
                                        const struct segment_column *step)
{
    if (!q->ranged)
        return SIEVE_ALL;
    bool meets =
        step->finite > 0 && step->highest >= (double)q->from && step->lowest <= (double)q->to;
    if (!meets)
        return SIEVE_NONE;
    bool whole =
        step->finite == segment->rows && in_range(q, step->lowest) && in_range(q, step->highest);
    return whole ? SIEVE_ALL : SIEVE_SOME;
}

/* A column of which every row has that value. */
static bool is_all(const struct segment_column *column, const struct segment *segment, double value)
{
    return column->finite == segment->rows && column->lowest == value && column->highest == value;
}

static enum sieve_verdict rewind_verdict(const struct sieve *s, const struct segment *segment,
                                         const struct segment_column *step)
{
    const struct reading_request *q = s->request;
    size_t n = rewinds_after(s, segment->first_offset);
    uint64_t last = segment->first_offset + segment->rows - 1;
    enum sieve_verdict verdict = SIEVE_ALL;
    struct segment_column model = column_of(segment, F_CURRENT_MODEL);
    for (size_t i = q->rewind_count - n; i < q->rewind_count; i++) {
        const struct rewind *r = &q->rewinds[i];
        bool concerns =
            step->count > step->finite || (step->finite > 0 && step->highest >= r->step);
        bool covers = step->finite == segment->rows && step->lowest >= r->step &&
                      is_all(&model, segment, r->model) && r->offset > last;
        if (covers)
            return SIEVE_NONE;
        if (concerns)
            verdict = SIEVE_SOME;
    }
    return verdict;
}

static enum sieve_verdict offset_verdict(const struct sieve *s, const struct segment *segment)
{
    uint64_t last = segment->first_offset + segment->rows - 1;
    if (segment->first_offset > s->last || last < s->first)
        return SIEVE_NONE;
    return segment->first_offset >= s->first && last <= s->last ? SIEVE_ALL : SIEVE_SOME;
}

static enum sieve_verdict both(enum sieve_verdict a, enum sieve_verdict b)
{
    return a < b ? a : b;
}

enum sieve_verdict sieve_head(const struct sieve *s, const struct segment *segment)
{
    enum sieve_verdict verdict = offset_verdict(s, segment);
    if (verdict == SIEVE_NONE || sieve_is_plain(s))
        return verdict;
    struct segment_column step = column_of(segment, F_CURRENT_STEP);
    verdict = both(verdict, range_verdict(s->request, segment, &step));
    return both(verdict, rewind_verdict(s, segment, &step));
}

/* NaN where a row lacks the metric. */
static enum status numbers_of(struct segment *segment, enum record_field field, double *out,
                              bool *has)
{
    uint32_t column;
    bool found = segment_column_find(segment, field, (struct span){NULL, 0}, &column);
    enum status status = found ? segment_numbers(segment, column, out, has) : OK;
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < segment->rows; i++) {
        if (!found || !has[i])
            out[i] = (double)NAN;
    }
    return OK;
}

static enum status judge_rows(const struct sieve *s, struct segment *segment, double *steps,
                              bool *out)
{
    const struct reading_request *q = s->request;
    double *models = steps + SEGMENT_ROWS_MAX;
    bool rewound = rewinds_after(s, segment->first_offset) > 0;
    enum status status = numbers_of(segment, F_CURRENT_STEP, steps, out);
    if (status == OK && rewound)
        status = numbers_of(segment, F_CURRENT_MODEL, models, out);
    for (uint32_t i = 0; i < segment->rows && status == OK; i++) {
        uint64_t offset = segment->first_offset + i;
        out[i] = offset >= s->first && offset <= s->last && in_range(q, steps[i]);
        if (out[i] && rewound)
            out[i] = !is_superseded(q, (struct rewind){offset, steps[i], models[i]});
    }
    return status;
}

enum status sieve_rows(const struct sieve *s, struct segment *segment, bool *out)
{
    if (sieve_is_plain(s)) {
        for (uint32_t i = 0; i < segment->rows; i++) {
            uint64_t offset = segment->first_offset + i;
            out[i] = offset >= s->first && offset <= s->last;
        }
        return OK;
    }
    double *steps = malloc(sizeof(*steps) * 2 * SEGMENT_ROWS_MAX);
    if (!steps)
        return E_NOMEM;
    enum status status = judge_rows(s, segment, steps, out);
    free(steps);
    return status;
}
