/* SPDX-License-Identifier: MIT */
#include "streamd/tools/daemon_call.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HOST_MAX = 256, PORT_MAX = 8 };

struct place {
    char host[HOST_MAX];
    char port[PORT_MAX];
};

/* http://host:port, with [] around an address that has colons, and nothing behind it but a '/'. */
static bool read_place(const char *url, struct place *out)
{
    struct span rest = span_of(url);
    if (!span_starts(rest, SPAN("http://")))
        return false;
    rest = (struct span){rest.ptr + 7, rest.len - 7};
    if (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    const char *colon = memrchr(rest.ptr, ':', rest.len);
    if (!colon)
        return false;
    struct span host = {rest.ptr, (size_t)(colon - rest.ptr)};
    struct span port = {colon + 1, rest.len - host.len - 1};
    uint64_t number;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = (struct span){host.ptr + 1, host.len - 2};
    if (host.len == 0 || host.len >= HOST_MAX || port.len >= PORT_MAX || !span_u64(port, &number))
        return false;
    (void)snprintf(out->host, HOST_MAX, "%.*s", (int)host.len, host.ptr);
    (void)snprintf(out->port, PORT_MAX, "%.*s", (int)port.len, port.ptr);
    return true;
}

static int dial_one(const struct addrinfo *at)
{
    const struct timeval limit = {.tv_sec = DAEMON_CALL_TIMEOUT_S};
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    int kept = errno;
    (void)close(fd);
    errno = kept;
    return -1;
}

static int dial(const struct place *place, const char **why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int fd = -1;
    int failed = getaddrinfo(place->host, place->port, &hints, &all);
    if (failed != 0) {
        *why = gai_strerror(failed);
        return -1;
    }
    for (const struct addrinfo *at = all; at && fd < 0; at = at->ai_next)
        fd = dial_one(at);
    if (fd < 0)
        *why = strerror(errno);
    freeaddrinfo(all);
    return fd;
}

static bool send_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (struct span){bytes.ptr + n, bytes.len - (size_t)n};
    }
    return true;
}

static bool receive_all(int fd, struct buf *out)
{
    char piece[16384];
    ssize_t n;
    while ((n = recv(fd, piece, sizeof(piece), 0)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        buf_add(out, piece, (size_t)n);
    }
    return true;
}

static void write_request(const struct daemon_call *call, const struct place *place,
                          struct buf *out)
{
    bool is_v6 = strchr(place->host, ':') != NULL;
    buf_addf(out, "%s %s HTTP/1.0\r\nUser-Agent: streamd\r\nHost: %s%s%s:%s\r\n", call->method,
             call->path, is_v6 ? "[" : "", place->host, is_v6 ? "]" : "", place->port);
    const char *token = getenv("STREAMD_TOKEN");
    if (token && *token)
        buf_addf(out, "Authorization: Bearer %s\r\n", token);
    if (call->body.len > 0)
        buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", call->body.len);
    buf_add_str(out, "\r\n");
    buf_add_span(out, call->body);
}

bool daemon_take_head(struct buf *answer, int *out_status)
{
    struct span all = buf_span(answer);
    uint64_t status;
    const char *end = all.len > 0 ? memmem(all.ptr, all.len, "\r\n\r\n", 4) : NULL;
    if (!end || all.len < 12 || !span_starts(all, SPAN("HTTP/1.")) ||
        !span_u64((struct span){all.ptr + 9, 3}, &status))
        return false;
    *out_status = (int)status;
    buf_consume(answer, (size_t)(end - all.ptr) + 4);
    return true;
}

int daemon_open(const struct daemon_call *call, const char **why)
{
    const char *url = call->url ? call->url : getenv("STREAMD_URL");
    struct place place;
    struct buf request;
    if (!read_place(url ? url : "http://127.0.0.1:5001", &place)) {
        *why = "the address must be http://host:port";
        return -1;
    }
    int fd = dial(&place, why);
    if (fd < 0)
        return -1;
    buf_init(&request, 1 << 20);
    write_request(call, &place, &request);
    bool sent = buf_status(&request) == OK && send_all(fd, buf_span(&request));
    buf_fini(&request);
    if (sent)
        return fd;
    *why = strerror(errno);
    (void)close(fd);
    return -1;
}

const char *daemon_call(const struct daemon_call *call, int *out_status, struct buf *out)
{
    const char *why = NULL;
    int fd = daemon_open(call, &why);
    if (fd < 0)
        return why;
    bool received = receive_all(fd, out);
    if (!received)
        why = strerror(errno);
    (void)close(fd);
    if (!received)
        return why;
    if (buf_status(out) != OK)
        return status_text(buf_status(out));
    return daemon_take_head(out, out_status) ? NULL : "what answers there is no daemon of ours";
}

void daemon_path_add(struct buf *path, const char *text)
{
    buf_add_char(path, '/');
    for (; *text; text++) {
        bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9') || strchr("-._~", *text);
        if (plain)
            buf_add_char(path, *text);
        else
            buf_addf(path, "%%%02X", (unsigned char)*text);
    }
}
