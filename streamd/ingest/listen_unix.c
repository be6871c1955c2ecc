/* SPDX-License-Identifier: MIT */
/*
 * A socket file outlives a daemon that was killed. Whether anybody still listens is asked by
 * connecting: only ECONNREFUSED says that nobody does. Every other answer, and everything that is
 * not a socket, is somebody else's and makes the start fail.
 */
#include "streamd/ingest/listen_unix.h"

#include "streamd/ingest/unix_peer.h"
#include "streamd/log.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Non-blocking, so that a daemon whose backlog is full answers EAGAIN instead of holding us up. */
static bool nobody_listens(const struct sockaddr_un *address)
{
    int fd = open_socket();
    if (fd < 0)
        return false;
    int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    bool refused = rc != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* NULL when the path is free now, else why it is not. */
static const char *vacate(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(st.st_mode))
        return "what stands there is not a socket";
    if (!nobody_listens(address))
        return "another process listens there";
    if (unlink(address->sun_path) != 0)
        return strerror(errno);
    log_info("unix", "stale socket removed path=%s", address->sun_path);
    return NULL;
}

static const char *bind_private(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
    int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));
    const char *why = rc == 0 ? NULL : strerror(errno);
    umask(before);
    return why;
}

/* The kernel asks for the right to write where somebody connects. */
static const char *share(const struct listen_unix *l)
{
    if (l->group == (gid_t)NO_GROUP)
        return NULL;
    bool good = lchown(l->path, (uid_t)-1, l->group) == 0 && chmod(l->path, 0660) == 0;
    return good ? NULL : strerror(errno);
}

static const char *find_group(const char *name, gid_t *out)
{
    const struct group *found = name ? getgrnam(name) : NULL;
    if (name && !found)
        return "--socket-group: there is no group of this name";
    if (found)
        *out = found->gr_gid;
    return NULL;
}

/* NULL when it listens, else the reason. */
static const char *try_open(struct listen_unix *l)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(l->path) >= sizeof(address.sun_path))
        return "a socket's path has at most 107 bytes";
    memcpy(address.sun_path, l->path, strlen(l->path));
    const char *why = vacate(&address);
    if (why)
        return why;
    l->fd = open_socket();
    if (l->fd < 0)
        return strerror(errno);
    why = bind_private(l->fd, &address);
    if (why)
        return why;
    if (listen(l->fd, SOMAXCONN) != 0 || lstat(l->path, &st) != 0)
        return strerror(errno);
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return share(l);
}

bool listen_unix_open(struct listen_unix *l, int fd, const char *path, const char *group)
{
    *l = (struct listen_unix){.fd = fd, .path = path, .group = (gid_t)NO_GROUP};
    const char *why = find_group(group, &l->group);
    if (!why && path)
        why = try_open(l);
    if (!why)
        return true;
    struct log_text quoted;
    log_error("unix", "cannot listen path=%s reason=\"%s\"",
              log_quoted(&quoted, span_of(path ? path : "inherited")), why);
    listen_unix_close(l);
    return false;
}

void listen_unix_close(struct listen_unix *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void listen_unix_unlink(const struct listen_unix *l)
{
    struct stat st;
    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
        unlink(l->path);
}
