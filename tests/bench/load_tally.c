/* SPDX-License-Identifier: MIT */
#include "load_tally.h"

/*
 * A full round brings millions of latencies. Two flat histograms are exact to 1 us where the
 * answers lie (below 100 ms) and to 1 ms where a server is only falling behind, cost one
 * increment a message, and cannot run out of memory in the middle of a measurement.
 */

#include <string.h>

void tally_reset(struct tally *tally)
{
    memset(tally, 0, sizeof(*tally));
}

void tally_latency(struct tally *tally, uint64_t latency_us)
{
    tally->samples++;
    if (latency_us > tally->worst_us)
        tally->worst_us = latency_us;
    if (latency_us < TALLY_FINE) {
        tally->fine[latency_us]++;
        return;
    }
    uint64_t ms = latency_us / 1000;
    tally->coarse[ms < TALLY_COARSE ? ms : TALLY_COARSE - 1]++;
}

double tally_messages(const struct tally *tally)
{
    double part =
        tally->inflated == 0 ? 1 : (double)tally->inflated_updates / (double)tally->inflated;

    return (double)tally->updates + (double)tally->unread * part;
}

uint64_t tally_percentile_us(const struct tally *tally, double percent)
{
    uint64_t wanted = (uint64_t)((double)tally->samples * percent / 100.0);
    uint64_t seen = 0;

    if (tally->samples == 0)
        return 0;
    for (uint64_t us = 0; us < TALLY_FINE; us++) {
        seen += tally->fine[us];
        if (seen > wanted)
            return us;
    }
    for (uint64_t ms = 0; ms < TALLY_COARSE; ms++) {
        seen += tally->coarse[ms];
        if (seen > wanted)
            return ms * 1000;
    }
    return tally->worst_us;
}
