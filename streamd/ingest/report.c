/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/report.h"

#include "proto/json_scan.h"
#include "streamd/http/epoch_line.h"
#include "streamd/ingest/refusal.h"
#include "streamd/session/operation.h"
#include "streamd/session/session.h"

static const struct line_error too_much = {
    "too_long", "with what was told before it is more than 65536 bytes", 0};
static const struct line_error no_memory = {"no_memory", "the daemon is out of memory", 0};

bool report_is_empty(struct span object)
{
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, object, JSON_WORDS);
    (void)json_next(&scan, &value);
    return json_next(&scan, &value) == JSON_OBJECT_END;
}

bool report_is_epoch(struct span object)
{
    struct epoch_line e;
    epoch_line_init(&e, LINE_BYTES_MAX);
    bool good = epoch_line_read(&e, SPAN("x"), object);
    epoch_line_fini(&e);
    return good;
}

enum status report_merge(struct session *s, struct span object, struct now now,
                         struct line_error *out_error)
{
    if (operation_status_ended(operation_status(s))) {
        *out_error = refusal_finished;
        return E_STATE;
    }
    enum status status = operation_merge(s, object, now);
    if (status != OK)
        *out_error = status == E_LIMIT ? too_much : no_memory;
    return status;
}
