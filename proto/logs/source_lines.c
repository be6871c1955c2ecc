/* SPDX-License-Identifier: MIT */
/*
 * What all logs made of lines have in common: a line may have a time at its head, may be drawn over
 * by a progress bar ('\r'), and may say that the process died, in the same words whoever prints it.
 */
#include "proto/logs/source.h"
#include "proto/logs/words.h"

#include <math.h>
#include <string.h>

enum {
    LOOK_BYTES = 1 << 20,
    NAME_SLACK = 16, /* what a format puts before or behind a name of the line */
};

enum status source_lines_open(struct source *s)
{
    s->rest = s->file;
    s->place = (struct source_place){0};
    buf_reset(&s->config);
    return OK;
}

/* Cut to what may be told, at the border of a letter. */
static struct span told(struct span text)
{
    text = span_trim(text);
    if (text.len > SOURCE_TEXT_MAX)
        text.len = SOURCE_TEXT_MAX;
    while (text.len > 0 && !json_utf8_valid(text))
        text.len--;
    return text;
}

/* False: the line says nothing. */
static bool read_line(struct source *s, struct span line, struct source_row *row)
{
    source_row_begin(row);
    double wall_s = words_moment_s(line);
    if (!isnan(wall_s))
        source_row_set_wall(row, wall_s - (double)s->zone_s);
    if (!s->ops->line(s, line, row)) {
        if (!words_crash(line))
            return false;
        row->event = SOURCE_CRASH;
        row->text = line;
    }
    row->text = told(row->text);
    return true;
}

/* Room for a name of that line, lest a value go missing in silence because its name found none. */
static enum status reserve_name(struct source *s, struct span line)
{
    size_t room = line.len + NAME_SLACK;
    buf_reset(&s->text);
    return buf_reserve(&s->text, room < s->text.limit ? room : s->text.limit);
}

enum status source_lines_next(struct source *s, struct source_row *row)
{
    while (s->rest.len > 0) {
        struct span line = span_trim(span_cut(&s->rest, '\n'));
        s->at = (size_t)(line.ptr - s->file.ptr);
        if (line.len > 0 && reserve_name(s, line) != OK)
            return E_NOMEM;
        if (line.len > 0 && read_line(s, line, row))
            return OK;
    }
    return E_NOT_FOUND;
}

bool source_lines_have(struct span file, bool (*is_one)(struct span line))
{
    struct span rest = {file.ptr, file.len < LOOK_BYTES ? file.len : LOOK_BYTES};
    if (rest.len == 0 || memchr(rest.ptr, '\0', rest.len))
        return false;
    while (rest.len > 0) {
        if (is_one(span_trim(span_cut(&rest, '\n'))))
            return true;
    }
    return false;
}
