/* SPDX-License-Identifier: MIT */
/*
 * A record whose loss is no number gives the fallback record, all defaults (compat.h); a session
 * that has recorded nothing is shown as one of those. An empty record would not do: from the
 * default loss it would derive a perplexity of 12.1825, where the pages expect 12.18.
 */
#include "streamd/http/compat_view.h"

#include "proto/compat.h"

void compat_view(const struct session *s, double now_s, struct record *out)
{
    struct series_cursor cursor;
    struct series_entry entry;
    if (!session_latest(s, &cursor, &entry)) {
        record_init(&entry.record);
        entry.record.wrong = 1u << F_LOSS;
    }
    compat_transform(&entry.record, now_s, out);
    series_cursor_fini(&cursor);
}
