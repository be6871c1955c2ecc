/* SPDX-License-Identifier: MIT */
/*
 * json has its total at the end, where it is known even if nothing was counted beforehand.
 */
#include "streamd/store/reading_text.h"

#include "proto/json_write.h"
#include "streamd/session/update.h"
#include "streamd/store/reading_entry.h"

#include <string.h>

static void begin_json(struct reading_text *t, struct buf *out)
{
    (void)t;
    buf_add_str(out, "{\"success\":true,\"data\":[");
}

static void begin_csv(struct reading_text *t, struct buf *out)
{
    reading_csv_write_header(t->csv, out);
}

static void begin_history(struct reading_text *t, struct buf *out)
{
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", t->id);
    json_write_name(out, "history");
    buf_add_char(out, '[');
}

static void begin_nothing(struct reading_text *t, struct buf *out)
{
    (void)t;
    (void)out;
}

static void add_item(struct reading_text *t, const struct series_entry *entry, bool superseded,
                     struct buf *out)
{
    if (t->any)
        buf_add_char(out, ',');
    reading_write_entry(out, t->request, entry, superseded);
}

static void add_row(struct reading_text *t, const struct series_entry *entry, bool superseded,
                    struct buf *out)
{
    reading_csv_write_row(t->csv, entry, superseded, out);
}

static void add_line(struct reading_text *t, const struct series_entry *entry, bool superseded,
                     struct buf *out)
{
    reading_write_entry(out, t->request, entry, superseded);
    buf_add_char(out, '\n');
}

static void add_update(struct reading_text *t, const struct series_entry *entry, bool superseded,
                       struct buf *out)
{
    (void)superseded;
    struct reading_update head = {.offset = entry->offset};
    size_t at = out->len;
    buf_add(out, &head, sizeof(head));
    update_write(out, t->id, entry, t->request->compat_clamp);
    if (buf_status(out) != OK)
        return;
    head.bytes = out->len - at - sizeof(head);
    memcpy(out->ptr + at, &head, sizeof(head));
}

static void end_json(struct reading_text *t, uint64_t total, struct buf *out)
{
    buf_add_char(out, ']');
    json_write_pair_string(out, "sessionId", t->id);
    json_write_pair_string(out, "epoch", span_of(t->request->epoch));
    json_write_pair_u64(out, "total", total);
    buf_add_char(out, '}');
}

static void end_history(struct reading_text *t, uint64_t total, struct buf *out)
{
    (void)t;
    (void)total;
    buf_add_str(out, "]}");
}

static void end_nothing(struct reading_text *t, uint64_t total, struct buf *out)
{
    (void)t;
    (void)total;
    (void)out;
}

static const struct {
    void (*begin)(struct reading_text *t, struct buf *out);
    void (*add)(struct reading_text *t, const struct series_entry *entry, bool superseded,
                struct buf *out);
    void (*end)(struct reading_text *t, uint64_t total, struct buf *out);
} forms[] = {
    [READING_JSON] = {begin_json, add_item, end_json},
    [READING_CSV] = {begin_csv, add_row, end_nothing},
    [READING_NDJSON] = {begin_nothing, add_line, end_nothing},
    [READING_HISTORY] = {begin_history, add_item, end_history},
    [READING_UPDATES] = {begin_nothing, add_update, end_nothing},
    [READING_RECKONING] = {begin_nothing, add_update, end_nothing},
    [READING_COLLATION] = {begin_nothing, add_update, end_nothing},
    [READING_CURVES] = {begin_nothing, add_update, end_nothing},
};

void reading_text_begin(struct reading_text *t, struct buf *out)
{
    forms[t->request->form].begin(t, out);
}

void reading_text_add(struct reading_text *t, const struct series_entry *entry, bool superseded,
                      struct buf *out)
{
    forms[t->request->form].add(t, entry, superseded, out);
    t->any = true;
}

void reading_text_end(struct reading_text *t, uint64_t total, struct buf *out)
{
    forms[t->request->form].end(t, total, out);
}
