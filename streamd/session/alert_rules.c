/* SPDX-License-Identifier: MIT */
/*
 * Rules are looked at with every record of a run that has some, so finding a value costs a walk
 * over the record's own numbers, and runs without rules pay one comparison.
 */
#include "streamd/session/alert_rules.h"

#include "proto/goal.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/interpreter_tell.h"
#include "streamd/session/registry.h"
#include "streamd/session/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *words;
} ops[ALERT_OPS] = {
#define ALERT_OP_ROW(op, name, words) {name, words},
    ALERT_OP_TABLE(ALERT_OP_ROW)
#undef ALERT_OP_ROW
};

enum alert_op alert_op_find(struct span name)
{
    unsigned op = 0;
    while (op < ALERT_OPS && !span_is(name, ops[op].name))
        op++;
    return op;
}

const char *alert_op_name(enum alert_op op)
{
    return ops[op].name;
}

void alert_rules_fini(struct alert_rules *a)
{
    free(a->rules);
    *a = (struct alert_rules){.rules = NULL};
}

/* ---- one rule and one value ---- */

static bool improves(const struct alert_rule *rule, double v)
{
    if (!isfinite(v))
        return false;
    if (!isfinite(rule->best))
        return true;
    double gain = goal_is_highest(span_of(rule->metric)) ? v - rule->best : rule->best - v;
    return gain > 0 && gain >= rule->value;
}

static bool meets(const struct alert_rule *rule, double v)
{
    switch (rule->op) {
    case ALERT_LT:
        return v < rule->value;
    case ALERT_LE:
        return v <= rule->value;
    case ALERT_GT:
        return v > rule->value;
    case ALERT_GE:
        return v >= rule->value;
    case ALERT_NONFINITE:
        return !isfinite(v);
    default:
        return !improves(rule, v);
    }
}

/* Several values of one epoch count as one. */
static void take_value(struct alert_rule *rule, double v, double epoch)
{
    bool same_epoch = rule->seen && isfinite(epoch) && epoch == rule->epoch;
    bool holds = meets(rule, v);
    if (rule->op == ALERT_NO_IMPROVEMENT && !holds)
        rule->best = v;
    if (!holds)
        rule->count = 0;
    else if (!same_epoch || !rule->holds)
        rule->count++;
    rule->holds = holds;
    rule->epoch = epoch;
    rule->seen = true;
    rule->firing = holds && rule->count >= rule->for_epochs;
}

void alert_rule_write(const struct alert_rule *rule, double value, char out[ALERT_TEXT_MAX])
{
    const char *words = ops[rule->op].words;
    char lasting[40] = "";
    if (rule->count > 1)
        (void)snprintf(lasting, sizeof(lasting), " for %llu epochs",
                       (unsigned long long)rule->count);
    if (rule->op == ALERT_NONFINITE)
        (void)snprintf(out, ALERT_TEXT_MAX, "%s is %s%s", rule->metric, words, lasting);
    else if (rule->op == ALERT_NO_IMPROVEMENT)
        (void)snprintf(out, ALERT_TEXT_MAX, "%s is %.5g, %s%s; best %.5g", rule->metric, value,
                       words, lasting, rule->best);
    else
        (void)snprintf(out, ALERT_TEXT_MAX, "%s is %.5g, %s %.5g%s", rule->metric, value, words,
                       rule->value, lasting);
}

/* ---- a record ---- */

static bool find_value(const struct session *s, const struct record *r, struct span name,
                       double *out)
{
    return record_metric(r, s->interpreter ? &s->interpreter->reckoning.point : NULL, name, out);
}

static double epoch_of(const struct session *s)
{
    const struct point *p = s->interpreter ? &s->interpreter->reckoning.engine.newest : NULL;
    return p && point_has(p, POINT_EPOCH) ? p->value[POINT_EPOCH] : (double)NAN;
}

static void fire(struct session *s, struct alert_rule *rule, double value, struct now now)
{
    char text[ALERT_TEXT_MAX];
    rule->times++;
    rule->silent_us = now.us + rule->cooldown_s * 1000000;
    alert_rule_write(rule, value, text);
    interpreter_tell_rule(s, rule->name, text, rule->times, now);
}

void alert_rules_record(struct session *s, const struct record *r, struct now now)
{
    for (size_t i = 0; i < s->rules.count; i++) {
        struct alert_rule *rule = &s->rules.rules[i];
        bool fired = rule->firing;
        double value;
        if (!find_value(s, r, span_of(rule->metric), &value))
            continue;
        take_value(rule, value, epoch_of(s));
        if (fired != rule->firing)
            s->version++;
        if (rule->firing && now.us >= rule->silent_us)
            fire(s, rule, value, now);
    }
}

unsigned alert_rules_firing(const struct session *s)
{
    unsigned firing = 0;
    for (size_t i = 0; i < s->rules.count; i++)
        firing += s->rules.rules[i].firing;
    return firing;
}

/* ---- which there are ---- */

static struct alert_rule *find(struct session *s, struct span name)
{
    for (size_t i = 0; i < s->rules.count; i++) {
        if (span_is(name, s->rules.rules[i].name))
            return &s->rules.rules[i];
    }
    return NULL;
}

static bool is_same(const struct alert_rule *a, const struct alert_rule *b)
{
    return strcmp(a->metric, b->metric) == 0 && a->op == b->op && a->value == b->value &&
           a->for_epochs == b->for_epochs && a->cooldown_s == b->cooldown_s;
}

/* Room for one more; NULL: out of memory. */
static struct alert_rule *add(struct session *s)
{
    struct alert_rules *a = &s->rules;
    struct alert_rule *grown = realloc(a->rules, (a->count + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    a->rules = grown;
    return &a->rules[a->count++];
}

/* What the run has said last, so that the answer knows whether the condition holds already. */
static void look_back(struct session *s, struct alert_rule *rule)
{
    struct series_cursor cursor;
    struct series_entry entry;
    double value;
    if (session_latest(s, &cursor, &entry) &&
        find_value(s, &entry.record, span_of(rule->metric), &value))
        take_value(rule, value, epoch_of(s));
    series_cursor_fini(&cursor);
}

enum status alert_rule_set(struct session *s, const struct alert_rule *rule,
                           const struct alert_rule **out)
{
    struct alert_rule *place = find(s, span_of(rule->name));
    if (!place && s->rules.count == ALERT_RULES_MAX)
        return E_LIMIT;
    if (!place || !is_same(place, rule)) {
        place = place ? place : add(s);
        if (!place)
            return E_NOMEM;
        *place = *rule;
        place->best = (double)NAN;
        look_back(s, place);
        keeping_touch(&s->registry->keeping, s);
    }
    *out = place;
    return OK;
}

bool alert_rule_remove(struct session *s, struct span name)
{
    struct alert_rule *place = find(s, name);
    if (!place)
        return false;
    *place = s->rules.rules[--s->rules.count];
    if (s->rules.count == 0)
        alert_rules_fini(&s->rules);
    keeping_touch(&s->registry->keeping, s);
    return true;
}
