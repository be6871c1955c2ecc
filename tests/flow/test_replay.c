/* SPDX-License-Identifier: MIT */
/* Resuming after an offset: docs/protocol.md P-31. Every later entry once, in order, from history
 * and then live, however slowly it is taken and whatever is logged meanwhile. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void logs(struct world *w, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to; step++)
        trainer_logs(w, "run", step);
}

/* Hears all updates in the inbox, each the one after the last. Answers the last offset, which is
 * also the step. */
static unsigned hears_each(struct client *c, unsigned told)
{
    while (c->next < c->count)
        client_hears_step(c, ++told);
    return told;
}

static const struct membership *membership_of(const struct client *c)
{
    return &c->stream->link->peer->subscriber.memberships[0];
}

/* A watcher whose link takes next to nothing from the subscription on. */
static struct client *watch_choked(struct world *w, enum tongue tongue, unsigned since)
{
    struct client *c = NULL;
    if (tongue == SSE) {
        w->window = 100;
        c = client_watch_since(w, SSE, "run", since);
        w->window = SIZE_MAX;
    } else {
        c = client_open(w, tongue);
        client_takes(c, 100);
        client_subscribes_since(c, "run", since);
    }
    return c;
}

static void what_was_missed_comes_before_what_is_live(void **state)
{
    struct world *w = *state;
    logs(w, 1, 500);
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch_since(w, t, "run", 100);
    world_advance(w, SECOND);
    logs(w, 501, 501);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "session_status");
        assert_int_equal(hears_each(c, 100), 501);
    }
}

static void a_replayed_update_is_like_a_live_one(void **state)
{
    struct world *w = *state;
    struct client *live = client_watch(w, SSE, "run");
    logs(w, 1, 1);
    (void)client_hears(live, "training_started");
    const struct heard *said = client_hears(live, "progress_update");
    struct client *late = client_watch_since(w, SSE, "run", 0);
    (void)client_hears(late, "session_status");
    const struct heard *again = client_hears(late, "progress_update");
    assert_string_equal(again->data, said->data);
    assert_int_equal(again->id, 1);
}

static void nothing_missed_is_nothing_repeated(void **state)
{
    struct world *w = *state;
    logs(w, 1, 5);
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch_since(w, t, "run", 5);
        (void)client_hears(c, "session_status");
        client_hears_nothing(c);
    }
    world_advance(w, SECOND);
    logs(w, 6, 6);
    for (size_t i = 0; i < w->client_count; i++)
        assert_int_equal(hears_each(w->clients[i], 5), 6);
}

static bool recovered(const struct heard *status)
{
    bool yes = strstr(status->data, "\"recovered\":true");
    assert_true(yes || strstr(status->data, "\"recovered\":false"));
    return yes;
}

static void an_offset_that_was_never_given_is_answered_with_the_newest(void **state)
{
    struct world *w = *state;
    logs(w, 1, 5);
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch_since(w, t, "run", 77); /* by a daemon before this one */
        assert_false(recovered(client_hears(c, "session_status")));
        client_hears_step(c, 5);
        world_advance(w, SECOND);
        client_hears_nothing(c);
    }
}

static void who_joins_while_an_update_waits_is_not_told_twice(void **state)
{
    struct world *w = *state;
    struct client *early = client_watch(w, PLAIN, "run");
    logs(w, 1, 2); /* the second waits for the pace */
    struct client *late = client_watch(w, PLAIN, "run");
    struct client *resumes = client_watch_since(w, PLAIN, "run", 1);
    (void)client_hears(late, "session_status");
    client_hears_step(late, 2);
    (void)client_hears(resumes, "session_status");
    client_hears_step(resumes, 2);
    world_advance(w, SECOND);
    client_hears_nothing(late);
    client_hears_nothing(resumes);
    (void)client_hears(early, "training_started");
    client_hears_step(early, 1);
    client_hears_step(early, 2);
}

static void who_joins_in_the_wake_up_of_a_line_is_not_told_twice(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, PLAIN);
    world_enter(w);
    logs(w, 1, 1);
    client_subscribes(c, "run");
    logs(w, 2, 2);
    world_leave(w);
    (void)client_hears(c, "session_status");
    client_hears_step(c, 1);
    client_hears_step(c, 2);
    world_advance(w, SECOND);
    client_hears_nothing(c);
}

/* The link takes a little a millisecond; the trainer logs a line a millisecond. */
static void a_slow_reader_misses_nothing_while_new_lines_come(void **state)
{
    static const enum tongue tongues[] = {PLAIN, PLAIN_DEFLATED, SOCKETIO, SSE};
    struct world *w = *state;
    unsigned step = 1000;
    logs(w, 1, step);
    for (size_t i = 0; i < sizeof(tongues) / sizeof(tongues[0]); i++) {
        unsigned since = step - 990;
        w->window = 3000;
        struct client *c = client_watch_since(w, tongues[i], "run", since);
        assert_true(membership_of(c)->replaying);
        while (membership_of(c)->replaying) {
            client_takes(c, 3000);
            assert_true(c->stream->link->peer->subscriber.outbox.count <= 64);
            logs(w, step + 1, step + 1);
            step++;
            world_advance(w, MS);
        }
        unsigned caught_up = (unsigned)membership_of(c)->told;
        assert_true(caught_up > 1000);
        client_reads_on(c);
        (void)client_hears(c, "session_status");
        for (unsigned told = since; told < caught_up; told++)
            client_hears_step(c, told + 1);
        world_advance(w, SECOND);
        if (caught_up < step) /* the rest came live */
            caught_up = (unsigned)heard_number(client_hears(c, "progress_update"), "offset");
        client_hears_nothing(c);
        assert_int_equal(caught_up, step);
    }
}

static void an_event_during_a_replay_comes_in_its_place(void **state)
{
    static const enum tongue tongues[] = {PLAIN, PLAIN_DEFLATED, SOCKETIO, SSE};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(tongues) / sizeof(tongues[0]); i++) {
        unsigned first = 1000 * (unsigned)i;
        trainer_starts(w, "run");
        logs(w, first + 1, first + 500);
        struct client *c = watch_choked(w, tongues[i], first);
        trainer_ends_model(w, "run", 0);
        logs(w, first + 501, first + 1000);
        trainer_completes(w, "run");
        client_reads_on(c);
        (void)client_hears(c, "session_status");
        for (unsigned step = first + 1; step <= first + 500; step++)
            client_hears_step(c, step);
        (void)client_hears(c, "model_completed");
        for (unsigned step = first + 501; step <= first + 1000; step++)
            client_hears_step(c, step);
        (void)client_hears(c, "training_completed");
        client_hears_nothing(c);
        client_leaves(c);
    }
}

static void events_held_back_by_a_replay_count_towards_the_cap(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_outbox_messages = 40;
    world_begin(w);
    logs(w, 1, 500);
    struct client *c = watch_choked(w, PLAIN, 0);
    for (unsigned i = 0; i < 41; i++)
        trainer_starts(w, "run");
    assert_int_equal(w->app->stats.peers_closed_slow, 1);
    client_reads_on(c);
    assert_int_equal(c->close_code, 4008);
    world_destroy(w);
}

static void a_small_outbox_only_makes_the_replay_slower(void **state)
{
    (void)state;
    for (unsigned by_bytes = 0; by_bytes < 2; by_bytes++) {
        struct world *w = world_create();
        if (by_bytes)
            w->config.max_outbox_bytes = 4096;
        else
            w->config.max_outbox_messages = 5;
        world_begin(w);
        logs(w, 1, 500);
        for (enum tongue t = 0; t < TONGUES; t++) {
            struct client *c = client_watch_since(w, t, "run", 0);
            (void)client_hears(c, "session_status");
            assert_int_equal(hears_each(c, 0), 500);
        }
        world_destroy(w);
    }
}

static void unsubscribing_ends_a_replay(void **state)
{
    struct world *w = *state;
    logs(w, 1, 500);
    w->window = 3000;
    struct client *c = client_watch_since(w, PLAIN, "run", 0);
    trainer_ends_model(w, "run", 0);
    client_asks(c, "unsubscribe_session", "{\"sessionId\":\"run\"}");
    client_reads_on(c);
    (void)client_hears(c, "session_status");
    unsigned told = 0;
    while (strcmp(c->inbox[c->next].event, "progress_update") == 0)
        client_hears_step(c, ++told);
    assert_in_range(told, 1, 64);
    (void)client_hears(c, "ack");
    client_hears_nothing(c);
}

static void two_replays_at_once_keep_their_own_order(void **state)
{
    struct world *w = *state;
    unsigned a = 0;
    unsigned b = 0;
    for (unsigned step = 1; step <= 300; step++) {
        trainer_logs(w, "a", step);
        trainer_logs(w, "b", step);
    }
    w->window = 2000;
    struct client *c = client_watch_since(w, PLAIN, "a", 0);
    client_subscribes_since(c, "b", 0);
    client_reads_on(c);
    while (c->next < c->count) {
        const struct heard *h = &c->inbox[c->next++];
        if (strcmp(h->event, "session_status") == 0)
            continue;
        unsigned *told = heard_is(h, "sessionId", "a") ? &a : &b;
        assert_int_equal(heard_number(h, "offset"), *told + 1);
        ++*told;
    }
    assert_int_equal(a, 300);
    assert_int_equal(b, 300);
}

static void what_memory_has_dropped_comes_from_the_archive(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_history_records = 2000;
    w->window = 3000;
    world_begin(w);
    logs(w, 1, 1000);
    struct client *c = client_watch_since(w, PLAIN, "run", 0);
    logs(w, 1001, 8000); /* drops what was to be replayed next */
    client_reads_on(c);
    (void)client_hears(c, "session_status");
    unsigned last = 0;
    while (c->next < c->count)
        assert_int_equal(heard_number(client_hears(c, "progress_update"), "offset"), ++last);
    assert_int_equal(last, 8000);
    world_destroy(w);
}

static void a_run_that_begins_anew_can_be_resumed_before_its_first_record(void **state)
{
    struct world *w = *state;
    logs(w, 1, 10);
    trainer_completes(w, "run");
    trainer_starts(w, "run");
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch_since(w, t, "run", 5);
        assert_true(recovered(client_hears(c, "session_status")));
        assert_int_equal(hears_each(c, 5), 10);
    }
    world_advance(w, SECOND);
    logs(w, 11, 11);
    for (size_t i = 0; i < w->client_count; i++)
        assert_int_equal(hears_each(w->clients[i], 10), 11);
}

static void a_new_session_of_an_old_name_is_heard_from_its_first_record(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_sessions = 1;
    world_begin(w);
    logs(w, 1, 10);
    struct client *c = client_watch(w, PLAIN, "run"); /* has been told offset 10 */
    trainer_completes(w, "run");
    trainer_starts(w, "other"); /* takes its place */
    trainer_completes(w, "other");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 10);
    (void)client_hears(c, "training_completed");
    (void)client_hears(c, "session_cleanup");
    logs(w, 1, 1);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_was_missed_comes_before_what_is_live),
        WORLD_TEST(a_replayed_update_is_like_a_live_one),
        WORLD_TEST(nothing_missed_is_nothing_repeated),
        WORLD_TEST(an_offset_that_was_never_given_is_answered_with_the_newest),
        WORLD_TEST(who_joins_while_an_update_waits_is_not_told_twice),
        WORLD_TEST(who_joins_in_the_wake_up_of_a_line_is_not_told_twice),
        WORLD_TEST(a_slow_reader_misses_nothing_while_new_lines_come),
        WORLD_TEST(an_event_during_a_replay_comes_in_its_place),
        cmocka_unit_test(events_held_back_by_a_replay_count_towards_the_cap),
        cmocka_unit_test(a_small_outbox_only_makes_the_replay_slower),
        WORLD_TEST(unsubscribing_ends_a_replay),
        WORLD_TEST(two_replays_at_once_keep_their_own_order),
        cmocka_unit_test(what_memory_has_dropped_comes_from_the_archive),
        WORLD_TEST(a_run_that_begins_anew_can_be_resumed_before_its_first_record),
        cmocka_unit_test(a_new_session_of_an_old_name_is_heard_from_its_first_record),
    };
    return cmocka_run_group_tests_name("flow/replay", tests, NULL, NULL);
}
