/* SPDX-License-Identifier: MIT */
#include "streamd/session/bulletin_write.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/session/registry.h"

#include <math.h>

enum { DIGITS = 4 };

/* One item while it is written. */
struct draft {
    struct buf text;
    struct buf data;
};

static void begin(struct draft *d)
{
    buf_init(&d->text, 1024);
    buf_init(&d->data, BULLETIN_DATA_MAX);
    buf_add_char(&d->data, '{');
}

static void end(struct draft *d, struct session *s, enum bulletin_type type, double wall_s)
{
    buf_add_char(&d->data, '}');
    bool whole = buf_status(&d->data) == OK;
    bulletin_add(&s->registry->bulletin, type, session_id(s), wall_s, buf_span(&d->text),
                 whole ? buf_span(&d->data) : (struct span){NULL, 0});
    buf_fini(&d->text);
    buf_fini(&d->data);
}

static void add_text(struct draft *d, const char *name, const char *text)
{
    json_write_pair_string(&d->data, name, span_of(text));
}

/* Left out where it is not known. */
static void add_place(struct draft *d, const char *name, double v)
{
    if (!isfinite(v))
        return;
    json_write_name(&d->data, name);
    num_write_rounded(&d->data, v, 3);
}

void bulletin_phase(struct session *s, const struct transition *t, double wall_s)
{
    struct draft d;
    begin(&d);
    buf_addf(&d.text, "%s to %s: %s", phase_words(t->from)->name, phase_words(t->to)->name,
             t->reason);
    add_text(&d, "from", phase_words(t->from)->name);
    add_text(&d, "to", phase_words(t->to)->name);
    add_place(&d, "epoch", t->epoch);
    add_place(&d, "step", t->step);
    end(&d, s, BULLETIN_PHASE, wall_s);
}

void bulletin_finding(struct session *s, const struct finding *f, double wall_s)
{
    struct draft d;
    begin(&d);
    buf_addf(&d.text, "%s: %s", finding_name(f->kind), f->evidence);
    add_text(&d, "kind", finding_name(f->kind));
    add_text(&d, "severity", severity_name(f->severity));
    add_place(&d, "since_step", f->since_step);
    end(&d, s, BULLETIN_ALERT, wall_s);
}

void bulletin_rule(struct session *s, const char *name, const char *text, double wall_s)
{
    struct draft d;
    begin(&d);
    buf_addf(&d.text, "%s: %s", name, text);
    add_text(&d, "kind", "rule");
    add_text(&d, "name", name);
    end(&d, s, BULLETIN_ALERT, wall_s);
}

void bulletin_advice(struct session *s, const struct assessment *a, double wall_s)
{
    struct draft d;
    begin(&d);
    buf_addf(&d.text, "stop: %s", a->stop.why);
    add_text(&d, "action", a->stop.cause == STOP_DIVERGED ? "kill" : "stop");
    add_place(&d, "best_epoch", a->best.epoch);
    json_write_pair_digits(&d.data, "best", a->best.value, DIGITS);
    end(&d, s, BULLETIN_RECOMMENDATION, wall_s);
}

void bulletin_status(struct session *s, const char *status, struct span why, double wall_s)
{
    struct draft d;
    begin(&d);
    buf_add_str(&d.text, status);
    if (why.len > 0) {
        buf_add_str(&d.text, ": ");
        buf_add(&d.text, why.ptr, why.len < BULLETIN_TEXT_MAX ? why.len : BULLETIN_TEXT_MAX);
    }
    add_text(&d, "status", status);
    end(&d, s, BULLETIN_STATUS, wall_s);
}

static void add_loss(struct draft *d, const char *name, const struct epoch *e,
                     enum epoch_field field)
{
    if (!(e->has >> field & 1U))
        return;
    buf_addf(&d->text, "%s%s %.4g", d->data.len > 1 ? ", " : "", name, e->value[field]);
    json_write_pair_digits(&d->data, name, e->value[field], DIGITS);
}

static void write_epoch(struct session *s, const struct epoch *e)
{
    struct draft d;
    begin(&d);
    double number = epoch_value(e, EPOCH_NUMBER);
    if (isfinite(number))
        buf_addf(&d.text, "epoch %.6g", number);
    add_place(&d, "epoch", number);
    add_loss(&d, "train_loss", e, EPOCH_TRAIN_LOSS);
    add_loss(&d, "val_loss", e, EPOCH_VAL_LOSS);
    add_loss(&d, "val_accuracy", e, EPOCH_VAL_ACCURACY);
    end(&d, s, BULLETIN_EPOCH, s->last_update_s);
}

void bulletin_epoch(struct session *s)
{
    struct series_cursor cursor;
    struct series_entry entry;
    struct epoch epoch;
    if (s->epoch_told == s->newest_offset)
        return;
    if (session_latest(s, &cursor, &entry)) {
        epoch_of_entry(&entry, &epoch);
        write_epoch(s, &epoch);
        s->epoch_told = s->newest_offset;
    }
    series_cursor_fini(&cursor);
}
