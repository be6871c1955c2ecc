/* SPDX-License-Identifier: MIT */
#include "streamd/transport/address.h"

#include "base/span.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

/* "[::1]:5001" → host "::1", port "5001". getaddrinfo would take 65537 for 1. */
static bool split(const char *where, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(where, ':');
    uint64_t number;
    if (!colon || colon == where || !span_u64(span_of(colon + 1), &number) || number > UINT16_MAX)
        return false;
    const char *from = where;
    size_t n = (size_t)(colon - where);
    if (where[0] == '[' && n >= 2 && where[n - 1] == ']') {
        from = where + 1;
        n -= 2;
    }
    if (n >= host_size)
        return false;
    memcpy(host, from, n);
    host[n] = '\0';
    *port = colon + 1;
    return true;
}

static const char *bind_to(const struct addrinfo *ai, int *out_fd)
{
    int on = 1;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return strerror(errno);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        const char *why = strerror(errno);
        close(fd);
        return why;
    }
    *out_fd = fd;
    return NULL;
}

void address_describe(int fd, char bound[ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    char host[64] = "?";
    char port[8] = "?";
    if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0)
        (void)getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV);
    bool v6 = addr.ss_family == AF_INET6;
    snprintf(bound, ADDRESS_TEXT_MAX, v6 ? "[%s]:%s" : "%s:%s", host, port);
}

const char *address_listen(const char *where, int *out_fd)
{
    char host[256];
    const char *port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!split(where, host, sizeof(host), &port))
        return "expected ADDR:PORT";
    int result = getaddrinfo(host, port, &hints, &found);
    if (result != 0)
        return gai_strerror(result);
    const char *why = "no address";
    for (const struct addrinfo *ai = found; ai && why; ai = ai->ai_next)
        why = bind_to(ai, out_fd);
    freeaddrinfo(found);
    return why;
}

void address_of_peer(int fd, char *out, size_t size)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    char host[INET6_ADDRSTRLEN];
    char port[8];
    out[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&at, &len) != 0 ||
        getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    bool is_v6 = strchr(host, ':') != NULL;
    (void)snprintf(out, size, "%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

static bool is_loopback_v4(struct in_addr a)
{
    return ntohl(a.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool address_is_loopback(const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return is_loopback_v4(v4.sin_addr);
    }
    if (address->ss_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof(v6));
    struct in_addr mapped;
    memcpy(&mapped, v6.sin6_addr.s6_addr + 12, sizeof(mapped));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && is_loopback_v4(mapped));
}
