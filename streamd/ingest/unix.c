/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/unix.h"

#include "streamd/ingest/door.h"
#include "streamd/ingest/feed.h"
#include "streamd/ingest/trainer.h"
#include "streamd/ingest/unix_peer.h"
#include "streamd/log.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct unix_ingest {
    struct trainers trainers;
    struct list feeds; /* of feed.link; owned */
    struct door door;
};

static bool admit(struct door *d, int fd, int pid)
{
    struct unix_ingest *u = LIST_ENTRY(d, struct unix_ingest, door);
    struct ucred who = unix_peer(fd);
    struct trainer *t = trainer_create(&u->trainers, fd, pid);
    if (t && (who.uid == geteuid() || who.uid == 0)) /* of a group: a trainer and no more */
        trainer_may_be_guest(t);
    return t != NULL;
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
    if (!door_open(&u->door, &(struct door_params){.config = params->config,
                                                   .stats = params->stats,
                                                   .loop = params->loop,
                                                   .now = params->now,
                                                   .admit = admit})) {
        unix_ingest_destroy(u);
        return NULL;
    }
    return u;
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
    door_fini(&u->door);
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
    door_close(&u->door);
    LIST_EACH_SAFE (at, &u->trainers.all) {
        trainer_end(trainer_of(at));
    }
}

int unix_ingest_adopt(struct unix_ingest *u)
{
    int ends[2];
    if (door_is_full(&u->door) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
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
