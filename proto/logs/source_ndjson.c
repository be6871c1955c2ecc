/* SPDX-License-Identifier: MIT */
/*
 * ndjson: an object a line. The first one may describe the run instead: it has texts, and neither a
 * step nor an epoch nor a time.
 */
#include "proto/logs/source.h"

#include <math.h>

/* The next line that is not blank, without its end. False: there is none. */
static bool next_line(struct source *s, struct span *out)
{
    while (s->rest.len > 0) {
        struct span line = span_trim(span_cut(&s->rest, '\n'));
        if (line.len > 0) {
            *out = line;
            s->at = (size_t)(line.ptr - s->file.ptr);
            return true;
        }
    }
    return false;
}

/* Behind the mark that some editors put first. */
static struct span behind_bom(struct span file)
{
    const size_t n = span_starts(file, SPAN("\xef\xbb\xbf")) ? 3 : 0;
    return (struct span){file.ptr + n, file.len - n};
}

/* A line is a whole object; a document that goes on over several is not for here. */
static bool ndjson_fits(struct span file)
{
    struct json_scan scan;
    struct json_value value;
    file = behind_bom(file);
    struct span line = span_trim(span_cut(&file, '\n'));
    if (line.len == 0 || line.ptr[0] != '{' || json_check(line, JSON_WORDS, NULL) != OK)
        return false;
    json_scan_init(&scan, line, JSON_WORDS);
    (void)json_next(&scan, &value);
    while (json_next(&scan, &value) == JSON_KEY) {
        struct span raw;
        bool array = span_is(value.raw, "log_history") || span_is(value.raw, "data");
        if (json_skip(&scan, &raw) != OK || (array && raw.ptr[0] == '['))
            return false;
    }
    return true;
}

static enum status read_line(struct source *s, struct span line, struct source_row *row)
{
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, line, JSON_WORDS);
    source_row_begin(row);
    if (json_next(&scan, &value) != JSON_OBJECT_BEGIN)
        return source_refuse(s, E_MALFORMED, line.ptr, "the line is no JSON object");
    enum status status = source_add_members(s, &scan, row);
    if (status == OK && json_next(&scan, &value) != JSON_END)
        status = source_refuse(s, E_MALFORMED, scan.at, "text behind the object");
    return status;
}

static bool describes(const struct source_row *row)
{
    return row->texts > 0 && !row->has_step && row->epoch.kind == NUM_NONE && isnan(row->wall_s) &&
           isnan(row->since_s);
}

static enum status ndjson_open(struct source *s)
{
    struct source_row row;
    struct span line;
    s->rest = behind_bom(s->file);
    buf_reset(&s->config);
    struct span begin = s->rest;
    if (!next_line(s, &line))
        return OK;
    source_row_init(&row);
    enum status status = read_line(s, line, &row);
    if (status == OK && describes(&row) && line.len <= s->config.limit)
        buf_add_span(&s->config, line);
    else
        s->rest = begin;
    source_row_fini(&row);
    return status == E_NOMEM || buf_status(&s->config) != OK ? E_NOMEM : OK;
}

static enum status ndjson_read(struct source *s, struct source_row *row)
{
    struct span line;
    return next_line(s, &line) ? read_line(s, line, row) : E_NOT_FOUND;
}

const struct source_ops source_ndjson = {
    .name = "ndjson",
    .what = "an object a line: DETR and its kin, our own export",
    .whole = false,
    .fits = ndjson_fits,
    .open = ndjson_open,
    .next = ndjson_read,
};
