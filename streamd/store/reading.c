/* SPDX-License-Identifier: MIT */
/*
 * A state machine: find out where to begin (reading_walk), for a csv see which columns there are,
 * then write entry after entry until a piece is full. Each step ends when the walk says that its
 * time is used up or when a piece is ready; nothing is kept that grows with the history.
 */
#include "streamd/store/reading.h"

#include "streamd/session/summary.h"
#include "streamd/store/reading_csv.h"
#include "streamd/store/reading_text.h"
#include "streamd/store/reading_walk.h"

#include <stdlib.h>

/* An entry may be longer than a piece, but not by more than a line can make it. */
enum { PIECE_LIMIT_BYTES = READING_PIECE_BYTES + (16 << 20) };

enum job_phase { JOB_PREPARING, JOB_COLLECTING, JOB_WRITING };

struct reading_job {
    struct reading_request request;
    enum job_phase phase;
    struct walk walk;
    struct reading_csv *csv;     /* owns; NULL unless READING_CSV */
    struct summary *summary;     /* owns; NULL unless READING_SUMMARY */
    struct collation *collation; /* owns; NULL unless READING_COLLATION */
    struct curves *curves;       /* owns; NULL unless READING_CURVES */
    struct reading_text text;
    struct span epochs; /* READING_EPOCHS: those that are still to be read */
    uint64_t epoch;     /* offset of the newest one that was */
    struct buf out;
};

void reading_request_copy(struct reading_request *to, const struct reading_request *from)
{
    *to = *from;
    for (size_t i = 0; i < to->field_count; i++) {
        struct span *name = &to->fields[i].name;
        if (name->ptr >= from->names && name->ptr < from->names + sizeof(from->names))
            name->ptr = to->names + (name->ptr - from->names);
    }
}

static size_t limit_bytes(const struct reading_request *q)
{
    return q->form == READING_HISTORY && q->max_bytes > 0 ? q->max_bytes : PIECE_LIMIT_BYTES;
}

struct reading_job *reading_job_create(struct store *store, struct line_decoder *decoder,
                                       const struct reading_request *request)
{
    struct reading_job *job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    reading_request_copy(&job->request, request);
    buf_init(&job->out, limit_bytes(request));
    job->epochs = (struct span){job->request.epochs, job->request.epochs_len};
    job->epoch = request->epochs_before;
    job->text.request = &job->request;
    job->text.id = span_of(job->request.id);
    if (walk_init(&job->walk, store, decoder, &job->request) != OK)
        goto fail;
    if (request->form == READING_CSV) {
        job->csv = reading_csv_create(&job->request);
        job->text.csv = job->csv;
        if (!job->csv)
            goto fail;
    }
    if (request->form == READING_SUMMARY) {
        job->summary = summary_create();
        if (!job->summary)
            goto fail;
    }
    if (request->form == READING_COLLATION) {
        job->collation = malloc(sizeof(*job->collation));
        if (!job->collation)
            goto fail;
        collation_begin(job->collation, &request->collation, &request->reckoning);
    }
    if (request->form == READING_CURVES) {
        job->curves = malloc(sizeof(*job->curves));
        if (!job->curves)
            goto fail;
        curves_begin(job->curves, &request->curves, &request->reckoning);
    }
    return job;
fail:
    reading_job_destroy(job);
    return NULL;
}

void reading_job_destroy(struct reading_job *job)
{
    if (!job)
        return;
    walk_fini(&job->walk);
    reading_csv_destroy(job->csv);
    summary_destroy(job->summary);
    free(job->collation);
    free(job->curves);
    buf_fini(&job->out);
    free(job);
}

static void begin_writing(struct reading_job *job)
{
    job->phase = JOB_WRITING;
    walk_begin(&job->walk);
    if (!job->summary)
        reading_text_begin(&job->text, &job->out);
}

static enum status prepare(struct reading_job *job)
{
    enum status status = walk_prepare(&job->walk);
    if (status != OK)
        return status;
    walk_begin(&job->walk);
    if (job->csv && reading_csv_wants_columns(job->csv))
        job->phase = JOB_COLLECTING;
    else
        begin_writing(job);
    return E_STATE;
}

/* The names in a segment's head stand in the order in which its rows bring them. */
static enum status collect_head(struct reading_job *job)
{
    const struct segment *segment;
    struct segment_column column;
    enum status status = walk_next_head(&job->walk, &segment);
    for (uint32_t i = 0; status == OK && i < segment->column_count; i++) {
        segment_column_at(segment, i, &column);
        if (column.field == RECORD_FIELDS)
            status = reading_csv_add_column(job->csv, column.name);
    }
    return status;
}

static enum status collect_entry(struct reading_job *job)
{
    struct series_entry entry;
    enum status status = walk_next(&job->walk, &entry);
    for (size_t i = 0; status == OK && i < entry.record.extra_count; i++)
        status = reading_csv_add_column(job->csv, entry.record.extra[i].name);
    return status;
}

static enum status collect(struct reading_job *job)
{
    enum status status = OK;
    while (status == OK && job->walk.spent < WALK_STEP) {
        status = collect_head(job);
        if (status == E_NOT_FOUND)
            status = collect_entry(job);
    }
    if (status == E_NOT_FOUND)
        begin_writing(job);
    return status == OK || status == E_NOT_FOUND ? E_STATE : status;
}

static enum status give(struct reading_job *job, bool last, struct refbuf **out, bool *out_last)
{
    enum status status = buf_status(&job->out);
    struct refbuf *piece = status == OK ? refbuf_create(buf_span(&job->out)) : NULL;
    if (!piece)
        return status == OK ? E_NOMEM : status;
    buf_reset(&job->out);
    *out = piece;
    *out_last = last;
    return OK;
}

static enum status give_value(struct reading_job *job, const void *value, size_t size,
                              struct refbuf **out, bool *out_last)
{
    buf_reset(&job->out);
    buf_add(&job->out, value, size);
    return give(job, true, out, out_last);
}

/* The piece is the value itself; nothing but this process ever sees it. */
static enum status reckon(struct reading_job *job, struct refbuf **out, bool *out_last)
{
    struct reckoning *r = &job->request.reckoning;
    struct collation *c = job->collation;
    struct curves *k = job->curves;
    struct series_entry entry;
    enum status status;
    while ((status = walk_next(&job->walk, &entry)) == OK) {
        if (c)
            collation_record(c, &entry.record, entry.server_time_s, entry.offset);
        else if (k)
            curves_record(k, &entry.record, entry.server_time_s, entry.offset);
        else
            (void)reckoning_record(r, &entry.record, entry.server_time_s, entry.offset);
    }
    if (status != E_NOT_FOUND)
        return status;
    if (c)
        return give_value(job, c, sizeof(*c), out, out_last);
    if (!k)
        return give_value(job, r, sizeof(*r), out, out_last);
    curves_end(k);
    return give_value(job, k, sizeof(*k), out, out_last);
}

static enum status write(struct reading_job *job, struct refbuf **out, bool *out_last)
{
    bool whole = job->request.form == READING_HISTORY;
    struct series_entry entry;
    while (buf_status(&job->out) == OK && (whole || job->out.len < READING_PIECE_BYTES)) {
        enum status status = walk_next(&job->walk, &entry);
        if (status == E_NOT_FOUND) {
            const struct walk *w = &job->walk;
            reading_text_end(&job->text, w->total_known ? w->total : w->count, &job->out);
            return give(job, true, out, out_last);
        }
        if (status != OK)
            return status;
        reading_text_add(&job->text, &entry, sieve_superseded(&job->walk.sieve, &entry), &job->out);
    }
    return give(job, false, out, out_last);
}

/* Of all of them or of none: a summary does not show what is missing in it. */
static enum status summarize(struct reading_job *job, struct refbuf **out, bool *out_last)
{
    struct series_entry entry;
    enum status status;
    while ((status = walk_next(&job->walk, &entry)) == OK)
        summary_add(job->summary, &entry.record);
    if (status != E_NOT_FOUND)
        return status;
    if (reading_job_is_damaged(job))
        return E_MALFORMED;
    summary_write(job->summary, &job->out);
    return give(job, true, out, out_last);
}

/* Adds the entry with that offset, if it stands. */
static enum status add_epoch(struct reading_job *job, uint64_t offset)
{
    const struct reading_request *q = &job->request;
    struct archive_cursor *c = job->walk.ahead;
    struct series_entry entry;
    struct epoch epoch;
    job->walk.spent += archive_cursor_has(c, offset) ? 1 : WALK_BODY_COST;
    archive_cursor_seek(c, offset);
    enum status status = archive_cursor_next(c, &entry);
    if (status == E_NOT_FOUND)
        return OK;
    if (status != OK || entry.offset != offset)
        return status;
    const struct rewind place = {offset, num_double(entry.record.field[F_CURRENT_STEP]),
                                 num_double(entry.record.field[F_CURRENT_MODEL])};
    if (rewind_covers(q->rewinds, q->rewind_count, place))
        return OK;
    epoch_of_entry(&entry, &epoch);
    buf_add(&job->out, &epoch, sizeof(epoch));
    return OK;
}

/* They are few and lie far apart, so each is looked up by itself. */
static enum status give_epochs(struct reading_job *job, struct refbuf **out, bool *out_last)
{
    while (job->out.len < READING_PIECE_BYTES) {
        struct span before = job->epochs;
        uint64_t offset = job->epoch;
        if (job->walk.spent >= WALK_STEP)
            return E_STATE;
        if (!epochs_next(&job->epochs, &offset))
            return give(job, true, out, out_last);
        enum status status = add_epoch(job, offset);
        if (status != OK) {
            job->epochs = before;
            return status;
        }
        job->epoch = offset;
    }
    return give(job, false, out, out_last);
}

enum status reading_job_step(struct reading_job *job, struct refbuf **out, bool *out_last)
{
    job->walk.spent = 0;
    if (job->request.form == READING_EPOCHS)
        return give_epochs(job, out, out_last);
    switch (job->phase) {
    case JOB_PREPARING:
        return prepare(job);
    case JOB_COLLECTING:
        return collect(job);
    case JOB_WRITING:
        break;
    }
    if (job->request.form == READING_RECKONING || job->collation || job->curves)
        return reckon(job, out, out_last);
    return job->summary ? summarize(job, out, out_last) : write(job, out, out_last);
}

uint64_t reading_job_written(const struct reading_job *job)
{
    return job->phase == JOB_WRITING ? job->walk.count : 0;
}

bool reading_job_is_damaged(const struct reading_job *job)
{
    uint64_t damaged = 0;
    for (size_t i = 0; i < WALK_CURSORS; i++)
        damaged += job->walk.cursor[i].damaged;
    return damaged > 0;
}
