/* SPDX-License-Identifier: MIT */
/*
 * notify: tells people of events: on a console, over Telegram, to a webhook.
 *
 *     struct notify *n = notify_create(&(struct notify_options){.console = stdout}, &why);
 *     notify_event(n, &event, now);      on the loop's thread: never waits, never fails
 *     notify_destroy(n);
 *
 * Which events are told is the gate's (gate.h), in which words is wording.h's. What goes over the
 * network is handed to a thread per receiver (poster.h), tried again while it certainly was not
 * taken, and never sent twice.
 */
#ifndef STREAMD_NOTIFY_NOTIFY_H
#define STREAMD_NOTIFY_NOTIFY_H

#include "streamd/clock.h"
#include "streamd/notify/event.h"
#include "streamd/notify/gate.h"
#include "streamd/notify/poster.h"

#include <stdio.h>

/* Texts are borrowed for the life of the notify; zero is the default everywhere. */
struct notify_options {
    struct gate_rules rules;
    FILE *console;              /* NULL: none */
    const char *telegram_token; /* Telegram when there are both */
    const char *telegram_chat;
    const char *telegram_base; /* default https://api.telegram.org */
    const char *webhook_url;   /* http:// or https:// */
    const char *webhook_body;  /* a template: parcel.h; default: an object with everything */
    long timeout_ms;           /* of an attempt; default 10000 */
    unsigned grace_ms;         /* for what waits when it ends; default 2000 */
};

struct notify;

/* NULL: *why says what is wrong with the options, a static string, or that there is no memory. */
struct notify *notify_create(const struct notify_options *options, const char **why);

/* False: the gate has spared it. Borrows the event for the call. */
bool notify_event(struct notify *n, const struct notify_event *e, struct now now);

/* NULL: there is no such receiver. */
const struct poster_counts *notify_telegram(const struct notify *n);
const struct poster_counts *notify_webhook(const struct notify *n);

/* Gives what waits its grace. NULL does nothing. */
void notify_destroy(struct notify *n);

#endif
