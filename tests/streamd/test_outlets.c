/* SPDX-License-Identifier: MIT */
/*
 * The same promises of all outlets, over real sockets. Where the kernel gives no io_uring its half
 * is skipped, which the run says.
 */
#include "streamd/transport/outlets.h"

#include "streamd/room/subscriber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 1300, WATCHERS = 400 };

struct fixture {
    struct stats stats;
    struct outlet *outlet;
};

/* A subscriber as far as an outlet knows one, and the two ends of its connection. */
struct watcher {
    struct subscriber subscriber;
    int ours;
    int theirs;
    size_t rest; /* bytes that came back */
    unsigned rests;
    char first; /* of them */
};

static void rest(struct subscriber *s, struct span bytes)
{
    struct watcher *w = LIST_ENTRY(s, struct watcher, subscriber);
    w->rests++;
    w->rest += bytes.len;
    w->first = bytes.ptr[0];
}

static const struct subscriber_ops ops = {.rest = rest};

static void watcher_init(struct watcher *w)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *w = (struct watcher){.subscriber = {.ops = &ops}, .ours = ends[0], .theirs = ends[1]};
}

static void watcher_fini(struct watcher *w)
{
    close(w->ours);
    if (w->theirs >= 0)
        close(w->theirs);
}

static int setup_with(void **state, unsigned senders)
{
    static struct fixture f;
    int error = 0;
    f = (struct fixture){.outlet = NULL};
    f.outlet = outlet_uring_create(&f.stats, senders, &error);
    if (!f.outlet)
        printf("no io_uring here: %s\n", strerror(error));
    *state = &f;
    return 0;
}

static int setup_uring(void **state)
{
    return setup_with(state, 0);
}

static int setup_senders(void **state)
{
    return setup_with(state, 3);
}

static int setup_send(void **state)
{
    static struct fixture f;
    f = (struct fixture){.outlet = outlet_send_create()};
    *state = &f;
    return f.outlet ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->outlet)
        f->outlet->ops->destroy(f->outlet);
    return 0;
}

static struct outlet *outlet_of(void **state)
{
    struct fixture *f = *state;
    if (!f->outlet)
        skip();
    return f->outlet;
}

static void reads(struct watcher *w, const char *text)
{
    char got[64] = "";
    ssize_t n = recv(w->theirs, got, sizeof(got) - 1, MSG_DONTWAIT);
    assert_int_equal(n, strlen(text));
    assert_string_equal(got, text);
}

static void everybody_gets_the_bytes_in_order(void **state)
{
    static struct watcher watchers[WATCHERS];
    struct outlet *o = outlet_of(state);
    struct refbuf *texts[] = {refbuf_create(SPAN("one ")), refbuf_create(SPAN("two ")),
                              refbuf_create(SPAN("three"))};
    for (size_t i = 0; i < WATCHERS; i++)
        watcher_init(&watchers[i]);
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < WATCHERS; i++)
            o->ops->send(o, watchers[i].ours, texts[t], &watchers[i].subscriber);
        refbuf_unref(texts[t]); /* shared until it is sent */
    }
    o->ops->finish(o);
    for (size_t i = 0; i < WATCHERS; i++) {
        reads(&watchers[i], "one two three");
        assert_int_equal(watchers[i].rests, 0);
        watcher_fini(&watchers[i]);
    }
}

static void more_than_a_batch_goes_in_several(void **state)
{
    struct fixture *f = *state;
    struct outlet *o = outlet_of(state);
    struct watcher w;
    watcher_init(&w);
    struct refbuf *text = refbuf_create(SPAN("x"));
    for (unsigned i = 0; i < MANY; i++)
        o->ops->send(o, w.ours, text, &w.subscriber);
    o->ops->finish(o);
    o->ops->finish(o); /* nothing is left to do */
    char got[MANY + 1];
    size_t had = 0;
    for (ssize_t n; (n = recv(w.theirs, got + had, sizeof(got) - had, MSG_DONTWAIT)) > 0;)
        had += (size_t)n;
    /* A Unix socket holds some hundred messages, however small: the others came back. */
    assert_int_equal(had + w.rest, MANY);
    assert_true(f->stats.send_batches == 0 || f->stats.send_batches == 3);
    assert_int_equal(text->refs, 1);
    refbuf_unref(text);
    watcher_fini(&w);
}

static void what_is_not_taken_comes_back_from_where_it_was_cut(void **state)
{
    enum { LARGE = 4 << 20 };
    struct outlet *o = outlet_of(state);
    struct watcher w;
    char *large = malloc(LARGE);
    assert_non_null(large);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i % 251);
    watcher_init(&w);
    struct refbuf *bytes = refbuf_create((struct span){large, LARGE});
    o->ops->send(o, w.ours, bytes, &w.subscriber);
    o->ops->finish(o);
    assert_int_equal(w.rests, 1);
    size_t taken = LARGE - w.rest;
    assert_true(taken > 0 && taken < LARGE);
    assert_int_equal(w.first, large[taken]);
    o->ops->send(o, w.ours, bytes, &w.subscriber); /* full: all of it comes back */
    o->ops->finish(o);
    assert_int_equal(w.rests, 2);
    assert_int_equal(w.rest, LARGE - taken + LARGE);
    refbuf_unref(bytes);
    free(large);
    watcher_fini(&w);
}

static void who_is_gone_gets_nothing_and_stops_nobody(void **state)
{
    struct outlet *o = outlet_of(state);
    struct watcher gone;
    struct watcher here;
    watcher_init(&gone);
    watcher_init(&here);
    close(gone.theirs);
    gone.theirs = -1;
    struct refbuf *text = refbuf_create(SPAN("text"));
    o->ops->send(o, gone.ours, text, &gone.subscriber);
    o->ops->send(o, here.ours, text, &here.subscriber);
    o->ops->finish(o);
    assert_int_equal(gone.rest, 4);
    assert_int_equal(here.rests, 0);
    reads(&here, "text");
    refbuf_unref(text);
    watcher_fini(&gone);
    watcher_fini(&here);
}

/* Tick after tick, while some do not read: whatever a thread sent or not, all of it is accounted
 * for, and in order. */
static void ticks_follow_each_other(void **state)
{
    enum { TICKS = 200, TEXT = 1024 };
    static struct watcher watchers[WATCHERS];
    struct outlet *o = outlet_of(state);
    static char got[TEXT * TICKS];
    for (size_t i = 0; i < WATCHERS; i++)
        watcher_init(&watchers[i]);
    for (unsigned tick = 0; tick < TICKS; tick++) {
        char text[TEXT];
        memset(text, 'a' + (int)(tick % 26), sizeof(text));
        struct refbuf *bytes = refbuf_create((struct span){text, sizeof(text)});
        for (size_t i = 0; i < WATCHERS; i++)
            o->ops->send(o, watchers[i].ours, bytes, &watchers[i].subscriber);
        o->ops->finish(o);
        assert_int_equal(bytes->refs, 1);
        refbuf_unref(bytes);
        for (size_t i = 0; i < WATCHERS && tick % 50 != 49; i += 2)
            assert_int_equal(recv(watchers[i].theirs, got, TEXT, MSG_DONTWAIT), TEXT);
    }
    for (size_t i = 0; i < WATCHERS; i++) {
        size_t had = 0;
        for (ssize_t n; (n = recv(watchers[i].theirs, got, sizeof(got), MSG_DONTWAIT)) > 0;)
            had += (size_t)n;
        size_t read_before = i % 2 == 0 ? (TICKS - TICKS / 50) * TEXT : 0;
        assert_int_equal(read_before + had + watchers[i].rest, TICKS * TEXT);
        watcher_fini(&watchers[i]);
    }
}

int main(void)
{
#define ALL(test)                                                                                  \
    cmocka_unit_test_setup_teardown(test, setup_uring, teardown),                                  \
        cmocka_unit_test_setup_teardown(test, setup_senders, teardown),                            \
        cmocka_unit_test_setup_teardown(test, setup_send, teardown)
    const struct CMUnitTest tests[] = {
        ALL(everybody_gets_the_bytes_in_order),
        ALL(more_than_a_batch_goes_in_several),
        ALL(what_is_not_taken_comes_back_from_where_it_was_cut),
        ALL(who_is_gone_gets_nothing_and_stops_nobody),
        ALL(ticks_follow_each_other),
    };
    return cmocka_run_group_tests_name("streamd/outlets", tests, NULL, NULL);
}
