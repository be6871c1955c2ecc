/* SPDX-License-Identifier: MIT */
/*
 * The vectors say what single steps answer. The random tests then drive whole sessions the way the
 * daemon does, with a timer that fires late, and hold what comes out against the promises in the
 * header, none of which is computed the way pace.c computes it.
 */
#include "throttle/pace.h"

#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static uint64_t number(const cJSON *object, const char *name)
{
    return (uint64_t)cJSON_GetNumberValue(member(object, name));
}

static void take_step(struct pace *p, const cJSON *step)
{
    const char *what = cJSON_GetStringValue(member(step, "do"));
    uint64_t at_us = number(step, "at");
    if (strcmp(what, "sent") == 0) {
        pace_sent(p, at_us);
        assert_false(pace_waiting(p));
        assert_int_equal(pace_due_us(p), UINT64_MAX);
        return;
    }
    if (strcmp(what, "flush") == 0) {
        assert_int_equal(pace_flush(p, at_us), cJSON_IsTrue(member(step, "answer")));
        return;
    }
    assert_string_equal(what, "offer");
    bool send = strcmp(cJSON_GetStringValue(member(step, "answer")), "send") == 0;
    assert_int_equal(pace_offer(p, at_us), send ? PACE_SEND : PACE_WAIT);
    if (!send)
        assert_int_equal(pace_due_us(p), number(step, "due"));
}

static void every_vector_is_answered_as_written(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/pace.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "cases"))
    {
        struct pace p;
        const cJSON *step;
        pace_init(&p, cJSON_GetNumberValue(member(one, "maxRateHz")));
        cJSON_ArrayForEach(step, member(one, "steps"))
        {
            take_step(&p, step);
        }
        count++;
    }
    assert_true(count >= 10);
    cJSON_Delete(file);
}

/* A session as the daemon runs it: offers come, its timer fires late, sends are checked. */
struct session {
    struct pace pace;
    uint64_t timer_us;   /* when the timer is armed for; UINT64_MAX: it is not */
    uint64_t value;      /* the newest value; they count up */
    uint64_t offered_us; /* when it was offered */
    uint64_t sent_value; /* the last one that went out; 0: none */
    uint64_t sent_us;    /* when */
    uint64_t longest_us; /* the longest a value waited without being replaced */
    uint64_t widest_us;  /* the widest gap between two sends */
    size_t sends;
};

static void session_init(struct session *s, double max_rate_hz)
{
    *s = (struct session){.timer_us = UINT64_MAX};
    pace_init(&s->pace, max_rate_hz);
}

static void longest(uint64_t *so_far_us, uint64_t candidate_us)
{
    if (candidate_us > *so_far_us)
        *so_far_us = candidate_us;
}

static void note_send(struct session *s, uint64_t now_us)
{
    assert_true(s->value > s->sent_value); /* nothing goes twice, nothing old goes late */
    if (s->sends > 0)
        longest(&s->widest_us, now_us - s->sent_us);
    longest(&s->longest_us, now_us - s->offered_us);
    s->sent_value = s->value;
    s->sent_us = now_us;
    s->sends++;
    s->timer_us = UINT64_MAX;
}

static void send_paced(struct session *s, uint64_t now_us)
{
    if (s->sends > 0)
        assert_true(now_us - s->sent_us >= s->pace.interval_us);
    note_send(s, now_us);
    pace_sent(&s->pace, now_us);
}

static void offer(struct session *s, uint64_t now_us)
{
    if (pace_waiting(&s->pace))
        longest(&s->longest_us, now_us - s->offered_us);
    s->value++;
    s->offered_us = now_us;
    if (pace_offer(&s->pace, now_us) == PACE_SEND)
        send_paced(s, now_us);
    else if (s->timer_us == UINT64_MAX)
        s->timer_us = pace_due_us(&s->pace);
}

static void on_timer(struct session *s, uint64_t now_us)
{
    if (pace_due_us(&s->pace) > now_us)
        s->timer_us = pace_due_us(&s->pace);
    else
        send_paced(s, now_us);
}

static void flush(struct session *s, uint64_t now_us)
{
    if (pace_flush(&s->pace, now_us))
        note_send(s, now_us);
    assert_int_equal(s->sent_value, s->value); /* the event overtakes nothing */
    s->timer_us = UINT64_MAX;
}

/* Microseconds until the next offer: floods, steady streams, stutters and silences. */
static uint64_t next_gap(struct random *chance, uint64_t interval_us)
{
    switch (random_below(chance, 5)) {
    case 0:
        return 0;
    case 1:
        return random_below(chance, interval_us / 100 + 1);
    case 2:
        return random_below(chance, interval_us);
    case 3:
        return interval_us + random_below(chance, 3) - 1;
    default:
        return random_below(chance, interval_us * 5);
    }
}

enum { SEQUENCES = 3000, OFFERS = 120 };

static void run_sequence(struct session *s, struct random *chance, uint64_t late_us)
{
    uint64_t offer_us = random_below(chance, 1000000000);
    for (int left = OFFERS; left > 0 || s->timer_us != UINT64_MAX;) {
        uint64_t fires_us = s->timer_us == UINT64_MAX
                                ? UINT64_MAX
                                : s->timer_us + random_below(chance, late_us + 1);
        if (fires_us < s->pace.seen_us)
            fires_us = s->pace.seen_us;
        if (left == 0 || fires_us < offer_us) {
            on_timer(s, fires_us);
            continue;
        }
        if (random_below(chance, 15) == 0)
            flush(s, offer_us);
        else
            offer(s, offer_us);
        offer_us += next_gap(chance, s->pace.interval_us);
        left--;
    }
}

static void the_rate_and_the_latency_hold_and_the_newest_arrives(void **state)
{
    (void)state;
    static const double rates[] = {10, 1, 0.5, 7.3, 60, 1000};
    struct random chance = random_seeded(3);
    for (int i = 0; i < SEQUENCES; i++) {
        struct session s;
        session_init(&s, rates[(size_t)i % (sizeof(rates) / sizeof(rates[0]))]);
        uint64_t late_us = random_below(&chance, 2) ? 0 : random_below(&chance, 30000);
        run_sequence(&s, &chance, late_us);
        assert_int_equal(s.sent_value, s.value);
        assert_false(pace_waiting(&s.pace));
        /* A timer may be late twice: when it looks again and when it sends. */
        assert_true(s.longest_us <= s.pace.interval_us + 2 * late_us);
    }
}

static void no_window_of_a_second_holds_more_than_the_rate(void **state)
{
    (void)state;
    enum { RATE = 10, SECONDS = 60 };
    static uint64_t sends[RATE * SECONDS + 1];
    struct random chance = random_seeded(4);
    struct session s;
    size_t n = 0;
    session_init(&s, RATE);
    for (uint64_t now_us = 777; now_us < SECONDS * UINT64_C(1000000);
         now_us += random_below(&chance, 2000)) {
        size_t before = s.sends;
        if (s.timer_us <= now_us)
            on_timer(&s, now_us);
        offer(&s, now_us);
        if (s.sends > before) {
            assert_int_equal(s.sends, before + 1);
            assert_true(n < RATE * SECONDS + 1);
            sends[n++] = now_us;
        }
    }
    for (size_t i = RATE; i < n; i++)
        assert_true(sends[i] - sends[i - RATE] >= 1000000);
    assert_true(n >= SECONDS * 9);
}

static void a_flood_never_pauses_longer_than_an_interval_and_a_fifth(void **state)
{
    (void)state;
    for (uint64_t start_us = 0; start_us < 102000; start_us += 1777) {
        struct session s;
        session_init(&s, 10);
        for (uint64_t now_us = start_us; now_us < start_us + 3000000; now_us += 1000) {
            if (s.timer_us <= now_us)
                on_timer(&s, now_us);
            offer(&s, now_us);
        }
        assert_true(s.widest_us <= 120000 + 1000);
    }
}

enum { FLEET = 10 };

/* One pass of a loop: offers that have come in, then every timer that is due. */
static size_t pass(struct session *fleet, uint64_t now_us)
{
    size_t sends = 0;
    for (size_t i = 0; i < FLEET; i++) {
        size_t before = fleet[i].sends;
        if (fleet[i].timer_us <= now_us)
            on_timer(&fleet[i], now_us);
        sends += fleet[i].sends - before;
    }
    return sends;
}

static void ten_sessions_meet_on_common_ticks_and_stay_there(void **state)
{
    (void)state;
    struct random chance = random_seeded(5);
    for (int round = 0; round < 50; round++) {
        struct session fleet[FLEET];
        uint64_t next_offer_us[FLEET];
        size_t together = 0;
        for (size_t i = 0; i < FLEET; i++) {
            session_init(&fleet[i], 10);
            next_offer_us[i] = random_below(&chance, 1000000);
        }
        /* The loop wakes every 0-1 ms, so every timer of the daemon is up to 1 ms late. */
        for (uint64_t now_us = 1000000; now_us < 6000000; now_us += random_below(&chance, 1001)) {
            size_t sends = pass(fleet, now_us);
            for (size_t i = 0; i < FLEET; i++) {
                size_t before = fleet[i].sends;
                if (next_offer_us[i] <= now_us) {
                    offer(&fleet[i], now_us);
                    next_offer_us[i] = now_us + 1000;
                }
                if (now_us >= 3000000)
                    assert_int_equal(fleet[i].sends, before); /* none goes outside of a tick */
            }
            if (now_us >= 3000000 && sends > 0) {
                assert_int_equal(sends, FLEET);
                together++;
            }
        }
        assert_in_range(together, 28, 30);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_answered_as_written),
        cmocka_unit_test(the_rate_and_the_latency_hold_and_the_newest_arrives),
        cmocka_unit_test(no_window_of_a_second_holds_more_than_the_rate),
        cmocka_unit_test(a_flood_never_pauses_longer_than_an_interval_and_a_fifth),
        cmocka_unit_test(ten_sessions_meet_on_common_ticks_and_stay_there),
    };
    return cmocka_run_group_tests_name("throttle/pace", tests, NULL, NULL);
}
