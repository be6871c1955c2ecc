/* SPDX-License-Identifier: MIT */
/*
 * poster: gets parcels to one receiver, in order, from a thread of its own.
 *
 * What certainly was not taken is tried again, later and later, PARCEL_ATTEMPTS times; what may
 * have been taken is not. At most POSTER_WAITING wait; more are dropped. All of it is counted, and
 * each parcel that does not arrive is logged once, without its URL.
 */
#ifndef STREAMD_NOTIFY_POSTER_H
#define STREAMD_NOTIFY_POSTER_H

#include "streamd/notify/parcel.h"

#include <stdatomic.h>

enum { POSTER_WAITING = 64 };

struct poster;

/* How it went so far; may be read from any thread. */
struct poster_counts {
    atomic_uint_fast64_t taken;
    atomic_uint_fast64_t retried; /* attempts after the first */
    atomic_uint_fast64_t failed;  /* refused, unknown, or given up */
    atomic_uint_fast64_t dropped; /* no room, or ended before */
};

/* `name` ("telegram", "webhook") is static; the thread begins now. NULL: no memory, no thread. */
struct poster *poster_create(const char *name, long timeout_ms);

/* Takes the parcel, never waits. */
void poster_post(struct poster *p, struct parcel *parcel);

/* Of what was to be sent there was no parcel to be made: counts it as dropped, and says so. */
void poster_miss(struct poster *p, const char *id, const char *why);

const struct poster_counts *poster_counts(const struct poster *p);

/* Tries what waits once more, for at most grace_ms (and a second), and ends the thread. */
void poster_destroy(struct poster *p, unsigned grace_ms);

#endif
