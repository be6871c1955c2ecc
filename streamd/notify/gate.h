/* SPDX-License-Identifier: MIT */
/*
 * gate: which events people are told of, and which they are spared. No I/O, no clock.
 *
 * The same alert of a run not again within the cooldown, progress not more often than the interval,
 * below the threshold nothing, at night only what is critical; divergence and crash pass all of it.
 * Nothing passes twice. What it remembers has a fixed size: past it the oldest is forgotten.
 */
#ifndef STREAMD_NOTIFY_GATE_H
#define STREAMD_NOTIFY_GATE_H

#include "streamd/notify/event.h"

enum { GATE_ALERTS = 256, MINUTES_OF_DAY = 24 * 60 };

/* As gate_init fills it in for zero: 600 s, 300 s, info, no night. */
struct gate_rules {
    uint64_t cooldown_us;
    uint64_t interval_us;
    enum severity threshold;
    unsigned quiet_from, quiet_to; /* minutes of the local day; equal: never quiet */
};

struct gate_alert {
    uint64_t key; /* 0: free */
    uint64_t told_us;
    uint64_t number; /* of the newest that passed or was spared */
};

struct gate {
    struct gate_rules rules;
    struct gate_alert alerts[GATE_ALERTS];
    uint64_t spared;
};

void gate_init(struct gate *g, const struct gate_rules *rules);

/* May it be told, at this monotonic time and minute of the local day? Remembers that it was. */
bool gate_passes(struct gate *g, const struct notify_event *e, uint64_t now_us, unsigned minute);

/* "22:00-07:30"; false, nothing touched: anything else. */
bool gate_parse_quiet(const char *text, struct gate_rules *rules);

#endif
