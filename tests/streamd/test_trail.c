/* SPDX-License-Identifier: MIT */
#include "streamd/room/trail.h"

#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX = 8 };

struct fixture {
    struct trail trail;
    struct stream *streams[2];
};

static int setup(void **state)
{
    static struct fixture f;
    trail_init(&f.trail, MAX);
    for (size_t i = 0; i < 2; i++) {
        f.streams[i] = trail_stream(&f.trail, false);
        assert_non_null(f.streams[i]);
        f.streams[i]->heard = 100;
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    trail_fini(&f->trail);
    free(f->streams[0]);
    free(f->streams[1]);
    return 0;
}

static void updates(struct fixture *f, unsigned stream, uint64_t serial, uint64_t offset)
{
    trail_add(&f->trail, f->streams[stream], &(struct mark){.serial = serial, .offset = offset});
}

static void happens(struct fixture *f, unsigned stream, uint64_t serial, uint64_t ordinal)
{
    trail_add(&f->trail, f->streams[stream], &(struct mark){.serial = serial, .ordinal = ordinal});
}

/* The streams as they stand after a rewind. */
struct kept {
    struct stream streams[2];
};

static enum status rewound(struct fixture *f, uint64_t serial, struct kept *kept)
{
    kept->streams[0] = *f->streams[0];
    kept->streams[1] = *f->streams[1];
    return trail_rewind(&f->trail, serial, kept->streams, 2);
}

static void nothing_is_taken_back_behind_the_last_message(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 5);
    assert_int_equal(rewound(f, 1, &k), OK);
    assert_int_equal(k.streams[0].sent, 5);
    assert_int_equal(k.streams[0].heard, 100);
}

static void each_stream_is_taken_back_by_itself(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 5);
    updates(f, 1, 2, 7);
    updates(f, 0, 4, 9);
    happens(f, 1, 6, 31);
    happens(f, 1, 7, 33);
    assert_int_equal(rewound(f, 2, &k), OK);
    assert_int_equal(k.streams[0].sent, 5);
    assert_int_equal(k.streams[1].sent, 7);
    assert_int_equal(k.streams[0].heard, 100);
    assert_int_equal(k.streams[1].heard, 30);
    assert_int_equal(rewound(f, 4, &k), E_NOT_FOUND); /* it was taken back */
}

static void before_the_first_message_is_the_beginning(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    trail_joined(&f->trail, f->streams[0], 3, ANSWER_STATUS);
    trail_joined(&f->trail, f->streams[1], 0, ANSWER_NONE);
    updates(f, 0, 1, 4);
    assert_int_equal(rewound(f, 0, &k), OK);
    assert_int_equal(k.streams[0].sent, 3);
    assert_true(k.streams[0].unanswered);
    assert_false(k.streams[1].unanswered);
}

static void what_came_of_no_stream_is_a_place_too(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 4);
    trail_add(&f->trail, NULL, &(struct mark){.serial = 2, .offset = 99});
    updates(f, 0, 3, 5);
    assert_int_equal(rewound(f, 2, &k), OK);
    assert_int_equal(k.streams[0].sent, 4);
}

static void it_reaches_back_so_far_and_no_further(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    for (uint64_t i = 1; i <= 3 * MAX; i++)
        updates(f, 0, i, 2 * i);
    assert_int_equal(f->trail.count, MAX);
    assert_int_equal(rewound(f, 2 * MAX, &k), E_NOT_FOUND);
    assert_int_equal(rewound(f, 0, &k), E_NOT_FOUND);
    assert_int_equal(rewound(f, UINT64_MAX, &k), E_NOT_FOUND);
    assert_int_equal(rewound(f, 2 * MAX + 1, &k), OK);
    assert_int_equal(k.streams[0].sent, 2 * (2 * MAX + 1));
}

static void updates_that_follow_each_other_are_one_entry(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    for (uint64_t i = 1; i <= 1000; i++)
        updates(f, 0, 50 + i, i);
    assert_int_equal(f->trail.count, 2);
    updates(f, 0, 1051, 1002); /* one was left out */
    updates(f, 1, 1052, 1);    /* another room */
    updates(f, 0, 1054, 1003); /* something else was said between */
    assert_int_equal(f->trail.count, 5);
    static const uint64_t serials[] = {1052, 1051, 1050, 1049, 700, 52, 51};
    static const uint64_t sent[] = {1002, 1002, 1000, 999, 650, 2, 1};
    for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        assert_int_equal(rewound(f, serials[i], &k), OK);
        assert_int_equal(k.streams[0].sent, sent[i]);
        *f->streams[0] = k.streams[0];
        assert_int_equal(rewound(f, serials[i] + 1, &k), E_NOT_FOUND);
    }
    updates(f, 0, 2000, 2); /* and on from there */
    updates(f, 0, 2001, 3);
    assert_int_equal(rewound(f, 51, &k), OK);
    assert_int_equal(k.streams[0].sent, 1);
}

static void a_long_stretch_is_several_entries(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    for (uint64_t i = 1; i <= 3 * 65536; i++)
        updates(f, 0, i, i);
    assert_int_equal(f->trail.count, 4);
    assert_int_equal(rewound(f, 65537, &k), OK);
    assert_int_equal(k.streams[0].sent, 65537);
}

static void a_session_that_came_is_taken_back_and_one_that_went_only_alone(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 4);
    trail_session_gone(&f->trail, f->streams[0]);
    assert_true(f->streams[0]->waits);
    assert_int_equal(rewound(f, 1, &k), OK);
    assert_true(k.streams[0].waits);
    trail_session_came(&f->trail, f->streams[0], 20);
    updates(f, 0, 2, 21);
    assert_int_equal(rewound(f, 1, &k), OK);
    assert_true(k.streams[0].waits);
    updates(f, 0, 3, 5);
    trail_session_gone(&f->trail, f->streams[0]);
    assert_int_equal(rewound(f, 1, &k), E_STATE);
}

static void of_updates_in_one_entry_none_is_taken_back_once_their_session_went(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 1);
    updates(f, 0, 2, 2);
    trail_session_gone(&f->trail, f->streams[0]);
    assert_int_equal(rewound(f, 1, &k), E_STATE);
}

static void what_changed_nothing_is_taken_back_also_when_the_session_went(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 1);
    trail_add(&f->trail, f->streams[0], &(struct mark){.serial = 2});
    trail_session_gone(&f->trail, f->streams[0]);
    assert_int_equal(rewound(f, 1, &k), OK);
    assert_true(k.streams[0].went);
}

static void offsets_that_went_back_are_not_taken_back(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    updates(f, 0, 1, 9);
    trail_renewed(&f->trail, f->streams[0], 5);
    trail_add(&f->trail, f->streams[0], &(struct mark){.serial = 2}); /* its room is told so */
    updates(f, 0, 3, 6);
    assert_int_equal(rewound(f, 2, &k), OK);
    assert_int_equal(k.streams[0].sent, 5);
    assert_int_equal(rewound(f, 1, &k), E_STATE);
}

static void an_event_of_a_room_that_was_left_cannot_be_taken_back(void **state)
{
    struct fixture *f = *state;
    updates(f, 0, 1, 1);
    updates(f, 1, 2, 1);
    assert_int_equal(trail_rewind(&f->trail, 1, f->streams[0], 1), OK);
    happens(f, 1, 3, 8);
    assert_int_equal(trail_rewind(&f->trail, 1, f->streams[0], 1), E_STATE);
}

static void without_memory_it_is_broken(void **state)
{
    struct fixture *f = *state;
    struct kept k;
    struct trail t;
    oom_fail(1);
    trail_init(&t, MAX);
    assert_true(oom_failed());
    assert_int_equal(trail_rewind(&t, 0, NULL, 0), E_STATE);
    trail_fini(&t);
    oom_fail(1);
    assert_null(trail_stream(&f->trail, false));
    assert_true(oom_failed());
    assert_int_equal(rewound(f, 0, &k), E_STATE);
}

int main(void)
{
#define TRAIL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(nothing_is_taken_back_behind_the_last_message),
        TRAIL_TEST(each_stream_is_taken_back_by_itself),
        TRAIL_TEST(before_the_first_message_is_the_beginning),
        TRAIL_TEST(what_came_of_no_stream_is_a_place_too),
        TRAIL_TEST(it_reaches_back_so_far_and_no_further),
        TRAIL_TEST(updates_that_follow_each_other_are_one_entry),
        TRAIL_TEST(a_long_stretch_is_several_entries),
        TRAIL_TEST(a_session_that_came_is_taken_back_and_one_that_went_only_alone),
        TRAIL_TEST(of_updates_in_one_entry_none_is_taken_back_once_their_session_went),
        TRAIL_TEST(what_changed_nothing_is_taken_back_also_when_the_session_went),
        TRAIL_TEST(offsets_that_went_back_are_not_taken_back),
        TRAIL_TEST(an_event_of_a_room_that_was_left_cannot_be_taken_back),
        TRAIL_TEST(without_memory_it_is_broken),
    };
    return cmocka_run_group_tests_name("room/trail", tests, NULL, NULL);
}
