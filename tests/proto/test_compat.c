/* SPDX-License-Identifier: MIT */
/*
 * The golden cases were recorded from the reference system: what it was given, what its
 * transformation made of it, what its validation said, and what it sent after rounding. They are
 * compared as numbers. The third was stamped with the time of its recording.
 */
#include "proto/compat.h"

#include "proto/line.h"
#include "proto/record_json.h"

#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const double now_s = 1795147912.20993;

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

static struct record decode(const char *metrics)
{
    struct record r;
    struct line_error error;
    assert_int_equal(line_decode_metrics(&decoder, span_of(metrics), &r, &error), OK);
    return r;
}

static struct record transform(const char *metrics)
{
    struct record out;
    struct record r = decode(metrics);
    compat_transform(&r, now_s, &out);
    return out;
}

/* Takes what was written as a tree, and empties the buf. The caller deletes the tree. */
static cJSON *take_written(void)
{
    assert_int_equal(buf_status(&text), OK);
    cJSON *tree = cJSON_ParseWithLength(text.ptr, text.len);
    assert_non_null(tree);
    buf_reset(&text);
    return tree;
}

/* Of trees made by cJSON; numbers equal but for the last bits that exp() may differ in. */
static void assert_same(const cJSON *got, const cJSON *want)
{
    assert_int_equal(cJSON_GetArraySize(got), cJSON_GetArraySize(want));
    const cJSON *one;
    cJSON_ArrayForEach(one, want)
    {
        const cJSON *same = cJSON_GetObjectItemCaseSensitive(got, one->string);
        assert_non_null(same);
        if (!cJSON_IsNumber(one))
            assert_true(cJSON_Compare(same, one, true));
        else if (fabs(same->valuedouble - one->valuedouble) > 1e-12 * fabs(one->valuedouble))
            fail_msg("%s: %.17g, wanted %.17g", one->string, same->valuedouble, one->valuedouble);
    }
}

static void the_golden_cases_are_met(void **state)
{
    (void)state;
    cJSON *vectors = vectors_read("tests/vectors/compat.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, vectors)
    {
        char *in = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(one, "in"));
        struct record r = transform(in);
        record_write_full(&text, &r);
        cJSON *transformed = take_written();
        compat_write_validation(&text, &r);
        cJSON *validation = take_written();
        record_write_payload(&text, &r);
        cJSON *optimized = take_written();
        assert_same(transformed, cJSON_GetObjectItemCaseSensitive(one, "transformed"));
        assert_same(validation, cJSON_GetObjectItemCaseSensitive(one, "validation"));
        assert_same(optimized, cJSON_GetObjectItemCaseSensitive(one, "optimized"));
        cJSON_Delete(transformed);
        cJSON_Delete(validation);
        cJSON_Delete(optimized);
        cJSON_free(in);
        count++;
    }
    assert_int_equal(count, 5);
    cJSON_Delete(vectors);
}

static double field_of(const char *metrics, enum record_field field)
{
    struct record r = transform(metrics);
    return num_double(r.field[field]);
}

static void every_field_is_clamped_at_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum record_field field;
        double low, high;
    } ranges[] = {
        {"loss", F_LOSS, 0, 10},
        {"perplexity", F_PERPLEXITY, 1, 1000},
        {"grokProgress", F_GROK_PROGRESS, 0, 100},
        {"modelParams", F_MODEL_PARAMS, 1e6, 1e8},
        {"currentStep", F_CURRENT_STEP, 0, 1e5},
        {"totalSteps", F_TOTAL_STEPS, 1, 1e5},
        {"currentModel", F_CURRENT_MODEL, 1, 10},
        {"totalModels", F_TOTAL_MODELS, 1, 10},
        {"overallProgress", F_OVERALL_PROGRESS, 0, 100},
        {"trainingTime", F_TRAINING_TIME, 0, 86400},
        {"estimatedTimeRemaining", F_ESTIMATED_TIME_REMAINING, 0, 86400},
    };
    assert_int_equal(sizeof(ranges) / sizeof(ranges[0]), COMPAT_RULES);
    for (size_t i = 0; i < COMPAT_RULES; i++) {
        char metrics[80];
        (void)snprintf(metrics, sizeof(metrics), "{\"%s\":-1e18}", ranges[i].name);
        assert_true(field_of(metrics, ranges[i].field) == ranges[i].low);
        (void)snprintf(metrics, sizeof(metrics), "{\"%s\":1e18}", ranges[i].name);
        assert_true(field_of(metrics, ranges[i].field) == ranges[i].high);
    }
}

static void a_field_of_the_wrong_type_takes_its_default(void **state)
{
    (void)state;
    assert_true(field_of("{\"modelParams\":\"many\"}", F_MODEL_PARAMS) == 25e6);
    assert_true(field_of("{\"perplexity\":\"x\",\"loss\":0}", F_PERPLEXITY) == 12.18);
    assert_true(field_of("{\"totalSteps\":[5]}", F_TOTAL_STEPS) == 1000);
    assert_true(field_of("{\"loss\":NaN}", F_LOSS) == 2.5);
    assert_true(field_of("{\"grokProgress\":Infinity,\"loss\":0}", F_GROK_PROGRESS) == 0);
}

static void a_loss_of_the_wrong_type_gives_the_fallback_record(void **state)
{
    (void)state;
    struct record r = transform("{\"loss\":\"x\",\"step\":50,\"timestamp\":1}");
    assert_true(num_double(r.field[F_CURRENT_STEP]) == 0);
    assert_true(num_double(r.field[F_TIMESTAMP]) == now_s);
}

static void missing_fields_are_derived_and_zero_is_not_missing(void **state)
{
    (void)state;
    assert_true(field_of("{\"loss\":0}", F_PERPLEXITY) == 1);
    assert_true(field_of("{\"loss\":0,\"perplexity\":0}", F_PERPLEXITY) == 1);
    assert_true(field_of("{\"loss\":1}", F_GROK_PROGRESS) == 50);
    assert_true(field_of("{\"loss\":1,\"grokProgress\":0}", F_GROK_PROGRESS) == 0);
    assert_true(field_of("{\"modelIndex\":1,\"step\":500}", F_OVERALL_PROGRESS) == 50);
    assert_true(
        field_of("{\"overallProgress\":25,\"trainingTime\":10}", F_ESTIMATED_TIME_REMAINING) == 30);
    assert_true(field_of("{\"totalSteps\":0,\"step\":0}", F_OVERALL_PROGRESS) == 0);
    assert_true(field_of("{}", F_TIMESTAMP) == now_s);
    assert_true(field_of("{\"timestamp\":0}", F_TIMESTAMP) == 0);
}

static void counts_are_integers_and_extras_are_left_out(void **state)
{
    (void)state;
    struct record r = transform("{\"step\":10.9,\"acc\":1}");
    assert_int_equal(r.field[F_CURRENT_STEP].kind, NUM_INT);
    assert_int_equal(r.field[F_CURRENT_STEP].i, 10);
    assert_int_equal(r.extra_count, 0);
}

static void assert_validation(const char *metrics, const char *want)
{
    struct record r = decode(metrics);
    compat_write_validation(&text, &r);
    if (!span_is(buf_span(&text), want))
        fail_msg("%.*s", (int)text.len, text.ptr);
    buf_reset(&text);
}

#define COMPLETE                                                                                   \
    "\"perplexity\":1,\"grokProgress\":0,\"modelParams\":25000000,\"currentStep\":50,"             \
    "\"totalSteps\":100,\"currentModel\":1,\"totalModels\":1,\"trainingTime\":0,"                  \
    "\"estimatedTimeRemaining\":0,\"timestamp\":1"

static void validation_names_what_is_missing_and_what_is_no_number(void **state)
{
    (void)state;
    assert_validation(
        "{" COMPLETE ",\"loss\":1,\"overallProgress\":50}",
        "{\"compatible\":true,\"warnings\":[],\"errors\":[],\"data_integrity\":true}");
    assert_validation("{" COMPLETE ",\"overallProgress\":50}",
                      "{\"compatible\":false,\"warnings\":[],\"errors\":[\"missing: loss\"],"
                      "\"data_integrity\":true}");
    assert_validation("{" COMPLETE ",\"loss\":\"x\",\"overallProgress\":NaN}",
                      "{\"compatible\":false,\"warnings\":[],\"errors\":[\"not a number: loss\","
                      "\"not a number: overallProgress\"],\"data_integrity\":true}");
}

static void validation_warns_of_what_is_out_of_range(void **state)
{
    (void)state;
    assert_validation("{" COMPLETE ",\"loss\":10.5,\"overallProgress\":50}",
                      "{\"compatible\":true,\"warnings\":[\"out of range: loss 10.5, allowed 0 to "
                      "10\"],\"errors\":[],\"data_integrity\":true}");
    assert_validation(
        "{" COMPLETE ",\"loss\":10,\"overallProgress\":50}",
        "{\"compatible\":true,\"warnings\":[],\"errors\":[],\"data_integrity\":true}");
}

static void progress_may_differ_five_points_from_the_computed_one(void **state)
{
    (void)state;
    static const struct {
        const char *overall;
        bool integrity;
    } cases[] = {{"45", true}, {"55", true}, {"44.9", false}, {"55.1", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char metrics[400];
        (void)snprintf(metrics, sizeof(metrics), "{%s,\"loss\":1,\"overallProgress\":%s}", COMPLETE,
                       cases[i].overall);
        struct record r = decode(metrics);
        compat_write_validation(&text, &r);
        cJSON *result = take_written();
        const cJSON *integrity = cJSON_GetObjectItemCaseSensitive(result, "data_integrity");
        const cJSON *warnings = cJSON_GetObjectItemCaseSensitive(result, "warnings");
        assert_int_equal(cJSON_IsTrue(integrity), cases[i].integrity);
        assert_int_equal(cJSON_GetArraySize(warnings), !cases[i].integrity);
        cJSON_Delete(result);
    }
}

static const char fallback[] =
    "{\"loss\":2.5,\"perplexity\":12.18,\"grokProgress\":0,\"modelParams\":25000000,"
    "\"currentStep\":0,\"totalSteps\":1000,\"currentModel\":1,\"totalModels\":3,"
    "\"overallProgress\":0,\"trainingTime\":0,\"estimatedTimeRemaining\":0,"
    "\"timestamp\":1795147912.21}";

static void the_wrappers_are_those_of_the_contract(void **state)
{
    (void)state;
    char want[1024];
    struct record r = transform("{\"loss\":\"x\"}");
    compat_write_http(&text, SPAN("a"), &r, SPAN("running"), 1700000000.5);
    (void)snprintf(want, sizeof(want),
                   "{\"success\":true,\"data\":{\"sessionId\":\"a\",\"metrics\":%s,"
                   "\"timestamp\":1700000000.5,\"status\":\"running\"},\"meta\":{\"version\":"
                   "\"1.0\",\"compatibility_layer\":true,\"transformation_applied\":true}}",
                   fallback);
    assert_true(span_is(buf_span(&text), want));
    buf_reset(&text);
    compat_write_socket(&text, SPAN("progress_update"), &r, SPAN("running"), 1700000000.5);
    (void)snprintf(want, sizeof(want),
                   "{\"event\":\"progress_update\",\"metrics\":%s,\"status\":\"running\","
                   "\"timestamp\":1700000000.5}",
                   fallback);
    assert_true(span_is(buf_span(&text), want));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_all, drop_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_golden_cases_are_met),
        TEST(every_field_is_clamped_at_both_ends),
        TEST(a_field_of_the_wrong_type_takes_its_default),
        TEST(a_loss_of_the_wrong_type_gives_the_fallback_record),
        TEST(missing_fields_are_derived_and_zero_is_not_missing),
        TEST(counts_are_integers_and_extras_are_left_out),
        TEST(validation_names_what_is_missing_and_what_is_no_number),
        TEST(validation_warns_of_what_is_out_of_range),
        TEST(progress_may_differ_five_points_from_the_computed_one),
        TEST(the_wrappers_are_those_of_the_contract),
    };
    return cmocka_run_group_tests_name("proto/compat", tests, NULL, NULL);
}
