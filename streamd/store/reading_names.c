/* SPDX-License-Identifier: MIT */
/*
 * Names are looked up in the trainers' table of spellings, so `step` and `lr` find what the entry
 * calls currentStep and learning_rate.
 */
#include "streamd/store/reading_names.h"

#include "proto/spelling.h"

#include <string.h>

static const struct reading_format formats[] = {
    {"json", READING_JSON, "application/json"},
    {"csv", READING_CSV, "text/csv; charset=utf-8; header=present"},
    {"ndjson", READING_NDJSON, "application/x-ndjson"},
};

const struct reading_format *reading_format_find(struct span name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (span_is(name, formats[i].name))
            return &formats[i];
    }
    return NULL;
}

static struct reading_field field_of(struct span name)
{
    const struct spelling *spelling = spelling_find(name);
    if (spelling && spelling->kind == SPELL_FIELD)
        return (struct reading_field){span_of(record_field_name(spelling->field)), spelling->field};
    if (spelling && spelling->kind == SPELL_RENAME)
        name = spelling->rename;
    return (struct reading_field){name, RECORD_FIELDS};
}

static bool has_field(const struct reading_request *q, struct span name)
{
    for (size_t i = 0; i < q->field_count; i++) {
        if (span_eq(q->fields[i].name, name))
            return true;
    }
    return false;
}

const char *reading_add_fields(struct reading_request *q, struct span names)
{
    if (names.len > sizeof(q->names))
        return "fields may have at most 8192 characters";
    if (names.len > 0)
        memcpy(q->names, names.ptr, names.len);
    struct span rest = {q->names, names.len};
    while (rest.ptr) {
        struct reading_field field = field_of(span_trim(span_cut(&rest, ',')));
        if (field.name.len == 0 || has_field(q, field.name))
            continue;
        if (q->field_count == READING_FIELDS_MAX)
            return "fields may name at most 32 metrics";
        q->fields[q->field_count++] = field;
    }
    return NULL;
}
