/* SPDX-License-Identifier: MIT */
/*
 * After a file that could not be sent the later ones of its session stay too: their numbers are
 * higher, and the daemon would then take the first one's lines for repeats. For the same reason the
 * run itself waits for its own session's files, though not for ever: somebody may hold one and be
 * stopped.
 */
#include "clients/c/courier.h"

#include "clients/c/answer.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATIENCE_US = 5 * 1000 * 1000, /* without a sign of progress for so long, the daemon is hung */
    HELD_US = 10 * 1000 * 1000,    /* how long a run waits for a file that somebody else holds */
};

void courier_init(struct courier *c, const struct courier_params *params)
{
    *c = (struct courier){.params = *params};
    link_init(&c->link, params->to, params->fork_lock);
    leftover_init(&c->file, params->fork_lock);
}

/* ---- the names ---- */

static int has_suffix(const struct dirent *entry)
{
    return leftover_session(entry->d_name).ptr != NULL;
}

static void list_names(struct courier *c)
{
    struct dirent **entries = NULL;
    int count = scandir(c->params.folder, &entries, has_suffix, alphasort);
    c->listed = true;
    c->at = c->count = 0;
    c->names = count > 0 ? calloc((size_t)count, sizeof(*c->names)) : NULL;
    for (int i = 0; i < count; i++) {
        char *name = c->names ? strdup(entries[i]->d_name) : NULL;
        if (name)
            c->names[c->count++] = name;
        free(entries[i]);
    }
    free(entries);
}

static void forget_names(struct courier *c)
{
    for (int i = 0; i < c->count; i++)
        free(c->names[i]);
    free(c->names);
    c->names = NULL;
    c->count = c->at = 0;
    c->listed = false;
}

void courier_stop(struct courier *c)
{
    link_close(&c->link);
    leftover_close(&c->file);
    forget_names(c);
    c->held = c->unanswered = false;
    c->stuck[0] = '\0';
}

void courier_fini(struct courier *c)
{
    courier_stop(c);
    link_fini(&c->link);
    leftover_fini(&c->file);
}

void courier_abandon(struct courier *c)
{
    link_abandon(&c->link);
    leftover_abandon(&c->file);
}

/* ---- one file ---- */

static void set_stuck(struct courier *c, struct span session)
{
    c->held = true;
    (void)snprintf(c->stuck, sizeof(c->stuck), "%.*s", (int)session.len, session.ptr);
}

static void give_up(struct courier *c)
{
    c->unanswered = c->unanswered || !c->started;
    set_stuck(c, span_of(c->file.session));
    link_close(&c->link);
    leftover_close(&c->file);
}

static void start_file(struct courier *c, uint64_t now_us)
{
    c->started = c->at_end = false;
    c->oldest = c->waiting = c->refused = 0;
    c->give_up_at_us = now_us + PATIENCE_US;
    if (!link_open(&c->link)) {
        give_up(c);
        return;
    }
    buf_add_span(&c->link.out, buf_span(&c->file.start));
}

static void note_line(void *context, uint64_t seq)
{
    struct courier *c = context;
    c->under_way[(c->oldest + c->waiting) % COURIER_UNDER_WAY_MAX] = seq;
    c->waiting++;
}

/* Gives the link the next lines, when it has none and not too many wait; false: they cannot be
 * read. */
static bool read_lines(struct courier *c, uint64_t now_us)
{
    if (!c->started || c->at_end || c->link.out.len > 0 ||
        c->waiting + COURIER_LINES_MAX > COURIER_UNDER_WAY_MAX)
        return true;
    enum status status = leftover_read(&c->file, c->acked, &c->link.out, note_line, c);
    c->at_end = status == E_NOT_FOUND;
    c->give_up_at_us = now_us + PATIENCE_US;
    return status == OK || c->at_end;
}

static void retire(struct courier *c, uint64_t seq)
{
    c->acked = seq > c->acked ? seq : c->acked;
    while (c->waiting > 0 && c->under_way[c->oldest] <= seq) {
        c->oldest = (c->oldest + 1) % COURIER_UNDER_WAY_MAX;
        c->waiting--;
    }
}

/* False when the connection is of no use any more. */
static bool hear(struct courier *c, struct span line, uint64_t now_us)
{
    struct answer a;
    if (!answer_decode(line, &a))
        return true;
    c->give_up_at_us = now_us + PATIENCE_US;
    if (span_is(a.type, "started") && !c->started) {
        c->acked = a.last_seq;
        c->started = leftover_settle(&c->file, a.last_seq);
        return c->started;
    }
    if (span_is(a.type, "ack") && c->started)
        retire(c, a.seq);
    if (span_is(a.type, "error"))
        c->refused++;
    return !span_is(a.type, "error") || (c->started && !span_is(a.code, "resend"));
}

static bool hear_all(struct courier *c, uint64_t now_us)
{
    struct span line;
    bool alive = link_receive(&c->link);
    while (alive && link_next(&c->link, &line))
        alive = hear(c, line, now_us);
    return alive;
}

static void carry(struct courier *c, uint64_t now_us)
{
    bool alive = read_lines(c, now_us) && link_flush(&c->link) && hear_all(c, now_us);
    bool late = now_us >= c->give_up_at_us;
    if (c->at_end && c->waiting <= (late ? c->refused : 0)) {
        link_close(&c->link);
        leftover_remove(&c->file);
    } else if (!alive || late) {
        give_up(c);
    }
}

/* ---- the folder ---- */

static bool is_wanted(const struct courier *c, const char *name, struct span session)
{
    const char *mine = c->own ? strrchr(c->mine, '/') : NULL;
    return span_eq(session, c->params.session_id) == c->own &&
           !(mine && strcmp(mine + 1, name) == 0);
}

static void open_next(struct courier *c, uint64_t now_us)
{
    const char *name = c->names[c->at++];
    struct span session = leftover_session(name);
    if (!is_wanted(c, name, session))
        return;
    if (span_is(session, c->stuck)) {
        c->held = true;
        return;
    }
    switch (leftover_open(&c->file, c->params.folder, name, c->params.to)) {
    case LEFTOVER_OPEN:
        start_file(c, now_us);
        break;
    case LEFTOVER_LOCKED:
        set_stuck(c, session);
        break;
    case LEFTOVER_OTHER:
    case LEFTOVER_GONE:
        break;
    }
}

/* True when the round is over. */
static bool turn(struct courier *c, uint64_t now_us)
{
    if (!c->listed)
        list_names(c);
    if (c->file.fd >= 0)
        carry(c, now_us);
    else if (c->at < c->count)
        open_next(c, now_us);
    return c->file.fd < 0 && c->at >= c->count;
}

static bool has_folder(const struct courier *c)
{
    return c->params.folder && *c->params.folder;
}

enum courier_result courier_before(struct courier *c, const char *mine, uint64_t now_us)
{
    if (!has_folder(c))
        return COURIER_DONE;
    c->own = true;
    c->mine = mine;
    if (!turn(c, now_us))
        return COURIER_GOES_ON;
    bool held = c->held;
    bool unanswered = c->unanswered;
    courier_stop(c);
    if (unanswered)
        return COURIER_WAIT;
    if (!held)
        c->held_since_us = 0;
    else if (c->held_since_us == 0)
        c->held_since_us = now_us;
    return held && now_us - c->held_since_us < HELD_US ? COURIER_WAIT : COURIER_DONE;
}

void courier_begin(struct courier *c)
{
    courier_stop(c);
    c->own = false;
    if (has_folder(c))
        list_names(c);
}

enum courier_result courier_beside(struct courier *c, uint64_t now_us)
{
    if (!c->listed)
        return COURIER_DONE;
    if (!turn(c, now_us))
        return COURIER_GOES_ON;
    courier_stop(c);
    return COURIER_DONE;
}
