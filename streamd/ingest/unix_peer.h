/* SPDX-License-Identifier: MIT */
/*
 * unix_peer: who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED).
 */
#ifndef STREAMD_INGEST_UNIX_PEER_H
#define STREAMD_INGEST_UNIX_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { NO_GROUP = -1 };

/* uid -1 where the kernel does not say. */
struct ucred unix_peer(int fd);

/* Our own user, root, or a member of `group` (NO_GROUP: of none), supplementary groups included. */
bool unix_peer_may(int fd, const struct ucred *who, gid_t group);

#endif
