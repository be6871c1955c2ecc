/* SPDX-License-Identifier: MIT */
#include "insight/velocity.h"

#include <math.h>
#include <string.h>

static const double velocity_max = 1e6;
static const uint64_t window_least = 20;       /* samples */
static const uint64_t window_share = 10;       /* of the run: a window is one of so many */
static const uint64_t epoch_samples_max = 200; /* an epoch with more is too long to wait for */

static void window_init(struct window *w)
{
    memset(w, 0, sizeof(*w));
    w->mean = w->velocity = NAN;
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

static void window_end(struct window *w, double at)
{
    if (w->count == 0)
        return;
    double mean = w->sum / (double)w->count;
    if (w->ended > 0)
        w->velocity = share(w->mean - mean, fabs(w->mean));
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

double velocity_mean(const struct velocity *v)
{
    return in_use(v)->mean;
}

bool velocity_is_first(const struct velocity *v)
{
    return in_use(v)->ended == 2;
}
