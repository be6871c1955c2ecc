/* SPDX-License-Identifier: MIT */
/*
 * daemon_events: the events of a run as they come, over Server-Sent Events.
 */
#ifndef STREAMD_TOOLS_DAEMON_EVENTS_H
#define STREAMD_TOOLS_DAEMON_EVENTS_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum daemon_events_end {
    EVENTS_ENOUGH,  /* on_event said so */
    EVENTS_TIMEOUT, /* the time is up */
    EVENTS_LOST,    /* there is no connection, or it ended: *why says why */
};

struct daemon_events {
    const char *url;     /* as daemon_call's */
    const char *ca_file; /* as daemon_call's */
    const char *path;    /* escaped */
    uint64_t timeout_ms; /* 0: none */
    /* An event and its data, JSON; both borrowed for the call. False: that is enough. */
    bool (*on_event)(void *context, struct span name, struct span data);
    void *context;
};

/* Listens, sleeping in poll() between events. */
enum daemon_events_end daemon_events(const struct daemon_events *events, const char **why);

#endif
