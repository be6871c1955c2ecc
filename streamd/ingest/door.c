/* SPDX-License-Identifier: MIT */
/*
 * A connection that is refused is accepted and closed, because one left in the backlog would wake
 * the loop for ever; for the same reason one descriptor is kept in reserve for the moment when the
 * process has no other left.
 */
#include "streamd/ingest/door.h"

#include "base/buf.h"
#include "base/list.h"
#include "proto/line.h"
#include "streamd/ingest/refusal.h"
#include "streamd/ingest/unix_peer.h"
#include "streamd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURN_AWAY_MAX = 512, ACCEPTS_A_WAKEUP = 64, REFUSALS_LOG_US = 10 * 1000 * 1000 };

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Comes before the refusal itself, so that who is refused finds it in the log. */
static void note_refusal(struct door *d, const char *why, const struct ucred *who)
{
    uint64_t now_us = d->params.now->us;
    d->params.stats->connections_refused++;
    d->refused++;
    if (d->last_refusal_us && now_us - d->last_refusal_us < REFUSALS_LOG_US)
        return;
    log_warn("unix", "trainers refused=%llu why=\"%s\" uid=%ld pid=%ld",
             (unsigned long long)d->refused, why, (long)who->uid, (long)who->pid);
    d->last_refusal_us = now_us;
    d->refused = 0;
}

bool door_is_full(const struct door *d)
{
    return d->params.stats->trainers >= d->params.config->max_trainers;
}

/* A trainer of ours that finds no place hears why; it has sent something, or will, but is not read.
 */
static void turn_away(int fd)
{
    struct buf line;
    buf_init(&line, TURN_AWAY_MAX);
    line_write_error(&line, &refusal_no_place, 0);
    if (buf_status(&line) == OK)
        (void)send(fd, line.ptr, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_fini(&line);
    close(fd);
}

static void admit(struct door *d, int fd)
{
    struct ucred who = unix_peer(fd);
    if (!unix_peer_may(fd, &who, d->listening.group)) {
        note_refusal(d, "another user", &who);
        close(fd);
    } else if (door_is_full(d)) {
        note_refusal(d, "as many trainers as --max-trainers allows", &who);
        turn_away(fd);
    } else if (!d->params.admit(d, fd, who.pid)) {
        note_refusal(d, "out of memory", &who);
    }
}

/* No descriptor is left: refuses one connection with the one in reserve. */
static void shed(struct door *d)
{
    struct ucred who = {.uid = (uid_t)-1};
    close(d->spare_fd);
    int fd = accept4(d->listening.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        who = unix_peer(fd);
    note_refusal(d, "no file descriptor left", &who);
    if (fd >= 0 && unix_peer_may(fd, &who, d->listening.group))
        turn_away(fd);
    else if (fd >= 0)
        close(fd);
    d->spare_fd = open_spare();
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct door *d = LIST_ENTRY(watcher, struct door, acceptable);
    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_WAKEUP; i++) {
        int fd = accept4(d->listening.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            admit(d, fd);
        else if (errno == EMFILE || errno == ENFILE)
            shed(d);
        else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

bool door_open(struct door *d, const struct door_params *params)
{
    *d = (struct door){.params = *params, .listening = {.fd = -1}, .spare_fd = open_spare()};
    const struct config *config = params->config;
    int fd = config->socket_fd > 0 ? config->socket_fd : -1;
    const char *path = fd < 0 ? config->socket_path : NULL;
    if (!listen_unix_open(&d->listening, fd, path, config->socket_group))
        return false;
    ev_io_init(&d->acceptable, on_acceptable, d->listening.fd, EV_READ);
    ev_io_start(params->loop, &d->acceptable);
    return true;
}

void door_close(struct door *d)
{
    if (d->listening.fd < 0)
        return;
    ev_io_stop(d->params.loop, &d->acceptable);
    listen_unix_close(&d->listening);
}

void door_fini(struct door *d)
{
    if (!d->params.loop)
        return;
    door_close(d);
    listen_unix_unlink(&d->listening);
    if (d->spare_fd >= 0)
        close(d->spare_fd);
}
