/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/app.h"
#include "streamd/http/appraisal.h"
#include "streamd/mcp/run_words.h"
#include "streamd/session/interpreter.h"

#include <math.h>
#include <string.h>

enum { LATEST_MAX = 12, LATEST_NAME_MAX = 48 };

/* ---- the newest values ---- */

/* What a metric of the engine is called to its trainer. */
static const char *name_of(const struct session *s, enum point_field field)
{
    const char *metric = record_point_metric(&s->interpreter->reckoning.names);
    return field == POINT_VAL_METRIC && metric[0] ? metric : point_field_name(field);
}

static size_t write_points(const struct session *s, struct buf *out)
{
    static const enum point_field shown[] = {POINT_TRAIN_LOSS, POINT_VAL_LOSS, POINT_VAL_METRIC,
                                             POINT_LR, POINT_GPU_MEMORY_MB};
    const struct point *p = &s->interpreter->reckoning.engine.newest;
    size_t count = 0;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (!point_has(p, shown[i]))
            continue;
        json_write_key(out, span_of(name_of(s, shown[i])));
        num_write_significant(out, p->value[shown[i]], RUN_DIGITS);
        count++;
    }
    return count;
}

/* Does the engine have it, under this or another name? */
static bool is_point(const struct session *s, struct span name)
{
    const struct point_names *names = &s->interpreter->reckoning.names;
    for (size_t i = 0; i < POINT_SLOTS; i++) {
        if (names->slot[i].len == name.len && names->slot[i].field != POINT_FIELDS &&
            memcmp(names->slot[i].name, name.ptr, name.len) == 0)
            return true;
    }
    return false;
}

/* What else the newest record has. */
static void write_extras(const struct session *s, size_t count, struct buf *out)
{
    struct series_cursor cursor;
    struct series_entry entry;
    bool found = session_latest(s, &cursor, &entry);
    for (size_t i = 0; found && i < entry.record.extra_count && count < LATEST_MAX; i++) {
        const struct extra *e = &entry.record.extra[i];
        if (e->name.len > LATEST_NAME_MAX || (s->interpreter && is_point(s, e->name)))
            continue;
        json_write_key(out, e->name);
        num_write_significant(out, num_double(e->value), RUN_DIGITS);
        count++;
    }
    series_cursor_fini(&cursor);
}

static void write_latest(const struct session *s, struct buf *out)
{
    json_write_name(out, "latest");
    buf_add_char(out, '{');
    write_extras(s, s->interpreter ? write_points(s, out) : 0, out);
    buf_add_char(out, '}');
}

/* ---- what it means ---- */

static void write_eta(const struct assessed_eta *eta, struct buf *out)
{
    static const char *const words[] = {
        [GRADE_LOW] = "low", [GRADE_MEDIUM] = "medium", [GRADE_HIGH] = "high"};
    json_write_name(out, "eta");
    buf_add_char(out, '{');
    json_write_pair_digits(out, "seconds", eta->s, RUN_DIGITS);
    json_write_pair_digits(out, "low", eta->lo, RUN_DIGITS);
    json_write_pair_digits(out, "high", eta->hi, RUN_DIGITS);
    json_write_pair_string(out, "confidence", span_of(words[eta->confidence]));
    buf_add_char(out, '}');
}

static void write_best(const struct session *s, const struct assessment *a, struct buf *out)
{
    bool judged = span_is(span_of(a->monitor), "val_metric");
    if (a->evaluations == 0)
        return;
    json_write_name(out, "best");
    buf_add_char(out, '{');
    json_write_pair_string(out, "metric",
                           span_of(judged ? name_of(s, POINT_VAL_METRIC) : a->monitor));
    json_write_pair_digits(out, "value", a->best.value, RUN_DIGITS);
    run_write_whole(out, "epoch", a->best.epoch);
    buf_add_char(out, '}');
    json_write_pair_u64(out, "epochs_since_best", a->best.since);
}

static double newest_step(const struct session *s)
{
    struct series_cursor cursor;
    struct series_entry entry;
    double step = (double)NAN;
    if (session_latest(s, &cursor, &entry))
        step = num_double(entry.record.field[F_CURRENT_STEP]);
    series_cursor_fini(&cursor);
    return step;
}

static void write_total_epochs(struct session *s, struct buf *out)
{
    uint64_t planned = operation_of(s)->epochs_planned;
    if (planned > 0)
        json_write_pair_u64(out, "total_epochs", planned);
    else
        json_write_pair_raw(out, "total_epochs", SPAN("null"));
}

static void write_run_status(struct app *app, struct session *s, struct reply *reply)
{
    const struct assessment *a = session_assessment(s);
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    run_write_head(s, out);
    json_write_pair_string(out, "phase_reason", span_of(s->error ? s->error : a ? a->reason : ""));
    run_write_whole(out, "epoch", run_epoch(s));
    write_total_epochs(s, out);
    run_write_whole(out, "step", newest_step(s));
    if (a)
        write_eta(&a->eta, out);
    write_latest(s, out);
    if (a)
        write_best(s, a, out);
    json_write_name(out, "alerts");
    buf_add_char(out, '[');
    run_write_alerts(s, out);
    buf_add_char(out, ']');
    json_write_pair_u64(out, "seq", app->registry.bulletin.last);
    json_write_name(out, "as_of");
    time_write_iso(floor(app->now.wall_s), out);
    buf_add_char(out, '}');
}

void answer_get_status(struct mcp_call *call, struct reply *reply)
{
    struct session *s = answer_session(call, "session_id", reply);
    if (s)
        appraise(call->app, s, write_run_status, reply);
}
