/* SPDX-License-Identifier: MIT */
/*
 * Two rings of the last ten losses are all that the flags need to know of the past. Whoever keeps
 * the epochs themselves keeps them elsewhere: in the history of the run.
 */
#include "insight/epoch_trend.h"

#include <math.h>

static const double overfit_share = 0.05;
static const double diverging_share = 0.2;

void epoch_trend_add(struct epoch_trend *t, double train_loss, double val_loss)
{
    t->newest = t->count % EPOCH_TREND_WINDOW;
    t->train[t->newest] = train_loss;
    t->val[t->newest] = isfinite(val_loss) ? val_loss : (double)NAN;
    if (isfinite(val_loss) && (t->val_count == 0 || val_loss < t->best_val_loss)) {
        t->best = t->count;
        t->best_val_loss = val_loss;
    }
    t->val_count += isfinite(val_loss);
    t->count++;
}

bool epoch_trend_has_best(const struct epoch_trend *t)
{
    return t->val_count > 0;
}

uint64_t epoch_trend_since_best(const struct epoch_trend *t)
{
    return epoch_trend_has_best(t) ? t->count - 1 - t->best : 0;
}

/* Of the epoch `ago` before the newest; 0 < EPOCH_TREND_WINDOW. */
static double before(const struct epoch_trend *t, const double *ring, unsigned ago)
{
    return ring[(t->newest + EPOCH_TREND_WINDOW - ago) % EPOCH_TREND_WINDOW];
}

/* By which share of `from` it is above it; NaN when either is none. */
static double rise(double from, double to)
{
    return from == 0 ? (double)NAN : (to - from) / fabs(from);
}

bool epoch_trend_overfits(const struct epoch_trend *t)
{
    const unsigned first = EPOCH_TREND_WINDOW - 1;
    if (t->count < EPOCH_TREND_WINDOW)
        return false;
    for (unsigned i = 0; i < EPOCH_TREND_WINDOW; i++) {
        if (isnan(t->val[i]))
            return false;
    }
    return rise(before(t, t->train, first), t->train[t->newest]) < -overfit_share &&
           rise(before(t, t->val, first), t->val[t->newest]) > overfit_share;
}

bool epoch_trend_plateaus(const struct epoch_trend *t, uint64_t patience)
{
    return epoch_trend_since_best(t) >= patience && epoch_trend_has_best(t);
}

bool epoch_trend_diverges(const struct epoch_trend *t)
{
    double newest = t->train[t->newest];
    if (t->count == 0)
        return false;
    if (!isfinite(newest))
        return true;
    return t->count >= EPOCH_TREND_DIVERGING &&
           rise(before(t, t->train, EPOCH_TREND_DIVERGING - 1), newest) > diverging_share;
}
