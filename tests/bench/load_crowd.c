/* SPDX-License-Identifier: MIT */
#include "load_options.h"

/*
 * Many trainers at once, each on a connection of its own with a run of its own, a numbered line
 * a tick each, at even distances. A trainer has been served when its last line is acknowledged;
 * how long an ack took is known of each ack, since a trainer remembers when it sent a line.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "load_meter.h"
#include "load_tally.h"

enum { ANSWERS_MAX = 4096, EVENTS_A_TURN = 64, LAST_ACKS_US = 30 * 1000000 };

struct member {
    int fd;
    bool refused;
    uint64_t sent;
    uint64_t acked;
    uint64_t sent_us; /* when its newest line was sent */
    size_t held;
    char answers[ANSWERS_MAX + 1]; /* the start of a line whose end has not come */
};

struct crowd {
    const struct load_options *options; /* borrowed */
    struct member *members;             /* owned */
    int epoll;
    unsigned started;
    unsigned refused;
    uint64_t sent;
    uint64_t acked;
    uint64_t errors;
    struct tally tally;
};

static void say(struct member *member, const char *line, int length)
{
    if (send(member->fd, line, (size_t)length, MSG_NOSIGNAL) != length && !member->refused)
        err(1, "a trainer's line");
}

static void join(struct crowd *crowd, struct member *member, const struct sockaddr_un *address)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    char line[128];
    int n = snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"crowd-%u\"}\n",
                     (unsigned)(member - crowd->members));

    member->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (member->fd < 0 ||
        connect(member->fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        err(1, "trainer %s", line);
    if (fcntl(member->fd, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, member->fd, &event) != 0)
        err(1, "epoll_ctl");
    member->refused = send(member->fd, line, (size_t)n, MSG_NOSIGNAL) != n;
}

static void take_line(struct crowd *crowd, struct member *member, const char *line)
{
    static const char ack[] = "\"seq\":";

    if (strstr(line, "\"started\"")) {
        crowd->started++;
    } else if (strstr(line, "\"ack\"")) {
        uint64_t seq = strtoull(strstr(line, ack) + sizeof(ack) - 1, NULL, 10);
        crowd->acked += seq - member->acked;
        member->acked = seq;
        if (seq == member->sent)
            tally_latency(&crowd->tally, meter_now_us() - member->sent_us);
    } else {
        if (crowd->errors++ == 0)
            warnx("a trainer was answered %s", line);
    }
}

static void leave(struct crowd *crowd, struct member *member)
{
    crowd->refused++;
    member->refused = true;
    close(member->fd);
    member->fd = -1;
}

static void hear(struct crowd *crowd, struct member *member)
{
    char *at = member->answers;
    char *end;
    ssize_t n = recv(member->fd, at + member->held, ANSWERS_MAX - member->held, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        leave(crowd, member);
        return;
    }
    member->held += (size_t)n;
    at[member->held] = '\0';
    while ((end = strchr(at, '\n')) != NULL) {
        *end = '\0';
        take_line(crowd, member, at);
        at = end + 1;
    }
    member->held -= (size_t)(at - member->answers);
    memmove(member->answers, at, member->held);
}

static void listen_until(struct crowd *crowd, uint64_t until_us)
{
    struct epoll_event events[EVENTS_A_TURN];
    uint64_t now_us = meter_now_us();
    int wait_ms = until_us > now_us ? (int)((until_us - now_us) / 1000) : 0;
    int n = epoll_wait(crowd->epoll, events, EVENTS_A_TURN, wait_ms);

    for (int i = 0; i < n; i++)
        hear(crowd, events[i].data.ptr);
}

static void push(struct crowd *crowd, struct member *member)
{
    char line[256];

    if (member->refused)
        return;
    member->sent++;
    int n = snprintf(line, sizeof(line),
                     "{\"type\":\"progress\",\"sessionId\":\"crowd-%u\",\"seq\":%" PRIu64
                     ",\"metrics\":{\"step\":%" PRIu64 ",\"loss\":1.5,\"lr\":3e-4}}\n",
                     (unsigned)(member - crowd->members), member->sent, member->sent);
    member->sent_us = meter_now_us();
    say(member, line, n);
    crowd->sent++;
}

static void join_all(struct crowd *crowd)
{
    const struct load_options *options = crowd->options;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t from_us = meter_now_us();

    if (strlen(options->trainer) >= sizeof(address.sun_path))
        errx(2, "--trainer: %s is too long for a Unix socket", options->trainer);
    memcpy(address.sun_path, options->trainer, strlen(options->trainer) + 1);
    for (unsigned i = 0; i < options->connections; i++) {
        join(crowd, &crowd->members[i], &address);
        listen_until(crowd, 0);
    }
    while (crowd->started + crowd->refused < options->connections) {
        listen_until(crowd, meter_now_us() + 10000);
        if (meter_now_us() - from_us > LAST_ACKS_US)
            errx(1, "%u of %u trainers were answered", crowd->started, options->connections);
    }
    printf("connect_s %.3f\n", (double)(meter_now_us() - from_us) / 1e6);
}

static void train(struct crowd *crowd)
{
    const struct load_options *options = crowd->options;
    uint64_t count = (uint64_t)options->ticks * options->connections;
    uint64_t begun_us = meter_now_us();

    for (uint64_t i = 0; i < count; i++) {
        uint64_t due_us = begun_us + i * 1000000 / options->rate_per_s / options->connections;
        do
            listen_until(crowd, due_us);
        while (meter_now_us() < due_us);
        push(crowd, &crowd->members[i % options->connections]);
    }
    uint64_t deadline_us = meter_now_us() + LAST_ACKS_US;
    while (crowd->acked < crowd->sent && meter_now_us() < deadline_us)
        listen_until(crowd, meter_now_us() + 10000);
}

int load_crowd(const struct load_options *options)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));

    if (!crowd)
        err(1, "calloc");
    crowd->options = options;
    crowd->members = calloc(options->connections, sizeof(*crowd->members));
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!crowd->members || crowd->epoll < 0)
        err(1, "crowd");
    join_all(crowd);
    int64_t from_ns = meter_cpu_ns(options->server_pid);
    train(crowd);
    printf("cpu_s %.3f\n", (double)(meter_cpu_ns(options->server_pid) - from_ns) / 1e9);
    printf("started %u\n", crowd->started);
    printf("refused %u\n", crowd->refused);
    printf("errors %" PRIu64 "\n", crowd->errors);
    printf("lines %" PRIu64 "\n", crowd->sent);
    printf("acked %" PRIu64 "\n", crowd->acked);
    printf("ack_p50_us %" PRIu64 "\n", tally_percentile_us(&crowd->tally, 50));
    printf("ack_p99_us %" PRIu64 "\n", tally_percentile_us(&crowd->tally, 99));
    printf("ack_max_us %" PRIu64 "\n", crowd->tally.worst_us);
    for (unsigned i = 0; i < options->connections; i++)
        close(crowd->members[i].fd);
    close(crowd->epoll);
    free(crowd->members);
    free(crowd);
    return 0;
}
