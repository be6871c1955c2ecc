/* SPDX-License-Identifier: MIT */
/*
 * Every member that the API's clients read by name is there, null where nothing is known: they were
 * written against a server that had more to say about some of them (items, contexts) than a
 * training run has.
 */
#include "streamd/http/operation_write.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/session/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void write_null(struct buf *out, const char *name)
{
    json_write_pair_raw(out, name, SPAN("null"));
}

static void write_text(struct buf *out, const char *name, const char *text)
{
    if (text && text[0])
        json_write_pair_string(out, name, span_of(text));
    else
        write_null(out, name);
}

static void write_time(struct buf *out, const char *name, double epoch_s)
{
    json_write_name(out, name);
    time_write_iso(epoch_s, out);
}

static const char *word_of(const struct session *s)
{
    return operation_status_name(operation_status(s));
}

/* NaN while it goes on. */
static double completed_s(const struct session *s)
{
    if (s->operation.cancelled_s > 0)
        return s->operation.cancelled_s;
    return operation_status_ended(operation_status(s)) ? s->last_update_s : (double)NAN;
}

/* ---- progress ---- */

struct progress {
    double percentage;
    double step; /* NaN: not known */
    double total;
    char words[96]; /* "": none */
};

static void read_record(struct session *s, struct progress *p)
{
    struct series_cursor cursor;
    struct series_entry entry;
    if (session_latest(s, &cursor, &entry)) {
        const struct record *r = &entry.record;
        double overall = num_double(r->field[F_OVERALL_PROGRESS]);
        p->percentage = isfinite(overall) ? fmin(fmax(overall, 0), 100) : 0;
        p->step = num_double(r->field[F_CURRENT_STEP]);
        p->total = num_double(r->field[F_TOTAL_STEPS]);
    }
    series_cursor_fini(&cursor);
}

/* A run that counts its epochs and not its steps is as far as they are. */
static void read_epochs(struct session *s, struct progress *p)
{
    uint64_t done = s->epochs.trend.count;
    uint64_t planned = operation_of(s)->epochs_planned;
    if (done == 0)
        return;
    if (planned > 0) {
        (void)snprintf(p->words, sizeof(p->words), "epoch %llu of %llu", (unsigned long long)done,
                       (unsigned long long)planned);
        if (!isfinite(p->total))
            p->percentage = fmin(100 * (double)done / (double)planned, 100);
    } else {
        (void)snprintf(p->words, sizeof(p->words), "epoch %llu", (unsigned long long)done);
    }
    if (!isfinite(p->step))
        p->step = (double)done;
    if (!isfinite(p->total) && planned > 0)
        p->total = (double)planned;
}

static struct progress progress_of(struct session *s)
{
    struct progress p = {.step = (double)NAN, .total = (double)NAN};
    read_record(s, &p);
    read_epochs(s, &p);
    if (operation_status(s) == OPERATION_COMPLETED)
        p.percentage = 100;
    if (!p.words[0] && isfinite(p.step) && isfinite(p.total))
        (void)snprintf(p.words, sizeof(p.words), "step %.0f of %.0f", p.step, p.total);
    return p;
}

static void write_progress(struct session *s, struct buf *out)
{
    struct progress p = progress_of(s);
    json_write_name(out, "progress");
    buf_add_char(out, '{');
    json_write_name(out, "percentage");
    num_write_rounded(out, p.percentage, 1);
    write_text(out, "current_step", p.words);
    json_write_name(out, "steps_completed");
    num_write_double(out, isfinite(p.step) ? p.step : 0);
    json_write_name(out, "steps_total");
    num_write_double(out, isfinite(p.total) ? p.total : 0);
    json_write_pair_u64(out, "items_processed", 0);
    write_null(out, "items_total");
    write_null(out, "current_item");
    json_write_pair_raw(out, "context", SPAN("{}"));
    buf_add_char(out, '}');
}

/* ---- one operation ---- */

static void write_member(struct buf *out, const struct fields *metadata,
                         const struct fields *config, const char *name)
{
    struct span text;
    if ((metadata && fields_string(metadata, name, &text)) ||
        (config && fields_string(config, name, &text)))
        json_write_pair_string(out, name, text);
    else
        write_null(out, name);
}

/* What the config says of it; the config itself is its parameters. */
static void write_metadata(const struct session *s, struct buf *out)
{
    static const char *const names[] = {"symbol", "timeframe", "mode", "start_date", "end_date"};
    struct fields *config = NULL;
    if (s->config && fields_parse(refbuf_span(s->config), &config, NULL) != OK)
        config = NULL;
    const struct fields *metadata = config ? fields_object(config, "metadata") : NULL;
    json_write_name(out, "metadata");
    buf_add_char(out, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        write_member(out, metadata, config, names[i]);
    json_write_pair_raw(out, "parameters", s->config ? refbuf_span(s->config) : SPAN("{}"));
    buf_add_char(out, '}');
    fields_destroy(config);
}

static void write_outcome(struct session *s, struct buf *out)
{
    bool cancelled = s->operation.cancelled_s > 0;
    const char *error = s->error ? s->error : cancelled ? s->operation.reason : NULL;
    write_text(out, "error_message", error);
    json_write_pair_raw(out, "warnings", SPAN("[]"));
    json_write_name(out, "errors");
    buf_add_char(out, '[');
    if (s->error)
        json_write_string(out, span_of(s->error));
    buf_add_char(out, ']');
    json_write_name(out, "result_summary");
    if (operation_status_ended(operation_status(s)))
        operation_write_results(s, out);
    else
        buf_add_str(out, "null");
}

void operation_write_whole(struct session *s, struct span metrics, struct buf *out)
{
    bool pending = operation_status(s) == OPERATION_PENDING;
    buf_add_char(out, '{');
    json_write_pair_string(out, "operation_id", session_id(s));
    write_text(out, "parent_operation_id", operation_of(s)->parent);
    json_write_pair_string(out, "operation_type", span_of(operation_of(s)->type));
    json_write_pair_string(out, "status", span_of(word_of(s)));
    write_time(out, "created_at", s->start_time_s);
    write_time(out, "started_at", pending ? (double)NAN : s->start_time_s);
    write_time(out, "completed_at", completed_s(s));
    write_progress(s, out);
    write_metadata(s, out);
    write_outcome(s, out);
    json_write_pair_raw(out, "metrics", metrics);
    json_write_pair_bool(out, "is_backend_local", true);
    buf_add_char(out, '}');
}

void operation_write_row(struct session *s, double wall_s, struct buf *out)
{
    struct progress p = progress_of(s);
    double end_s = completed_s(s);
    const struct operation *o = operation_of(s);
    buf_add_char(out, '{');
    json_write_pair_string(out, "operation_id", session_id(s));
    json_write_pair_string(out, "operation_type", span_of(o->type));
    json_write_pair_string(out, "status", span_of(word_of(s)));
    write_time(out, "created_at", s->start_time_s);
    json_write_name(out, "progress_percentage");
    num_write_rounded(out, p.percentage, 1);
    write_text(out, "current_step", p.words);
    write_text(out, "symbol", o->symbol);
    json_write_name(out, "duration_seconds");
    num_write_rounded(out, fmax((isfinite(end_s) ? end_s : wall_s) - s->start_time_s, 0), 3);
    buf_add_char(out, '}');
}

/* ---- metrics ---- */

struct health {
    const char *word;
    const char *recommendation;
    const char *why;
};

/* Worst first: what diverges need not be told that it overfits. */
static struct health health_of(const struct session *s, const struct epoch_trend *t)
{
    if (epoch_trend_diverges(t))
        return (struct health){"diverging", "stop", "the training loss has risen by a fifth"};
    if (epoch_trend_overfits(t))
        return (struct health){"overfitting", "use_checkpoint_of_best_epoch",
                               "the training loss falls and the validation loss rises"};
    if (epoch_trend_plateaus(t, s->registry->config->plateau_epochs))
        return (struct health){"plateaued", "stop", "no improvement for long enough"};
    return (struct health){"healthy", "continue", "nothing speaks against it"};
}

static void add_loss(struct buf *out, const char *name, double loss)
{
    if (isfinite(loss))
        buf_addf(out, ", %s %.4f", name, loss);
}

/* "epoch 12/100, train_loss 0.2345, val_loss 0.2987, best epoch 9, healthy" */
static void write_sentence(struct session *s, const struct epoch_trend *t, const char *word,
                           struct buf *out)
{
    uint64_t planned = operation_of(s)->epochs_planned;
    json_write_name(out, "summary");
    buf_addf(out, "\"epoch %llu", (unsigned long long)t->count);
    if (planned > 0)
        buf_addf(out, "/%llu", (unsigned long long)planned);
    add_loss(out, "train_loss", t->train[t->newest]);
    add_loss(out, "val_loss", t->val[t->newest]);
    if (epoch_trend_has_best(t))
        buf_addf(out, ", best epoch %llu", (unsigned long long)t->best);
    buf_addf(out, ", %s\"", word);
}

static void write_health(struct session *s, const struct epoch_trend *t, struct buf *out)
{
    struct health health = health_of(s, t);
    json_write_name(out, "health");
    buf_add_char(out, '{');
    json_write_pair_string(out, "status", span_of(health.word));
    write_sentence(s, t, health.word, out);
    json_write_pair_bool(out, "is_diverging", epoch_trend_diverges(t));
    json_write_pair_string(out, "recommendation", span_of(health.recommendation));
    json_write_pair_string(out, "reason", span_of(health.why));
    buf_add_char(out, '}');
}

static void write_trend(struct session *s, const struct epoch_trend *t, struct buf *out)
{
    bool has_best = epoch_trend_has_best(t);
    if (has_best) {
        json_write_pair_u64(out, "best_epoch", t->best);
        json_write_name(out, "best_val_loss");
        epoch_write_float(out, t->best_val_loss);
    } else {
        write_null(out, "best_epoch");
        write_null(out, "best_val_loss");
    }
    json_write_pair_u64(out, "epochs_since_improvement", epoch_trend_since_best(t));
    json_write_pair_bool(out, "is_overfitting", epoch_trend_overfits(t));
    json_write_pair_bool(out, "is_plateaued",
                         epoch_trend_plateaus(t, s->registry->config->plateau_epochs));
    json_write_pair_u64(out, "total_epochs_planned", operation_of(s)->epochs_planned);
    json_write_pair_u64(out, "total_epochs_completed", t->count);
}

void operation_write_metrics(struct session *s, const struct operation_epochs *epochs,
                             struct buf *out)
{
    if (!operation_is_training(s)) {
        buf_add_span(out, s->operation.metrics ? refbuf_span(s->operation.metrics) : SPAN("{}"));
        return;
    }
    if (epochs->trend->count == 0) {
        buf_add_str(out, "{}");
        return;
    }
    buf_add_str(out, "{\"epochs\":[");
    for (size_t i = 0; i < epochs->count; i++) {
        json_write_comma(out);
        epoch_write(&epochs->list[i], epochs->first + i, out);
    }
    buf_add_char(out, ']');
    write_trend(s, epochs->trend, out);
    write_health(s, epochs->trend, out);
    buf_add_char(out, '}');
}

void operation_write_results(struct session *s, struct buf *out)
{
    if (operation_is_training(s))
        summary_write_json(s->summary, out);
    else
        buf_add_span(out, s->operation.metrics ? refbuf_span(s->operation.metrics) : SPAN("{}"));
}
