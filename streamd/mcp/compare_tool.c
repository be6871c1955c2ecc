/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/app.h"
#include "streamd/mcp/curves_question.h"
#include "streamd/mcp/run_words.h"
#include "streamd/session/config_diff.h"

#include <math.h>
#include <string.h>

enum {
    RUNS_MIN = 2,
    RUNS_MAX = 6,
    DIFF_BYTES = 4000, /* of config_diff; what is left out is counted */
};

/* What of a run is held against the others. */
struct standing {
    double value; /* NaN: it has none */
    double x;
};

/* The last value at or before x. */
static struct standing standing_at(const struct curves *c, double x)
{
    struct standing found = {(double)NAN, (double)NAN};
    for (size_t row = 0; row < c->kept && c->x[row] <= x; row++) {
        if (isfinite(curves_value(c, row, 0)))
            found = (struct standing){curves_value(c, row, 0), c->x[row]};
    }
    return found;
}

static double last_x(const struct curves *c)
{
    return c->kept > 0 ? c->x[c->kept - 1] : -(double)INFINITY;
}

/* How far all of them have come. */
static double common_x(const struct curves_question *q)
{
    double x = (double)INFINITY;
    for (size_t i = 0; i < q->inquiry.count; i++)
        x = fmin(x, last_x(q->curves[i]));
    return x;
}

static struct standing best_of(const struct curves_question *q, const struct curves *c)
{
    const struct curve_tally *t = &c->tally[0];
    return q->highest ? (struct standing){t->max, t->max_at} : (struct standing){t->min, t->min_at};
}

static struct standing standing_of(const struct curves_question *q, size_t run)
{
    const struct curves *c = q->curves[run];
    if (q->at == CURVES_BEST)
        return best_of(q, c);
    return standing_at(c, q->at == CURVES_LAST ? (double)INFINITY : common_x(q));
}

static bool is_better(const struct curves_question *q, double a, double b)
{
    return isfinite(a) && (!isfinite(b) || (q->highest ? a > b : a < b));
}

/* The value that even the worst of them has reached; NaN: one has none. */
static double common_target(const struct curves_question *q)
{
    double target = best_of(q, q->curves[0]).value;
    for (size_t i = 1; i < q->inquiry.count; i++) {
        double best = best_of(q, q->curves[i]).value;
        if (!isfinite(best))
            return (double)NAN;
        target = is_better(q, best, target) ? target : best;
    }
    return target;
}

static double x_reaching(const struct curves_question *q, const struct curves *c, double target)
{
    for (size_t row = 0; row < c->kept; row++) {
        double v = curves_value(c, row, 0);
        if (isfinite(v) && !is_better(q, target, v))
            return c->x[row];
    }
    return (double)NAN;
}

static void write_row(const struct curves_question *q, size_t run, size_t winner, struct buf *out)
{
    const struct curves *c = q->curves[run];
    const struct assessment *a = &c->reckoning.engine.now;
    struct standing own = standing_of(q, run);
    struct standing first = standing_of(q, winner);
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "id", session_id(inquiry_session(&q->inquiry, run)));
    json_write_pair_string(
        out, "phase", span_of(a->phase == PHASE_CRASHED ? "UNKNOWN" : phase_words(a->phase)->name));
    json_write_pair_digits(out, "value", own.value, RUN_DIGITS);
    run_write_whole(out, c->by_epoch ? "epoch" : "step", own.x);
    json_write_pair_digits(out, "delta_to_winner", own.value - first.value, RUN_DIGITS);
    if (c->by_epoch)
        run_write_whole(out, "epochs_to_common_target", x_reaching(q, c, common_target(q)));
    buf_add_char(out, '}');
}

/* A value that was cut is no JSON any more. */
static void write_value(const char *value, struct buf *out)
{
    if (value[0] == '\0')
        buf_add_str(out, "null");
    else if (strlen(value) < CONFIG_DIFF_VALUE_MAX - 4)
        buf_add_str(out, value);
    else
        json_write_string(out, span_of(value));
}

static void write_diff(const struct curves_question *q, struct buf *out)
{
    const struct session *runs[INQUIRY_SESSIONS_MAX];
    struct config_diff diff;
    size_t most = out->len + DIFF_BYTES;
    size_t left_out = 0;
    for (size_t i = 0; i < q->inquiry.count; i++)
        runs[i] = inquiry_session(&q->inquiry, i);
    config_diff_find(runs, q->inquiry.count, &diff);
    json_write_name(out, "config_diff");
    buf_add_char(out, '{');
    for (size_t i = 0; i < diff.count; i++) {
        if (out->len > most) {
            left_out++;
            continue;
        }
        json_write_key(out, span_of(diff.at[i].path));
        buf_add_char(out, '{');
        for (size_t run = 0; run < diff.sides; run++) {
            json_write_key(out, session_id(runs[run]));
            write_value(diff.at[i].values[run], out);
        }
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
    if (left_out > 0)
        json_write_pair_u64(out, "config_diff_left_out", left_out);
}

static void write_comparison(const struct curves_question *q, struct buf *out)
{
    size_t winner = 0;
    for (size_t i = 1; i < q->inquiry.count; i++) {
        if (is_better(q, standing_of(q, i).value, standing_of(q, winner).value))
            winner = i;
    }
    buf_add_str(out, "{\"rows\":[");
    for (size_t i = 0; i < q->inquiry.count; i++)
        write_row(q, i, winner, out);
    buf_add_char(out, ']');
    json_write_name(out, "winner");
    if (isfinite(standing_of(q, winner).value))
        json_write_string(out, session_id(inquiry_session(&q->inquiry, winner)));
    else
        buf_add_str(out, "null");
    write_diff(q, out);
    buf_add_char(out, '}');
}

/* Repeats count once. */
static bool add_run(const struct mcp_call *call, struct curves_question *q, struct span id,
                    struct reply *reply)
{
    struct session *s = registry_find(&call->app->registry, id);
    if (!s) {
        answer_refuse(reply, "There is no session \"%.*s\". Call list_sessions for the ids.",
                      (int)(id.len < 128 ? id.len : 128), id.ptr);
        return false;
    }
    for (size_t i = 0; i < q->inquiry.count; i++) {
        if (inquiry_session(&q->inquiry, i) == s)
            return true;
    }
    if (q->inquiry.count < RUNS_MAX)
        inquiry_add(&q->inquiry, s);
    return true;
}

static bool read_runs(const struct mcp_call *call, struct curves_question *q, struct reply *reply)
{
    const struct fields *ids = fields_array(call->arguments, "session_ids");
    for (const struct fields *at = fields_first(ids); at; at = fields_next(at)) {
        struct span id = {NULL, 0};
        (void)fields_as_string(at, &id);
        if (!add_run(call, q, id, reply))
            return false;
    }
    if (q->inquiry.count >= RUNS_MIN)
        return true;
    answer_refuse(reply, "compare_sessions takes two to six different session_ids. Call "
                         "list_sessions for them.");
    return false;
}

static bool read_question(const struct mcp_call *call, struct curves_question *q,
                          struct reply *reply)
{
    struct span at = answer_text(call, "at", SPAN("best"));
    q->at = span_is(at, "best") ? CURVES_BEST : span_is(at, "last") ? CURVES_LAST : CURVES_COMMON;
    q->highest = span_is(answer_text(call, "goal", SPAN("min")), "max");
    if (curves_question_name(q, answer_text(call, "metric", SPAN("val_loss"))))
        return read_runs(call, q, reply);
    answer_refuse(reply, "metric must be a name of 1 to 63 bytes. Call get_metrics with "
                         "stats_only for the names that a run has.");
    return false;
}

void answer_compare_sessions(struct mcp_call *call, struct reply *reply)
{
    struct curves_question *q = curves_question_create(call, reply);
    if (!q)
        return;
    q->write = write_comparison;
    if (read_question(call, q, reply))
        curves_question_leave(q, reply);
    else
        curves_question_destroy(q);
}
