/* SPDX-License-Identifier: MIT */
#include "streamd/session/axis.h"

#include <math.h>

/* Farther than any run goes, and far from where x could overflow. */
static const double AXIS_MAX = 9007199254740992.0; /* 2^53 */

static bool is_step(double step)
{
    return isfinite(step) && step >= 0 && step < AXIS_MAX;
}

void axis_init(struct axis *a)
{
    *a = (struct axis){.step = NAN, .model = NAN};
}

uint64_t axis_next(struct axis *a, const struct record *r)
{
    double step = num_double(r->field[F_CURRENT_STEP]);
    double ahead = is_step(step) && is_step(a->step) ? step - a->step : 1;
    if (!a->begun)
        ahead = is_step(step) ? step : 0;
    else if (ahead < 0)
        ahead = 1;
    if (ahead < AXIS_MAX - (double)a->x)
        a->x += (uint64_t)ahead;
    a->begun = true;
    a->model = num_double(r->field[F_CURRENT_MODEL]);
    if (is_step(step))
        a->step = step;
    return a->x;
}

bool axis_goes_back(const struct axis *a, const struct record *r)
{
    double step = num_double(r->field[F_CURRENT_STEP]);
    return a->begun && is_step(step) && step <= a->step &&
           num_double(r->field[F_CURRENT_MODEL]) == a->model;
}

void axis_rewind(struct axis *a, const struct record *r)
{
    double step = num_double(r->field[F_CURRENT_STEP]);
    double back = floor(a->step - step);
    a->x = back < (double)a->x ? a->x - (uint64_t)back : 0;
    a->step = step; /* so that the record itself stands where the one it replaces did */
}
