/* SPDX-License-Identifier: MIT */
/*
 * Rewinds are in order of offset, so those that concern an entry are at the end; they are looked at
 * from there and the rest is never reached. Of the newest entries, which everybody asks for, that
 * is none.
 */
#include "streamd/store/rewind.h"

#include <math.h>

static bool same_model(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool rewind_covers(const struct rewind *rewinds, size_t count, struct rewind entry)
{
    for (size_t i = count; i > 0 && rewinds[i - 1].offset > entry.offset; i--) {
        if (entry.step >= rewinds[i - 1].step && same_model(entry.model, rewinds[i - 1].model))
            return true;
    }
    return false;
}
