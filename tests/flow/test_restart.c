/* SPDX-License-Identifier: MIT */
/* The process ends, in good order or not, and another one takes over what it had. */
#include "tests/flow/client.h"
#include "tests/flow/invariants.h"
#include "tests/flow/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void restarts(struct world *w, bool in_good_order)
{
    if (in_good_order)
        world_ends(w);
    else
        world_crashes(w);
    world_begin(w);
    world_holds(w);
}

/* The epoch, which a crash changes, is left out. */
static void write_status(struct session *s, struct buf *out)
{
    size_t from = out->len;
    session_write_status(s, out, true);
    buf_add_char(out, '\0');
    out->len--;
    char *epoch = strstr(out->ptr + from, "\"epoch\":\"");
    assert_non_null(epoch);
    memset(epoch + 9, '-', REGISTRY_EPOCH_MAX - 1);
}

static void describe(struct world *w, struct session *s, struct buf *out)
{
    if (s->state != SESSION_EXPIRED)
        write_status(s, out);
    else
        buf_add_span(out, session_id(s));
    buf_addf(out, "\n%s key=%llu seq=%llu/%llu offset=%llu/%llu axis=%llu step=%g model=%g sent=%x",
             session_state_name(s->state), (unsigned long long)s->key,
             (unsigned long long)s->last_seq, (unsigned long long)s->durable_seq,
             (unsigned long long)s->newest_offset, (unsigned long long)series_newest(s->series),
             (unsigned long long)s->axis.x, s->axis.step, s->axis.model, s->sent);
    buf_addf(out, " quiet=%llu since_start=%llu pinned=%d resumed=%d may_rewind=%d\n",
             (unsigned long long)(w->now.us - s->last_us),
             (unsigned long long)(w->now.us - s->start_us), s->pinned, s->resumed, s->may_rewind);
    for (size_t i = 0; i < s->rewind_count; i++)
        buf_addf(out, "rewind %llu %g %g\n", (unsigned long long)s->rewinds[i].offset,
                 s->rewinds[i].step, s->rewinds[i].model);
    summary_write_json(s->summary, out);
    buf_add_char(out, '\n');
}

/* All that the registry has, in its order. */
static char *description(struct world *w)
{
    struct registry *r = &w->app->registry;
    struct buf out;
    buf_init(&out, 1 << 22);
    LIST_EACH (at, &r->sessions)
        describe(w, LIST_ENTRY(at, struct session, link), &out);
    buf_addf(&out, "live=%llu finished:", (unsigned long long)w->app->stats.sessions_live);
    LIST_EACH (at, &r->finished)
        buf_addf(&out, " %s", LIST_ENTRY(at, struct session, aging)->id);
    buf_add_str(&out, " expired:");
    LIST_EACH (at, &r->expired)
        buf_addf(&out, " %s", LIST_ENTRY(at, struct session, aging)->id);
    buf_add_char(&out, '\0');
    assert_int_equal(buf_status(&out), OK);
    return out.ptr;
}

/* One session of every kind. */
static void populate(struct world *w)
{
    static const char *const lines[] = {
        "{\"type\":\"start\",\"sessionId\":\"expired\",\"name\":\"long ago\"}",
        "{\"type\":\"progress\",\"sessionId\":\"expired\",\"seq\":9,\"metrics\":{\"step\":1}}",
        "{\"type\":\"complete\",\"sessionId\":\"expired\"}",
        NULL, /* hours pass */
        "{\"type\":\"start\",\"sessionId\":\"starting\",\"config\":{\"model_count\":5,\"deep\":"
        "{\"x\":[1,2]}},\"project\":\"p\",\"name\":\"n \\u00e9\"}",
        "{\"type\":\"start\",\"sessionId\":\"running\",\"config\":{\"total_steps\":40}}",
        "{\"type\":\"progress\",\"sessionId\":\"running\",\"seq\":1,\"metrics\":{\"step\":1,"
        "\"loss\":2.5,\"lr\":1e-5,\"acc\":0.5}}",
        "{\"type\":\"progress\",\"sessionId\":\"running\",\"seq\":2,\"metrics\":{\"step\":9,"
        "\"loss\":NaN,\"acc\":0.75}}",
        "{\"type\":\"model_completed\",\"sessionId\":\"running\",\"seq\":3,\"modelIndex\":0}",
        "{\"type\":\"progress\",\"sessionId\":\"running\",\"seq\":4,\"metrics\":{\"step\":3,"
        "\"loss\":1.25,\"modelIndex\":1}}",
        "{\"type\":\"progress\",\"sessionId\":\"running\",\"seq\":5,\"metrics\":{\"acc\":0.8}}",
        "{\"type\":\"start\",\"sessionId\":\"running\",\"resume\":true}",
        "{\"type\":\"progress\",\"sessionId\":\"running\",\"seq\":6,\"metrics\":{\"step\":2,"
        "\"acc\":0.7}}",
        "{\"type\":\"start\",\"sessionId\":\"again\"}",
        "{\"type\":\"progress\",\"sessionId\":\"again\",\"metrics\":{\"step\":7}}",
        "{\"type\":\"start\",\"sessionId\":\"again\"}",
        "{\"type\":\"progress\",\"sessionId\":\"failed\",\"metrics\":{\"step\":7}}",
        "{\"type\":\"fail\",\"sessionId\":\"failed\",\"error\":\"out of \\\"memory\\\"\"}",
        "{\"type\":\"progress\",\"sessionId\":\"done\",\"metrics\":{\"step\":7}}",
        "{\"type\":\"complete\",\"sessionId\":\"done\"}",
        "{\"type\":\"start\",\"sessionId\":\"done\",\"resume\":true}",
        "{\"type\":\"complete\",\"sessionId\":\"starting\"}",
        "{\"type\":\"start\",\"sessionId\":\"fresh\"}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (lines[i])
            trainer_says(w, lines[i]);
        world_advance(w, lines[i] ? 1234567 : 2 * 3600 * (uint64_t)SECOND);
    }
    world_enter(w);
    session_pin(world_session(w, "failed"), true);
    world_leave(w);
    trainer_logs(w, "last", 1);
}

static void every_session_is_as_it_was(void **state)
{
    struct world *w = *state;
    populate(w);
    assert_int_equal(world_session(w, "expired")->state, SESSION_EXPIRED);
    char *before = description(w);
    for (unsigned i = 0; i < 4; i++) {
        restarts(w, i % 2);
        char *after = description(w);
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
}

static void a_new_boot_and_a_wrong_wall_clock_change_nothing(void **state)
{
    struct world *w = *state;
    populate(w);
    char *before = description(w);
    world_ends(w);
    w->now = (struct now){.us = 3 * SECOND, .wall_s = 4070908800};
    world_begin(w);
    char *after = description(w);
    assert_string_equal(after, before);
    world_advance(w, 600 * (uint64_t)SECOND);
    assert_int_equal(world_session(w, "done")->state, SESSION_COMPLETED);
    assert_int_equal(world_session(w, "running")->state, SESSION_RUNNING);
    free(before);
    free(after);
}

static void offsets_seqs_and_what_records_carry_over_go_on(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 6; i++) {
        char line[160];
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"progress\",\"sessionId\":\"a\",\"seq\":%u,\"metrics\":"
                       "{\"step\":%u%s}}",
                       i + 1, i,
                       i == 0 ? ",\"loss\":0.25,\"total_steps\":50,\"modelParams\":77" : "");
        trainer_says(w, line);
        trainer_says(w, line); /* a repeat */
        struct session *s = world_session(w, "a");
        struct series_cursor c;
        struct series_entry e;
        for (unsigned life = 0; life < 2; life++) {
            s = world_session(w, "a");
            assert_true(session_latest(s, &c, &e));
            assert_int_equal(e.offset, i + 1);
            assert_int_equal(s->last_seq, i + 1);
            assert_true(num_double(e.record.field[F_CURRENT_STEP]) == i);
            assert_true(num_double(e.record.field[F_TOTAL_STEPS]) == 50);
            assert_true(num_double(e.record.field[F_MODEL_PARAMS]) == 77);
            assert_true(num_double(e.record.field[F_LOSS]) == 0.25);
            series_cursor_fini(&c);
            restarts(w, i % 2);
        }
    }
}

/* Trainers do not know that anything happened. */
static void running_trainers_go_on_by_themselves(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "a");
    trainer_logs(w, "a", 1);
    restarts(w, true);
    struct client *c = client_watch(w, PLAIN, "a");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 1);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    client_hears_nothing(c); /* it had never stopped */
    trainer_logs(w, "a", 2);
    client_hears_step(c, 2);
    trainer_completes(w, "a");
    (void)client_hears(c, "training_completed");
}

static void an_end_that_was_told_stays_the_end(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "a", 1);
    trainer_completes(w, "a");
    restarts(w, false);
    trainer_completes(w, "a"); /* sent again by a trainer that heard nothing */
    assert_int_equal(w->app->stats.lines_repeated, 1);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    assert_int_equal(world_session(w, "a")->state, SESSION_COMPLETED);
    restarts(w, true);
    trainer_logs(w, "a", 2); /* it may, since it came back */
    assert_int_equal(world_session(w, "a")->state, SESSION_RUNNING);
}

static void subscribes_since(struct client *c, const char *id, uint64_t since, const char *epoch)
{
    char json[160];
    (void)snprintf(json, sizeof(json), "{\"sessionId\":\"%s\",\"since\":%llu,\"epoch\":\"%s\"}", id,
                   (unsigned long long)since, epoch);
    client_says(c, "subscribe_session", json);
}

static bool recovers(struct client *c)
{
    const struct heard *status = client_hears(c, "session_status");
    if (strstr(status->data, "\"recovered\":true"))
        return true;
    assert_non_null(strstr(status->data, "\"recovered\":false"));
    return false;
}

static void watchers_come_back_with_neither_gap_nor_repeat(void **state)
{
    static const struct {
        bool in_good_order;
        uint64_t since;
        bool recovers;
    } cases[] = {
        {true, 0, true},  {true, 4, true},   {true, 10, true},  {false, 0, true},
        {false, 4, true}, {false, 10, true}, {true, 11, false}, {false, 11, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (enum tongue tongue = PLAIN; tongue < SSE; tongue++) {
            struct world *w = world_create();
            char epoch[REGISTRY_EPOCH_MAX];
            world_begin(w);
            for (unsigned step = 1; step <= 10; step++)
                trainer_logs(w, "a", step);
            memcpy(epoch, w->app->registry.epoch, sizeof(epoch));
            restarts(w, cases[i].in_good_order);
            struct client *c = client_open(w, tongue);
            subscribes_since(c, "a", cases[i].since, epoch);
            assert_int_equal(recovers(c), cases[i].recovers);
            for (uint64_t step = cases[i].since + 1; cases[i].recovers && step <= 10; step++)
                client_hears_step(c, (unsigned)step);
            if (!cases[i].recovers)
                client_hears_step(c, 10);
            trainer_logs(w, "a", 11);
            client_hears_step(c, 11);
            client_hears_nothing(c);
            world_destroy(w);
        }
    }
}

/* Offsets that were told and not kept are given again, under another epoch. */
static void what_was_told_and_lost_is_not_taken_for_what_comes_now(void **state)
{
    struct world *w = *state;
    char epoch[REGISTRY_EPOCH_MAX];
    for (unsigned step = 1; step <= 5; step++)
        trainer_logs(w, "a", step);
    w->disk.broken = true;
    for (unsigned step = 6; step <= 8; step++)
        trainer_logs(w, "a", step);
    memcpy(epoch, w->app->registry.epoch, sizeof(epoch));
    restarts(w, false);
    for (unsigned step = 106; step <= 109; step++)
        trainer_logs(w, "a", step);
    struct client *c = client_open(w, PLAIN);
    subscribes_since(c, "a", 7, epoch);
    assert_false(recovers(c));
    client_hears_step(c, 109);
    struct client *sure = client_open(w, PLAIN);
    subscribes_since(sure, "a", 5, epoch);
    assert_true(recovers(sure));
    for (unsigned step = 106; step <= 109; step++)
        client_hears_step(sure, step);
}

static void says_epoch(struct world *w, unsigned epoch, double loss)
{
    char line[160];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"run\",\"metrics\":{\"epoch\":%u,"
                   "\"step\":%u,\"loss\":%g}}",
                   epoch, epoch, loss);
    trainer_says(w, line);
    world_advance(w, SECOND);
}

static const struct alert_rule *only_rule(struct world *w)
{
    const struct alert_rules *a = &world_session(w, "run")->rules;
    assert_int_equal(a->count, 1);
    return a->rules;
}

/* It is set while nothing else happens to the run; its second epoch comes after the restart. */
static void alert_rules_go_on_as_they_stood(void **state)
{
    struct world *w = *state;
    const struct alert_rule high = {.name = "high",
                                    .metric = "loss",
                                    .op = ALERT_GT,
                                    .value = 2,
                                    .for_epochs = 2,
                                    .cooldown_s = 60};
    const struct alert_rule *kept;
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    world_advance(w, SECOND);
    for (unsigned i = 0; i < 2; i++) {
        world_enter(w);
        assert_int_equal(alert_rule_set(world_session(w, "run"), &high, &kept), OK);
        world_leave(w);
        world_advance(w, SECOND);
        restarts(w, i == 1);
        assert_string_equal(only_rule(w)->name, "high");
        assert_int_equal(only_rule(w)->op, ALERT_GT);
        assert_true(isnan(only_rule(w)->best));
    }
    says_epoch(w, 1, 3);
    restarts(w, false);
    assert_int_equal(only_rule(w)->times, 0);
    says_epoch(w, 2, 3);
    assert_int_equal(only_rule(w)->times, 1);
    restarts(w, true);
    assert_true(only_rule(w)->firing);
    says_epoch(w, 3, 3); /* it is silent for a while, whoever it was that told it */
    assert_int_equal(only_rule(w)->times, 1);
    world_advance(w, 60 * SECOND);
    says_epoch(w, 4, 3);
    assert_int_equal(only_rule(w)->times, 2);
    world_enter(w);
    assert_true(alert_rule_remove(world_session(w, "run"), SPAN("high")));
    world_leave(w);
    world_advance(w, SECOND);
    restarts(w, false);
    assert_int_equal(world_session(w, "run")->rules.count, 0);
}

static void a_removed_session_does_not_come_back(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "a", 1);
    trainer_logs(w, "b", 1);
    world_enter(w);
    registry_remove(&w->app->registry, world_session(w, "a"));
    world_leave(w);
    restarts(w, false);
    assert_null(registry_find(&w->app->registry, SPAN("a")));
    trainer_logs(w, "a", 1);
    assert_int_equal(series_newest(world_session(w, "a")->series), 1);
}

static void memory_holds_only_the_newest_record_of_each(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 500; i++)
        trainer_logs(w, i % 2 ? "a" : "b", i);
    restarts(w, true);
    assert_int_equal(series_count(world_session(w, "a")->series), 1);
    assert_int_equal(series_newest(world_session(w, "a")->series), 250);
    assert_int_equal(w->app->stats.sessions_live, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_session_is_as_it_was),
        WORLD_TEST(a_new_boot_and_a_wrong_wall_clock_change_nothing),
        WORLD_TEST(offsets_seqs_and_what_records_carry_over_go_on),
        WORLD_TEST(running_trainers_go_on_by_themselves),
        WORLD_TEST(an_end_that_was_told_stays_the_end),
        cmocka_unit_test(watchers_come_back_with_neither_gap_nor_repeat),
        WORLD_TEST(what_was_told_and_lost_is_not_taken_for_what_comes_now),
        WORLD_TEST(alert_rules_go_on_as_they_stood),
        WORLD_TEST(a_removed_session_does_not_come_back),
        WORLD_TEST(memory_holds_only_the_newest_record_of_each),
    };
    return cmocka_run_group_tests_name("flow/restart", tests, NULL, NULL);
}
