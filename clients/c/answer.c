/* SPDX-License-Identifier: MIT */
/*
 * The daemon is trusted no further than any peer: its lines go through the same strict scanner, and
 * a field of the wrong type counts as absent.
 */
#include "clients/c/answer.h"

#include "proto/json_scan.h"

static void set_text(struct answer *a, struct span key, struct span raw)
{
    const struct {
        const char *key;
        struct span *text;
    } fields[] = {
        {"type", &a->type},
        {"sessionId", &a->session_id},
        {"command", &a->command},
        {"reason", &a->reason},
        {"code", &a->code},
        {"knob", &a->knob},
        {"operationType", &a->operation_type},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (span_is(key, fields[i].key))
            *fields[i].text = raw;
    }
}

static void set_number(struct answer *a, struct span key, struct num n)
{
    if (span_is(key, "value")) {
        a->has_value = true;
        a->value_is_bool = false;
        a->value = num_double(n);
    }
    if (n.kind != NUM_INT || n.i < 0)
        return;
    if (span_is(key, "seq"))
        a->seq = (uint64_t)n.i;
    else if (span_is(key, "lastSeq"))
        a->last_seq = (uint64_t)n.i;
    else if (span_is(key, "id"))
        a->id = (uint64_t)n.i;
}

static void set_truth(struct answer *a, struct span key, bool truth)
{
    if (!span_is(key, "value"))
        return;
    a->has_value = a->value_is_bool = true;
    a->value = truth;
}

/* The value of `key`; false when the scanner refuses it. */
static bool take_value(struct json_scan *scan, struct span key, struct answer *a)
{
    struct json_value value;
    enum json_token token = json_next(scan, &value);
    switch (token) {
    case JSON_ERROR:
        return false;
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN:
        return json_leave(scan) == OK;
    case JSON_STRING:
        set_text(a, key, value.raw);
        return true;
    case JSON_NUMBER:
        set_number(a, key, value.num);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        set_truth(a, key, token == JSON_TRUE);
        return true;
    default:
        return true;
    }
}

bool answer_decode(struct span line, struct answer *out)
{
    struct answer a = {.type = {NULL, 0}};
    struct json_scan scan;
    struct json_value key;
    enum json_token token;
    json_scan_init(&scan, line, JSON_STRICT);
    if (json_next(&scan, &key) != JSON_OBJECT_BEGIN)
        return false;
    while ((token = json_next(&scan, &key)) == JSON_KEY) {
        if (!take_value(&scan, key.raw, &a))
            return false;
    }
    if (token != JSON_OBJECT_END || json_next(&scan, &key) != JSON_END)
        return false;
    *out = a;
    return true;
}
