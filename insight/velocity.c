/* SPDX-License-Identifier: MIT */
#include "insight/velocity.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double velocity_max = 1e6;
static const uint64_t window_least = 20;       /* samples */
static const uint64_t window_share = 10;       /* of the run: a window is one of so many */
static const uint64_t epoch_samples_max = 200; /* an epoch with more is too long to wait for */

static const double setback_rate = 0.1;
static const double quiet = 0.001;       /* setbacks on average: a tenth of what a plateau is */
static const double averaged_max = 32;   /* velocities */
static const double averaged_share = 3;  /* of the run: its latest third, at most */
static const double rise_setbacks = 5;   /* more is not noise */
static const double margin_setbacks = 2; /* of what is left of them in the average */

static void window_init(struct window *w)
{
    memset(w, 0, sizeof(*w));
    w->mean = w->newest = w->velocity = NAN;
}

void velocity_init(struct velocity *v)
{
    window_init(&v->epoch);
    window_init(&v->steps);
    v->samples = 0;
}

/* Of a level that may be nothing at all. */
static double share(double gain, double level)
{
    if (gain == 0)
        return 0;
    return fmin(fmax(gain / level, -velocity_max), velocity_max);
}

/*
 * A loss that only falls is believed at once. One that goes up and down is averaged the longer the
 * more it does, so that noise alone seldom carries it across the limit of a phase.
 */
static void follow(struct window *w, double velocity)
{
    double known = (double)w->ended;
    w->newest = velocity;
    w->setback += fmax(setback_rate, 1 / known) * (fmax(0, -velocity) - w->setback);
    double averaged = fmin(fmin(w->setback / quiet, averaged_max), known / averaged_share);
    double rate = averaged > 1 && !isnan(w->velocity) ? 1 / averaged : 1;
    w->velocity = rate < 1 ? w->velocity + rate * (velocity - w->velocity) : velocity;
    w->margin = rate < 1 ? margin_setbacks * rate * w->setback : 0;
}

static void window_end(struct window *w, double at)
{
    assert(w->count > 0);
    double mean = w->sum / (double)w->count;
    if (w->ended > 0)
        follow(w, share(w->mean - mean, fabs(w->mean)));
    w->mean = mean;
    w->span = at - w->from;
    w->ended++;
    w->sum = 0;
    w->count = 0;
}

static void window_add(struct window *w, double loss, double at)
{
    if (w->count == 0)
        w->from = at;
    w->sum += loss;
    w->count++;
}

static bool goes_by_epochs(const struct velocity *v)
{
    bool known = v->epoch.ended + v->epoch.count > 0;
    return known && (v->epoch.ended >= 2 || v->samples <= epoch_samples_max);
}

static const struct window *in_use(const struct velocity *v)
{
    return goes_by_epochs(v) ? &v->epoch : &v->steps;
}

bool velocity_push(struct velocity *v, double loss, double x, double epoch)
{
    uint64_t epochs = v->epoch.ended;
    if (!isnan(epoch)) {
        if (v->epoch.count > 0 && floor(epoch) != v->epoch.from)
            window_end(&v->epoch, floor(epoch));
        window_add(&v->epoch, loss, floor(epoch));
    }
    bool epoch_ended = v->epoch.ended != epochs;
    uint64_t tenth = v->samples / window_share;
    bool steps_ended = v->steps.count >= (tenth > window_least ? tenth : window_least);
    if (steps_ended)
        window_end(&v->steps, x);
    window_add(&v->steps, loss, x);
    v->samples++;
    return goes_by_epochs(v) ? epoch_ended : steps_ended;
}

bool velocity_end(struct velocity *v)
{
    if (v->epoch.count == 0)
        return false;
    window_end(&v->epoch, v->epoch.from + 1);
    return true;
}

double velocity_now(const struct velocity *v, double *out_steps)
{
    *out_steps = goes_by_epochs(v) ? NAN : v->steps.span;
    return in_use(v)->velocity;
}

double velocity_margin(const struct velocity *v)
{
    return in_use(v)->margin;
}

double velocity_rise(const struct velocity *v)
{
    const struct window *w = in_use(v);
    return -w->newest > rise_setbacks * w->setback ? -w->newest : 0;
}

double velocity_mean(const struct velocity *v)
{
    return in_use(v)->mean;
}

bool velocity_is_first(const struct velocity *v)
{
    return in_use(v)->ended == 2;
}
