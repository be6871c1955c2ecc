/* SPDX-License-Identifier: MIT */
#include "streamd/tools/progress.h"

#include "streamd/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { DRAW_EVERY_US = 100 * 1000, WHAT_WIDTH = 32, BAR_WIDTH = 20, MINUTE_S = 60 };

void progress_begin(struct progress *p, const char *what, const char *unit, uint64_t total)
{
    *p = (struct progress){.what = what,
                           .unit = unit,
                           .total = total,
                           .shown = isatty(STDERR_FILENO) == 1,
                           .begun_us = clock_read().us};
}

/* 1234567 as "1.2M". */
static void short_number(double value, char out[16])
{
    static const char units[] = {' ', 'k', 'M', 'G', 'T'};
    size_t unit = 0;
    for (; value >= 1000 && unit + 1 < sizeof(units); unit++)
        value /= 1000;
    (void)snprintf(out, 16, unit ? "%.1f%c" : "%.0f", value, units[unit]);
}

static double fraction(const struct progress *p, uint64_t done)
{
    if (p->total == 0)
        return 0;
    return done < p->total ? (double)done / (double)p->total : 1;
}

const char *progress_line(const struct progress *p, uint64_t done, uint64_t spent_us,
                          char out[PROGRESS_LINE_MAX])
{
    static const char full[] = "####################";
    char rate[16];
    char eta[16] = "--:--";
    double part = fraction(p, done);
    double spent_s = (double)spent_us * 1e-6;
    int bar = (int)(part * BAR_WIDTH);
    short_number(spent_s > 0 ? (double)done / spent_s : 0, rate);
    double left_s = part > 0 ? spent_s / part - spent_s : -1;
    if (left_s >= 0 && left_s < 100 * MINUTE_S)
        (void)snprintf(eta, sizeof(eta), "%02d:%02d", (int)left_s / MINUTE_S,
                       (int)left_s % MINUTE_S);
    (void)snprintf(out, PROGRESS_LINE_MAX, "%-.*s [%.*s%*s] %3.0f%% %s %s/s eta %s", WHAT_WIDTH,
                   p->what, bar, full, BAR_WIDTH - bar, "", part * 100, rate, p->unit, eta);
    return out;
}

void progress_set(struct progress *p, uint64_t done)
{
    char line[PROGRESS_LINE_MAX];
    if (!p->shown)
        return;
    uint64_t now_us = clock_read().us;
    if (now_us - (p->drawn_us ? p->drawn_us : p->begun_us) < DRAW_EVERY_US)
        return;
    p->drawn_us = now_us;
    (void)fprintf(stderr, "\r%s\033[K", progress_line(p, done, now_us - p->begun_us, line));
    (void)fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->drawn_us)
        (void)fprintf(stderr, "\r\033[K");
    p->drawn_us = 0;
}
