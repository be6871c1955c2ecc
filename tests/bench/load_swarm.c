/* SPDX-License-Identifier: MIT */
#include "load_swarm.h"

/*
 * Level-triggered epoll, one recv() an event, a bounded number of events a turn, so that a
 * trainer's tick is at most a millisecond late behind a full socket of everybody's frames.
 * Handshakes are bounded too: a server's listen queue (50 deep with eventlet) must not decide how
 * long connecting takes. All is closed with a reset, which leaves no port in TIME_WAIT.
 */

#include <err.h>
#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_meter.h"

enum { EVENTS_A_TURN = 256, OPEN_DEADLINE_US = 120 * 1000000 };

void swarm_init(struct swarm *swarm, const struct load_options *options,
                const struct trainer *trainer)
{
    swarm->options = options;
    swarm->trainer = trainer;
    swarm->conns = calloc(options->subscribers, sizeof(*swarm->conns));
    swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!swarm->conns || swarm->epoll < 0)
        err(1, "swarm");
}

void swarm_open_some(struct swarm *swarm, unsigned count)
{
    while (swarm->opened < count && swarm->opened - swarm->ready < swarm->options->connecting) {
        conn_open(&swarm->conns[swarm->opened], swarm, swarm->opened);
        swarm->opened++;
    }
}

void swarm_grow(struct swarm *swarm, unsigned count)
{
    uint64_t deadline_us = meter_now_us() + OPEN_DEADLINE_US;

    while (swarm->ready < count) {
        swarm_open_some(swarm, count);
        swarm_poll(swarm, deadline_us);
        if (meter_now_us() >= deadline_us)
            errx(1, "%u of %u subscribers ready after two minutes", swarm->ready, count);
    }
}

void swarm_churn(struct swarm *swarm, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned id = swarm->churned++ % swarm->opened;
        if (swarm->conns[id].state != CONN_READY)
            continue; /* it is still on its way */
        conn_close(&swarm->conns[id]);
        conn_open(&swarm->conns[id], swarm, id);
    }
}

void swarm_cut(struct swarm *swarm)
{
    for (unsigned i = 0; i < swarm->opened; i++)
        conn_close(&swarm->conns[i]);
    swarm->opened = swarm->ready = 0;
}

void swarm_close(struct swarm *swarm)
{
    for (unsigned i = 0; i < swarm->opened; i++)
        conn_close(&swarm->conns[i]);
    free(swarm->conns);
    close(swarm->epoll);
}

void swarm_poll(struct swarm *swarm, uint64_t until_us)
{
    struct epoll_event events[EVENTS_A_TURN];
    uint64_t now_us = meter_now_us();
    uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
    struct timespec wait = {.tv_sec = (time_t)(wait_us / 1000000),
                            .tv_nsec = (long)(wait_us % 1000000) * 1000};
    int n = epoll_pwait2(swarm->epoll, events, EVENTS_A_TURN, &wait, NULL);

    if (n < 0 && errno != EINTR)
        err(1, "epoll_pwait2");
    for (int i = 0; i < n; i++)
        conn_event(events[i].data.ptr, swarm, events[i].events & EPOLLOUT);
}

uint64_t swarm_segments(const struct swarm *swarm)
{
    uint64_t segments = 0;

    for (unsigned i = 0; i < swarm->opened; i++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof(info);

        if (swarm->conns[i].fd >= 0 &&
            getsockopt(swarm->conns[i].fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            segments += info.tcpi_data_segs_in;
    }
    return segments;
}
