/* SPDX-License-Identifier: MIT */
/*
 * The common ticks are the multiples of a period slightly longer than the interval: interval +
 * interval/50. That slack is what keeps a session on them: a timer always fires a little late, and
 * on ticks exactly one interval apart the next one would then come too early for the rule that two
 * updates are an interval apart. With the slack, any lateness below it is forgotten at the next
 * tick; all sessions of a loop meet there and stay (at 9.8 Hz for 10). Charging the lateness to the
 * next interval instead would keep 10.0 Hz and break the rule; ticks without slack would be left
 * after the first late timer, each session on its own.
 *
 * A session that is off the ticks drifts: a waiting value may wait a fifth of an interval longer
 * than the rule demands, until a tick is in reach. Only a newer value can prolong the wait, so
 * none is ever an interval old when it goes. A value that comes after its interval has passed goes
 * at once: nobody waits for a tick who need not wait at all.
 */
#include "throttle/pace.h"

#include <assert.h>
#include <math.h>

enum {
    SLACK_PART = 50, /* ticks are interval + interval / SLACK_PART apart */
    DRIFT_PART = 5,  /* at most interval / DRIFT_PART is waited for a tick */
};

void pace_init(struct pace *p, double max_rate_hz)
{
    bool off = max_rate_hz == 0;
    assert(off || (max_rate_hz >= 0.001 && max_rate_hz <= 1000));
    *p = (struct pace){.interval_us = off ? 0 : (uint64_t)ceil(1e6 / max_rate_hz)};
}

static void see(struct pace *p, uint64_t now_us)
{
    assert(now_us >= p->seen_us);
    p->seen_us = now_us;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When a value that may not go at once should go: at a common tick, if one is in reach. */
static uint64_t tick_after(const struct pace *p)
{
    uint64_t period_us = p->interval_us + p->interval_us / SLACK_PART;
    uint64_t past_us = p->allowed_us % period_us;
    uint64_t to_tick_us = past_us > 0 ? period_us - past_us : 0;
    return p->allowed_us + min_u64(to_tick_us, p->interval_us / DRIFT_PART);
}

enum pace_action pace_offer(struct pace *p, uint64_t now_us)
{
    see(p, now_us);
    if (!p->waiting)
        p->tick_us = now_us >= p->allowed_us ? now_us : tick_after(p);
    p->waiting = true;
    p->newest_us = now_us;
    return now_us >= pace_due_us(p) ? PACE_SEND : PACE_WAIT;
}

bool pace_waiting(const struct pace *p)
{
    return p->waiting;
}

uint64_t pace_due_us(const struct pace *p)
{
    return p->waiting ? min_u64(p->tick_us, p->newest_us + p->interval_us) : UINT64_MAX;
}

static void count_as_sent(struct pace *p, uint64_t now_us)
{
    see(p, now_us);
    p->waiting = false;
    p->allowed_us = now_us + p->interval_us;
}

void pace_sent(struct pace *p, uint64_t now_us)
{
    assert(p->waiting && now_us >= pace_due_us(p));
    count_as_sent(p, now_us);
}

bool pace_flush(struct pace *p, uint64_t now_us)
{
    bool waited = p->waiting;
    if (waited)
        count_as_sent(p, now_us);
    return waited;
}
