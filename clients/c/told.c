/* SPDX-License-Identifier: MIT */
/*
 * An answer that finds no room is lost, and the daemon then says that it had none: better than a
 * training that waits.
 */
#include "clients/c/told.h"

#include "proto/json_write.h"

#include <math.h>
#include <string.h>

static bool is_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && !strchr("._:/-", c))
            return false;
    }
    return len > 0 && len <= TOLD_KNOB_NAME_MAX;
}

void told_init(struct told *o, struct span session_id, const struct streamd_knob *knobs,
               size_t count)
{
    *o = (struct told){.session_id = session_id};
    (void)pthread_mutex_init(&o->lock, NULL);
    buf_init(&o->answers, TOLD_ANSWERS_BYTES);
    for (size_t i = 0; i < count && o->knob_count < STREAMD_KNOBS_MAX; i++) {
        struct told_knob *k = &o->knobs[o->knob_count];
        bool bounded = knobs[i].min != 0 || knobs[i].max != 0;
        if (!is_name(knobs[i].name))
            continue;
        *k = (struct told_knob){.type = knobs[i].type,
                                .min = bounded ? knobs[i].min : -INFINITY,
                                .max = bounded ? knobs[i].max : INFINITY,
                                .value = knobs[i].value};
        memcpy(k->name, knobs[i].name, strlen(knobs[i].name));
        o->knob_count++;
    }
}

void told_fini(struct told *o)
{
    buf_fini(&o->answers);
    (void)pthread_mutex_destroy(&o->lock);
}

static void write_value(struct buf *out, const char *name, enum streamd_knob_type type,
                        double value)
{
    if (type == STREAMD_BOOL)
        json_write_pair_bool(out, name, value != 0);
    else if (isfinite(value))
        json_write_pair_double(out, name, value);
}

void told_declare(const struct told *o, struct buf *out)
{
    static const char *const types[] = {
        [STREAMD_FLOAT] = "float", [STREAMD_INT] = "int", [STREAMD_BOOL] = "bool"};
    if (o->knob_count == 0)
        return;
    json_write_name(out, "knobs");
    buf_add_char(out, '{');
    for (size_t i = 0; i < o->knob_count; i++) {
        const struct told_knob *k = &o->knobs[i];
        json_write_key(out, span_of(k->name));
        buf_add_char(out, '{');
        json_write_pair_string(out, "type", span_of(types[k->type]));
        if (isfinite(k->min))
            json_write_pair_double(out, "min", k->min);
        if (isfinite(k->max))
            json_write_pair_double(out, "max", k->max);
        write_value(out, "value", k->type, k->value);
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

/* One line, whole or not at all. `value`: of that knob; NULL: none. An older daemon gives no id and
 * wants no answer. */
static void say(struct told *o, uint64_t id, const char *outcome, const char *message,
                const struct told_knob *value)
{
    size_t before = o->answers.len;
    if (id == 0)
        return;
    buf_add_char(&o->answers, '{');
    json_write_pair_string(&o->answers, "type", SPAN("answer"));
    json_write_pair_string(&o->answers, "sessionId", o->session_id);
    json_write_pair_u64(&o->answers, "id", id);
    json_write_pair_string(&o->answers, "outcome", span_of(outcome));
    if (message)
        json_write_pair_string(&o->answers, "message", span_of(message));
    if (value)
        write_value(&o->answers, "value", value->type, value->value);
    buf_add_str(&o->answers, "}\n");
    if (buf_status(&o->answers) == OK)
        return;
    o->answers.len = before;
    o->answers.failed = OK;
}

static struct told_knob *find(struct told *o, struct span name)
{
    for (size_t i = 0; i < o->knob_count; i++) {
        if (span_is(name, o->knobs[i].name))
            return &o->knobs[i];
    }
    return NULL;
}

static bool fits(const struct told_knob *k, const struct answer *a)
{
    if (!a->has_value || (k->type == STREAMD_BOOL) != a->value_is_bool)
        return false;
    if (k->type == STREAMD_INT && a->value != trunc(a->value))
        return false;
    return a->value >= k->min && a->value <= k->max;
}

static void set(struct told *o, const struct answer *a)
{
    struct told_knob *k = find(o, a->knob);
    if (!k || !fits(k, a)) {
        say(o, a->id, "refused", k ? "no value for it" : "no such knob", NULL);
        return;
    }
    k->value = a->value;
    k->order = a->id;
    say(o, a->id, "accepted", NULL, NULL);
}

void told_hear(struct told *o, const struct answer *a, bool heeded)
{
    (void)pthread_mutex_lock(&o->lock);
    if (span_is(a->command, "set")) {
        set(o, a);
    } else if (span_is(a->command, "resume")) {
        say(o, a->id, "done", NULL, NULL);
    } else if (span_is(a->command, "checkpoint") && !heeded) {
        say(o, a->id, "refused", "this training saves nothing when told", NULL);
    } else {
        o->pause = span_is(a->command, "pause") ? a->id : o->pause;
        o->checkpoint = span_is(a->command, "checkpoint") ? a->id : o->checkpoint;
        say(o, a->id, "accepted", NULL, NULL);
    }
    (void)pthread_mutex_unlock(&o->lock);
}

bool told_done(struct told *o, const char *command)
{
    bool pause = strcmp(command, "pause") == 0;
    uint64_t *order = pause ? &o->pause : &o->checkpoint;
    if (!pause && strcmp(command, "checkpoint") != 0)
        return false;
    (void)pthread_mutex_lock(&o->lock);
    bool waited = *order != 0;
    say(o, *order, "done", NULL, NULL);
    *order = 0;
    (void)pthread_mutex_unlock(&o->lock);
    return waited;
}

double told_read(struct told *o, const char *name, bool *out_says)
{
    (void)pthread_mutex_lock(&o->lock);
    struct told_knob *k = find(o, span_of(name));
    double value = k ? k->value : (double)NAN;
    *out_says = k && k->order != 0;
    if (*out_says)
        say(o, k->order, "done", NULL, k);
    if (k)
        k->order = 0;
    (void)pthread_mutex_unlock(&o->lock);
    return value;
}

void told_take(struct told *o, struct buf *out)
{
    (void)pthread_mutex_lock(&o->lock);
    buf_add_span(out, buf_span(&o->answers));
    buf_reset(&o->answers);
    (void)pthread_mutex_unlock(&o->lock);
}

bool told_wait(struct told *o)
{
    (void)pthread_mutex_lock(&o->lock);
    bool wait = o->answers.len > 0;
    (void)pthread_mutex_unlock(&o->lock);
    return wait;
}
