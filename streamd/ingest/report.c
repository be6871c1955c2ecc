/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/report.h"

#include "streamd/ingest/epoch_line.h"
#include "streamd/ingest/refusal.h"
#include "streamd/session/operation.h"
#include "streamd/session/session.h"

static const struct line_error too_much = {
    "too_long", "with what was told before it is more than 65536 bytes", 0};

bool report_is_epoch(struct span object)
{
    struct epoch_line e;
    epoch_line_init(&e, LINE_BYTES_MAX);
    bool could = epoch_line_read(&e, SPAN("x"), object) != E_MALFORMED;
    epoch_line_fini(&e);
    return could;
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
        *out_error = status == E_LIMIT ? too_much : refusal_no_memory;
    return status;
}
