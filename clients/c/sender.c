/* SPDX-License-Identifier: MIT */
/*
 *     AWAY --connected, `start` written--> OPENING --`started`--> UP
 *      ^                                      |                   |
 *      +------------- lost: back off <--------+-------------------+
 *
 * Nothing is sent before `started` has said where the daemon stands. A line stays an entry until it
 * is written, and is encoded again if it has to be sent again: what the queue gave up was never
 * encoded, and what waits for its acknowledgement takes no second copy.
 *
 * Under steady logging the thread looks by itself every FLUSH_US, which saves the training a system
 * call a line; only after a quiet second does it sleep until woken. It has all signals blocked.
 */
#include "clients/c/sender.h"

#include "clients/c/answer.h"
#include "proto/json_text.h"
#include "proto/json_write.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum {
    FLUSH_US = 50 * 1000,          /* how long lines gather while the training logs steadily */
    QUIET_US = 1000 * 1000,        /* without a line for so long, sleep until woken */
    IDLE_US = 60 * 1000 * 1000,    /* and look around all the same */
    STARTED_US = 5 * 1000 * 1000,  /* for a daemon that connects and does not answer `start` */
    BACKOFF_FIRST_US = 100 * 1000, /* the ceiling of the first wait for another attempt */
    BACKOFF_LAST_US = 5000 * 1000, /* and of the last */
    BATCH_BYTES = 64 * 1024,       /* written at once */
    CONTROL_BYTES_MAX = 4096,
};

static uint64_t monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void sender_init(struct sender *s, const struct sender_params *params)
{
    *s = (struct sender){
        .params = *params, .ceiling_us = BACKOFF_FIRST_US, .jitter = params->jitter_seed};
    link_init(&s->link, params->socket_path);
    list_init(&s->sent);
    s->unwritten = &s->sent;
    buf_init(&s->line, LINE_BYTES_MAX);
}

void sender_drop(struct sender *s, size_t lines)
{
    if (lines > 0)
        atomic_fetch_add_explicit(&s->dropped, lines, memory_order_relaxed);
}

void sender_finish(struct sender *s, uint64_t within_us)
{
    atomic_store(&s->finish_by_us, monotonic_us() + within_us);
    queue_wake(s->params.queue);
}

/* ---- the lines under way ---- */

static void forget(struct sender *s, struct entry *e)
{
    if (s->unwritten == &e->link)
        s->unwritten = e->link.next;
    s->sent_bytes -= e->bytes;
    list_remove(&e->link);
    free(e);
}

static struct entry *entry_at(struct list *link)
{
    return LIST_ENTRY(link, struct entry, link);
}

/* The daemon has everything up to `seq`. */
static void retire(struct sender *s, uint64_t seq)
{
    LIST_EACH_SAFE (at, &s->sent) {
        if (entry_at(at)->seq > seq)
            return;
        forget(s, entry_at(at));
    }
}

size_t sender_fini(struct sender *s)
{
    size_t left = 0;
    LIST_EACH_SAFE (at, &s->sent) {
        forget(s, entry_at(at));
        left++;
    }
    buf_fini(&s->line);
    link_fini(&s->link);
    return left;
}

/* Takes the next line out of the queue and numbers it. False: there is none, or no room for it. */
static bool number_next(struct sender *s, uint64_t now_us)
{
    struct entry *e = s->sent_bytes < s->params.max_sent_bytes ? queue_take(s->params.queue) : NULL;
    if (!e)
        return false;
    s->took_at_us = now_us;
    s->sent_bytes += e->bytes;
    e->seq = ++s->last_seq;
    list_add_tail(&s->sent, &e->link);
    s->unwritten = &e->link;
    return true;
}

static void append_line(struct sender *s, struct entry *e)
{
    if (!entry_write(e, s->params.session_id, &s->line)) {
        forget(s, e);
        sender_drop(s, 1);
        return;
    }
    buf_add_span(&s->link.out, buf_span(&s->line));
    buf_add_char(&s->link.out, '\n');
}

/* Gives the link the next lines; false when there are none. */
static bool append_batch(struct sender *s, uint64_t now_us)
{
    while (s->link.out.len < BATCH_BYTES) {
        if (s->unwritten == &s->sent && !number_next(s, now_us))
            break;
        struct entry *e = entry_at(s->unwritten);
        s->unwritten = e->link.next;
        append_line(s, e);
    }
    return s->link.out.len > 0;
}

/* ---- the connection ---- */

/* Drawn from the upper half below a ceiling that doubles: a hundred trainers that lost one daemon
 * do not come back in the same millisecond. */
static uint64_t next_delay_us(struct sender *s)
{
    s->jitter = s->jitter * 6364136223846793005U + 1442695040888963407U;
    uint64_t half = s->ceiling_us / 2;
    s->ceiling_us = s->ceiling_us < BACKOFF_LAST_US / 2 ? s->ceiling_us * 2 : BACKOFF_LAST_US;
    return half + (s->jitter >> 33) % half;
}

static void lose(struct sender *s, uint64_t now_us)
{
    link_close(&s->link);
    atomic_store(&s->connected, false);
    s->unwritten = s->sent.next;
    s->state = SENDER_AWAY;
    s->retry_at_us = now_us + next_delay_us(s);
}

static void open_and_start(struct sender *s, uint64_t now_us)
{
    if (!link_open(&s->link)) {
        lose(s, now_us);
        return;
    }
    buf_add_span(&s->link.out, s->params.start);
    json_write_pair_bool(&s->link.out, "resume", s->params.resume);
    buf_add_str(&s->link.out, "}\n");
    s->params.resume = true; /* from here on the session may exist */
    s->state = SENDER_OPENING;
    s->started_by_us = now_us + STARTED_US;
}

/* Writes until there is nothing to write or the daemon takes no more. */
static void write_lines(struct sender *s, uint64_t now_us)
{
    if (s->state == SENDER_AWAY)
        return;
    do {
        if (!link_flush(&s->link)) {
            lose(s, now_us);
            return;
        }
    } while (s->link.out.len == 0 && s->state == SENDER_UP && append_batch(s, now_us));
}

/* ---- what the daemon says ---- */

static void on_started(struct sender *s, uint64_t last_seq)
{
    if (s->last_seq < last_seq)
        s->last_seq = last_seq; /* an earlier process of this run came so far */
    if (!list_empty(&s->sent)) {
        struct entry *last = entry_at(s->sent.prev);
        if (entry_ends_run(last) && last->seq <= last_seq)
            last->seq = ++s->last_seq; /* `start` took the session up again: say its end again */
    }
    retire(s, last_seq);
    s->unwritten = s->sent.next;
    s->state = SENDER_UP;
    s->known = true;
    s->ceiling_us = BACKOFF_FIRST_US;
    atomic_store(&s->connected, true);
}

static void on_control(struct sender *s, const struct answer *a)
{
    if (span_is(a->command, "stop"))
        atomic_store(&s->should_stop, true);
    else if (span_is(a->command, "pause"))
        atomic_store(&s->paused, true);
    else if (span_is(a->command, "resume"))
        atomic_store(&s->paused, false);
    if (!s->params.on_control)
        return;
    struct buf text;
    buf_init(&text, CONTROL_BYTES_MAX);
    json_unescape(a->command, &text);
    buf_add_char(&text, '\0');
    size_t reason = text.len;
    json_unescape(a->reason, &text);
    buf_add_char(&text, '\0');
    if (buf_status(&text) == OK)
        s->params.on_control(s->params.control_context, text.ptr, text.ptr + reason);
    buf_fini(&text);
}

/* False when the connection is of no use any more. */
static bool hear(struct sender *s, struct span line)
{
    struct answer a;
    if (!answer_decode(line, &a) ||
        (a.session_id.ptr && !span_eq(a.session_id, s->params.session_id)))
        return true;
    bool up = s->state == SENDER_UP;
    if (span_is(a.type, "error"))
        sender_drop(s, up);
    if (span_is(a.type, "error") && !up)
        return false;
    if (span_is(a.type, "started") && !up)
        on_started(s, a.last_seq);
    else if (span_is(a.type, "ack") && up)
        retire(s, a.seq);
    else if (span_is(a.type, "control"))
        on_control(s, &a);
    return true;
}

static void hear_all(struct sender *s)
{
    struct span line;
    bool alive = link_receive(&s->link);
    while (alive && link_next(&s->link, &line))
        alive = hear(s, line);
    if (!alive)
        lose(s, monotonic_us());
}

/* ---- the thread ---- */

/* It deserves one attempt to connect, however long the wait was to be. */
static void notice_finish(struct sender *s, uint64_t now_us)
{
    if (s->finishing || !atomic_load(&s->finish_by_us))
        return;
    s->finishing = true;
    s->retry_at_us = now_us;
}

/* Has the run ended, and has the daemon everything or is there no use in waiting? */
static bool is_over(struct sender *s, uint64_t now_us)
{
    if (!s->finishing)
        return false;
    if (now_us >= atomic_load(&s->finish_by_us))
        return true;
    if (s->state == SENDER_AWAY)
        return !s->known;
    return s->state == SENDER_UP && list_empty(&s->sent) && queue_empty(s->params.queue);
}

/* When to look around again although nothing happens. */
static uint64_t sleep_until_us(struct sender *s, uint64_t now_us)
{
    uint64_t until = s->state == SENDER_AWAY ? s->retry_at_us : s->started_by_us;
    if (s->state == SENDER_UP) {
        bool stuck = s->link.out.len > 0;
        bool quiet = now_us - s->took_at_us >= QUIET_US && queue_sleep(s->params.queue);
        until = now_us + (stuck || quiet ? IDLE_US : FLUSH_US);
    }
    uint64_t finish_by = atomic_load(&s->finish_by_us);
    return s->finishing && finish_by < until ? finish_by : until;
}

static void sleep_and_hear(struct sender *s, uint64_t now_us)
{
    uint64_t until_us = sleep_until_us(s, now_us);
    int timeout_ms = until_us > now_us ? (int)((until_us - now_us + 999) / 1000) : 0;
    struct pollfd fds[] = {
        {.fd = s->params.queue->wake_fd, .events = POLLIN},
        {.fd = s->link.fd, .events = (short)(s->link.out.len > 0 ? POLLIN | POLLOUT : POLLIN)},
    };
    (void)poll(fds, 2, timeout_ms);
    queue_woken(s->params.queue);
    if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
        hear_all(s);
}

void *sender_main(void *sender)
{
    struct sender *s = sender;
    for (;;) {
        uint64_t now_us = monotonic_us();
        notice_finish(s, now_us);
        if (s->state == SENDER_AWAY && now_us >= s->retry_at_us)
            open_and_start(s, now_us);
        if (s->state == SENDER_OPENING && now_us >= s->started_by_us)
            lose(s, now_us);
        write_lines(s, now_us);
        if (is_over(s, now_us))
            break;
        sleep_and_hear(s, now_us);
    }
    link_close(&s->link);
    return NULL;
}
