/* SPDX-License-Identifier: MIT */
/*
 * A caller is read a chunk at a time, and not at all while its answers wait or one of its runs has
 * as much in memory as may be: what it can make us keep is bounded by a chunk. Callers share one
 * buffer for it, which is used up within the call. The exception is a `start` that begins a run
 * anew while lines of the old one are on their way: the hub must have those first. The caller then
 * keeps the buffer with what is left in it, and the others get a new one.
 */
#include "streamd/relay/caller.h"

#include "proto/framer.h"
#include "streamd/ingest/refusal.h"
#include "streamd/log.h"
#include "streamd/relay/carrier.h"
#include "streamd/relay/relay.h"
#include "streamd/relay/relay_line.h"
#include "streamd/session/uuid4.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ANSWERS_PAUSE = 64 * 1024,     /* while more wait, nothing is read */
    ANSWERS_MAX = 2 * 1024 * 1024, /* more than a chunk of bad lines is answered with */
    CODE_MAX = 64,
};

struct caller {
    struct list link;    /* in relay.callers */
    struct relay *relay; /* borrows */
    ev_io readable;
    ev_io writable;
    int fd;            /* owns */
    int pid;           /* at the other end; 0: not known */
    uint64_t since_us; /* when it connected */
    struct framer framer;
    struct buf answers;
    struct list attachments;    /* of attachment.of_caller; owned */
    struct attachment *started; /* of the last start: meant by lines without sessionId */
    char *chunk;                /* owns; what it waits in the middle of, else NULL */
    uint64_t line_number;
    bool ending; /* nothing more is read */
    bool broken; /* nothing more can be written */
};

static const struct line_error too_many = {
    "limit", "as many runs are on their way as the relay may have, or it is out of memory", 0};

struct caller *caller_of(struct list *link)
{
    return LIST_ENTRY(link, struct caller, link);
}

/* ---- attachments ---- */

static struct attachment *attachment_at(struct list *link)
{
    return LIST_ENTRY(link, struct attachment, of_caller);
}

static void attachment_destroy(struct attachment *a)
{
    if (a->caller->started == a)
        a->caller->started = NULL;
    list_remove(&a->of_caller);
    list_remove(&a->of_carrier);
    free(a->anew);
    free(a);
}

/* NULL: out of memory. */
static struct attachment *attach(struct caller *c, struct carrier *carrier)
{
    LIST_EACH (at, &c->attachments) {
        if (attachment_at(at)->carrier == carrier)
            return attachment_at(at);
    }
    struct attachment *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    missing_forget(&c->relay->missing, carrier_id(carrier));
    a->caller = c;
    a->carrier = carrier;
    list_add_tail(&c->attachments, &a->of_caller);
    list_add_tail(&carrier->attachments, &a->of_carrier);
    return a;
}

void attachment_tell(struct attachment *a)
{
    struct carrier *c = a->carrier;
    struct buf *answers = &a->caller->answers;
    if (a->anew && backlog_empty(&c->backlog)) {
        (void)carrier_start(c, span_of(a->anew), false);
        free(a->anew);
        a->anew = NULL;
    }
    uint64_t durable = backlog_durable(&c->backlog);
    if (a->waiting && c->placed && !a->anew) {
        line_write_started(answers, carrier_id(c), durable);
        a->waiting = false;
    }
    uint64_t due = durable < a->said ? durable : a->said;
    if (due > a->acked && answers->len < ANSWERS_PAUSE) {
        line_write_ack(answers, carrier_id(c), due);
        a->acked = due;
    }
}

void attachment_control(struct attachment *a, struct span line)
{
    if (!a->started || a->caller->answers.len >= ANSWERS_PAUSE)
        return;
    buf_add_span(&a->caller->answers, line);
    buf_add_char(&a->caller->answers, '\n');
}

void attachment_refused(struct attachment *a, struct span code)
{
    char text[CODE_MAX];
    if (a->caller->answers.len >= ANSWERS_PAUSE)
        return;
    (void)snprintf(text, sizeof(text), "%.*s", (int)code.len, code.len > 0 ? code.ptr : "");
    const struct line_error error = {text, "the hub has refused a line of this session", 0};
    line_write_error(&a->caller->answers, &error, 0);
}

/* ---- lines ---- */

/* The run that it begins or goes on with; NULL: *out_why says why not. */
static struct attachment *start_run(struct caller *c, struct span id, struct span start,
                                    bool resume, const struct line_error **out_why)
{
    struct carrier *carrier = relay_find(c->relay, id);
    bool waits = carrier && !resume && !backlog_empty(&carrier->backlog);
    bool is_new = !carrier;
    if (is_new)
        carrier = relay_add(c->relay, id, start, !resume);
    *out_why = &too_many;
    struct attachment *a = carrier ? attach(c, carrier) : NULL;
    if (!a)
        return NULL;
    *out_why = &refusal_no_memory;
    if (!is_new && !waits && carrier_start(carrier, start, resume))
        return NULL;
    free(a->anew);
    a->anew = waits ? strndup(start.ptr, start.len) : NULL;
    return waits && !a->anew ? NULL : a;
}

static const struct line_error *take_start(struct caller *c, const struct line *line,
                                           struct span text)
{
    const struct line_error *why;
    struct attachment *a = NULL;
    char made[UUID4_BYTES + 1];
    struct span id = line->session_id;
    c->started = NULL; /* after a start that is refused, lines must not count for the run before */
    if (id.len == 0 && !uuid4_write(made))
        return &refusal_no_memory;
    if (id.len == 0)
        id = (struct span){made, UUID4_BYTES};
    struct buf start;
    buf_init(&start, RELAY_START_MAX);
    relay_line_start(&start, id, text);
    why = buf_status(&start) == E_LIMIT ? &refusal_too_long : &refusal_no_memory;
    if (buf_status(&start) == OK)
        a = start_run(c, id, buf_span(&start), line->resume || line->implied, &why);
    buf_fini(&start);
    if (!a)
        return why;
    a->started = a->waiting = true;
    c->started = a;
    attachment_tell(a); /* before what its next lines are answered with, where that may be */
    return NULL;
}

/* The run that the line is of; NULL: none, and *out_why says why. */
static struct attachment *find_run(struct caller *c, const struct line *line,
                                   const struct line_error **out_why)
{
    bool starts =
        line->type == LINE_PROGRESS || line->type == LINE_EPOCH || line->type == LINE_REPORT;
    struct span id = line->session_id;
    if (id.len == 0) {
        *out_why = &refusal_no_session;
        return c->started;
    }
    if (c->started && span_eq(carrier_id(c->started->carrier), id))
        return c->started;
    struct carrier *carrier = starts ? relay_run(c->relay, id, false) : relay_find(c->relay, id);
    *out_why = starts ? &too_many : &refusal_not_started;
    struct attachment *a = carrier ? attach(c, carrier) : NULL;
    if (a && !c->started) {
        c->started = a;
        a->started = true;
    }
    return a;
}

static const struct line_error *take_line(struct caller *c, const struct line *line,
                                          struct span text, struct line_error *error)
{
    const struct line_error *why = NULL;
    struct attachment *a = find_run(c, line, &why);
    if (!a)
        return why;
    if (carrier_take(a->carrier, line, text, error) != OK)
        return error;
    if (line->has_seq)
        a->said = a->carrier->backlog.last_seq;
    return NULL;
}

/* NULL, or why it did nothing. */
static const struct line_error *take(struct caller *c, struct span text, struct line_error *error)
{
    const struct relay_params *params = &c->relay->params;
    struct line line = {.type = LINE_BLANK};
    enum status status = line_decode(params->decoder, text, &line, error);
    if (status == OK && line.type == LINE_BLANK)
        return NULL;
    params->stats->lines_received++;
    if (status != OK)
        return status == E_NOMEM ? &refusal_no_memory : error;
    if (line.type == LINE_START)
        return take_start(c, &line, text);
    if (line.type != LINE_PING)
        return take_line(c, &line, text, error);
    line_write_pong(&c->answers);
    return NULL;
}

static void refuse(struct caller *c, const struct line_error *why)
{
    c->relay->params.stats->lines_rejected++;
    line_write_error(&c->answers, why, c->line_number);
}

static bool waits_to_begin(const struct caller *c)
{
    return c->started && c->started->anew;
}

/* The lines of the chunk at hand, to its end or to one that has to wait. */
static void take_lines(struct caller *c)
{
    while (!waits_to_begin(c)) {
        struct span text;
        struct line_error error;
        enum framer_result result = framer_next(&c->framer, &text);
        if (result == FRAMER_NEED_MORE) {
            free(c->chunk);
            c->chunk = NULL;
            return;
        }
        c->line_number++;
        const struct line_error *why = result == FRAMER_LINE       ? take(c, text, &error)
                                       : result == FRAMER_TOO_LONG ? &refusal_too_long
                                                                   : &refusal_no_memory;
        if (why)
            refuse(c, why);
        /* What comes behind one that found no memory would be acknowledged for it, too. */
        if (result != FRAMER_LINE || (why && why->code == refusal_no_memory.code)) {
            c->ending = true;
            return;
        }
    }
    if (!c->chunk) {
        c->chunk = c->relay->chunk;
        c->relay->chunk = NULL;
    }
}

void caller_resume(struct caller *c)
{
    if (c->chunk && !c->ending)
        take_lines(c);
}

/* ---- the connection ---- */

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct caller *c = LIST_ENTRY(watcher, struct caller, readable);
    (void)loop;
    (void)events;
    if (!c->relay->chunk && !(c->relay->chunk = malloc(RELAY_CHUNK_BYTES))) {
        c->broken = true;
        return;
    }
    ssize_t n = read(c->fd, c->relay->chunk, RELAY_CHUNK_BYTES);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        c->ending = true;
        return;
    }
    framer_push(&c->framer, (struct span){c->relay->chunk, (size_t)n});
    take_lines(c);
}

/* Its turn writes. */
static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

static void write_answers(struct caller *c)
{
    c->broken = c->broken || buf_status(&c->answers) != OK;
    if (c->broken || c->answers.len == 0)
        return;
    ssize_t n = send(c->fd, c->answers.ptr, c->answers.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        buf_consume(&c->answers, (size_t)n);
    else if (errno != EAGAIN && errno != EINTR)
        c->broken = true;
}

/* Who has said his last word may still hear that it is safe. */
static bool awaits_acks(const struct caller *c)
{
    LIST_EACH (at, &c->attachments) {
        const struct attachment *a = attachment_at(at);
        if (a->said > a->acked)
            return true;
    }
    return false;
}

static bool held_up(const struct caller *c)
{
    LIST_EACH (at, &c->attachments) {
        if (carrier_full(attachment_at(at)->carrier))
            return true;
    }
    return c->answers.len >= ANSWERS_PAUSE || c->chunk;
}

static void watch(struct caller *c, ev_io *watcher, bool wanted)
{
    if (wanted)
        ev_io_start(c->relay->loop, watcher);
    else
        ev_io_stop(c->relay->loop, watcher);
}

bool caller_turn(struct caller *c)
{
    write_answers(c);
    bool over = c->ending && c->answers.len == 0 && !awaits_acks(c) && !waits_to_begin(c);
    if (c->broken || over)
        return false;
    watch(c, &c->readable, !c->ending && !held_up(c));
    watch(c, &c->writable, c->answers.len > 0);
    return true;
}

void caller_end(struct caller *c)
{
    c->ending = true;
}

bool caller_create(struct relay *r, int fd, int pid)
{
    struct caller *c = calloc(1, sizeof(*c));
    if (!c) {
        (void)close(fd);
        return false;
    }
    c->relay = r;
    c->fd = fd;
    c->pid = pid;
    c->since_us = r->params.now->us;
    framer_init(&c->framer, r->params.config->max_line);
    buf_init(&c->answers, ANSWERS_MAX);
    list_init(&c->attachments);
    ev_io_init(&c->readable, on_readable, fd, EV_READ);
    ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
    list_add_tail(&r->callers, &c->link);
    r->params.stats->trainers++;
    return true;
}

/* Does nobody else here speak of the run? */
static bool is_only(const struct attachment *a)
{
    const struct list *all = &a->carrier->attachments;
    return all->next == &a->of_carrier && all->prev == &a->of_carrier;
}

/* Who had time to start a run and does not end it may come back, or may have died. */
static void miss(struct caller *c)
{
    const struct attachment *a = c->started;
    uint64_t now_us = c->relay->params.now->us;
    if (a && is_only(a) && !a->carrier->ended && now_us - c->since_us >= ORPHAN_LIVED_US)
        missing_add(&c->relay->missing, carrier_id(a->carrier), c->pid);
}

void caller_destroy(struct caller *c)
{
    miss(c);
    LIST_EACH_SAFE (at, &c->attachments) {
        attachment_destroy(attachment_at(at));
    }
    ev_io_stop(c->relay->loop, &c->readable);
    ev_io_stop(c->relay->loop, &c->writable);
    (void)close(c->fd);
    list_remove(&c->link);
    c->relay->params.stats->trainers--;
    framer_fini(&c->framer);
    buf_fini(&c->answers);
    free(c->chunk);
    free(c);
}
