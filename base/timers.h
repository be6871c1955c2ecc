/* SPDX-License-Identifier: MIT */
/*
 * timers: deadlines in order, on a clock that the caller reads.
 *
 * A binary heap of embedded nodes. Nothing here knows what time it is: the loop passes now_us
 * (monotonic microseconds), so a test advances an hour in a microsecond. The heap borrows the
 * nodes; a node is in at most one heap.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer;

/* Called once the deadline has passed; the timer is no longer armed and may be armed again. */
typedef void timer_fn(struct timer *timer, uint64_t now_us);

struct timer {
    uint64_t due_us;
    timer_fn *on_due;
    size_t place; /* 1-based place in the heap; 0 while not armed */
};

struct timers {
    struct timer **heap; /* owns the array, borrows the timers */
    size_t count;
    size_t cap;
    uint64_t floor_us; /* during a run just past its now_us: nothing is armed for earlier; else 0 */
};

void timers_init(struct timers *t);

/* Frees the array. Timers still armed are forgotten, not called. */
void timers_fini(struct timers *t);

/* Gives the timer its function; call once before arming. */
void timer_init(struct timer *timer, timer_fn *on_due);

bool timer_armed(const struct timer *timer);

/* (Re)arms for due_us. E_NOMEM only when the timer was not armed before. */
MUST_CHECK enum status timers_arm(struct timers *t, struct timer *timer, uint64_t due_us);

/* Disarms; harmless when not armed. */
void timers_disarm(struct timers *t, struct timer *timer);

/*
 * Calls every timer whose deadline is <= now_us, earliest first. What they arm at or before now_us
 * becomes due just after it, so that no timer is called twice in a run and none starves the loop.
 */
void timers_run(struct timers *t, uint64_t now_us);

/* The earliest deadline; UINT64_MAX when none is armed. */
uint64_t timers_next_us(const struct timers *t);

#endif
