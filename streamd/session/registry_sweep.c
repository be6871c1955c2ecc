/* SPDX-License-Identifier: MIT */
/*
 * Looking at a session costs some nanoseconds, letting one go twenty microseconds with its row in
 * the store and its news; a portion is at most so many of each as take a few milliseconds. What
 * starts while a sweep is under way stands before the place where it goes on, and is young.
 *
 * Rejected: a list by age. It would make every line of a trainer move its session.
 */
#include "streamd/session/registry_sweep.h"

#include "streamd/log.h"
#include "streamd/session/session_life.h"

enum {
    SWEEP_US = 60 * 1000 * 1000,
    PORTION_US = 10 * 1000,
    PORTION_LOOKS = 20000,
    PORTION_LEAVE = 200,
};

/* How long after its last update a session keeps its present state. */
static uint64_t patience_s(const struct registry *r, const struct session *s)
{
    if (s->state == SESSION_EXPIRED)
        return s->pinned ? UINT64_MAX : r->config->retain_s;
    return session_finished(s) ? r->config->live_completed_s : r->config->live_idle_s;
}

/* True when its time has come; it may be gone then. */
static bool leaves(struct registry *r, struct session *s, uint64_t now_us)
{
    if ((now_us - s->last_us) / 1000000 < patience_s(r, s))
        return false;
    if (s->state == SESSION_EXPIRED)
        registry_remove(r, s);
    else
        session_expire(s);
    return true;
}

/* True when the sweep has come to its end. */
static bool sweep_portion(struct registry *r, uint64_t now_us)
{
    unsigned left = 0;
    if (!r->sweep_at)
        r->sweep_at = list_first(&r->sessions);
    for (unsigned looks = 0; r->sweep_at && r->sweep_at != &r->sessions; looks++) {
        if (looks == PORTION_LOOKS || left == PORTION_LEAVE)
            return false;
        struct session *s = LIST_ENTRY(r->sweep_at, struct session, link);
        r->sweep_at = r->sweep_at->next;
        left += leaves(r, s, now_us);
    }
    r->sweep_at = NULL;
    return true;
}

static void on_sweep(struct timer *timer, uint64_t now_us)
{
    struct registry *r = LIST_ENTRY(timer, struct registry, sweep);
    uint64_t pause_us = sweep_portion(r, now_us) ? SWEEP_US : PORTION_US;
    /* It was armed a moment ago, so there is a place for it in the heap. */
    enum status status = timers_arm(r->timers, timer, now_us + pause_us);
    if (status != OK)
        log_error("registry", "sweep ends reason=\"%s\"", status_text(status));
}

enum status registry_sweep_init(struct registry *r, uint64_t now_us)
{
    timer_init(&r->sweep, on_sweep);
    return timers_arm(r->timers, &r->sweep, now_us + SWEEP_US);
}

void registry_sweep_fini(struct registry *r)
{
    timers_disarm(r->timers, &r->sweep);
}

void registry_sweep_pass(struct registry *r, struct session *s)
{
    if (r->sweep_at == &s->link)
        r->sweep_at = s->link.next;
}
