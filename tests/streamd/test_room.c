/* SPDX-License-Identifier: MIT */
#include "tests/streamd/rooms.h"

#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <stdio.h>
#include <stdlib.h>

static int setup(void **state)
{
    static struct rooms rooms;
    rooms_init(&rooms, 1 << 20, 1000);
    *state = &rooms;
    return 0;
}

static int teardown(void **state)
{
    rooms_fini(*state);
    return 0;
}

static void a_room_lives_while_it_has_members(void **state)
{
    struct rooms *r = *state;
    struct listener a;
    struct listener b;
    listener_init(&a, r);
    listener_init(&b, r);
    assert_null(room_find(&r->hub, SPAN("x")));
    (void)listener_join(&a, "x");
    (void)listener_join(&b, "x");
    struct room *room = room_find(&r->hub, SPAN("x"));
    assert_true(span_is(room_name(room), "x"));
    assert_int_equal(room->count, 2);
    assert_int_equal(r->stats.rooms, 1);
    assert_true(subscriber_leave(&a.subscriber, SPAN("x")));
    assert_ptr_equal(room_find(&r->hub, SPAN("x")), room);
    assert_true(subscriber_leave(&b.subscriber, SPAN("x")));
    assert_null(room_find(&r->hub, SPAN("x")));
    assert_int_equal(r->stats.rooms, 0);
    listener_fini(&a);
    listener_fini(&b);
}

static void a_session_pins_its_room(void **state)
{
    struct rooms *r = *state;
    struct listener a;
    struct session *session = (struct session *)(void *)r; /* a room never looks into it */
    struct room *room = room_enter(&r->hub, SPAN("x"));
    room_set_session(room, session, 0);
    assert_ptr_equal(room_enter(&r->hub, SPAN("x")), room);
    listener_init(&a, r);
    (void)listener_join(&a, "x");
    (void)subscriber_leave(&a.subscriber, SPAN("x"));
    assert_ptr_equal(room_find(&r->hub, SPAN("x")), room);
    (void)listener_join(&a, "x");
    room_set_session(room, NULL, 0);
    assert_ptr_equal(room_find(&r->hub, SPAN("x")), room);
    (void)subscriber_leave(&a.subscriber, SPAN("x"));
    assert_null(room_find(&r->hub, SPAN("x")));
    room = room_enter(&r->hub, SPAN("x"));
    room_set_session(room, session, 0);
    room_set_session(room, NULL, 0);
    assert_null(room_find(&r->hub, SPAN("x")));
    listener_fini(&a);
}

static void a_name_is_bytes_with_a_length(void **state)
{
    struct rooms *r = *state;
    struct listener a;
    listener_init(&a, r);
    (void)listener_join(&a, "ab");
    assert_null(room_find(&r->hub, SPAN("a")));
    assert_null(room_find(&r->hub, SPAN("abc")));
    assert_non_null(room_find(&r->hub, (struct span){"abc", 2}));
    listener_fini(&a);
}

static void who_is_published_to_is_written_to_once_at_the_flush(void **state)
{
    struct rooms *r = *state;
    struct listener a;
    struct listener b;
    listener_init(&a, r);
    listener_init(&b, r);
    (void)listener_join(&a, "x");
    (void)listener_join(&a, "y");
    (void)listener_join(&b, "y");
    publish_update(r, "x", "1", 1);
    publish_update(r, "y", "2", 1);
    publish_event(r, "x", "3", 1);
    assert_int_equal(a.flushes, 0);
    hub_flush(&r->hub);
    assert_int_equal(a.flushes, 1);
    assert_string_equal(listener_heard(&a), "42[\"u\",1]\n42[\"e\",3]\n42[\"u\",2]\n");
    assert_string_equal(listener_heard(&b), "42[\"u\",2]\n");
    hub_flush(&r->hub);
    assert_int_equal(a.flushes, 1);
    listener_fini(&a);
    listener_fini(&b);
}

static void a_flush_ends_though_somebody_stays_dirty(void **state)
{
    struct rooms *r = *state;
    struct listener a;
    listener_init(&a, r);
    a.deaf = true;
    (void)listener_join(&a, "x");
    publish_update(r, "x", "1", 1);
    for (unsigned i = 1; i <= 3; i++) {
        hub_flush(&r->hub);
        assert_int_equal(a.flushes, i);
    }
    a.deaf = false;
    hub_flush(&r->hub);
    assert_string_equal(listener_heard(&a), "42[\"u\",1]\n");
    listener_fini(&a);
}

/* One of a flush that takes another with it. */
struct killer {
    struct subscriber subscriber;
    struct listener *victim;
};

static void kill_victim(struct subscriber *s)
{
    struct killer *k = LIST_ENTRY(s, struct killer, subscriber);
    struct outbox_entry entry;
    while (subscriber_take(s, &entry))
        refbuf_unref(entry.bytes);
    if (k->victim) {
        listener_fini(k->victim);
        free(k->victim);
        k->victim = NULL;
    }
}

static void a_subscriber_may_end_while_others_are_flushed(void **state)
{
    static const struct subscriber_ops ops = {.flush = kill_victim};
    struct rooms *r = *state;
    struct killer k = {.victim = malloc(sizeof(struct listener))};
    struct membership *m;
    subscriber_init(&k.subscriber, &r->hub, &ops, FORM_PACKET);
    assert_int_equal(subscriber_join(&k.subscriber, SPAN("x"), 9, &m), OK);
    listener_init(k.victim, r);
    (void)listener_join(k.victim, "x");
    publish_update(r, "x", "1", 1);
    hub_flush(&r->hub);
    assert_null(k.victim);
    assert_int_equal(room_find(&r->hub, SPAN("x"))->count, 1);
    subscriber_fini(&k.subscriber);
}

static void who_is_in_another_room_can_be_left_out(void **state)
{
    struct rooms *r = *state;
    struct listener a;
    struct listener both;
    struct message m;
    listener_init(&a, r);
    listener_init(&both, r);
    (void)listener_join(&a, "*");
    (void)listener_join(&both, "x");
    (void)listener_join(&both, "*");
    message_init(&m, &r->encoder, "e", SPAN("1"), 0);
    struct room *x = room_find(&r->hub, SPAN("x"));
    room_publish_event(x, &m);
    room_publish_event_unless(room_find(&r->hub, SPAN("*")), &m, x);
    message_fini(&m);
    hub_flush(&r->hub);
    assert_string_equal(listener_heard(&a), "42[\"e\",1]\n");
    assert_string_equal(listener_heard(&both), "42[\"e\",1]\n");
    listener_fini(&a);
    listener_fini(&both);
}

static void places_stay_right_whoever_leaves(void **state)
{
    enum { LISTENERS = 20, ROOMS = 10 };
    struct rooms *r = *state;
    static struct listener all[LISTENERS];
    struct random random = random_seeded(11);
    char name[8];
    for (unsigned i = 0; i < LISTENERS; i++)
        listener_init(&all[i], r);
    for (unsigned round = 0; round < 5000; round++) {
        struct listener *l = &all[random_below(&random, LISTENERS)];
        (void)snprintf(name, sizeof(name), "%u", (unsigned)random_below(&random, ROOMS));
        if (random_below(&random, 2))
            (void)listener_join(l, name);
        else
            (void)subscriber_leave(&l->subscriber, span_of(name));
        for (uint16_t i = 0; i < l->subscriber.count; i++) {
            const struct membership *m = &l->subscriber.memberships[i];
            assert_ptr_equal(m->room->members[m->place].subscriber, &l->subscriber);
            assert_int_equal(m->room->members[m->place].slot, i);
        }
    }
    for (unsigned i = 0; i < LISTENERS; i++)
        listener_fini(&all[i]);
    assert_int_equal(r->stats.rooms, 0);
    assert_int_equal(strmap_count(&r->hub.rooms), 0);
}

static void want_of_memory_leaves_no_half_member(void **state)
{
    (void)state;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct stats stats = {0};
        struct hub hub;
        struct subscriber s[6];
        struct membership *m;
        hub_init(&hub, &stats, 1000, 10, 1);
        for (size_t i = 0; i < 6; i++) {
            subscriber_init(&s[i], &hub, &listener_ops, FORM_PACKET);
            enum status x = subscriber_join(&s[i], SPAN("x"), 9, &m);
            enum status y = subscriber_join(&s[i], SPAN("y"), 9, &m);
            assert_true((x == OK || x == E_NOMEM) && (y == OK || y == E_NOMEM));
            assert_int_equal(s[i].count, (x == OK) + (y == OK));
            assert_int_equal(subscriber_find(&s[i], SPAN("x")) != NULL, x == OK);
        }
        assert_int_equal(stats.rooms, strmap_count(&hub.rooms));
        for (size_t i = 0; i < 6; i++)
            subscriber_fini(&s[i]);
        assert_int_equal(stats.rooms, 0);
        hub_fini(&hub);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_room_lives_while_it_has_members, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_pins_its_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_is_bytes_with_a_length, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_published_to_is_written_to_once_at_the_flush, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_flush_ends_though_somebody_stays_dirty, setup, teardown),
        cmocka_unit_test_setup_teardown(a_subscriber_may_end_while_others_are_flushed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_is_in_another_room_can_be_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(places_stay_right_whoever_leaves, setup, teardown),
        cmocka_unit_test(want_of_memory_leaves_no_half_member),
    };
    return cmocka_run_group_tests_name("streamd/room", tests, NULL, NULL);
}
