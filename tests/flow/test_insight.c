/* SPDX-License-Identifier: MIT */
/* What watchers are told of the meaning of a run, as it happens. */
#include "streamd/session/insight_json.h"
#include "streamd/session/interpreter.h"
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct world *w = world_create();
    w->config.max_insights = 2;
    world_begin(w);
    *state = w;
    return 0;
}

static void says_loss(struct world *w, const char *id, unsigned step, const char *loss)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\",\"metrics\":{\"step\":%u,"
                   "\"epoch\":%u,\"loss\":%s}}",
                   id, step, step / 10, loss);
    trainer_says(w, line);
}

/* Steps of ten an epoch, each epoch better by that share. */
static void learns(struct world *w, const char *id, unsigned from, unsigned to, double share)
{
    for (unsigned step = from; step <= to; step++) {
        char loss[32];
        (void)snprintf(loss, sizeof(loss), "%.9f", pow(1 - share, step / 10));
        says_loss(w, id, step, loss);
        world_advance(w, 100 * (uint64_t)MS);
    }
}

/* The next event of that name, whatever comes before it; the test ends when there is none. */
static const struct heard *waits_for(struct client *c, const char *event)
{
    while (c->next < c->count) {
        const struct heard *h = &c->inbox[c->next++];
        if (strcmp(h->event, event) == 0)
            return h;
    }
    fail_msg("no %s", event);
    return NULL;
}

static void a_change_of_phase_is_told_to_the_room_and_to_the_star_room(void **state)
{
    struct world *w = *state;
    struct client *own = client_watch(w, SOCKETIO, "run");
    struct client *star = client_watch(w, PLAIN, "*");
    trainer_starts(w, "run");
    learns(w, "run", 1, 60, 0.1);
    for (int i = 0; i < 2; i++) {
        const struct heard *h = waits_for(i ? star : own, "phase_changed");
        assert_true(heard_is(h, "sessionId", "run"));
        assert_true(heard_is(h, "from", "INITIALIZING"));
        while (!heard_is(h, "to", "LEARNING_FAST"))
            h = waits_for(i ? star : own, "phase_changed");
        assert_true(heard_number(h, "step") >= 20);
        assert_true(heard_number(h, "snapshot.loss") > 0);
    }
    assert_int_equal(client_counts(star, "insight"), 0);
}

static void a_verdict_comes_at_most_every_two_seconds(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    learns(w, "run", 1, 40, 0.1);
    struct client *own = client_watch(w, SOCKETIO, "run");
    learns(w, "run", 41, 240, 0.1); /* twenty seconds */
    size_t verdicts = 0;
    uint64_t before = 0;
    for (; own->next < own->count; own->next++) {
        const struct heard *h = &own->inbox[own->next];
        if (strcmp(h->event, "insight") != 0)
            continue;
        assert_true(before == 0 || h->at_us - before >= INSIGHT_EVERY_US);
        assert_true(heard_is(h, "phase", "LEARNING_FAST"));
        before = h->at_us;
        verdicts++;
    }
    assert_in_range(verdicts, 8, 10);
}

/* A plan of a thousand steps, a tenth of a second each: with every verdict as much less is left. */
static void a_verdict_tells_the_time_that_is_left_when_it_is_told(void **state)
{
    struct world *w = *state;
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"config\":{\"total_steps\":1000}}");
    struct client *own = client_watch(w, SOCKETIO, "run");
    learns(w, "run", 1, 300, 0.01);
    double left = 0;
    for (; own->next < own->count; own->next++) {
        const struct heard *h = &own->inbox[own->next];
        if (strcmp(h->event, "insight") == 0)
            left = heard_number(h, "eta.eta_seconds");
    }
    assert_in_range(left, 70, 73); /* the newest verdict is at most two seconds old */
    assert_float_equal(session_assessment(world_session(w, "run"))->eta.s, 70, 0.2);
}

static void a_loss_that_is_no_number_is_an_alert_at_once(void **state)
{
    struct world *w = *state;
    struct client *star = client_watch(w, SSE, "*");
    trainer_starts(w, "run");
    learns(w, "run", 1, 5, 0.1);
    says_loss(w, "run", 6, "NaN");
    const struct heard *phase = waits_for(star, "phase_changed");
    assert_true(heard_is(phase, "to", "DIVERGING"));
    const struct heard *alert = waits_for(star, "alert");
    assert_true(heard_is(alert, "kind", "divergence"));
    assert_true(heard_is(alert, "severity", "critical"));
    says_loss(w, "run", 7, "NaN");
    assert_int_equal(client_counts(star, "alert"), 0);
    assert_int_equal(session_assessment(world_session(w, "run"))->phase, PHASE_DIVERGING);
}

/* So that whoever goes when the run is over has heard how it ended. */
static void the_end_is_told_after_all_that_is_said_of_it(void **state)
{
    struct world *w = *state;
    struct client *own = client_watch(w, SOCKETIO, "run");
    trainer_starts(w, "run");
    learns(w, "run", 1, 30, 0.1);
    trainer_completes(w, "run");
    assert_true(heard_is(waits_for(own, "phase_changed"), "to", "LEARNING_FAST"));
    assert_true(heard_is(waits_for(own, "phase_changed"), "to", "CONVERGED"));
    assert_true(heard_is(waits_for(own, "insight"), "phase", "CONVERGED"));
    (void)waits_for(own, "training_completed");
    assert_int_equal(own->next, own->count);
    trainer_starts(w, "bad");
    struct client *other = client_watch(w, SOCKETIO, "bad");
    learns(w, "bad", 1, 3, 0.1);
    trainer_says(w, "{\"type\":\"fail\",\"sessionId\":\"bad\",\"error\":\"CUDA out of memory\"}");
    const struct heard *h = waits_for(other, "phase_changed");
    assert_true(heard_is(h, "to", "CRASHED"));
    assert_true(strstr(h->data, "CUDA out of memory") != NULL);
    assert_true(heard_is(waits_for(other, "insight"), "phase", "CRASHED"));
    (void)waits_for(other, "training_error");
    assert_int_equal(other->next, other->count);
}

static void who_has_been_silent_longest_makes_room(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "a");
    trainer_starts(w, "b");
    trainer_starts(w, "c");
    learns(w, "a", 1, 2, 0.1);
    learns(w, "b", 1, 2, 0.1);
    learns(w, "a", 3, 4, 0.1);
    learns(w, "c", 1, 2, 0.1);
    assert_null(session_assessment(world_session(w, "c")));
    world_advance(w, INSIGHT_TENURE_US);
    learns(w, "c", 3, 4, 0.1);
    assert_non_null(session_assessment(world_session(w, "a")));
    assert_null(session_assessment(world_session(w, "b")));
    assert_non_null(session_assessment(world_session(w, "c")));
    assert_int_equal(w->app->registry.interpreters.count, 2);
}

static void who_talks_keeps_its_place_until_it_is_over(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "a");
    trainer_starts(w, "b");
    trainer_starts(w, "c");
    for (unsigned step = 1; step <= 20; step++) {
        learns(w, "a", step, step, 0.1);
        learns(w, "b", step, step, 0.1);
        learns(w, "c", step, step, 0.1);
        assert_non_null(world_session(w, "a")->interpreter);
        assert_non_null(world_session(w, "b")->interpreter);
        assert_null(world_session(w, "c")->interpreter);
    }
    assert_false(world_session(w, "b")->interpreter->partial);
    trainer_completes(w, "b");
    learns(w, "c", 21, 22, 0.1);
    assert_non_null(world_session(w, "c")->interpreter);
    assert_null(world_session(w, "b")->interpreter);
}

static void a_run_that_begins_anew_is_judged_anew(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    learns(w, "run", 1, 60, 0.1);
    trainer_starts(w, "run");
    assert_null(session_assessment(world_session(w, "run")));
    learns(w, "run", 1, 2, 0.1);
    assert_int_equal(session_assessment(world_session(w, "run"))->phase, PHASE_INITIALIZING);
}

static void nobody_who_is_behind_is_buried_in_verdicts(void **state)
{
    struct world *w = *state;
    struct client *own = client_watch(w, PLAIN, "run");
    trainer_starts(w, "run");
    learns(w, "run", 1, 60, 0.1);
    client_chokes(own);
    learns(w, "run", 61, 360, 0.001); /* thirty seconds */
    assert_false(client_is_gone(own));
    client_reads_on(own);
    assert_in_range(client_counts(own, "insight"), 1, 9);
}

/* Everything that is known of a run, as the wire has it; the caller frees it. */
static char *verdict_of(struct world *w, const char *id)
{
    const struct session *s = world_session(w, id);
    struct buf text;
    assert_non_null(s->interpreter);
    buf_init(&text, 1 << 16);
    insight_write_interpreter(&text, s->interpreter);
    assert_int_equal(buf_status(&text), OK);
    char *copy = strndup(text.ptr, text.len);
    buf_fini(&text);
    return copy;
}

static void a_restart_changes_nothing_of_what_is_known(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "other");
    trainer_starts(w, "run");
    learns(w, "run", 1, 300, 0.1);
    learns(w, "run", 301, 600, 0.002);
    char *before = verdict_of(w, "run");
    world_crashes(w);
    world_begin(w);
    assert_null(session_assessment(world_session(w, "run")));
    struct client *own = client_watch(w, SOCKETIO, "run");
    learns(w, "run", 601, 601, 0.002);
    assert_true(world_session(w, "run")->interpreter->partial);
    world_advance(w, 2 * (uint64_t)SECOND);
    assert_false(world_session(w, "run")->interpreter->partial);
    assert_int_equal(client_counts(own, "alert"), 0);
    char *after = verdict_of(w, "run");
    assert_non_null(strstr(before, "PLATEAU"));
    assert_non_null(strstr(after, "PLATEAU"));
    const char *phases = strstr(before, "\"phases\":");
    assert_string_equal(strstr(after, "\"phases\":"), phases);
    free(before);
    free(after);
}

static unsigned read_back(struct world *w)
{
    unsigned count = 0;
    LIST_EACH (at, &w->app->registry.interpreters.all)
        count += !LIST_ENTRY(at, struct interpreter, link)->partial;
    return count;
}

static void after_a_restart_some_are_read_back_at_a_time(void **state)
{
    enum { RUNS = INSIGHT_RECALLS_MAX + 6 };
    struct world *w = *state;
    char id[16];
    for (unsigned run = 0; run < 2 * RUNS; run++) {
        if (run == RUNS) {
            world_crashes(w);
            w->config.max_insights = RUNS;
            world_begin(w);
        }
        (void)snprintf(id, sizeof(id), "run%u", run % RUNS);
        trainer_logs(w, id, 1 + run / RUNS);
    }
    world_advance(w, INSIGHT_TICK_US);
    assert_in_range(read_back(w), 1, INSIGHT_RECALLS_MAX);
    world_advance(w, 2 * INSIGHT_TICK_US);
    assert_int_equal(read_back(w), RUNS);
}

static void a_restart_does_not_recall_the_life_before(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    learns(w, "run", 1, 60, 0.1);
    trainer_starts(w, "run"); /* anew, under the same id */
    learns(w, "run", 1, 2, 0.1);
    world_crashes(w);
    world_begin(w);
    learns(w, "run", 3, 3, 0.1);
    world_advance(w, 2 * (uint64_t)SECOND);
    assert_false(world_session(w, "run")->interpreter->partial);
    assert_int_equal(session_assessment(world_session(w, "run"))->phase, PHASE_INITIALIZING);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_of_phase_is_told_to_the_room_and_to_the_star_room),
        TEST(a_verdict_comes_at_most_every_two_seconds),
        TEST(a_verdict_tells_the_time_that_is_left_when_it_is_told),
        TEST(a_loss_that_is_no_number_is_an_alert_at_once),
        TEST(the_end_is_told_after_all_that_is_said_of_it),
        TEST(who_has_been_silent_longest_makes_room),
        TEST(who_talks_keeps_its_place_until_it_is_over),
        TEST(a_run_that_begins_anew_is_judged_anew),
        TEST(nobody_who_is_behind_is_buried_in_verdicts),
        TEST(a_restart_changes_nothing_of_what_is_known),
        TEST(after_a_restart_some_are_read_back_at_a_time),
        TEST(a_restart_does_not_recall_the_life_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
