/* SPDX-License-Identifier: MIT */
/*
 * All trainers share one read buffer, since a chunk is used up within the call that read it. The
 * exception is a trainer that must be paused in the middle of a chunk, because its answers have
 * grown past the limit (a flood of bad lines does that): it keeps the buffer with what is left in
 * it, and the others get a new one. So an idle trainer costs no buffer, and a paused one a chunk
 * and its answers.
 *
 * Whatever happened, `trainer_settle` brings the watchers in line with the state and ends who is to
 * end; it is the last thing a callback does with a trainer.
 */
#include "streamd/ingest/trainer.h"

#include "proto/framer.h"
#include "streamd/ingest/refusal.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 64 * 1024,
    CHUNKS_A_WAKEUP = 4,
    RESUME_BELOW = TRAINER_ANSWERS_MAX / 2,
    ANSWERS_SLACK = 16 * 1024, /* more than any one answer is long */
};

struct trainer {
    ev_io in;
    ev_io out;
    struct list link;     /* in trainers.all */
    struct trainers *all; /* borrows */
    int fd;               /* owns */
    int pid;              /* at the other end; 0: not known */
    uint64_t since_us;    /* when it connected */
    struct framer framer;
    struct intake intake;
    struct buf answers;
    char *chunk;       /* owns; what it was paused in the middle of, else NULL */
    bool may_be_guest; /* no line has come yet */
    bool paused;       /* until its answers have drained */
    bool ending;       /* nothing more is read */
    bool deaf;         /* gone, or reads no more: what it said before is still to be taken */
    bool broken;       /* nothing more can be read, or is to be */
};

struct trainer *trainer_of(struct list *link)
{
    return LIST_ENTRY(link, struct trainer, link);
}

static void write_answers(struct trainer *t)
{
    if (buf_status(&t->answers) != OK)
        t->broken = true;
    if (t->broken || t->answers.len == 0)
        return;
    if (t->deaf) {
        buf_reset(&t->answers);
        return;
    }
    ssize_t n = send(t->fd, t->answers.ptr, t->answers.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0)
        buf_consume(&t->answers, (size_t)n);
    else if (errno != EAGAIN && errno != EINTR) {
        t->deaf = true;
        buf_reset(&t->answers);
    }
}

static void pause_reading(struct trainer *t)
{
    t->paused = true;
    if (t->chunk)
        return;
    t->chunk = t->all->chunk;
    t->all->chunk = NULL;
}

/* A line was refused behind which nothing is read. */
static void end_badly(struct trainer *t)
{
    intake_ack(&t->intake);
    t->ending = true;
}

/* Was that the first line of somebody who is no trainer, and has its connection now? */
static bool is_taken(struct trainer *t, struct span line)
{
    const struct unix_ingest_params *params = &t->all->params;
    bool first = t->may_be_guest;
    t->may_be_guest = false;
    if (!first || !params->guest || !params->guest(params->app, line, t->framer.chunk, t->fd))
        return false;
    t->fd = -1;
    t->broken = true;
    return true;
}

/* A bad line was answered, and the next one is as welcome as ever; but an ack of that would be one
 * of a line that found no memory. False: no other line is to be taken. */
static bool take_line(struct trainer *t, struct span line)
{
    struct line_error error;
    if (is_taken(t, line))
        return false;
    if (intake_line(&t->intake, line, *t->all->params.now, &error) != E_NOMEM)
        return true;
    end_badly(t);
    return false;
}

/* Takes the lines of the chunk at hand, to its end or to a pause. */
static void take_lines(struct trainer *t)
{
    struct span line;
    while (!t->broken) {
        if (t->answers.len > TRAINER_ANSWERS_MAX)
            write_answers(t);
        if (t->answers.len > TRAINER_ANSWERS_MAX) {
            pause_reading(t);
            return;
        }
        switch (framer_next(&t->framer, &line)) {
        case FRAMER_LINE:
            if (!take_line(t, line))
                return;
            break;
        case FRAMER_TOO_LONG:
            intake_refuse(&t->intake, &refusal_too_long);
            end_badly(t);
            return;
        case FRAMER_NOMEM:
            intake_refuse(&t->intake, &refusal_no_memory);
            end_badly(t);
            return;
        case FRAMER_NEED_MORE:
            intake_ack(&t->intake);
            if (t->intake.starved) {
                line_write_error(&t->answers, &refusal_no_memory, 0);
                t->ending = true;
            }
            return;
        }
    }
}

/* The stream has ended, in good order or not. */
static void end_of_stream(struct trainer *t)
{
    struct span unfinished;
    if (framer_rest(&t->framer, &unfinished))
        t->all->params.stats->lines_truncated++;
    t->ending = true;
}

/* Not before the disk has caught up; but while it is in trouble, sessions go on without it. */
static bool held_up(struct trainer *t)
{
    const struct keeping *k = &t->all->params.registry->keeping;
    bool full = keeping_full(k) && !k->troubled;
    t->all->held_up = t->all->held_up || full;
    return full;
}

/* Reads one chunk and takes its lines; false when there is no more to read for now. */
static bool read_chunk(struct trainer *t)
{
    struct trainers *all = t->all;
    if (!all->chunk && !(all->chunk = malloc(CHUNK_BYTES))) {
        t->broken = true;
        return false;
    }
    ssize_t n = read(t->fd, all->chunk, CHUNK_BYTES);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        end_of_stream(t);
        return false;
    }
    framer_push(&t->framer, (struct span){all->chunk, (size_t)n});
    take_lines(t);
    return n == CHUNK_BYTES && !t->paused && !t->ending && !t->broken && !held_up(t);
}

/* The answers have drained: goes on with the lines that were left. */
static void resume(struct trainer *t)
{
    assert(t->chunk);
    t->paused = false;
    take_lines(t);
    if (t->paused)
        return;
    free(t->chunk);
    t->chunk = NULL;
}

static void watch(struct trainer *t, ev_io *watcher, bool wanted)
{
    if (wanted)
        ev_io_start(t->all->params.loop, watcher);
    else
        ev_io_stop(t->all->params.loop, watcher);
}

/* Who has said his last word may still hear that it is kept; but not for as long as a disk is in
 * trouble, since most have gone. */
static bool awaits_acks(struct trainer *t)
{
    bool waits = !t->deaf && intake_owes(&t->intake) && !t->all->params.registry->keeping.troubled;
    t->all->held_up = t->all->held_up || waits;
    return waits;
}

/* Acks that are due follow as the socket takes what was before them. */
static void write_acks(struct trainer *t)
{
    write_answers(t);
    while (!t->broken && intake_pay(&t->intake))
        write_answers(t);
}

void trainer_settle(struct trainer *t)
{
    write_acks(t);
    while (t->paused && !t->broken && t->answers.len < RESUME_BELOW) {
        resume(t);
        write_answers(t);
    }
    bool done = t->ending && !t->paused && t->answers.len == 0 && !awaits_acks(t);
    if (done || t->broken) {
        trainer_destroy(t);
        return;
    }
    watch(t, &t->in, !t->paused && !t->ending && !held_up(t));
    watch(t, &t->out, t->answers.len > 0);
}

static void on_answered(struct intake *in)
{
    trainer_settle(LIST_ENTRY(in, struct trainer, intake));
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
    (void)loop;
    (void)revents;
    struct trainer *t = LIST_ENTRY(watcher, struct trainer, in);
    for (int i = 0; i < CHUNKS_A_WAKEUP && read_chunk(t); i++)
        ;
    trainer_settle(t);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int revents)
{
    (void)loop;
    (void)revents;
    trainer_settle(LIST_ENTRY(watcher, struct trainer, out));
}

struct trainer *trainer_create(struct trainers *all, int fd, int pid)
{
    struct trainer *t = calloc(1, sizeof(*t));
    if (!t) {
        close(fd);
        return NULL;
    }
    const struct unix_ingest_params *params = &all->params;
    t->all = all;
    t->fd = fd;
    t->pid = pid;
    t->since_us = params->now->us;
    framer_init(&t->framer, params->config->max_line);
    buf_init(&t->answers, TRAINER_ANSWERS_MAX + ANSWERS_SLACK);
    intake_init(&t->intake, params->registry, params->decoder, &t->answers);
    t->intake.answered = on_answered;
    t->intake.answers_max = TRAINER_ANSWERS_MAX;
    list_add_tail(&all->all, &t->link);
    params->stats->trainers++;
    ev_io_init(&t->in, on_readable, fd, EV_READ);
    ev_io_init(&t->out, on_writable, fd, EV_WRITE);
    ev_io_start(params->loop, &t->in);
    return t;
}

/* Who had time to start a run and does not end it may come back, or may have died. */
static void orphan_run(struct trainer *t)
{
    struct now now = *t->all->params.now;
    if (t->intake.started.session && now.us - t->since_us >= ORPHAN_LIVED_US)
        orphan_add(t->intake.started.session, t->pid, now);
}

void trainer_destroy(struct trainer *t)
{
    orphan_run(t);
    ev_io_stop(t->all->params.loop, &t->in);
    ev_io_stop(t->all->params.loop, &t->out);
    if (t->fd >= 0)
        close(t->fd);
    list_remove(&t->link);
    t->all->params.stats->trainers--;
    intake_fini(&t->intake);
    framer_fini(&t->framer);
    buf_fini(&t->answers);
    free(t->chunk);
    free(t);
}

void trainer_end(struct trainer *t)
{
    t->ending = true;
    trainer_settle(t);
}

static bool went_back(const struct session_handle *h)
{
    return h->session && h->session->resend;
}

void trainer_resend(struct trainer *t)
{
    static const struct line_error resend = {
        "resend", "the disk was in trouble: resume, and send again what was not acknowledged", 0};
    if (!went_back(&t->intake.started) && !went_back(&t->intake.last))
        return;
    /* What he has said meanwhile comes after a gap: nothing of it is taken. */
    line_write_error(&t->answers, &resend, 0);
    write_answers(t);
    t->broken = true;
    trainer_settle(t);
}

bool trainer_listens(const struct trainer *t, struct span id)
{
    const struct session *s = t->intake.started.session;
    return s && !t->deaf && span_eq(session_id(s), id) && t->answers.len <= TRAINER_ANSWERS_MAX;
}

void trainer_control(struct trainer *t, const struct line_control *control)
{
    line_write_control(&t->answers, control);
    watch(t, &t->out, true);
}

void trainer_may_be_guest(struct trainer *t)
{
    t->may_be_guest = true;
}
