/* SPDX-License-Identifier: MIT */
/*
 * orders: every order to every session, as an audit: who asked for what and why, who was told, and
 * what came of it.
 *
 * Each change is announced to the room (`control`), logged, and kept. An order that has no answer
 * at its deadline (--control-deadline) is reported, in the room, as an alert and to whoever is
 * notified: never taken for done. Bounded: ORDERS_OF_SESSION to a run, ORDERS_MAX in all; the
 * oldest that nobody waits for any more is forgotten.
 */
#ifndef STREAMD_SESSION_ORDERS_H
#define STREAMD_SESSION_ORDERS_H

#include "proto/line.h"
#include "streamd/clock.h"
#include "streamd/session/order.h"
#include "streamd/store/store.h"

enum {
    ORDERS_OF_SESSION = 64,
    ORDERS_MAX = 4096,
    ORDERS_OPEN_MAX = 16, /* of one session that wait for an answer */
};

struct registry;

/* Of a registry. */
struct orders {
    struct list all; /* of order.all, oldest first; owned by their sessions */
    size_t count;
    uint64_t last_id;
};

void orders_init(struct orders *o);

/* A new order, ASKED, in its session's list; not kept before it is told or refused or
 * orders_keep. NULL when out of memory. */
struct order *orders_add(struct session *s, const struct order_ask *ask, struct now now);

/* These are told that it is TOLD, and its deadline runs. */
void orders_told(struct order *o, uint64_t trainers, bool signalled, struct now now);

/* The daemon itself has refused it. The room hears nothing: whoever asks does. */
void orders_refuse(struct order *o, const char *why, struct now now);

/* As it is now. */
void orders_keep(const struct order *o);

/* An `answer` line of the session's trainer. E_NOT_FOUND: there is no such order. E_STATE: it has
 * had another answer, and keeps that. */
MUST_CHECK enum status orders_answer(struct session *s, const struct line *line, struct now now);

/* The session is over, or begins anew: a stop is done, and what else is open stays unanswered. */
void orders_end(struct session *s, struct now now);

/* The session is freed. */
void orders_forget(struct session *s);

/* How many of the session wait for an answer. */
size_t orders_open(const struct session *s);

/* Takes over what the store has, for sessions that are there; who was told gets his deadline anew.
 * Damaged ones are passed over. E_IO, E_NOMEM. */
MUST_CHECK enum status orders_restore(struct registry *r, struct store *store, struct now now);

/* Appends the member "control", unless it would be empty: an array of those that are told,
 * accepted, or unanswered and not followed by one of the same command; oldest first. */
void orders_write_open(const struct session *s, struct buf *out);

/* An array of all, newest first. */
void orders_write_all(const struct session *s, struct buf *out);

#endif
