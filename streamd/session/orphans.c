/* SPDX-License-Identifier: MIT */
#include "streamd/session/orphans.h"

#include "streamd/log.h"
#include "streamd/process_life.h"
#include "streamd/session/registry.h"
#include "streamd/session/session_life.h"

#include <stdio.h>

enum { REASON_MAX = 96 };

static void on_look(struct timer *timer, uint64_t now_us);

void orphans_init(struct orphans *o, struct registry *registry)
{
    *o = (struct orphans){.registry = registry};
    list_init(&o->all);
    timer_init(&o->timer, on_look);
}

void orphans_fini(struct orphans *o)
{
    timers_disarm(o->registry->timers, &o->timer);
}

static void look_again(struct orphans *o, uint64_t now_us)
{
    if (!timer_armed(&o->timer) &&
        timers_arm(o->registry->timers, &o->timer, now_us + ORPHAN_LOOK_US) != OK)
        o->registry->stats->errors++;
}

void orphan_add(struct session *s, int pid, struct now now)
{
    struct orphans *o = &s->registry->orphans;
    if (pid <= 0 || session_finished(s) || s->state == SESSION_EXPIRED)
        return;
    orphan_remove(s);
    s->trainer_pid = pid;
    s->orphaned_us = now.us;
    list_add_tail(&o->all, &s->orphan);
    o->wall_ahead_s = now.wall_s - (double)now.us / 1e6;
    look_again(o, now.us);
}

void orphan_remove(struct session *s)
{
    list_remove(&s->orphan);
}

/* The trainer cannot say it any more. */
void orphan_give_up(struct session *s, uint64_t pid, struct now now)
{
    char reason[REASON_MAX];
    if (s->state == SESSION_EXPIRED)
        return;
    if (session_finished(s)) {
        if (s->resumed)
            session_touch(s, now);
        s->resumed = false;
        return;
    }
    (void)snprintf(reason, sizeof(reason),
                   "the trainer (process %llu) is gone, without a last word",
                   (unsigned long long)pid);
    log_warn("session", "orphan id=%s pid=%llu", s->id, (unsigned long long)pid);
    session_fail(s, span_of(reason), now);
    s->given_up = true;
}

/* The runs of one trainer stand together, and looking takes some ten microseconds. */
static void on_look(struct timer *timer, uint64_t now_us)
{
    struct orphans *o = LIST_ENTRY(timer, struct orphans, timer);
    int pid = 0;
    bool lives = false;
    struct now now = {now_us, (double)now_us / 1e6 + o->wall_ahead_s};
    LIST_EACH_SAFE (at, &o->all) {
        struct session *s = LIST_ENTRY(at, struct session, orphan);
        if (now_us - s->orphaned_us < ORPHAN_GRACE_US)
            continue;
        if (s->trainer_pid != pid)
            lives = process_lives(s->trainer_pid);
        pid = s->trainer_pid;
        if (lives)
            continue;
        orphan_remove(s);
        orphan_give_up(s, (uint64_t)s->trainer_pid, now);
    }
    if (!list_empty(&o->all))
        look_again(o, now_us);
}
