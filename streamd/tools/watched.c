/* SPDX-License-Identifier: MIT */
#include "streamd/tools/watched.h"

#include "proto/json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES_MAX = 512,
    CONFIG_BYTES_MAX = 4096,
    FINISH_MS = 10000, /* a log that was read from its beginning comes all at once */
};

void watched_init(struct watched *w, const struct watched_options *options, struct notify *notify)
{
    const char *slash = strrchr(options->path, '/');
    const char *name = options->name ? options->name : slash ? slash + 1 : options->path;
    *w = (struct watched){.options = *options, .notify = notify, .ahead_s = NAN, .ended_s = NAN};
    (void)snprintf(w->name, sizeof(w->name), "%s", name);
    line_decoder_init(&w->decoder, 0);
    epoch_ends_init(&w->epochs);
    record_point_config((struct span){NULL, 0}, &w->names, &w->engine.config);
    insight_init(&w->engine, &(struct insight_config){.total = 0});
}

void watched_learn(struct watched *w, const struct source_row *row)
{
    if (row->event != SOURCE_NAME || w->options.name || row->text.len == 0)
        return;
    size_t len = row->text.len < sizeof(w->name) ? row->text.len : sizeof(w->name) - 1;
    memcpy(w->name, row->text.ptr, len);
    w->name[len] = '\0';
}

/* ---- what is told ---- */

static double known(const struct watched *w, enum point_field field)
{
    return point_has(&w->newest, field) ? w->newest.value[field] : NAN;
}

/* The file of the best epoch, or of the best step; NULL: it was not kept. */
static const char *best_checkpoint(const struct watched *w)
{
    const struct assessed_best *best = &w->engine.now.best;
    for (size_t i = 0; i < CHECKPOINTS_MAX && i < w->checkpoint_count; i++) {
        const struct checkpoint *c = &w->checkpoints[i];
        if (c->epoch == best->epoch || (isnan(c->epoch) && c->step == best->step))
            return c->name;
    }
    return NULL;
}

struct notify_event watched_event(struct watched *w, enum notify_kind kind)
{
    return (struct notify_event){
        .kind = kind,
        .session_id = w->options.id,
        .name = w->name,
        .assessment = &w->engine.now,
        .checkpoint = best_checkpoint(w),
        .metric = record_point_metric(&w->names),
        .now = {known(w, POINT_TRAIN_LOSS), known(w, POINT_LR), known(w, POINT_ACCURACY),
                known(w, POINT_VAL_LOSS), known(w, POINT_VAL_METRIC)},
        .epoch = known(w, POINT_EPOCH),
        .step = known(w, POINT_STEP),
        .gpu_memory_mb = known(w, POINT_GPU_MEMORY_MB),
        .stop_alerts = w->stop_alerts,
    };
}

/* Does the message of the phase it has just entered say it already? */
static bool is_said(const struct assessment *a, enum finding_kind kind)
{
    enum insight_phase to = a->transition.to;
    return a->changed && ((kind == FINDING_DIVERGENCE && to == PHASE_DIVERGING) ||
                          (kind == FINDING_OVERFITTING && to == PHASE_OVERFITTING_RISK) ||
                          (kind == FINDING_PLATEAU && to == PHASE_PLATEAU));
}

static void tell_findings(struct watched *w, const struct assessment *a, struct now now)
{
    unsigned standing = 0;
    for (size_t i = 0; i < a->finding_count; i++) {
        unsigned mark = finding_mark(&a->findings[i]);
        standing |= mark;
        if (!(mark & ~w->told) || is_said(a, a->findings[i].kind))
            continue;
        struct notify_event e = watched_event(w, NOTIFY_FINDING);
        e.finding = i;
        e.number = ++w->findings;
        (void)notify_event(w->notify, &e, now);
    }
    w->told = standing;
}

static void tell(struct watched *w, const struct assessment *a, uint64_t evaluations,
                 struct now now)
{
    if (a->changed) {
        struct notify_event e = watched_event(w, NOTIFY_PHASE);
        e.number = a->transitions;
        (void)notify_event(w->notify, &e, now);
    }
    tell_findings(w, a, now);
    if (a->evaluations != evaluations && strcmp(a->monitor, "train_loss") != 0) {
        struct notify_event e = watched_event(w, NOTIFY_PROGRESS);
        (void)notify_event(w->notify, &e, now);
    }
    if (advice_is_news(&w->advice, &a->stop)) {
        struct notify_event e = watched_event(w, NOTIFY_STOP);
        e.number = ++w->stop_alerts;
        (void)notify_event(w->notify, &e, now);
    }
}

static void tell_event(struct watched *w, enum insight_event event, const char *detail,
                       struct now now)
{
    (void)insight_event(&w->engine, event, detail);
    const struct assessment *a = insight_now(&w->engine);
    tell(w, a, a->evaluations, now);
}

/* ---- the first record ---- */

static void write_config(struct watched *w, const struct source *source, struct buf *b)
{
    const char *slash = strrchr(w->options.path, '/');
    buf_add_char(b, '{');
    json_write_pair_string(b, "source", span_of(source->ops->name));
    struct span file = span_of(slash ? slash + 1 : w->options.path);
    if (json_utf8_valid(file))
        json_write_pair_string(b, "log", file);
    if (source->place.epochs > 0)
        json_write_pair_u64(b, "epochs", source->place.epochs);
    if (source->place.steps > 0)
        json_write_pair_u64(b, "total_steps", source->place.steps);
    buf_add_char(b, '}');
}

static void start_run(struct watched *w, const char *config)
{
    w->run = streamd_init(&(struct streamd_options){
        .project = w->options.project,
        .name = w->name,
        .config_json = config,
        .session_id = w->options.id,
        .resume = w->options.resume,
        .socket_path = w->options.socket_path,
        .no_system = true, /* ours is not the trainer's */
        .finish_ms = FINISH_MS,
    });
    w->options.resume = true; /* from here on it may exist */
}

static void begin(struct watched *w, const struct source *source)
{
    struct insight_config config;
    struct buf b;
    buf_init(&b, CONFIG_BYTES_MAX);
    write_config(w, source, &b);
    buf_add_char(&b, '\0');
    const char *text = buf_status(&b) == OK ? b.ptr : "{}";
    if (!w->begun) {
        record_point_config(span_of(text), &w->names, &config);
        insight_init(&w->engine, &config);
    }
    if (!w->options.alone && !w->run)
        start_run(w, text);
    w->begun = true;
    buf_fini(&b);
}

/* ---- a record ---- */

/* Without a step a row stands at its epoch, if that is a whole one. */
static void give_step(struct source_row *row)
{
    if (!row->has_step && row->epoch.kind == NUM_INT)
        source_row_add_metric(row, SPAN("step"), row->epoch);
}

struct sending {
    struct streamd_metric metrics[VALUES_MAX];
    char names[VALUES_MAX][LINE_NAME_BYTES_MAX + 1];
    size_t count;
};

static void add_value(struct sending *s, struct span name, struct num value)
{
    if (s->count == VALUES_MAX || value.kind == NUM_NONE || name.len > LINE_NAME_BYTES_MAX)
        return;
    memcpy(s->names[s->count], name.ptr, name.len);
    s->names[s->count][name.len] = '\0';
    s->metrics[s->count] = (struct streamd_metric){s->names[s->count], num_double(value)};
    s->count++;
}

/* What an epoch line has beside its record; a loss under a name that the engine does not judge,
 * which has seen it already, line by line. */
static void add_end(struct watched *w, struct sending *s, const struct epoch_end *end,
                    double wall_s)
{
    if (isfinite(end->train_loss))
        add_value(s, SPAN("train_loss_epoch"), num_float(end->train_loss));
    if (wall_s > w->ended_s)
        add_value(s, SPAN("duration"), num_float(wall_s - w->ended_s));
    w->ended_s = wall_s;
}

/* The record; with `end`, as the line of the epoch that ends with it. */
static void send_record(struct watched *w, const struct record *r, double wall_s,
                        const struct epoch_end *end)
{
    struct sending *s = calloc(1, sizeof(*s)); /* too large for a stack */
    int64_t step = -1;
    if (!s)
        return;
    if (!isnan(wall_s))
        add_value(s, SPAN("timestamp"), num_float(wall_s));
    for (unsigned f = 0; f < RECORD_FIELDS; f++) {
        if (f == F_CURRENT_STEP && r->field[f].kind == NUM_INT && !end)
            step = r->field[f].i;
        else if (record_was_sent(r, (enum record_field)f))
            add_value(s, span_of(record_field_name((enum record_field)f)), r->field[f]);
    }
    for (size_t i = 0; i < r->extra_count; i++)
        add_value(s, r->extra[i].name, r->extra[i].value);
    if (end)
        add_end(w, s, end, wall_s);
    if (end)
        streamd_log_epoch(w->run, s->metrics, s->count);
    else
        streamd_log(w->run, step, s->metrics, s->count);
    free(s);
}

static void add_known(struct sending *s, struct span name, double value)
{
    if (isfinite(value))
        add_value(s, name, num_float(value));
}

/* The line of an epoch that no record ended. */
static void send_end(struct watched *w, const struct epoch_end *end)
{
    struct sending *s = calloc(1, sizeof(*s)); /* too large for a stack */
    double wall_s = isnan(w->ahead_s) ? (double)NAN : known(w, POINT_TIME_S);
    if (!s)
        return;
    add_known(s, SPAN("epoch"), end->epoch);
    add_known(s, SPAN("step"), known(w, POINT_STEP));
    add_known(s, SPAN("learning_rate"), known(w, POINT_LR));
    add_known(s, SPAN("timestamp"), wall_s);
    add_end(w, s, end, wall_s);
    streamd_log_epoch(w->run, s->metrics, s->count);
    free(s);
}

static void keep_newest(struct watched *w, const struct point *p)
{
    for (unsigned f = 0; f < POINT_FIELDS; f++) {
        if (point_has(p, (enum point_field)f))
            point_set(&w->newest, (enum point_field)f, p->value[f]);
    }
}

static void take_record(struct watched *w, const struct source *source, struct source_row *row,
                        struct now now)
{
    struct line line;
    struct line_error error;
    struct point point;
    give_step(row);
    if (source_row_is_empty(row) || source_row_end(row) != OK ||
        line_decode(&w->decoder, buf_span(&row->line), &line, &error) != OK)
        return;
    if (!w->begun || (!w->options.alone && !w->run))
        begin(w, source);
    if (w->crashed)
        tell_event(w, INSIGHT_RESUMED, NULL, now);
    w->crashed = false;
    if (record_was_sent(&line.record, F_TOTAL_STEPS))
        insight_plan(&w->engine, num_double(line.record.field[F_TOTAL_STEPS]));
    record_point(&w->names, &line.record, now.wall_s, &point);
    struct epoch_end end;
    if (epoch_ends_before(&w->epochs, &point, &end) && w->run)
        send_end(w, &end);
    keep_newest(w, &point);
    w->records++;
    uint64_t evaluations = w->engine.now.evaluations;
    (void)insight_point(&w->engine, &point);
    tell(w, insight_now(&w->engine), evaluations, now);
    bool ends = epoch_ends_with(&w->epochs, &point, &end);
    if (w->run)
        send_record(w, &line.record, row->wall_s, ends ? &end : NULL);
}

/* ---- what else a log says ---- */

static void keep_checkpoint(struct watched *w, struct span name)
{
    struct checkpoint *c = &w->checkpoints[w->checkpoint_count++ % CHECKPOINTS_MAX];
    size_t len = name.len < sizeof(c->name) ? name.len : sizeof(c->name) - 1;
    memcpy(c->name, name.ptr, len);
    c->name[len] = '\0';
    c->epoch = floor(known(w, POINT_EPOCH));
    c->step = known(w, POINT_STEP);
}

static void take_crash(struct watched *w, struct span line, struct now now)
{
    char text[SOURCE_TEXT_MAX + 1];
    memcpy(text, line.ptr, line.len);
    text[line.len] = '\0';
    bool known_already = w->crashed;
    w->crashed = true;
    if (!known_already)
        tell_event(w, INSIGHT_CRASHED, text, now);
}

static void take_over(struct watched *w, const struct source *source, struct source_row *row,
                      struct now now)
{
    if (row->numbers > 0)
        take_record(w, source, row, now);
    else if (row->text.len > 0)
        keep_checkpoint(w, row->text);
    if (!w->over)
        tell_event(w, INSIGHT_COMPLETED, NULL, now);
    w->over = true;
}

/* Ours, or the log's once it has shown one. */
static struct now on_its_clock(const struct watched *w, struct now now)
{
    if (isnan(w->ahead_s))
        return now;
    double wall_s = now.wall_s + w->ahead_s;
    return (struct now){.us = wall_s > 0 ? (uint64_t)(wall_s * 1e6) : 0, .wall_s = wall_s};
}

void watched_row(struct watched *w, const struct source *source, struct source_row *row,
                 struct now now)
{
    if (!isnan(row->wall_s))
        w->ahead_s = row->wall_s - now.wall_s;
    now = on_its_clock(w, now);
    switch (row->event) {
    case SOURCE_RECORD:
        take_record(w, source, row, now);
        break;
    case SOURCE_NAME:
        watched_learn(w, row);
        break;
    case SOURCE_CHECKPOINT:
        keep_checkpoint(w, row->text);
        break;
    case SOURCE_CRASH:
        take_crash(w, row->text, now);
        break;
    case SOURCE_OVER:
        take_over(w, source, row, now);
        break;
    }
}

void watched_tick(struct watched *w, struct now now)
{
    if (!w->begun || w->over || w->crashed)
        return;
    now = on_its_clock(w, now);
    const struct assessment *a = insight_tick(&w->engine, now.wall_s);
    tell(w, a, a->evaluations, now);
}

void watched_last(struct watched *w, struct now now)
{
    if (w->begun && !w->over && !w->crashed)
        tell_event(w, INSIGHT_INTERRUPTED, NULL, on_its_clock(w, now));
}

void watched_end(struct watched *w)
{
    struct epoch_end end;
    if (w->over && w->run && epoch_ends_last(&w->epochs, &end))
        send_end(w, &end);
    if (w->crashed)
        (void)streamd_fail(w->run, w->engine.now.reason);
    else if (w->over)
        (void)streamd_finish(w->run);
    else
        (void)streamd_leave(w->run);
    w->run = NULL;
    line_decoder_fini(&w->decoder);
}
