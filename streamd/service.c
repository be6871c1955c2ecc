/* SPDX-License-Identifier: MIT */
/*
 * The user is changed before any file or port is opened: so all files are his, and no moment has
 * both root's rights and a peer's bytes. A port below 1024 then comes from a socket unit.
 */
#include "streamd/service.h"

#include "base/span.h"
#include "streamd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3 };

/* How many descriptors are meant for us. */
static uint64_t fds_handed(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    uint64_t for_pid = 0;
    uint64_t count = 0;
    if (!pid || !fds || !span_u64(span_of(pid), &for_pid) || for_pid != (uint64_t)getpid())
        return 0;
    return span_u64(span_of(fds), &count) ? count : 0;
}

static int option_of(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* NULL, or why not. */
static const char *take_fd(struct service *s, int fd)
{
    int family = option_of(fd, SO_DOMAIN);
    if (option_of(fd, SO_TYPE) != SOCK_STREAM || option_of(fd, SO_ACCEPTCONN) != 1)
        return "not a listening stream socket";
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return strerror(errno);
    if (family == AF_UNIX && s->unix_fd < 0)
        s->unix_fd = fd;
    else if ((family == AF_INET || family == AF_INET6) && s->listener_count < CONFIG_LISTEN_MAX)
        s->listeners[s->listener_count++] = fd;
    else
        return "one of its kind too many";
    return NULL;
}

bool service_take(struct service *s)
{
    *s = (struct service){.unix_fd = -1};
    uint64_t count = fds_handed();
    for (uint64_t i = 0; i < count; i++) {
        const char *why = take_fd(s, FIRST_FD + (int)i);
        if (why) {
            log_error("service", "cannot use socket fd=%d of LISTEN_FDS: %s", FIRST_FD + (int)i,
                      why);
            return false;
        }
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return true;
}

void service_tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (len == 0 || len >= sizeof(to.sun_path))
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* an abstract one */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 ||
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size) < 0)
        log_warn("service", "cannot tell the service manager: %s, ignoring", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

bool service_become_user(const struct config *config)
{
    if (!config->user)
        return true;
    const struct passwd *who = getpwnam(config->user);
    const char *why = NULL;
    if (!who)
        why = "there is no user of this name";
    else if (initgroups(who->pw_name, who->pw_gid) != 0 || setgid(who->pw_gid) != 0 ||
             setuid(who->pw_uid) != 0)
        why = strerror(errno);
    else if (who->pw_uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
        why = "root's rights could be had back";
    if (why)
        log_error("service", "cannot become --user: %s", why);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return !why;
}

void service_hide(const struct config *config)
{
    if (config->token_file || config->tls_key || config->telegram_token)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
