/* SPDX-License-Identifier: MIT */
#include "tests/flow/chance.h"

#include "tests/flow/client_engine.h"
#include "tests/flow/invariants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WATCHERS_AT_ONCE = 40 };

static unsigned below(struct chance *x, unsigned n)
{
    return (unsigned)x->choice->below(x->choice, n);
}

static const char *some_session(struct chance *x, char id[8])
{
    (void)snprintf(id, 8, "s%u", below(x, CHRONICLE_SESSIONS));
    return id;
}

/* One of the last to come, if it is still there. */
static struct watcher *some_watcher(struct chance *x)
{
    size_t count = x->chronicle.count;
    size_t from = count > 3 * WATCHERS_AT_ONCE ? count - 3 * WATCHERS_AT_ONCE : 0;
    if (count == 0)
        return NULL;
    struct watcher *w = x->chronicle.watchers[from + below(x, (unsigned)(count - from))];
    return watcher_peer(w) ? w : NULL;
}

/* Nothing of the past is on its way to it any more. */
static bool flows(const struct client *c)
{
    if (c->tongue == POLLING)
        return c->poll->awaits && !c->probe;
    return c->stream->kept.len == 0 && c->stream->window == SIZE_MAX;
}

/* ---- what may happen ---- */

/* Is it known, or is there a place for it? */
static bool may_start(struct chance *x, const char *id)
{
    struct registry *r = &x->world->app->registry;
    return registry_find(r, span_of(id)) || strmap_count(&r->by_id) < r->config->max_sessions ||
           !list_empty(&r->finished) || !list_empty(&r->expired);
}

static void a_trainer_logs(struct chance *x)
{
    char id[8];
    const struct session *s = registry_find(&x->world->app->registry, span_of(some_session(x, id)));
    if (may_start(x, id) && !(s && session_finished(s)))
        trainer_logs(x->world, id, ++x->step);
}

static void a_trainer_connects(struct chance *x)
{
    buf_init(&x->answers, 1 << 20);
    intake_init(&x->trainer, &x->world->app->registry, &x->world->app->decoder, &x->answers);
}

static void a_trainer_hangs_up(struct chance *x)
{
    intake_fini(&x->trainer);
    buf_fini(&x->answers);
}

/* What was acknowledged, for when the process is another one. */
static void a_trainer_hears(struct chance *x)
{
    unsigned i;
    unsigned long long seq;
    struct span rest = buf_span(&x->answers);
    while (rest.len > 0) {
        char text[128];
        struct span line = span_cut(&rest, '\n');
        (void)snprintf(text, sizeof(text), "%.*s", (int)line.len, line.ptr);
        if (sscanf(text, "{\"type\":\"ack\",\"sessionId\":\"s%u\",\"seq\":%llu", &i, &seq) != 2)
            continue;
        char id[8];
        (void)snprintf(id, sizeof(id), "s%u", i);
        const struct session *s = registry_find(&x->world->app->registry, span_of(id));
        assert_true(s && i < CHRONICLE_SESSIONS);
        x->acked[i].key = s->key;
        x->acked[i].seq = seq;
        x->acks++;
    }
    buf_reset(&x->answers);
}

static void a_trainer_numbers_his_lines(struct chance *x)
{
    char id[8];
    char line[160];
    struct line_error error;
    const struct session *s = registry_find(&x->world->app->registry, span_of(some_session(x, id)));
    if (!may_start(x, id) || (s && session_finished(s)))
        return;
    uint64_t seq = s ? s->last_seq + below(x, 4) : 1; /* 0: the same again */
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\",\"seq\":%llu,\"metrics\":"
                   "{\"step\":%u}}",
                   id, (unsigned long long)(seq ? seq : 1), ++x->step);
    world_enter(x->world);
    assert_int_equal(intake_line(&x->trainer, span_of(line), x->world->now, &error), OK);
    intake_ack(&x->trainer);
    world_leave(x->world);
}

static void a_trainer_starts(struct chance *x)
{
    char id[8];
    if (!may_start(x, some_session(x, id)))
        return;
    a_trainer_hangs_up(x); /* what he is owed is of another run */
    trainer_starts(x->world, id);
    x->acked[atoi(id + 1)].seq = 0;
    a_trainer_connects(x);
}

/* Where he, or another, had stopped. A finished session stays so until something new is said. */
static void a_trainer_takes_up(struct chance *x)
{
    char id[8];
    char line[96];
    if (!may_start(x, some_session(x, id)))
        return;
    (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"%s\",\"resume\":true}",
                   id);
    trainer_says(x->world, line);
}

/* model_completed, complete and fail are for sessions that run. */
static void a_session_goes_on(struct chance *x)
{
    char id[8];
    char line[128];
    const struct session *s =
        registry_find_live(&x->world->app->registry, span_of(some_session(x, id)));
    if (!s || session_finished(s))
        return;
    switch (below(x, 4)) {
    case 0:
        trainer_completes(x->world, id);
        break;
    case 1:
        (void)snprintf(line, sizeof(line), "{\"type\":\"fail\",\"sessionId\":\"%s\"}", id);
        trainer_says(x->world, line);
        break;
    default:
        trainer_ends_model(x->world, id, (unsigned)s->models_completed + below(x, 2));
    }
}

static void a_burst_comes(struct chance *x)
{
    world_enter(x->world);
    for (unsigned i = 2 + below(x, 8); i > 0; i--) {
        if (below(x, 4) == 0)
            a_session_goes_on(x);
        else
            a_trainer_logs(x);
    }
    world_leave(x->world);
}

/* While the disk is in trouble, what was told and has left memory cannot be had again. */
static bool kept_or_in_memory(struct chance *x, const struct session *s)
{
    return s && !x->world->disk.broken && list_empty(&s->unkept);
}

static void subscribe(struct chance *x, struct watcher *w)
{
    char id[8];
    struct peer *p = watcher_peer(w);
    const struct session *s =
        registry_find_live(&x->world->app->registry, span_of(some_session(x, id)));
    if (subscriber_find(&p->subscriber, span_of(id)) || !flows(w->client))
        return;
    uint64_t newest = s ? series_newest(s->series) : 0;
    uint64_t since = below(x, 2) ? UINT64_MAX : below(x, (unsigned)newest + 3);
    w->told[atoi(id + 1)] = since <= newest ? since : 0;
    w->ended[atoi(id + 1)] = 0;
    w->until[atoi(id + 1)] = since <= newest && kept_or_in_memory(x, s) ? newest : 0;
    x->late += w->until[atoi(id + 1)] > 0 && since + 1 < series_oldest(s->series);
    if (since == UINT64_MAX)
        client_subscribes(w->client, id);
    else
        client_subscribes_since(w->client, id, since);
}

static void a_watcher_comes(struct chance *x)
{
    if (x->world->app->stats.peers > WATCHERS_AT_ONCE)
        return;
    char id[8];
    enum tongue tongue = below(x, TONGUES);
    struct client *c = tongue == SSE ? client_watch(x->world, SSE, some_session(x, id))
                                     : client_open(x->world, tongue);
    struct watcher *w = chronicle_add(&x->chronicle, c);
    for (unsigned i = tongue == SSE ? 0 : below(x, 4); i > 0; i--)
        subscribe(x, w);
}

static void a_watcher_speaks(struct chance *x)
{
    char json[32];
    char id[8];
    struct watcher *w = some_watcher(x);
    if (!w || w->client->tongue == SSE)
        return;
    struct peer *p = watcher_peer(w);
    struct membership *m = subscriber_find(&p->subscriber, span_of(some_session(x, id)));
    switch (below(x, 8)) {
    case 0:
        client_subscribes(w->client, "*");
        break;
    case 1:
        (void)snprintf(json, sizeof(json), "\"%s\"", id);
        client_says(w->client, "join_room", json);
        break;
    case 2:
        (void)snprintf(json, sizeof(json), "{\"sessionId\":\"%s\"}", id);
        client_says(w->client, "get_session_history", json);
        break;
    case 3:
    case 4:
        if (m && !m->replaying && flows(w->client))
            client_unsubscribes(w->client, id);
        break;
    default:
        subscribe(x, w);
    }
}

static void a_watcher_talks_nonsense(struct chance *x)
{
    struct watcher *w = some_watcher(x);
    if (w && w->client->tongue != SSE)
        client_sends(w->client, "{\"nonsense\":");
}

static void a_link_chokes_or_flows(struct chance *x)
{
    struct watcher *w = some_watcher(x);
    if (!w)
        return;
    switch (below(x, 4)) {
    case 0:
    case 1:
        client_chokes(w->client);
        break;
    case 2:
        client_takes(w->client, below(x, 5000));
        break;
    default:
        client_reads_on(w->client);
    }
}

static void a_watcher_leaves(struct chance *x)
{
    struct watcher *w = some_watcher(x);
    if (w)
        client_leaves(w->client);
}

static void a_poller_takes_a_step_of_its_upgrade(struct chance *x)
{
    struct watcher *w = some_watcher(x);
    if (!w || w->client->tongue != POLLING)
        return;
    struct client *c = w->client;
    if (!c->probe)
        (void)client_opens_probe(c);
    else if (c->probe_answered)
        client_finishes_upgrade(c);
    else
        client_sends_probe(c, below(x, 8) ? "2probe" : "2prob");
}

static void time_passes(struct chance *x)
{
    static const uint64_t most[] = {5 * MS, 300 * MS, 3 * SECOND, 40 * SECOND};
    unsigned far = below(x, 100);
    uint64_t us = far < 70 ? most[0] : far < 95 ? most[1] : far < 99 ? most[2] : most[3];
    world_advance(x->world, x->choice->below(x->choice, us));
}

static void hours_pass(struct chance *x)
{
    world_advance(x->world, (UINT64_C(1) + below(x, 3)) * 3600 * SECOND);
}

static void the_disk_breaks_or_is_well_again(struct chance *x)
{
    x->world->disk.broken = below(x, 3) == 0;
}

void chance_count(struct chance *x)
{
    const struct stats *s = &x->world->app->stats;
    x->before.peers_opened += s->peers_opened;
    x->before.peers_closed_slow += s->peers_closed_slow;
    x->before.peers_closed_timeout += s->peers_closed_timeout;
    x->before.messages_superseded += s->messages_superseded;
    x->before.sessions_created += s->sessions_created;
}

/* Nothing that was acknowledged is gone. */
static void all_that_was_acked_is_there(struct chance *x)
{
    for (unsigned i = 0; i < CHRONICLE_SESSIONS; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "s%u", i);
        const struct session *s = registry_find(&x->world->app->registry, span_of(id));
        if (s && s->key == x->acked[i].key && s->last_seq < x->acked[i].seq)
            fail_msg("%s has come to %llu, and %llu was acknowledged", id,
                     (unsigned long long)s->last_seq, (unsigned long long)x->acked[i].seq);
    }
}

static void the_process_is_another_one(struct chance *x)
{
    size_t events = x->chronicle.events;
    chance_count(x);
    chronicle_end(&x->chronicle);
    a_trainer_hangs_up(x);
    if (below(x, 2))
        world_crashes(x->world);
    else
        world_ends(x->world);
    x->world->disk.broken = false;
    world_begin(x->world);
    a_trainer_connects(x);
    all_that_was_acked_is_there(x);
    chronicle_begin(&x->chronicle, x->world);
    x->chronicle.events = events;
    x->restarts++;
}

static const struct {
    void (*run)(struct chance *x);
    const char *name;
    unsigned weight;
} operations[] = {
    {a_trainer_logs, "a trainer logs", 180},
    {a_trainer_numbers_his_lines, "a trainer numbers his lines", 70},
    {time_passes, "time passes", 230},
    {the_disk_breaks_or_is_well_again, "the disk breaks or is well again", 8},
    {the_process_is_another_one, "the process is another one", 2},
    {a_watcher_speaks, "a watcher speaks", 130},
    {a_burst_comes, "a burst comes", 60},
    {a_link_chokes_or_flows, "a link chokes or flows", 100},
    {a_watcher_comes, "a watcher comes", 60},
    {a_poller_takes_a_step_of_its_upgrade, "a poller takes a step of its upgrade", 40},
    {a_session_goes_on, "a session goes on", 40},
    {a_watcher_leaves, "a watcher leaves", 55},
    {a_trainer_starts, "a trainer starts", 10},
    {a_trainer_takes_up, "a trainer takes up", 10},
    {a_watcher_talks_nonsense, "a watcher talks nonsense", 4},
    {hours_pass, "hours pass", 1},
};

enum { KINDS = sizeof(operations) / sizeof(operations[0]), WEIGHTS = 1000 };

static void something_happens(struct chance *x)
{
    unsigned at = below(x, WEIGHTS);
    size_t i = 0;
    while (at >= operations[i].weight)
        at -= operations[i++].weight;
    assert_true(i < KINDS);
    x->doing = operations[i].name;
    operations[i].run(x);
}

/* The server has given up a probe: its client polls again. */
static void forget_lost_probes(struct chance *x)
{
    for (size_t i = 0; i < x->chronicle.count; i++) {
        struct client *c = x->chronicle.watchers[i]->client;
        if (c->probe && !c->probe->link)
            client_forgets_probe(c);
    }
}

void chance_rest(struct chance *x)
{
    for (size_t i = 0; i < x->chronicle.count; i++) {
        struct client *c = x->chronicle.watchers[i]->client;
        client_reads_on(c);
        if (c->probe && c->probe_answered && c->probe->link)
            client_finishes_upgrade(c);
    }
    world_advance(x->world, SECOND);
    world_holds(x->world);
    chronicle_at_rest(&x->chronicle);
}

void chance_step(struct chance *x)
{
    something_happens(x);
    forget_lost_probes(x);
    world_holds(x->world);
    chronicle_read(&x->chronicle);
    a_trainer_hears(x);
}

struct chance *chance_create(struct choice *choice)
{
    struct chance *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    x->choice = choice;
    x->world = world_create();
    x->world->config.max_outbox_messages = 20;
    x->world->config.max_outbox_bytes = 64 * 1024;
    x->world->config.max_rooms_per_peer = 6;
    x->world->config.max_sessions = CHRONICLE_SESSIONS - 2;
    x->world->config.max_history_records = 5;
    x->world->config.commit_interval_ms = 20;
    world_begin(x->world);
    a_trainer_connects(x);
    chronicle_begin(&x->chronicle, x->world);
    return x;
}

void chance_destroy(struct chance *x)
{
    chronicle_end(&x->chronicle);
    a_trainer_hangs_up(x);
    world_destroy(x->world);
    free(x);
}
