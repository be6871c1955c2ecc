/* SPDX-License-Identifier: MIT */
#include "streamd/tools/terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 8 };

bool terminal_is(FILE *out)
{
    return isatty(fileno(out)) == 1;
}

bool terminal_has_colour(FILE *out)
{
    const char *off = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    return terminal_is(out) && !(off && *off) && !(kind && strcmp(kind, "dumb") == 0);
}

void terminal_print_state(FILE *out, struct span state, int width)
{
    static const struct {
        const char *state, *colour;
    } colours[] = {{"running", "\033[32m"},
                   {"failed", "\033[31m"},
                   {"cancelled", "\033[33m"},
                   {"completed", "\033[36m"}};
    const char *colour = "";
    for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
        if (span_is(state, colours[i].state) && terminal_has_colour(out))
            colour = colours[i].colour;
    }
    (void)fprintf(out, "%s%-*.*s%s", colour, width, (int)state.len, state.ptr,
                  *colour ? "\033[0m" : "");
}

void terminal_sparkline(const double *values, size_t count, struct buf *out)
{
    static const char *const blocks[BLOCKS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    for (size_t i = 0; i < count; i++) {
        double part = high > low ? (values[i] - low) / (high - low) : 0;
        buf_add_str(out, isfinite(values[i]) ? blocks[(int)(part * (BLOCKS - 1) + 0.5)] : " ");
    }
}
