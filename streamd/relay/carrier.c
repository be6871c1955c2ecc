/* SPDX-License-Identifier: MIT */
/*
 * Nothing is sent before `started` has said where the hub stands: so what is sent again after a
 * lost connection begins just there, and the hub drops what it has.
 *
 * A hub that acknowledges nothing for PATIENCE_US is taken for hung; but when all that it has not
 * acknowledged are lines that it refused, they are given up: it will never want them.
 */
#include "streamd/relay/carrier.h"

#include "clients/c/answer.h"
#include "clients/c/leftover.h"
#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/relay/caller.h"
#include "streamd/relay/relay.h"
#include "streamd/relay/relay_line.h"
#include "streamd/relay/tunnel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    KEEP_US = 100 * 1000,          /* how long lines wait in memory for a hub that is away */
    KEEP_AGAIN_US = 1000 * 1000,   /* for a disk that takes none */
    OPENING_US = 12 * 1000 * 1000, /* for a tunnel and `started`; a tunnel has its own limits */
    PATIENCE_US = 5 * 1000 * 1000,
    AT_ONCE_US = 100 * 1000,
    RETRY_US = 1000 * 1000, /* doubled with each failure */
    RETRY_MAX_US = 5 * 1000 * 1000,
    FULL_BYTES = 2 * RELAY_MEMORY_MAX,
};

static uint64_t now_us(const struct carrier *c)
{
    return c->relay->params.now->us;
}

static void arm(struct carrier *c, struct timer *timer, uint64_t delay_us)
{
    if (timers_arm(c->relay->params.timers, timer, now_us(c) + delay_us) != OK)
        c->relay->params.stats->errors++; /* memory for a pointer; the next turn tries again */
}

struct span carrier_id(const struct carrier *c)
{
    return span_of(c->id);
}

/* ---- the connection ---- */

void carrier_hang_up(struct carrier *c)
{
    ev_io_stop(c->relay->loop, &c->readable);
    ev_io_stop(c->relay->loop, &c->writable);
    timers_disarm(c->relay->params.timers, &c->attempt);
    link_close(&c->uplink);
    backlog_rewind(&c->backlog);
    c->state = CARRIER_AWAY;
}

static uint64_t next_delay_us(const struct carrier *c)
{
    if (c->failures == 0)
        return AT_ONCE_US;
    uint64_t delay_us = (uint64_t)RETRY_US << (c->failures < 4 ? c->failures - 1 : 3);
    /* Some more, so that a hundred runs do not come back in the same millisecond. */
    return (delay_us < RETRY_MAX_US ? delay_us : RETRY_MAX_US) + now_us(c) % (2ULL * AT_ONCE_US);
}

static void lose(struct carrier *c)
{
    bool was_up = c->state == CARRIER_UP;
    carrier_hang_up(c);
    c->failures = was_up ? 0 : c->failures + 1;
    c->relay->params.stats->hub_losses++;
    relay_note_hub(c->relay, false, was_up);
    arm(c, &c->attempt, next_delay_us(c));
}

static void write_start(struct carrier *c)
{
    buf_add_span(&c->uplink.out, buf_span(&c->start));
    json_write_pair_bool(&c->uplink.out, "resume", !c->anew);
    buf_add_str(&c->uplink.out, "}\n");
}

static void open_tunnel(struct carrier *c)
{
    int fd = tunnel_open(c->relay->params.hub);
    c->state = CARRIER_OPENING;
    if (fd < 0) {
        upstream_note(c->relay->params.hub, "no thread, memory or descriptor for a connection");
        lose(c);
        return;
    }
    link_adopt(&c->uplink, fd);
    ev_io_set(&c->readable, fd, EV_READ);
    ev_io_set(&c->writable, fd, EV_WRITE);
    ev_io_start(c->relay->loop, &c->readable);
    write_start(c);
    arm(c, &c->attempt, OPENING_US);
}

/* The hub has not acknowledged anything for long. */
static void lose_patience(struct carrier *c)
{
    if (c->backlog.under_way == 0)
        return;
    if (now_us(c) - c->heard_us < PATIENCE_US) {
        arm(c, &c->attempt, c->heard_us + PATIENCE_US - now_us(c));
        return;
    }
    if (c->refused < backlog_lines(&c->backlog)) {
        upstream_note(c->relay->params.hub, "the hub acknowledges nothing");
        lose(c);
        return;
    }
    log_error("relay", "given up run=%s lines=%zu why=\"the hub refused them\", ignoring", c->id,
              backlog_give_up(&c->backlog));
    c->refused = 0;
}

/* The tunnel has limits of its own, and its own words for them. */
static void lose_opening(struct carrier *c)
{
    upstream_note(c->relay->params.hub, "the hub does not say where the run stands");
    lose(c);
}

static void on_attempt(struct timer *timer, uint64_t due_us)
{
    struct carrier *c = LIST_ENTRY(timer, struct carrier, attempt);
    (void)due_us;
    if (c->state == CARRIER_AWAY)
        open_tunnel(c);
    else if (c->state == CARRIER_OPENING)
        lose_opening(c);
    else
        lose_patience(c);
}

void carrier_hurry(struct carrier *c)
{
    if (c->state == CARRIER_AWAY)
        arm(c, &c->attempt, 0);
}

/* ---- what the hub says ---- */

/* Of a run that it was only asked of, it says so always; of another when it is no training. */
static void learn_job(struct carrier *c, struct span type)
{
    if (type.len > 0)
        c->job = span_is(type, "training") ? JOB_TRAINING : JOB_OTHER;
    else if (c->job != JOB_OTHER)
        c->job = c->implied ? JOB_NONE : JOB_TRAINING;
}

static void on_started(struct carrier *c, uint64_t last_seq)
{
    if (c->anew && !spool_begun(&c->backlog.spool))
        log_warn("relay", "run=%s may be begun anew once more if the relay is killed, ignoring",
                 c->id);
    c->anew = false;
    if (!c->placed && c->numbers == NUMBERS_OURS)
        backlog_learn(&c->backlog, last_seq);
    c->backlog.spool.known = c->placed = c->introduced = true;
    c->state = CARRIER_UP;
    c->failures = 0;
    c->refused = 0;
    c->heard_us = now_us(c);
    backlog_ack(&c->backlog, last_seq);
    backlog_rewind(&c->backlog);
    timers_disarm(c->relay->params.timers, &c->attempt);
    relay_note_hub(c->relay, true, false);
}

static void on_control(struct carrier *c, struct span line)
{
    LIST_EACH (at, &c->attachments)
        attachment_control(LIST_ENTRY(at, struct attachment, of_carrier), line);
}

/* A line was refused. False when the connection is of no use any more. */
static bool on_error(struct carrier *c, struct span code)
{
    /* It has missed a `start` that was said, or wants all again that it could not keep. */
    bool missed = span_is(code, "session_finished") && !c->ended && !c->implied;
    bool again = span_is(code, "resend") || missed;
    if (c->state != CARRIER_UP || again) {
        struct log_text text;
        char why[UPSTREAM_WHY_MAX];
        (void)snprintf(why, sizeof(why), "the hub refuses with %s", log_quoted(&text, code));
        upstream_note(c->relay->params.hub, why);
        return false;
    }
    if (c->refused++ == 0) {
        struct log_text text;
        log_warn("relay", "refused run=%s code=%s, ignoring", c->id, log_quoted(&text, code));
    }
    LIST_EACH (at, &c->attachments)
        attachment_refused(LIST_ENTRY(at, struct attachment, of_carrier), code);
    return true;
}

/* False when the connection is of no use any more. */
static bool hear(struct carrier *c, struct span line)
{
    struct answer a;
    if (!answer_decode(line, &a) || (a.session_id.ptr && !span_is(a.session_id, c->id)))
        return true;
    if (span_is(a.type, "started"))
        learn_job(c, a.operation_type);
    if (span_is(a.type, "started") && c->state == CARRIER_OPENING) {
        on_started(c, a.last_seq);
    } else if (span_is(a.type, "ack") && c->state == CARRIER_UP) {
        backlog_ack(&c->backlog, a.seq);
        c->heard_us = now_us(c);
        c->refused = 0;
    } else if (span_is(a.type, "control")) {
        on_control(c, line);
    } else if (span_is(a.type, "error")) {
        return on_error(c, a.code);
    }
    return true;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct carrier *c = LIST_ENTRY(watcher, struct carrier, readable);
    struct span line;
    (void)loop;
    (void)events;
    bool alive = link_receive(&c->uplink);
    while (alive && link_next(&c->uplink, &line))
        alive = hear(c, line);
    if (!alive)
        lose(c);
}

/* The wake-up is all that is wanted: its turn writes. */
static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

/* ---- the disk ---- */

bool carrier_keep(struct carrier *c)
{
    return backlog_keep(&c->backlog, now_us(c));
}

static void on_keep(struct timer *timer, uint64_t due_us)
{
    struct carrier *c = LIST_ENTRY(timer, struct carrier, keep);
    (void)due_us;
    if (c->state == CARRIER_UP || carrier_keep(c))
        return;
    log_error("relay", "spool full or failing run=%s lines=%zu errors=%llu, retrying", c->id,
              c->backlog.count, (unsigned long long)c->backlog.spool.errors);
    arm(c, &c->keep, KEEP_AGAIN_US);
}

bool carrier_full(const struct carrier *c)
{
    return c->backlog.bytes >= FULL_BYTES;
}

static void keep_in_time(struct carrier *c)
{
    size_t lost = backlog_take_lost(&c->backlog);
    if (lost > 0)
        log_error("relay", "spool damaged run=%s lines=%zu, ignoring", c->id, lost);
    if (timer_armed(&c->keep) || c->backlog.count == 0)
        return;
    if (c->state != CARRIER_UP)
        arm(c, &c->keep, KEEP_US);
    else if (c->backlog.bytes > RELAY_MEMORY_MAX && !carrier_keep(c))
        arm(c, &c->keep, KEEP_AGAIN_US);
}

/* ---- its turn ---- */

static void send_lines(struct carrier *c)
{
    bool idle = c->backlog.under_way == 0;
    do {
        if (!link_flush(&c->uplink)) {
            lose(c);
            return;
        }
    } while (c->uplink.out.len == 0 && c->state == CARRIER_UP &&
             backlog_next(&c->backlog, &c->uplink.out));
    if (c->uplink.out.len > 0)
        ev_io_start(c->relay->loop, &c->writable);
    else
        ev_io_stop(c->relay->loop, &c->writable);
    if (c->backlog.under_way == 0)
        return;
    if (idle)
        c->heard_us = now_us(c);
    if (!timer_armed(&c->attempt))
        arm(c, &c->attempt, PATIENCE_US);
}

void carrier_turn(struct carrier *c)
{
    if (c->state == CARRIER_AWAY && !timer_armed(&c->attempt))
        arm(c, &c->attempt, 0);
    if (c->state != CARRIER_AWAY)
        send_lines(c);
    keep_in_time(c);
    LIST_EACH (at, &c->attachments)
        attachment_tell(LIST_ENTRY(at, struct attachment, of_carrier));
}

bool carrier_is_done(const struct carrier *c)
{
    return list_empty(&c->attachments) && backlog_empty(&c->backlog) && c->introduced &&
           c->uplink.out.len == 0;
}

/* ---- its life ---- */

static struct carrier *create(struct relay *r, struct span id, struct span start)
{
    struct carrier *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->relay = r;
    (void)snprintf(c->id, sizeof(c->id), "%.*s", (int)id.len, id.ptr);
    list_init(&c->attachments);
    timer_init(&c->attempt, on_attempt);
    timer_init(&c->keep, on_keep);
    link_init(&c->uplink, "", &r->fork_lock);
    ev_io_init(&c->readable, on_readable, -1, EV_READ);
    ev_io_init(&c->writable, on_writable, -1, EV_WRITE);
    buf_init(&c->start, LINE_BYTES_MAX);
    buf_add_span(&c->start, start);
    c->implied = relay_line_is_implied(start);
    backlog_init(&c->backlog, &(struct spool_params){.session_id = span_of(c->id),
                                                     .start = buf_span(&c->start),
                                                     .to = r->params.to,
                                                     .folder = r->params.folder,
                                                     .max_bytes = r->params.spool_bytes,
                                                     .fork_lock = &r->fork_lock});
    list_add_tail(&r->carriers, &c->link);
    r->params.stats->relayed_runs++;
    if (buf_status(&c->start) == OK && strmap_put(&r->by_id, id, c) == OK)
        return c;
    carrier_destroy(c);
    return NULL;
}

struct carrier *carrier_create(struct relay *r, struct span id, struct span start, bool anew)
{
    struct carrier *c = create(r, id, start);
    if (c)
        c->anew = c->placed = c->backlog.spool.params.anew = c->backlog.spool.known = anew;
    return c;
}

struct carrier *carrier_reopen(struct relay *r, struct leftover *from)
{
    struct span header = buf_span(&from->start);
    struct span start;
    bool anew;
    if (!relay_line_restore(header, &start, &anew))
        return NULL;
    struct carrier *c = create(r, span_of(from->session), start);
    if (!c)
        return NULL;
    if (!backlog_reopen(&c->backlog, from)) {
        carrier_destroy(c);
        return NULL;
    }
    c->anew = c->backlog.spool.params.anew = anew;
    c->placed = c->backlog.spool.known;
    c->numbers = c->backlog.spool.relative ? NUMBERS_OURS : NUMBERS_NONE;
    return c;
}

void carrier_destroy(struct carrier *c)
{
    assert(list_empty(&c->attachments));
    carrier_hang_up(c);
    timers_disarm(c->relay->params.timers, &c->attempt);
    timers_disarm(c->relay->params.timers, &c->keep);
    (void)strmap_take(&c->relay->by_id, span_of(c->id));
    c->relay->params.stats->relayed_runs--;
    list_remove(&c->link);
    link_fini(&c->uplink);
    backlog_fini(&c->backlog);
    buf_fini(&c->start);
    free(c);
}
