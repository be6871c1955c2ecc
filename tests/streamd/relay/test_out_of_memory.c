/* SPDX-License-Identifier: MIT */
/* Each allocation of a relay fails in turn: whoever said something is told, and nothing leaks. */
#include "streamd/http/later.h"
#include "streamd/relay/posting.h"
#include "streamd/relay/relay.h"
#include "tests/streamd/relay/relay_world.h"
#include "tests/support/oom.h"

/* Its timers stand still: no tunnel's thread is to allocate between. */
static void turns(struct relay_world *w)
{
    for (int i = 0; i < 4; i++)
        ev_run(w->loop, EVRUN_NOWAIT);
}

static void answered(struct later_waiter *waiter, struct reply *reply)
{
    (void)waiter;
    (void)reply;
}

/* 503, or an answer that cannot be rendered; who has to wait gives up. */
static bool is_told_over_http(struct relay_world *w, const struct posting_ask *ask)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    posting_take(w->relay, ask, &reply);
    bool told = reply.status == 503 || buf_status(&reply.body) != OK;
    struct later_waiter waiter = {.answered = answered};
    if (reply.later)
        later_await(&reply, &waiter);
    later_give_up(&waiter);
    reply_fini(&reply);
    return told;
}

/* Says all of it, then looks whether it was told, or hung up on. */
static bool is_told_on_the_socket(struct relay_world *w)
{
    static const char lines[] =
        "{\"type\":\"start\",\"sessionId\":\"run\"}\n"
        "{\"type\":\"progress\",\"seq\":1,\"metrics\":{\"loss\":1}}\n"
        "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}\n"
        "{\"type\":\"progress\",\"sessionId\":\"other\",\"metrics\":{\"loss\":1}}\n"
        "{\"type\":\"start\",\"sessionId\":\"run\"}\n"
        "{\"type\":\"progress\",\"metrics\":{\"loss\":1}}\n";
    char heard[4096];
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    bool taken = caller_create(w->relay, ends[1], 0);
    sends(ends[0], lines, taken ? sizeof(lines) - 1 : 0);
    turns(w);
    ssize_t n = recv(ends[0], heard, sizeof(heard) - 1, MSG_DONTWAIT);
    char byte;
    bool over = n == 0 || recv(ends[0], &byte, 1, MSG_DONTWAIT) == 0;
    bool told = n > 0 && memmem(heard, (size_t)n, "memory", 6);
    (void)close(ends[0]);
    return over || told;
}

static bool is_told(struct relay_world *w)
{
    static const struct posting_ask begins = {
        .kind = POSTING_BEGIN, .id = {"job", 3}, .object = {"{}", 2}, .type = {"data_load", 9}};
    static const struct posting_ask metrics = {
        .kind = POSTING_METRICS, .id = {"job", 3}, .object = {"{\"rows\":3}", 10}};
    static const struct posting_ask waits = {
        .kind = POSTING_METRICS, .id = {"asked", 5}, .object = {"{}", 2}};
    w->relay = relay_create(&w->params);
    if (!w->relay)
        return true;
    bool told = !relay_open(w->relay, w->loop);
    w->relay->reached = false;
    told = is_told_on_the_socket(w) || told;
    told = is_told_over_http(w, &begins) || told;
    told = is_told_over_http(w, &metrics) || told;
    w->relay->reached = true;
    told = is_told_over_http(w, &waits) || told;
    turns(w);
    return told || w->stats.errors > 0;
}

static void never(struct timer *timer, uint64_t now_us)
{
    (void)timer;
    (void)now_us;
}

static void whatever_is_not_taken_is_said(void **state)
{
    struct relay_world *w = *state;
    struct timer place; /* for a deadline, which without memory for it is due at once */
    bool failed = true;
    relay_ends(w);
    timer_init(&place, never);
    assert_int_equal(timers_arm(&w->timers, &place, UINT64_MAX), OK);
    for (size_t n = 1; failed; n++) {
        w->stats = (struct stats){0};
        oom_fail(n);
        bool told = is_told(w);
        failed = oom_failed();
        if (told != failed)
            fail_msg("allocation %zu: failed %d, told %d", n, failed, told);
        if (w->relay)
            relay_ends(w);
        fake_clear_spool(&w->place);
    }
    timers_disarm(&w->timers, &place);
    relay_begins(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(whatever_is_not_taken_is_said),
    };
    return cmocka_run_group_tests_name("streamd/relay/out_of_memory", tests, NULL, NULL);
}
