/* SPDX-License-Identifier: MIT */
#include "streamd/tools/verify_run.h"

#include "streamd/app.h"
#include "streamd/options.h"
#include "streamd/session/session_life.h"
#include "tests/streamd/archived.h"

enum { RECORDS = 100, TOLD_MAX = 4096 };

/* Records in a store, the session that has them, and what was told of them. */
struct world {
    struct archived a;
    struct config config;
    struct app *app;
    struct session *session;
    struct verify verify;
    char told[TOLD_MAX];
};

static void on_progress(struct verify *v)
{
    (void)v;
}

static void on_problem(struct verify *v, const char *text)
{
    struct world *w = LIST_ENTRY(v, struct world, verify);
    size_t len = strlen(w->told);
    v->problems++;
    (void)snprintf(w->told + len, sizeof(w->told) - len, "%s\n", text);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    archived_open(&w->a);
    options_defaults(&w->config);
    w->app = app_create(&(struct app_params){.config = &w->config}, (struct now){1, 1});
    w->session = session_create(&w->app->registry, SPAN("a"));
    assert_non_null(w->session);
    w->session->key = ARCHIVED_KEY;
    series_begin_at(w->session->series, RECORDS);
    for (int i = 1; i <= RECORDS; i++) {
        char metrics[64];
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"loss\":%d.5", i, i);
        archived_add(&w->a, metrics, false);
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    session_destroy(w->session);
    app_destroy(w->app);
    archived_close(&w->a);
    free(w);
    return 0;
}

/* Verifies, and holds what was told against this. */
static void expect(struct world *w, const char *told, uint64_t records)
{
    w->verify = (struct verify){.store = w->a.store,
                                .decoder = &w->a.decoder,
                                .progress = on_progress,
                                .problem = on_problem};
    w->told[0] = '\0';
    assert_int_equal(verify_run(&w->verify, w->session), OK);
    assert_string_equal(w->told, told);
    assert_int_equal(w->verify.records, records);
}

static void put_run(struct world *w, uint64_t first, uint64_t count, struct span bytes)
{
    const struct store_ops *ops = w->a.store->ops;
    assert_int_equal(ops->begin(w->a.store), OK);
    assert_int_equal(
        ops->put_run(w->a.store, &(struct store_run){ARCHIVED_KEY, first, count, bytes}), OK);
    assert_int_equal(ops->commit(w->a.store), OK);
}

static void whole_records_have_no_problem(void **state)
{
    struct world *w = *state;
    archived_keep(&w->a, 40, true);
    archived_keep(&w->a, 30, true);
    archived_keep_all(&w->a, 7, false);
    expect(w, "", RECORDS);
    assert_int_equal(w->verify.segments, 2);
    assert_int_equal(w->verify.runs, 5);
}

static void what_is_missing_is_named(void **state)
{
    struct world *w = *state;
    expect(w, "session a offsets 1-100: missing\n", 0);
    archived_keep(&w->a, 10, false);
    w->a.kept += 20;
    archived_keep(&w->a, 10, true);
    w->a.kept += 10;
    archived_keep(&w->a, 40, false);
    expect(w,
           "session a offsets 11-30: missing\nsession a offsets 41-50: missing\n"
           "session a offsets 91-100: missing\n",
           60);
}

static void what_is_there_twice_is_named(void **state)
{
    struct world *w = *state;
    archived_keep(&w->a, 60, true);
    w->a.kept -= 10;
    archived_keep_all(&w->a, 100, true);
    expect(w, "session a offsets 51-60: there twice\n", 110);
}

static void what_the_session_does_not_know_of_is_named(void **state)
{
    struct world *w = *state;
    archived_keep_all(&w->a, 50, false);
    series_cut(w->session->series, 90);
    expect(w, "session a offsets 91-100: newer than the session knows of\n", 100);
}

static void damaged_rows_are_named_and_passed(void **state)
{
    struct world *w = *state;
    archived_keep(&w->a, 40, false);
    w->a.kept += 20;
    put_run(w, 41, 20, SPAN("no run"));
    archived_keep_all(&w->a, 40, true);
    expect(w, "session a offsets 41-60: a record of the run cannot be read\n", 80);
}

static void a_row_that_lies_about_its_count_is_named(void **state)
{
    struct world *w = *state;
    struct buf run;
    buf_init(&run, 1 << 20);
    assert_int_equal(archived_write_run(&w->a, 99, &run), 99);
    put_run(w, 1, 100, buf_span(&run));
    expect(w, "session a offsets 1-100: the run holds more or fewer records than its row says\n",
           99);
    buf_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(whole_records_have_no_problem),     TEST(what_is_missing_is_named),
        TEST(what_is_there_twice_is_named),      TEST(what_the_session_does_not_know_of_is_named),
        TEST(damaged_rows_are_named_and_passed), TEST(a_row_that_lies_about_its_count_is_named),
    };
    return cmocka_run_group_tests_name("tools/verify_run", tests, NULL, NULL);
}
