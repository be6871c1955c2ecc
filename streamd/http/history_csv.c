/* SPDX-License-Identifier: MIT */
/*
 * A csv needs its columns before its rows, so without `fields` the entries are walked twice: once
 * to see which metrics they have, in the order of first appearance, and once to write them. A row
 * is laid out in cells found by one look-up a metric, so its cost follows what the entry has and
 * not columns times metrics.
 */
#include "streamd/http/history_write.h"

#include "base/strmap.h"

#include <stdlib.h>

struct csv {
    struct history_field columns[HISTORY_COLUMNS_MAX];
    struct num cells[HISTORY_COLUMNS_MAX]; /* of the row at hand, those of the trainer's own */
    size_t count;
    struct strmap places; /* name → its struct num in cells, for the trainer's own */
};

/* A name that is there already is passed over. */
static enum status add_column(struct csv *c, const struct history_field *field)
{
    if (field->field == RECORD_FIELDS && strmap_find(&c->places, field->name))
        return OK;
    if (c->count == HISTORY_COLUMNS_MAX)
        return E_LIMIT;
    if (field->field == RECORD_FIELDS &&
        strmap_put(&c->places, field->name, &c->cells[c->count]) != OK)
        return E_NOMEM;
    c->columns[c->count++] = *field;
    return OK;
}

static enum status add_record_field(struct csv *c, enum record_field field)
{
    struct history_field column = {span_of(record_field_name(field)), field};
    return add_column(c, &column);
}

static enum status columns_named(struct csv *c, const struct history_query *q)
{
    enum status status = OK;
    bool has_step = false;
    for (size_t i = 0; i < q->field_count; i++)
        has_step = has_step || q->fields[i].field == F_CURRENT_STEP;
    if (!has_step)
        status = add_record_field(c, F_CURRENT_STEP);
    for (size_t i = 0; i < q->field_count && status == OK; i++)
        status = add_column(c, &q->fields[i]);
    return status;
}

static enum status columns_found(struct csv *c, const struct history_selection *s)
{
    enum status status = OK;
    struct history_walk walk;
    struct series_entry entry;
    for (unsigned field = 0; field < RECORD_FIELDS && status == OK; field++)
        status = add_record_field(c, field);
    history_walk_init(&walk, s);
    while (status == OK && history_walk_next(&walk, &entry)) {
        for (size_t i = 0; i < entry.record.extra_count && status == OK; i++) {
            struct history_field field = {entry.record.extra[i].name, RECORD_FIELDS};
            status = add_column(c, &field);
        }
    }
    history_walk_fini(&walk);
    return status;
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

static void write_header(const struct csv *c, struct buf *out)
{
    buf_add_str(out, "offset,serverTime");
    for (size_t i = 0; i < c->count; i++) {
        buf_add_char(out, ',');
        write_name(c->columns[i].name, out);
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

static void write_row(struct csv *c, const struct series_entry *entry, struct buf *out)
{
    const struct record *r = &entry->record;
    for (size_t i = 0; i < c->count; i++)
        c->cells[i] = num_none();
    for (size_t i = 0; i < r->extra_count; i++) {
        struct num *cell = strmap_find(&c->places, r->extra[i].name);
        if (cell)
            *cell = r->extra[i].value;
    }
    buf_add_u64(out, entry->offset);
    write_cell(num_float(entry->server_time_s), out);
    for (size_t i = 0; i < c->count; i++) {
        enum record_field field = c->columns[i].field;
        write_cell(field != RECORD_FIELDS ? r->field[field] : c->cells[i], out);
    }
    buf_add_str(out, "\r\n");
}

static void write_rows(struct csv *c, const struct history_selection *s, struct buf *out)
{
    struct history_walk walk;
    struct series_entry entry;
    write_header(c, out);
    history_walk_init(&walk, s);
    while (buf_status(out) == OK && history_walk_next(&walk, &entry))
        write_row(c, &entry, out);
    history_walk_fini(&walk);
}

void history_write_csv(struct reply *reply, struct span session_id,
                       const struct history_selection *s)
{
    (void)session_id;
    enum status status = E_NOMEM;
    struct csv *c = calloc(1, sizeof(*c));
    if (c) {
        strmap_init(&c->places, (uint64_t)(uintptr_t)c); /* where malloc put it: nobody knows */
        status = s->query->field_count > 0 ? columns_named(c, s->query) : columns_found(c, s);
    }
    if (status == OK)
        write_rows(c, s, &reply->body);
    else if (status == E_LIMIT)
        reply_error(reply, 400, "A csv has at most 1024 metrics: name some with fields");
    else
        reply_error(reply, 503, "Out of memory");
    if (c)
        strmap_fini(&c->places);
    free(c);
}
