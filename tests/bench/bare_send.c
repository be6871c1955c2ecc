/* SPDX-License-Identifier: MIT */

/*
 * The floor of the fan-out figures: what the kernel alone asks for. It upgrades every connection
 * and, for each read from the trainer's socket, frames the lines once in the same envelope as
 * the daemon and calls send() once a connection and tick. No rooms, no rounding, no history, no
 * throttle, no compression, no slow watchers; whatever a real server costs above this is its own
 * doing.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ROOMS_MAX = 64,
    WATCHERS_MAX = 20000,
    BATCH_MAX = 1 << 17,
    LINES_MAX = 1 << 16,
    EVENTS_A_TURN = 256
};

struct bare {
    int epoll;
    int http_listener;
    int trainer_listener;
    int trainer;
    int watchers[ROOMS_MAX][WATCHERS_MAX]; /* upgraded connections by their first room, dense */
    unsigned watcher_counts[ROOMS_MAX];
    unsigned watcher_count;
    char lines[LINES_MAX]; /* read from the trainer, the start of a cut line kept */
    size_t lines_bytes;
    unsigned char batch[BATCH_MAX]; /* the frames of one tick */
    size_t batch_bytes;
    unsigned batch_lines;
    unsigned lines_per_tick;
    unsigned long long offset;
};

static void watch(const struct bare *bare, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(bare->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        err(1, "epoll_ctl");
}

static int listen_http(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        err(1, "http listener");
    printf("listening on http://127.0.0.1:%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static int listen_trainer(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        errx(2, "%s is too long for a Unix socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 8) != 0)
        err(1, "trainer listener %s", path);
    return fd;
}

static void upgrade(struct bare *bare, int fd)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char request[4096];
    char text[128];
    char accept[32];
    unsigned char digest[SHA_DIGEST_LENGTH];
    ssize_t n = recv(fd, request, sizeof(request) - 1, 0);

    if (n <= 0 || bare->watcher_count == WATCHERS_MAX) {
        close(fd);
        return;
    }
    request[n] = '\0';
    const char *key = strcasestr(request, "\r\nSec-WebSocket-Key: ");
    if (!key)
        errx(1, "not an upgrade request");
    int length = snprintf(text, sizeof(text), "%.24s%s", key + 21, guid);
    SHA1((unsigned char *)text, (size_t)length, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
    dprintf(fd,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: %s\r\n\r\n",
            accept);
    epoll_ctl(bare->epoll, EPOLL_CTL_DEL, fd, NULL);
    const char *room = strstr(request, "sessionId=s");
    unsigned number = room ? (unsigned)atoi(room + 11) % ROOMS_MAX : 0;
    bare->watchers[number][bare->watcher_counts[number]++] = fd;
    bare->watcher_count++;
}

static void append_frame(struct bare *bare, const char *line, size_t bytes)
{
    char payload[1024];
    const char *metrics = memmem(line, bytes, "{\"loss\"", 7);
    const char *id = memmem(line, bytes, "\"sessionId\":", 12);

    assert(metrics && id);
    int n = snprintf(payload, sizeof(payload),
                     "{\"event\":\"progress_update\",\"data\":{%.17s,\"metrics\":%.*s,"
                     "\"status\":\"running\",\"timestamp\":1700000000.000,\"offset\":%llu}}",
                     id, (int)(line + bytes - 1 - metrics), metrics, bare->offset++);
    unsigned char *out = bare->batch + bare->batch_bytes;
    assert(n >= 126 && (size_t)n < sizeof(payload));
    assert(bare->batch_bytes + 4 + (size_t)n <= BATCH_MAX);
    out[0] = 0x81;
    out[1] = 126;
    out[2] = (unsigned char)(n >> 8);
    out[3] = (unsigned char)n;
    memcpy(out + 4, payload, (size_t)n);
    bare->batch_bytes += 4 + (size_t)n;
}

/* A short send would be the start of an outbox, which a floor has not: it ends the program. */
static void send_batch(struct bare *bare, unsigned room)
{
    for (unsigned i = 0; i < bare->watcher_counts[room]; i++) {
        ssize_t n = send(bare->watchers[room][i], bare->batch, bare->batch_bytes,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        bool gone = n < 0 && (errno == EPIPE || errno == ECONNRESET);
        if (!gone && n != (ssize_t)bare->batch_bytes)
            errx(1, "watcher %u is too slow for a floor measurement", i);
    }
    bare->batch_bytes = 0;
}

/* A progress line becomes a frame; the last one of a tick sends them all. Of several lines a tick
 * everybody gets all and stands in the first room; of one, those who asked for its room. */
static void take_progress(struct bare *bare, const char *line, size_t bytes)
{
    append_frame(bare, line, bytes);
    if (++bare->batch_lines < bare->lines_per_tick)
        return;
    const char *id = memmem(line, bytes, "\"sessionId\":\"s", 14);
    send_batch(bare, bare->lines_per_tick == 1 && id ? (unsigned)atoi(id + 14) % ROOMS_MAX : 0);
    bare->batch_lines = 0;
}

/* Takes whole lines; a ping is answered, progress goes out when somebody watches. */
static void take_lines(struct bare *bare)
{
    char *at = bare->lines;
    char *end = bare->lines + bare->lines_bytes;
    char *newline;

    for (; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        if (newline - at == 15 && memcmp(at, "{\"type\":\"ping\"}", 15) == 0)
            dprintf(bare->trainer, "{\"type\":\"pong\"}\n");
        else if (bare->watcher_count > 0 && memmem(at, (size_t)(newline - at), "progress", 8))
            take_progress(bare, at, (size_t)(newline - at));
    }
    bare->lines_bytes = (size_t)(end - at);
    memmove(bare->lines, at, bare->lines_bytes);
}

static void on_trainer(struct bare *bare)
{
    ssize_t n =
        recv(bare->trainer, bare->lines + bare->lines_bytes, LINES_MAX - bare->lines_bytes, 0);

    if (n <= 0) {
        close(bare->trainer);
        return;
    }
    bare->lines_bytes += (size_t)n;
    take_lines(bare);
}

static void on_event(struct bare *bare, int fd)
{
    int on = 1;

    if (fd == bare->trainer_listener) {
        bare->trainer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        bare->lines_bytes = 0;
        watch(bare, bare->trainer);
    } else if (fd == bare->http_listener) {
        int watcher = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (watcher < 0)
            err(1, "accept4");
        setsockopt(watcher, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(bare, watcher);
    } else if (fd == bare->trainer) {
        on_trainer(bare);
    } else {
        upgrade(bare, fd);
    }
}

int main(int argc, char **argv)
{
    struct bare *bare = calloc(1, sizeof(*bare));
    struct epoll_event events[EVENTS_A_TURN];
    struct rlimit files;

    if (argc != 2 && argc != 3)
        errx(2, "usage: bare_send TRAINER-SOCKET [LINES-PER-TICK]");
    if (!bare || getrlimit(RLIMIT_NOFILE, &files) != 0)
        err(1, "bare_send");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    bare->epoll = epoll_create1(EPOLL_CLOEXEC);
    bare->trainer = -1;
    bare->lines_per_tick = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    bare->trainer_listener = listen_trainer(argv[1]);
    watch(bare, bare->trainer_listener);
    bare->http_listener = listen_http();
    watch(bare, bare->http_listener);
    for (;;) {
        int n = epoll_wait(bare->epoll, events, EVENTS_A_TURN, -1);
        for (int i = 0; i < n; i++)
            on_event(bare, events[i].data.fd);
    }
}
