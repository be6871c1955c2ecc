/* SPDX-License-Identifier: MIT */
/*
 * A forked child that kept a copy of the socket would keep the connection alive after its parent's
 * death, and the daemon would wait for a trainer that is gone. Hence the lock: a fork happens
 * before a socket is made, or after it stands in `fd` and the child can find it.
 */
#include "clients/c/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void link_init(struct link *l, const char *path, pthread_mutex_t *fork_lock)
{
    *l = (struct link){.address = {.sun_family = AF_UNIX}, .fd = -1, .fork_lock = fork_lock};
    if (strlen(path) < sizeof(l->address.sun_path))
        memcpy(l->address.sun_path, path, strlen(path) + 1);
    buf_init(&l->out, LINK_OUT_MAX);
    framer_init(&l->in, FRAMER_LINE_MAX);
}

void link_fini(struct link *l)
{
    link_close(l);
    buf_fini(&l->out);
}

bool link_open(struct link *l)
{
    if (l->address.sun_path[0] == '\0')
        return false;
    (void)pthread_mutex_lock(l->fork_lock);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)pthread_mutex_unlock(l->fork_lock);
    return l->fd >= 0 &&
           connect(l->fd, (const struct sockaddr *)&l->address, sizeof(l->address)) == 0;
}

void link_adopt(struct link *l, int fd)
{
    l->fd = fd;
}

void link_close(struct link *l)
{
    (void)pthread_mutex_lock(l->fork_lock);
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    (void)pthread_mutex_unlock(l->fork_lock);
    buf_reset(&l->out);
    framer_fini(&l->in);
}

bool link_flush(struct link *l)
{
    if (buf_status(&l->out) != OK)
        return false;
    while (l->out.len > 0) {
        ssize_t sent = send(l->fd, l->out.ptr, l->out.len, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        buf_consume(&l->out, (size_t)sent);
    }
    return true;
}

bool link_receive(struct link *l)
{
    ssize_t got = recv(l->fd, l->chunk, sizeof(l->chunk), 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    framer_push(&l->in, (struct span){l->chunk, (size_t)got});
    return true;
}

bool link_next(struct link *l, struct span *out_line)
{
    enum framer_result result;
    do {
        result = framer_next(&l->in, out_line);
    } while (result == FRAMER_TOO_LONG || result == FRAMER_NOMEM);
    return result == FRAMER_LINE;
}

void link_abandon(struct link *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}
