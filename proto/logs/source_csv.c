/* SPDX-License-Identifier: MIT */
/*
 * csv: a table with a row of names first. Cells that are no numbers are passed over, as are columns
 * without a name (an index that was written along). A row has as many cells as there are names:
 * one with fewer was cut off, or is of another table.
 */
#include "proto/logs/csv.h"
#include "proto/logs/source.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16384 };

/* Does its first line look like names? At least it is text, and no JSON. */
static bool csv_fits(struct span file)
{
    struct span header = span_trim(span_cut(&file, '\n'));
    if (header.len == 0 || header.ptr[0] == '{' || header.ptr[0] == '[')
        return false;
    for (size_t i = 0; i < header.len; i++) {
        if ((unsigned char)header.ptr[i] < ' ' && header.ptr[i] != '\t')
            return false;
    }
    return true;
}

static enum status next_cell(struct source *s, struct csv_cell *out)
{
    const char *why;
    const char *at = s->rest.ptr;
    if (csv_next(&s->rest, s->separator, out, &why) == OK)
        return OK;
    return source_refuse(s, E_MALFORMED, at, why);
}

/* The name, which outlives the cell; names that were escaped stand in `names`, which never moves.
 */
static enum status keep_name(struct source *s, const struct csv_cell *cell)
{
    struct span name = span_trim(cell->raw);
    if (s->column_count % 64 == 0) {
        struct span *all = realloc(s->columns, (s->column_count + 64) * sizeof(*all));
        if (!all)
            return E_NOMEM;
        s->columns = all;
    }
    if (cell->escaped) {
        size_t from = s->names.len;
        if (buf_reserve(&s->names, s->names.limit - s->names.len) != OK)
            return E_NOMEM;
        csv_unescape(cell->raw, &s->names);
        if (buf_status(&s->names) != OK)
            return source_refuse(s, E_LIMIT, cell->raw.ptr, "the names are too long");
        name = (struct span){s->names.ptr + from, s->names.len - from};
    }
    s->columns[s->column_count++] = name;
    return OK;
}

static enum status csv_open(struct source *s)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct csv_cell cell = {.last = false};
    s->rest = s->file;
    if (span_starts(s->rest, SPAN("\xef\xbb\xbf")))
        s->rest = (struct span){s->rest.ptr + sizeof(bom) - 1, s->rest.len - sizeof(bom) + 1};
    s->separator = csv_separator(s->rest);
    s->column_count = 0;
    buf_reset(&s->names);
    while (!cell.last) {
        enum status status = next_cell(s, &cell);
        if (status == OK && s->column_count == COLUMNS_MAX)
            status = source_refuse(s, E_LIMIT, cell.raw.ptr, "more columns than 16384");
        if (status == OK)
            status = keep_name(s, &cell);
        if (status != OK)
            return status;
    }
    return OK;
}

static void add_cell(struct source *s, size_t column, const struct csv_cell *cell,
                     struct source_row *row)
{
    struct num value;
    struct span name = s->columns[column];
    struct span text = span_trim(cell->raw);
    if (source_cell(text, &value))
        source_row_add(row, name, value);
    else if (span_is_nocase(text, "true"))
        source_row_add_true(row, name);
}

static enum status csv_read_row(struct source *s, struct source_row *row)
{
    struct csv_cell cell = {.last = false};
    const char *begin = s->rest.ptr;
    size_t column = 0;
    for (; !cell.last; column++) {
        enum status status = next_cell(s, &cell);
        if (status != OK)
            return status;
        if (column == 0 && cell.last && !cell.quoted && span_trim(cell.raw).len == 0)
            return OK; /* a blank line */
        if (column == s->column_count)
            return source_refuse(s, E_MALFORMED, begin, "more cells than there are names");
        add_cell(s, column, &cell, row);
    }
    if (column < s->column_count)
        return source_refuse(s, E_MALFORMED, begin, "fewer cells than there are names");
    return OK;
}

static enum status csv_read(struct source *s, struct source_row *row)
{
    source_row_begin(row);
    if (s->rest.len == 0)
        return E_NOT_FOUND;
    s->at = (size_t)(s->rest.ptr - s->file.ptr);
    return csv_read_row(s, row);
}

const struct source_ops source_csv = {"csv", csv_fits, csv_open, csv_read};
