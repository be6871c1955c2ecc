/* SPDX-License-Identifier: MIT */
#include "streamd/session/registry.h"

#include "streamd/session/session_state.h"
#include "tests/streamd/domain.h"
#include "tests/support/lasting_store.h"
#include "tests/support/oom.h"

#include <stdio.h>

#define START(id) "{\"type\":\"start\",\"sessionId\":\"" id "\"}"
#define PROGRESS(id) "{\"type\":\"progress\",\"sessionId\":\"" id "\",\"metrics\":{\"step\":1}}"

enum { SECOND_US = 1000000 };

/* One process after the other on the same store. */
struct house {
    struct lasting_store store;
    struct domain d;
};

static enum status try_to_move_in(struct house *h)
{
    struct keeping_params params = {.config = &h->d.config,
                                    .timers = &h->d.timers,
                                    .stats = &h->d.stats,
                                    .store = &h->store.base,
                                    .inline_work = true};
    return registry_open(&h->d.registry, &params, h->d.now);
}

/* `us`: since boot. */
static void move_in(struct house *h, uint64_t us)
{
    double wall_s = h->d.now.wall_s > 0 ? h->d.now.wall_s : 1700000000;
    domain_defaults(&h->d);
    h->d.now = (struct now){us, wall_s};
    domain_open(&h->d);
    assert_int_equal(try_to_move_in(h), OK);
    keeping_enter(&h->d.registry.keeping, us);
}

static void move_out(struct house *h, bool in_good_order)
{
    h->store.broken = !in_good_order;
    domain_close(&h->d);
    h->store.broken = false;
}

/* Everything said so far is on disk. */
static void settle(struct house *h)
{
    keeping_flush(&h->d.registry.keeping);
    keeping_receive(&h->d.registry.keeping);
    assert_true(keeping_is_idle(&h->d.registry.keeping) && !h->d.registry.keeping.troubled);
}

static void move(struct house *h, bool in_good_order, uint64_t us)
{
    move_out(h, in_good_order);
    move_in(h, us);
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    lasting_store_init(&h->store);
    move_in(h, 100 * (uint64_t)SECOND_US);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    move_out(h, true);
    lasting_store_fini(&h->store);
    free(h);
    return 0;
}

/* The ids of a list, newest start first. */
static const char *ids(struct house *h, char out[128])
{
    out[0] = '\0';
    LIST_EACH (at, &h->d.registry.sessions) {
        (void)strncat(out, LIST_ENTRY(at, struct session, link)->id, 20);
        (void)strncat(out, " ", 2);
    }
    return out;
}

/* ---- epochs ---- */

static void an_epoch_goes_on_only_after_a_good_bye(void **state)
{
    static const struct {
        bool clean;
        bool same;
    } cases[] = {{true, true}, {false, false}, {true, true}, {false, false}, {false, false}};
    struct house *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char epoch[REGISTRY_EPOCH_MAX];
        char previous[REGISTRY_EPOCH_MAX];
        memcpy(epoch, h->d.registry.epoch, sizeof(epoch));
        memcpy(previous, h->d.registry.previous_epoch, sizeof(previous));
        assert_int_equal(strlen(epoch), REGISTRY_EPOCH_MAX - 1);
        move(h, cases[i].clean, 5 * SECOND_US);
        assert_int_equal(strcmp(h->d.registry.epoch, epoch) == 0, cases[i].same);
        assert_string_equal(h->d.registry.previous_epoch, cases[i].same ? previous : epoch);
    }
}

static void who_may_go_on_from_where_he_was(void **state)
{
    enum epoch { NONE, CURRENT, PREVIOUS, OLDER };
    /* 5 records are kept in the first epoch and 3 more in the second, after one that was not. */
    static const struct {
        enum epoch epoch;
        uint64_t since;
        bool recovers;
    } cases[] = {
        {NONE, 0, true},      {NONE, 8, true},      {NONE, 9, false},    {CURRENT, 0, true},
        {CURRENT, 8, true},   {CURRENT, 9, false},  {PREVIOUS, 0, true}, {PREVIOUS, 5, true},
        {PREVIOUS, 6, false}, {PREVIOUS, 8, false}, {OLDER, 0, false},
    };
    struct house *h = *state;
    char first[REGISTRY_EPOCH_MAX];
    domain_take(&h->d, START("a"));
    for (unsigned i = 0; i < 5; i++)
        domain_take(&h->d, PROGRESS("a"));
    domain_take(&h->d, START("quiet"));
    domain_take(&h->d, PROGRESS("quiet"));
    settle(h);
    memcpy(first, h->d.registry.epoch, sizeof(first));
    domain_take(&h->d, PROGRESS("a")); /* told, and lost */
    move(h, false, 5 * SECOND_US);
    for (unsigned i = 0; i < 3; i++)
        domain_take(&h->d, PROGRESS("a"));
    for (unsigned lives = 0; lives < 3; lives++) {
        struct registry *r = &h->d.registry;
        const struct session *s = domain_session(&h->d, "a");
        const struct session *quiet = domain_session(&h->d, "quiet");
        assert_int_equal(series_newest(s->series), 8);
        assert_string_equal(r->previous_epoch, first);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct span epochs[] = {
                {NULL, 0}, span_of(r->epoch), span_of(first), SPAN("0123456789abcdef")};
            bool recovers = registry_recovers(r, s, epochs[cases[i].epoch], cases[i].since);
            if (recovers != cases[i].recovers)
                fail_msg("case %zu in life %u", i, lives);
        }
        /* One that nothing happened to since has all it had. */
        assert_true(registry_recovers(r, quiet, span_of(first), 1));
        assert_false(registry_recovers(r, quiet, span_of(first), 2));
        move(h, true, 5 * SECOND_US);
    }
}

static bool goes_on(struct house *h, const char *id, const char *epoch, uint64_t since)
{
    return registry_recovers(&h->d.registry, domain_session(&h->d, id), span_of(epoch), since);
}

/* A run that is quiet, and one that gets two more records in the epoch that begins under way. */
static void an_epoch_that_begins_under_way_outlives_any_end(void **state)
{
    static const struct {
        bool kept; /* it is on disk, with what followed it */
        bool in_good_order;
    } cases[] = {{true, true}, {true, false}, {false, false}};
    struct house *h = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char first[REGISTRY_EPOCH_MAX];
        char second[REGISTRY_EPOCH_MAX];
        domain_take(&h->d, START("quiet"));
        domain_take(&h->d, PROGRESS("quiet"));
        domain_take(&h->d, START("a"));
        domain_take(&h->d, PROGRESS("a"));
        settle(h);
        uint64_t quiet = series_newest(domain_session(&h->d, "quiet")->series);
        uint64_t floor = series_newest(domain_session(&h->d, "a")->series);
        memcpy(first, h->d.registry.epoch, sizeof(first));
        registry_begin_epoch(&h->d.registry);
        memcpy(second, h->d.registry.epoch, sizeof(second));
        domain_take(&h->d, PROGRESS("a"));
        domain_take(&h->d, PROGRESS("a"));
        if (cases[i].kept)
            settle(h);
        move(h, cases[i].in_good_order, 5 * SECOND_US);
        bool goes_on_of_first = cases[i].in_good_order || !cases[i].kept;
        if (goes_on(h, "quiet", first, quiet) != goes_on_of_first ||
            goes_on(h, "a", first, floor) != goes_on_of_first ||
            goes_on(h, "quiet", second, quiet) != cases[i].kept ||
            goes_on(h, "a", second, floor + 2) != cases[i].kept)
            fail_msg("case %zu", i);
        assert_false(goes_on(h, "quiet", first, quiet + 1));
        assert_false(goes_on(h, "a", first, floor + 1));
        assert_false(goes_on(h, "a", second, floor + 3));
    }
}

static void an_epoch_begins_without_a_row_of_its_runs(void **state)
{
    struct house *h = *state;
    domain_take(&h->d, START("a"));
    domain_take(&h->d, START("b"));
    settle(h);
    unsigned rows = h->store.sessions;
    unsigned commits = h->store.commits;
    registry_begin_epoch(&h->d.registry);
    settle(h);
    assert_int_equal(h->store.sessions, rows);
    assert_int_equal(h->store.commits, commits + 1);
}

/* ---- ages and lists ---- */

static void time_is_counted_while_a_daemon_runs_whatever_clocks_say(void **state)
{
    static const struct {
        uint64_t boot_us;
        double wall_s;
    } cases[] = {
        {1, 1700000000},                         /* a new boot */
        {UINT64_C(1) << 50, 1700000000},         /* one that is up for long */
        {500 * (uint64_t)SECOND_US, 4070908800}, /* 2099 */
        {7, 0},                                  /* 1970 */
    };
    struct house *h = *state;
    domain_take(&h->d, START("a"));
    domain_advance(&h->d, 600 * (uint64_t)SECOND_US);
    domain_take(&h->d, PROGRESS("a"));
    domain_take(&h->d, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    settle(h);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        h->d.now.wall_s = cases[i].wall_s;
        move(h, i % 2, cases[i].boot_us);
        const struct session *s = domain_session(&h->d, "a");
        assert_int_equal(h->d.now.us - s->last_us, 0);
        assert_int_equal(s->last_us - s->start_us, 600 * (uint64_t)SECOND_US);
        domain_advance(&h->d, 10 * (uint64_t)SECOND_US);
        assert_int_equal(s->state, SESSION_COMPLETED);
    }
    const struct session *s = domain_session(&h->d, "a");
    domain_advance(&h->d, (h->d.config.live_completed_s - 11) * SECOND_US);
    assert_int_equal(s->state, SESSION_COMPLETED);
    domain_advance(&h->d, 61 * (uint64_t)SECOND_US);
    assert_int_equal(s->state, SESSION_EXPIRED);
    domain_advance(&h->d, h->d.config.retain_s * SECOND_US);
    assert_null(domain_session(&h->d, "a"));
}

static void ages_between_sessions_stay_what_they_were(void **state)
{
    struct house *h = *state;
    domain_take(&h->d, START("old"));
    domain_advance(&h->d, 3000 * (uint64_t)SECOND_US);
    domain_take(&h->d, START("young"));
    for (unsigned i = 0; i < 3; i++) {
        const struct session *old = domain_session(&h->d, "old");
        const struct session *young = domain_session(&h->d, "young");
        assert_int_equal(young->last_us - old->last_us, 3000 * (uint64_t)SECOND_US);
        move(h, true, (i + 1) * (uint64_t)SECOND_US);
    }
}

static void the_list_is_in_the_order_of_starts(void **state)
{
    static const char *const starts[] = {START("a"), START("b"), START("c"), START("d"),
                                         START("b")};
    struct house *h = *state;
    char text[128];
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        h->d.now.wall_s = i == 1 ? 4070908800 : 1700000000; /* and set right again */
        domain_take(&h->d, starts[i]);
        domain_advance(&h->d, i == 2 ? 0 : SECOND_US); /* c and d in the same wake-up */
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(ids(h, text), "b d c a ");
        settle(h);
        move(h, i % 2, 5 * SECOND_US);
    }
}

static void the_longest_finished_goes_first_as_before(void **state)
{
    struct house *h = *state;
    static const char *const ends[] = {"c", "a", "b"};
    char line[128];
    domain_take(&h->d, START("a"));
    domain_take(&h->d, START("b"));
    domain_take(&h->d, START("c"));
    for (size_t i = 0; i < 3; i++) {
        domain_advance(&h->d, SECOND_US);
        (void)snprintf(line, sizeof(line), "{\"type\":\"complete\",\"sessionId\":\"%s\"}", ends[i]);
        domain_take(&h->d, line);
    }
    move(h, true, SECOND_US);
    size_t i = 0;
    LIST_EACH (at, &h->d.registry.finished)
        assert_string_equal(LIST_ENTRY(at, struct session, aging)->id, ends[i++]);
    assert_int_equal(i, 3);
    assert_int_equal(h->d.stats.sessions_live, 3);
}

static void keys_are_not_given_twice(void **state)
{
    struct house *h = *state;
    domain_take(&h->d, START("a"));
    domain_take(&h->d, START("b"));
    move(h, true, SECOND_US);
    domain_take(&h->d, START("c"));
    assert_int_equal(domain_session(&h->d, "a")->key, 1);
    assert_int_equal(domain_session(&h->d, "b")->key, 2);
    assert_int_equal(domain_session(&h->d, "c")->key, 3);
}

/* ---- what goes wrong ---- */

/* Puts a row in place of the one of that key. */
static void put_row(struct house *h, uint64_t key, const char *id, struct span state)
{
    struct store *s = h->store.rows;
    struct store_session row = {.key = key,
                                .id = span_of(id),
                                .status = SPAN("running"),
                                .state = state,
                                .start_time_s = 1};
    assert_int_equal(s->ops->begin(s), OK);
    assert_int_equal(s->ops->put_session(s, &row), OK);
    assert_int_equal(s->ops->commit(s), OK);
}

static void a_damaged_session_is_passed_over_and_the_others_are_there(void **state)
{
    struct house *h = *state;
    struct store_session row;
    domain_take(&h->d, START("a"));
    domain_take(&h->d, START("b"));
    domain_take(&h->d, START("c"));
    move_out(h, true);
    for (uint64_t key = 1; key <= 3; key++) {
        static const char *const left[] = {"c b ", "c a ", "b a "};
        char text[128];
        h->store.damaged_count = 0;
        lasting_store_damage(&h->store, LASTING_SESSION, key, 0);
        move_in(h, SECOND_US);
        assert_int_equal(h->d.stats.sessions_damaged, 1);
        assert_string_equal(ids(h, text), left[key - 1]);
        assert_int_equal(h->d.registry.next_key, 4);
        move_out(h, true);
    }
    h->store.damaged_count = 0; /* it is still there for whoever can read it */
    assert_int_equal(h->store.base.ops->next_session(&h->store.base, 2, &row), OK);
    assert_true(span_is(row.id, "c"));
    move_in(h, SECOND_US);
}

static void a_row_of_no_sense_is_passed_over(void **state)
{
    static const char bytes[200] = {9};
    static const struct {
        const char *id;
        struct span state;
    } cases[] = {
        {"x", {"", 0}},
        {"x", {bytes, 3}},
        {"x", {bytes, sizeof(bytes)}},
        {"not an id", {bytes, sizeof(bytes)}},
        {"", {bytes, sizeof(bytes)}},
    };
    struct house *h = *state;
    domain_take(&h->d, START("a"));
    move_out(h, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        put_row(h, 2, cases[i].id, cases[i].state);
        move_in(h, SECOND_US);
        assert_int_equal(h->d.stats.sessions_damaged, 1);
        assert_string_equal(ids(h, text), "a ");
        move_out(h, true);
    }
    move_in(h, SECOND_US);
}

static void two_rows_of_one_id_are_one_session(void **state)
{
    struct house *h = *state;
    struct store_session row;
    struct buf copy;
    domain_take(&h->d, START("a"));
    move_out(h, true);
    buf_init(&copy, 1 << 20);
    assert_int_equal(h->store.base.ops->next_session(&h->store.base, 0, &row), OK);
    buf_add_span(&copy, row.state);
    put_row(h, 2, "a", buf_span(&copy));
    buf_fini(&copy);
    move_in(h, SECOND_US);
    assert_int_equal(h->d.stats.sessions_damaged, 1);
    assert_int_equal(domain_session(&h->d, "a")->key, 1);
}

static void a_damaged_value_counts_as_none(void **state)
{
    static const char *const names[] = {"epoch", "previous_epoch", "clean"};
    struct house *h = *state;
    for (size_t i = 0; i < 3; i++) {
        char epoch[REGISTRY_EPOCH_MAX];
        memcpy(epoch, h->d.registry.epoch, sizeof(epoch));
        h->store.damaged_meta = names[i];
        move(h, true, SECOND_US);
        assert_int_equal(strcmp(epoch, h->d.registry.epoch) == 0, i == 1);
        assert_string_equal(h->d.registry.previous_epoch, i == 2 ? epoch : "");
        h->store.damaged_meta = NULL;
    }
}

static void a_store_that_cannot_be_written_is_not_taken_over(void **state)
{
    struct house *h = *state;
    move_out(h, true);
    for (uint64_t nth = 1; nth <= 5; nth++) { /* begin, three values, commit */
        unsigned destroyed = h->store.destroyed;
        domain_defaults(&h->d);
        domain_open(&h->d);
        lasting_store_fail(&h->store, nth);
        assert_int_equal(try_to_move_in(h), E_IO);
        lasting_store_fail(&h->store, 0);
        assert_int_equal(h->store.destroyed, destroyed + 1);
        domain_close(&h->d);
        assert_int_equal(h->store.destroyed, destroyed + 1);
    }
    move_in(h, SECOND_US);
}

static void a_start_without_memory_fails_and_takes_nothing_for_damage(void **state)
{
    struct house *h = *state;
    char text[128];
    domain_take(&h->d, "{\"type\":\"start\",\"sessionId\":\"a\",\"name\":\"n\",\"project\":\"p\","
                       "\"config\":{\"x\":1}}");
    domain_take(&h->d, PROGRESS("a"));
    domain_take(&h->d, PROGRESS("b"));
    domain_take(&h->d, "{\"type\":\"fail\",\"sessionId\":\"b\",\"error\":\"e\"}");
    move_out(h, true);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        unsigned destroyed = h->store.destroyed;
        domain_defaults(&h->d);
        domain_open(&h->d);
        oom_fail(n);
        enum status status = try_to_move_in(h);
        failed = oom_failed();
        assert_true(status == OK || (failed && status == E_NOMEM));
        assert_int_equal(h->d.stats.sessions_damaged, 0);
        if (status == OK)
            assert_string_equal(ids(h, text), "b a ");
        assert_int_equal(h->store.destroyed, destroyed + (status != OK));
        domain_close(&h->d);
        assert_int_equal(h->store.destroyed, destroyed + 1);
    }
    move_in(h, SECOND_US);
}

#define OPEN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(an_epoch_goes_on_only_after_a_good_bye),
        OPEN_TEST(who_may_go_on_from_where_he_was),
        OPEN_TEST(an_epoch_that_begins_under_way_outlives_any_end),
        OPEN_TEST(an_epoch_begins_without_a_row_of_its_runs),
        OPEN_TEST(time_is_counted_while_a_daemon_runs_whatever_clocks_say),
        OPEN_TEST(ages_between_sessions_stay_what_they_were),
        OPEN_TEST(the_list_is_in_the_order_of_starts),
        OPEN_TEST(the_longest_finished_goes_first_as_before),
        OPEN_TEST(keys_are_not_given_twice),
        OPEN_TEST(a_damaged_session_is_passed_over_and_the_others_are_there),
        OPEN_TEST(a_row_of_no_sense_is_passed_over),
        OPEN_TEST(two_rows_of_one_id_are_one_session),
        OPEN_TEST(a_damaged_value_counts_as_none),
        OPEN_TEST(a_store_that_cannot_be_written_is_not_taken_over),
        OPEN_TEST(a_start_without_memory_fails_and_takes_nothing_for_damage),
    };
    return cmocka_run_group_tests_name("streamd/session/registry_open", tests, NULL, NULL);
}
