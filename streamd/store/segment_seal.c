/* SPDX-License-Identifier: MIT */
/*
 * Everything is written to the writer's own bufs first, so that the caller's are appended to when
 * nothing can fail any more. Extras are sorted by column in one counting pass: their number is
 * bounded, that of names times rows is not.
 *
 * A field is kept whole where predicting (segment_predict.c) goes wrong for more than one row in
 * KEPT_PER; below that the wrong ones are listed.
 */
#include "streamd/store/segment_writer.h"

#include "proto/varint.h"

#include <assert.h>
#include <stdlib.h>

enum { KEPT_PER = 8, HEAD_CRC_BYTES = 4, NO_COLUMN = UINT16_MAX };

/* The extras sorted by name. */
struct sorted {
    struct num *num;        /* owns: those of the first name, then those of the second, ... */
    uint16_t *row;          /* owns: which row each is of */
    uint32_t *end;          /* owns: of each name, where its numbers end */
    uint16_t *column;       /* owns: which of the trainer's columns each name is, NO_COLUMN: none */
    struct num *train_loss; /* owns: by row; NULL: none in any */
    uint32_t columns;
};

static void sorted_fini(struct sorted *x)
{
    free(x->num);
    free(x->row);
    free(x->end);
    free(x->column);
    free(x->train_loss);
}

static const uint16_t *shape_begin(const struct segment_writer *w, uint32_t row, size_t *out_n)
{
    uint64_t shape = w->shape[row];
    *out_n = w->shape_at[shape + 1] - w->shape_at[shape];
    return w->shape_columns + w->shape_at[shape];
}

/* Counts into end[], numbers the columns. */
static void count(const struct segment_writer *w, struct sorted *x)
{
    size_t n;
    for (uint32_t row = 0; row < w->rows; row++) {
        const uint16_t *names = shape_begin(w, row, &n);
        for (size_t i = 0; i < n; i++)
            x->end[names[i]]++;
    }
    for (uint32_t name = 0; name < w->names.count; name++)
        x->column[name] = x->end[name] ? (uint16_t)x->columns++ : NO_COLUMN;
}

/* From counts to where each begins, and with every number put there to where it ends. */
static void distribute(const struct segment_writer *w, struct sorted *x)
{
    uint32_t begin = 0;
    size_t n;
    const struct num *next = w->extra;
    for (uint32_t name = 0; name < w->names.count; name++) {
        uint32_t counted = x->end[name];
        x->end[name] = begin;
        begin += counted;
    }
    for (uint32_t row = 0; row < w->rows; row++) {
        const uint16_t *names = shape_begin(w, row, &n);
        for (size_t i = 0; i < n; i++) {
            uint32_t at = x->end[names[i]]++;
            x->num[at] = *next++;
            x->row[at] = (uint16_t)row;
        }
    }
}

static uint32_t begin_of(const struct sorted *x, uint32_t name)
{
    return name ? x->end[name - 1] : 0;
}

static enum status find_train_loss(const struct segment_writer *w, struct sorted *x)
{
    for (uint32_t name = 0; name < w->names.count; name++) {
        if (x->column[name] == NO_COLUMN ||
            !span_is(names_at(&w->names, (uint16_t)name), "train_loss"))
            continue;
        x->train_loss = calloc(w->rows, sizeof(*x->train_loss));
        if (!x->train_loss)
            return E_NOMEM;
        for (uint32_t at = begin_of(x, name); at < x->end[name]; at++)
            x->train_loss[x->row[at]] = x->num[at];
        break;
    }
    return OK;
}

static enum status sort(const struct segment_writer *w, struct sorted *out)
{
    struct sorted x = {.num = malloc(w->extras * sizeof(*x.num) + 1),
                       .row = malloc(w->extras * sizeof(*x.row) + 1),
                       .end = calloc(w->names.count + 1, sizeof(*x.end)),
                       .column = calloc(w->names.count + 1, sizeof(*x.column))};
    enum status status = x.num && x.row && x.end && x.column ? OK : E_NOMEM;
    if (status == OK) {
        count(w, &x);
        distribute(w, &x);
        status = find_train_loss(w, &x);
    }
    if (status == OK)
        *out = x;
    else
        sorted_fini(&x);
    return status;
}

/* ---- sections ---- */

static void put_words(struct segment_writer *w, const uint64_t *words, size_t n)
{
    struct words_writer *writer = &w->column.words;
    words_write(writer, words, n, words_plan(writer, words, n).order, &w->section);
}

/* What was written to w->section goes where it belongs. */
static void end_section(struct segment_writer *w)
{
    if (buf_status(&w->section) != OK)
        w->head.failed = buf_status(&w->section);
    head_write_section(&w->head, &w->body, buf_span(&w->section));
    buf_reset(&w->section);
}

/* Each column as its distance from the one after the one before: 0 for all of most shapes. */
static void put_shape(const struct segment_writer *w, const struct sorted *x, uint32_t shape,
                      struct buf *out)
{
    uint32_t end = w->shape_at[shape + 1];
    uint64_t before = UINT64_MAX;
    varint_put(out, end - w->shape_at[shape]);
    for (uint32_t i = w->shape_at[shape]; i < end; i++) {
        uint64_t column = x->column[w->shape_columns[i]];
        varint_put(out, zigzag(column - before - 1));
        before = column;
    }
}

static void write_rows(struct segment_writer *w, const struct sorted *x)
{
    struct buf all;
    buf_init(&all, SEALED_MAX);
    for (uint32_t i = 0; i < w->shapes; i++)
        put_shape(w, x, i, &all);
    varint_put(&w->section, w->shapes);
    varint_put(&w->section, all.len);
    if (buf_status(&all) == OK)
        plane_write(&w->column.words.planes, (const uint8_t *)all.ptr, all.len, &w->section);
    else
        w->section.failed = buf_status(&all);
    buf_fini(&all);
    if (w->shapes > 1)
        put_words(w, w->shape, w->rows);
    put_words(w, w->sent, w->rows);
    put_words(w, w->wrong, w->rows);
    end_section(w);
}

static void put_column(struct segment_writer *w, const struct num *nums, size_t n)
{
    bool all = n == w->rows;
    column_write(&w->column,
                 &(struct column_slots){nums, n, all ? w->axis : NULL, all ? w->time_ms : NULL},
                 &w->section);
}

/* ---- the twelve ---- */

static bool has_any(const struct segment_writer *w, enum record_field f)
{
    for (uint32_t i = 0; i < w->rows; i++) {
        if (w->field[f][i].kind != NUM_NONE)
            return true;
    }
    return false;
}

/* Fills w->slot and w->listed; false: prediction does not pay. */
static bool leave_out(struct segment_writer *w, struct segment_known *known, enum record_field f,
                      size_t *out_kept, size_t *out_listed)
{
    size_t kept = 0;
    size_t listed = 0;
    if (!segment_predicts(f))
        return false;
    for (uint32_t i = 0; i < w->rows; i++) {
        bool sent = w->sent[i] >> f & 1;
        if (!sent && num_same(segment_predict(known, f, i), w->field[f][i]))
            continue;
        if (!sent)
            w->listed[listed++] = i;
        w->slot[kept++] = w->field[f][i];
        if (listed > w->rows / KEPT_PER + 1)
            return false;
    }
    *out_kept = kept;
    *out_listed = listed;
    return true;
}

static void write_field(struct segment_writer *w, struct segment_known *known,
                        struct inside_column *c, const struct inside_column *before)
{
    enum record_field f = c->about.field;
    size_t kept = 0;
    size_t listed = 0;
    c->predicted = leave_out(w, known, f, &kept, &listed);
    column_describe(&c->about, w->field[f], NULL, w->rows, w->rows);
    head_write_column(&w->head, c, w->rows, before);
    if (!c->predicted) {
        put_column(w, w->field[f], w->rows);
    } else {
        varint_put(&w->section, listed);
        put_words(w, w->listed, listed);
        if (kept > 0)
            put_column(w, w->slot, kept);
    }
    end_section(w);
}

/* The loss comes first; its values are those that come again (train_loss). */
static void write_columns(struct segment_writer *w, const struct sorted *x)
{
    struct segment_known known = {.train_loss = x->train_loss, .time_ms = w->time_ms};
    struct inside_column first;
    const struct inside_column *before = NULL;
    for (enum record_field f = 0; f < RECORD_FIELDS; f++)
        known.field[f] = w->field[f];
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        struct inside_column c = {.about = {.field = f}};
        if (!has_any(w, f))
            continue;
        write_field(w, &known, &c, before);
        first = before ? first : c;
        before = &first;
    }
    for (uint32_t name = 0; name < w->names.count; name++) {
        uint32_t begin = begin_of(x, name);
        struct inside_column c = {
            .about = {.field = RECORD_FIELDS, .name = names_at(&w->names, (uint16_t)name)}};
        if (x->column[name] == NO_COLUMN)
            continue;
        size_t n = x->end[name] - begin;
        column_describe(&c.about, x->num + begin, x->row + begin, n, w->rows);
        head_write_column(&w->head, &c, w->rows, before);
        put_column(w, x->num + begin, n);
        end_section(w);
        first = before ? first : c;
        before = &first;
    }
}

/* ---- all of it ---- */

static void write_head(struct segment_writer *w)
{
    uint32_t last = w->rows - 1;
    word_put(&w->head, 0, HEAD_CRC_BYTES);
    buf_add_char(&w->head, SEGMENT_VERSION);
    varint_put(&w->head, w->rows);
    varint_put(&w->head, w->first_offset);
    varint_put(&w->head, w->axis[0]);
    varint_put(&w->head, w->axis[last] - w->axis[0]);
    varint_put(&w->head, zigzag(w->time_ms[0]));
    varint_put(&w->head, zigzag(w->time_ms[last] - w->time_ms[0]));
}

static void put_crc(struct buf *head)
{
    const Bytef *bytes = (const Bytef *)head->ptr + HEAD_CRC_BYTES;
    uint64_t crc = crc32_z(0, bytes, head->len - HEAD_CRC_BYTES);
    for (unsigned i = 0; i < HEAD_CRC_BYTES; i++)
        head->ptr[i] = (char)(crc >> (8 * i));
}

static enum status seal(struct segment_writer *w, const struct sorted *x)
{
    uint32_t fields = 0;
    for (enum record_field f = 0; f < RECORD_FIELDS; f++)
        fields += has_any(w, f);
    write_head(w);
    put_words(w, w->axis, w->rows);
    end_section(w);
    put_words(w, w->time_ms, w->rows);
    end_section(w);
    write_rows(w, x);
    varint_put(&w->head, fields + x->columns);
    varint_put(&w->head, fields);
    write_columns(w, x);
    if (buf_status(&w->head) != OK)
        return buf_status(&w->head);
    put_crc(&w->head);
    return buf_status(&w->body);
}

enum status segment_writer_finish(struct segment_writer *w, struct buf *head, struct buf *body)
{
    struct sorted x;
    assert(w->rows > 0);
    buf_reset(&w->section);
    buf_reset(&w->head);
    buf_reset(&w->body);
    enum status status = sort(w, &x);
    if (status != OK)
        return status;
    status = seal(w, &x);
    sorted_fini(&x);
    if (status == OK)
        status = buf_reserve(head, w->head.len);
    if (status == OK)
        status = buf_reserve(body, w->body.len);
    if (status != OK)
        return status;
    buf_add_span(head, buf_span(&w->head));
    buf_add_span(body, buf_span(&w->body));
    segment_writer_reset(w);
    return OK;
}
