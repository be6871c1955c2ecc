/* SPDX-License-Identifier: MIT */
#include "load_options.h"

/*
 * Keep-alive GETs, one in flight on each connection, so that no request waits in a pipeline and
 * the server's loop wakes as it would for many polling dashboards. Each response is checked: the
 * status, and a body as long as Content-Length says. With `revalidate` the ETag of a first answer
 * is sent back and 304 is the only right status.
 */

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_meter.h"
#include "load_trainer.h"

enum { RESPONSE_MAX = 16384, EVENTS_A_TURN = 64 };

struct poller {
    int fd;
    size_t held;
    char response[RESPONSE_MAX + 1];
};

struct http_run {
    const struct load_options *options; /* borrowed */
    struct poller *pollers;             /* owned */
    int epoll;
    long wanted_status;
    unsigned sent;
    unsigned received;
    uint64_t response_bytes;
    char request[1024];
    size_t request_bytes;
};

static void poller_open(struct poller *poller, const struct http_run *run)
{
    const struct sockaddr_in *target = &run->options->target;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = poller};

    poller->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (poller->fd < 0 ||
        connect(poller->fd, (const struct sockaddr *)target, sizeof(*target)) != 0)
        err(1, "http connection");
    if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, poller->fd, &event) != 0)
        err(1, "epoll_ctl");
}

static void ask(struct poller *poller, struct http_run *run)
{
    run->sent++;
    if (send(poller->fd, run->request, run->request_bytes, MSG_NOSIGNAL) !=
        (ssize_t)run->request_bytes)
        err(1, "http request");
}

static size_t content_length(const char *head)
{
    const char *value = strcasestr(head, "\r\nContent-Length:");

    return value ? strtoull(value + 17, NULL, 10) : 0;
}

static long status_of(const char *head)
{
    static const char version[] = "HTTP/1.1 ";

    return strncmp(head, version, sizeof(version) - 1) == 0
               ? strtol(head + sizeof(version) - 1, NULL, 10)
               : 0;
}

/* True when the held bytes are one whole response; ends the program when they are a wrong one. */
static bool response_complete(struct poller *poller, long wanted_status)
{
    poller->response[poller->held] = '\0';
    char *end = strstr(poller->response, "\r\n\r\n");

    if (!end)
        return false;
    if (status_of(poller->response) != wanted_status)
        errx(1, "wanted status %ld, got: %.60s", wanted_status, poller->response);
    size_t head_bytes = (size_t)(end - poller->response) + 4;
    size_t body_bytes = wanted_status == 304 ? 0 : content_length(poller->response);
    if (poller->held > head_bytes + body_bytes)
        errx(1, "more bytes than one response");
    return poller->held == head_bytes + body_bytes;
}

static bool poller_receive(struct poller *poller, struct http_run *run)
{
    ssize_t n = recv(poller->fd, poller->response + poller->held, RESPONSE_MAX - poller->held, 0);

    if (n <= 0)
        errx(1, "http connection ended: %s",
             n == 0 ? "closed or over-long answer" : strerror(errno));
    poller->held += (size_t)n;
    if (!response_complete(poller, run->wanted_status))
        return false;
    run->received++;
    run->response_bytes += poller->held;
    poller->held = 0;
    return true;
}

static void run_requests(struct http_run *run, unsigned count)
{
    struct epoll_event events[EVENTS_A_TURN];

    run->sent = run->received = 0;
    run->response_bytes = 0;
    for (unsigned i = 0; i < run->options->connections && run->sent < count; i++)
        ask(&run->pollers[i], run);
    while (run->received < count) {
        int n = epoll_wait(run->epoll, events, EVENTS_A_TURN, 10000);
        if (n <= 0)
            errx(1, "no http answer in ten seconds");
        for (int i = 0; i < n; i++) {
            struct poller *poller = events[i].data.ptr;
            if (poller_receive(poller, run) && run->sent < count)
                ask(poller, run);
        }
    }
}

static void set_request(struct http_run *run, const char *etag)
{
    int n =
        snprintf(run->request, sizeof(run->request), "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
                 run->options->path, run->options->host, etag ? "If-None-Match: " : "",
                 etag ? etag : "", etag ? "\r\n" : "");

    if (n < 0 || (size_t)n >= sizeof(run->request))
        errx(2, "--path is too long");
    run->request_bytes = (size_t)n;
}

/* Asks once on the first connection and makes the request one that revalidates that answer. */
static void learn_etag(struct http_run *run)
{
    char etag[256];
    struct poller *first = &run->pollers[0];
    bool whole = false;

    ask(first, run);
    while (!whole)
        whole = poller_receive(first, run);
    const char *value = strcasestr(first->response, "\r\nETag:");
    if (!value || sscanf(value + 7, " %255[^\r]", etag) != 1)
        errx(1, "no ETag in the answer to %s", run->options->path);
    set_request(run, etag);
    run->wanted_status = 304;
}

static void give_metrics(const struct load_options *options)
{
    struct trainer trainer;
    char line[TRAINER_LINE_MAX];

    trainer_open(&trainer, options->trainer, 1, false);
    trainer_send(&trainer, line, trainer_line(&trainer, 0, line));
    trainer_sync(&trainer);
    trainer_close(&trainer);
}

static void print_requests(const struct http_run *run, int64_t cpu_ns)
{
    double cpu_s = (double)cpu_ns / 1e9;

    printf("requests %u\n", run->received);
    printf("cpu_s %.6f\n", cpu_s);
    printf("requests_per_cpu_s %.0f\n", run->received / cpu_s);
    printf("response_bytes %.1f\n", (double)run->response_bytes / run->received);
}

int load_http(const struct load_options *options)
{
    struct http_run run = {.options = options, .wanted_status = 200};

    give_metrics(options);
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.pollers = calloc(options->connections, sizeof(*run.pollers));
    if (!run.pollers || run.epoll < 0)
        err(1, "http");
    for (unsigned i = 0; i < options->connections; i++)
        poller_open(&run.pollers[i], &run);
    set_request(&run, NULL);
    if (options->revalidate)
        learn_etag(&run);
    run_requests(&run, options->requests / 10);
    int64_t from_ns = meter_cpu_ns(options->server_pid);
    run_requests(&run, options->requests);
    print_requests(&run, meter_cpu_ns(options->server_pid) - from_ns);
    for (unsigned i = 0; i < options->connections; i++)
        close(run.pollers[i].fd);
    free(run.pollers);
    close(run.epoll);
    return 0;
}
