/* SPDX-License-Identifier: MIT */
/*
 * Rules as the row of their session has them: an array of objects with the names of set_alert, and
 * how each stands. What makes no sense is left out, since a run is worth more than its rules.
 */
#include "streamd/session/alert_rules.h"

#include "proto/fields.h"
#include "proto/json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double count_max = 9007199254740992.0; /* 2^53: exact as a double */

/* ---- writing ---- */

static void write_finite(struct buf *out, const char *name, double value)
{
    if (isfinite(value))
        json_write_pair_double(out, name, value);
}

static void write_rule(const struct alert_rule *rule, uint64_t age_base_us, struct buf *out)
{
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "name", span_of(rule->name));
    json_write_pair_string(out, "metric", span_of(rule->metric));
    json_write_pair_string(out, "op", span_of(alert_op_name(rule->op)));
    write_finite(out, "value", rule->value);
    json_write_pair_u64(out, "for_epochs", rule->for_epochs);
    json_write_pair_u64(out, "cooldown_s", rule->cooldown_s);
    json_write_pair_bool(out, "holds", rule->holds);
    json_write_pair_bool(out, "firing", rule->firing);
    json_write_pair_bool(out, "seen", rule->seen);
    json_write_pair_u64(out, "count", rule->count);
    write_finite(out, "epoch", rule->epoch);
    write_finite(out, "best", rule->best);
    json_write_pair_u64(out, "times", rule->times);
    if (rule->silent_us > 0)
        json_write_pair_u64(out, "silent_us", age_base_us + rule->silent_us);
    buf_add_char(out, '}');
}

void alert_rules_write(const struct alert_rules *a, uint64_t age_base_us, struct buf *out)
{
    if (a->count == 0)
        return;
    buf_add_char(out, '[');
    for (size_t i = 0; i < a->count; i++)
        write_rule(&a->rules[i], age_base_us, out);
    buf_add_char(out, ']');
}

/* ---- reading ---- */

static bool read_text(const struct fields *f, const char *name, char *out, size_t size)
{
    struct span text;
    if (!fields_string(f, name, &text) || text.len == 0 || text.len >= size)
        return false;
    memcpy(out, text.ptr, text.len);
    return true;
}

static uint64_t read_count(const struct fields *f, const char *name)
{
    double number = 0;
    (void)fields_number(f, name, &number);
    return number > 0 && number <= count_max ? (uint64_t)number : 0;
}

/* On this daemon's own clock; 0: that time is over. */
static uint64_t read_silence(const struct fields *f, uint64_t age_base_us)
{
    uint64_t until_us = read_count(f, "silent_us");
    int64_t here_us = (int64_t)(until_us - age_base_us);
    return until_us > 0 && here_us > 0 ? (uint64_t)here_us : 0;
}

static bool read_rule(const struct fields *f, uint64_t age_base_us, struct alert_rule *out)
{
    struct span op = {NULL, 0};
    struct alert_rule rule = {.epoch = NAN, .best = NAN};
    (void)fields_string(f, "op", &op);
    rule.op = alert_op_find(op);
    if (rule.op == ALERT_OPS || !read_text(f, "name", rule.name, sizeof(rule.name)) ||
        !read_text(f, "metric", rule.metric, sizeof(rule.metric)))
        return false;
    (void)fields_number(f, "value", &rule.value);
    (void)fields_bool(f, "holds", &rule.holds);
    (void)fields_bool(f, "firing", &rule.firing);
    (void)fields_bool(f, "seen", &rule.seen);
    (void)fields_number(f, "epoch", &rule.epoch);
    (void)fields_number(f, "best", &rule.best);
    rule.for_epochs = read_count(f, "for_epochs");
    rule.cooldown_s = read_count(f, "cooldown_s");
    rule.count = read_count(f, "count");
    rule.times = read_count(f, "times");
    rule.silent_us = read_silence(f, age_base_us);
    *out = rule;
    return true;
}

enum status alert_rules_read(struct alert_rules *a, uint64_t age_base_us, struct span array)
{
    struct fields *all = NULL;
    alert_rules_fini(a);
    if (array.len == 0)
        return OK;
    enum status status = fields_parse(array, &all, NULL);
    if (status != OK)
        return status == E_NOMEM ? E_NOMEM : OK;
    a->rules = calloc(ALERT_RULES_MAX, sizeof(*a->rules));
    const struct fields *item = a->rules ? fields_first(all) : NULL;
    for (; item && a->count < ALERT_RULES_MAX; item = fields_next(item))
        a->count += read_rule(item, age_base_us, &a->rules[a->count]);
    fields_destroy(all);
    status = a->rules ? OK : E_NOMEM;
    if (a->count == 0)
        alert_rules_fini(a);
    return status;
}
