/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/epoch_line.h"

#include "proto/json_scan.h"
#include "proto/json_write.h"
#include "streamd/session/epoch.h"

#include <math.h>
#include <stdio.h>

void epoch_line_init(struct epoch_line *e, size_t max_line)
{
    *e = (struct epoch_line){.why = NULL};
    buf_init(&e->text, max_line);
}

void epoch_line_fini(struct epoch_line *e)
{
    buf_fini(&e->text);
}

static void blame(struct epoch_line *e, enum epoch_field field, const char *why)
{
    (void)snprintf(e->message, sizeof(e->message), "%s %s", epoch_field_name(field), why);
    e->why = e->message;
}

/* A time may also be written as one. */
static void take_time(struct epoch_line *e, enum json_token token, const struct json_value *value)
{
    double epoch_s;
    if (token != JSON_STRING || !time_read_iso(value->raw, &epoch_s)) {
        blame(e, EPOCH_TIMESTAMP, "must be a time as 2026-01-31T12:00:00Z");
        return;
    }
    json_write_name(&e->text, "timestamp");
    num_write_double(&e->text, epoch_s);
}

static void take_known(struct epoch_line *e, enum epoch_field field, enum json_token token,
                       const struct json_value *value)
{
    bool is_number = token == JSON_NUMBER;
    bool may_lack = epoch_field_optional(field) && token == JSON_NULL;
    double number = is_number ? num_double(value->num) : 0;
    if (field == EPOCH_TIMESTAMP && !is_number && !may_lack)
        take_time(e, token, value);
    else if (!is_number && !may_lack)
        blame(e, field, "must be a number");
    else if (field == EPOCH_NUMBER && !(number >= 0 && number < 1e15 && number == trunc(number)))
        blame(e, field, "must be a whole number, 0 or more");
    else if (is_number)
        json_write_pair_raw(&e->text, epoch_field_name(field), value->raw);
    if (is_number)
        e->seen |= 1U << field;
}

/* Whatever else has a number is told, too, as a line would. */
static void take_member(struct epoch_line *e, struct json_scan *scan, struct span key)
{
    struct json_scan value_scan;
    struct json_value value = {.escaped = false};
    struct span raw;
    enum epoch_field field = epoch_field_find(key);
    if (json_skip(scan, &raw) != OK)
        return;
    json_scan_init(&value_scan, raw, JSON_WORDS);
    enum json_token token = json_next(&value_scan, &value);
    if (field != EPOCH_FIELDS) {
        take_known(e, field, token, &value);
    } else if (token == JSON_NUMBER) {
        json_write_comma(&e->text);
        buf_add_char(&e->text, '"');
        buf_add_span(&e->text, key);
        buf_add_str(&e->text, "\":");
        buf_add_span(&e->text, value.raw);
    }
}

enum status epoch_line_judge(struct epoch_line *e)
{
    enum status status = buf_status(&e->text);
    if (status != OK)
        e->why = status == E_NOMEM ? "out of memory" : "it is longer than a line may be";
    return status == E_LIMIT ? E_MALFORMED : status;
}

enum status epoch_line_read(struct epoch_line *e, struct span id, struct span object)
{
    struct json_scan scan;
    struct json_value value;
    buf_add_str(&e->text, "{\"type\":\"epoch\"");
    json_write_pair_string(&e->text, "sessionId", id);
    buf_add_str(&e->text, ",\"metrics\":{");
    json_scan_init(&scan, object, JSON_WORDS);
    (void)json_next(&scan, &value);
    while (!e->why && json_next(&scan, &value) == JSON_KEY)
        take_member(e, &scan, value.raw);
    buf_add_str(&e->text, "}}");
    for (unsigned f = 0; f < EPOCH_FIELDS && !e->why; f++) {
        if (!epoch_field_optional(f) && !(e->seen >> f & 1U))
            blame(e, f, "is missing");
    }
    return e->why ? E_MALFORMED : epoch_line_judge(e);
}
