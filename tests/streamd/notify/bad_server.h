/* SPDX-License-Identifier: MIT */
/*
 * bad_server: a receiver of notices that misbehaves, one way for each connection in turn.
 *
 * Listens on a port of loopback, in a thread of its own; counts whole requests. The last way goes
 * on for ever.
 */
#ifndef TESTS_STREAMD_NOTIFY_BAD_SERVER_H
#define TESTS_STREAMD_NOTIFY_BAD_SERVER_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum way {
    WAY_GOOD,    /* 200 */
    WAY_BROKEN,  /* 500 */
    WAY_BUSY,    /* 429 */
    WAY_REFUSES, /* 400 */
    WAY_CLOSES,  /* reads it and closes */
    WAY_GARBAGE, /* answers what is no HTTP */
    WAY_SILENT,  /* reads it and says nothing, until it is closed */
    WAY_FLOOD,   /* 200, and a body without an end */
};

struct bad_server {
    int fd;
    unsigned port;
    pthread_t thread;
    const enum way *ways;
    size_t count;
    atomic_size_t requests;
    atomic_bool over;
    char last[8192]; /* the newest request; of no meaning while the thread runs */
};

/* Header and body, as long as it says. */
static inline void read_request(int fd, char *text, size_t cap)
{
    size_t len = 0;
    size_t want = cap - 1;
    while (len < want) {
        ssize_t n = recv(fd, text + len, want - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        text[len] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (end && length)
            want = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
    }
    text[len] = '\0';
}

static inline void say(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)n;
}

static inline void misbehave(int fd, enum way way)
{
    static const char *const answers[] = {
        [WAY_GOOD] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        [WAY_BROKEN] = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        [WAY_BUSY] = "HTTP/1.1 429 Later\r\nContent-Length: 0\r\n\r\n",
        [WAY_REFUSES] = "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n",
        [WAY_CLOSES] = "",
        [WAY_GARBAGE] = "\x01\x02 what is HTTP?\n\n",
        [WAY_SILENT] = "",
        [WAY_FLOOD] = "HTTP/1.1 200 OK\r\n\r\n",
    };
    char scrap[64];
    char flood[4096] = {0};
    say(fd, answers[way]);
    while (way == WAY_FLOOD && send(fd, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
        ;
    if (way == WAY_SILENT)
        (void)!recv(fd, scrap, sizeof(scrap), 0);
}

static inline void *bad_server_main(void *context)
{
    struct bad_server *s = context;
    for (size_t i = 0;; i++) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0 || atomic_load(&s->over))
            return NULL;
        read_request(fd, s->last, sizeof(s->last));
        atomic_fetch_add(&s->requests, 1);
        misbehave(fd, s->ways[i < s->count ? i : s->count - 1]);
        (void)close(fd);
    }
}

static inline void bad_server_start(struct bad_server *s, const enum way *ways, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    *s = (struct bad_server){.ways = ways, .count = count};
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->fd, 16) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) != 0)
        abort();
    s->port = ntohs(at.sin_port);
    if (pthread_create(&s->thread, NULL, bad_server_main, s) != 0)
        abort();
}

static inline void bad_server_stop(struct bad_server *s)
{
    atomic_store(&s->over, true);
    (void)shutdown(s->fd, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
}

#endif
