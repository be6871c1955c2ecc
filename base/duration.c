/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

enum { MINUTE_S = 60, HOUR_S = 3600 };

static const double longest_s = 1e15; /* thirty million years; a uint64_t has room for it */

void duration_write(struct buf *out, double seconds)
{
    double bounded = seconds < longest_s ? seconds : longest_s;
    uint64_t s = seconds > 0 ? (uint64_t)bounded : 0;
    if (s < MINUTE_S) {
        buf_add_u64(out, s);
        buf_add_char(out, 's');
        return;
    }
    if (s >= HOUR_S) {
        buf_add_u64(out, s / HOUR_S);
        buf_add_str(out, "h ");
    }
    buf_add_u64(out, s % HOUR_S / MINUTE_S);
    buf_add_char(out, 'm');
}
