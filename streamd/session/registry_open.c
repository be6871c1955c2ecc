/* SPDX-License-Identifier: MIT */
/*
 * Taking over what an earlier daemon has kept, before anything else happens.
 *
 * Ages: the store's clock is the time that daemons have run on it. The newest age in it is taken
 * for now, so a wall clock that jumps, or years on a shelf, expire nothing.
 *
 * Epochs: one begins with the store, and one whenever the daemon before did not say good-bye. What
 * that one told and had not kept is gone, and its offsets will be given again; so a watcher of the
 * epoch before is sure only up to what was kept, the session's floor. A row says in which epoch it
 * was written, and one of an earlier epoch means all that it has: so a new epoch needs no row to be
 * written, however many runs there are.
 */
#include "streamd/session/registry.h"

#include "streamd/log.h"
#include "streamd/session/recount.h"
#include "streamd/session/session_life.h"
#include "streamd/session/session_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static bool draw_epoch(char out[REGISTRY_EPOCH_MAX])
{
    uint64_t bits;
    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return false;
    (void)snprintf(out, REGISTRY_EPOCH_MAX, "%016llx", (unsigned long long)bits);
    return true;
}

/* The value of that name as a text; "" when there is none, none that fits or a damaged one. */
static enum status read_meta(struct store *store, const char *name, char out[REGISTRY_EPOCH_MAX])
{
    struct buf value;
    buf_init(&value, REGISTRY_EPOCH_MAX - 1);
    enum status status = store->ops->get_meta(store, name, &value);
    memset(out, 0, REGISTRY_EPOCH_MAX);
    if (status == OK && value.len > 0)
        memcpy(out, value.ptr, value.len);
    buf_fini(&value);
    if (status == E_MALFORMED)
        log_error("registry", "damaged value passed over name=%s", name);
    return status == E_NOT_FOUND || status == E_LIMIT || status == E_MALFORMED ? OK : status;
}

/* Which epoch this is. */
static enum status read_epoch(struct registry *r, struct store *store)
{
    char clean[REGISTRY_EPOCH_MAX];
    enum status status = read_meta(store, "epoch", r->epoch);
    if (status == OK)
        status = read_meta(store, "previous_epoch", r->previous_epoch);
    if (status == OK)
        status = read_meta(store, "clean", clean);
    if (status != OK)
        return status;
    if (r->epoch[0] && strcmp(clean, "yes") == 0)
        return OK;
    memcpy(r->previous_epoch, r->epoch, sizeof(r->epoch));
    return draw_epoch(r->epoch) ? OK : E_IO;
}

static enum status write_epoch(const struct registry *r, struct store *store)
{
    const struct store_ops *ops = store->ops;
    enum status status = ops->begin(store);
    if (status != OK)
        return status;
    status = ops->put_meta(store, "epoch", span_of(r->epoch));
    if (status == OK)
        status = ops->put_meta(store, "previous_epoch", span_of(r->previous_epoch));
    if (status == OK)
        status = ops->put_meta(store, "clean", SPAN("no"));
    if (status == OK)
        status = ops->commit(store);
    if (status != OK)
        ops->rollback(store);
    return status;
}

/* The row after *row; a damaged one stays on disk, for whoever can read it, and is told unless that
 * was done before. E_NOT_FOUND: none is left; E_MALFORMED: whether one is cannot be read. */
static enum status next_row(struct store *store, struct store_session *row, struct stats *stats)
{
    enum status status;
    while ((status = store->ops->next_session(store, row->key, row)) == E_MALFORMED &&
           row->key <= INT64_MAX) {
        if (!stats)
            continue;
        log_error("registry", "damaged session passed over key=%llu reason=\"%s\"",
                  (unsigned long long)row->key, store->ops->why(store));
        stats->sessions_damaged++;
    }
    return status;
}

/* Sets the store's clock to the newest age in it, and the next key. */
static enum status read_ages(struct registry *r, struct store *store, struct now now)
{
    struct store_session row = {.key = 0};
    uint64_t newest_us = 0;
    enum status status;
    while ((status = next_row(store, &row, r->stats)) == OK) {
        uint64_t age_us = session_state_age_us(&row);
        newest_us = age_us > newest_us ? age_us : newest_us;
    }
    r->next_key = row.key + 1;
    r->age_base_us = newest_us - now.us;
    return status == E_NOT_FOUND ? OK : status;
}

static uint64_t quiet_us(const struct session *s, struct now now)
{
    return now.us - s->last_us;
}

/* On the store's clock: a wall clock may have been set meanwhile. */
static uint64_t since_start_us(const struct session *s, struct now now)
{
    return now.us - s->start_us;
}

/* The lists are in order; sessions come nearly so, thus each finds its place in a few steps. */
static void add_by_start(struct registry *r, struct session *s, struct now now)
{
    struct list *at = &r->sessions;
    while (at->next != &r->sessions &&
           since_start_us(LIST_ENTRY(at->next, struct session, link), now) < since_start_us(s, now))
        at = at->next;
    list_remove(&s->link);
    list_add_tail(at->next, &s->link);
}

static void add_by_age(struct list *aging, struct session *s, struct now now)
{
    struct list *at = aging;
    while (at->prev != aging &&
           quiet_us(LIST_ENTRY(at->prev, struct session, aging), now) < quiet_us(s, now))
        at = at->prev;
    list_add_tail(at, &s->aging);
}

static enum status enter(struct registry *r, struct session *s, struct now now)
{
    if (strmap_put(&r->by_id, session_id(s), s) != OK)
        return E_NOMEM;
    add_by_start(r, s, now);
    if (s->state == SESSION_EXPIRED && !s->pinned)
        add_by_age(&r->expired, s, now);
    else if (session_finished(s) && !s->pinned)
        add_by_age(&r->finished, s, now);
    if (s->state == SESSION_EXPIRED)
        return OK;
    r->stats->sessions_live++;
    session_recall(s);
    return session_enter_room(s);
}

static enum status restore(struct registry *r, const struct store_session *row, struct now now)
{
    if (!session_id_valid(row->id) || registry_find(r, row->id))
        return E_MALFORMED;
    struct session *s = session_create(r, row->id);
    if (!s)
        return E_NOMEM;
    enum status status = session_state_restore(s, row, &r->decoder);
    if (status == OK)
        status = enter(r, s, now);
    if (status == OK && s->summary_stale)
        recount_mark(s);
    if (status != OK) {
        (void)strmap_take(&r->by_id, row->id);
        session_destroy(s);
    }
    return status;
}

/* A row of no sense to us stays on disk as a damaged one does. */
static void pass_over(struct registry *r, const struct store_session *row)
{
    struct log_text quoted;
    log_error("registry", "damaged session passed over id=%s key=%llu",
              log_quoted(&quoted, row->id), (unsigned long long)row->key);
    r->stats->sessions_damaged++;
}

static enum status restore_all(struct registry *r, struct store *store, struct now now)
{
    struct store_session row = {.key = 0};
    enum status status = read_epoch(r, store);
    if (status == OK)
        status = read_ages(r, store, now);
    if (status != OK)
        return status;
    while ((status = next_row(store, &row, NULL)) == OK) {
        status = restore(r, &row, now);
        if (status == E_MALFORMED)
            pass_over(r, &row);
        else if (status != OK)
            return status;
    }
    if (status == E_NOT_FOUND)
        status = orders_restore(r, store, now);
    return status == OK ? write_epoch(r, store) : status;
}

enum status registry_open(struct registry *r, const struct keeping_params *params, struct now now)
{
    enum status status = restore_all(r, params->store, now);
    if (status != OK) {
        log_error("registry", "cannot take over the store reason=\"%s: %s\"", status_text(status),
                  params->store->ops->why(params->store));
        params->store->ops->destroy(params->store);
        return status;
    }
    keeping_fini(&r->keeping);
    return keeping_init(&r->keeping, params);
}

bool registry_recovers(const struct registry *r, const struct session *s, struct span epoch,
                       uint64_t since)
{
    if (since + 1 < s->oldest)
        return false;
    if (epoch.len == 0 || span_is(epoch, r->epoch))
        return since <= series_newest(s->series);
    return r->previous_epoch[0] && span_is(epoch, r->previous_epoch) && since <= s->floor;
}

void registry_begin_epoch(struct registry *r)
{
    memcpy(r->previous_epoch, r->epoch, sizeof(r->epoch));
    if (!draw_epoch(r->epoch))
        log_error("registry", "no random bytes for an epoch");
    LIST_EACH (at, &r->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        s->floor = series_newest(s->series);
    }
    keeping_meta(&r->keeping, "epoch", span_of(r->epoch));
    keeping_meta(&r->keeping, "previous_epoch", span_of(r->previous_epoch));
}
