/* SPDX-License-Identifier: MIT */
/* The disk is in trouble for longer than memory can wait for it: everything goes on live, nothing
 * of it is acknowledged, and afterwards it is all asked for again. */
#include "streamd/session/interpreter.h"
#include "tests/flow/recovering.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEPT = 10, MEMORY_BYTES = 20000, LOST_FROM = 500 };

static int begin(void **state)
{
    struct world *w = world_create();
    w->config.max_unkept_bytes = MEMORY_BYTES;
    w->config.throttle = false;
    world_begin(w);
    *state = w;
    return 0;
}

static void logs_of(struct world *w, const char *id, unsigned from, unsigned to)
{
    char line[160];
    for (unsigned i = from; i <= to; i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"progress\",\"sessionId\":\"%s\",\"seq\":%u,\"metrics\":{"
                       "\"step\":%u,\"loss\":1}}",
                       id, i, i);
        trainer_says(w, line);
        intake_ack(&w->trainer);
        world_advance(w, 20 * MS);
    }
}

static void log_steps(struct world *w, unsigned from, unsigned to)
{
    logs_of(w, "run", from, to);
}

static uint64_t acked(struct world *w)
{
    uint64_t seq = 0;
    struct span rest = buf_span(&w->answers);
    while (rest.ptr) {
        struct span line = span_cut(&rest, '\n');
        const char *at = memmem(line.ptr, line.len, "\"seq\":", 6);
        if (at)
            seq = strtoull(at + 6, NULL, 10);
    }
    return seq;
}

static void breaks(struct world *w)
{
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    log_steps(w, 1, KEPT);
    w->disk.broken = true;
}

/* Ten records are on disk, then nothing is for long enough that the run is lost. */
static struct session *lose(struct world *w)
{
    breaks(w);
    log_steps(w, KEPT + 1, LOST_FROM);
    struct session *s = world_session(w, "run");
    assert_true(s->lost);
    return s;
}

static void mend(struct world *w)
{
    w->disk.broken = false;
    world_advance(w, 2 * SECOND);
}

static void live_delivery_goes_on_and_nothing_is_acknowledged(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    struct session *s = lose(w);
    assert_int_equal(series_newest(s->series), LOST_FROM);
    unsigned last = 0;
    while (c->next < c->count) {
        const struct heard *h = &c->inbox[c->next++];
        if (strcmp(h->event, "progress_update") == 0)
            last = (unsigned)heard_number(h, "offset");
    }
    assert_int_equal(last, LOST_FROM);
    assert_int_equal(session_durable_seq(s), KEPT);
    assert_true(keeper_pending_bytes(w->app->registry.keeping.keeper) < 3 * MEMORY_BYTES);
}

static void a_healed_disk_brings_the_run_back_to_what_is_kept(void **state)
{
    struct world *w = *state;
    struct session *s = lose(w);
    char before[REGISTRY_EPOCH_MAX];
    memcpy(before, w->app->registry.epoch, sizeof(before));
    mend(w);
    uint64_t kept = s->last_seq;
    assert_false(s->lost);
    assert_false(s->resend); /* who has to be told has been told */
    assert_in_range(kept, KEPT, LOST_FROM - 1);
    assert_int_equal(series_newest(s->series), kept);
    assert_int_equal(session_durable_seq(s), kept);
    assert_int_equal(w->app->stats.records_shed, LOST_FROM - kept);
    assert_string_not_equal(w->app->registry.epoch, before);
    assert_false(registry_recovers(&w->app->registry, s, span_of(before), kept + 1));
    assert_true(registry_recovers(&w->app->registry, s, span_of(before), kept));
}

static void what_a_user_did_to_a_lost_run_is_kept(void **state)
{
    struct world *w = *state;
    session_pin(lose(w), true);
    mend(w);
    uint64_t kept = world_session(w, "run")->last_seq;
    world_crashes(w);
    world_begin(w);
    assert_true(world_session(w, "run")->pinned);
    assert_int_equal(world_session(w, "run")->last_seq, kept);
}

static void what_is_sent_again_is_there_once(void **state)
{
    struct world *w = *state;
    struct session *s = lose(w);
    mend(w);
    buf_reset(&w->answers);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    log_steps(w, (unsigned)s->last_seq + 1, LOST_FROM + 5);
    assert_int_equal(series_newest(s->series), LOST_FROM + 5);
    assert_int_equal(session_durable_seq(s), LOST_FROM + 5);
    struct client *c = client_watch_since(w, PLAIN, "run", 0);
    (void)client_hears(c, "session_status");
    for (unsigned i = 1; i <= LOST_FROM + 5; i++) {
        const struct heard *h = client_hears(c, "progress_update");
        assert_int_equal(heard_number(h, "offset"), i);
        assert_int_equal(heard_number(h, "metrics.currentStep"), i);
    }
}

static void what_is_sent_again_is_interpreted_once(void **state)
{
    struct world *w = *state;
    w->app->registry.interpreters.max = 2;
    struct session *s = lose(w);
    mend(w);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    log_steps(w, (unsigned)s->last_seq + 1, LOST_FROM);
    world_advance(w, 2 * SECOND);
    logs_of(w, "other", 1, LOST_FROM);
    const struct assessment *a = session_assessment(s);
    const struct assessment *b = session_assessment(world_session(w, "other"));
    assert_int_equal(a->evaluations, b->evaluations);
    assert_false(s->interpreter->partial);
}

static void what_a_run_means_is_not_read_from_a_disk_that_lacks_the_newest(void **state)
{
    enum { LAST = 20 };
    struct world *w = *state;
    breaks(w);
    log_steps(w, KEPT + 1, LAST);
    w->app->registry.interpreters.max = 2;
    log_steps(w, LAST + 1, LAST + 1);
    world_advance(w, 2 * SECOND);
    struct session *s = world_session(w, "run");
    assert_true(s->interpreter->partial);
    mend(w);
    logs_of(w, "other", 1, LAST + 1);
    const struct assessment *a = session_assessment(s);
    const struct assessment *b = session_assessment(world_session(w, "other"));
    assert_false(s->interpreter->partial);
    assert_int_equal(a->evaluations, b->evaluations);
    assert_true(a->best.step == b->best.step);
}

/* The run goes back to step 5 behind `last`, and is lost then. */
static void expect_summary_after_going_back(struct world *w, unsigned last)
{
    enum { BACK_TO = 5 };
    char text[160];
    struct buf b;
    breaks(w);
    log_steps(w, KEPT + 1, last);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"progress\",\"sessionId\":\"run\",\"seq\":%u,\"metrics\":{"
                   "\"step\":%d,\"loss\":1}}",
                   last + 1, BACK_TO);
    trainer_says(w, text);
    log_steps(w, last + 2, LOST_FROM);
    struct session *s = world_session(w, "run");
    assert_true(s->lost);
    mend(w);
    assert_int_equal(s->rewind_count, 1);
    assert_false(s->summary_stale);
    buf_init(&b, 4096);
    summary_write_json(s->summary, &b);
    buf_add_char(&b, '\0');
    (void)snprintf(text, sizeof(text), "\"count\":%u,",
                   (unsigned)series_newest(s->series) - (last - BACK_TO + 1));
    assert_non_null(strstr(b.ptr, text));
    buf_fini(&b);
}

static void a_summary_that_was_to_be_made_again_still_is(void **state)
{
    expect_summary_after_going_back(*state, 2 * KEPT);
}

static void a_summary_is_not_made_of_what_a_disk_has_that_has_just_failed(void **state)
{
    expect_summary_after_going_back(*state, KEPT);
}

static void what_a_run_means_is_read_again_from_a_disk_that_has_just_failed(void **state)
{
    enum { LAST = 200 };
    struct world *w = *state;
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    log_steps(w, 1, LAST);
    w->app->registry.interpreters.max = 2;
    log_steps(w, LAST + 1, LAST + 1);
    world_advance(w, INSIGHT_TICK_US - 30 * MS);
    w->disk.broken = true;
    log_steps(w, LAST + 2, LAST + 2); /* the tick comes before it is to be on disk */
    struct session *s = world_session(w, "run");
    assert_true(s->interpreter->partial);
    mend(w);
    assert_false(s->interpreter->partial);
    logs_of(w, "other", 1, LAST + 2);
    assert_int_equal(session_assessment(s)->evaluations,
                     session_assessment(world_session(w, "other"))->evaluations);
}

static void a_run_that_ended_meanwhile_runs_again(void **state)
{
    struct world *w = *state;
    struct session *s = lose(w);
    trainer_completes(w, "run");
    mend(w);
    assert_int_equal(s->state, SESSION_RUNNING);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    log_steps(w, (unsigned)s->last_seq + 1, LOST_FROM);
    trainer_completes(w, "run");
    assert_int_equal(s->state, SESSION_COMPLETED);
    assert_int_equal(series_newest(s->series), LOST_FROM);
}

static void who_comes_back_afterwards_goes_on_from_the_new_offsets_only(void **state)
{
    struct world *w = *state;
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    struct client *c = watches(w, SOCKETIO, "run");
    struct client *d = watches(w, SOCKETIO, "run");
    struct session *s = lose(w);
    (void)client_counts(d, "");
    char old[sizeof(d->mark)];
    memcpy(old, d->mark, sizeof(old));
    mend(w);
    (void)client_counts(c, "");
    (void)client_counts(d, "");
    client_leaves(c);
    client_leaves(d);
    memcpy(d->mark, old, sizeof(old));
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_true(came_back(again, c));
    assert_false(came_back(client_comes_back(w, SOCKETIO, d), d));
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    (void)client_counts(again, "");
    unsigned next = (unsigned)s->last_seq + 1;
    log_steps(w, next, next);
    client_hears_step(again, next);
}

static void a_watcher_is_told_that_offsets_went_back(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    struct session *s = lose(w);
    c->next = c->count;
    mend(w);
    const struct heard *h = client_hears(c, "session_status");
    assert_true(heard_is(h, "epoch", w->app->registry.epoch));
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}");
    uint64_t next = s->last_seq + 1;
    log_steps(w, (unsigned)next, (unsigned)next);
    assert_int_equal(heard_number(client_hears(c, "progress_update"), "offset"), next);
}

static void what_was_kept_before_is_acknowledged_when_the_disk_is_well(void **state)
{
    struct world *w = *state;
    struct session *s = lose(w);
    buf_reset(&w->answers);
    mend(w);
    assert_int_equal(acked(w), s->last_seq);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(live_delivery_goes_on_and_nothing_is_acknowledged),
        TEST(a_healed_disk_brings_the_run_back_to_what_is_kept),
        TEST(what_a_user_did_to_a_lost_run_is_kept),
        TEST(what_is_sent_again_is_there_once),
        TEST(what_is_sent_again_is_interpreted_once),
        TEST(what_a_run_means_is_not_read_from_a_disk_that_lacks_the_newest),
        TEST(a_summary_that_was_to_be_made_again_still_is),
        TEST(a_summary_is_not_made_of_what_a_disk_has_that_has_just_failed),
        TEST(what_a_run_means_is_read_again_from_a_disk_that_has_just_failed),
        TEST(a_run_that_ended_meanwhile_runs_again),
        TEST(who_comes_back_afterwards_goes_on_from_the_new_offsets_only),
        TEST(a_watcher_is_told_that_offsets_went_back),
        TEST(what_was_kept_before_is_acknowledged_when_the_disk_is_well),
    };
    return cmocka_run_group_tests_name("flow/shedding", tests, NULL, NULL);
}
