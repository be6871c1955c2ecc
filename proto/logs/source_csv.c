/* SPDX-License-Identifier: MIT */
/*
 * csv: a table with a row of names first, such as Lightning's metrics.csv, Keras's CSVLogger and
 * Ultralytics's results.csv make. Cells that are no numbers are passed over, as are columns without
 * a name (an index that was written along). A row has as many cells as there are names: one with
 * fewer was cut off, or is of another table.
 *
 * Ultralytics writes the parts of its loss (train/box_loss, ...) and not the loss, which is their
 * sum; it is added where no column has it.
 */
#include "proto/logs/csv.h"
#include "proto/logs/source.h"
#include "proto/spelling.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16384 };

/* A table's first row, and what stands below it. */
struct shape {
    size_t names; /* cells of the first row */
    size_t cells; /* of the second; 0: there is none */
    bool known;   /* one of the names is a usual one */
    bool number;  /* a cell of the second row is a number */
};

static bool is_usual(struct span name)
{
    bool word = name.len > 0 && !memchr(name.ptr, ' ', name.len);
    return spelling_find(name) || span_is_nocase(name, "epoch") || span_is_nocase(name, "step") ||
           (word && span_has_nocase(name, SPAN("loss")));
}

static struct shape shape_of(struct span file)
{
    struct shape shape = {0};
    struct csv_cell cell = {.last = false};
    struct num number;
    const char *why;
    char separator = csv_separator(file);
    for (; !cell.last && csv_next(&file, separator, &cell, &why) == OK; shape.names++)
        shape.known = shape.known || cell.quoted || is_usual(span_trim(cell.raw));
    cell.last = file.len == 0;
    for (; !cell.last && csv_next(&file, separator, &cell, &why) == OK; shape.cells++)
        shape.number = shape.number || source_cell(span_trim(cell.raw), &number);
    return shape;
}

/* Names, and numbers below them. At least it is text, and no JSON. */
static bool csv_fits(struct span file)
{
    struct span rest = file;
    struct span header = span_trim(span_cut(&rest, '\n'));
    if (header.len == 0 || header.ptr[0] == '{' || header.ptr[0] == '[')
        return false;
    for (size_t i = 0; i < header.len; i++) {
        if ((unsigned char)header.ptr[i] < ' ' && header.ptr[i] != '\t')
            return false;
    }
    struct shape shape = shape_of(file);
    return header.ptr[0] == '"' || shape.known ||
           (shape.number && (shape.names > 1 || shape.cells == shape.names));
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

static bool is_part(struct span name, struct span split)
{
    static const char ending[] = "_loss";
    size_t n = sizeof(ending) - 1;
    return span_starts(name, split) && name.len > split.len + n &&
           memcmp(name.ptr + name.len - n, ending, n) == 0;
}

static bool lacks_total(const struct source *s)
{
    bool parts = false;
    for (size_t i = 0; i < s->column_count; i++) {
        struct span name = s->columns[i];
        if (span_is(name, "loss") || span_is(name, "train_loss") || span_is(name, "train/loss"))
            return false;
        parts = parts || is_part(name, SPAN("train/"));
    }
    return parts;
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
    s->sums = lacks_total(s);
    return OK;
}

/* The parts of a row's losses. */
struct total {
    double sum;
    bool any;
};

static void count_part(struct total *total, double part)
{
    total->sum += part;
    total->any = true;
}

static void add_total(struct source_row *row, struct span name, const struct total *total)
{
    if (total->any)
        source_row_add_metric(row, name, num_float(total->sum));
}

static bool cell_number(const struct csv_cell *cell, struct num *out)
{
    return source_cell(span_trim(cell->raw), out);
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
    struct total train = {.any = false};
    struct total val = {.any = false};
    struct num part;
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
        if (s->sums && is_part(s->columns[column], SPAN("train/")) && cell_number(&cell, &part))
            count_part(&train, num_double(part));
        if (s->sums && is_part(s->columns[column], SPAN("val/")) && cell_number(&cell, &part))
            count_part(&val, num_double(part));
    }
    add_total(row, SPAN("loss"), &train);
    add_total(row, SPAN("val_loss"), &val);
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

const struct source_ops source_csv = {
    .name = "csv",
    .what = "tables: Lightning, Ultralytics, Keras, pandas",
    .whole = false,
    .fits = csv_fits,
    .open = csv_open,
    .next = csv_read,
};
