/* SPDX-License-Identifier: MIT */
#include "insight/eta.h"

#include <math.h>

enum { CHUNKS = 8, CHUNKS_MAX = 2 * CHUNKS }; /* (n - 1) / (n / 8) is below 16 */

static const uint64_t judged_from = 3; /* points with a time */
enum { SHARES = 3 };
static const double shares[SHARES] = {0.5, 0.25, 0.1}; /* of the run, the newest */
static const double log_max = 3; /* an interval ends at e^3 times the estimate */

void eta_init(struct eta *e)
{
    history_init(&e->x);
    history_init(&e->t);
    e->newest_x = e->newest_t = NAN;
    e->count = 0;
}

void eta_push(struct eta *e, double x, double t)
{
    history_push(&e->x, x);
    history_push(&e->t, t);
    e->newest_x = x;
    e->newest_t = t;
    e->count++;
}

/* Where the newest share of the run begins: the newest place kept that is not within it. */
static unsigned place_before(const struct eta *e, double share)
{
    double from = e->newest_x - share * (e->newest_x - e->x.value[0]);
    unsigned at = e->x.count - 1;
    while (at > 0 && (e->x.value[at] > from || e->x.value[at] >= e->newest_x))
        at--;
    return at;
}

double eta_speed(const struct eta *e, double share)
{
    unsigned at = place_before(e, share);
    double x = e->newest_x - e->x.value[at];
    double t = e->newest_t - e->t.value[at];
    return x > 0 && t > 0 ? t / x : NAN;
}

/* Point i of the later half, the newest point its last. */
static void window_at(const struct eta *e, unsigned i, double *x, double *t)
{
    *x = i < e->x.count ? e->x.value[i] : e->newest_x;
    *t = i < e->x.count ? e->t.value[i] : e->newest_t;
}

/* Logs of the time per step of about eight pieces; answers how many. */
static unsigned chunk(const struct eta *e, unsigned from, double out[CHUNKS_MAX])
{
    unsigned end = e->x.count + (e->x.value[e->x.count - 1] < e->newest_x ? 1 : 0);
    unsigned n = end - from;
    unsigned step = n > CHUNKS ? (n - 1) / CHUNKS : 1;
    unsigned count = 0;
    for (unsigned i = 0; i + step < n && count < CHUNKS_MAX; i += step) {
        double xa;
        double ta;
        double xb;
        double tb;
        window_at(e, from + i, &xa, &ta);
        window_at(e, from + i + step, &xb, &tb);
        if (xb > xa && tb > ta)
            out[count++] = log((tb - ta) / (xb - xa));
    }
    return count;
}

static double mean(const double *v, unsigned n)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += v[i];
    return n > 0 ? sum / n : 0;
}

static double deviation(const double *v, unsigned n, double about)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += (v[i] - about) * (v[i] - about);
    return n > 1 ? sqrt(sum / n) : 0.5;
}

static double median_of_three(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Seconds per step, by the speeds over several shares of the run: their median, how far apart they
 * are (log of a ratio), and how far it is from the speed of the whole run. False: not known. */
static bool speeds_of(const struct eta *e, double *out, double *out_spread, double *out_change)
{
    double overall = eta_speed(e, 1);
    double speed[SHARES];
    for (int i = 0; i < SHARES; i++) {
        speed[i] = eta_speed(e, shares[i]);
        if (isnan(speed[i]))
            speed[i] = overall; /* a clock that stood, or went back */
    }
    if (isnan(overall))
        return false;
    double least = fmin(fmin(speed[0], speed[1]), speed[2]);
    double most = fmax(fmax(speed[0], speed[1]), speed[2]);
    *out = median_of_three(speed[0], speed[1], speed[2]);
    *out_spread = log(most / least);
    *out_change = fabs(log(*out / overall));
    return true;
}

bool eta_features(const struct eta *e, double end, double *out_s, double out[ETA_FEATURES])
{
    double speed;
    double spread;
    double change;
    if (e->count < judged_from || isnan(end) || !speeds_of(e, &speed, &spread, &change))
        return false;
    double chunks[CHUNKS_MAX];
    unsigned n = chunk(e, place_before(e, shares[0]), chunks);
    double done = end > 0 ? fmin(fmax(e->newest_x / end, 0.001), 0.999) : 0.5;
    *out_s = speed * fmax(end - e->newest_x, 0);
    out[0] = 1;
    out[1] = log(deviation(chunks, n, mean(chunks, n)) + 0.003);
    out[2] = log(change + 0.003);
    out[3] = log(spread + 0.003);
    out[4] = log((double)e->count);
    out[5] = done;
    return isfinite(*out_s);
}

bool eta_read(const struct eta *e, const struct insight_model *m, double end,
              struct eta_interval *out)
{
    double f[ETA_FEATURES];
    double s;
    if (!eta_features(e, end, &s, f))
        return false;
    double scale = exp(model_dot(m->eta_scale, f, ETA_FEATURES));
    out->s = s;
    out->lo = s * exp(fmax(fmin(m->eta_quantile[0] * scale, 0), -log_max));
    out->hi = s * exp(fmin(fmax(m->eta_quantile[1] * scale, 0), log_max));
    return true;
}
