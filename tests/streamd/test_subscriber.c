/* SPDX-License-Identifier: MIT */
#include "tests/streamd/rooms.h"

#include <stdio.h>

enum { MAX_BYTES = 200, MAX_MESSAGES = 5 };

struct fixture {
    struct rooms rooms;
    struct listener l;
};

static int setup(void **state)
{
    static struct fixture f;
    rooms_init(&f.rooms, MAX_BYTES, MAX_MESSAGES);
    listener_init(&f.l, &f.rooms);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    listener_fini(&f->l);
    rooms_fini(&f->rooms);
    return 0;
}

static const char *flushed(struct fixture *f)
{
    hub_flush(&f->rooms.hub);
    return listener_heard(&f->l);
}

static void joining_twice_is_joining_once(void **state)
{
    struct fixture *f = *state;
    struct membership *m = listener_join(&f->l, "x");
    m->told = 9;
    assert_int_equal(listener_join(&f->l, "x")->told, 9);
    assert_int_equal(f->l.subscriber.count, 1);
    assert_true(subscriber_leave(&f->l.subscriber, SPAN("x")));
    assert_false(subscriber_leave(&f->l.subscriber, SPAN("x")));
    assert_int_equal(listener_join(&f->l, "x")->told, 0);
}

static void rooms_are_limited(void **state)
{
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    struct membership *m = NULL;
    char name[8];
    for (unsigned i = 0; i < 7; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(subscriber_join(s, span_of(name), 7, &m), OK);
    }
    assert_int_equal(subscriber_join(s, SPAN("7"), 7, &m), E_LIMIT);
    assert_int_equal(subscriber_join(s, SPAN("3"), 7, &m), OK); /* is in it */
    assert_null(room_find(&f->rooms.hub, SPAN("7")));
    subscriber_leave_all(s);
    assert_int_equal(s->count, 0);
    assert_int_equal(f->rooms.stats.rooms, 0);
}

static void the_newest_update_wins(void **state)
{
    struct fixture *f = *state;
    (void)listener_join(&f->l, "x");
    for (uint64_t i = 1; i <= 3; i++) {
        char json[4];
        (void)snprintf(json, sizeof(json), "%u", (unsigned)i);
        publish_update(&f->rooms, "x", json, i);
    }
    assert_int_equal(f->rooms.stats.messages_superseded, 2);
    assert_true(subscriber_waiting(&f->l.subscriber));
    assert_string_equal(flushed(f), "42[\"u\",3]\n");
    assert_false(subscriber_waiting(&f->l.subscriber));
}

static void an_event_goes_behind_the_update_that_waits_and_before_the_next(void **state)
{
    struct fixture *f = *state;
    (void)listener_join(&f->l, "x");
    (void)listener_join(&f->l, "y");
    publish_update(&f->rooms, "y", "0", 1);
    publish_update(&f->rooms, "x", "1", 1);
    publish_event(&f->rooms, "x", "2", 1);
    publish_update(&f->rooms, "x", "3", 2);
    publish_update(&f->rooms, "x", "4", 3);
    assert_string_equal(flushed(f), "42[\"u\",1]\n42[\"e\",2]\n42[\"u\",4]\n42[\"u\",0]\n");
}

static void an_update_it_was_told_already_is_left_out(void **state)
{
    struct fixture *f = *state;
    listener_join(&f->l, "x")->told = 5;
    publish_update(&f->rooms, "x", "5", 5);
    assert_string_equal(flushed(f), "");
    publish_update(&f->rooms, "x", "6", 6);
    assert_string_equal(flushed(f), "42[\"u\",6]\n");
}

static void leaving_takes_the_waiting_update_along(void **state)
{
    struct fixture *f = *state;
    (void)listener_join(&f->l, "x");
    (void)listener_join(&f->l, "y");
    publish_update(&f->rooms, "x", "1", 1);
    publish_update(&f->rooms, "y", "2", 1);
    (void)subscriber_leave(&f->l.subscriber, SPAN("x"));
    assert_string_equal(flushed(f), "42[\"u\",2]\n");
}

static void updates_are_taken_in_turn(void **state)
{
    struct fixture *f = *state;
    struct outbox_entry e;
    (void)listener_join(&f->l, "a");
    (void)listener_join(&f->l, "b");
    (void)listener_join(&f->l, "c");
    publish_update(&f->rooms, "a", "1", 1);
    publish_update(&f->rooms, "b", "2", 1);
    assert_true(subscriber_take(&f->l.subscriber, &e));
    refbuf_unref(e.bytes);
    publish_update(&f->rooms, "a", "3", 2); /* not before those that waited longer */
    publish_update(&f->rooms, "c", "4", 1);
    assert_string_equal(flushed(f), "42[\"u\",2]\n42[\"u\",4]\n42[\"u\",3]\n");
}

static void the_outbox_takes_so_many_messages(void **state)
{
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    for (unsigned i = 0; i < MAX_MESSAGES; i++) {
        subscriber_push(s, refbuf_create(SPAN("m")), FINISH_TEXT);
        assert_false(s->overflowed);
    }
    subscriber_push(s, refbuf_create(SPAN("m")), FINISH_TEXT);
    assert_true(s->overflowed);
    assert_int_equal(s->outbox.count, MAX_MESSAGES);
    subscriber_push(s, refbuf_create(SPAN("m")), FINISH_TEXT); /* and never again */
    assert_int_equal(s->outbox.count, MAX_MESSAGES);
}

static void the_outbox_takes_so_many_bytes_or_one_message(void **state)
{
    static char large[2 * MAX_BYTES];
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    struct outbox_entry e;
    memset(large, 'x', sizeof(large));
    subscriber_push(s, refbuf_create((struct span){large, sizeof(large)}), FINISH_TEXT);
    assert_false(s->overflowed);
    assert_true(subscriber_take(s, &e));
    refbuf_unref(e.bytes);
    subscriber_push(s, refbuf_create((struct span){large, MAX_BYTES - 1}), FINISH_TEXT);
    subscriber_push(s, refbuf_create(SPAN("1")), FINISH_TEXT);
    assert_false(s->overflowed);
    assert_int_equal(s->outbox.bytes, MAX_BYTES);
    subscriber_push(s, refbuf_create(SPAN("1")), FINISH_TEXT);
    assert_true(s->overflowed);
}

static void what_could_not_be_allocated_overflows(void **state)
{
    struct fixture *f = *state;
    subscriber_push(&f->l.subscriber, NULL, FINISH_TEXT);
    assert_true(f->l.subscriber.overflowed);
    assert_false(list_empty(&f->l.subscriber.dirty)); /* its owner will see it */
}

static void the_outbox_is_a_ring_in_order(void **state)
{
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    unsigned put = 0;
    unsigned got = 0;
    for (unsigned round = 0; round < 50; round++) {
        while (s->outbox.count < 1 + round % MAX_MESSAGES) {
            char text[16];
            int n = snprintf(text, sizeof(text), "%u", put++);
            subscriber_push(s, refbuf_create((struct span){text, (size_t)n}), FINISH_BINARY);
        }
        for (unsigned i = 0; i <= round % 2 && s->outbox.count > 0; i++) {
            struct outbox_entry e;
            char text[16];
            (void)snprintf(text, sizeof(text), "%u", got++);
            assert_true(subscriber_take(s, &e));
            assert_int_equal(e.finish, FINISH_BINARY);
            assert_true(span_is(refbuf_span(e.bytes), text));
            refbuf_unref(e.bytes);
        }
    }
    assert_false(s->overflowed);
    assert_true(got > 50);
}

static void another_form_does_not_change_what_waits(void **state)
{
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    struct outbox_entry e;
    (void)listener_join(&f->l, "x");
    publish_update(&f->rooms, "x", "1", 1);
    subscriber_set_form(s, FORM_PLAIN);
    publish_update(&f->rooms, "x", "2", 2);
    assert_true(subscriber_take(s, &e));
    assert_int_equal(e.finish, FINISH_TEXT);
    assert_true(span_is(refbuf_span(e.bytes), "42[\"u\",1]"));
    refbuf_unref(e.bytes);
    assert_true(subscriber_take(s, &e));
    assert_int_equal(e.finish, FINISH_NOTHING);
    assert_int_equal((unsigned char)e.bytes->bytes[0], 0x81);
    refbuf_unref(e.bytes);
    assert_false(subscriber_take(s, &e));
}

static void during_a_replay_updates_are_left_out_and_events_held(void **state)
{
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    struct membership *m = listener_join(&f->l, "x");
    m->replaying = true;
    publish_update(&f->rooms, "x", "9", 9);
    publish_event(&f->rooms, "x", "3", 3);
    publish_event(&f->rooms, "x", "4", 4);
    publish_event(&f->rooms, "x", "44", 4);
    assert_int_equal(s->held, 3);
    assert_string_equal(flushed(f), "");
    assert_true(subscriber_waiting(s));
    subscriber_release(s, m, 3);
    assert_string_equal(flushed(f), "");
    subscriber_release(s, m, 4); /* the update 4 comes next */
    assert_string_equal(flushed(f), "42[\"e\",3]\n");
    subscriber_end_replay(s, m);
    assert_string_equal(flushed(f), "42[\"e\",4]\n42[\"e\",44]\n");
    assert_int_equal(s->held, 0);
    assert_int_equal(s->held_bytes, 0);
    publish_update(&f->rooms, "x", "10", 10);
    publish_event(&f->rooms, "x", "5", 10);
    assert_string_equal(flushed(f), "42[\"u\",10]\n42[\"e\",5]\n");
}

static void held_events_count_towards_the_cap_and_go_with_the_membership(void **state)
{
    struct fixture *f = *state;
    struct subscriber *s = &f->l.subscriber;
    listener_join(&f->l, "x")->replaying = true;
    listener_join(&f->l, "y")->replaying = true;
    for (unsigned i = 0; i < MAX_MESSAGES; i++)
        publish_event(&f->rooms, i % 2 ? "x" : "y", "1", 1);
    assert_false(s->overflowed);
    struct refbuf *more = refbuf_create(SPAN("m"));
    assert_false(subscriber_has_room(s, more));
    (void)subscriber_leave(s, SPAN("y"));
    assert_int_equal(s->held, 2);
    assert_true(subscriber_has_room(s, more));
    refbuf_unref(more);
    subscriber_push(s, refbuf_create(SPAN("m")), FINISH_TEXT);
    subscriber_push(s, refbuf_create(SPAN("m")), FINISH_TEXT);
    subscriber_push(s, refbuf_create(SPAN("m")), FINISH_TEXT);
    assert_false(s->overflowed);
    publish_event(&f->rooms, "x", "1", 1);
    assert_true(s->overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joining_twice_is_joining_once, setup, teardown),
        cmocka_unit_test_setup_teardown(rooms_are_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_update_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_event_goes_behind_the_update_that_waits_and_before_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(an_update_it_was_told_already_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(leaving_takes_the_waiting_update_along, setup, teardown),
        cmocka_unit_test_setup_teardown(updates_are_taken_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(the_outbox_takes_so_many_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(the_outbox_takes_so_many_bytes_or_one_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_could_not_be_allocated_overflows, setup, teardown),
        cmocka_unit_test_setup_teardown(the_outbox_is_a_ring_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(another_form_does_not_change_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(during_a_replay_updates_are_left_out_and_events_held, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            held_events_count_towards_the_cap_and_go_with_the_membership, setup, teardown),
    };
    return cmocka_run_group_tests_name("streamd/subscriber", tests, NULL, NULL);
}
