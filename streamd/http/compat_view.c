/* SPDX-License-Identifier: MIT */
/*
 * A record without a loss is already defined to give the fallback record (compat.h), so a session
 * that has recorded nothing is simply an empty record.
 */
#include "streamd/http/compat_view.h"

#include "proto/compat.h"

void compat_view(const struct session *s, double now_s, struct record *out)
{
    struct series_cursor cursor;
    struct series_entry entry;
    if (!session_latest(s, &cursor, &entry))
        record_init(&entry.record);
    compat_transform(&entry.record, now_s, out);
    series_cursor_fini(&cursor);
}
