/* SPDX-License-Identifier: MIT */
#include "insight/rhythm.h"

#include <math.h>
#include <string.h>

static const double smoothing = 0.3;
static const uint64_t judged_from = 3; /* intervals */

void rhythm_init(struct rhythm *r)
{
    memset(r, 0, sizeof(*r));
    r->newest_t = r->epoch = r->epoch_t = r->epoch_x = r->s_per_epoch = r->x_per_epoch = NAN;
}

static void smooth(double *mean, double value)
{
    if (!(value > 0) || !isfinite(value))
        return;
    *mean = isnan(*mean) ? value : *mean + smoothing * (value - *mean);
}

static void see_epoch(struct rhythm *r, double x, double t, double epoch)
{
    double ended = floor(epoch) - r->epoch;
    if (ended == 0)
        return;
    if (ended > 0) {
        smooth(&r->s_per_epoch, (t - r->epoch_t) / ended);
        smooth(&r->x_per_epoch, (x - r->epoch_x) / ended);
    }
    r->epoch = floor(epoch);
    r->epoch_t = t;
    r->epoch_x = x;
}

void rhythm_push(struct rhythm *r, double x, double t, double epoch)
{
    if (t > r->newest_t)
        r->interval[r->count++ % RHYTHM_INTERVALS] = t - r->newest_t;
    if (!isnan(t))
        r->newest_t = t;
    if (!isnan(epoch))
        see_epoch(r, x, r->newest_t, epoch);
}

double rhythm_interval(const struct rhythm *r)
{
    double sorted[RHYTHM_INTERVALS];
    unsigned n = r->count < RHYTHM_INTERVALS ? (unsigned)r->count : RHYTHM_INTERVALS;
    if (r->count < judged_from)
        return NAN;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > r->interval[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = r->interval[i];
    }
    return sorted[n / 2];
}
