/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

/*
 * What one run of the load generator is asked to do. Filled once from argv by load.c and
 * borrowed, never changed, by everything else.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum dialect { DIALECT_WS, DIALECT_SOCKETIO };

/* A subscriber of all rooms names each in its request, so there may be fewer of them. */
enum { LOAD_ROOMS_MAX = 1000, LOAD_ROOMS_EACH_MAX = 64 };

struct load_options {
    struct sockaddr_in target; /* the server's HTTP listener */
    char host[64];             /* the same as text, for the Host header */
    const char *trainer;       /* path of the Unix socket that takes trainer lines */
    bool publish;              /* it takes messages there instead, published by HTTP */
    pid_t server_pid;          /* whose CPU and memory are measured */

    enum dialect dialect;
    bool deflate;           /* offer permessage-deflate */
    bool independent;       /* and ask for messages that refer to nothing */
    unsigned inflate_every; /* inflate and check all frames of each n-th connection */
    unsigned subscribers;
    unsigned connecting; /* at most so many handshakes under way at once */
    unsigned rooms;      /* each subscriber is in all of them; 0 = connect only */
    unsigned rate_per_s; /* ticks a second */
    unsigned ticks;      /* measured ticks */
    unsigned warm_ticks; /* ticks before those, not measured */
    bool stagger;        /* one room a tick in turn, instead of all rooms each tick */
    bool spread;         /* each subscriber is in one of the rooms only */
    unsigned slices;     /* parts of a tick, at even distances, in which the rooms take turns */
    unsigned events;     /* one event of each room after so many ticks; 0: none */
    unsigned churn;      /* percent of the subscribers that go and come back each second */
    const char *metrics; /* file of metrics objects, one a line, to be played; NULL: made up */

    unsigned lines; /* ingest: how many lines */
    unsigned batch; /* ingest: lines a write */

    const char *path;     /* http: what to GET */
    unsigned connections; /* http: keep-alive connections, one request in flight on each;
                             crowd: trainers */
    unsigned requests;    /* http: how many */
    bool revalidate;      /* http: send If-None-Match and expect 304 */
};

/* The measurements. Each prints `name value` lines on stdout and returns the exit status. */
int load_fanout(const struct load_options *options);
int load_ingest(const struct load_options *options);
int load_http(const struct load_options *options);
int load_storm(const struct load_options *options);
int load_crowd(const struct load_options *options);

#endif
