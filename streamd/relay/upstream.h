/* SPDX-License-Identifier: MIT */
/*
 * upstream: where a relay leads its runs to, as it was told, and what is known of the way there.
 *
 * Set once before there are threads. Of what changes, `why` and the count of tunnels, every thread
 * may speak. The token is in no log and no error.
 */
#ifndef STREAMD_RELAY_UPSTREAM_H
#define STREAMD_RELAY_UPSTREAM_H

#include "base/span.h"

#include <pthread.h>

enum {
    UPSTREAM_URL_MAX = 512,
    UPSTREAM_TOKEN_MAX = 1024,
    UPSTREAM_WHY_MAX = 256,
};

struct upstream {
    char url[UPSTREAM_URL_MAX]; /* http:// or https://, with nothing behind host and port but '/' */
    char host[UPSTREAM_URL_MAX];    /* and port, as the Host header has them */
    char base[UPSTREAM_URL_MAX];    /* the whole address, without a '/' at its end */
    char path[UPSTREAM_URL_MAX];    /* of its feed */
    char token[UPSTREAM_TOKEN_MAX]; /* "": none */
    const char *ca_file;            /* borrows; NULL: the system's */
    bool encrypted;                 /* https, wss */
    pthread_mutex_t lock;           /* guards the following */
    pthread_cond_t quiet;           /* `tunnels` came to 0 */
    char why[UPSTREAM_WHY_MAX];     /* the last tunnel ended */
    unsigned tunnels;               /* alive */
};

/*
 * Reads `url`: http, https, ws or wss, a host, maybe a port, maybe a path before the hub's own.
 * NULL, or why not (static); then there is nothing to fini.
 */
const char *upstream_init(struct upstream *h, const char *url);

/* Waits for the tunnels, whose local ends must be closed, for some seconds. */
void upstream_fini(struct upstream *h);

/* Takes the token, white space around it dropped. NULL, or why not (static). */
const char *upstream_set_token(struct upstream *h, struct span text);

/* Does whoever listens in on the way learn the token? */
bool upstream_leaks_token(const struct upstream *h);

/* Notes why a tunnel ended; copies what was noted last, "" for nothing yet. */
void upstream_note(struct upstream *h, const char *why);
void upstream_why(struct upstream *h, char out[UPSTREAM_WHY_MAX]);

/* A tunnel begins or ends. */
void upstream_count(struct upstream *h, int change);

#endif
