/* SPDX-License-Identifier: MIT */
/*
 * A small history comes from the session's own memory on the loop's thread and a long one from the
 * archive's; both write their entries here.
 */
#include "streamd/store/reading_entry.h"

#include "proto/json_write.h"
#include "proto/record_json.h"

static const struct reading_field step_field = {{"currentStep", 11}, F_CURRENT_STEP};

struct num reading_value(const struct record *r, const struct reading_field *field)
{
    if (field->field != RECORD_FIELDS)
        return r->field[field->field];
    const struct num *value = record_extra(r, field->name);
    return value ? *value : num_none();
}

bool reading_asks_for(const struct reading_request *q, enum record_field field)
{
    for (size_t i = 0; i < q->field_count; i++) {
        if (q->fields[i].field == field)
            return true;
    }
    return false;
}

static void write_value(const struct series_entry *entry, const struct reading_field *field,
                        struct buf *out)
{
    struct num value = reading_value(&entry->record, field);
    if (value.kind == NUM_NONE)
        return;
    json_write_key(out, field->name);
    num_write(out, value);
}

/* "nonFinite":{"loss":"NaN"}, when there is such a one. */
static void write_nonfinite(const struct series_entry *entry, const struct reading_request *q,
                            struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < q->field_count; i++) {
        const char *word = num_word(reading_value(&entry->record, &q->fields[i]));
        if (!word)
            continue;
        if (!open) {
            json_write_name(out, "nonFinite");
            buf_add_char(out, '{');
            open = true;
        }
        json_write_key(out, q->fields[i].name);
        json_write_string(out, span_of(word));
    }
    if (open)
        buf_add_char(out, '}');
}

void reading_write_entry(struct buf *out, const struct reading_request *q,
                         const struct series_entry *entry, bool superseded)
{
    if (q->field_count == 0) {
        record_write_entry(out, &entry->record, entry->offset, entry->server_time_s, superseded);
        return;
    }
    buf_add_char(out, '{');
    if (!reading_asks_for(q, F_CURRENT_STEP))
        write_value(entry, &step_field, out);
    for (size_t i = 0; i < q->field_count; i++)
        write_value(entry, &q->fields[i], out);
    write_nonfinite(entry, q, out);
    if (q->axis)
        json_write_pair_u64(out, "axis", entry->axis);
    record_write_entry_end(out, entry->offset, entry->server_time_s, superseded);
}
