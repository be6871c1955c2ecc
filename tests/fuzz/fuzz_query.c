/* SPDX-License-Identifier: MIT */
/*
 * Percent-escapes and query strings: what is answered is clean UTF-8 within its limit, and a text
 * that is escaped byte by byte decodes to itself.
 */
#include "proto/json_text.h"
#include "proto/query.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { CAP = 256 };

static bool is_clean(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    }
    return json_utf8_valid(s);
}

static void check_decode(struct span text)
{
    char *out = malloc(CAP);
    size_t len = CAP + 1;
    CHECK(out);
    if (url_decode(text, out, CAP, &len))
        CHECK(len <= CAP && len <= text.len && is_clean((struct span){out, len}));
    else
        CHECK(len == CAP + 1);
    free(out);
}

static void check_escaped(struct span text)
{
    static const char hex[] = "0123456789abcdef";
    char escaped[3 * CAP];
    char out[CAP];
    size_t len;
    if (text.len > CAP)
        return;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        escaped[3 * i] = '%';
        escaped[3 * i + 1] = hex[c >> 4];
        escaped[3 * i + 2] = hex[c & 15];
    }
    bool decoded = url_decode((struct span){escaped, 3 * text.len}, out, CAP, &len);
    CHECK(decoded == is_clean(text));
    CHECK(!decoded || span_eq((struct span){out, len}, text));
}

static void check_query(struct span text)
{
    static const char *const names[] = {"sessionId", "since", "sid", "EIO", "", "a"};
    struct query_value value;
    struct query_value first;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct query q;
        unsigned found = 0;
        query_init(&q, text);
        while (query_next(&q, names[i], &value)) {
            CHECK(value.len <= QUERY_VALUE_MAX && strlen(value.text) == value.len);
            CHECK(is_clean(query_span(&value)));
            CHECK(++found <= QUERY_PAIRS_MAX);
            if (found == 1)
                CHECK(query_find(text, names[i], &first) &&
                      span_eq(query_span(&first), query_span(&value)));
        }
        CHECK(found > 0 || !query_find(text, names[i], &first));
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span text = {(const char *)data, size};
    check_decode(text);
    check_escaped(text);
    check_query(text);
    return 0;
}
