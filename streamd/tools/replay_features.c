/* SPDX-License-Identifier: MIT */
#include "streamd/tools/replay_features.h"

#include "insight/gain.h"
#include "insight/stopping.h"
#include "proto/json_write.h"
#include "proto/number.h"

#include <math.h>

static void write_numbers(struct buf *b, const char *name, const double *numbers, size_t count)
{
    json_write_name(b, name);
    buf_add_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        json_write_comma(b);
        num_write(b, num_float(numbers[i]));
    }
    buf_add_char(b, ']');
}

static void write_forecast(struct buf *b, const struct insight *s)
{
    double horizon = isnan(s->config.horizon) ? s->config.total : s->config.horizon;
    double n = forecast_length(&s->curve, s->x, horizon);
    struct forecast_view v;
    double scale[SCALE_FEATURES];
    json_write_name(b, "forecast");
    if (isnan(n)) {
        buf_add_str(b, "null");
        return;
    }
    forecast_look(&s->forecast, &s->curve, n, &v);
    forecast_scale_features(&s->forecast, &s->curve, &v, 0, scale);
    buf_add_char(b, '{');
    write_numbers(b, "x", v.x, FORECAST_FEATURES);
    json_write_pair_double(b, "range", v.range);
    json_write_pair_double(b, "end", v.end);
    write_numbers(b, "scale", scale, SCALE_FEATURES);
    buf_add_char(b, '}');
}

static void write_eta(struct buf *b, const struct insight *s)
{
    double x[ETA_FEATURES];
    double seconds;
    json_write_name(b, "eta");
    if (!eta_features(&s->eta, s->config.horizon, &seconds, x)) {
        buf_add_str(b, "null");
        return;
    }
    buf_add_char(b, '{');
    json_write_pair_double(b, "s", seconds);
    write_numbers(b, "x", x, ETA_FEATURES);
    buf_add_char(b, '}');
}

void replay_write_features(struct buf *b, const struct insight *s)
{
    double gain[GAIN_FEATURES];
    double overfit[OVERFIT_LIMITS];
    buf_add_char(b, '{');
    if (s->fresh && gain_features(s, gain))
        write_numbers(b, "gain", gain, GAIN_FEATURES);
    if (s->fresh && stopping_overfit(s, overfit))
        write_numbers(b, "overfit", overfit, OVERFIT_LIMITS);
    if (s->fresh)
        write_forecast(b, s);
    json_write_pair_double(b, "best", s->sign * s->now.best.value);
    write_eta(b, s);
    buf_add_str(b, "}\n");
}
