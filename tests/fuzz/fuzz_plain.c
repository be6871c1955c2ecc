/* SPDX-License-Identifier: MIT */
/*
 * Messages of /ws, and the requests behind them: what decodes has JSON parts, its acknowledgement
 * is JSON, and reading its data by name never answers text that is not UTF-8.
 */
#include "proto/fields.h"
#include "proto/json_scan.h"
#include "proto/plain.h"
#include "tests/fuzz/fuzz.h"

enum { ACK_MAX = 1 << 20 };

static void check_ack(const struct plain_message *m)
{
    struct buf b;
    buf_init(&b, ACK_MAX);
    plain_write_ack(&b, m->id, SPAN("{}"));
    CHECK(buf_status(&b) == OK && json_check(buf_span(&b), JSON_STRICT, NULL) == OK);
    buf_fini(&b);
}

static void check_fields(struct span data)
{
    struct fields *f = NULL;
    struct span text;
    double number;
    if (fields_parse(data, &f, NULL) != OK)
        return;
    if (fields_is_object(f) && fields_string(f, "sessionId", &text))
        CHECK(json_utf8_valid(text) && fields_has(f, "sessionId"));
    if (fields_is_object(f) && fields_number(f, "since", &number))
        CHECK(fields_has(f, "since") && !fields_string(f, "since", &text));
    fields_destroy(f);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct plain_message m;
    struct json_error error = {0};
    bool valid = json_check(text, JSON_STRICT, NULL) == OK;
    if (plain_decode(text, &m, &error) != OK) {
        CHECK(error.code && error.why && error.at <= size);
        return 0;
    }
    CHECK(valid && m.event.len > 0);
    CHECK(m.data.len == 0 || json_check(m.data, JSON_STRICT, NULL) == OK);
    CHECK(m.id.len == 0 || json_check(m.id, JSON_STRICT, NULL) == OK);
    if (m.id.len > 0)
        check_ack(&m);
    if (m.data.len > 0)
        check_fields(m.data);
    return 0;
}
