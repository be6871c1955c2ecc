/* SPDX-License-Identifier: MIT */
/*
 * Metrics that are encoded already are laid in as they are (one copy for a hundred watchers); those
 * of an old entry are written in place.
 */
#include "streamd/session/update.h"

#include "proto/compat.h"
#include "proto/json_write.h"
#include "proto/record_json.h"

void update_write_metrics(struct buf *out, const struct series_entry *entry, bool compat_clamp)
{
    struct record clamped;
    const struct record *r = &entry->record;
    if (compat_clamp) {
        compat_transform(r, entry->server_time_s, &clamped);
        r = &clamped;
    }
    record_write_payload(out, r);
}

static void begin(struct buf *out, struct span session_id)
{
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", session_id);
    json_write_name(out, "metrics");
}

/* An update is of a running session even when it is seen after the end, as in the reference. */
static void end(struct buf *out, uint64_t offset)
{
    json_write_pair_string(out, "status", SPAN("running"));
    json_write_pair_u64(out, "offset", offset);
    buf_add_char(out, '}');
}

void update_write_around(struct buf *out, struct span session_id, struct span metrics,
                         uint64_t offset)
{
    begin(out, session_id);
    buf_add_span(out, metrics);
    end(out, offset);
}

void update_write(struct buf *out, struct span session_id, const struct series_entry *entry,
                  bool compat_clamp)
{
    begin(out, session_id);
    update_write_metrics(out, entry, compat_clamp);
    end(out, entry->offset);
}
