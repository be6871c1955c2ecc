/* SPDX-License-Identifier: MIT */
/*
 * archived: a session's records in a store, cut into runs and segments as a test likes.
 *
 * Records are added as lines; the axis goes as a session's does. archived_keep puts the next so
 * many of them into the store, in either form.
 */
#ifndef TESTS_STREAMD_ARCHIVED_H
#define TESTS_STREAMD_ARCHIVED_H

#include "streamd/log.h"
#include "streamd/session/axis.h"
#include "streamd/store/archive_cursor.h"
#include "streamd/store/rewind.h"
#include "streamd/store/store_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARCHIVED_KEY = 7 };

struct archived {
    struct line_decoder decoder;
    struct record_memory memory;
    struct axis axis;
    struct buf text;        /* all lines, each ended by \n */
    struct run_mark *marks; /* owns */
    size_t *ends;           /* owns: where each line ends in `text` */
    size_t count, cap;
    struct rewind rewinds[REWINDS_MAX];
    size_t rewind_count;

    struct store *store;  /* owns */
    size_t kept;          /* records that are in it */
    struct run_reader at; /* what the session remembers there */
};

static inline void archived_open(struct archived *a)
{
    memset(a, 0, sizeof(*a));
    log_set_level(LOG_ERROR);
    line_decoder_init(&a->decoder, 1);
    record_memory_init(&a->memory);
    axis_init(&a->axis);
    buf_init(&a->text, 1 << 30);
    a->store = store_memory_create();
    assert_non_null(a->store);
}

static inline void archived_close(struct archived *a)
{
    line_decoder_fini(&a->decoder);
    buf_fini(&a->text);
    free(a->marks);
    free(a->ends);
    a->store->ops->destroy(a->store);
}

/* The store is empty again; the records are still there to be kept. */
static inline void archived_empty(struct archived *a)
{
    a->store->ops->destroy(a->store);
    a->store = store_memory_create();
    assert_non_null(a->store);
    a->kept = 0;
    record_memory_init(&a->at.memory);
}

/* `metrics` is the inside of the object. `resumes`: it may be a rewind. */
static inline void archived_add(struct archived *a, const char *metrics, bool resumes)
{
    struct line line;
    struct line_error error;
    size_t from = a->text.len;
    if (a->count == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 256;
        a->marks = realloc(a->marks, a->cap * sizeof(*a->marks));
        a->ends = realloc(a->ends, a->cap * sizeof(*a->ends));
        assert_true(a->marks && a->ends);
    }
    buf_addf(&a->text, "{\"type\":\"progress\",\"metrics\":{%s}}", metrics);
    struct span text = {a->text.ptr + from, a->text.len - from};
    if (line_decode(&a->decoder, text, &line, &error) != OK)
        fail_msg("%s: %s", error.why, metrics);
    struct run_mark mark = {INT64_C(1700000000000) + (int64_t)a->count * 10, a->count * 10, 0};
    struct record *r = &line.record;
    run_complete(r, &a->memory, mark);
    if (resumes && axis_goes_back(&a->axis, r)) {
        axis_rewind(&a->axis, r);
        assert_true(a->rewind_count < REWINDS_MAX);
        a->rewinds[a->rewind_count++] =
            (struct rewind){a->count + 1, num_double(r->field[F_CURRENT_STEP]),
                            num_double(r->field[F_CURRENT_MODEL])};
    }
    mark.axis = axis_next(&a->axis, r);
    a->marks[a->count] = mark;
    a->ends[a->count++] = a->text.len;
}

static inline struct span archived_line(const struct archived *a, size_t i)
{
    size_t from = i > 0 ? a->ends[i - 1] : 0;
    return (struct span){a->text.ptr + from, a->ends[i] - from};
}

/* The next records as a run; answers how many: fewer than n where the axis falls. */
static inline size_t archived_write_run(struct archived *a, size_t n, struct buf *run)
{
    size_t count = 0;
    buf_reset(run);
    run_begin(run, &a->at.memory);
    for (; count < n && a->kept + count < a->count; count++) {
        size_t i = a->kept + count;
        if (count > 0 && a->marks[i].axis < a->marks[i - 1].axis)
            break;
        run_add(run, a->marks[i], archived_line(a, i));
    }
    run_end(run);
    assert_int_equal(buf_status(run), OK);
    return count;
}

static inline void archived_put_segment(struct archived *a, struct segment_writer *writer)
{
    struct buf head;
    struct buf body;
    buf_init(&head, 1 << 28);
    buf_init(&body, 1 << 28);
    struct store_segment row = {
        .session = ARCHIVED_KEY, .first = a->kept + 1, .count = segment_writer_rows(writer)};
    assert_int_equal(segment_writer_finish(writer, &head, &body), OK);
    row.head = buf_span(&head);
    row.body = buf_span(&body);
    assert_int_equal(a->store->ops->put_segment(a->store, &row), OK);
    buf_fini(&head);
    buf_fini(&body);
}

/* Puts at most n of the next records into the store as one row; answers how many. */
static inline size_t archived_keep(struct archived *a, size_t n, bool sealed)
{
    struct buf run;
    buf_init(&run, 1 << 28);
    n = archived_write_run(a, n, &run);
    uint64_t first = a->kept + 1;
    const struct store_session session = {
        .key = ARCHIVED_KEY, .id = SPAN("archived"), .status = SPAN("running"), .state = SPAN("")};
    assert_int_equal(a->store->ops->begin(a->store), OK);
    assert_int_equal(a->store->ops->put_session(a->store, &session), OK);
    struct segment_writer *writer = sealed ? segment_writer_create() : NULL;
    struct series_entry entry;
    assert_int_equal(run_open(&a->at, buf_span(&run), first, &a->decoder), OK);
    enum status status;
    while ((status = run_next(&a->at, &entry)) == OK) {
        if (sealed)
            assert_int_equal(segment_writer_add(writer, &entry), OK);
    }
    assert_int_equal(status, E_NOT_FOUND);
    if (sealed)
        archived_put_segment(a, writer);
    else
        assert_int_equal(a->store->ops->put_run(
                             a->store, &(struct store_run){ARCHIVED_KEY, first, n, buf_span(&run)}),
                         OK);
    assert_int_equal(a->store->ops->commit(a->store), OK);
    segment_writer_destroy(writer);
    buf_fini(&run);
    a->kept += n;
    return n;
}

/* All that is not kept yet, in rows of at most n. */
static inline void archived_keep_all(struct archived *a, size_t n, bool sealed)
{
    while (a->kept < a->count)
        archived_keep(a, n, sealed);
}

#endif
