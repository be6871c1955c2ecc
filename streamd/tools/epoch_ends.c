/* SPDX-License-Identifier: MIT */
#include "streamd/tools/epoch_ends.h"

#include <math.h>

void epoch_ends_init(struct epoch_ends *e)
{
    *e = (struct epoch_ends){.newest = NAN, .told = NAN};
}

static bool end(struct epoch_ends *e, double epoch, struct epoch_end *out)
{
    if (epoch <= e->told)
        return false;
    *out = (struct epoch_end){epoch, e->losses > 0 ? e->sum / e->losses : (double)NAN};
    e->told = epoch;
    e->sum = e->losses = 0;
    return true;
}

static bool is_whole(double epoch)
{
    return epoch == floor(epoch);
}

/* False: the record does not say. */
static bool read_epoch(const struct point *p, double *out)
{
    *out = point_has(p, POINT_EPOCH) ? p->value[POINT_EPOCH] : (double)NAN;
    return isfinite(*out);
}

bool epoch_ends_before(struct epoch_ends *e, const struct point *p, struct epoch_end *out)
{
    double epoch;
    if (!read_epoch(p, &epoch))
        return false;
    double before = e->newest;
    e->newest = epoch;
    e->fractions = e->fractions || !is_whole(epoch);
    if (epoch < before) { /* it was taken up from an earlier one */
        e->told = floor(epoch) - 1;
        e->sum = e->losses = 0;
    }
    if (!(floor(epoch) > floor(before)) || (e->fractions && is_whole(epoch)))
        return false;
    return end(e, e->fractions ? floor(epoch) : before, out);
}

bool epoch_ends_with(struct epoch_ends *e, const struct point *p, struct epoch_end *out)
{
    double epoch;
    bool judged = point_has(p, POINT_VAL_LOSS) || point_has(p, POINT_VAL_METRIC);
    if (point_has(p, POINT_TRAIN_LOSS)) {
        e->sum += p->value[POINT_TRAIN_LOSS];
        e->losses++;
    }
    return judged && read_epoch(p, &epoch) && is_whole(epoch) && end(e, epoch, out);
}

bool epoch_ends_last(struct epoch_ends *e, struct epoch_end *out)
{
    return isfinite(e->newest) && end(e, e->fractions ? floor(e->newest) : e->newest, out);
}
