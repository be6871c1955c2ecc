/* SPDX-License-Identifier: MIT */
/*
 * What a segment inflates on demand: the axis, the times, the shapes, the masks, and of the twelve
 * fields each column, with what was left out of it predicted again. A prediction may need other
 * fields first; segment_needs is a ladder, so that ends.
 *
 * A predicted column is: how many rows are kept that were not sent, which, and the column of all
 * that are kept.
 */
#include "streamd/store/segment_inside.h"

#include "proto/varint.h"

#include <stdlib.h>

/* A shape's columns take three bytes at most, and its length three. */
enum { SHAPE_BYTES_MAX = 3 * (SEGMENT_EXTRAS_MAX + SEGMENT_ROWS_MAX) };

static enum status need_reader(struct segment_inside *in)
{
    if (in->reader)
        return OK;
    struct column_reader *reader = malloc(sizeof(*reader));
    if (!reader || column_reader_init(reader) != OK) {
        free(reader);
        return E_NOMEM;
    }
    in->reader = reader;
    return OK;
}

/* n words into memory of their own. */
static enum status take_words(struct segment *s, struct span *rest, uint64_t **out)
{
    enum status status = need_reader(s->inside);
    uint64_t *words = status == OK ? malloc(s->rows * sizeof(*words) + 1) : NULL;
    if (!words)
        return E_NOMEM;
    status = words_read(&s->inside->reader->words, rest, s->rows, words);
    if (status == OK)
        *out = words;
    else
        free(words);
    return status;
}

/* A section that is one word a row. */
static enum status open_words(struct segment *s, enum section_name name, uint64_t **out)
{
    struct span bytes;
    enum status status = section_open(&s->inside->section[name], &bytes);
    if (status == OK)
        status = take_words(s, &bytes, out);
    return status == OK && bytes.len > 0 ? E_MALFORMED : status;
}

enum status segment_need_axis(struct segment *s)
{
    if (s->inside->axis)
        return OK;
    uint64_t *axis = NULL;
    enum status status = open_words(s, SECTION_AXIS, &axis);
    bool sound = status == OK && axis[0] == s->axis_first && axis[s->rows - 1] == s->axis_last;
    for (uint32_t i = 1; sound && i < s->rows; i++)
        sound = axis[i - 1] <= axis[i];
    if (!sound) {
        free(axis);
        return status == OK ? E_MALFORMED : status;
    }
    s->inside->axis = axis;
    return OK;
}

enum status segment_need_time(struct segment *s)
{
    return s->inside->time_ms ? OK : open_words(s, SECTION_TIME, &s->inside->time_ms);
}

/* ---- shapes ---- */

/* One shape, appended to the columns; none may come twice (`seen`). */
static bool take_shape(struct segment_inside *in, struct span *rest, uint32_t extras,
                       uint32_t shape, uint32_t *seen)
{
    uint64_t n;
    uint64_t apart;
    uint64_t column = UINT64_MAX;
    uint32_t at = in->shape_at[shape];
    if (!varint_take(rest, &n) || n > rest->len)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!varint_take(rest, &apart))
            return false;
        column += 1 + unzigzag(apart);
        if (column >= extras || seen[column] == shape + 1)
            return false;
        seen[column] = shape + 1;
        in->shape_columns[at++] = (uint16_t)column;
    }
    in->shape_at[shape + 1] = at;
    return true;
}

static enum status take_shapes(struct segment *s, struct span bytes)
{
    struct segment_inside *in = s->inside;
    uint32_t extras = s->column_count - in->fields;
    uint32_t *seen = calloc(extras + 1, sizeof(*seen));
    in->shape_at = calloc(in->shapes + 1, sizeof(*in->shape_at));
    in->shape_columns = malloc(bytes.len * sizeof(*in->shape_columns) + 1);
    bool memory = seen && in->shape_at && in->shape_columns;
    bool sound = memory;
    for (uint32_t i = 0; sound && i < in->shapes; i++)
        sound = take_shape(in, &bytes, extras, i, seen);
    free(seen);
    if (!memory)
        return E_NOMEM;
    return sound && bytes.len == 0 ? OK : E_MALFORMED;
}

/* The bytes of all shapes come in one plane. */
static enum status take_dictionary(struct segment *s, struct span *rest)
{
    uint64_t len;
    struct plane plane;
    if (!varint_take(rest, &len) || len == 0 || len > SHAPE_BYTES_MAX)
        return E_MALFORMED;
    uint8_t *bytes = malloc((size_t)len);
    if (!bytes)
        return E_NOMEM;
    enum status status =
        plane_read(&s->inside->reader->words.planes, rest, (size_t)len, bytes, &plane);
    if (status == OK && !plane.bytes)
        memset(bytes, plane.same, (size_t)len);
    if (status == OK) {
        const void *all = plane.bytes ? plane.bytes : bytes;
        status = take_shapes(s, (struct span){all, (size_t)len});
    }
    free(bytes);
    return status;
}

static uint32_t shape_length(const struct segment_inside *in, uint64_t shape)
{
    return in->shape_at[shape + 1] - in->shape_at[shape];
}

/* Every row's shape is one of them, and all extras together are not too many. */
static bool shapes_sound(const struct segment *s)
{
    const struct segment_inside *in = s->inside;
    uint64_t extras = 0;
    for (uint32_t i = 0; i < s->rows; i++) {
        uint64_t shape = in->shape ? in->shape[i] : 0;
        if (shape >= in->shapes)
            return false;
        extras += shape_length(in, shape);
    }
    return extras <= SEGMENT_EXTRAS_MAX;
}

static void forget_shapes(struct segment_inside *in)
{
    free(in->shape);
    free(in->shape_columns);
    free(in->shape_at);
    in->shape = NULL;
    in->shape_columns = NULL;
    in->shape_at = NULL;
    in->shapes = 0;
}

enum status segment_need_shapes(struct segment *s)
{
    struct segment_inside *in = s->inside;
    struct span rest;
    uint64_t shapes;
    if (in->shapes > 0)
        return OK;
    enum status status = section_open(&in->section[SECTION_ROWS], &rest);
    if (status == OK)
        status = need_reader(in);
    if (status != OK)
        return status;
    if (!varint_take(&rest, &shapes) || shapes == 0 || shapes > s->rows)
        return E_MALFORMED;
    in->shapes = (uint32_t)shapes;
    status = take_dictionary(s, &rest);
    if (status == OK && shapes > 1)
        status = take_words(s, &rest, &in->shape);
    if (status == OK && !shapes_sound(s))
        status = E_MALFORMED;
    if (status != OK)
        forget_shapes(in);
    in->masks = rest;
    return status;
}

static bool shape_has(const struct segment_inside *in, uint32_t shape, uint32_t extra)
{
    for (uint32_t i = in->shape_at[shape]; i < in->shape_at[shape + 1]; i++) {
        if (in->shape_columns[i] == extra)
            return true;
    }
    return false;
}

size_t segment_rows_with(const struct segment *s, uint32_t extra, bool *has)
{
    const struct segment_inside *in = s->inside;
    bool in_shape[SEGMENT_ROWS_MAX];
    size_t n = 0;
    in_shape[0] = false;
    for (uint32_t i = 0; i < in->shapes; i++)
        in_shape[i] = shape_has(in, i, extra);
    if (!in->shape) {
        memset(has, in_shape[0], s->rows);
        return in_shape[0] ? s->rows : 0;
    }
    for (uint32_t i = 0; i < s->rows; i++) {
        has[i] = in_shape[in->shape[i]];
        n += has[i];
    }
    return n;
}

enum status segment_need_masks(struct segment *s)
{
    struct segment_inside *in = s->inside;
    if (in->sent && in->wrong)
        return OK;
    enum status status = segment_need_shapes(s);
    if (status == OK && !in->sent)
        status = take_words(s, &in->masks, &in->sent);
    in->sent_in_all = UINT64_MAX;
    in->sent_in_any = 0;
    for (uint32_t i = 0; status == OK && i < s->rows; i++) {
        in->sent_in_all &= in->sent[i];
        in->sent_in_any |= in->sent[i];
    }
    if (status == OK)
        status = take_words(s, &in->masks, &in->wrong);
    return status == OK && in->masks.len > 0 ? E_MALFORMED : status;
}

/* ---- fields ---- */

enum status segment_source(struct segment *s, struct span bytes, size_t n,
                           struct column_source *out)
{
    *out = (struct column_source){bytes, n, NULL};
    enum column_near near = column_near(bytes);
    enum status status = need_reader(s->inside);
    if (status == OK && near == NEAR_AXIS && n == s->rows) {
        status = segment_need_axis(s);
        out->beside = s->inside->axis;
    } else if (status == OK && near == NEAR_TIME && n == s->rows) {
        status = segment_need_time(s);
        out->beside = s->inside->time_ms;
    }
    return status;
}

static struct num without_text(struct num n)
{
    return n.kind == NUM_TEXT ? record_carried(n) : n;
}

/* The trainer's train_loss by row, for what F_LOSS follows from; *out stays NULL without one. */
static enum status take_train_loss(struct segment *s, struct num **out)
{
    uint32_t i;
    struct span bytes;
    struct column_source source;
    struct column_text text = {NULL, 0};
    bool has[SEGMENT_ROWS_MAX];
    if (!segment_column_find(s, RECORD_FIELDS, SPAN("train_loss"), &i))
        return OK;
    struct inside_column *c = &s->inside->column[i];
    size_t n = segment_rows_with(s, i - s->inside->fields, has);
    enum status status = n == c->about.count ? section_open(&c->section, &bytes) : E_MALFORMED;
    if (status == OK)
        status = segment_source(s, bytes, n, &source);
    struct num *nums = status == OK ? malloc(s->rows * sizeof(*nums)) : NULL;
    if (status == OK)
        status = nums ? column_nums(s->inside->reader, &source, nums, &text) : E_NOMEM;
    for (uint32_t row = s->rows; status == OK && row-- > 0;)
        nums[row] = has[row] ? without_text(nums[--n]) : num_none();
    free(text.bytes);
    if (status == OK)
        *out = nums;
    else
        free(nums);
    return status;
}

static enum status need_what_it_needs(struct segment *s, enum record_field f)
{
    unsigned needs = segment_needs(f);
    enum status status = segment_need_masks(s);
    if (status == OK && f == F_TIMESTAMP)
        status = segment_need_time(s);
    for (enum record_field other = 0; status == OK && other < RECORD_FIELDS; other++) {
        if (needs >> other & 1)
            status = segment_need_field(s, other);
    }
    return status;
}

/* Which rows are in the column: those that were sent, and those listed. */
enum status segment_take_kept(struct segment *s, enum record_field f, struct span *rest, bool *kept,
                              size_t *out_n)
{
    uint64_t listed;
    struct segment_inside *in = s->inside;
    struct column_reader *reader = in->reader;
    if (!varint_take(rest, &listed) || listed > s->rows)
        return E_MALFORMED;
    enum status status = words_read(&reader->words, rest, (size_t)listed, reader->odd_at);
    if (status != OK)
        return status;
    bool in_all = in->sent_in_all >> f & 1;
    bool in_any = in->sent_in_any >> f & 1;
    memset(kept, in_all, s->rows);
    *out_n = in_all ? s->rows : 0;
    if (in_all == in_any && listed == 0)
        return OK;
    for (uint32_t i = 0; i < s->rows; i++)
        kept[i] = in->sent[i] >> f & 1;
    for (uint64_t i = 0; i < listed; i++) {
        if (reader->odd_at[i] >= s->rows)
            return E_MALFORMED;
        kept[reader->odd_at[i]] = true;
    }
    *out_n = 0;
    for (uint32_t i = 0; i < s->rows; i++)
        *out_n += kept[i];
    return OK;
}

/* The n that are kept into the last places of nums. */
static enum status take_nums(struct segment *s, enum record_field f, struct span rest, size_t n,
                             struct num *nums)
{
    struct column_source source;
    if (n == 0)
        return rest.len == 0 ? OK : E_MALFORMED;
    enum status status = segment_source(s, rest, n, &source);
    if (status != OK)
        return status;
    return column_nums(s->inside->reader, &source, nums + (s->rows - n), &s->inside->field_text[f]);
}

/* From there each goes to its row; a row never overtakes them, for there are no fewer rows left. */
static void fill_in(struct segment *s, enum record_field f, const struct num *train_loss,
                    const bool *kept, size_t n, struct num *nums)
{
    struct segment_known known = {.train_loss = train_loss, .time_ms = s->inside->time_ms};
    const struct num *next = nums + (s->rows - n);
    for (unsigned other = 0; other < RECORD_FIELDS; other++)
        known.field[other] = s->inside->field[other];
    known.field[f] = nums;
    for (uint32_t i = 0; i < s->rows; i++)
        nums[i] = kept[i] ? *next++ : segment_predict(&known, f, i);
}

static enum status take_predicted(struct segment *s, enum record_field f, struct span rest,
                                  struct num *nums)
{
    bool kept[SEGMENT_ROWS_MAX];
    size_t n = 0;
    struct num *train_loss = NULL;
    enum status status = need_what_it_needs(s, f);
    if (status == OK)
        status = segment_take_kept(s, f, &rest, kept, &n);
    if (status == OK && f == F_LOSS && n < s->rows)
        status = take_train_loss(s, &train_loss);
    if (status == OK)
        status = take_nums(s, f, rest, n, nums);
    if (status == OK)
        fill_in(s, f, train_loss, kept, n, nums);
    free(train_loss);
    return status;
}

enum status segment_need_field(struct segment *s, enum record_field f)
{
    struct segment_inside *in = s->inside;
    uint32_t i;
    struct span bytes;
    if (in->field_known[f])
        return OK;
    if (!segment_column_find(s, f, SPAN(""), &i)) {
        in->field_known[f] = true;
        return OK;
    }
    enum status status = section_open(&in->column[i].section, &bytes);
    struct num *nums = status == OK ? malloc(s->rows * sizeof(*nums)) : NULL;
    if (status == OK && !nums)
        status = E_NOMEM;
    if (status == OK)
        status = in->column[i].predicted ? take_predicted(s, f, bytes, nums)
                                         : take_nums(s, f, bytes, s->rows, nums);
    if (status != OK) {
        free(in->field_text[f].bytes);
        in->field_text[f] = (struct column_text){NULL, 0};
        free(nums);
        return status;
    }
    in->field[f] = nums;
    in->field_known[f] = true;
    return OK;
}
