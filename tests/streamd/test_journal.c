/* SPDX-License-Identifier: MIT */
#include "streamd/session/journal.h"

#include "base/refbuf.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
    static struct journal journal;
    journal_init(&journal);
    journal_listen(&journal);
    *state = &journal;
    return 0;
}

static int teardown(void **state)
{
    journal_fini(*state);
    return 0;
}

static void what_happened_to_a_room_is_found_in_order(void **state)
{
    struct journal *j = *state;
    assert_int_equal(journal_add(j, SPAN("a"), "one", SPAN("{}"), 7), 1);
    assert_int_equal(journal_add(j, SPAN("b"), "two", SPAN("{}"), 0), 2);
    assert_int_equal(journal_add(j, SPAN("a"), "three", SPAN("{\"x\":1}"), 9), 3);
    assert_string_equal(journal_find(j, SPAN("a"), 0)->name, "one");
    const struct journal_event *e = journal_find(j, SPAN("a"), 1);
    assert_int_equal(e->ordinal, 3);
    assert_int_equal(e->after, 9);
    assert_true(span_is(refbuf_span(e->payload), "{\"x\":1}"));
    assert_null(journal_find(j, SPAN("a"), 3));
    assert_null(journal_find(j, SPAN("c"), 0));
    assert_int_equal(j->dropped, 0);
}

static void nothing_is_kept_while_nobody_listens(void **state)
{
    struct journal *j = *state;
    journal_add(j, SPAN("a"), "one", SPAN("{}"), 0);
    journal_listen(j);
    journal_unlisten(j);
    assert_int_equal(j->count, 1);
    journal_unlisten(j);
    assert_int_equal(j->count, 0);
    assert_int_equal(j->bytes, 0);
    assert_int_equal(journal_add(j, SPAN("a"), "two", SPAN("{}"), 0), 2);
    assert_int_equal(j->count, 0);
    assert_int_equal(j->dropped, 2);
    journal_listen(j);
    journal_add(j, SPAN("a"), "three", SPAN("{}"), 0);
    assert_int_equal(j->dropped, 2);
    assert_int_equal(j->count, 1);
}

static void it_holds_so_many_events(void **state)
{
    struct journal *j = *state;
    for (unsigned i = 0; i < JOURNAL_EVENTS_MAX + 10; i++)
        journal_add(j, SPAN("a"), "e", SPAN("{}"), 0);
    assert_int_equal(j->count, JOURNAL_EVENTS_MAX);
    assert_int_equal(j->dropped, 10);
    assert_int_equal(journal_find(j, SPAN("a"), 0)->ordinal, 11);
}

static void it_holds_so_many_bytes(void **state)
{
    static char large[64 * 1024];
    struct journal *j = *state;
    for (unsigned i = 0; i < 100; i++)
        journal_add(j, SPAN("a"), "e", (struct span){large, sizeof(large)}, 0);
    assert_true(j->bytes <= JOURNAL_BYTES_MAX);
    assert_true(j->bytes > JOURNAL_BYTES_MAX - 2 * sizeof(large));
    assert_int_equal(j->dropped + j->count, 100);
}

static void what_finds_no_memory_counts_as_dropped(void **state)
{
    struct journal *j = *state;
    for (size_t n = 1; n <= 2; n++) {
        journal_add(j, SPAN("a"), "kept", SPAN("{}"), 0);
        oom_fail(n);
        uint64_t ordinal = journal_add(j, SPAN("a"), "lost", SPAN("{}"), 0);
        assert_true(oom_failed());
        assert_int_equal(j->dropped, ordinal);
        assert_int_equal(j->count, 0);
    }
}

int main(void)
{
#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(what_happened_to_a_room_is_found_in_order),
        JOURNAL_TEST(nothing_is_kept_while_nobody_listens),
        JOURNAL_TEST(it_holds_so_many_events),
        JOURNAL_TEST(it_holds_so_many_bytes),
        JOURNAL_TEST(what_finds_no_memory_counts_as_dropped),
    };
    return cmocka_run_group_tests_name("session/journal", tests, NULL, NULL);
}
