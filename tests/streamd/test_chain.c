/* SPDX-License-Identifier: MIT */
/*
 * Every client here has an inflater of zlib's own that it keeps from message to message, as a
 * browser does: a message that refers to anything that client has not had does not inflate, or to
 * another text.
 */
#include "streamd/encode/chain.h"

#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

struct fixture {
    struct stats stats;
    struct deflater *deflater;
    struct chain chain;
};

static unsigned below(struct random *r, unsigned limit)
{
    return (unsigned)random_below(r, limit);
}

struct client {
    struct chain_end end;
    z_stream inflater;
    size_t bytes; /* of the frames it was sent */
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.deflater = deflater_create()};
    chain_init(&f.chain, f.deflater, &f.stats);
    *state = &f;
    return f.deflater ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    chain_fini(&f->chain);
    deflater_destroy(f->deflater);
    return 0;
}

static void client_init(struct client *c, bool follows)
{
    *c = (struct client){.end = {.follows = follows}};
    assert_int_equal(inflateInit2(&c->inflater, -15), Z_OK);
}

static void client_fini(struct client *c)
{
    chain_end_fini(&c->end);
    inflateEnd(&c->inflater);
}

static void inflate_all(z_stream *z, const void *bytes, size_t len)
{
    z->next_in = (Bytef *)(uintptr_t)bytes;
    z->avail_in = (uInt)len;
    assert_int_equal(inflate(z, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(z->avail_in, 0);
}

static void client_reads(struct client *c, const struct refbuf *frame, const struct refbuf *text)
{
    static const char tail[] = {0, 0, (char)0xff, (char)0xff};
    static char plain[1 << 18];
    unsigned char length = (unsigned char)frame->bytes[1];
    size_t head = length == 126 ? 4 : length == 127 ? 10 : 2;
    c->bytes += frame->len;
    if (!chain_compressed(frame)) {
        assert_int_equal(frame->len - head, text->len);
        assert_memory_equal(frame->bytes + head, text->bytes, text->len);
        return;
    }
    if (!c->end.follows)
        inflateReset(&c->inflater);
    c->inflater.next_out = (Bytef *)plain;
    c->inflater.avail_out = sizeof(plain);
    inflate_all(&c->inflater, frame->bytes + head, frame->len - head);
    inflate_all(&c->inflater, tail, sizeof(tail));
    assert_int_equal(sizeof(plain) - c->inflater.avail_out, text->len);
    assert_memory_equal(plain, text->bytes, text->len);
}

/* One of several who have the text. */
static void send(struct fixture *f, struct client *c, struct refbuf *text)
{
    struct refbuf *frame = chain_next(&f->chain, &c->end, refbuf_ref(text));
    refbuf_unref(text);
    assert_non_null(frame);
    client_reads(c, frame, text);
    refbuf_unref(frame);
}

/* An update as a run sends them: the same words, other digits. */
static struct refbuf *update(unsigned run, unsigned step, struct random *r)
{
    char text[512];
    int n =
        snprintf(text, sizeof(text),
                 "{\"event\":\"progress_update\",\"data\":{\"sessionId\":\"run-%u\",\"metrics\":"
                 "{\"loss\":1.%04u,\"perplexity\":4.%04u,\"grokProgress\":4%u.%u,"
                 "\"modelParams\":25000000,\"currentStep\":%u,\"totalSteps\":900000,"
                 "\"currentModel\":1,\"totalModels\":3,\"overallProgress\":12.%u,"
                 "\"timestamp\":1795849452.%03u},\"status\":\"running\",\"offset\":%u}}",
                 run, below(r, 10000), below(r, 10000), below(r, 10), below(r, 10), step,
                 below(r, 10), below(r, 1000), step);
    return refbuf_create((struct span){text, (size_t)n});
}

static void a_room_of_any_size_is_deflated_once_a_tick(void **state)
{
    enum { CLIENTS = 50, TICKS = 40 };
    struct fixture *f = *state;
    struct client clients[CLIENTS];
    struct random r = random_seeded(1);
    for (unsigned i = 0; i < CLIENTS; i++)
        client_init(&clients[i], true);
    for (unsigned tick = 0; tick < TICKS; tick++) {
        struct refbuf *text = update(1, tick, &r);
        for (unsigned i = 0; i < CLIENTS; i++)
            send(f, &clients[i], text);
        refbuf_unref(text);
        chain_forget(&f->chain);
    }
    assert_int_equal(f->stats.deflates, TICKS);
    assert_int_equal(f->stats.deflates_linked, TICKS - 1);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_true(clients[i].bytes / TICKS <= 60);
        client_fini(&clients[i]);
    }
}

/* An event stands between the others: with it as the only text to refer to, the update behind it
 * would be a third larger. */
static void an_update_behind_an_event_refers_to_the_update_before_it(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(11);
    size_t bytes[40];
    client_init(&c, true);
    for (unsigned i = 0; i < 40; i++) {
        struct refbuf *text =
            i == 20
                ? refbuf_create(SPAN("{\"event\":\"phase_changed\",\"data\":{\"from\":\"WARMUP\","
                                     "\"to\":\"DESCENT\",\"evidence\":\"0.24 nats in 9 s\"}}"))
                : update(1, i, &r);
        bytes[i] = c.bytes;
        send(f, &c, text);
        bytes[i] = c.bytes - bytes[i];
        refbuf_unref(text);
        chain_forget(&f->chain);
    }
    for (unsigned i = 2; i < 40; i++)
        assert_true(i == 20 || bytes[i] <= 60);
    client_fini(&c);
}

static void who_comes_later_is_with_the_others_after_a_few_messages(void **state)
{
    struct fixture *f = *state;
    struct client old;
    struct client new;
    struct random r = random_seeded(2);
    client_init(&old, true);
    client_init(&new, true);
    for (unsigned i = 0; i < 30; i++) {
        struct refbuf *text = update(1, i, &r);
        uint64_t before = f->stats.deflates;
        send(f, &old, text);
        if (i >= 10)
            send(f, &new, text);
        bool together = i < 10 || i >= 10 + CHAIN_PAST_TEXTS;
        assert_int_equal(f->stats.deflates - before, together ? 1 : 2);
        refbuf_unref(text);
        chain_forget(&f->chain);
    }
    client_fini(&old);
    client_fini(&new);
}

static void who_keeps_no_inflater_gets_what_refers_to_nothing(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(3);
    client_init(&c, false);
    for (unsigned i = 0; i < 5; i++) {
        struct refbuf *text = update(1, i, &r);
        send(f, &c, text);
        assert_null(c.end.past);
        refbuf_unref(text);
    }
    assert_int_equal(f->stats.deflates, 5);
    assert_int_equal(f->stats.deflates_linked, 0);
    client_fini(&c);
}

static const struct refbuf *newest_of(const struct client *c)
{
    return c->end.past->texts[c->end.past->count - 1];
}

static void what_is_not_compressed_leaves_the_end_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(4);
    char noise[256];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 167 + 13); /* each byte value once */
    struct refbuf *texts[] = {update(1, 1, &r), refbuf_create(SPAN("too short to be worth it")),
                              refbuf_create((struct span){noise, sizeof(noise)}), update(1, 2, &r)};
    client_init(&c, true);
    for (unsigned i = 0; i < 4; i++) {
        send(f, &c, texts[i]);
        assert_int_equal(c.end.past->count, i < 3 ? 1 : 2);
        assert_ptr_equal(newest_of(&c), i < 3 ? texts[0] : texts[3]);
    }
    assert_int_equal(f->stats.deflates, 2);
    for (unsigned i = 0; i < 4; i++)
        refbuf_unref(texts[i]);
    client_fini(&c);
}

static void what_only_one_has_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(9);
    client_init(&c, true);
    for (unsigned i = 0; i < 2; i++) {
        struct refbuf *text = update(1, i, &r);
        struct refbuf *frame = chain_next(&f->chain, &c.end, text);
        client_reads(&c, frame, text);
        refbuf_unref(frame);
        refbuf_unref(text);
        assert_int_equal(f->chain.used, 0);
    }
    assert_int_equal(f->stats.deflates_linked, 1);
    assert_int_equal(c.end.past->count, 1);
    client_fini(&c);
}

static void who_rests_holds_nothing_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(10);
    client_init(&c, true);
    struct refbuf *text = update(1, 1, &r);
    send(f, &c, text);
    chain_rest(&c.end);
    assert_ptr_equal(newest_of(&c), text); /* others have it */
    refbuf_unref(text);
    chain_forget(&f->chain);
    chain_rest(&c.end);
    assert_null(c.end.past);
    text = update(1, 2, &r);
    send(f, &c, text);
    assert_int_equal(f->stats.deflates_linked, 0);
    refbuf_unref(text);
    client_fini(&c);
}

static void a_large_message_is_compressed_and_not_held(void **state)
{
    static char large[200000];
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(5);
    client_init(&c, true);
    memset(large, 'x', sizeof(large));
    struct refbuf *before = update(1, 1, &r);
    struct refbuf *text = refbuf_create((struct span){large, sizeof(large)});
    struct refbuf *after = update(1, 2, &r);
    send(f, &c, before);
    send(f, &c, text);
    assert_true(c.bytes < 1000);
    assert_null(c.end.past);
    send(f, &c, after);
    refbuf_unref(before);
    refbuf_unref(text);
    refbuf_unref(after);
    client_fini(&c);
}

static void no_more_is_held_than_a_past_may_have(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(12);
    client_init(&c, true);
    for (unsigned i = 0; i < 200; i++) {
        char words[CHAIN_PAST_BYTES];
        size_t bytes = 100 + below(&r, sizeof(words) - 100);
        for (size_t at = 0; at < bytes; at++)
            words[at] = (char)('a' + below(&r, 4));
        struct refbuf *text = refbuf_create((struct span){words, bytes});
        send(f, &c, text);
        size_t held = 0;
        for (unsigned k = 0; k < c.end.past->count; k++)
            held += c.end.past->texts[k]->len;
        assert_true(held <= CHAIN_PAST_BYTES);
        assert_ptr_equal(newest_of(&c), text);
        refbuf_unref(text);
        chain_forget(&f->chain);
    }
    client_fini(&c);
}

static void of_one_text_only_so_many_pairs_are_deflated(void **state)
{
    enum { CLIENTS = 20 };
    struct fixture *f = *state;
    struct client clients[CLIENTS];
    struct random r = random_seeded(6);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct refbuf *text = update(i, i, &r);
        client_init(&clients[i], true);
        send(f, &clients[i], text); /* all are somewhere else */
        refbuf_unref(text);
    }
    uint64_t before = f->stats.deflates;
    struct refbuf *text = update(99, 99, &r);
    for (unsigned i = 0; i < CLIENTS; i++)
        send(f, &clients[i], text);
    assert_int_equal(f->stats.deflates - before, CHAIN_LINKS + 1);
    refbuf_unref(text);
    unsigned alone = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        alone += clients[i].end.past->count == 1; /* all at the same one */
    assert_int_equal(alone, CLIENTS - CHAIN_LINKS);
    assert_ptr_equal(clients[CLIENTS - 1].end.past, clients[CHAIN_LINKS].end.past);
    for (unsigned i = 0; i < CLIENTS; i++)
        client_fini(&clients[i]);
}

/* Rooms with members that join, leave, miss ticks, get messages of their own and ones that are not
 * compressed: whatever happens, each client reads what it was sent. */
static void more_messages_than_a_wake_up_remembers_are_only_made_again(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct random r = random_seeded(7);
    client_init(&c, true);
    struct refbuf *first = update(1, 0, &r);
    send(f, &c, first);
    for (unsigned step = 1; step <= CHAIN_SLOTS; step++) {
        struct refbuf *text = update(1, step, &r);
        send(f, &c, text);
        refbuf_unref(text);
    }
    assert_true(f->chain.used < CHAIN_SLOTS);
    uint64_t before = f->stats.deflates;
    send(f, &c, first);
    assert_int_equal(f->stats.deflates, before + 1);
    refbuf_unref(first);
    client_fini(&c);
}

static void everything_inflates_however_they_come_and_go(void **state)
{
    enum { CLIENTS = 40, ROOMS = 3, TICKS = 2000 };
    struct fixture *f = *state;
    struct client clients[CLIENTS];
    unsigned in[CLIENTS];
    struct random r = random_seeded(7);
    size_t sent = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        client_init(&clients[i], i % 8 != 0);
        in[i] = 1 + below(&r, (1 << ROOMS) - 1);
    }
    for (unsigned tick = 0; tick < TICKS; tick++) {
        struct refbuf *texts[ROOMS];
        for (unsigned room = 0; room < ROOMS; room++)
            texts[room] = update(room, tick, &r);
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (below(&r, 200) == 0) { /* it goes, and comes back as somebody else */
                bool follows = clients[i].end.follows;
                client_fini(&clients[i]);
                client_init(&clients[i], follows);
            }
            if (below(&r, 50) == 0)
                in[i] = below(&r, 1 << ROOMS);
            if (below(&r, 20) == 0) {
                struct refbuf *own = below(&r, 2) ? refbuf_create(SPAN("{\"ack\":1}"))
                                                  : update(below(&r, 9), tick, &r);
                send(f, &clients[i], own);
                refbuf_unref(own);
            }
            for (unsigned room = 0; room < ROOMS; room++) {
                if (!(in[i] & 1u << room) || below(&r, 30) == 0)
                    continue; /* choked: the newest wins */
                send(f, &clients[i], texts[room]);
                sent++;
            }
        }
        for (unsigned room = 0; room < ROOMS; room++)
            refbuf_unref(texts[room]);
        if (tick % 3 > 0)
            chain_forget(&f->chain);
    }
    assert_true(sent > TICKS * CLIENTS);
    assert_true(f->stats.deflates_linked > f->stats.deflates / 2);
    for (unsigned i = 0; i < CLIENTS; i++)
        client_fini(&clients[i]);
}

static void want_of_memory_sends_nothing_and_moves_nothing(void **state)
{
    (void)state;
    struct random r = random_seeded(8);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct stats stats = {0};
        struct chain chain;
        struct chain_end end = {.follows = true};
        struct deflater *deflater = deflater_create();
        struct refbuf *first = update(1, 1, &r);
        struct refbuf *second = update(1, 2, &r);
        if (deflater && first && second) {
            chain_init(&chain, deflater, &stats);
            struct refbuf *frame = chain_next(&chain, &end, first);
            assert_true(!end.past || (frame && end.past->texts[0] == first));
            refbuf_unref(frame);
            const struct chain_past *had = end.past;
            frame = chain_next(&chain, &end, second);
            assert_true(frame ? !end.past || end.past->texts[end.past->count - 1] == second
                              : end.past == had);
            refbuf_unref(frame);
            chain_end_fini(&end);
            chain_fini(&chain);
        }
        refbuf_unref(first);
        refbuf_unref(second);
        deflater_destroy(deflater);
    }
}

int main(void)
{
#define CHAIN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CHAIN_TEST(a_room_of_any_size_is_deflated_once_a_tick),
        CHAIN_TEST(an_update_behind_an_event_refers_to_the_update_before_it),
        CHAIN_TEST(who_comes_later_is_with_the_others_after_a_few_messages),
        CHAIN_TEST(who_keeps_no_inflater_gets_what_refers_to_nothing),
        CHAIN_TEST(what_is_not_compressed_leaves_the_end_as_it_is),
        CHAIN_TEST(what_only_one_has_is_not_kept),
        CHAIN_TEST(who_rests_holds_nothing_of_its_own),
        CHAIN_TEST(a_large_message_is_compressed_and_not_held),
        CHAIN_TEST(no_more_is_held_than_a_past_may_have),
        CHAIN_TEST(of_one_text_only_so_many_pairs_are_deflated),
        CHAIN_TEST(more_messages_than_a_wake_up_remembers_are_only_made_again),
        CHAIN_TEST(everything_inflates_however_they_come_and_go),
        cmocka_unit_test(want_of_memory_sends_nothing_and_moves_nothing),
    };
    return cmocka_run_group_tests_name("streamd/chain", tests, NULL, NULL);
}
