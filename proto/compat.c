/* SPDX-License-Identifier: MIT */
/*
 * The reference system transforms, then validates, then rounds. Here the first gives a record like
 * any other, so that rounding and writing are record_json's and are not said twice; its eleven
 * rules are one table that the transformation and the validation both read. What the reference does
 * when its arithmetic meets a loss that is no number, falling back to a record of nothing but
 * defaults, is kept: dashboards show it.
 */
#include "proto/compat.h"

#include "proto/json_write.h"
#include "proto/record_json.h"

#include <math.h>

enum { INTEGRITY_POINTS = 5 };

struct rule {
    double low;
    double high;
    double standard; /* the default */
};

static const struct rule rules[COMPAT_RULES] = {
    [F_LOSS] = {0, 10, 2.5},
    [F_PERPLEXITY] = {1, 1000, 12.18},
    [F_GROK_PROGRESS] = {0, 100, 0},
    [F_MODEL_PARAMS] = {1e6, 1e8, 25e6},
    [F_CURRENT_STEP] = {0, 1e5, 0},
    [F_TOTAL_STEPS] = {1, 1e5, 1000},
    [F_CURRENT_MODEL] = {1, 10, 1},
    [F_TOTAL_MODELS] = {1, 10, 3},
    [F_OVERALL_PROGRESS] = {0, 100, 0},
    [F_TRAINING_TIME] = {0, 86400, 0},
    [F_ESTIMATED_TIME_REMAINING] = {0, 86400, 0},
};

_Static_assert((int)COMPAT_RULES == (int)F_TIMESTAMP, "every field but the timestamp has a rule");

static bool came_wrong(const struct record *r, enum record_field field)
{
    return r->wrong >> field & 1 && r->field[field].kind == NUM_NONE;
}

/* The record's own value; `derived` when there is none; the default when that is no number. */
static double value_of(const struct record *r, enum record_field field, double derived)
{
    struct num n = r->field[field];
    if (num_is_finite(n))
        return num_double(n);
    bool absent = n.kind == NUM_NONE && !came_wrong(r, field);
    return absent && isfinite(derived) ? derived : rules[field].standard;
}

static double standard_value(const struct record *r, enum record_field field)
{
    return value_of(r, field, rules[field].standard);
}

static double overall_of(double model, double models, double step, double steps)
{
    return ((model - 1) * 100 + step / steps * 100) / models;
}

static double time_left(double t, double overall)
{
    return overall <= 0 ? 0 : fmax(0, t * 100 / overall - t);
}

/* A field of the compatibility record: in its range, and a count where the field is one. */
static struct num clamped(enum record_field field, double v)
{
    v = fmin(fmax(v, rules[field].low), rules[field].high);
    return record_field_decimals(field) == RECORD_INTEGER ? num_int((int64_t)v) : num_float(v);
}

static void fall_back(double now_s, struct record *out)
{
    for (enum record_field f = 0; f < F_TIMESTAMP; f++)
        out->field[f] = clamped(f, rules[f].standard);
    out->field[F_TIMESTAMP] = num_float(now_s);
}

void compat_transform(const struct record *r, double now_s, struct record *out)
{
    double v[COMPAT_RULES];
    struct record made;
    record_init(&made);
    made.sent = r->sent;
    if (came_wrong(r, F_LOSS)) {
        fall_back(now_s, &made);
        *out = made;
        return;
    }
    v[F_LOSS] = standard_value(r, F_LOSS);
    v[F_PERPLEXITY] = value_of(r, F_PERPLEXITY, exp(fmin(v[F_LOSS], 10)));
    v[F_GROK_PROGRESS] = value_of(r, F_GROK_PROGRESS, (2 - v[F_LOSS]) / 2 * 100);
    v[F_MODEL_PARAMS] = standard_value(r, F_MODEL_PARAMS);
    v[F_CURRENT_STEP] = standard_value(r, F_CURRENT_STEP);
    v[F_TOTAL_STEPS] = standard_value(r, F_TOTAL_STEPS);
    v[F_CURRENT_MODEL] = standard_value(r, F_CURRENT_MODEL);
    v[F_TOTAL_MODELS] = standard_value(r, F_TOTAL_MODELS);
    v[F_TRAINING_TIME] = standard_value(r, F_TRAINING_TIME);
    double overall =
        overall_of(v[F_CURRENT_MODEL], v[F_TOTAL_MODELS], v[F_CURRENT_STEP], v[F_TOTAL_STEPS]);
    v[F_OVERALL_PROGRESS] = value_of(r, F_OVERALL_PROGRESS, overall);
    double left = time_left(v[F_TRAINING_TIME], v[F_OVERALL_PROGRESS]);
    v[F_ESTIMATED_TIME_REMAINING] = value_of(r, F_ESTIMATED_TIME_REMAINING, left);
    for (enum record_field f = 0; f < F_TIMESTAMP; f++)
        made.field[f] = clamped(f, v[f]);
    struct num stamp = r->field[F_TIMESTAMP];
    made.field[F_TIMESTAMP] = num_float(num_is_finite(stamp) ? num_double(stamp) : now_s);
    *out = made;
}

static bool is_missing(const struct record *r, enum record_field field)
{
    return !num_is_finite(r->field[field]);
}

static bool is_outside(const struct record *r, enum record_field field)
{
    double v = num_double(r->field[field]);
    return v < rules[field].low || v > rules[field].high;
}

static bool is_consistent(const struct record *r)
{
    double computed =
        overall_of(num_double(r->field[F_CURRENT_MODEL]), num_double(r->field[F_TOTAL_MODELS]),
                   num_double(r->field[F_CURRENT_STEP]), num_double(r->field[F_TOTAL_STEPS]));
    double stated = num_double(r->field[F_OVERALL_PROGRESS]);
    return !(fabs(stated - computed) > INTEGRITY_POINTS);
}

static void write_missing(struct buf *b, const struct record *r, enum record_field field)
{
    bool absent = r->field[field].kind == NUM_NONE && !came_wrong(r, field);
    json_write_comma(b);
    buf_addf(b, "\"%s: %s\"", absent ? "missing" : "not a number", record_field_name(field));
}

static void write_outside(struct buf *b, const struct record *r, enum record_field field)
{
    json_write_comma(b);
    buf_addf(b, "\"out of range: %s ", record_field_name(field));
    num_write(b, r->field[field]);
    buf_add_str(b, ", allowed ");
    num_write_double(b, rules[field].low);
    buf_add_str(b, " to ");
    num_write_double(b, rules[field].high);
    buf_add_char(b, '"');
}

static void write_warnings(struct buf *b, const struct record *r, bool consistent)
{
    json_write_name(b, "warnings");
    buf_add_char(b, '[');
    for (enum record_field f = 0; f < F_TIMESTAMP; f++) {
        if (!is_missing(r, f) && is_outside(r, f))
            write_outside(b, r, f);
    }
    if (!consistent) {
        json_write_comma(b);
        json_write_string(b, SPAN("overallProgress differs from the computed one by more than 5"));
    }
    buf_add_char(b, ']');
}

static void write_errors(struct buf *b, const struct record *r)
{
    json_write_name(b, "errors");
    buf_add_char(b, '[');
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        if (is_missing(r, f))
            write_missing(b, r, f);
    }
    buf_add_char(b, ']');
}

void compat_write_validation(struct buf *b, const struct record *r)
{
    bool compatible = true;
    for (enum record_field f = 0; f < RECORD_FIELDS; f++)
        compatible = compatible && !is_missing(r, f);
    bool consistent = is_consistent(r);
    buf_add_char(b, '{');
    json_write_pair_bool(b, "compatible", compatible);
    write_warnings(b, r, consistent);
    write_errors(b, r);
    json_write_pair_bool(b, "data_integrity", consistent);
    buf_add_char(b, '}');
}

static void write_metrics(struct buf *b, const struct record *r)
{
    json_write_name(b, "metrics");
    record_write_payload(b, r);
}

void compat_write_http(struct buf *b, struct span session_id, const struct record *r,
                       struct span status, double now_s)
{
    buf_add_str(b, "{\"success\":true,\"data\":{");
    json_write_pair_string(b, "sessionId", session_id);
    write_metrics(b, r);
    json_write_pair_double(b, "timestamp", now_s);
    json_write_pair_string(b, "status", status);
    buf_add_str(b, "},\"meta\":{");
    json_write_pair_string(b, "version", SPAN("1.0"));
    json_write_pair_bool(b, "compatibility_layer", true);
    json_write_pair_bool(b, "transformation_applied", true);
    buf_add_str(b, "}}");
}

void compat_write_socket(struct buf *b, struct span event, const struct record *r,
                         struct span status, double now_s)
{
    buf_add_char(b, '{');
    json_write_pair_string(b, "event", event);
    write_metrics(b, r);
    json_write_pair_string(b, "status", status);
    json_write_pair_double(b, "timestamp", now_s);
    buf_add_char(b, '}');
}
