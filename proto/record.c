/* SPDX-License-Identifier: MIT */
/*
 * Completion goes through the fields in the order in which the formulas need each other: the loss,
 * then what hangs on it; the counts; then the progress; then the time left. A formula is only
 * written down when its result is finite, so one NaN cannot pass itself on as a second, invented
 * one. The memory is updated from what the line said (a train_loss counts as a loss there) and from
 * nothing else: a derived number never becomes a remembered one.
 */
#include "proto/record.h"

#include "proto/json_scan.h"
#include "proto/spelling.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    int decimals;
} fields[RECORD_FIELDS] = {
#define RECORD_ROW(field, name, decimals) {(name), (decimals)},
    RECORD_TABLE(RECORD_ROW)
#undef RECORD_ROW
};

const char *record_field_name(enum record_field field)
{
    return fields[field].name;
}

int record_field_decimals(enum record_field field)
{
    return fields[field].decimals;
}

void record_init(struct record *r)
{
    memset(r, 0, sizeof(*r));
}

/* A whole float is a count all the same; trainers whose counters are tensors send such. */
static struct num as_count(struct num value)
{
    bool whole = value.kind == NUM_FLOAT && fabs(value.f) < 0x1p63 && value.f == floor(value.f);
    return whole ? num_int((int64_t)value.f) : value;
}

void record_set(struct record *r, enum record_field field, struct num value)
{
    if (value.kind == NUM_FLOAT && fields[field].decimals == RECORD_INTEGER)
        value = as_count(value);
    r->field[field] = value;
    r->sent = (uint16_t)(r->sent | 1U << field);
}

bool record_was_sent(const struct record *r, enum record_field field)
{
    return r->sent >> field & 1;
}

const struct num *record_extra(const struct record *r, struct span name)
{
    for (size_t i = 0; i < r->extra_count; i++) {
        if (span_eq(r->extra[i].name, name))
            return &r->extra[i].value;
    }
    return NULL;
}

bool record_has_nonfinite(const struct record *r)
{
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        if (record_was_sent(r, f) && num_word(r->field[f]))
            return true;
    }
    for (size_t i = 0; i < r->extra_count; i++) {
        if (num_word(r->extra[i].value))
            return true;
    }
    return false;
}

void record_memory_init(struct record_memory *m)
{
    memset(m, 0, sizeof(*m));
}

struct num record_carried(struct num value)
{
    return value.kind == NUM_TEXT ? num_float(num_double(value)) : value;
}

/* Where a sent or seeded value of the field is remembered; NULL when it is not. */
static struct num *memory_of(struct record_memory *m, enum record_field field)
{
    switch (field) {
    case F_LOSS:
        return &m->loss;
    case F_MODEL_PARAMS:
        return &m->model_params;
    case F_CURRENT_STEP:
        return &m->step;
    case F_TOTAL_STEPS:
        return &m->total_steps;
    case F_CURRENT_MODEL:
        return &m->current_model;
    case F_TOTAL_MODELS:
        return &m->total_models;
    default:
        return NULL;
    }
}

/* What a config says about the run before it begins; where it is by now is not for it to say. */
static void seed(struct record_memory *m, struct span name, struct num value)
{
    const struct spelling *s = spelling_find(name);
    if (!s || s->kind != SPELL_FIELD || !num_is_finite(value))
        return;
    if (s->field == F_TOTAL_MODELS || s->field == F_TOTAL_STEPS || s->field == F_MODEL_PARAMS)
        *memory_of(m, s->field) = as_count(record_carried(value));
}

void record_memory_seed(struct record_memory *m, struct span config)
{
    struct json_scan scan;
    struct json_value key;
    struct json_value value;
    json_scan_init(&scan, config, JSON_WORDS);
    if (json_next(&scan, &key) != JSON_OBJECT_BEGIN)
        return;
    while (json_next(&scan, &key) == JSON_KEY) {
        enum json_token token = json_next(&scan, &value);
        if (token == JSON_NUMBER)
            seed(m, key.raw, value.num);
        bool container = token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN;
        if (container && json_leave(&scan) != OK)
            return;
    }
}

void record_memory_model_completed(struct record_memory *m, uint64_t index)
{
    if (index >= m->models_completed)
        m->models_completed = index + 1;
    m->current_model = num_none();
    m->step = num_none();
}

/* Sent values are remembered; of the others those that were remembered are filled in. */
static void carry(struct record *r, struct record_memory *m)
{
    const struct num *train_loss = record_extra(r, SPAN("train_loss"));
    if (train_loss)
        m->loss = record_carried(*train_loss);
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        struct num *memory = memory_of(m, f);
        if (!memory)
            continue;
        if (record_was_sent(r, f))
            *memory = record_carried(r->field[f]);
        else
            r->field[f] = *memory;
    }
}

static double clamp(double v, double low, double high)
{
    return fmin(fmax(v, low), high);
}

static void derive_models(struct record *r, const struct record_memory *m)
{
    if (r->field[F_TOTAL_MODELS].kind == NUM_NONE)
        r->field[F_TOTAL_MODELS] = num_int(1);
    if (r->field[F_CURRENT_MODEL].kind != NUM_NONE)
        return;
    double next = (double)m->models_completed + 1;
    double total = num_double(r->field[F_TOTAL_MODELS]);
    r->field[F_CURRENT_MODEL] = as_count(num_float(fmin(next, total)));
}

static double overall_progress(const struct record *r)
{
    double step = num_double(r->field[F_CURRENT_STEP]);
    double steps = num_double(r->field[F_TOTAL_STEPS]);
    double index = num_double(r->field[F_CURRENT_MODEL]) - 1;
    double part = step / steps * 100;
    if (!isfinite(part))
        part = 0;
    double overall = (index * 100 + part) / num_double(r->field[F_TOTAL_MODELS]);
    return isfinite(overall) ? clamp(overall, 0, 100) : overall;
}

static double time_left(const struct record *r)
{
    double t = num_double(r->field[F_TRAINING_TIME]);
    double overall = num_double(r->field[F_OVERALL_PROGRESS]);
    double left = t * 100 / overall - t;
    if (overall <= 0 || left < 0)
        return 0;
    return left;
}

static double from_loss(const struct record *r, enum record_field field)
{
    double loss = num_double(r->field[F_LOSS]);
    if (!isfinite(loss))
        return NAN;
    return field == F_PERPLEXITY ? exp(fmin(loss, 10)) : clamp((2 - loss) / 2 * 100, 0, 100);
}

static double formula(const struct record *r, enum record_field field)
{
    switch (field) {
    case F_PERPLEXITY:
    case F_GROK_PROGRESS:
        return from_loss(r, field);
    case F_OVERALL_PROGRESS:
        return overall_progress(r);
    case F_ESTIMATED_TIME_REMAINING:
        return time_left(r);
    default:
        return NAN;
    }
}

static struct num finite_or_none(double value)
{
    return isfinite(value) ? num_float(value) : num_none();
}

struct num record_formula(const struct record *r, enum record_field field)
{
    return finite_or_none(formula(r, field));
}

/* Gives a field that was not sent its derived value, unless that is none. */
static void derive(struct record *r, enum record_field field, struct num value)
{
    if (!record_was_sent(r, field) && value.kind != NUM_NONE)
        r->field[field] = value;
}

void record_complete(struct record *r, struct record_memory *m, double elapsed_s, double wall_s)
{
    /* The time left needs the progress and the time. */
    static const enum record_field formulas[] = {F_PERPLEXITY, F_GROK_PROGRESS, F_OVERALL_PROGRESS,
                                                 F_ESTIMATED_TIME_REMAINING};
    carry(r, m);
    derive_models(r, m);
    derive(r, F_TRAINING_TIME, finite_or_none(elapsed_s));
    for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++)
        derive(r, formulas[i], record_formula(r, formulas[i]));
    derive(r, F_TIMESTAMP, finite_or_none(wall_s));
}
