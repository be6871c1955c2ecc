/* SPDX-License-Identifier: MIT */
#include "clients/c/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct streamd_knob knobs[] = {{"on", STREAMD_BOOL, 1, 0, 0}};

static int setup(void **state)
{
    struct told *o = malloc(sizeof(*o));
    assert_non_null(o);
    told_init(o, SPAN("r1"), knobs, 1);
    *state = o;
    return 0;
}

static int teardown(void **state)
{
    told_fini(*state);
    free(*state);
    return 0;
}

static void hear(struct told *o, uint64_t id, const char *command)
{
    told_hear(o, &(struct answer){.id = id, .command = span_of(command)}, true);
}

/* The answers that wait, as they are sent. */
static void expect_answers(struct told *o, const char *expected)
{
    struct buf b;
    buf_init(&b, TOLD_ANSWERS_BYTES);
    told_take(o, &b);
    buf_add_char(&b, '\0');
    assert_string_equal(b.ptr, expected);
    buf_fini(&b);
}

#define ANSWER(id, outcome)                                                                        \
    "{\"type\":\"answer\",\"sessionId\":\"r1\",\"id\":" id ",\"outcome\":\"" outcome "\""

static void a_checkpoint_is_done_once_and_when_the_training_says_so(void **state)
{
    struct told *o = *state;
    hear(o, 7, "checkpoint");
    expect_answers(o, ANSWER("7", "accepted") "}\n");
    assert_false(told_done(o, "stop") || told_done(o, "coffee"));
    assert_false(told_wait(o));
    assert_true(told_done(o, "checkpoint"));
    expect_answers(o, ANSWER("7", "done") "}\n");
    assert_false(told_done(o, "checkpoint"));
    assert_false(told_wait(o));
}

static void a_switch_takes_a_truth_and_no_number(void **state)
{
    struct told *o = *state;
    struct answer off = {.command = SPAN("set"), .knob = SPAN("on"), .has_value = true, .id = 1};
    bool says;
    told_hear(o, &off, false);
    expect_answers(o, ANSWER("1", "refused") ",\"message\":\"no value for it\"}\n");
    off.value_is_bool = true;
    told_hear(o, &off, false);
    expect_answers(o, ANSWER("1", "accepted") "}\n");
    assert_true(told_read(o, "on", &says) == 0 && says);
    expect_answers(o, ANSWER("1", "done") ",\"value\":false}\n");
}

static void answers_that_nobody_fetches_are_bounded_and_whole(void **state)
{
    struct told *o = *state;
    struct buf b;
    for (uint64_t id = 1; id <= 1000; id++)
        hear(o, id, "stop");
    buf_init(&b, TOLD_ANSWERS_BYTES);
    told_take(o, &b);
    assert_in_range(b.len, TOLD_ANSWERS_BYTES - 100, TOLD_ANSWERS_BYTES);
    assert_int_equal(b.ptr[b.len - 1], '\n');
    buf_fini(&b);
    hear(o, 1001, "stop");
    expect_answers(o, ANSWER("1001", "accepted") "}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_checkpoint_is_done_once_and_when_the_training_says_so),
        TEST(a_switch_takes_a_truth_and_no_number),
        TEST(answers_that_nobody_fetches_are_bounded_and_whole),
    };
    return cmocka_run_group_tests_name("clients/c/told", tests, NULL, NULL);
}
