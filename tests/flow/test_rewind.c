/* SPDX-License-Identifier: MIT */
/* A resumed trainer that goes back to an earlier step, before and after a restart. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RESUME(id) "{\"type\":\"start\",\"sessionId\":\"" id "\",\"resume\":true}"
#define START(id) "{\"type\":\"start\",\"sessionId\":\"" id "\"}"

static void only_the_first_record_after_a_resume_may_be_a_rewind(void **state)
{
    static const struct {
        const char *what;
        const char *lines[4]; /* after steps 1..10 of model 1 */
        size_t rewinds;
        double step;
        uint64_t axis; /* of the last of them */
    } cases[] = {
#define P(step, model)                                                                             \
    "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":" #step                      \
    ",\"currentModel\":" #model "}}"
        {"goes back", {RESUME("a"), P(6, 1)}, 1, 6, 6},
        {"and on", {RESUME("a"), P(6, 1), P(7, 1), P(8, 1)}, 1, 6, 8},
        {"says the last step again", {RESUME("a"), P(10, 1)}, 1, 10, 10},
        {"goes on", {RESUME("a"), P(11, 1)}, 0, 0, 11},
        {"goes on and back", {RESUME("a"), P(11, 1), P(6, 1)}, 0, 0, 12},
        {"goes back without resume", {P(6, 1)}, 0, 0, 11},
        {"begins another model", {RESUME("a"), P(0, 2)}, 0, 0, 11},
        {"begins another model and goes back", {RESUME("a"), P(0, 2), P(0, 1)}, 0, 0, 11},
        {"begins anew", {START("a"), P(1, 1)}, 0, 0, 11},
        {"resumes twice", {RESUME("a"), RESUME("a"), P(3, 1)}, 1, 3, 3},
        {"goes back farther", {RESUME("a"), P(8, 1), RESUME("a"), P(4, 1)}, 1, 4, 4},
        {"goes back less far", {RESUME("a"), P(4, 1), RESUME("a"), P(4, 1)}, 1, 4, 4},
        {"logs no step",
         {RESUME("a"), "{\"type\":\"epoch\",\"sessionId\":\"a\",\"metrics\":{\"val_loss\":1}}"},
         0,
         0,
         10},
        {"and then an earlier one",
         {RESUME("a"), "{\"type\":\"epoch\",\"sessionId\":\"a\",\"metrics\":{\"val_loss\":1}}",
          P(4, 1), P(3, 1)},
         1,
         4,
         5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *w = world_create();
        world_begin(w);
        for (unsigned step = 1; step <= 10; step++)
            trainer_logs(w, "a", step);
        for (size_t n = 0; n < 4 && cases[i].lines[n]; n++)
            trainer_says(w, cases[i].lines[n]);
        for (unsigned lives = 0; lives < 2; lives++) {
            const struct session *s = world_session(w, "a");
            if (s->rewind_count != cases[i].rewinds || s->axis.x != cases[i].axis)
                fail_msg("%s: %zu rewinds, axis at %llu, life %u", cases[i].what, s->rewind_count,
                         (unsigned long long)s->axis.x, lives);
            if (s->rewind_count > 0)
                assert_true(s->rewinds[0].step == cases[i].step && s->rewinds[0].model == 1 &&
                            s->rewinds[0].offset > 10);
            world_ends(w);
            world_begin(w);
        }
        world_destroy(w);
    }
}

static void of_many_rewinds_the_oldest_is_forgotten_first(void **state)
{
    struct world *w = *state;
    for (unsigned step = 1; step <= REWINDS_MAX + 1; step++) {
        trainer_logs(w, "a", step);
        trainer_says(w, RESUME("a"));
        trainer_logs(w, "a", step);
    }
    const struct session *s = world_session(w, "a");
    assert_int_equal(s->rewind_count, REWINDS_MAX);
    assert_true(s->rewinds[0].step == 2);
    assert_true(s->rewinds[REWINDS_MAX - 1].step == REWINDS_MAX + 1);
}

static void the_first_record_after_a_restart_may_be_a_rewind_once_resumed(void **state)
{
    struct world *w = *state;
    for (unsigned step = 1; step <= 10; step++)
        trainer_logs(w, "a", step);
    trainer_says(w, RESUME("a"));
    world_crashes(w);
    world_begin(w);
    trainer_logs(w, "a", 5);
    assert_int_equal(world_session(w, "a")->rewind_count, 1);
    assert_int_equal(world_session(w, "a")->rewinds[0].offset, 11);
    world_crashes(w);
    world_begin(w);
    trainer_logs(w, "a", 3);
    assert_int_equal(world_session(w, "a")->rewind_count, 1);
}

/* P-12 */
static void watchers_are_told_of_a_rewind_before_what_replaces(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "a", 1);
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "a");
    for (unsigned step = 2; step <= 10; step++)
        trainer_logs(w, "a", step);
    trainer_says(w, RESUME("a"));
    trainer_logs(w, "a", 6);
    trainer_logs(w, "a", 7);
    world_advance(w, 100000);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "session_status");
        client_hears_step(c, 1);
        client_hears_step(c, 10); /* newest wins, but an event does not overtake it */
        const struct heard *h = client_hears(c, "session_status");
        assert_int_equal(heard_number(h, "rewind.offset"), 11);
        assert_int_equal(heard_number(h, "rewind.step"), 6);
        assert_int_equal(heard_number(h, "rewind.model"), 1);
        client_hears_step(c, 7);
        client_hears_nothing(c);
    }
    struct client *late = client_watch(w, PLAIN, "a");
    assert_int_equal(heard_number(client_hears(late, "session_status"), "rewind.offset"), 11);
}

static void summary_is(struct world *w, const char *loss)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    world_jump(w, 1000); /* what was asked of the archive is answered */
    summary_write_json(world_session(w, "a")->summary, &text);
    buf_add_char(&text, '\0');
    assert_string_equal(text.ptr, loss);
    assert_false(world_session(w, "a")->summary_stale);
    buf_fini(&text);
}

#define LOSS(step, loss)                                                                           \
    "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":" #step ",\"loss\":" #loss   \
    "}}"
#define SUMMARY(count, last, last_step, min, min_step, max, max_step)                              \
    "{\"loss\":{\"count\":" #count ",\"last\":" #last ",\"lastStep\":" #last_step                  \
    ",\"best\":" #min ",\"bestStep\":" #min_step ",\"min\":" #min ",\"minStep\":" #min_step        \
    ",\"max\":" #max ",\"maxStep\":" #max_step ",\"goal\":\"min\"}}"

static void a_summary_is_of_the_records_that_stand(void **state)
{
    struct world *w = *state;
    trainer_says(w, START("a"));
    trainer_says(w, LOSS(1, 5));
    trainer_says(w, LOSS(2, 4));
    trainer_says(w, LOSS(3, 0.5));
    trainer_says(w, LOSS(4, 99));
    summary_is(w, SUMMARY(4, 99, 4, 0.5, 3, 99, 4));
    trainer_says(w, RESUME("a"));
    trainer_says(w, LOSS(3, 3));
    trainer_says(w, LOSS(4, 2));
    summary_is(w, SUMMARY(4, 2, 4, 2, 4, 5, 1));
    trainer_says(w, LOSS(5, 1));
    world_crashes(w);
    world_begin(w);
    trainer_says(w, RESUME("a"));
    trainer_says(w, LOSS(2, 7));
    trainer_says(w, RESUME("a"));
    trainer_says(w, LOSS(2, 6));
    summary_is(w, SUMMARY(2, 6, 2, 5, 1, 6, 2));
}

static void what_a_run_said_before_it_began_anew_stays_out_of_its_summary(void **state)
{
    struct world *w = *state;
    trainer_says(w, START("a"));
    trainer_says(w, LOSS(1, 0.125));
    trainer_says(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    trainer_says(w, START("a"));
    trainer_says(w, LOSS(1, 9));
    trainer_says(w, LOSS(2, 8));
    world_ends(w);
    world_begin(w);
    trainer_says(w, RESUME("a"));
    trainer_says(w, LOSS(2, 7));
    summary_is(w, SUMMARY(2, 7, 2, 7, 2, 9, 1));
}

static void a_summary_that_was_not_made_again_is_after_a_restart(void **state)
{
    struct world *w = *state;
    trainer_says(w, START("a"));
    trainer_says(w, LOSS(1, 5));
    struct session *s = world_session(w, "a");
    summary_reset(s->summary);
    s->summary_stale = true;
    trainer_says(w, LOSS(2, 4));
    world_ends(w);
    world_begin(w);
    summary_is(w, SUMMARY(2, 4, 2, 4, 2, 5, 1));
}

static void a_summary_stays_as_it_is_where_history_is_not_whole(void **state)
{
    struct world *w = *state;
    trainer_says(w, START("a"));
    trainer_says(w, LOSS(1, 5));
    struct session *s = world_session(w, "a");
    s->oldest = 2; /* as if trim.h had cut the first */
    trainer_says(w, RESUME("a"));
    trainer_says(w, LOSS(1, 4));
    world_jump(w, 1000);
    assert_true(s->summary_stale);
    assert_null(s->recount);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_record_after_a_resume_may_be_a_rewind),
        WORLD_TEST(watchers_are_told_of_a_rewind_before_what_replaces),
        WORLD_TEST(a_summary_is_of_the_records_that_stand),
        WORLD_TEST(what_a_run_said_before_it_began_anew_stays_out_of_its_summary),
        WORLD_TEST(a_summary_that_was_not_made_again_is_after_a_restart),
        WORLD_TEST(a_summary_stays_as_it_is_where_history_is_not_whole),
        WORLD_TEST(of_many_rewinds_the_oldest_is_forgotten_first),
        WORLD_TEST(the_first_record_after_a_restart_may_be_a_rewind_once_resumed),
    };
    return cmocka_run_group_tests_name("flow/rewind", tests, NULL, NULL);
}
