/* SPDX-License-Identifier: MIT */
#include "insight/divergence.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double level_rate = 0.3;
static const double jump_rate = 0.05;     /* once there are twenty losses */
static const double jump_floor = 0.01;    /* of the start: no run is quieter */
static const double explosion = 100;      /* people stop a run at that, if it began below */
static const double explosion_starts = 2; /* times the start */
static const double progress_share = 0.8; /* of the start: the level was below it */
static const double progress_jumps = 8;   /* jumps below the start */
static const uint64_t judged_from = 6;    /* losses */
static const uint64_t hot_for = 2;
static const uint64_t good_for = 3; /* points that end it */
static const uint64_t bad_for = 3;  /* points that make it last */

void divergence_init(struct divergence *d)
{
    memset(d, 0, sizeof(*d));
    d->newest = d->trend_level = NAN;
}

static void begin(struct divergence *d, double loss)
{
    d->first[d->count - 1] = loss;
    d->start = d->count == 1 ? loss : fmax(d->start, loss);
    if (d->count > 1)
        d->jump = fmax(d->jump, loss - d->newest);
    if (d->count == DIVERGENCE_FIRST)
        d->level = d->lowest = (d->first[0] + d->first[1] + d->first[2]) / DIVERGENCE_FIRST;
}

/* Above the start, although it had been well below? */
static bool is_hot(const struct divergence *d, double loss)
{
    if (!(d->start > 0) || d->lowest < 0 || d->count < judged_from || loss <= d->start)
        return false;
    double jump = fmax(d->jump, jump_floor * d->start);
    return d->lowest < progress_share * d->start && d->start - d->lowest > progress_jumps * jump;
}

static void follow(struct divergence *d, double loss)
{
    d->level += level_rate * (loss - d->level);
    d->hot = is_hot(d, loss) ? d->hot + 1 : 0;
    double up = fmax(0, loss - d->newest);
    if (d->count < judged_from && loss > d->start)
        d->jump = fmax(d->jump, up); /* a run that begins wildly is not diverging */
    if (loss <= d->start) {
        double rate = fmax(jump_rate, 1 / (double)d->count);
        d->jump += rate * (up - d->jump);
        d->lowest = fmin(d->lowest, d->level);
    }
}

/* Where it began must be known, which takes one loss; the first ones may then not raise it. */
static bool explodes(const struct divergence *d, double loss)
{
    return d->count > 0 && d->start <= explosion &&
           loss > fmax(explosion, explosion_starts * d->start);
}

/* Does this training loss alone say that the run diverges? */
static bool see(struct divergence *d, double loss)
{
    if (!isfinite(loss))
        return true;
    bool exploded = explodes(d, loss);
    bool begins = d->count < DIVERGENCE_FIRST;
    d->count += !(begins && exploded);
    if (!begins)
        follow(d, loss);
    else if (!exploded)
        begin(d, loss);
    d->newest = loss;
    d->trend_level =
        isnan(d->trend_level) ? loss : d->trend_level + level_rate * (loss - d->trend_level);
    return exploded || d->hot >= hot_for;
}

/* A loss without an alarm, while it is on. */
static void calm_down(struct divergence *d)
{
    bool above = d->count > 0 && d->newest > d->start;
    d->good++;
    if (d->good >= good_for && !above) {
        d->on = false;
        d->bad = 0;
    } else if (above) {
        d->bad++;
    }
}

void divergence_push(struct divergence *d, const double *train_loss, const double *val_loss)
{
    bool alarm = train_loss && see(d, *train_loss);
    bool broken = val_loss && !isfinite(*val_loss);
    if (alarm || broken) {
        if (!d->on) {
            d->at = alarm ? *train_loss : *val_loss;
            d->at_val = !alarm;
        }
        d->on = true;
        d->bad++;
        d->good = 0;
    } else if (d->on && (train_loss || val_loss)) {
        calm_down(d);
    }
}

bool divergence_lasts(const struct divergence *d)
{
    return d->on && d->bad >= bad_for;
}
