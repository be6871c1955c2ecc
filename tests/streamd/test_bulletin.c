/* SPDX-License-Identifier: MIT */
#include "streamd/session/bulletin.h"

#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct bulletin_filter all = {.types = (1U << BULLETIN_TYPES) - 1};
static const struct bulletin_filter alerts_of_a = {.types = 1U << BULLETIN_ALERT,
                                                   .session = {"a", 1}};

static int setup(void **state)
{
    static struct bulletin b;
    bulletin_init(&b, 5); /* seq begins at 5001 */
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    bulletin_fini(*state);
    return 0;
}

static void add(struct bulletin *b, enum bulletin_type type, const char *session)
{
    bulletin_add(b, type, span_of(session), 1, SPAN("text"), SPAN("{}"));
}

static void items_are_numbered_over_all_sessions_from_the_time_of_the_start(void **state)
{
    struct bulletin *b = *state;
    bulletin_add(b, BULLETIN_ALERT, SPAN("a"), 7.5, SPAN("it rises"), SPAN("{\"x\":1}"));
    add(b, BULLETIN_EPOCH, "b");
    add(b, BULLETIN_ALERT, "a");
    const struct bulletin_item *item = bulletin_next(b, &all, 0);
    assert_int_equal(item->seq, 5001);
    assert_true(span_is(bulletin_session(item), "a"));
    assert_true(span_is(bulletin_text(item), "it rises"));
    assert_true(span_is(bulletin_data(item), "{\"x\":1}"));
    assert_int_equal(bulletin_next(b, &all, 5001)->type, BULLETIN_EPOCH);
    assert_int_equal(bulletin_next(b, &alerts_of_a, 5001)->seq, 5003);
    assert_null(bulletin_next(b, &alerts_of_a, 5003));
}

static void epochs_push_no_alert_out(void **state)
{
    struct bulletin *b = *state;
    add(b, BULLETIN_ALERT, "a");
    for (int i = 0; i < BULLETIN_EPOCHS_MAX + 10; i++)
        add(b, BULLETIN_EPOCH, "b");
    assert_int_equal(bulletin_next(b, &all, 0)->seq, 5001);
    assert_int_equal(bulletin_next(b, &all, 5001)->seq, 5012);
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 5000), 0);
    assert_int_equal(b->epochs.count, BULLETIN_EPOCHS_MAX);
}

static void of_news_and_epochs_the_one_that_lacks_more_is_counted(void **state)
{
    static const struct bulletin_filter epochs = {.types = 1U << BULLETIN_EPOCH};
    struct bulletin *b = *state;
    for (int i = 0; i < BULLETIN_NEWS_MAX + 3; i++)
        add(b, BULLETIN_ALERT, "a");
    for (int i = 0; i < BULLETIN_EPOCHS_MAX + 10; i++)
        add(b, BULLETIN_EPOCH, "b");
    assert_int_equal(bulletin_missed(b, &epochs, 5000), BULLETIN_NEWS_MAX + 3 + 10);
    assert_int_equal(bulletin_missed(b, &all, 5000), BULLETIN_NEWS_MAX + 3 + 10);
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 5000), 3);
}

static void what_is_gone_is_counted_as_missed(void **state)
{
    struct bulletin *b = *state;
    for (int i = 0; i < BULLETIN_NEWS_MAX + 3; i++)
        add(b, BULLETIN_ALERT, "a");
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 5000), 3);
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 5002), 1);
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 5003), 0);
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 0), 0);
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 17), 4); /* of a daemon that is no more */
}

static void long_texts_are_cut_at_a_character_and_long_data_left_out(void **state)
{
    struct bulletin *b = *state;
    char text[BULLETIN_TEXT_MAX + 2];
    char data[BULLETIN_DATA_MAX + 1];
    memset(text, 'x', sizeof(text));
    memset(data, ' ', sizeof(data));
    memcpy(text + BULLETIN_TEXT_MAX - 1, "\xC3\xA4", 2);
    bulletin_add(b, BULLETIN_STATUS, SPAN("a"), 0, (struct span){text, sizeof(text)},
                 (struct span){data, sizeof(data)});
    const struct bulletin_item *item = bulletin_next(b, &all, 0);
    assert_int_equal(bulletin_text(item).len, BULLETIN_TEXT_MAX - 1);
    assert_int_equal(bulletin_data(item).len, 0);
}

static void the_newest_are_found_from_the_end(void **state)
{
    struct bulletin *b = *state;
    assert_int_equal(bulletin_behind(b, &all, 3), 5000);
    add(b, BULLETIN_ALERT, "a");
    add(b, BULLETIN_EPOCH, "b");
    add(b, BULLETIN_PHASE, "a");
    add(b, BULLETIN_EPOCH, "a");
    assert_int_equal(bulletin_behind(b, &all, 2), 5002);
    assert_int_equal(bulletin_behind(b, &all, 3), 5001);
    assert_int_equal(bulletin_behind(b, &all, 99), 5000);
    assert_int_equal(bulletin_behind(b, &alerts_of_a, 5), 5000);
}

/* ---- waiting ---- */

struct sleeper {
    struct bulletin_waiter waiter;
    struct bulletin_waiter *other; /* to be cancelled when woken */
    int woken;
};

static void on_woken(struct bulletin_waiter *w)
{
    struct sleeper *s = LIST_ENTRY(w, struct sleeper, waiter);
    s->woken++;
    if (s->other)
        bulletin_cancel(s->other);
}

static void a_waiter_is_woken_once_by_what_concerns_it(void **state)
{
    struct bulletin *b = *state;
    struct sleeper s = {.waiter = {.filter = alerts_of_a, .woken = on_woken}};
    bulletin_cancel(&s.waiter); /* it does not wait yet */
    bulletin_wait(b, &s.waiter);
    add(b, BULLETIN_ALERT, "b");
    add(b, BULLETIN_PHASE, "a");
    bulletin_wake(b);
    assert_int_equal(s.woken, 0);
    add(b, BULLETIN_ALERT, "a");
    add(b, BULLETIN_ALERT, "a");
    assert_int_equal(s.woken, 0); /* not before the end of the wake-up */
    bulletin_wake(b);
    bulletin_wake(b);
    assert_int_equal(s.woken, 1);
}

static void who_is_woken_may_cancel_another(void **state)
{
    struct bulletin *b = *state;
    struct sleeper second = {.waiter = {.filter = all, .woken = on_woken}};
    struct sleeper first = {.waiter = {.filter = all, .woken = on_woken}, .other = &second.waiter};
    bulletin_wait(b, &first.waiter);
    bulletin_wait(b, &second.waiter);
    add(b, BULLETIN_ALERT, "a");
    bulletin_wake(b);
    assert_int_equal(first.woken, 1);
    assert_int_equal(second.woken, 0);
}

static void without_memory_an_item_counts_as_dropped(void **state)
{
    struct bulletin *b = *state;
    oom_fail(1);
    add(b, BULLETIN_ALERT, "a");
    assert_true(oom_failed());
    assert_null(bulletin_next(b, &all, 0));
    assert_int_equal(bulletin_missed(b, &alerts_of_a, 5000), 1);
}

static void types_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(bulletin_type_find(SPAN("recommendation")), BULLETIN_RECOMMENDATION);
    assert_int_equal(bulletin_type_find(SPAN("x")), BULLETIN_TYPES);
    assert_string_equal(bulletin_type_name(BULLETIN_EPOCH), "epoch");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_are_numbered_over_all_sessions_from_the_time_of_the_start),
        TEST(epochs_push_no_alert_out),
        TEST(of_news_and_epochs_the_one_that_lacks_more_is_counted),
        TEST(what_is_gone_is_counted_as_missed),
        TEST(the_newest_are_found_from_the_end),
        TEST(long_texts_are_cut_at_a_character_and_long_data_left_out),
        TEST(a_waiter_is_woken_once_by_what_concerns_it),
        TEST(who_is_woken_may_cancel_another),
        TEST(without_memory_an_item_counts_as_dropped),
        TEST(types_are_found_by_name),
    };
    return cmocka_run_group_tests_name("session/bulletin", tests, NULL, NULL);
}
