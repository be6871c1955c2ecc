/* SPDX-License-Identifier: MIT */
/*
 * A run must end although its handlers arm timers, and must reach every timer that is due although
 * a handler re-arms itself for an earlier time than theirs. So what is armed during a run becomes
 * due after it: the heap's top is then always a timer this run has not called yet.
 */
#include "base/timers.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_CAP = 16 };

void timers_init(struct timers *t)
{
    *t = (struct timers){0};
}

void timers_fini(struct timers *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->heap[i]->place = 0;
    free(t->heap);
    timers_init(t);
}

void timer_init(struct timer *timer, timer_fn *on_due)
{
    assert(on_due);
    *timer = (struct timer){.on_due = on_due};
}

bool timer_armed(const struct timer *timer)
{
    return timer->place != 0;
}

static void set(struct timers *t, size_t at, struct timer *timer)
{
    t->heap[at] = timer;
    timer->place = at + 1;
}

static void sift_up(struct timers *t, size_t at, struct timer *timer)
{
    while (at > 0 && timer->due_us < t->heap[(at - 1) / 2]->due_us) {
        set(t, at, t->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set(t, at, timer);
}

static void sift_down(struct timers *t, size_t at, struct timer *timer)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= t->count)
            break;
        if (child + 1 < t->count && t->heap[child + 1]->due_us < t->heap[child]->due_us)
            child++;
        if (timer->due_us <= t->heap[child]->due_us)
            break;
        set(t, at, t->heap[child]);
        at = child;
    }
    set(t, at, timer);
}

static enum status grow(struct timers *t)
{
    size_t cap = t->cap ? t->cap * 2 : FIRST_CAP;
    struct timer **heap = realloc(t->heap, cap * sizeof(struct timer *));
    if (!heap)
        return E_NOMEM;
    t->heap = heap;
    t->cap = cap;
    return OK;
}

enum status timers_arm(struct timers *t, struct timer *timer, uint64_t due_us)
{
    assert(timer->on_due);
    timers_disarm(t, timer);
    if (t->count == t->cap && grow(t) != OK)
        return E_NOMEM;
    timer->due_us = due_us > t->floor_us ? due_us : t->floor_us;
    t->count++;
    sift_up(t, t->count - 1, timer);
    return OK;
}

void timers_disarm(struct timers *t, struct timer *timer)
{
    if (!timer_armed(timer))
        return;
    size_t at = timer->place - 1;
    assert(at < t->count && t->heap[at] == timer);
    struct timer *last = t->heap[t->count - 1];
    t->count--;
    timer->place = 0;
    if (last == timer)
        return;
    if (at > 0 && last->due_us < t->heap[(at - 1) / 2]->due_us)
        sift_up(t, at, last);
    else
        sift_down(t, at, last);
}

void timers_run(struct timers *t, uint64_t now_us)
{
    assert(now_us < UINT64_MAX && t->floor_us == 0);
    t->floor_us = now_us + 1;
    while (t->count > 0 && t->heap[0]->due_us <= now_us) {
        struct timer *timer = t->heap[0];
        timers_disarm(t, timer);
        timer->on_due(timer, now_us);
    }
    t->floor_us = 0;
}

uint64_t timers_next_us(const struct timers *t)
{
    return t->count ? t->heap[0]->due_us : UINT64_MAX;
}
