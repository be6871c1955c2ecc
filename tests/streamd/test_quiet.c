/* SPDX-License-Identifier: MIT */
/*
 * The listeners here hear two ways: what they take in a flush, and what the outlet brings. Both are
 * written down in one text, so that a test reads what the client would.
 */
#include "streamd/room/quiet.h"

#include "streamd/room/outlet.h"
#include "streamd/room/subscriber.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EARS = 64 };

struct ear {
    struct subscriber subscriber;
    int number;
    unsigned flushes;
    unsigned sends;
    size_t takes; /* bytes its socket takes of each send */
    struct buf heard;
};

struct fixture {
    struct outlet outlet;
    struct stats stats;
    struct encoder encoder;
    struct hub hub;
    struct ear ears[EARS];
    int count;
    bool finished;
};

static unsigned below(struct random *r, unsigned limit)
{
    return (unsigned)random_below(r, limit);
}

static void ear_hears(struct ear *e, const char *bytes, size_t len)
{
    buf_add(&e->heard, bytes, len);
    assert_int_equal(buf_status(&e->heard), OK);
}

static void ear_flush(struct subscriber *s)
{
    struct ear *e = LIST_ENTRY(s, struct ear, subscriber);
    struct outbox_entry entry;
    e->flushes++;
    while (subscriber_take(s, &entry)) {
        ear_hears(e, entry.bytes->bytes, entry.bytes->len);
        refbuf_unref(entry.bytes);
    }
    subscriber_hush(s, e->number);
}

static void ear_rest(struct subscriber *s, struct span rest)
{
    subscriber_rouse(s);
    ear_hears(LIST_ENTRY(s, struct ear, subscriber), rest.ptr, rest.len);
}

static const struct subscriber_ops ear_ops = {.flush = ear_flush, .rest = ear_rest};

static void outlet_send(struct outlet *o, int socket, struct refbuf *bytes, struct subscriber *to)
{
    struct fixture *f = LIST_ENTRY(o, struct fixture, outlet);
    struct ear *e = &f->ears[socket];
    size_t n = bytes->len < e->takes ? bytes->len : e->takes;
    assert_ptr_equal(&e->subscriber, to);
    e->sends++;
    ear_hears(e, bytes->bytes, n);
    f->finished = false;
    if (n < bytes->len)
        to->ops->rest(to, (struct span){bytes->bytes + n, bytes->len - n});
}

static void outlet_finish(struct outlet *o)
{
    LIST_ENTRY(o, struct fixture, outlet)->finished = true;
}

static const struct outlet_ops outlet_ops = {.send = outlet_send, .finish = outlet_finish};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    f.outlet.ops = &outlet_ops;
    hub_init(&f.hub, &f.stats, 1 << 20, 1000, 1);
    assert_int_equal(encoder_init(&f.encoder, &f.stats, true), OK);
    hub_set_outlet(&f.hub, &f.outlet, &f.encoder.chain);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < f->count; i++) {
        subscriber_fini(&f->ears[i].subscriber);
        buf_fini(&f->ears[i].heard);
    }
    encoder_fini(&f->encoder);
    hub_fini(&f->hub);
    return 0;
}

static void join(struct ear *e, const char *room)
{
    struct membership *m;
    assert_int_equal(subscriber_join(&e->subscriber, span_of(room), 10, &m), OK);
}

/* One that is in the room, and so far loud. */
static struct ear *listen(struct fixture *f, enum form form, const char *room)
{
    struct ear *e = &f->ears[f->count];
    *e = (struct ear){.number = f->count++, .takes = SIZE_MAX};
    subscriber_init(&e->subscriber, &f->hub, &ear_ops, form);
    buf_init(&e->heard, 1 << 20);
    join(e, room);
    return e;
}

static struct room *room_of(struct fixture *f, const char *name)
{
    return room_find(&f->hub, span_of(name));
}

static void update(struct fixture *f, const char *room, unsigned offset)
{
    struct message m;
    char json[32];
    int n = snprintf(json, sizeof(json), "%u", offset);
    message_init(&m, &f->encoder, "u", (struct span){json, (size_t)n}, offset);
    room_publish_update(room_of(f, room), &m);
    message_fini(&m);
}

static void event(struct fixture *f, const char *room, const char *json)
{
    struct message m;
    message_init(&m, &f->encoder, "e", span_of(json), 0);
    room_publish_event(room_of(f, room), &m);
    message_fini(&m);
}

/* The payloads of the plain frames heard since the last time, end to end. */
static const char *heard(struct ear *e)
{
    static char text[1 << 16];
    size_t at = 0;
    char *end = text;
    while (at < e->heard.len) {
        size_t len = (unsigned char)e->heard.ptr[at + 1];
        assert_true(len < 126);
        const char *data = memmem(e->heard.ptr + at, len + 2, "\"data\":", 7);
        assert_non_null(data);
        data += 7;
        size_t n = (size_t)(e->heard.ptr + at + 2 + len - 1 - data);
        end = mempcpy(end, data, n);
        *end++ = ' ';
        at += 2 + len;
    }
    *end = '\0';
    e->heard.len = 0;
    return text;
}

static void an_update_goes_past_who_is_quiet(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    struct ear *b = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    assert_true(a->subscriber.quiet && b->subscriber.quiet);
    assert_int_equal(room_of(f, "r")->quiet, 2);
    uint64_t sent = f->stats.messages_sent;
    update(f, "r", 2);
    assert_null(a->subscriber.memberships[0].waiting);
    hub_flush(&f->hub);
    assert_int_equal(a->flushes, 1);
    assert_int_equal(a->sends, 1);
    assert_true(f->finished);
    assert_int_equal(f->stats.messages_sent - sent, 2);
    assert_string_equal(heard(a), "1 2 ");
    assert_string_equal(heard(b), "1 2 ");
}

static void the_newest_of_a_wake_up_wins(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    for (unsigned offset = 2; offset <= 5; offset++)
        update(f, "r", offset);
    assert_int_equal(f->stats.messages_superseded, 3);
    hub_flush(&f->hub);
    assert_string_equal(heard(a), "1 5 ");
    hub_flush(&f->hub);
    assert_string_equal(heard(a), "");
}

static void an_event_comes_behind_the_update_that_waits(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    struct ear *late = listen(f, FORM_PLAIN, "r");
    update(f, "r", 2);
    event(f, "r", "\"over\"");
    update(f, "r", 3);
    update(f, "r", 4);
    hub_flush(&f->hub);
    assert_string_equal(heard(a), "1 2 \"over\" 4 ");
    assert_string_equal(heard(late), "2 \"over\" 4 ");
    assert_int_equal(a->flushes, 1);
    assert_int_equal(a->sends, 1);
    assert_true(a->subscriber.quiet && late->subscriber.quiet);
}

static void who_is_roused_has_all_that_waited_in_its_order(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    update(f, "r", 2);
    event(f, "r", "\"over\"");
    update(f, "r", 3);
    subscriber_mark_dirty(&a->subscriber);
    assert_false(a->subscriber.quiet);
    update(f, "r", 4);
    event(f, "r", "\"and out\"");
    hub_flush(&f->hub);
    assert_string_equal(heard(a), "1 2 \"over\" 4 \"and out\" ");
    assert_int_equal(a->sends, 0);
}

static void more_events_than_the_room_holds_are_the_subscribers(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    update(f, "r", 2);
    for (unsigned i = 1; i < VOICE_QUEUE; i++)
        event(f, "r", "0");
    assert_true(a->subscriber.quiet);
    update(f, "r", 3);
    assert_false(a->subscriber.quiet);
    event(f, "r", "0");
    hub_flush(&f->hub);
    assert_string_equal(heard(a), "1 2 0 0 0 3 0 ");
    assert_true(a->subscriber.quiet);
}

static void what_a_socket_does_not_take_is_the_subscribers(void **state)
{
    struct fixture *f = *state;
    struct ear *ears[5];
    for (unsigned i = 0; i < 5; i++)
        ears[i] = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    ears[0]->takes = 0;
    ears[2]->takes = 7;
    ears[4]->takes = 1;
    update(f, "r", 2);
    hub_flush(&f->hub);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ears[i]->sends, 1);
        assert_string_equal(heard(ears[i]), "1 2 ");
        assert_int_equal(ears[i]->subscriber.quiet, i % 2);
    }
    assert_int_equal(room_of(f, "r")->quiet, 2);
}

static void only_who_gets_updates_of_one_room_is_quiet(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    struct ear *all = listen(f, FORM_PLAIN, "r");
    struct ear *poll = listen(f, FORM_PACKET, "r");
    join(all, "*");
    update(f, "r", 1);
    hub_flush(&f->hub);
    assert_true(a->subscriber.quiet && all->subscriber.quiet && !poll->subscriber.quiet);
    update(f, "r", 2);
    join(a, "s"); /* the update that waits is not lost */
    update(f, "s", 7);
    hub_flush(&f->hub);
    const char *words = heard(a);
    assert_true(strlen(words) == 6 && strstr(words, "2 ") && strstr(words, "7 "));
    assert_int_equal(a->flushes, 2); /* one write for both */
    assert_false(a->subscriber.quiet);
    assert_true(subscriber_leave(&a->subscriber, SPAN("s")));
    update(f, "r", 3);
    hub_flush(&f->hub);
    assert_true(a->subscriber.quiet);
    assert_string_equal(heard(a), "3 ");
}

static void who_was_told_ahead_is_loud_until_the_room_is_there(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    struct membership *m = subscriber_find(&a->subscriber, SPAN("r"));
    m->told = 3;
    event(f, "r", "\"hello\"");
    hub_flush(&f->hub);
    assert_false(a->subscriber.quiet);
    for (unsigned offset = 2; offset <= 5; offset++) {
        update(f, "r", offset);
        hub_flush(&f->hub);
    }
    assert_string_equal(heard(a), "\"hello\" 4 5 ");
    assert_true(a->subscriber.quiet);
    room_renew(room_of(f, "r"), 0);
    for (unsigned offset = 1; offset <= 2; offset++) {
        update(f, "r", offset);
        hub_flush(&f->hub);
    }
    assert_string_equal(heard(a), "1 2 ");
}

static void who_goes_leaves_the_others_quiet(void **state)
{
    struct fixture *f = *state;
    struct ear *ears[4];
    for (unsigned i = 0; i < 4; i++)
        ears[i] = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    update(f, "r", 2);
    assert_true(subscriber_leave(&ears[1]->subscriber, SPAN("r")));
    assert_int_equal(room_of(f, "r")->quiet, 3);
    hub_flush(&f->hub);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(heard(ears[i]), i == 1 ? "1 " : "1 2 ");
}

static void without_an_outlet_nobody_is_quiet(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN, "r");
    update(f, "r", 1);
    hub_flush(&f->hub);
    update(f, "r", 2);
    hub_set_outlet(&f->hub, NULL, NULL);
    assert_false(a->subscriber.quiet);
    hub_flush(&f->hub);
    update(f, "r", 3);
    hub_flush(&f->hub);
    assert_string_equal(heard(a), "1 2 3 ");
    assert_int_equal(a->sends, 0);
}

/* A member that was sent this text compressed, as the flush of a peer leaves it. */
static void has_got(struct ear *e, struct chain_past *past)
{
    chain_end_fini(&e->subscriber.chain);
    e->subscriber.chain = (struct chain_end){.past = chain_past_ref(past), .follows = true};
    subscriber_hush(&e->subscriber, e->number);
}

static struct chain_past *some_past(struct refbuf *text)
{
    struct refbuf *shared = refbuf_ref(text);
    struct chain_past *past = chain_past_after(NULL, shared);
    refbuf_unref(shared);
    return past;
}

static void the_deflated_are_quiet_once_they_are_together(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN_DEFLATED, "r");
    struct ear *b = listen(f, FORM_PLAIN_DEFLATED, "r");
    struct ear *c = listen(f, FORM_PLAIN_DEFLATED, "r");
    const struct voice *voice = &room_of(f, "r")->voices[FORM_PLAIN_DEFLATED];
    struct refbuf *text = refbuf_create(SPAN("what two of them were sent"));
    struct chain_past *past = some_past(text);
    struct chain_past *other = some_past(text);
    update(f, "r", 1);
    hub_flush(&f->hub);
    assert_false(a->subscriber.quiet); /* there is nothing to refer to yet */
    has_got(a, past);
    has_got(b, other);
    has_got(c, past);
    assert_true(a->subscriber.quiet && !b->subscriber.quiet && c->subscriber.quiet);
    assert_ptr_equal(voice->past, past);
    event(f, "r", "\"this is long enough to be deflated, and to be worth it, worth it, worth it\"");
    hub_flush(&f->hub);
    assert_true(a->subscriber.quiet);
    assert_int_equal(f->stats.deflates_linked, 1);
    subscriber_rouse(&a->subscriber);
    assert_ptr_equal(a->subscriber.chain.past, voice->past); /* it has had the event */
    assert_ptr_not_equal(voice->past, past);
    assert_int_equal(voice->past->count, 2); /* in front of it what it had before */
    subscriber_rouse(&c->subscriber);
    assert_null(voice->past); /* nobody is left whose it could be */
    chain_past_unref(past);
    chain_past_unref(other);
    refbuf_unref(text);
}

static void who_keeps_no_inflater_is_never_quiet(void **state)
{
    struct fixture *f = *state;
    struct ear *a = listen(f, FORM_PLAIN_DEFLATED, "r");
    event(f, "r", "\"this is long enough to be deflated, and to be worth it, worth it, worth it\"");
    hub_flush(&f->hub);
    subscriber_hush(&a->subscriber, a->number);
    assert_false(a->subscriber.quiet);
}

static void want_of_memory_costs_nobody_the_update(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        void *fixture;
        setup(&fixture);
        struct fixture *f = fixture;
        struct ear *a = listen(f, FORM_PLAIN_DEFLATED, "r");
        update(f, "r", 1);
        hub_flush(&f->hub);
        struct refbuf *text = refbuf_create(SPAN("what it was sent before"));
        struct chain_past *past = some_past(text);
        has_got(a, past);
        chain_past_unref(past);
        refbuf_unref(text);
        assert_true(a->subscriber.quiet);
        update(f, "r", 2);
        size_t before = a->heard.len;
        assert_int_equal(buf_reserve(&a->heard, 1000), OK);
        bool more = oom_sweeps(n);
        if (more)
            hub_flush(&f->hub);
        assert_true(!more || a->heard.len > before);
        (void)oom_failed();
        teardown(&fixture);
        if (!more)
            return;
    }
}

/* Every event in order, and no update after a newer one; the newest in the end. */
static void heard_all(struct ear *e, unsigned events, unsigned newest)
{
    const char *mark = e->subscriber.form == FORM_PLAIN ? "\"data\":" : "\",";
    unsigned next_event = 1;
    unsigned told = 0;
    for (size_t at = 0; at < e->heard.len;) {
        const char *p = e->heard.ptr + at;
        size_t len = (unsigned char)p[1] + 2u;
        const char *data = memmem(p, len, mark, strlen(mark));
        assert_non_null(data);
        data += strlen(mark);
        bool is_event = *data == '"';
        unsigned number = (unsigned)strtoul(data + is_event, NULL, 10);
        assert_true(is_event ? number == next_event : number > told);
        next_event += is_event;
        told = is_event ? told : number;
        at += len;
    }
    assert_int_equal(next_event, events + 1);
    assert_int_equal(told, newest);
}

/* Everything at random; whoever is quiet or not, each hears every event and never an older update
 * after a newer one, and in the end the newest. */
static void nobody_can_tell_who_is_quiet(void **state)
{
    enum { STEPS = 20000, LISTENERS = 30 };
    struct fixture *f = *state;
    struct random r = random_seeded(3);
    unsigned offset = 0;
    unsigned events = 0;
    unsigned quiet = 0;
    for (unsigned i = 0; i < LISTENERS; i++)
        (void)listen(f, i % 2 ? FORM_PLAIN : FORM_SOCKETIO, "r");
    for (unsigned step = 0; step < STEPS; step++) {
        struct ear *e = &f->ears[below(&r, LISTENERS)];
        char json[32];
        switch (below(&r, 12)) {
        case 0:
            (void)snprintf(json, sizeof(json), "\"%u\"", ++events);
            event(f, "r", json);
            break;
        case 1:
            e->takes = below(&r, 2) ? SIZE_MAX : below(&r, 60);
            break;
        case 2:
            join(e, "s");
            break;
        case 3:
            (void)subscriber_leave(&e->subscriber, SPAN("s"));
            break;
        case 4:
            subscriber_mark_dirty(&e->subscriber);
            break;
        case 5:
        case 6:
        case 7:
            hub_flush(&f->hub);
            quiet += room_of(f, "r")->quiet;
            break;
        default:
            update(f, "r", ++offset);
        }
    }
    update(f, "r", ++offset);
    hub_flush(&f->hub);
    assert_true(quiet > STEPS);
    for (unsigned i = 0; i < LISTENERS; i++)
        heard_all(&f->ears[i], events, offset);
}

int main(void)
{
#define QUIET_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        QUIET_TEST(an_update_goes_past_who_is_quiet),
        QUIET_TEST(the_newest_of_a_wake_up_wins),
        QUIET_TEST(an_event_comes_behind_the_update_that_waits),
        QUIET_TEST(who_is_roused_has_all_that_waited_in_its_order),
        QUIET_TEST(more_events_than_the_room_holds_are_the_subscribers),
        QUIET_TEST(what_a_socket_does_not_take_is_the_subscribers),
        QUIET_TEST(only_who_gets_updates_of_one_room_is_quiet),
        QUIET_TEST(who_was_told_ahead_is_loud_until_the_room_is_there),
        QUIET_TEST(who_goes_leaves_the_others_quiet),
        QUIET_TEST(without_an_outlet_nobody_is_quiet),
        QUIET_TEST(the_deflated_are_quiet_once_they_are_together),
        QUIET_TEST(who_keeps_no_inflater_is_never_quiet),
        cmocka_unit_test(want_of_memory_costs_nobody_the_update),
        QUIET_TEST(nobody_can_tell_who_is_quiet),
    };
    return cmocka_run_group_tests_name("streamd/quiet", tests, NULL, NULL);
}
