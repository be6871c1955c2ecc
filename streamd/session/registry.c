/* SPDX-License-Identifier: MIT */
/*
 * One map to find a session, one list to show them newest first, and two more by age, so that
 * making room at max_sessions is O(1) however fast somebody starts runs. Ages are monotonic: a wall
 * clock that jumps to 2099 expires nothing.
 *
 * Nobody outside keeps a session beyond the wake-up except through a handle, so a session can be
 * freed here at once; rooms hold it as a borrowed pointer that is taken back first.
 */
#include "streamd/session/registry.h"

#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/session/legacy_room.h"
#include "streamd/session/registry_sweep.h"
#include "streamd/session/session_life.h"
#include "streamd/session/uuid4.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    PAYLOAD_LIMIT = 8 * 1024 * 1024, /* of 64 KiB lines, with their names flattened */
    EVENTS_AT_ONCE = 4, /* each with a line's config, after an update as large: half an outbox */
};

enum status registry_init(struct registry *r, const struct config *config, struct timers *timers,
                          struct hub *hub, struct encoder *encoder, struct stats *stats,
                          struct now now)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return E_IO;
    *r = (struct registry){
        .timers = timers, .hub = hub, .encoder = encoder, .config = config, .stats = stats};
    strmap_init(&r->by_id, seed);
    list_init(&r->sessions);
    list_init(&r->finished);
    list_init(&r->expired);
    list_init(&r->due);
    list_init(&r->recounts);
    interpreters_init(&r->interpreters, r, config->max_insights);
    orphans_init(&r->orphans, r);
    journal_init(&r->journal);
    bulletin_init(&r->bulletin, now.wall_s);
    orders_init(&r->orders);
    series_budget_init(&r->budget, config->max_history_bytes, stats);
    buf_init(&r->scratch, PAYLOAD_LIMIT);
    buf_init(&r->metrics, PAYLOAD_LIMIT);
    line_decoder_init(&r->decoder, seed);
    r->next_key = 1;
    (void)snprintf(r->epoch, sizeof(r->epoch), "%016llx", (unsigned long long)seed);
    const struct keeping_params nowhere = {.config = config, .timers = timers, .stats = stats};
    enum status status = keeping_init(&r->keeping, &nowhere);
    return status == OK ? registry_sweep_init(r, now.us) : status;
}

/* The last word to the store: the next daemon may go on with this epoch. */
static void say_goodbye(struct registry *r)
{
    keeping_goodbye(&r->keeping);
    keeping_fini(&r->keeping);
}

void registry_fini(struct registry *r)
{
    struct list *first;
    say_goodbye(r);
    while ((first = list_first(&r->sessions)) != NULL)
        session_destroy(LIST_ENTRY(first, struct session, link));
    interpreters_fini(&r->interpreters);
    orphans_fini(&r->orphans);
    registry_sweep_fini(r);
    strmap_fini(&r->by_id);
    line_decoder_fini(&r->decoder);
    journal_fini(&r->journal);
    bulletin_fini(&r->bulletin);
    buf_fini(&r->scratch);
    buf_fini(&r->metrics);
}

struct session *registry_find(struct registry *r, struct span id)
{
    return strmap_find(&r->by_id, id);
}

struct session *registry_find_live(struct registry *r, struct span id)
{
    struct session *s = registry_find(r, id);
    return s && s->state != SESSION_EXPIRED ? s : NULL;
}

static void forget(struct registry *r, struct session *s)
{
    registry_sweep_pass(r, s);
    strmap_take(&r->by_id, session_id(s));
    session_destroy(s);
}

void registry_remove(struct registry *r, struct session *s)
{
    if (s->state != SESSION_EXPIRED)
        session_expire(s);
    keeping_forget(&r->keeping, s);
    forget(r, s);
}

enum status registry_forget(struct registry *r, struct session *s)
{
    bool over = session_finished(s) || s->state == SESSION_EXPIRED;
    if (!over || s->resumed)
        return E_STATE;
    log_info("registry", "forget id=%s", s->id);
    if (s->state == SESSION_EXPIRED) {
        s->room = room_find(r->hub, session_id(s)); /* where somebody may be waiting */
        session_announce_cleanup(s);
        s->room = NULL;
    }
    registry_remove(r, s);
    return OK;
}

static enum status make_room(struct registry *r)
{
    if (strmap_count(&r->by_id) < r->config->max_sessions)
        return OK;
    struct list *oldest = list_first(&r->expired);
    if (!oldest)
        oldest = list_first(&r->finished);
    if (!oldest)
        return E_LIMIT;
    registry_remove(r, LIST_ENTRY(oldest, struct session, aging));
    return OK;
}

/* Before the first is behind the head's end of a ring. */
static void put_first(struct registry *r, struct session *s)
{
    registry_sweep_pass(r, s);
    list_remove(&s->link);
    list_add_tail(r->sessions.next, &s->link);
}

static enum status start_new(struct registry *r, const struct line *start, struct now now,
                             struct session **out)
{
    char uuid[UUID4_BYTES + 1];
    struct span id = start->session_id;
    if (id.len == 0) {
        if (!uuid4_write(uuid))
            return E_IO;
        id = (struct span){uuid, UUID4_BYTES};
    }
    enum status status = make_room(r);
    if (status != OK)
        return status;
    struct session *s = session_create(r, id);
    if (!s)
        return E_NOMEM;
    s->key = r->next_key++;
    if (strmap_put(&r->by_id, id, s) != OK || session_begin(s, start, now) != OK) {
        forget(r, s);
        return E_NOMEM;
    }
    put_first(r, s);
    r->stats->sessions_created++;
    r->stats->sessions_live++;
    *out = s;
    return OK;
}

enum status registry_start(struct registry *r, const struct line *start, struct now now,
                           struct session **out)
{
    struct session *s = start->session_id.len ? registry_find(r, start->session_id) : NULL;
    if (!s)
        return start_new(r, start, now, out);
    enum status status =
        start->resume ? session_take_up(s, start, now) : session_begin(s, start, now);
    if (status != OK)
        return status;
    if (!start->resume)
        put_first(r, s);
    *out = s;
    return OK;
}

void registry_publish_due(struct registry *r, uint64_t now_us)
{
    struct list *first;
    while ((first = list_first(&r->due)) != NULL)
        session_publish(LIST_ENTRY(first, struct session, due), now_us);
}

void registry_publish_all(struct registry *r, uint64_t now_us)
{
    LIST_EACH (at, &r->sessions)
        session_publish(LIST_ENTRY(at, struct session, link), now_us);
}

void registry_announce(struct registry *r, struct session *s, const char *event,
                       struct span payload)
{
    struct message m;
    message_init(&m, r->encoder, event, payload, 0);
    m.after = series_newest(s->series);
    m.ordinal = journal_add(&r->journal, session_id(s), event, payload, m.after);
    if (s->room)
        room_publish_event(s->room, &m);
    struct room *all = room_find(r->hub, SPAN("*"));
    if (all)
        room_publish_event_unless(all, &m, s->room);
    legacy_room_announce(s, &m);
    message_fini(&m);
    r->announced++;
}

void registry_announce_open(struct session *s, const char *event, struct buf *payload)
{
    buf_add_char(payload, '}');
    if (buf_status(payload) == OK)
        registry_announce(s->registry, s, event, buf_span(payload));
    else
        s->registry->stats->errors++;
}

void registry_announce_dated(struct session *s, const char *event, struct buf *payload,
                             struct now now)
{
    json_write_name(payload, "timestamp");
    num_write_rounded(payload, now.wall_s, 3);
    registry_announce_open(s, event, payload);
}

void registry_relieve(struct registry *r)
{
    if (r->announced < EVENTS_AT_ONCE)
        return;
    r->announced = 0;
    hub_flush(r->hub);
}
