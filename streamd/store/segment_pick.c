/* SPDX-License-Identifier: MIT */
/*
 * A chart of a million records shows two thousand of them, a dozen a segment. For these a column's
 * numbers are unpacked as one array of bits and looked up by how many stand before the row; what
 * was left out of a field is predicted for that one row: what is carried from row to row is the
 * last number before it, and a formula looks at its own row only.
 */
#include "streamd/store/segment_inside.h"

#include <assert.h>
#include <stdlib.h>

void segment_free_picked(struct segment *s)
{
    struct segment_inside *in = s->inside;
    for (uint32_t i = 0; in->picked && i < s->column_count; i++) {
        free(in->picked[i].bits);
        free(in->picked[i].nums);
        free(in->picked[i].text.bytes);
        free(in->picked[i].before);
    }
    free(in->picked);
    free(in->picked_extra);
    in->picked = NULL;
    in->picked_extra = NULL;
}

/* ---- a column ---- */

/* Which rows are in the column; *rest becomes the column proper. */
static enum status take_rows(struct segment *s, uint32_t column, struct span *rest, bool *has,
                             size_t *out_n)
{
    struct segment_inside *in = s->inside;
    const struct inside_column *c = &in->column[column];
    enum status status;
    if (c->about.field == RECORD_FIELDS) {
        status = segment_need_shapes(s);
        if (status == OK)
            *out_n = segment_rows_with(s, column - in->fields, has);
        return status == OK && *out_n != c->about.count ? E_MALFORMED : status;
    }
    if (c->predicted) {
        status = segment_need_masks(s);
        return status == OK ? segment_take_kept(s, c->about.field, rest, has, out_n) : status;
    }
    *out_n = s->rows;
    return OK;
}

/* How many of the column stand before each row. */
static uint16_t *count_before(const bool *has, uint32_t rows)
{
    uint16_t *before = malloc((rows + 1) * sizeof(*before));
    uint16_t n = 0;
    for (uint32_t i = 0; before && i < rows; i++) {
        before[i] = n;
        n = (uint16_t)(n + has[i]);
    }
    if (before)
        before[rows] = n;
    return before;
}

static enum status take_numbers(struct segment *s, struct span bytes, struct picked *p)
{
    struct column_source source;
    enum status status = segment_source(s, bytes, p->n, &source);
    if (status != OK)
        return status;
    p->bits = malloc(p->n * sizeof(*p->bits));
    if (!p->bits)
        return E_NOMEM;
    status = column_bits(s->inside->reader, &source, p->bits, &p->about);
    if (status != E_STATE)
        return status;
    free(p->bits);
    p->bits = NULL;
    p->nums = malloc(p->n * sizeof(*p->nums));
    return p->nums ? column_nums(s->inside->reader, &source, p->nums, &p->text) : E_NOMEM;
}

static enum status take_column(struct segment *s, uint32_t column, struct picked *p)
{
    bool has[SEGMENT_ROWS_MAX];
    struct span rest;
    size_t n = 0;
    enum status status = section_open(&s->inside->column[column].section, &rest);
    if (status == OK)
        status = take_rows(s, column, &rest, has, &n);
    if (status != OK)
        return status;
    p->n = (uint32_t)n;
    if (n == 0)
        return rest.len == 0 ? OK : E_MALFORMED;
    if (n < s->rows) {
        p->before = count_before(has, s->rows);
        if (!p->before)
            return E_NOMEM;
    }
    return take_numbers(s, rest, p);
}

enum status segment_need_picked(struct segment *s, uint32_t column)
{
    struct segment_inside *in = s->inside;
    struct picked p = {.known = true};
    if (!in->picked)
        in->picked = calloc(s->column_count + 1, sizeof(*in->picked));
    if (!in->picked)
        return E_NOMEM;
    if (in->picked[column].known)
        return OK;
    enum status status = take_column(s, column, &p);
    if (status == OK) {
        in->picked[column] = p;
        return OK;
    }
    free(p.bits);
    free(p.nums);
    free(p.text.bytes);
    free(p.before);
    return status;
}

/* ---- a number ---- */

static struct num number_at(const struct picked *p, uint32_t k)
{
    if (p->bits)
        return column_bits_num(p->about, p->bits[k]);
    return p->nums ? p->nums[k] : num_none();
}

/* How many stand before the row. */
static uint32_t place_of(const struct picked *p, uint32_t row)
{
    return p->before ? p->before[row] : p->n > 0 ? row : 0;
}

static bool has_row(const struct picked *p, uint32_t row)
{
    return p->before ? p->before[row + 1] > p->before[row] : p->n > 0;
}

/* Of the losses that were not sent each is the train_loss of its row, else the loss before. */
static struct num carried_loss(const struct picked *loss, const struct picked *train, uint32_t row)
{
    for (uint32_t at = row + 1; at-- > 0;) {
        struct num n = num_none();
        if (at < row && has_row(loss, at))
            return record_carried(number_at(loss, place_of(loss, at)));
        if (has_row(train, at))
            n = number_at(train, place_of(train, at));
        if (n.kind != NUM_NONE)
            return record_carried(n);
    }
    return num_none();
}

static enum status carried(struct segment *s, uint32_t column, uint32_t row, struct num *out)
{
    const struct picked *p = &s->inside->picked[column];
    uint32_t train;
    if (s->inside->column[column].about.field == F_LOSS &&
        segment_column_find(s, RECORD_FIELDS, SPAN("train_loss"), &train)) {
        enum status status = segment_need_picked(s, train);
        if (status == OK)
            *out = carried_loss(p, &s->inside->picked[train], row);
        return status;
    }
    uint32_t before = place_of(p, row);
    *out = before > 0 ? record_carried(number_at(p, before - 1)) : num_none();
    return OK;
}

/* What was sent or kept of that field, or carried to that row, or stands in the time. */
static enum status pick_plain(struct segment *s, enum record_field f, uint32_t row, struct num *out)
{
    struct segment_inside *in = s->inside;
    uint32_t column;
    if (in->field[f] || !segment_column_find(s, f, SPAN(""), &column)) {
        *out = in->field[f] ? in->field[f][row] : num_none();
        return OK;
    }
    enum status status = segment_need_picked(s, column);
    if (status != OK)
        return status;
    const struct picked *p = &in->picked[column];
    if (has_row(p, row)) {
        *out = number_at(p, place_of(p, row));
        return OK;
    }
    if (f == F_TIMESTAMP) {
        *out = num_float((double)(int64_t)in->time_ms[row] / 1000);
        return OK;
    }
    return carried(s, column, row, out);
}

/* Is the field at that row what a formula gives? */
static bool is_derived(const struct segment *s, enum record_field f, uint32_t row)
{
    const struct segment_inside *in = s->inside;
    uint32_t column;
    return !in->field[f] && segment_column_find(s, f, SPAN(""), &column) &&
           in->picked[column].known && !has_row(&in->picked[column], row);
}

/* With those that a formula of theirs is over: a ladder of two steps. */
static unsigned with_needs(unsigned fields)
{
    for (int step = 0; step < 2; step++) {
        for (unsigned f = 0; f < RECORD_FIELDS; f++)
            fields |= fields >> f & 1 ? segment_needs((enum record_field)f) : 0;
    }
    return fields;
}

/* A formula only needs fields that come before its own. */
static enum status pick_field(struct segment *s, enum record_field f, uint32_t row,
                              struct record *known)
{
    enum status status = pick_plain(s, f, row, &known->field[f]);
    if (status == OK && segment_needs(f) && is_derived(s, f, row))
        known->field[f] = record_formula(known, f);
    return status;
}

static enum status pick_fields(struct segment *s, uint32_t row, unsigned wanted, struct record *out)
{
    enum status status = OK;
    struct record known = {.sent = 0};
    unsigned fields = with_needs(wanted);
    for (unsigned f = 0; status == OK && f < RECORD_FIELDS; f++) {
        if (fields >> f & 1)
            status = pick_field(s, (enum record_field)f, row, &known);
    }
    for (unsigned f = 0; f < RECORD_FIELDS; f++)
        out->field[f] = wanted >> f & 1 ? known.field[f] : num_none();
    return status;
}

/* ---- a row ---- */

static bool is_wanted(const struct segment_wanted *w, struct span name)
{
    bool wanted = w->every;
    for (size_t i = 0; !wanted && i < w->name_count; i++)
        wanted = span_eq(w->names[i], name);
    return wanted;
}

static enum status pick_extras(struct segment *s, uint32_t row, const struct segment_wanted *wanted,
                               struct record *out)
{
    struct segment_inside *in = s->inside;
    uint64_t shape = in->shape ? in->shape[row] : 0;
    enum status status = OK;
    if (!in->picked_extra)
        in->picked_extra = calloc(s->column_count + 1, sizeof(*in->picked_extra));
    if (!in->picked_extra)
        return E_NOMEM;
    out->extra = in->picked_extra;
    out->extra_count = 0;
    for (uint32_t i = in->shape_at[shape]; status == OK && i < in->shape_at[shape + 1]; i++) {
        uint32_t column = in->fields + in->shape_columns[i];
        struct span name = in->column[column].about.name;
        if (!is_wanted(wanted, name))
            continue;
        status = segment_need_picked(s, column);
        if (status != OK)
            break;
        const struct picked *p = &in->picked[column];
        in->picked_extra[out->extra_count++] = (struct extra){name, number_at(p, place_of(p, row))};
    }
    return status;
}

enum status segment_pick(struct segment *s, uint32_t i, const struct segment_wanted *wanted,
                         struct series_entry *out)
{
    enum { EVERY_FIELD = (1 << RECORD_FIELDS) - 1 };
    struct segment_inside *in = s->inside;
    assert(i < s->rows);
    enum status status = segment_need_masks(s);
    if (status == OK)
        status = segment_need_axis(s);
    if (status == OK)
        status = segment_need_time(s);
    if (status != OK)
        return status;
    out->offset = s->first_offset + i;
    out->server_time_s = (double)(int64_t)in->time_ms[i] / 1000;
    out->axis = in->axis[i];
    out->record = (struct record){.sent = (uint16_t)in->sent[i], .wrong = (uint16_t)in->wrong[i]};
    status = pick_fields(s, i, wanted->every ? EVERY_FIELD : wanted->fields, &out->record);
    return status == OK ? pick_extras(s, i, wanted, &out->record) : status;
}
