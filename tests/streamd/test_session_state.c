/* SPDX-License-Identifier: MIT */
#include "streamd/session/session_state.h"

#include "streamd/session/session_life.h"
#include "tests/streamd/domain.h"
#include "tests/support/guarded.h"
#include "tests/support/oom.h"

/* Two processes: what is written down in one is restored in the other. */
struct both {
    struct domain from, to;
    struct buf state;
    struct store_session row; /* of the session "a" */
};

static void write_row(struct both *b)
{
    buf_reset(&b->state);
    buf_add_str(&b->state, "what was there before");
    session_state_row(domain_session(&b->from, "a"), &b->state, &b->row);
    assert_int_equal(buf_status(&b->state), OK);
}

static int setup(void **state)
{
    struct both *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    domain_defaults(&b->from);
    domain_defaults(&b->to);
    b->to.now.us = 77;
    domain_open(&b->from);
    domain_open(&b->to);
    buf_init(&b->state, 1 << 20);
    domain_take(&b->from,
                "{\"type\":\"start\",\"sessionId\":\"a\",\"name\":\"n\",\"project\":\"p\","
                "\"config\":{\"model_count\":4}}");
    domain_take(&b->from, "{\"type\":\"progress\",\"seq\":3,\"metrics\":{\"step\":5,\"loss\":1.5,"
                          "\"acc\":0.25}}");
    domain_take(&b->from, "{\"type\":\"model_completed\",\"seq\":4,\"modelIndex\":1}");
    domain_advance(&b->from, 5000000);
    domain_take(&b->from, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    domain_take(&b->from, "{\"type\":\"progress\",\"seq\":9,\"metrics\":{\"step\":2,\"acc\":0.5}}");
    domain_take(&b->from, "{\"type\":\"fail\",\"error\":\"because\"}");
    const struct alert_rule rule = {.name = "r", .metric = "acc", .op = ALERT_GT, .value = 0.25};
    const struct alert_rule *kept;
    assert_int_equal(alert_rule_set(domain_session(&b->from, "a"), &rule, &kept), OK);
    domain_session(&b->from, "a")->summary_stale = true;
    domain_session(&b->from, "a")->given_up = true;
    domain_session(&b->from, "a")->summary_from = 7;
    write_row(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct both *b = *state;
    buf_fini(&b->state);
    domain_close(&b->from);
    domain_close(&b->to);
    free(b);
    return 0;
}

/* Only good for being destroyed; NULL when there was no memory for it. */
static enum status restore(struct both *b, struct store_session *row, struct session **out)
{
    *out = session_create(&b->to.registry, row->id);
    return *out ? session_state_restore(*out, row, &b->to.decoder) : E_NOMEM;
}

static void a_row_restores_what_it_was_made_of(void **state)
{
    struct both *b = *state;
    const struct session *was = domain_session(&b->from, "a");
    struct session *s;
    b->to.registry.age_base_us = session_state_age_us(&b->row) - b->to.now.us;
    assert_int_equal(restore(b, &b->row, &s), OK);
    assert_int_equal(s->key, was->key);
    assert_string_equal(s->id, "a");
    assert_string_equal(s->name, "n");
    assert_string_equal(s->project, "p");
    assert_string_equal(s->error, "because");
    assert_int_equal(s->rules.count, 1);
    assert_string_equal(s->rules.rules[0].metric, "acc");
    assert_true(s->rules.rules[0].firing);
    assert_true(span_is(refbuf_span(s->config), "{\"model_count\":4}"));
    assert_int_equal(s->state, SESSION_FAILED);
    assert_int_equal(s->last_seq, 9);
    assert_int_equal(s->durable_seq, 9);
    assert_int_equal(s->models_completed, 2);
    assert_int_equal(s->total_models, 4);
    assert_int_equal(s->sent, was->sent);
    assert_true(s->summary_stale);
    assert_true(s->given_up);
    assert_int_equal(s->life_begins, was->life_begins);
    assert_true(s->life_begins > 0);
    assert_int_equal(s->summary_from, 7);
    assert_int_equal(s->newest_offset, 2);
    assert_int_equal(series_newest(s->series), 2);
    assert_int_equal(series_count(s->series), 0);
    assert_int_equal(s->axis.x, was->axis.x);
    assert_true(s->axis.begun && s->axis.step == 2 && s->axis.model == was->axis.model);
    assert_int_equal(s->last_us, 77);
    assert_int_equal(s->last_us - s->start_us, 5000000);
    assert_true(s->start_time_s == was->start_time_s);
    assert_true(s->last_update_s == was->last_update_s);
    session_destroy(s);
}

static void what_is_absent_stays_absent(void **state)
{
    struct both *b = *state;
    struct session *s;
    domain_take(&b->from, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    write_row(b);
    assert_int_equal(restore(b, &b->row, &s), OK);
    assert_null(s->name);
    assert_null(s->project);
    assert_null(s->error);
    assert_null(s->config);
    assert_int_equal(s->newest_offset, 0);
    assert_int_equal(series_newest(s->series), 2);
    session_recall(s);
    assert_int_equal(series_count(s->series), 0);
    session_destroy(s);
}

static void a_state_that_breaks_off_is_damaged(void **state)
{
    struct both *b = *state;
    struct span whole = b->row.state;
    for (size_t len = 0; len < whole.len; len++) {
        struct session *s;
        struct guarded copy = guarded_copy(whole.ptr, len);
        b->row.state = copy.span;
        enum status status = restore(b, &b->row, &s);
        assert_int_equal(status, E_MALFORMED);
        session_destroy(s);
        (void)session_state_age_us(&b->row);
        guarded_free(&copy);
    }
}

/* From before a summary could be made again; its fixed part said how long it was. */
static void a_row_of_an_earlier_version_has_zeros_for_what_came_later(void **state)
{
    enum { BYTES_AT = 4, LATER = 24 };
    struct both *b = *state;
    struct span whole = b->row.state;
    uint32_t bytes;
    memcpy(&bytes, whole.ptr + BYTES_AT, sizeof(bytes));
    bytes -= LATER;
    char *earlier = malloc(whole.len - LATER);
    assert_non_null(earlier);
    memcpy(earlier, whole.ptr, bytes);
    memcpy(earlier + BYTES_AT, &bytes, sizeof(bytes));
    memcpy(earlier + bytes, whole.ptr + bytes + LATER, whole.len - bytes - LATER);
    b->row.state = (struct span){earlier, whole.len - LATER};
    struct session *s;
    assert_int_equal(restore(b, &b->row, &s), OK);
    assert_int_equal(s->summary_from, 0);
    assert_int_equal(s->life_begins, 0);
    assert_int_equal(s->newest_offset, 2);
    session_destroy(s);
    free(earlier);
}

/* The store has a checksum of its own for each row; but nothing that stands there may crash. */
static void whatever_stands_there_is_refused_or_taken(void **state)
{
    struct both *b = *state;
    char *bytes = (char *)(uintptr_t)b->row.state.ptr;
    unsigned refused = 0;
    for (size_t i = 0; i < b->row.state.len; i++) {
        static const char masks[] = {1, (char)0x80, (char)0xff};
        for (size_t m = 0; m < sizeof(masks); m++) {
            struct session *s;
            bytes[i] ^= masks[m];
            enum status status = restore(b, &b->row, &s);
            assert_true(status == OK || status == E_MALFORMED);
            refused += status == E_MALFORMED;
            session_recall(s);
            session_destroy(s);
            bytes[i] ^= masks[m];
        }
    }
    assert_true(refused > 100);
}

static void a_newer_version_is_not_read(void **state)
{
    struct both *b = *state;
    struct session *s;
    ((char *)(uintptr_t)b->row.state.ptr)[0]++;
    assert_int_equal(restore(b, &b->row, &s), E_MALFORMED);
    assert_int_equal(session_state_age_us(&b->row), 0);
    session_destroy(s);
}

static void running_out_of_memory_is_told(void **state)
{
    struct both *b = *state;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct session *s;
        oom_fail(n);
        enum status status = restore(b, &b->row, &s);
        failed = oom_failed();
        assert_int_equal(status, failed ? E_NOMEM : OK);
        if (s)
            session_destroy(s);
    }
    failed = true;
    for (size_t n = 1; failed; n++) {
        struct buf scratch;
        buf_init(&scratch, 1 << 20);
        oom_fail(n);
        session_state_row(domain_session(&b->from, "a"), &scratch, &b->row);
        failed = oom_failed();
        assert_int_equal(buf_status(&scratch), failed ? E_NOMEM : OK);
        buf_fini(&scratch);
    }
}

#define STATE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(a_row_restores_what_it_was_made_of),
        STATE_TEST(what_is_absent_stays_absent),
        STATE_TEST(a_state_that_breaks_off_is_damaged),
        STATE_TEST(a_row_of_an_earlier_version_has_zeros_for_what_came_later),
        STATE_TEST(whatever_stands_there_is_refused_or_taken),
        STATE_TEST(a_newer_version_is_not_read),
        STATE_TEST(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("streamd/session/session_state", tests, NULL, NULL);
}
