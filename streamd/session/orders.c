/* SPDX-License-Identifier: MIT */
/*
 * Orders hang on their session in the order they were asked, and on one list of all of them in the
 * same order, since ids only rise. An order is written anew with each change, into a row of its
 * own.
 */
#include "streamd/session/orders.h"

#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/notify/notify.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/registry.h"
#include "streamd/session/session_life.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void orders_init(struct orders *o)
{
    *o = (struct orders){0};
    list_init(&o->all);
}

static struct order *order_of(struct list *link)
{
    return LIST_ENTRY(link, struct order, link);
}

static struct now now_of(const struct order *o, uint64_t now_us)
{
    return (struct now){now_us, o->asked_s + (double)(now_us - o->asked_us) / 1e6};
}

void orders_keep(const struct order *o)
{
    struct buf entry;
    buf_init(&entry, ORDER_BYTES_MAX);
    order_write(o, &entry);
    if (buf_status(&entry) == OK)
        keeping_audit(&o->session->registry->keeping,
                      &(struct store_audit){o->id, o->session->key, buf_span(&entry)});
    else
        o->session->registry->stats->errors++;
    buf_fini(&entry);
}

/* Starts an event's payload in the registry's scratch. */
static struct buf *payload(struct session *s)
{
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    buf_add_char(b, '{');
    return b;
}

/* The one place where the state of an order changes. */
static void enter(struct order *o, enum order_state next, struct now now)
{
    struct session *s = o->session;
    struct log_text texts[2];
    assert(order_may_enter(o->state, next));
    bool by_daemon = o->state == ORDER_ASKED && next == ORDER_REFUSED;
    timers_disarm(s->registry->timers, &o->deadline);
    log_info("control", "order=%llu session=%s command=%s from=%s to=%s via=%s peer=%s why=%s",
             (unsigned long long)o->id, s->id, order_command_name(o->command),
             order_state_name(o->state), order_state_name(next), o->via,
             log_quoted(&texts[0], span_of(o->peer)), log_quoted(&texts[1], span_of(o->answer)));
    o->state = next;
    o->answered_s = next == ORDER_TOLD ? 0 : now.wall_s;
    orders_keep(o);
    if (by_daemon)
        return;
    s->version++;
    struct buf *b = payload(s);
    order_write_members(o, b);
    registry_announce_dated(s, "control", b, now);
}

/* ---- the deadline ---- */

static void notify(struct order *o, const char *words, struct now now)
{
    static const struct assessment nothing = {.monitor = ""};
    struct session *s = o->session;
    const struct assessment *a = session_assessment(s);
    if (!s->registry->notify)
        return;
    const struct notify_event e = {.kind = NOTIFY_UNANSWERED,
                                   .session_id = s->id,
                                   .name = s->name,
                                   .assessment = a ? a : &nothing,
                                   .words = words,
                                   .epoch = NAN,
                                   .step = NAN,
                                   .gpu_memory_mb = NAN,
                                   .number = o->id};
    (void)notify_event(s->registry->notify, &e, now);
}

static void alert(struct order *o, struct now now)
{
    struct session *s = o->session;
    struct buf *b = payload(s);
    char words[ORDER_WORDS_BYTES_MAX];
    (void)snprintf(words, sizeof(words), "order %llu (%s) has had no answer for %.3g s",
                   (unsigned long long)o->id, order_command_name(o->command),
                   (double)s->registry->config->control_deadline_ms / 1000);
    json_write_pair_string(b, "sessionId", session_id(s));
    json_write_pair_string(b, "kind", SPAN("unanswered"));
    json_write_pair_string(b, "severity", SPAN("warning"));
    json_write_pair_string(b, "evidence", span_of(words));
    json_write_pair_string(b, "confidence", SPAN("High"));
    json_write_pair_string(b, "action", SPAN("see whether its trainer still runs"));
    json_write_pair_raw(b, "sinceStep", SPAN("null"));
    registry_announce_dated(s, "alert", b, now);
    notify(o, words, now);
}

static void on_deadline(struct timer *timer, uint64_t now_us)
{
    struct order *o = LIST_ENTRY(timer, struct order, deadline);
    struct now now = now_of(o, now_us);
    order_say(o, SPAN("no answer by the deadline"));
    enter(o, ORDER_UNANSWERED, now);
    alert(o, now);
}

static void arm(struct order *o, struct now now)
{
    struct registry *r = o->session->registry;
    o->asked_us = now.us - (uint64_t)(fmax(0, now.wall_s - o->asked_s) * 1e6);
    /* Without memory for it nobody would be told of a missing answer: better now than never. */
    if (timers_arm(r->timers, &o->deadline, now.us + r->config->control_deadline_ms * 1000) != OK)
        on_deadline(&o->deadline, now.us);
}

/* ---- the lists ---- */

static void destroy(struct order *o)
{
    struct registry *r = o->session->registry;
    timers_disarm(r->timers, &o->deadline);
    list_remove(&o->link);
    list_remove(&o->all);
    r->orders.count--;
    free(o);
}

static void drop(struct order *o)
{
    keeping_drop(&o->session->registry->keeping, o->id);
    destroy(o);
}

/* The oldest that nobody waits for, else the oldest: a store may be damaged. */
static struct order *oldest_of(struct session *s)
{
    LIST_EACH (at, &s->orders) {
        if (!order_is_open(order_of(at)))
            return order_of(at);
    }
    return order_of(list_first(&s->orders));
}

static struct order *oldest_of_all(struct orders *orders)
{
    LIST_EACH (at, &orders->all) {
        struct order *o = LIST_ENTRY(at, struct order, all);
        if (!order_is_open(o))
            return o;
    }
    return LIST_ENTRY(list_first(&orders->all), struct order, all);
}

static void make_room(struct session *s)
{
    struct orders *orders = &s->registry->orders;
    size_t count = 0;
    LIST_EACH (at, &s->orders)
        count++;
    if (count >= ORDERS_OF_SESSION)
        drop(oldest_of(s));
    if (orders->count >= ORDERS_MAX)
        drop(oldest_of_all(orders));
}

static void add(struct order *o)
{
    struct session *s = o->session;
    struct orders *orders = &s->registry->orders;
    timer_init(&o->deadline, on_deadline);
    list_add_tail(&s->orders, &o->link);
    list_add_tail(&orders->all, &o->all);
    orders->count++;
    orders->last_id = o->id > orders->last_id ? o->id : orders->last_id;
}

struct order *orders_add(struct session *s, const struct order_ask *ask, struct now now)
{
    struct order *o = order_create(s, ask);
    if (!o)
        return NULL;
    make_room(s);
    o->id = s->registry->orders.last_id + 1;
    o->asked_s = now.wall_s;
    o->asked_us = now.us;
    add(o);
    return o;
}

void orders_forget(struct session *s)
{
    LIST_EACH_SAFE (at, &s->orders)
        destroy(order_of(at));
}

size_t orders_open(const struct session *s)
{
    size_t open = 0;
    LIST_EACH (at, &s->orders)
        open += order_is_open(order_of(at));
    return open;
}

/* ---- what becomes of them ---- */

void orders_told(struct order *o, uint64_t trainers, bool signalled, struct now now)
{
    o->trainers = trainers;
    o->signalled = signalled;
    enter(o, ORDER_TOLD, now);
    arm(o, now);
}

void orders_refuse(struct order *o, const char *why, struct now now)
{
    order_say(o, span_of(why));
    enter(o, ORDER_REFUSED, now);
}

static struct order *find(struct session *s, uint64_t id)
{
    LIST_EACH (at, &s->orders) {
        if (order_of(at)->id == id)
            return order_of(at);
    }
    return NULL;
}

enum status orders_answer(struct session *s, const struct line *line, struct now now)
{
    struct order *o = find(s, line->order_id);
    enum order_state next = order_state_find(line->outcome);
    if (!o)
        return E_NOT_FOUND;
    bool is_outcome = next == ORDER_ACCEPTED || next == ORDER_DONE || next == ORDER_REFUSED;
    if (is_outcome && next == o->state)
        return OK; /* said twice */
    if (!is_outcome || o->state == ORDER_ASKED || !order_may_enter(o->state, next))
        return E_STATE;
    if (line->has_value)
        o->applied = (struct knob_value){line->value_is_bool, line->value};
    if (o->command == ORDER_SET && next == ORDER_DONE) {
        o->applied = isnan(o->applied.number) ? o->value : o->applied;
        knobs_apply(&s->knobs, span_of(o->knob), o->applied);
        keeping_touch(&s->registry->keeping, s);
    }
    order_say(o, line->message);
    enter(o, next, now);
    return OK;
}

void orders_end(struct session *s, struct now now)
{
    LIST_EACH_SAFE (at, &s->orders) {
        struct order *o = order_of(at);
        bool missed = o->state == ORDER_UNANSWERED;
        if (o->command == ORDER_STOP && (missed || order_is_open(o))) {
            order_say(o, SPAN("the run has ended"));
            enter(o, ORDER_DONE, now);
        } else if (order_is_open(o)) {
            order_say(o, SPAN("the run has ended before it was done"));
            enter(o, ORDER_UNANSWERED, now);
        }
    }
}

/* ---- over a restart ---- */

static enum status restore(struct registry *r, const struct store_audit *row, struct now now)
{
    struct order *o = NULL;
    enum status status = order_read(r, row->entry, &o);
    if (status != OK)
        return status;
    if (o->id != row->id || o->id <= r->orders.last_id || o->session->key != row->session) {
        free(o);
        return E_MALFORMED;
    }
    add(o);
    if (o->state == ORDER_TOLD)
        arm(o, now);
    return OK;
}

enum status orders_restore(struct registry *r, struct store *store, struct now now)
{
    struct store_audit row = {0};
    enum status status;
    while ((status = store->ops->next_audit(store, row.id, &row)) == OK ||
           (status == E_MALFORMED && row.id <= INT64_MAX)) {
        if (status == OK)
            status = restore(r, &row, now);
        if (status == E_MALFORMED)
            log_error("registry", "damaged order passed over id=%llu", (unsigned long long)row.id);
        else if (status != OK)
            return status;
    }
    return status == E_NOT_FOUND || status == E_MALFORMED ? OK : status;
}

/* ---- as JSON ---- */

/* Has it come to nothing, and was it asked again since? */
static bool is_past(const struct session *s, const struct order *o)
{
    if (o->state != ORDER_UNANSWERED)
        return !order_is_open(o);
    for (const struct list *at = o->link.next; at != &s->orders; at = at->next) {
        const struct order *later = LIST_ENTRY(at, const struct order, link);
        if (later->command == o->command && later->trainers > 0 && !later->dry_run)
            return true;
    }
    return session_finished(s);
}

void orders_write_open(const struct session *s, struct buf *out)
{
    bool any = false;
    for (const struct list *at = s->orders.next; at != &s->orders; at = at->next) {
        const struct order *o = LIST_ENTRY(at, const struct order, link);
        if (is_past(s, o))
            continue;
        if (!any) {
            json_write_name(out, "control");
            buf_add_char(out, '[');
        }
        any = true;
        json_write_comma(out);
        order_write(o, out);
    }
    if (any)
        buf_add_char(out, ']');
}

void orders_write_all(const struct session *s, struct buf *out)
{
    buf_add_char(out, '[');
    for (const struct list *at = s->orders.prev; at != &s->orders; at = at->prev) {
        json_write_comma(out);
        order_write(LIST_ENTRY(at, const struct order, link), out);
    }
    buf_add_char(out, ']');
}
