/* SPDX-License-Identifier: MIT */
/*
 * Rows whole. The extras of all rows are laid out row by row once, so that a row borrows its own
 * from there; column after column is inflated for that, and each row then draws the next number of
 * each of its columns. Every step is bounded by SEGMENT_EXTRAS_MAX, however many names there are.
 */
#include "streamd/store/segment_inside.h"

#include <assert.h>
#include <stdlib.h>

static uint32_t shape_of(const struct segment_inside *in, uint32_t row)
{
    return in->shape ? (uint32_t)in->shape[row] : 0;
}

/* Slots of each column, and where the extras of each row begin. */
static void count_slots(const struct segment *s, uint32_t *slots, uint32_t *extra_at)
{
    const struct segment_inside *in = s->inside;
    uint32_t total = 0;
    for (uint32_t row = 0; row < s->rows; row++) {
        uint32_t shape = shape_of(in, row);
        extra_at[row] = total;
        for (uint32_t i = in->shape_at[shape]; i < in->shape_at[shape + 1]; i++)
            slots[in->shape_columns[i]]++;
        total += in->shape_at[shape + 1] - in->shape_at[shape];
    }
    extra_at[s->rows] = total;
}

/* All long digits together stay below what the writer takes. */
static enum status keep_text(struct segment_inside *in, uint32_t extra, struct column_text text,
                             size_t *total)
{
    in->extra_text[extra] = text.bytes;
    *total += text.len;
    return *total > COLUMN_TEXT_MAX ? E_MALFORMED : OK;
}

/* All columns into `nums`, one after the other; slots[] becomes where each begins. */
static enum status inflate_columns(struct segment *s, uint32_t *slots, struct num *nums)
{
    struct segment_inside *in = s->inside;
    uint32_t at = 0;
    size_t text_total = 0;
    enum status status = OK;
    for (uint32_t i = in->fields; status == OK && i < s->column_count; i++) {
        uint32_t n = slots[i - in->fields];
        struct span bytes;
        struct column_source source;
        struct column_text text = {NULL, 0};
        status = n == in->column[i].about.count ? section_open(&in->column[i].section, &bytes)
                                                : E_MALFORMED;
        if (status == OK)
            status = segment_source(s, bytes, n, &source);
        if (status == OK)
            status = column_nums(in->reader, &source, nums + at, &text);
        if (status == OK)
            status = keep_text(in, i - in->fields, text, &text_total);
        slots[i - in->fields] = at;
        at += n;
    }
    return status;
}

static void lay_out(struct segment *s, uint32_t *next, const struct num *nums)
{
    struct segment_inside *in = s->inside;
    struct extra *out = in->extra;
    for (uint32_t row = 0; row < s->rows; row++) {
        uint32_t shape = shape_of(in, row);
        for (uint32_t i = in->shape_at[shape]; i < in->shape_at[shape + 1]; i++) {
            uint16_t extra = in->shape_columns[i];
            *out++ = (struct extra){in->column[in->fields + extra].about.name, nums[next[extra]++]};
        }
    }
}

static enum status need_extras(struct segment *s)
{
    struct segment_inside *in = s->inside;
    uint32_t extras = s->column_count - in->fields;
    uint32_t *slots = calloc(extras + 1, sizeof(*slots));
    struct num *nums = NULL;
    in->extra_text = calloc(extras + 1, sizeof(*in->extra_text));
    in->extra_at = malloc((s->rows + 1) * sizeof(*in->extra_at));
    enum status status = slots && in->extra_text && in->extra_at ? OK : E_NOMEM;
    if (status == OK) {
        count_slots(s, slots, in->extra_at);
        size_t total = in->extra_at[s->rows];
        nums = malloc(total * sizeof(*nums) + 1);
        in->extra = malloc(total * sizeof(*in->extra) + 1);
        status = nums && in->extra ? inflate_columns(s, slots, nums) : E_NOMEM;
    }
    if (status == OK)
        lay_out(s, slots, nums);
    free(nums);
    free(slots);
    return status;
}

static void forget_extras(struct segment *s)
{
    struct segment_inside *in = s->inside;
    for (uint32_t i = 0; in->extra_text && i < s->column_count - in->fields; i++)
        free(in->extra_text[i]);
    free(in->extra_text);
    free(in->extra_at);
    free(in->extra);
    in->extra_text = NULL;
    in->extra_at = NULL;
    in->extra = NULL;
}

static enum status need_all(struct segment *s)
{
    enum status status = segment_need_masks(s);
    if (status == OK)
        status = segment_need_axis(s);
    if (status == OK)
        status = segment_need_time(s);
    for (enum record_field f = 0; status == OK && f < RECORD_FIELDS; f++)
        status = segment_need_field(s, f);
    if (status != OK)
        return status;
    status = need_extras(s);
    if (status != OK)
        forget_extras(s);
    s->inside->whole = status == OK;
    return status;
}

enum status segment_row(struct segment *s, uint32_t i, struct series_entry *out)
{
    struct segment_inside *in = s->inside;
    enum status status = in->whole ? OK : need_all(s);
    assert(i < s->rows);
    if (status != OK)
        return status;
    out->offset = s->first_offset + i;
    out->server_time_s = (double)(int64_t)in->time_ms[i] / 1000;
    out->axis = in->axis[i];
    struct record *r = &out->record;
    r->sent = (uint16_t)in->sent[i];
    r->wrong = (uint16_t)in->wrong[i];
    r->ignored = 0;
    r->extra = in->extra + in->extra_at[i];
    r->extra_count = in->extra_at[i + 1] - in->extra_at[i];
    for (unsigned f = 0; f < RECORD_FIELDS; f++)
        r->field[f] = in->field[f] ? in->field[f][i] : num_none();
    return OK;
}
