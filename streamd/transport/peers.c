/* SPDX-License-Identifier: MIT */
/*
 * Every wait has the same length as all others of its kind, so a few lists and one timer carry any
 * number of watchers. The timer is armed lazily: whoever starts a wait calls peers_arm, which does
 * nothing while an earlier deadline is pending.
 */
#include "streamd/transport/peers.h"

#include "streamd/auth/guard.h"
#include "streamd/http/reply.h"
#include "streamd/transport/engine.h"
#include "streamd/transport/socketio.h"
#include "streamd/transport/transfer.h"

#include <assert.h>
#include <stdlib.h>

enum {
    LINGER_US = 2 * 1000 * 1000,
    LINGER_SILENT_US = 250 * 1000,
    LATE_US = 50 * 1000,         /* beyond this a ping counts from when it really went */
    ASLEEP_US = 1 * 1000 * 1000, /* beyond this we were stopped, and what the peer said is unread */
    UPGRADE_US = 10 * 1000 * 1000,
    FRAMES_LIMIT = 8 << 20,
    TEXT_LIMIT = REPLY_BODY_MAX + REPLY_HEAD_MAX,
    TEXT_KEPT = 256 * 1024, /* what one large answer needed is given back */
};

static void on_ping_due(struct wait *w, uint64_t now_us)
{
    struct peer *p = LIST_ENTRY(w, struct peer, heartbeat);
    uint64_t from = now_us - w->due_us < LATE_US ? w->due_us : now_us;
    bool awaited = p->dialect->ping(p);
    waitlist_add(awaited ? &p->peers->pong : &p->peers->ping, w, from);
}

bool peers_wait_again(struct waitlist *l, struct wait *w, uint64_t now_us)
{
    if (now_us - w->due_us < ASLEEP_US)
        return false;
    waitlist_add(l, w, now_us);
    return true;
}

static void on_pong_due(struct wait *w, uint64_t now_us)
{
    struct peer *p = LIST_ENTRY(w, struct peer, heartbeat);
    if (peers_wait_again(&p->peers->pong, w, now_us))
        return;
    p->peers->stats->peers_closed_timeout++;
    peer_close(p, CLOSE_TIMEOUT, "ping timeout");
}

static void on_connect_due(struct wait *w, uint64_t now_us)
{
    struct peer *p = LIST_ENTRY(w, struct peer, deadline);
    if (peers_wait_again(&p->peers->connect, w, now_us))
        return;
    p->peers->stats->peers_closed_timeout++;
    peer_close(p, CLOSE_TIMEOUT, "connect timeout");
}

static void on_linger_due(struct wait *w, uint64_t now_us)
{
    (void)now_us;
    struct peer *p = LIST_ENTRY(w, struct peer, deadline);
    if (p->link)
        p->link->ops->kill(p->link);
}

static uint64_t earliest(const struct peers *peers)
{
    const struct waitlist *lists[] = {&peers->ping,    &peers->pong,           &peers->connect,
                                      &peers->linger,  &peers->linger_silent,  &peers->upgrade,
                                      &peers->stalled, &peers->recoveries.kept};
    uint64_t at = UINT64_MAX;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        uint64_t next = waitlist_next_us(lists[i]);
        at = next < at ? next : at;
    }
    return at;
}

void peers_arm(struct peers *peers)
{
    uint64_t at = earliest(peers);
    if (at == UINT64_MAX || (timer_armed(&peers->timer) && peers->timer.due_us <= at))
        return;
    /* E_NOMEM can only come while nothing is armed yet; peers_init armed it once. */
    enum status status = timers_arm(peers->timers, &peers->timer, at);
    assert(status == OK);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct peers *peers = LIST_ENTRY(timer, struct peers, timer);
    waitlist_run(&peers->ping, now_us);
    waitlist_run(&peers->pong, now_us);
    waitlist_run(&peers->connect, now_us);
    waitlist_run(&peers->linger, now_us);
    waitlist_run(&peers->linger_silent, now_us);
    waitlist_run(&peers->upgrade, now_us);
    waitlist_run(&peers->stalled, now_us);
    waitlist_run(&peers->recoveries.kept, now_us);
    peers_arm(peers);
}

enum status peers_init(struct peers *peers, const struct peers_params *params, uint64_t seed)
{
    *peers = (struct peers){
        .timers = params->timers,
        .hub = params->hub,
        .encoder = params->encoder,
        .registry = params->registry,
        .control = params->control,
        .guard = params->guard,
        .config = params->config,
        .stats = params->stats,
        .mounts = &engine_mount_socketio,
        .namespaces = &socketio_main,
    };
    const struct config *config = params->config;
    list_init(&peers->all);
    list_init(&peers->doomed);
    list_init(&peers->reading);
    list_init(&peers->replay_turns);
    waitlist_init(&peers->ping, config->ping_interval_ms * 1000, on_ping_due);
    waitlist_init(&peers->pong, config->ping_timeout_ms * 1000, on_pong_due);
    waitlist_init(&peers->connect, config->connect_timeout_ms * 1000, on_connect_due);
    waitlist_init(&peers->linger, LINGER_US, on_linger_due);
    waitlist_init(&peers->linger_silent, LINGER_SILENT_US, on_linger_due);
    waitlist_init(&peers->upgrade, UPGRADE_US, engine_on_upgrade_due);
    waitlist_init(&peers->stalled, TRANSFER_STALL_US, transfer_on_stall_due);
    timer_init(&peers->timer, on_timer);
    strmap_init(&peers->engines, seed);
    recoveries_init(&peers->recoveries, config->recovery_ms * 1000, seed);
    buf_init(&peers->text, TEXT_LIMIT);
    buf_init(&peers->frames, FRAMES_LIMIT);
    return timers_arm(peers->timers, &peers->timer, UINT64_MAX);
}

void peers_fini(struct peers *peers)
{
    struct list *first;
    while ((first = list_first(&peers->all)) != NULL)
        peer_link_gone(LIST_ENTRY(first, struct peer, all));
    peers_reap(peers);
    recoveries_fini(&peers->recoveries);
    timers_disarm(peers->timers, &peers->timer);
    strmap_fini(&peers->engines);
    buf_fini(&peers->text);
    buf_fini(&peers->frames);
}

void peers_enter(struct peers *peers, struct now now)
{
    peers->now = now;
}

void peers_reap(struct peers *peers)
{
    if (peers->text.cap > TEXT_KEPT)
        buf_fini(&peers->text);
    if (peers->frames.cap > TEXT_KEPT)
        buf_fini(&peers->frames);
    struct list *first;
    while ((first = list_first(&peers->doomed)) != NULL) {
        struct peer *p = LIST_ENTRY(first, struct peer, all);
        list_remove(first);
        engine_destroy(p->engine);
        free(p);
    }
}

void peers_drain(struct peers *peers)
{
    peers->draining = true;
    LIST_EACH_SAFE (at, &peers->all) {
        peer_close(LIST_ENTRY(at, struct peer, all), CLOSE_GOING_AWAY, "server is going away");
    }
}

void peers_review(struct peers *peers)
{
    LIST_EACH_SAFE (at, &peers->all) {
        struct peer *p = LIST_ENTRY(at, struct peer, all);
        bool known = p->caller != guard_nobody();
        if (known && !caller_may(p->caller, p->dialect->scope))
            peer_close(p, CLOSE_POLICY, "the token was withdrawn");
    }
}
