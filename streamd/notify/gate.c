/* SPDX-License-Identifier: MIT */
/*
 * An alert is a run, a kind and what of that kind (the phase it went to, the finding and how
 * severe it is), as one hash. Two alerts with the same one of 2^64 hashes would share a cooldown,
 * and nothing worse.
 */
#include "streamd/notify/gate.h"

#include "base/span.h"

static const uint64_t cooldown_us = UINT64_C(600000000);
static const uint64_t interval_us = UINT64_C(300000000);

void gate_init(struct gate *g, const struct gate_rules *rules)
{
    *g = (struct gate){.rules = *rules};
    if (g->rules.cooldown_us == 0)
        g->rules.cooldown_us = cooldown_us;
    if (g->rules.interval_us == 0)
        g->rules.interval_us = interval_us;
}

/* FNV-1a. */
static uint64_t mixed(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static unsigned detail_of(const struct notify_event *e)
{
    if (e->kind == NOTIFY_PHASE)
        return e->assessment->transition.to;
    if (e->kind != NOTIFY_FINDING)
        return 0;
    const struct finding *f = &e->assessment->findings[e->finding];
    return (SEVERITY_CRITICAL + 1U) * f->kind + f->severity;
}

static uint64_t key_of(const struct notify_event *e)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = e->session_id; *at; at++)
        hash = mixed(hash, (unsigned char)*at);
    hash = mixed(hash, (unsigned char)(e->kind + 1));
    hash = mixed(hash, (unsigned char)(detail_of(e) + 1));
    for (const char *at = e->kind == NOTIFY_RULE ? e->rule : ""; *at; at++)
        hash = mixed(hash, (unsigned char)*at);
    return hash ? hash : 1;
}

/* Its own place, else a free one, else that of the oldest. */
static struct gate_alert *place_of(struct gate *g, uint64_t key)
{
    struct gate_alert *place = &g->alerts[0];
    for (size_t i = 0; i < GATE_ALERTS; i++) {
        struct gate_alert *alert = &g->alerts[i];
        if (alert->key == key)
            return alert;
        if (place->key && (!alert->key || alert->told_us < place->told_us))
            place = alert;
    }
    return place;
}

static bool is_quiet(const struct gate_rules *r, unsigned minute)
{
    if (r->quiet_from <= r->quiet_to)
        return minute >= r->quiet_from && minute < r->quiet_to;
    return minute >= r->quiet_from || minute < r->quiet_to;
}

static bool is_due(const struct gate *g, const struct notify_event *e, uint64_t since_us)
{
    if (e->kind == NOTIFY_REPORT || e->kind == NOTIFY_RULE) /* a rule has a cooldown of its own */
        return true;
    return since_us >= (e->kind == NOTIFY_PROGRESS ? g->rules.interval_us : g->rules.cooldown_us);
}

bool gate_passes(struct gate *g, const struct notify_event *e, uint64_t now_us, unsigned minute)
{
    uint64_t key = key_of(e);
    enum severity severity = notify_severity(e);
    struct gate_alert *alert = place_of(g, key);
    bool known = alert->key == key;
    if (known && e->number > 0 && e->number == alert->number)
        return false;
    bool pass =
        notify_is_urgent(e) || (severity >= g->rules.threshold &&
                                (severity == SEVERITY_CRITICAL || !is_quiet(&g->rules, minute)) &&
                                (!known || is_due(g, e, now_us - alert->told_us)));
    if (pass)
        *alert =
            (struct gate_alert){key, now_us, e->number > 0 || !known ? e->number : alert->number};
    else if (known && e->number > 0)
        alert->number = e->number;
    g->spared += !pass;
    return pass;
}

/* "22:00" */
static bool take_minute(struct span text, unsigned *out)
{
    uint64_t hour;
    uint64_t minute;
    struct span rest = text;
    struct span head = span_cut(&rest, ':');
    if (head.len > 2 || rest.len != 2 || !span_u64(head, &hour) || !span_u64(rest, &minute) ||
        hour > 23 || minute > 59)
        return false;
    *out = (unsigned)(hour * 60 + minute);
    return true;
}

bool gate_parse_quiet(const char *text, struct gate_rules *rules)
{
    unsigned from;
    unsigned to;
    struct span rest = span_of(text);
    if (!take_minute(span_cut(&rest, '-'), &from) || !take_minute(rest, &to))
        return false;
    rules->quiet_from = from;
    rules->quiet_to = to;
    return true;
}
