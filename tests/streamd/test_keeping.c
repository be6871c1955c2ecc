/* SPDX-License-Identifier: MIT */
#include "streamd/session/keeping.h"

#include "streamd/session/interpreter.h"
#include "tests/streamd/domain.h"
#include "tests/support/lasting_store.h"
#include "tests/support/oom.h"

#define START(id) "{\"type\":\"start\",\"sessionId\":\"" id "\"}"
#define PROGRESS(id) "{\"type\":\"progress\",\"sessionId\":\"" id "\",\"metrics\":{\"step\":1}}"

enum { INTERVAL_US = 50 * 1000 };

struct house {
    struct domain d;
    struct lasting_store store;
};

static struct keeping *keeping_of(struct house *h)
{
    return &h->d.registry.keeping;
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    domain_defaults(&h->d);
    domain_open(&h->d);
    lasting_store_init(&h->store);
    struct keeping_params params = {.config = &h->d.config,
                                    .timers = &h->d.timers,
                                    .stats = &h->d.stats,
                                    .store = &h->store.base,
                                    .inline_work = true};
    assert_int_equal(registry_open(&h->d.registry, &params, h->d.now), OK);
    keeping_enter(keeping_of(h), h->d.now.us);
    h->store.commits = 0; /* the one that opened the store */
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    domain_close(&h->d);
    lasting_store_fini(&h->store);
    free(h);
    return 0;
}

/* Time passes and the wake-up ends. */
static void pass(struct house *h, uint64_t us)
{
    h->d.now.us += us;
    keeping_enter(keeping_of(h), h->d.now.us);
    timers_run(&h->d.timers, h->d.now.us);
    keeping_flush_if_urgent(keeping_of(h));
}

struct waiter {
    struct keeping_wait wait;
    unsigned told;
    bool kept;
};

static void on_done(struct keeping_wait *w, bool kept)
{
    struct waiter *waiter = LIST_ENTRY(w, struct waiter, wait);
    waiter->told++;
    waiter->kept = kept;
}

static void waits(struct house *h, struct waiter *w, bool patient)
{
    *w = (struct waiter){.wait = {.done = on_done, .patient = patient}};
    keeping_await(keeping_of(h), &w->wait);
}

static void is_told(const struct waiter *w, unsigned times, bool kept)
{
    assert_int_equal(w->told, times);
    assert_int_equal(w->kept, kept);
}

static void what_is_said_goes_to_disk_as_one_after_the_interval(void **state)
{
    struct house *h = *state;
    assert_true(keeping_is_idle(keeping_of(h)));
    domain_take(&h->d, START("a"));
    domain_take(&h->d, PROGRESS("b"));
    assert_false(keeping_is_idle(keeping_of(h)));
    pass(h, INTERVAL_US - 1);
    domain_take(&h->d, PROGRESS("a"));
    assert_int_equal(h->store.commits, 0);
    pass(h, 1);
    assert_int_equal(h->store.commits, 1);
    assert_true(keeping_is_idle(keeping_of(h)));
    pass(h, 10 * INTERVAL_US);
    assert_int_equal(h->store.commits, 1);
    assert_int_equal(h->d.stats.batches_committed, 1);
    assert_true(h->d.stats.store_bytes > 0);
    assert_int_equal(h->d.stats.unkept_bytes, 0);
}

static void who_waits_is_told_with_the_batch_he_is_in(void **state)
{
    struct house *h = *state;
    struct waiter first;
    struct waiter second;
    struct waiter late;
    waits(h, &first, false);
    is_told(&first, 1, true); /* nothing was said */
    domain_take(&h->d, PROGRESS("a"));
    waits(h, &first, false);
    waits(h, &second, true);
    is_told(&first, 0, false);
    keeping_flush(keeping_of(h)); /* handed over, not on disk */
    waits(h, &late, false);
    is_told(&late, 0, false);
    keeping_receive(keeping_of(h));
    is_told(&first, 1, true);
    is_told(&second, 1, true);
    is_told(&late, 1, true);
}

static void a_wait_that_was_cancelled_hears_nothing(void **state)
{
    struct house *h = *state;
    struct waiter w = {.told = 0};
    keeping_cancel(&w.wait); /* it never began */
    domain_take(&h->d, PROGRESS("a"));
    waits(h, &w, false);
    keeping_cancel(&w.wait);
    keeping_cancel(&w.wait);
    pass(h, INTERVAL_US);
    is_told(&w, 0, false);
}

static void the_impatient_are_told_of_trouble_and_the_patient_of_its_end(void **state)
{
    struct house *h = *state;
    struct waiter patient;
    struct waiter impatient;
    struct waiter later;
    h->store.broken = true;
    domain_take(&h->d, PROGRESS("a"));
    waits(h, &patient, true);
    waits(h, &impatient, false);
    pass(h, INTERVAL_US);
    is_told(&impatient, 1, false);
    is_told(&patient, 0, false);
    assert_true(keeping_of(h)->troubled);
    assert_true(keeping_is_idle(keeping_of(h))); /* nobody shall wait for that */
    waits(h, &later, false);
    is_told(&later, 1, false);
    h->store.broken = false;
    pass(h, 1);
    is_told(&patient, 1, true);
    is_told(&impatient, 1, false);
    pass(h, 1);
    assert_false(keeping_of(h)->troubled);
}

static void batches_become_more_while_nothing_can_be_committed(void **state)
{
    struct house *h = *state;
    h->d.config.max_unkept_bytes = 2000;
    keeping_of(h)->max_bytes = 2000;
    h->store.broken = true;
    for (unsigned i = 0; i < 10; i++) {
        domain_take(&h->d, PROGRESS("a"));
        pass(h, INTERVAL_US);
        if (keeping_full(keeping_of(h)))
            break;
        assert_int_equal(keeper_pending(keeping_of(h)->keeper), i + 1);
    }
    assert_true(keeping_full(keeping_of(h)));
    assert_true(h->d.stats.unkept_bytes > 2000);
    h->store.broken = false;
    pass(h, 1);
    assert_false(keeping_full(keeping_of(h)));
    assert_int_equal(h->store.commits, 1);
}

static void what_waits_is_counted_from_when_it_is_handed_over(void **state)
{
    struct house *h = *state;
    domain_take(&h->d, PROGRESS("a"));
    keeping_flush(keeping_of(h));
    assert_true(h->d.stats.unkept_bytes > 0);
    assert_int_equal(h->d.stats.unkept_bytes, keeper_pending_bytes(keeping_of(h)->keeper));
    pass(h, 1);
    assert_int_equal(h->d.stats.unkept_bytes, 0);
}

static void a_batch_that_found_no_memory_is_made_later_and_whole(void **state)
{
    (void)state;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        void *each;
        (void)setup(&each);
        struct house *h = each;
        struct waiter w;
        struct store_session row = {.key = 0};
        domain_take(&h->d, PROGRESS("a"));
        domain_take(&h->d, PROGRESS("b"));
        domain_take(&h->d, "{\"type\":\"complete\",\"sessionId\":\"b\"}");
        waits(h, &w, true);
        oom_fail(n);
        keeping_flush(keeping_of(h));
        failed = oom_failed();
        keeping_receive(keeping_of(h));
        bool kept = h->store.commits > 0; /* and b sealed */
        assert_true(kept || failed);
        is_told(&w, kept, kept);
        assert_int_equal(h->store.base.ops->next_session(&h->store.base, 0, &row),
                         kept ? OK : E_NOT_FOUND); /* nothing of it, or all */
        pass(h, 100 * 1000);
        is_told(&w, 1, true);
        assert_int_equal(h->store.base.ops->next_session(&h->store.base, 0, &row), OK);
        assert_int_equal(h->store.base.ops->next_session(&h->store.base, row.key, &row), OK);
        (void)teardown(&each);
    }
}

static void the_last_word_is_that_all_is_kept(void **state)
{
    struct house *h = *state;
    struct buf clean;
    buf_init(&clean, 100);
    domain_take(&h->d, PROGRESS("a"));
    pass(h, INTERVAL_US);
    assert_int_equal(h->store.base.ops->get_meta(&h->store.base, "clean", &clean), OK);
    assert_true(span_is(buf_span(&clean), "no"));
    domain_take(&h->d, PROGRESS("a"));
    keeping_goodbye(keeping_of(h));
    keeping_receive(keeping_of(h));
    buf_reset(&clean);
    assert_int_equal(h->store.base.ops->get_meta(&h->store.base, "clean", &clean), OK);
    assert_true(span_is(buf_span(&clean), "yes"));
    assert_int_equal(h->store.commits, 2); /* with what was open */
    buf_fini(&clean);
}

static void a_forgotten_session_leaves_nothing(void **state)
{
    struct house *h = *state;
    struct store_session row;
    struct store_run run;
    domain_take(&h->d, PROGRESS("a"));
    pass(h, INTERVAL_US);
    uint64_t key = domain_session(&h->d, "a")->key;
    domain_take(&h->d, PROGRESS("a"));
    registry_remove(&h->d.registry, domain_session(&h->d, "a"));
    pass(h, INTERVAL_US);
    assert_int_equal(h->store.base.ops->next_session(&h->store.base, 0, &row), E_NOT_FOUND);
    assert_int_equal(h->store.base.ops->next_run(&h->store.base, key, 0, &run), E_NOT_FOUND);
    domain_take(&h->d, PROGRESS("a")); /* said and gone between two batches */
    registry_remove(&h->d.registry, domain_session(&h->d, "a"));
    pass(h, INTERVAL_US);
    assert_int_equal(h->store.base.ops->next_session(&h->store.base, 0, &row), E_NOT_FOUND);
}

static void while_too_much_waits_no_order_is_dropped_from_the_disk(void **state)
{
    struct house *h = *state;
    h->store.broken = true;
    domain_take(&h->d, START("a"));
    pass(h, INTERVAL_US);
    keeping_of(h)->max_bytes = 1;
    assert_true(keeping_full(keeping_of(h)));
    keeping_drop(keeping_of(h), 7);
    assert_null(keeping_of(h)->open); /* it would only be more that waits */
    h->store.broken = false;
}

static void without_a_keeper_everything_is_kept_at_once(void **state)
{
    (void)state;
    struct house h;
    struct waiter w;
    domain_defaults(&h.d);
    domain_open(&h.d);
    domain_take(&h.d, PROGRESS("a"));
    assert_true(keeping_is_idle(keeping_of(&h)));
    assert_false(keeping_full(keeping_of(&h)));
    waits(&h, &w, false);
    is_told(&w, 1, true);
    keeping_receive(keeping_of(&h));
    keeping_goodbye(keeping_of(&h));
    registry_remove(&h.d.registry, domain_session(&h.d, "a"));
    domain_close(&h.d);
}

static void without_a_keeper_a_run_that_is_partial_stays_so(void **state)
{
    (void)state;
    struct domain d;
    domain_defaults(&d);
    d.config.max_insights = 0;
    domain_open(&d);
    domain_take(&d, PROGRESS("a"));
    d.registry.interpreters.max = 1;
    domain_take(&d, PROGRESS("a"));
    domain_advance(&d, 3 * INSIGHT_TICK_US);
    domain_take(&d, PROGRESS("a"));
    assert_true(domain_session(&d, "a")->interpreter->partial);
    domain_close(&d);
}

#define KEEPING_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEPING_TEST(what_is_said_goes_to_disk_as_one_after_the_interval),
        KEEPING_TEST(who_waits_is_told_with_the_batch_he_is_in),
        KEEPING_TEST(a_wait_that_was_cancelled_hears_nothing),
        KEEPING_TEST(the_impatient_are_told_of_trouble_and_the_patient_of_its_end),
        KEEPING_TEST(batches_become_more_while_nothing_can_be_committed),
        KEEPING_TEST(what_waits_is_counted_from_when_it_is_handed_over),
        cmocka_unit_test(a_batch_that_found_no_memory_is_made_later_and_whole),
        KEEPING_TEST(the_last_word_is_that_all_is_kept),
        KEEPING_TEST(a_forgotten_session_leaves_nothing),
        KEEPING_TEST(while_too_much_waits_no_order_is_dropped_from_the_disk),
        cmocka_unit_test(without_a_keeper_everything_is_kept_at_once),
        cmocka_unit_test(without_a_keeper_a_run_that_is_partial_stays_so),
    };
    return cmocka_run_group_tests_name("streamd/session/keeping", tests, NULL, NULL);
}
