/* SPDX-License-Identifier: MIT */
/*
 * A run that is delivered has no carrier any more, and a connection to the hub that nobody needs
 * would count as a trainer there: so an absence knows the run by its name alone.
 */
#include "streamd/relay/missing.h"

#include "proto/line.h"
#include "streamd/log.h"
#include "streamd/process_life.h"
#include "streamd/relay/carrier.h"
#include "streamd/relay/relay.h"

#include <stdio.h>
#include <stdlib.h>

struct absence {
    struct list link;
    char id[SESSION_ID_BYTES_MAX + 1];
    int pid;
    uint64_t since_us;
};

static struct absence *absence_at(struct list *link)
{
    return LIST_ENTRY(link, struct absence, link);
}

static void drop(struct missing *m, struct absence *a)
{
    list_remove(&a->link);
    m->count--;
    free(a);
}

static void look_again(struct missing *m, uint64_t now_us)
{
    if (!timer_armed(&m->look) &&
        timers_arm(m->relay->params.timers, &m->look, now_us + ORPHAN_LOOK_US) != OK)
        m->relay->params.stats->errors++;
}

/* Tells the hub. False: not now. */
static bool tell(struct missing *m, const struct absence *a)
{
    struct carrier *c = relay_run(m->relay, span_of(a->id), true);
    if (!c || carrier_gone(c, a->pid) != OK)
        return false;
    log_warn("relay", "trainer gone run=%s pid=%d", a->id, a->pid);
    return true;
}

static void on_look(struct timer *timer, uint64_t now_us)
{
    struct missing *m = LIST_ENTRY(timer, struct missing, look);
    LIST_EACH_SAFE (at, &m->all) {
        struct absence *a = absence_at(at);
        if (now_us - a->since_us < ORPHAN_GRACE_US || process_lives(a->pid))
            continue;
        if (tell(m, a))
            drop(m, a);
    }
    if (!list_empty(&m->all))
        look_again(m, now_us);
}

void missing_init(struct missing *m, struct relay *relay)
{
    *m = (struct missing){.relay = relay};
    list_init(&m->all);
    timer_init(&m->look, on_look);
}

void missing_fini(struct missing *m)
{
    LIST_EACH_SAFE (at, &m->all) {
        drop(m, absence_at(at));
    }
    timers_disarm(m->relay->params.timers, &m->look);
}

void missing_add(struct missing *m, struct span id, int pid)
{
    missing_forget(m, id);
    struct absence *a = pid > 0 && m->count < RELAY_RUNS_MAX ? malloc(sizeof(*a)) : NULL;
    if (!a)
        return;
    uint64_t now_us = m->relay->params.now->us;
    *a = (struct absence){.pid = pid, .since_us = now_us};
    (void)snprintf(a->id, sizeof(a->id), "%.*s", (int)id.len, id.ptr);
    list_add_tail(&m->all, &a->link);
    m->count++;
    look_again(m, now_us);
}

void missing_forget(struct missing *m, struct span id)
{
    LIST_EACH_SAFE (at, &m->all) {
        if (span_is(id, absence_at(at)->id))
            drop(m, absence_at(at));
    }
}
