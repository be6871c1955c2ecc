/* SPDX-License-Identifier: MIT */
/*
 * Most runs dip by more than 5 % at some time and go on to a better best, mostly for one evaluation
 * or two, so the newest value alone says nothing: on the development curves such a rule calls two
 * of five healthy runs overfitted. What tells them apart is whether the run has done it before.
 * What it has come back from it may come back from again.
 */
#include "insight/relapse.h"

#include <math.h>
#include <string.h>

static const double risk_share = 0.05;
static const double drop_share = 0.10;
static const double back_share = 0.5;     /* of the limit: it came back */
static const double trained_share = 0.01; /* training improved */
static const double quiet_share = 0.1;    /* of the limit: it never came back from more */

static const uint64_t risk_since = 3; /* evaluations after the best */
static const uint64_t quiet_from = 7; /* evaluations: fewer do not show how noisy they are */
static const uint64_t deep_for = 2;   /* evaluations in a row */

void relapse_init(struct relapse *r)
{
    memset(r, 0, sizeof(*r));
    r->train = r->train_at_best = r->trained = NAN;
}

void relapse_train(struct relapse *r, double loss)
{
    r->sum += loss;
    r->count++;
}

double relapse_trained(struct relapse *r)
{
    if (r->count > 0)
        r->train = r->sum / (double)r->count;
    r->sum = 0;
    r->count = 0;
    return r->train;
}

/* What `share` is worth, of a metric that may have begun far off; of a best of zero there is none.
 */
static double worth(const struct curve *c, double share)
{
    return c->best == 0 ? INFINITY : share * fmax(fabs(c->best), curve_range(c));
}

/* Is there anything to fall back from? */
static bool has_gained(const struct curve *c)
{
    return c->best_at > 1;
}

static bool is_risk(const struct relapse *r, const struct curve *c, double fallen)
{
    double limit = worth(c, risk_share);
    return fallen > limit && r->trained > trained_share && has_gained(c) &&
           curve_since_best(c) >= risk_since && c->count >= quiet_from &&
           r->recovered <= quiet_share * limit;
}

static bool is_deep(const struct relapse *r, const struct curve *c, double fallen)
{
    return fallen > worth(c, drop_share) && fallen > r->recovered && has_gained(c);
}

/* At a new best, or half-way from where it counted as fallen? */
static bool is_back(const struct relapse *r, const struct curve *c, double fallen)
{
    double from = r->dropped ? drop_share : r->risk ? risk_share : 0;
    return fallen <= 0 || (from > 0 && fallen <= back_share * worth(c, from));
}

static void come_back(struct relapse *r, double fallen)
{
    r->recovered = fmax(r->recovered, r->depth);
    r->depth = fallen;
    r->risk = r->dropped = false;
}

void relapse_push(struct relapse *r, const struct curve *c, double train)
{
    double fallen = c->last[CURVE_LAST - 1] - c->best;
    if (c->best_at == c->count)
        r->train_at_best = train;
    double trained = r->train_at_best - train;
    r->worse = c->best != 0 ? fallen / fabs(c->best) : 0;
    r->trained = r->train_at_best != 0 ? trained / fabs(r->train_at_best) : NAN;
    if (is_back(r, c, fallen))
        come_back(r, fallen);
    r->depth = fmax(r->depth, fallen);
    r->deep = is_deep(r, c, fallen) ? r->deep + 1 : 0;
    r->dropped = r->dropped || r->deep >= deep_for;
    r->risk = (r->risk && trained > 0) || is_risk(r, c, fallen);
}
