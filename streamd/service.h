/* SPDX-License-Identifier: MIT */
/*
 * service: what a service manager hands over and is told (systemd's protocols, without its
 * library).
 *
 * Sockets that it listens on stay open while the daemon is restarted, so nobody is refused
 * meanwhile: who connects waits in the backlog.
 */
#ifndef STREAMD_SERVICE_H
#define STREAMD_SERVICE_H

#include "streamd/config.h"

struct service {
    int listeners[CONFIG_LISTEN_MAX]; /* owns until taken; TCP, in the place of --listen */
    size_t listener_count;
    int unix_fd; /* owns until taken; in the place of --socket; -1: none */
};

/*
 * Takes the sockets of LISTEN_FDS, and forgets the variables, so that no child takes them for its
 * own. False after logging why: one is no listening stream socket, or there are too many.
 */
bool service_take(struct service *s);

/* "READY=1" or the like, to whoever waits for it at NOTIFY_SOCKET. */
void service_tell(const char *state);

/*
 * Becomes --user for good, its groups included; without the option nothing happens. To be called
 * before anything is opened. False after logging why.
 */
bool service_become_user(const struct config *config);

/* Whoever holds secrets leaves no core, and lets no process of the same user read its memory. */
void service_hide(const struct config *config);

#endif
