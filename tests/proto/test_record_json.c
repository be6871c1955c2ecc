/* SPDX-License-Identifier: MIT */
#include "proto/record_json.h"

#include "proto/json_scan.h"
#include "proto/line.h"

#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct line_decoder decoder;
static struct buf text;

static int make_all(void **state)
{
    (void)state;
    line_decoder_init(&decoder, 5);
    buf_init(&text, 65536);
    return 0;
}

static int drop_all(void **state)
{
    (void)state;
    line_decoder_fini(&decoder);
    buf_fini(&text);
    return 0;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void assert_written(const char *want)
{
    assert_int_equal(buf_status(&text), OK);
    assert_int_equal(json_check(buf_span(&text), JSON_STRICT, NULL), OK);
    if (!span_is(buf_span(&text), want))
        fail_msg("written %.*s\n wanted %s", (int)text.len, text.ptr, want);
    buf_reset(&text);
}

static struct record decode(const char *metrics)
{
    struct record r;
    struct line_error error;
    assert_int_equal(line_decode_metrics(&decoder, span_of(metrics), &r, &error), OK);
    return r;
}

/* The record as the session of the case makes it. */
static struct record complete(const cJSON *one)
{
    struct record_memory m;
    const cJSON *config = member(one, "config");
    record_memory_init(&m);
    if (cJSON_IsString(config))
        record_memory_seed(&m, span_of(config->valuestring));
    for (int i = 0; i < member(one, "modelsCompleted")->valueint; i++)
        record_memory_model_completed(&m, (uint64_t)i);
    struct record r = decode(member(one, "metrics")->valuestring);
    record_complete(&r, &m, member(one, "elapsed")->valuedouble, member(one, "wall")->valuedouble);
    return r;
}

static void assert_derived(const struct record *r, const cJSON *names)
{
    char *want = cJSON_PrintUnformatted(names);
    record_write_derived(&text, r);
    assert_written(want);
    cJSON_free(want);
}

static void payloads_and_entries_are_those_of_the_vectors(void **state)
{
    (void)state;
    cJSON *vectors = vectors_read("tests/vectors/payload.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(vectors, "cases"))
    {
        struct record r = complete(one);
        record_write_payload(&text, &r);
        assert_written(member(one, "payload")->valuestring);
        record_write_full(&text, &r);
        assert_written(member(one, "entry")->valuestring);
        assert_derived(&r, member(one, "derived"));
        count++;
    }
    assert_int_equal(count, 13);
    cJSON_Delete(vectors);
}

static void a_history_entry_ends_in_offset_and_server_time(void **state)
{
    (void)state;
    struct record r = decode("{\"acc\":0.123456789}");
    record_write_entry(&text, &r, 18446744073709551615ULL, 1700000000.25, false);
    assert_written("{\"loss\":null,\"perplexity\":null,\"grokProgress\":null,\"modelParams\":null,"
                   "\"currentStep\":null,\"totalSteps\":null,\"currentModel\":null,"
                   "\"totalModels\":null,\"overallProgress\":null,\"trainingTime\":null,"
                   "\"estimatedTimeRemaining\":null,\"timestamp\":null,\"acc\":0.123456789,"
                   "\"offset\":18446744073709551615,\"serverTime\":1700000000.25}");
}

static void a_superseded_entry_says_so_at_its_end(void **state)
{
    (void)state;
    struct record r = decode("{\"acc\":1}");
    record_write_entry(&text, &r, 7, 1700000000.25, true);
    static const char end[] = "\"acc\":1,\"offset\":7,\"serverTime\":1700000000.25,"
                              "\"superseded\":true}";
    assert_non_null(memmem(text.ptr, text.len, end, sizeof(end) - 1));
    buf_reset(&text);
}

static void a_payload_follows_other_text_in_its_buf(void **state)
{
    (void)state;
    struct record r = decode("{\"loss\":1}");
    buf_add_str(&text, "42[\"progress_update\",{\"metrics\":");
    record_write_payload(&text, &r);
    assert_true(
        span_starts(buf_span(&text), SPAN("42[\"progress_update\",{\"metrics\":{\"loss\":1,")));
}

static void long_integers_pass_in_every_form(void **state)
{
    (void)state;
    struct record r = decode("{\"modelParams\":18446744073709551616,\"step\":9007199254740993}");
    record_write_payload(&text, &r);
    buf_add_char(&text, '\0');
    assert_non_null(strstr(text.ptr, "\"modelParams\":18446744073709551616,"));
    assert_non_null(strstr(text.ptr, "\"currentStep\":9007199254740993,"));
}

static void a_record_too_long_for_its_buf_is_refused(void **state)
{
    (void)state;
    struct buf small;
    struct record r = decode("{\"loss\":1}");
    for (size_t limit = 1; limit < 200; limit += 50) {
        buf_init(&small, limit);
        record_write_payload(&small, &r);
        assert_int_equal(buf_status(&small), E_LIMIT);
        buf_fini(&small);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_all, drop_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(payloads_and_entries_are_those_of_the_vectors),
        TEST(a_history_entry_ends_in_offset_and_server_time),
        TEST(a_superseded_entry_says_so_at_its_end),
        TEST(a_payload_follows_other_text_in_its_buf),
        TEST(long_integers_pass_in_every_form),
        TEST(a_record_too_long_for_its_buf_is_refused),
    };
    return cmocka_run_group_tests_name("proto/record_json", tests, NULL, NULL);
}
