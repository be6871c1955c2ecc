/* SPDX-License-Identifier: MIT */
/*
 * mcp-stdio: an agent's stdin and stdout, led to the Unix socket of a running daemon.
 *
 * It knows nothing of the protocol but the line that asks for it, so it need not be newer or older
 * than the daemon. What comes is handed on as it comes, in blocking writes: an agent that does not
 * read is not read either. At the end of stdin the daemon is told so, and closes once it has
 * answered what was asked.
 */
#include "streamd/tools/look.h"
#include "streamd/tools/tool_options.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct stdio_flags {
    const char *socket;
    bool operations;
};

#define AT(field) offsetof(struct stdio_flags, field)

const struct tool_option mcp_stdio_options[] = {
    {"socket", "PATH", NULL, "the daemon's (default: as the daemon's own)", AT(socket)},
    {"operations", NULL, NULL, "the tools of the operations API instead", AT(operations)},
    {0}};

enum { PIECE_BYTES = 65536 };

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) == 0)
        return fd;
    int kept = errno;
    (void)close(fd);
    errno = kept;
    return -1;
}

/* An agent that is gone ends us by SIGPIPE, as any filter; a daemon that is gone is told of. */
static ssize_t write_some(int fd, const char *bytes, size_t len)
{
    return fd == STDOUT_FILENO ? write(fd, bytes, len) : send(fd, bytes, len, MSG_NOSIGNAL);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write_some(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Asks for the protocol; true when the daemon says the same. Nothing may be sent before. */
static bool greet(int fd, bool operations)
{
    static const char want[] = "{\"type\":\"mcp\"}\n";
    static const char training[] = "{\"type\":\"mcp\",\"endpoint\":\"/mcp\"}\n";
    static const char other[] = "{\"type\":\"mcp\",\"endpoint\":\"/mcp/operations\"}\n";
    char got[sizeof(want) - 1];
    size_t len = 0;
    if (!write_all(fd, operations ? other : training,
                   operations ? sizeof(other) - 1 : sizeof(training) - 1))
        return false;
    while (len < sizeof(got)) {
        ssize_t n = read(fd, got + len, sizeof(got) - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    return memcmp(got, want, len) == 0;
}

enum passed { PASSED, PASSED_END, PASSED_LOST };

/* Hands on what one end has, unless that has ended, or the other one takes nothing any more. */
static enum passed pass(int from, int to)
{
    static char piece[PIECE_BYTES];
    ssize_t n = read(from, piece, sizeof(piece));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return PASSED;
    if (n <= 0)
        return PASSED_END;
    return write_all(to, piece, (size_t)n) ? PASSED : PASSED_LOST;
}

/* Until the daemon closes. True: it did so because stdin had ended. One that takes nothing any more
 * may have said something before. */
static bool lead(int fd)
{
    struct pollfd ends[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    enum passed in = PASSED;
    for (;;) {
        if (poll(ends, 2, -1) < 0 && errno != EINTR)
            return false;
        if (ends[1].revents != 0 && pass(fd, STDOUT_FILENO) != PASSED)
            return in == PASSED_END;
        if (ends[0].revents != 0)
            in = pass(STDIN_FILENO, fd);
        if (in != PASSED && ends[0].fd >= 0) {
            (void)shutdown(fd, SHUT_WR);
            ends[0].fd = -1;
            ends[0].revents = 0;
        }
    }
}

int tool_mcp_stdio(const struct tool *tool, int argc, char **argv)
{
    struct stdio_flags flags = {0};
    struct config config;
    int count;
    switch (tool_options_parse(tool, argc, argv, &flags, &count, stdout, stderr)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_DONE:
        return TOOL_GOOD;
    case OPTIONS_BAD:
        return TOOL_USAGE;
    }
    if (count > 0)
        return tool_refuse(tool, "it takes no arguments");
    if (!tool_config(&config, NULL))
        return TOOL_USAGE;
    const char *path = flags.socket ? flags.socket : config.socket_path;
    int fd = dial(path);
    if (fd < 0)
        return tool_fail(tool, "no daemon at %s: %s", path, strerror(errno));
    bool good = greet(fd, flags.operations);
    int result = TOOL_GOOD;
    if (!good)
        result = tool_fail(tool, "who listens at %s does not speak to agents", path);
    else if (!lead(fd))
        result = tool_fail(tool, "the daemon went away");
    (void)close(fd);
    return result;
}
