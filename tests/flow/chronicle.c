/* SPDX-License-Identifier: MIT */
#include "tests/flow/chronicle.h"

#include "streamd/session/legacy_room.h"
#include "streamd/transport/engine.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An event that a watcher is to hear. */
struct due_event {
    char *event; /* owns */
    char *data;  /* owns */
    unsigned session;
};

static const char *const answers[] = {
    "session_status",        "session_joined", "session_history", "error", "ack",
    "connection_established"};

static bool is_answer(const char *event)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (strcmp(event, answers[i]) == 0)
            return true;
    }
    return false;
}

static unsigned session_of(const struct heard *h)
{
    unsigned session = CHRONICLE_SESSIONS;
    if (sscanf(h->data, "{\"sessionId\":\"s%u\"", &session) != 1 || session >= CHRONICLE_SESSIONS)
        fail_msg("%s of no session: %s", h->event, h->data);
    return session;
}

void chronicle_begin(struct chronicle *h, struct world *w)
{
    *h = (struct chronicle){.world = w};
    h->chronicler = client_watch(w, PLAIN, "*");
}

static void due_fini(struct due_event *due)
{
    free(due->event);
    free(due->data);
}

void chronicle_end(struct chronicle *h)
{
    for (size_t i = 0; i < h->count; i++) {
        struct watcher *w = h->watchers[i];
        for (size_t k = 0; k < w->due_count; k++)
            due_fini(&w->due[k]);
        free(w->due);
        free(w);
    }
    free(h->watchers);
}

struct watcher *chronicle_add(struct chronicle *h, struct client *c)
{
    struct watcher *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->client = c;
    if (h->count == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->watchers = realloc(h->watchers, h->cap * sizeof(struct watcher *));
        assert_non_null(h->watchers);
    }
    return h->watchers[h->count++] = w;
}

struct peer *watcher_peer(const struct watcher *w)
{
    const struct client *c = w->client;
    struct peer *p = NULL;
    if (c->sid[0]) {
        const struct engine *e = strmap_find(&c->world->app->peers.engines, span_of(c->sid));
        p = e ? e->peer : NULL;
    } else if (c->stream && c->stream->link) {
        p = c->stream->link->peer;
    }
    return p && p->state == PEER_OPEN ? p : NULL;
}

static bool is_in(struct peer *p, struct span room)
{
    return subscriber_find(&p->subscriber, room) != NULL;
}

static void owe(struct watcher *w, const struct heard *h, unsigned session)
{
    if (w->due_count == w->due_cap) {
        w->due_cap = w->due_cap ? w->due_cap * 2 : 16;
        w->due = realloc(w->due, w->due_cap * sizeof(*w->due));
        assert_non_null(w->due);
    }
    w->due[w->due_count++] = (struct due_event){strdup(h->event), strdup(h->data), session};
}

/* Once to who is in the session's room or in `*`, and once to its legacy room. */
static void owe_all(struct chronicle *c, const struct heard *h)
{
    char id[8];
    char legacy[LEGACY_ROOM_NAME_MAX];
    unsigned session = session_of(h);
    (void)snprintf(id, sizeof(id), "s%u", session);
    for (size_t i = 0; i < c->count; i++) {
        struct peer *p = watcher_peer(c->watchers[i]);
        if (!p)
            continue;
        if (is_in(p, span_of(id)) || is_in(p, SPAN("*")))
            owe(c->watchers[i], h, session);
        if (is_in(p, legacy_room_name(span_of(id), legacy)))
            owe(c->watchers[i], h, session);
    }
}

static void hear_event(struct watcher *w, const struct heard *h)
{
    unsigned session = session_of(h);
    size_t i = 0;
    while (i < w->due_count && w->due[i].session != session)
        i++;
    if (i == w->due_count)
        fail_msg("%s: one too many: %s %s", tongue_names[w->client->tongue], h->event, h->data);
    assert_string_equal(h->event, w->due[i].event);
    assert_string_equal(h->data, w->due[i].data);
    if (strcmp(h->event, "session_cleanup") == 0) {
        w->ended[session] = w->told[session];
        w->told[session] = w->until[session] = 0; /* the next of this name may count anew */
    }
    due_fini(&w->due[i]);
    memmove(&w->due[i], &w->due[i + 1], (--w->due_count - i) * sizeof(*w->due));
}

static void hear_update(struct watcher *w, const struct heard *h)
{
    const char *at = strstr(h->data, "\"status\":\"running\",\"offset\":");
    unsigned session = session_of(h);
    if (!at)
        return; /* of a legacy room */
    uint64_t offset = strtoull(strrchr(at, ':') + 1, NULL, 10);
    if (offset <= w->told[session])
        fail_msg("%s: %s after offset %llu", tongue_names[w->client->tongue], h->data,
                 (unsigned long long)w->told[session]);
    if (offset > w->told[session] + 1 && w->told[session] < w->until[session])
        fail_msg("%s: a gap after offset %llu: %s", tongue_names[w->client->tongue],
                 (unsigned long long)w->told[session], h->data);
    w->told[session] = offset;
}

static void judge(struct watcher *w)
{
    struct client *c = w->client;
    for (; c->next < c->count; c->next++) {
        const struct heard *h = &c->inbox[c->next];
        if (!watcher_peer(w) || is_answer(h->event))
            continue;
        if (strcmp(h->event, "progress_update") == 0)
            hear_update(w, h);
        else
            hear_event(w, h);
    }
}

void chronicle_read(struct chronicle *h)
{
    struct client *c = h->chronicler;
    assert_false(client_is_gone(c));
    for (; c->next < c->count; c->next++) {
        owe_all(h, &c->inbox[c->next]);
        h->events++;
    }
    for (size_t i = 0; i < h->count; i++)
        judge(h->watchers[i]);
}

static void has_the_newest(struct chronicle *h, struct watcher *w, struct peer *p, unsigned i)
{
    char id[8];
    int n = snprintf(id, sizeof(id), "s%u", i);
    struct span name = {id, (size_t)n};
    const struct session *s = registry_find_live(&h->world->app->registry, name);
    if (!s || s->newest_offset == 0 || !is_in(p, name))
        return;
    bool taken_up = w->told[i] == 0 && w->ended[i] == s->newest_offset;
    if (!taken_up && w->told[i] != s->newest_offset)
        fail_msg("%s: told %llu of %s, not %llu", tongue_names[w->client->tongue],
                 (unsigned long long)w->told[i], id, (unsigned long long)s->newest_offset);
}

void chronicle_at_rest(struct chronicle *h)
{
    chronicle_read(h);
    for (size_t i = 0; i < h->count; i++) {
        struct watcher *w = h->watchers[i];
        struct peer *p = watcher_peer(w);
        if (!p)
            continue;
        if (w->due_count > 0)
            fail_msg("%s: never heard: %s %s", tongue_names[w->client->tongue], w->due[0].event,
                     w->due[0].data);
        for (unsigned k = 0; k < CHRONICLE_SESSIONS; k++)
            has_the_newest(h, w, p, k);
    }
}
