/* SPDX-License-Identifier: MIT */
/*
 * Opening reads the head and nothing else; what a question needs of the body is inflated then and
 * kept until the segment is closed. A chart asks for one column of very many segments, so the way
 * from its bytes to doubles is direct and skips what only segment_row needs.
 */
#include "streamd/store/segment_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum status segment_open(struct segment *s, struct span head, struct span body)
{
    struct segment opened = {.rows = 0};
    opened.inside = calloc(1, sizeof(*opened.inside));
    if (!opened.inside)
        return E_NOMEM;
    enum status status = head_read(&opened, head, body);
    if (status == OK)
        *s = opened;
    else
        segment_close(&opened);
    return status;
}

static void free_rows(struct segment_inside *in, uint32_t extras)
{
    for (uint32_t i = 0; in->extra_text && i < extras; i++)
        free(in->extra_text[i]);
    free(in->extra_text);
    free(in->extra_at);
    free(in->extra);
    for (unsigned f = 0; f < RECORD_FIELDS; f++) {
        free(in->field[f]);
        free(in->field_text[f].bytes);
    }
}

void segment_close(struct segment *s)
{
    struct segment_inside *in = s->inside;
    if (!in)
        return;
    free_rows(in, s->column_count - in->fields);
    segment_free_picked(s);
    free(in->wrong);
    free(in->sent);
    free(in->shape);
    free(in->shape_columns);
    free(in->shape_at);
    free(in->time_ms);
    free(in->axis);
    if (in->reader)
        column_reader_fini(in->reader);
    free(in->reader);
    free(in->column);
    free(in);
    s->inside = NULL;
}

void segment_column_at(const struct segment *s, uint32_t i, struct segment_column *out)
{
    *out = s->inside->column[i].about;
}

bool segment_column_find(const struct segment *s, enum record_field field, struct span name,
                         uint32_t *out_i)
{
    bool extra = field == RECORD_FIELDS;
    uint32_t end = extra ? s->column_count : s->inside->fields;
    for (uint32_t i = extra ? s->inside->fields : 0; i < end; i++) {
        const struct segment_column *c = &s->inside->column[i].about;
        if (extra ? span_eq(c->name, name) : c->field == field) {
            *out_i = i;
            return true;
        }
    }
    return false;
}

enum status segment_axis(struct segment *s, uint64_t *out)
{
    enum status status = segment_need_axis(s);
    if (status == OK)
        memcpy(out, s->inside->axis, s->rows * sizeof(*out));
    return status;
}

static enum status numbers_of_field(struct segment *s, enum record_field f, double *out, bool *has)
{
    enum status status = segment_need_field(s, f);
    if (status != OK)
        return status;
    const struct num *nums = s->inside->field[f];
    for (uint32_t i = 0; i < s->rows; i++) {
        out[i] = num_double_soon(nums[i]);
        if (has)
            has[i] = nums[i].kind != NUM_NONE;
    }
    return OK;
}

/* From the n that are there to where they belong, in place: from the last one back. */
static void spread(double *out, bool *has, uint32_t rows, size_t n)
{
    for (uint32_t i = rows; i-- > 0;)
        out[i] = has[i] ? out[--n] : (double)NAN;
}

static enum status numbers_of_extra(struct segment *s, uint32_t column, double *out, bool *has)
{
    bool own[SEGMENT_ROWS_MAX];
    struct column_source source;
    struct span bytes;
    struct inside_column *c = &s->inside->column[column];
    has = has ? has : own;
    enum status status = segment_need_shapes(s);
    if (status != OK)
        return status;
    size_t n = segment_rows_with(s, column - s->inside->fields, has);
    if (n != c->about.count)
        return E_MALFORMED;
    status = section_open(&c->section, &bytes);
    if (status == OK)
        status = segment_source(s, bytes, n, &source);
    if (status == OK)
        status = column_doubles(s->inside->reader, &source, out, NULL);
    if (status == OK && n < s->rows)
        spread(out, has, s->rows, n);
    return status;
}

/* A column with one number a row, all of one kind: what most charts ask for. */
static bool is_plain(const struct segment *s, uint32_t column)
{
    const struct picked *p = &s->inside->picked[column];
    return p->bits && !p->before;
}

static void numbers_of_plain(const struct segment *s, uint32_t column, double *out, bool *has)
{
    const struct picked *p = &s->inside->picked[column];
    if (p->about.power > 0) {
        for (uint32_t i = 0; i < s->rows; i++)
            out[i] = (double)(int64_t)p->bits[i] / p->about.power;
    } else if (p->about.kind == NUM_INT) {
        for (uint32_t i = 0; i < s->rows; i++)
            out[i] = (double)(int64_t)p->bits[i];
    } else {
        memcpy(out, p->bits, s->rows * sizeof(*out));
    }
    if (has)
        memset(has, true, s->rows);
}

/* A loss that was never sent is the train_loss of its row: then that column is as good, and nearer
 * at hand. Its own holds but the number of what it lists, none. */
static bool loss_is(const struct segment *s, const struct inside_column *c, uint32_t *out_i)
{
    return c->about.field == F_LOSS && c->predicted && c->section.len == 1 && c->section.checked &&
           c->section.bytes.ptr[0] == 0 &&
           segment_column_find(s, RECORD_FIELDS, SPAN("train_loss"), out_i) &&
           s->inside->column[*out_i].about.count == s->rows;
}

enum status segment_numbers(struct segment *s, uint32_t column, double *out, bool *has)
{
    const struct inside_column *c = &s->inside->column[column];
    bool of_field = c->about.field < RECORD_FIELDS && !loss_is(s, c, &column);
    enum status status = segment_need_picked(s, column);
    if (status != OK)
        return status;
    if (is_plain(s, column)) {
        numbers_of_plain(s, column, out, has);
        return OK;
    }
    return of_field ? numbers_of_field(s, c->about.field, out, has)
                    : numbers_of_extra(s, column, out, has);
}
