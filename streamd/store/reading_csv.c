/* SPDX-License-Identifier: MIT */
/*
 * A csv needs its columns before its rows, so without `fields` the entries are walked twice: once
 * to see which metrics they have, in the order of first appearance, and once to write them. A row
 * is laid out in cells found by one look-up a metric, so its cost follows what the entry has and
 * not columns times metrics.
 */
#include "streamd/store/reading_csv.h"

#include "base/strmap.h"
#include "streamd/store/reading_entry.h"

#include <stdlib.h>
#include <string.h>

struct column {
    char *name; /* owns; NULL for one of the twelve */
    enum record_field field;
    struct num cell; /* of the row at hand, for the trainer's own */
};

struct reading_csv {
    const struct reading_request *request; /* borrows */
    struct column columns[READING_COLUMNS_MAX];
    size_t count;
    struct strmap places; /* name → its struct column, for the trainer's own */
};

enum status reading_csv_add_column(struct reading_csv *c, struct span name)
{
    if (strmap_find(&c->places, name))
        return OK;
    if (c->count == READING_COLUMNS_MAX)
        return E_LIMIT;
    struct column *column = &c->columns[c->count];
    *column = (struct column){.name = strndup(name.ptr, name.len), .field = RECORD_FIELDS};
    if (!column->name || strmap_put(&c->places, name, column) != OK) {
        free(column->name);
        return E_NOMEM;
    }
    c->count++;
    return OK;
}

static void add_record_field(struct reading_csv *c, enum record_field field)
{
    c->columns[c->count++] = (struct column){.field = field};
}

static enum status add_fields(struct reading_csv *c, const struct reading_request *q)
{
    enum status status = OK;
    if (q->field_count > 0 && !reading_asks_for(q, F_CURRENT_STEP))
        add_record_field(c, F_CURRENT_STEP);
    for (size_t i = 0; i < q->field_count && status == OK; i++) {
        if (q->fields[i].field != RECORD_FIELDS)
            add_record_field(c, q->fields[i].field);
        else
            status = reading_csv_add_column(c, q->fields[i].name);
    }
    for (unsigned field = 0; field < RECORD_FIELDS && q->field_count == 0; field++)
        add_record_field(c, (enum record_field)field);
    return status;
}

struct reading_csv *reading_csv_create(const struct reading_request *q)
{
    struct reading_csv *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->request = q;
    strmap_init(&c->places, (uint64_t)(uintptr_t)c); /* where malloc put it: nobody knows */
    if (add_fields(c, q) == OK)
        return c;
    reading_csv_destroy(c);
    return NULL;
}

void reading_csv_destroy(struct reading_csv *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->columns[i].name);
    strmap_fini(&c->places);
    free(c);
}

bool reading_csv_wants_columns(const struct reading_csv *c)
{
    return c->request->field_count == 0;
}

/* RFC 4180: a name with a comma, a quote or a line break is quoted, its quotes doubled. */
static void write_name(struct span name, struct buf *out)
{
    bool quoted = false;
    for (size_t i = 0; i < name.len; i++)
        quoted = quoted || name.ptr[i] == ',' || name.ptr[i] == '"' || name.ptr[i] < ' ';
    if (!quoted) {
        buf_add_span(out, name);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, name.ptr[i]);
    }
    buf_add_char(out, '"');
}

void reading_csv_write_header(const struct reading_csv *c, struct buf *out)
{
    buf_add_str(out, c->request->branches ? "offset,serverTime,superseded" : "offset,serverTime");
    for (size_t i = 0; i < c->count; i++) {
        const struct column *column = &c->columns[i];
        buf_add_char(out, ',');
        write_name(span_of(column->name ? column->name : record_field_name(column->field)), out);
    }
    buf_add_str(out, "\r\n");
}

static void write_cell(struct num value, struct buf *out)
{
    const char *word = num_word(value);
    buf_add_char(out, ',');
    if (word)
        buf_add_str(out, word);
    else if (value.kind != NUM_NONE)
        num_write(out, value);
}

void reading_csv_write_row(struct reading_csv *c, const struct series_entry *entry, bool superseded,
                           struct buf *out)
{
    const struct record *r = &entry->record;
    for (size_t i = 0; i < c->count; i++)
        c->columns[i].cell = num_none();
    for (size_t i = 0; i < r->extra_count; i++) {
        struct column *column = strmap_find(&c->places, r->extra[i].name);
        if (column)
            column->cell = r->extra[i].value;
    }
    buf_add_u64(out, entry->offset);
    write_cell(num_float(entry->server_time_s), out);
    if (c->request->branches)
        buf_add_str(out, superseded ? ",true" : ",");
    for (size_t i = 0; i < c->count; i++) {
        enum record_field field = c->columns[i].field;
        write_cell(field != RECORD_FIELDS ? r->field[field] : c->columns[i].cell, out);
    }
    buf_add_str(out, "\r\n");
}
