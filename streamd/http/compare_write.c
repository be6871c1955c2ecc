/* SPDX-License-Identifier: MIT */
/*
 * Which metric decides: the one that was asked for, else the first of validation loss, validation
 * metric and training loss that all the runs have. The run that ends best in it stands first, and
 * every other one is held against it.
 */
#include "streamd/http/compare.h"

#include "proto/goal.h"
#include "proto/json_write.h"
#include "streamd/session/config_diff.h"
#include "streamd/session/insight_json.h"
#include "streamd/session/session.h"

#include <math.h>
#include <string.h>

enum {
    DIGITS = 6,
    DIFFERENCES_TOLD = 5,
    PATH_TOLD = 60,
    VALUE_TOLD = 30,
    WHY_MAX = 4096,
};

struct contest {
    const struct compared *runs;
    size_t count;
    enum collation_series series;
    const char *metric; /* its name; "": the runs have none in common */
    bool higher_is_better;
    size_t best; /* which run; count: none has a value */
};

/* ---- numbers ---- */

static void write_number(struct buf *out, const char *name, double v)
{
    json_write_name(out, name);
    if (isfinite(v))
        num_write_significant(out, v, DIGITS);
    else
        buf_add_str(out, "null");
}

static void write_level(struct buf *out, const char *name, const struct level *level)
{
    json_write_name(out, name);
    buf_add_char(out, '{');
    write_number(out, "value", level->value);
    write_number(out, "lo", level->lo);
    write_number(out, "hi", level->hi);
    buf_add_char(out, '}');
}

static const struct sketch *curve_of(const struct contest *c, size_t run)
{
    return &c->runs[run].collation->series[c->series];
}

static struct level end_of(const struct contest *c, size_t run)
{
    struct level end;
    if (!sketch_end(curve_of(c, run), &end))
        end.value = end.lo = end.hi = (double)NAN;
    return end;
}

/* ---- what decides ---- */

static bool all_have(const struct compared *runs, size_t count, enum collation_series series)
{
    for (size_t i = 0; i < count; i++) {
        if (runs[i].collation->series[series].seen == 0)
            return false;
    }
    return true;
}

static bool same_metric(const struct compared *runs, size_t count)
{
    const char *first = record_point_metric(&runs[0].collation->reckoning.names);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(first, record_point_metric(&runs[i].collation->reckoning.names)) != 0)
            return false;
    }
    return true;
}

static void choose(struct contest *c)
{
    const struct collation *first = c->runs[0].collation;
    c->metric = "";
    if (first->plan.metric[0]) {
        c->series = COLLATION_NAMED;
        c->metric = first->plan.metric;
        c->higher_is_better =
            first->plan.has_target ? first->plan.at_least : goal_is_highest(span_of(c->metric));
        return;
    }
    if (all_have(c->runs, c->count, COLLATION_VAL_LOSS)) {
        c->series = COLLATION_VAL_LOSS;
        c->metric = "val_loss";
    } else if (all_have(c->runs, c->count, COLLATION_VAL_METRIC) &&
               same_metric(c->runs, c->count)) {
        c->series = COLLATION_VAL_METRIC;
        c->metric = record_point_metric(&first->reckoning.names);
        c->higher_is_better = goal_is_highest(span_of(c->metric));
    } else if (all_have(c->runs, c->count, COLLATION_TRAIN_LOSS)) {
        c->series = COLLATION_TRAIN_LOSS;
        c->metric = "train_loss";
    }
}

static void find_best(struct contest *c)
{
    double best = (double)NAN;
    c->best = c->count;
    for (size_t i = 0; c->metric[0] && i < c->count; i++) {
        double end = end_of(c, i).value;
        if (!isfinite(end) || (c->best < c->count && (end > best) != c->higher_is_better))
            continue;
        best = end;
        c->best = i;
    }
}

/* ---- one run ---- */

static void write_reach(struct buf *out, const struct contest *c, size_t run)
{
    const struct collation *k = c->runs[run].collation;
    struct reach r;
    json_write_name(out, "target");
    buf_add_char(out, '{');
    json_write_pair_bool(out, "reached", k->reached);
    if (k->reached) {
        write_number(out, "at", k->reached_x);
        write_number(out, "after_seconds", k->reached_s - k->began_s);
    } else {
        sketch_reach(curve_of(c, run), k->plan.target, k->plan.at_least, &r);
        json_write_pair_bool(out, "expected", r.expected);
        write_number(out, "at", r.x);
        write_number(out, "earliest", r.x_lo);
        write_number(out, "latest", r.x_hi);
        write_number(out, "eta_seconds", r.s);
        write_number(out, "earliest_seconds", r.s_lo);
        write_number(out, "latest_seconds", r.s_hi);
    }
    buf_add_char(out, '}');
}

static void write_run(struct buf *out, const struct contest *c, size_t run)
{
    const struct session *s = c->runs[run].session;
    const struct collation *k = c->runs[run].collation;
    struct level end = end_of(c, run);
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", session_id(s));
    if (s->name)
        json_write_pair_string(out, "name", span_of(s->name));
    json_write_pair_string(out, "status", span_of(session_state_name(s->state)));
    json_write_pair_u64(out, "records", k->records);
    write_number(out, "seconds", k->reckoning.point.value[POINT_TIME_S] - k->began_s);
    write_level(out, "final", &end);
    insight_write_verdict(out, &k->reckoning.engine.now);
    if (k->plan.has_target)
        write_reach(out, c, run);
    buf_add_char(out, '}');
}

/* ---- one pair ---- */

static void write_differences(struct buf *out, const struct config_diff *d)
{
    json_write_name(out, "config");
    buf_add_char(out, '[');
    for (size_t i = 0; i < d->count; i++) {
        json_write_comma(out);
        buf_add_char(out, '{');
        json_write_pair_string(out, "key", span_of(d->at[i].path));
        json_write_pair_string(out, "better", span_of(d->at[i].values[0]));
        json_write_pair_string(out, "other", span_of(d->at[i].values[1]));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void say_result(struct buf *b, const struct contest *c, size_t other,
                       const struct comparison *k)
{
    const char *a = c->runs[c->best].session->id;
    const char *o = c->runs[other].session->id;
    if (k->better < 0) {
        buf_addf(b, "%s and %s cannot be told apart by %s.", a, o, c->metric);
        return;
    }
    buf_addf(b, "%s ends better: %s %.4g (%.4g to %.4g) against %.4g (%.4g to %.4g) of %s", a,
             c->metric, k->end[0].value, k->end[0].lo, k->end[0].hi, k->end[1].value, k->end[1].lo,
             k->end[1].hi, o);
    buf_add_str(b, k->certain ? "." : ", which noise alone may explain.");
    if (k->parted)
        buf_addf(b, " It is ahead from %.6g on.", k->parted_at);
}

static void say_value(struct buf *b, const char *value)
{
    buf_add_span(b, value[0] ? span_head(span_of(value), VALUE_TOLD) : SPAN("none"));
}

static void say_differences(struct buf *b, const struct config_diff *d)
{
    size_t told = d->count < DIFFERENCES_TOLD ? d->count : DIFFERENCES_TOLD;
    if (d->count == 0)
        buf_add_str(b, " Their configurations are the same.");
    for (size_t i = 0; i < told; i++) {
        buf_add_str(b, i ? "; " : " It has, against the other: ");
        buf_add_span(b, span_head(span_of(d->at[i].path), PATH_TOLD));
        buf_add_char(b, ' ');
        say_value(b, d->at[i].values[0]);
        buf_add_str(b, " / ");
        say_value(b, d->at[i].values[1]);
    }
    if (d->count > told)
        buf_addf(b, "; and %zu more", d->count - told);
    if (d->count > 0)
        buf_add_char(b, '.');
}

static void write_why(struct buf *out, const struct contest *c, size_t other,
                      const struct comparison *k, const struct config_diff *d)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    say_result(&why, c, other, k);
    say_differences(&why, d);
    json_write_pair_string(out, "why", buf_span(&why));
    buf_fini(&why);
}

static void write_pair(struct buf *out, const struct contest *c, size_t other)
{
    struct config_diff differences;
    const struct session *pair[] = {c->runs[c->best].session, c->runs[other].session};
    struct comparison k;
    compare_sketches(curve_of(c, c->best), curve_of(c, other), c->higher_is_better, &k);
    config_diff_find(pair, 2, &differences);
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "better", session_id(c->runs[c->best].session));
    json_write_pair_string(out, "other", session_id(c->runs[other].session));
    json_write_pair_bool(out, "certain", k.certain);
    write_number(out, "gap", k.gap);
    write_number(out, "share_of_range", k.share);
    write_number(out, "parted_at", k.parted ? k.parted_at : (double)NAN);
    write_differences(out, &differences);
    write_why(out, c, other, &k, &differences);
    buf_add_char(out, '}');
}

void compare_write(struct buf *out, const struct compared *runs, size_t count)
{
    struct contest c = {.runs = runs, .count = count};
    choose(&c);
    find_best(&c);
    buf_add_char(out, '{');
    json_write_pair_string(out, "metric", span_of(c.metric));
    json_write_pair_string(out, "goal", c.higher_is_better ? SPAN("max") : SPAN("min"));
    json_write_name(out, "better");
    if (c.best < count)
        json_write_string(out, session_id(runs[c.best].session));
    else
        buf_add_str(out, "null");
    json_write_name(out, "runs");
    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++)
        write_run(out, &c, i);
    buf_add_str(out, "]");
    json_write_name(out, "pairs");
    buf_add_char(out, '[');
    for (size_t i = 0; c.best < count && i < count; i++) {
        if (i != c.best)
            write_pair(out, &c, i);
    }
    buf_add_str(out, "]}");
}
