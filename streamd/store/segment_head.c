/* SPDX-License-Identifier: MIT */
/*
 * checksum of all that follows (4), version (1), then varints:
 *
 *     rows, first offset, first axis, last axis - first, first time, last time - first (ms)
 *     of the three sections: where
 *     columns, of these of the twelve
 *     of each column: field and mode, [name], counts, rows, values, where
 *
 * "Where" is length * 2 and the checksum, for a section in the body, or length * 2 + 1 and the
 * bytes themselves. A value is `places` and digits if it is a decimal (decimal.h), else eight
 * bytes; one that the first column has in the same place too (loss and train_loss) is one byte.
 * The counts are kept as what is missing from the number before, so most are 0.
 */
#include "streamd/store/segment_inside.h"

#include "proto/varint.h"

#include <math.h>
#include <stdlib.h>

enum { CRC_BYTES = 4, PREDICTED = 0x10, FIELD_MASK = 0x0f, VALUE_AS_BEFORE = 30, VALUE_BITS = 31 };

static uint32_t crc_of(struct span s)
{
    return (uint32_t)crc32_z(0, (const Bytef *)s.ptr, s.len);
}

/* ---- what a column says of itself ---- */

static void describe_one(struct segment_column *c, double v, uint32_t at)
{
    if (c->count++ == 0) {
        c->first_at = at;
        c->first = v;
    }
    c->last_at = at;
    c->last = v;
    if (!isfinite(v)) {
        c->gap_at = at < c->gap_at ? at : c->gap_at;
        return;
    }
    if (c->finite == 0 || v < c->lowest) {
        c->lowest_at = at;
        c->lowest = v;
    }
    if (c->finite == 0 || v > c->highest) {
        c->highest_at = at;
        c->highest = v;
    }
    c->finite++;
}

void column_describe(struct segment_column *c, const struct num *nums, const uint16_t *row,
                     size_t n, uint32_t rows)
{
    c->gap_at = rows;
    for (size_t i = 0; i < n; i++) {
        if (nums[i].kind != NUM_NONE)
            describe_one(c, num_double_soon(nums[i]), row ? row[i] : (uint32_t)i);
    }
}

/* ---- writing ---- */

static bool same_bits(double a, double b)
{
    return num_same(num_float(a), num_float(b));
}

static void put_value(struct buf *head, double v, const double *before)
{
    struct decimal d = decimal_of(v, 0);
    uint64_t bits;
    if (before && same_bits(v, *before)) {
        buf_add_char(head, VALUE_AS_BEFORE);
    } else if (d.places >= 0) {
        buf_add_char(head, (char)d.places);
        varint_put(head, zigzag((uint64_t)d.digits));
    } else {
        memcpy(&bits, &v, sizeof(bits));
        buf_add_char(head, VALUE_BITS);
        word_put(head, bits, sizeof(bits));
    }
}

void head_write_section(struct buf *head, struct buf *body, struct span bytes)
{
    if (bytes.len <= SECTION_IN_HEAD_MAX) {
        varint_put(head, (uint64_t)bytes.len << 1 | 1);
        buf_add_span(head, bytes);
        return;
    }
    varint_put(head, (uint64_t)bytes.len << 1);
    word_put(head, crc_of(bytes), CRC_BYTES);
    buf_add_span(body, bytes);
}

/* Where every value is the same, the rest goes without saying. */
static bool is_level(const struct segment_column *c)
{
    return c->finite == c->count && same_bits(c->lowest, c->highest) &&
           same_bits(c->first, c->lowest) && same_bits(c->last, c->lowest) &&
           c->lowest_at == c->first_at && c->highest_at == c->first_at;
}

static void write_extremes(struct buf *head, const struct segment_column *c, uint32_t rows,
                           const struct segment_column *before)
{
    put_value(head, c->last, before ? &before->last : &c->first);
    if (c->finite < c->count)
        varint_put(head, rows - c->gap_at);
    if (c->finite == 0)
        return;
    varint_put(head, c->lowest_at);
    varint_put(head, c->highest_at);
    put_value(head, c->lowest, before ? &before->lowest : &c->last);
    put_value(head, c->highest, before ? &before->highest : &c->first);
}

void head_write_column(struct buf *head, const struct inside_column *c, uint32_t rows,
                       const struct inside_column *before)
{
    const struct segment_column *a = &c->about;
    const struct segment_column *b = before ? &before->about : NULL;
    buf_add_char(head, (char)((unsigned)a->field | (c->predicted ? PREDICTED : 0U)));
    if (a->field == RECORD_FIELDS) {
        varint_put(head, a->name.len);
        buf_add_span(head, a->name);
    }
    varint_put(head, (rows - a->count) << 1 | is_level(a));
    varint_put(head, a->count - a->finite);
    varint_put(head, a->first_at);
    varint_put(head, rows - 1 - a->last_at);
    put_value(head, a->first, b ? &b->first : NULL);
    if (!is_level(a))
        write_extremes(head, a, rows, b);
}

/* ---- reading ---- */

static bool take_value(struct span *rest, const double *before, double *out)
{
    unsigned places;
    uint64_t word;
    if (!byte_take(rest, &places))
        return false;
    if (places == VALUE_AS_BEFORE) {
        *out = before ? *before : 0;
        return before;
    }
    if (places == VALUE_BITS) {
        if (!word_take(rest, sizeof(word), &word))
            return false;
        memcpy(out, &word, sizeof(*out));
        return true;
    }
    if (places > DECIMAL_PLACES_MAX || !varint_take(rest, &word))
        return false;
    *out = decimal_double((int64_t)unzigzag(word), (int)places);
    return true;
}

/* A varint of at most `most`. */
static bool take_upto(struct span *rest, uint64_t most, uint64_t *out)
{
    return varint_take(rest, out) && *out <= most;
}

static bool take_row(struct span *rest, uint32_t rows, uint32_t *out)
{
    uint64_t row;
    if (!take_upto(rest, rows, &row))
        return false;
    *out = (uint32_t)row;
    return true;
}

/* `at` goes along the body. */
static bool take_section(struct span *rest, struct span body, size_t *at, struct section *out)
{
    uint64_t where;
    uint64_t crc;
    if (!varint_take(rest, &where) || where >> 1 > UINT32_MAX / 2)
        return false;
    *out = (struct section){.len = (size_t)(where >> 1), .checked = where & 1};
    if (where & 1)
        return bytes_take(rest, where >> 1, &out->bytes);
    if (!word_take(rest, CRC_BYTES, &crc))
        return false;
    out->crc = (uint32_t)crc;
    if (body.len > 0) {
        if (out->len > body.len - *at)
            return false;
        out->bytes = (struct span){body.ptr + *at, out->len};
    }
    *at += out->len;
    return true;
}

static bool take_extremes(struct span *rest, struct segment_column *c, uint32_t rows,
                          const struct segment_column *before)
{
    uint32_t gap = 0;
    if (!take_value(rest, before ? &before->last : &c->first, &c->last) ||
        (c->finite < c->count && !take_row(rest, rows, &gap)))
        return false;
    c->gap_at = rows - gap;
    if (c->finite == 0)
        return true;
    return take_row(rest, rows - 1, &c->lowest_at) && take_row(rest, rows - 1, &c->highest_at) &&
           take_value(rest, before ? &before->lowest : &c->last, &c->lowest) &&
           take_value(rest, before ? &before->highest : &c->first, &c->highest);
}

static bool take_about(struct span *rest, struct segment_column *c, uint32_t rows,
                       const struct segment_column *before)
{
    uint64_t lacking;
    uint64_t infinite;
    uint32_t behind;
    if (!take_upto(rest, ((uint64_t)rows - 1) << 1 | 1, &lacking))
        return false;
    c->count = rows - (lacking >> 1);
    if (!take_upto(rest, c->count, &infinite) || !take_row(rest, rows - 1, &c->first_at) ||
        !take_row(rest, rows - 1, &behind) ||
        !take_value(rest, before ? &before->first : NULL, &c->first))
        return false;
    c->finite = c->count - infinite;
    c->last_at = rows - 1 - behind;
    c->gap_at = rows;
    if (!(lacking & 1))
        return take_extremes(rest, c, rows, before);
    c->lowest_at = c->highest_at = c->first_at;
    c->last = c->lowest = c->highest = c->first;
    return true;
}

static bool take_column(struct span *rest, struct inside_column *c, uint32_t rows,
                        const struct inside_column *before)
{
    unsigned first;
    uint64_t len;
    if (!byte_take(rest, &first) || (first & FIELD_MASK) > RECORD_FIELDS ||
        first > FIELD_MASK + PREDICTED)
        return false;
    c->about.field = (enum record_field)(first & FIELD_MASK);
    c->predicted = first & PREDICTED;
    if (c->about.field == RECORD_FIELDS) {
        if (c->predicted || !varint_take(rest, &len) || !bytes_take(rest, len, &c->about.name))
            return false;
    } else {
        c->about.name = span_of(record_field_name(c->about.field));
        if (c->predicted && !segment_predicts(c->about.field))
            return false;
    }
    return take_about(rest, &c->about, rows, before ? &before->about : NULL);
}

/* The twelve come first and rise; none comes twice. */
static bool in_order(const struct segment_inside *in, uint32_t i)
{
    enum record_field field = in->column[i].about.field;
    if (i >= in->fields)
        return field == RECORD_FIELDS;
    return field < RECORD_FIELDS && (i == 0 || in->column[i - 1].about.field < field);
}

static bool take_columns(struct segment *s, struct span *rest, struct span body, size_t *at)
{
    struct segment_inside *in = s->inside;
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (!take_column(rest, &in->column[i], s->rows, i ? &in->column[0] : NULL) ||
            !in_order(in, i) || !take_section(rest, body, at, &in->column[i].section))
            return false;
    }
    return true;
}

static bool take_place(struct segment *s, struct span *rest)
{
    uint64_t rows;
    uint64_t axis;
    uint64_t first_ms;
    uint64_t ms;
    if (!take_upto(rest, SEGMENT_ROWS_MAX, &rows) || rows == 0 ||
        !varint_take(rest, &s->first_offset) || !varint_take(rest, &s->axis_first) ||
        !varint_take(rest, &axis) || !varint_take(rest, &first_ms) || !varint_take(rest, &ms))
        return false;
    s->rows = (uint32_t)rows;
    s->axis_last = s->axis_first + axis;
    first_ms = unzigzag(first_ms);
    s->time_first_s = (double)(int64_t)first_ms / 1000;
    s->time_last_s = (double)(int64_t)(first_ms + unzigzag(ms)) / 1000;
    return true;
}

/* Everything up to the columns. No column takes less than COLUMN_MIN bytes, so what a head can
 * make us allocate is bounded by its length. */
static bool take_begin(struct segment *s, struct span *rest, struct span body, size_t *at)
{
    enum { COLUMN_MIN = 6 };
    uint64_t columns;
    uint64_t fields;
    if (!take_place(s, rest))
        return false;
    for (unsigned i = 0; i < SECTIONS; i++) {
        if (!take_section(rest, body, at, &s->inside->section[i]))
            return false;
    }
    if (!take_upto(rest, SEGMENT_COLUMNS_MAX, &columns) || !take_upto(rest, columns, &fields) ||
        fields > RECORD_FIELDS || columns > rest->len / COLUMN_MIN)
        return false;
    s->column_count = (uint32_t)columns;
    s->inside->fields = (uint32_t)fields;
    return true;
}

enum status head_read(struct segment *s, struct span head, struct span body)
{
    uint64_t crc;
    unsigned version;
    size_t at = 0;
    if (!word_take(&head, CRC_BYTES, &crc) || crc != crc_of(head) || !byte_take(&head, &version) ||
        version != SEGMENT_VERSION || !take_begin(s, &head, body, &at))
        return E_MALFORMED;
    s->inside->column = calloc(s->column_count + 1, sizeof(*s->inside->column));
    if (!s->inside->column)
        return E_NOMEM;
    if (!take_columns(s, &head, body, &at) || head.len > 0 || (body.len > 0 && at != body.len))
        return E_MALFORMED;
    return OK;
}

enum status section_open(struct section *section, struct span *out)
{
    if (!section->bytes.ptr && section->len > 0)
        return E_STATE;
    if (!section->checked && crc_of(section->bytes) != section->crc)
        return E_MALFORMED;
    section->checked = true;
    *out = section->bytes;
    return OK;
}
