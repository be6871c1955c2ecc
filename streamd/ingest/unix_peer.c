/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/unix_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct ucred unix_peer(int fd)
{
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t len = sizeof(who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        who.uid = (uid_t)-1;
    return who;
}

/* SO_PEERCRED tells the effective group alone. */
static bool is_member(int fd, gid_t group)
{
    socklen_t len = 0;
    bool found = false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE)
        return false; /* in none, or not told */
    gid_t *groups = malloc(len);
    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
        for (size_t i = 0; i < len / sizeof(*groups); i++)
            found = found || groups[i] == group;
    }
    free(groups);
    return found;
}

bool unix_peer_may(int fd, const struct ucred *who, gid_t group)
{
    if (who->uid == (uid_t)-1)
        return false;
    if (who->uid == geteuid() || who->uid == 0)
        return true;
    return group != (gid_t)NO_GROUP && (who->gid == group || is_member(fd, group));
}
