/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_TALLY_H
#define BENCH_LOAD_TALLY_H

/*
 * What the subscribers received: counters, and the latency of every message whose send stamp
 * could be read, kept exactly enough for percentiles without keeping the samples. A value; embed
 * it and zero it with tally_reset before each measurement.
 */

#include <stdint.h>

enum { TALLY_FINE = 100000, TALLY_COARSE = 60000 };

struct tally {
    uint64_t updates;          /* progress_update messages that were read */
    uint64_t unread;           /* compressed messages that could only be counted */
    uint64_t update_bytes;     /* of their frames */
    uint64_t wire_bytes;       /* everything received, frame headers and pings included */
    uint64_t receives;         /* recv() calls that returned data */
    uint64_t compressed;       /* messages that came with RSV1 */
    uint64_t inflated;         /* of those, inflated and found sound */
    uint64_t inflated_updates; /* of those again, updates */
    uint64_t bad;              /* frames that did not inflate, parse or belong */
    uint64_t repeated; /* messages no newer than the last one of the same room and subscriber */
    uint64_t events;   /* model_completed */
    uint64_t gaps;     /* storm: updates that do not follow the one before */
    uint64_t samples;  /* latencies recorded */
    uint64_t worst_us;
    uint32_t fine[TALLY_FINE];     /* by microsecond, below 100 ms */
    uint32_t coarse[TALLY_COARSE]; /* by millisecond, below 60 s; later ones count in the last */
};

void tally_reset(struct tally *tally);
void tally_latency(struct tally *tally, uint64_t latency_us);

/* How many updates have come: those read, and of the others as large a part as of those that were
 * inflated beside them, since servers send news of their own as well. */
double tally_messages(const struct tally *tally);

/* The latency in microseconds below or at which `percent` of the samples lie; 0 with no sample. */
uint64_t tally_percentile_us(const struct tally *tally, double percent);

#endif
