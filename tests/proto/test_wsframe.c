/* SPDX-License-Identifier: MIT */
#include "proto/wsframe.h"

#include "proto/json_scan.h"
#include "tests/support/guarded.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const unsigned char *bytes, size_t len, const cJSON *expected)
{
    char hex[2 * WS_CONTROL_MAX + 1] = "";
    for (size_t i = 0; i < len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(hex, cJSON_GetStringValue(expected));
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void headers_are_written_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/wsframe.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "headers"))
    {
        unsigned char out[WS_HEADER_MAX];
        size_t len = wsframe_header(out, (enum ws_opcode)member(one, "opcode")->valueint,
                                    cJSON_IsTrue(member(one, "rsv1")),
                                    (size_t)member(one, "length")->valuedouble);
        assert_hex(out, len, member(one, "hex"));
        count++;
    }
    assert_int_equal(count, 13);
    cJSON_Delete(file);
}

static void close_payloads_are_written_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/wsframe.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "close"))
    {
        unsigned char out[WS_CONTROL_MAX];
        struct guarded reason = guarded_text(cJSON_GetStringValue(member(one, "reason")));
        size_t len =
            wsframe_close_payload(out, (unsigned)member(one, "code")->valueint, reason.span);
        assert_hex(out, len, member(one, "hex"));
        guarded_free(&reason);
        count++;
    }
    assert_int_equal(count, 4);
    cJSON_Delete(file);
}

/* Every length of reason, in characters of one to four bytes, is cut to whole characters. */
static void a_long_reason_is_cut_where_a_character_ends(void **state)
{
    (void)state;
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82"};
    for (size_t c = 0; c < 4; c++) {
        size_t width = strlen(characters[c]);
        for (size_t shift = 0; shift < 4; shift++) {
            char text[600] = "yyy";
            text[shift] = '\0';
            while (strlen(text) + width < 300)
                strcat(text, characters[c]);
            struct guarded g = guarded_text(text);
            unsigned char out[WS_CONTROL_MAX];
            size_t len = wsframe_close_payload(out, 1008, g.span);
            assert_in_range(len, WS_CONTROL_MAX - width + 1, WS_CONTROL_MAX);
            assert_memory_equal(out + 2, text, len - 2);
            assert_true(json_utf8_valid((struct span){(const char *)out + 2, len - 2}));
            guarded_free(&g);
        }
    }
}

static void a_reason_of_123_bytes_goes_whole(void **state)
{
    (void)state;
    char text[WS_REASON_MAX];
    memset(text, 'r', sizeof(text));
    unsigned char out[WS_CONTROL_MAX];
    struct guarded g = guarded_copy(text, sizeof(text));
    assert_int_equal(wsframe_close_payload(out, 1000, g.span), WS_CONTROL_MAX);
    guarded_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_written_as_the_vectors_say),
        cmocka_unit_test(close_payloads_are_written_as_the_vectors_say),
        cmocka_unit_test(a_long_reason_is_cut_where_a_character_ends),
        cmocka_unit_test(a_reason_of_123_bytes_goes_whole),
    };
    return cmocka_run_group_tests_name("proto/wsframe", tests, NULL, NULL);
}
