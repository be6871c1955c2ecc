/* SPDX-License-Identifier: MIT */
/*
 * pace: when a session's newest value may go out.
 *
 * A plain value without a clock: the caller passes now_us (monotonic, never going back: asserted).
 * The caller keeps the newest value itself; the pace only says when. It promises, to the
 * microsecond and however late the caller's timer is:
 *  - two updates are never less than one interval apart, whatever happens between (a flush before
 *    a lifecycle event is the one exception);
 *  - the first value after a quiet interval goes at once;
 *  - the newest value waits at most one interval; an older one was replaced by a newer;
 *  - under steady load an update goes at least every interval and a fifth;
 *  - busy sessions drift onto common ticks and stay there, so that a viewer of ten of them gets
 *    one write a tick and not ten.
 *
 * Use:  offer: if (pace_offer(p, now) == PACE_SEND) send, pace_sent(p, now);
 *              else arm the timer for pace_due_us(p), unless it is armed.
 *       timer: if (pace_due_us(p) > now) arm it again (a newer offer may have moved it);
 *              else send, pace_sent(p, now).
 *       event: if (pace_flush(p, now)) send the value; then send the event; disarm the timer.
 */
#ifndef THROTTLE_PACE_H
#define THROTTLE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    uint64_t interval_us; /* 0: every value goes at once */
    uint64_t allowed_us;  /* one interval after the last send; 0 before the first */
    uint64_t newest_us;   /* when the newest value was offered, while one is waiting */
    uint64_t tick_us;     /* when the waiting value goes at the latest */
    uint64_t seen_us;     /* the latest now_us we were given */
    bool waiting;         /* a value was offered and not yet sent */
};

enum pace_action { PACE_SEND, PACE_WAIT };

/* At most `max_rate_hz` updates a second; 0 turns the pace off. Asserts 0 or 0.001..1000. */
void pace_init(struct pace *p, double max_rate_hz);

/*
 * There is a new newest value. PACE_SEND: send it now and call pace_sent; PACE_WAIT: it waits until
 * pace_due_us.
 */
enum pace_action pace_offer(struct pace *p, uint64_t now_us);

/* Is a value waiting? */
bool pace_waiting(const struct pace *p);

/*
 * When the waiting value is to go; UINT64_MAX when none waits. A newer offer may move it later,
 * never earlier.
 */
uint64_t pace_due_us(const struct pace *p);

/* The waiting value goes out now. Asserts that one waits and that it is due. */
void pace_sent(struct pace *p, uint64_t now_us);

/*
 * Before a lifecycle event: true when a value waits; the caller sends it now, due or not, and it
 * counts as sent.
 */
bool pace_flush(struct pace *p, uint64_t now_us);

#endif
