/* SPDX-License-Identifier: MIT */
/*
 * get_metrics. The answer is bounded before it is written: names times points is at most
 * CELLS_MAX, and a number of RUN_DIGITS digits has at most a dozen characters.
 */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/mcp/curves_question.h"
#include "streamd/mcp/run_words.h"

#include <math.h>

enum { POINTS_DEFAULT = 60, CELLS_MAX = 2000 };

/* One that was found and has no value in the range is not told. */
static bool is_shown(const struct curves *c, size_t name)
{
    const struct curve_tally *t = &c->tally[name];
    return !c->discovers || t->n + t->nonfinite > 0;
}

static size_t points_of(const struct curves_question *q)
{
    size_t names = q->curves[0]->plan.names;
    size_t most = CELLS_MAX / (names > 0 ? names : 1);
    return q->points < most ? q->points : most;
}

static void write_x(const struct curves *c, const uint16_t *rows, size_t count, struct buf *out)
{
    json_write_name(out, "x");
    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        json_write_comma(out);
        num_write_rounded(out, c->x[rows[i]], 3);
    }
    buf_add_char(out, ']');
}

static void write_series(const struct curves *c, const uint16_t *rows, size_t count,
                         struct buf *out)
{
    json_write_name(out, "series");
    buf_add_char(out, '{');
    for (size_t name = 0; count > 0 && name < c->plan.names; name++) {
        if (!is_shown(c, name))
            continue;
        json_write_key(out, span_of(c->plan.name[name].text));
        buf_add_char(out, '[');
        for (size_t i = 0; i < count; i++) {
            json_write_comma(out);
            num_write_significant(out, curves_value(c, rows[i], name), RUN_DIGITS);
        }
        buf_add_char(out, ']');
    }
    buf_add_char(out, '}');
}

static void write_place(struct buf *out, const char *name, double v)
{
    json_write_name(out, name);
    num_write_rounded(out, v, 3);
}

static void write_tally(const struct curve_tally *t, struct buf *out)
{
    buf_add_char(out, '{');
    json_write_pair_u64(out, "n", t->n);
    json_write_pair_digits(out, "first", t->first, RUN_DIGITS);
    json_write_pair_digits(out, "last", t->last, RUN_DIGITS);
    json_write_pair_digits(out, "min", t->min, RUN_DIGITS);
    write_place(out, "min_at", t->min_at);
    json_write_pair_digits(out, "max", t->max, RUN_DIGITS);
    write_place(out, "max_at", t->max_at);
    json_write_pair_digits(out, "tail_slope", curve_tally_slope(t), RUN_DIGITS);
    json_write_pair_u64(out, "nonfinite", t->nonfinite);
    buf_add_char(out, '}');
}

static void write_stats(const struct curves *c, struct buf *out)
{
    json_write_name(out, "stats");
    buf_add_char(out, '{');
    for (size_t name = 0; name < c->plan.names; name++) {
        if (!is_shown(c, name))
            continue;
        json_write_key(out, span_of(c->plan.name[name].text));
        write_tally(&c->tally[name], out);
    }
    buf_add_char(out, '}');
}

static void write_more(const struct curves *c, struct buf *out)
{
    if (c->mores == 0)
        return;
    json_write_name(out, "truncated_names");
    buf_add_char(out, '[');
    for (size_t i = 0; i < c->mores; i++) {
        json_write_comma(out);
        json_write_string(out, span_of(c->more[i].text));
    }
    buf_add_char(out, ']');
}

static void write_metrics(const struct curves_question *q, struct buf *out)
{
    const struct curves *c = q->curves[0];
    uint16_t rows[CURVES_ROWS_MAX];
    size_t count = q->stats_only ? 0 : curves_pick(c, points_of(q), rows);
    buf_add_char(out, '{');
    json_write_pair_string(out, "by", c->by_epoch ? SPAN("epoch") : SPAN("step"));
    write_x(c, rows, count, out);
    write_series(c, rows, count, out);
    write_stats(c, out);
    json_write_pair_u64(out, "total_points", c->rows);
    json_write_pair_bool(out, "downsampled", !q->stats_only && count < c->rows);
    write_more(c, out);
    buf_add_char(out, '}');
}

static bool read_names(const struct mcp_call *call, struct curves_question *q, struct reply *reply)
{
    const struct fields *names = fields_array(call->arguments, "names");
    for (const struct fields *at = fields_first(names); at; at = fields_next(at)) {
        struct span name = {NULL, 0};
        if (fields_as_string(at, &name) && curves_question_name(q, name))
            continue;
        answer_refuse(reply, "names takes at most 8 metrics of 1 to 63 bytes each. Leave it out to "
                             "get the first 8 and the names of the others.");
        return false;
    }
    return true;
}

void answer_get_metrics(struct mcp_call *call, struct reply *reply)
{
    struct session *s = answer_session(call, "session_id", reply);
    struct curves_question *q = s ? curves_question_create(call, reply) : NULL;
    if (!q)
        return;
    q->write = write_metrics;
    q->points = (size_t)answer_number(call, "points", POINTS_DEFAULT);
    q->stats_only = answer_flag(call, "stats_only");
    q->plan.by_step = span_is(answer_text(call, "by", SPAN("epoch")), "step");
    q->plan.from = answer_number(call, "from", q->plan.from);
    q->plan.to = answer_number(call, "to", q->plan.to);
    inquiry_add(&q->inquiry, s);
    if (read_names(call, q, reply))
        curves_question_leave(q, reply);
    else
        curves_question_destroy(q);
}
