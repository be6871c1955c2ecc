/* SPDX-License-Identifier: MIT */
#include "streamd/session/operation.h"

#include "tests/streamd/domain.h"
#include "tests/support/guarded.h"

static int setup(void **state)
{
    struct domain *d = calloc(1, sizeof(*d));
    assert_non_null(d);
    domain_defaults(d);
    domain_open(d);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    domain_close(*state);
    free(*state);
    return 0;
}

static struct session *start(struct domain *d, const char *config)
{
    char line[512];
    (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":%s}",
                   config);
    domain_take(d, line);
    return domain_session(d, "a");
}

static void its_type_symbol_and_plan_are_in_the_config(void **state)
{
    static const struct {
        const char *config, *type, *symbol;
        uint64_t planned;
    } cases[] = {
        {"{}", "training", "", 0},
        {"{\"epochs\":100,\"symbol\":\"EURUSD\"}", "training", "EURUSD", 100},
        {"{\"operation_type\":\"data_load\",\"metadata\":{\"symbol\":\"X\"}}", "data_load", "X", 0},
        {"{\"operation_type\":\"Bad type\",\"max_epochs\":-3}", "training", "", 0},
        {"{\"operation_type\":7,\"total_epochs\":12.5}", "training", "", 12},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct operation *o = operation_of(start(*state, cases[i].config));
        assert_string_equal(o->type, cases[i].type);
        assert_string_equal(o->symbol, cases[i].symbol);
        assert_int_equal(o->epochs_planned, cases[i].planned);
    }
}

static void its_status_follows_the_session(void **state)
{
    struct domain *d = *state;
    struct session *s = start(d, "{}");
    assert_int_equal(operation_status(s), OPERATION_PENDING);
    domain_take(d, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":1}}");
    assert_int_equal(operation_status(s), OPERATION_RUNNING);
    domain_take(d, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    assert_int_equal(operation_status(s), OPERATION_COMPLETED);
    domain_take(d, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    assert_int_equal(operation_status(s), OPERATION_RESUMING);
    domain_take(d, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":2}}");
    assert_int_equal(operation_status(s), OPERATION_RUNNING);
    domain_take(d, "{\"type\":\"fail\",\"sessionId\":\"a\",\"error\":\"x\"}");
    assert_int_equal(operation_status(s), OPERATION_FAILED);
}

static void how_it_ended_outlives_its_place_in_the_live_list(void **state)
{
    struct domain *d = *state;
    struct session *s = start(d, "{}");
    domain_take(d, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    domain_advance(d, 2 * d->config.live_completed_s * 1000000);
    assert_int_equal(s->state, SESSION_EXPIRED);
    assert_int_equal(operation_status(s), OPERATION_COMPLETED);
}

static void a_cancelled_one_stays_so_whatever_its_trainer_says_until_it_begins_anew(void **state)
{
    struct domain *d = *state;
    struct session *s = start(d, "{}");
    assert_int_equal(operation_cancel(s, SPAN("enough"), d->now), OK);
    assert_int_equal(operation_status(s), OPERATION_CANCELLED);
    assert_string_equal(s->operation.reason, "enough");
    domain_take(d, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":2}}");
    domain_take(d, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    assert_int_equal(operation_status(s), OPERATION_CANCELLED);
    s = start(d, "{}");
    assert_int_equal(operation_status(s), OPERATION_PENDING);
    assert_null(s->operation.reason);
}

static void assert_merged(struct domain *d, struct session *s, const char *object,
                          const char *expect)
{
    assert_int_equal(operation_merge(s, span_of(object), d->now), OK);
    struct span merged = refbuf_span(s->operation.metrics);
    if (!span_is(merged, expect))
        fail_msg("%.*s, not %s", (int)merged.len, merged.ptr, expect);
}

static void keys_are_merged_and_kept_unchanged(void **state)
{
    struct domain *d = *state;
    struct session *s = start(d, "{\"operation_type\":\"data_load\"}");
    assert_int_equal(operation_merge(s, SPAN(" { } "), d->now), OK);
    assert_null(s->operation.metrics);
    assert_int_equal(s->state, SESSION_STARTING); /* nothing was said */
    assert_merged(d, s, "{\"rows\": 1.50, \"deep\":{\"x\":[1, null]}}",
                  "{\"rows\":1.50,\"deep\":{\"x\":[1,null]}}");
    assert_merged(d, s, "{\"new\":\"a\\u00e9\",\"rows\":123456789012345678901234567890}",
                  "{\"rows\":123456789012345678901234567890,\"deep\":{\"x\":[1,null]},"
                  "\"new\":\"a\\u00e9\"}");
    assert_merged(d, s, "{\"d\\u0065ep\":1,\"new\":2,\"new\":3,\"b\":NaN,\"b\":[]}",
                  "{\"rows\":123456789012345678901234567890,\"deep\":1,\"new\":3,\"b\":[]}");
    assert_int_equal(operation_status(s), OPERATION_RUNNING);
}

static void more_than_it_may_say_changes_nothing(void **state)
{
    struct domain *d = *state;
    struct session *s = start(d, "{}");
    size_t len = OPERATION_METRICS_MAX - 10;
    char *object = malloc(len + 32);
    assert_non_null(object);
    assert_merged(d, s, "{\"a\":\"0123456789\"}", "{\"a\":\"0123456789\"}");
    memset(object, 'x', len + 32);
    memcpy(object, "{\"b\":\"", 6);
    memcpy(object + len - 2, "\"}", 2);
    assert_int_equal(operation_merge(s, (struct span){object, len}, d->now), E_LIMIT);
    assert_merged(d, s, "{}", "{\"a\":\"0123456789\"}");
    free(object);
}

static void an_id_is_made_of_type_and_time(void **state)
{
    char id[OPERATION_ID_MAX + 1];
    char other[OPERATION_ID_MAX + 1];
    (void)state;
    assert_true(operation_id_make(SPAN("data_load"), 1700000000.5, id));
    assert_true(operation_id_make(SPAN("data_load"), 1700000000.5, other));
    assert_memory_equal(id, "op_data_load_20231114_221320_", 29);
    assert_int_equal(strspn(id + 29, "0123456789abcdef"), 8);
    assert_int_equal(strlen(id), 37);
    assert_string_not_equal(id, other);
    assert_true(session_id_valid(span_of(id)));
}

static void what_is_written_down_is_read_back(void **state)
{
    struct domain *d = *state;
    struct session *s = start(d, "{}");
    struct operation is = {.known = false};
    struct buf bytes;
    buf_init(&bytes, 1 << 17);
    operation_write(&s->operation, &bytes);
    assert_int_equal(bytes.len, 0);
    assert_merged(d, s, "{\"a\":1}", "{\"a\":1}");
    assert_int_equal(operation_cancel(s, SPAN("why"), d->now), OK);
    operation_write(&s->operation, &bytes);
    assert_int_equal(operation_read(&is, buf_span(&bytes)), OK);
    assert_true(is.cancelled_s == d->now.wall_s);
    assert_string_equal(is.reason, "why");
    assert_true(span_is(refbuf_span(is.metrics), "{\"a\":1}"));
    /* Without what it has told of itself it is whole, too. */
    for (size_t len = 1; len < bytes.len; len++) {
        struct guarded copy = guarded_copy(bytes.ptr, len);
        bool whole = len == bytes.len - strlen("{\"a\":1}");
        assert_int_equal(operation_read(&is, copy.span), whole ? OK : E_MALFORMED);
        guarded_free(&copy);
    }
    operation_fini(&is);
    buf_fini(&bytes);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_type_symbol_and_plan_are_in_the_config),
        TEST(its_status_follows_the_session),
        TEST(how_it_ended_outlives_its_place_in_the_live_list),
        TEST(a_cancelled_one_stays_so_whatever_its_trainer_says_until_it_begins_anew),
        TEST(keys_are_merged_and_kept_unchanged),
        TEST(more_than_it_may_say_changes_nothing),
        TEST(an_id_is_made_of_type_and_time),
        TEST(what_is_written_down_is_read_back),
    };
    return cmocka_run_group_tests_name("session/operation", tests, NULL, NULL);
}
