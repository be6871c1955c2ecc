/* SPDX-License-Identifier: MIT */
/*
 * Rows are taken apart as they come: the twelve fields by field, the extras of all rows behind one
 * another, with the number of the row's shape. A trainer repeats its metrics in the same order, so
 * a row costs a comparison of names and a copy; only a row of another shape than the one before
 * looks something up. Long digits are copied, a block a row: they hardly ever come.
 *
 * What sealing does with it is in segment_seal.c.
 */
#include "streamd/store/segment_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

struct segment_writer *segment_writer_create(void)
{
    struct segment_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    if (column_writer_init(&w->column) != OK) {
        free(w);
        return NULL;
    }
    names_init(&w->names);
    strmap_init(&w->shape_ids, (uint64_t)(uintptr_t)w);
    buf_init(&w->section, SEALED_MAX);
    buf_init(&w->head, SEALED_MAX);
    buf_init(&w->body, SEALED_MAX);
    return w;
}

void segment_writer_reset(struct segment_writer *w)
{
    while (w->texts) {
        struct text_block *next = w->texts->next;
        free(w->texts);
        w->texts = next;
    }
    names_fini(&w->names);
    strmap_fini(&w->shape_ids);
    w->text_bytes = 0;
    w->shapes = 0;
    w->extras = 0;
    w->rows = 0;
}

void segment_writer_destroy(struct segment_writer *w)
{
    if (!w)
        return;
    segment_writer_reset(w);
    column_writer_fini(&w->column);
    buf_fini(&w->section);
    buf_fini(&w->head);
    buf_fini(&w->body);
    free(w->shape_columns);
    free(w->extra);
    free(w);
}

size_t segment_writer_rows(const struct segment_writer *w)
{
    return w->rows;
}

/* ---- one row ---- */

static bool goes_on(const struct segment_writer *w, const struct series_entry *row)
{
    if (w->rows == 0)
        return true;
    return w->rows < SEGMENT_ROWS_MAX && row->offset == w->first_offset + w->rows &&
           row->axis >= w->axis[w->rows - 1];
}

/* Doubles what `*memory` has room for until it is `need`. */
static enum status make_room(void **memory, size_t size, size_t *cap, size_t need)
{
    size_t enough = *cap ? *cap : FIRST_CAP;
    while (enough < need)
        enough *= 2;
    if (enough == *cap)
        return OK;
    void *grown = realloc(*memory, enough * size);
    if (!grown)
        return E_NOMEM;
    *memory = grown;
    *cap = enough;
    return OK;
}

/* The numbers of the row's names into w->number. */
static enum status enter_names(struct segment_writer *w, const struct record *r, size_t *out_n)
{
    size_t n = 0;
    uint32_t guess = 0;
    for (size_t i = 0; i < r->extra_count; i++) {
        if (r->extra[i].value.kind == NUM_NONE)
            continue;
        if (n == SERIES_NAMES_MAX)
            return E_LIMIT;
        enum status status = names_enter(&w->names, r->extra[i].name, guess, &w->number[n]);
        if (status != OK)
            return status;
        guess = w->number[n++] + 1U;
    }
    *out_n = n;
    return OK;
}

static bool is_shape(const struct segment_writer *w, uint64_t shape, size_t n)
{
    size_t at = w->shape_at[shape];
    return w->shape_at[shape + 1] - at == n &&
           (n == 0 || memcmp(w->shape_columns + at, w->number, n * sizeof(w->number[0])) == 0);
}

static enum status add_shape(struct segment_writer *w, struct span key, size_t n)
{
    size_t at = w->shapes ? w->shape_at[w->shapes] : 0;
    enum status status =
        make_room((void **)&w->shape_columns, sizeof(*w->shape_columns), &w->shape_cap, at + n + 1);
    if (status == OK)
        status = strmap_put(&w->shape_ids, key, (void *)((uintptr_t)w->shapes + 1));
    if (status != OK)
        return status;
    memcpy(w->shape_columns + at, w->number, n * sizeof(w->number[0]));
    w->shape_at[w->shapes] = (uint32_t)at;
    w->shape_at[++w->shapes] = (uint32_t)(at + n);
    return OK;
}

/* The number of the shape that w->number is. */
static enum status enter_shape(struct segment_writer *w, size_t n, uint64_t *out)
{
    struct span key = {(const char *)w->number, n * sizeof(w->number[0])};
    if (w->rows > 0 && is_shape(w, w->shape[w->rows - 1], n)) {
        *out = w->shape[w->rows - 1];
        return OK;
    }
    uintptr_t known = (uintptr_t)strmap_find(&w->shape_ids, key);
    enum status status = known ? OK : add_shape(w, key, n);
    if (status == OK)
        *out = known ? known - 1 : w->shapes - 1;
    return status;
}

static size_t text_bytes(const struct record *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < RECORD_FIELDS; i++)
        bytes += r->field[i].kind == NUM_TEXT ? r->field[i].len : 0;
    for (size_t i = 0; i < r->extra_count; i++)
        bytes += r->extra[i].value.kind == NUM_TEXT ? r->extra[i].value.len : 0;
    return bytes;
}

/* Room for the row's long digits; *out stays NULL when there are none. */
static enum status make_text(struct segment_writer *w, size_t bytes, char **out)
{
    if (bytes == 0)
        return OK;
    if (bytes > COLUMN_TEXT_MAX - w->text_bytes)
        return E_LIMIT;
    struct text_block *block = malloc(sizeof(*block) + bytes);
    if (!block)
        return E_NOMEM;
    block->next = w->texts;
    w->texts = block;
    w->text_bytes += bytes;
    *out = block->bytes;
    return OK;
}

static struct num copied(struct num n, char **text)
{
    if (n.kind != NUM_TEXT || !*text)
        return n;
    memcpy(*text, n.text, n.len);
    n.text = *text;
    *text += n.len;
    return n;
}

static void put_row(struct segment_writer *w, const struct series_entry *row, uint64_t shape,
                    char *text)
{
    const struct record *r = &row->record;
    uint32_t at = w->rows++;
    if (at == 0)
        w->first_offset = row->offset;
    w->axis[at] = row->axis;
    w->time_ms[at] = (uint64_t)llround(row->server_time_s * 1000);
    w->sent[at] = r->sent;
    w->wrong[at] = r->wrong;
    w->shape[at] = shape;
    for (size_t f = 0; f < RECORD_FIELDS; f++)
        w->field[f][at] = copied(r->field[f], &text);
    for (size_t i = 0; i < r->extra_count; i++) {
        if (r->extra[i].value.kind != NUM_NONE)
            w->extra[w->extras++] = copied(r->extra[i].value, &text);
    }
}

enum status segment_writer_add(struct segment_writer *w, const struct series_entry *row)
{
    size_t n = 0;
    uint64_t shape = 0;
    char *text = NULL;
    if (!goes_on(w, row))
        return E_LIMIT;
    enum status status = enter_names(w, &row->record, &n);
    if (status == OK && n > SEGMENT_EXTRAS_MAX - w->extras)
        status = E_LIMIT;
    if (status == OK)
        status = make_room((void **)&w->extra, sizeof(*w->extra), &w->extras_cap, w->extras + n);
    if (status == OK)
        status = enter_shape(w, n, &shape);
    if (status == OK)
        status = make_text(w, text_bytes(&row->record), &text);
    if (status == OK)
        put_row(w, row, shape, text);
    return status;
}
