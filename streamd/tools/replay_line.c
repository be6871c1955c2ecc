/* SPDX-License-Identifier: MIT */
#include "streamd/tools/replay_line.h"

#include "proto/json_scan.h"
#include "proto/json_write.h"
#include "proto/logs/source_row.h"

#include <math.h>
#include <string.h>

/* One member: a text, a number, or neither. */
struct member {
    struct span key, text;
    double number; /* NaN unless is_number */
    bool is_number;
};

static enum status take_value(struct json_scan *scan, struct member *m)
{
    struct json_value value;
    struct num n = num_none();
    switch (json_next(scan, &value)) {
    case JSON_NUMBER:
        n = value.num;
        break;
    case JSON_STRING:
        m->text = value.raw;
        (void)source_cell(value.raw, &n);
        break;
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN:
        return json_leave(scan);
    case JSON_ERROR:
        return E_MALFORMED;
    default:
        break;
    }
    m->is_number = n.kind != NUM_NONE;
    m->number = num_double(n);
    return OK;
}

/* E_NOT_FOUND: there is no further member, and nothing but the object stood on the line. */
static enum status next_member(struct json_scan *scan, struct member *m)
{
    struct json_value value;
    enum json_token token = json_next(scan, &value);
    if (token == JSON_OBJECT_END)
        return json_next(scan, &value) == JSON_END ? E_NOT_FOUND : E_MALFORMED;
    if (token != JSON_KEY)
        return E_MALFORMED;
    *m = (struct member){.key = value.raw, .number = NAN};
    return take_value(scan, m);
}

static enum status begin(struct json_scan *scan, struct span line)
{
    struct json_value value;
    json_scan_init(scan, line, JSON_WORDS);
    return json_next(scan, &value) == JSON_OBJECT_BEGIN ? OK : E_MALFORMED;
}

static void take_header(const struct member *m, struct insight_config *out)
{
    if (span_is(m->key, "total"))
        out->total = m->number;
    else if (span_is(m->key, "horizon"))
        out->horizon = m->number;
    else if (span_is(m->key, "monitor_mode"))
        out->goal = span_is(m->text, "max") ? GOAL_HIGHEST : GOAL_LOWEST;
    else if (span_is(m->key, "monitor"))
        out->monitor = span_is(m->text, "val_loss")     ? MONITOR_VAL_LOSS
                       : span_is(m->text, "val_metric") ? MONITOR_VAL_METRIC
                       : span_is(m->text, "train_loss") ? MONITOR_TRAIN_LOSS
                                                        : MONITOR_AUTO;
}

enum status replay_read_header(struct span line, struct insight_config *out)
{
    struct json_scan scan;
    struct member m;
    enum status status = begin(&scan, line);
    while (status == OK && (status = next_member(&scan, &m)) == OK)
        take_header(&m, out);
    return status == E_NOT_FOUND ? OK : status;
}

static void take_point(const struct member *m, struct point *out)
{
    for (int f = 0; m->is_number && f < POINT_FIELDS; f++) {
        if (span_is(m->key, point_field_name((enum point_field)f)))
            point_set(out, (enum point_field)f, m->number);
    }
}

enum status replay_read_point(struct span line, struct point *out)
{
    struct json_scan scan;
    struct member m;
    enum status status = begin(&scan, line);
    memset(out, 0, sizeof(*out));
    while (status == OK && (status = next_member(&scan, &m)) == OK)
        take_point(&m, out);
    return status == E_NOT_FOUND ? OK : status;
}

/* The kinds that stand, each with its severity. */
static void write_findings(struct buf *b, const struct assessment *a)
{
    json_write_name(b, "findings");
    buf_add_char(b, '{');
    for (size_t i = 0; i < a->finding_count; i++)
        json_write_pair_string(b, finding_name(a->findings[i].kind),
                               span_of(severity_name(a->findings[i].severity)));
    buf_add_char(b, '}');
}

void replay_write(struct buf *b, const struct assessment *a)
{
    buf_add_char(b, '{');
    json_write_pair_string(b, "phase", span_of(phase_words(a->phase)->name));
    json_write_pair_bool(b, "stop", a->stop.recommend);
    json_write_pair_double(b, "eta_s", a->eta.s);
    json_write_pair_double(b, "eta_lo", a->eta.lo);
    json_write_pair_double(b, "eta_hi", a->eta.hi);
    json_write_pair_double(b, "best_step", a->best.x);
    json_write_pair_double(b, "forecast", a->forecast.value);
    json_write_pair_double(b, "forecast_lo", a->forecast.lo);
    json_write_pair_double(b, "forecast_hi", a->forecast.hi);
    json_write_pair_double(b, "p_gain", a->p_gain);
    json_write_pair_bool(b, "overfitting", a->overfitting);
    json_write_pair_bool(b, "diverging", a->diverging);
    write_findings(b, a);
    buf_add_str(b, "}\n");
}
