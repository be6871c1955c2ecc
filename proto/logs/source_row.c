/* SPDX-License-Identifier: MIT */
/*
 * A time is a moment or a span, and loggers use the same names for both. A moment since 1970 in
 * seconds is beyond 10^8 (1973) and in milliseconds beyond 10^11; no run took three years.
 */
#include "proto/logs/source_row.h"

#include "proto/json_write.h"
#include "proto/line.h"
#include "proto/spelling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum role {
    ROLE_TIME,        /* a moment or a span, and nothing else */
    ROLE_TIME_METRIC, /* the same, and kept as a number too */
    ROLE_STEP,
    ROLE_EPOCH,
    ROLE_SUPERSEDED,
};

/* Of several times the first in this order counts. */
static const struct {
    const char *name;
    enum role role;
} roles[] = {
    {"serverTime", ROLE_TIME},
    {"wall_time", ROLE_TIME},
    {"Wall time", ROLE_TIME},
    {"_timestamp", ROLE_TIME},
    {"time_s", ROLE_TIME},
    {"_runtime", ROLE_TIME},
    {"timestamp", ROLE_TIME_METRIC},
    {"trainingTime", ROLE_TIME_METRIC},
    {"training_time", ROLE_TIME_METRIC},
    {"Step", ROLE_STEP},
    {"_step", ROLE_STEP},
    {"iteration", ROLE_STEP},
    {"epoch", ROLE_EPOCH},
    {"Epoch", ROLE_EPOCH},
    {"superseded", ROLE_SUPERSEDED},
};

enum { ROLES = sizeof(roles) / sizeof(roles[0]) };

static const double MOMENT_S = 1e8;
static const double MOMENT_MS = 1e11;

void source_row_init(struct source_row *row)
{
    *row = (struct source_row){.numbers = 0};
    buf_init(&row->line, LINE_BYTES_MAX);
}

void source_row_fini(struct source_row *row)
{
    buf_fini(&row->line);
}

void source_row_begin(struct source_row *row)
{
    struct buf line = row->line;
    *row = (struct source_row){.line = line,
                               .epoch = num_none(),
                               .wall_s = NAN,
                               .since_s = NAN,
                               .wall_rank = ROLES,
                               .since_rank = ROLES};
    buf_reset(&row->line);
    buf_add_str(&row->line, "{\"type\":\"progress\",\"metrics\":{");
}

static void write_number(struct source_row *row, struct span name, struct num value)
{
    const char *word = num_word(value);
    json_write_key(&row->line, name);
    if (word)
        json_write_string(&row->line, span_of(word));
    else
        num_write(&row->line, value);
}

static unsigned rank_of(struct span name)
{
    unsigned rank = 0;
    while (rank < ROLES && !span_is(name, roles[rank].name))
        rank++;
    return rank;
}

static void note_time(struct source_row *row, double time_s, unsigned rank)
{
    if (!isfinite(time_s) || time_s < 0)
        return;
    if (time_s < MOMENT_S && rank < row->since_rank) {
        row->since_s = time_s;
        row->since_rank = rank;
    } else if (time_s >= MOMENT_S && rank < row->wall_rank) {
        row->wall_s = time_s < MOMENT_MS ? time_s : time_s / 1000;
        row->wall_rank = rank;
    }
}

void source_row_add_metric(struct source_row *row, struct span name, struct num value)
{
    if (value.kind == NUM_NONE || name.len == 0)
        return;
    const struct spelling *spelling = spelling_find(name);
    bool reserved = spelling && spelling->kind == SPELL_RESERVED;
    bool step = spelling && spelling->kind == SPELL_FIELD && spelling->field == F_CURRENT_STEP;
    row->has_step = row->has_step || step;
    row->numbers += !step && !reserved;
    if (!reserved)
        write_number(row, name, value);
}

static void add_epoch(struct source_row *row, struct num value)
{
    row->epoch = value;
    write_number(row, SPAN("epoch"), value);
}

void source_row_add(struct source_row *row, struct span name, struct num value)
{
    unsigned rank = rank_of(name);
    if (value.kind == NUM_NONE)
        return;
    switch (rank < ROLES ? (int)roles[rank].role : -1) {
    case ROLE_TIME:
        note_time(row, num_double(value), rank);
        break;
    case ROLE_TIME_METRIC:
        note_time(row, num_double(value), rank);
        write_number(row, name, value);
        break;
    case ROLE_STEP:
        source_row_add_metric(row, SPAN("step"), value);
        break;
    case ROLE_EPOCH:
        add_epoch(row, value);
        break;
    case ROLE_SUPERSEDED:
        break;
    default:
        source_row_add_metric(row, name, value);
    }
}

void source_row_add_object(struct source_row *row, struct span name, struct span json)
{
    row->numbers++;
    json_write_key(&row->line, name);
    buf_add_span(&row->line, json);
}

void source_row_set_step(struct source_row *row, int64_t step)
{
    source_row_add_metric(row, SPAN("step"), num_int(step));
}

void source_row_set_wall(struct source_row *row, double wall_s)
{
    row->wall_s = isfinite(wall_s) && wall_s >= 0 && wall_s < MOMENT_MS ? wall_s : NAN;
}

void source_row_add_true(struct source_row *row, struct span name)
{
    unsigned rank = rank_of(name);
    if (rank < ROLES && roles[rank].role == ROLE_SUPERSEDED)
        row->superseded = true;
}

enum status source_row_end(struct source_row *row)
{
    buf_add_str(&row->line, "}}");
    return buf_status(&row->line);
}

bool source_row_is_empty(const struct source_row *row)
{
    return row->numbers == 0 || row->superseded;
}

bool source_word(struct span text, struct num *out)
{
    bool minus = text.len > 0 && text.ptr[0] == '-';
    if (text.len > 0 && (minus || text.ptr[0] == '+'))
        text = (struct span){text.ptr + 1, text.len - 1};
    if (span_is_nocase(text, "nan"))
        *out = num_float(NAN);
    else if (span_is_nocase(text, "inf") || span_is_nocase(text, "infinity"))
        *out = num_float(minus ? -INFINITY : INFINITY);
    else
        return false;
    return true;
}

bool source_cell(struct span text, struct num *out)
{
    enum { LONGEST = 64 };
    char copy[LONGEST];
    char *end;
    if (text.len == 0 || num_parse(text, out) || source_word(text, out))
        return text.len > 0;
    if (text.len >= LONGEST)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (copy[strspn(copy, "0123456789+-.eE")] != '\0')
        return false;
    double value = strtod(copy, &end);
    if (*end != '\0' || end == copy)
        return false;
    *out = num_float(value);
    return true;
}
