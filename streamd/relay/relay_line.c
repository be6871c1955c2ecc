/* SPDX-License-Identifier: MIT */
#include "streamd/relay/relay_line.h"

#include "proto/json_scan.h"
#include "proto/json_write.h"

#include <string.h>

void relay_line_head(struct buf *b, enum line_type type, struct span session_id)
{
    buf_add_char(b, '{');
    json_write_pair_string(b, "type", span_of(line_type_name(type)));
    json_write_pair_string(b, "sessionId", session_id);
}

/* Does the member stand elsewhere, or is it for this hop alone? */
static bool is_ours(struct span key, bool starts)
{
    if (span_is(key, "type") || span_is(key, "sessionId") || span_is(key, "seq"))
        return true;
    return starts && (span_is(key, "resume") || span_is(key, "implied") ||
                      span_is(key, "spoolTo") || span_is(key, "seqBase"));
}

void relay_line_tail(struct buf *b, enum line_type type, struct span text)
{
    struct json_scan scan;
    struct json_value key;
    struct span raw;
    bool starts = type == LINE_START;
    json_scan_init(&scan, text, JSON_WORDS);
    (void)json_next(&scan, &key);
    while (json_next(&scan, &key) == JSON_KEY && json_skip(&scan, &raw) == OK) {
        if (key.escaped ||
            is_ours(key.raw, starts)) /* none of the contract's names needs escapes */
            continue;
        buf_add_str(b, ",\"");
        buf_add_span(b, key.raw);
        buf_add_str(b, "\":");
        buf_add_span(b, raw);
    }
    if (!starts)
        buf_add_char(b, '}');
}

void relay_line_start(struct buf *b, struct span session_id, struct span text)
{
    relay_line_head(b, LINE_START, session_id);
    relay_line_tail(b, LINE_START, text);
}

static const char implied_field[] = ",\"implied\":true";

void relay_line_implied(struct buf *b, struct span session_id)
{
    relay_line_head(b, LINE_START, session_id);
    buf_add_str(b, implied_field);
}

bool relay_line_is_implied(struct span start)
{
    const struct span implied = SPAN(implied_field);
    return start.len > implied.len &&
           span_eq((struct span){start.ptr + start.len - implied.len, implied.len}, implied);
}

bool relay_line_restore(struct span header, struct span *out_start, bool *out_anew)
{
    const struct span field = SPAN(",\"resume\":");
    for (size_t at = header.len; at-- > 0;) {
        struct span rest = {header.ptr + at, header.len - at};
        if (!span_starts(rest, field))
            continue;
        *out_start = (struct span){header.ptr, at};
        *out_anew =
            span_starts((struct span){rest.ptr + field.len, rest.len - field.len}, SPAN("false"));
        return true;
    }
    return false;
}
