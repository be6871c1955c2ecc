/* SPDX-License-Identifier: MIT */
/*
 * The door: who may come in, and how many. A connection that is refused is accepted and closed,
 * because one left in the backlog would wake the loop for ever; for the same reason one descriptor
 * is kept in reserve for the moment when the process has no other left.
 */
#include "streamd/ingest/unix.h"

#include "streamd/ingest/feed.h"
#include "streamd/ingest/listen_unix.h"
#include "streamd/ingest/trainer.h"
#include "streamd/ingest/unix_peer.h"
#include "streamd/log.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_A_WAKEUP = 64, REFUSALS_LOG_US = 10 * 1000 * 1000 };

struct unix_ingest {
    struct trainers trainers;
    struct list feeds; /* of feed.link; owned */
    struct listen_unix listening;
    ev_io acceptable;
    int spare_fd;             /* owns; given up to accept and close when there is no other */
    uint64_t refused;         /* not logged yet */
    uint64_t last_refusal_us; /* when one was logged last */
};

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void note_refusal(struct unix_ingest *u, const char *why, const struct ucred *who)
{
    uint64_t now_us = u->trainers.params.now->us;
    u->trainers.params.stats->connections_refused++;
    u->refused++;
    if (u->last_refusal_us && now_us - u->last_refusal_us < REFUSALS_LOG_US)
        return;
    log_warn("unix", "trainers refused=%llu why=\"%s\" uid=%ld pid=%ld",
             (unsigned long long)u->refused, why, (long)who->uid, (long)who->pid);
    u->last_refusal_us = now_us;
    u->refused = 0;
}

static bool is_full(const struct unix_ingest *u)
{
    return u->trainers.params.stats->trainers >= u->trainers.params.config->max_trainers;
}

/* NULL when this one may come in. */
static const char *why_not(const struct unix_ingest *u, int fd, const struct ucred *who)
{
    if (!unix_peer_may(fd, who, u->listening.group))
        return "another user";
    return is_full(u) ? "as many trainers as allowed" : NULL;
}

static void admit(struct unix_ingest *u, int fd)
{
    struct ucred who = unix_peer(fd);
    const char *why = why_not(u, fd, &who);
    if (why) {
        close(fd);
        note_refusal(u, why, &who);
        return;
    }
    struct trainer *t = trainer_create(&u->trainers, fd, who.pid);
    if (t)
        trainer_may_be_guest(t);
    else
        note_refusal(u, "out of memory", &who);
}

/* No descriptor is left: refuses one connection with the one in reserve. */
static void shed(struct unix_ingest *u)
{
    const struct ucred nobody = {.uid = (uid_t)-1};
    close(u->spare_fd);
    int fd = accept4(u->listening.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    u->spare_fd = open_spare();
    note_refusal(u, "no file descriptor left", &nobody);
}

static void accept_some(struct unix_ingest *u)
{
    for (int i = 0; i < ACCEPTS_A_WAKEUP; i++) {
        int fd = accept4(u->listening.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            admit(u, fd);
        else if (errno == EMFILE || errno == ENFILE)
            shed(u);
        else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int revents)
{
    (void)loop;
    (void)revents;
    accept_some(LIST_ENTRY(watcher, struct unix_ingest, acceptable));
}

struct unix_ingest *unix_ingest_create(const struct unix_ingest_params *params)
{
    struct unix_ingest *u = calloc(1, sizeof(*u));
    if (!u) {
        log_error("unix", "cannot listen reason=\"out of memory\"");
        return NULL;
    }
    u->trainers.params = *params;
    list_init(&u->trainers.all);
    list_init(&u->feeds);
    u->spare_fd = open_spare();
    if (!listen_unix_open(&u->listening, params->config->socket_path,
                          params->config->socket_group)) {
        unix_ingest_destroy(u);
        return NULL;
    }
    ev_io_init(&u->acceptable, on_acceptable, u->listening.fd, EV_READ);
    ev_io_start(params->loop, &u->acceptable);
    return u;
}

static void stop_accepting(struct unix_ingest *u)
{
    if (u->listening.fd < 0)
        return;
    ev_io_stop(u->trainers.params.loop, &u->acceptable);
    listen_unix_close(&u->listening);
}

void unix_ingest_destroy(struct unix_ingest *u)
{
    if (!u)
        return;
    struct list *first;
    while ((first = list_first(&u->feeds)) != NULL)
        feed_end(first);
    while ((first = list_first(&u->trainers.all)) != NULL)
        trainer_destroy(trainer_of(first));
    stop_accepting(u);
    listen_unix_unlink(&u->listening);
    if (u->spare_fd >= 0)
        close(u->spare_fd);
    free(u->trainers.chunk);
    free(u);
}

void unix_ingest_relieve(struct unix_ingest *u)
{
    const struct keeping *k = &u->trainers.params.registry->keeping;
    if (!u->trainers.held_up || (keeping_full(k) && !k->troubled))
        return;
    u->trainers.held_up = false;
    LIST_EACH_SAFE (at, &u->trainers.all) {
        trainer_settle(trainer_of(at));
    }
}

void unix_ingest_resend(struct unix_ingest *u)
{
    LIST_EACH_SAFE (at, &u->trainers.all) {
        trainer_resend(trainer_of(at));
    }
}

void unix_ingest_drain(struct unix_ingest *u)
{
    stop_accepting(u);
    LIST_EACH_SAFE (at, &u->trainers.all) {
        trainer_end(trainer_of(at));
    }
}

int unix_ingest_adopt(struct unix_ingest *u)
{
    int ends[2];
    if (is_full(u) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    if (trainer_create(&u->trainers, ends[0], 0))
        return ends[1];
    (void)close(ends[1]);
    return -1;
}

struct ev_loop *unix_ingest_loop(struct unix_ingest *u)
{
    return u->trainers.params.loop;
}

struct list *unix_ingest_feeds(struct unix_ingest *u)
{
    return &u->feeds;
}

size_t unix_ingest_listeners(struct unix_ingest *u, struct span session_id)
{
    size_t listen = 0;
    LIST_EACH (at, &u->trainers.all)
        listen += trainer_listens(trainer_of(at), session_id);
    return listen;
}

size_t unix_ingest_control(struct unix_ingest *u, const struct line_control *control)
{
    size_t told = 0;
    LIST_EACH (at, &u->trainers.all) {
        if (!trainer_listens(trainer_of(at), control->session_id))
            continue;
        trainer_control(trainer_of(at), control);
        told++;
    }
    return told;
}
