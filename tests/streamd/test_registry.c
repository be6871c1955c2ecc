/* SPDX-License-Identifier: MIT */
#include "tests/streamd/domain.h"

#define HOUR_US (UINT64_C(3600) * 1000000)
#define START(id) "{\"type\":\"start\",\"sessionId\":\"" id "\"}"
#define PROGRESS(id) "{\"type\":\"progress\",\"sessionId\":\"" id "\",\"metrics\":{\"loss\":1}}"
#define COMPLETE(id) "{\"type\":\"complete\",\"sessionId\":\"" id "\"}"

static void open_domain(struct domain *d)
{
    domain_defaults(d);
    domain_open(d);
}

/* The ids in the list, newest start first, one after the other. */
static void list_ids(struct domain *d, char *out)
{
    LIST_EACH (at, &d->registry.sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        memcpy(out, s->id, s->id_len);
        out += s->id_len;
    }
    *out = '\0';
}

static bool is_live(struct domain *d, const char *id)
{
    return registry_find_live(&d->registry, span_of(id)) != NULL;
}

static void a_start_without_an_id_gets_a_uuid4(void **state)
{
    (void)state;
    static const char shape[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    struct domain d;
    open_domain(&d);
    domain_take(&d, "{\"type\":\"start\"}");
    domain_take(&d, "{\"type\":\"start\"}");
    assert_int_equal(d.stats.sessions_created, 2);
    LIST_EACH (at, &d.registry.sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        assert_int_equal(s->id_len, sizeof(shape) - 1);
        assert_true(session_id_valid(session_id(s)));
        for (size_t i = 0; shape[i]; i++) {
            const char *hex = shape[i] == 'y' ? "89ab" : "0123456789abcdef";
            bool any = shape[i] == 'x' || shape[i] == 'y';
            assert_true(any ? strchr(hex, s->id[i]) != NULL : s->id[i] == shape[i]);
        }
    }
    domain_close(&d);
}

static void a_start_is_announced_to_those_who_wait_for_it(void **state)
{
    (void)state;
    struct domain d;
    struct watcher w;
    open_domain(&d);
    watcher_init(&w, &d);
    watcher_join(&w, "a");
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{ \"x\" : NaN }}");
    domain_leave(&d);
    assert_string_equal(watcher_heard(&w),
                        "42[\"training_started\",{\"sessionId\":\"a\",\"config\":{\"x\":null},"
                        "\"timestamp\":1700000000}]\n");
    watcher_fini(&w);
    domain_close(&d);
}

static void rooms_keep_sessions_apart(void **state)
{
    (void)state;
    struct domain d;
    struct watcher of_a;
    struct watcher of_both;
    open_domain(&d);
    watcher_init(&of_a, &d);
    watcher_init(&of_both, &d);
    watcher_join(&of_a, "a");
    watcher_join(&of_both, "a");
    watcher_join(&of_both, "b");
    domain_take(&d, PROGRESS("a"));
    domain_take(&d, PROGRESS("b"));
    domain_leave(&d);
    assert_lacks(watcher_heard(&of_a), "\"b\"");
    const char *heard = watcher_heard(&of_both);
    assert_int_equal(count_of(heard, "progress_update"), 2);
    watcher_fini(&of_a);
    watcher_fini(&of_both);
    domain_close(&d);
}

static void the_list_has_the_newest_start_first(void **state)
{
    (void)state;
    char ids[16];
    struct domain d;
    open_domain(&d);
    domain_take(&d, START("a"));
    domain_take(&d, START("b"));
    domain_take(&d, START("c"));
    list_ids(&d, ids);
    assert_string_equal(ids, "cba");
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    list_ids(&d, ids);
    assert_string_equal(ids, "cba");
    domain_take(&d, START("a"));
    list_ids(&d, ids);
    assert_string_equal(ids, "acb");
    assert_int_equal(d.stats.sessions_created, 3);
    domain_close(&d);
}

static void resume_keeps_everything_and_what_is_new_opens_a_finished_session(void **state)
{
    (void)state;
    struct domain d;
    struct watcher w;
    open_domain(&d);
    watcher_init(&w, &d);
    watcher_join(&w, "a");
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\",\"name\":\"n\",\"config\":{\"k\":1}}");
    domain_take(&d, "{\"type\":\"progress\",\"seq\":7,\"metrics\":{\"loss\":1}}");
    struct session *s = domain_session(&d, "a");
    double started_s = s->start_time_s;
    domain_advance(&d, HOUR_US / 2);
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    domain_leave(&d);
    assert_int_equal(count_of(watcher_heard(&w), "training_started"), 1);
    assert_int_equal(s->state, SESSION_RUNNING);
    domain_take(&d, "{\"type\":\"fail\",\"error\":\"x\"}");
    domain_take(&d,
                "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true,\"config\":{\"k\":2}}");
    domain_take(&d, "{\"type\":\"progress\",\"seq\":7,\"metrics\":{\"loss\":1}}");
    domain_take(&d, "{\"type\":\"fail\",\"error\":\"x\"}");
    domain_leave(&d);
    assert_int_equal(count_of(watcher_heard(&w), "training_started"), 0);
    assert_int_equal(s->state, SESSION_FAILED);
    assert_int_equal(s->last_seq, 7);
    domain_take(&d, "{\"type\":\"progress\",\"seq\":8,\"metrics\":{\"loss\":2}}");
    domain_leave(&d);
    assert_has(watcher_heard(&w), "training_started\",{\"sessionId\":\"a\",\"config\":{\"k\":2}");
    assert_int_equal(s->state, SESSION_RUNNING);
    assert_int_equal(s->newest_offset, 2);
    assert_true(s->start_time_s == started_s);
    assert_string_equal(s->name, "n");
    assert_null(s->error);
    watcher_fini(&w);
    domain_close(&d);
}

static void a_second_start_begins_anew_and_offsets_go_on(void **state)
{
    (void)state;
    struct domain d;
    struct series_cursor c;
    struct series_entry e;
    open_domain(&d);
    domain_take(&d, "{\"type\":\"start\",\"sessionId\":\"a\",\"name\":\"n\",\"config\":{\"k\":1}}");
    domain_take(&d, "{\"type\":\"progress\",\"seq\":7,\"metrics\":{\"loss\":1,\"step\":9}}");
    domain_take(&d, "{\"type\":\"model_completed\",\"modelIndex\":0}");
    domain_advance(&d, 1000000);
    domain_take(&d, START("a"));
    struct session *s = domain_session(&d, "a");
    assert_int_equal(s->state, SESSION_STARTING);
    assert_int_equal(s->last_seq, 0);
    assert_int_equal(s->models_completed, 0);
    assert_null(s->name);
    assert_null(s->config);
    assert_true(s->start_time_s == d.now.wall_s);
    assert_false(session_latest(s, &c, &e));
    series_cursor_fini(&c);
    assert_int_equal(series_count(s->series), 1);
    domain_take(&d, "{\"type\":\"progress\",\"seq\":1,\"metrics\":{\"loss\":2}}");
    assert_true(session_latest(s, &c, &e));
    assert_int_equal(e.offset, 2);
    assert_int_equal(e.record.field[F_CURRENT_STEP].kind, NUM_NONE);
    assert_int_equal(s->sent, 1U << F_LOSS);
    series_cursor_fini(&c);
    domain_close(&d);
}

static void sessions_leave_the_live_list_on_time(void **state)
{
    (void)state;
    static const struct {
        const char *last_line;
        uint64_t live_for_us;
    } cases[] = {
        {COMPLETE("a"), HOUR_US},
        {"{\"type\":\"fail\"}", HOUR_US},
        {PROGRESS("a"), 4 * HOUR_US},
        {"{\"type\":\"ping\"}", 4 * HOUR_US},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct domain d;
        struct watcher w;
        open_domain(&d);
        watcher_init(&w, &d);
        watcher_join(&w, "a");
        domain_take(&d, START("a"));
        domain_take(&d, cases[i].last_line);
        domain_advance(&d, cases[i].live_for_us - 1000000);
        assert_true(is_live(&d, "a"));
        assert_lacks(watcher_heard(&w), "session_cleanup");
        domain_advance(&d, 61 * UINT64_C(1000000));
        assert_false(is_live(&d, "a"));
        assert_string_equal(watcher_heard(&w), "42[\"session_cleanup\",{\"sessionId\":\"a\"}]\n");
        assert_non_null(domain_session(&d, "a"));
        assert_int_equal(d.stats.sessions_live, 0);
        domain_advance(&d, d.config.retain_s * 1000000);
        assert_null(domain_session(&d, "a"));
        assert_string_equal(watcher_heard(&w), "");
        assert_int_equal(d.stats.history_bytes, 0);
        watcher_fini(&w);
        domain_close(&d);
    }
}

static void a_wall_clock_that_jumps_expires_nothing(void **state)
{
    (void)state;
    struct domain d;
    open_domain(&d);
    domain_take(&d, PROGRESS("a"));
    d.now.wall_s = 4102444800;
    domain_advance(&d, 120 * UINT64_C(1000000));
    assert_true(is_live(&d, "a"));
    domain_close(&d);
}

static void an_expired_session_comes_back_with_its_offsets_and_its_watchers(void **state)
{
    (void)state;
    struct domain d;
    struct watcher w;
    open_domain(&d);
    watcher_init(&w, &d);
    watcher_join(&w, "a");
    domain_take(&d, PROGRESS("a"));
    domain_advance(&d, 5 * HOUR_US);
    (void)watcher_heard(&w);
    domain_take(&d, PROGRESS("a"));
    domain_leave(&d);
    const char *heard = watcher_heard(&w);
    assert_order(heard, "training_started", "progress_update");
    assert_has(heard, "\"offset\":2}");
    assert_true(is_live(&d, "a"));
    assert_int_equal(d.stats.sessions_live, 1);
    assert_int_equal(d.stats.sessions_created, 1);
    watcher_fini(&w);
    domain_close(&d);
}

static void a_full_house_drops_the_expired_then_the_finished_and_never_the_running(void **state)
{
    (void)state;
    struct domain d;
    domain_defaults(&d);
    d.config.max_sessions = 4;
    domain_open(&d);
    domain_take(&d, START("run"));
    domain_take(&d, START("old"));
    domain_take(&d, COMPLETE("old"));
    domain_advance(&d, 2 * HOUR_US);
    assert_false(is_live(&d, "old"));
    domain_take(&d, START("end1"));
    domain_take(&d, START("end2"));
    domain_take(&d, COMPLETE("end2"));
    domain_take(&d, COMPLETE("end1"));
    static const struct {
        const char *start;
        const char *gone;
    } cases[] = {{START("new1"), "old"}, {START("new2"), "end2"}, {START("new3"), "end1"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_non_null(domain_session(&d, cases[i].gone));
        domain_take(&d, cases[i].start);
        assert_null(domain_session(&d, cases[i].gone));
    }
    assert_int_equal(domain_line(&d, START("new4")), E_LIMIT);
    assert_string_equal(d.error.code, "limit");
    assert_int_equal(domain_line(&d, "{\"type\":\"progress\",\"metrics\":{}}"), E_NOT_FOUND);
    assert_non_null(domain_session(&d, "run"));
    domain_take(&d, START("run"));
    domain_close(&d);
}

static void a_pinned_session_is_dropped_neither_for_room_nor_for_age(void **state)
{
    (void)state;
    struct domain d;
    domain_defaults(&d);
    d.config.max_sessions = 3;
    domain_open(&d);
    domain_take(&d, START("kept"));
    session_pin(domain_session(&d, "kept"), true);
    domain_take(&d, COMPLETE("kept"));
    domain_take(&d, START("end"));
    domain_take(&d, COMPLETE("end"));
    session_pin(domain_session(&d, "end"), true);
    domain_take(&d, START("run"));
    assert_int_equal(domain_line(&d, START("new1")), E_LIMIT);
    session_pin(domain_session(&d, "end"), false);
    domain_take(&d, START("new1"));
    assert_null(domain_session(&d, "end"));
    domain_advance(&d, d.config.retain_s * 1000000 + 5 * HOUR_US);
    assert_non_null(domain_session(&d, "kept"));
    assert_false(is_live(&d, "kept"));
    assert_null(domain_session(&d, "run"));
    session_pin(domain_session(&d, "kept"), false);
    domain_advance(&d, HOUR_US);
    assert_null(domain_session(&d, "kept"));
    domain_close(&d);
}

static void forgetting_is_for_what_is_over_and_told_in_any_case(void **state)
{
    (void)state;
    struct domain d;
    struct watcher of_a;
    struct watcher of_all;
    open_domain(&d);
    watcher_init(&of_a, &d);
    watcher_init(&of_all, &d);
    watcher_join(&of_a, "a");
    watcher_join(&of_all, "*");
    for (int expired = 0; expired < 2; expired++) {
        domain_take(&d, START("a"));
        assert_int_equal(registry_forget(&d.registry, domain_session(&d, "a")), E_STATE);
        domain_take(&d, PROGRESS("a"));
        assert_int_equal(registry_forget(&d.registry, domain_session(&d, "a")), E_STATE);
        domain_take(&d, COMPLETE("a"));
        if (expired)
            domain_advance(&d, 2 * HOUR_US);
        domain_leave(&d);
        (void)watcher_heard(&of_a);
        (void)watcher_heard(&of_all);
        assert_int_equal(registry_forget(&d.registry, domain_session(&d, "a")), OK);
        domain_leave(&d);
        assert_int_equal(count_of(watcher_heard(&of_a), "session_cleanup"), 1);
        assert_int_equal(count_of(watcher_heard(&of_all), "session_cleanup"), 1);
        assert_null(domain_session(&d, "a"));
        assert_int_equal(d.stats.sessions_live, 0);
    }
    watcher_fini(&of_a);
    watcher_fini(&of_all);
    domain_close(&d);
}

static void removing_a_session_tells_its_room_and_forgets_it(void **state)
{
    (void)state;
    struct domain d;
    struct watcher w;
    open_domain(&d);
    watcher_init(&w, &d);
    watcher_join(&w, "a");
    domain_take(&d, PROGRESS("a"));
    domain_leave(&d);
    (void)watcher_heard(&w);
    domain_take(&d, PROGRESS("a"));
    registry_remove(&d.registry, domain_session(&d, "a"));
    domain_leave(&d);
    assert_order(watcher_heard(&w), "progress_update", "session_cleanup");
    assert_null(domain_session(&d, "a"));
    assert_null(d.intake.started.session);
    assert_int_equal(d.stats.sessions_live, 0);
    domain_advance(&d, HOUR_US);
    watcher_fini(&w);
    domain_close(&d);
}

static void a_room_is_only_there_for_somebody(void **state)
{
    (void)state;
    struct domain d;
    struct watcher w;
    open_domain(&d);
    watcher_init(&w, &d);
    domain_take(&d, START("a"));
    assert_int_equal(d.stats.rooms, 1);
    watcher_join(&w, "a");
    registry_remove(&d.registry, domain_session(&d, "a"));
    assert_int_equal(d.stats.rooms, 1);
    watcher_fini(&w);
    assert_int_equal(d.stats.rooms, 0);
    domain_take(&d, START("b"));
    domain_advance(&d, 5 * HOUR_US);
    assert_non_null(domain_session(&d, "b"));
    assert_int_equal(d.stats.rooms, 0);
    domain_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_without_an_id_gets_a_uuid4),
        cmocka_unit_test(a_start_is_announced_to_those_who_wait_for_it),
        cmocka_unit_test(rooms_keep_sessions_apart),
        cmocka_unit_test(the_list_has_the_newest_start_first),
        cmocka_unit_test(resume_keeps_everything_and_what_is_new_opens_a_finished_session),
        cmocka_unit_test(a_second_start_begins_anew_and_offsets_go_on),
        cmocka_unit_test(sessions_leave_the_live_list_on_time),
        cmocka_unit_test(a_wall_clock_that_jumps_expires_nothing),
        cmocka_unit_test(an_expired_session_comes_back_with_its_offsets_and_its_watchers),
        cmocka_unit_test(a_full_house_drops_the_expired_then_the_finished_and_never_the_running),
        cmocka_unit_test(a_pinned_session_is_dropped_neither_for_room_nor_for_age),
        cmocka_unit_test(forgetting_is_for_what_is_over_and_told_in_any_case),
        cmocka_unit_test(removing_a_session_tells_its_room_and_forgets_it),
        cmocka_unit_test(a_room_is_only_there_for_somebody),
    };
    return cmocka_run_group_tests_name("streamd/session/registry", tests, NULL, NULL);
}
