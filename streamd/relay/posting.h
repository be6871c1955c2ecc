/* SPDX-License-Identifier: MIT */
/*
 * posting: what a script POSTs to a relay, until it is a line of a run.
 *
 * What is to be done with it depends on what kind of job the run is. A hub that is there is asked,
 * for POSTING_PATIENCE_US at most; where it is away nobody waits for it: the line leaves the
 * question to it (`report`, P-16).
 *
 * Who ends an operation is sent on to the hub, but not past the lines that he said before: what
 * comes after an end is refused there.
 */
#ifndef STREAMD_RELAY_POSTING_H
#define STREAMD_RELAY_POSTING_H

#include "streamd/http/reply.h"

struct relay;

enum { POSTING_PATIENCE_US = 5 * 1000 * 1000 };

enum posting_kind {
    POSTING_HOST,    /* metrics, as a host service has it: a run that is not known is begun */
    POSTING_METRICS, /* metrics of an operation that there is */
    POSTING_BEGIN,   /* an operation; `object` is its config */
    POSTING_ONWARD,  /* what the hub answers, once it has all that was said of the run before */
};

/* Borrows. */
struct posting_ask {
    enum posting_kind kind;
    struct span id;     /* a good one */
    struct span object; /* JSON that passed json_check */
    struct span type;   /* of an operation that begins; empty: training */
    struct span path;   /* of POSTING_ONWARD, with its query */
    struct span query;
};

/* Answers, now or later: 200 once it is on disk here; and once the hub has it, if one is begun and
 * the hub is there. POSTING_ONWARD: 307, or 503 while lines are on their way. */
void posting_take(struct relay *r, const struct posting_ask *ask, struct reply *reply);

/*
 * For posting_wait.c: answers, or has to wait (false). `late`: it may wait no longer. *begun is 0
 * at first, and becomes the number of a begun operation's first line.
 */
bool posting_step(struct relay *r, const struct posting_ask *ask, bool late, uint64_t *begun,
                  struct reply *reply);

/* At the end of a wake-up, before lines are sent: goes on with those that wait. */
void postings_turn(struct relay *r);

#endif
