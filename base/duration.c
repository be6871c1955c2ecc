/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include <inttypes.h>
#include <stdio.h>

static const double longest_s = 3e12;

const char *duration_text(double seconds, char out[DURATION_TEXT_MAX])
{
    if (!(seconds < longest_s)) {
        (void)snprintf(out, DURATION_TEXT_MAX, "unknown");
        return out;
    }
    uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;
    if (s < 60)
        (void)snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "s", s);
    else if (s < 3600)
        (void)snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "m", s / 60);
    else
        (void)snprintf(out, DURATION_TEXT_MAX, "%" PRIu64 "h %" PRIu64 "m", s / 3600,
                       s % 3600 / 60);
    return out;
}
