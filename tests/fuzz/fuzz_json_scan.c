/* SPDX-License-Identifier: MIT */
/*
 * The scanner against cJSON: what the scanner takes, cJSON takes too, and reads the same tree out
 * of it. The reverse does not hold, which is why there is a scanner.
 */
#include "base/buf.h"
#include "proto/json_scan.h"
#include "proto/number.h"
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { CJSON_NUMBER_MAX = 62 /* bytes of a number that cJSON reads */, ITEMS_MAX = 64 };

static void same_string(const struct json_value *value, const char *text)
{
    struct buf meant;
    buf_init(&meant, value->raw.len + 1);
    json_unescape(value->raw, &meant);
    CHECK(buf_status(&meant) == OK);
    CHECK(value->escaped || span_eq(buf_span(&meant), value->raw));
    CHECK(span_is(buf_span(&meant), text));
    CHECK(json_utf8_valid(buf_span(&meant)));
    buf_fini(&meant);
}

static void same_number(const struct json_value *value, const cJSON *item)
{
    struct num again;
    CHECK(cJSON_IsNumber(item));
    CHECK(num_double(value->num) == item->valuedouble);
    CHECK(num_parse(value->raw, &again) && again.kind == value->num.kind);
}

static void same_value(struct json_scan *s, enum json_token token, struct json_value *value,
                       const cJSON *item);

static void same_container(struct json_scan *s, const cJSON *item)
{
    struct json_value value;
    bool object = cJSON_IsObject(item);
    enum json_token end = object ? JSON_OBJECT_END : JSON_ARRAY_END;
    for (const cJSON *child = item->child; child; child = child->next) {
        if (object) {
            CHECK(json_next(s, &value) == JSON_KEY);
            same_string(&value, child->string);
        }
        enum json_token token = json_next(s, &value);
        same_value(s, token, &value, child);
    }
    CHECK(json_next(s, &value) == end);
}

static void same_value(struct json_scan *s, enum json_token token, struct json_value *value,
                       const cJSON *item)
{
    switch (token) {
    case JSON_OBJECT_BEGIN:
        CHECK(cJSON_IsObject(item));
        same_container(s, item);
        break;
    case JSON_ARRAY_BEGIN:
        CHECK(cJSON_IsArray(item));
        same_container(s, item);
        break;
    case JSON_STRING:
        CHECK(cJSON_IsString(item));
        same_string(value, item->valuestring);
        break;
    case JSON_NUMBER:
        same_number(value, item);
        break;
    default:
        CHECK(token == JSON_TRUE || token == JSON_FALSE || token == JSON_NULL);
        CHECK(cJSON_IsTrue(item) == (token == JSON_TRUE));
        CHECK(cJSON_IsFalse(item) == (token == JSON_FALSE));
        CHECK(cJSON_IsNull(item) == (token == JSON_NULL));
    }
}

/* cJSON reads numbers into a buffer of its own. */
static bool has_long_number(struct span text)
{
    struct json_scan s;
    struct json_value value;
    enum json_token token;
    json_scan_init(&s, text, JSON_STRICT);
    while ((token = json_next(&s, &value)) != JSON_END) {
        if (token == JSON_NUMBER && value.raw.len > CJSON_NUMBER_MAX)
            return true;
    }
    return false;
}

static void compare(struct span text)
{
    struct json_scan s;
    struct json_value value;
    if (has_long_number(text))
        return;
    cJSON *tree = cJSON_ParseWithLength(text.ptr, text.len);
    CHECK(tree);
    json_scan_init(&s, text, JSON_STRICT);
    enum json_token token = json_next(&s, &value);
    same_value(&s, token, &value, tree);
    CHECK(json_next(&s, &value) == JSON_END);
    cJSON_Delete(tree);
}

static void split(struct span text)
{
    struct span items[ITEMS_MAX];
    size_t count;
    if (json_array_split(text, items, ITEMS_MAX, &count) != OK)
        return;
    CHECK(json_check(text, JSON_STRICT, NULL) == OK);
    for (size_t i = 0; i < count; i++)
        CHECK(json_check(items[i], JSON_STRICT, NULL) == OK);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct json_error error = {0};
    struct span raw;
    struct json_scan s;
    bool strict = json_check(text, JSON_STRICT, &error) == OK;
    CHECK(strict || (error.code && error.why && error.at <= size));
    bool words = json_check(text, JSON_WORDS, NULL) == OK;
    CHECK(words || !strict);
    json_scan_init(&s, text, JSON_WORDS);
    bool skipped = json_skip(&s, &raw) == OK;
    CHECK(skipped || !words);
    CHECK(!skipped || json_check(raw, JSON_WORDS, NULL) == OK);
    split(text);
    if (strict)
        compare(text);
    return 0;
}
