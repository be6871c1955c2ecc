/* SPDX-License-Identifier: MIT */
/*
 * interpreters: those of a registry's sessions that are interpreted (interpreter.h), and the clock
 * by which silent ones are looked at. Embedded in the registry.
 */
#ifndef STREAMD_SESSION_INTERPRETERS_H
#define STREAMD_SESSION_INTERPRETERS_H

#include "base/list.h"
#include "base/timers.h"

struct registry;

struct interpreters {
    struct list all; /* owns; of interpreter.link */
    uint64_t count;
    uint64_t max;
    uint64_t full_until_us; /* till then there is no use in looking for a place */
    struct timer tick;
    struct registry *registry; /* borrows */
    double wall_ahead_s;       /* of our own clock, when a record came last */
};

void interpreters_init(struct interpreters *all, struct registry *registry, uint64_t max);
/* After every session is gone. */
void interpreters_fini(struct interpreters *all);

#endif
