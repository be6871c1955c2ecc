/* SPDX-License-Identifier: MIT */
/*
 *     AWAY --connected, `start` written--> OPENING --`started`--> UP
 *      ^                                      |                   |
 *      +------------- lost: back off <--------+-------------------+
 *
 * Nothing is sent before `started` has said where the daemon stands, and nothing of a resumed run
 * before what its session has left in the spool folder.
 *
 * Under steady logging the thread looks by itself every FLUSH_US, which saves the training a system
 * call a line; only after a quiet second does it sleep until woken. It has all signals blocked.
 */
#include "clients/c/sender.h"

#include "clients/c/answer.h"
#include "proto/json_text.h"
#include "proto/json_write.h"

#include <poll.h>
#include <time.h>

enum {
    BESIDE_US = 10 * 1000,         /* while an earlier file is being sent, a bit each turn */
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
    (void)pthread_mutex_init(&s->fork_lock, NULL);
    link_init(&s->link, params->socket_path, &s->fork_lock);
    const struct window_params window = {
        .queue = params->queue,
        .max_bytes = params->max_sent_bytes,
        .spool = {.session_id = params->session_id,
                  .start = params->start,
                  .to = params->socket_path,
                  .folder = params->spool_folder,
                  .max_bytes = params->spool_bytes,
                  .last_bytes = params->last_bytes,
                  .fresh = params->fresh,
                  .fork_lock = &s->fork_lock},
    };
    window_init(&s->window, &window);
    const struct courier_params courier = {.folder = params->spool_folder,
                                           .session_id = params->session_id,
                                           .to = params->socket_path,
                                           .fork_lock = &s->fork_lock};
    courier_init(&s->courier, &courier);
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

size_t sender_fini(struct sender *s)
{
    size_t left = window_fini(&s->window);
    courier_fini(&s->courier);
    link_fini(&s->link);
    (void)pthread_mutex_destroy(&s->fork_lock);
    return left;
}

void sender_before_fork(struct sender *s)
{
    (void)pthread_mutex_lock(&s->fork_lock);
}

void sender_after_fork(struct sender *s)
{
    (void)pthread_mutex_unlock(&s->fork_lock);
}

void sender_abandon(struct sender *s)
{
    link_abandon(&s->link);
    spool_abandon(&s->window.spool);
    courier_abandon(&s->courier);
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
    window_rewind(&s->window);
    s->carrying = false;
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

/* What an earlier process of this run has left goes first. */
static void open_in_turn(struct sender *s, uint64_t now_us)
{
    enum courier_result result =
        s->known ? COURIER_DONE : courier_before(&s->courier, s->window.spool.path, now_us);
    s->carrying = result == COURIER_GOES_ON;
    if (result == COURIER_WAIT)
        lose(s, now_us);
    else if (result == COURIER_DONE)
        open_and_start(s, now_us);
}

/* What the window could not keep. */
static void count_losses(struct sender *s)
{
    sender_drop(s, window_given_up(&s->window));
    atomic_store_explicit(&s->spool_errors, s->window.spool.errors, memory_order_relaxed);
}

/* The next lines for the link; false when there are none. */
static bool append_batch(struct sender *s, uint64_t now_us)
{
    uint64_t before = s->window.last_seq;
    size_t answers = s->link.out.len;
    told_take(s->params.told, &s->link.out);
    if (s->link.out.len > answers)
        return true;
    bool any = window_write(&s->window, &s->link.out, BATCH_BYTES);
    if (s->window.last_seq != before)
        s->took_at_us = now_us;
    count_losses(s);
    return any;
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
    if (!s->known)
        window_begin(&s->window, last_seq); /* an earlier process of this run came so far */
    window_repeat_end(&s->window, last_seq);
    window_ack(&s->window, last_seq);
    window_rewind(&s->window);
    courier_begin(&s->courier);
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
    told_hear(s->params.told, a, s->params.on_control != NULL);
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
    if (span_is(a.type, "error")) {
        if (!up || span_is(a.code, "resend"))
            return false; /* the daemon wants all again that it could not keep */
        bool late = span_is(a.code, "unknown_order") || span_is(a.code, "answered");
        sender_drop(s, late ? 0 : 1); /* an answer is no line of the run */
    }
    if (span_is(a.type, "started") && !up)
        on_started(s, a.last_seq);
    else if (span_is(a.type, "ack") && up)
        window_ack(&s->window, a.seq);
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
    return s->state == SENDER_UP && !s->carrying && window_empty(&s->window) &&
           queue_empty(s->params.queue) && !told_wait(s->params.told);
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
    if (s->carrying && until > now_us + BESIDE_US)
        until = now_us + BESIDE_US;
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

static void work(struct sender *s, uint64_t now_us)
{
    notice_finish(s, now_us);
    if (s->state == SENDER_AWAY && (s->carrying || now_us >= s->retry_at_us))
        open_in_turn(s, now_us);
    if (s->state == SENDER_OPENING && now_us >= s->started_by_us)
        lose(s, now_us);
    write_lines(s, now_us);
    if (s->state == SENDER_UP)
        s->carrying = courier_beside(&s->courier, now_us) == COURIER_GOES_ON;
    window_relieve(&s->window, now_us);
}

void *sender_main(void *sender)
{
    struct sender *s = sender;
    for (;;) {
        uint64_t now_us = monotonic_us();
        work(s, now_us);
        count_losses(s);
        if (is_over(s, now_us))
            break;
        sleep_and_hear(s, now_us);
    }
    link_close(&s->link);
    courier_stop(&s->courier);
    window_keep(&s->window, monotonic_us());
    count_losses(s);
    return NULL;
}
